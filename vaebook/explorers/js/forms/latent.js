// Models with a latent variable, a curve, and the bound on their evidence.
Object.assign(vaebook.forms, (() => {
  "use strict";
  const { LOG_2PI, logNormal, logSumExp } = vaebook.forms;

  // vaebook.latent.NonlinearModel.log_marginal at one point of the plane; logMass is the log of
  // grid weight times prior
  function curveLogEvidence(x1, x2, path1, path2, logMass, std) {
    return logSumExp(path1.map((f1, k) => logMass[k] + logNormal(x1, f1, std) + logNormal(x2, path2[k], std)));
  }

  // the same, with vaebook.latent.NonlinearModel.posterior_moments, and how many peaks the posterior
  // has that are at least a hundredth as high as the highest
  function curvePosterior(x1, x2, path1, path2, logMass, latent, noise) {
    const logPx = curveLogEvidence(x1, x2, path1, path2, logMass, noise);
    const mass = path1.map((f1, k) => Math.exp(logMass[k] + logNormal(x1, f1, noise) + logNormal(x2, path2[k], noise) - logPx));
    const mean = mass.reduce((sum, m, k) => sum + m * latent[k], 0);
    const variance = mass.reduce((sum, m, k) => sum + m * (latent[k] - mean) ** 2, 0);
    const least = Math.max(...mass) / 100;
    const peaks = mass.filter((m, k) => m > least && m > mass[k - 1] && m > mass[k + 1]).length;
    return { logPx, mean, std: Math.sqrt(variance), peaks };
  }

  // vaebook.explorers.generation.Generation.density_of_x1: the density of one coordinate
  function curveDensity(xs, path, mass, std) {
    const height = Math.exp(logNormal(0, 0, std)); // once, and not for each of the 84,000 pairs
    return xs.map((x) => {
      let sum = 0;
      for (let k = 0; k < path.length; k++) sum += mass[k] * Math.exp(-0.5 * ((x - path[k]) / std) ** 2);
      return height * sum;
    });
  }

  // the exponential of log_marginal over the square of evenly spaced xs, row by row upwards; for the
  // eye: each bell ends at six standard deviations, and every second bell is enough
  function planeDensity(xs, path1, path2, mass, std) {
    const step = xs[1] - xs[0];
    const values = new Float64Array(xs.length ** 2);
    const height = Math.exp(logNormal(0, 0, std));
    const bell = (centre) => {
      const first = Math.max(0, Math.ceil((centre - 6 * std - xs[0]) / step));
      const near = xs.slice(first, Math.max(first, Math.floor((centre + 6 * std - xs[0]) / step) + 1));
      return { first, heights: near.map((x) => height * Math.exp(-0.5 * ((x - centre) / std) ** 2)) };
    };
    for (let k = 0; k < mass.length; k += 2) {
      const across = bell(path1[k]);
      const up = bell(path2[k]);
      for (let j = 0; j < up.heights.length; j++) {
        const row = (up.first + j) * xs.length + across.first;
        const scale = 2 * mass[k] * up.heights[j];
        for (let i = 0; i < across.heights.length; i++) values[row + i] += scale * across.heights[i];
      }
    }
    return values;
  }

  const LATENT = Array.from({ length: 1601 }, (_, k) => (k - 800) / 100);
  const EPS = Array.from({ length: 601 }, (_, k) => (k - 300) * 0.03);
  const EPS_MASS = EPS.map((eps) => 0.03 * Math.exp(logNormal(eps, 0, 1)));

  // log p(x | z) for a decoder z -> [f1, ..., fD]; x has D numbers
  function logLikelihood(decoder, noise, x, z) {
    const centre = decoder(z);
    let sum = 0;
    for (let d = 0; d < centre.length; d++) sum += logNormal(x[d], centre[d], noise);
    return sum;
  }

  // vaebook.latent.NonlinearModel: .log_marginal, and mean and std of .posterior, at one x; a
  // straight line is a decoder, too
  const evidence = (decoder, noise, x) =>
    moments((z) => logLikelihood(decoder, noise, x, z) + logNormal(z, 0, 1));
  // the same for a function z -> log p(x, z)
  function moments(logJoint) {
    const terms = LATENT.map(logJoint);
    const logArea = logSumExp(terms);
    const mass = terms.map((term) => Math.exp(term - logArea));
    const mean = mass.reduce((sum, m, k) => sum + m * LATENT[k], 0);
    const variance = mass.reduce((sum, m, k) => sum + m * (LATENT[k] - mean) ** 2, 0);
    return { logPx: logArea + Math.log(0.01), mean, std: Math.sqrt(variance) };
  }

  // vaebook.bounds.elbo, each term by its own sum over z, and the first term of the definition
  function boundTerms(decoder, noise, logPx, x, mean, std) {
    const sums = { elbo: 0, gap: 0, reconstruction: 0, energy: 0 };
    for (let k = 0; k < EPS.length; k++) {
      const z = mean + std * EPS[k];
      const mass = EPS_MASS[k];
      const likelihood = logLikelihood(decoder, noise, x, z);
      const prior = logNormal(z, 0, 1);
      const q = logNormal(z, mean, std);
      sums.elbo += mass * (likelihood + prior - q);
      sums.gap += mass * (q - (likelihood + prior - logPx));
      sums.reconstruction += mass * likelihood;
      sums.energy += mass * (likelihood + prior);
    }
    sums.gap = Math.max(sums.gap, 0);
    const klPrior = 0.5 * (std * std + mean * mean - 1) - Math.log(std);
    return { ...sums, klPrior, entropy: 0.5 * (LOG_2PI + 1) + Math.log(std) };
  }

  return { curveLogEvidence, curvePosterior, curveDensity, planeDensity, LATENT, logLikelihood, evidence, moments, boundTerms };
})());
