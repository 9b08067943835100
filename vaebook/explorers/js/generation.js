// The curve f[z] with the ball at z, and draws that build up the density of x.
vaebook.define("generation", (api) => {
  const { forms, tables, text, format } = api;
  const { side, bars, parts, max_draws: maxDraws } = tables;
  const latent = Array.from(tables.latent);
  const decode = forms.tanhDecoder(tables.decoder);
  const mass = Array.from(tables.log_prior_mass, Math.exp);
  const path = latent.map(decode);
  const [path1, path2] = [0, 1].map((d) => path.map((point) => point[d]));
  const reach = api.spec("z").max;
  const barWidth = (side[1] - side[0]) / bars;
  const middles = (count) => Array.from({ length: count }, (_, i) => side[0] + ((side[1] - side[0]) * (i + 0.5)) / count);
  const edges = Array.from({ length: bars + 1 }, (_, b) => side[0] + b * barWidth);
  const fine = middles(bars * parts);
  const cells = middles(48); // enough for the map, which the browser smooths
  const around = Array.from({ length: 61 }, (_, i) => (i * Math.PI) / 30);

  const prior = api.chart({
    height: [104, 84],
    x: { domain: [-reach, reach], label: text("z_axis") },
    y: { domain: [0, 0.42], label: text("prior_axis"), spacing: 30 },
  });
  const bell = prior.line("muted", { width: 2 });
  const chosen = prior.segment("c2", { width: 1.75 });
  const lastZ = prior.points("data", { size: 4.5 });
  const atZ = prior.label("c2");
  const handle = api.handle(prior, { moves: ["z"], role: "c2", to: (z) => ({ z }) });
  prior.onpick((z) => api.set({ z: api.snap("z", z) }));
  const grid = latent.filter((z) => Math.abs(z) <= reach);
  bell.set(grid, grid.map((z) => Math.exp(forms.logNormal(z, 0, 1))));

  const plane = api.chart({
    part: 1.6, wide: false, equal: true, below: true, height: [340, 215],
    x: { domain: side, label: text("x1"), spacing: 45 },
    y: { domain: side, label: text("x2"), spacing: 45 },
  });
  const heat = plane.heat("p");
  const curve = plane.line("ink", { width: 1.25 });
  const dots = plane.points("data", { size: 1.2, halo: false });
  const ball = plane.area("c2");
  const rings = [1, 2].map((radius) => plane.line("c2", { width: 2.5 - 0.75 * radius }));
  const noise = plane.segment("data", { width: 1.75 });
  const centre = plane.points("c2", { shape: "diamond", size: 4 });
  const last = plane.points("data", { size: 4.5 });
  const atF = plane.label("c2");
  const atX = plane.label("data", { dy: 16 });

  const histogram = api.chart({
    part: 1, wide: false, height: [300, 190], below: true,
    x: { domain: side, label: text("x1"), spacing: 45 },
    y: { domain: [0, 0.5], label: text("bars_axis") },
  });
  const heights = histogram.bars("muted");
  const density = histogram.line("p", { width: 2.5 });
  const densityName = histogram.label("p", { anchor: "start" });
  const lastX = histogram.points("data", { size: 4.5 });

  curve.set(path1, path2);

  let drawn = {}; // seed, and its draws so far: z, the centre, the noise in units of sigma
  let shaded = {}; // noise_std, and what follows from it alone

  function draws(seed, n) {
    if (drawn.seed !== seed) drawn = { seed, rows: [] };
    for (let i = drawn.rows.length; i < n; i++) {
      const [z, ...noise] = [0, 1, 2].map((k) => forms.standardNormal(seed, 3 * i + k));
      drawn.rows.push({ z, centre: decode(z), noise });
    }
    return drawn.rows;
  }

  function shade(std) {
    if (shaded.std === std) return shaded;
    const heights1 = forms.curveDensity(fine, path1, mass, std);
    const values = forms.planeDensity(cells, path1, path2, mass, std);
    heat.set(values, cells.length, cells.length, side, side, Math.max(...values) / 0.7);
    density.set(fine, heights1);
    histogram.domain({ y: [0, api.niceCeiling(1.3 * Math.max(...heights1))] });
    const rightOfRing = fine.findIndex((x) => x > 2.1);
    densityName.set(fine[rightOfRing], heights1[rightOfRing], text("density_name"), 6);
    const probability = edges.slice(1).map((_, b) =>
      heights1.slice(b * parts, (b + 1) * parts).reduce((sum, p) => sum + p, 0) * (barWidth / parts));
    shaded = { std, probability };
    return shaded;
  }

  let shown = ""; // the draws on show
  let counts;

  return {
    update(values) {
      const { z, noise_std: std, n, seed } = values;
      const rows = draws(seed, n);
      const { probability } = shade(std);
      if (shown !== `${seed} ${n} ${std}`) {
        shown = `${seed} ${n} ${std}`;
        const [xs, ys] = [0, 1].map((d) => rows.slice(0, n).map((row) => row.centre[d] + std * row.noise[d]));
        dots.set(xs, ys);
        counts = new Array(bars).fill(0);
        for (const x of xs) {
          const b = Math.floor((x - side[0]) / barWidth);
          if (b >= 0 && b < bars) counts[b]++;
        }
        heights.set(edges.slice(0, -1), edges.slice(1), counts.map((count) => count / (n * barWidth)));
      }
      const misfit = counts.reduce((sum, count, b) => sum + Math.abs(count / n - probability[b]), 0);

      const [f1, f2] = decode(z);
      const ring = (radius) => [around.map((t) => f1 + radius * std * Math.cos(t)), around.map((t) => f2 + radius * std * Math.sin(t))];
      rings.forEach((mark, k) => mark.set(...ring(k + 1)));
      const [right, up] = ring(2);
      ball.set(right.slice(0, 31), up.slice(0, 31), up.slice(0, 31).map((y) => 2 * f2 - y));
      centre.set([f1], [f2]);
      atF.set(f1, f2 + 2 * std, text("at_f"));

      const one = rows[n - 1];
      const x = [0, 1].map((d) => one.centre[d] + std * one.noise[d]);
      noise.set(...one.centre, ...x);
      last.set([x[0]], [x[1]]);
      atX.set(...x, text("at_x"));
      lastX.set([x[0]], [0]);
      lastZ.set([one.z], [0]);

      const height = Math.exp(forms.logNormal(z, 0, 1));
      chosen.set(z, 0, z, height);
      handle.set(z, height);
      atZ.set(z, height, text("at_z"), 12);

      const prob = Math.exp(forms.curveLogEvidence(f1, f2, path1, path2, tables.log_prior_mass, std));
      const blanks = { centre_1: f1, centre_2: f2, density: prob, misfit, n, seed: String(seed), z, noise_std: std };
      const consequence = text("consequence", blanks);
      plane.describe(text("plane_description", blanks));
      histogram.describe(text("bars_description", blanks));
      prior.describe(text("prior_description", blanks));
      return {
        readouts: {
          prior: height, centre_1: f1, centre_2: f2, density: prob,
          last_z: one.z, last_x_1: x[0], last_x_2: x[1],
          n, seed, misfit,
        },
        consequence,
        table() {
          const recent = rows.slice(Math.max(0, n - 20), n).map((row, i) => [
            format(Math.max(0, n - 20) + i + 1, 0), row.z, ...row.centre,
            ...[0, 1].map((d) => row.centre[d] + std * row.noise[d]),
          ]);
          return {
            caption: text("table_caption"),
            head: [text("table_draw"), "z", "f₁[z]", "f₂[z]", "x₁", "x₂"],
            rows: [[text("table_chosen"), z, f1, f2, "", ""], ...recent.reverse()],
          };
        },
      };
    },

    actions: {
      draw_1(values) {
        const n = Math.min(values.n + 1, maxDraws);
        const { z } = draws(values.seed, n)[n - 1];
        return { n, ...api.inside({ z }) };
      },
      draw_500: (values) => ({ n: Math.min(values.n + 500, maxDraws) }),
      new_seed: (values) => ({ seed: (values.seed + 1) % 2 ** 32 }),
    },
  };
});
