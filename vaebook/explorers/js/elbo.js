// The bound under the log-likelihood: theta reshapes it, phi walks along it.
vaebook.define("elbo", (api) => {
  const { forms, tables, text, format } = api;
  const { phi: grid } = tables;
  const CEILING = -1.35;
  const FLOORS = [-4.6, -6, -8, -12, -20, -40, -80, -160];
  const TOUCH = 5e-7;
  const best = {}; // curves of the best bounds, by model
  const models = Object.fromEntries(Object.keys(tables.wave).map((name) =>
    [name, forms.slopeModel(tables, tables.wave[name])]));

  const chart = api.chart({
    height: [292, 192],
    x: { domain: [grid[0], grid[grid.length - 1]], label: text("x_axis") },
    y: { domain: [FLOORS[0], CEILING], label: text("y_axis") },
  });
  const others = chart.line("bound", { width: 0.75 });
  const before = chart.line("bound", { width: 1 });
  const bound = chart.line("bound", { width: 2.5 });
  const logLikelihood = chart.line("p", { width: 2.75 });
  const walk = chart.line("ink", { width: 1.25 });
  const visited = chart.points("ink", { size: 3 });
  const gapLine = chart.segment("gap", { width: 5 });
  const closest = chart.points("gap", { shape: "triangle", size: 3.5 });
  const top = chart.points("p", { size: 5 });
  const bottom = chart.points("bound", { shape: "square", size: 4.5 });
  const names = { p: chart.label("p", { dy: -10 }), bound: chart.label("bound", { dy: 4 }), gap: chart.label("gap", { dy: 5 }) };
  const lens = chart.lens();
  const close = {
    bound: lens.line("bound", { width: 2.5 }), p: lens.line("p", { width: 2.75 }),
    walk: lens.line("ink", { width: 1.25 }), visited: lens.points("ink", { size: 3 }),
    here: lens.points("bound", { shape: "square", size: 4 }),
  };
  const phiHandle = api.handle(chart, { moves: ["phi"], role: "p", pick: true, to: (x) => ({ phi: x }) });

  const densities = vaebook.elboDensities(api);

  const place = (values) => [values.mean, values.std, values.phi];
  const inside = ([mean, std, phi]) => Object.values(api.inside({ mean, std, phi }));
  function go(values, there) {
    const [mean, std, phi] = inside(there);
    return { mean, std, phi, trail: [...values.trail, place(values)].slice(-tables.max_trail) };
  }

  // The bound as a function of phi, for the theta of a place: a parabola.
  function curve(of, [mean, std]) {
    const { top: at, bend } = of.parabola(mean, std);
    const highest = of.elbo([mean, std, at]);
    return { at, bend, highest, value: (phi) => highest - bend * (phi - at) ** 2 };
  }
  const sameTheta = (a, b) => a[0] === b[0] && a[1] === b[1];

  return {
    constrain: (values, moved) =>
      (moved.includes("trail") || moved.join() === "envelope" ? values : { ...values, trail: [] }),

    actions: {
      e_step: (values) => go(values, [...models[values.model].climb(place(values)), values.phi]),
      m_step: (values) => go(values, [values.mean, values.std, models[values.model].parabola(values.mean, values.std).top]),
      gradient_step: (values) => go(values, models[values.model].gradientStep(place(values), inside)),
    },

    update(values) {
      const of = models[values.model];
      const here = place(values);
      const { phi, mean, std } = values;
      const logPx = tables[`log_px_${values.model}`];
      const { logPx: height, density } = of.posterior(phi);
      const now = curve(of, here);
      // Where the two curves come closest.
      const near = of.nearest(logPx, mean, std);
      const highest = of.posterior(near).logPx;
      const least = of.gap([mean, std, near], highest);
      const elbo = of.elbo(here);
      const gap = of.gap(here, height);

      // A calm axis: it reaches lower only where the point would leave the picture.
      const floor = FLOORS.find((low) => elbo > low + 0.06 * (CEILING - low)) ?? FLOORS[FLOORS.length - 1];
      chart.domain({ y: [floor, CEILING] });
      logLikelihood.set(grid, logPx);
      bound.set(grid, Array.from(grid, now.value));
      drawOthers(values, of);
      const lensOnLeft = drawTrail(of, values.trail, here, now);
      labelBound(now, floor, lensOnLeft);

      gapLine.set(phi, elbo, phi, height);
      top.set([phi], [height]);
      phiHandle.set(phi, height);
      bottom.set([phi], [elbo]);
      closest.set([near], [highest]);
      const touching = gap < TOUCH;
      // The number stands beside the gap, or under it where the gap is short.
      const range = CEILING - floor;
      const level = gap > 0.16 * range ? (height + elbo) / 2 : elbo - 0.075 * range;
      names.gap.set(phi, level, touching ? text("touch") : text("gap", { gap }), phi < 1.9 ? 42 : -42);
      names.p.set(-1.5, logPx[Math.round((1.5 / 6) * (grid.length - 1))], text("log_px"));

      const mode = densities.draw(values, density);

      const readouts = { log_px: height, elbo, gap, closest: least, near };
      const blanks = { ...values, ...readouts, top: now.at, mode, steps: values.trail.length };
      chart.describe(text("description", blanks));
      densities.describe(text("density_description", blanks));
      return {
        readouts,
        consequence: text(touching ? "consequence_touching" : "consequence", blanks),
        table() {
          const row = (at) => {
            const there = of.posterior(at).logPx;
            return [format(at), there, now.value(at), of.gap([mean, std, at], there)];
          };
          return {
            caption: text("table_caption"),
            head: [text("x_axis"), text("log_px"), text("elbo"), text("table_gap")],
            rows: [row(phi), ...Array.from(grid).filter((_, i) => i % 5 === 0).map(row)],
          };
        },
      };
    },
  };

  // On request: the best bound at each of a few slopes. Their envelope is as near as a q can come.
  function drawOthers({ model, envelope }, of) {
    if (envelope === "hidden") return others.clear();
    best[model] ??= Array.from({ length: 13 }, (_, k) => curve(of, of.best(-3 + k / 2)).value);
    others.set(best[model].flatMap(() => [...grid, NaN]), best[model].flatMap((value) => [...Array.from(grid, value), NaN]));
  }

  // Where the buttons came from: a step in phi follows its curve, any other goes straight. The curve
  // before the present one stays as a thin line.
  function drawTrail(of, trail, here, now) {
    const curves = trail.map((stop) => (sameTheta(stop, here) ? now : curve(of, stop)));
    const earlier = trail.findLastIndex((stop) => !sameTheta(stop, here));
    before.set(grid, earlier < 0 ? [] : Array.from(grid, curves[earlier].value));
    const phis = [], elbos = [];
    trail.forEach((stop, i) => {
      const next = trail[i + 1] ?? here;
      const parts = sameTheta(stop, next) ? 16 : 1;
      for (let k = 0; k < parts; k++) {
        phis.push(stop[2] + ((next[2] - stop[2]) * k) / parts);
        elbos.push(curves[i].value(phis[phis.length - 1]));
      }
    });
    const path = [[...phis, here[2]], [...elbos, now.value(here[2])]];
    const stops = [trail.map((stop) => stop[2]), trail.map((stop, i) => curves[i].value(stop[2]))];
    walk.set(...path);
    visited.set(...stops);
    return drawCloseUp(of, stops, path, here[2], now);
  }

  // Steps that have become too short to be seen: the last four of them in a lens.
  function drawCloseUp(of, [phis, elbos], path, phi, now) {
    const elbo = now.value(phi);
    const reach = (values, here) => Math.max(...values.slice(-4).map((value) => Math.abs(value - here)));
    const [across, up] = [reach(phis, phi), reach(elbos, elbo)];
    if (phis.length < 4 || across > 0.45 || up < 1e-9) {
      for (const mark of [lens.look, ...Object.values(close)]) mark.clear();
      return false;
    }
    const [wide, tall] = [Math.max(1.25 * across, 1e-4), 1.5 * up];
    lens.look.set([phi - wide, phi + wide], [elbo - tall, elbo + 0.6 * tall], phi < 0, text("lens"));
    const xs = Array.from({ length: 25 }, (_, k) => phi + wide * (k / 12 - 1));
    close.p.set(xs, xs.map((at) => of.posterior(at).logPx));
    close.bound.set(xs, xs.map(now.value));
    close.walk.set(...path);
    close.visited.set(phis, elbos);
    close.here.set([phi], [elbo]);
    return phi >= 0;
  }

  // The name of the bound: beside its left branch, or its right one, or under a flat top.
  function labelBound({ at, bend, highest, value }, floor, lensOnLeft) {
    const level = floor + 0.27 * (CEILING - floor);
    const reach = Math.sqrt(Math.max(0, (highest - level) / bend));
    if (highest < level + 0.1 * (CEILING - floor)) names.bound.set(Math.max(-2.4, Math.min(2.4, at)), highest, text("elbo"), 0);
    else if (lensOnLeft) names.bound.set(Math.min(at + reach, 3), level, text("elbo"), -48);
    else if (at - reach > -2.3) names.bound.set(at - reach, level, text("elbo"), -48);
    else if (at + reach < 2.3) names.bound.set(at + reach, level, text("elbo"), 48);
    else names.bound.set(-2.3, value(-2.3) - 0.09 * (CEILING - floor), text("elbo"), 0);
  }
});
