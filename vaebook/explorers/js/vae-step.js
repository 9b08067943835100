// One data point through a toy VAE at any epoch of its recorded training: encode, draw, decode, estimate.
vaebook.define("vae-step", (api) => {
  const { forms, tables, text, format } = api;
  const { side, every, noise, max_draws: maxDraws } = tables;
  const latent = Array.from(tables.latent);
  const epochs = Array.from(tables.epochs);
  const [bound, logPx] = [Array.from(tables.bound), Array.from(tables.log_px)];
  const [data1, data2] = [0, 1].map((d) => Array.from(tables.data).filter((_, i) => i % 2 === d));
  const at = ({ widths, numbers }, k) => { // the network of snapshot k
    const width = numbers.shape[1];
    return { widths, numbers: numbers.subarray(k * width, (k + 1) * width) };
  };

  const plane = api.chart({
    part: 1.6, wide: false, equal: true, height: [330, 210],
    x: { domain: side, label: text("x1"), spacing: 45 },
    y: { domain: side, label: text("x2"), spacing: 45 },
  });
  const dots = plane.points("muted", { size: 1.3, halo: false });
  const curve = plane.line("p", { width: 1.75 });
  const likely = plane.points("q", { size: 2.2, halo: false });
  const miss = plane.segment("muted", { width: 1.5 });
  const decoded = plane.points("q", { shape: "diamond", size: 4.5 });
  const point = api.handle(plane, { moves: ["x1", "x2"], role: "data", to: (x1, x2) => ({ x1, x2 }) });
  const atX = plane.label("data", { dy: 5 });
  const atF = plane.label("q", { dy: 4 });
  dots.set(data1, data2);
  plane.onpick((x1, x2) => api.set({ x1: api.snap("x1", x1), x2: api.snap("x2", x2) }));

  const over = api.chart({
    part: 1, wide: false, height: [300, 200],
    x: { domain: [latent[0], latent[latent.length - 1]], label: text("z_axis"), spacing: 45 },
    y: { domain: [0, 1], label: text("density_axis") },
  });
  const filled = over.area("q");
  const posterior = over.line("posterior", { width: 2.5 });
  const bell = over.line("q", { width: 2.5 });
  const draw = over.points("q", { shape: "diamond", size: 5 });
  const posteriorName = over.label("posterior");
  const bellName = over.label("q", { dy: 4 });
  const atZ = over.label("q", { dy: -9 });

  const strip = api.chart({
    height: 110, aside: true,
    x: { domain: [-6, 0], label: text("estimate_axis"), spacing: 100 },
    y: { domain: [0, 1], ticks: false },
  });
  const earlier = strip.points("muted", { size: 1.6, halo: false });
  const last = strip.points("q", { shape: "diamond", size: 5 });
  const lines = { log_px: strip.line("p", { width: 2 }), elbo: strip.line("bound", { width: 2.25 }) };
  const lineNames = { log_px: strip.label("p", { anchor: "start", dy: 4 }), elbo: strip.label("bound", { anchor: "end", dy: 4 }) };

  const training = api.chart({
    height: 165, aside: true,
    x: { domain: [0, epochs[epochs.length - 1]], label: text("epoch_axis") },
    y: { domain: [-7, -2.5], label: text("nats_axis"), spacing: 40 },
  });
  training.area("gap", { strength: 0.2 }).set(epochs, logPx, bound);
  training.line("p", { width: 2.25 }).set(epochs, logPx);
  training.line("bound", { width: 2.25 }).set(epochs, bound);
  const now = training.segment("ink", { width: 1.5 });
  const ends = [training.points("p", { size: 4.5 }), training.points("bound", { shape: "square", size: 4 })];
  training.label("p", { dy: -8 }).set(epochs[30], logPx[30], text("log_px"));
  training.label("bound", { dy: 20 }).set(epochs[30], bound[30], text("elbo"));
  training.onpick((epoch) => api.set({ epoch: api.snap("epoch", epoch) }));

  let nets = {}; // of the epoch on show
  function networks(epoch) {
    if (nets.epoch !== epoch) {
      const k = epoch / every;
      const [encoder, decoder] = [forms.perceptron(at(tables.encoder, k)), forms.tanhDecoder(at(tables.decoder, k))];
      const encode = (x) => {
        const [mean, logVar] = encoder(x);
        return { mean, std: Math.exp(logVar / 2) };
      };
      nets = { epoch, encode, decoder, path: latent.map(decoder) };
    }
    return nets;
  }
  let noiseDraws = { rows: [] }; // standard normal numbers of one seed
  function draws(seed, n) {
    if (noiseDraws.seed !== seed) noiseDraws = { seed, rows: [] };
    while (noiseDraws.rows.length < n) noiseDraws.rows.push(forms.standardNormal(seed, noiseDraws.rows.length));
    return noiseDraws.rows;
  }
  // Dots lie at heights that spread evenly without a pattern.
  const height = (i) => 0.12 + 0.6 * ((i * 0.6180339887498949) % 1);

  return {
    actions: {
      new_epsilon: (values) => ({ n: Math.min(values.n + 1, maxDraws) }),
      draw_100: (values) => ({ n: Math.min(values.n + 100, maxDraws) }),
      new_seed: (values) => ({ seed: (values.seed + 1) % 2 ** 32 }),
    },

    update(values) {
      const { epoch, n, seed } = values;
      const x = [values.x1, values.x2];
      const { encode, decoder, path } = networks(epoch);
      const { mean, std } = encode(x);
      const eps = draws(seed, n);
      const { logPx: evidence } = forms.evidence(decoder, noise, x);
      const terms = forms.boundTerms(decoder, noise, evidence, x, mean, std);
      const estimates = eps.slice(0, n).map((e) => forms.logLikelihood(decoder, noise, x, mean + std * e) - terms.klPrior);
      const estimate = estimates[n - 1];
      const z = mean + std * eps[n - 1];
      const [f1, f2] = decoder(z);
      const average = estimates.reduce((sum, value) => sum + value, 0) / n;
      const above = estimates.filter((value) => value > evidence).length / n;

      curve.set(path.map((f) => f[0]), path.map((f) => f[1]));
      const near = Array.from({ length: 41 }, (_, i) => decoder(mean + std * (i - 20) / 10));
      likely.set(near.map((f) => f[0]), near.map((f) => f[1]));
      miss.set(...x, f1, f2);
      point.set(...x);
      decoded.set([f1], [f2]);
      // The name of x stands outside the ring, that of f inside, clear of both marks.
      const far = Math.hypot(...x) || 1;
      atX.set(x[0] * (1 + 0.42 / far), x[1] * (1 + 0.42 / far), text("at_x"));
      atF.set(f1 - (0.75 * x[0]) / far, f2 - (0.55 * x[1]) / far, text("at_f"));

      const heights = latent.map((t) => Math.exp(forms.logLikelihood(decoder, noise, x, t) + forms.logNormal(t, 0, 1) - evidence));
      const q = latent.map((t) => Math.exp(forms.logNormal(t, mean, std)));
      const highest = heights.indexOf(Math.max(...heights));
      over.domain({ y: [0, api.niceCeiling(1.2 * Math.max(heights[highest], ...q))] });
      filled.set(latent, q);
      posterior.set(latent, heights);
      bell.set(latent, q);
      draw.set([z], [0]);
      atZ.set(z, 0, text("at_z"));
      posteriorName.set(latent[highest], heights[highest], text("posterior"));
      // The name of q stands beside its flank, on the side away from the posterior's peak.
      const outer = mean > latent[highest] ? 1 : -1;
      const flank = mean + 1.5 * outer * std;
      bellName.set(flank, Math.exp(forms.logNormal(flank, mean, std)), text("q"), 10 * outer);

      // All draws are in view, and the names of the two lines have room on their outer sides.
      const low = Math.min(evidence - 2, terms.elbo - Math.max(1, terms.gap / 4), ...estimates.map((e) => e - 0.5));
      const high = Math.ceil(evidence + Math.max(1.5, (evidence - low) / 3));
      strip.domain({ x: [high - api.niceCeiling(high - low), high] });
      earlier.set(estimates.slice(0, -1), estimates.slice(0, -1).map((_, i) => height(i)));
      last.set([estimate], [height(n - 1)]);
      for (const [key, value] of [["log_px", evidence], ["elbo", terms.elbo]]) {
        lines[key].set([value, value], [0, 0.85]);
        lineNames[key].set(value, 0.94, text(key), key === "elbo" ? -3 : 3);
      }

      const k = epoch / every;
      now.set(epoch, -7, epoch, -2.5);
      ends[0].set([epoch], [logPx[k]]);
      ends[1].set([epoch], [bound[k]]);

      const readouts = {
        mean, std, eps: eps[n - 1], z, centre_1: f1, centre_2: f2,
        log_px_given_z: estimate + terms.klPrior, kl_prior: terms.klPrior, estimate,
        log_px: evidence, gap: terms.gap, elbo: terms.elbo,
        n, average, share_above: above, data_log_px: logPx[k], data_bound: bound[k],
      };
      const blanks = { ...values, ...readouts, peak: latent[highest] };
      const consequence = text("consequence", blanks);
      plane.describe(text("plane_description", blanks));
      over.describe(text("latent_description", blanks));
      strip.describe(text("estimates_description", blanks));
      training.describe(text("training_description", blanks));
      return {
        readouts,
        consequence,
        table: () => ({
          caption: text("table_caption"),
          head: [text("z_axis"), text("posterior"), text("q"), "f₁[z]", "f₂[z]"],
          rows: latent.flatMap((t, i) => (i % 5 === 0 ? [[format(t), heights[i], q[i], ...path[i]]] : [])),
        }),
      };
    },
  };
});
