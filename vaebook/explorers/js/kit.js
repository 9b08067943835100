// The kit that every explorer is made of: charts in plain SVG, native controls, read-outs, a table.
//
// One plain script, two ways in. On a page it is a classic script, and `vaebook` a global; in a
// notebook it is the first part of the widget's module, and `vaebook` is local to that module.
// How an explorer is written: see the docstring of vaebook/explorers/__init__.py.
var vaebook = (() => {
  "use strict";

  const SVG = "http://www.w3.org/2000/svg";
  const explorers = {};
  let serial = 0;

  // ---- elements and numbers -------------------------------------------------------------------

  const fill = (node, attributes, children) => {
    for (const [name, value] of Object.entries(attributes)) {
      if (value === true) node.setAttribute(name, "");
      else if (value !== false && value != null) node.setAttribute(name, value);
    }
    node.append(...children);
    return node;
  };
  const html = (tag, attributes = {}, ...children) =>
    fill(document.createElement(tag), attributes, children);
  const svg = (tag, attributes = {}, ...children) =>
    fill(document.createElementNS(SVG, tag), attributes, children);

  // Write only what changed: a move touches few of the many texts.
  const write = (node, text) => {
    if (node.textContent !== text) node.textContent = text;
  };
  const attribute = (node, name, value) => {
    if (node.getAttribute(name) !== value) node.setAttribute(name, value);
  };

  const formats = new Map();
  const fixed = (value, digits) => {
    if (!formats.has(digits)) {
      const language = document.documentElement.lang || "en";
      formats.set(digits, new Intl.NumberFormat(language, {
        minimumFractionDigits: digits, maximumFractionDigits: digits, signDisplay: "negative",
      }));
    }
    return formats.get(digits).format(value).replace("-", "\u2212");
  };

  // 0.1234 -> "0.123"; 4.2e-7 -> "4.20 × 10⁻⁷" (rounding noise below 1e-12 counts as zero).
  function format(value, digits = 2) {
    if (Number.isNaN(value)) return "undefined";
    if (!Number.isFinite(value)) return value > 0 ? "\u221e" : "\u2212\u221e";
    const size = Math.abs(value);
    if ((size >= 1e-12 && size < 0.5 * 10 ** -digits) || size >= 1e6) {
      const [mantissa, power] = value.toExponential(2).split("e");
      const raised = String(Number(power)).replace(/./g, (c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]);
      return `${fixed(Number(mantissa), 2)} × 10${raised}`;
    }
    return fixed(value, digits);
  }

  // Arrays travel as {"f64": base64 of little-endian numbers, "shape": [...]}; the kind names them.
  const ARRAYS = { f64: Float64Array, f32: Float32Array, i16: Int16Array, u8: Uint8Array };
  function decode(table) {
    const kind = table !== null && typeof table === "object" && Object.keys(ARRAYS).find((name) => name in table);
    if (!kind) return table;
    const bytes = Uint8Array.from(atob(table[kind]), (c) => c.charCodeAt(0));
    return Object.assign(new ARRAYS[kind](bytes.buffer), { shape: table.shape });
  }

  // ---- charts ---------------------------------------------------------------------------------

  const niceStep = (rough) => {
    const power = 10 ** Math.floor(Math.log10(rough));
    return power * [1, 2, 5, 10].find((m) => m * power >= rough * (1 - 1e-9));
  };

  // The top of an axis that follows its data in few, calm steps.
  const niceCeiling = (value) => {
    const power = 10 ** Math.floor(Math.log10(value));
    return power * [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((m) => m * power >= value);
  };

  function ticks({ domain: [low, high], log }, count) {
    if (log) {
      const powers = Array.from({ length: 16 }, (_, i) => 10 ** (i - 8));
      return { values: powers.filter((v) => v >= low && v <= high), digits: Math.max(0, -Math.floor(Math.log10(low))) };
    }
    const step = niceStep((high - low) / Math.max(1, count));
    const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    const values = [];
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) {
      values.push(i * step);
    }
    return { values, digits };
  }

  const SHAPES = {
    circle: (r) => `m${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`,
    square: (r) => `m${-r} ${-r}h${2 * r}v${2 * r}h${-2 * r}z`,
    diamond: (r) => `m0 ${-1.3 * r}l${1.3 * r} ${1.3 * r}l${-1.3 * r} ${1.3 * r}l${-1.3 * r} ${-1.3 * r}z`,
    triangle: (r) => `m0 ${-1.2 * r}l${1.2 * r} ${2 * r}h${-2.4 * r}z`,
  };

  // A chart is drawn in CSS pixels for the width that it has, so its text never shrinks.
  // Its marks (line, area, points, ...) are made once and told their data with .set(...). An axis has
  // a domain, a label, ticks (false: none) and the least spacing of its ticks in pixels; with `log`
  // equal steps are equal factors.
  // `room` keeps the place of a vertical axis without ticks, so that charts stand under each other.
  function makeChart({ x, y, height = 260, wide = true, equal = false }) {
    const id = `vb-chart-${++serial}`;
    const clip = svg("rect");
    const grid = svg("g", { class: "vb-grid" });
    const axes = svg("g", { class: "vb-axes" });
    const under = svg("g", { "clip-path": `url(#${id})` });
    const over = svg("g");
    const picture = svg("svg", { role: "img", "aria-label": "", class: "vb-picture" },
      svg("clipPath", { id }, clip), grid, under, axes, over);
    const node = html("figure", { class: wide ? "vb-chart vb-wide" : "vb-chart" }, picture);
    // A short name such as "x" stands in the row of the ticks, a long one in a row of its own.
    const inline = !x.label || x.label.length <= 3;
    const margin = { left: y.ticks === false && !y.room ? 12 : 46, right: 14, top: y.label ? 26 : 12, bottom: x.ticks === false ? 12 : inline ? 26 : 42 };
    const marks = [];
    let width = 640;

    const scale = ({ domain: [low, high], log }, start, end) => {
      const place = log ? Math.log : (value) => value;
      const slope = (end - start) / (place(high) - place(low));
      return (value) => start + (place(value) - place(low)) * slope;
    };
    let sx, sy;
    const at = (v, f) => Math.round(f(v) * 10) / 10;

    function layout() {
      const left = margin.left, right = width - margin.right;
      // `equal`: one scale on both axes, so that a circle is round; the height follows the width.
      const extent = (axis) => axis.domain[1] - axis.domain[0];
      if (equal) height = Math.round(margin.top + margin.bottom + ((right - left) * extent(y)) / extent(x));
      const top = margin.top, bottom = height - margin.bottom;
      sx = scale(x, left, right);
      sy = scale(y, bottom, top);
      fill(picture, { width, height, viewBox: `0 0 ${width} ${height}` }, []);
      fill(clip, { x: left - 4, y: top - 4, width: right - left + 8, height: bottom - top + 8 }, []);
      node.style.setProperty("--vb-plot-left", `${left}px`);
      grid.replaceChildren();
      axes.replaceChildren(svg("path", { d: `M${left} ${bottom}H${right}` }));
      if (x.ticks !== false) {
        const { values, digits } = ticks(x, (right - left) / (x.spacing ?? 70));
        for (const value of values) {
          axes.append(svg("path", { d: `M${at(value, sx)} ${bottom}v5` }));
          if (inline && x.label && at(value, sx) > right - 24) continue;
          const words = fixed(value, digits);
          const place = Math.max(at(value, sx), 4.6 * words.length); // stays on the paper
          axes.append(svg("text", { x: place, y: bottom + 19, "text-anchor": "middle" }, words));
        }
      }
      if (y.ticks !== false) {
        const { values, digits } = ticks(y, (bottom - top) / (y.spacing ?? 55));
        for (const value of values) {
          if (value !== y.domain[0]) grid.append(svg("path", { d: `M${left} ${at(value, sy)}H${right}` }));
          axes.append(svg("text", { x: left - 7, y: at(value, sy) + 4, "text-anchor": "end" }, fixed(value, digits)));
        }
      }
      if (x.label) axes.append(svg("text", { x: right, y: height - 5, "text-anchor": "end", class: "vb-axis-label" }, x.label));
      if (y.label) axes.append(svg("text", { x: 2, y: 13, class: "vb-axis-label" }, y.label));
      for (const mark of marks) mark.stale = mark.data;
    }
    // After new axes: draw what was not drawn anew since.
    function settle() {
      for (const mark of marks) if (mark.stale) mark.set(...mark.data);
    }

    function mark(shape, draw, layer = under) {
      layer.append(shape);
      const made = {
        set(...data) { made.data = data; made.stale = null; draw(...data); },
        clear() { made.data = made.stale = null; draw(); },
      };
      marks.push(made);
      return made;
    }

    // A path through the points, with a gap where y is not finite. Where it runs level, as bells do
    // over most of their length, the points between the ends are left out.
    const runs = (xs, ys) => {
      const n = xs.length, py = new Float64Array(n);
      for (let i = 0; i < n; i++) py[i] = Math.round(sy(ys[i]) * 10);
      let path = "", pen = "M";
      for (let i = 0; i < n; i++) {
        if (!Number.isFinite(py[i])) pen = "M";
        else if (pen === "M" || py[i] !== py[i - 1] || py[i] !== py[i + 1]) {
          path += pen + Math.round(sx(xs[i]) * 10) / 10 + " " + py[i] / 10;
          pen = "L";
        }
      }
      return path;
    };

    const chart = {
      node,
      settle,
      // line.set(xs, ys): a curve; gaps where ys is not finite.
      line(role, { width: stroke = 2.25 } = {}) {
        const path = svg("path", { class: `vb-line vb-${role}`, "stroke-width": stroke });
        return mark(path, (xs = [], ys = []) => path.setAttribute("d", runs(xs, ys)));
      },
      // area.set(xs, tops[, bottoms]): the surface between two curves; strength: its opacity.
      area(role, { strength } = {}) {
        const path = svg("path", { class: `vb-area vb-${role}`, style: strength && `fill-opacity: ${strength}` });
        return mark(path, (xs = [], tops = [], bottoms = null) => {
          let d = runs(xs, tops);
          if (!bottoms && d) d += `V${at(0, sy)}H${at(xs[0], sx)}`;
          if (bottoms) for (let i = xs.length - 1; i >= 0; i--) d += `L${at(xs[i], sx)} ${at(bottoms[i], sy)}`;
          path.setAttribute("d", d && `${d}Z`);
        });
      },
      // points.set(xs, ys); without halo: small dots by the thousand, half transparent.
      points(role, { shape = "circle", size = 4, halo = true } = {}) {
        const path = svg("path", { class: `vb-points vb-${role}`, style: !halo && "stroke: none; fill-opacity: 0.6" });
        return mark(path, (xs = [], ys = []) => {
          let d = "";
          for (let i = 0; i < xs.length; i++) d += `M${at(xs[i], sx)} ${at(ys[i], sy)}${SHAPES[shape](size)}`;
          path.setAttribute("d", d);
        });
      },
      // segment.set(x0, y0, x1, y1): one straight piece.
      segment(role, { width: stroke = 1.5 } = {}) {
        const path = svg("path", { class: `vb-line vb-${role}`, "stroke-width": stroke });
        return mark(path, (x0, y0, x1, y1) => path.setAttribute("d",
          x0 === undefined ? "" : `M${at(x0, sx)} ${at(y0, sy)}L${at(x1, sx)} ${at(y1, sy)}`));
      },
      // bars.set(lefts, rights, tops): a histogram or a bar chart standing on zero.
      bars(role) {
        const path = svg("path", { class: `vb-bars-mark vb-${role}` });
        return mark(path, (lefts = [], rights = [], tops = []) => {
          let d = "";
          for (let i = 0; i < lefts.length; i++) d += `M${at(lefts[i], sx)} ${at(0, sy)}V${at(tops[i], sy)}H${at(rights[i], sx)}V${at(0, sy)}Z`;
          path.setAttribute("d", d);
        });
      },
      // label.set(x, y, text[, dx]): words at a place, with a paper halo; dx, dy in pixels.
      label(role, { anchor = "middle", dy = -7 } = {}) {
        const text = svg("text", { class: `vb-label vb-${role}`, "text-anchor": anchor });
        return mark(text, (px, py, words, dx = 0) => {
          if (words === undefined) return write(text, "");
          write(text, words);
          // Words stay on the paper: a letter is at most 7.8 units wide on average.
          const length = 7.8 * words.length;
          const before = { start: 0, middle: length / 2, end: length }[anchor];
          fill(text, {
            x: Math.min(Math.max(at(px, sx) + dx, before), width - length + before),
            y: Math.min(Math.max(at(py, sy) + dy, 11), height - margin.bottom - 4),
          }, []);
        }, over);
      },
      // words.set(xs, ys, texts): many short words, each centred at its place, without a halo.
      words(role) {
        const group = svg("g", { class: `vb-words vb-${role}`, "text-anchor": "middle" });
        return mark(group, (xs = [], ys = [], texts = []) => group.replaceChildren(...texts.map((words, i) =>
          svg("text", { x: at(xs[i], sx), y: at(ys[i], sy) + 4 }, words))));
      },
      // heat.set(values, columns, rows, [x0, x1], [y0, y1], top): values in [0, top] as the strength
      // of one colour; the rows go upwards; `pixels`: each value as a square of its own. The picture
      // is a mask, so the colour follows the theme.
      heat(role, { pixels: squares = false } = {}) {
        const canvas = document.createElement("canvas");
        const image = svg("image", { preserveAspectRatio: "none", style: squares && "image-rendering: pixelated" });
        const rect = svg("rect", { class: `vb-heat vb-${role}`, mask: `url(#${id}-${marks.length})` });
        const shape = svg("g", {}, svg("mask", { id: `${id}-${marks.length}` }, image), rect);
        return mark(shape, (values, columns, rows, [x0, x1] = [], [y0, y1] = [], top = 1) => {
          if (!values) return rect.setAttribute("width", 0);
          Object.assign(canvas, { width: columns, height: rows });
          const context = canvas.getContext("2d");
          const pixels = context.createImageData(columns, rows);
          pixels.data.fill(255);
          for (let i = 0; i < values.length; i++) {
            const row = rows - 1 - Math.floor(i / columns);
            const j = 4 * (row * columns + (i % columns));
            pixels.data[j + 3] = 255 * Math.min(1, Math.max(0, values[i] / top));
          }
          context.putImageData(pixels, 0, 0);
          const box = { x: sx(x0), y: sy(y1), width: sx(x1) - sx(x0), height: sy(y0) - sy(y1) };
          fill(image, { ...box, href: canvas.toDataURL() }, []);
          fill(rect, box, []);
        });
      },
      // domain({x: [low, high], y: [low, high]}): new axes, everything redrawn, if they differ.
      domain(next) {
        let changed = false;
        for (const [axis, name] of [[x, "x"], [y, "y"]]) {
          const wanted = next[name];
          if (wanted && (wanted[0] !== axis.domain[0] || wanted[1] !== axis.domain[1])) {
            axis.domain = wanted;
            changed = true;
          }
        }
        if (changed) layout();
      },
      // What the picture shows, in words, for those who do not see it.
      describe(words) { attribute(picture, "aria-label", words); },
      // onpick(handler): a click or drag on the chart, as data coordinates; always beside a slider.
      onpick(handler) {
        picture.classList.add("vb-pickable");
        const pick = (event) => {
          const box = picture.getBoundingClientRect();
          const inside = (p, start, end, { domain: [low, high], log }) => {
            const part = Math.min(1, Math.max(0, (p - start) / (end - start)));
            return log ? low * (high / low) ** part : low + part * (high - low);
          };
          handler(inside(event.clientX - box.left, margin.left, width - margin.right, x),
            inside(event.clientY - box.top, height - margin.bottom, margin.top, y));
        };
        picture.addEventListener("pointerdown", (event) => {
          if (event.button !== 0) return;
          picture.setPointerCapture(event.pointerId);
          pick(event);
        });
        picture.addEventListener("pointermove", (event) => {
          if (picture.hasPointerCapture(event.pointerId)) pick(event);
        });
      },
      resize() {
        const wanted = Math.floor(node.clientWidth);
        if (wanted > 0 && wanted !== width) {
          width = wanted;
          layout();
          settle();
        }
      },
    };
    layout();
    return chart;
  }

  // ---- controls -------------------------------------------------------------------------------

  const decimals = (step) => (String(step).split(".")[1] ?? "").length;
  const onGrid = ({ min, fine }, value) =>
    Math.abs((value - min) / fine - Math.round((value - min) / fine)) < 1e-9;
  const snap = ({ min, max, fine }, value) => {
    const grid = min + Math.round((value - min) / fine) * fine;
    return Math.min(max, Math.max(min, Number(grid.toFixed(decimals(fine) + decimals(min)))));
  };

  const symbol = (words) => html("span", { class: "vb-symbol" }, words);
  const caption = (spec) => (spec.symbol ? [`${spec.label} `, symbol(spec.symbol)] : [spec.label]);
  // JupyterLab keeps its shortcuts (arrows, Enter, letters) off elements that say so themselves.
  const quiet = { "data-lm-suppress-shortcuts": "true" };

  // With `values` the slider moves over the places 0, 1, ... of that list.
  function makeRange(spec, move) {
    const id = `vb-control-${++serial}`;
    const digits = decimals(spec.fine);
    const placeOf = (value) => (spec.values ? spec.values.indexOf(value) : value);
    const moveTo = (place) => move(spec.values ? spec.values[snap(spec, place)] : snap(spec, place));
    const input = html("input", {
      ...quiet, type: "range", id, name: spec.name, min: spec.min, max: spec.max, step: spec.fine,
      "data-values": spec.values && JSON.stringify(spec.values),
    });
    const number = html("span", { class: "vb-value", "data-readout": spec.name });
    const row = html("div", { class: `vb-control ${spec.role ? `vb-${spec.role}` : ""}` },
      html("label", { for: id }, ...caption(spec)), number, input);

    input.addEventListener("input", () => moveTo(input.valueAsNumber));
    input.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      const place = placeOf(control.value);
      const little = event.shiftKey ? spec.fine : spec.step;
      const wanted = {
        ArrowRight: place + little, ArrowUp: place + little,
        ArrowLeft: place - little, ArrowDown: place - little,
        PageUp: place + spec.page, PageDown: place - spec.page,
        Home: spec.min, End: spec.max,
      }[event.key];
      if (wanted === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      moveTo(wanted);
    });

    const control = {
      row,
      show(value, consequence) {
        const place = placeOf(value);
        if (value !== control.value) {
          control.value = value;
          // A value set from Python may lie between two steps; the input shows it all the same.
          attribute(input, "step", onGrid(spec, place) ? String(spec.fine) : "any");
          input.style.setProperty("--vb-part", (place - spec.min) / (spec.max - spec.min));
          write(number, format(value, digits) + (spec.unit ? ` ${spec.unit}` : ""));
          attribute(number, "data-number", String(value));
        }
        if (input.valueAsNumber !== place) input.value = place;
        attribute(input, "aria-valuetext", `${spec.symbol || ""} ${number.textContent}: ${consequence}`.trim());
      },
    };
    return control;
  }

  // Up to four options: radio buttons; more: a select.
  function makeChoice(spec, move) {
    if (spec.options.length > 4) {
      const id = `vb-control-${++serial}`;
      const select = html("select", { ...quiet, id, name: spec.name },
        ...spec.options.map((o) => html("option", { value: o.value }, o.label)));
      select.addEventListener("change", () => move(select.value));
      return {
        row: html("div", { class: "vb-control vb-inline" }, html("label", { for: id }, ...caption(spec)), select),
        show(value) { select.value = value; },
      };
    }
    const radios = spec.options.map((o) => html("input", { ...quiet, type: "radio", name: spec.name, value: o.value }));
    radios.forEach((radio) => radio.addEventListener("change", () => move(radio.value)));
    return {
      row: html("fieldset", { class: "vb-control vb-radios" }, html("legend", {}, ...caption(spec)),
        ...radios.map((radio, i) => html("label", {}, radio, ` ${spec.options[i].label}`))),
      show(value) { radios.forEach((radio) => { radio.checked = radio.value === value; }); },
    };
  }

  function makeToggle(spec, move) {
    const box = html("input", { ...quiet, type: "checkbox", name: spec.name });
    box.addEventListener("change", () => move(box.checked));
    return {
      row: html("div", { class: "vb-control vb-inline" }, html("label", {}, box, " ", ...caption(spec))),
      show(value) { box.checked = value; },
    };
  }

  // A value that only buttons and Python move, such as a seed.
  function makeHidden(spec) {
    const input = html("input", { type: "hidden", name: spec.name });
    return { row: input, show(value) { input.value = JSON.stringify(value); } };
  }

  const KINDS = { range: makeRange, choice: makeChoice, toggle: makeToggle, hidden: makeHidden };

  // ---- read-outs ------------------------------------------------------------------------------

  // A read-out with `bar: [low, high]` draws its number as a bar, too.
  function makeReadout(spec) {
    const number = html("span", { class: "vb-value", "data-readout": spec.key });
    const part = spec.bar && html("span", { class: "vb-bar-fill" });
    const name = html("dt", {}, ...caption(spec));
    const unit = spec.unit ? ` ${spec.unit}` : "";
    const value = html("dd", {}, ...(part ? [html("span", { class: "vb-bar-track", "aria-hidden": "true" }, part)] : []), number, unit);
    return {
      row: html("div", { class: `${part ? "vb-bar" : "vb-readout"} ${spec.role ? `vb-${spec.role}` : ""}` }, name, value),
      show(v) {
        // Numbers beside bars keep one width, so that the bars stay comparable.
        write(number, part ? fixed(v, spec.digits) : format(v, spec.digits));
        attribute(number, "data-number", String(v));
        if (part) part.style.width = `${100 * Math.min(1, Math.max(0, (v - spec.bar[0]) / (spec.bar[1] - spec.bar[0])))}%`;
      },
    };
  }

  // ---- one explorer ---------------------------------------------------------------------------

  // mount(el, props, onchange) builds explorer `props.name` inside `el`. `props` comes from Python
  // (class Explorer) and is the only source of names, ranges, defaults, tables and words.
  // `onchange(values)` is called after each move by the reader. The handle that comes back takes new
  // values from outside (`set`), which are not reported back.
  function mount(el, props, onchange = () => {}) {
    let values = { ...(props.values ?? Object.fromEntries(props.controls.map((c) => [c.name, c.value]))) };
    const charts = [];
    const words = (key, blanks = {}) => {
      if (!(key in props.text)) throw new Error(`explorer ${props.name}: its text has no "${key}"`);
      return props.text[key].replace(/\{(\w+)\}/g, (_, name) => blanks[name]);
    };

    const figures = html("div", { class: "vb-figures" });
    const below = html("div", { class: "vb-figures" }); // charts with `below`: under the axis controls
    const live = html("p", { class: "vb-live vb-hidden", role: "status" });
    const api = {
      models: vaebook.models,
      tables: Object.fromEntries(Object.entries(props.tables).map(([name, table]) => [name, decode(table)])),
      text: words,
      format,
      niceCeiling,
      spec: (name) => props.controls.find((c) => c.name === name),
      chart(options) {
        const chart = makeChart(options);
        charts.push(chart);
        (options.below ? below : figures).append(chart.node);
        return chart;
      },
      // snap(name, value): the nearest value that the slider can take.
      snap: (name, value) => snap(api.spec(name), value),
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
    const explorer = explorers[props.name](api);

    // Controls of one group share a fieldset; those of group "axis" lie under the chart.
    const controls = {};
    const groups = new Map();
    for (const spec of props.controls) {
      const control = KINDS[spec.kind](spec, (value) => commit({ [spec.name]: value }));
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

  // The notebook's way in: an anywidget whose traits are `props` and `values`.
  const widget = (name) => ({
    render({ model, el }) {
      el.dataset.explorer = name;
      const handle = mount(el, { ...model.get("props"), values: model.get("values") }, (values) => {
        model.set("values", values);
        model.save_changes();
      });
      const follow = () => handle.set(model.get("values"));
      model.on("change:values", follow);
      return () => {
        model.off("change:values", follow);
        handle.destroy();
      };
    },
  });

  return { define(name, setup) { explorers[name] = setup; }, explorers, mount, widget, format };
})();
