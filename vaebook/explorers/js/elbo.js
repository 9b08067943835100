// The bound under the log-likelihood: theta reshapes it, phi walks along it.
vaebook.define("elbo", (api) => {
  const { tables, text, format } = api;
  const { phi: grid, z: latent } = tables;
  const CEILING = -1.35;
  const FLOORS = [-4.6, -6, -8, -12, -20, -40, -80, -160];
  const models = Object.fromEntries(Object.keys(tables.wave).map((name) =>
    [name, api.forms.slopeModel(tables, tables.wave[name])]));
  const TOUCH = 5e-7;

  const chart = api.chart({
    height: 310,
    x: { domain: [grid[0], grid[grid.length - 1]], label: text("x_axis") },
    y: { domain: [FLOORS[0], CEILING], label: text("y_axis") },
  });
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
  chart.onpick((x) => api.set({ phi: api.snap("phi", x) }));

  const small = api.chart({
    height: 150, below: true,
    x: { domain: [-3, 3], label: text("z_axis") },
    y: { domain: [0, 1], label: text("density_axis"), ticks: false },
  });
  const shown = Array.from(latent.keys()).filter((k) => Math.abs(latent[k]) <= 3.05);
  const z = shown.map((k) => latent[k]);
  const fine = Array.from({ length: 241 }, (_, i) => -3 + i / 40);
  const posteriorArea = small.area("posterior");
  const posteriorLine = small.line("posterior");
  const qLine = small.line("q", { width: 2.5 });
  const zNames = { q: small.label("q"), posterior: small.label("posterior") };

  const place = (values) => [values.mean, values.std, values.phi];
  const inside = ([mean, std, phi]) => Object.values(api.inside({ mean, std, phi }));
  function go(values, there) {
    const [mean, std, phi] = inside(there);
    return { mean, std, phi, trail: [...values.trail, place(values)].slice(-tables.max_trail) };
  }
  const model = (values) => models[values.model];

  // The bound as a function of phi, for the theta of a place: a parabola.
  function curve(of, [mean, std]) {
    const { top: at, bend } = of.parabola(mean, std);
    const highest = of.elbo([mean, std, at]);
    return { at, bend, highest, value: (phi) => highest - bend * (phi - at) ** 2 };
  }
  const sameTheta = (a, b) => a[0] === b[0] && a[1] === b[1];

  return {
    constrain: (values, moved) => (moved.includes("trail") ? values : { ...values, trail: [] }),

    actions: {
      e_step: (values) => go(values, [...model(values).climb(place(values)), values.phi]),
      m_step: (values) => go(values, [values.mean, values.std, model(values).parabola(values.mean, values.std).top]),
      gradient_step: (values) => go(values, model(values).gradientStep(place(values), inside)),
    },

    update(values) {
      const of = model(values);
      const here = place(values);
      const { phi, mean, std } = values;
      const logPx = tables[`log_px_${values.model}`];
      const { logPx: height, density } = of.posterior(phi);
      const now = curve(of, here);
      const elbo = of.elbo(here);
      const gap = of.gap(here, height);
      const near = of.nearest(logPx, mean, std);
      const highest = of.posterior(near).logPx;
      const least = of.gap([mean, std, near], highest);

      // A calm axis: it reaches lower only where the point would leave the picture.
      const floor = FLOORS.find((low) => elbo > low + 0.06 * (CEILING - low)) ?? FLOORS[FLOORS.length - 1];
      chart.domain({ y: [floor, CEILING] });
      logLikelihood.set(grid, logPx);
      bound.set(grid, Array.from(grid, now.value));

      drawTrail(of, values.trail, here, now);

      gapLine.set(phi, elbo, phi, height);
      top.set([phi], [height]);
      bottom.set([phi], [elbo]);
      closest.set([near], [highest]);
      const touching = gap < TOUCH;
      // The number stands beside the gap, or under it where the gap is short.
      const range = CEILING - floor;
      const level = gap > 0.12 * range ? (height + elbo) / 2 : elbo - 0.075 * range;
      names.gap.set(phi, level, touching ? text("touch") : text("gap", { gap: format(gap) }), phi < 1.9 ? 42 : -42);
      names.p.set(-1.5, logPx[Math.round((1.5 / 6) * (grid.length - 1))], text("log_px"));
      labelBound(now, floor);

      const highestDensity = Math.max(...density, 0.45 / std);
      small.domain({ y: [0, api.niceCeiling(highestDensity)] });
      const seen = shown.map((k) => density[k]);
      const q = fine.map((at) => Math.exp(api.forms.logNormal(at, mean, std)));
      posteriorArea.set(z, seen);
      posteriorLine.set(z, seen);
      qLine.set(fine, q);
      const peak = seen.indexOf(Math.max(...seen));
      // Each name stands on its own side of the two bells.
      const left = mean <= z[peak];
      zNames.q.set(mean, Math.exp(api.forms.logNormal(mean, mean, std)), text("q"), left ? -44 : 44);
      zNames.posterior.set(z[peak], seen[peak], text("posterior"), left ? 84 : -84);

      const consequence = touching
        ? text("consequence_touching", { elbo: format(elbo) })
        : text("consequence", { elbo: format(elbo), gap: format(gap) });
      const say = { phi: format(phi), mean: format(mean), std: format(std) };
      chart.describe(text("description", {
        ...say, top: format(now.at), near: format(near), closest: format(least, 3), log_px: format(height),
        steps: values.trail.length,
      }) + " " + consequence);
      small.describe(text("density_description", { ...say, mode: format(z[peak], 1) }));

      return {
        readouts: { log_px: height, elbo, gap, closest: least, near },
        consequence,
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

  // Where the buttons came from: a step in phi follows its curve, any other goes straight. The curve
  // before the present one stays as a thin line.
  function drawTrail(of, trail, here, now) {
    const curves = trail.map((stop) => (sameTheta(stop, here) ? now : curve(of, stop)));
    const earlier = trail.findLastIndex((stop) => !sameTheta(stop, here));
    if (earlier >= 0) before.set(grid, Array.from(grid, curves[earlier].value));
    else before.clear();
    const phis = [], elbos = [];
    trail.forEach((stop, i) => {
      const next = trail[i + 1] ?? here;
      const parts = sameTheta(stop, next) ? 16 : 1;
      for (let k = 0; k < parts; k++) {
        phis.push(stop[2] + ((next[2] - stop[2]) * k) / parts);
        elbos.push(curves[i].value(phis[phis.length - 1]));
      }
    });
    walk.set([...phis, here[2]], [...elbos, now.value(here[2])]);
    visited.set(trail.map((stop) => stop[2]), trail.map((stop, i) => curves[i].value(stop[2])));
  }

  // The name of the bound: beside its left branch, or its right one, or under a flat top.
  function labelBound({ at, bend, highest, value }, floor) {
    const level = floor + 0.27 * (CEILING - floor);
    const reach = Math.sqrt(Math.max(0, (highest - level) / bend));
    if (highest < level + 0.1 * (CEILING - floor)) names.bound.set(Math.max(-2.4, Math.min(2.4, at)), highest, text("elbo"), 0);
    else if (at - reach > -2.3) names.bound.set(at - reach, level, text("elbo"), -48);
    else if (at + reach < 2.3) names.bound.set(at + reach, level, text("elbo"), 48);
    else names.bound.set(-2.3, value(-2.3) - 0.09 * (CEILING - floor), text("elbo"), 0);
  }
});
