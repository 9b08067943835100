// The marks of a chart: made once, told their data with .set(...), emptied with .clear().
vaebook.marks = (() => {
  "use strict";
  const { fill, svg, write } = vaebook.dom;

  const SHAPES = {
    circle: (r) => `m${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`,
    square: (r) => `m${-r} ${-r}h${2 * r}v${2 * r}h${-2 * r}z`,
    diamond: (r) => `m0 ${-1.3 * r}l${1.3 * r} ${1.3 * r}l${-1.3 * r} ${1.3 * r}l${-1.3 * r} ${-1.3 * r}z`,
    triangle: (r) => `m0 ${-1.2 * r}l${1.2 * r} ${2 * r}h${-2.4 * r}z`,
  };
  const tenth = (pixels) => Math.round(pixels * 10) / 10;
  // The same as text, which is kept: to write numbers down is most of the work of a curve.
  const written = [];
  const text = (pixels) => {
    const tenths = Math.round(pixels * 10);
    return tenths >= 0 && tenths < 20000 ? (written[tenths] ??= String(tenths / 10)) : String(tenths / 10);
  };

  // `frame` holds the chart's scales sx and sy, its width and height, the bottom of the plot and an
  // id; mark(shape, draw, layer) adds a shape to the chart and returns its set and clear.
  function makeMarks(frame, mark) {
    const x = (v) => text(frame.sx(v));
    const y = (v) => text(frame.sy(v));
    let masks = 0;

    // A path through the points, with a gap where y is not finite. Where it runs level, as densities
    // do over most of their length, the points between the ends are left out.
    function runs(xs, ys) {
      const n = xs.length, heights = new Float64Array(n);
      for (let i = 0; i < n; i++) heights[i] = tenth(frame.sy(ys[i]));
      let path = "", pen = "M";
      for (let i = 0; i < n; i++) {
        if (!Number.isFinite(heights[i])) pen = "M";
        else if (pen === "M" || heights[i] !== heights[i - 1] || heights[i] !== heights[i + 1]) {
          path += pen + x(xs[i]) + " " + text(heights[i]);
          pen = "L";
        }
      }
      return path;
    }

    return {
      // line.set(xs, ys): a curve; gaps where ys is not finite.
      line(role, { width = 2.25 } = {}) {
        const path = svg("path", { class: `vb-line vb-${role}`, "stroke-width": width });
        return mark(path, (xs = [], ys = []) => path.setAttribute("d", runs(xs, ys)));
      },
      // tube.set(xs, ys, radius): all that is so close to the curve, where both axes have one scale;
      // strength: its opacity.
      tube(role, { strength } = {}) {
        const style = strength && `stroke-opacity: ${strength}`;
        const path = svg("path", { class: `vb-tube vb-${role}`, style });
        return mark(path, (xs = [], ys = [], radius = 0) =>
          fill(path, { d: runs(xs, ys), "stroke-width": tenth(2 * (frame.sx(radius) - frame.sx(0))) }));
      },
      // area.set(xs, tops[, bottoms]): the surface between two curves, or down to a level (zero unless
      // given); strength: its opacity.
      area(role, { strength } = {}) {
        const style = strength && `fill-opacity: ${strength}`;
        const path = svg("path", { class: `vb-area vb-${role}`, style });
        return mark(path, (xs = [], tops = [], bottoms = 0) => {
          let d = runs(xs, tops);
          if (bottoms.length === undefined && d) d += `V${y(bottoms)}H${x(xs[0])}`;
          for (let i = bottoms.length - 1; i >= 0; i--) d += `L${x(xs[i])} ${y(bottoms[i])}`;
          path.setAttribute("d", d && `${d}Z`);
        });
      },
      // points.set(xs, ys[, sizes]): sizes are factors; without halo: small dots by the thousand,
      // half transparent.
      points(role, { shape = "circle", size = 4, halo = true } = {}) {
        const style = !halo && "stroke: none; fill-opacity: 0.6";
        const path = svg("path", { class: `vb-points vb-${role}`, style });
        return mark(path, (xs = [], ys = [], sizes = null) => {
          let d = "";
          for (let i = 0; i < xs.length; i++) {
            d += `M${x(xs[i])} ${y(ys[i])}${SHAPES[shape](sizes ? tenth(size * sizes[i]) : size)}`;
          }
          path.setAttribute("d", d);
        });
      },
      // segment.set(x0, y0, x1, y1): one straight piece.
      segment(role, { width = 1.5 } = {}) {
        const path = svg("path", { class: `vb-line vb-${role}`, "stroke-width": width });
        return mark(path, (x0, y0, x1, y1) =>
          path.setAttribute("d", x0 === undefined ? "" : `M${x(x0)} ${y(y0)}L${x(x1)} ${y(y1)}`));
      },
      // bars.set(lefts, rights, tops): a histogram or a bar chart standing on zero.
      bars(role) {
        const path = svg("path", { class: `vb-bars-mark vb-${role}` });
        return mark(path, (lefts = [], rights = [], tops = []) => {
          let d = "";
          for (let i = 0; i < lefts.length; i++) {
            d += `M${x(lefts[i])} ${y(0)}V${y(tops[i])}H${x(rights[i])}V${y(0)}Z`;
          }
          path.setAttribute("d", d);
        });
      },
      // label.set(x, y, text[, dx]): words at a place, with a paper halo; dx, dy in pixels.
      label(role, { anchor = "middle", dy = -7 } = {}) {
        const label = svg("text", { class: `vb-label vb-${role}`, "text-anchor": anchor });
        return mark(label, (px, py, words, dx = 0) => {
          if (words === undefined) return write(label, "");
          write(label, words);
          // Words stay on the paper: a letter is at most 8.3 units wide on average.
          const length = 8.3 * words.length;
          const before = { start: 0, middle: length / 2, end: length }[anchor];
          fill(label, {
            x: Math.min(Math.max(tenth(frame.sx(px)) + dx, before), frame.width - length + before),
            y: Math.min(Math.max(tenth(frame.sy(py)) + dy, 11), frame.bottom - 4),
          });
        }, "over");
      },
      // words.set(xs, ys, texts): many short words, each centred at its place, without a halo.
      words(role) {
        const group = svg("g", { class: `vb-words vb-${role}`, "text-anchor": "middle" });
        return mark(group, (xs = [], ys = [], texts = []) => group.replaceChildren(...texts.map(
          (words, i) => svg("text", { x: x(xs[i]), y: tenth(frame.sy(ys[i])) + 4 }, words))));
      },
      // names.set(x, ys, texts): what stands at the ends of lines, on their right; moved apart where
      // two would lie on each other.
      names(role) {
        const group = svg("g", { class: "vb-names" });
        return mark(group, (px, ys = [], texts = []) => {
          const apart = 13;
          const order = ys.map((_, i) => i).sort((a, b) => ys[b] - ys[a]);
          const places = order.map((i) => tenth(frame.sy(ys[i])) + 4);
          for (let k = 1; k < places.length; k++) places[k] = Math.max(places[k], places[k - 1] + apart);
          for (let k = places.length - 1, last = frame.bottom - 4; k >= 0; k--, last -= apart) places[k] = Math.min(places[k], last);
          group.replaceChildren(...order.map((i, k) => svg("text", {
            class: `vb-label vb-${role}`, x: Math.min(tenth(frame.sx(px)) + 6, frame.width - 8.3 * texts[i].length), y: places[k],
          }, texts[i])));
        }, "over");
      },
      // heat.set(values, columns, rows, [x0, x1], [y0, y1], top): values in [0, top] as the strength
      // of one colour; the rows go upwards; `pixels`: each value as a square of its own. The picture
      // is a mask, so the colour follows the theme.
      heat(role, { pixels: squares = false } = {}) {
        const id = `${frame.id}-${++masks}`;
        const style = squares && "image-rendering: pixelated";
        const image = svg("image", { preserveAspectRatio: "none", style });
        const rect = svg("rect", { class: `vb-heat vb-${role}`, mask: `url(#${id})` });
        const shape = svg("g", {}, svg("mask", { id }, image), rect);
        return mark(shape, (values, columns, rows, [x0, x1] = [], [y0, y1] = [], top = 1) => {
          if (!values) return rect.setAttribute("width", 0);
          const { sx, sy } = frame;
          const box = { x: sx(x0), y: sy(y1), width: sx(x1) - sx(x0), height: sy(y0) - sy(y1) };
          fill(image, { ...box, href: vaebook.bitmap(values, columns, rows, top) });
          fill(rect, box);
        });
      },
    };
  }

  return { makeMarks };
})();
