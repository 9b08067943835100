// What stands behind the points of the explorer `latent-space`: decoded images, or the test digits
// over the aggregated posterior. Marks lie upon each other in the order in which they are made.
vaebook.latentScene = (api, plane, { codes, holes, decode }) => {
  const { forms, tables, format } = api;
  const { side, cells, labels, tiles } = tables;
  const images = plane.heat("ink");
  const density = plane.heat("q");
  const holesHeat = plane.heat("p");
  const dots = holes.middles.filter((_, k) => holes.prior[k] > 0.004 && k % 2 === 0 && Math.floor(k / cells) % 2 === 0);
  plane.points("p", { size: 0.9, halo: false }).set(...forms.columnsOf(dots));
  for (const radius of [1, 2, 3]) plane.line("p", { width: 1 }).set(...forms.ellipse([0, 0], [radius, radius]));
  const borders = plane.line("muted", { width: 1.5 });
  const digits = plane.words("ink"), bigDigits = Array.from({ length: 10 }, () => plane.label("ink", { dy: 4 }));
  const drawn = codes.flatMap((_, k) => (k % 5 < 3 ? [k] : [])); // more digits would hide each other
  const regions = forms.regions(tables);

  let scene = "", tiled; // the images are decoded when they are first asked for
  function draw(behind) {
    if (behind === scene) return;
    scene = behind;
    if (behind === "images") {
      tiled ??= forms.decodedPlane(decode, side, tiles);
      images.set(tiled, 28 * tiles, 28 * tiles, side, side, 1.8);
      borders.set(...forms.columnsOf(forms.borders(tables, holes.prior.map(Boolean))));
      regions.forEach((z, digit) => bigDigits[digit].set(...z, format(digit, 0)));
      for (const mark of [density, holesHeat, digits]) mark.clear();
    } else {
      const ranked = Array.from(tables.aggregated).sort((a, b) => a - b);
      density.set(tables.aggregated, cells, cells, side, side, ranked[Math.floor(0.98 * ranked.length)] / 0.75);
      holesHeat.set(holes.prior, cells, cells, side, side, 0.22);
      digits.set(...forms.columnsOf(drawn.map((k) => codes[k])), drawn.map((k) => format(labels[k], 0)));
      for (const mark of [images, borders, ...bigDigits]) mark.clear();
    }
  }

  return { draw, count: drawn.length, regions };
};
