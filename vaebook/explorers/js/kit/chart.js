// One chart: axes, and the marks on them (marks.js).
vaebook.chart = (() => {
  "use strict";
  const { attribute, fill, html, newId, svg, write } = vaebook.dom;
  const { fixed } = vaebook.numbers;
  const { invert, scale, ticks } = vaebook.scales;

  // A chart is drawn in CSS pixels for the width that it has, so its text never shrinks. An axis has
  // a domain, a label, ticks (false: none) and the least spacing of its ticks in pixels; with `log`
  // equal steps are equal factors; `room` keeps the place of a vertical axis without ticks, so that
  // charts stand under each other. `equal`: one scale on both axes, so that a circle is round; the
  // height follows the width, up to `height`. `height` may be a pair: on a wide card, and where room
  // is scarce.
  function makeChart({ x, y, height = 400, wide = true, equal = false, tight = () => false }) {
    const heights = [height].flat();
    const frame = { id: newId("chart"), width: 640, height: heights[0], scale: 1, tight: false };
    const clip = svg("rect");
    const [grid, axis, strokes] = [svg("path", { class: "vb-grid" }), svg("path"), svg("path")];
    const label = (words) => (words ? [svg("text", { class: "vb-axis-label" }, words)] : []);
    const [nameX, nameY] = [label(x.label), label(y.label)];
    const axes = svg("g", { class: "vb-axes" }, axis, strokes, ...nameX, ...nameY);
    const numbers = { middle: [], end: [] }; // by their anchor: used again when the axes change
    const layers = { under: svg("g", { "clip-path": `url(#${frame.id})` }), over: svg("g") };
    const picture = svg("svg", { role: "img", "aria-label": "", class: "vb-picture" },
      svg("clipPath", { id: frame.id }, clip), grid, layers.under, axes, layers.over);
    const layer = vaebook.handles.makeLayer(frame, x, y);
    const node = html("figure", { class: wide ? "vb-chart vb-wide" : "vb-chart" }, picture, layer.node);
    // A short name such as "x" stands in the row of the ticks, a long one in a row of its own.
    const inline = !x.label || x.label.length <= 3;
    const margin = {
      left: y.ticks === false && !y.room ? 12 : 46, right: 14,
      top: y.label ? 26 : 12, bottom: x.ticks === false ? 12 : inline ? 26 : 42,
    };
    const marks = [];

    function layout() {
      let [left, right, top] = [margin.left, frame.width - margin.right, margin.top];
      const extent = (axis) => axis.domain[1] - axis.domain[0];
      frame.height = heights[frame.tight ? heights.length - 1 : 0];
      if (equal) {
        const natural = ((right - left) * extent(y)) / extent(x);
        const tall = Math.min(natural, frame.height - top - margin.bottom);
        const inset = ((right - left) * (1 - tall / natural)) / 2;
        [left, right] = [left + inset, right - inset];
        frame.height = Math.round(top + margin.bottom + tall);
      }
      const bottom = frame.height - margin.bottom;
      Object.assign(frame, { left, right, top, bottom });
      const [width, tall] = [frame.width, frame.height];
      fill(picture, { width: width * frame.scale, height: tall * frame.scale, viewBox: `0 0 ${width} ${tall}` });
      layer.resize();
      fill(clip, { x: left - 4, y: top - 4, width: right - left + 8, height: bottom - top + 8 });
      fill(axis, { d: `M${left} ${bottom}H${right}` });
      for (const name of nameX) fill(name, { x: right, y: tall - 5, "text-anchor": "end" });
      for (const name of nameY) fill(name, { x: left - margin.left + 2, y: 13 });
      rescale();
    }

    function rescale() {
      const { left, right, top, bottom } = frame;
      Object.assign(frame, { sx: scale(x, left, right), sy: scale(y, bottom, top) });
      drawAxes();
      for (const mark of marks) mark.stale = mark.data;
    }

    function drawAxes() {
      const { left, right, top, bottom, sx, sy } = frame;
      const at = (pixels) => Math.round(pixels * 10) / 10;
      const count = { middle: 0, end: 0 };
      for (const name of nameY) write(name, y.label);
      const number = (anchor, words, px, py) => {
        const text = (numbers[anchor][count[anchor]++] ??= axes.appendChild(svg("text", { "text-anchor": anchor })));
        fill(text, { x: px, y: py });
        write(text, words);
      };
      let [across, up] = ["", ""];
      if (x.ticks !== false) {
        const { values, digits } = ticks(x, (right - left) / (x.spacing ?? 70));
        for (const value of values) {
          const place = at(sx(value));
          up += `M${place} ${bottom}v5`;
          if (inline && x.label && sx(value) > right - 24) continue;
          const words = fixed(value, digits);
          number("middle", words, Math.max(place, 4.6 * words.length), bottom + 19); // stays on the paper
        }
      }
      if (y.ticks !== false) {
        const { values, digits } = ticks(y, (bottom - top) / (y.spacing ?? 55));
        for (const value of values) {
          const place = at(sy(value));
          if (value !== y.domain[0]) across += `M${left} ${place}H${right}`;
          number("end", fixed(value, digits), left - 7, place + 4);
        }
      }
      attribute(grid, "d", across);
      attribute(strokes, "d", up);
      for (const [anchor, texts] of Object.entries(numbers)) for (const text of texts.splice(count[anchor])) text.remove();
    }

    // After new axes: draw what was not drawn anew since.
    function settle() {
      for (const mark of marks) if (mark.stale) mark.set(...mark.data);
    }

    function mark(shape, draw, place = "under") {
      (layers[place] ?? place)?.append(shape);
      const made = {
        set(...data) { made.data = data; made.stale = null; draw(...data); },
        clear() { made.data = made.stale = null; draw(); },
      };
      marks.push(made);
      return made;
    }

    // Where a pointer is, as data coordinates.
    function at(event) {
      const box = picture.getBoundingClientRect();
      return [invert(x, frame.left, frame.right)((event.clientX - box.left) / frame.scale),
        invert(y, frame.bottom, frame.top)((event.clientY - box.top) / frame.scale)];
    }

    const chart = {
      node,
      settle,
      ...vaebook.marks.makeMarks(frame, mark),
      // domain({x: [low, high], y: [low, high]}): new axes, everything redrawn, if they differ.
      domain(next) {
        let changed = false;
        for (const [axis, wanted] of [[x, next.x], [y, next.y]]) {
          if (wanted && (wanted[0] !== axis.domain[0] || wanted[1] !== axis.domain[1])) {
            axis.domain = wanted;
            changed = true;
          }
        }
        if (changed && equal) layout();
        else if (changed) rescale();
      },
      // What the picture shows, in words, for those who do not see it.
      describe(words) { attribute(picture, "aria-label", words); },
      // ondraw(draw, fingers): see drawing.js.
      ondraw: (draw, fingers) => vaebook.makeDrawing(picture, at, draw, fingers),
      // onpick(handler): a click or drag on the chart, as data coordinates; always beside a slider.
      onpick(handler) {
        picture.classList.add("vb-pickable");
        const pick = (event) => handler(...at(event));
        // A finger that swipes scrolls the page: it picks by a tap only.
        picture.addEventListener("click", (event) => { if (event.pointerType !== "mouse") pick(event); });
        picture.addEventListener("pointerdown", (event) => {
          if (event.button !== 0 || event.pointerType !== "mouse") return;
          picture.setPointerCapture(event.pointerId);
          pick(event);
        });
        picture.addEventListener("pointermove", (event) => {
          if (event.pointerType === "mouse" && picture.hasPointerCapture(event.pointerId)) pick(event);
        });
      },
      lens: () => vaebook.makeLens(frame, mark),
      // handle(options): see handles.js; its set(x, y) places it, its clear() takes it away.
      handle(options) {
        const handle = layer.add(options);
        const made = mark(handle.node, (...at) => (at.length ? handle.set(...at) : handle.hide()), null);
        return Object.assign(made, { show: handle.show });
      },
      // scale: CSS pixels of one unit of the picture, larger on a full screen.
      resize(scale) {
        const wanted = Math.floor(node.clientWidth / scale);
        const now = { width: wanted, scale, tight: tight(node) };
        if (wanted > 0 && Object.keys(now).some((key) => now[key] !== frame[key])) {
          Object.assign(frame, now);
          layout();
          settle();
        }
      },
    };
    layout();
    return chart;
  }

  return { makeChart };
})();
