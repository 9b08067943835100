// The ELBO of a model with one slope, as a function of q and of that slope.
Object.assign(vaebook.forms, (() => {
  "use strict";
  const { LOG_2PI, bestGaussian, climbGaussian, logNormal, logSumExp, moments, root } = vaebook.forms;

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

    // slopes: the gradient by mean and std
    function slopes([mean, std, phi]) {
      const moment = (hermite) => under(mean, std, (z, e) => hermite(e) * logJoint(z, phi));
      return [moment((e) => e) / std, (moment((e) => e * e - 1) + 1) / std];
    }

    // parabola: top and bend of the bound in phi
    function parabola(mean, std) {
      const size = under(mean, std, (z) => z * z);
      return { top: under(mean, std, (z) => z * residual(z, 0)) / size, bend: size / (2 * variance) };
    }

    // climb: the best mean and std near those given; best: the best of all
    const at = (phi) => (z) => logJoint(z, phi);
    function climb([mean, std, phi]) {
      const top = climbGaussian(at(phi), mean, std);
      return [top.mean, top.std];
    }
    function best(phi) {
      const { mean, std } = bestGaussian(at(phi), moments(at(phi)));
      return [mean, std, phi];
    }

    // Elbo.gradient_step; inside(place) keeps a place within the sliders' ranges
    function gradientStep(place, inside) {
      const { top, bend } = parabola(place[0], place[1]);
      const gradient = [...slopes(place), 2 * bend * (top - place[2])];
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

    // the gap, by its own integral: the KL divergence from q to the posterior
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
      return root(slopeOfGap, t.phi[Math.max(k - 1, 0)], t.phi[Math.min(k + 1, t.phi.length - 1)]);
    }

    return { elbo, parabola, climb, best, gradientStep, posterior, gap, nearest };
  }

  return { slopeModel };
})());
