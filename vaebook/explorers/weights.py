"""Explorer ``weights``: K importance samples of q, their weights, and the estimates they give."""

from typing import Any, ClassVar

import numpy as np

from vaebook import importance
from vaebook.explorers.base import Explorer
from vaebook.explorers.controls import Choice, Count, Ladder, Readout, Slider
from vaebook.explorers.random_numbers import standard_normal
from vaebook.figures import COLOURS, role_line
from vaebook.gaussians import log_normal
from vaebook.latent import LinearGaussianModel, NonlinearModel
from vaebook.quadrature import standard_normal_grid

COUNTS = [1, 2, 5, 10, 20, 50, 100]
SETS, SEED = 200, 5  # of draws; their noise never changes
SOFT = 0.25  # how round the corner of the second decoder is
LINE = LinearGaussianModel(1.5, 0.8)  # that of the explorer elbo
FOLD = NonlinearModel(lambda z: np.sqrt(z**2 + SOFT**2)[:, None], 0.4)
MODELS = {"linear": LINE, "two": FOLD}
# A weight has infinite variance up to 1 / sqrt 2 of the std that the posterior's tails have; those
# of FOLD are the tails of a line with slope 1.
TAILS = {"linear": LINE, "two": LinearGaussianModel(1.0, FOLD.noise_std)}
LIMITS = {name: float(tails.posterior(0.0)[1] / np.sqrt(2)) for name, tails in TAILS.items()}
LATENT = np.linspace(-4.5, 4.5, 361)  # where the curves are drawn
BINS = 30  # of the histogram, to the left of log p(x)


class Weights(Explorer):
    """Importance samples of q = N(mean, std^2), and 200 estimates of log p(x) from K of them.

    The linear model is x = 1.5 z + noise. In the other one z and -z explain x alike, for x is
    nearly abs(z) + noise. ``draw`` says which of the 200 sets of draws the upper picture shows;
    the noise of all sets stays the same.

    Source: chapter "importance-weighting", eq-iw-bound.
    """

    name = "weights"
    title = "Importance weights and the bound"
    size = (6.4, 4.4)

    mean = Slider(0.0, -4.0, 4.0, step=0.1, label="mean", symbol="μ", role="q")
    std = Slider(1.0, 0.1, 3.0, step=0.1, label="std", symbol="s", role="q")
    n = Ladder(10, COUNTS, label="samples", symbol="K", role="c1")
    model = Choice("linear", {"linear": "one", "two": "two"}, label="peaks")
    x = Slider(1.7, 0.0, 4.5, step=0.1, label="data", symbol="x", more=True)
    draw = Count(0, 0, SETS - 1)
    buttons = ("new_draws", "to_posterior")

    shown = (
        Readout("log_px", "log p(x)", unit="nats", role="p"),
        Readout("bound", "bound", unit="nats", role="bound"),
        Readout("effective", "effective sample size", digits=1, role="c1"),
        Readout("estimate", "estimate", group="These draws", role="c1"),
        Readout("effective_part", "effective / K", group="These draws", role="c1"),
        Readout("largest", "largest weight / sum", group="These draws", role="c1"),
        Readout("elbo", "ELBO, the bound of one sample", group="Exact", role="bound"),
        Readout("gap", "log p(x) minus bound", group="Exact", role="gap"),
        Readout("limit", "variance infinite up to s =", group="Exact"),
        Readout("average", "mean", group=f"{SETS} estimates", role="c1"),
        Readout("error", "its standard error", group=f"{SETS} estimates", role="c1"),
        Readout("spread", "their std", group=f"{SETS} estimates", role="c1"),
    )

    text: ClassVar = {
        "new_draws": "New draws",
        "to_posterior": "Match posterior",
        "note": "Drag q. The weights of its K samples hang below the axis; the log of their mean "
        "is an estimate of log p(x).",
        "weights": "weights",
        "estimate_axis": f"{SETS} estimates of log p(x), in nats",
        "largest": "{percent} of the sum",
        "infinite": "infinite variance",
        "bound": "L{n}",
        "lower": "◂ {count:0}",
        "higher": "{count:0} ▸",
        "finite_variance": "",
        "infinite_variance": "; the variance of the weights is infinite",
        "consequence": "K is {n:0}: the bound is {bound:3}, log p(x) {log_px:3}, effective sample "
        "size {effective:1}{variance}",
        "weights_description": "q with mean {mean} and standard deviation {std}, and the posterior "
        "for x = {x:1}, with mean {posterior_mean} and standard deviation {posterior_std}. Below "
        "the axis hang the weights of samples of q (K = {n:0}); the largest, at z = {where}, is "
        "{largest:3} of their sum.",
        "estimates_description": f"A histogram of {SETS} estimates of log p(x), each with "
        "K = {n:0}. Their mean is {average:3} and their standard deviation {spread:3}. A line "
        "marks the bound, {bound:3}, another log p(x), {log_px:3}; the ELBO is {elbo:3}.",
        "table_caption": "The first samples, the largest weights first",
        "table_weight": "weight",
        "table_part": "part of the sum",
    }
    described = ("weights_description", "estimates_description")

    def new_draws(self):
        """Show the next set of draws."""
        self.set(draw=(self.draw + 1) % SETS)

    def to_posterior(self):
        """Give q the mean and the standard deviation of the posterior."""
        mean, std = self._posterior()
        # Between two equal peaks the mean is 0, not 0 and some rounding noise.
        self.set(**self.inside(mean=round(mean, 12), std=std))

    def _model(self) -> tuple[Any, Any]:
        """Return the model, and the data point as it wants it."""
        model = MODELS[self.model]
        return model, self.x if model is LINE else np.array([self.x])

    def _posterior(self):
        """Return mean and standard deviation of the posterior."""
        model, x = self._model()
        moments = model.posterior(x) if model is LINE else model.posterior_moments(x)
        return tuple(float(moment) for moment in moments)

    def log_weights(self):
        """Return the log-weights of all sets of draws, (n, SETS); the picture shows one column."""
        eps = standard_normal(SEED, (self.n, SETS))  # more draws leave the first ones
        return importance.log_importance_weights(*self._model(), self.mean, self.std, eps)

    def tables(self):
        """Return the grid of the bound, the models, and how many sets of draws there are."""
        eps, mass = standard_normal_grid()
        models = {
            "linear": {"slope": LINE.weight, "soft": 0.0, "noise": LINE.noise_std},
            "two": {"slope": 1.0, "soft": SOFT, "noise": FOLD.noise_std},
        }
        grids = {"eps": eps, "mass": mass, "latent": LATENT, "counts": COUNTS, "bins": BINS}
        return grids | {"models": models, "limits": LIMITS, "sets": SETS, "seed": SEED}

    def compute(self):
        """Return evidence and bounds, and what the draws and all the sets of them give."""
        model, x = self._model()
        log_w = self.log_weights()
        estimates, here = importance.log_mean_exp(log_w), log_w[:, self.draw]
        log_px = model.log_marginal(x)
        bounds = importance.importance_bound(model, x, self.mean, self.std, [1, self.n])
        effective = importance.effective_sample_size(here)
        return {
            "log_px": log_px,
            "bound": bounds[1],
            "effective": effective,
            "estimate": estimates[self.draw],
            "effective_part": effective / self.n,
            "largest": np.exp(here.max() - importance.log_mean_exp(here)) / self.n,
            "elbo": bounds[0],
            "gap": log_px - bounds[1],
            "limit": LIMITS[self.model],
            "average": estimates.mean(),
            "error": estimates.std() / np.sqrt(SETS),
            "spread": estimates.std(),
        }

    def blanks(self):
        """Return what the words need, too: where the largest weight is, and of what variance."""
        largest = self.log_weights()[:, self.draw].argmax()
        where = standard_normal(SEED, (self.n, SETS))[largest, self.draw]
        kind = "infinite" if self.std <= LIMITS[self.model] else "finite"
        mean, std = self._posterior()
        return super().blanks() | {
            "where": self.mean + self.std * where,
            "variance": self.text[f"{kind}_variance"],
            "posterior_mean": mean,
            "posterior_std": std,
        }

    def paint(self, fig):
        """Draw the densities with the weights of the draws, and the histogram of estimates."""
        model, x = self._model()
        found, log_w = self.compute(), self.log_weights()
        posterior = np.exp(model.log_joint(x, LATENT) - found["log_px"])
        q = np.exp(log_normal(LATENT, self.mean, self.std))
        z = self.mean + self.std * standard_normal(SEED, (self.n, SETS))[:, self.draw]
        parts = np.exp(log_w[:, self.draw] - log_w[:, self.draw].max())

        above, below = fig.subplots(2, height_ratios=(3, 2))
        above.plot(LATENT, posterior, label="posterior", **role_line("posterior"))
        above.plot(LATENT, q, label="q", **role_line("q"))
        above.bar(z, -0.5 * max(posterior.max(), q.max()) * parts, 0.05, color=COLOURS["c1"])
        above.axhline(0, color=COLOURS["muted"], linewidth=0.75)
        above.set(xlabel="z", yticks=[])
        above.legend()
        below.hist(importance.log_mean_exp(log_w), 40, color=COLOURS["c1"], alpha=0.5)
        below.axvline(found["log_px"], label="log p(x)", **role_line("p"))
        below.axvline(found["bound"], label=f"bound, K = {self.n}", **role_line("bound"))
        below.set(xlabel="estimate of log p(x) (nats)", yticks=[])
        below.legend()
