// A gradient through a sample.
Object.assign(vaebook.forms, (() => {
  "use strict";
  const { logNormal, normalCdf } = vaebook.forms;

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

  return { gradientRow, gradientEstimates, gradient };
})());
