"""What a trained model's codes and images are worth, as numbers.

Information gap of codes; fine detail of images; precision and recall of samples.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import distance

from vaebook.arguments import require_count, require_finite

_N_BINS = 20  # classes into which real numbers are cut


class InformationGap(NamedTuple):
    r"""How much each latent dimension tells of each factor, and the gap between the first two.

    ``information`` (F, K) is :math:`I(z_k; v_f)` and ``entropy`` (F,) is :math:`H(v_f)`, in nats;
    ``gap`` (F,) is the largest information less the second largest, as a share of the entropy.
    The score is ``gap.mean()``: 1 where each factor is told by one dimension, 0 where two tell it
    alike or none does.
    """

    information: NDArray
    entropy: NDArray
    gap: NDArray


class PrecisionRecall(NamedTuple):
    """How many samples lie among the data, and how many data points among the samples."""

    precision: float
    recall: float


def mutual_information(a: ArrayLike, b: ArrayLike) -> float:
    r"""Mutual information of two columns of classes, by their frequencies, in nats.

    .. math:: \sum_{i,j} \hat p_{ij} \log \frac{\hat p_{ij}}{\hat p_{i\cdot}\, \hat p_{\cdot j}}

    With n pairs and A times B classes it is too large by about (A - 1)(B - 1) / 2n on average.

    Parameters
    ----------
    a, b : array_like of int, (n,)

    Returns
    -------
    float, never negative beyond rounding.

    Raises
    ------
    ValueError
        If the columns differ in length.

    Source: chapter "rate-and-distortion".
    """
    (_, a), (_, b) = (np.unique(column, return_inverse=True) for column in (a, b))
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(f"Columns have shapes {a.shape} and {b.shape}, expected the same (n,).")
    joint = np.zeros((a.max() + 1, b.max() + 1))
    np.add.at(joint, (a, b), 1 / len(a))
    independent = joint.sum(1, keepdims=True) * joint.sum(0)
    there = joint > 0
    return float((joint[there] * np.log(joint[there] / independent[there])).sum())


def mutual_information_gap(codes: ArrayLike, factors: Sequence[ArrayLike]) -> InformationGap:
    r"""Mutual information gap of codes against known factors.

    .. math:: \frac1F \sum_f \frac{1}{H(v_f)} \Big( I(z_{(1)}; v_f) - I(z_{(2)}; v_f) \Big)

    :math:`z_{(1)}` and :math:`z_{(2)}` are the two dimensions that tell most of factor f. Real
    numbers are cut into 20 classes of equal counts, integers are classes already. Use
    samples of q(z | x), not its means: a collapsed dimension's means differ by next to nothing,
    which cutting at quantiles would still read.

    Parameters
    ----------
    codes : array_like, (n, K)
    factors : sequence of F array_like, (n,)

    Returns
    -------
    InformationGap

    Raises
    ------
    ValueError
        If there are fewer than two dimensions, lengths differ, a number is not finite, or a factor
        is constant.

    Source: chapter "rate-and-distortion"; Chen, Li, Grosse and Duvenaud (2018), eq. 6.
    """
    codes = np.asarray(codes)
    if codes.ndim != 2 or codes.shape[1] < 2:
        raise ValueError(f"Codes have shape {codes.shape}, expected (n, K) with K at least 2.")
    columns = [_classes(code) for code in codes.T]
    known = [_classes(np.asarray(factor)) for factor in factors]
    for f, classes in enumerate(known):
        if len(np.unique(classes)) < 2:
            raise ValueError(f"Factor {f} has fewer than 2 classes, so its entropy is 0; drop it.")
    information = np.array([[mutual_information(z, v) for z in columns] for v in known])
    entropy = np.array([mutual_information(v, v) for v in known])
    second, first = np.sort(information, axis=1)[:, -2:].T
    return InformationGap(information, entropy, (first - second) / entropy)


def fine_detail(images: ArrayLike) -> float:
    r"""Power of images at high frequencies, above half the highest: a mean square per pixel.

    .. math:: \frac{1}{n D^2} \sum_i \sum_{\max(|f_1|, |f_2|) > 1/4} \big|\hat x_i(f)\big|^2

    Frequencies f are in cycles per pixel, so 1/2 is the highest. Blur lowers it; noise that is
    independent from pixel to pixel, with variance s^2, adds 0.71 s^2 to images of 28 x 28.

    Parameters
    ----------
    images : array_like, (n, H, W)

    Returns
    -------
    float

    Source: chapter "rate-and-distortion".
    """
    images = np.asarray(images, float)
    power = np.abs(np.fft.fft2(images)) ** 2 / images[0].size ** 2
    rows, columns = (np.abs(np.fft.fftfreq(n)) for n in images.shape[1:])
    high = np.maximum(rows[:, None], columns) > 0.25
    return float(power[:, high].sum(-1).mean())


def precision_recall(data: ArrayLike, samples: ArrayLike, *, k: int = 3) -> PrecisionRecall:
    r"""Precision and recall of samples against data, by balls around each set's points.

    A point lies *among* a set if it is within the distance that one of the set's points has to its
    own k-th nearest neighbour in the set. Precision is the share of samples that lie among the
    data, recall the share of data that lie among the samples. For two sets of one distribution
    neither need be 1: compare with held-out data of the same size.

    Parameters
    ----------
    data : array_like, (n, D)
    samples : array_like, (m, D)
        Features, such as a classifier's last hidden layer; distances are Euclidean.
    k : int

    Returns
    -------
    PrecisionRecall

    Raises
    ------
    ValueError
        If a set has no k-th neighbour.

    Source: chapter "where-vaes-went"; Kynkäänniemi and others (2019), section 2.
    """
    sets = np.asarray(data, float), np.asarray(samples, float)
    k = require_count("k", k, at_least=1)
    if min(map(len, sets)) <= k:
        raise ValueError(f"Sets have {len(sets[0])} and {len(sets[1])} rows, expected above {k}.")
    between = distance.cdist(*sets)  # (n, m)
    radius, other = (np.partition(distance.cdist(one, one), k, axis=1)[:, k] for one in sets)
    precision = (between <= radius[:, None]).any(0).mean()
    return PrecisionRecall(float(precision), float((between <= other).any(1).mean()))


def _classes(column: NDArray) -> NDArray:
    """Turn a column into whole numbers: real ones are cut where counts are equal."""
    if column.dtype.kind in "biu":
        return column
    (column,) = require_finite(column=column)
    inner = np.quantile(column, np.arange(1, _N_BINS) / _N_BINS)
    return np.searchsorted(inner, column, side="right")
