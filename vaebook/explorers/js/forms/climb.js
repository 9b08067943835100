// Gaussians for a posterior: the climb to the nearest top, and the best of all.
Object.assign(vaebook.forms, (() => {
  "use strict";
  const { EPS, EPS_MASS, LATENT, logNormal } = vaebook.forms;

  // vaebook.explorers.posterior.valley, as a decoder
  const valley = ({ place, steepness, bend, tilt, floor }) => (z) => {
    const u = z - place;
    return [steepness * Math.sqrt(u * u + bend) + tilt * u + floor];
  };

  // vaebook.approximation.forward_kl
  function forwardDivergence(logJoint, logPx, mean, std) {
    let sum = 0;
    for (const z of LATENT) {
      const logPosterior = logJoint(z) - logPx;
      const mass = 0.01 * Math.exp(logPosterior);
      if (mass > 0) sum += mass * (logPosterior - logNormal(z, mean, std));
    }
    return sum;
  }

  // vaebook.approximation.climb_gaussian for a function z -> log p(x, z); the bound lacks a constant,
  // and `stops` are the places on the way
  function climbGaussian(logJoint, mean, std) {
    let here = [mean, Math.log(std)];
    let value = -Infinity, step = [0, 0], part = 1;
    const stops = [];
    for (let i = 0; i < 100; i++) {
      const move = step.map((length) => part * length);
      const there = [here[0] + Math.exp(here[1]) * move[0], here[1] + move[1]];
      // Expectations of log p(x, z) times the Hermite polynomials.
      const m = [0, 0, 0, 0, 0];
      EPS.forEach((eps, k) => {
        const term = EPS_MASS[k] * logJoint(there[0] + Math.exp(there[1]) * eps);
        const e2 = eps * eps;
        m[0] += term;
        m[1] += eps * term;
        m[2] += (e2 - 1) * term;
        m[3] += (e2 - 3) * eps * term;
        m[4] += ((e2 - 6) * e2 + 3) * term;
      });
      const bound = m[0] + there[1];
      const last = value > -Infinity && Math.max(...move.map(Math.abs)) < 1e-10;
      if (bound >= value - 1e-13 * (1 + Math.abs(bound))) {
        [here, value, part] = [there, bound, 1];
        stops.push(here);
        step = newtonStep(m[1], m[2] + 1, m[2], m[3], 2 * m[2] + m[4]);
      } else part /= 4;
      if (last) break;
    }
    return { mean: here[0], std: Math.exp(here[1]), bound: value, stops };
  }
  // the place at that part of the way from the first stop to the last
  function along(stops, part) {
    const lengths = stops.slice(1).map((stop, k) => Math.hypot(stop[0] - stops[k][0], stop[1] - stops[k][1]));
    let left = part * lengths.reduce((sum, length) => sum + length, 0);
    const k = lengths.findIndex((length) => (left -= length) <= 0);
    if (k < 0) return stops[stops.length - 1];
    const back = lengths[k] ? -left / lengths[k] : 0;
    return stops[k + 1].map((end, i) => end + back * (stops[k][i] - end));
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
      if (on[k] <= on[k - 1] || on[k] < on[k + 1]) continue;
      const bend = (2 * on[k] - on[k - 1] - on[k + 1]) / 1e-4;
      const std = 1 / Math.sqrt(Math.min(1e8, Math.max(0.01, bend)));
      peaks.push({ height: on[k], mean: LATENT[k], std });
    }
    peaks.sort((a, b) => b.height - a.height);
    const tops = [...peaks.slice(0, 4), moments].map(({ mean, std }) => climbGaussian(logJoint, mean, std));
    return tops.reduce((best, top) => (top.bound > best.bound ? top : best));
  }

  return { valley, forwardDivergence, climbGaussian, along, bestGaussian };
})());
