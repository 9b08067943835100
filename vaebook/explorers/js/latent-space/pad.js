// The pad of the explorer `latent-space`, to draw on by mouse, pen or finger. draw(strokes) is told the
// strokes with the one at hand, each a list of points [x, y] in whole units of the pad; set(strokes)
// shows what there is.
vaebook.latentPad = (api, options, drawing) => {
  "use strict";
  const { width, gap, draw } = drawing;
  const chart = api.chart(options);
  const [low, high] = options.x.domain;
  const line = chart.tube("ink", { strength: 1 });
  chart.line("ink", { width: 1 }).set([low, high, high, low, low], [low, low, high, high, low]);
  let shown = [], before = [], stroke = [];
  chart.ondraw((kind, x, y) => {
    if (kind === "begin") [before, stroke] = [shown, []];
    const last = stroke[stroke.length - 1];
    const added = last ? vaebook.forms.strokeTo(last, x, y, gap) : [[x, y]];
    if (kind === "end" || !added.length) return;
    stroke.push(...added);
    draw([...before, stroke.map((place) => place.map(Math.round))]);
  }, () => true)();
  return {
    describe: chart.describe,
    set(strokes) {
      if (strokes === shown) return;
      shown = strokes;
      // A stroke of one point is a dot.
      const points = strokes.flatMap((one) => [...one, one[one.length - 1], [NaN, NaN]]);
      line.set(...vaebook.forms.columnsOf(points), width / 2);
    },
  };
};
