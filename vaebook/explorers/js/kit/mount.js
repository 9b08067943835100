// One explorer: its controls, charts and numbers, kept in step.
vaebook.mount = (() => {
  "use strict";
  const { html, quiet, svg } = vaebook.dom;
  const { decode, format } = vaebook.numbers;
  const { makeControl, makeReadout } = vaebook.controls;
  const { clamp, niceCeiling, snap } = vaebook.scales;

  // mount(el, props, onchange) builds explorer `props.name` inside `el`. `props` comes from Python
  // (class Explorer) and is the only source of names, ranges, defaults, tables and words.
  // `onchange(values)` is called after each move by the reader. The handle that comes back takes new
  // values from outside (`set`), which are not reported back.
  function mount(el, props, onchange = () => {}) {
    let values = { ...(props.values ?? Object.fromEntries(props.controls.map((c) => [c.name, c.value]))) };
    const charts = [];
    const words = (key, blanks = {}) => {
      if (!(key in props.text)) throw new Error(`explorer ${props.name}: its text has no "${key}"`);
      const fill = (_, name, digits = 2) => typeof blanks[name] === "number" ? format(blanks[name], Number(digits)) : blanks[name];
      return props.text[key].replace(/\{(\w+)(?::(\d))?\}/g, fill);
    };

    const figures = html("div", { class: "vb-figures" });
    const below = html("div", { class: "vb-figures" }); // charts with `below`: under the axis controls
    const live = html("p", { class: "vb-live vb-hidden", role: "status" });
    const api = {
      forms: vaebook.forms,
      tables: decode(props.tables),
      text: words,
      format,
      niceCeiling,
      spec: (name) => props.controls.find((c) => c.name === name),
      chart(options) {
        const chart = vaebook.chart.makeChart(options);
        charts.push(chart);
        (options.below ? below : figures).append(chart.node);
        return chart;
      },
      // snap(name, value): the nearest value that the slider can take; inside: within its range.
      snap: (name, value) => snap(api.spec(name), value),
      inside: (changes) => Object.fromEntries(Object.entries(changes).map(([name, value]) =>
        [name, clamp(api.spec(name), value)])),
      set: (changes) => commit(changes),
      // animate(seconds, frame): frame(part) with part going from 0 to 1; at once to 1 for readers
      // who asked for less motion. Returns a function that stops it.
      animate(seconds, frame) {
        if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
          frame(1);
          return () => {};
        }
        const start = performance.now();
        let request = requestAnimationFrame(function next(now) {
          const part = Math.min(1, Math.max(0, (now - start) / (1000 * seconds)));
          frame(part);
          if (part === 1) announce();
          else if (el.isConnected) request = requestAnimationFrame(next);
        });
        return () => cancelAnimationFrame(request);
      },
    };
    const explorer = vaebook.explorers[props.name](api);

    // Controls of one group share a fieldset; those of group "axis" lie under the chart.
    const controls = {};
    const groups = new Map();
    for (const spec of props.controls) {
      const control = makeControl(spec, (value) => commit({ [spec.name]: value }));
      controls[spec.name] = control;
      if (!groups.has(spec.group)) groups.set(spec.group, { rows: [], role: spec.role });
      groups.get(spec.group).rows.push(control.row);
    }
    const axis = groups.get("axis");
    groups.delete("axis");
    const swatch = (role) => svg("svg", { class: "vb-swatch", width: 28, height: 8, "aria-hidden": "true" },
      svg("path", { class: `vb-line vb-${role}`, d: "M1 4H27", "stroke-width": 2.25 }));
    const panels = [...groups].map(([name, { rows, role }]) => name
      ? html("fieldset", { class: "vb-group" }, html("legend", {}, ...(role ? [swatch(role), " "] : []), name), ...rows)
      : html("div", { class: "vb-group" }, ...rows));

    const readouts = {};
    const lists = new Map();
    for (const spec of props.readouts) {
      readouts[spec.key] = makeReadout(spec);
      if (!lists.has(spec.group)) lists.set(spec.group, []);
      lists.get(spec.group).push(readouts[spec.key].row);
    }
    const results = [...lists].map(([name, rows]) => html("div", { class: "vb-result" },
      ...(name ? [html("p", { class: "vb-result-title" }, name)] : []), html("dl", {}, ...rows)));

    const press = (name, action) => {
      const button = html("button", { ...quiet, type: "button", name }, words(name));
      button.addEventListener("click", () => { action(); announce(); });
      return button;
    };
    const buttons = html("div", { class: "vb-buttons" },
      ...props.buttons.map((name) => press(name, () => {
        const changes = explorer.actions[name](values);
        if (changes) commit(changes);
      })),
      press("reset", () => commit(Object.fromEntries(props.controls.map((c) => [c.name, c.value])), true)),
      html("p", { class: "vb-hint" }, [props.text.note, words("keys")].filter(Boolean).join(" ")));

    const tableBody = html("div", { class: "vb-table", tabindex: 0, role: "region", "aria-label": `${props.title}: ${words("table")}` });
    const details = html("details", { class: "vb-data" }, html("summary", { ...quiet }, words("table")), tableBody);
    details.addEventListener("toggle", () => fillTable());

    // A form of its own keeps the radio buttons of two explorers on one page apart.
    const form = html("form", { class: "vb-explorer", "aria-label": props.title, autocomplete: "off" },
      html("p", { class: "vb-title" }, props.title), figures,
      ...(axis ? [html("div", { class: "vb-axis-controls" }, ...axis.rows)] : []),
      ...(below.hasChildNodes() ? [below] : []),
      html("div", { class: "vb-results" }, ...results),
      html("div", { class: "vb-groups" }, ...panels), buttons, details, live);
    form.addEventListener("submit", (event) => event.preventDefault());
    el.append(form);

    let result, announcing;
    function fillTable() {
      if (!details.open) return;
      const { caption: title, head, rows } = result.table();
      const cell = (value) => (typeof value === "number" ? format(value, 4) : value);
      tableBody.replaceChildren(html("table", {}, html("caption", {}, title),
        html("thead", {}, html("tr", {}, ...head.map((name) => html("th", { scope: "col" }, name)))),
        html("tbody", {}, ...rows.map(([first, ...rest]) => html("tr", {},
          html("th", { scope: "row" }, cell(first)), ...rest.map((value) => html("td", {}, cell(value))))))));
    }
    function refresh() {
      result = explorer.update(values);
      for (const chart of charts) chart.settle();
      for (const spec of props.readouts) readouts[spec.key].show(result.readouts[spec.key]);
      for (const spec of props.controls) controls[spec.name].show(values[spec.name], result.consequence);
      fillTable();
    }
    // A slider says its consequence itself (aria-valuetext); the live region speaks for buttons only.
    function announce() {
      clearTimeout(announcing);
      announcing = setTimeout(() => { live.textContent = result.consequence; }, 150);
    }
    function commit(changes, exact = false) {
      const next = { ...values, ...changes };
      values = explorer.constrain && !exact ? explorer.constrain(next, Object.keys(changes)) : next;
      refresh();
      onchange({ ...values });
    }
    refresh();

    const observer = new ResizeObserver(() => charts.forEach((chart) => chart.resize()));
    charts.forEach((chart) => observer.observe(chart.node));
    return {
      set(next) {
        if (Object.keys(next).every((name) => next[name] === values[name])) return;
        values = { ...values, ...next };
        refresh();
      },
      destroy() {
        clearTimeout(announcing);
        observer.disconnect();
        form.remove();
      },
    };
  }

  return mount;
})();
