// Jensen's inequality.
Object.assign(vaebook.forms, (() => {
  "use strict";

  // The concave functions of vaebook.explorers.jensen.CURVES, with their slopes.
  const concave = {
    log: { value: Math.log, slope: (y) => 1 / y },
    sqrt: { value: Math.sqrt, slope: (y) => 0.5 / Math.sqrt(y) },
  };
  const tangent = (g, mean, y) => concave[g].value(mean) + concave[g].slope(mean) * (y - mean);

  // vaebook.bounds.jensen for values ys (positive) with probabilities weights
  function jensen(g, ys, weights) {
    const { value } = concave[g];
    let average = 0;
    for (let k = 0; k < ys.length; k++) average += weights[k] * ys[k];
    const gOfMean = value(average);
    let meanOfG = 0;
    let gap = 0;
    for (let k = 0; k < ys.length; k++) {
      meanOfG += weights[k] * value(ys[k]);
      gap += weights[k] * (gOfMean - value(ys[k]));
    }
    return { average, gOfMean, meanOfG, gap };
  }

  // vaebook.explorers.jensen.Jensen.density: exp(spread u), scaled to the mean that is asked for
  function scaledExp(us, weights, mean, spread) {
    const ys = us.map((u) => Math.exp(spread * u));
    const now = ys.reduce((sum, y, k) => sum + weights[k] * y, 0);
    return ys.map((y) => (y * mean) / now);
  }

  // Where a log-normal y is one spread below the mean of its logarithm, and the spread from there.
  const lowerFlank = (mean, spread) => mean * Math.exp(-spread * (1 + spread / 2));
  const spreadOfFlank = (mean, y) => Math.sqrt(1 + 2 * Math.max(0, Math.log(mean / y))) - 1;

  return { concave, tangent, jensen, scaledExp, lowerFlank, spreadOfFlank };
})());
