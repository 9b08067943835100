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

  return { logNormal, logSumExp, mixture, mixtureCurves };
})();
