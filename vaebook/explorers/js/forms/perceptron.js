// Small networks.
Object.assign(vaebook.forms, (() => {
  "use strict";

  // vaebook.perceptron.Perceptron from its .table(): the function of an array of inputs that gives
  // an array of outputs. Without units, every number is worth what it says.
  function perceptron({ widths, numbers, units = [] }) {
    let start = 0;
    const tensor = (size, unit = 1) => Float64Array.from(numbers.subarray(start, (start += size)), (part) => part * unit);
    const layers = widths.slice(1).map((nOut, k) => ({
      weights: tensor(nOut * widths[k], units[2 * k]), biases: tensor(nOut, units[2 * k + 1]),
    }));
    return (inputs) => layers.reduce((values, { weights, biases }, k) => {
      const outputs = Array.from(biases);
      for (let row = 0, at = 0; row < outputs.length; row++) {
        for (let i = 0; i < values.length; i++) outputs[row] += weights[at++] * values[i];
        if (k < layers.length - 1) outputs[row] = Math.tanh(outputs[row]);
      }
      return outputs;
    }, inputs);
  }

  // vaebook.latent.TanhDecoder: the function z -> [f1, ..., fD]
  function tanhDecoder(table) {
    const network = perceptron(table);
    return (z) => network([z]);
  }

  return { perceptron, tanhDecoder };
})());
