"""Explorer ``vae-step``: one data point through a toy VAE, at any epoch of a recorded training."""

from typing import ClassVar

import numpy as np

from vaebook import figures
from vaebook.bounds import elbo
from vaebook.explorers.base import Explorer
from vaebook.explorers.controls import ControlError, Count, Readout, Slider
from vaebook.explorers.random_numbers import standard_normal
from vaebook.figures.style import band
from vaebook.gaussians import kl_normal, log_normal
from vaebook.latent import BOOK_NOISE_STD
from vaebook.results import toy_run
from vaebook.results.toy_run import DECODER, ENCODER, as_numpy

EVERY = 10  # epochs from one snapshot to the next
MAX_DRAWS = 2000
SIDE = (-3.2, 3.2)
LATENT = np.linspace(-3.5, 3.5, 141)  # where the curves are drawn


class VaeStep(Explorer):
    """One data point: encoder, sample, decoder, estimate; and the exact numbers behind them.

    The networks are those of the recorded training at ``epoch``. The noise of sample k is the k-th
    number of ``standard_normal(seed)``, the same for every point and epoch; ``n`` counts them.

    Source: chapter "variational-autoencoder", eq-vae-elbo and eq-one-sample-elbo.
    """

    name = "vae-step"
    title = "One data point through a VAE"
    size = (6.4, 5.6)

    x1 = Slider(-0.5, *SIDE, step=0.1, label="point", symbol="x₁")
    x2 = Slider(2.1, *SIDE, step=0.1, label="point", symbol="x₂")
    epoch = Slider(400, 0, 400, step=EVERY, play=6, label="epoch")
    n = Count(1, 1, MAX_DRAWS)
    seed = Count(17, 0, 2**32 - 1)
    buttons = ("new_epsilon", "draw_100")

    shown = (
        Readout("mean", "mean", "μ", group="1 Encode x", role="q"),
        Readout("std", "std", "s", group="1 Encode x", role="q"),
        Readout("eps", "noise", "ε*", group="2 Sample z"),
        Readout("z", "sample", "z* = μ + sε*", group="2 Sample z"),
        Readout("centre_1", "mean of x", "f₁[z*]", group="3 Decode z*", role="p"),
        Readout("centre_2", "mean of x", "f₂[z*]", group="3 Decode z*", role="p"),
        Readout("log_px_given_z", "log-likelihood", "log p(x|z*)", group="4 Estimate"),
        Readout("kl_prior", "KL to the prior", group="4 Estimate"),
        Readout("estimate", "one-sample estimate", unit="nats", role="q"),
        Readout("elbo", "ELBO, exact", unit="nats", role="bound"),
        Readout("log_px", "log p(x), exact", unit="nats", role="p"),
        Readout("gap", "gap", group="By quadrature", role="gap"),
        Readout("n", "samples", digits=0, group="All samples"),
        Readout("average", "mean of the estimates", group="All samples"),
        Readout("share_above", "share above log p(x)", group="All samples"),
        Readout("data_log_px", "log p(x)", group="Average over the data", role="p"),
        Readout("data_bound", "ELBO", group="Average over the data", role="bound"),
    )

    text: ClassVar = {
        "new_epsilon": "New sample",
        "draw_100": "100 more",
        "note": "Drag x. The encoder answers with q; a sample z* of q is decoded to f[z*].",
        "note_small": "Move a slider, and watch how q and f[z*] follow.",
        "nats_axis": "nats per data point",
        "estimate_axis": "one-sample estimates (nats)",
        "at_f": "f[z*]",
        "at_z": "z*",
        "consequence": "the encoder gives mean {mean} and std {std}; the sample z* = {z} decodes "
        "to ({centre_1}, {centre_2}); the estimate is {estimate}, the ELBO {elbo}, log p(x) "
        "{log_px}",
        "plane_description": "The data, the decoder's curve at epoch {epoch:0}, the data point "
        "({x1}, {x2}) and the decoded sample ({centre_1}, {centre_2}). The thick piece of the "
        "curve is where q has most of its mass.",
        "latent_description": "Over z: the posterior of the data point, highest at {peak}, and the "
        "encoder's q with mean {mean} and standard deviation {std}; the sample {z} is marked.",
        "estimates_description": "One-sample estimates as dots, {n:0} so far, the last one "
        "{estimate}; their mean is {average}; lines at the ELBO {elbo} and at log p(x) {log_px}.",
        "training_description": "Averages over the data for all epochs: the log-likelihood above, "
        "the bound below it. At epoch {epoch:0} they are {data_log_px} and {data_bound}.",
        "table_caption": "Densities over z, and the decoder's curve",
    }
    described = ("plane_description", "latent_description", "training_description")

    def constrain(self, values, moved):
        """Refuse epochs without a snapshot."""
        if values["epoch"] % EVERY:
            remedy = f"choose a multiple of {EVERY} from 0 to 400"
            raise ControlError.of(self, "epoch", values["epoch"], remedy)
        return values

    def new_epsilon(self):
        """Sample once more."""
        self.set(**self.inside(n=self.n + 1))

    def draw_100(self):
        """Sample a hundred times more."""
        self.set(**self.inside(n=self.n + 100))

    def step(self):
        """Return the model of the epoch on show, the data point, and mean and std of its q."""
        run, row = toy_run.load(), self.epoch // EVERY
        encoder, model = as_numpy(run.theta[row], run.phi[row])
        x = np.array([self.x1, self.x2])
        return model, x, *encoder(x)

    def estimates(self):
        """Return the one-sample estimates of all samples on show, (n,)."""
        model, x, mean, std = self.step()
        z = mean + std * standard_normal(self.seed, self.n)
        return model.log_px_given_z(x, z) - kl_normal(mean, std)

    def tables(self):
        """Return the recorded parameters, averages and data."""
        run = toy_run.load()
        arrays = {name: getattr(run, name) for name in ("epochs", "bound", "log_px", "data")}
        networks = {  # one row of numbers for each epoch
            "encoder": {"widths": ENCODER, "numbers": run.theta},
            "decoder": {"widths": DECODER, "numbers": run.phi},
        }
        constants = {"noise": BOOK_NOISE_STD, "side": SIDE, "every": EVERY, "max_draws": MAX_DRAWS}
        return arrays | networks | {"latent": LATENT} | constants

    def compute(self):
        """Return the numbers of one step, the exact ones, and those of all samples."""
        run, row = toy_run.load(), self.epoch // EVERY
        model, x, mean, std = self.step()
        eps = standard_normal(self.seed, self.n)[-1]
        z = mean + std * eps
        centre = model.decoder(z)
        terms, estimates = elbo(model, x, mean, std), self.estimates()
        return {
            "mean": mean,
            "std": std,
            "eps": eps,
            "z": z,
            "centre_1": centre[0],
            "centre_2": centre[1],
            "log_px_given_z": model.log_px_given_z(x, z),
            "kl_prior": terms.kl_prior,
            "estimate": estimates[-1],
            "log_px": terms.log_px,
            "gap": terms.gap,
            "elbo": terms.elbo,
            "n": self.n,
            "average": estimates.mean(),
            "share_above": np.mean(estimates > terms.log_px),
            "data_log_px": run.log_px[row],
            "data_bound": run.bound[row],
        }

    def blanks(self):
        """Return also where the posterior is highest."""
        model, x, _, _ = self.step()
        return super().blanks() | {"peak": LATENT[model.log_joint(x, LATENT).argmax()]}

    def paint(self, fig):
        """Draw the plane, the densities over z, and the training."""
        run, at = toy_run.load(), self.compute()
        model, x, mean, std = self.step()
        parts = fig.subplot_mosaic("ab;c.", height_ratios=[1.6, 1])
        plane, latent, training = parts.values()
        plane.plot(*run.data[::3].T, "o", color=figures.COLOURS["muted"], markersize=1.5, alpha=0.6)
        plane.plot(*model.decoder(LATENT).T, color=figures.COLOURS["p"], linewidth=1.25)
        plane.plot(*np.stack([x, model.decoder(at["z"])]).T, ":", color=figures.COLOURS["ink"])
        plane.plot(*x, "o", color=figures.COLOURS["data"], markersize=6)
        plane.plot(at["centre_1"], at["centre_2"], "D", color=figures.COLOURS["q"], markersize=5)
        plane.set(xlim=SIDE, ylim=SIDE, aspect="equal", xlabel="$x_1$", ylabel="$x_2$")
        log_joint = model.log_joint(x, LATENT)
        seen = LATENT[log_joint > log_joint.max() - 5]  # by the posterior
        low, high = min(seen[0] - 0.05, mean - 4 * std), max(seen[-1] + 0.05, mean + 4 * std)
        z = np.linspace(low, high, 241)
        posterior = np.exp(model.log_joint(x, z) - at["log_px"])
        figures.plot_q(z, posterior, np.exp(log_normal(z, mean, std)), ax=latent)
        latent.plot(at["z"], 0, "D", color=figures.COLOURS["q"], clip_on=False)
        band(training, run.epochs, run.bound, run.log_px, "gap", 0.2, "gap")
        p, bound = figures.role_line("p"), figures.role_line("bound")
        training.plot(run.epochs, run.log_px, label=r"$\log\,p(\mathbf{x}|\phi)$", **p)
        training.plot(run.epochs, run.bound, label=r"ELBO$[\theta, \phi]$", **bound)
        training.axvline(self.epoch, color=figures.COLOURS["ink"], linewidth=1)
        training.set(xlabel="epoch", ylabel="nats per data point")
        training.set(xlim=(run.epochs[0], run.epochs[-1]), ylim=(-11, -2.5))
        training.legend(loc="lower right")
