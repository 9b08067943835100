// A gradient through a sample.
Object.assign(vaebook.forms, (() => {
  "use strict";
  const { logNormal, normalCdf } = vaebook.forms;

  // vaebook.explorers.reparameterization.FUNCTIONS
  const STEP = { value: (z) => Number(z > 0), slope: () => 0 };
  const SMOOTH = { value: (z) => z * z + Math.sin(z), slope: (z) => 2 * z + Math.cos(z) };
  const functionOf = (name) => (name === "step" ? STEP : SMOOTH);

  // vaebook.gradients.pathwise_rows and .score_rows, for one eps
  function gradientRow({ mean, std, baseline, function: name, by }) {
    const of = functionOf(name);
    return (eps) => {
      const z = mean + std * eps;
      const [value, slope] = [of.value(z), of.slope(z)];
      const score = by === "mean" ? eps : eps * eps - 1; // times std
      return { value, slope, pathwise: slope * (by === "mean" ? 1 : eps), score: ((value - baseline) * score) / std };
    };
  }

  // Reparameterization.estimates: rows[k][r] is the eps of draw k of estimate r
  function gradientEstimates(rows, { mean, std, baseline, function: name, by }) {
    const count = rows[0].length;
    const [of, byMean] = [functionOf(name), by === "mean"];
    const [pathwise, score] = [new Float64Array(count), new Float64Array(count)];
    for (const row of rows) {
      for (let r = 0; r < count; r++) {
        const eps = row[r];
        const z = mean + std * eps;
        pathwise[r] += of.slope(z) * (byMean ? 1 : eps);
        score[r] += (of.value(z) - baseline) * (byMean ? eps : eps * eps - 1);
      }
    }
    return { pathwise: pathwise.map((sum) => sum / rows.length), score: score.map((sum) => sum / rows.length / std) };
  }

  // vaebook.gradients.row_moments, with variances in place of standard deviations (plain: of the
  // score function without a baseline)
  function gradientMoments(grid, mass, values) {
    const { mean, std, baseline, by } = values;
    const row = gradientRow({ ...values, baseline: 0 });
    const size = by === "mean" ? 1 : 2;
    let [average, first, second, square, path, path2] = [0, 0, 0, 0, 0, 0];
    if (values.function === "step") { // a^2 = a, and no grid is fine enough for a jump
      const edge = -mean / std;
      const density = Math.exp(logNormal(edge, 0, 1));
      average = normalCdf(-edge);
      first = by === "mean" ? density : edge * density;
      second = by === "mean" ? edge * density + average : (edge ** 3 + edge) * density + 2 * average;
      square = second;
    } else {
      const rows = Array.from(grid, row);
      for (let k = 0; k < grid.length; k++) {
        const { value, pathwise } = rows[k];
        const score = by === "mean" ? grid[k] : grid[k] * grid[k] - 1;
        average += mass[k] * value;
        first += mass[k] * value * score;
        second += mass[k] * value * score * score;
        square += mass[k] * (value * score) ** 2;
        path += mass[k] * pathwise;
      }
      for (let k = 0; k < grid.length; k++) path2 += mass[k] * (rows[k].pathwise - path) ** 2;
    }
    const variance = (b) => (square - 2 * b * second + b * b * size - first * first) / (std * std);
    return {
      average, gradient: first / std, bestBaseline: second / size,
      pathwiseVariance: path2, scoreVariance: variance(baseline), plainVariance: variance(0),
    };
  }

  return { gradientRow, gradientEstimates, gradientMoments, averagedFunction: functionOf };
})());
