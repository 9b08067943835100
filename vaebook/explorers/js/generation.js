// The curve f[z] with the ball at z, draws that build up the density of x, and the posterior of z.
vaebook.define("generation", (api) => {
  const { forms, tables, text, format } = api;
  const { side, bars, parts, max_draws: maxDraws } = tables;
  const latent = Array.from(tables.latent);
  const decode = forms.tanhDecoder(tables.decoder);
  const mass = Array.from(tables.log_prior_mass, Math.exp);
  const path = latent.map(decode);
  const [path1, path2] = forms.columnsOf(path);
  const reach = api.spec("z").max;
  const barWidth = (side[1] - side[0]) / bars;
  const middles = (count) => Array.from({ length: count }, (_, i) => side[0] + ((side[1] - side[0]) * (i + 0.5)) / count);
  const edges = Array.from({ length: bars + 1 }, (_, b) => side[0] + b * barWidth);
  const fine = middles(bars * parts);
  const cells = middles(48); // enough for the map, which the browser smooths

  // The prior stands on the axis and the posterior hangs from it, each to its own height.
  const over = api.chart({
    height: [150, 102],
    x: { domain: [-reach, reach], label: text("z_axis") },
    y: { domain: [-1.1, 1.1], label: text("z_density_axis"), ticks: false, room: true },
  });
  const posteriorArea = over.area("posterior");
  const posteriorLine = over.line("posterior");
  const chosen = over.segment("c2", { width: 1.75 });
  const atZ = over.label("c2", { dy: 18 });
  const posteriorName = over.label("posterior", { dy: 4 });
  const zHandle = api.handle(over, { moves: ["z"], role: "c2", pick: true, to: (z) => ({ z }) });
  const grid = Array.from({ length: 80 * reach + 1 }, (_, i) => i / 40 - reach); // of the picture
  const onGrid = grid.map(decode);
  const priorHeight = (z) => Math.exp(-0.5 * z * z);
  over.line("muted", { width: 2 }).set(grid, grid.map(priorHeight));
  over.segment("ink", { width: 1 }).set(-reach, 0, reach, 0);
  over.label("muted", { dy: 0 }).set(-1.7, priorHeight(-1.7), text("prior"), -18);

  const plane = api.chart({
    part: 1.7, wide: false, equal: true, below: true, height: [362, 194],
    x: { domain: side, label: text("x1"), spacing: 45 },
    y: { domain: side, label: text("x2"), spacing: 45 },
  });
  const heat = plane.heat("p");
  plane.line("ink", { width: 1.25 }).set(path1, path2);
  const dots = plane.points("data", { size: 1.2, halo: false });
  const ball = plane.area("c2");
  const rings = [1, 2].map((radius) => plane.line("c2", { width: 2.5 - 0.75 * radius }));
  const noise = plane.segment("data", { width: 1.75 });
  const centre = plane.points("c2", { shape: "diamond", size: 4 });
  const point = plane.points("data", { size: 4.5 });
  const atF = plane.label("c2", { dy: 4 });
  const atX = plane.label("data", { dy: 4 });
  const xHandle = api.handle(plane, { moves: ["x1", "x2"], role: "data", pick: true, to: (x1, x2) => ({ x1, x2 }) });

  const histogram = api.chart({
    part: 1, wide: false, height: [362, 194], below: true,
    x: { domain: side, label: text("x1"), spacing: 45 },
    y: { domain: [0, 0.5], label: text("bars_axis") },
  });
  const heights = histogram.bars("muted");
  const density = histogram.line("p", { width: 2.5 });
  const densityName = histogram.label("p");
  const falling = histogram.points("data", { size: 4.5 });

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
  const dataOf = ({ centre, noise }, std) => [0, 1].map((d) => centre[d] + std * noise[d]);

  function shade(std) {
    if (shaded.std === std) return shaded;
    const heights1 = forms.curveDensity(fine, path1, mass, std);
    const values = forms.planeDensity(cells, path1, path2, mass, std);
    heat.set(values, cells.length, cells.length, side, side, Math.max(...values) / 0.7);
    density.set(fine, heights1);
    const top = api.niceCeiling(1.3 * Math.max(...heights1));
    histogram.domain({ y: [0, top] });
    densityName.set(0, Math.max(...heights1), text("density_name"));
    const probability = edges.slice(1).map((_, b) =>
      heights1.slice(b * parts, (b + 1) * parts).reduce((sum, p) => sum + p, 0) * (barWidth / parts));
    shaded = { std, top, probability };
    return shaded;
  }

  let [shown, counts] = ["", []]; // the draws on show, and how many lie in each bar

  function drawSamples(rows, { n, seed, noise_std: std }) {
    if (shown === `${seed} ${n} ${std}`) return;
    shown = `${seed} ${n} ${std}`;
    const [xs, ys] = [0, 1].map((d) => rows.slice(0, n).map((row) => row.centre[d] + std * row.noise[d]));
    dots.set(xs, ys);
    counts = new Array(bars).fill(0);
    for (const x of xs) {
      const b = Math.floor((x - side[0]) / barWidth);
      if (b >= 0 && b < bars) counts[b]++;
    }
    heights.set(edges.slice(0, -1), edges.slice(1), counts.map((count) => count / (Math.max(n, 1) * barWidth)));
  }

  // The ball around f[z], and the way from there to x.
  function drawPlane([f1, f2], { x1, x2, noise_std: std }) {
    const ring = (radius) => forms.ellipse([f1, f2], [radius * std, radius * std]);
    rings.forEach((mark, k) => mark.set(...ring(k + 1)));
    const [right, up] = ring(2);
    ball.set(right.slice(0, 37), up.slice(0, 37), up.slice(0, 37).map((y) => 2 * f2 - y));
    centre.set([f1], [f2]);
    const away = x1 < f1 ? 1 : -1; // names stand on the two sides that look away from each other
    atF.set(f1 + away * (2 * std + 0.1), f2, text("at_f"), 14 * away);
    noise.set(f1, f2, x1, x2);
    point.set([x1], [x2]);
    atX.set(x1, x2, text("at_x"), -24 * away);
    xHandle.set(x1, x2);
  }

  function drawLatent({ z, x1, x2, noise_std: std }) {
    const logs = onGrid.map(([f1, f2], k) => -0.5 * ((((x1 - f1) ** 2 + (x2 - f2) ** 2) / std ** 2) + grid[k] ** 2));
    const highest = Math.max(...logs);
    const hanging = logs.map((value) => -Math.exp(value - highest));
    posteriorArea.set(grid, hanging);
    posteriorLine.set(grid, hanging);
    const peak = grid[logs.indexOf(highest)];
    posteriorName.set(peak, -0.7, text("posterior"), peak > 2 ? -40 : 40);
    chosen.set(z, -1, z, priorHeight(z));
    zHandle.set(z, priorHeight(z));
    atZ.set(z, priorHeight(z), text("at_z"), 10);
  }

  return {
    update(values) {
      const { z, x1, x2, noise_std: std, n, seed, fall } = values;
      const rows = draws(seed, n);
      const { probability, top } = shade(std);
      drawSamples(rows, values);
      const misfit = counts.reduce((sum, count, b) => sum + Math.abs(count / Math.max(n, 1) - probability[b]), 0);
      const [f1, f2] = decode(z);
      const { logPx, mean, std: width, peaks } = forms.curvePosterior(x1, x2, path1, path2, tables.log_prior_mass, latent, std);
      const height = Math.exp(forms.logNormal(z, 0, 1));
      const logLikelihood = forms.logNormal(x1, f1, std) + forms.logNormal(x2, f2, std);
      drawPlane([f1, f2], values);
      drawLatent(values);
      falling.set(fall < 0 ? [] : [x1], [fall === undefined ? 0 : top * (1 - fall)]);
      const readouts = {
        log_px: logPx, posterior: Math.exp(logLikelihood - logPx) * height, n,
        prior: height, centre_1: f1, centre_2: f2, log_px_given_z: logLikelihood,
        density: Math.exp(forms.curveLogEvidence(f1, f2, path1, path2, tables.log_prior_mass, std)),
        mean, std: width, peaks, seed, misfit,
      };
      const blanks = { ...values, ...readouts, seed: String(seed), shape: text(peaks === 1 ? "one_peak" : "more_peaks", { peaks }) };
      const consequence = text("consequence", blanks);
      plane.describe(text("plane_description", blanks));
      histogram.describe(text("bars_description", blanks));
      over.describe(text("latent_description", blanks));
      return {
        readouts,
        consequence,
        table() {
          const recent = rows.slice(Math.max(0, n - 20), n).map((row, i) =>
            [format(Math.max(0, n - 20) + i + 1, 0), row.z, ...row.centre, ...dataOf(row, std)]);
          return {
            caption: text("table_caption"),
            head: [text("table_draw"), "z", "f₁[z]", "f₂[z]", "x₁", "x₂"],
            rows: [[text("table_chosen"), z, f1, f2, x1, x2], ...recent.reverse()],
          };
        },
      };
    },

    actions: {
      // The way of a draw: z to its new place, with x on the curve; x off the curve; down to its bar.
      draw_1(from) {
        const n = Math.min(from.n + 1, maxDraws);
        const row = draws(from.seed, n)[n - 1];
        const [x1, x2] = dataOf(row, from.noise_std);
        const to = { n, ...api.inside({ z: row.z, x1, x2 }) };
        const between = (a, b, part) => a + (b - a) * Math.min(1, Math.max(0, part));
        return {
          to,
          path(part) {
            const z = between(from.z, to.z, part / 0.45);
            const [f1, f2] = decode(z);
            const off = (part - 0.45) / 0.25;
            return { ...from, z, x1: between(f1, to.x1, off), x2: between(f2, to.x2, off), fall: (part - 0.7) / 0.3 };
          },
        };
      },
      draw_500: (values) => ({ n: Math.min(values.n + 500, maxDraws) }),
      new_seed: (values) => ({ seed: (values.seed + 1) % 2 ** 32 }),
    },
  };
});
