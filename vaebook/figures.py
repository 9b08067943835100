"""Pictures of the book: ``plot_*`` draws numbers into an Axes, ``figure_*`` returns a Figure.

The functions take arrays and compute nothing but positions on paper; colours are roles
(``COLOURS``), the same in every chapter, and each role has a dash or a marker of its own.
"""

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
