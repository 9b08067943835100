// A joint density from above, its slice at z and its cut at x, and the slices up to z filling p(x).
vaebook.define("marginal", (api) => {
  const { forms, tables, text, format } = api;
  const { shares, duration, wait } = tables;
  const xs = Array.from(tables.x), zs = Array.from(tables.z);
  const every2 = (grid) => grid.filter((_, i) => i % 2 === 0);
  const [mapX, mapZ] = [every2(xs), every2(zs)]; // enough for the map, which the browser smooths, and for the strips
  const ends = (grid) => [grid[0], grid[grid.length - 1]];
  const [left, right] = ends(xs), [bottom, top] = ends(zs);
  const density = (at, { weights, means, stds }) => forms.mixtureCurves(at, weights, means, stds).density;
  const prior = { weights: shares, ...duration }, marginal = { weights: shares, ...wait };
  const priorCurve = density(zs, prior), marginalCurve = density(xs, marginal);
  const [mapPrior, stripSum] = [every2(priorCurve), every2(marginalCurve)];

  const map = api.chart({
    part: 2.4, wide: false, height: [240, 160],
    x: { domain: [left, right], label: text("x_axis") },
    y: { domain: [bottom, top], label: text("z_axis"), spacing: 35 },
  });
  const heat = map.heat("p");
  const swept = map.area("ink");
  const eruptions = map.points("data", { size: 1.5, halo: false });
  const slice = map.line("c2", { width: 2.25 });
  const cut = map.line("posterior", { width: 2.25 });
  const names = { z: map.label("c2", { anchor: "start" }), x: map.label("posterior", { anchor: "start", dy: 4 }) };
  map.onpick((x, z) => api.set({ x, z }));
  const zHandle = api.handle(map, { moves: ["z"], role: "c2", upright: true, to: (_, z) => ({ z }) });
  const xHandle = api.handle(map, { moves: ["x"], role: "posterior", to: (x) => ({ x }) });
  eruptions.set(Array.from(tables.waits), Array.from(tables.durations));

  // Beside the map, over the same z.
  const side = api.chart({
    part: 1, wide: false, height: [240, 160],
    x: { domain: [0, 1], label: text("cut_axis"), spacing: 50 },
    y: { domain: [bottom, top], ticks: false, label: " " },
  });
  const cutArea = side.area("posterior", { strength: 0.2 });
  const priorLine = side.line("p");
  const cutLine = side.line("posterior", { width: 2.25 });
  const sideNames = { prior: side.label("p", { anchor: "end" }), cut: side.label("posterior", { anchor: "end" }) };
  side.onpick((_, z) => api.set({ z }));

  // Beneath the map, over the same x. The sum is a stack of strips, each half a minute of z wide.
  const sum = api.chart({
    wide: false, height: [190, 130],
    x: { domain: [left, right] },
    y: { domain: [0, 0.08], label: text("density_axis"), spacing: 40 },
  });
  const histogram = sum.bars("muted");
  const tops = Array.from({ length: 2 * (top - bottom) }, (_, k) => bottom + (k + 1) / 2);
  const strips = tops.map((_, k) => sum.area("p", { strength: k % 2 ? 0.4 : 0.2 }));
  const edge = sum.line("p", { width: 1 });
  const sliceLine = sum.line("c2", { width: 2.25 });
  const whole = sum.line("p", { width: 2.75 });
  const here = sum.segment("posterior", { width: 2.25 });
  const sumNames = { slice: sum.label("c2"), whole: sum.label("p") };
  sum.onpick((x) => api.set({ x }));
  const bins = Array.from(tables.bins);
  histogram.set(bins.slice(0, -1), bins.slice(1), Array.from(tables.heights));

  let drawn = null; // correlation of the map on show

  // The slices up to z at one x: p(x) times what the cut there has below z.
  const cutAt = (x, correlation) => forms.given(x, shares, wait, duration, correlation);
  const soFar = (x, px, z, correlation) => px * forms.mixtureCdf(z, cutAt(x, correlation));
  // The same along x; whole strips are kept while the correlation stays.
  let kept = {};
  function filled(z, correlation) {
    if (kept.correlation !== correlation) kept = { correlation, cuts: mapX.map((x) => cutAt(x, correlation)), whole: new Map() };
    if (!kept.whole.has(z)) {
      const curve = mapX.map((_, i) => stripSum[i] * forms.mixtureCdf(z, kept.cuts[i]));
      if (!tops.includes(z)) return curve;
      kept.whole.set(z, curve);
    }
    return kept.whole.get(z);
  }
  const highest = (curve) => curve.indexOf(Math.max(...curve));

  function drawMap({ x, z, correlation }) {
    if (correlation !== drawn) {
      drawn = correlation;
      const joint = new Float64Array(mapX.length * mapZ.length), heights = new Float64Array(mapX.length);
      mapZ.forEach((at, k) => {
        const { weights, means, stds } = forms.given(at, shares, duration, wait, correlation);
        weights.forEach((weight, n) => {
          const [first, last] = forms.bell(heights, mapX, means[n], stds[n]);
          for (let i = first; i <= last; i++) joint[k * mapX.length + i] += mapPrior[k] * weight * heights[i];
        });
      });
      heat.set(joint, mapX.length, mapZ.length, [left, right], [bottom, top], Math.max(...joint) / 0.85);
    }
    swept.set([left, right], [z, z], [bottom, bottom]);
    slice.set([left, right], [z, z]);
    cut.set([x, x], [bottom, top]);
    zHandle.set(left + 0.94 * (right - left), z);
    xHandle.set(x, bottom + 0.9 * (top - bottom));
    names.z.set(left + 0.5, z, text("at_z", { z }));
    names.x.set(x, bottom + 0.12 * (top - bottom), text("at_x", { x }), x > 85 ? -62 : 8);
  }

  function drawSide(curve) {
    const end = api.niceCeiling(1.05 * Math.max(...curve));
    side.domain({ x: [0, end] });
    cutArea.set([0, ...curve, 0], [bottom, ...zs, top]);
    priorLine.set(priorCurve, zs);
    cutLine.set(curve, zs);
    sideNames.cut.set(end, 1.2, text("cut"));
    sideNames.prior.set(end, 5.4, text("prior"));
  }

  function drawSum({ x, z, correlation }, curve, px) {
    sum.domain({ y: [0, api.niceCeiling(1.12 * Math.max(...curve, 0.05))] });
    let below = mapX.map(() => 0);
    tops.forEach((end, k) => {
      if (z <= end - 0.5) return strips[k].clear();
      const above = filled(Math.min(z, end), correlation);
      strips[k].set(mapX, above, below);
      below = above;
    });
    edge.set(mapX, below);
    sliceLine.set(xs, curve);
    whole.set(xs, marginalCurve);
    here.set(x, 0, x, px);
    const peak = highest(curve);
    sumNames.slice.set(xs[peak], curve[peak], text("slice"), xs[peak] < 67 ? -30 : 30);
    // At the peak where the slice is not.
    sumNames.whole.set(xs[peak] < 67 ? 88 : 45, 0.026, text("marginal"), xs[peak] < 67 ? 22 : -12);
  }

  return {
    update(values) {
      const { x, z, correlation } = values;
      const atZ = forms.given(z, shares, duration, wait, correlation);
      const atX = cutAt(x, correlation);
      const one = (at, of) => density([at], of)[0];
      const [px, pz] = [one(x, marginal), one(z, prior)];
      const mean = ({ weights, means }) => weights.reduce((total, weight, n) => total + weight * means[n], 0);
      const numbers = {
        slice_mean: mean(atZ), cut_mean: mean(atX),
        px_given_z: one(x, atZ), pz_given_x: one(z, atX), long: Math.max(0, 1 - forms.mixtureCdf(tables.long, atX)),
        px, pz, area: forms.mixtureCdf(z, prior), so_far: soFar(x, px, z, correlation),
      };
      numbers.joint = numbers.px_given_z * pz;
      drawMap(values);
      drawSide(density(zs, atX));
      drawSum(values, density(xs, atZ), px);

      const consequence = text("consequence", numbers);
      map.describe(text("joint_description", values));
      side.describe(text("cut_description"));
      sum.describe(text("sum_description", { z, x, consequence }));
      return {
        readouts: numbers,
        consequence,
        table: () => ({
          caption: text("table_caption"),
          head: ["x", text("slice"), text("table_joint"), text("table_so_far"), text("marginal")],
          rows: xs.filter((_, i) => i % 10 === 0).map((at) => [
            format(at, 0), one(at, atZ), one(at, atZ) * pz, soFar(at, one(at, marginal), z, correlation), one(at, marginal),
          ]),
        }),
      };
    },

    actions: { sweep: () => ({ sweep: "z" }) },
  };
});
