// What belongs together in the explorer ``latent-space``: a drawing, a path, a point z, and its t.
Object.assign(vaebook.forms, (() => {
  "use strict";
  const PATH = { start: ["from_1", "from_2"], end: ["to_1", "to_2"] };
  const pathEnds = (values) => Object.values(PATH).map((names) => names.map((name) => values[name]));
  // Rounding leads beyond no end.
  const onPath = ([start, end], t) => start.map((value, d) =>
    Math.min(Math.max(value, end[d]), Math.max(Math.min(value, end[d]), value + t * (end[d] - value))));

  // vaebook.explorers.latent_space.LatentSpace.constrain; codeOf(digit, k) is the place at which a
  // path of that digit starts (0) or ends (1), placeOf(values) where a drawing is encoded, if any
  function settleLatent(values, moved, codeOf, placeOf) {
    const next = { ...values };
    if (moved("drawing") && values.drawing.length) next.sketch = "own";
    else if (next.sketch !== "own") next.drawing = [];
    Object.entries(PATH).forEach(([digit, names], k) => {
      if (next[digit] === "free") return;
      const place = codeOf(next[digit], k);
      if (names.every((name, d) => next[name] === place[d])) return;
      if (moved(...names)) next[digit] = "free";
      else names.forEach((name, d) => { next[name] = place[d]; });
    });
    const path = pathEnds(next);
    const byHand = moved("z1", "z2");
    const drawn = !byHand && moved("sketch", "drawing") && placeOf(next);
    if (drawn) Object.assign(next, drawn);
    else if (!byHand) {
      if (moved("t", ...Object.keys(PATH), ...Object.values(PATH).flat())) [next.z1, next.z2] = onPath(path, next.t);
      return next;
    }
    const [start, end] = path;
    const step = [end[0] - start[0], end[1] - start[1]];
    const ahead = (next.z1 - start[0]) * step[0] + (next.z2 - start[1]) * step[1];
    const t = Math.min(1, Math.max(0, ahead / Math.max(step[0] ** 2 + step[1] ** 2, 1e-12)));
    // What comes back from a page is on the path already, up to rounding.
    return Math.abs(t - next.t) < 1e-9 ? next : { ...next, t };
  }

  return { PATH, pathEnds, onPath, settleLatent };
})());
