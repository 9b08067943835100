r"""Integrals over one variable: grids with weights, and the log of an integral.

An integral is a weighted sum, :math:`\int g(z)\,dz \approx \sum_k w_k\, g(z_k)`. For smooth
functions that vanish at both ends the plain trapezoid rule converges faster than any power of the
step, so the book needs nothing cleverer.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import roots_hermitenorm

from vaebook.arguments import (
    require_count,
    require_finite,
    require_number,
    require_positive,
    require_real,
)


class Grid(NamedTuple):
    r"""Points :math:`z_k` and weights :math:`w_k` of a quadrature rule, both (..., G)."""

    points: NDArray
    weights: NDArray


def trapezoid_grid(points: ArrayLike) -> Grid:
    r"""Trapezoid rule on given points: :math:`\int g\,dz \approx \sum_k w_k g(z_k)`.

    Parameters
    ----------
    points : array_like, (G,)
        Strictly increasing, at least two.

    Returns
    -------
    Grid of (G,) arrays; the weights sum to the length of the interval.

    Raises
    ------
    ValueError
        If the points are too few, not finite, or do not increase.

    Source: chapter "nonlinear-latent-variable-models".
    """
    (points,) = require_finite(points=points)
    points = points.astype(float)
    if points.ndim != 1 or points.size < 2:
        raise ValueError(
            f"points have shape {points.shape}, expected (G,) with G of at least 2; "
            "try np.linspace(-8, 8, 1601)."
        )
    steps = np.diff(points)
    if not (steps > 0).all():
        raise ValueError(
            f"points run {points[0]} ... {points[-1]} and do not increase everywhere, "
            "expected increasing numbers; sort them and drop duplicates."
        )
    return Grid(points, np.convolve(steps, [0.5, 0.5]))  # half the step on either side


def uniform_grid(low: float, high: float, n_points: int) -> Grid:
    """Trapezoid rule on n_points points from low to high, in equal steps.

    Parameters
    ----------
    low, high : float
        Ends of the interval, low below high.
    n_points : int
        Number of points, both ends counted; at least 2.

    Returns
    -------
    Grid of (n_points,) arrays.

    Raises
    ------
    ValueError
        If the interval is empty or the number of points is below 2.

    Source: chapter "nonlinear-latent-variable-models".
    """
    low, high = require_number("low", low), require_number("high", high)
    if not low < high:
        raise ValueError(
            f"The interval runs from {low:g} to {high:g}, expected low < high; swap them."
        )
    return trapezoid_grid(np.linspace(low, high, require_count("n_points", n_points, at_least=2)))


def gauss_hermite_grid(n_points: int, mean: ArrayLike = 0.0, std: ArrayLike = 1.0) -> Grid:
    r"""Gauss-Hermite rule: :math:`E[g(z)] \approx \sum_k w_k g(z_k)` for z ~ N(mean, std**2).

    Exact for polynomials up to degree 2 n_points - 1. The density is inside the weights: they sum
    to one.

    Parameters
    ----------
    n_points : int
    mean, std : array_like, broadcastable
        Of the normal density; std positive.

    Returns
    -------
    Grid with points (..., n_points) and weights (n_points,)
        The leading axes of the points are those of mean and std.

    Raises
    ------
    ValueError
        If n_points is below 1, or mean or std are not finite, or std is not positive.

    Source: chapter "elbo-tightness".
    """
    mean, std = require_finite(mean=mean, std=std)
    require_positive(std=std)
    points, weights = roots_hermitenorm(require_count("n_points", n_points, at_least=1))
    return Grid(mean[..., None] + std[..., None] * points, weights / weights.sum())


def standard_normal_grid(n_points: int = 601) -> Grid:
    r"""Trapezoid rule for :math:`E[g(\epsilon)] \approx \sum_k w_k g(\epsilon_k)`, standard normal.

    The points run from -9 to 9 in equal steps; the density is inside the weights, which sum to one.
    Unlike a Gauss-Hermite rule it needs no polynomial: a g that bends sharply asks for more points.

    Parameters
    ----------
    n_points : int
        At least 2; 151 serve a smooth g; the default serves one that bends within 0.1.

    Returns
    -------
    Grid of (n_points,) arrays.

    Raises
    ------
    ValueError
        If the number of points is below 2.

    Source: chapter "elbo-tightness".
    """
    points, _ = uniform_grid(-9.0, 9.0, n_points)
    density = np.exp(-0.5 * points**2)
    return Grid(points, density / density.sum())


def log_integral(log_values: ArrayLike, weights: ArrayLike, axis: int = -1) -> NDArray:
    r"""Log of an integral from the logs of its values: :math:`\log \sum_k w_k e^{a_k}`, in nats.

    The largest term is taken out before the exponential, so nothing overflows and the far tails
    do not underflow.

    Parameters
    ----------
    log_values : array_like
        Logs of the integrand along ``axis``; ``-inf`` is a zero, also if all of them are.
    weights : array_like, (G,)
        Weights of the grid, none negative.
    axis : int

    Returns
    -------
    ndarray without that axis.

    Raises
    ------
    ValueError
        If a value is NaN or +inf, a weight is negative, or the lengths differ.

    Source: chapter "nonlinear-latent-variable-models".
    """
    log_values = require_real("log_values", log_values)
    weights = require_real("weights", weights)
    log_values = np.moveaxis(log_values, axis, -1)
    if weights.shape != log_values.shape[-1:] or weights.size == 0:
        raise ValueError(
            f"log_values have {log_values.shape[-1]} entries along the axis and weights have shape "
            f"{weights.shape}, expected one weight each; check the axis."
        )
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise ValueError(
            f"weights run from {weights.min()} to {weights.max()}, expected none "
            "negative and all finite; a grid's weights are lengths."
        )
    if np.isnan(log_values).any() or np.isposinf(log_values).any():
        raise ValueError(
            "log_values hold nan or inf, expected finite numbers or -inf; "
            "check the integrand at the ends of the grid."
        )
    with np.errstate(divide="ignore"):  # log 0 = -inf is meant: such a term adds nothing
        terms = log_values + np.log(weights)
        largest = terms.max(-1)
        largest = np.where(np.isfinite(largest), largest, 0.0)
        return largest + np.log(np.exp(terms - largest[..., None]).sum(-1))
