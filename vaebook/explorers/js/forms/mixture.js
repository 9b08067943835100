// A mixture of Gaussians, and weights that sum to one.
Object.assign(vaebook.forms, (() => {
  "use strict";
  const { logNormal, logSumExp, normalCdf } = vaebook.forms;

  // vaebook.mixture.GaussianMixture at one x: .log_joint, .log_prob and .responsibilities
  function mixture(x, weights, means, stds) {
    const logJoint = weights.map((weight, n) => Math.log(weight) + logNormal(x, means[n], stds[n]));
    const logProb = logSumExp(logJoint);
    return { logJoint, logProb, responsibilities: logJoint.map((term) => Math.exp(term - logProb)) };
  }

  // the same on many x: the weighted components (the exponential of .log_joint), and their sum
  function mixtureCurves(xs, weights, means, stds) {
    const joint = weights.map((weight, n) => {
      const [mean, std] = [means[n], stds[n]];
      const top = weight * Math.exp(logNormal(mean, mean, std));
      return xs.map((x) => top * Math.exp(-0.5 * ((x - mean) / std) ** 2));
    });
    const density = xs.map(() => 0);
    for (const curve of joint) for (let i = 0; i < curve.length; i++) density[i] += curve[i];
    return { joint, density };
  }

  // One step of EM, in two: the responsibilities of every point, with the log-likelihood; then
  // GaussianMixture.em_step with min_std = floor.
  function eStep(data, weights, means, stds) {
    const points = Array.from(data, (x) => mixture(x, weights, means, stds));
    return {
      shares: points.map((point) => point.responsibilities),
      logLikelihood: points.reduce((sum, point) => sum + point.logProb, 0),
    };
  }
  function mStep(data, shares, means, stds, floor) {
    const sums = (n, value) => shares.reduce((sum, share, i) => sum + share[n] * value(data[i]), 0);
    const sizes = means.map((_, n) => sums(n, () => 1));
    // A component that no point chooses keeps its place.
    const after = means.map((mean, n) => (sizes[n] > 0 ? sums(n, (x) => x) / sizes[n] : mean));
    const widths = stds.map((std, n) => (sizes[n] > 0 ? Math.sqrt(sums(n, (x) => (x - after[n]) ** 2) / sizes[n]) : std));
    return [sizes.map((size) => size / data.length), after, widths.map((std) => Math.max(std, floor))];
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

  // vaebook.explorers.marginal.given: the density of the other quantity where clouds are cut at a value
  function given(value, weights, known, other, correlation) {
    const scatter = Math.sqrt(1 - correlation * correlation);
    return {
      weights: mixture(value, weights, known.means, known.stds).responsibilities,
      means: other.means.map((mean, n) => mean + correlation * other.stds[n] * ((value - known.means[n]) / known.stds[n])),
      stds: other.stds.map((std) => scatter * std),
    };
  }

  // the probability that a mixture is at most x
  const mixtureCdf = (x, { weights, means, stds }) =>
    weights.reduce((sum, weight, n) => sum + weight * normalCdf((x - means[n]) / stds[n]), 0);

  return { mixture, mixtureCurves, mixtureCdf, given, eStep, mStep, shareRest };
})());
