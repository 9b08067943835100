// K samples of q and their importance weights, and the estimates that many such sets give.
vaebook.define("weights", (api) => {
  const { forms, tables, text, format } = api;
  const latent = Array.from(tables.latent);
  const reach = latent[latent.length - 1];
  const DEPTH = 0.5; // of the largest weight under the axis, in parts of the height above it

  const chart = api.chart({
    height: [280, 176],
    x: { domain: [-reach, reach], label: text("z_axis") },
    y: { domain: [-0.6, 1], label: text("density_axis"), ticks: false },
  });
  const floor = chart.segment("muted", { width: 1 });
  const posteriorArea = chart.area("posterior");
  const posteriorLine = chart.line("posterior");
  const qLine = chart.line("q", { width: 2.5 });
  const weights = chart.bars("c1");
  const draws = chart.points("q", { size: 3 });
  const names = {
    q: chart.label("q"), posterior: chart.label("posterior"), largest: chart.label("c1", { dy: 15 }),
    infinite: chart.label("gap"), weights: chart.label("c1", { anchor: "start", dy: 15 }),
  };
  const meanHandle = api.handle(chart, { moves: ["mean"], role: "q", to: (z) => ({ mean: z }) });
  const stdHandle = api.handle(chart, { moves: ["std"], role: "q", to: (z, _, { mean }) => ({ std: Math.abs(z - mean) }) });

  const below = api.chart({
    height: [170, 138], below: true,
    x: { domain: [-6, 0] },
    y: { domain: [-0.36, 1.45], label: text("estimate_axis"), ticks: false },
  });
  const bars = below.bars("c1");
  const base = below.segment("muted", { width: 1 });
  const pLine = below.segment("p", { width: 2.75 });
  const boundLine = below.segment("bound", { width: 2.5 });
  const ladder = below.points("bound", { shape: "triangle", size: 3.5 });
  const ladderWords = below.words("bound");
  const here = below.points("c1", { shape: "diamond", size: 4.5 });
  const belowNames = {
    p: below.label("p", { anchor: "start", dy: 4 }), bound: below.label("bound", { anchor: "end", dy: 4 }),
    lower: below.label("c1", { anchor: "start" }), higher: below.label("c1", { anchor: "end" }),
  };

  const noise = []; // row k holds the eps of draw k of each set
  const noiseOf = (k) => noise[k] ??=
    Float64Array.from({ length: tables.sets }, (_, r) => forms.standardNormal(tables.seed, k * tables.sets + r));
  // What one q gives: all bounds, and the log-weights and estimates of as many draws as were asked for.
  let drawn = {};
  function drawnFrom({ mean, std, model, x, n }, logJoint) {
    const key = [mean, std, model, x].join();
    if (drawn.key !== key) {
      const logWeight = forms.logImportanceWeight(logJoint, mean, std);
      const bounds = forms.importanceBound(logWeight, tables.eps, tables.mass, tables.counts);
      drawn = { key, logWeight, bounds, logW: [], sums: forms.logMeanExp(tables.sets), estimates: {} };
    }
    const { logWeight, logW, sums, estimates } = drawn;
    for (let k = logW.length; k < n; k++) {
      logW.push(noiseOf(k).map(logWeight));
      sums.add(logW[k]);
      if (tables.counts.includes(k + 1)) estimates[k + 1] = sums.value();
    }
    return { bounds: drawn.bounds, logW: logW.slice(0, n), estimates: estimates[n] };
  }
  const kept = {}; // evidence and moments of the posterior, by model and x
  function posteriorOf({ model, x }) {
    const logJoint = forms.foldedLogJoint(tables.models[model], x);
    kept[`${model} ${x}`] ??= forms.moments(logJoint);
    return { logJoint, ...kept[`${model} ${x}`] };
  }

  return {
    actions: {
      new_draws: ({ draw }) => ({ draw: (draw + 1) % tables.sets }),
      to_posterior(values) {
        const { mean, std } = posteriorOf(values);
        return api.inside({ mean: Number(mean.toFixed(12)), std }); // no rounding noise beside 0
      },
    },

    update(values) {
      const { mean, std, n, model } = values;
      const { logJoint, logPx, mean: posteriorMean, std: posteriorStd } = posteriorOf(values);
      const { bounds, logW, estimates } = drawnFrom(values, logJoint);
      const bound = bounds[tables.counts.indexOf(n)];
      const average = forms.meanOf(estimates);
      const spread = Math.sqrt(forms.meanOf(estimates.map((value) => (value - average) ** 2)));

      const z = logW.map((_, k) => mean + std * noiseOf(k)[values.draw]);
      const shown = logW.map((row) => row[values.draw]);
      const top = Math.max(...shown);
      const parts = shown.map((value) => Math.exp(value - top)); // of the largest
      const sum = parts.reduce((all, part) => all + part, 0);
      const effective = sum ** 2 / parts.reduce((all, part) => all + part * part, 0);
      const readouts = {
        log_px: logPx, bound, effective, estimate: estimates[values.draw], effective_part: effective / n, largest: 1 / sum,
        elbo: bounds[0], gap: logPx - bound, limit: tables.limits[model], average, spread, error: spread / Math.sqrt(tables.sets),
      };

      const infinite = std <= tables.limits[model];
      const where = z[parts.indexOf(1)];
      const height = drawDensities(values, latent.map((at) => Math.exp(logJoint(at) - logPx)), infinite);
      drawWeights(height, z, parts, where - mean, 1 / sum);
      drawEstimates(n, logPx, bounds, bound, estimates, readouts.estimate);

      const variance = text(infinite ? "infinite_variance" : "finite_variance");
      const blanks = { ...values, ...readouts, where, variance, posterior_mean: posteriorMean, posterior_std: posteriorStd };
      chart.describe(text("weights_description", blanks));
      below.describe(text("estimates_description", blanks));
      return {
        readouts,
        consequence: text("consequence", blanks),
        table() {
          const order = Array.from(z.keys()).sort((a, b) => shown[b] - shown[a]).slice(0, 20);
          return {
            caption: text("table_caption"),
            head: ["z", "log w", text("table_weight"), text("table_part")],
            rows: order.map((k) => [format(z[k], 4), shown[k], Math.exp(shown[k]), parts[k] / sum]),
          };
        },
      };
    },
  };

  function drawDensities({ mean, std }, posterior, infinite) {
    const q = (at) => Math.exp(forms.logNormal(at, mean, std));
    const height = api.niceCeiling(1.05 * Math.max(q(mean), ...posterior));
    chart.domain({ y: [-0.6 * height, height] });
    floor.set(-reach, 0, reach, 0);
    posteriorArea.set(latent, posterior);
    posteriorLine.set(latent, posterior);
    qLine.set(latent, latent.map(q));
    meanHandle.set(mean, q(mean));
    // The handle of the width, and the name of q, are on the side where the posterior is not.
    const peak = latent[posterior.indexOf(Math.max(...posterior))];
    const side = mean < peak + 0.02 ? -1 : 1;
    const flank = mean + side * std * (Math.abs(mean + side * std) < reach - 0.1 ? 1 : -1);
    stdHandle.set(flank, q(flank));
    names.q.set(mean, q(mean), text("q"), 30 * side);
    names.posterior.set(peak, Math.max(...posterior), text("posterior"), -52 * side);
    names.infinite.set(-reach * Math.sign(mean || 1), 0.8 * height, infinite ? text("infinite") : "");
    names.weights.set(-reach, 0, text("weights"));
    return height;
  }

  // The weights hang below the axis; the largest is drawn to one depth, and its part of the sum named.
  function drawWeights(height, z, parts, aside, part) {
    const half = 0.026;
    weights.set(z.map((at) => at - half), z.map((at) => at + half), parts.map((one) => -DEPTH * height * one));
    draws.set(z, z.map(() => 0));
    names.largest.set(z[parts.indexOf(1)], -DEPTH * height, text("largest", { percent: `${format(100 * part, 0)} %` }), aside < 0 ? -60 : 60);
  }

  // The axis follows q and not K: more samples are seen to move the estimates and to narrow them.
  function drawEstimates(n, logPx, bounds, bound, estimates, now) {
    const span = api.niceCeiling(Math.max(0.15, 1.25 * (logPx - bounds[0])));
    const [low, high] = [logPx - span, logPx + Math.max(0.3 * span, Math.min(0.5 * span, 2.5))];
    const lower = estimates.filter((value) => value < low).length;
    const higher = estimates.filter((value) => value > high).length;
    const inside = estimates.filter((value) => value >= low && value <= high);
    below.domain({ x: [low, high] });
    base.set(low, 0, high, 0);
    bars.set(...forms.tally(inside, logPx, span / tables.bins));
    pLine.set(logPx, 0, logPx, 1.45);
    boundLine.set(bound, 0, bound, 1.45);
    here.set([now], [0]);
    belowNames.p.set(logPx, 1.4, text("log_px"), 5);
    belowNames.bound.set(Math.max(bound, low + 0.12 * span), 1.4, nameOf(n), -5);
    belowNames.lower.set(low, 0, lower ? text("lower", { count: lower }) : "", 2);
    belowNames.higher.set(high, 0, higher ? text("higher", { count: higher }) : "", -2);

    // Where the bounds of the other K lie; one is named where its name has room.
    const far = (a, b) => Math.abs(a - b) > 0.075 * (high - low);
    const named = [];
    tables.counts.forEach((count, k) => {
      if (named.every((one) => far(bounds[one], bounds[k]))) named.push(k);
    });
    ladder.set(bounds, bounds.map(() => -0.09));
    ladderWords.set(named.map((k) => bounds[k]), named.map(() => -0.24), named.map((k) => nameOf(tables.counts[k])));
  }

  function nameOf(count) {
    return text("bound", { n: String(count).replace(/\d/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]) });
  }
});
