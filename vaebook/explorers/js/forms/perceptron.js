// Small networks.
Object.assign(vaebook.forms, (() => {
  "use strict";

  // vaebook.perceptron.Perceptron from its .table(): the function of an array of inputs that gives
  // an array of outputs. Without units, every number is worth what it says.
  function perceptron({ widths, numbers, units = [] }) {
    let start = 0;
    const tensor = (size, unit = 1) => Float64Array.from(numbers.subarray(start, (start += size)), (part) => part * unit);
    const last = widths.length - 2;
    // Four rows are computed at a time, since a sum waits for its own last term; missing rows are zero.
    const padded = (part, length) => {
      const all = new Float64Array(length);
      all.set(part);
      return all;
    };
    const layers = widths.slice(1).map((nOut, k) => {
      const [nIn, rows] = [widths[k], 4 * Math.ceil(nOut / 4)];
      const weights = padded(tensor(nOut * nIn, units[2 * k]), rows * nIn);
      const biases = padded(tensor(nOut, units[2 * k + 1]), rows);
      return { nIn, weights, biases, outputs: new Float64Array(rows), hidden: k < last };
    });
    const first = new Float64Array(widths[0]);
    return (inputs) => {
      let values = first;
      values.set(inputs);
      for (const { nIn, weights, biases, outputs, hidden } of layers) {
        for (let row = 0; row < biases.length; row += 4) {
          let [a, b, c, d] = [biases[row], biases[row + 1], biases[row + 2], biases[row + 3]];
          for (let i = 0, at = row * nIn; i < nIn; i++, at++) {
            const value = values[i];
            a += weights[at] * value;
            b += weights[at + nIn] * value;
            c += weights[at + 2 * nIn] * value;
            d += weights[at + 3 * nIn] * value;
          }
          outputs[row] = a;
          outputs[row + 1] = b;
          outputs[row + 2] = c;
          outputs[row + 3] = d;
        }
        // tanh, by what takes half as long as Math.tanh
        if (hidden) for (let row = 0; row < outputs.length; row++) outputs[row] = 1 - 2 / (Math.exp(2 * outputs[row]) + 1);
        values = outputs;
      }
      const outputs = [];
      for (let row = 0; row < widths[last + 1]; row++) outputs.push(values[row]);
      return outputs;
    };
  }

  // vaebook.latent.TanhDecoder: the function z -> [f1, ..., fD]
  function tanhDecoder(table) {
    const network = perceptron(table);
    return (z) => network([z]);
  }

  return { perceptron, tanhDecoder };
})());
