// Scales and their ticks, and the values at which a slider can stand.
vaebook.scales = (() => {
  "use strict";

  const niceStep = (rough) => {
    const power = 10 ** Math.floor(Math.log10(rough));
    return power * [1, 2, 5, 10].find((m) => m * power >= rough * (1 - 1e-9));
  };

  // The top of an axis that follows its data in few, calm steps.
  const niceCeiling = (value) => {
    const power = 10 ** Math.floor(Math.log10(value));
    return power * [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((m) => m * power >= value);
  };

  function ticks({ domain: [low, high], log }, count) {
    if (log) {
      const powers = Array.from({ length: 16 }, (_, i) => 10 ** (i - 8));
      const values = powers.filter((v) => v >= low && v <= high);
      return { values, digits: Math.max(0, -Math.floor(Math.log10(low))) };
    }
    const step = niceStep((high - low) / Math.max(1, count));
    const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    const values = [];
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) {
      values.push(i * step);
    }
    return { values, digits };
  }

  // From data to pixels, and back (kept inside the axis).
  const scale = ({ domain: [low, high], log }, start, end) => {
    const place = log ? Math.log : (value) => value;
    const slope = (end - start) / (place(high) - place(low));
    return (value) => start + (place(value) - place(low)) * slope;
  };
  const invert = ({ domain: [low, high], log }, start, end) => (pixel) => {
    const part = Math.min(1, Math.max(0, (pixel - start) / (end - start)));
    return log ? low * (high / low) ** part : low + part * (high - low);
  };

  const decimals = (step) => (String(step).split(".")[1] ?? "").length;
  const onGrid = ({ min, fine }, value) =>
    Math.abs((value - min) / fine - Math.round((value - min) / fine)) < 1e-9;
  const clamp = ({ min, max }, value) => Math.min(max, Math.max(min, value));
  const snap = (spec, value) => {
    const grid = spec.min + Math.round((value - spec.min) / spec.fine) * spec.fine;
    return clamp(spec, Number(grid.toFixed(decimals(spec.fine) + decimals(spec.min))));
  };

  // A slider with `values` moves over the places 0, 1, ... of that list; others over their numbers.
  const placeOf = ({ values }, value) => (values ? values.indexOf(value) : value);
  const valueAt = (spec, place) => (spec.values ? spec.values[snap(spec, place)] : snap(spec, place));

  // What a key asks for: arrows go a step, with Shift a fine one, the others far.
  function keyStep(spec, place, { key, shiftKey, ctrlKey, altKey, metaKey }) {
    if (ctrlKey || altKey || metaKey) return undefined;
    const little = shiftKey ? spec.fine : spec.step;
    return {
      ArrowRight: place + little, ArrowUp: place + little,
      ArrowLeft: place - little, ArrowDown: place - little,
      PageUp: place + spec.page, PageDown: place - spec.page,
      Home: spec.min, End: spec.max,
    }[key];
  }

  return { niceCeiling, ticks, scale, invert, decimals, onGrid, clamp, snap, placeOf, valueAt, keyStep };
})();
