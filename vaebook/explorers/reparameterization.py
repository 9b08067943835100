"""Explorer ``reparameterization``: draws that move, draws that change weight, and their noise."""

from typing import ClassVar

import numpy as np

from vaebook import figures
from vaebook.explorers.base import Explorer
from vaebook.explorers.controls import Choice, ControlError, Count, Hidden, Readout, Slider
from vaebook.explorers.random_numbers import standard_normal
from vaebook.gaussians import log_normal
from vaebook.gradients import Function, pathwise_rows, row_moments, score_rows
from vaebook.quadrature import standard_normal_grid

ESTIMATES = 300  # of each kind
RATE = {"smooth": 0.1, "step": 1.0}  # of a gradient step
# a, its derivative, and where a jumps
FUNCTIONS: dict[str, tuple[Function, Function, tuple[float, ...]]] = {
    "smooth": (lambda z: z**2 + np.sin(z), lambda z: 2 * z + np.cos(z), ()),
    "step": (lambda z: np.where(z > 0, 1.0, 0.0), np.zeros_like, (0.0,)),
}


class Reparameterization(Explorer):
    """Pathwise and score-function estimates of the gradient of E[a(z)] for z = mean + std * eps.

    ``old`` is the [mean, std] of the q that the draws came from: in the left picture they follow q,
    in the right one they stay and are weighted. The noise eps belongs to the seed: sliders leave it
    where it is. Every estimate is the mean of ``n`` draws.

    Source: chapter "reparameterization-trick", eq-pathwise, eq-score-function and eq-baseline.
    """

    name = "reparameterization"
    title = "Move the draws, or change their weights"

    mean = Slider(1.0, -2.0, 2.0, step=0.1, label="mean", symbol="μ", role="q")
    std = Slider(1.0, 0.2, 1.6, step=0.1, label="std", symbol="s", role="q")
    n = Slider(10, 1, 100, step=1, label="draws", symbol="N")
    function = Choice(
        "smooth", {"smooth": "z² + sin z", "step": "jump"}, label="function", symbol="a[z]"
    )
    by = Choice("mean", {"mean": "μ", "std": "s"}, label="derivative with respect to", more=True)
    baseline = Slider(
        0.0, -5.0, 25.0, step=0.5, fine=0.1, label="baseline", symbol="b", role="c2", more=True
    )
    old = Hidden([0.0, 1.0])
    seed = Count(47, 0, 2**32 - 1)
    buttons = ("pathwise_step", "score_step", "redraw")

    shown = (
        Readout("gradient", "exact gradient"),
        Readout("pathwise_error", "std, pathwise", role="c1"),
        Readout("score_error", "std, score function", role="c2"),
        Readout("average", "exact", group="Average of a[z]"),
        Readout("moved_average", "draws moved", group="Average of a[z]", role="c1"),
        Readout("kept_average", "draws weighted", group="Average of a[z]", role="c2"),
        Readout("pathwise_first", "first estimate", group="Pathwise", role="c1"),
        Readout("pathwise_mean", f"mean of {ESTIMATES}", group="Pathwise", role="c1"),
        Readout("pathwise_std", f"std of {ESTIMATES}", group="Pathwise", role="c1"),
        Readout("score_first", "first estimate", group="Score function", role="c2"),
        Readout("score_mean", f"mean of {ESTIMATES}", group="Score function", role="c2"),
        Readout("score_std", f"std of {ESTIMATES}", group="Score function", role="c2"),
        Readout("best_baseline", "best baseline", group="Score function", role="c2"),
        Readout("seed", "seed of the noise", digits=0, group="Noise"),
    )

    text: ClassVar = {
        "pathwise_step": "Path step",
        "score_step": "Score step",
        "redraw": "Redraw",
        "note": "Drag q. On the left its draws move with it, on the right they stay and change "
        "weight. A step follows one estimate of the gradient.",
        "note_small": "Drag q, or press a button. On the left the draws move with q, on the right "
        "they stay and change weight.",
        "moved_title": "move the draws",
        "kept_title": "weight the draws",
        "curve": "a[z]",
        "old": "old q",
        "baseline": "b",
        "average": "E[a]",
        "estimate_axis": "estimate",
        "pathwise": "pathwise",
        "score": "score function",
        "exact": "exact",
        "consequence": "the gradient is {gradient:3}; with N = {n:0} an estimate has the "
        "standard deviation {pathwise_error:3} pathwise and {score_error:3} by the score function",
        "moved_description": "q with mean {mean} and standard deviation {std}, and beside it the "
        "old q with mean {old_mean} and standard deviation {old_std}. Its draws (N = {n:0}) moved "
        "along with q. They stand on the curve a, each with a short stroke for the slope there. "
        "The average of their heights is {moved_average:3}, the exact one {average:3}.",
        "kept_description": "The same two densities. The draws of the old q have stayed, and "
        "the area of each dot is its weight, from {least:2} to {most:2}. A line leads from the "
        "baseline to each. The weighted average of their heights is {kept_average:3}.",
        "pathwise_description": f"Pathwise: {ESTIMATES} estimates with mean {{pathwise_mean:3}} "
        "and standard deviation {pathwise_std:3}; the exact gradient is {gradient:3}.",
        "score_description": f"Score function: {ESTIMATES} estimates with mean {{score_mean:3}} "
        "and standard deviation {score_std:3}; the exact gradient is {gradient:3}.",
        "table_caption": "The first draws of q, and the gradient that each gives",
        "table_slope": "slope a′[z]",
    }
    described = ("pathwise_description", "score_description")

    def constrain(self, values, moved):
        """Refuse an ``old`` that no q can be."""
        old = values["old"]
        if not (isinstance(old, list | tuple) and len(old) == 2 and np.isfinite(old).all()
                and old[1] > 0):  # fmt: skip
            raise ControlError.of(self, "old", old, "give [mean, std] with a positive std")
        return values | {"old": [float(part) for part in old]}

    def redraw(self):
        """Draw afresh, from the present q."""
        self.set(old=[self.mean, self.std], seed=(self.seed + 1) % 2**32)

    def pathwise_step(self):
        """Draw afresh, and take one step of gradient descent along the pathwise estimate."""
        self._step(0)

    def score_step(self):
        """Draw afresh, and take one step of gradient descent along the score-function estimate."""
        self._step(1)

    def _step(self, kind):
        self.redraw()
        by_mean, by_std = self._rows(self._noise()[:, 0])[kind].mean(axis=0)
        rate = RATE[self.function]
        self.set(**self.inside(mean=self.mean - rate * by_mean, std=self.std - rate * by_std))

    def _noise(self):
        """Return the eps of draw k of estimate r, (n, ESTIMATES); the picture shows r = 0."""
        return standard_normal(self.seed, (self.n, ESTIMATES))  # more draws leave the first ones

    def _rows(self, eps):
        """Return the pathwise and the score-function gradient of each draw, (n, 2)."""
        f, df, _ = FUNCTIONS[self.function]
        score = score_rows(f, self.mean, self.std, eps, baseline=self.baseline)
        return pathwise_rows(df, self.mean, self.std, eps), score

    def estimates(self):
        """Return ``ESTIMATES`` estimates of each kind, each the mean of ``n`` draws."""
        eps = self._noise()
        entry = ["mean", "std"].index(self.by)
        rows = self._rows(eps.ravel())
        return [kind[:, entry].reshape(eps.shape).mean(axis=0) for kind in rows]

    def draws(self):
        """Return the draws of q, those of the old q, and what the latter weigh under q."""
        eps = self._noise()[:, 0]
        kept = self.old[0] + self.old[1] * eps
        log_weights = log_normal(kept, self.mean, self.std) - log_normal(kept, *self.old)
        return self.mean + self.std * eps, kept, np.exp(log_weights)

    def tables(self):
        """Return the grid of the averages, the rates, and how many estimates there are."""
        eps, mass = standard_normal_grid()
        return {"eps": eps, "mass": mass, "estimates": ESTIMATES, "rate": RATE}

    def compute(self):
        """Return gradient and averages, and the estimates with their spread, found and exact."""
        f, df, jumps = FUNCTIONS[self.function]
        m = row_moments(f, df, self.mean, self.std, baseline=self.baseline, jumps=jumps)
        entry = ["mean", "std"].index(self.by)
        moved, kept, weights = self.draws()
        found = {
            "gradient": m.gradient[entry],
            "average": m.average,
            "moved_average": f(moved).mean(),
            "kept_average": (weights * f(kept)).mean(),
            "best_baseline": m.best_baseline[entry],
            "seed": self.seed,
        }
        kinds = zip(("pathwise", "score"), self.estimates(), m[2:4], strict=True)
        for name, values, std in kinds:
            found |= {
                f"{name}_first": values[0],
                f"{name}_mean": values.mean(),
                f"{name}_std": values.std(),
                f"{name}_error": std[entry] / np.sqrt(self.n),
            }
        return found

    def still(self):
        """Return the histograms of both estimates."""
        return figures.figure_estimates(self.compute()["gradient"], *self.estimates())
