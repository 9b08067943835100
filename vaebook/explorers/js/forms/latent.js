// Models with a latent variable, a curve, and the bound on their evidence.
Object.assign(vaebook.forms, (() => {
  "use strict";
  const { LOG_2PI, logNormal, logSumExp, massMoments } = vaebook.forms;

  // the logs of p(x, z) times grid weight at one point of the plane, for each z of the path; logMass is
  // the log of grid weight times prior
  const curveLogJoint = (x1, x2, path1, path2, logMass, std) =>
    path1.map((f1, k) => logMass[k] + logNormal(x1, f1, std) + logNormal(x2, path2[k], std));
  // vaebook.latent.NonlinearModel.log_marginal
  const curveLogEvidence = (...at) => logSumExp(curveLogJoint(...at));

  // the same, with vaebook.latent.NonlinearModel.posterior_moments, and how many peaks the posterior
  // has that are at least a hundredth as high as the highest
  function curvePosterior(x1, x2, path1, path2, logMass, latent, noise) {
    const terms = curveLogJoint(x1, x2, path1, path2, logMass, noise), logPx = logSumExp(terms);
    const mass = terms.map((term) => Math.exp(term - logPx));
    const least = Math.max(...mass) / 100;
    const peaks = mass.filter((m, k) => m > least && m > mass[k - 1] && m > mass[k + 1]).length;
    return { logPx, ...massMoments(mass, latent), peaks };
  }

  // Write a normal density on evenly spaced xs into `heights`, as far as 7.5 standard deviations, and
  // return the first and the last place: each value is the one nearer to the mean times a ratio,
  // since thousands of exponentials would take too long.
  function bell(heights, xs, mean, std) {
    const width = xs[1] - xs[0], step = width / std;
    const first = Math.max(0, Math.ceil((mean - 7.5 * std - xs[0]) / width));
    const last = Math.min(xs.length - 1, Math.floor((mean + 7.5 * std - xs[0]) / width));
    if (first > last) return [first, last];
    const middle = Math.min(last, Math.max(first, Math.round((mean - xs[0]) / width)));
    const top = Math.exp(logNormal(xs[middle], mean, std)), shrink = Math.exp(-step * step);
    const away = (xs[middle] - mean) / std;
    for (let i = middle, value = top, ratio = Math.exp(-step * (step / 2 + away)); i <= last; i++) {
      heights[i] = value;
      value *= ratio;
      ratio *= shrink;
    }
    for (let i = middle, value = top, ratio = Math.exp(-step * (step / 2 - away)); i >= first; i--) {
      heights[i] = value;
      value *= ratio;
      ratio *= shrink;
    }
    return [first, last];
  }

  // vaebook.explorers.generation.Generation.density_of_x1: the density of one coordinate
  function curveDensity(xs, path, mass, std) {
    const heights = new Float64Array(xs.length), sums = new Float64Array(xs.length);
    for (let k = 0; k < path.length; k++) {
      const [first, last] = bell(heights, xs, path[k], std);
      for (let i = first; i <= last; i++) sums[i] += mass[k] * heights[i];
    }
    return Array.from(sums);
  }

  // the exponential of log_marginal over the square of evenly spaced xs, row by row upwards; for the
  // eye: every second bell is enough, and fewer of wide ones
  function planeDensity(xs, path1, path2, mass, std) {
    const [across, up] = [new Float64Array(xs.length), new Float64Array(xs.length)];
    const values = new Float64Array(xs.length ** 2);
    const every = std < 0.3 ? 2 : std < 0.6 ? 4 : 8;
    for (let k = 0; k < mass.length; k += every) {
      const [left, right] = bell(across, xs, path1[k], std);
      const [bottom, top] = bell(up, xs, path2[k], std);
      for (let j = bottom; j <= top; j++) {
        const scale = every * mass[k] * up[j], row = j * xs.length;
        for (let i = left; i <= right; i++) values[row + i] += scale * across[i];
      }
    }
    return values;
  }

  const LATENT = Array.from({ length: 1601 }, (_, k) => (k - 800) / 100);
  const EPS = Array.from({ length: 301 }, (_, k) => (k - 150) * 0.06);
  const EPS_LOG = EPS.map((eps) => logNormal(eps, 0, 1));
  const EPS_MASS = EPS_LOG.map((log) => 0.06 * Math.exp(log));

  // log p(x | z) for a decoder z -> [f1, ..., fD]; x has D numbers
  const logLikelihood = (decoder, noise, x, z) => logAround(decoder(z), noise, x);
  function logAround(centre, noise, x) {
    let sum = 0;
    for (let d = 0; d < centre.length; d++) sum += ((x[d] - centre[d]) / noise) ** 2;
    return -0.5 * (sum + centre.length * LOG_2PI) - centre.length * Math.log(noise);
  }

  // vaebook.latent.NonlinearModel: .log_marginal, and mean and std of .posterior, at one x, from what
  // placesOf gives of the decoder, which may be a straight line
  const placesOf = (decoder) => LATENT.map(decoder);
  const LOG_PRIOR = LATENT.map((z) => logNormal(z, 0, 1));
  const evidence = (places, noise, x) =>
    momentsOf(places.map((centre, k) => logAround(centre, noise, x) + LOG_PRIOR[k]));
  // the same for a function z -> log p(x, z)
  const moments = (logJoint) => momentsOf(LATENT.map(logJoint));
  function momentsOf(terms) {
    const logArea = logSumExp(terms);
    // What is below e^-40 of the whole changes no digit.
    const mass = terms.map((term) => (term < logArea - 40 ? 0 : Math.exp(term - logArea)));
    return { logPx: logArea + Math.log(0.01), ...massMoments(mass, LATENT) };
  }

  // vaebook.bounds.elbo, each term by its own sum over z, and the first term of the definition
  function boundTerms(decoder, noise, logPx, x, mean, std) {
    const sums = { elbo: 0, gap: 0, reconstruction: 0, energy: 0 }, logStd = Math.log(std);
    for (let k = 0; k < EPS.length; k++) {
      const z = mean + std * EPS[k];
      const mass = EPS_MASS[k];
      const likelihood = logLikelihood(decoder, noise, x, z);
      const prior = logNormal(z, 0, 1);
      const q = EPS_LOG[k] - logStd;
      sums.elbo += mass * (likelihood + prior - q);
      sums.gap += mass * (q - (likelihood + prior - logPx));
      sums.reconstruction += mass * likelihood;
      sums.energy += mass * (likelihood + prior);
    }
    sums.gap = Math.max(sums.gap, 0);
    const klPrior = 0.5 * (std * std + mean * mean - 1) - logStd;
    return { ...sums, klPrior, entropy: 0.5 * (LOG_2PI + 1) + logStd };
  }

  return {
    bell, curveLogEvidence, curvePosterior, curveDensity, planeDensity, LATENT, EPS, EPS_MASS, logLikelihood, placesOf,
    evidence, moments, boundTerms,
  };
})());
