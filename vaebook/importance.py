r"""Importance sampling of log p(x) from K samples of q(z) = N_z[mean, std^2]; in nats.

.. math:: w_k = \frac{p(x, z_k)}{q(z_k)}, \quad z_k \sim q, \qquad
          L_K = E\Big[\log \frac1K \sum_{k=1}^K w_k\Big] \le \log p(x)

``log_mean_exp`` of K log-weights is one estimate; the bound :math:`L_K` is its expectation, which
``importance_bound`` computes without a sample.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vaebook.arguments import (
    require_count,
    require_finite,
    require_number,
    require_real,
    require_weights,
)
from vaebook.gaussians import log_normal
from vaebook.latent import Model
from vaebook.quadrature import log_integral, standard_normal_grid

_STEP = 0.25  # of the sum over u: its error is of the order exp(-pi^2 / step)
_LOW, _HIGH = -37.0, 4.5  # exp(-exp(v)) is 1 below and 0 above, to the last digit of a double
_FARTHEST = 7.5  # standard deviations: a sample of q lies farther out once in 10^13


def log_importance_weights(
    model: Model, x: ArrayLike, mean: ArrayLike, std: ArrayLike, eps: ArrayLike
) -> NDArray:
    r"""Log-weights of the samples z = mean + std * eps of q, in nats.

    .. math:: \log w = \log p(x, z) - \log q(z)

    Parameters
    ----------
    model, x, mean, std : as in ``bounds.elbo``
    eps : array_like, (K, ...)
        Standard normal noise.

    Returns
    -------
    ndarray, (K, ...)

    Raises
    ------
    ValueError
        If a value is not finite, the std is not positive, or shapes do not fit.

    Source: chapter "importance-weighting".
    """
    mean, std, eps = require_finite(mean=mean, std=std, eps=eps)
    z = mean + std * eps
    return model.log_joint(x, z) - log_normal(z, mean, std)


def log_mean_exp(log_w: ArrayLike, axis: int = 0) -> NDArray:
    r"""Log of the mean weight along an axis: the estimate of log p(x) from K samples, in nats.

    .. math:: \log \frac1K \sum_k e^{\log w_k}

    Parameters
    ----------
    log_w : array_like
        Log-weights; ``-inf`` is a weight of zero.
    axis : int

    Returns
    -------
    ndarray without that axis.

    Raises
    ------
    ValueError
        If a log-weight is NaN or +inf, or there are none.

    Source: chapter "importance-weighting".
    """
    n = np.shape(log_w)[axis]
    return log_integral(log_w, np.full(n, 1 / max(n, 1)), axis)


def effective_sample_size(log_w: ArrayLike, axis: int = 0) -> NDArray:
    r"""Number of equal weights that would be as uneven as these: from 1 to K.

    .. math:: \frac{\big(\sum_k w_k\big)^2}{\sum_k w_k^2}

    Parameters
    ----------
    log_w, axis : as in ``log_mean_exp``

    Returns
    -------
    ndarray without that axis; NaN where every weight is zero.

    Raises
    ------
    ValueError
        If a log-weight is NaN or +inf, or there are none.

    Source: chapter "importance-weighting".
    """
    log_w = require_real("log_w", log_w)
    ones = np.ones(log_w.shape[axis])
    with np.errstate(invalid="ignore"):  # -inf - -inf, where every weight is zero
        return np.exp(2 * log_integral(log_w, ones, axis) - log_integral(2 * log_w, ones, axis))


def importance_bound(
    model: Model, x: ArrayLike, mean: float, std: float, n_importance: ArrayLike
) -> NDArray:
    r"""The importance-weighted bound of one data point, E[log mean of K weights], in nats.

    For K = 1 it is the ELBO; it never falls with K. It comes by quadrature, without a sample, from
    ``expected_log_mean``.

    Parameters
    ----------
    model : LinearGaussianModel or NonlinearModel
    x : float or array_like (D,)
        One data point: a number for the linear model, D numbers for the non-linear one.
    mean, std : float
        Of q; std positive.
    n_importance : int or array_like of int
        The number of samples, K.

    Returns
    -------
    ndarray of the shape of ``n_importance``
        Within 1e-6 as long as the steps of log w from one to the next of 601 points of q are not
        far above 1.

    Raises
    ------
    ValueError
        If a value is not finite, the std is not positive, or a K is below 1.

    Source: chapter "importance-weighting", eq-iw-bound.
    """
    mean, std = require_number("mean", mean), require_number("std", std)
    eps, mass = standard_normal_grid()
    near = np.abs(eps) <= _FARTHEST
    log_w = log_importance_weights(model, x, mean, std, eps[near])
    return expected_log_mean(log_w, mass[near] / mass[near].sum(), n_importance)


def expected_log_mean(log_w: ArrayLike, prob: ArrayLike, n_importance: ArrayLike) -> NDArray:
    r"""Expectation of the log of the mean of K independent weights, without a sample; in nats.

    .. math:: E\Big[\log \frac1K \sum_k w_k\Big]
              = \int_0^\infty \Big( e^{-t} - E\big[e^{-t w}\big]^K \Big) \frac{dt}{t} - \log K

    This is the expectation of Frullani's integral,
    :math:`\log s = \int_0^\infty (e^{-t} - e^{-ts})\, dt / t`, for the sum s of the weights.

    Parameters
    ----------
    log_w : array_like, (G,)
        Logs of the values that a weight can take, or log-weights at the points of a grid; finite.
    prob : array_like, (G,)
        Probabilities of the values; they sum to one.
    n_importance : int or array_like of int
        The number of samples, K.

    Returns
    -------
    ndarray of the shape of ``n_importance``.

    Raises
    ------
    ValueError
        If a log-weight is not finite, ``prob`` are no probabilities, or a K is below 1.

    Source: deeper page "importance-weighting", eq-iw-frullani.
    """
    counts = np.asarray(n_importance)
    for n in counts.ravel().tolist():
        require_count("n_importance", n, at_least=1)
    prob = require_weights(prob, "Probabilities")
    log_w, prob = require_finite(log_w=log_w, prob=prob)
    centre = log_w @ prob  # the bound for K = 1
    log_w = np.asarray(log_w - centre)

    # E[exp(-t w)] at t = e^u, u = step * place. A weight adds its mass until u nears -log w, then
    # less, then nothing: only a band of places needs the exponential.
    first = np.ceil((_LOW - log_w) / _STEP).astype(int)
    places = first[:, None] + np.arange(1 + int((_HIGH - _LOW) / _STEP))
    band = prob[:, None] * np.exp(-np.exp(_STEP * places + log_w[:, None]))
    start, size = first.min(), np.ptp(first) + places.shape[1]
    begun = np.bincount(first - start, prob, size).cumsum()
    transform = 1 - begun + np.bincount((places - start).ravel(), band.ravel(), size)

    at_one = np.exp(-np.exp(np.minimum(_STEP * np.arange(start, start + size), _HIGH + 1)))
    total = (at_one - transform ** counts[..., None]).sum(-1)
    return centre + _STEP * total - np.log(counts)
