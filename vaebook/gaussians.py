r"""Normal densities in closed form: log-density, entropy, KL divergence; in nats.

Every function works element by element on broadcast arrays, returns a 0-d value for scalars, and
stays in float32 where all arrays are float32.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vaebook.arguments import require_finite, require_positive

LOG_2PI = float(np.log(2 * np.pi))


def log_normal(x: ArrayLike, mean: ArrayLike, std: ArrayLike) -> NDArray:
    r"""Log-density of a normal at x, in nats.

    .. math:: \log N_x[m, s^2] = -\tfrac12 \log 2\pi - \log s - \tfrac12 \Big(\frac{x - m}{s}\Big)^2

    Parameters
    ----------
    x, mean, std : array_like, broadcastable
        Points, means and standard deviations; standard deviations must be positive.

    Returns
    -------
    ndarray, the broadcast shape; ``-inf`` only where the value leaves the range of the float.

    Raises
    ------
    ValueError
        If a value is not finite or a standard deviation is not positive; the message names it.

    Source: chapter "latent-variable-models".
    """
    x, mean, std = require_finite(x=x, mean=mean, std=std)
    require_positive(std=std)
    with np.errstate(over="ignore"):
        return -0.5 * LOG_2PI - np.log(std) - 0.5 * ((x - mean) / std) ** 2


def entropy_normal(std: ArrayLike) -> NDArray:
    r"""Entropy of a normal density, in nats: :math:`\tfrac12 \log (2 \pi e s^2)`.

    Parameters
    ----------
    std : array_like
        Standard deviations, positive.

    Returns
    -------
    ndarray of the same shape; negative for std below 0.242.

    Raises
    ------
    ValueError
        If a standard deviation is not positive; the message names the value.

    Source: chapter "elbo-tightness".
    """
    (std,) = require_finite(std=std)
    require_positive(std=std)
    return 0.5 * (LOG_2PI + 1.0) + np.log(std)


def kl_normal(
    mean_q: ArrayLike, std_q: ArrayLike, mean_p: ArrayLike = 0.0, std_p: ArrayLike = 1.0
) -> NDArray:
    r"""KL divergence between two normal densities, element by element, in nats.

    .. math:: \log\frac{s_p}{s_q} + \frac{s_q^2 + (m_q - m_p)^2}{2 s_p^2} - \tfrac12
              = \tfrac12 \Big[ e^t - 1 - t + \Big(\frac{m_q - m_p}{s_p}\Big)^2 \Big],
              \qquad t = 2 \log \frac{s_q}{s_p}

    The second form is the one computed: where the two densities are close, the first one loses all
    its digits and falls below zero.

    Parameters
    ----------
    mean_q, std_q, mean_p, std_p : array_like, broadcastable
        Means and standard deviations; standard deviations must be positive.

    Returns
    -------
    ndarray, the broadcast shape; never negative, also in float32.

    Raises
    ------
    ValueError
        If a value is not finite or a standard deviation is not positive; the message names it.

    Source: chapter "variational-autoencoder".
    """
    mean_q, std_q, mean_p, std_p = require_finite(
        mean_q=mean_q, std_q=std_q, mean_p=mean_p, std_p=std_p
    )
    require_positive(std_q=std_q, std_p=std_p)
    with np.errstate(over="ignore"):
        t = 2 * (np.log(std_q) - np.log(std_p))
        return 0.5 * (_exp_above_tangent(t) + ((mean_q - mean_p) / std_p) ** 2)


def chi_square_normal(
    mean_p: ArrayLike, std_p: ArrayLike, mean_q: ArrayLike, std_q: ArrayLike
) -> NDArray:
    r"""Chi-square divergence between two normal densities, element by element.

    .. math:: \chi^2(p \,\|\, q) = \int \frac{p(z)^2}{q(z)}\,dz - 1
              = \frac{s_q^2}{s_p \sqrt{v}}\, e^{(m_p - m_q)^2 / v} - 1,
              \qquad v = 2 s_q^2 - s_p^2

    It is the variance of the weight p(z) / q(z) of a sample z of q, and infinite where q is too
    narrow for the tails of p: for :math:`v \le 0`, that is :math:`s_q \le s_p / \sqrt2`.

    Parameters
    ----------
    mean_p, std_p, mean_q, std_q : array_like, broadcastable
        Means and standard deviations; standard deviations must be positive.

    Returns
    -------
    ndarray, the broadcast shape; never negative, ``inf`` where the integral diverges.

    Raises
    ------
    ValueError
        If a value is not finite or a standard deviation is not positive; the message names it.

    Source: chapter "importance-weighting".
    """
    mean_p, std_p, mean_q, std_q = require_finite(
        mean_p=mean_p, std_p=std_p, mean_q=mean_q, std_q=std_q
    )
    require_positive(std_p=std_p, std_q=std_q)
    ratio = (std_q / std_p) ** 2
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        excess = 2 * ratio - 1  # v in units of s_p^2
        # s_q^4 / (s_p^2 v) is 1 + (ratio - 1)^2 / excess: no digits are lost where p is near q.
        log_second_moment = (
            0.5 * np.log1p((ratio - 1) ** 2 / excess) + ((mean_p - mean_q) / std_p) ** 2 / excess
        )
        return np.where(excess > 0, np.expm1(log_second_moment), np.inf)[()]


def log_multivariate_normal(x: ArrayLike, mean: ArrayLike, covariance: ArrayLike) -> NDArray:
    r"""Log-density of a normal in D dimensions, in nats.

    .. math:: -\tfrac12 \big( D \log 2\pi + \log\det C + (x - m)^T C^{-1} (x - m) \big)

    Parameters
    ----------
    x, mean : array_like, (..., D)
    covariance : array_like, (..., D, D)
        Symmetric and positive definite.

    Returns
    -------
    ndarray, the broadcast shape of the leading axes.

    Raises
    ------
    ValueError
        If a value is not finite, shapes do not fit, or the covariance is not one.

    Source: chapter "nonlinear-latent-variable-models".
    """
    x, mean, covariance = require_finite(broadcast=False, x=x, mean=mean, covariance=covariance)
    _require_dimension(covariance, x=x, mean=mean)
    root = _cholesky("covariance", covariance)
    with np.errstate(over="ignore"):
        distance2 = (_whiten(root, x - mean) ** 2).sum(-1)
    log_root_det = np.log(np.diagonal(root, axis1=-2, axis2=-1)).sum(-1)
    return -0.5 * (x.shape[-1] * LOG_2PI + distance2) - log_root_det


def kl_multivariate_normal(
    mean_q: ArrayLike,
    covariance_q: ArrayLike,
    mean_p: ArrayLike | None = None,
    covariance_p: ArrayLike | None = None,
) -> NDArray:
    r"""KL divergence between two normal densities in D dimensions, in nats.

    .. math:: \tfrac12 \big( \mathrm{Tr}[C_p^{-1} C_q] + d^T C_p^{-1} d - D
              - \log\det [C_p^{-1} C_q] \big), \qquad d = m_q - m_p

    With the eigenvalues :math:`e^{t_i}` of :math:`C_p^{-1} C_q` this is one half of
    :math:`\sum_i (e^{t_i} - 1 - t_i) + d^T C_p^{-1} d`, a sum without a negative term.

    Parameters
    ----------
    mean_q, mean_p : array_like, (..., D)
    covariance_q, covariance_p : array_like, (..., D, D)
        Symmetric and positive definite. The second density is N[0, I] unless given.

    Returns
    -------
    ndarray, the broadcast shape of the leading axes; never negative.

    Raises
    ------
    ValueError
        If a value is not finite, shapes do not fit, or a covariance is not one.

    Source: chapter "variational-autoencoder".
    """
    dimension = np.shape(mean_q)[-1] if np.ndim(mean_q) else 0
    dtype = getattr(mean_q, "dtype", float)
    mean_p = np.zeros(dimension, dtype) if mean_p is None else mean_p
    covariance_p = np.eye(dimension, dtype=dtype) if covariance_p is None else covariance_p
    mean_q, covariance_q, mean_p, covariance_p = require_finite(
        broadcast=False,
        mean_q=mean_q,
        covariance_q=covariance_q,
        mean_p=mean_p,
        covariance_p=covariance_p,
    )
    _require_dimension(covariance_q, mean_q=mean_q, mean_p=mean_p)
    _require_dimension(covariance_p, mean_q=mean_q)
    root_q = _cholesky("covariance_q", covariance_q)
    root_p = _cholesky("covariance_p", covariance_p)
    with np.errstate(over="ignore"):
        # The singular values of root_p^-1 root_q are the square roots of those eigenvalues.
        t = 2 * np.log(np.linalg.svd(np.linalg.solve(root_p, root_q), compute_uv=False))
        distance2 = _whiten(root_p, mean_q - mean_p) ** 2
        return 0.5 * (_exp_above_tangent(t).sum(-1) + distance2.sum(-1))


def _exp_above_tangent(t: NDArray) -> NDArray:
    """exp(t) - 1 - t, never negative: expm1 rounds to a float next to its value, and t is one."""
    return np.expm1(t) - t


def _whiten(root: NDArray, difference: NDArray) -> NDArray:
    """Solve root @ y = difference for vectors along the last axis."""
    return np.linalg.solve(root, difference[..., None])[..., 0]


def _cholesky(name: str, covariance: NDArray) -> NDArray:
    transposed = np.swapaxes(covariance, -1, -2)
    asymmetry = np.abs(covariance - transposed).max((-2, -1), initial=0.0)
    bad = asymmetry > 1e-5 * np.abs(covariance).max((-2, -1), initial=0.0)
    if bad.any():
        worst = (asymmetry * bad).max()
        raise ValueError(
            f"{name} differs from its transpose by {worst:.3g}, expected a symmetric matrix; "
            "average it with its transpose."
        )
    try:
        return np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        smallest = np.linalg.eigvalsh(covariance).min()
        raise ValueError(
            f"{name} has the eigenvalue {smallest:.3g}, expected all positive; "
            "add a small multiple of the identity."
        ) from None


def _require_dimension(covariance: NDArray, **vectors: NDArray) -> None:
    square = covariance.shape[-2:]
    for name, vector in vectors.items():
        if vector.ndim == 0 or square != (vector.shape[-1],) * 2:
            raise ValueError(
                f"{name} has shape {vector.shape} and the covariance {covariance.shape}, "
                "expected (..., D) and (..., D, D); a diagonal goes in as np.diag(std**2)."
            )
