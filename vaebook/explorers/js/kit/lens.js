// A lens: a corner of a chart that shows a small part of it larger.
vaebook.makeLens = (frame, addMark) => {
  "use strict";
  const { fill, newId, svg } = vaebook.dom;
  const { scale } = vaebook.scales;

  const inner = { id: newId("lens") };
  const clip = svg("rect");
  const [paper, border] = [svg("rect", { class: "vb-lens-paper" }), svg("rect", { class: "vb-lens-border" })];
  const inside = svg("g", { "clip-path": `url(#${inner.id})` });
  const name = svg("text", { class: "vb-lens-name", "text-anchor": "middle" });
  const node = svg("g", { class: "vb-lens" }, svg("clipPath", { id: inner.id }, clip), paper, inside, border, name);

  return {
    ...vaebook.marks.makeMarks(inner, (shape, draw) => addMark(shape, draw, inside)),
    // look.set([x0, x1], [y0, y1], right, name): what it shows, and in which lower corner it is.
    look: addMark(node, (x, y, right, words) => {
      node.style.display = x ? "" : "none";
      if (!x) return;
      const plot = { width: frame.right - frame.left, height: frame.bottom - frame.top };
      const [width, height] = [Math.max(96, 0.3 * plot.width), Math.max(56, 0.4 * plot.height)];
      const [left, top] = [right ? frame.right - width - 4 : frame.left + 6, frame.bottom - height - 6];
      Object.assign(inner, {
        width: frame.width, bottom: top + height,
        sx: scale({ domain: x }, left, left + width), sy: scale({ domain: y }, top + height, top),
      });
      for (const rect of [clip, paper, border]) fill(rect, { x: left, y: top, width, height, rx: 6 });
      fill(name, { x: left + width / 2, y: top - 5 });
      name.textContent = words;
    }, "over"),
  };
};
