// The latent plane of a trained VAE.
Object.assign(vaebook.forms, (() => {
  "use strict";
  const { logNormal, normalCdf } = vaebook.forms;

  // an ellipse around a place, as two lists
  const TURN = Array.from({ length: 73 }, (_, i) => (i * Math.PI) / 36);
  const ellipse = ([z1, z2], [a, b]) => [TURN.map((at) => z1 + a * Math.cos(at)), TURN.map((at) => z2 + b * Math.sin(at))];

  // vaebook.explorers.latent_plane.nearest: the place k of the code nearest to z, its digit and distance
  const nearestAmong = (codes, labels) => ([z1, z2]) => {
    const far = codes.map((code) => Math.hypot(code[0] - z1, code[1] - z2));
    const distance = Math.min(...far), k = far.indexOf(distance);
    return { k, digit: labels[k], distance };
  };

  const sigmoid = (a) => 1 / (1 + Math.exp(-a));

  // vaebook.explorers.latent_space.LatentSpace.compute: ink and entropy
  function pixelStatistics(logits) {
    let [ink, entropy] = [0, 0];
    for (const a of logits) {
      const part = Math.exp(-Math.abs(a));
      const p = (a < 0 ? part : 1) / (1 + part);
      ink += p;
      entropy += Math.max(a, 0) + Math.log1p(part) - a * p;
    }
    return { ink, entropy };
  }

  // log p(x|z) of at most a thousand binary pixels x, in nats: the log of a product takes less time
  // than a sum of logs
  function logBernoulli(x, logits) {
    let sum = 0, product = 1;
    for (let d = 0; d < x.length; d++) {
      sum += x[d] * logits[d] - Math.max(logits[d], 0);
      product *= 1 + Math.exp(-Math.abs(logits[d]));
    }
    return sum - Math.log(product);
  }

  // the prior of a plane, and vaebook.explorers.latent_plane.density at one z
  const planePrior = (z) => Math.exp(logNormal(z[0], 0, 1) + logNormal(z[1], 0, 1));
  function betweenCells(table, [low, high], count, z) {
    const place = z.map((value) => Math.min(count - 1, Math.max(0, ((value - low) * count) / (high - low) - 0.5)));
    const [j, i] = place.map((at) => Math.min(Math.floor(at), count - 2));
    const [right, up] = [place[0] - j, place[1] - i];
    const row = (k) => table[k * count + j] * (1 - right) + table[k * count + j + 1] * right;
    return row(i) * (1 - up) + row(i + 1) * up;
  }

  // vaebook.explorers.latent_plane.plane: the prior's density in cells that are holes, elsewhere 0
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

  // for each digit the middle of the densest cell in which it prevails (vaebook.explorers.latent_plane)
  function regions({ classes, aggregated, side: [low, high], cells: count }) {
    const best = Array.from({ length: 10 }, (_, digit) =>
      aggregated.reduce((top, value, k) => (classes[k] === digit && (top < 0 || value > aggregated[top]) ? k : top), -1));
    return best.map((k) => [k % count, Math.floor(k / count)].map((at) => low + ((at + 0.5) * (high - low)) / count));
  }

  // the edges between cells of two digits, as pieces [z1, z2], [z1, z2], none at a hole
  function borders({ classes, side: [low, high], cells: count }, isHole) {
    const place = (at) => low + (at * (high - low)) / count;
    const parts = (k, other) => !isHole[k] && !isHole[other] && classes[k] !== classes[other];
    const pieces = [];
    for (let k = 0; k < count * count; k++) {
      const [j, i] = [k % count, Math.floor(k / count)];
      if (j + 1 < count && parts(k, k + 1)) pieces.push([place(j + 1), place(i)], [place(j + 1), place(i + 1)], [NaN, NaN]);
      if (i + 1 < count && parts(k, k + count)) pieces.push([place(j), place(i + 1)], [place(j + 1), place(i + 1)], [NaN, NaN]);
    }
    return pieces;
  }

  // vaebook.explorers.latent_plane.manifold: images decoded on a grid, side by side, rows upwards
  function decodedPlane(decode, [low, high], tiles) {
    const image = new Float64Array((28 * tiles) ** 2);
    const place = (at) => low + ((at + 0.5) / tiles) * (high - low);
    for (let i = 0; i < tiles; i++) {
      for (let j = 0; j < tiles; j++) {
        decode([place(j), place(i)]).forEach((logit, k) => {
          image[28 * tiles * (28 * i + 27 - Math.floor(k / 28)) + 28 * j + (k % 28)] = sigmoid(logit);
        });
      }
    }
    return image;
  }

  // vaebook.explorers.latent_plane.encoded: mean and std of q, and minus the ELBO of pixels x
  function encoded({ encode, decode, nodes, weights }, x) {
    const output = encode(x);
    const [mean, std] = [output.slice(0, 2), output.slice(2).map((value) => Math.exp(value / 2))];
    let cost = 0;
    nodes.forEach((a, i) => nodes.forEach((b, j) => {
      cost -= weights[i] * weights[j] * logBernoulli(x, decode([mean[0] + std[0] * a, mean[1] + std[1] * b]));
    }));
    mean.forEach((m, d) => { cost += 0.5 * (std[d] ** 2 + m * m - 1) - Math.log(std[d]); });
    return { mean, std, cost };
  }

  return {
    ellipse, nearestAmong, sigmoid, pixelStatistics, logBernoulli, planePrior, betweenCells, holes, regions, borders,
    decodedPlane, encoded,
  };
})());
