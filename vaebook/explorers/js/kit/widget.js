// The notebook's way in: an anywidget whose traits are `props` and `values`.
vaebook.widget = (name) => ({
  render({ model, el }) {
    el.dataset.explorer = name;
    const handle = vaebook.mount(el, { ...model.get("props"), values: model.get("values") }, (values) => {
      model.set("values", values);
      model.save_changes();
    });
    const follow = () => handle.show(model.get("values"));
    model.on("change:values", follow);
    return () => {
      model.off("change:values", follow);
      handle.destroy();
    };
  },
});
