# ruff: noqa: F401
"""Pictures of the book: ``plot_*`` draws numbers into an Axes, ``figure_*`` returns a Figure.

The functions take arrays and compute nothing but positions on paper. A ``plot_*`` draws into
``ax``, or into the current Axes, and returns it. Colours are roles (``COLOURS``), the same in every
chapter, and each role has a dash or a marker of its own.
"""

from vaebook.figures.bounds import plot_ascent, plot_bound, plot_waterfall
from vaebook.figures.gradients import (
    figure_estimates,
    figure_roots,
    figure_sampling_graphs,
    plot_spreads,
)
from vaebook.figures.images import (
    PRINT,
    figure_image_rows,
    plot_latent_plane,
    show_images,
    show_pixels,
    tile_images,
)
from vaebook.figures.jensen import plot_gap
from vaebook.figures.latent import figure_vae_pass, plot_density, plot_joint
from vaebook.figures.mixtures import figure_marginal, plot_mixture, plot_responsibilities
from vaebook.figures.posteriors import figure_which_z, plot_amortised, plot_q
from vaebook.figures.style import COLOURS, role_line
from vaebook.figures.trainings import plot_budget, plot_cost, plot_ladder, plot_prices, plot_printed
