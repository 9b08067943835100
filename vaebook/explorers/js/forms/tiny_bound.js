// The bound and the exact log-likelihood of the small VAE, both by quadrature.
// vaebook.explorers.playground.scores is the double.
Object.assign(vaebook.forms, (() => {
  "use strict";
  const { LOG_2PI, decode, encode } = vaebook.forms;

  const SIDE = 6, NODES = 961, STEP = (2 * SIDE) / (NODES - 1);
  const GRID = Array.from({ length: NODES }, (_, k) => k * STEP - SIDE);
  const LOG_MASS = GRID.map((z, k) => Math.log(k % (NODES - 1) ? STEP : STEP / 2) - 0.5 * (z * z + LOG_2PI));
  const EPS = Array.from({ length: 17 }, (_, k) => 0.75 * k - 6);
  const EPS_MASS = EPS.map((eps) => 0.75 * Math.exp(-0.5 * (eps * eps + LOG_2PI)));

  const terms = new Float64Array(NODES);
  // log p(x) of one point, and in `terms` the posterior's log mass at each node
  function logEvidence(path, x1, x2, std) {
    const scale = -0.5 / (std * std), level = -LOG_2PI - 2 * Math.log(std);
    const [path1, path2] = path;
    let top = -Infinity;
    for (let k = 0; k < NODES; k++) {
      const a = path1[k] - x1, b = path2[k] - x2;
      terms[k] = LOG_MASS[k] + scale * (a * a + b * b);
      if (terms[k] > top) top = terms[k];
    }
    let sum = 0; // what is below e^-37 of the largest term would not change its last digit
    for (let k = 0; k < NODES; k++) if (terms[k] > top - 37) sum += Math.exp(terms[k] - top);
    const logPx = top + Math.log(sum);
    for (let k = 0; k < NODES; k++) terms[k] -= logPx;
    return logPx + level;
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

  // q, both terms of the bound, and the evidence of one point
  function boundAt(p, path, x1, x2, std) {
    const [mean, s] = encode(p, x1, x2);
    const level = -LOG_2PI - 2 * Math.log(std);
    const reconstruction = level - expectedSquare(p, path, x1, x2, mean, s) / (2 * std * std);
    const klPrior = 0.5 * (s * s + mean * mean - 1) - Math.log(s);
    return { mean, std: s, reconstruction, klPrior, elbo: reconstruction - klPrior, logPx: logEvidence(path, x1, x2, std) };
  }
  // the same with the exact posterior: its masses at the nodes, mean and standard deviation
  function posteriorAt(p, path, x1, x2, std) {
    const at = boundAt(p, path, x1, x2, std);
    const mass = Array.from(terms, Math.exp);
    const mean = mass.reduce((sum, m, k) => sum + m * GRID[k], 0);
    const variance = mass.reduce((sum, m, k) => sum + m * (GRID[k] - mean) ** 2, 0);
    return { ...at, density: mass.map((m) => m / STEP), posteriorMean: mean, posteriorStd: Math.sqrt(variance) };
  }

  // the decoder at every node
  function pathOf(p) {
    const path = [new Float64Array(NODES), new Float64Array(NODES)];
    GRID.forEach((z, k) => { [path[0][k], path[1][k]] = decode(p, z); });
    return path;
  }
  // averages over the points [x1, x2, x1, ...]
  function averages(p, path, points, std) {
    const sums = { reconstruction: 0, klPrior: 0, elbo: 0, logPx: 0 }, means = [];
    const n = points.length / 2;
    for (let i = 0; i < n; i++) {
      const at = boundAt(p, path, points[2 * i], points[2 * i + 1], std);
      for (const key of Object.keys(sums)) sums[key] += at[key] / n;
      means.push(at.mean);
    }
    return { ...sums, means };
  }

  return { PLAY_GRID: GRID, pathOf, averages, posteriorAt };
})());
