// Motion: at once for readers who asked for less of it.
vaebook.motion = (() => {
  "use strict";
  const BUDGET = 8; // milliseconds of a frame that a training may take

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

  // take(n) with the whole steps that are due, so many a second, until it returns false; a page that
  // falls behind does not catch up. Returns what stops it.
  function pace(perSecond, take, done) {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      take(Infinity);
      done();
      return () => {};
    }
    let request, due = 0, last = performance.now();
    const next = (now) => {
      due = Math.min(due, 1) + (perSecond * Math.min(50, Math.max(0, now - last))) / 1000;
      last = now;
      const whole = Math.floor(due);
      due -= whole;
      request = requestAnimationFrame(next);
      if (take(whole)) return;
      cancelAnimationFrame(request);
      done();
    };
    request = requestAnimationFrame(next);
    return () => cancelAnimationFrame(request);
  }

  // A slider on its way from now() to a value, put(value) by put(value), at a pace of so many seconds
  // for its whole range; with train(wanted, milliseconds), as far towards it as a training comes.
  // Returns what stops it.
  function along(spec, { now, put, train }, to, seconds, done) {
    const from = now(), range = spec.max - spec.min;
    if (!train) {
      return run((seconds * (to - from)) / range, (part) => {
        const value = vaebook.scales.snap(spec, from + part * (to - from));
        if (value !== now()) put(value);
      }, done);
    }
    return pace(range / seconds, (steps) => {
      if (steps) put(train(Math.min(to, now() + steps), steps < Infinity ? BUDGET : Infinity));
      return now() !== to;
    }, done);
  }

  // Slow at both ends.
  const ease = (part) => part * part * (3 - 2 * part);

  // The straight way between two sets of values: numbers that a slider shows go along, all others
  // are at their end from the beginning.
  const straight = (from, to, sliders) => (part) => ({
    ...to, ...Object.fromEntries(sliders.map((name) => [name, from[name] + part * (to[name] - from[name])])),
  });

  return { run, along, ease, straight };
})();
