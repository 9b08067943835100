// Two ways from an old q to a new one: its draws move, or they change weight; and what either gives
// as an estimate of a gradient.
vaebook.define("reparameterization", (api) => {
  const { forms, tables, text, format } = api;
  const count = tables.estimates;
  const reach = 5.5;
  const places = Array.from({ length: 221 }, (_, i) => -reach + i * 0.05);
  const pair = { part: 1, wide: false };

  // Above: the curve a[z] with the draws on it, and under the curve the two densities.
  const [left, right] = ["moved", "kept"].map((side) => {
    const chart = api.chart({
      ...pair, height: [250, 178],
      x: { domain: [-reach, reach], label: text("z_axis"), spacing: 38 },
      y: { domain: [-5, 10], label: text(`${side}_title`), ticks: false },
    });
    return {
      chart,
      area: chart.area("q", { strength: 0.14 }),
      old: chart.line("muted", { width: 1.5 }),
      q: chart.line("q", { width: 2.25 }),
      level: chart.line("c2", { width: 1.25 }),
      stems: chart.line("c2", { width: 0.9 }),
      curve: chart.line("p", { width: 1.25 }),
      strokes: chart.line("p", { width: 3 }),
      before: chart.points("muted", { size: 2.5, halo: false }),
      dots: chart.points(side === "moved" ? "c1" : "c2", { size: 3.5 }),
      exact: chart.segment("ink", { width: 2 }),
      found: chart.points(side === "moved" ? "c1" : "c2", { shape: "diamond", size: 4 }),
      curveName: chart.label("p", { anchor: "start", dy: -4 }),
      levelName: chart.label("c2", { anchor: "start", dy: -5 }),
      oldName: chart.label("muted", { dy: -5 }),
      averageName: chart.label("ink", { anchor: "end", dy: -9 }),
    };
  });
  const meanHandle = api.handle(left.chart, { moves: ["mean"], role: "q", to: (z) => ({ mean: z }) });
  const stdHandle = api.handle(left.chart, { moves: ["std"], role: "q", to: (z, _, { mean }) => ({ std: z - mean }) });

  const histograms = ["pathwise", "score"].map((kind, i) => {
    const role = ["c1", "c2"][i];
    const chart = api.chart({
      ...pair, height: [130, 104], below: true,
      x: { domain: [-10, 10], label: text("estimate_axis"), spacing: 45 },
      y: { domain: [0, 1.7], ticks: false },
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

  let drawn = {}; // a seed and its noise so far, row by row: one row holds an eps of each estimate
  function noiseOf(seed, n) {
    if (drawn.seed !== seed) drawn = { seed, rows: [] };
    for (let k = drawn.rows.length; k < n; k++) {
      drawn.rows.push(Float64Array.from({ length: count }, (_, r) => forms.standardNormal(seed, k * count + r)));
    }
    return drawn.rows.slice(0, n);
  }
  const firstOf = (rows) => rows.map((row) => row[0]);

  // Draw afresh from the present q; and go from there one step downhill.
  const redraw = ({ mean, std, seed }) => ({ old: [mean, std], seed: (seed + 1) % 2 ** 32 });
  function step(values, kind) {
    const fresh = redraw(values);
    const eps = firstOf(noiseOf(fresh.seed, values.n));
    const along = (by) => tables.rate[values.function] * forms.meanOf(eps.map((one) => forms.gradientRow({ ...values, by })(one)[kind]));
    return { ...fresh, ...api.inside({ mean: values.mean - along("mean"), std: values.std - along("std") }) };
  }

  // Pieces of one path, with gaps between them.
  const pieces = (parts) => [parts.flatMap(([x0, , x1]) => [x0, x1, x1]), parts.flatMap(([, y0, , y1]) => [y0, y1, NaN])];

  return {
    actions: {
      pathwise_step: (values) => step(values, "pathwise"),
      score_step: (values) => step(values, "score"),
      redraw,
    },

    update(values) {
      const { mean, std, n, baseline } = values;
      const [oldMean, oldStd] = values.old;
      const exact = forms.gradientMoments(tables.eps, tables.mass, values);
      const rows = noiseOf(values.seed, n);
      const estimates = forms.gradientEstimates(rows, values);

      // The draws of the first estimate: moved along with q, and left where the old q put them.
      const eps = firstOf(rows);
      const at = eps.map(forms.gradientRow(values));
      const { value: a } = forms.averagedFunction(values.function);
      const [moved, kept] = [eps.map((one) => mean + std * one), eps.map((one) => oldMean + oldStd * one)];
      const heights = { moved: at.map(({ value }) => value), kept: kept.map(a) };
      const weights = kept.map((z) => Math.exp(forms.logNormal(z, mean, std) - forms.logNormal(z, oldMean, oldStd)));
      const averages = [forms.meanOf(heights.moved), forms.meanOf(heights.kept.map((value, k) => value * weights[k]))];

      const top = values.function === "step" ? Math.max(1.4, 1.2 * baseline)
        : api.niceCeiling(1.1 * Math.max(4, baseline, ...heights.moved, ...heights.kept));
      const floor = Math.min(-0.55 * top, baseline);
      // Both densities stand on the floor, on one scale, and end under the curve.
      const densities = [[mean, std], [oldMean, oldStd]];
      const tall = (0.42 * top) / Math.max(...densities.map(([m, s]) => Math.exp(forms.logNormal(m, m, s))));
      const [now, old] = densities.map(([m, s]) => (z) => floor + tall * Math.exp(forms.logNormal(z, m, s)));
      const [nowHeights, oldHeights, curve] = [now, old, a].map((of) => places.map(of));
      // A jump is no line: the curve breaks there.
      const broken = curve.map((y, k) => (k && Math.abs(y - curve[k - 1]) === 1 ? NaN : y));
      [left, right].forEach((side, i) => {
        side.chart.domain({ y: [floor, top] });
        side.area.set(places, nowHeights, floor);
        side.q.set(places, nowHeights);
        side.old.set(places, oldHeights);
        side.curve.set(places, broken);
        if (values.function === "step") side.curveName.set(-2.6, 0, text("curve"), 0);
        else side.curveName.set(-reach, Math.min(0.8 * top, a(-2.5)), text("curve"), 4);
        side.exact.set(reach - 0.7, exact.average, reach, exact.average);
        side.found.set([reach - 0.35], [averages[i]]);
        side.averageName.set(reach, Math.max(averages[i], exact.average), text("average"), 0);
      });
      left.before.set(kept, heights.kept);
      left.strokes.set(...pieces(moved.map((z, k) => {
        const { value, slope } = at[k];
        const run = 0.4 / Math.hypot(1, (6 * slope) / top); // strokes of about one length
        return [z - run, value - run * slope, z + run, value + run * slope];
      })));
      left.dots.set(moved, heights.moved);
      right.stems.set(...pieces(kept.map((z, k) => [z, baseline, z, heights.kept[k]])));
      right.level.set([-reach, reach], [baseline, baseline]);
      right.levelName.set(-reach, baseline, text("baseline"), 4);
      right.dots.set(kept, heights.kept, weights.map(Math.sqrt));
      const apart = Math.abs(mean - oldMean) > 0.25 || std / oldStd > 1.2 || oldStd / std > 1.2;
      right.oldName.set(oldMean, old(oldMean), apart ? text("old") : "", oldMean > mean ? 22 : -22);
      meanHandle.set(mean, now(mean));
      stdHandle.set(mean + std, now(mean + std));

      const spreads = drawHistograms(values, exact, estimates);
      const readouts = {
        gradient: exact.gradient, average: exact.average, best_baseline: exact.bestBaseline,
        moved_average: averages[0], kept_average: averages[1], seed: values.seed,
      };
      for (const { kind } of histograms) {
        readouts[`${kind}_first`] = estimates[kind][0];
        readouts[`${kind}_mean`] = spreads[kind].average;
        readouts[`${kind}_std`] = spreads[kind].spread;
        readouts[`${kind}_error`] = spreads[kind].error;
      }
      const range = { least: Math.min(...weights), most: Math.max(...weights) };
      const blanks = { ...values, ...readouts, ...range, old_mean: oldMean, old_std: oldStd };
      left.chart.describe(text("moved_description", blanks));
      right.chart.describe(text("kept_description", blanks));
      for (const { kind, chart } of histograms) chart.describe(text(`${kind}_description`, blanks));
      return {
        readouts,
        consequence: text("consequence", blanks),
        table: () => ({
          caption: text("table_caption"),
          head: ["ε", "z", "a[z]", text("table_slope"), text("pathwise"), text("score")],
          rows: at.slice(0, 20).map(({ value, slope, pathwise, score }, k) => [format(eps[k], 4), moved[k], value, slope, pathwise, score]),
        }),
      };
    },
  };

  // One axis for both, wide enough for single draws, so that means of many are narrow.
  function drawHistograms({ n }, exact, estimates) {
    const wide = Math.sqrt(Math.max(exact.scoreVariance, exact.plainVariance));
    const halfWidth = api.niceCeiling(Math.max(1.8 * wide, 0.1)); // far from the step both are nearly zero
    const middle = Math.round((4 * exact.gradient) / halfWidth) * (halfWidth / 4);
    const domain = [middle - halfWidth, middle + halfWidth];
    const spreads = {};
    for (const { kind, chart, bars, exact: line, first, name, exactName } of histograms) {
      const found = estimates[kind];
      const average = forms.meanOf(found);
      const error = Math.sqrt(exact[`${kind}Variance`] / n);
      spreads[kind] = { average, spread: Math.sqrt(forms.meanOf(found.map((value) => (value - average) ** 2))), error };
      const width = Math.max(error / 3, halfWidth / 120);
      chart.domain({ x: domain });
      bars.set(...forms.tally(found, exact.gradient, width));
      line.set(exact.gradient, 0, exact.gradient, 1.2);
      first.set([found[0]], [0]);
      name.set(domain[0], 1.6, text(kind));
      exactName.set(exact.gradient, 1.2, text("exact"), 5);
    }
    return spreads;
  }
});
