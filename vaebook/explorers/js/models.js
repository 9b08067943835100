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

  // ---- three forms of the bound ----

  const LATENT = Array.from({ length: 1601 }, (_, k) => (k - 800) / 100);
  const EPS = Array.from({ length: 601 }, (_, k) => (k - 300) * 0.03);

  // log p(x | z) for a decoder z -> [f1, ..., fD]; x has D numbers
  const logLikelihood = (decoder, noise, x, z) =>
    decoder(z).reduce((sum, centre, d) => sum + logNormal(x[d], centre, noise), 0);

  // vaebook.latent.NonlinearModel: .log_marginal, and mean and std of .posterior, at one x; a
  // straight line is a decoder, too
  function evidence(decoder, noise, x) {
    const logJoint = LATENT.map((z) => logLikelihood(decoder, noise, x, z) + logNormal(z, 0, 1));
    const logArea = logSumExp(logJoint);
    const mass = logJoint.map((term) => Math.exp(term - logArea));
    const mean = mass.reduce((sum, m, k) => sum + m * LATENT[k], 0);
    const variance = mass.reduce((sum, m, k) => sum + m * (LATENT[k] - mean) ** 2, 0);
    return { logPx: logArea + Math.log(0.01), mean, std: Math.sqrt(variance) };
  }

  // vaebook.bounds.elbo, each term by its own sum over z, and the first term of the definition
  function boundTerms(decoder, noise, logPx, x, mean, std) {
    const sums = { elbo: 0, gap: 0, reconstruction: 0, energy: 0 };
    for (const eps of EPS) {
      const z = mean + std * eps;
      const mass = 0.03 * Math.exp(logNormal(eps, 0, 1));
      const [likelihood, prior, q] = [logLikelihood(decoder, noise, x, z), logNormal(z, 0, 1), logNormal(z, mean, std)];
      sums.elbo += mass * (likelihood + prior - q);
      sums.gap += mass * (q - (likelihood + prior - logPx));
      sums.reconstruction += mass * likelihood;
      sums.energy += mass * (likelihood + prior);
    }
    sums.gap = Math.max(sums.gap, 0);
    const klPrior = 0.5 * (std * std + mean * mean - 1) - Math.log(std);
    return { ...sums, klPrior, entropy: 0.5 * (LOG_2PI + 1) + Math.log(std) };
  }

  // vaebook.explorers.elbo: x = phi z + wave sin 3z + noise, and a normal q over z. `t` holds the
  // tables of that module; a place is [mean, std, phi].
  function slopeModel(t, wave) {
    const variance = t.noise * t.noise;
    const residual = (z, phi) => t.x - phi * z - wave * Math.sin(3 * z);
    const logJoint = (z, phi) => logNormal(residual(z, phi), 0, t.noise) + logNormal(z, 0, 1);
    // the expectation of value(z, eps) under q
    function under(mean, std, value) {
      let sum = 0;
      for (let k = 0; k < t.eps.length; k++) sum += t.mass[k] * value(mean + std * t.eps[k], t.eps[k]);
      return sum;
    }

    // bound
    const elbo = ([mean, std, phi]) =>
      under(mean, std, (z) => logJoint(z, phi)) + Math.log(std) + 0.5 * (LOG_2PI + 1);

    // slopes: the gradient by mean and std, and the second derivatives
    function slopes([mean, std, phi]) {
      const moment = (hermite) => under(mean, std, (z, e) => hermite(e) * logJoint(z, phi));
      const first = moment((e) => e);
      const second = moment((e) => e * e - 1);
      const third = moment((e) => (e * e - 3) * e);
      const fourth = moment((e) => (e * e - 6) * e * e + 3);
      const s2 = std * std;
      return {
        gradient: [first / std, (second + 1) / std],
        second: [second / s2, third / s2, (second + fourth - 1) / s2],
      };
    }

    // parabola: top and bend of the bound in phi
    function parabola(mean, std) {
      const size = under(mean, std, (z) => z * z);
      return { top: under(mean, std, (z) => z * residual(z, 0)) / size, bend: size / (2 * variance) };
    }

    // climb: Newton's method for the best mean and std near those given
    function climb([mean, std, phi]) {
      let value = elbo([mean, std, phi]);
      for (let i = 0; i < 200; i++) {
        const { gradient: [g0, g1], second: [a, b, c] } = slopes([mean, std, phi]);
        const shift = Math.max(0, (a + c) / 2 + Math.hypot((a - c) / 2, b) + 0.1);
        const [p, q, r] = [shift - a, -b, shift - c];
        let step = [(r * g0 - q * g1) / (p * r - q * q), (p * g1 - q * g0) / (p * r - q * q)];
        while (std + step[1] <= 0 || elbo([mean + step[0], std + step[1], phi]) < value - 1e-13) {
          step = step.map((part) => part / 2);
        }
        [mean, std] = [mean + step[0], std + step[1]];
        value = elbo([mean, std, phi]);
        if (Math.max(...step.map(Math.abs)) < 1e-12) break;
      }
      return [mean, std];
    }

    // Elbo.gradient_step; inside(place) keeps a place within the sliders' ranges
    function gradientStep(place, inside) {
      const { top, bend } = parabola(place[0], place[1]);
      const gradient = [...slopes(place).gradient, 2 * bend * (top - place[2])];
      const value = elbo(place);
      for (let rate = t.rate; ; rate /= 2) {
        const there = inside(place.map((from, i) => from + rate * gradient[i]));
        if (elbo(there) >= value - 1e-13) return there;
      }
    }

    // log p(x | phi), and the posterior density on the grid of z
    function posterior(phi) {
      const terms = Array.from(t.z, (z) => logJoint(z, phi));
      const logPx = logSumExp(terms) + Math.log(t.z_step);
      return { logPx, density: terms.map((term) => Math.exp(term - logPx)) };
    }

    // the gap, by its own integral: the divergence of q from the posterior
    function gap([mean, std, phi], logPx) {
      const logRatio = (z) => logNormal(z, mean, std) + logPx - logJoint(z, phi);
      return Math.max(0, under(mean, std, logRatio));
    }

    // Elbo.nearest: the phi in the picture where the gap is smallest; of two equal ones, the right one
    function nearest(logPx, mean, std) {
      const { top, bend } = parabola(mean, std);
      const target = Array.from(t.z, (z) => residual(z, 0)); // what phi z has to meet
      const slopeOfGap = (phi) => {
        const terms = target.map((r, k) => -0.5 * ((r - phi * t.z[k]) ** 2 / variance + t.z[k] * t.z[k]));
        const highest = Math.max(...terms);
        let mass = 0, pull = 0;
        for (let k = 0; k < terms.length; k++) {
          const weight = Math.exp(terms[k] - highest);
          mass += weight;
          pull += weight * t.z[k] * (target[k] - phi * t.z[k]);
        }
        return pull / mass / variance - 2 * bend * (top - phi);
      };
      const above = Array.from(t.phi, (phi, k) => logPx[k] + bend * (phi - top) ** 2);
      const least = Math.min(...above) + 1e-9;
      const k = above.findLastIndex((value) => value <= least);
      let low = t.phi[Math.max(k - 1, 0)];
      let high = t.phi[Math.min(k + 1, t.phi.length - 1)];
      for (let i = 0; i < 48; i++) {
        const middle = (low + high) / 2;
        if (slopeOfGap(middle) > 0) high = middle;
        else low = middle;
      }
      return (low + high) / 2;
    }

    return { elbo, parabola, climb, gradientStep, posterior, gap, nearest };
  }

  // ---- a gradient through a draw ----

  // vaebook.explorers.reparameterization.Reparameterization.rows, .a and .slope, for one eps
  function gradientRow({ mean, std, baseline, function: name, by }) {
    const step = name === "step";
    return (eps) => {
      const z = mean + std * eps;
      const value = step ? Number(z > 0) : z * z + Math.sin(z);
      const slope = step ? 0 : 2 * z + Math.cos(z);
      const score = by === "mean" ? eps : eps * eps - 1; // times std
      return { value, slope, pathwise: slope * (by === "mean" ? 1 : eps), score: ((value - baseline) * score) / std };
    };
  }

  // Reparameterization.estimates: rows[k][r] is the eps of draw k of estimate r
  function gradientEstimates(rows, { mean, std, baseline, function: name, by }) {
    const count = rows[0].length;
    const [step, byMean] = [name === "step", by === "mean"];
    const [pathwise, score] = [new Float64Array(count), new Float64Array(count)];
    for (const row of rows) {
      for (let r = 0; r < count; r++) {
        const eps = row[r];
        const z = mean + std * eps;
        if (!step) pathwise[r] += (2 * z + Math.cos(z)) * (byMean ? 1 : eps);
        score[r] += ((step ? Number(z > 0) : z * z + Math.sin(z)) - baseline) * (byMean ? eps : eps * eps - 1);
      }
    }
    return { pathwise: pathwise.map((sum) => sum / rows.length), score: score.map((sum) => sum / rows.length / std) };
  }

  // the exact gradient, the variances of one draw (plain: the score function without a baseline), and
  // the best baseline: Reparameterization._score_moments and .compute
  function gradient(grid, mass, values) {
    const { mean, std, baseline, by } = values;
    const row = gradientRow(values);
    const size = by === "mean" ? 1 : 2;
    let [first, second, square, path, path2] = [0, 0, 0, 0, 0];
    if (values.function === "step") {
      const edge = -mean / std;
      const density = Math.exp(logNormal(edge, 0, 1));
      const above = normalCdf(-edge);
      first = by === "mean" ? density : edge * density;
      second = by === "mean" ? edge * density + above : (edge ** 3 + edge) * density + 2 * above;
      square = second;
    } else {
      for (let k = 0; k < grid.length; k++) {
        const { value, pathwise } = row(grid[k]);
        const score = by === "mean" ? grid[k] : grid[k] * grid[k] - 1;
        first += mass[k] * value * score;
        second += mass[k] * value * score * score;
        square += mass[k] * (value * score) ** 2;
        path += mass[k] * pathwise;
      }
      for (let k = 0; k < grid.length; k++) path2 += mass[k] * (row(grid[k]).pathwise - path) ** 2;
    }
    const variance = (b) => (square - 2 * b * second + b * b * size - first * first) / (std * std);
    return {
      gradient: first / std, bestBaseline: second / size,
      pathwiseVariance: path2, scoreVariance: variance(baseline), plainVariance: variance(0),
    };
  }

  // ---- a recorded VAE ----

  // vaebook.explorers.vae_step.as_numpy: a network's parameters, layer after layer, as weights,
  // biases, output weights (one row for each hidden unit) and output biases
  function twoLayers(parameters, nIn, nHidden, nOut) {
    let start = 0;
    const [weights, biases, output, shift] = [nIn * nHidden, nHidden, nHidden * nOut, nOut].map((size) =>
      Array.from(parameters.slice(start, (start += size))));
    const byUnit = output.map((_, i) => output[(i % nOut) * nHidden + Math.floor(i / nOut)]);
    return [weights, biases, byUnit, shift];
  }

  // vaebook.approximation.AmortisedGaussian of a plane, from such parameters; the last number is the
  // logarithm of the variance
  function tanhEncoder(parameters, nHidden) {
    const [weights, biases, output, shift] = twoLayers(parameters, 2, nHidden, 2);
    return ([x1, x2]) => {
      let [mean, logVar] = shift;
      for (let h = 0; h < nHidden; h++) {
        const unit = Math.tanh(weights[2 * h] * x1 + weights[2 * h + 1] * x2 + biases[h]);
        mean += unit * output[2 * h];
        logVar += unit * output[2 * h + 1];
      }
      return { mean, std: Math.exp(logVar / 2) };
    };
  }

  // ---- Gaussians for a posterior ----

  const FIT_EPS = Array.from({ length: 301 }, (_, k) => (k - 150) * 0.06);
  const FIT_MASS = FIT_EPS.map((eps) => 0.06 * Math.exp(logNormal(eps, 0, 1)));

  // vaebook.explorers.posterior.valley, as a decoder
  const valley = ({ place, steepness, bend, tilt, floor }) => (z) => {
    const u = z - place;
    return [steepness * Math.sqrt(u * u + bend) + tilt * u + floor];
  };

  // vaebook.approximation.AmortisedGaussian for one data number
  const amortised = (weights, biases, output, shift) => (x) => {
    let [mean, logStd] = shift;
    for (let h = 0; h < biases.length; h++) {
      const unit = Math.tanh(weights[h] * x + biases[h]);
      mean += unit * output[2 * h];
      logStd += unit * output[2 * h + 1];
    }
    return { mean, std: Math.exp(logStd) };
  };

  // the divergence of the posterior from a bell, as vaebook.explorers.posterior.Posterior.compute has it
  function forwardDivergence(logJoint, logPx, mean, std) {
    let sum = 0;
    for (const z of LATENT) {
      const logPosterior = logJoint(z) - logPx;
      const mass = 0.01 * Math.exp(logPosterior);
      if (mass > 0) sum += mass * (logPosterior - logNormal(z, mean, std));
    }
    return sum;
  }

  // vaebook.approximation.climb_gaussian for a function z -> log p(x, z); the bound lacks a constant
  function climbGaussian(logJoint, mean, std) {
    let here = [mean, Math.log(std)];
    let value = -Infinity, step = [0, 0], part = 1;
    for (let i = 0; i < 100; i++) {
      const move = step.map((length) => part * length);
      const there = [here[0] + Math.exp(here[1]) * move[0], here[1] + move[1]];
      const m = [0, 0, 0, 0, 0];
      FIT_EPS.forEach((eps, k) => {
        const term = FIT_MASS[k] * logJoint(there[0] + Math.exp(there[1]) * eps);
        const e2 = eps * eps;
        [1, eps, e2 - 1, (e2 - 3) * eps, (e2 - 6) * e2 + 3].forEach((hermite, n) => { m[n] += hermite * term; });
      });
      const bound = m[0] + there[1];
      const last = value > -Infinity && Math.max(...move.map(Math.abs)) < 1e-10;
      if (bound >= value - 1e-13 * (1 + Math.abs(bound))) {
        [here, value, part] = [there, bound, 1];
        step = newtonStep(m[1], m[2] + 1, m[2], m[3], 2 * m[2] + m[4]);
      } else part /= 4;
      if (last) break;
    }
    return { mean: here[0], std: Math.exp(here[1]), bound: value };
  }
  function newtonStep(slope1, slope2, a, b, c) {
    const shift = Math.max(0, (a + c) / 2 + Math.hypot((a - c) / 2, b) + 0.1);
    [a, c] = [shift - a, shift - c];
    const step = [c * slope1 + b * slope2, b * slope1 + a * slope2].map((part) => part / (a * c - b * b));
    const longest = Math.max(1, ...step.map(Math.abs));
    return step.map((part) => part / longest);
  }

  // vaebook.approximation.fit_gaussian, "reverse"; `moments` holds mean and std of the posterior
  function bestGaussian(logJoint, moments) {
    const on = LATENT.map(logJoint);
    const peaks = [];
    for (let k = 1; k + 1 < on.length; k++) {
      const bend = (2 * on[k] - on[k - 1] - on[k + 1]) / 1e-4;
      if (on[k] > on[k - 1] && on[k] >= on[k + 1]) peaks.push({ height: on[k], mean: LATENT[k], std: 1 / Math.sqrt(Math.min(1e8, Math.max(0.01, bend))) });
    }
    peaks.sort((a, b) => b.height - a.height);
    const tops = [...peaks.slice(0, 4), moments].map(({ mean, std }) => climbGaussian(logJoint, mean, std));
    return tops.reduce((best, top) => (top.bound > best.bound ? top : best));
  }

  // ---- the plane of a trained VAE ----

  const sigmoid = (a) => 1 / (1 + Math.exp(-a));
  const softplus = (a) => Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a)));

  // vaebook.explorers.latent_space.PixelDecoder: .layers, and .logits at one z
  function pixelDecoder(numbers, widths, units) {
    let start = 0;
    const tensor = (size, unit) => Float64Array.from(numbers.subarray(start, (start += size)), (whole) => whole * unit);
    const layers = widths.slice(1).map((nOut, k) => ({
      weights: tensor(nOut * widths[k], units[2 * k]), biases: tensor(nOut, units[2 * k + 1]),
    }));
    return (z) => layers.reduce((values, { weights, biases }, k) => biases.map((shift, row) => {
      let sum = shift;
      for (let i = 0, at = row * values.length; i < values.length; i++) sum += weights[at + i] * values[i];
      return k < layers.length - 1 ? Math.tanh(sum) : sum;
    }), z);
  }

  // vaebook.explorers.latent_space.LatentSpace.compute: ink and entropy
  function pixelStatistics(logits) {
    let [ink, entropy] = [0, 0];
    for (const a of logits) {
      const p = sigmoid(a);
      ink += p;
      entropy += softplus(a) - a * p;
    }
    return { ink, entropy };
  }

  // log p(x|z) of binary pixels x, in nats
  const logBernoulli = (x, logits) => x.reduce((sum, pixel, d) => sum + pixel * logits[d] - softplus(logits[d]), 0);

  // the prior of a plane, and vaebook.explorers.latent_space.density at one z
  const planePrior = (z) => Math.exp(logNormal(z[0], 0, 1) + logNormal(z[1], 0, 1));
  function betweenCells(table, [low, high], count, z) {
    const place = z.map((value) => Math.min(count - 1, Math.max(0, ((value - low) * count) / (high - low) - 0.5)));
    const [j, i] = place.map((at) => Math.min(Math.floor(at), count - 2));
    const [right, up] = [place[0] - j, place[1] - i];
    const row = (k) => table[k * count + j] * (1 - right) + table[k * count + j + 1] * right;
    return row(i) * (1 - up) + row(i + 1) * up;
  }

  // vaebook.explorers.latent_space.plane: the prior's density in cells that are holes, elsewhere 0
  function holes(aggregated, [low, high], count, short) {
    const width = (high - low) / count;
    const mass = Array.from({ length: count }, (_, k) => normalCdf(low + (k + 1) * width) - normalCdf(low + k * width));
    const at = Array.from({ length: count * count }, (_, k) => [k % count, Math.floor(k / count)]);
    const prior = at.map(([j, i], k) => {
      const density = (mass[j] * mass[i]) / width ** 2;
      return aggregated[k] < short * density ? density : 0;
    });
    return {
      prior,
      middles: at.map((cell) => cell.map((k) => low + (k + 0.5) * width)),
      mass: prior.reduce((sum, density) => sum + density, 0) * width ** 2,
    };
  }

  return { logNormal, logSumExp, mixture, mixtureCurves, concave, tangent, jensen, scaledExp, interpolate, shareRest, normalCdf, pair, standardNormal, gradientRow, gradientEstimates, gradient, tanhDecoder, curveLogEvidence, curveDensity, planeDensity, slopeModel, logLikelihood, evidence, boundTerms, twoLayers, tanhEncoder, valley, amortised, climbGaussian, bestGaussian, forwardDivergence, sigmoid, pixelDecoder, pixelStatistics, logBernoulli, planePrior, betweenCells, holes };
})();
