"""Explorer ``tightness``: q and the posterior over z, and how far the bound lies below log p."""

from typing import Any, ClassVar

import numpy as np

from vaebook import figures
from vaebook.approximation import fit_gaussian
from vaebook.bounds import elbo
from vaebook.explorers.base import Explorer
from vaebook.explorers.controls import Choice, Readout, Slider
from vaebook.figures.style import band
from vaebook.gaussians import entropy_normal, log_normal
from vaebook.latent import BOOK_NOISE_STD, LinearGaussianModel, NonlinearModel, book_decoder
from vaebook.quadrature import standard_normal_grid

LINEAR = LinearGaussianModel(weight=1.0, noise_std=1.0)
BOOK = NonlinearModel(book_decoder, BOOK_NOISE_STD)
LATENT = np.linspace(-3.5, 3.5, 281)  # where the curves are drawn
EPS, MASS = standard_normal_grid()
LOWEST = -0.31  # of the axis, in parts of its top: the integrand is at least -posterior/e


class Tightness(Explorer):
    """The gap between log-likelihood and bound as a KL divergence, and two readings of the bound.

    The linear model is x | z ~ N(z, 1). The nonlinear one is the book's curve in the plane, for the
    data point (x, 0).

    Source: chapter "elbo-tightness", eq-elbo-kl-posterior and eq-elbo-kl-prior.
    """

    name = "tightness"
    title = "How far the bound lies below log p(x)"
    size = (6.4, 5.4)

    x = Slider(2.0, -3.0, 3.0, step=0.1, label="data", symbol="x*")
    model = Choice("linear", {"linear": "linear", "nonlinear": "nonlinear"}, label="model")
    mean = Slider(0.5, -3.0, 3.0, step=0.1, label="mean", symbol="μ", role="q")
    std = Slider(0.5, 0.05, 2.5, step=0.05, fine=0.01, label="std", symbol="s", role="q")
    buttons = ("match", "best")

    shown = (
        Readout("log_px", "log p(x*)", unit="nats", role="p"),
        Readout("gap", "gap", unit="nats", role="gap"),
        Readout("elbo", "ELBO", unit="nats", role="bound"),
        Readout("reconstruction", "reconstruction", digits=4, more=True),
        Readout("kl_prior", "KL to the prior", digits=4, more=True),
        Readout("energy", "mean of", "log p(x*, z) under q", digits=4, more=True),
        Readout("entropy", "entropy of q", digits=4, role="q", more=True),
    )

    text: ClassVar = {
        "match": "Match posterior",
        "best": "Best Gaussian",
        "note": "Drag the mean or the width of q. The shaded area above the line minus that "
        "below it is the KL to the posterior.",
        "nats_axis": "nats",
        "prior": "prior",
        "integrand": "q log(q/posterior)",
        "log_px": "log p(x*)",
        "gap": "KL to posterior",
        "kl_prior": "KL to prior",
        "consequence": "log p(x*) {log_px:3} minus KL to the posterior {gap:3} is ELBO {elbo:3}, "
        "and so is reconstruction {reconstruction:3} minus KL to the prior {kl_prior:3}",
        "density_description": "Over z: the prior, the posterior for x* = {x}, with its highest "
        "point at {peak}, and q with mean {mean:3} and standard deviation {std:3}. The integrand "
        "of the KL divergence from q to the posterior is shaded: it is above zero where q is "
        "larger than the posterior, and below zero where q is smaller.",
        "fall_description": "A waterfall in nats. From the left, log p(x*) falls by the KL to the "
        "posterior to the ELBO; from the right, the reconstruction falls by the KL to the prior to "
        "the same ELBO: {consequence}.",
        "table_caption": "Densities over z, and the integrand of the KL to the posterior",
    }
    described = ("density_description", "fall_description")

    def _model(self) -> tuple[Any, Any]:
        """Return the model, and the data point as it wants it."""
        linear = self.model == "linear"
        return (LINEAR, self.x) if linear else (BOOK, np.array([self.x, 0.0]))

    def curves(self, z):
        """Return prior, posterior, q and the integrand of the KL from q to the posterior at z."""
        model, x = self._model()
        log_prior, log_q = log_normal(z, 0.0, 1.0), log_normal(z, self.mean, self.std)
        log_posterior = model.log_joint(x, z) - model.log_marginal(x)
        prior, posterior, q = np.exp([log_prior, log_posterior, log_q])
        return prior, posterior, q, q * (log_q - log_posterior)

    def match(self):
        """Give q the mean and the standard deviation of the posterior: the best forward KL."""
        mean, std = fit_gaussian(*self._model(), direction="forward")
        self.set(mean=mean, std=std)

    def best(self):
        """Give q the smallest gap that a Gaussian can have: the best reverse KL."""
        mean, std = fit_gaussian(*self._model())
        self.set(**self.inside(mean=mean, std=std))

    def tables(self):
        """Return where the curves are drawn, and both models as decoders."""
        noise = {"linear_noise": LINEAR.noise_std, "book_noise": BOOK.noise_std}
        constants = {"linear_weight": LINEAR.weight} | noise
        return {"latent": LATENT, "lowest": LOWEST, "decoder": book_decoder.table()} | constants

    def compute(self):
        """Return the terms of both readings and of the definition, each by itself."""
        model, x = self._model()
        return elbo(model, x, self.mean, self.std)._asdict() | {
            "energy": MASS @ model.log_joint(x, self.mean + self.std * EPS),
            "entropy": entropy_normal(self.std),
        }

    def blanks(self):
        """Return also where the posterior is highest."""
        return super().blanks() | {"peak": LATENT[self.curves(LATENT)[1].argmax()]}

    def paint(self, fig):
        """Draw the densities over z with the integrand, and beneath them the waterfall."""
        prior, posterior, q, integrand = self.curves(LATENT)
        top, bottom = fig.subplots(2, 1, height_ratios=[1.2, 1])
        figures.plot_q(LATENT, posterior, q, ax=top)
        top.plot(LATENT, prior, ":", color=figures.COLOURS["muted"], label="prior")
        band(top, LATENT, 0, integrand, "gap", 0.25, r"$q\,\log\,(q/p)$")
        highest = 1.2 * max(posterior.max(), q.max())
        top.set_ylim(LOWEST * highest, highest)
        top.legend()
        figures.plot_waterfall(*elbo(*self._model(), self.mean, self.std), ax=bottom)
