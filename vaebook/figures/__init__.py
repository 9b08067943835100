"""Pictures of the book: ``plot_*`` draws numbers into an Axes, ``figure_*`` returns a Figure.

The functions take arrays and compute nothing but positions on paper. A ``plot_*`` draws into
``ax``, or into the current Axes, and returns it. Colours are roles (``COLOURS``), the same in every
chapter, and each role has a dash or a marker of its own.
"""

from vaebook.figures.bounds import (
    plot_ascent,
    plot_best_bound,
    plot_bound,
    plot_elbo_surface,
    plot_waterfall,
)
from vaebook.figures.gradients import (
    figure_estimates,
    figure_roots,
    figure_sampling_graphs,
    plot_spreads,
    plot_walks,
)
from vaebook.figures.images import (
    PRINT,
    figure_image_rows,
    plot_latent_plane,
    plot_manifold,
    show_images,
    show_pixels,
    tile_images,
)
from vaebook.figures.jensen import plot_bias, plot_density_gap, plot_gap, plot_point_gap
from vaebook.figures.latent import figure_vae_pass, plot_density, plot_joint
from vaebook.figures.mixtures import (
    figure_marginal,
    plot_components,
    plot_mixture,
    plot_responsibilities,
)
from vaebook.figures.posteriors import (
    figure_which_z,
    plot_amortised,
    plot_ellipses,
    plot_gap_parts,
    plot_latent_posterior,
    plot_q,
)
from vaebook.figures.style import COLOURS, DASHES, role_line
from vaebook.figures.trainings import (
    plot_budget,
    plot_cost,
    plot_importance,
    plot_ladder,
    plot_prices,
    plot_printed,
    plot_training,
)

__all__ = [
    "COLOURS",
    "DASHES",
    "PRINT",
    "figure_estimates",
    "figure_image_rows",
    "figure_marginal",
    "figure_roots",
    "figure_sampling_graphs",
    "figure_vae_pass",
    "figure_which_z",
    "plot_amortised",
    "plot_ascent",
    "plot_best_bound",
    "plot_bias",
    "plot_bound",
    "plot_budget",
    "plot_components",
    "plot_cost",
    "plot_density",
    "plot_density_gap",
    "plot_elbo_surface",
    "plot_ellipses",
    "plot_gap",
    "plot_gap_parts",
    "plot_importance",
    "plot_joint",
    "plot_ladder",
    "plot_latent_plane",
    "plot_latent_posterior",
    "plot_manifold",
    "plot_mixture",
    "plot_point_gap",
    "plot_prices",
    "plot_printed",
    "plot_q",
    "plot_responsibilities",
    "plot_spreads",
    "plot_training",
    "plot_walks",
    "plot_waterfall",
    "role_line",
    "show_images",
    "show_pixels",
    "tile_images",
]
