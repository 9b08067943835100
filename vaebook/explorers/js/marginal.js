// A joint density from above, its slice at z, and the slices up to z adding up to the marginal.
vaebook.define("marginal", (api) => {
  const { forms, text, format } = api;
  const { marginal_std: spread, chosen_x: chosen } = api.tables;
  const xs = Array.from(api.tables.x);
  const zs = Array.from(api.tables.z);
  const coarse = xs.filter((_, i) => i % 2 === 0); // enough for the map, which the browser smooths
  const SECONDS = 6;
  const ends = (grid) => [grid[0], grid[grid.length - 1]];

  const map = api.chart({
    height: [230, 150],
    x: { domain: ends(xs), label: text("x_axis") },
    y: { domain: ends(zs), label: text("z_axis") },
  });
  const heat = map.heat("p");
  const swept = map.area("ink");
  const cut = map.line("c2", { width: 2.25 });
  const here = map.label("c2", { anchor: "start" });
  map.onpick((_, z) => api.set({ z: api.snap("z", z) }));
  const handle = api.handle(map, { moves: ["z"], role: "c2", upright: true, to: (_, z) => ({ z }) });

  const chart = api.chart({
    height: [210, 145],
    x: { domain: ends(xs), label: text("x_axis") },
    y: { domain: [0, 0.15], label: text("density_axis") },
  });
  // The sum is drawn as a stack of strips, each a unit of z wide.
  const tops = Array.from({ length: Math.round(zs[zs.length - 1] - zs[0]) }, (_, k) => zs[0] + k + 1);
  const strips = tops.map((_, k) => chart.area("p", { strength: k % 2 ? 0.35 : 0.15 }));
  const edge = chart.line("p", { width: 1 });
  const slice = chart.line("c2", { width: 2.25 });
  const whole = chart.line("p", { width: 2.75 });
  const sliceName = chart.label("c2");
  const wholeName = chart.label("p", { anchor: "end" });

  let drawn = null; // correlation of the map on show
  let stop = null; // ends the sweep that runs
  let sweeping = null; // where that sweep has put z

  return {
    update(values) {
      const { z, correlation } = values;
      // Whoever moves z during a sweep takes over.
      if (stop && z !== sweeping) stop();
      const at = forms.pair(z, correlation, spread);

      if (correlation !== drawn) {
        drawn = correlation;
        const joint = zs.flatMap((height) => coarse.map(forms.pair(height, correlation, spread).joint));
        heat.set(joint, coarse.length, zs.length, ends(xs), ends(zs), Math.max(...joint) / 0.85);
      }
      const [left, right] = ends(xs);
      swept.set([left, right], [z, z], [zs[0], zs[0]]);
      cut.set([left, right], [z, z]);
      handle.set(0.7 * right, z);
      here.set(left + 0.3, z, text("here", { z }));

      const bell = xs.map(at.slice);
      const soFar = xs.map(at.soFar);
      chart.domain({ y: [0, api.niceCeiling(1.12 * at.slice(at.mean))] });
      let below = xs.map(() => 0);
      tops.forEach((top, k) => {
        if (z <= top - 1) return strips[k].clear();
        const above = z < top ? soFar : xs.map(forms.pair(top, correlation, spread).soFar);
        strips[k].set(xs, above, below);
        below = above;
      });
      edge.set(xs, soFar);
      slice.set(xs, bell);
      whole.set(xs, xs.map(at.marginal));
      sliceName.set(Math.min(Math.max(at.mean, left), right), at.slice(at.mean), text("slice"));
      // On the side where the slice is not.
      const side = at.mean > 0 ? -1 : 1;
      wholeName.set(side * 1.3 * spread, at.marginal(1.3 * spread), text("marginal"), side < 0 ? -6 : 44);

      const consequence = text("consequence", { slice_mean: at.mean, weight: at.weight, area: at.area });
      map.describe(text("joint_description", { correlation, z }));
      chart.describe(text("sum_description", { z, consequence }));
      return {
        readouts: {
          slice_mean: at.mean, slice_std: at.std, weight: at.weight,
          area: at.area, so_far: at.soFar(chosen), prob: at.marginal(chosen), std: at.marginalStd,
        },
        consequence,
        table: () => ({
          caption: text("table_caption"),
          head: ["x", text("slice"), text("table_joint"), text("table_so_far"), text("marginal")],
          rows: xs.filter((_, i) => i % 10 === 0)
            .map((x) => [format(x, 0), at.slice(x), at.joint(x), at.soFar(x), at.marginal(x)]),
        }),
      };
    },

    actions: {
      sweep() {
        if (stop) stop();
        sweeping = null;
        const { min, max } = api.spec("z");
        const end = api.animate(SECONDS, (part) => {
          sweeping = api.snap("z", min + part * (max - min));
          api.set({ z: sweeping });
          if (part === 1) stop = null;
        });
        stop = sweeping === max ? null : () => { end(); stop = null; };
      },
    },
  };
});
