"""Small images: one, many, a plane of them."""

import numpy as np

from vaebook.figures.style import COLOURS, current_axes, shade

#: Bytes as ink on paper; the file has them as they are, and whoever shows it makes them larger.
PRINT = {"cmap": "Greys", "vmin": 0, "vmax": 255, "interpolation": "none"}


def show_pixels(image, *, sheets=5, ax=None):
    """Draw an image in ink: the probability of each pixel, as sheets of shade on each other.

    Parameters
    ----------
    image : array_like, (784,) or (28, 28)
        Probabilities, or pixels 0 and 1; the first row is at the top.
    sheets : int
        Few make a small file.

    Source: chapter "training-a-vae".
    """
    ax = current_axes(ax)
    image = np.reshape(np.asarray(image, float), (28, 28))
    shade = {"colors": COLOURS["ink"], "alpha": 1 - 0.1 ** (1 / sheets)}  # all: a tenth of paper
    for level in (np.arange(sheets) + 0.5) / sheets:
        if image.max() > level:  # shapes take the colours of the page's theme
            ax.contourf(image, levels=[level, np.inf], **shade)
    ax.set(xlim=(-0.5, 27.5), ylim=(27.5, -0.5), aspect="equal", xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set(visible=True, color=COLOURS["muted"], linewidth=0.5)
    return ax


def tile_images(images, columns):
    """Lay images (n, H, W) out in rows of ``columns``, with two empty pixels between them.

    Returns
    -------
    ndarray, (rows (H + 2) - 2, columns (W + 2) - 2); n must be a multiple of ``columns``.

    Source: chapter "what-goes-wrong".
    """
    n, height, width = images.shape
    framed = np.zeros((n, height + 2, width + 2), images.dtype)
    framed[:, :height, :width] = images
    rows = framed.reshape(-1, columns, height + 2, width + 2).swapaxes(1, 2)
    return rows.reshape(-1, columns * (width + 2))[:-2, :-2]


def show_images(images, columns, *, ax=None):
    """Draw images in rows, as ink on paper; the paper is white in both themes.

    Parameters
    ----------
    images : ndarray of uint8, (n, H, W)
        n must be a multiple of ``columns``.
    columns : int

    Source: chapter "what-goes-wrong".
    """
    ax = current_axes(ax)
    ax.imshow(tile_images(images, columns), **PRINT)
    ax.set_axis_off()
    return ax


def figure_image_rows(rows, names):
    """Draw one row of images under another, each with its name on the left.

    Parameters
    ----------
    rows : list of ndarray of uint8, (n, 28, 28)
    names : list of str

    Source: chapter "what-goes-wrong".
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 0.1 + 0.55 * len(rows)), layout="constrained")
    for ax, images, name in zip(
        figure.subplots(len(rows), 1, squeeze=False).flat, rows, names, strict=True
    ):
        show_images(images, len(images), ax=ax)
        role = "data" if ax.get_subplotspec().rowspan.start == 0 else "p"
        place = {"transform": ax.transAxes, "ha": "right", "va": "center"}
        ax.text(-0.01, 0.5, name, color=COLOURS[role], **place)
    return figure


def plot_latent_plane(side, aggregated, holes, codes, labels, *, ax=None):
    """Draw where encoded images lie, and where the prior has mass without them.

    Parameters
    ----------
    side : array_like, (S,)
        Middles of the cells along either axis.
    aggregated, holes : array_like, (S, S)
        Density of the data, and that of the prior where it counts as a hole; rows go upwards.
    codes : array_like, (I, 2)
    labels : array_like, (I,)
        Drawn at the codes.

    Source: chapter "training-a-vae".
    """
    ax = current_axes(ax)
    shade(ax, side, side, aggregated, np.quantile(aggregated, 0.98), "q")
    shade(ax, side, side, holes, 1 / (2 * np.pi), "p")
    turn = np.linspace(0, 2 * np.pi, 73)
    for radius in (1, 2, 3):
        ring = radius * np.array([np.cos(turn), np.sin(turn)])
        ax.plot(*ring, color=COLOURS["p"], linewidth=0.75)
    for (z1, z2), label in zip(codes, labels, strict=True):
        ax.annotate(str(label), (z1, z2), ha="center", va="center", fontsize=7, clip_on=True)
    ax.set(xlim=(side[0], side[-1]), ylim=(side[0], side[-1]), aspect="equal")
    ax.set(xlabel="$z_1$", ylabel="$z_2$")
    return ax


def plot_manifold(images, z, *, ax=None):
    """Draw what a decoder makes of a grid of points in the latent plane, each image at its point.

    Parameters
    ----------
    images : ndarray of uint8, (n, n, 28, 28)
        The first row is at the top, the first column on the left.
    z : ndarray, (n,)
        The coordinates of the columns, and of the rows from the bottom.

    Source: chapter "nonlinear-latent-variable-models".
    """
    ax = current_axes(ax)
    n, _, height, width = images.shape
    ax.imshow(tile_images(images.reshape(-1, height, width), n), **PRINT)
    ax.spines[:].set(visible=True, color=COLOURS["muted"], linewidth=0.5)
    shown = np.linspace(0, n - 1, min(n, 5)).round().astype(int)
    words = [f"{z[k]:.1f}".replace("-", "\N{MINUS SIGN}") for k in shown]
    ax.set_xticks([k * (width + 2) + width / 2 for k in shown], words)
    ax.set_yticks([(n - 1 - k) * (height + 2) + height / 2 for k in shown], words)
    ax.set(xlabel="$z_1$", ylabel="$z_2$")
    return ax
