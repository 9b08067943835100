"""Explorer ``mixture``: three weighted bells, their sum, and who is responsible for x."""

from typing import ClassVar

import numpy as np

from vaebook.explorers.base import Explorer
from vaebook.explorers.controls import Readout, Slider
from vaebook.explorers.weights import share_rest
from vaebook.explorers.words import write
from vaebook.mixture import GaussianMixture

GRID = np.linspace(-5.0, 5.0, 401)


def _component(n, weight, mean, std):
    """Return the three sliders of component n."""
    role, sub = f"c{n}", "₁₂₃"[n - 1]
    of = {"group": f"Component {n}", "role": role, "more": True}
    return (
        Slider(weight, 0.0, 1.0, step=0.05, fine=0.01, label="weight", symbol=f"λ{sub}", role=role),
        Slider(mean, -4.0, 4.0, step=0.1, label="mean", symbol=f"μ{sub}", **of),
        Slider(std, 0.2, 2.0, step=0.05, fine=0.01, label="std", symbol=f"σ{sub}", **of),
    )


class Mixture(Explorer):
    """A mixture of three normal densities, and the responsibilities at x.

    The weights always sum to one: a weight that is moved keeps its value, and the other two share
    the rest in proportion to what they had (equally, if both had nothing). To choose all three,
    set them together: ``w.set(weight_1=0.2, weight_2=0.3, weight_3=0.5)``.

    Source: chapter "mixture-of-gaussians", eq-mixture-marginal and eq-responsibilities.
    """

    name = "mixture"
    title = "Three bells and their sum"

    x = Slider(-1.0, -5.0, 5.0, step=0.1, label="chosen", symbol="x", group="axis", role="p")
    weight_1, mean_1, std_1 = _component(1, 0.25, -2.0, 0.5)
    weight_2, mean_2, std_2 = _component(2, 0.45, 0.5, 0.8)
    weight_3, mean_3, std_3 = _component(3, 0.3, 2.0, 1.0)

    shown = (
        Readout("prob", "density", symbol="p(x)", digits=4, group="At the chosen x", more=True),
        Readout("log_prob", "log", symbol="p(x)", unit="nats", group="At the chosen x", more=True),
        *(
            Readout(f"responsibility_{n}", "share of", symbol=f"component {n}", role=f"c{n}")
            for n in (1, 2, 3)
        ),
    )  # fmt: skip

    text: ClassVar = {
        "note": "Choose x, drag a peak, move a weight: the others share the rest.",
        "x_axis": "x",
        "y_axis": "density",
        "consequence": "p(x) is {prob:3} at x = {x}; "
        "component {component:0} has the largest share, {share}",
        "description": "Three bells with weights {weights}, means {means} and standard deviations "
        "{stds}, and their sum: {consequence}.",
        "table_caption": "Weighted densities; the first row is the chosen x",
        "table_component": "component {n:0}",
    }
    described = ("description",)

    def constrain(self, values, moved):
        """Keep the weights summing to one."""
        return share_rest(values, moved)

    def model(self):
        """Return the mixture that the sliders describe."""
        weights, means, stds = (
            [getattr(self, f"{what}_{n}") for n in (1, 2, 3)] for what in ("weight", "mean", "std")
        )
        return GaussianMixture(weights, means, stds)

    def tables(self):
        """Return where the curves are drawn."""
        return {"grid": GRID}

    def compute(self):
        """Return the log-density and the responsibilities at the chosen x."""
        model, x = self.model(), np.array([self.x])
        log_prob = model.log_prob(x)[0]
        shares = model.responsibilities(x)[0]
        return {"prob": np.exp(log_prob), "log_prob": log_prob} | {
            f"responsibility_{n}": share for n, share in enumerate(shares, start=1)
        }

    def blanks(self):
        """Return also lists of the sliders, and the component with the largest responsibility."""
        blanks = super().blanks()
        lists = {
            f"{what}s": ", ".join(write(blanks[f"{what}_{n}"]) for n in (1, 2, 3))
            for what in ("weight", "mean", "std")
        }
        share, n = max((blanks[f"responsibility_{n}"], n) for n in (1, 2, 3))
        return blanks | lists | {"component": n, "share": share}

    def still(self):
        """Return the picture of the mixture, with the chosen x marked."""
        from matplotlib.figure import Figure

        from vaebook import figures

        fig = Figure(figsize=(6.4, 3.0))
        ax = fig.subplots()
        figures.plot_mixture(GRID, np.exp(self.model().log_joint(GRID)), ax=ax)
        ax.axvline(self.x, color=figures.COLOURS["muted"], linewidth=1, linestyle=(0, (3, 3)))
        ax.set_ylim(bottom=0)
        return fig
