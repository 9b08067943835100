"""Explorer ``marginal``: a joint density, its slice at z, and the slices adding up to p(x)."""

from typing import ClassVar

import numpy as np
from scipy.special import ndtr

from vaebook.explorers.base import Explorer
from vaebook.explorers.controls import Readout, Slider
from vaebook.latent import LinearGaussianModel

MARGINAL_STD = 5.0  # of the delay, in minutes; the same for every correlation
CHOSEN_X = 5.0  # where the text of the chapter computes p(x)
GRID_X = np.linspace(-20.0, 20.0, 161)
GRID_Z = np.linspace(-3.5, 3.5, 71)


class Marginal(Explorer):
    """Delay x and traffic z of the chapter's bus: joint, slice at z, and the sum of slices up to z.

    The correlation fixes slope and scatter, so that the delay keeps its standard deviation of
    5 minutes: the joint density changes, its marginal does not.

    Source: chapter "latent-variable-models", eq-marginal-joint and eq-straight-reversed.
    """

    name = "marginal"
    title = "Adding up the slices of a joint density"

    z = Slider(1.0, -3.5, 3.5, step=0.1, label="traffic", symbol="z", role="c2")
    correlation = Slider(
        0.8, -0.95, 0.95, step=0.05, fine=0.01, label="tilt", symbol="ρ", role="p",
    )  # fmt: skip

    shown = (
        Readout(
            "slice_mean",
            "mean",
            digits=2,
            unit="minutes",
            group="Slice p(x|z)",
            role="c2",
            more=True,
        ),
        Readout(
            "slice_std", "std", digits=2, unit="minutes", group="Slice p(x|z)", role="c2", more=True
        ),
        Readout(
            "weight", "weight", symbol="p(z)", digits=4, group="Slice p(x|z)", role="c2", more=True
        ),
        Readout("prob", "p(x) at 5", digits=4, role="p"),
        Readout("std", "std", digits=2, unit="minutes", group="Marginal p(x)", role="p", more=True),
        Readout("area", "area so far", role="p"),
        Readout("so_far", "so far at 5", digits=4, role="p"),
    )
    buttons = ("sweep",)

    text: ClassVar = {
        "sweep": "Sweep z",
        "note": "Move the slice, or sweep it from the lowest z to the highest: the slices add up "
        "to p(x).",
        "x_axis": "delay x (minutes)",
        "z_axis": "traffic z",
        "density_axis": "density",
        "slice": "p(x|z)",
        "marginal": "p(x)",
        "here": "z = {z}",
        "consequence": "this slice has its mean at {slice_mean} minutes and weight {weight:3}; "
        "all slices up to it have area {area:3}",
        "joint_description": "The joint density of delay and traffic from above, with correlation "
        "{correlation}, and a slice through it at z = {z}.",
        "sum_description": "The slice p(x|z) as a bell, the sum of all slices up to z as a filled "
        "area, and the marginal p(x) as a line. z = {z}: {consequence}.",
        "table_caption": "Densities over the delay",
        "table_joint": "p(x|z) p(z)",
        "table_so_far": "slices up to z",
    }
    described = ("joint_description", "sum_description")

    def model(self):
        """Return the model of the correlation that is set."""
        slope = MARGINAL_STD * self.correlation
        return LinearGaussianModel(slope, MARGINAL_STD * np.sqrt(1 - self.correlation**2))

    def sweep(self):
        """Add up all slices: z goes to the top."""
        self.z = type(self).z.high

    def slices_up_to_z(self, x):
        """Return the integral of p(x, z') over all z' up to z: p(x) times the posterior's share."""
        mean, std = self.model().posterior(x)
        return np.exp(self.model().log_marginal(x)) * ndtr((self.z - mean) / std)

    def tables(self):
        """Return where the densities are drawn, and the two constants."""
        return {"x": GRID_X, "z": GRID_Z, "marginal_std": MARGINAL_STD, "chosen_x": CHOSEN_X}

    def compute(self):
        """Return the slice's numbers, and how far the slices up to z have filled p(x)."""
        model = self.model()
        return {
            "slice_mean": model.weight * self.z,
            "slice_std": model.noise_std,
            "weight": np.exp(model.log_joint(0.0, self.z) - model.log_px_given_z(0.0, self.z)),
            "area": ndtr(self.z),
            "so_far": self.slices_up_to_z(CHOSEN_X),
            "prob": np.exp(model.log_marginal(CHOSEN_X)),
            "std": np.hypot(model.weight, model.noise_std),
        }

    def still(self):
        """Return the joint with the slice, and beneath it the slice, the sum so far and p(x)."""
        from matplotlib.figure import Figure

        from vaebook import figures

        model = self.model()
        fig = Figure(figsize=(6.4, 5.0))
        above, below = fig.subplots(2, sharex=True)
        figures.plot_joint(
            GRID_X, GRID_Z, np.exp(model.log_joint(GRID_X[:, None], GRID_Z)), ax=above
        )
        dashed = {"color": figures.COLOURS["c2"], "linestyle": figures.DASHES["c2"]}
        above.axhline(self.z, **dashed)
        above.set(xlabel="", ylabel="traffic $z$")
        below.fill_between(
            GRID_X, self.slices_up_to_z(GRID_X), color=figures.COLOURS["p"], alpha=0.3, linewidth=0
        )
        below.plot(GRID_X, np.exp(model.log_px_given_z(GRID_X, self.z)), label="$p(x|z)$", **dashed)
        below.plot(
            GRID_X, np.exp(model.log_marginal(GRID_X)), color=figures.COLOURS["p"], label="$p(x)$"
        )
        below.set(xlabel="delay $x$ (minutes)", ylabel="density")
        below.set_ylim(bottom=0)
        below.legend()
        return fig
