// The film of the explorer `latent-space`: the images on the way between two places, and the
// densities there. Frames stand at their t; the two test images stand outside, at the ends.
vaebook.latentFilm = (api, frame) => {
  const { tables, text } = api;
  const { frames } = tables;
  const x = { domain: [-0.27, 1.27], ticks: false };
  const SIZE = 28, STEP = 31, APART = 35; // pixels of an image, to the next frame, and to a test image
  const ts = Array.from({ length: frames }, (_, k) => k / (frames - 1));
  const starts = [0, ...ts.map((_, k) => APART + STEP * k), 2 * APART + STEP * (frames - 1)];
  const wide = starts[frames + 1] + SIZE; // one bitmap for all, which takes a fraction of the time
  const pixel = 1 / (STEP * (frames - 1)), size = SIZE * pixel;
  const place = (start) => (start - APART) * pixel - size / 2;
  const strip = api.chart({ below: true, equal: true, x, y: { domain: [0, 0.18], ticks: false, room: true } });
  const pictures = strip.heat("ink", { pixels: true });
  const outlines = [starts[0], starts[frames + 1]].map((start) => frame(place(start), 0.03, size));
  strip.line("ink", { width: 1 }).set(outlines.flatMap((b) => b[0]), outlines.flatMap((b) => b[1]));
  const arrow = strip.points("c3", { shape: "triangle", size: 5 });

  const profile = api.chart({
    height: 130, aside: true, x, y: { domain: [0, 1], label: text("density_axis"), spacing: 40 },
  });
  const lines = { prior: profile.line("p"), aggregated: profile.line("q") };
  const now = profile.segment("c3", { width: 2.5 });
  const names = { prior: profile.label("p", { anchor: "end", dy: 4 }), aggregated: profile.label("q", { anchor: "start", dy: 4 }) };
  for (const chart of [strip, profile]) chart.onpick((t) => api.set({ t }));

  return {
    ts,
    // images: a test image, the frames, another test image; densities at evenly spaced t
    draw(images, { prior, aggregated }) {
      const all = new Float64Array(wide * SIZE);
      images.forEach((image, k) => {
        for (let row = 0; row < SIZE; row++) all.set(image.subarray(SIZE * row, SIZE * (row + 1)), wide * row + starts[k]);
      });
      pictures.set(all, wide, SIZE, [place(0), place(wide)], [0.03, 0.03 + size]);
      const last = prior.length - 1;
      const steps = Array.from({ length: last + 1 }, (_, k) => k / last);
      profile.domain({ y: [0, api.niceCeiling(1.05 * Math.max(0.005, ...prior, ...aggregated))] });
      lines.prior.set(steps, prior);
      lines.aggregated.set(steps, aggregated);
      names.prior.set(0, prior[0], text("prior"), -6);
      names.aggregated.set(1, aggregated[last], text("aggregated"), 6);
    },
    at(t) {
      arrow.set([t], [0.012]);
      now.set(t, 0, t, 1e3);
    },
    describe(blanks) {
      strip.describe(text("strip_description", blanks));
      profile.describe(text("profile_description", blanks));
    },
  };
};
