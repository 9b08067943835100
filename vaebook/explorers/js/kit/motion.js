// Motion: at once for readers who asked for less of it.
vaebook.motion = (() => {
  "use strict";

  // frame(part) with part going from 0 to 1 in so many seconds. Returns what stops it; `done` is
  // called at the end, not if it was stopped.
  function run(seconds, frame, done = () => {}) {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      frame(1);
      done();
      return () => {};
    }
    let request;
    const start = performance.now();
    const next = (now) => {
      const part = Math.min(1, Math.max(0, (now - start) / (1000 * seconds)));
      if (part < 1) request = requestAnimationFrame(next);
      frame(part);
      if (part === 1) done();
    };
    request = requestAnimationFrame(next);
    return () => cancelAnimationFrame(request);
  }

  // Slow at both ends.
  const ease = (part) => part * part * (3 - 2 * part);

  // The straight way between two sets of values: numbers that a slider shows go along, all others
  // are at their end from the beginning.
  const straight = (from, to, sliders) => (part) => ({
    ...to, ...Object.fromEntries(sliders.map((name) => [name, from[name] + part * (to[name] - from[name])])),
  });

  return { run, ease, straight };
})();
