"""Jensen's inequality: a function, its average, and the gap between them."""

import numpy as np

from vaebook.figures.style import COLOURS, band, plot, role_line


@plot
def plot_gap(y, curve, sides, *, g=r"\log {}", ax=None):
    """Draw a curve g, and over the mean of y the gap between g[E[y]] and E[g[y]].

    Parameters
    ----------
    y, curve : ndarray, shape (n,)
        Where the curve is drawn, and the curve.
    sides : ndarray, shape (3,)
        E[y], g[E[y]] and E[g[y]].
    g : str
        The function in TeX, with ``{}`` in place of its argument.

    Source: chapter "jensens-inequality", eq-jensen.
    """
    mean, g_of_mean, mean_of_g = sides
    ax.plot(y, curve, color=COLOURS["ink"])
    ax.plot([mean, mean], [mean_of_g, g_of_mean], **role_line("gap"), linewidth=4)
    above = {"textcoords": "offset points", "ha": "right", "xytext": (-5, 5)}
    below = {"textcoords": "offset points", "ha": "left", "xytext": (5, -12)}
    for height, role, marker, words, place in [
        (g_of_mean, "ink", "o", f"${g.format('E[y]')}$", above),
        (mean_of_g, "bound", "D", f"$E[{g.format('y')}]$", below),
    ]:
        ax.plot(mean, height, marker, markersize=5, color=COLOURS[role])
        ax.annotate(words, (mean, height), color=COLOURS[role], **place)
    ax.set(xlabel="$y$", ylabel=f"${g.format('y')}$", xlim=(0, y[-1]))


@plot
def plot_point_gap(y, curve, sides, places, heights, weights, *, ax=None, **kwargs):
    """Draw the gap of some points, whose areas are their weights.

    Parameters
    ----------
    y, curve, sides
        As for :func:`plot_gap`.
    places, heights, weights : ndarray, shape (N,)
        The points on the curve, and their probabilities.
    **kwargs
        Passed on to :func:`plot_gap`.

    Source: chapter "jensens-inequality", eq-jensen-drop, the note's figure 17.4.
    """
    plot_gap(y, curve, sides, ax=ax, **kwargs)
    ax.scatter(places, heights, 300 * weights, color=COLOURS["p"], zorder=3)


@plot
def plot_density_gap(y, curve, sides, values, p, *, ax=None, **kwargs):
    """Draw the gap of a density, and the density itself at the foot of the picture.

    Parameters
    ----------
    y, curve, sides
        As for :func:`plot_gap`.
    values, p : ndarray, shape (n,)
        Values that increase, and the density there; infinite where all of y is at one place.
    **kwargs
        Passed on to :func:`plot_gap`.

    Source: chapter "jensens-inequality", eq-jensen-integral.
    """
    plot_gap(y, curve, sides, ax=ax, **kwargs)
    low, high = ax.get_ylim()
    seen = (values > 0.01 * y[-1]) & (values < y[-1])
    if np.isfinite(p).all() and seen.any():
        tops = low + 0.3 * (high - low) * p[seen] / p[seen].max()
        band(ax, values[seen], low, tops, "p", 0.2)
        ax.plot(values[seen], tops, color=COLOURS["p"], linewidth=1)
        ax.set_ylim(low, high)


@plot
def plot_bias(n_samples, bias, error, predicted, *, ax=None):
    """Draw how far the mean of a log of an average lies below the log of the mean.

    Parameters
    ----------
    n_samples : sequence of int, length n
        Samples in each average.
    bias, error : ndarray, shape (n,)
        The measured downward bias, in nats, and its standard error; four of them are drawn.
    predicted : ndarray, shape (n,)

    Source: chapter "jensens-inequality", eq-log-mean-bias.
    """
    bars = {"fmt": "o", "markersize": 4, "capsize": 3, "label": "measured"}
    ax.errorbar(n_samples, bias, 4 * np.asarray(error), color=COLOURS["bound"], **bars)
    dashed = {"color": COLOURS["muted"], "linestyle": (0, (3, 3)), "label": "$v/2K$"}
    ax.plot(n_samples, predicted, linewidth=1, **dashed)
    ax.set(xscale="log", yscale="log", xlabel="samples $K$", ylabel="bias (nats)")
    ax.legend()
