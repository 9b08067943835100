// Points for the small VAE, and the stages of a training that the reader interferes with.
Object.assign(vaebook.forms, (() => {
  "use strict";
  const { averages, copyOf, encodedPoint, newTraining, pathOf, rateAt, trainOnce } = vaebook.forms;
  const EVERY = 50, KEPT = 30;

  // vaebook.explorers.shapes.scaled: the points about their mean, in units of their spread; and the
  // way between the two systems, for any place
  function scaled(points) {
    const n = points.length;
    const sum = (d) => points.reduce((all, point) => all + point[d], 0);
    const centre = [sum(0) / n, sum(1) / n];
    let square = 0;
    for (const [x1, x2] of points) square += (x1 - centre[0]) ** 2 + (x2 - centre[1]) ** 2;
    const spread = Math.max(Math.sqrt(square / (2 * n)), 0.1);
    const into = (x) => [(x[0] - centre[0]) / spread, (x[1] - centre[1]) / spread];
    const out = (f) => [centre[0] + spread * f[0], centre[1] + spread * f[1]];
    return { centre, spread, flat: Float64Array.from(points.flatMap(into)), into, out };
  }

  // Points from a table of their coordinates; with parts = 100 it holds hundredths.
  const pointsFrom = (table, parts = 1) =>
    Array.from({ length: table.length / 2 }, (_, i) => [table[2 * i] / parts, table[2 * i + 1] / parts]);

  // Points every so far along the way from the last one of a stroke to where the hand is.
  function strokeTo([from1, from2], to1, to2, gap) {
    const far = Math.hypot(to1 - from1, to2 - from2), count = Math.floor(far / gap);
    return Array.from({ length: count }, (_, k) => {
      const part = ((k + 1) * gap) / far;
      return [from1 + part * (to1 - from1), from2 + part * (to2 - from2)];
    });
  }

  // Values after a move by hand: a new training, or a new stage of it, where the move asks for one.
  // vaebook.explorers.playground.Playground.constrain is the double.
  function nextStage(values, touched, before, pointsOf, most) {
    const given = (name) => touched.includes(name);
    const moved = (name) => given(name) && JSON.stringify(values[name]) !== JSON.stringify(before[name]);
    const next = { ...values }, had = pointsOf(before);
    let [anew, added] = [moved("seed"), false];
    if (moved("drawn")) {
      const thinned = values.drawn.length > most;
      added = !thinned && JSON.stringify(values.drawn.slice(0, had.length)) === JSON.stringify(had);
      anew ||= !added;
      next.shape = "own";
      if (thinned) next.drawn = values.drawn.filter((_, i) => i % 2 === 0);
      if (!given("blank")) next.blank = 0;
    } else if (moved("shape")) {
      Object.assign(next, values.shape === "own" ? { drawn: had } : { drawn: [], blank: 0 });
      anew ||= values.shape !== "own";
    }
    const changed = added || moved("beta") || moved("noise_std");
    if (given("past")) return next;
    if (anew || (changed && given("updates"))) {
      next.past = [];
      if (!given("updates")) next.updates = 0;
    } else if (changed && before.updates) {
      next.past = [...before.past, [before.beta, before.noise_std, before.updates, had.length]];
      next.updates = 0;
    }
    return next;
  }

  // A training in stages: a new one begins where the reader changes beta, the noise or the points, with
  // the rate high again. `past` lists those that are over, each [beta, std, updates, points];
  // stageOf gives the one after them, which can be put to any number of updates.
  function makeTrainer() {
    const stages = new Map(); // the latest ones
    let start = {}; // the latest networks that no stage has trained
    function stageOf(points, { seed, beta, noise_std: std, past }) {
      const key = JSON.stringify([seed, beta, std, past, points]);
      if (!stages.has(key)) {
        const before = past.length ? endOf(points, seed, past) : startOf(points, seed, std);
        const data = before.data.flat.length === 2 * points.length ? before.data : scaled(points);
        stages.set(key, { seed, beta, std, data, run: copyOf(before.run), known: scoresOf(before), at: 0, kept: [], curve: [] });
        if (stages.size > KEPT) stages.delete(stages.keys().next().value);
      }
      return stages.get(key);
    }
    function keep(stage) {
      const k = stage.at / EVERY;
      if (!Number.isInteger(k) || stage.kept[k]) return;
      stage.kept[k] = copyOf(stage.run);
      const { logPx, elbo } = scoresOf(stage).all;
      stage.curve[k] = [stage.at, logPx, elbo];
    }
    // The decoder at every node, q at every point, and the averages, where a stage stands. It begins
    // where another one ended, with what was known there: beta changes nothing, the noise no network.
    function scoresOf(stage) {
      const { run: { t, p }, data: { flat }, std } = stage;
      let { known } = stage;
      if (known?.t !== t) known = { t, path: pathOf(p) };
      if (known.flat !== flat) {
        const points = pointsFrom(flat).map(([x1, x2]) => encodedPoint(p, known.path, x1, x2));
        known = { t, path: known.path, flat, points, means: points.map(({ mean }) => mean) };
      }
      if (known.std !== std) known = { ...known, std, all: averages(known.path, known.points, std) };
      return (stage.known = known);
    }
    // Put a stage to so many updates, or as far as it comes before `deadline`.
    function reach(stage, updates, deadline = Infinity) {
      keep(stage);
      if (stage.at > updates) {
        stage.at = EVERY * Math.floor(updates / EVERY);
        stage.run = copyOf(stage.kept[stage.at / EVERY]);
      }
      const { seed, beta, std, data } = stage;
      while (stage.at < updates && performance.now() < deadline) {
        trainOnce(stage.run, data.flat, { seed, beta, std, rate: rateAt(stage.at) });
        stage.at += 1;
        keep(stage);
      }
      return stage;
    }
    function startOf(points, seed, std) {
      const key = JSON.stringify([seed, points]);
      if (start.key !== key) start = { key, std, data: scaled(points), run: newTraining(seed) };
      return start;
    }
    function endOf(points, seed, past) {
      const [beta, std, updates, count] = past[past.length - 1];
      return reach(stageOf(points.slice(0, count), { seed, beta, noise_std: std, past: past.slice(0, -1) }), updates);
    }
    return { stageOf, reach, scoresOf };
  }

  return { scaled, pointsFrom, strokeTo, nextStage, makeTrainer };
})());
