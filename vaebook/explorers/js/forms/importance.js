// Importance sampling of the evidence.
Object.assign(vaebook.forms, (() => {
  "use strict";
  const { LOG_2PI, logNormal } = vaebook.forms;
  const [STEP, LOW, HIGH, FARTHEST] = [0.25, -37, 4.5, 7.5]; // as in vaebook.importance

  // z -> log p(x, z) of vaebook.explorers.weights.MODELS
  function foldedLogJoint({ slope, soft, noise }, x) {
    const decoder = (z) => (soft ? Math.sqrt(z * z + soft * soft) : slope * z);
    return (z) => logNormal(x, decoder(z), noise) + logNormal(z, 0, 1);
  }

  // vaebook.importance.log_importance_weights: eps -> log w
  function logImportanceWeight(logJoint, mean, std) {
    const height = 0.5 * LOG_2PI + Math.log(std);
    return (eps) => logJoint(mean + std * eps) + 0.5 * eps * eps + height;
  }

  // vaebook.importance.log_mean_exp of each column; rows[k][r] is a log-weight
  function logMeanExp(rows) {
    const tops = rows.reduce((most, row) => most.map((top, r) => Math.max(top, row[r])));
    const sums = new Float64Array(tops.length);
    for (const row of rows) for (let r = 0; r < sums.length; r++) sums[r] += Math.exp(row[r] - tops[r]);
    return sums.map((sum, r) => tops[r] + Math.log(sum / rows.length));
  }

  // vaebook.importance.importance_bound at each of the counts; logWeight as a function of eps
  function importanceBound(logWeight, grid, density, counts) {
    const near = Array.from(grid.keys()).filter((k) => Math.abs(grid[k]) <= FARTHEST);
    const total = near.reduce((sum, k) => sum + density[k], 0);
    const mass = near.map((k) => density[k] / total);
    const raw = near.map((k) => logWeight(grid[k]));
    const centre = raw.reduce((sum, value, i) => sum + mass[i] * value, 0);
    const logW = raw.map((value) => value - centre);

    const first = logW.map((value) => Math.ceil((LOW - value) / STEP));
    const band = 1 + Math.trunc((HIGH - LOW) / STEP);
    const start = Math.min(...first);
    const size = Math.max(...first) - start + band;
    const [begun, inBand] = [new Float64Array(size), new Float64Array(size)];
    for (let i = 0; i < logW.length; i++) {
      begun[first[i] - start] += mass[i];
      for (let j = first[i]; j < first[i] + band; j++) inBand[j - start] += mass[i] * Math.exp(-Math.exp(STEP * j + logW[i]));
    }
    const sums = counts.map(() => 0);
    for (let j = 0, done = 0; j < size; j++) {
      done += begun[j];
      const transform = 1 - done + inBand[j];
      const atOne = Math.exp(-Math.exp(Math.min(STEP * (start + j), HIGH + 1)));
      for (let i = 0; i < counts.length; i++) sums[i] += atOne - transform ** counts[i];
    }
    return sums.map((sum, i) => centre + STEP * sum - Math.log(counts[i]));
  }

  return { foldedLogJoint, logImportanceWeight, logMeanExp, importanceBound };
})());
