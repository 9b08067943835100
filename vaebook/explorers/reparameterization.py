"""Explorer ``reparameterization``: dice at rest, draws that move, and two estimates of a slope."""

from typing import ClassVar

import numpy as np
from scipy.special import ndtr

from vaebook.explorers.base import Explorer
from vaebook.explorers.controls import Choice, Count, Readout, Slider
from vaebook.explorers.random_numbers import standard_normal
from vaebook.gaussians import log_normal
from vaebook.quadrature import standard_normal_grid

ESTIMATES = 300  # of each kind
EPS, MASS = standard_normal_grid()


class Reparameterization(Explorer):
    """Pathwise and score-function estimates of the gradient of E[a(z)] for z = mean + std * eps.

    The noise eps belongs to the seed: sliders leave it where it is. Every estimate is the mean of
    ``n`` draws.

    Source: chapter "reparameterization-trick", eq-pathwise, eq-score-function and eq-baseline.
    """

    name = "reparameterization"
    title = "The dice rest, the draws move"

    mean = Slider(
        1.0, -2.0, 2.0, step=0.1, fine=0.01, label="mean", symbol="μ", group="axis", role="q"
    )
    std = Slider(
        1.0, 0.2, 1.6, step=0.1, fine=0.01, label="std", symbol="s", group="axis", role="q"
    )
    function = Choice(
        "smooth", {"smooth": "z² + sin z", "step": "step"}, label="function", symbol="a[z]",
    )  # fmt: skip
    by = Choice("mean", {"mean": "μ", "std": "s"}, label="derivative by", more=True)
    n = Slider(10, 1, 100, step=1, page=10, label="draws", symbol="N")
    baseline = Slider(
        0.0, -5.0, 25.0, step=0.5, fine=0.1, label="baseline", symbol="b", role="c2", more=True,
    )  # fmt: skip
    seed = Count(47, 0, 2**32 - 1)
    buttons = ("new_dice", "best_baseline")

    shown = (
        Readout("gradient", "exact gradient", "", 3),
        Readout("seed", "seed of the dice", "", 0, group="Gradient", more=True),
        Readout("pathwise_first", "first estimate", "", 3, group="Pathwise", role="c1", more=True),
        Readout(
            "pathwise_mean", f"mean of {ESTIMATES}", "", 3, group="Pathwise", role="c1", more=True
        ),
        Readout("pathwise_std", "std, pathwise", "", 3, role="c1"),
        Readout("pathwise_error", "std by theory", "", 3, group="Pathwise", role="c1", more=True),
        Readout(
            "score_first", "first estimate", "", 3, group="Score function", role="c2", more=True
        ),
        Readout(
            "score_mean",
            f"mean of {ESTIMATES}",
            "",
            3,
            group="Score function",
            role="c2",
            more=True,
        ),
        Readout("score_std", "std, score function", "", 3, role="c2"),
        Readout(
            "score_error", "std by theory", "", 3, group="Score function", role="c2", more=True
        ),
    )

    text: ClassVar = {
        "new_dice": "New dice",
        "best_baseline": "Best baseline",
        "note": "Drag the mean of q: the dice rest and the draws move. Then take more draws.",
        "z_axis": "z",
        "curve_axis": "a[z]",
        "dice": "dice ε",
        "draws": "draws z = μ + s ε",
        "curve": "a[z]",
        "baseline": "baseline b",
        "estimate_axis": "estimate of the gradient",
        "pathwise": "pathwise",
        "score": "score function",
        "exact": "exact",
        "consequence": "the gradient is {gradient:3}; an estimate from {n:0} draws has the "
        "standard deviation {pathwise_error:3} pathwise and {score_error:3} by the score function",
        "dice_description": "A row of {n:0} dice, and beneath it the draws that are made from "
        "them, around the mean {mean} with standard deviation {std}.",
        "curve_description": "The function a over z, with the {n:0} draws of the first estimate, a "
        "short stroke for the slope at each, and a line from the baseline to each.",
        "pathwise_description": f"Pathwise: {ESTIMATES} estimates with mean {{pathwise_mean:3}} "
        "and standard deviation {pathwise_std:3}; the exact gradient is {gradient:3}.",
        "score_description": f"Score function: {ESTIMATES} estimates with mean {{score_mean:3}} "
        "and standard deviation {score_std:3}; the exact gradient is {gradient:3}.",
        "table_caption": "The first draws of the first estimate, and the gradient that each gives",
        "table_slope": "slope a′[z]",
    }
    described = ("pathwise_description", "score_description")

    def new_dice(self):
        """Roll the dice of the next seed."""
        self.seed = (self.seed + 1) % 2**32

    def best_baseline(self):
        """Set the baseline to the one with the least noise, as far as the slider goes."""
        _, a_score2, _, score2 = self._score_moments()
        self.set(**self.inside(baseline=a_score2 / score2))

    def a(self, z):
        """Return the function at z."""
        return np.where(z > 0, 1.0, 0.0) if self.function == "step" else z**2 + np.sin(z)

    def slope(self, z):
        """Return the function's derivative at z, which does not know of a jump."""
        return np.zeros_like(z) if self.function == "step" else 2 * z + np.cos(z)

    def rows(self, eps):
        """Return the pathwise and the score-function gradient of each draw."""
        z = self.mean + self.std * eps
        path = self.slope(z) * (1.0 if self.by == "mean" else eps)
        return path, (self.a(z) - self.baseline) * self._score(eps) / self.std

    def estimates(self):
        """Return ``ESTIMATES`` estimates of each kind, each the mean of ``n`` draws."""
        eps = standard_normal(self.seed, (self.n, ESTIMATES))  # more draws leave the first ones
        return [rows.mean(axis=0) for rows in self.rows(eps)]

    def _score(self, eps):
        """The score of a draw, times the std."""
        return eps if self.by == "mean" else eps**2 - 1

    def _score_moments(self):
        """E[a g], E[a g^2], E[a^2 g^2] and E[g^2] for the score g times the std."""
        size = 1.0 if self.by == "mean" else 2.0
        if self.function == "step":  # no grid is fine enough for a jump
            edge = -self.mean / self.std
            density, above = np.exp(log_normal(edge, 0.0, 1.0)), ndtr(-edge)
            if self.by == "mean":
                first, second = density, edge * density + above
            else:
                first, second = edge * density, (edge**3 + edge) * density + 2 * above
            return first, second, second, size  # a^2 = a
        a, score = self.a(self.mean + self.std * EPS), self._score(EPS)
        return MASS @ (a * score), MASS @ (a * score**2), MASS @ (a * score) ** 2, size

    def tables(self):
        """Return the grid of the averages, and how many estimates there are."""
        return {"eps": EPS, "mass": MASS, "estimates": ESTIMATES}

    def compute(self):
        """Return the gradient, and the estimates with their spread as found and as predicted."""
        first, second, square, size = self._score_moments()
        b = self.baseline
        score_variance = (square - 2 * b * second + b**2 * size - first**2) / self.std**2
        rows, _ = self.rows(EPS)
        path_variance = MASS @ (rows - MASS @ rows) ** 2
        found = {"gradient": first / self.std, "seed": self.seed}
        variances = (path_variance, score_variance)
        for name, values, variance in zip(
            ("pathwise", "score"), self.estimates(), variances, strict=True
        ):
            found |= {
                f"{name}_first": values[0],
                f"{name}_mean": values.mean(),
                f"{name}_std": values.std(),
                f"{name}_error": np.sqrt(variance / self.n),
            }
        return found

    def still(self):
        """Return the histograms of both estimates."""
        from vaebook import figures

        return figures.figure_estimates(self.compute()["gradient"], *self.estimates())
