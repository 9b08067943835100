// Three weighted bells, their sum, and who is responsible for the chosen x.
vaebook.define("mixture", (api) => {
  const { forms, tables, text, format } = api;
  const NAMES = [1, 2, 3];
  const { grid } = tables;

  const chart = api.chart({
    height: [330, 215],
    x: { domain: [grid[0], grid[grid.length - 1]], label: text("x_axis") },
    y: { domain: [0, 0.3], label: text("y_axis") },
  });
  const areas = NAMES.map((n) => chart.area(`c${n}`));
  const bells = NAMES.map((n) => chart.line(`c${n}`, { width: 2 }));
  const sum = chart.line("p", { width: 2.75 });
  const cut = chart.segment("muted", { width: 1 });
  const dots = NAMES.map((n, i) => chart.points(`c${n}`, { shape: ["circle", "square", "triangle"][i], size: 4 }));
  const top = chart.points("p", { shape: "diamond", size: 4.5 });
  const labels = NAMES.map((n) => chart.label(`c${n}`, { dy: 20 }));
  const total = chart.label("p", { dy: -10 });
  const peakHandles = NAMES.map((n) =>
    api.handle(chart, { moves: [`mean_${n}`], role: `c${n}`, to: (x) => ({ [`mean_${n}`]: x }) }));
  chart.onpick((x) => api.set({ x: api.snap("x", x) }));

  const parameters = (values) => ["weight", "mean", "std"].map((name) => NAMES.map((n) => values[`${name}_${n}`]));

  return {
    constrain: (next, moved) => forms.shareRest(next, moved, NAMES.map((n) => `weight_${n}`)),

    update(values) {
      const [weights, means, stds] = parameters(values);
      const curves = (xs) => forms.mixtureCurves(xs, weights, means, stds);
      const { joint, density } = curves(grid);
      const at = forms.mixture(values.x, weights, means, stds);
      const here = at.logJoint.map(Math.exp);
      const prob = Math.exp(at.logProb);

      const ceiling = api.niceCeiling(1.12 * density.reduce((a, b) => Math.max(a, b)));
      chart.domain({ y: [0, ceiling] });
      const peaks = curves(means).joint;
      NAMES.forEach((n, k) => {
        areas[k].set(grid, joint[k]);
        bells[k].set(grid, joint[k]);
        dots[k].set([values.x], [here[k]]);
        peakHandles[k].set(means[k], peaks[k][k]);
        labels[k].set(means[k], peaks[k][k], String(n));
      });
      sum.set(grid, density);
      cut.set(values.x, 0, values.x, ceiling);
      top.set([values.x], [prob]);
      // On a slope the label steps aside, to where the curve is lower.
      const [left, right] = curves([values.x - 0.1, values.x + 0.1]).density;
      total.set(values.x, prob, "p(x)", -20 * Math.tanh((25 * (right - left)) / ceiling));

      const shares = at.responsibilities;
      const most = shares.indexOf(Math.max(...shares));
      const consequence = text("consequence", { x: values.x, prob, component: most + 1, share: shares[most] });
      const list = (numbers) => numbers.map((number) => format(number)).join(", ");
      chart.describe(text("description", {
        weights: list(weights), means: list(means), stds: list(stds), consequence,
      }));

      return {
        readouts: {
          prob, log_prob: at.logProb,
          responsibility_1: shares[0], responsibility_2: shares[1], responsibility_3: shares[2],
        },
        consequence,
        table() {
          const xs = [values.x, ...grid.filter((_, i) => i % 20 === 0)];
          const { joint: columns, density: sums } = curves(xs);
          return {
            caption: text("table_caption"),
            head: ["x", ...NAMES.map((n) => text("table_component", { n })), "p(x)"],
            rows: xs.map((x, i) => [format(x), ...columns.map((column) => column[i]), sums[i]]),
          };
        },
      };
    },
  };
});
