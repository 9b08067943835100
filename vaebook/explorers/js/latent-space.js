// The latent plane of a trained VAE: a point and what it decodes to, a path, and digits drawn by hand.
vaebook.define("latent-space", (api) => {
  const { forms, tables, text, format } = api;
  const { side, cells, short, labels, seed, steps, max_draws: maxDraws } = tables;
  const { columnsOf, ellipse, onPath, pathEnds, upwards } = forms;
  const [decode, encode] = [tables.decoder, tables.encoder].map(forms.perceptron);
  const model = { encode, decode, nodes: Array.from(tables.nodes), weights: Array.from(tables.weights) };
  const codes = forms.pointsFrom(tables.codes);
  const nearest = forms.nearestAmong(codes, labels);
  const photos = labels.map((_, k) => forms.blackOrWhite(tables.pixels, k));
  const holes = forms.holes(tables.aggregated, side, cells, short);
  const aggregatedAt = (z) => forms.betweenCells(tables.aggregated, side, cells, z);
  const ratioAt = (z) => aggregatedAt(z) / forms.planePrior(z);

  const plane = api.chart({
    part: 2.6, wide: false, equal: true, height: [440, 250],
    x: { domain: side, label: text("z1"), spacing: 45 },
    y: { domain: side, label: text("z2"), spacing: 45 },
  });
  const scene = vaebook.latentScene(api, plane, { codes, holes, decode });
  const way = plane.segment("c2", { width: 2.5 });
  const wayEnds = plane.points("c2", { size: 4.5 }), here = plane.points("c3", { size: 5 }); // under the handles
  const cloud = plane.line("q", { width: 1.75 });
  const code = plane.points("q", { shape: "diamond", size: 4 });
  const codeName = plane.label("q", { dy: 4, anchor: "start" });
  const point = api.handle(plane, { moves: ["z1", "z2"], role: "c3", pick: true, to: (z1, z2) => ({ z1, z2 }) });
  const [from, to] = Object.values(forms.PATH).map((moves) =>
    api.handle(plane, { moves, role: "c2", to: (...z) => Object.fromEntries(moves.map((name, d) => [name, z[d]])) }));
  const atZ = plane.label("c3", { dy: -11 });

  const frame = (x, y, size) => [[x, x + size, x + size, x, x, NaN], [y, y, y + size, y + size, y, NaN]];
  const picture = api.chart({
    part: 1, wide: false, equal: true, height: [440, 250],
    x: { domain: [0, 28], ticks: false },
    y: { domain: [0, 72], ticks: false, label: text("decoded") },
  });
  const decoded = picture.heat("ink", { pixels: true });
  const below = picture.heat("ink", { pixels: true });
  const [belowName, belowFact] = [36, 8].map((_, k) => picture.label("ink", { dy: k ? 15 : -5, anchor: "start" }));
  const sheets = [frame(0, 44, 28), frame(0, 8, 28)];
  picture.line("ink", { width: 1 }).set(sheets.flatMap((b) => b[0]), sheets.flatMap((b) => b[1]));

  const film = vaebook.latentFilm(api, frame);

  const paper = { domain: tables.pad, ticks: false };
  const drawable = ["sketch", "example", "wipe"].some(api.shows);
  const pad = drawable && vaebook.latentPad(api, { pad: true, equal: true, height: 240, x: paper, y: { ...paper, label: text("pad") } },
    { width: 9, gap: 3, draw: (drawing) => api.set({ drawing }) });
  const strokesOf = ({ sketch, drawing }) => tables.examples[sketch] ?? drawing;

  let path = {}; // between the two places that are chosen
  function pathBetween(values) {
    const between = pathEnds(values), key = between.join();
    if (path.key !== key) {
      const ts = Array.from({ length: steps }, (_, k) => k / (steps - 1));
      const zs = ts.map((t) => onPath(between, t));
      const densities = { prior: zs.map(forms.planePrior), aggregated: zs.map(aggregatedAt) };
      const leastRatio = Math.min(...densities.aggregated.map((density, k) => density / densities.prior[k]));
      path = { key, two: between.map((z) => nearest(z).k), between, ts, zs, densities, leastRatio };
      drawPath();
    }
    return path;
  }
  function drawPath() {
    const { two, between, densities } = path;
    const decodedOnPath = film.ts.map((t) => decode(onPath(between, t)).map(forms.sigmoid));
    film.draw([photos[two[0]], ...decodedOnPath, photos[two[1]]].map(upwards), densities);
    way.set(...between[0], ...between[1]);
    wayEnds.set(...columnsOf(between));
    from.set(...between[0]);
    to.set(...between[1]);
  }

  let x = {}, known = []; // the drawing, or else the test image nearest to z, with its code; known codes
  function encodedImage(strokes, k) {
    const key = strokes.length ? JSON.stringify(strokes) : k;
    if (x.key === key) return x;
    const image = strokes.length ? forms.imageOf(strokes, tables) : photos[k];
    x = { key, ...(strokes.length ? forms.encoded(model, image) : (known[k] ??= forms.encoded(model, image))) };
    below.set(upwards(image), 28, 28, [0, 28], [8, 36]);
    if (strokes.length) {
      cloud.set(...ellipse(x.mean, x.std.map((s) => 2 * s)));
      code.set(...columnsOf([x.mean]));
      codeName.set(...x.mean, text("yours"), 20);
    } else for (const mark of [cloud, code, codeName]) mark.clear();
    return x;
  }

  return {
    constrain(values, touched, had) {
      const moved = (...names) => names.some((name) => touched.includes(name) && values[name] !== had[name]);
      const placeOf = (now) => {
        const strokes = strokesOf(now);
        if (!strokes.length) return null;
        const [z1, z2] = encode(forms.imageOf(strokes, tables));
        return api.inside({ z1, z2 });
      };
      return forms.settleLatent(values, moved, (digit, k) => codes[tables.ends[digit][k]], placeOf);
    },

    actions: {
      walk: () => ({ sweep: "t" }),
      draw(values) {
        const n = Math.min(values.n + 1, maxDraws);
        const [z1, z2] = [2 * n - 2, 2 * n - 1].map((k) => forms.standardNormal(seed, k));
        return { n, ...api.inside({ z1, z2 }) };
      },
      example({ sketch }) {
        const names = Object.keys(tables.examples);
        return { sketch: names[(names.indexOf(sketch) + 1) % names.length] };
      },
      wipe: () => ({ sketch: "none" }),
    },

    update(values) {
      const { t, z1, z2, behind } = values;
      const z = [z1, z2];
      scene.draw(behind);
      const { leastRatio, two } = pathBetween(values);
      const strokes = strokesOf(values);
      const logits = decode(z);
      const { ink, entropy } = forms.pixelStatistics(logits);
      const near = nearest(z);
      const { mean, std, cost } = encodedImage(strokes, near.k);
      const [prior, aggregated] = [forms.planePrior(z), aggregatedAt(z)];
      const readouts = {
        prior, aggregated, ratio: aggregated / prior, ink, entropy,
        digit: near.digit, distance: near.distance,
        log_px_given_z: forms.logBernoulli(photos[near.k], logits),
        mean_1: mean[0], mean_2: mean[1], std_1: std[0], std_2: std[1], cost,
        least_ratio: leastRatio, hole_mass: holes.mass,
      };

      here.set([z1], [z2]);
      point.set(z1, z2);
      atZ.set(z1, z2, text("at_z"));
      decoded.set(upwards(logits.map(forms.sigmoid)), 28, 28, [0, 28], [44, 72]);
      if (pad) pad.set(strokes);
      const yours = strokes.length > 0;
      belowName.set(0, 36, text(yours ? "yours" : "nearest", readouts));
      belowFact.set(0, 8, yours ? text("costs", readouts) : "");
      film.at(t);

      const blanks = {
        ...values, ...readouts, count: scene.count, tiles: tables.tiles, usual: tables.usual, strokes: strokes.length,
        first: labels[two[0]], last: labels[two[1]],
        regions: scene.regions.map(([r1, r2], digit) => text("region", { digit, z1: r1, z2: r2 })).join(", "),
      };
      Object.assign(blanks, {
        hole: readouts.ratio < short ? text("hole") : "",
        placed: yours ? text("placed", blanks) : "",
        scene: text(`scene_${behind}`, blanks),
        below: text(yours ? "below_yours" : "below_nearest", blanks),
        on_pad: text(yours ? "pad_full" : "pad_empty", blanks),
      });
      const consequence = text("consequence", blanks);
      plane.describe(text("plane_description", { ...blanks, consequence }));
      picture.describe(text("image_description", blanks));
      film.describe(blanks);
      if (pad) pad.describe(text("pad_description", blanks));
      return {
        readouts,
        consequence,
        table: () => ({
          caption: text("table_caption"),
          head: ["t", text("z1"), text("z2"), text("prior"), text("aggregated"), text("table_ratio"), text("table_entropy")],
          rows: [[text("at_z"), z], ...path.zs.flatMap((at, k) => (k % 5 === 0 ? [[format(path.ts[k]), at]] : []))].map(([name, at]) => [
            name, ...at, forms.planePrior(at), aggregatedAt(at), ratioAt(at), forms.pixelStatistics(decode(at)).entropy,
          ]),
        }),
      };
    },
  };
});
