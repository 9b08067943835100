// Three weighted points on a concave curve, and a density under it: the curve at the mean is never
// below the mean on the curve.
vaebook.define("jensen", (api) => {
  const { forms, tables, text, format } = api;
  const NAMES = [1, 2, 3];
  const grid = Array.from(tables.grid);
  const end = grid[grid.length - 1];
  const RANGE = { log: [-2.5, 2], sqrt: [0, 2.75] };
  const FLOOR = 0.3; // part of the height that weights and densities may fill, from below

  // One panel: the curve, its tangent at the mean, the two sides of the inequality, the gap.
  function panel(name) {
    const y = { domain: RANGE.log, label: " " };
    const chart = api.chart({ height: [320, 156], wide: false, x: { domain: [0, end], label: text("x_axis") }, y });
    const curve = chart.line("ink", { width: 2.25 });
    const tangent = chart.line("muted", { width: 1.25 });
    const gap = chart.segment("gap", { width: 6 });
    const top = chart.points("ink", { size: 4.5 });
    const bottom = chart.points("bound", { shape: "diamond", size: 4.5 });
    const words = ["ink", "bound", "gap"].map((role, i) => chart.label(role, { dy: [-10, 20, 5][i] }));
    return {
      chart,
      floor: (g, part) => RANGE[g][0] + part * FLOOR * (RANGE[g][1] - RANGE[g][0]),
      set(g, sides) {
        y.label = text(`${name}_axis`, { g: text(g) });
        chart.domain({ y: RANGE[g] });
        curve.set(grid, grid.map(forms.concave[g].value));
        tangent.set(grid, grid.map((at) => forms.tangent(g, sides.mean, at)));
        gap.set(sides.mean, sides.meanOfG, sides.mean, sides.gOfMean);
        top.set([sides.mean], [sides.gOfMean]);
        bottom.set([sides.mean], [sides.meanOfG]);
        words[0].set(sides.mean, sides.gOfMean, text(`${g}_of_mean`), -36);
        words[1].set(sides.mean, sides.meanOfG, text(`mean_of_${g}`));
        const side = sides.mean < 4.5 ? 42 : -48; // the number stays on the paper
        words[2].set(sides.mean, (sides.meanOfG + sides.gOfMean) / 2, text("gap", sides), side);
      },
    };
  }

  const left = panel("points");
  const sticks = NAMES.map((n) => left.chart.segment(`c${n}`, { width: 5 }));
  const drops = NAMES.map((n, i) => left.chart.segment(`c${n}`, { width: 1.5 + 0.25 * i }));
  const dots = NAMES.map((n) =>
    api.handle(left.chart, { moves: [`y_${n}`], role: `c${n}`, to: (y) => ({ [`y_${n}`]: y }) }));
  const names = NAMES.map((n) => left.chart.label(`c${n}`, { dy: -6 }));
  const right = panel("density");
  const area = right.chart.area("p");
  const edge = right.chart.line("p", { width: 1.75 });

  // A click moves the point that is nearest, or the mean of the density.
  left.chart.onpick((x) => {
    const distance = (n) => Math.abs(values[`y_${n}`] - x);
    const nearest = NAMES.reduce((best, n) => (distance(n) < distance(best) ? n : best));
    api.set({ [`y_${nearest}`]: api.snap(`y_${nearest}`, x) });
  });
  const meanHandle = api.handle(right.chart, { moves: ["mean"], role: "p", to: (y) => ({ mean: y }) });
  right.chart.onpick((x) => api.set({ mean: api.snap("mean", x) }));
  let values;

  return {
    constrain: (next, moved) => forms.shareRest(next, moved, NAMES.map((n) => `weight_${n}`)),

    update(now) {
      values = now;
      const g = values.function;
      const [ys, weights] = ["y", "weight"].map((what) => NAMES.map((n) => values[`${what}_${n}`]));
      const points = forms.jensen(g, ys, weights);
      const prob = tables[`${values.shape}_prob`];
      const spread = forms.scaledExp(tables[`${values.shape}_u`], prob, values.mean, values.spread);
      const density = forms.jensen(g, spread, prob);
      const heights = spread.map((y, k) => prob[k] / tables.step / (values.spread * y));

      left.set(g, points);
      NAMES.forEach((n, k) => {
        const height = forms.concave[g].value(ys[k]);
        sticks[k].set(ys[k], left.floor(g, 0), ys[k], left.floor(g, weights[k]));
        drops[k].set(ys[k], height, ys[k], forms.tangent(g, points.mean, ys[k]));
        dots[k].set(ys[k], height);
        names[k].set(ys[k], left.floor(g, weights[k]), String(n));
      });
      right.set(g, density);
      meanHandle.set(density.mean, right.floor(g, 0));
      if (values.spread > 0) {
        // Near zero a Weibull density may grow without limit: it is cut at its height at grid[0].
        const seen = grid.map((y) => forms.interpolate(y, spread, heights));
        const highest = Math.max(...seen, ...heights.filter((_, k) => spread[k] > grid[0] && spread[k] < end));
        const xs = [0.01, ...grid, ...spread.filter((y) => y > 0.01 && y < end)].sort((a, b) => a - b);
        const tops = xs.map((y) => right.floor(g, Math.min(1, forms.interpolate(y, spread, heights) / highest)));
        area.set(xs, tops, tops.map(() => right.floor(g, 0)));
        edge.set(xs, tops);
      } else {
        area.clear();
        edge.set([values.mean, values.mean], [right.floor(g, 0), right.floor(g, 1)]);
      }

      const readouts = {};
      for (const [what, sides] of [["points", points], ["density", density]]) {
        readouts[`${what}_mean`] = sides.mean;
        readouts[`${what}_g_of_mean`] = sides.gOfMean;
        readouts[`${what}_mean_of_g`] = sides.meanOfG;
        readouts[`${what}_gap`] = sides.gap;
      }
      const list = (numbers) => numbers.map((number) => format(number)).join(", ");
      const blanks = { ...values, ...readouts, g: text(g), ys: list(ys), weights: list(weights) };
      left.chart.describe(text("points_description", blanks));
      right.chart.describe(text("density_description", blanks));
      return {
        readouts,
        consequence: text("consequence", blanks),
        table() {
          const row = (name, y, weight, mean) => {
            const height = forms.concave[g].value(y);
            return [name, y, weight, height, forms.tangent(g, mean, y) - height];
          };
          const inside = Array.from(spread.keys()).filter((k) => spread[k] > 0.05 && spread[k] < end);
          const few = inside.filter((_, i) => i % Math.ceil(inside.length / 12) === 0);
          return {
            caption: text("table_caption"),
            head: ["name", "y", "weight", "g", "drop"].map((key) => text(`table_${key}`)),
            rows: [
              ...NAMES.map((n, k) => row(text("table_point", { n }), ys[k], weights[k], points.mean)),
              row(text("table_points_mean"), points.mean, "", points.mean),
              ...few.map((k) => row(text("table_density"), spread[k], heights[k], density.mean)),
            ],
          };
        },
      };
    },
  };
});
