// The latent plane of a trained VAE: a point and what it decodes to, the data's codes, and the holes.
vaebook.define("latent-space", (api) => {
  const { forms, tables, text, format } = api;
  const { side, cells, short, labels, seed, steps, frames, max_draws: maxDraws } = tables;
  const SECONDS = 6;
  const decode = forms.perceptron(tables.decoder);
  const codes = labels.map((_, k) => [tables.codes[2 * k], tables.codes[2 * k + 1]]);
  // The picture's rows go upwards, those of an image downwards.
  const upwards = (image) => Array.from({ length: 784 }, (_, i) => image[28 * (27 - Math.floor(i / 28)) + (i % 28)]);
  const photos = labels.map((_, k) =>
    Array.from({ length: 784 }, (_, i) => (tables.pixels[98 * k + (i >> 3)] >> (7 - (i & 7))) & 1));
  const holes = forms.holes(tables.aggregated, side, cells, short);
  const ratioAt = (z) => forms.betweenCells(tables.aggregated, side, cells, z) / forms.planePrior(z);

  const plane = api.chart({
    part: 1.6, wide: false, equal: true, height: [380, 215],
    x: { domain: side, label: text("z1"), spacing: 45 },
    y: { domain: side, label: text("z2"), spacing: 45 },
  });
  const ranked = Array.from(tables.aggregated).sort((a, b) => a - b);
  plane.heat("q").set(tables.aggregated, cells, cells, side, side, ranked[Math.floor(0.98 * ranked.length)] / 0.75);
  plane.heat("p").set(holes.prior, cells, cells, side, side, 0.22);
  const dots = holes.middles.filter(([z1, z2], k) => holes.prior[k] > 0.004 && k % 2 === 0 && Math.floor(k / cells) % 2 === 0);
  plane.points("p", { size: 0.9, halo: false }).set(dots.map((z) => z[0]), dots.map((z) => z[1]));
  const turn = Array.from({ length: 73 }, (_, i) => (i * Math.PI) / 36);
  for (const radius of [1, 2, 3]) {
    plane.line("p", { width: 1 }).set(turn.map((a) => radius * Math.cos(a)), turn.map((a) => radius * Math.sin(a)));
  }
  const drawn = codes.flatMap((_, k) => (k % 5 < 3 ? [k] : [])); // more digits would hide each other
  plane.words("ink").set(...[0, 1].map((d) => drawn.map((k) => codes[k][d])), drawn.map((k) => format(labels[k], 0)));
  const way = plane.segment("c2", { width: 2.5 });
  const wayEnds = [plane.points("c2", { size: 4.5 }), plane.points("c2", { shape: "square", size: 4 })];
  const point = api.handle(plane, { moves: ["z1", "z2"], role: "c2", to: (z1, z2) => ({ z1, z2 }) });
  const atZ = plane.label("c2", { dy: -11 });
  plane.onpick((z1, z2) => api.set({ z1: api.snap("z1", z1), z2: api.snap("z2", z2) }));

  const frame = (x, y, size) => [[x, x + size, x + size, x, x, NaN], [y, y, y + size, y + size, y, NaN]];
  const picture = api.chart({
    part: 1, wide: false, equal: true,
    x: { domain: [0, 40], ticks: false },
    y: { domain: [-16, 28], ticks: false, label: text("decoded") },
  });
  const decoded = picture.heat("ink", { pixels: true });
  const near = picture.heat("ink", { pixels: true });
  const nearName = [17, 33].map((dy) => picture.label("ink", { dy, anchor: "start" }));
  const borders = [frame(0, 0, 28), frame(29, 17, 11)];
  picture.line("ink", { width: 1 }).set(borders.flatMap((b) => b[0]), borders.flatMap((b) => b[1]));

  // Frames stand at their t; the two test images stand outside, at the ends.
  const along = { domain: [-0.27, 1.27], ticks: false };
  const size = 0.15;
  const places = [-0.19, ...Array.from({ length: frames }, (_, k) => k / (frames - 1)), 1.19].map((t) => t - size / 2);
  const strip = api.chart({ below: true, equal: true, x: along, y: { domain: [0, 0.18], ticks: false, room: true } });
  const pictures = places.map(() => strip.heat("ink", { pixels: true }));
  const outlines = [places[0], places[places.length - 1]].map((x) => frame(x, 0.03, size));
  strip.line("ink", { width: 1 }).set(outlines.flatMap((b) => b[0]), outlines.flatMap((b) => b[1]));
  const arrow = strip.points("c2", { shape: "triangle", size: 5 });

  const profile = api.chart({
    height: 130, aside: true, x: along, y: { domain: [0, 1], label: text("density_axis"), spacing: 40 },
  });
  const lines = { prior: profile.line("p"), aggregated: profile.line("q") };
  const now = profile.segment("c2", { width: 2.5 });
  const lineNames = { prior: profile.label("p", { anchor: "end", dy: 4 }), aggregated: profile.label("q", { anchor: "start", dy: 4 }) };
  for (const chart of [strip, profile]) chart.onpick((t) => api.set({ t: api.snap("t", Math.min(1, Math.max(0, t))) }));

  const endsOf = (values) => [tables.ends[values.start][0], tables.ends[values.end][1]];
  const onPath = ([from, to], t) => from.map((start, d) => start + t * (to[d] - start));

  let path = {}; // between the two images that are chosen
  function pathBetween(values) {
    if (path.start !== values.start || path.end !== values.end) {
      const two = endsOf(values);
      const between = two.map((k) => codes[k]);
      const ts = Array.from({ length: steps }, (_, k) => k / (steps - 1));
      const zs = ts.map((t) => onPath(between, t));
      const densities = {
        prior: zs.map(forms.planePrior),
        aggregated: zs.map((z) => forms.betweenCells(tables.aggregated, side, cells, z)),
      };
      path = { start: values.start, end: values.end, two, between, ts, zs, densities, leastRatio: Math.min(...zs.map(ratioAt)) };
      drawPath();
    }
    return path;
  }
  function drawPath() {
    const { two, between: [from, to], ts, densities } = path;
    const images = places.map((_, k) => {
      if (k === 0 || k > frames) return photos[two[k && 1]];
      return decode(onPath(path.between, (k - 1) / (frames - 1))).map(forms.sigmoid);
    });
    images.forEach((image, k) => pictures[k].set(upwards(image), 28, 28, [places[k], places[k] + size], [0.03, 0.03 + size]));
    way.set(...from, ...to);
    wayEnds[0].set([from[0]], [from[1]]);
    wayEnds[1].set([to[0]], [to[1]]);
    profile.domain({ y: [0, api.niceCeiling(1.05 * Math.max(...densities.prior, ...densities.aggregated))] });
    for (const [name, line] of Object.entries(lines)) line.set(ts, densities[name]);
    lineNames.prior.set(0, densities.prior[0], text("prior"), -6);
    lineNames.aggregated.set(1, densities.aggregated[steps - 1], text("aggregated"), 6);
  }

  let shown = {}; // the values on show
  let stop = null; // ends the walk that runs
  let walking = null; // where that walk has put t

  return {
    // t leads z along the path; z leads t to the nearest place of it.
    constrain(values, touched) {
      const moved = touched.filter((name) => values[name] !== shown[name]);
      const [from, to] = endsOf(values).map((k) => codes[k]);
      const step = from.map((start, d) => to[d] - start);
      if (moved.includes("z1") || moved.includes("z2")) {
        const ahead = (values.z1 - from[0]) * step[0] + (values.z2 - from[1]) * step[1];
        const t = Math.min(1, Math.max(0, ahead / (step[0] ** 2 + step[1] ** 2)));
        // A walk's places are on the path already, up to rounding.
        return Math.abs(t - values.t) < 1e-9 ? values : { ...values, t };
      }
      if (["t", "start", "end"].some((name) => moved.includes(name))) {
        const [z1, z2] = onPath([from, to], values.t);
        return { ...values, z1, z2 };
      }
      return values;
    },

    actions: {
      walk() {
        if (stop) stop();
        walking = null;
        const end = api.animate(SECONDS, (part) => {
          walking = api.snap("t", part);
          const [z1, z2] = onPath(path.between, walking);
          api.set({ t: walking, z1, z2 });
          if (part === 1) stop = null;
        });
        stop = walking === 1 ? null : () => { end(); stop = null; };
      },
      draw(values) {
        const n = Math.min(values.n + 1, maxDraws);
        const [z1, z2] = [2 * n - 2, 2 * n - 1].map((k) => forms.standardNormal(seed, k));
        return { n, ...api.inside({ z1, z2 }) };
      },
    },

    update(values) {
      shown = values;
      const { t, z1, z2 } = values;
      // Whoever moves z during a walk takes over.
      if (stop && t !== walking) stop();
      const z = [z1, z2];
      const { leastRatio } = pathBetween(values);
      const logits = decode(z);
      const { ink, entropy } = forms.pixelStatistics(logits);
      const distances = codes.map((code) => Math.hypot(code[0] - z1, code[1] - z2));
      const nearest = distances.indexOf(Math.min(...distances));
      const prior = forms.planePrior(z);
      const aggregated = forms.betweenCells(tables.aggregated, side, cells, z);
      const readouts = {
        prior, aggregated, ratio: aggregated / prior, ink, entropy,
        digit: labels[nearest], distance: distances[nearest],
        log_px_given_z: forms.logBernoulli(photos[nearest], logits),
        least_ratio: leastRatio, hole_mass: holes.mass,
      };

      point.set(z1, z2);
      atZ.set(z1, z2, text("at_z"));
      decoded.set(upwards(logits.map(forms.sigmoid)), 28, 28, [0, 28], [0, 28]);
      near.set(upwards(photos[nearest]), 28, 28, [29, 40], [17, 28]);
      const nearWords = text("nearest", readouts);
      nearWords.split("\n").forEach((words, k) => nearName[k].set(0, 0, words));
      arrow.set([t], [0.012]);
      now.set(t, 0, t, 1e3);

      const blanks = { ...values, ...readouts, count: drawn.length, hole: readouts.ratio < short ? text("hole") : "" };
      const consequence = text("consequence", blanks);
      plane.describe(text("plane_description", { ...blanks, consequence }));
      picture.describe(text("image_description", blanks));
      strip.describe(text("strip_description", blanks));
      profile.describe(text("profile_description", blanks));
      return {
        readouts,
        consequence,
        table: () => ({
          caption: text("table_caption"),
          head: ["t", text("z1"), text("z2"), text("prior"), text("aggregated"), text("table_ratio"), text("table_entropy")],
          rows: [[text("at_z"), z], ...path.zs.flatMap((at, k) => (k % 5 === 0 ? [[format(path.ts[k]), at]] : []))].map(([name, at]) => [
            name, ...at, forms.planePrior(at), forms.betweenCells(tables.aggregated, side, cells, at), ratioAt(at),
            forms.pixelStatistics(decode(at)).entropy,
          ]),
        }),
      };
    },
  };
});
