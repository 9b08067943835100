// Functions whose bits are the same in every engine: those of Math differ in the last digit, which
// a training of a thousand steps turns into another result. vaebook.explorers.exact is the double.
Object.assign(vaebook.forms, (() => {
  "use strict";

  const LOG2E = 1.4426950408889634, LN2_HIGH = 0.6931471803691238, LN2_LOW = 1.9082149292705877e-10;
  const POWERS = new Float64Array(2049); // 2^-1024 to 2^1024
  POWERS[1024] = 1;
  for (let k = 1; k <= 1024; k++) {
    POWERS[1024 + k] = 2 * POWERS[1023 + k];
    POWERS[1024 - k] = POWERS[1025 - k] / 2;
  }
  // 1, 1/2!, 1/4!, ... with their signs, and 1, 1/3, 1/5, ...
  const COSINE = [1], ODD = [];
  for (let k = 1; k <= 12; k++) COSINE.push(-COSINE[k - 1] / ((2 * k - 1) * (2 * k)));
  for (let k = 0; k <= 11; k++) ODD.push(1 / (2 * k + 1));
  const INVERSE = [1];
  for (let k = 1; k <= 13; k++) INVERSE.push(INVERSE[k - 1] / k);
  const [C2, C3, C4, C5, C6, C7, C8, C9, C10, C11, C12, C13] = INVERSE.slice(2);

  function exactExp(x) {
    x = x < -700 ? -700 : x > 700 ? 700 : x;
    const k = Math.floor(x * LOG2E + 0.5);
    const r = x - k * LN2_HIGH - k * LN2_LOW;
    const sum = 1 + r * (1 + r * (C2 + r * (C3 + r * (C4 + r * (C5 + r * (C6 + r * (C7 + r * (C8
      + r * (C9 + r * (C10 + r * (C11 + r * (C12 + r * C13))))))))))));
    return sum * POWERS[k + 1024];
  }

  function exactTanh(x) {
    const e = exactExp(-2 * (x < 0 ? -x : x));
    const t = (1 - e) / (1 + e);
    return x < 0 ? -t : t;
  }

  const horner = (coefficients, x) => {
    let sum = coefficients[coefficients.length - 1];
    for (let k = coefficients.length - 2; k >= 0; k--) sum = coefficients[k] + x * sum;
    return sum;
  };

  // of a positive, normal number
  const float = new Float64Array(1), words = new Uint32Array(float.buffer);
  function exactLog(x) {
    float[0] = x;
    let exponent = ((words[1] >>> 20) & 0x7ff) - 1022;
    words[1] = (words[1] & 0x800fffff) | 0x3fe00000; // between 1/2 and 1
    let part = float[0];
    if (part < 0.7071067811865476) {
      part *= 2;
      exponent -= 1;
    }
    const s = (part - 1) / (part + 1);
    return exponent * LN2_HIGH + (exponent * LN2_LOW + 2 * s * horner(ODD, s * s));
  }

  // the cosine of so many turns, from 0 to 1
  function exactCosine(turns) {
    const half = turns > 0.5 ? 1 - turns : turns;
    const angle = 6.283185307179586 * (half > 0.25 ? 0.5 - half : half);
    const cosine = horner(COSINE, angle * angle);
    return half > 0.25 ? -cosine : cosine;
  }

  // a standard normal number of two uniform ones
  const exactNormal = (u, v) => Math.sqrt(-2 * exactLog(u)) * exactCosine(v);

  return { exactExp, exactTanh, exactCosine, exactNormal };
})());
