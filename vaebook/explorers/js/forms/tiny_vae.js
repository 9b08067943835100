// A VAE small enough to be trained while one looks on: 2-16-16-2 and 1-16-16-2 tanh networks, one
// sample a point, Adam. Every sum is taken in a fixed order, so that a seed gives the same run
// everywhere. vaebook.explorers.tiny_vae is the double, bit for bit.
Object.assign(vaebook.forms, (() => {
  "use strict";
  const { exactExp, exactTanh, exactCosine, exactNormal, uniform } = vaebook.forms;

  const ENCODER = [2, 16, 16, 2], DECODER = [1, 16, 16, 2];
  const BATCH = 100, PERIOD = 3000, HIGH = 0.02, LOW = 0.0005;

  // The layers of a network whose numbers begin at `start`: weights row by row, then biases.
  function layersOf(widths, start) {
    const layers = [];
    for (let k = 1; k < widths.length; k++) {
      const [n, m] = [widths[k - 1], widths[k]];
      layers.push({ n, m, w: start, b: start + n * m, last: k === widths.length - 1 });
      start += n * m + m;
    }
    return { layers, end: start };
  }
  const encoder = layersOf(ENCODER, 0), decoder = layersOf(DECODER, encoder.end);
  const SIZE = decoder.end;
  const room = ({ layers }) => [layers[0].n, ...layers.map((layer) => layer.m)].map((n) => new Float64Array(n));
  const [encoded, encodedSlope, decoded, decodedSlope] = [room(encoder), room(encoder), room(decoder), room(decoder)];

  // values[0] is the input; the outputs are left in the last of `values`.
  function forward(p, { layers }, values) {
    for (let k = 0; k < layers.length; k++) step(p, layers[k], values[k], values[k + 1]);
    return values[layers.length];
  }
  function step(p, layer, from, to) {
    const n = layer.n, m = layer.m, b = layer.b;
    for (let o = 0, at = layer.w; o < m; o++, at += n) {
      let sum = p[at] * from[0];
      for (let i = 1; i < n; i++) sum += p[at + i] * from[i];
      to[o] = sum + p[b + o];
    }
    if (!layer.last) for (let o = 0; o < m; o++) to[o] = exactTanh(to[o]);
  }

  // From the slopes of the outputs to those of the input, all added to the gradient g.
  function backward(p, g, { layers }, values, slopes) {
    for (let k = layers.length - 1; k >= 0; k--) stepBack(p, g, layers[k], values[k], slopes[k + 1], slopes[k], k > 0);
  }
  function stepBack(p, g, layer, from, slope, to, hidden) {
    const n = layer.n, m = layer.m, w = layer.w, b = layer.b;
    for (let o = 0; o < m; o++) g[b + o] += slope[o];
    for (let i = 0; i < n; i++) {
      const f = from[i];
      let sum = 0;
      for (let o = 0, at = w + i; o < m; o++, at += n) {
        g[at] += slope[o] * f;
        sum += slope[o] * p[at];
      }
      to[i] = hidden ? sum * (1 - f * f) : sum;
    }
  }

  // The gradient of beta KL - log p(x|z*), the mean over a batch x = [x1, x2, x1, ...] with noise eps.
  function gradient(p, x, eps, beta, std, g) {
    g.fill(0);
    const pull = 1 / (std * std * eps.length), weight = beta / eps.length;
    for (let k = 0; k < eps.length; k++) {
      encoded[0][0] = x[2 * k];
      encoded[0][1] = x[2 * k + 1];
      const q = forward(p, encoder, encoded), mean = q[0], s = exactExp(0.5 * q[1]);
      decoded[0][0] = mean + s * eps[k];
      const f = forward(p, decoder, decoded);
      for (let d = 0; d < 2; d++) decodedSlope[3][d] = (f[d] - x[2 * k + d]) * pull;
      backward(p, g, decoder, decoded, decodedSlope);
      const slope = decodedSlope[0][0];
      encodedSlope[3][0] = slope + weight * mean;
      encodedSlope[3][1] = slope * (0.5 * s * eps[k]) + weight * (0.5 * (s * s - 1));
      backward(p, g, encoder, encoded, encodedSlope);
    }
    return g;
  }

  // A network before its training: each number uniform within one over the root of its inputs.
  function newTraining(seed) {
    const p = new Float64Array(SIZE);
    for (const { n, m, w, b } of [...encoder.layers, ...decoder.layers]) {
      const bound = 1 / Math.sqrt(n);
      for (let at = w; at < b + m; at++) p[at] = bound * (2 * uniform(2 ** 31 + seed, at) - 1);
    }
    return { p, first: new Float64Array(SIZE), second: new Float64Array(SIZE), decay1: 1, decay2: 1, t: 0 };
  }
  const copyOf = (run) => ({ ...run, p: run.p.slice(), first: run.first.slice(), second: run.second.slice() });

  const rateAt = (update) => LOW + 0.5 * (HIGH - LOW) * (1 + exactCosine(update / (2 * PERIOD)));

  // One update of `run` by Adam: a batch drawn from the points [x1, x2, x1, ...], with fresh noise.
  const x = new Float64Array(2 * BATCH), eps = new Float64Array(BATCH), g = new Float64Array(SIZE);
  function trainOnce(run, points, { seed, beta, std, rate }) {
    for (let k = 0; k < BATCH; k++) {
      const place = 3 * (BATCH * run.t + k);
      const i = Math.floor(uniform(seed, place) * (points.length >> 1));
      x[2 * k] = points[2 * i];
      x[2 * k + 1] = points[2 * i + 1];
      eps[k] = exactNormal(uniform(seed, place + 1), uniform(seed, place + 2));
    }
    gradient(run.p, x, eps, beta, std, g);
    run.t += 1;
    run.decay1 *= 0.9;
    run.decay2 *= 0.99;
    const { p, first, second } = run, c1 = 1 - run.decay1, c2 = 1 - run.decay2;
    for (let k = 0; k < SIZE; k++) {
      first[k] = 0.9 * first[k] + (1 - 0.9) * g[k];
      second[k] = 0.99 * second[k] + (1 - 0.99) * (g[k] * g[k]);
      p[k] -= (rate * (first[k] / c1)) / (Math.sqrt(second[k] / c2) + 1e-8);
    }
  }

  // Mean and standard deviation of q at one x; the decoder at one z.
  function encode(p, x1, x2) {
    encoded[0][0] = x1;
    encoded[0][1] = x2;
    const q = forward(p, encoder, encoded);
    return [q[0], exactExp(0.5 * q[1])];
  }
  function decode(p, z) {
    decoded[0][0] = z;
    const f = forward(p, decoder, decoded);
    return [f[0], f[1]];
  }

  return { newTraining, copyOf, rateAt, trainOnce, gradient, encode, decode };
})());
