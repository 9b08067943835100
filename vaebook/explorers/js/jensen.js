// A concave curve, and an average on it: of three weighted points, or of a density. The curve at the
// mean is never below the mean on the curve.
vaebook.define("jensen", (api) => {
  const { forms, tables, text, format } = api;
  const NAMES = [1, 2, 3];
  const grid = Array.from(tables.grid);
  const end = grid[grid.length - 1];
  const RANGE = { log: [-3.3, 2.05], sqrt: [-1.1, 2.75] };
  const FOOT = 0.28; // part of the height that a weight of one, or a density, fills from below
  const BAR = 0.09; // half the width of a bar

  const y = { domain: RANGE.log, label: text("y_axis", { g: text("log") }) };
  const chart = api.chart({ height: [410, 276], x: { domain: [0, end], label: text("x_axis") }, y });
  const polygon = chart.area("bound", { strength: 0.14 });
  const bars = NAMES.map((n) => chart.area(`c${n}`, { strength: 0.3 }));
  const area = chart.area("p");
  const weighed = chart.area("gap", { strength: 0.4 });
  const edge = chart.line("p", { width: 1.75 });
  const chords = chart.line("bound", { width: 1.25 });
  const tangent = chart.line("muted", { width: 1.25 });
  const curve = chart.line("ink", { width: 2.25 });
  const drops = NAMES.map((n) => chart.segment(`c${n}`, { width: 1.75 }));
  const gap = chart.segment("gap", { width: 6 });
  const top = chart.points("ink", { size: 4.5 });
  const bottom = chart.points("bound", { shape: "diamond", size: 4.5 });
  const words = ["ink", "bound", "gap"].map((role, i) => chart.label(role, { dy: [-10, 20, 5][i] }));
  const named = chart.label("p", { anchor: "end", dy: -4 });

  const inFoot = (g, part) => RANGE[g][0] + part * FOOT * (RANGE[g][1] - RANGE[g][0]);
  const partOf = (g, height) => (height - inFoot(g, 0)) / (inFoot(g, 1) - inFoot(g, 0));
  const dots = NAMES.map((n) =>
    api.handle(chart, { moves: [`y_${n}`], role: `c${n}`, to: (x) => ({ [`y_${n}`]: x }) }));
  const tops = NAMES.map((n) => api.handle(chart, {
    moves: [`weight_${n}`], role: `c${n}`, upright: true,
    to: (_, height, { function: g }) => ({ [`weight_${n}`]: partOf(g, height) }),
  }));
  const meanHandle = api.handle(chart, { moves: ["mean"], role: "p", to: (x) => ({ mean: x }) });
  const flank = api.handle(chart, {
    moves: ["spread"], role: "p", to: (x, _, { mean }) => ({ spread: forms.spreadOfFlank(mean, x) }),
  });
  const ofPoints = [polygon, chords, ...bars, ...drops, ...dots, ...tops];
  const ofDensity = [area, weighed, edge, named, meanHandle, flank];

  // What the average is taken of: places, their probabilities, and the height of p(y) there.
  function taken(values) {
    if (values.view === "points") {
      const [ys, weights] = ["y", "weight"].map((what) => NAMES.map((n) => values[`${what}_${n}`]));
      return { ys, weights, heights: weights };
    }
    const weights = tables[`${values.shape}_prob`];
    const ys = forms.scaledExp(tables[`${values.shape}_u`], weights, values.mean, values.spread);
    return { ys, weights, heights: ys.map((at, k) => weights[k] / tables.step / (values.spread * at)) };
  }

  return {
    constrain(next, moved, had) {
      const changed = (name) => moved.includes(name) && next[name] !== had[name];
      const touched = Object.keys(tables.views).filter((view) => tables.views[view].some(changed));
      const seen = !moved.includes("view") && touched.length === 1 ? { ...next, view: touched[0] } : next;
      return forms.shareRest(seen, moved, NAMES.map((n) => `weight_${n}`));
    },

    update(values) {
      const g = values.function;
      const { ys, weights, heights } = taken(values);
      const sides = forms.jensen(g, ys, weights);
      const { average, gOfMean, meanOfG } = sides;

      y.label = text("y_axis", { g: text(g) });
      chart.domain({ y: RANGE[g] });
      curve.set(grid, grid.map(forms.concave[g].value));
      tangent.set(grid, grid.map((at) => forms.tangent(g, average, at)));
      gap.set(average, meanOfG, average, gOfMean);
      top.set([average], [gOfMean]);
      bottom.set([average], [meanOfG]);
      words[0].set(average, gOfMean, text(`${g}_of_mean`), -36);
      words[1].set(average, meanOfG, text(`mean_of_${g}`), average < 4.1 ? 40 : -44);
      words[2].set(average, (meanOfG + gOfMean) / 2, text("gap", sides), average < 4.1 ? 50 : -54);
      for (const mark of values.view === "points" ? ofDensity : ofPoints) mark.clear();
      if (values.view === "points") drawPoints(g, average, ys, weights);
      else drawDensity(values, average, ys, heights);

      const readouts = { average, g_of_mean: gOfMean, mean_of_g: meanOfG, gap: sides.gap };
      const list = (numbers) => numbers.map((number) => format(number)).join(", ");
      const [places, shares] = ["y", "weight"].map((what) => list(NAMES.map((n) => values[`${what}_${n}`])));
      const blanks = { ...values, ...readouts, g: text(g), ys: places, weights: shares };
      const consequence = text("consequence", blanks);
      chart.describe(text(`${values.view}_description`, { ...blanks, consequence }));
      return {
        readouts,
        consequence,
        table() {
          const row = (name, at, weight) => {
            const height = forms.concave[g].value(at);
            return [name, at, weight, height, forms.tangent(g, average, at) - height];
          };
          const inside = Array.from(ys.keys()).filter((k) => ys[k] > 0.05 && ys[k] < end);
          const few = inside.filter((_, i) => i % Math.ceil(inside.length / 12) === 0);
          return {
            caption: text("table_caption"),
            head: ["name", "y", "weight", "g", "drop"].map((key) => text(`table_${key}`)),
            rows: [
              row(text("table_mean"), average, ""),
              ...(values.view === "points"
                ? NAMES.map((n, k) => row(text("table_point", { n }), ys[k], weights[k]))
                : few.map((k) => row(text("density"), ys[k], heights[k]))),
            ],
          };
        },
      };
    },
  };

  // The points with their drops below the tangent, the chords that join them, and their weights.
  function drawPoints(g, average, ys, weights) {
    const { value } = forms.concave[g];
    const [a, b, c] = ys.slice().sort((one, other) => one - other);
    const chord = c > a ? value(a) + ((value(c) - value(a)) * (b - a)) / (c - a) : value(b);
    polygon.set([a, b, c], [a, b, c].map(value), [value(a), chord, value(c)]);
    chords.set([a, b, c, a], [a, b, c, a].map(value));
    NAMES.forEach((_, k) => {
      const [foot, head] = [inFoot(g, 0), inFoot(g, weights[k])];
      bars[k].set([ys[k] - BAR, ys[k] + BAR], [head, head], [foot, foot]);
      drops[k].set(ys[k], value(ys[k]), ys[k], forms.tangent(g, average, ys[k]));
      dots[k].set(ys[k], value(ys[k]));
      tops[k].set(ys[k], head);
    });
  }

  // p(y) at the foot, and in it p(y) times the drop: the area of that is the gap.
  function drawDensity({ function: g, spread, mean }, average, ys, heights) {
    if (spread === 0) {
      edge.set([mean, mean], [inFoot(g, 0), inFoot(g, 1)]);
      meanHandle.set(mean, inFoot(g, 0));
      flank.set(mean, inFoot(g, 0.6));
      return;
    }
    const p = (at) => forms.interpolate(at, ys, heights);
    const highest = Math.max(...grid.map(p), ...heights.filter((_, k) => ys[k] > grid[0] && ys[k] < end));
    const xs = [...grid, ...Array.from(ys).filter((at) => at > grid[0] && at < end)].sort((one, other) => one - other);
    const floor = xs.map(() => inFoot(g, 0));
    const shape = xs.map((at) => inFoot(g, Math.min(1, p(at) / highest)));
    const drop = (at) => forms.tangent(g, average, at) - forms.concave[g].value(at);
    area.set(xs, shape, floor);
    edge.set(xs, shape);
    weighed.set(xs, xs.map((at) => inFoot(g, (p(at) * drop(at)) / highest)), floor);
    meanHandle.set(mean, inFoot(g, 0));
    const low = forms.lowerFlank(mean, spread);
    flank.set(low, inFoot(g, Math.min(1, p(low) / highest)));
    const peak = xs[shape.indexOf(Math.max(...shape))];
    named.set(peak < end / 2 ? end : 1.2, inFoot(g, 0.25), text("density"));
  }
});
