"""Small images: one, many, a plane of them."""

import numpy as np

from vaebook.figures.style import CIRCLE, COLOURS, new_figure, plot, shade

#: Bytes as ink on paper; the file has them as they are, and whoever shows it makes them larger.
PRINT = {"cmap": "Greys", "vmin": 0, "vmax": 255, "interpolation": "none"}


@plot
def show_pixels(image, *, sheets=5, ax=None):
    """Draw an image in ink: the probability of each pixel, as sheets of shade on each other.

    ``image``, (784,) or (28, 28), has probabilities, or pixels 0 and 1, from the first row down.
    Few ``sheets`` make a small file.

    Source: chapter "training-a-vae".
    """
    image = np.reshape(np.asarray(image, float), (28, 28))
    shade = {"colors": COLOURS["ink"], "alpha": 1 - 0.1 ** (1 / sheets)}  # all: a tenth of paper
    for level in (np.arange(sheets) + 0.5) / sheets:
        if image.max() > level:  # shapes take the colours of the page's theme
            ax.contourf(image, levels=[level, np.inf], **shade)
    ax.set(xlim=(-0.5, 27.5), ylim=(27.5, -0.5), aspect="equal", xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set(visible=True, color=COLOURS["muted"], linewidth=0.5)


def tile_images(images, columns):
    """Lay images (n, H, W) out in rows of ``columns``, with two empty pixels between them.

    n is a multiple of ``columns``; the result is (rows (H + 2) - 2, columns (W + 2) - 2).

    Source: chapter "what-goes-wrong".
    """
    n, height, width = images.shape
    framed = np.zeros((n, height + 2, width + 2), images.dtype)
    framed[:, :height, :width] = images
    rows = framed.reshape(-1, columns, height + 2, width + 2).swapaxes(1, 2)
    return rows.reshape(-1, columns * (width + 2))[:-2, :-2]


@plot
def show_images(images, columns, *, ax=None):
    """Draw images, bytes (n, H, W), in rows of ``columns``, as ink on paper that is always white.

    Source: chapter "what-goes-wrong".
    """
    ax.imshow(tile_images(images, columns), **PRINT)
    ax.set_axis_off()


def figure_image_rows(rows, names):
    """Draw rows of images, bytes (n, 28, 28), under one another, each with its name on the left.

    Source: chapter "what-goes-wrong".
    """
    figure = new_figure(6.4, 0.1 + 0.55 * len(rows), layout="constrained")
    axes = figure.subplots(len(rows), squeeze=False)[:, 0]
    for ax, images, name in zip(axes, rows, names, strict=True):
        show_images(images, len(images), ax=ax)
        colour = COLOURS["data" if ax is axes[0] else "p"]
        place = {"transform": ax.transAxes, "ha": "right", "va": "center"}
        ax.text(-0.01, 0.5, name, color=colour, **place)
    return figure


@plot
def plot_latent_plane(side, aggregated, holes, codes, labels, *, ax=None):
    """Draw where encoded images lie, and where the prior has mass without them.

    ``side`` (S,): middles of the cells along either axis. ``aggregated``, ``holes`` (S, S): density
    of the data, and that of the prior where it counts as a hole; rows go upwards. ``labels`` (I,)
    are drawn at the ``codes`` (I, 2).

    Source: chapter "training-a-vae".
    """
    shade(ax, side, side, aggregated, np.quantile(aggregated, 0.98), "q")
    shade(ax, side, side, holes, 1 / (2 * np.pi), "p")
    for radius in (1, 2, 3):
        ax.plot(*radius * CIRCLE.T, color=COLOURS["p"], linewidth=0.75)
    for (z1, z2), label in zip(codes, labels, strict=True):
        ax.annotate(str(label), (z1, z2), ha="center", va="center", fontsize=7, clip_on=True)
    ax.set(xlim=(side[0], side[-1]), ylim=(side[0], side[-1]), aspect="equal")
    ax.set(xlabel="$z_1$", ylabel="$z_2$")
