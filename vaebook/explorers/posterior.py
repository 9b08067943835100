"""Explorer ``posterior``: a Gaussian for a posterior of one or two modes, a network for all x."""

import functools
from typing import ClassVar

import numpy as np

from vaebook import figures
from vaebook.approximation import AmortisedGaussian, climb_gaussian, fit_gaussian, forward_kl
from vaebook.bounds import elbo
from vaebook.explorers.base import Explorer
from vaebook.explorers.controls import Choice, Readout, Slider
from vaebook.figures.style import band
from vaebook.gaussians import log_normal
from vaebook.latent import NonlinearModel

#: Height of the valley's floor over the position z: gentle on the left, steep on the right.
SHAPE = {"place": 0.3, "steepness": 1.5, "bend": 0.25, "tilt": 0.6, "floor": -0.7}
NOISE_STD = 0.25


def valley(z):
    """Return the height at each position z (n,), as one column (n, 1)."""
    u = z - SHAPE["place"]
    height = SHAPE["steepness"] * np.sqrt(u**2 + SHAPE["bend"]) + SHAPE["tilt"] * u + SHAPE["floor"]
    return height[:, None]


VALLEY = NonlinearModel(valley, NOISE_STD)
# Made once, as the chapter does it: fit_amortised on 500 samples of the model, seed 17 for samples
# and weights; then rounded and frozen, for a search ends a little differently on each machine.
NETWORK = AmortisedGaussian(
    widths=[1, 8, 2],
    numbers=[
        1.5108, 16.597, -1.3776, -0.2309, -16.3174, -0.3704, 7.0028, -1.2309,  # hidden units,
        -0.8953, -8.3297, -7.2531, 0.9149, 8.2684, 1.4902, 8.729, 0.1915,  # their biases
        -0.5535, 1.12, 0.7007, 8.3244, 1.3325, -2.3986, 0.3337, -0.7148,  # the mean,
        -0.74, 3.6816, -0.4183, 1.4405, 3.9718, -0.9839, -2.1484, -1.501,  # the log std,
        -4.02, -0.0127,  # biases of both
    ],
)  # fmt: skip
LATENT = np.linspace(-3.5, 3.5, 281)  # where the curves are drawn
DATA = np.linspace(-0.5, 3.0, 71)  # where the map is drawn
_BEST = "Best Gaussian for this x*"
LOWEST = -0.31  # of the axis, in parts of its top: q log(q/p) is at least -p/e


@functools.cache
def best_means(direction):
    """Return the means of the best Gaussians at the data points of the map."""
    return fit_gaussian(VALLEY, DATA[:, None], direction=direction)[0]


class Posterior(Explorer):
    """The posterior of a position z in a valley, given a height x, and a Gaussian q close to it.

    ``direction`` is the divergence that the buttons minimise, whose integrand is shaded: "reverse"
    is KL(q||p), "forward" is KL(p||q).

    Source: chapter "variational-approximation", eq-best-gaussian, eq-moment-matching, eq-amortised.
    """

    name = "posterior"
    title = "A Gaussian in place of the posterior"
    size = (6.4, 6.0)

    x = Slider(1.0, -0.5, 3.0, step=0.05, fine=0.01, label="height", symbol="x*")
    mean = Slider(-0.3, -3.5, 3.5, step=0.1, label="mean", symbol="μ", role="q")
    std = Slider(0.5, 0.05, 2.0, step=0.05, fine=0.01, label="std", symbol="s", role="q")
    direction = Choice("reverse", {"reverse": "KL(q‖p)", "forward": "KL(p‖q)"}, label="minimise")
    buttons = ("climb", "best", "ask")

    shown = (
        Readout("reverse", "KL(q‖p)", unit="nats", role="gap"),
        Readout("forward", "KL(p‖q)", unit="nats"),
        Readout("elbo", "ELBO", unit="nats", role="bound"),
        Readout("best_mean", "mean", group=_BEST),
        Readout("best_std", "std", group=_BEST),
        Readout("approximation", "KL(q‖p)", digits=4, unit="nats", group=_BEST),
        Readout("network_mean", "mean", group="Network at x*", role="c1"),
        Readout("network_std", "std", group="Network at x*", role="c1"),
        Readout("network_gap", "KL(q‖p)", digits=4, unit="nats", group="Network at x*", role="gap"),
    )

    text: ClassVar = {
        "climb": "Walk",
        "best": "Best q",
        "ask": "Network's q",
        "note": "Drag the mean or the width of q, then press Walk to lower the divergence: the "
        "shaded area above the line minus that below it. A high peak is cut off.",
        "note_small": "Drag the mean of q, then press a button. The shaded area above "
        "the line minus that below it is the divergence; a high peak is cut off.",
        "z_axis": "position z",
        "x_axis": "height x",
        "network": "network",
        "best_means": "best means",
        "integrand_reverse": "q log(q/p)",
        "integrand_forward": "p log(p/q)",
        "consequence": "KL(q‖p) {reverse:3} nats, KL(p‖q) {forward:3} nats; the network at this "
        "height has KL(q‖p) {network_gap:3}",
        "density_description": "Over the position z: the posterior for the height x* = {x}, with "
        "its highest point at {peak}; q with mean {mean} and standard deviation {std}; and the "
        "network's Gaussian with mean {network_mean} and standard deviation {network_std}. The "
        "integrand {integrand} is shaded: {consequence}.",
        "map_description": "The posteriors of all heights from above, a column for each height. At "
        "low heights there is one patch; from x = 0.5 upwards there are two branches: the left "
        "one falls to negative z, the right one rises to positive z. The network's band follows "
        "the left branch everywhere. Dots are the means of the best Gaussians, {dots}. A bar at "
        "x* = {x} reaches "
        "one standard deviation to each side of the mean of q.",
        "dots_reverse": "on the left branch up to x = 1.2, on the right one beyond",
        "dots_forward": "between the two branches",
        "table_caption": "Densities over z, and the integrand of the divergence",
    }
    described = ("density_description", "map_description")

    @property
    def data(self):
        """The observed point as the model wants it."""
        return np.array([self.x])

    def _go(self, mean, std):
        self.set(**self.inside(mean=mean, std=std))

    def curves(self):
        """Return posterior, q, the network's q and the integrand of the divergence over z."""
        log_p = VALLEY.log_joint(self.data, LATENT) - VALLEY.log_marginal(self.data)
        log_q = log_normal(LATENT, self.mean, self.std)
        p, q, network = np.exp([log_p, log_q, log_normal(LATENT, *NETWORK(self.data))])
        integrand = q * (log_q - log_p) if self.direction == "reverse" else p * (log_p - log_q)
        return p, q, network, integrand

    def climb(self):
        """Move q to where no small step makes the chosen divergence smaller."""
        if self.direction == "forward":  # one hill only
            return self.best()
        return self._go(*climb_gaussian(VALLEY, self.data, self.mean, self.std))

    def best(self):
        """Give q the mean and std that make the chosen divergence smallest."""
        self._go(*fit_gaussian(VALLEY, self.data, direction=self.direction))

    def ask(self):
        """Give q the mean and std that the network says."""
        self._go(*NETWORK(self.data))

    def tables(self):
        """Return the valley, the network, the grids of the curves and the dots of the map."""
        dots = {f"best_{d}": best_means(d) for d in ("reverse", "forward")}
        constants = {"valley": SHAPE, "noise": NOISE_STD, "network": NETWORK.table()}
        return {"z": LATENT, "x": DATA, "lowest": LOWEST} | constants | dots

    def compute(self):
        """Return both divergences of q, the best Gaussian, and the network's."""
        here = elbo(VALLEY, self.data, self.mean, self.std)
        best = fit_gaussian(VALLEY, self.data, direction=self.direction)
        mean, std = NETWORK(self.data)
        return {
            "reverse": here.gap,
            "forward": forward_kl(VALLEY, self.data, self.mean, self.std),
            "elbo": here.elbo,
            "best_mean": best[0],
            "best_std": best[1],
            "approximation": elbo(VALLEY, self.data, *best).gap,
            "network_mean": mean,
            "network_std": std,
            "network_gap": elbo(VALLEY, self.data, mean, std).gap,
        }

    def blanks(self):
        """Return also where the posterior is highest, what is shaded, and where the dots lie."""
        said = {key: self.text[f"{key}_{self.direction}"] for key in ("integrand", "dots")}
        return super().blanks() | said | {"peak": LATENT[self.curves()[0].argmax()]}

    def paint(self, fig):
        """Draw posterior, q and the network's q over z, and beneath them the map."""
        top, bottom = fig.subplots(2, 1, height_ratios=[1, 1.2])
        p, q, network, integrand = self.curves()
        figures.plot_q(LATENT, p, q, ax=top)
        top.plot(LATENT, network, label="network", **figures.role_line("c1"))
        names = {"reverse": r"$q\,\log\,(q/p)$", "forward": r"$p\,\log\,(p/q)$"}
        band(top, LATENT, 0, integrand, "gap", 0.25, names[self.direction])
        highest = 1.05 * max(p.max(), q.max(), network.max())
        top.set_ylim(LOWEST * highest, highest)
        top.legend()
        log_px = VALLEY.log_marginal(DATA[:, None])
        log_joint = VALLEY.log_joint(DATA[None, :, None], LATENT[:, None])  # (z, x)
        figures.plot_amortised(
            DATA, LATENT, np.exp(log_joint - log_px), *NETWORK(DATA[:, None]),
            best_means(self.direction), role="c1", ax=bottom,
        )  # fmt: skip
        bottom.axvline(self.x, color=figures.COLOURS["ink"], linewidth=0.75)
        reach = [self.mean - self.std, self.mean + self.std]
        bottom.plot([self.x] * 2, reach, color=figures.COLOURS["q"], linewidth=4)
