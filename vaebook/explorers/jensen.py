"""Explorer ``jensen``: three points on a concave curve, and a density under it; both have a gap."""

from typing import ClassVar

import numpy as np

from vaebook.bounds import jensen
from vaebook.explorers.base import Explorer
from vaebook.explorers.controls import Choice, Readout, Slider
from vaebook.explorers.weights import share_rest
from vaebook.explorers.words import write
from vaebook.gaussians import log_normal
from vaebook.quadrature import uniform_grid

CURVES = {"log": np.log, "sqrt": np.sqrt}
TEX = {"log": r"\log {}", "sqrt": r"\sqrt{{{}}}"}
GRID = np.geomspace(0.08, 6.5, 161)


def _bells(u):
    """Return the density of two equal bells; mean 0, variance 0.9**2 + 0.19 = 1."""
    return 0.5 * np.exp(np.logaddexp(*(log_normal(u, m, 0.19**0.5) for m in (-0.9, 0.9))))


STEP = 0.1


def _table(low, high, density):
    """Return a grid of u and the probabilities of its cells, which sum to one."""
    u, step = uniform_grid(low, high, round((high - low) / STEP) + 1)
    prob = step * density(u)
    return u, prob / prob.sum()


#: Shape of p(y): u = (log y - constant) / spread and its probabilities. Where u is the log of an
#: exponential variable, with density exp(u - e^u), y is Weibull; at spread 1 it is exponential.
SHAPES = {
    "lognormal": _table(-9.0, 9.0, lambda u: np.exp(log_normal(u, 0.0, 1.0))),
    "two": _table(-5.0, 5.0, _bells),
    "weibull": _table(-36.0, 4.0, lambda u: np.exp(u - np.exp(u))),
}


def _point(n, weight, y):
    """Return the two sliders of point n."""
    role, sub = f"c{n}", "₁₂₃"[n - 1]
    return (
        Slider(y, 0.1, 6.0, step=0.1, label="place", symbol=f"y{sub}", role=role),
        Slider(
            weight, 0.0, 1.0, step=0.05, fine=0.01, label="weight", symbol=f"λ{sub}", role=role,
            group="Points", more=True,
        ),
    )  # fmt: skip


def _readouts(what, group, more):
    """Return both sides of the inequality and their difference, for the points or the density."""
    of = {"group": group, "more": more}
    return (
        Readout(f"{what}_mean", "mean", symbol="E[y]", group=group, more=True),
        Readout(f"{what}_g_of_mean", "curve at the mean", symbol="g[E[y]]", role="ink", **of),
        Readout(f"{what}_mean_of_g", "mean on the curve", symbol="E[g[y]]", role="bound", **of),
        Readout(f"{what}_gap", "gap", digits=4, role="gap", **of),
    )


class Jensen(Explorer):
    """Jensen's inequality for three weighted points and for a density, on a concave curve g.

    The weights of the points sum to one: a weight that is moved keeps its value, and the others
    share the rest. The density is that of ``mean * exp(spread * u)``, divided by the mean of the
    exponential, with a standardised u for each shape (the Weibull's u is not standardised: its
    ``spread`` is one over the shape parameter).

    Source: chapter "jensens-inequality", eq-jensen and eq-jensen-integral.
    """

    name = "jensen"
    title = "The gap between a curve and an average on it"

    y_1, weight_1 = _point(1, 0.3, 0.4)
    y_2, weight_2 = _point(2, 0.3, 1.5)
    y_3, weight_3 = _point(3, 0.4, 5.0)
    function = Choice("log", {"log": "log y", "sqrt": "√y"}, label="function", symbol="g[y]")
    shape = Choice(
        "lognormal",
        {"lognormal": "log-normal", "two": "two peaks", "weibull": "Weibull"},
        label="shape", group="Density", more=True,
    )  # fmt: skip
    mean = Slider(
        2.0, 0.5, 4.0, step=0.1, label="mean", symbol="m", group="Density", role="p", more=True
    )
    spread = Slider(
        0.8, 0.0, 1.5, step=0.05, fine=0.01, label="spread", symbol="s", group="Density", role="p",
        more=True,
    )  # fmt: skip

    shown = (
        *_readouts("points", "Three points", more=False),
        *_readouts("density", "Density", more=True),
    )

    text: ClassVar = {
        "note": "Drag the points apart: the gap grows. Weights and the density are under More.",
        "x_axis": "y",
        "points_axis": "three points on g[y] = {g}",
        "density_axis": "a density p(y) under g[y] = {g}",
        "log": "log y",
        "sqrt": "√y",
        "log_of_mean": "log E[y]",
        "sqrt_of_mean": "√E[y]",
        "mean_of_log": "E[log y]",
        "mean_of_sqrt": "E[√y]",
        "gap": "gap {gap:3}",
        "consequence": "gap of the points {points_gap:3}, gap of the density {density_gap:3}",
        "points_description": "Points at y = {ys} with weights {weights} on the curve {g}. "
        "At their mean {points_mean} the curve is at {points_g_of_mean:3}, their average height is "
        "{points_mean_of_g:3}: gap {points_gap:3}.",
        "density_description": "A density with mean {density_mean} and spread {spread} under the "
        "curve {g}. At the mean the curve is at {density_g_of_mean:3}, the average height on the "
        "curve is {density_mean_of_g:3}: gap {density_gap:3}.",
        "table_caption": "The points, the means, and the density; a drop is what the curve lies "
        "below its tangent at the mean",
        "table_name": "what",
        "table_y": "y",
        "table_weight": "weight or density",
        "table_g": "g[y]",
        "table_drop": "drop",
        "table_point": "point {n:0}",
        "table_points_mean": "mean of the points",
        "table_density": "density",
    }
    described = ("points_description", "density_description")

    def constrain(self, values, moved):
        """Keep the weights of the points summing to one."""
        return share_rest(values, moved)

    def points(self):
        """Return places and weights of the three points."""
        return tuple(
            np.array([getattr(self, f"{what}_{n}") for n in (1, 2, 3)]) for what in ("y", "weight")
        )

    def density(self):
        """Return values of y, their probabilities on the grid, and p(y) there."""
        u, prob = SHAPES[self.shape]
        y = np.exp(self.spread * u)
        y *= self.mean / (prob @ y)
        with np.errstate(divide="ignore"):  # at spread 0 all of y is at the mean
            return y, prob, prob / STEP / (self.spread * y)

    def tables(self):
        """Return the curve's grid, and u with its probabilities for each shape."""
        us = {f"{name}_u": u for name, (u, _) in SHAPES.items()}
        probs = {f"{name}_prob": prob for name, (_, prob) in SHAPES.items()}
        return {"grid": GRID, "step": STEP} | us | probs

    def compute(self):
        """Return the means, both sides of the inequality and the gaps."""
        g = CURVES[self.function]
        y, prob, _ = self.density()
        at = {}
        for what, (values, weights) in {"points": self.points(), "density": (y, prob)}.items():
            at[f"{what}_mean"] = weights @ values
            at |= {f"{what}_{k}": v for k, v in jensen(g, values, weights)._asdict().items()}
        return at

    def blanks(self):
        """Return also the curve, and the places and weights of the points as lists."""
        ys, weights = (", ".join(map(write, numbers)) for numbers in self.points())
        more = {"g": self.text[self.function], "ys": ys, "weights": weights}
        return super().blanks() | more

    def still(self):
        """Return the points on the curve, and beside them the density under it."""
        from matplotlib.figure import Figure

        from vaebook import figures

        g, tex, at = CURVES[self.function], TEX[self.function], self.compute()
        places, weights = self.points()
        y, _, p = self.density()
        points, density = (
            np.array([at[f"{what}_{side}"] for side in ("mean", "g_of_mean", "mean_of_g")])
            for what in ("points", "density")
        )
        fig = Figure(figsize=(6.4, 3.0))
        left, right = fig.subplots(1, 2, sharey=True)
        curve = GRID, g(GRID)
        figures.plot_point_gap(*curve, points, places, g(places), weights, g=tex, ax=left)
        figures.plot_density_gap(*curve, density, y, p, g=tex, ax=right)
        left.set_title("three points")
        right.set(title="a density", ylabel="")
        return fig
