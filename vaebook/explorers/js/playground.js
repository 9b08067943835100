// Points sketched by hand, and a VAE trained on them while one looks on.
vaebook.define("playground", (api) => {
  const { forms, tables, text, format } = api;
  const { side, most, gap } = tables;
  const grid = forms.PLAY_GRID;
  const CURVE = Array.from({ length: 121 }, (_, k) => k / 20 - 3);
  const NAMED = [-2, -1, 0, 1, 2]; // values of z that have their number at the curve
  const presets = Object.fromEntries(Object.entries(tables.presets).map(([name, table]) => [name, forms.pointsFrom(table, 100)]));
  const NONE = [];
  const pointsOf = ({ shape, drawn }) => presets[shape] ?? drawn;

  const plane = api.chart({
    part: 1.35, wide: false, equal: true, height: [372, 232],
    x: { domain: side, label: text("x1"), spacing: 45 },
    y: { domain: side, label: text("x2"), spacing: 45 },
  });
  const tube = plane.tube("p");
  const misses = plane.line("q", { width: 0.75 });
  const dots = plane.points("data", { size: 1.8, halo: false });
  const curve = plane.line("p", { width: 2.25 });
  const whole = plane.points("p", { size: 2.6, halo: false });
  const wholeNames = NAMED.map(() => plane.label("p", { dy: 4 }));
  const aside = NAMED.map((z) => [0.3 * Math.sin(0.7 * z), 0.3 * Math.cos(0.7 * z)]); // from a value to its name
  const likely = plane.points("q", { size: 2.2, halo: false });
  const pen = plane.points("c1", { size: 2.2, halo: false });
  const invitation = plane.label("c1");
  const point = api.handle(plane, { moves: ["x1", "x2"], role: "posterior", to: (x1, x2) => ({ x1, x2 }) });
  const atX = plane.label("posterior", { dy: -12 });

  const over = api.chart({
    part: 1, wide: false, height: [330, 210],
    x: { domain: [-4, 4], label: text("z_axis"), spacing: 40 },
    y: { domain: [0, 2], label: text("density_axis") },
  });
  const prior = over.line("muted", { width: 1.5 });
  const filled = over.area("q");
  const posterior = over.line("posterior", { width: 2.5 });
  const q = over.line("q", { width: 2.5 });
  const means = over.points("q", { size: 1.6, halo: false });
  const posteriorName = over.label("posterior");
  const qName = over.label("q", { dy: 4 });
  const heightOf = (z, mean, std) => Math.exp(forms.logNormal(z, mean, std));
  prior.set(grid, grid.map((z) => heightOf(z, 0, 1)));

  const history = vaebook.playgroundHistory(api);
  const trainer = forms.makeTrainer();
  const stageOf = (values) => trainer.stageOf(pointsOf(values), values);
  let shown = {};
  let [seen, stroke, thinned] = [null, null, false]; // the points on show; a stroke, and whether the last one thinned them
  let [ceiling, outer] = [0, 1]; // of the densities, and the side of q's name: neither may flicker
  let [passing, frames, result] = [false, 0, null]; // a training runs

  const round = (value) => Math.round(100 * value) / 100;
  const drawing = () => shown.shape === "own";
  const fingers = plane.ondraw((kind, x, y) => {
    if (kind === "begin") stroke = [[x, y]];
    if (kind === "go") stroke.push(...forms.strokeTo(stroke[stroke.length - 1], x, y, gap));
    if (kind === "begin" || kind === "go") return pen.set(...forms.columnsOf(stroke));
    const made = (kind === "tap" ? [[x, y]] : stroke).map((at) => at.map(round));
    pen.clear();
    if (made.length === 1 && !drawing()) return api.set({ x1: made[0][0], x2: made[0][1] });
    return api.set({ drawn: [...(drawing() ? seen : []), ...made] });
  }, drawing);

  function drawPoints(points) {
    if (points === seen) return;
    seen = points;
    dots.set(...forms.columnsOf(points));
    invitation.set(0, side[1] - 0.4, points === NONE ? text("draw_here") : thinned ? text("thinned") : "");
  }

  // The decoder's curve and where the points lie on it.
  let traced = {};
  function drawCurve(values, stage) {
    const { at, data, data: { centre, spread, flat }, run: { p } } = stage;
    if (traced.stage === stage && traced.at === at && traced.seen === seen) return;
    traced = { stage, at, seen };
    const decoded = (z) => data.out(forms.decode(p, z));
    const places = forms.columnsOf(CURVE.map(decoded));
    curve.set(...places);
    tube.set(...places, spread * values.noise_std);
    const named = NAMED.map(decoded);
    whole.set(...forms.columnsOf(named));
    const taken = []; // a name that would lie on another one is left out
    for (const k of [2, 0, 4, 1, 3]) {
      const f = named[k], out = [0, 1].map((d) => f[d] - centre[d]), far = Math.hypot(...out);
      if (far > 0.4) aside[k] = out.map((d) => (0.3 * d) / far); // nearer to the centre it would swing around
      const place = [0, 1].map((d) => f[d] + aside[k][d]);
      const free = taken.every((other) => Math.hypot(place[0] - other[0], place[1] - other[1]) > 0.4);
      if (free) taken.push(place);
      wholeNames[k].set(...place, free ? format(NAMED[k], 0) : "");
    }
    misses.set(...forms.columnsOf(seen.flatMap((x, i) => {
      const [mean] = forms.encode(p, flat[2 * i], flat[2 * i + 1]);
      return [x, decoded(mean), [NaN, NaN]];
    })));
  }

  // The point x, and where its q lies on the curve.
  function drawPoint(values, { data, run: { p } }) {
    const decoded = (z) => data.out(forms.decode(p, z));
    const [mean, std] = forms.encode(p, ...data.into([values.x1, values.x2]));
    likely.set(...forms.columnsOf(Array.from({ length: 17 }, (_, i) => decoded(mean + (std * (i - 8)) / 4))));
    point.set(values.x1, values.x2);
    atX.set(values.x1, values.x2, text("at_x"));
  }

  // The densities over z for the point x; the heights of q.
  function drawLatent(at, allMeans) {
    const heights = grid.map((z) => heightOf(z, at.mean, at.std));
    const peak = at.density.indexOf(Math.max(...at.density));
    const tall = 1.15 * Math.max(at.density[peak], 0.4 / at.std, 0.5);
    if (tall > ceiling || tall < 0.4 * ceiling) ceiling = api.niceCeiling(tall);
    over.domain({ y: [0, ceiling] });
    filled.set(grid, heights);
    q.set(grid, heights);
    posterior.set(grid, at.density);
    means.set(allMeans, allMeans.map(() => 0));
    posteriorName.set(grid[peak], at.density[peak], text("posterior"));
    const away = at.mean - grid[peak];
    if (Math.abs(away) > at.std / 2) outer = Math.sign(away);
    const flank = at.mean + 1.5 * outer * at.std;
    qName.set(flank, heightOf(flank, at.mean, at.std), text("q"), 12 * outer);
    return heights;
  }

  return {
    glides: ["x1", "x2"],
    constrain(values, touched, before) {
      if (touched.includes("drawn") || touched.includes("shape")) thinned = values.drawn.length > most;
      return forms.nextStage(values, touched, before, pointsOf, most);
    },
    advance(values, wanted, milliseconds) {
      passing = true;
      return trainer.reach(stageOf(values), wanted, performance.now() + milliseconds).at;
    },
    actions: {
      one_update: ({ updates }) => api.inside({ updates: updates + 1 }),
      new_seed: ({ seed }) => ({ seed: (seed % tables.seeds) + 1 }),
      add_point: (values) => ({ drawn: [...seen, [values.x1, values.x2]] }),
      sketch: () => ({ shape: "own", blank: 1 }),
    },

    // While a training runs, the plane moves in every frame, all else and the numbers in every third.
    update(values) {
      shown = values;
      fingers();
      drawPoints(values.blank ? NONE : pointsOf(values));
      const stage = trainer.reach(stageOf(values), values.updates);
      const { data, run: { p } } = stage;
      drawCurve(values, stage);
      drawPoint(values, stage);
      const later = passing && ++frames % 3;
      passing = false;
      if (later) return result;

      const { updates, noise_std: std } = values;
      const { path, means: allMeans, all } = trainer.scoresOf(stage);
      const at = forms.posteriorAt(p, path, ...data.into([values.x1, values.x2]), std);
      const heights = drawLatent(at, allMeans);
      const offset = values.past.reduce((sum, [, , updates]) => sum + updates, 0);
      history.draw(offset, stage, updates, all);
      const readouts = {
        elbo: all.elbo, log_px: all.logPx, gap: all.logPx - all.elbo,
        reconstruction: all.reconstruction, kl_prior: all.klPrior,
        mean: at.mean, std: at.std, posterior_mean: at.posteriorMean, posterior_std: at.posteriorStd,
        x_elbo: at.elbo, x_log_px: at.logPx,
        total: offset + updates, rate: forms.rateAt(updates), n_points: data.flat.length / 2,
      };
      const blanks = { ...values, ...readouts };
      const consequence = (thinned ? `${text("thinned")}: ` : "") + text("consequence", blanks);
      plane.describe(text("plane_description", blanks));
      over.describe(text("latent_description", blanks));
      history.describe(text("history_description", blanks));
      result = {
        readouts,
        consequence,
        table: () => ({
          caption: text("table_caption"),
          head: ["z", "f₁[z]", "f₂[z]", text("posterior"), text("q")],
          rows: grid.flatMap((z, k) => (k % 40 || Math.abs(z) > 4 ? [] : [[format(z), ...data.out([path[0][k], path[1][k]]), at.density[k], heights[k]]])),
        }),
      };
      return result;
    },
  };
});
