// The averages of the explorer `playground` over its updates.
vaebook.playgroundHistory = (api) => {
  const { text } = api;
  const history = api.chart({
    height: [150, 140], aside: true,
    x: { domain: [0, 3100], label: text("updates_axis") },
    y: { domain: [-6, -2], label: text("nats_axis"), spacing: 35 },
  });
  const between = history.area("gap", { strength: 0.2 });
  const lines = { log_px: history.line("p"), elbo: history.line("bound") };
  const names = { log_px: history.label("p", { anchor: "end" }), elbo: history.label("bound", { anchor: "end", dy: 18 }) };

  return {
    describe: history.describe,
    // This stage of the training, which begins after `offset` updates, so far.
    draw(offset, stage, updates, now) {
      const rows = [...stage.curve.filter(([at]) => at < updates), [updates, now.logPx, now.elbo]];
      const xs = rows.map(([at]) => offset + at);
      const top = Math.ceil(Math.max(...rows.map(([, logPx]) => logPx)) + 0.2);
      history.domain({ x: [offset, offset + 3100], y: [top - 4, top] });
      const [logPx, elbo] = [1, 2].map((k) => rows.map((row) => row[k]));
      between.set(xs, logPx, elbo);
      for (const [key, heights] of [["log_px", logPx], ["elbo", elbo]]) {
        lines[key].set(xs, heights);
        names[key].set(offset + 2950, Math.max(heights[heights.length - 1], top - 3.4), text(key));
      }
    },
  };
};
