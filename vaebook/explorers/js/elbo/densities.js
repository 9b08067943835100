// The small chart of the explorer `elbo`: the posterior and q, and q's handles, its mean on top and
// its width on a flank in the picture.
vaebook.elboDensities = (api) => {
  const { forms, tables, text } = api;
  const latent = tables.z;
  const small = api.chart({
    height: [140, 105], below: true,
    x: { domain: [-3, 3], label: text("z_axis") },
    y: { domain: [0, 1], label: text("density_axis"), ticks: false },
  });
  const shown = Array.from(latent.keys()).filter((k) => Math.abs(latent[k]) <= 3.05);
  const z = shown.map((k) => latent[k]);
  const fine = Array.from({ length: 241 }, (_, i) => -3 + i / 40);
  const posteriorArea = small.area("posterior");
  const posteriorLine = small.line("posterior");
  const qLine = small.line("q", { width: 2.5 });
  const zNames = { q: small.label("q"), posterior: small.label("posterior") };
  const meanHandle = api.handle(small, { moves: ["mean"], role: "q", to: (x) => ({ mean: x }) });
  const stdHandle = api.handle(small, { moves: ["std"], role: "q", to: (x, _, { mean }) => ({ std: Math.abs(x - mean) }) });

  return {
    describe: small.describe,
    // draw(values, density): returns where the posterior is highest.
    draw({ mean, std }, density) {
      const seen = shown.map((k) => density[k]);
      const q = (at) => Math.exp(forms.logNormal(at, mean, std));
      small.domain({ y: [0, api.niceCeiling(Math.max(...density, 0.45 / std))] });
      posteriorArea.set(z, seen);
      posteriorLine.set(z, seen);
      qLine.set(fine, fine.map(q));
      meanHandle.set(mean, q(mean));
      const peak = seen.indexOf(Math.max(...seen));
      // The handle of the width is on the side where the posterior is not, or where there is room.
      const side = mean < z[peak] + 0.02 ? -1 : 1;
      const flank = mean + side * std * (Math.abs(mean + side * std) < 2.9 ? 1 : -1);
      stdHandle.set(flank, q(flank));
      // Each name stands on its own side of the two densities.
      const left = mean <= z[peak];
      zNames.q.set(mean, q(mean), text("q"), left ? -58 : 58);
      const outer = left ? 1 : -1;
      let slope = peak;
      while (seen[slope + outer] > 0.6 * seen[peak]) slope += outer;
      zNames.posterior.set(z[slope], seen[slope], text("posterior"), 38 * outer);
      return z[peak];
    },
  };
};
