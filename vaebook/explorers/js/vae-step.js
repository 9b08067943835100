// One data point through a toy VAE at any epoch of its training: encode, sample, decode, estimate.
vaebook.define("vae-step", (api) => {
  const { forms, tables, text, format } = api;
  const { side, every, noise, max_draws: maxDraws } = tables;
  const latent = Array.from(tables.latent);
  const epochs = Array.from(tables.epochs);
  const [bound, logPx] = [Array.from(tables.bound), Array.from(tables.log_px)];
  const NAMED = [-2, 0, 2]; // values of z that have their number at the curve
  const row = ({ widths, numbers }, k) => ({ widths, numbers: numbers.subarray(k * numbers.shape[1], (k + 1) * numbers.shape[1]) });

  const plane = api.chart({
    part: 1.6, wide: false, equal: true, height: [330, 210],
    x: { domain: side, label: text("x1"), spacing: 45 },
    y: { domain: side, label: text("x2"), spacing: 45 },
  });
  const dots = plane.points("muted", { size: 1.3, halo: false });
  const curve = plane.line("p", { width: 1.75 });
  const whole = plane.points("p", { size: 2.4, halo: false });
  const wholeNames = plane.words("p");
  const likely = plane.points("q", { size: 2.2, halo: false });
  const miss = plane.segment("muted", { width: 1.5 });
  const decoded = plane.points("q", { shape: "diamond", size: 4.5 });
  const point = api.handle(plane, { moves: ["x1", "x2"], role: "data", pick: true, to: (x1, x2) => ({ x1, x2 }) });
  const atX = plane.label("data", { dy: 5 });
  const atF = plane.label("q", { dy: 4 });
  dots.set(...forms.columnsOf(forms.pointsFrom(tables.data)));

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

  // Under the two, side by side: what the samples say, and the training. A small instance has that of
  // its controls.
  const besides = (control, options) => (api.shows(control) ? api.chart({ height: 150, aside: true, wide: false, ...options }) : null);
  const strip = besides("new_epsilon", {
    x: { domain: [-6, 0], label: text("estimate_axis"), spacing: 80 },
    y: { domain: [0, 1], ticks: false },
  });
  const drawStrip = strip && stripOf(strip);
  const training = besides("epoch", {
    x: { domain: [0, epochs[epochs.length - 1]], label: text("epoch_axis") },
    y: { domain: [-11, -2.5], label: text("nats_axis"), spacing: 40 },
  });
  const drawTraining = training && trainingOf(training);

  const nets = {}; // of the epochs seen so far
  function networks(epoch) {
    if (!nets[epoch]) {
      const network = forms.perceptron(row(tables.encoder, epoch / every));
      const encoder = (x) => network(x).map((output, i) => (i ? Math.exp(output / 2) : output)); // mean, std
      const decoder = forms.tanhDecoder(row(tables.decoder, epoch / every));
      nets[epoch] = { encoder, decoder, path: latent.map(decoder), places: forms.placesOf(decoder) };
    }
    return nets[epoch];
  }

  // The estimates as dots, the last one falling into place, and the two lines between which they lie.
  function stripOf(strip) {
    const earlier = strip.points("muted", { size: 1.6, halo: false });
    const last = strip.points("q", { shape: "diamond", size: 5 });
    const lines = { log_px: strip.line("p", { width: 2 }), elbo: strip.line("bound", { width: 2.25 }) };
    const names = { log_px: strip.label("p", { anchor: "start", dy: 4 }), elbo: strip.label("bound", { anchor: "end", dy: 4 }) };
    // Dots lie at heights that spread evenly without a pattern.
    const height = (i) => 0.12 + 0.6 * ((i * 0.6180339887498949) % 1);
    return (estimates, evidence, { elbo, gap }, fallen) => {
      // All of them are in view, and the names of the two lines have room on their outer sides.
      const low = Math.min(evidence - 2, elbo - Math.max(1, gap / 4), ...estimates.map((e) => e - 0.5));
      const high = Math.ceil(evidence + Math.max(1.5, (evidence - low) / 3));
      strip.domain({ x: [high - api.niceCeiling(high - low), high] });
      const i = estimates.length - 1;
      earlier.set(estimates.slice(0, i), estimates.slice(0, i).map((_, k) => height(k)));
      last.set(fallen ? [estimates[i]] : [], [height(i) + (1 - fallen) * (0.9 - height(i))]);
      for (const [key, value] of [["log_px", evidence], ["elbo", elbo]]) {
        lines[key].set([value, value], [0, 0.85]);
        names[key].set(value, 0.94, text(key), key === "elbo" ? -3 : 3);
      }
    };
  }

  // Both curves over the epochs, and where the epoch on show is.
  function trainingOf(training) {
    training.area("gap", { strength: 0.2 }).set(epochs, logPx, bound);
    training.line("p", { width: 2.25 }).set(epochs, logPx);
    training.line("bound", { width: 2.25 }).set(epochs, bound);
    const now = training.segment("ink", { width: 1.5 });
    const ends = [[training.points("p", { size: 4.5 }), logPx], [training.points("bound", { shape: "square", size: 4 }), bound]];
    training.label("p", { dy: -8 }).set(epochs[30], logPx[30], text("log_px"));
    training.label("bound", { dy: 20 }).set(epochs[30], bound[30], text("elbo"));
    training.onpick((epoch) => api.set({ epoch }));
    return (epoch) => {
      now.set(epoch, -11, epoch, -2.5);
      for (const [end, heights] of ends) end.set([epoch], [heights[epoch / every]]);
    };
  }

  return {
    actions: {
      new_epsilon: (values) => {
        const to = { n: Math.min(values.n + 1, maxDraws) };
        return { to, path: (travel) => ({ ...values, ...to, travel }) };
      },
      draw_100: ({ n }) => ({ n: Math.min(n + 100, maxDraws) }),
    },

    update(values) {
      const { n, seed, travel = 1 } = values;
      const epoch = every * Math.round(values.epoch / every); // a motion passes between two snapshots
      // A sample travels in three stages: from x to q, down to z*, and on to f[z*].
      const [encoded, sampled, compared] = [0, 1, 2].map((stage) => Math.min(1, Math.max(0, 3 * travel - stage)));
      const x = [values.x1, values.x2];
      const { encoder, decoder, path, places } = networks(epoch);
      const [mean, std] = encoder(x);
      const eps = Array.from({ length: n }, (_, i) => forms.standardNormal(seed, i));
      const { logPx: evidence } = forms.evidence(places, noise, x);
      const terms = forms.boundTerms(decoder, noise, evidence, x, mean, std);
      const estimates = eps.map((e) => forms.logLikelihood(decoder, noise, x, mean + std * e) - terms.klPrior);
      const estimate = estimates[n - 1];
      const z = mean + std * eps[n - 1];
      const [f1, f2] = decoder(z);

      const between = (from, to, part) => from.map((start, d) => start + part * (to[d] - start));
      curve.set(...forms.columnsOf(path));
      whole.set(...forms.columnsOf([-3, -2, -1, 0, 1, 2, 3].map(decoder)));
      const inner = NAMED.map(decoder).map((f) => between(f, [0, 0], 0.32 / (Math.hypot(...f) || 1)));
      wholeNames.set(...forms.columnsOf(inner), NAMED.map((t) => format(t, 0)));
      likely.set(...forms.columnsOf(Array.from({ length: encoded < 1 ? 0 : 41 }, (_, i) => decoder(mean + std * (i - 20) / 10))));
      decoded.set(...forms.columnsOf([between(x, decoder(mean + sampled * (z - mean)), encoded)]));
      miss.set(f1, f2, ...between([f1, f2], x, compared));
      point.set(...x);
      // The name of x stands outside the ring, that of f inside, clear of both marks.
      const far = Math.hypot(...x) || 1;
      atX.set(x[0] * (1 + 0.42 / far), x[1] * (1 + 0.42 / far), text("at_x"));
      atF.set(f1 - (0.75 * x[0]) / far, f2 - (0.55 * x[1]) / far, text("at_f"));

      // The z axis shows q and the posterior, and moves in calm steps.
      const logRatio = (t) => forms.logLikelihood(decoder, noise, x, t) + forms.logNormal(t, 0, 1) - evidence;
      const coarse = latent.map((t) => Math.exp(logRatio(t)));
      const top = Math.max(...coarse);
      const peak = latent[coarse.indexOf(top)];
      const seen = latent.filter((_, i) => coarse[i] > Math.exp(-5) * top);
      const [low, high] = [Math.min(seen[0] - 0.05, mean - 4 * std), Math.max(seen.at(-1) + 0.05, mean + 4 * std)];
      const step = api.niceCeiling((high - low) / 5);
      const ends = [Math.floor(low / step) * step, Math.ceil(high / step) * step];
      const grid = Array.from({ length: 241 }, (_, i) => ends[0] + ((ends[1] - ends[0]) * i) / 240);
      const heights = grid.map((t) => Math.exp(logRatio(t)));
      const q = (t) => Math.exp(forms.logNormal(t, mean, std));
      const rising = grid.map((t) => encoded * q(t));
      const highest = heights.indexOf(Math.max(...heights));
      over.domain({ x: ends, y: [0, api.niceCeiling(1.2 * Math.max(heights[highest], 0.4 / std))] });
      filled.set(grid, rising);
      posterior.set(grid, heights);
      bell.set(grid, rising);
      draw.set(sampled ? [z] : [], [(1 - sampled) * q(z)]);
      atZ.set(z, 0, text("at_z"));
      posteriorName.set(grid[highest], heights[highest], text("posterior"));
      // The name of q stands beside its flank, on the side away from the posterior's peak.
      const outer = mean > grid[highest] ? 1 : -1;
      const flank = mean + 1.5 * outer * std;
      bellName.set(flank, q(flank), text("q"), 10 * outer);

      drawStrip?.(estimates, evidence, terms, compared);
      drawTraining?.(epoch);

      const readouts = {
        mean, std, eps: eps[n - 1], z, centre_1: f1, centre_2: f2,
        log_px_given_z: estimate + terms.klPrior, kl_prior: terms.klPrior, estimate,
        log_px: evidence, gap: terms.gap, elbo: terms.elbo, n,
        average: forms.meanOf(estimates),
        share_above: estimates.filter((value) => value > evidence).length / n,
        data_log_px: logPx[epoch / every], data_bound: bound[epoch / every],
      };
      const blanks = { ...values, epoch, ...readouts, peak };
      for (const [chart, part] of [[plane, "plane"], [over, "latent"], [strip, "estimates"], [training, "training"]]) {
        chart?.describe(text(`${part}_description`, blanks));
      }
      return {
        readouts,
        consequence: text("consequence", blanks),
        table: () => ({
          caption: text("table_caption"),
          head: [text("z_axis"), text("posterior"), text("q"), "f₁[z]", "f₂[z]"],
          rows: latent.flatMap((t, i) => (i % 5 ? [] : [[format(t), coarse[i], q(t), ...path[i]]])),
        }),
      };
    },
  };
});
