// Prior, likelihood, posterior and q over z, and three sums that end at the same bound.
vaebook.define("tightness", (api) => {
  const { forms, tables, text, format } = api;
  const latent = Array.from(tables.latent);
  const book = forms.tanhDecoder(tables.decoder);
  const MODELS = {
    linear: { decoder: (z) => [tables.linear_weight * z], noise: tables.linear_noise, data: (x) => [x] },
    nonlinear: { decoder: book, noise: tables.book_noise, data: (x) => [x, 0] },
  };

  const chart = api.chart({
    height: [250, 165],
    x: { domain: [latent[0], latent[latent.length - 1]], label: text("z_axis") },
    y: { domain: [0, 1], label: text("density_axis") },
  });
  const filled = chart.area("q");
  const curves = {
    prior: chart.line("muted", { width: 1.75 }),
    likelihood: chart.line("p", { width: 1.5 }),
    posterior: chart.line("posterior", { width: 2.5 }),
    q: chart.line("q", { width: 2.5 }),
  };
  const ROLES = { prior: "muted", likelihood: "p", posterior: "posterior", q: "q" };
  // Labels keep apart: likelihood and posterior have peaks of one height, q has its label at its foot.
  const SPOTS = { prior: { anchor: "end", dy: -4 }, likelihood: { dy: -24 }, posterior: {}, q: { dy: -6 } };
  const names = Object.fromEntries(Object.entries(ROLES).map(([key, role]) => [key, chart.label(role, SPOTS[key])]));
  const meanHandle = api.handle(chart, { moves: ["mean"], role: "q", to: (z) => ({ mean: z }) });
  const stdHandle = api.handle(chart, { moves: ["std"], role: "q", to: (z, _, { mean }) => ({ std: Math.abs(z - mean) }) });
  chart.onpick((z) => api.set({ mean: api.snap("mean", z) }));

  const sums = api.chart({
    height: [200, 152],
    x: { domain: [-8, 0], label: text("nats_axis") },
    y: { domain: [0, 3.3], ticks: false },
  });
  const rows = [["first", "gap", 12], ["second", "muted", 11], ["third", "q", 10]].map(([key, role, width], i) => ({
    key,
    height: 2.25 - i,
    floor: sums.area("bound"),
    bar: sums.segment(role, { width }),
    start: sums.points("ink", { size: 5 }),
    end: sums.points("bound", { shape: "diamond", size: 4.5 }),
    name: sums.label("ink", { anchor: "start", dy: -13 }),
  }));
  const level = sums.line("bound", { width: 2 });
  const levelName = sums.label("bound", { dy: -4 });

  let seen = {}; // the evidence of the x and model on show
  function evidenceOf({ x, model }) {
    if (seen.x !== x || seen.model !== model) {
      const { decoder, noise, data } = MODELS[model];
      seen = { x, model, ...forms.evidence(decoder, noise, data(x)) };
    }
    return seen;
  }

  return {
    actions: {
      match(values) {
        const { mean, std } = evidenceOf(values);
        return api.inside({ mean, std });
      },
    },

    update(values) {
      const { decoder, noise, data } = MODELS[values.model];
      const x = data(values.x);
      const { logPx } = evidenceOf(values);
      const at = forms.boundTerms(decoder, noise, logPx, x, values.mean, values.std);

      // Densities over z. The likelihood is none: it is scaled to the height of the posterior.
      const densities = (z) => {
        const logLikelihood = forms.logLikelihood(decoder, noise, x, z);
        const logPrior = forms.logNormal(z, 0, 1);
        return {
          prior: Math.exp(logPrior),
          likelihood: Math.exp(logLikelihood),
          posterior: Math.exp(logLikelihood + logPrior - logPx),
          q: Math.exp(forms.logNormal(z, values.mean, values.std)),
        };
      };
      const over = Object.fromEntries(Object.keys(ROLES).map((key) => [key, []]));
      for (const z of latent) {
        for (const [key, value] of Object.entries(densities(z))) over[key].push(value);
      }
      const highest = Object.fromEntries(Object.keys(ROLES).map((key) => [key, over[key].indexOf(Math.max(...over[key]))]));
      const scale = over.posterior[highest.posterior] / over.likelihood[highest.likelihood];
      over.likelihood = over.likelihood.map((value) => scale * value);
      const top = api.niceCeiling(1.2 * Math.max(over.posterior[highest.posterior], over.q[highest.q]));
      chart.domain({ y: [0, top] });
      filled.set(latent, over.q);
      for (const key of Object.keys(ROLES)) curves[key].set(latent, over[key]);
      for (const key of ["likelihood", "posterior"]) names[key].set(latent[highest[key]], over[key][highest[key]], text(key), key === "likelihood" ? 16 : 0);
      names.prior.set(-0.8, densities(-0.8).prior, text("prior"));
      names.q.set(values.mean, 0, text("q"));
      meanHandle.set(values.mean, densities(values.mean).q);
      const flank = values.mean + (values.mean < 0 ? 1 : -1) * values.std;
      stdHandle.set(flank, densities(flank).q);

      // Three sums: where each starts, and by how much it goes.
      const walks = [[logPx, -at.gap], [at.reconstruction, -at.klPrior], [at.energy, at.entropy]];
      const ends = walks.flatMap(([start, step]) => [start, start + step]);
      const [low, high] = [Math.min(...ends), Math.max(...ends)];
      const left = -api.niceCeiling(Math.max(4, -1.05 * low));
      sums.domain({ x: [left, high > -0.2 ? api.niceCeiling(Math.max(1, high + 0.5)) : 0] });
      rows.forEach(({ key, height, floor, bar, start, end, name }, i) => {
        const [from, step] = walks[i];
        floor.set([left, from + step], [height + 0.12, height + 0.12], [height - 0.12, height - 0.12]);
        bar.set(from, height, from + step, height);
        start.set([from], [height]);
        end.set([from + step], [height]);
        name.set(left, height, text(key));
      });
      level.set([at.elbo, at.elbo], [0, 3.3]);
      levelName.set(at.elbo, 3, text("elbo"));

      const consequence = text("consequence", {
        log_px: logPx, elbo: at.elbo, gap: at.gap, reconstruction: at.reconstruction, kl_prior: at.klPrior,
      });
      chart.describe(text("density_description", { ...values, peak: latent[highest.posterior] }));
      sums.describe(text("sums_description", { consequence }));
      return {
        readouts: {
          log_px: logPx, gap: at.gap, elbo_posterior: logPx - at.gap,
          reconstruction: at.reconstruction, kl_prior: at.klPrior, elbo_prior: at.reconstruction - at.klPrior,
          energy: at.energy, entropy: at.entropy, elbo: at.elbo,
        },
        consequence,
        table() {
          const zs = latent.filter((_, i) => i % 10 === 0);
          return {
            caption: text("table_caption"),
            head: [text("z_axis"), text("prior"), text("table_likelihood"), text("posterior"), text("q")],
            rows: zs.map((z) => [format(z), ...Object.values(densities(z))]),
          };
        },
      };
    },
  };
});
