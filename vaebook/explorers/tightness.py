"""Explorer ``tightness``: the posterior and q over z, and three sums that end at one bound."""

from typing import ClassVar

import numpy as np

from vaebook.approximation import fit_gaussian
from vaebook.bounds import elbo
from vaebook.explorers.base import Explorer
from vaebook.explorers.controls import Choice, Readout, Slider
from vaebook.gaussians import entropy_normal, log_normal
from vaebook.latent import BOOK_NOISE_STD, LinearGaussianModel, NonlinearModel, book_decoder
from vaebook.quadrature import standard_normal_grid, uniform_grid

LINEAR = LinearGaussianModel(weight=1.0, noise_std=1.0)
BOOK = NonlinearModel(book_decoder, BOOK_NOISE_STD)
LATENT = uniform_grid(-3.5, 3.5, 281).points  # where the curves are drawn
EPS, MASS = standard_normal_grid()


class Tightness(Explorer):
    """The gap between log-likelihood and bound, and three ways to compute the bound.

    The linear model is x | z ~ N(z, 1). The nonlinear one is the book's curve in the plane, for the
    data point (x, 0).

    Source: chapter "elbo-tightness", eq-elbo-kl-posterior, eq-elbo-kl-prior, eq-elbo-entropy.
    """

    name = "tightness"
    title = "One bound, read in three ways"

    x = Slider(2.0, -3.0, 3.0, step=0.1, label="data", symbol="x*")
    model = Choice(
        "linear", {"linear": "linear", "nonlinear": "nonlinear"},
        label="model",
    )  # fmt: skip
    mean = Slider(0.5, -3.0, 3.0, step=0.1, label="mean", symbol="μ", role="q")
    std = Slider(0.5, 0.05, 2.5, step=0.05, fine=0.01, label="std", symbol="s", role="q")
    buttons = ("match",)

    shown = (
        Readout("log_px", "log-likelihood", "log p(x*)", 4, role="p"),
        Readout("gap", "− KL to the posterior", "", 4, role="gap"),
        Readout("elbo_posterior", "= ELBO", "", 4, group="First reading", role="bound", more=True),
        Readout("reconstruction", "reconstruction", "", 4, group="Second reading", more=True),
        Readout("kl_prior", "− KL to the prior", "", 4, group="Second reading", more=True),
        Readout("elbo_prior", "= ELBO", "", 4, group="Second reading", role="bound", more=True),
        Readout("energy", "mean under q", "log p(x*, z)", 4, group="Definition", more=True),
        Readout("entropy", "+ entropy of q", "", 4, group="Definition", role="q", more=True),
        Readout("elbo", "= ELBO", "", 4, role="bound"),
    )

    text: ClassVar = {
        "match": "Match the posterior",
        "note": "Drag q onto the posterior, or match it: the three sums still end at one bound.",
        "z_axis": "z",
        "density_axis": "density over z",
        "nats_axis": "nats",
        "prior": "prior",
        "likelihood": "likelihood",
        "posterior": "posterior",
        "q": "q",
        "elbo": "ELBO",
        "first": "log p(x*) − KL to the posterior",
        "second": "reconstruction − KL to the prior",
        "third": "mean log p(x*, z) + entropy of q",
        "consequence": "log p(x*) {log_px:3} is ELBO {elbo:3} plus KL to the posterior {gap:3}; "
        "ELBO is reconstruction {reconstruction:3} minus KL to the prior {kl_prior:3}",
        "density_description": "Over z: the prior, the likelihood of x* = {x}, the posterior with "
        "its highest point at {peak}, and q with mean {mean} and standard deviation {std}.",
        "sums_description": "Three sums that end at one bound: {consequence}.",
        "table_caption": "Densities over z; the likelihood is no density and not scaled here",
        "table_likelihood": "likelihood",
    }
    described = ("density_description", "sums_description")

    def _model(self):
        """Return the model, and the data point as it wants it."""
        linear = self.model == "linear"
        return (LINEAR, self.x) if linear else (BOOK, np.array([self.x, 0.0]))

    def curves(self, z):
        """Return prior, likelihood, posterior and q at z."""
        model, x = self._model()
        log_px_given_z, log_prior = model.log_px_given_z(x, z), log_normal(z, 0.0, 1.0)
        logs = [
            log_prior, log_px_given_z, log_px_given_z + log_prior - model.log_marginal(x),
            log_normal(z, self.mean, self.std),
        ]  # fmt: skip
        return np.exp(logs)

    def match(self):
        """Give q the mean and the standard deviation of the posterior."""
        mean, std = fit_gaussian(*self._model(), direction="forward")
        self.set(mean=mean, std=std)

    def tables(self):
        """Return where the curves are drawn, and both models as decoders."""
        noise = {"linear_noise": LINEAR.noise_std, "book_noise": BOOK.noise_std}
        constants = {"linear_weight": LINEAR.weight} | noise
        return {"latent": LATENT, "decoder": book_decoder.table()} | constants

    def compute(self):
        """Return the terms of the three forms, each by itself, and the sums of the two readings."""
        model, x = self._model()
        terms = elbo(model, x, self.mean, self.std)
        return terms._asdict() | {
            "energy": MASS @ model.log_joint(x, self.mean + self.std * EPS),
            "entropy": entropy_normal(self.std),
            "elbo_posterior": terms.log_px - terms.gap,
            "elbo_prior": terms.reconstruction - terms.kl_prior,
        }

    def blanks(self):
        """Return also where the posterior is highest."""
        return super().blanks() | {"peak": LATENT[self.curves(LATENT)[2].argmax()]}

    def still(self):
        """Return the densities over z, and beneath them the three sums."""
        from matplotlib.figure import Figure

        from vaebook import figures

        prior, likelihood, posterior, q = self.curves(LATENT)
        fig = Figure(figsize=(6.4, 5.4))
        top, bottom = fig.subplots(2, 1, height_ratios=[1.2, 1])
        figures.plot_q(LATENT, posterior, q, ax=top)
        top.plot(LATENT, prior, ":", color=figures.COLOURS["muted"], label="prior")
        scaled = likelihood * posterior.max() / likelihood.max()
        top.plot(LATENT, scaled, color=figures.COLOURS["p"], lw=1.25, label="likelihood, scaled")
        top.legend()
        at = self.compute()
        names = ("elbo", "log_px", "gap", "reconstruction", "kl_prior", "energy", "entropy")
        figures.plot_three_forms(*(at[name] for name in names), ax=bottom)
        return fig
