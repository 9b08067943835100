// Numbers as people read them, and arrays as they travel.
vaebook.numbers = (() => {
  "use strict";

  // The explorers speak English, whatever language the page around them has.
  const formats = new Map();
  const fixed = (value, digits) => {
    if (!formats.has(digits)) {
      formats.set(digits, new Intl.NumberFormat("en", {
        minimumFractionDigits: digits, maximumFractionDigits: digits, signDisplay: "negative",
      }));
    }
    return formats.get(digits).format(value).replace("-", "\u2212");
  };

  // 0.1234 -> "0.123"; 4.2e-7 -> "4.20 × 10⁻⁷" (rounding noise below 1e-12 counts as zero).
  function format(value, digits = 2) {
    if (Number.isNaN(value)) return "undefined";
    if (!Number.isFinite(value)) return value > 0 ? "\u221e" : "\u2212\u221e";
    const size = Math.abs(value);
    if ((size >= 1e-12 && size < 0.5 * 10 ** -digits) || size >= 1e6) {
      const [mantissa, power] = value.toExponential(2).split("e");
      const raised = String(Number(power)).replace(/./g, (c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]);
      return `${fixed(Number(mantissa), 2)} × 10${raised}`;
    }
    return fixed(value, digits);
  }

  // words(key, blanks): an explorer's text with its blanks {name} or {name:digits} filled in.
  const wordsOf = ({ name, text }) => (key, blanks = {}) => {
    if (!(key in text)) throw new Error(`explorer ${name}: its text has no "${key}"`);
    const fill = (_, blank, digits = 2) => (typeof blanks[blank] === "number" ? format(blanks[blank], Number(digits)) : blanks[blank]);
    return text[key].replace(/\{(\w+)(?::(\d))?\}/g, fill);
  };

  // Arrays travel as {"f64": base64 of little-endian numbers, "shape": [...]}; the kind names them.
  const ARRAYS = { f64: Float64Array, f32: Float32Array, i16: Int16Array, u8: Uint8Array };
  function decode(table) {
    if (table === null || typeof table !== "object" || Array.isArray(table)) return table;
    const kind = Object.keys(ARRAYS).find((name) => name in table);
    if (!kind) return Object.fromEntries(Object.entries(table).map(([name, part]) => [name, decode(part)]));
    const bytes = Uint8Array.from(atob(table[kind]), (c) => c.charCodeAt(0));
    return Object.assign(new ARRAYS[kind](bytes.buffer), { shape: table.shape });
  }

  return { fixed, format, wordsOf, decode };
})();
