// q and the posterior over z with the integrand of their KL divergence, and under them a waterfall:
// log p(x) falls by one divergence to the bound, the reconstruction by the other one.
vaebook.define("tightness", (api) => {
  const { forms, tables, text, format } = api;
  const latent = Array.from(tables.latent);
  const book = forms.tanhDecoder(tables.decoder);
  const MODELS = {
    linear: { decoder: (z) => [tables.linear_weight * z], noise: tables.linear_noise, data: (x) => [x] },
    nonlinear: { decoder: book, noise: tables.book_noise, data: (x) => [x, 0] },
  };
  for (const model of Object.values(MODELS)) model.places = forms.placesOf(model.decoder);

  const chart = api.chart({
    height: [270, 165],
    x: { domain: [latent[0], latent[latent.length - 1]], label: text("z_axis") },
    y: { domain: [tables.lowest, 1], label: text("density_axis") },
  });
  const shade = chart.area("gap", { strength: 0.3 });
  const zero = chart.line("muted", { width: 1 });
  const curves = {
    prior: chart.line("muted", { width: 1.75 }),
    posterior: chart.line("posterior", { width: 2.5 }),
    q: chart.line("q", { width: 2.5 }),
  };
  const names = {
    prior: chart.label("muted", { anchor: "end", dy: -4 }),
    posterior: chart.label("posterior"),
    q: chart.label("q", { dy: 4 }),
    integrand: chart.label("gap", { anchor: "start", dy: 16 }),
  };
  const meanHandle = api.handle(chart, { moves: ["mean"], role: "q", pick: true, to: (z) => ({ mean: z }) });
  const stdHandle = api.handle(chart, { moves: ["std"], role: "q", to: (z, _, { mean }) => ({ std: Math.abs(z - mean) }) });

  const fall = api.chart({
    height: [210, 152],
    x: { domain: [0, 5], ticks: false },
    y: { domain: [-4, -2], label: text("nats_axis") },
  });
  // A level reaches from its own column to that of the fall beside it.
  const LEVELS = [["log_px", "p", 0.1, 1.8, 0.6], ["elbo", "bound", 1.2, 3.8, 2.5], ["reconstruction", "c1", 3.2, 4.9, 4.4]];
  const FALLS = [["gap", "gap", 1.5, "log_px"], ["kl_prior", "muted", 3.5, "reconstruction"]];
  const falls = FALLS.map(([, role]) => ({ bar: fall.area(role, { strength: 0.4 }), number: fall.label(role, { dy: 5 }) }));
  const levels = LEVELS.map(([, role]) => ({ line: fall.segment(role, { width: 2.5 }), number: fall.label(role, { dy: -6 }) }));
  const columns = [...LEVELS, ...FALLS].map(([, role]) => fall.label(role, { dy: LEVELS.some((one) => one[1] === role) ? -20 : -4 }));

  let seen = {}; // evidence and best Gaussian of the x and model on show
  function evidenceOf({ x, model }) {
    if (seen.x !== x || seen.model !== model) {
      const { places, noise, data } = MODELS[model];
      seen = { x, model, ...forms.evidence(places, noise, data(x)) };
    }
    return seen;
  }
  const inside = ({ mean, std }) => api.inside({ mean, std });

  return {
    actions: {
      match: (values) => inside(evidenceOf(values)),
      best(values) {
        const moments = evidenceOf(values);
        if (values.model === "linear") return inside(moments); // the posterior is Gaussian
        const { decoder, noise, data } = MODELS[values.model];
        const x = data(values.x);
        return inside(forms.bestGaussian((z) => forms.logLikelihood(decoder, noise, x, z) + forms.logNormal(z, 0, 1), moments));
      },
    },

    update(values) {
      const { decoder, noise, data } = MODELS[values.model];
      const x = data(values.x);
      const { logPx } = evidenceOf(values);
      const at = forms.boundTerms(decoder, noise, logPx, x, values.mean, values.std);
      const numbers = { log_px: logPx, gap: at.gap, elbo: at.elbo, reconstruction: at.reconstruction, kl_prior: at.klPrior };

      const densities = (z) => {
        const logPrior = forms.logNormal(z, 0, 1);
        const logPosterior = forms.logLikelihood(decoder, noise, x, z) + logPrior - logPx;
        const logQ = forms.logNormal(z, values.mean, values.std);
        const q = Math.exp(logQ);
        return { prior: Math.exp(logPrior), posterior: Math.exp(logPosterior), q, integrand: q * (logQ - logPosterior) };
      };
      const over = latent.map(densities);
      const column = (key) => over.map((row) => row[key]);
      const highest = Math.max(...column("posterior"));
      const peak = column("posterior").indexOf(highest);
      const top = api.niceCeiling(1.2 * Math.max(highest, ...column("q")));
      chart.domain({ y: [tables.lowest * top, top] });
      shade.set(latent, column("integrand"));
      zero.set([latent[0], latent[latent.length - 1]], [0, 0]);
      for (const key of Object.keys(curves)) curves[key].set(latent, column(key));
      const left = values.mean < latent[peak];
      names.posterior.set(latent[peak], highest, text("posterior"), left ? 52 : -52);
      names.prior.set(-0.8, densities(-0.8).prior, text("prior"));
      names.q.set(values.mean, densities(values.mean).q, text("q"), left ? -30 : 30);
      names.integrand.set(latent[0], 0, text("integrand"), 6);
      meanHandle.set(values.mean, densities(values.mean).q);
      const flank = values.mean + (values.mean < 0 ? 1 : -1) * values.std;
      stdHandle.set(flank, densities(flank).q);

      drawFall(numbers);

      const consequence = text("consequence", numbers);
      chart.describe(text("density_description", { ...values, peak: latent[peak] }));
      fall.describe(text("fall_description", { consequence }));
      return {
        readouts: { ...numbers, energy: at.energy, entropy: at.entropy },
        consequence,
        table: () => ({
          caption: text("table_caption"),
          head: ["z_axis", "prior", "posterior", "q", "integrand"].map((key) => text(key)),
          rows: latent.filter((_, i) => i % 10 === 0).map((z) => [format(z), ...Object.values(densities(z))]),
        }),
      };
    },
  };

  // A calm axis: it ends at a whole nat and spans a round number of them.
  function drawFall(numbers) {
    const high = Math.ceil(Math.max(numbers.log_px, numbers.reconstruction) + 0.1);
    const span = Math.max(1, api.niceCeiling((high - numbers.elbo) / 0.72));
    const floor = high - span;
    fall.domain({ y: [floor, high] });
    LEVELS.forEach(([key, , left, right, middle], i) => {
      levels[i].line.set(left, numbers[key], right, numbers[key]);
      levels[i].number.set(middle, numbers[key], format(numbers[key], 3));
      columns[i].set(middle, floor, text(key));
    });
    FALLS.forEach(([key, , middle, from], i) => {
      const edges = [middle - 0.3, middle + 0.3];
      falls[i].bar.set(edges, [numbers[from], numbers[from]], [numbers.elbo, numbers.elbo]);
      const thin = numbers[key] < 0.1 * span; // then its number stands over it
      const height = thin ? numbers[from] + 0.06 * span : (numbers[from] + numbers.elbo) / 2;
      falls[i].number.set(middle, height, numbers[key] < 5e-4 ? "0" : `−${format(numbers[key], 3)}`);
      columns[LEVELS.length + i].set(middle, floor, text(key));
    });
  }
});
