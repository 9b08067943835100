"""Pictures of the book: ``plot_*`` draws numbers into an Axes, ``figure_*`` returns a Figure.

The functions take arrays and compute nothing but positions on paper; colours are roles
(``COLOURS``), the same in every chapter, and each role has a dash or a marker of its own.
"""

import numpy as np

COLOURS = {
    "ink": "#1f2328",
    "muted": "#59636e",
    "paper": "#ffffff",
    "p": "#0b5cad",
    "q": "#b54708",
    "posterior": "#0a7050",
    "data": "#1f2328",
    "bound": "#86198f",
    "gap": "#8a6100",
    "c1": "#0e7490",
    "c2": "#9f3a12",
    "c3": "#5b3fb5",
}

DASHES = {
    "p": "-",
    "q": (0, (5, 2)),
    "posterior": (0, (6, 2, 1, 2)),
    "bound": (0, (9, 3)),
    "gap": (0, (1, 1)),
    "c1": (0, (1, 1.5)),
    "c2": (0, (4, 2)),
    "c3": (0, (6, 2, 1, 2)),
}


def _axes(ax):
    """Return ``ax``, or the current Axes of pyplot, which is imported only when it is needed."""
    if ax is None:
        import matplotlib.pyplot as plt

        ax = plt.gca()
    return ax


# ---- mixture of Gaussians ------------------------------------------------------------------------


def _component(n):
    """Return the colour and dash of component ``n``, counted from 0; beyond the third, muted."""
    role = f"c{n + 1}"
    return {"color": COLOURS.get(role, COLOURS["muted"]), "linestyle": DASHES.get(role, ":")}


def plot_components(x, joint, *, ax=None):
    """Draw each weighted component p(x, z = n) as a bell of its own colour and dash.

    Parameters
    ----------
    x : ndarray, shape (n,)
    joint : ndarray, shape (n, N)
        Column n is the joint density at ``x`` for component n.
    ax : Axes, optional

    Returns
    -------
    Axes

    Source: chapter "mixture-of-gaussians", eq-mixture-joint.
    """
    ax = _axes(ax)
    for n, bell in enumerate(joint.T):
        ax.plot(x, bell, label=f"$p(x, z={n + 1})$", **_component(n))
    ax.set(xlabel="$x$", ylabel="density", xlim=(x[0], x[-1]))
    ax.set_ylim(bottom=0)
    ax.legend()
    return ax


def plot_mixture(x, joint, *, ax=None):
    """Draw the weighted components and, in colour ``p``, the density that is their sum.

    Parameters
    ----------
    x : ndarray, shape (n,)
    joint : ndarray, shape (n, N)
        Column n is the joint density at ``x`` for component n.
    ax : Axes, optional

    Returns
    -------
    Axes

    Source: chapter "mixture-of-gaussians", eq-mixture-density, the note's figure 17.1.
    """
    ax = _axes(ax)
    ax.plot(x, joint.sum(axis=1), color=COLOURS["p"], label="$p(x)$, the sum")
    return plot_components(x, joint, ax=ax)


def plot_responsibilities(x, responsibilities, *, ax=None):
    """Stack the responsibilities, which fill the height from 0 to 1 at every x.

    Parameters
    ----------
    x : ndarray, shape (n,)
    responsibilities : ndarray, shape (n, N)
        Rows sum to one.
    ax : Axes, optional

    Returns
    -------
    Axes

    Source: chapter "mixture-of-gaussians", eq-responsibility.
    """
    ax = _axes(ax)
    _stack(ax, x, responsibilities)
    middles = responsibilities.cumsum(axis=1) - responsibilities / 2
    for n, share in enumerate(responsibilities.T):
        # A running mean finds where the band stays wide, away from the edges of the picture.
        widest = np.convolve(share, np.ones(len(x) // 8), "same").argmax()
        ax.text(x[widest], middles[widest, n], f"$z={n + 1}$", ha="center", va="center")
    ax.set(xlabel="$x$", ylabel="responsibility $p(z=n|x)$", xlim=(x[0], x[-1]), ylim=(0, 1))
    return ax


def _stack(ax, x, heights):
    """Fill one band a column, each on top of the one before, with a dashed upper edge."""
    tops = heights.cumsum(axis=1)
    for n, (top, height) in enumerate(zip(tops.T, heights.T, strict=True)):
        style = _component(n)
        ax.fill_between(x, top - height, top, color=style["color"], alpha=0.25, linewidth=0)
        ax.plot(x, top, linewidth=1, **style)


def plot_samples(x, z, *, bins=60, ax=None):
    """Draw a histogram of x as a density, each bar split by the component z that made it.

    Parameters
    ----------
    x : ndarray, shape (n,)
    z : ndarray of int, shape (n,)
        The component of each sample, counted from 0.
    bins : int or sequence
        As for ``Axes.hist``.
    ax : Axes, optional

    Returns
    -------
    Axes

    Source: chapter "mixture-of-gaussians", section "sec-ancestral-sampling".
    """
    ax = _axes(ax)
    groups = [x[z == n] for n in range(z.max() + 1)]
    colours = [_component(n)["color"] for n in range(len(groups))]
    names = [f"drawn from bell {n + 1}" for n in range(len(groups))]
    ax.hist(groups, bins, density=True, stacked=True, color=colours, label=names, alpha=0.4)
    ax.set(xlabel="$x$", ylabel="density")
    ax.legend()
    return ax


def plot_log_likelihood(log_likelihood, *, ax=None, **style):
    """Draw a log-likelihood against the step that reached it, one dot a step.

    Parameters
    ----------
    log_likelihood : ndarray, shape (steps,)
        In nats.
    ax : Axes, optional
    **style
        Passed on to ``Axes.plot``; the default is a solid line in colour ``p``.

    Returns
    -------
    Axes

    Source: chapter "mixture-of-gaussians", section "sec-em".
    """
    ax = _axes(ax)
    ax.plot(log_likelihood, **{"color": COLOURS["p"], "marker": "o", "markersize": 3, **style})
    ax.set(xlabel="step", ylabel="log-likelihood (nats)")
    return ax


def figure_marginal(x, joint, weights):
    """Draw the joint density of x and a discrete z, one slice a row, and their sum beneath.

    Parameters
    ----------
    x : ndarray, shape (n,)
    joint : ndarray, shape (n, N)
        Column n is the joint density at ``x`` for component n.
    weights : sequence of float, length N
        The areas under the slices.

    Returns
    -------
    Figure

    Source: chapter "mixture-of-gaussians", eq-mixture-marginal, the note's figure 17.1.
    """
    from matplotlib.figure import Figure

    n_components = joint.shape[1]
    beside = {"rotation": "horizontal", "ha": "right", "va": "center"}
    total = joint.sum(axis=1)
    figure = Figure(figsize=(6.4, 1.0 + n_components))
    rows = figure.subplots(
        n_components + 1, sharex=True, height_ratios=[*joint.max(axis=0), total.max()]
    )
    for n, (ax, bell) in enumerate(zip(rows[:-1], joint.T, strict=True)):
        style = _component(n)
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
