"""Explorer ``jensen``: average on a concave curve, of three points or of a density; the gap."""

from typing import Any, ClassVar

import numpy as np

from vaebook import figures
from vaebook.bounds import jensen
from vaebook.explorers.base import Explorer
from vaebook.explorers.controls import Choice, Readout, Slider
from vaebook.explorers.mixture_weights import share_rest
from vaebook.explorers.words import write
from vaebook.figures.style import band
from vaebook.gaussians import log_normal
from vaebook.quadrature import uniform_grid

CURVES = {"log": np.log, "sqrt": np.sqrt}
CURVE_NAMES = {"log": "log y", "sqrt": "√y"}
TEX = {"log": r"\log {}", "sqrt": r"\sqrt{{{}}}"}
GRID = np.geomspace(0.08, 6.5, 161)
STEP = 0.1


def _two_peaks(u):
    """Return the density of two equal Gaussians; mean 0, variance 0.9**2 + 0.19 = 1."""
    return 0.5 * np.exp(np.logaddexp(*(log_normal(u, m, 0.19**0.5) for m in (-0.9, 0.9))))


def _table(high, density):
    """Return a grid of u from -high to high, and the probabilities of its cells."""
    u, step = uniform_grid(-high, high, round(2 * high / STEP) + 1)
    prob = step * density(u)
    return u, prob / prob.sum()


#: Shape of p(y): u = (log y - constant) / spread, of mean 0 and variance 1, and its probabilities.
SHAPES = {
    "lognormal": _table(9.0, lambda u: np.exp(log_normal(u, 0.0, 1.0))),
    "two": _table(5.0, _two_peaks),
}
_DENSITY: dict[str, Any] = {"group": "Density", "role": "p"}


def _point(n, weight, y):
    """Return the two sliders of point n; those of the first are in view."""
    of = {"role": f"c{n}", "group": "Three points", "more": n > 1}
    sub = "₁₂₃"[n - 1]
    return (
        Slider(y, 0.1, 6.0, step=0.1, label="place", symbol=f"y{sub}", **of),
        Slider(weight, 0.0, 1.0, step=0.05, fine=0.01, label="weight", symbol=f"λ{sub}", **of),
    )


class Jensen(Explorer):
    """Jensen's inequality for three weighted points, or for a density, on a concave curve g.

    The weights of the points sum to one: a weight that is moved keeps its value, and the others
    share the rest. The density is that of ``mean * exp(spread * u)``, divided by the mean of the
    exponential, with a standardised u for each shape. Moving a control of the view that is not
    shown brings that view into sight.

    Source: chapter "jensens-inequality", eq-jensen and eq-jensen-integral.
    """

    name = "jensen"
    title = "A curve at the average, and the average on the curve"

    view = Choice("points", {"points": "points", "density": "density"}, label="average of")
    y_1, weight_1 = _point(1, 0.3, 0.4)
    y_2, weight_2 = _point(2, 0.3, 1.5)
    y_3, weight_3 = _point(3, 0.4, 5.0)
    spread = Slider(0.8, 0.0, 1.5, step=0.05, fine=0.01, label="spread", symbol="s", **_DENSITY)
    mean = Slider(2.0, 0.5, 4.0, step=0.1, label="mean", symbol="m", more=True, **_DENSITY)
    shape = Choice(
        "lognormal", {"lognormal": "log-normal", "two": "two peaks"},
        label="shape", group="Density", more=True,
    )  # fmt: skip
    function = Choice("log", CURVE_NAMES, label="curve", symbol="g[y]", more=True)

    shown = (
        Readout("g_of_mean", "", "g[E[y]]", role="ink"),
        Readout("mean_of_g", "", "E[g[y]]", role="bound"),
        Readout("gap", "gap", digits=4, role="gap"),
        Readout("average", "mean", "E[y]", more=True),
    )

    text: ClassVar = {
        "note": "Drag a point along the curve, the top of a bar (a weight), or, for the density, "
        "its mean and its width.",
        "note_small": "Drag a handle in the picture, and watch the gap.",
        "x_axis": "y",
        "y_axis": "g[y] = {g}",
        **CURVE_NAMES,
        "log_of_mean": "log E[y]",
        "sqrt_of_mean": "√E[y]",
        "mean_of_log": "E[log y]",
        "mean_of_sqrt": "E[√y]",
        "gap": "gap {gap:3}",
        "density": "p(y)",
        "consequence": "{g} at the mean is {g_of_mean:3}, the mean of {g} is {mean_of_g:3}: "
        "gap {gap:3}",
        "points_description": "Points at y = {ys} on the curve {g}, joined by chords; bars under "
        "them show their weights, {weights}. Their mean is {average}. {consequence}.",
        "density_description": "A density with mean {mean} and spread {spread} under the curve "
        "{g}, and, shaded, density times drop below the tangent at the mean. {consequence}.",
        "table_caption": "A drop is how far the curve lies below its tangent at the mean",
        "table_name": "item",
        "table_y": "y",
        "table_weight": "weight or density",
        "table_g": "g[y]",
        "table_drop": "drop",
        "table_point": "point {n:0}",
        "table_mean": "mean",
    }

    #: The controls of each view; one that is moved alone brings its view into sight.
    views: ClassVar = {
        "points": {f"{what}_{n}" for what in ("y", "weight") for n in (1, 2, 3)},
        "density": {"spread", "mean", "shape"},
    }

    @property
    def described(self):
        """The key of the picture's description: there is one picture, of the chosen view."""
        return (f"{self.view}_description",)

    def constrain(self, values, moved):
        """Keep the weights summing to one, and show the view that was moved."""
        touched = [view for view, names in self.views.items() if names & set(moved)]
        if "view" not in moved and len(touched) == 1:
            values = values | {"view": touched[0]}
        return share_rest(values, moved)

    def points(self):
        """Return places and weights of the three points."""
        values = ([getattr(self, f"{what}_{n}") for n in (1, 2, 3)] for what in ("y", "weight"))
        return tuple(map(np.array, values))

    def density(self):
        """Return values of y, their probabilities on the grid, and p(y) there."""
        u, prob = SHAPES[self.shape]
        y = np.exp(self.spread * u)
        y *= self.mean / (prob @ y)
        with np.errstate(divide="ignore"):  # at spread 0 all of y is at the mean
            return y, prob, prob / STEP / (self.spread * y)

    def tables(self):
        """Return the curve's grid, u with its probabilities for each shape, and the views."""
        us = {f"{name}_u": u for name, (u, _) in SHAPES.items()}
        probs = {f"{name}_prob": prob for name, (_, prob) in SHAPES.items()}
        views = {view: sorted(names) for view, names in self.views.items()}
        return {"grid": GRID, "step": STEP, "views": views} | us | probs

    def compute(self):
        """Return the mean, both sides of the inequality and the gap."""
        values, weights = self.points() if self.view == "points" else self.density()[:2]
        sides = jensen(CURVES[self.function], values, weights)
        return {"average": weights @ values} | sides._asdict()

    def blanks(self):
        """Return also the curve, and the places and weights of the points as lists."""
        ys, weights = (", ".join(map(write, numbers)) for numbers in self.points())
        return super().blanks() | {"g": CURVE_NAMES[self.function], "ys": ys, "weights": weights}

    def paint(self, fig):
        """Draw the gap, and the points on the curve with their chords, or the density below it."""
        g, at = CURVES[self.function], self.compute()
        sides = [at["average"], at["g_of_mean"], at["mean_of_g"]]
        ax = fig.subplots()
        figures.plot_gap(GRID, g(GRID), sides, g=TEX[self.function], ax=ax)
        if self.view == "points":
            places, weights = self.points()
            ax.fill(places, g(places), color=figures.COLOURS["bound"], alpha=0.1, linewidth=0)
            ax.scatter(places, g(places), 300 * weights, color=figures.COLOURS["p"], zorder=3)
        else:
            y, _, p = self.density()
            low, high = ax.get_ylim()
            seen = (y > 0.01 * GRID[-1]) & (y < GRID[-1])
            if np.isfinite(p).all() and seen.any():  # at spread 0 it is infinite
                tops = low + 0.3 * (high - low) * p[seen] / p[seen].max()
                band(ax, y[seen], low, tops, "p", 0.2)
                ax.plot(y[seen], tops, color=figures.COLOURS["p"], linewidth=1)
                ax.set_ylim(low, high)
