// Dice at rest, the draws that are made from them, and histograms of two gradient estimates.
vaebook.define("reparameterization", (api) => {
  const { forms, tables, text, format } = api;
  const count = tables.estimates;
  const reach = 6;
  const span = [-reach, reach];
  const places = Array.from({ length: 241 }, (_, i) => -reach + i * 0.05);

  const strip = api.chart({
    height: [124, 100],
    x: { domain: span, label: text("z_axis"), spacing: 45 },
    y: { domain: [-0.8, 1.6], ticks: false, room: true },
  });
  const threads = strip.line("muted", { width: 0.9 });
  const dice = strip.points("muted", { size: 4, halo: false });
  const moved = strip.points("q", { shape: "diamond", size: 4, halo: false });
  const handle = api.handle(strip, { moves: ["mean"], role: "q", to: (z) => ({ mean: z }) });
  strip.label("muted", { anchor: "start", dy: -10 }).set(-reach, 1, text("dice"));
  strip.label("q", { anchor: "start", dy: 19 }).set(-reach, 0, text("draws"));

  const plot = api.chart({
    height: [230, 150],
    x: { domain: span, label: text("z_axis"), spacing: 45 },
    y: { domain: [-2, 10], label: text("curve_axis") },
  });
  const level = plot.line("c2", { width: 1.25 });
  const stems = plot.line("c2", { width: 0.9 });
  const curve = plot.line("ink", { width: 1.25 });
  const strokes = plot.line("p", { width: 3 });
  const dots = plot.points("q", { shape: "diamond", size: 3 });
  const levelName = plot.label("c2", { anchor: "start", dy: -5 });

  const histograms = ["pathwise", "score"].map((kind, i) => {
    const role = ["c1", "c2"][i];
    const chart = api.chart({
      height: i ? 148 : 120, aside: true,
      x: { domain: [-10, 10], label: i ? text("estimate_axis") : "" },
      y: { domain: [0, 1.7], ticks: false, room: true },
    });
    return {
      kind,
      chart,
      bars: chart.bars(role),
      exact: chart.segment("ink", { width: 2 }),
      first: chart.points(role, { shape: "diamond", size: 4 }),
      name: chart.label(role, { anchor: "start", dy: 4 }),
      exactName: chart.label("ink", { anchor: "start", dy: 4 }),
    };
  });

  let rolled = {}; // a seed and its dice so far, row by row: one row holds a die of each estimate
  function diceOf(seed, n) {
    if (rolled.seed !== seed) rolled = { seed, rows: [] };
    for (let k = rolled.rows.length; k < n; k++) {
      rolled.rows.push(Float64Array.from({ length: count }, (_, r) => forms.standardNormal(seed, k * count + r)));
    }
    return rolled.rows;
  }

  // Pieces of one path, with gaps between them.
  const pieces = (parts) => [parts.flatMap(([x0, , x1]) => [x0, x1, x1]), parts.flatMap(([, y0, , y1]) => [y0, y1, NaN])];

  return {
    actions: {
      new_dice: (values) => ({ seed: (values.seed + 1) % 2 ** 32 }),
      best_baseline(values) {
        return api.inside({ baseline: forms.gradient(tables.eps, tables.mass, values).bestBaseline });
      },
    },

    update(values) {
      const { mean, std, n, baseline } = values;
      const row = forms.gradientRow(values);
      const exact = forms.gradient(tables.eps, tables.mass, values);
      const rows = diceOf(values.seed, n).slice(0, n);
      const estimates = forms.gradientEstimates(rows, values);

      // The draws of the first estimate.
      const eps = rows.map((one) => one[0]);
      const zs = eps.map((one) => mean + std * one);
      const at = eps.map(row);
      threads.set(...pieces(eps.map((one, k) => [one, 1, zs[k], 0])));
      dice.set(eps, eps.map(() => 1));
      moved.set(zs, zs.map(() => 0));
      handle.set(mean, 0);

      const heights = places.map((z) => row((z - mean) / std).value);
      const top = Math.max(2, baseline, ...at.map(({ value }) => value));
      plot.domain({ y: values.function === "step" && top === 2 ? [-0.5, 2] : [Math.min(-2, 1.2 * baseline), api.niceCeiling(1.1 * top)] });
      // A jump is no line: the curve breaks there.
      curve.set(places, heights.map((y, i) => (i && Math.abs(y - heights[i - 1]) === 1 ? NaN : y)));
      strokes.set(...pieces(zs.map((z, k) => {
        const { value, slope } = at[k];
        const run = 0.4 / Math.hypot(1, slope / 3); // strokes of about one length
        return [z - run, value - run * slope, z + run, value + run * slope];
      })));
      stems.set(...pieces(zs.map((z, k) => [z, baseline, z, at[k].value])));
      level.set(span, [baseline, baseline]);
      levelName.set(-reach, baseline, text("baseline"));
      dots.set(zs, at.map(({ value }) => value));

      // Histograms: one axis for both, wide enough for single draws, so that means of many are narrow.
      const wide = Math.sqrt(Math.max(exact.scoreVariance, exact.plainVariance));
      const halfWidth = api.niceCeiling(Math.max(1.8 * wide, 0.1)); // far from the step both are nearly zero
      const middle = Math.round((4 * exact.gradient) / halfWidth) * (halfWidth / 4);
      const domain = [middle - halfWidth, middle + halfWidth];
      const spreads = {};
      for (const { kind, chart, bars, exact: line, first, name, exactName } of histograms) {
        const found = estimates[kind];
        const average = found.reduce((sum, value) => sum + value, 0) / count;
        const spread = Math.sqrt(found.reduce((sum, value) => sum + (value - average) ** 2, 0) / count);
        const error = Math.sqrt(exact[`${kind}Variance`] / n);
        spreads[kind] = { average, spread, error };
        const width = Math.max(error / 3, halfWidth / 150);
        const tallies = new Map();
        for (const value of found) {
          const bin = Math.round((value - exact.gradient) / width);
          tallies.set(bin, (tallies.get(bin) ?? 0) + 1);
        }
        const bins = [...tallies.keys()];
        const most = Math.max(...tallies.values());
        const left = bins.map((bin) => exact.gradient + (bin - 0.5) * width);
        chart.domain({ x: domain });
        bars.set(left, left.map((x) => x + width), bins.map((bin) => tallies.get(bin) / most));
        line.set(exact.gradient, 0, exact.gradient, 1.2);
        first.set([found[0]], [0]);
        name.set(domain[0], 1.6, text(kind));
        exactName.set(exact.gradient, 1.2, text("exact"), 5);
      }

      const readouts = { gradient: exact.gradient, seed: values.seed };
      for (const { kind } of histograms) {
        readouts[`${kind}_first`] = estimates[kind][0];
        readouts[`${kind}_mean`] = spreads[kind].average;
        readouts[`${kind}_std`] = spreads[kind].spread;
        readouts[`${kind}_error`] = spreads[kind].error;
      }
      const blanks = { ...values, ...readouts };
      for (const { kind, chart } of histograms) chart.describe(text(`${kind}_description`, blanks));
      strip.describe(text("dice_description", blanks));
      plot.describe(text("curve_description", blanks));
      return {
        readouts,
        consequence: text("consequence", blanks),
        table() {
          return {
            caption: text("table_caption"),
            head: ["ε", "z", "a[z]", text("table_slope"), text("pathwise"), text("score")],
            rows: at.slice(0, 20).map(({ value, slope, pathwise, score }, k) => [eps[k], zs[k], value, slope, pathwise, score]),
          };
        },
      };
    },
  };
});
