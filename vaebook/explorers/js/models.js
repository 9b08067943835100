// The only formulas that the explorers' scripts hold: what must be evaluated while a slider moves.
// Each has its double in Python (named beside it); the browser tests hold the two within 1e-9.
vaebook.models = (() => {
  "use strict";

  const LOG_2PI = Math.log(2 * Math.PI);

  // vaebook.gaussians.log_normal
  function logNormal(x, mean, std) {
    const d = (x - mean) / std;
    return -0.5 * (d * d + LOG_2PI) - Math.log(std);
  }

  // log of a sum of exponentials, safe where every term is far below the smallest double
  function logSumExp(terms) {
    const top = Math.max(...terms);
    if (top === -Infinity) return top;
    let sum = 0;
    for (const term of terms) sum += Math.exp(term - top);
    return top + Math.log(sum);
  }

  // vaebook.mixture.GaussianMixture at one x: .log_joint, .log_prob and .responsibilities
  function mixture(x, weights, means, stds) {
    const logJoint = weights.map((weight, n) => Math.log(weight) + logNormal(x, means[n], stds[n]));
    const logProb = logSumExp(logJoint);
    return { logJoint, logProb, responsibilities: logJoint.map((term) => Math.exp(term - logProb)) };
  }

  // the same on many x: the weighted components (the exponential of .log_joint), and their sum
  function mixtureCurves(xs, weights, means, stds) {
    const joint = weights.map((weight, n) => xs.map((x) => weight * Math.exp(logNormal(x, means[n], stds[n]))));
    return { joint, density: xs.map((_, i) => joint.reduce((sum, curve) => sum + curve[i], 0)) };
  }

  // ---- Jensen's inequality ----

  // The concave functions of vaebook.explorers.jensen.CURVES, with their slopes.
  const concave = {
    log: { value: Math.log, slope: (y) => 1 / y },
    sqrt: { value: Math.sqrt, slope: (y) => 0.5 / Math.sqrt(y) },
  };
  const tangent = (g, mean, y) => concave[g].value(mean) + concave[g].slope(mean) * (y - mean);

  // vaebook.bounds.jensen for values ys (positive) with probabilities weights
  function jensen(g, ys, weights) {
    const { value } = concave[g];
    let mean = 0;
    for (let k = 0; k < ys.length; k++) mean += weights[k] * ys[k];
    const gOfMean = value(mean);
    let meanOfG = 0;
    let gap = 0;
    for (let k = 0; k < ys.length; k++) {
      meanOfG += weights[k] * value(ys[k]);
      gap += weights[k] * (gOfMean - value(ys[k]));
    }
    return { mean, gOfMean, meanOfG, gap };
  }

  // vaebook.explorers.jensen.Jensen.density: exp(spread u), scaled to the mean that is asked for
  function scaledExp(us, weights, mean, spread) {
    const ys = us.map((u) => Math.exp(spread * u));
    const now = ys.reduce((sum, y, k) => sum + weights[k] * y, 0);
    return ys.map((y) => (y * mean) / now);
  }

  // numpy.interp, with zero outside: a table's value between its points, which increase
  function interpolate(x, xs, values) {
    if (x < xs[0] || x > xs[xs.length - 1]) return 0;
    let [low, high] = [0, xs.length - 1];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (xs[middle] <= x) low = middle;
      else high = middle;
    }
    return values[low] + ((x - xs[low]) / (xs[high] - xs[low])) * (values[high] - values[low]);
  }

  // Explorer.constrain where some controls sum to one: the one that moved keeps its value, the
  // others share the rest in proportion, or equally if they had nothing.
  function shareRest(values, moved, names) {
    const fixed = names.filter((name) => moved.includes(name));
    if (fixed.length !== 1) return values;
    const free = names.filter((name) => name !== fixed[0]);
    const rest = 1 - values[fixed[0]];
    const others = free.reduce((sum, name) => sum + values[name], 0);
    const share = (name) => (others > 0 ? values[name] / others : 1 / free.length) * rest;
    return { ...values, ...Object.fromEntries(free.map((name) => [name, share(name)])) };
  }

  // ---- a latent variable and a straight line ----

  // scipy.special.ndtr, the cumulative normal: a series whose terms are all positive
  function normalCdf(t) {
    if (t < 0) return 1 - normalCdf(-t);
    if (t > 9) return 1;
    let sum = t;
    for (let term = t, k = 3; term > 1e-17 * sum; k += 2) sum += term *= (t * t) / k;
    return 0.5 + sum * Math.exp(logNormal(t, 0, 1));
  }

  // vaebook.latent.LinearGaussianModel with z fixed, x of standard deviation `spread` and a given
  // correlation; soFar is vaebook.explorers.marginal.Marginal.slices_up_to_z
  function pair(z, correlation, spread) {
    const mean = spread * correlation * z;
    const scatter = Math.sqrt(1 - correlation * correlation);
    const std = spread * scatter;
    const weight = Math.exp(logNormal(z, 0, 1));
    const slice = (x) => Math.exp(logNormal(x, mean, std));
    const marginal = (x) => Math.exp(logNormal(x, 0, spread));
    return {
      mean, std, weight, slice, marginal,
      marginalStd: Math.hypot(spread * correlation, std),
      area: normalCdf(z),
      joint: (x) => weight * slice(x),
      soFar: (x) => marginal(x) * normalCdf((z - (correlation * x) / spread) / scatter),
    };
  }

  // ---- a latent variable and a curve ----

  // vaebook.explorers.draws.standard_normal, entry `index`
  function standardNormal(seed, index) {
    const mix = (bits) => {
      bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
      bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
      return (bits ^ (bits >>> 16)) >>> 0;
    };
    const key = mix(seed + 0x9e3779b9);
    const uniform = (place) => (mix(key + Math.imul(place, 0x9e3779b9)) + 0.5) / 2 ** 32;
    return Math.sqrt(-2 * Math.log(uniform(2 * index))) * Math.cos(2 * Math.PI * uniform(2 * index + 1));
  }

  // vaebook.latent.TanhDecoder: the function z -> [f1, ..., fD]
  function tanhDecoder(weights, biases, output, shift) {
    return (z) => {
      const centre = Array.from(shift);
      for (let h = 0; h < weights.length; h++) {
        const unit = Math.tanh(weights[h] * z + biases[h]);
        for (let d = 0; d < centre.length; d++) centre[d] += unit * output[h * centre.length + d];
      }
      return centre;
    };
  }

  // vaebook.latent.NonlinearModel.log_marginal at one point of the plane; logMass is the log of
  // grid weight times prior
  function curveLogEvidence(x1, x2, path1, path2, logMass, std) {
    return logSumExp(path1.map((f1, k) => logMass[k] + logNormal(x1, f1, std) + logNormal(x2, path2[k], std)));
  }

  // vaebook.explorers.generation.Generation.density_of_x1: the density of one coordinate
  const curveDensity = (xs, path, mass, std) =>
    xs.map((x) => path.reduce((sum, f, k) => sum + mass[k] * Math.exp(logNormal(x, f, std)), 0));

  // the exponential of log_marginal over the square of xs, row by row upwards
  function planeDensity(xs, path1, path2, mass, std) {
    const bells = (path, scale) => xs.map((x) =>
      Float64Array.from(path, (f, k) => scale(k) * Math.exp(logNormal(x, f, std))));
    const across = bells(path1, () => 1);
    const values = [];
    for (const up of bells(path2, (k) => mass[k])) {
      for (const along of across) {
        let sum = 0;
        for (let k = 0; k < up.length; k++) sum += up[k] * along[k];
        values.push(sum);
      }
    }
    return values;
  }

  return { logNormal, logSumExp, mixture, mixtureCurves, concave, tangent, jensen, scaledExp, interpolate, shareRest, normalCdf, pair, standardNormal, tanhDecoder, curveLogEvidence, curveDensity, planeDensity };
})();
