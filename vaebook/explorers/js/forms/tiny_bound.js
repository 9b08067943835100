// The bound and the exact log-likelihood of the small VAE, both by quadrature.
// vaebook.explorers.playground.scores is the double.
Object.assign(vaebook.forms, (() => {
  "use strict";
  const { LOG_2PI, decode, encode, massMoments } = vaebook.forms;

  const SIDE = 6, NODES = 961, STEP = (2 * SIDE) / (NODES - 1);
  const GRID = Array.from({ length: NODES }, (_, k) => k * STEP - SIDE);
  const LOG_MASS = GRID.map((z, k) => Math.log(k % (NODES - 1) ? STEP : STEP / 2) - 0.5 * (z * z + LOG_2PI));
  const EPS = Array.from({ length: 17 }, (_, k) => 0.75 * k - 6);
  const EPS_MASS = EPS.map((eps) => 0.75 * Math.exp(-0.5 * (eps * eps + LOG_2PI)));

  const terms = new Float64Array(NODES);
  // log p(x) of one point, and in `terms` the posterior's log mass at each node
  function logEvidence([path1, path2], x1, x2, std) {
    const scale = -0.5 / (std * std), level = -LOG_2PI - 2 * Math.log(std);
    let top = -Infinity;
    for (let k = 0; k < NODES; k++) {
      const a = path1[k] - x1, b = path2[k] - x2;
      terms[k] = LOG_MASS[k] + scale * (a * a + b * b);
      if (terms[k] > top) top = terms[k];
    }
    let sum = 0; // what is below e^-37 of the largest term would not change its last digit
    for (let k = 0; k < NODES; k++) if (terms[k] > top - 37) sum += Math.exp(terms[k] - top);
    return top + Math.log(sum) + level;
  }

  // the expected squared distance from a point to the curve under q: over the nodes of the grid, or,
  // where q is too narrow or too wide for them, over nodes of its own
  function expectedSquare(p, [path1, path2], x1, x2, mean, s) {
    let sum = 0;
    if (s < 1.5 * STEP || Math.abs(mean) + 5.5 * s > SIDE) {
      for (let k = 0; k < EPS.length; k++) {
        const f = decode(p, mean + s * EPS[k]);
        sum += EPS_MASS[k] * ((f[0] - x1) ** 2 + (f[1] - x2) ** 2);
      }
      return sum;
    }
    const first = Math.max(0, Math.ceil((mean - 8 * s + SIDE) / STEP));
    const last = Math.min(NODES - 1, Math.floor((mean + 8 * s + SIDE) / STEP));
    for (let k = first; k <= last; k++) {
      const eps = (GRID[k] - mean) / s, a = path1[k] - x1, b = path2[k] - x2;
      sum += Math.exp(-0.5 * eps * eps) * (a * a + b * b);
    }
    return (sum * STEP) / (s * Math.sqrt(2 * Math.PI));
  }

  // what the networks say of one point, whatever the noise: q, that distance, and the KL to the prior
  function encodedPoint(p, path, x1, x2) {
    const [mean, std] = encode(p, x1, x2);
    const klPrior = 0.5 * (std * std + mean * mean - 1) - Math.log(std);
    return { x1, x2, mean, std, square: expectedSquare(p, path, x1, x2, mean, std), klPrior };
  }
  const reconstructed = ({ square }, std) => -LOG_2PI - 2 * Math.log(std) - square / (2 * std * std);

  // at one point both terms of the bound, the evidence, and the exact posterior: its density at the
  // nodes, mean and standard deviation
  function posteriorAt(p, path, x1, x2, std) {
    const q = encodedPoint(p, path, x1, x2), reconstruction = reconstructed(q, std);
    const logPx = logEvidence(path, x1, x2, std), level = -LOG_2PI - 2 * Math.log(std) - logPx;
    const mass = Array.from(terms, (term) => Math.exp(term + level));
    const posterior = massMoments(mass, GRID);
    return {
      ...q, reconstruction, elbo: reconstruction - q.klPrior, logPx,
      density: mass.map((m) => m / STEP), posteriorMean: posterior.mean, posteriorStd: posterior.std,
    };
  }

  // the decoder at every node
  function pathOf(p) {
    const path = [new Float64Array(NODES), new Float64Array(NODES)];
    GRID.forEach((z, k) => { [path[0][k], path[1][k]] = decode(p, z); });
    return path;
  }
  // averages over points as `encodedPoint` gives them
  function averages(path, points, std) {
    const mean = (of) => points.reduce((sum, point) => sum + of(point), 0) / points.length;
    const [reconstruction, klPrior] = [mean((q) => reconstructed(q, std)), mean((q) => q.klPrior)];
    const logPx = mean(({ x1, x2 }) => logEvidence(path, x1, x2, std));
    return { reconstruction, klPrior, elbo: reconstruction - klPrior, logPx };
  }

  return { PLAY_GRID: GRID, pathOf, encodedPoint, averages, posteriorAt };
})());
