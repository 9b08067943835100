"""The VAE of drawn digits with two latent numbers, of the chapter "training-a-vae"."""

import functools
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from vaebook.arguments import require_finite, require_positive
from vaebook.perceptron import Perceptron
from vaebook.results import read_arrays

SIDE = (-3.5, 3.5)  # of the plane of latent numbers that is kept
CELLS = 56  # per side; in each, densities are averaged
EDGES = np.linspace(*SIDE, CELLS + 1)


class LatentRecord(NamedTuple):
    """What is kept of a VAE that was trained on drawn digits.

    ``decoder`` gives the logits of the pixels (784,) at a place z (2,); its numbers are the
    ``trained`` parameters (P,) of float32, rounded to 16 bits. ``encoder`` gives the mean and the
    log-variance of q, (4,), for pixels (784,), and is rounded alike.
    ``aggregated`` (56, 56) is the density of the codes of all test images, as ``cell_density``
    gives it, and ``classes`` (56, 56) the digit that has most of it in each cell. Of 200 of the
    images, 20 of each digit in turn, the means ``codes`` (200, 2) that the encoder gave, the digits
    ``labels`` (200,) and the binary ``pixels`` (200, 784) are kept.
    ``about`` says how the record was made, and what the VAE reached on test images.
    """

    decoder: Perceptron
    encoder: Perceptron
    trained: NDArray
    aggregated: NDArray
    classes: NDArray
    codes: NDArray
    labels: NDArray
    pixels: NDArray
    about: dict


@functools.cache
def load() -> LatentRecord:
    """Return the recorded VAE; ``make record-latent`` writes it."""
    record = read_arrays("latent-space.npz")
    for network in ("decoder", "encoder"):
        parts = (record.pop(f"{network}_{part}") for part in ("widths", "numbers", "units"))
        record[network] = Perceptron(*parts)
    record["pixels"] = np.unpackbits(record["pixels"], axis=1)
    return LatentRecord(**record)


def cell_density(mean: ArrayLike, std: ArrayLike) -> NDArray:
    r"""Average over each cell of the plane of :math:`\frac1I \sum_i q(z \mid x_i)`.

    Parameters
    ----------
    mean, std : array_like, (I, 2)
        Of the diagonal normals; one row (0, 0), (1, 1) gives the prior.

    Returns
    -------
    ndarray (56, 56); rows are cells of :math:`z_2`, upwards.

    Raises
    ------
    ValueError
        If a number is not finite or a std not positive.

    Source: chapter "training-a-vae".
    """
    mean, std = require_finite(mean=mean, std=std)
    require_positive(std=std)
    mean, std = np.atleast_2d(mean)[..., None], np.atleast_2d(std)[..., None]
    mass = np.diff(ndtr((EDGES - mean) / std))  # (I, 2, 56): of each column, of each row
    return mass[:, 1].T @ mass[:, 0] / (len(mass) * (EDGES[1] - EDGES[0]) ** 2)
