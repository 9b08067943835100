// The way of a sample through a latent plane: noise, a learned velocity, a code, and its image.
vaebook.define("sampler", (api) => {
  const { forms, tables, text, format } = api;
  const { side, limit, labels, scale, draws, frames, most } = tables;
  const { columnsOf, meanOf, sumOf, upwards } = forms;
  const SIZE = 28;
  const decode = forms.perceptron(tables.decoder), network = forms.perceptron(tables.velocity);
  const velocity = (z, t) => network([...z, t]);
  const image = (z) => decode(z.map((value) => value / scale)).map((v) => Math.min(1, Math.max(0, v)));
  const codes = forms.pointsFrom(tables.codes);
  const nearest = forms.nearestAmong(codes, labels);

  const plane = api.chart({
    part: 1.6, wide: false, equal: true, height: [380, 215],
    x: { domain: [...side], label: text("z1"), spacing: 45 },
    y: { domain: [...side], label: text("z2"), spacing: 45 },
  });
  for (const radius of [1, 2]) plane.line("muted", { width: 1 }).set(...forms.ellipse([0, 0], [radius, radius]));
  const drawn = codes.flatMap((code, k) => (k % 2 === 0 && Math.max(...code.map(Math.abs)) < side[1] ? [k] : []));
  plane.words("ink").set(...columnsOf(drawn.map((k) => codes[k])), drawn.map((k) => format(labels[k], 0)));
  const dots = plane.points("p", { size: 3 });
  const way = plane.line("c2", { width: 2 });
  const stops = plane.points("c2", { size: 2.5 });
  const here = plane.points("c2", { shape: "diamond", size: 4.5 });
  const start = api.handle(plane, { moves: ["eps1", "eps2"], role: "c2", pick: true, to: (eps1, eps2) => ({ eps1, eps2 }) });
  const startName = plane.label("c2", { dy: -11 });

  const picture = api.chart({
    part: 1, wide: false, equal: true,
    x: { domain: [0, SIZE], ticks: false },
    y: { domain: [0, SIZE], ticks: false, label: text("decoded") },
  });
  const decoded = picture.heat("ink", { pixels: true });
  picture.line("ink", { width: 1 }).set([0, SIZE, SIZE, 0, 0], [0, 0, SIZE, SIZE, 0]);

  const along = api.chart({
    below: true, equal: true, height: [120, 95],
    x: { domain: [-0.5, frames - 0.5], ticks: false },
    y: { domain: [0, 1], ticks: false, label: text("frames") },
  });
  const film = along.heat("ink", { pixels: true });
  const GAP = 5, half = SIZE / (SIZE + GAP) / 2; // of an image, whose middle stands at a whole number
  const arrow = along.points("c2", { shape: "triangle", size: 5 });
  along.onpick((x) => api.set({ t: x / (frames - 1) }));

  const noise = (seed) => Array.from({ length: draws }, (_, k) => [0, 1].map((d) => forms.standardNormal(seed, 2 * k + d)));
  // What depends on the noise of the seed alone, and what on the path alone, is kept between moves.
  let [others, path, exact, dotted] = [{}, {}, {}, null];
  function endsOf(seed, n) {
    if (others.seed !== seed) others = { seed };
    if (!others[n]) {
      const ends = noise(seed).map((eps) => forms.eulerPath(velocity, eps, n)[n]);
      const middle = columnsOf(ends).map(meanOf);
      const squares = ends.map((z) => (z[0] - middle[0]) ** 2 + (z[1] - middle[1]) ** 2);
      others[n] = { ends, spread: Math.sqrt(meanOf(squares)), away: meanOf(ends.map((z) => nearest(z).distance)) };
    }
    if (dotted !== others[n]) dots.set(...columnsOf(others[n].ends));
    dotted = others[n];
    return dotted;
  }
  function pathOf(eps, n) {
    const key = `${eps} ${n}`;
    if (path.key !== key) {
      const places = forms.eulerPath(velocity, eps, n);
      const lengths = places.slice(1).map((z, k) => Math.hypot(z[0] - places[k][0], z[1] - places[k][1]));
      const end = places[n];
      if (exact.key !== `${eps}`) exact = { key: `${eps}`, end: forms.eulerPath(velocity, eps, most)[most] };
      path = {
        key, places, end, ...nearest(end),
        error: Math.hypot(end[0] - exact.end[0], end[1] - exact.end[1]),
        detour: sumOf(lengths) / Math.hypot(end[0] - eps[0], end[1] - eps[1]),
      };
      way.set(...columnsOf(places));
      stops.set(...columnsOf(places));
      const images = Array.from({ length: frames }, (_, k) => upwards(image(forms.placeOnPath(places, k / (frames - 1)))));
      const [values, width, height] = forms.sheet(images, frames, GAP);
      film.set(values, width, height, [-half, frames - 1 + half], [0.1, 0.1 + 2 * half]);
    }
    return path;
  }

  return {
    glides: ["t", "eps1", "eps2"],
    // A new seed starts at its first noise.
    constrain(values, moved) {
      if (values.drawn === values.seed) return values;
      const [eps1, eps2] = noise(values.seed)[0].map((v) => Math.min(limit, Math.max(-limit, v)));
      const first = { eps1, eps2 };
      for (const name of Object.keys(first)) if (moved.includes(name)) first[name] = values[name];
      return { ...values, ...first, drawn: values.seed };
    },

    update(values) {
      const { t, n, seed } = values;
      const eps = [values.eps1, values.eps2];
      const { spread, away } = endsOf(seed, n);
      const { places, end, digit, error, detour } = pathOf(eps, n);
      const now = forms.placeOnPath(places, t), pixels = image(now);
      const readouts = {
        spread, error, digit, away, now1: now[0], now2: now[1], end1: end[0], end2: end[1],
        detour, ink: sumOf(pixels),
      };

      start.set(...eps);
      startName.set(...eps, text("noise"));
      here.set([now[0]], [now[1]]);
      arrow.set([t * (frames - 1)], [0.04]);
      decoded.set(upwards(pixels), SIZE, SIZE, [0, SIZE], [0, SIZE]);

      const blanks = { ...values, ...readouts, count: drawn.length };
      const consequence = text("consequence", blanks);
      plane.describe(text("plane_description", { ...blanks, consequence }));
      picture.describe(text("image_description", blanks));
      along.describe(text("strip_description", blanks));
      return {
        readouts,
        consequence,
        table: () => ({
          caption: text("table_caption"),
          head: ["t", text("z1"), text("z2"), text("table_nearest"), text("table_distance")],
          rows: Array.from({ length: 11 }, (_, k) => {
            const z = forms.placeOnPath(places, k / 10), near = nearest(z);
            return [format(k / 10), ...z, format(near.digit, 0), near.distance];
          }),
        }),
      };
    },
  };
});
