"""Gradients through samples: graphs, roots of a covariance, estimates and their spreads."""

import numpy as np

from vaebook.figures.style import CIRCLE, COLOURS, new_figure, plot, role_line

_SERIES = (("pathwise", "c1", "o"), ("score function", "c2", "s"), ("with a baseline", "c3", "^"))


def figure_sampling_graphs():
    """Draw the path from a data point to the reconstruction with z drawn, and with noise drawn.

    Source: chapter "reparameterization-trick", eq-reparameterization, the note's figure 17.11.
    """
    figure = new_figure(6.8, 3.4)
    above, below = figure.subplots(2, height_ratios=[1.7, 2.7])
    for ax, top, middle in [(above, 0.6, "draw $z^*$"), (below, 1.6, r"$\mu+s\,\epsilon^*$")]:
        # A place and half a width for each box, and an arrow to it from the one before.
        end = None
        for place, half, name in [
            (0.35, 0.28, r"$\mathbf{x}$"), (1.75, 0.58, "encoder"), (3.45, 0.42, r"$\mu,\ s$"),
            (5.3, 0.62, middle), (7.0, 0.6, "decoder"), (8.75, 0.85, r"$\log\,p(\mathbf{x}|z^*)$"),
        ]:  # fmt: skip
            ax.text(place, 0, name, ha="center", va="center", bbox=_BOX)
            if end is not None:
                _arrow(ax, (end, 0), (place - half, 0))
            end = place + half
        ax.set(xlim=(-0.1, 9.7), ylim=(-1.1, top))
        ax.axis("off")
    above.set_title("sampling on the path", loc="left")
    _arrow(above, (8.6, -0.5), (5.6, -0.5), back=True)
    above.plot(5.4, -0.5, "x", color=COLOURS["q"], markersize=9, markeredgewidth=2.5)
    words = {"ha": "center", "color": COLOURS["q"]}
    above.text(5.4, -1, "no derivative here", **words)
    below.set_title("sampling beside the path", loc="left")
    below.text(5.3, 1.25, r"draw $\epsilon^*$", ha="center", va="center", bbox=_BOX)
    _arrow(below, (5.3, 0.95), (5.3, 0.3))
    _arrow(below, (8.6, -0.5), (1.75, -0.5), back=True)
    below.text(5.2, -1, r"gradient: to $\phi$, then to $\mu$ and $s$, then to $\theta$", **words)
    return figure


_BOX = {"boxstyle": "round,pad=0.35", "facecolor": "none", "edgecolor": COLOURS["muted"]}


def _arrow(ax, start, end, *, back=False):
    """Draw an arrow; a gradient, which runs back, is dashed and has the colour of q."""
    style = {"color": COLOURS["q"], "linestyle": "--"} if back else {"color": COLOURS["ink"]}
    ax.annotate("", end, start, arrowprops={"arrowstyle": "->", "linewidth": 1.25, **style})


def figure_roots(eps, names, roots):
    """Draw the same noise as several roots of one covariance spread it out.

    ``eps`` (n, 2): the first three are marked, to be found again in each picture; ``names`` has one
    for each of ``roots`` (k, 2, 2).

    Source: chapter "reparameterization-trick", eq-reparameterization.
    """
    figure = new_figure(7.2, 2.3)
    axes = figure.subplots(1, 1 + len(roots), sharex=True, sharey=True)
    for ax, name, root in zip(axes, [r"$\epsilon$", *names], [np.eye(2), *roots], strict=True):
        points = eps @ root.T
        ax.plot(*points.T, ".", color=COLOURS["muted"], markersize=2)
        ax.plot(*(2 * CIRCLE @ root.T).T, **role_line("q"), linewidth=1.25)
        for point, marker, role in zip(points, "o^s", ("c1", "c2", "c3"), strict=False):
            ax.plot(*point, marker, color=COLOURS[role], markersize=7)
        ax.set(title=name, xlim=(-3.6, 3.6), ylim=(-3.6, 3.6), xticks=[-2, 0, 2])
        ax.set_aspect("equal")
    return figure


def figure_estimates(exact, pathwise, score):
    """Draw the histograms of two estimates of one gradient, one above the other.

    ``pathwise``, ``score`` (n,) estimate ``exact``; the axis around it shows nearly all of both.

    Source: chapter "reparameterization-trick", eq-pathwise and eq-score-function.
    """
    figure = new_figure(6.4, 3.2)
    axes = figure.subplots(2, sharex=True)
    half_width = 3.5 * max(pathwise.std(), score.std())
    for ax, values, (name, role, _) in zip(axes, (pathwise, score), _SERIES, strict=False):
        width = max(values.std() / 4, half_width / 200)
        n_bars = np.ceil(half_width / width)
        edges = exact + width * (np.arange(-n_bars, n_bars + 2) - 0.5)
        ax.hist(values, edges, color=COLOURS[role], alpha=0.5)
        ax.axvline(exact, color=COLOURS["ink"], linewidth=1.25)
        ax.set_yticks([])
        ax.set_ylabel(name)
    axes[-1].set(xlabel="estimate of the gradient", xlim=(exact - half_width, exact + half_width))
    return figure


@plot
def plot_spreads(x, spreads, sampled=None, *, ax=None):
    """Draw standard deviations of gradient estimates on two logarithmic axes.

    Rows of ``spreads`` (2 or 3, n) over ``x`` (n,) are lines: pathwise, score function, with a
    baseline; ``sampled``, the same measured with draws, are markers.

    Source: chapter "reparameterization-trick", eq-baseline and eq-variance-dimension.
    """
    for k, (values, (name, role, marker)) in enumerate(zip(spreads, _SERIES, strict=False)):
        ax.plot(x, values, label=name, **role_line(role))
        if sampled is not None:
            ax.plot(x, sampled[k], marker, color=COLOURS[role], markersize=5)
    ax.set(xlabel="$x$", ylabel="std of one draw", xscale="log", yscale="log")
    ax.legend()
