// Importance sampling of the evidence.
Object.assign(vaebook.forms, (() => {
  "use strict";
  const { LOG_2PI } = vaebook.forms;
  const [STEP, LOW, HIGH, FARTHEST] = [0.25, -37, 4.5, 7.5]; // as in vaebook.importance

  // z -> log p(x, z) of vaebook.explorers.weights.MODELS
  function foldedLogJoint({ slope, soft, noise }, x) {
    const height = -LOG_2PI - Math.log(noise); // once, and not for each of thousands of weights
    return (z) => {
      const d = (x - (soft ? Math.sqrt(z * z + soft * soft) : slope * z)) / noise;
      return height - 0.5 * (d * d + z * z);
    };
  }

  // vaebook.importance.log_importance_weights: eps -> log w
  function logImportanceWeight(logJoint, mean, std) {
    const height = 0.5 * LOG_2PI + Math.log(std);
    return (eps) => logJoint(mean + std * eps) + 0.5 * eps * eps + height;
  }

  // vaebook.importance.log_mean_exp of each column of a table that grows: add(row), value()
  function logMeanExp(columns) {
    const tops = new Float64Array(columns).fill(-Infinity), sums = new Float64Array(columns);
    let n = 0;
    return {
      add(row) {
        n += 1;
        for (let r = 0; r < columns; r++) {
          const above = row[r] - tops[r];
          if (above <= 0) sums[r] += Math.exp(above);
          else {
            sums[r] = 1 + sums[r] * Math.exp(-above);
            tops[r] = row[r];
          }
        }
      },
      value: () => sums.map((sum, r) => tops[r] + Math.log(sum / n)),
    };
  }

  const BAND = Float64Array.from({ length: 1 + Math.trunc((HIGH - LOW) / STEP) }, (_, j) => Math.exp(STEP * j));

  // vaebook.importance.importance_bound at each of the counts; logWeight as a function of eps
  function importanceBound(logWeight, grid, density, counts) {
    const near = Array.from(grid.keys()).filter((k) => Math.abs(grid[k]) <= FARTHEST);
    const total = near.reduce((sum, k) => sum + density[k], 0);
    const mass = near.map((k) => density[k] / total);
    const raw = near.map((k) => logWeight(grid[k]));
    const centre = raw.reduce((sum, value, i) => sum + mass[i] * value, 0);
    const logW = raw.map((value) => value - centre);

    const first = logW.map((value) => Math.ceil((LOW - value) / STEP));
    const start = Math.min(...first);
    const size = Math.max(...first) - start + BAND.length;
    const [begun, inBand] = [new Float64Array(size), new Float64Array(size)];
    for (let i = 0; i < logW.length; i++) {
      begun[first[i] - start] += mass[i];
      const lowest = Math.exp(STEP * first[i] + logW[i]); // times w, t goes up from here
      for (let j = 0, k = first[i] - start; j < BAND.length; j++, k++) {
        const tw = lowest * BAND[j];
        inBand[k] += mass[i] * (tw < 1e-9 ? 1 - tw : Math.exp(-tw));
      }
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
