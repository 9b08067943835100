// Recorded trainings, one sound and eight broken: what each prints, and what a test makes of its networks.
vaebook.define("failures", (api) => {
  const { tables, text, format } = api;
  const { names, n_samples: nSamples, n_pairs: nPairs, active_from: activeFrom } = tables;
  const STAGES = 20, SIZE = 28;
  const stages = Array.from({ length: STAGES }, (_, k) => k + 1);
  const latents = Array.from({ length: 20 }, (_, k) => k + 1);
  const rowsOf = (table, patient) => stages.map((_, k) => Array.from(table.subarray(2 * (STAGES * patient + k), 2 * (STAGES * patient + k) + 2)));
  // The picture's rows go upwards, those of an image downwards.
  const image = (table, k) => {
    const pixels = table.subarray(SIZE * SIZE * k, SIZE * SIZE * (k + 1));
    return Array.from({ length: SIZE * SIZE }, (_, i) => pixels[SIZE * (SIZE - 1 - Math.floor(i / SIZE)) + (i % SIZE)]);
  };

  const chart = api.chart({
    height: [230, 150],
    x: { domain: [1, STAGES], label: text("stage_axis") },
    y: { domain: [-1, 0], label: text("nats_axis") },
  });
  const printedLine = chart.line("bound", { width: 2.5 });
  const honestLine = chart.line("ink", { width: 1.25 });
  const honestDots = chart.points("ink", { size: 2.5 });
  const now = chart.segment("muted", { width: 1.5 });
  const nowAt = chart.points("bound", { shape: "diamond", size: 4.5 });
  const printedName = chart.label("bound");
  const honestName = chart.label("ink", { dy: 18 });
  const outside = [-25, -7, 11].map((dy) => chart.label("bound", { dy }));
  const handle = api.handle(chart, { moves: ["stage"], role: "ink", to: (stage) => ({ stage }) });
  chart.onpick((stage) => api.set({ stage: api.snap("stage", stage) }));

  // Six samples in two rows, and three pairs, one image above its reconstruction.
  const step = SIZE + 2;
  const grid = (label) => api.chart({
    part: 1, wide: false, equal: true, below: true, height: [240, 145],
    x: { domain: [-1, 3 * step], ticks: false },
    y: { domain: [-1, 2 * step], ticks: false, label: text(label) },
  });
  const [left, right] = [grid("samples"), grid("pairs")];
  const cells = (pictures, n) => Array.from({ length: n }, (_, k) => ({
    heat: pictures.heat("ink", { pixels: true }),
    x: [step * (k % 3), step * (k % 3) + SIZE],
    y: [step * (1 - Math.floor(k / 3)), step * (1 - Math.floor(k / 3)) + SIZE],
  }));
  const samples = cells(left, nSamples), pairs = cells(right, 2 * nPairs);
  const paint = (cell, values) => cell.heat.set(values, SIZE, SIZE, cell.x, cell.y, 255);

  const prices = api.chart({
    height: 150, aside: true,
    x: { domain: [0.4, 20.6], label: text("latent_axis") },
    y: { domain: [0, 2], label: text("kl_axis"), spacing: 35 },
  });
  const bars = prices.bars("c1");
  const offBars = prices.label("c1");

  return {
    update(values) {
      const patient = names.indexOf(values.patient);
      const [printedRows, honestRows] = [rowsOf(tables.printed, patient), rowsOf(tables.honest, patient)];
      const [printed, honest] = [printedRows, honestRows].map((rows) => rows.map(([gain, price]) => gain - price));
      const k = values.stage - 1;
      const fits = (v) => Math.abs(v) < 1e4;

      // A patient may print numbers that no axis can hold beside the others.
      const inView = [...printed, ...honest].filter(fits);
      const [low, high] = inView.length ? [Math.min(...inView), Math.max(...inView)] : [-1, 1];
      const room = 0.12 * (high - low || 1);
      chart.domain({ y: [low - room, high + room] });
      const shown = (curve) => curve.map((v) => (fits(v) ? v : NaN));
      printedLine.set(stages, shown(printed));
      honestLine.set(stages, shown(honest));
      honestDots.set(...[stages, honest].map((list) => list.filter((_, i) => fits(honest[i]))));
      handle.set(values.stage, low - room);
      now.set(values.stage, low - room, values.stage, high + room);
      nowAt.set(fits(printed[k]) ? [values.stage] : [], fits(printed[k]) ? [printed[k]] : []);
      const over = printed[12] >= honest[12];
      if (fits(printed[12])) printedName.set(13, printed[12], text("printed"), over ? 0 : 24);
      else printedName.clear();
      if (fits(honest[12])) honestName.set(13, honest[12], text("test"), over ? 0 : -24);
      else honestName.clear();

      for (let i = 0; i < nSamples; i++) paint(samples[i], image(tables.samples, nSamples * patient + i));
      const kind = values.patient === "E" ? 1 : 0;
      for (let i = 0; i < nPairs; i++) {
        paint(pairs[i], image(tables.originals, nPairs * kind + i));
        paint(pairs[nPairs + i], image(tables.reconstructions, nPairs * patient + i));
      }

      const kl = Array.from(tables.kl.subarray(20 * patient, 20 * (patient + 1)));
      const small = kl.every(fits);
      prices.domain({ y: [0, small ? Math.max(0.5, 1.1 * kl[0]) : 2] });
      if (small) bars.set(latents.map((n) => n - 0.35), latents.map((n) => n + 0.35), kl);
      else bars.clear();
      if (small) offBars.clear();
      else offBars.set(10, 1, text("off_bars"));

      const readouts = {
        printed_reconstruction: printedRows[k][0], price: printedRows[k][1], printed: printed[k],
        reconstruction: honestRows[k][0], kl: honestRows[k][1], elbo: honest[k],
        log_px: tables.ends[patient][0], fresh: tables.ends[patient][1],
        active: kl.filter((value) => value > activeFrom).length, std: tables.std[patient],
      };
      const blanks = {
        ...values, ...readouts, dearest: kl[0], cheapest: kl[19],
        printed: format(readouts.printed, Math.abs(readouts.printed) < 1 ? 3 : 1),
      };
      const lines = inView.length ? [] : text("off_chart", blanks).split("\n");
      outside.forEach((label, i) => (lines.length ? label.set(10, 0, lines[i]) : label.clear()));
      chart.describe(text("curve_description", blanks));
      for (const pictures of [left, right]) pictures.describe(text("pictures_description", blanks));
      prices.describe(text("bars_description", blanks));
      return {
        readouts,
        consequence: text("consequence", blanks),
        table: () => ({
          caption: text("table_caption"),
          head: [text("stage_axis"), text("printed"), text("test")],
          rows: stages.slice(0, values.stage).map((stage, i) => [format(stage, 0), printed[i], honest[i]]),
        }),
      };
    },
  };
});
