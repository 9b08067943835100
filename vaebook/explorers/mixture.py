"""Explorer ``mixture``: three components over Old Faithful's eruptions, by hand and by EM."""

import functools
from typing import Any, ClassVar

import numpy as np

from vaebook import figures
from vaebook.data import old_faithful
from vaebook.explorers.base import Explorer
from vaebook.explorers.controls import Numbers, Readout, Slider
from vaebook.explorers.mixture_weights import share_rest
from vaebook.explorers.words import write
from vaebook.mixture import GaussianMixture

GRID = np.linspace(1.0, 6.0, 401)
EDGES = 1.51 + 0.2 * np.arange(19)  # of the histogram; no duration lies on one
FLOOR = 0.02  # under every standard deviation
MANY = 20  # EM steps of the second button
MAX_TRAIL = 200
NAMES = (1, 2, 3)


@functools.cache
def durations():
    """Return how long the eruptions lasted, in minutes."""
    return old_faithful()[:, 0]


def _component(n, weight, mean, std):
    """Return the three sliders of component n."""
    role, sub = f"c{n}", "₁₂₃"[n - 1]
    of: dict[str, Any] = {"group": f"Component {n}", "role": role, "more": True}
    return (
        Slider(weight, 0.0, 1.0, step=0.05, fine=0.01, label="weight", symbol=f"λ{sub}", role=role),
        Slider(mean, 1.0, 6.0, step=0.1, label="mean", symbol=f"μ{sub}", **of),
        Slider(std, FLOOR, 2.0, step=0.05, fine=0.01, label="std", symbol=f"σ{sub}", **of),
    )


class Mixture(Explorer):
    """A mixture of three Gaussians for the durations of Old Faithful's eruptions, in minutes.

    The weights always sum to one: a weight that is moved keeps its value, and the other two share
    the rest in proportion to what they had (equally, if both had nothing). To choose all three,
    set them together: ``w.set(weight_1=0.2, weight_2=0.3, weight_3=0.5)``. ``trail`` holds the
    log-likelihoods before each EM step; it ends where a component is moved by hand.

    Source: chapter "mixture-of-gaussians", eq-mixture-density, eq-responsibility, eq-em-m-step.
    """

    name = "mixture"
    title = "A mixture for the durations of eruptions"
    size = (6.4, 4.2)

    x = Slider(3.0, 1.0, 6.0, step=0.1, label="duration", symbol="x", group="axis", role="p")
    weight_1, mean_1, std_1 = _component(1, 0.5, 3.0, 1.0)
    weight_2, mean_2, std_2 = _component(2, 0.5, 4.0, 1.0)
    weight_3, mean_3, std_3 = _component(3, 0.0, 5.5, 0.4)
    trail = Numbers("log-likelihoods")
    buttons = ("em_step", "many_steps")

    shown = (
        Readout("log_likelihood", "log-likelihood", "L", digits=2, role="p"),
        Readout("gain", "last step gained"),
        Readout("responsibility_1", "p(z=1|x)", role="c1"),
        Readout("responsibility_2", "p(z=2|x)", role="c2", more=True),
        Readout("responsibility_3", "p(z=3|x)", role="c3", more=True),
        Readout("prob", "density", "p(x)", digits=4, more=True),
        Readout("log_prob", "log-density", "log p(x)", unit="nats", more=True),
    )

    text: ClassVar = {
        "em_step": "EM step",
        "many_steps": f"{MANY} steps",
        "note": "Drag peaks and widths, or let EM fit them. A component of weight 0 lies on the "
        "axis: lift it.",
        "note_small": "Use the controls here, and watch the responsibilities.",
        "x_axis": "duration (minutes)",
        "y_axis": "density",
        "share_axis": "responsibility p(z=n|x)",
        "climb_axis": "log-likelihood L (nats)",
        "step_axis": "EM steps",
        "consequence": "log-likelihood {log_likelihood} nats; at x = {x} component {component:0} "
        "has the largest responsibility, {share}",
        "description": "A histogram of 272 durations, each bar split by responsibility, and over "
        "it three Gaussian components with weights {weights}, means {means} and standard "
        "deviations {stds}, and their sum: {consequence}.",
        "share_description": "The responsibilities of the three components at every x, stacked "
        "from 0 to 1; at x = {x} they are {shares}.",
        "climb_description": "The log-likelihood after each EM step; steps so far: {steps:0}; "
        "now {log_likelihood} nats.",
        "table_caption": "Weighted densities; the first row is the chosen x",
        "table_component": "component {n:0}",
    }
    described = ("description", "share_description")

    def constrain(self, values, moved):
        """Keep the weights summing to one; end the trail where a component was moved."""
        trail = values["trail"] if moved <= {"x"} or "trail" in moved else []
        return share_rest(values, moved) | {"trail": trail}

    def em_step(self):
        """Make one step of EM from here, with no standard deviation under FLOOR."""
        self._climb(1)

    def many_steps(self):
        """Make MANY steps of EM."""
        self._climb(MANY)

    def _climb(self, n_steps):
        mixture, trail = self.model(), list(self.trail)
        for _ in range(n_steps):
            trail.append(float(mixture.log_prob(durations()).sum()))
            mixture = mixture.em_step(durations(), min_std=FLOOR)
        after = {"weight": mixture.weights, "mean": mixture.means, "std": mixture.stds}
        values = {f"{what}_{n}": found[n - 1] for what, found in after.items() for n in NAMES}
        self.set(**self.inside(**values), trail=trail[-MAX_TRAIL:])

    def model(self):
        """Return the mixture that the sliders describe."""
        return GaussianMixture(*self._parameters())

    def _parameters(self):
        """Return weights, means and standard deviations."""
        whats = ("weight", "mean", "std")
        return [[getattr(self, f"{what}_{n}") for n in NAMES] for what in whats]

    def tables(self):
        """Return where the curves are drawn, the data, and the constants."""
        constants = {"floor": FLOOR, "many": MANY, "max_trail": MAX_TRAIL}
        return {"grid": GRID, "data": durations(), "edges": EDGES} | constants

    def compute(self):
        """Return the log-likelihood, and density and responsibilities at the chosen x."""
        model = self.model()
        log_likelihood, log_prob = model.log_prob(durations()).sum(), model.log_prob(self.x)
        return {
            "log_likelihood": log_likelihood,
            "gain": log_likelihood - self.trail[-1] if self.trail else 0.0,
            "prob": np.exp(log_prob),
            "log_prob": log_prob,
        } | {
            f"responsibility_{n}": share
            for n, share in zip(NAMES, model.responsibilities(self.x), strict=True)
        }

    def blanks(self):
        """Return also lists of the sliders and shares, and the most responsible component."""
        blanks = super().blanks()
        shares = [float(blanks[f"responsibility_{n}"]) for n in NAMES]
        lists = {"shares": shares} | dict(
            zip(("weights", "means", "stds"), self._parameters(), strict=True)
        )
        written = {name: ", ".join(map(write, numbers)) for name, numbers in lists.items()}
        most = int(np.argmax(shares))
        return blanks | written | {"component": most + 1, "share": shares[most]}

    def paint(self, fig):
        """Draw the mixture over the histogram, and under it the responsibilities."""
        top, bottom = fig.subplots(2, sharex=True, height_ratios=[2, 1])
        muted = figures.COLOURS["muted"]
        top.hist(durations(), EDGES, density=True, color=muted, alpha=0.3)
        figures.plot_mixture(GRID, np.exp(self.model().log_joint(GRID)), ax=top)
        figures.plot_responsibilities(GRID, self.model().responsibilities(GRID), ax=bottom)
        top.set(xlabel="")
        bottom.set(xlabel=self.text["x_axis"], ylabel="$p(z=n|x)$")
        for ax in (top, bottom):
            ax.axvline(self.x, color=muted, linewidth=1, linestyle=(0, (3, 3)))
