"""Explorer ``generation``: from z to x by sampling, and from x back to z by the posterior."""

from typing import ClassVar

import numpy as np

from vaebook import figures
from vaebook.explorers.base import Explorer
from vaebook.explorers.controls import Count, Readout, Slider
from vaebook.explorers.random_numbers import standard_normal
from vaebook.explorers.words import fill
from vaebook.figures.style import stand_on_zero
from vaebook.gaussians import log_normal
from vaebook.latent import BOOK_NOISE_STD, NonlinearModel, book_decoder
from vaebook.quadrature import uniform_grid

LATENT = uniform_grid(-5.0, 5.0, 501)
SIDE = (-3.5, 3.5)  # of the square that is shown
BARS = 35
PARTS = 5  # the curve p(x1) has this many points in each bar
MAX_DRAWS = 3000


def count_peaks(p):
    """Return how many inner points are higher than both neighbours, and not negligible."""
    inner = p[1:-1]
    return int(((inner > p[:-2]) & (inner > p[2:]) & (inner > p.max() / 100)).sum())


class Generation(Explorer):
    """Ancestral sampling from the book's nonlinear model, and the posterior of z given x.

    ``z`` and ``x1``, ``x2`` are one latent value and one data point, each moved by hand or drawn.
    ``n`` counts the draws on show and ``seed`` says which they are: draw i of a seed is always the
    same. The bars count the first coordinate of all draws.

    Source: chapter "nonlinear-latent-variable-models", sec-generation and eq-nlvm-posterior.
    """

    name = "generation"
    title = "From z to x, and back"
    size = (5.2, 5.6)

    z = Slider(0.0, -3.5, 3.5, step=0.1, label="latent", symbol="z", group="axis", role="c2")
    x1 = Slider(1.5, *SIDE, step=0.1, label="data", symbol="x₁", role="data")
    x2 = Slider(1.0, *SIDE, step=0.1, label="data", symbol="x₂", role="data")
    noise_std = Slider(
        BOOK_NOISE_STD, 0.15, 0.6, step=0.05, fine=0.01, label="noise", symbol="σ", role="p"
    )
    n = Count(0, 0, MAX_DRAWS)
    seed = Count(17, 0, 2**32 - 1)
    buttons = ("draw_1", "draw_500", "new_seed")

    shown = (
        Readout("log_px", "log p(x)", unit="nats", role="p"),
        Readout("posterior", "posterior", "p(z|x)", role="posterior"),
        Readout("n", "draws", digits=0),
        Readout("prior", "prior", "p(z)", group="At the chosen z", role="c2"),
        Readout("centre_1", "mean of x", "f₁[z]", group="At the chosen z"),
        Readout("centre_2", "mean of x", "f₂[z]", group="At the chosen z"),
        Readout("density", "density", "p(f[z])", group="At the chosen z"),
        Readout("log_px_given_z", "log p(x|z)", unit="nats", group="At the chosen z"),
        Readout("mean", "mean", group="Posterior of z", role="posterior"),
        Readout("std", "standard deviation", group="Posterior of z"),
        Readout("peaks", "peaks", digits=0, group="Posterior of z"),
        Readout("seed", "seed", digits=0, group="All draws"),
        Readout("misfit", "area between bars and curve", group="All draws"),
    )

    text: ClassVar = {
        "draw_1": "Draw one",
        "draw_500": "Draw 500",
        "new_seed": "New seed",
        "note": "Draw a z and from it an x, once or 500 times; or drag x, and see which z could "
        "have made it.",
        "z_density_axis": "density of z",
        "bars_axis": "density of x₁",
        "density_name": "p(x₁)",
        "posterior": "p(z|x)",
        "at_f": "f[z]",
        "one_peak": "one peak",
        "more_peaks": "{peaks:0} peaks",
        "consequence": "log p(x) is {log_px} nats; the posterior of z has {shape}, mean {mean} and "
        "standard deviation {std}; draws so far: {n:0}",
        "plane_description": "The curve in the plane, the density of x as shading, two circles "
        "around f[z] = ({centre_1}, {centre_2}) for noise of standard deviation {noise_std}, the "
        "point x at ({x1}, {x2}), and the draws so far: {n:0}.",
        "bars_description": "A histogram of the first coordinate of all draws ({n:0} so far, seed "
        "{seed}) and its density; the area between them is {misfit}.",
        "latent_description": "Two densities over z: the standard normal prior, and the posterior "
        "given x, which has {shape}, mean {mean} and standard deviation {std}. Marked is z = {z}.",
        "table_caption": "The chosen z and x, and the last draws",
        "table_draw": "draw",
        "table_chosen": "chosen",
    }
    described = ("plane_description", "latent_description")

    def draw_1(self):
        """Draw once more, and go to the z and the x that were drawn."""
        n = self.inside(n=self.n + 1)["n"]
        x, z = self.samples(n)
        self.set(n=n, **self.inside(z=z[-1], x1=x[-1, 0], x2=x[-1, 1]))

    def draw_500(self):
        """Draw 500 times more."""
        self.set(**self.inside(n=self.n + 500))

    def new_seed(self):
        """Draw as many again with the next seed."""
        self.seed = (self.seed + 1) % 2**32

    def model(self):
        """Return the model that the sliders describe."""
        return NonlinearModel(book_decoder, self.noise_std, grid=LATENT)

    def samples(self, n=None):
        """Return the draws on show (or the first n): x (n, 2) and z (n,)."""
        normal = standard_normal(self.seed, (self.n if n is None else n, 3))
        z = normal[:, 0]
        return book_decoder(z) + self.noise_std * normal[:, 1:], z

    def tables(self):
        """Return the decoder's numbers, the latent grid, and how the picture is cut."""
        log_prior = np.log(LATENT.weights) + log_normal(LATENT.points, 0.0, 1.0)
        constants = {"side": list(SIDE), "bars": BARS, "parts": PARTS, "max_draws": MAX_DRAWS}
        arrays = {"latent": LATENT.points, "log_prior_mass": log_prior}
        return {"decoder": book_decoder.table()} | arrays | constants

    def density_of_x1(self):
        """Return p(x1) at the middles of the parts of all bars, (BARS * PARTS,)."""
        width = (SIDE[1] - SIDE[0]) / (BARS * PARTS)
        x1 = SIDE[0] + width * (np.arange(BARS * PARTS) + 0.5)
        model = self.model()
        mass = model.grid_weights * np.exp(log_normal(model.grid, 0.0, 1.0))
        return np.exp(log_normal(x1[:, None], model.curve[:, 0], self.noise_std)) @ mass

    def compute(self):
        """Return the numbers at z, the posterior given x, and how well the bars fit the curve."""
        model, centre, x = self.model(), book_decoder(self.z), [self.x1, self.x2]
        log_px, log_px_given_z = model.log_marginal(x), model.log_px_given_z(x, self.z)
        prior = np.exp(log_normal(self.z, 0.0, 1.0))
        mean, std = model.posterior_moments(x)
        width = (SIDE[1] - SIDE[0]) / BARS
        bar = np.floor((self.samples()[0][:, 0] - SIDE[0]) / width).astype(int)
        counts = np.bincount(bar[(bar >= 0) & (bar < BARS)], minlength=BARS)
        mass = self.density_of_x1().reshape(BARS, PARTS).mean(axis=1) * width
        return {
            "log_px": log_px,
            "posterior": np.exp(log_px_given_z - log_px) * prior,
            "n": self.n,
            "prior": prior,
            "centre_1": centre[0],
            "centre_2": centre[1],
            "density": np.exp(model.log_marginal(centre)),
            "log_px_given_z": log_px_given_z,
            "mean": mean,
            "std": std,
            "peaks": count_peaks(model.posterior(x)),
            "seed": self.seed,
            "misfit": np.abs(counts / max(self.n, 1) - mass).sum(),
        }

    def blanks(self):
        """Return also the posterior's number of peaks in words."""
        blanks = super().blanks()
        key = "one_peak" if blanks["peaks"] == 1 else "more_peaks"
        return blanks | {"shape": fill(self.text[key], blanks)}

    def paint(self, fig):
        """Draw the plane with its density, the ball, x and the draws, and the densities of z."""
        from matplotlib.patches import Circle

        latent, plane = fig.subplots(2, height_ratios=[1, 3.2])
        model, point = self.model(), [self.x1, self.x2]
        seen = np.abs(model.grid) <= 3.5
        z = model.grid[seen]
        prior, posterior = np.exp(log_normal(z, 0.0, 1.0)), model.posterior(point)[seen]
        latent.plot(z, prior, **figures.role_line("muted"), label="prior $p(z)$")
        latent.plot(z, posterior, **figures.role_line("posterior"), label="posterior $p(z|x)$")
        stand_on_zero(latent, z, "$z$", "density")
        colour = figures.COLOURS["c2"]
        latent.axvline(self.z, color=colour, linestyle="--")
        side = np.linspace(*SIDE, 71)
        points = np.stack(np.meshgrid(side, side), axis=-1)
        figures.plot_density(side, side, np.exp(model.log_marginal(points)), ax=plane)
        plane.plot(*model.curve.T, color=figures.COLOURS["muted"])
        x, _ = self.samples()
        plane.plot(*x.T, "o", color=figures.COLOURS["data"], markersize=1.5)
        plane.plot(*point, "o", color=figures.COLOURS["data"], markersize=6)
        x1, x2 = book_decoder(self.z)
        for radius in (self.noise_std, 2 * self.noise_std):
            ring = Circle((x1, x2), radius, fill=False, edgecolor=colour, linestyle="--")
            plane.add_patch(ring)
        plane.set(xlim=SIDE, ylim=SIDE)
