"""What all pictures share: roles of colours and lines, and where to draw."""

import functools

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
    "muted": ":",
}

_turn = np.linspace(0, 2 * np.pi, 181)
CIRCLE = np.stack([np.cos(_turn), np.sin(_turn)], axis=-1)  # of radius 1: points (181, 2)


def role_line(role):
    """Return the colour and the dash of a role, as ``plot`` takes them."""
    return {"color": COLOURS[role], "linestyle": DASHES[role]}


def component_line(n):
    """Return the colour and dash of component ``n``, counted from 0; beyond the third, muted."""
    return role_line(f"c{n + 1}" if n < 3 else "muted")


def plot(draw):
    """Let a function draw into ``ax``, or into the current Axes of pyplot, and return them.

    pyplot is imported only when it is needed.
    """

    @functools.wraps(draw)
    def drawn(*data, ax=None, **options):
        if ax is None:
            import matplotlib.pyplot as plt

            ax = plt.gca()
        draw(*data, ax=ax, **options)
        return ax

    return drawn


def new_figure(width, height, **options):
    """Return an empty Figure of a size in inches; Matplotlib is imported only when it is needed."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), **options)


def band(ax, x, low, high, role, alpha, label=None):
    """Fill what lies between two curves in the colour of a role."""
    ax.fill_between(x, low, high, color=COLOURS[role], alpha=alpha, linewidth=0, label=label)


def stand_on_zero(ax, x, xlabel, ylabel):
    """Name the axes, let them show x from end to end and heights from 0, and add the legend."""
    ax.set(xlabel=xlabel, ylabel=ylabel, xlim=(x[0], x[-1]))
    ax.set_ylim(bottom=0)
    ax.legend()


def decimal(value, digits):
    """Write a number with so many digits after the point, and with a true minus."""
    return f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def shade(ax, x1, x2, density, top, role="p"):
    """Fill the plane in the colour of a role, the darker the denser, up to the density ``top``.

    Seven sheets of the same glass lie on top of each other, each cut to where the density exceeds
    its level: shapes, unlike an image, can take the colours of the page's theme.
    """
    for share in (0.03, 0.12, 0.25, 0.4, 0.55, 0.7, 0.85):
        if density.max() > share * top:
            levels = [share * top, np.inf]
            ax.contourf(x1, x2, density, levels=levels, colors=COLOURS[role], alpha=0.14)
