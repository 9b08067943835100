"""What all pictures share: roles of colours and lines, and where to draw."""

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


def role_line(role):
    """Return the colour and the dash of a role, as ``plot`` takes them."""
    return {"color": COLOURS[role], "linestyle": DASHES[role]}


def component_line(n):
    """Return the colour and dash of component ``n``, counted from 0; beyond the third, muted."""
    role = f"c{n + 1}"
    return {"color": COLOURS.get(role, COLOURS["muted"]), "linestyle": DASHES.get(role, ":")}


def current_axes(ax):
    """Return ``ax``, or the current Axes of pyplot, which is imported only when it is needed."""
    if ax is None:
        import matplotlib.pyplot as plt

        ax = plt.gca()
    return ax


def shade(ax, x1, x2, density, top, role="p"):
    """Fill the plane in the colour of a role, the darker the denser, up to the density ``top``.

    Seven sheets of the same glass lie on top of each other, each cut to where the density exceeds
    its level: shapes, unlike an image, can take the colours of the page's theme.
    """
    for share in (0.03, 0.12, 0.25, 0.4, 0.55, 0.7, 0.85):
        if density.max() > share * top:
            levels = [share * top, np.inf]
            ax.contourf(x1, x2, density, levels=levels, colors=COLOURS[role], alpha=0.14)
