// Recorded trainings of broken programs beside a sound one: first blind, then with what a test says.
vaebook.define("failures", (api) => {
  const { forms, tables, text, format } = api;
  const { bugs, beside, n_samples: nSamples, n_epochs: nEpochs } = tables;
  const patients = Object.keys(bugs), HEALTHY = patients.length; // its row is the last one
  const STAGES = 20, SIZE = 28, N_LATENT = 20;
  const stages = Array.from({ length: STAGES }, (_, k) => k + 1);
  const latents = Array.from({ length: N_LATENT }, (_, k) => k + 1);
  const fits = (v) => Math.abs(v) < 1e4;
  // Both terms of a bound at a stage, counted from 0, and the bound at all stages.
  const terms = (table, row, k) => table.subarray(2 * (STAGES * row + k), 2 * (STAGES * row + k) + 2);
  const curveOf = (table, row) => stages.map((_, k) => terms(table, row, k)[0] - terms(table, row, k)[1]);
  const klOf = (row) => Array.from(tables.kl.subarray(N_LATENT * row, N_LATENT * (row + 1)));
  const image = (row, k, i) => forms.greyImage(tables.samples, nSamples * (STAGES * row + k) + i);

  const chart = api.chart({
    height: [220, 148],
    x: { domain: [0.5, STAGES + 0.5], label: text("epoch_axis") },
    y: { domain: [-1, 0], label: text("nats_axis"), spacing: 38 },
  });
  const healthyLine = chart.line("muted", { width: 2 });
  const testLine = chart.line("ink", { width: 1.25 });
  const testDots = chart.points("ink", { size: 2.5 });
  const printedLine = chart.line("bound", { width: 2.5 });
  const truth = chart.points("p", { shape: "diamond", size: 4.5 });
  const now = chart.segment("muted", { width: 1.5 });
  const nowAt = chart.points("bound", { shape: "square", size: 4.5 });
  const [healthyName, testName, printedName] = ["muted", "ink", "bound"].map((role) => chart.label(role, { dy: 4 }));
  const truthName = chart.label("p", { anchor: "end" });
  const handle = api.handle(chart, { moves: ["stage"], role: "ink", pick: true, to: (stage) => ({ stage }) });

  // Two rows of samples, each image made from the same noise as the one under it.
  const step = SIZE + 2;
  const pictures = api.chart({
    equal: true, below: true, height: [225, 130],
    x: { domain: [-1, nSamples * step], ticks: false },
    y: { domain: [-1, 2 * step], ticks: false, label: text("samples") },
  });
  const heat = pictures.heat("ink", { pixels: true });
  let painted = "";
  function paint(rows, k) {
    if (painted === `${rows}/${k}`) return;
    painted = `${rows}/${k}`;
    const images = rows.flatMap((row) => Array.from({ length: nSamples }, (_, i) => image(row, k, i)));
    heat.set(...forms.sheet(images, nSamples, step - SIZE), 15);
  }

  const prices = api.chart({
    height: 150, aside: true,
    x: { domain: [0.4, N_LATENT + 0.6], label: text("latent_axis") },
    y: { domain: [0, 2], label: text("kl_axis"), spacing: 35 },
  });
  const bars = prices.bars("bound");
  const dots = prices.points("muted", { size: 3 });
  const barsName = prices.label("muted", { anchor: "end" });

  return {
    constrain(values, moved) {
      if (values.case === values.patient) return values;
      const blind = { suspect: "none", revealed: 0 };
      for (const name of Object.keys(blind)) if (moved.includes(name)) blind[name] = values[name];
      return { ...values, ...blind, case: values.patient };
    },

    actions: {
      reveal: () => ({ revealed: 1 }),
      next_patient: ({ patient }) => ({ patient: patients[(patients.indexOf(patient) + 1) % HEALTHY] }),
    },

    update(values) {
      const { patient, suspect, revealed } = values;
      const row = patients.indexOf(patient);
      const k = Math.round(values.stage) - 1; // a jump passes between two stages
      const [printed, healthy, test] = [curveOf(tables.printed, row), curveOf(tables.printed, HEALTHY), curveOf(tables.honest, row)];
      const [logPx, fresh] = tables.ends[row];
      const kl = klOf(row);
      const [price, cost] = [tables.printed, tables.honest].map((table) => terms(table, row, k)[1]);
      const readouts = {
        printed: printed[k], healthy: healthy[k], price,
        kl: cost, elbo: test[k], log_px: logPx, fresh, active: tables.active[row], std: tables.std[row],
      };
      const blanks = { ...values, ...readouts, epochs: nEpochs[row] };
      const told = text(`told_${patient}`, blanks);
      blanks.found = revealed ? `${told} ${text("seen", blanks)}` : text(`history_${patient}`);
      blanks.bars = revealed ? text("shown_bars") : "";
      drawCurves(values, blanks, k, { printed, healthy, test, logPx, beside: beside[row] });

      paint([row, HEALTHY], k);
      drawPrices(kl, revealed);
      chart.describe(text("curve_description", blanks));
      pictures.describe(text("pictures_description", blanks));
      prices.describe(text("bars_description", blanks));
      const verdict = suspect === "none" ? "none" : suspect === bugs[patient] ? "right" : "wrong";
      return {
        readouts,
        consequence: text("consequence", blanks),
        note: revealed ? `${text(`verdict_${verdict}`)} ${told}` : `${text(`history_${patient}`)} ${text(api.shows("suspect") ? "note" : "note_small")}`,
        table: () => ({
          caption: text("table_caption"),
          head: [text("epoch_axis"), text("patient_name", blanks), text("healthy_name"), ...(revealed ? [text("test_name")] : [])],
          rows: stages.slice(0, k + 1).map((stage, i) => [
            format((stage * nEpochs[row]) / STAGES, 0), printed[i], healthy[i], ...(revealed ? [test[i]] : []),
          ]),
        }),
      };
    },
  };

  // What one axis can hold; numbers that have no place on it are told in words.
  function drawCurves({ stage, revealed }, blanks, k, { printed, healthy, test, logPx, beside: together }) {
    const inPlace = printed.every(fits);
    const showHealthy = together || !inPlace || Boolean(revealed);
    const shown = [...(inPlace ? printed : []), ...(showHealthy ? healthy : []), ...(revealed ? [...test, logPx].filter(fits) : [])];
    const [low, high] = [Math.min(...shown), Math.max(...shown)];
    const room = 0.12 * (high - low);
    const [floor, ceiling] = [low - room, high + room];
    chart.domain({ y: [floor, ceiling] });
    printedLine.set(inPlace ? stages : [], printed);
    healthyLine.set(showHealthy ? stages : [], healthy);
    const seen = revealed ? stages.filter((_, i) => fits(test[i])) : [];
    testLine.set(seen, seen.map((s) => test[s - 1]));
    testDots.set(seen, seen.map((s) => test[s - 1]));
    truth.set(revealed && fits(logPx) ? [STAGES] : [], [logPx]);
    handle.set(stage, floor);
    now.set(stage, floor, stage, ceiling);
    nowAt.set(inPlace ? [k + 1] : [], [printed[k]]);

    // A name stands at its curve, above or below it.
    const nameAt = (label, words, curve, s, above) => label.set(s, curve[s - 1] + (above ? 0.09 : -0.09) * (ceiling - floor), words);
    const over = printed[9] >= healthy[9];
    if (inPlace) nameAt(printedName, text("patient_name", blanks), printed, 10, over);
    else printedName.set(10, (floor + ceiling) / 2, text("patient_outside", blanks));
    if (showHealthy) nameAt(healthyName, text("healthy_name"), healthy, 10, inPlace && !over);
    else healthyName.set(10, floor + 0.12 * (ceiling - floor), text("healthy_outside"));
    if (seen.length > 14) nameAt(testName, text("test_name"), test, 15, test[14] > printed[14]);
    else testName.clear();
    truthName.set(STAGES, logPx, revealed && fits(logPx) ? text("log_px_name") : "", -8);
  }

  // The healthy run as dots; the patient's bars after the reveal.
  function drawPrices(kl, revealed) {
    const healthy = klOf(HEALTHY);
    const small = kl.every(fits);
    const bold = revealed && small;
    prices.domain({ y: [0, 1.15 * Math.max(healthy[0], bold ? kl[0] : 0)] });
    bars.set(bold ? latents.map((n) => n - 0.35) : [], latents.map((n) => n + 0.35), kl);
    dots.set(latents, healthy);
    barsName.set(N_LATENT + 0.5, healthy[0], text(revealed && !small ? "off_bars" : "healthy_dots"));
  }
});
