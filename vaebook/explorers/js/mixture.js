// Three Gaussian components over the durations of eruptions: taken by hand, or fitted by EM.
vaebook.define("mixture", (api) => {
  const { forms, tables, text, format } = api;
  const NAMES = [1, 2, 3];
  const WHATS = ["weight", "mean", "std"];
  const ROOT = Math.sqrt(2 * Math.PI);
  const LEVELS = [-300, -500]; // below the lowest of them the climb is in view from -900 on
  const { data } = tables;
  const [grid, edges] = [Array.from(tables.grid), Array.from(tables.edges)];
  const width = edges[1] - edges[0];
  const steps = edges.slice(1).flatMap((right, i) => [edges[i], right]); // the outline of the bars
  const domain = [grid[0], grid[grid.length - 1]];

  const chart = api.chart({
    height: [236, 188],
    x: { domain, ticks: false },
    y: { domain: [0, 0.8], label: text("y_axis") },
  });
  const bars = NAMES.map((n) => chart.area(`c${n}`, { strength: 0.3 }));
  const cut = chart.segment("muted", { width: 1 });
  const curves = NAMES.map((n) => chart.line(`c${n}`, { width: 2 }));
  const sum = chart.line("p", { width: 2.75 });
  const top = chart.points("p", { shape: "diamond", size: 4.5 });
  const names = NAMES.map((n) => chart.label(`c${n}`, { dy: 5 }));
  const peaks = NAMES.map((n) => api.handle(chart, {
    moves: [`mean_${n}`, `weight_${n}`], role: `c${n}`,
    to: (x, y, values) => ({ [`mean_${n}`]: x, [`weight_${n}`]: y * ROOT * values[`std_${n}`] }),
  }));
  const flanks = NAMES.map((n) => api.handle(chart, {
    moves: [`std_${n}`], role: `c${n}`,
    to: (x, _, values) => ({ [`std_${n}`]: Math.abs(x - values[`mean_${n}`]) }),
  }));

  const lower = api.chart({
    height: [122, 102],
    x: { domain, label: text("x_axis") },
    y: { domain: [0, 1], label: text("share_axis"), spacing: 30 },
  });
  const bands = NAMES.map((n) => lower.area(`c${n}`, { strength: 0.3 }));
  const borders = NAMES.map((n) => lower.line(`c${n}`, { width: 1.5 }));
  const lowerCut = lower.segment("muted", { width: 1 });
  const bandNames = NAMES.map((n) => lower.label(`c${n}`, { dy: 4 }));
  const xHandle = api.handle(lower, { moves: ["x"], role: "p", to: (x) => ({ x }) });
  for (const one of [chart, lower]) one.onpick((x) => api.set({ x }));

  const drawClimb = api.shows("em_step") ? makeClimb() : () => {};

  const parameters = (values) => WHATS.map((what) => NAMES.map((n) => values[`${what}_${n}`]));
  function emSteps(values, count) {
    let found = parameters(values);
    const trail = [...values.trail];
    for (let i = 0; i < count; i++) {
      const { shares, logLikelihood } = forms.eStep(data, ...found);
      trail.push(logLikelihood);
      found = forms.mStep(data, shares, found[1], found[2], tables.floor);
    }
    const there = Object.fromEntries(WHATS.flatMap((what, k) => NAMES.map((n, i) => [`${what}_${n}`, found[k][i]])));
    return { ...api.inside(there), trail: trail.slice(-tables.max_trail) };
  }

  return {
    constrain(next, moved) {
      const kept = moved.includes("trail") || moved.join() === "x";
      const values = forms.shareRest(next, moved, NAMES.map((n) => `weight_${n}`));
      return kept ? values : { ...values, trail: [] };
    },

    actions: {
      em_step: (values) => emSteps(values, 1),
      many_steps: (values) => emSteps(values, tables.many),
    },

    update(values) {
      const found = parameters(values);
      const [weights, means, stds] = found;
      const { joint, density } = forms.mixtureCurves(grid, ...found);
      const { shares, logLikelihood } = forms.eStep(data, ...found);
      const at = forms.mixture(values.x, ...found);
      const here = at.responsibilities;
      const heights = NAMES.map((_, k) => weights[k] / (ROOT * stds[k]));

      const tops = drawBars(shares);
      const ceiling = api.niceCeiling(1.12 * Math.max(...density, ...heights, ...tops));
      chart.domain({ y: [0, ceiling] });
      const middle = weights.reduce((all, weight, k) => all + weight * means[k], 0);
      NAMES.forEach((n, k) => {
        curves[k].set(grid, weights[k] > 0 ? joint[k] : []);
        peaks[k].set(means[k], heights[k]);
        names[k].set(means[k], heights[k], weights[k] > 0 || api.shows(`weight_${n}`) ? String(n) : "", 24);
        // The handle of the width is on the outer flank, if that is in the picture.
        const side = means[k] < middle ? -1 : 1;
        const place = means[k] + side * stds[k];
        const flank = place > domain[0] && place < domain[1] ? place : means[k] - side * stds[k];
        flanks[k].set(flank, heights[k] * Math.exp(-0.5));
      });
      sum.set(grid, density);
      cut.set(values.x, 0, values.x, ceiling);
      top.set([values.x], [Math.exp(at.logProb)]);
      drawBands(grid.map((x) => forms.mixture(x, ...found).responsibilities), values.x);

      const most = here.indexOf(Math.max(...here));
      const say = { log_likelihood: logLikelihood, x: values.x, steps: values.trail.length };
      const consequence = text("consequence", { ...say, component: most + 1, share: here[most] });
      const list = (numbers) => numbers.map((number) => format(number)).join(", ");
      chart.describe(text("description", {
        weights: list(weights), means: list(means), stds: list(stds), consequence,
      }));
      lower.describe(text("share_description", { ...say, shares: list(here) }));
      drawClimb([...values.trail, logLikelihood], text("climb_description", say));

      return {
        readouts: {
          log_likelihood: logLikelihood,
          gain: values.trail.length ? logLikelihood - values.trail[values.trail.length - 1] : 0,
          prob: Math.exp(at.logProb), log_prob: at.logProb,
          responsibility_1: here[0], responsibility_2: here[1], responsibility_3: here[2],
        },
        consequence,
        table() {
          const xs = [values.x, ...grid.filter((_, i) => i % 20 === 0)];
          const { joint: columns, density: sums } = forms.mixtureCurves(xs, ...found);
          return {
            caption: text("table_caption"),
            head: ["x", ...NAMES.map((n) => text("table_component", { n })), "p(x)"],
            rows: xs.map((x, i) => [format(x), ...columns.map((column) => column[i]), sums[i]]),
          };
        },
      };
    },
  };

  // The histogram, each bar split by the responsibilities of its points. Returns the bars' tops.
  function drawBars(shares) {
    let below = edges.slice(1).map(() => 0);
    NAMES.forEach((_, k) => {
      const tops = [...below];
      shares.forEach((share, i) => {
        tops[Math.floor((data[i] - edges[0]) / width)] += share[k] / (data.length * width);
      });
      const twice = (numbers) => numbers.flatMap((number) => [number, number]);
      bars[k].set(steps, twice(tops), twice(below));
      below = tops;
    });
    return below;
  }

  // The responsibilities at every x, stacked, each named where its band is widest.
  function drawBands(rows, x) {
    let below = grid.map(() => 0);
    NAMES.forEach((n, k) => {
      const tops = below.map((bottom, i) => bottom + rows[i][k]);
      bands[k].set(grid, tops, below);
      borders[k].set(grid, k < 2 ? tops : []);
      const inner = rows.map((row, i) => (i > 20 && i < grid.length - 20 ? row[k] : 0));
      const widest = inner.indexOf(Math.max(...inner));
      bandNames[k].set(grid[widest], below[widest] + rows[widest][k] / 2, inner[widest] > 0.3 ? String(n) : "");
      below = tops;
    });
    lowerCut.set(x, 0, x, 1);
    xHandle.set(x, 0.5);
  }

  // The log-likelihood against the EM step, where there is a button for one. Returns what draws it.
  function makeClimb() {
    const third = api.chart({
      height: [152, 132], aside: true,
      x: { domain: [0, 10], label: text("step_axis") },
      y: { domain: [-500, -240], label: text("climb_axis"), spacing: 25 },
    });
    const line = third.line("p", { width: 1.5 });
    const stops = third.points("p", { size: 2.5 });
    const end = third.points("p", { shape: "diamond", size: 4.5 });
    return (path, words) => {
      const [lowest, last] = [Math.min(...path), path.length - 1];
      third.domain({
        x: [0, api.niceCeiling(Math.max(10, last))],
        y: [LEVELS.find((level) => level <= lowest) ?? -900, Math.max(-240, ...path)],
      });
      const at = path.map((_, i) => i);
      line.set(at, path);
      stops.set(at, path);
      end.set([last], [path[last]]);
      third.describe(words);
    };
  }
});
