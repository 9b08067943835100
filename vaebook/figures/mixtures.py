"""Mixtures of Gaussians: components, their sum, responsibilities."""

import numpy as np

from vaebook.figures.style import COLOURS, component_line, new_figure, plot, stand_on_zero


@plot
def plot_mixture(x, joint, *, ax=None):
    """Draw the weighted components and, in colour ``p``, the density that is their sum.

    Column n of ``joint`` (n, N) is the joint density at ``x`` (n,) for component n.

    Source: chapter "mixture-of-gaussians", eq-mixture-density, the note's figure 17.1.
    """
    ax.plot(x, joint.sum(axis=1), color=COLOURS["p"], label="$p(x)$, the sum")
    for n, bell in enumerate(joint.T):
        ax.plot(x, bell, label=f"$p(x, z={n + 1})$", **component_line(n))
    stand_on_zero(ax, x, "$x$", "density")


@plot
def plot_responsibilities(x, responsibilities, *, ax=None):
    """Stack the responsibilities, which fill the height from 0 to 1 at every x.

    ``x`` (n,); ``responsibilities`` (n, N), rows sum to one.

    Source: chapter "mixture-of-gaussians", eq-responsibility.
    """
    _stack(ax, x, responsibilities)
    middles = responsibilities.cumsum(axis=1) - responsibilities / 2
    for n, share in enumerate(responsibilities.T):
        # A running mean finds where the band stays wide, away from the edges of the picture.
        widest = np.convolve(share, np.ones(len(x) // 8), "same").argmax()
        ax.text(x[widest], middles[widest, n], f"$z={n + 1}$", ha="center", va="center")
    ax.set(xlabel="$x$", ylabel="responsibility $p(z=n|x)$", xlim=(x[0], x[-1]), ylim=(0, 1))


def _stack(ax, x, heights):
    """Fill one band a column, each on top of the one before, with a dashed upper edge."""
    tops = heights.cumsum(axis=1)
    for n, (top, height) in enumerate(zip(tops.T, heights.T, strict=True)):
        style = component_line(n)
        ax.fill_between(x, top - height, top, color=style["color"], alpha=0.25, linewidth=0)
        ax.plot(x, top, linewidth=1, **style)


def figure_marginal(x, joint, weights):
    """Draw the joint density of x and a discrete z, one slice a row, and their sum beneath.

    Column n of ``joint`` (n, N) is the joint density at ``x`` (n,) for component n; ``weights``
    (N,) are the areas under the slices.

    Source: chapter "mixture-of-gaussians", eq-mixture-marginal, the note's figure 17.1.
    """
    n_components = joint.shape[1]
    beside = {"rotation": "horizontal", "ha": "right", "va": "center"}
    total = joint.sum(axis=1)
    figure = new_figure(6.4, 1.0 + n_components)
    heights = [*joint.max(axis=0), total.max()]
    rows = figure.subplots(n_components + 1, sharex=True, height_ratios=heights)
    for n, (ax, bell) in enumerate(zip(rows[:-1], joint.T, strict=True)):
        style = component_line(n)
        ax.plot(x, bell, **style)
        ax.fill_between(x, bell, color=style["color"], alpha=0.25, linewidth=0)
        ax.set_ylim(0, 1.1 * bell.max())
        ax.set_ylabel(f"$z={n + 1}$\narea {weights[n]:.2f}", **beside)
    _stack(rows[-1], x, joint)
    rows[-1].plot(x, total, color=COLOURS["p"])
    rows[-1].set(ylim=(0, 1.1 * total.max()), xlabel="$x$", xlim=(x[0], x[-1]))
    rows[-1].set_ylabel("$p(x)$\narea 1", **beside)
    for ax in rows:
        ax.set_yticks([])
    return figure
