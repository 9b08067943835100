// Small networks.
Object.assign(vaebook.forms, (() => {
  "use strict";

  // vaebook.perceptron.Perceptron from its .table(): the function of an array of inputs that gives
  // an array of outputs. Without units, every number is worth what it says.
  function perceptron({ widths, numbers, units = [] }) {
    let start = 0;
    const tensor = (size, unit = 1) => Float64Array.from(numbers.subarray(start, (start += size)), (part) => part * unit);
    const last = widths.length - 2;
    const layers = widths.slice(1).map((nOut, k) => ({
      weights: tensor(nOut * widths[k], units[2 * k]), biases: tensor(nOut, units[2 * k + 1]), hidden: k < last,
    }));
    return (inputs) => {
      let values = inputs;
      for (const { weights, biases, hidden } of layers) {
        const outputs = [];
        for (let row = 0, at = 0; row < biases.length; row++) {
          let sum = biases[row];
          for (let i = 0; i < values.length; i++) sum += weights[at++] * values[i];
          outputs.push(hidden ? Math.tanh(sum) : sum);
        }
        values = outputs;
      }
      return values;
    };
  }

  // vaebook.latent.TanhDecoder: the function z -> [f1, ..., fD]
  function tanhDecoder(table) {
    const network = perceptron(table);
    return (z) => network([z]);
  }

  return { perceptron, tanhDecoder };
})());
