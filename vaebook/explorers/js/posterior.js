// A Gaussian for a posterior of one or two modes, and a network that has one for every data point.
vaebook.define("posterior", (api) => {
  const { forms, tables, text, format } = api;
  const latent = Array.from(tables.z);
  const heights = Array.from(tables.x);
  const decoder = forms.valley(tables.valley);
  const outputs = forms.perceptron(tables.network);
  const network = (x) => {
    const [mean, logStd] = outputs([x]);
    return { mean, std: Math.exp(logStd) };
  };
  const logJointAt = (x) => (z) => forms.logLikelihood(decoder, tables.noise, [x], z) + forms.logNormal(z, 0, 1);
  const ends = (grid) => [grid[0], grid[grid.length - 1]];

  const chart = api.chart({
    height: [236, 160],
    x: { domain: ends(latent), label: text("z_axis") },
    y: { domain: [1.5 * tables.lowest, 1.5], label: text("density_axis"), spacing: 40 },
  });
  const filled = chart.area("posterior", { strength: 0.14 });
  const shade = chart.area("gap", { strength: 0.3 });
  const zero = chart.line("muted", { width: 1 });
  const curves = {
    posterior: chart.line("posterior", { width: 2.5 }),
    network: chart.line("c1", { width: 2.25 }),
    q: chart.line("q", { width: 2.5 }),
  };
  const names = {
    posterior: chart.label("posterior"),
    network: chart.label("c1", { dy: -5 }),
    q: chart.label("q", { dy: -6 }),
    integrand: chart.label("gap", { anchor: "start", dy: 16 }),
  };
  const meanHandle = api.handle(chart, { moves: ["mean"], role: "q", pick: true, to: (z) => ({ mean: z }) });
  const stdHandle = api.handle(chart, { moves: ["std"], role: "q", to: (z, _, { mean }) => ({ std: Math.abs(z - mean) }) });

  const map = api.chart({
    height: [236, 150],
    x: { domain: ends(heights), label: text("x_axis") },
    y: { domain: ends(latent), label: text("z_axis"), spacing: 40 },
  });
  const heat = map.heat("posterior");
  const band = map.area("c1", { strength: 0.16 });
  const sides = [map.line("c1", { width: 1 }), map.line("c1", { width: 1 })];
  const middle = map.line("c1", { width: 2.25 });
  const dots = map.points("ink", { size: 2, halo: false });
  const here = map.segment("ink", { width: 1 });
  const reach = map.area("q", { strength: 0.9 });
  const networkName = map.label("c1", { dy: -6 });
  const dotsName = map.label("ink", { dy: -12 });
  const xHandle = api.handle(map, { moves: ["x"], role: "ink", pick: true, to: (x) => ({ x }) });

  // What does not move: the posteriors of all heights, and the network.
  const coarse = latent.filter((_, k) => k % 2 === 0);
  const places = forms.placesOf(decoder);
  const evidences = heights.map((x) => forms.evidence(places, tables.noise, [x]));
  const columns = heights.map((x, i) => {
    const logJoint = logJointAt(x);
    return coarse.map((z) => Math.exp(logJoint(z) - evidences[i].logPx));
  });
  heat.set(coarse.flatMap((_, k) => columns.map((column) => column[k])), heights.length, coarse.length, ends(heights), ends(latent), 2.2);
  zero.set(ends(latent), [0, 0]);
  const everywhere = heights.map(network);
  const edges = [1, -1].map((side) => everywhere.map(({ mean, std }) => mean + side * std));
  band.set(heights, ...edges);
  sides.forEach((line, i) => line.set(heights, edges[i]));
  middle.set(heights, everywhere.map(({ mean }) => mean));
  networkName.set(2.4, edges[0][58], text("network"), 12);

  let seen = {}; // evidence and best Gaussian of the height and direction on show
  function answers({ x, direction }) {
    if (seen.x !== x) seen = { x, ...forms.evidence(places, tables.noise, [x]) };
    if (seen.direction !== direction) {
      const forward = { mean: seen.mean, std: seen.std };
      const best = direction === "forward" ? forward : forms.bestGaussian(logJointAt(x), forward);
      seen = { ...seen, direction, best };
    }
    return seen;
  }
  const inside = ({ mean, std }) => api.inside({ mean, std });

  return {
    actions: {
      // A walk goes where the search went; KL(p‖q) falls all along the straight way.
      climb(values) {
        if (values.direction === "forward") return inside(answers(values).best);
        const { stops, ...top } = forms.climbGaussian(logJointAt(values.x), values.mean, values.std);
        const path = (part) => {
          const [mean, logStd] = forms.along(stops, part);
          return { ...values, ...inside({ mean, std: Math.exp(logStd) }) };
        };
        return { to: inside(top), path };
      },
      best: (values) => inside(answers(values).best),
      ask: (values) => inside(network(values.x)),
    },

    update(values) {
      const { x, mean, std, direction } = values;
      const { logPx, best } = answers(values);
      const logJoint = logJointAt(x);
      const asked = network(x);
      const terms = (of) => forms.boundTerms(decoder, tables.noise, logPx, [x], of.mean, of.std);
      const at = terms(values);
      const forward = forms.forwardDivergence(logJoint, logPx, mean, std);
      const networkGap = terms(asked).gap;

      const logP = (z) => logJoint(z) - logPx;
      const logOf = (one) => (z) => forms.logNormal(z, one.mean, one.std);
      const logQ = logOf(values);
      const [from, to] = direction === "forward" ? [logP, logQ] : [logQ, logP];
      const densities = {
        posterior: (z) => Math.exp(logP(z)),
        q: (z) => Math.exp(logQ(z)),
        network: (z) => Math.exp(logOf(asked)(z)),
        integrand: (z) => Math.exp(from(z)) * (from(z) - to(z)),
      };
      const over = Object.fromEntries(Object.entries(densities).map(([key, density]) => [key, latent.map(density)]));
      const highest = over.posterior.indexOf(Math.max(...over.posterior));
      const top = Math.max(over.posterior[highest], densities.network(asked.mean), Math.min(densities.q(mean), 4));
      const ceiling = api.niceCeiling(1.12 * top);
      chart.domain({ y: [tables.lowest * ceiling, ceiling] });
      filled.set(latent, over.posterior);
      shade.set(latent, over.integrand);
      for (const key of Object.keys(curves)) curves[key].set(latent, over[key]);
      // Its name stands at the flank that is away from the network.
      const outer = latent[highest] > asked.mean ? 1 : -1;
      let flankOfPosterior = highest;
      while (over.posterior[flankOfPosterior] > 0.6 * over.posterior[highest]) flankOfPosterior += outer;
      names.posterior.set(latent[flankOfPosterior], over.posterior[flankOfPosterior], text("posterior"), 42 * outer);
      names.network.set(asked.mean, densities.network(asked.mean), text("network"), asked.mean < -1.8 ? 38 : -38);
      meanHandle.set(mean, densities.q(mean));
      const flank = mean + (mean < latent[highest] ? -1 : 1) * std;
      stdHandle.set(flank, densities.q(flank));
      // The name of q is on the other side of its mean than the peak, or than the network's name.
      const onNetwork = Math.abs(mean - asked.mean) < 0.7;
      const aside = (onNetwork ? asked.mean < -1.8 : mean > latent[highest]) ? -24 : 24;
      names.q.set(mean, Math.min(densities.q(mean), 1.05 * top), text("q"), aside);
      const integrand = text(direction === "forward" ? "integrand_forward" : "integrand_reverse");
      names.integrand.set(latent[0], 0, integrand, 6);

      const bestMeans = Array.from(tables[`best_${direction}`]);
      dots.set(heights, bestMeans);
      dotsName.set(heights[54], bestMeans[54], text("best_means"));
      xHandle.set(x, latent[0] + 0.5);
      here.set(x, latent[0], x, latent[latent.length - 1]);
      reach.set([x - 0.015, x + 0.015], [mean + std, mean + std], [mean - std, mean - std]);

      const consequence = text("consequence", { reverse: at.gap, forward, network_gap: networkGap });
      chart.describe(text("density_description", {
        x, mean, std, peak: latent[highest], network_mean: asked.mean, network_std: asked.std, integrand, consequence,
      }));
      map.describe(text("map_description", { x, dots: text(direction === "forward" ? "dots_forward" : "dots_reverse") }));
      return {
        readouts: {
          reverse: at.gap, forward, elbo: at.elbo,
          best_mean: best.mean, best_std: best.std, approximation: terms(best).gap,
          network_mean: asked.mean, network_std: asked.std, network_gap: networkGap,
        },
        consequence,
        table: () => ({
          caption: text("table_caption"),
          head: [text("z_axis"), text("posterior"), text("q"), text("network"), integrand],
          rows: latent.filter((_, k) => k % 10 === 0)
            .map((z) => [format(z), ...Object.values(densities).map((value) => value(z))]),
        }),
      };
    },
  };
});
