// The only formulas that the explorers' scripts hold are in this folder: what must be evaluated while
// a slider moves. Each has its double in Python, named beside it; tests hold the two within 1e-9.
Object.assign(vaebook.forms, (() => {
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

  // where a rising function is zero, between low and high, or the end that is nearer: false
  // position, with half the weight for an end that stays (the Illinois way)
  function root(rising, low, high) {
    let [below, above] = [rising(low), rising(high)];
    if (below >= 0) return low;
    if (above <= 0) return high;
    for (let last = 0; high - low > 1e-13; ) {
      const at = Math.min(high, Math.max(low, (low * above - high * below) / (above - below)));
      const value = rising(at);
      if (value === 0 || at === low || at === high) return at;
      if (value < 0) {
        [low, below] = [at, value];
        if (last < 0) above /= 2;
      } else {
        [high, above] = [at, value];
        if (last > 0) below /= 2;
      }
      last = Math.sign(value);
    }
    return (low + high) / 2;
  }

  // scipy.special.ndtr, the cumulative normal: a series whose terms are all positive
  function normalCdf(t) {
    if (t < 0) return 1 - normalCdf(-t);
    if (t > 9) return 1;
    let sum = t;
    for (let term = t, k = 3; term > 1e-17 * sum; k += 2) sum += term *= (t * t) / k;
    return 0.5 + sum * Math.exp(logNormal(t, 0, 1));
  }

  const sumOf = (numbers) => numbers.reduce((sum, value) => sum + value, 0);
  const meanOf = (numbers) => sumOf(numbers) / numbers.length;

  // mean and standard deviation of a density, from its mass at each point of a grid
  function massMoments(mass, grid) {
    const mean = mass.reduce((sum, m, k) => sum + m * grid[k], 0);
    const variance = mass.reduce((sum, m, k) => sum + m * (grid[k] - mean) ** 2, 0);
    return { mean, std: Math.sqrt(variance) };
  }

  // a histogram: left ends, right ends and heights of its bars, of which one has `centre` in its
  // middle and the highest the height 1
  function tally(numbers, centre, width) {
    const counts = new Map();
    for (const value of numbers) {
      const bin = Math.round((value - centre) / width);
      counts.set(bin, (counts.get(bin) ?? 0) + 1);
    }
    const lefts = Array.from(counts.keys(), (bin) => centre + (bin - 0.5) * width);
    const most = Math.max(1, ...counts.values());
    return [lefts, lefts.map((left) => left + width), Array.from(counts.values(), (count) => count / most)];
  }

  // places [a, b] as two lists
  const columnsOf = (places) => [0, 1].map((d) => places.map((place) => place[d]));

  // vaebook.explorers.random_numbers.uniform, entry `place`, and .standard_normal, entry `index`
  const mix = (bits) => {
    bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
    bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
    return (bits ^ (bits >>> 16)) >>> 0;
  };
  const uniform = (seed, place) => (mix(mix(seed + 0x9e3779b9) + Math.imul(place, 0x9e3779b9)) + 0.5) / 2 ** 32;
  const standardNormal = (seed, index) =>
    Math.sqrt(-2 * Math.log(uniform(seed, 2 * index))) * Math.cos(2 * Math.PI * uniform(seed, 2 * index + 1));

  return {
    LOG_2PI, logNormal, logSumExp, interpolate, root, normalCdf, sumOf, meanOf, massMoments, tally, columnsOf,
    uniform, standardNormal,
  };
})());
