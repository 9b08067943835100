// Small networks.
Object.assign(vaebook.forms, (() => {
  "use strict";

  // vaebook.latent.TanhDecoder: the function z -> [f1, ..., fD]
  function tanhDecoder(weights, biases, output, shift) {
    return (z) => {
      const centre = Array.from(shift);
      for (let h = 0; h < weights.length; h++) {
        const unit = Math.tanh(weights[h] * z + biases[h]);
        for (let d = 0; d < centre.length; d++) centre[d] += unit * output[h * centre.length + d];
      }
      return centre;
    };
  }

  // vaebook.explorers.vae_step.as_numpy: a network's parameters, layer after layer, as weights,
  // biases, output weights (one row for each hidden unit) and output biases
  function twoLayers(parameters, nIn, nHidden, nOut) {
    let start = 0;
    const [weights, biases, output, shift] = [nIn * nHidden, nHidden, nHidden * nOut, nOut].map((size) =>
      Array.from(parameters.slice(start, (start += size))));
    const byUnit = output.map((_, i) => output[(i % nOut) * nHidden + Math.floor(i / nOut)]);
    return [weights, biases, byUnit, shift];
  }

  // vaebook.approximation.AmortisedGaussian of a plane, from such parameters; the last number is the
  // logarithm of the variance
  function tanhEncoder(parameters, nHidden) {
    const [weights, biases, output, shift] = twoLayers(parameters, 2, nHidden, 2);
    return ([x1, x2]) => {
      let [mean, logVar] = shift;
      for (let h = 0; h < nHidden; h++) {
        const unit = Math.tanh(weights[2 * h] * x1 + weights[2 * h + 1] * x2 + biases[h]);
        mean += unit * output[2 * h];
        logVar += unit * output[2 * h + 1];
      }
      return { mean, std: Math.exp(logVar / 2) };
    };
  }

  // vaebook.approximation.AmortisedGaussian for one data number
  const amortised = (weights, biases, output, shift) => (x) => {
    let [mean, logStd] = shift;
    for (let h = 0; h < biases.length; h++) {
      const unit = Math.tanh(weights[h] * x + biases[h]);
      mean += unit * output[2 * h];
      logStd += unit * output[2 * h + 1];
    }
    return { mean, std: Math.exp(logStd) };
  };

  // vaebook.explorers.latent_space.PixelDecoder: .layers, and .logits at one z
  function pixelDecoder(numbers, widths, units) {
    let start = 0;
    const tensor = (size, unit) => Float64Array.from(numbers.subarray(start, (start += size)), (whole) => whole * unit);
    const layers = widths.slice(1).map((nOut, k) => ({
      weights: tensor(nOut * widths[k], units[2 * k]), biases: tensor(nOut, units[2 * k + 1]),
    }));
    return (z) => layers.reduce((values, { weights, biases }, k) => biases.map((shift, row) => {
      let sum = shift;
      for (let i = 0, at = row * values.length; i < values.length; i++) sum += weights[at + i] * values[i];
      return k < layers.length - 1 ? Math.tanh(sum) : sum;
    }), z);
  }

  return { tanhDecoder, twoLayers, tanhEncoder, amortised, pixelDecoder };
})());
