// The latent plane of a trained VAE.
Object.assign(vaebook.forms, (() => {
  "use strict";
  const { logNormal, normalCdf } = vaebook.forms;

  const sigmoid = (a) => 1 / (1 + Math.exp(-a));
  const softplus = (a) => Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a)));

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

  return { sigmoid, softplus, pixelStatistics, logBernoulli, planePrior, betweenCells, holes };
})());
