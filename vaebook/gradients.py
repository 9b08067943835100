r"""Two estimates of the gradient of an average under q(z) = N_z[mean, std^2].

.. math:: \frac{\partial}{\partial \theta}\, E_q\big[f(z)\big],
          \qquad \theta = (\mathrm{mean}, \mathrm{std})

``pathwise`` moves the draws and needs the derivative of f; ``score_function`` changes their weights
and needs only f. Both give one row for each draw, and the caller averages.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax

from vaebook.arguments import (
    require_count,
    require_finite,
    require_generator,
    require_number,
    require_positive,
)
from vaebook.gaussians import log_normal
from vaebook.quadrature import Grid, standard_normal_grid

Function = Callable[[NDArray], NDArray]


def pathwise(
    df: Function, mean: ArrayLike, std: ArrayLike, n: int, *, rng: np.random.Generator
) -> NDArray:
    r"""Gradient of E[f(z)] by reparameterization, one row for each draw of z.

    .. math:: z = m + s\,\epsilon, \qquad
              \frac{\partial}{\partial m} \approx f'(z), \qquad
              \frac{\partial}{\partial s} \approx f'(z)\,\epsilon

    The mean of a row is the gradient if f is continuous and differentiable almost everywhere. If f
    jumps it is not, and no row shows it.

    Parameters
    ----------
    df : callable
        Derivative of f: z (n,) to (n,), element by element; for D latent numbers the gradient,
        z (n, D) to (n, D).
    mean, std : array_like, () or (D,), broadcastable
        Of q; std positive.
    n : int
        Number of draws.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, (n, 2) or (n, 2, D)
        With respect to mean and to std.

    Raises
    ------
    ValueError
        If a value is not finite, the std is not positive, n is no count, or df gives another shape.

    Source: chapter "reparameterization-trick", eq-pathwise.
    """
    return pathwise_rows(df, mean, std, _draw(mean, std, n, rng))


def score_function(
    f: Function,
    mean: ArrayLike,
    std: ArrayLike,
    n: int,
    *,
    rng: np.random.Generator,
    baseline: float = 0.0,
) -> NDArray:
    r"""Gradient of E[f(z)] by the log-derivative trick, one row for each draw of z.

    .. math:: \frac{\partial}{\partial m} \approx \big(f(z) - b\big)\,\frac{\epsilon}{s}, \qquad
              \frac{\partial}{\partial s} \approx \big(f(z) - b\big)\,\frac{\epsilon^2 - 1}{s},
              \qquad \epsilon = \frac{z - m}{s}

    The factors beside f - b are the score: the derivatives of log q(z). Their mean is zero, so the
    mean of a row is the gradient for every constant baseline b, also if f jumps.

    Parameters
    ----------
    f : callable
        z (n,) to (n,); for D latent numbers z (n, D) to (n,).
    mean, std, n, rng : as in ``pathwise``
    baseline : float
        The b of the formula; it must not depend on the draws.

    Returns
    -------
    ndarray, (n, 2) or (n, 2, D)
        With respect to mean and to std.

    Raises
    ------
    ValueError
        If a value is not finite, the std is not positive, n is no count, or f gives another shape.

    Source: chapter "reparameterization-trick", eq-score-function.
    """
    return score_rows(f, mean, std, _draw(mean, std, n, rng), baseline=baseline)


def pathwise_rows(df: Function, mean: ArrayLike, std: ArrayLike, eps: ArrayLike) -> NDArray:
    """Rows of ``pathwise`` for noise eps, (n,) or (n, D), that has been drawn already."""
    mean, std, eps = require_finite(mean=mean, std=std, eps=eps)
    require_positive(std=std)
    slope = _values("df", df, mean + std * eps, eps.shape)
    return np.stack([slope, slope * eps], axis=1)


def score_rows(
    f: Function, mean: ArrayLike, std: ArrayLike, eps: ArrayLike, *, baseline: float = 0.0
) -> NDArray:
    """Rows of ``score_function`` for noise eps, (n,) or (n, D), that has been drawn already."""
    baseline = require_number("baseline", baseline)
    mean, std, eps = require_finite(mean=mean, std=std, eps=eps)
    require_positive(std=std)
    value = _values("f", f, mean + std * eps, eps.shape[:1]) - baseline
    score = np.stack([eps, eps**2 - 1], axis=1) / std  # (n, 2, ...)
    return value.reshape(-1, *[1] * (score.ndim - 1)) * score


class ImportanceGradients(NamedTuple):
    """Two estimates from the same draws, each (n, 2): with respect to mean and to std of q."""

    total: NDArray
    doubly: NDArray


def importance_gradients(
    log_joint: Function,
    d_log_joint: Function,
    mean: float,
    std: float,
    n: int,
    n_importance: int,
    *,
    rng: np.random.Generator,
) -> ImportanceGradients:
    r"""Gradient of the importance-weighted bound L_K, one row for each K draws of z, in nats.

    .. math:: \text{total: } \sum_k \tilde w_k \Big( \frac{\partial \log w_k}{\partial z_k}\,
              \frac{\partial z_k}{\partial \theta}
              - \frac{\partial \log q(z_k)}{\partial \theta} \Big), \qquad
              \text{doubly: } \sum_k \tilde w_k^2\, \frac{\partial \log w_k}{\partial z_k}\,
              \frac{\partial z_k}{\partial \theta}

    with :math:`w = p(x, z) / q(z)` and :math:`\tilde w_k = w_k / \sum_j w_j`. The total one is the
    derivative of :math:`\log \frac1K \sum_k w_k`; the doubly reparameterised one has the same mean.
    As K grows, mean over standard deviation falls as :math:`1/\sqrt K` for the first and rises as
    :math:`\sqrt K` for the second. At K = 1 the second is the path gradient.

    Parameters
    ----------
    log_joint, d_log_joint : callable
        log p(x, z) of one data point and its derivative with respect to z, element by element:
        z (n, K) to (n, K).
    mean, std : float
        Of q; std positive.
    n : int
        Number of rows.
    n_importance : int
        K, the number of draws for each.
    rng : numpy.random.Generator

    Returns
    -------
    ImportanceGradients of (n, 2) arrays.

    Raises
    ------
    ValueError
        If a value is not finite, the std is not positive, n or n_importance is no count, or a
        function gives another shape.

    Source: chapter "importance-weighting"; Tucker, Lawson, Gu and Maddison (2019), eq. 8.
    """
    mean, std = require_number("mean", mean), require_number("std", std)
    n_importance = require_count("n_importance", n_importance, at_least=1)
    eps = _draw(np.full(n_importance, mean), std, n, rng)  # (n, K)
    z = mean + std * eps
    log_w = _values("log_joint", log_joint, z, eps.shape)
    weights = softmax(log_w - log_normal(z, mean, std), axis=1)[:, None]  # (n, 1, K)
    slope = _values("d_log_joint", d_log_joint, z, eps.shape) + (z - mean) / std**2
    path = pathwise_rows(lambda _: slope, mean, std, eps)
    score = score_rows(lambda z: np.ones(len(z)), mean, std, eps)  # (n, 2, K)
    total = (weights * (path - score)).sum(-1)
    return ImportanceGradients(total, (weights**2 * path).sum(-1))


class RowMoments(NamedTuple):
    """Averages over all draws; all but the first are (2,), with respect to mean and to std.

    ``best_baseline`` is the constant that makes ``score_std`` smallest.
    """

    average: NDArray  # E[f]
    gradient: NDArray
    pathwise_std: NDArray
    score_std: NDArray
    best_baseline: NDArray


def row_moments(
    f: Function,
    df: Function,
    mean: float,
    std: float,
    *,
    baseline: float = 0.0,
    jumps: Sequence[float] = (),
) -> RowMoments:
    r"""Gradient of E[f(z)], and the standard deviation of one row of either estimate.

    The gradient is the mean of the score-function rows, so it is right also where f jumps. The best
    baseline is E[f g^2] / E[g^2] with the score g.

    Parameters
    ----------
    f, df : callable
        The function and its derivative: z (n,) to (n,).
    mean, std : float
        Of q; std positive.
    baseline : float
        Of the score-function rows.
    jumps : sequence of float
        The z at which f jumps, if any.

    Returns
    -------
    RowMoments

    Raises
    ------
    ValueError
        If a number is not finite, the std is not positive, or f or df gives another shape.

    Source: chapter "reparameterization-trick", eq-baseline.
    """
    mean, std = require_number("mean", mean), require_number("std", std)
    require_positive(std=std)
    eps, mass = _expectation((np.array(jumps, float) - mean) / std)
    average = mass @ _values("f", f, mean + std * eps, eps.shape)
    gradient = mass @ score_rows(f, mean, std, eps)
    score = score_rows(np.ones_like, mean, std, eps)
    best = mass @ (score_rows(f, mean, std, eps) * score) / (mass @ score**2)
    rows = score_rows(f, mean, std, eps, baseline=baseline)
    path = pathwise_rows(df, mean, std, eps)
    path_std = np.sqrt(mass @ (path - mass @ path) ** 2)
    return RowMoments(average, gradient, path_std, np.sqrt(mass @ (rows - gradient) ** 2), best)


def _expectation(breaks: NDArray) -> Grid:
    """Return a rule for averages over eps; with breaks, one that is exact on either side."""
    if not breaks.size:
        return standard_normal_grid()
    edges = np.union1d(np.arange(-12, 13), np.clip(breaks, -12, 12))
    nodes, weights = np.polynomial.legendre.leggauss(20)
    half = np.diff(edges)[:, None] / 2
    points = (edges[:-1, None] + half * (1 + nodes)).ravel()
    return Grid(points, (half * weights).ravel() * np.exp(log_normal(points, 0.0, 1.0)))


def _draw(mean: ArrayLike, std: ArrayLike, n: int, rng: np.random.Generator) -> NDArray:
    """Return standard normal draws, n for each entry of mean and std, of which std is positive."""
    mean, std = np.broadcast_arrays(*require_finite(mean=mean, std=std))
    require_positive(std=std)
    return require_generator(rng).standard_normal((require_count("n", n, at_least=1), *mean.shape))


def _values(name: str, function: Function, z: NDArray, shape: tuple[int, ...]) -> NDArray:
    """Return function(z), which has the given shape and is finite."""
    value = np.asarray(function(z), float)
    if value.shape != shape:
        raise ValueError(
            f"{name} gives shape {value.shape} for z of shape {z.shape}, expected {shape}; "
            "one row of the result belongs to one draw."
        )
    bad = ~np.isfinite(value)
    if bad.any():
        raise ValueError(
            f"{name} is {value[bad][0]} at z = {z[np.nonzero(bad)[0][0]]}, expected finite "
            "numbers; keep z inside its domain."
        )
    return value
