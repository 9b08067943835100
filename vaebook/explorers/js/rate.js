// Recorded VAEs along the curve of rate and distortion: the weight of the KL moves, pictures follow.
vaebook.define("rate", (api) => {
  const { forms, tables, text, format } = api;
  const { betas, largest } = tables;
  const SIZE = 28, COLUMNS = 4, STOPS = tables.traversal.shape[2], SEEDS = tables.rate.shape[1];
  const [walks, dimensions] = [tables.traversal.shape[1], tables.kl.shape[1]];
  const row = (table, k, n = SEEDS) => Array.from(table.subarray(n * k, n * (k + 1)));
  const spread = (list) => Math.max(...list) - Math.min(...list);
  const [rates, distortions] = [tables.rate, tables.distortion].map((t) => betas.map((_, k) => forms.meanOf(row(t, k))));
  const images = (table, first, n) =>
    Array.from({ length: n }, (_, k) => forms.upwards(table.subarray(SIZE * SIZE * (first + k), SIZE * SIZE * (first + k + 1))));

  const chart = api.chart({
    height: [230, 140],
    x: { domain: [0, largest[0]], label: text("rate_axis") },
    y: { domain: [50, largest[1]], label: text("distortion_axis") },
  });
  chart.line("bound").set(rates, distortions);
  chart.points("ink", { size: 2 }).set(Array.from(tables.rate), Array.from(tables.distortion));
  const tangent = chart.segment("q", { width: 1.5 });
  // The hand is nearest to one of the points, in parts of the axes.
  const nearest = (x, y) => {
    const far = betas.map((_, k) => Math.hypot((rates[k] - x) / largest[0], (distortions[k] - y) / largest[1]));
    return { beta: betas[far.indexOf(Math.min(...far))] };
  };
  const handle = api.handle(chart, { moves: ["beta"], role: "q", pick: true, to: nearest });

  const step = SIZE + 2;
  const grid = (label) => api.chart({
    part: 1, wide: false, equal: true, below: true, height: [190, 110],
    x: { domain: [-1, COLUMNS * step], ticks: false },
    y: { domain: [-1, 2 * step], ticks: false, label: text(label) },
  });
  const [left, right] = [grid("pairs"), grid("samples")];
  const strip = api.chart({
    below: true, equal: true, height: [110, 90],
    x: { domain: [-1, STOPS * step], ticks: false },
    y: { domain: [-1, step], ticks: false, label: text("walk") },
  });
  const [pairs, samples, walk] = [left, right, strip].map((pictures) => pictures.heat("ink", { pixels: true }));
  const paint = (heat, list, across) => heat.set(...forms.sheet(list, across, step - SIZE), 255);
  const originals = images(tables.originals, 0, COLUMNS);

  const costs = api.chart({
    height: 150, aside: true,
    x: { domain: [0.4, dimensions + 0.6], label: text("dimension_axis") },
    y: { domain: [0, 2], label: text("kl_axis"), spacing: 35 },
  });
  const bars = costs.bars("q"), walkedBar = costs.bars("c2");

  let painted = {}; // the run and the dimension whose pictures are there

  return {
    glides: [], // nothing lies between two recorded runs
    update(values) {
      const k = betas.indexOf(values.beta);
      const [rate, distortion] = [rates[k], distortions[k]];
      const kl = row(tables.kl, k, dimensions);
      const readouts = {
        rate, distortion, elbo: -rate - distortion, log_px: forms.meanOf(row(tables.log_px, k)),
        spread_rate: spread(row(tables.rate, k)), spread_distortion: spread(row(tables.distortion, k)),
        active: forms.meanOf(row(tables.active, k)), gap: forms.meanOf(row(tables.gap, k, tables.gap.length / betas.length)),
        walked: kl[values.dimension - 1],
      };

      handle.set(rate, distortion);
      // The line of slope -beta as far as it is in view.
      const at = (x) => distortion - values.beta * (x - rate);
      const to = (y) => rate - (y - distortion) / values.beta;
      const [from, end] = [Math.max(0, to(largest[1])), Math.min(largest[0], to(50))];
      tangent.set(from, at(from), end, at(end));

      if (painted.k !== k) {
        paint(pairs, [...originals, ...images(tables.reconstructions, COLUMNS * k, COLUMNS)], COLUMNS);
        paint(samples, images(tables.samples, 2 * COLUMNS * k, 2 * COLUMNS), COLUMNS);
      }
      if (painted.k !== k || painted.dimension !== values.dimension) {
        paint(walk, images(tables.traversal, STOPS * (walks * k + values.dimension - 1), STOPS), STOPS);
      }
      painted = { k, dimension: values.dimension };

      costs.domain({ y: [0, Math.max(0.5, 1.1 * kl[0])] });
      bars.set(...[-0.35, 0.35].map((d) => kl.map((_, i) => i + 1 + d)), kl);
      walkedBar.set(...[-0.35, 0.35].map((d) => [values.dimension + d]), [readouts.walked]);

      const last = betas.length - 1;
      const blanks = {
        ...values, ...readouts, dimensions, largest: kl[0], smallest: kl[dimensions - 1],
        count: betas.length, first_beta: betas[0], last_beta: betas[last],
        first_rate: rates[0], first_distortion: distortions[0],
        last_rate: rates[last], last_distortion: distortions[last],
      };
      const consequence = text("consequence", blanks);
      chart.describe(text("curve_description", { ...blanks, consequence }));
      for (const pictures of [left, right, strip]) pictures.describe(text("pictures_description", blanks));
      costs.describe(text("bars_description", blanks));
      return {
        readouts,
        consequence,
        table: () => ({
          caption: text("table_caption", blanks),
          head: ["beta", "rate", "distortion", "elbo"].map((name) => text(`table_${name}`)),
          rows: betas.map((beta, i) => [format(beta), rates[i], distortions[i], -rates[i] - distortions[i]]),
        }),
      };
    },
  };
});
