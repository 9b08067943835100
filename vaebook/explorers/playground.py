"""Explorer ``playground``: points sketched by hand, and a VAE trained on them in the page."""

import functools
from typing import ClassVar

import numpy as np

from vaebook import figures
from vaebook.explorers.base import Explorer
from vaebook.explorers.controls import Choice, Count, Numbers, Readout, Slider
from vaebook.explorers.shapes import presets, scaled
from vaebook.explorers.tiny_vae import DECODER, ENCODER, PERIOD, SPLIT, Training, rate_at
from vaebook.gaussians import kl_normal, log_normal
from vaebook.latent import NonlinearModel
from vaebook.perceptron import Perceptron

SIDE = (-2.5, 2.5)
SEEDS = 999
#: More points are thinned to every second one.
MOST = 300
#: Points of a stroke are so far apart.
GAP = 0.1
LATENT = np.linspace(-6.0, 6.0, 961)
STEP = LATENT[1] - LATENT[0]
#: Where a q is too narrow or too wide for LATENT, its nodes are mean + std EPS.
EPS = np.linspace(-6.0, 6.0, 17)
_BLOCK = 100


@functools.lru_cache(256)
def trained(points, seed, stages):
    """Return the training on these points after its stages, each (beta, std, updates, points)."""
    *past, (beta, std, updates, count) = stages
    if updates == 0:
        return trained(points, seed, tuple(past)) if past else Training.start(seed)
    since = (updates - 1) // _BLOCK * _BLOCK
    before = trained(points, seed, (*past, (beta, std, since, count)))
    data, *_ = scaled(points[:count])
    return before.train(data, updates - since, seed=seed, beta=beta, std=std, since=since)


class Playground(Explorer):
    """A VAE with one latent dimension, trained on the reader's points, with exact numbers beside.

    A training has stages: where the reader changes beta, the noise or the points, a new one begins
    from the networks as they are, with the learning rate high again. ``past`` lists the stages that
    are over, each ``[beta, noise_std, updates, n_points]``. Seed, points and stages fix the run,
    here and in every browser, to the last bit.

    Source: chapter "variational-autoencoder".
    """

    name = "playground"
    title = "Train a VAE on points of your own"

    shape = Choice(
        "ring",
        {
            "ring": "a ring", "moons": "two moons", "blobs": "two blobs", "s": "a letter S",
            "faithful": "Old Faithful", "own": "your own",
        },
        label="points",
    )  # fmt: skip
    updates = Slider(0, 0, PERIOD, step=10, fine=1, page=300, play=5, fast=0.05, label="updates")
    beta = Slider(1.0, 0.0, 4.0, step=0.1, label="KL weight", symbol="β")
    noise_std = Slider(0.2, 0.1, 1.0, step=0.05, fine=0.01, label="noise", symbol="σ", role="p")
    x1 = Slider(1.2, *SIDE, step=0.1, label="point", symbol="x₁", more=True)
    x2 = Slider(0.8, *SIDE, step=0.1, label="point", symbol="x₂", more=True)
    seed = Count(1, 1, SEEDS)
    blank = Count(0, 0, 1)
    drawn = Numbers("[x1, x2]", 2)
    past = Numbers("[beta, noise_std, updates, n_points]", 4)
    buttons = ("sketch", "add_point", "new_seed", "one_update")

    shown = (
        Readout("elbo", "average ELBO", role="bound"),
        Readout("log_px", "average log p(x)", role="p"),
        Readout("gap", "average gap", role="gap"),
        Readout("reconstruction", "reconstruction", group="Average"),
        Readout("kl_prior", "KL to the prior", group="Average"),
        Readout("mean", "mean of q", "μ", group="At the point x", role="q"),
        Readout("std", "std of q", "s", group="At the point x", role="q"),
        Readout("posterior_mean", "mean of the posterior", group="At the point x"),
        Readout("posterior_std", "std of the posterior", group="At the point x"),
        Readout("x_elbo", "ELBO", group="At the point x"),
        Readout("x_log_px", "log p(x)", group="At the point x"),
        Readout("total", "updates in all", digits=0, group="Training"),
        Readout("rate", "learning rate", digits=4, group="Training"),
        Readout("n_points", "points", digits=0, group="Training"),
    )

    text: ClassVar = {
        "sketch": "Draw",
        "add_point": "Add x",
        "new_seed": "Reseed",
        "one_update": "Step",
        "note": "Press play to train. Then draw points of your own in the picture; on a touch "
        "screen, press Draw first.",
        "updates_axis": "updates",
        "nats_axis": "nats per point",
        "draw_here": "draw points here",
        "thinned": "over 300 points, so every second one was kept",
        "consequence": "updates in all: {total:0}; with β = {beta} and σ = {noise_std} the "
        "average ELBO is {elbo}, the average log p(x) {log_px}",
        "plane_description": "The data, number of points {n_points:0}, and the decoder's curve in "
        "a tube as wide as the noise (updates in all {total:0}, β = {beta}, σ = {noise_std}). A "
        "thin line joins each point with the decoded mean of its q. The point x is at "
        "({x1}, {x2}).",
        "latent_description": "Over z for the point x: the encoder's q with mean {mean} and "
        "standard deviation {std}, the exact posterior with {posterior_mean} and {posterior_std}, "
        "and the prior. Dots on the axis are the means of q of all points.",
        "history_description": "Averages over the points, update by update: log p(x), now "
        "{log_px}, above the ELBO, now {elbo}.",
        "table_caption": "The decoder's curve, and the densities over z for the point x",
    }
    described = ("plane_description", "latent_description")

    _last = None  # the values before the move that constrain mends

    def _settle(self, values):
        super()._settle(values)
        self._last = self.values

    def constrain(self, values, moved):
        """Begin a new training, or a new stage of it, where the move asks for one."""
        before = self._last or {control.name: control.default_value for control in self.controls()}
        changed = {name for name in moved if values[name] != before[name]}
        values, had = dict(values), self._points(before)
        anew, added = "seed" in changed, False
        if "drawn" in changed:
            drawn = [list(point) for point in values["drawn"]]
            thinned = len(drawn) > MOST
            added = not thinned and drawn[: len(had)] == had
            anew |= not added
            values |= {"shape": "own", "drawn": drawn[::2] if thinned else drawn}
            if "blank" not in moved:
                values["blank"] = 0
        elif "shape" in changed:
            own = values["shape"] == "own"
            values |= {"drawn": had} if own else {"drawn": [], "blank": 0}
            anew |= not own
        changed_stage = added or changed & {"beta", "noise_std"}
        if "past" in moved:
            return values
        if anew or (changed_stage and "updates" in moved):
            values["past"] = []
            if "updates" not in moved:
                values["updates"] = 0
        elif changed_stage and before["updates"]:
            ended = [before["beta"], before["noise_std"], before["updates"], len(had)]
            values |= {"past": [*before["past"], ended], "updates": 0}
        return values

    def one_update(self):
        """Train for one update."""
        self.set(**self.inside(updates=self.updates + 1))

    def new_seed(self):
        """Begin again with other initial weights and other noise."""
        self.set(seed=self.seed % SEEDS + 1)

    def add_point(self):
        """Add the point x to the data."""
        points = [] if self.blank else self._points(self.values)
        self.set(drawn=[*points, [self.x1, self.x2]])

    def sketch(self):
        """Make room for a drawing: its first stroke takes the place of the points."""
        self.set(shape="own", blank=1)

    @staticmethod
    def _points(values):
        shape = values["shape"]
        return values["drawn"] if shape == "own" else presets()[shape].tolist()

    def data(self):
        """Return the points as they lie in the picture, (n, 2)."""
        return np.array(self._points(self.values))

    def networks(self):
        """Return the encoder (to mean and log variance) and the model; both take scaled points.

        ``scaled(self.data())`` gives these, and what leads back to the picture.
        """
        points = self._points(self.values)
        stages = (*self.past, (self.beta, self.noise_std, self.updates, len(points)))
        run = trained(tuple(map(tuple, points)), self.seed, tuple(map(tuple, stages)))
        decoder = Perceptron(DECODER, run.numbers[SPLIT:])
        model = NonlinearModel(lambda z: decoder(z[..., None]), self.noise_std, grid=LATENT)
        return Perceptron(ENCODER, run.numbers[:SPLIT]), model

    def scores(self, x):
        """Return what the two networks make of scaled points (n, 2): a dict of arrays (n,)."""
        encoder, model = self.networks()
        mean, log_var = encoder(x).T
        std = np.exp(log_var / 2)

        def expected_square(z):  # under q, over nodes at equal distances, (961,) or (n, 17)
            square = ((x[:, None] - model.decoder(z)) ** 2).sum(axis=-1)
            width = z[..., 1:2] - z[..., :1]
            mass = width * np.exp(log_normal(z, mean[:, None], std[:, None]))
            return (square * mass).sum(axis=-1)

        fits = (std >= 1.5 * STEP) & (np.abs(mean) + 5.5 * std <= LATENT[-1])
        own = mean[:, None] + std[:, None] * EPS
        square = np.where(fits, expected_square(LATENT), expected_square(own))
        reconstruction = 2 * log_normal(0.0, 0.0, self.noise_std) - square / (2 * self.noise_std**2)
        kl_prior = kl_normal(mean, std)
        return {
            "mean": mean, "std": std, "reconstruction": reconstruction, "kl_prior": kl_prior,
            "elbo": reconstruction - kl_prior, "log_px": model.log_marginal(x),
        }  # fmt: skip

    def tables(self):
        """Return the ready-made points, as whole hundredths, and what limits a drawing."""
        points = {name: np.round(100 * at).astype(np.int16) for name, at in presets().items()}
        return {"presets": points, "side": SIDE, "most": MOST, "gap": GAP, "seeds": SEEDS}

    def compute(self):
        """Return the averages over the points, and the numbers at x."""
        data, centre, spread = scaled(self.data())
        average = {key: value.mean() for key, value in self.scores(data).items()}
        x = (np.array([[self.x1, self.x2]]) - centre) / spread
        at = {key: value[0] for key, value in self.scores(x).items()}
        _, model = self.networks()
        posterior_mean, posterior_std = model.posterior_moments(x[0])
        return {
            **{key: average[key] for key in ("elbo", "log_px", "reconstruction", "kl_prior")},
            "gap": average["log_px"] - average["elbo"],
            "mean": at["mean"],
            "std": at["std"],
            "posterior_mean": posterior_mean,
            "posterior_std": posterior_std,
            "x_elbo": at["elbo"],
            "x_log_px": at["log_px"],
            "total": self.updates + sum(updates for _, _, updates, _ in self.past),
            "rate": rate_at(self.updates),
            "n_points": len(data),
        }

    def paint(self, fig):
        """Draw the plane, and the densities over z."""
        _, centre, spread = scaled(self.data())
        _, model = self.networks()
        plane, latent = fig.subplots(1, 2, width_ratios=[1.35, 1])
        plane.plot(*self.data().T, "o", color=figures.COLOURS["data"], markersize=2)
        z = LATENT[np.abs(LATENT) <= 3]
        plane.plot(*(centre + spread * model.decoder(z)).T, color=figures.COLOURS["p"])
        plane.plot(self.x1, self.x2, "o", color=figures.COLOURS["posterior"], markersize=6)
        plane.set(xlim=SIDE, ylim=SIDE, aspect="equal", xlabel="$x_1$", ylabel="$x_2$")
        x = (np.array([self.x1, self.x2]) - centre) / spread
        at = self.scores(x[None])
        q = np.exp(log_normal(LATENT, at["mean"], at["std"]))
        figures.plot_q(LATENT, model.posterior(x), q, ax=latent).set_xlim(-4, 4)
