// What an image costs in nats, for recorded trainings: by epoch, and on test images by K samples.
vaebook.define("evidence-budget", (api) => {
  const { forms, tables, text, format } = api;
  const names = Object.fromEntries(api.spec("run").options.map(({ value, label }) => [value, label]));
  const samples = Array.from(tables.samples);
  // A run's numbers: arrays by epoch and by K, and the costs that are made of them.
  const runs = Object.fromEntries(Object.keys(names).map((name) => {
    const of = (field) => tables[`${name} ${field}`];
    const [epoch, seconds, kl, se, riseSe] = ["epoch", "seconds", "kl", "se", "rise_se"].map((field) => Array.from(of(field)));
    const [reconstruction, validation, bound] = ["reconstruction", "validation_elbo", "bound"].map((field) =>
      Array.from(of(field), (value) => -value));
    const [testKl, nll, nllSe] = ["test_kl", "nll", "nll_se"].map(of);
    const cost = kl.map((value, i) => value + reconstruction[i]);
    return [name, { epoch, seconds, reconstruction, kl, cost, validation, bound, se, riseSe, testKl, nll, nllSe }];
  }));
  const all = Object.values(runs);

  const training = api.chart({
    part: 1.25, wide: false, height: [300, 165],
    x: { domain: [1, 2], label: text("epoch_axis") },
    y: { domain: [0, 1.05 * Math.max(...all.map((run) => run.cost[0]))], label: text("nats_axis") },
  });
  const bands = { reconstruction: training.area("c1", { strength: 0.25 }), kl: training.area("muted", { strength: 0.35 }) };
  const costLine = training.line("bound", { width: 2.25 });
  const validationLine = training.line("ink", { width: 1 });
  const now = training.segment("ink", { width: 1.5 });
  const marks = training.points("muted", { shape: "triangle", size: 2.5 }); // epochs with pictures
  const mark = training.points("ink", { shape: "triangle", size: 4 });
  const bandNames = { reconstruction: training.label("c1", { dy: 4 }), kl: training.label("muted", { dy: 4 }) };
  const costName = training.label("bound", { dy: -20 }); // above "drag"
  const validationName = training.label("ink", { dy: 16 });

  // Test images above their reconstructions, and samples below: two rows of four each.
  const SIZE = 28, GAP = 2, COLUMNS = 4, WIDE = COLUMNS * (SIZE + GAP) - GAP, TALL = 2 * SIZE + GAP, BASE = 74;
  const pictures = api.chart({
    part: 1, wide: false, equal: true, height: [300, 165],
    x: { domain: [0, WIDE], ticks: false },
    y: { domain: [0, BASE + TALL], ticks: false, label: text("reconstructions") },
  });
  const [pairs, samplesHeat] = [0, 1].map(() => pictures.heat("ink", { pixels: true }));
  const samplesName = pictures.label("ink", { anchor: "start", dy: -5 });
  const noneKept = pictures.label("muted", { dy: 4 });
  let painted = null;
  // The test images come first, then the reconstructions of every kept epoch, then the samples.
  function paint(kept) {
    if (painted === kept) return;
    painted = kept;
    noneKept.clear();
    samplesName.set(0, TALL, text("samples"));
    if (kept < 0) {
      for (const mark of [pairs, samplesHeat, samplesName]) mark.clear();
      return noneKept.set(WIDE / 2, 66, text("none_kept"));
    }
    const n = COLUMNS, count = tables.kept.length;
    const images = (first, many) => Array.from({ length: many }, (_, i) => forms.greyImage(tables.pictures, first + i));
    const [values, wide, tall, x] = forms.sheet([...images(0, n), ...images(n * (1 + kept), n)], n, GAP);
    pairs.set(values, wide, tall, x, [BASE, BASE + TALL], 15);
    return samplesHeat.set(...forms.sheet(images(n * (1 + count + 2 * kept), 2 * n), n, GAP), 15);
  }

  const highest = Math.max(...all.map((run) => run.bound[0] + run.se[0]));
  const lowest = Math.min(...all.map((run) => run.bound.at(-1) - run.se.at(-1)));
  const importance = api.chart({
    below: true, height: [205, 148],
    x: { domain: [1, 18 * samples.at(-1)], label: text("samples_axis"), log: true }, // with room for names
    y: { domain: [Math.floor(lowest), Math.ceil(highest)], label: text("nats_axis") },
  });
  const others = all.map(() => importance.line("muted", { width: 1 }));
  const kinds = Object.entries(tables.kinds);
  const otherNames = importance.names("muted");
  const errors = importance.area("p", { strength: 0.14 });
  const curve = importance.line("p", { width: 2.25 });
  const rungs = importance.points("p", { size: 2.5 });
  const chosen = importance.points("p", { size: 5.5 });
  const reach = importance.segment("ink", { width: 1.5 });
  const allImages = importance.points("ink", { shape: "diamond", size: 4 });
  const allName = importance.label("ink", { dy: -10, anchor: "end" });
  const curveName = importance.label("p", { dy: 24 });

  const longest = Math.max(...all.map((run) => run.bound[0]));
  const budget = api.chart({
    height: 128, aside: true,
    x: { domain: [0, 1.3 * longest], label: text("nats_axis") },
    y: { domain: [0, 2], ticks: false },
  });
  const bars = { reconstruction: "c1", kl: "muted", bar_bound: "p", bar_rise: "gap" };
  const pieces = Object.entries(bars).map(([key, role], i) => ({
    key, row: i < 2 ? 1 : 0,
    area: budget.area(role, { strength: i === 3 ? 0.6 : 0.28 }),
    name: budget.label(role, { dy: 4, anchor: i === 3 ? "start" : "middle" }),
  }));

  const progressAt = (epoch) => (100 * (epoch - shown.ends[0])) / (shown.ends[1] - shown.ends[0]);
  const here = api.handle(training, { moves: ["progress"], role: "bound", pick: true, to: (epoch) => ({ progress: progressAt(epoch) }) });
  importance.onpick((k) => {
    const near = (rung) => Math.abs(Math.log(k / rung));
    api.set({ k: samples.reduce((best, rung) => (near(rung) < near(best) ? rung : best)) });
  });

  const shown = {}; // the run on show, and its first and last epoch
  function draw(name) {
    if (shown.name === name) return;
    const { epoch, kl, cost, validation, bound, se, nll, nllSe } = runs[name];
    Object.assign(shown, { name, ends: [epoch[0], epoch.at(-1)] });
    training.domain({ x: shown.ends });
    bands.reconstruction.set(epoch, cost, kl);
    bands.kl.set(epoch, kl);
    costLine.set(epoch, cost);
    validationLine.set(epoch, validation);
    const across = (part) => shown.ends[0] + part * (shown.ends[1] - shown.ends[0]);
    const height = (array, part) => array[Math.round(part * (array.length - 1))];
    bandNames.reconstruction.set(across(0.5), 0.5 * height(cost, 0.5), text("reconstruction"));
    bandNames.kl.set(across(0.27), 0.45 * height(kl, 0.27), text("kl"));
    costName.set(across(0.2), height(cost, 0.2), text("cost"));
    validationName.set(across(0.8), height(validation, 0.8), text("validation"));

    const kept = name === tables.pictured ? tables.kept : [];
    marks.set(kept, kept.map(() => 0));
    all.forEach((run, i) => others[i].set(samples, run === runs[name] ? [] : run.bound));
    errors.set(samples, bound.map((value, i) => value + se[i]), bound.map((value, i) => value - se[i]));
    curve.set(samples, bound);
    rungs.set(samples, bound);
    reach.set(tables.importance, nll - nllSe, tables.importance, nll + nllSe);
    allImages.set([tables.importance], [nll]);
    allName.set(tables.importance, nll, text("all_images"), 12);
    curveName.set(samples[4], bound[4], text("bound"));
    const unlike = kinds.filter(([other]) => other !== name);
    otherNames.set(samples.at(-1), unlike.map(([other]) => runs[other].bound.at(-1)), unlike.map(([, kind]) => kind));
  }

  return {
    update({ run: name, progress, k }) {
      draw(name);
      const run = runs[name];
      const row = (one) => Math.floor((progress / 100) * (one.epoch.length - 1) + 0.5);
      const [i, rung] = [row(run), samples.indexOf(k)];
      const readouts = {
        epoch: run.epoch[i], seconds: run.seconds[i], reconstruction: run.reconstruction[i],
        kl: run.kl[i], cost: run.cost[i], validation: run.validation[i],
        test_reconstruction: run.bound[0] - run.testKl, test_kl: run.testKl, test_cost: run.bound[0],
        rise: run.bound[0] - run.bound[rung], test_bound: run.bound[rung], se: run.se[rung],
        rise_se: run.riseSe[rung], nll: run.nll, nll_se: run.nllSe,
      };
      now.set(readouts.epoch, 0, readouts.epoch, readouts.cost);
      here.set(shown.ends[0] + (progress / 100) * (shown.ends[1] - shown.ends[0]), readouts.cost);
      chosen.set([k], [readouts.test_bound]);

      const kept = name === tables.pictured ? tables.kept.filter((epoch) => epoch <= readouts.epoch).length - 1 : -1;
      paint(kept);
      mark.set(...(kept < 0 ? [[], []] : [[tables.kept[kept]], [0]]));

      const blanks = {
        ...readouts, k, epochs: run.epoch.at(-1), run: names[name], draws: samples.at(-1), least: run.bound.at(-1),
        others: kinds.filter(([other]) => other !== name).map(([, kind]) => kind).join("; "),
        pictured: names[tables.pictured], kept: tables.kept[kept],
      };
      blanks.pictures = text(kept < 0 ? "pictures_none" : "pictures_kept", blanks);
      const { test_reconstruction: first, test_bound: second, test_cost: whole } = readouts;
      [[0, first], [first, whole], [0, second], [second, whole]].forEach((ends, j) => {
        const { key, row: level, area, name: label } = pieces[j];
        area.set(ends, [level + 0.88, level + 0.88], [level + 0.12, level + 0.12]);
        label.set(j === 3 ? whole : (ends[0] + ends[1]) / 2, level + 0.5, text(key, blanks), j === 3 ? 6 : 0);
      });
      training.describe(text("training_description", blanks));
      pictures.describe(text("pictures", blanks));
      importance.describe(text("importance_description", blanks));
      budget.describe(text("budget_description", blanks));
      return {
        readouts,
        consequence: text("consequence", blanks),
        table: () => ({
          caption: text("table_caption"),
          head: [text("table_run"), text("epoch_axis"), text("reconstruction"), text("kl"), text("cost"), text("table_test"), text("table_bound")],
          rows: Object.entries(runs).map(([key, one]) => {
            const j = row(one);
            return [names[key], format(one.epoch[j], 0), one.reconstruction[j], one.kl[j], one.cost[j], one.bound[0], one.bound[rung]];
          }),
        }),
      };
    },
  };
});
