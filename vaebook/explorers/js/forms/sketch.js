// Points for the small VAE, and the stages of a training that the reader interferes with.
Object.assign(vaebook.forms, (() => {
  "use strict";
  const { averages, copyOf, newTraining, pathOf, rateAt, trainOnce } = vaebook.forms;
  const EVERY = 50, KEPT = 30;

  // vaebook.explorers.playground.scaled: the points about their mean, in units of their spread
  function scaled(points) {
    const n = points.length;
    const sum = (d) => points.reduce((all, point) => all + point[d], 0);
    const centre = [sum(0) / n, sum(1) / n];
    let square = 0;
    for (const [x1, x2] of points) square += (x1 - centre[0]) ** 2 + (x2 - centre[1]) ** 2;
    const spread = Math.max(Math.sqrt(square / (2 * n)), 0.1);
    return { centre, spread, flat: Float64Array.from(points.flatMap((x) => [0, 1].map((d) => (x[d] - centre[d]) / spread))) };
  }

  // Points every so far along the way from the last one of a stroke to where the hand is.
  function strokeTo([from1, from2], to1, to2, gap) {
    const far = Math.hypot(to1 - from1, to2 - from2), count = Math.floor(far / gap);
    return Array.from({ length: count }, (_, k) => {
      const part = ((k + 1) * gap) / far;
      return [from1 + part * (to1 - from1), from2 + part * (to2 - from2)];
    });
  }

  // A training in stages [beta, std, updates, points]: a new stage begins where the reader changes beta,
  // the noise or the points, with the rate high again. `trainer(points, seed, past)` gives that of
  // the stage after those of `past`, which can be put to any number of updates.
  function makeTrainer() {
    const stages = new Map(); // the latest ones
    function stageOf(points, seed, past, [beta, std, count]) {
      const key = JSON.stringify([seed, beta, std, past, points.slice(0, count)]);
      if (!stages.has(key)) {
        const last = past[past.length - 1];
        const start = last
          ? copyOf(to(stageOf(points, seed, past.slice(0, -1), [last[0], last[1], last[3]]), last[2]))
          : newTraining(seed);
        const data = scaled(points.slice(0, count));
        stages.set(key, { seed, beta, std, data, run: start, at: 0, kept: [], curve: [] });
        if (stages.size > KEPT) stages.delete(stages.keys().next().value);
      }
      return stages.get(key);
    }
    function keep(stage) {
      const k = stage.at / EVERY;
      if (!Number.isInteger(k) || stage.kept[k]) return;
      stage.kept[k] = copyOf(stage.run);
      const { logPx, elbo } = averages(stage.run.p, pathOf(stage.run.p), stage.data.flat, stage.std);
      stage.curve[k] = [stage.at, logPx, elbo];
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
    const to = (stage, updates) => reach(stage, updates).run;
    return { stageOf, reach };
  }

  return { scaled, strokeTo, makeTrainer };
})());
