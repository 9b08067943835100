"""Explorer ``generation``: z moves a ball along the curve f[z], and samples build up p(x)."""

from typing import ClassVar

import numpy as np

from vaebook.explorers.base import Explorer
from vaebook.explorers.controls import Count, Readout, Slider
from vaebook.explorers.random_numbers import standard_normal
from vaebook.gaussians import log_normal
from vaebook.latent import BOOK_NOISE_STD, NonlinearModel, book_decoder
from vaebook.quadrature import uniform_grid

LATENT = uniform_grid(-5.0, 5.0, 401)
SIDE = (-4.2, 4.2)  # of the square that is shown
BARS = 42
PARTS = 5  # the curve p(x1) has this many points in each bar
MAX_DRAWS = 3001


class Generation(Explorer):
    """Ancestral sampling from the book's nonlinear model.

    ``n`` counts the draws on show and ``seed`` says which they are: draw i of a seed is always the
    same. The bars count the first coordinate of all draws.

    Source: chapter "nonlinear-latent-variable-models", eq-nlvm-conditional and sec-generation.
    """

    name = "generation"
    title = "From z to x, once and many times"

    z = Slider(0.0, -3.5, 3.5, step=0.1, label="latent", symbol="z", group="axis", role="c2")
    noise_std = Slider(
        BOOK_NOISE_STD, 0.1, 0.8, step=0.05, fine=0.01, label="noise", symbol="σ", role="p"
    )
    n = Count(1, 1, MAX_DRAWS)
    seed = Count(17, 0, 2**32 - 1)
    buttons = ("draw_1", "draw_500", "new_seed")

    shown = (
        Readout("prior", "prior", symbol="p(z)", group="At the chosen z", role="c2", more=True),
        Readout(
            "centre_1", "centre", symbol="f₁[z]", group="At the chosen z", role="c2", more=True
        ),
        Readout(
            "centre_2", "centre", symbol="f₂[z]", group="At the chosen z", role="c2", more=True
        ),
        Readout("density", "density", symbol="p(f[z])", role="p"),
        Readout("last_z", "latent", symbol="z*", group="Last draw", more=True),
        Readout("last_x_1", "data", symbol="x₁*", group="Last draw", more=True),
        Readout("last_x_2", "data", symbol="x₂*", group="Last draw", more=True),
        Readout("n", "draws", digits=0),
        Readout("seed", "seed", digits=0, group="All draws", more=True),
        Readout("misfit", "bars miss the curve by", role="p"),
    )

    text: ClassVar = {
        "draw_1": "Draw one",
        "draw_500": "Draw 500",
        "new_seed": "New seed",
        "note": "Draw one x at a time, or 500: the bars grow into the density of x₁.",
        "x1": "x₁",
        "x2": "x₂",
        "z_axis": "z",
        "prior_axis": "prior p(z)",
        "bars_axis": "density of x₁",
        "density_name": "p(x₁)",
        "at_z": "z",
        "at_f": "f[z]",
        "at_x": "x*",
        "consequence": "the ball stands at ({centre_1}, {centre_2}), where the density is "
        "{density:3}; the area between the bars of {n:0} draws and the curve is {misfit}",
        "plane_description": "The curve in the plane, the density of x as shading, the ball at "
        "({centre_1}, {centre_2}) with standard deviation {noise_std}, and {n:0} draws.",
        "bars_description": "A histogram of the first coordinate of {n:0} draws with seed {seed} "
        "over its density; the area between them is {misfit}.",
        "prior_description": "The standard normal prior of z, with z = {z} marked.",
        "table_caption": "The chosen z, and the last draws",
        "table_draw": "draw",
        "table_chosen": "chosen",
    }
    described = ("plane_description", "prior_description")

    def draw_1(self):
        """Draw once more, and go to the z that was drawn."""
        n = self.inside(n=self.n + 1)["n"]
        self.set(n=n, **self.inside(z=self.samples(n)[1][-1]))

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
        """Return the numbers at z, the last draw, and how well the bars fit the curve."""
        centre = book_decoder(self.z)
        x, z = self.samples()
        width = (SIDE[1] - SIDE[0]) / BARS
        bar = np.floor((x[:, 0] - SIDE[0]) / width).astype(int)
        counts = np.bincount(bar[(bar >= 0) & (bar < BARS)], minlength=BARS)
        mass = self.density_of_x1().reshape(BARS, PARTS).mean(axis=1) * width
        return {
            "prior": np.exp(log_normal(self.z, 0.0, 1.0)),
            "centre_1": centre[0],
            "centre_2": centre[1],
            "density": np.exp(self.model().log_marginal(centre)),
            "last_z": z[-1],
            "last_x_1": x[-1, 0],
            "last_x_2": x[-1, 1],
            "n": self.n,
            "seed": self.seed,
            "misfit": np.abs(counts / self.n - mass).sum(),
        }

    def still(self):
        """Return the plane with its density, the ball and the draws, and the prior beneath."""
        from matplotlib.figure import Figure
        from matplotlib.patches import Circle

        from vaebook import figures

        fig = Figure(figsize=(5.2, 5.6))
        plane, prior = fig.subplots(2, height_ratios=[4, 1])
        side = np.linspace(*SIDE, 85)
        points = np.stack(np.meshgrid(side, side), axis=-1)
        figures.plot_density(side, side, np.exp(self.model().log_marginal(points)), ax=plane)
        figures.plot_decoder_curve(LATENT.points, book_decoder(LATENT.points), ax=plane)
        x, _ = self.samples()
        plane.plot(*x.T, "o", color=figures.COLOURS["data"], markersize=3)
        centre, colour = book_decoder(self.z), figures.COLOURS["c2"]
        for radius in (self.noise_std, 2 * self.noise_std):
            ring = Circle(centre, radius, fill=False, edgecolor=colour, linestyle="--")
            plane.add_patch(ring)
        plane.set(xlim=SIDE, ylim=SIDE)
        z = np.linspace(-3.5, 3.5, 141)
        prior.plot(z, np.exp(log_normal(z, 0.0, 1.0)), ":", color=figures.COLOURS["muted"])
        prior.axvline(self.z, color=colour, linestyle="--")
        prior.set(xlabel="$z$", ylabel="prior $p(z)$", xlim=(-3.5, 3.5))
        prior.set_ylim(bottom=0)
        return fig
