r"""Jensen's inequality and the evidence lower bound (ELBO), for q(z) = N_z[mean, std^2]; in nats.

.. math:: \log p(x) = \underbrace{\int q(z) \log \frac{p(x, z)}{q(z)}\, dz}_{\mathrm{ELBO}}
          + \underbrace{D_{KL}\big[q(z) \,\|\, p(z \mid x)\big]}_{\text{gap, never negative}}

Every quantity comes from its own closed form or integral, never from two others by subtraction:
that they fit together is then something to see, and to test.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.polynomial.hermite_e import hermevander
from numpy.typing import ArrayLike, NDArray

from vaebook.arguments import (
    require_columns,
    require_count,
    require_density,
    require_finite,
    require_positive,
    require_weights,
)
from vaebook.gaussians import entropy_normal, kl_normal, log_normal
from vaebook.latent import LinearGaussianModel, Model, NonlinearModel
from vaebook.quadrature import standard_normal_grid

_MAX_TABLE = 2**20  # entries of a table over data and points at once: bounds the memory


class JensenGap(NamedTuple):
    r"""g[E[y]], E[g[y]] and their difference: positive for concave g, negative for convex g."""

    g_of_mean: NDArray
    mean_of_g: NDArray
    gap: NDArray


class ElboTerms(NamedTuple):
    r"""The bound and everything that it is made of, in nats; all of one shape.

    ``elbo = log_px - gap = reconstruction - kl_prior``, with

    - ``elbo``: :math:`\int q \log [p(x, z) / q]\, dz`
    - ``log_px``: :math:`\log p(x)`
    - ``gap``: :math:`D_{KL}[q \,\|\, p(z \mid x)]`
    - ``reconstruction``: :math:`\int q \log p(x \mid z)\, dz`
    - ``kl_prior``: :math:`D_{KL}[q \,\|\, p(z)]`
    """

    elbo: NDArray
    log_px: NDArray
    gap: NDArray
    reconstruction: NDArray
    kl_prior: NDArray


class ElboGradient(NamedTuple):
    r"""Derivatives of the ELBO: by :math:`\phi`, and by the mean and the std of q."""

    weight: NDArray
    mean: NDArray
    std: NDArray


class AscentPath(NamedTuple):
    """Coordinate ascent. Rows are the start, then E-step and M-step in turn.

    ``phi`` (T,) is the model's weight, ``mean`` and ``std`` (T, ...) belong to the q of each data
    point, ``elbo`` and ``log_px`` (T,) are totals over the data.
    """

    phi: NDArray
    mean: NDArray
    std: NDArray
    elbo: NDArray
    log_px: NDArray


def jensen(g: Callable[[NDArray], ArrayLike], y: ArrayLike, weights: ArrayLike) -> JensenGap:
    r"""Both sides of Jensen's inequality for a y that takes finitely many values.

    .. math:: g\Big[\sum_n w_n y_n\Big] \ge \sum_n w_n\, g[y_n] \quad \text{for concave } g

    A density over a grid enters with the weights ``density * grid.weights``.

    Parameters
    ----------
    g : callable
        Works element by element on arrays, for example ``np.log`` or ``np.sqrt``.
    y : array_like, (..., N)
    weights : array_like, (N,) or broadcastable with y
        Probabilities of the values; they sum to one.

    Returns
    -------
    JensenGap of arrays (...)
        The gap is the mean of g[E[y]] - g[y].

    Raises
    ------
    ValueError
        If the weights are no probabilities or g is undefined at a value of y.

    Source: chapter "jensens-inequality".
    """
    weights = require_weights(weights)
    y, weights = require_finite(y=y, weights=weights)
    y, weights = np.broadcast_arrays(y, weights)
    mean = (weights * y).sum(-1)
    with np.errstate(divide="ignore", invalid="ignore"):  # reported below, with the value
        g_of_mean, g_of_y = np.asarray(g(mean)), np.asarray(g(y))
    for value, result in ((y, g_of_y), (mean, g_of_mean)):
        if result.shape != value.shape:
            raise ValueError(
                f"g gives shape {result.shape} for y of shape {value.shape}, expected the same; "
                "g works element by element."
            )
        if np.isnan(result).any():
            raise ValueError(
                f"g is undefined at y = {value[np.isnan(result)][0]:.6g}, expected a number; "
                "keep y inside the domain of g (the log needs y > 0)."
            )
    possible = weights > 0  # a value that never occurs adds nothing, even where g is infinite
    mean_of_g = np.where(possible, weights * np.where(possible, g_of_y, 0.0), 0.0).sum(-1)
    difference = g_of_mean[..., None] - np.where(possible, g_of_y, 0.0)
    gap = np.where(possible, weights * difference, 0.0).sum(-1)
    return JensenGap(g_of_mean[()], mean_of_g, gap)


def elbo(model: Model, x: ArrayLike, mean: ArrayLike, std: ArrayLike) -> ElboTerms:
    r"""The evidence lower bound of log p(x) for q(z) = N_z[mean, std^2], and its parts, in nats.

    Parameters
    ----------
    model : LinearGaussianModel or NonlinearModel
    x : array_like
        Data: (...) for the linear model, (..., D) for the non-linear one.
    mean, std : array_like, broadcastable with the leading axes of x (and the linear weight)
        Of q; std positive. The integrals of the non-linear model are accurate for std up to 5.

    Returns
    -------
    ElboTerms of arrays of the broadcast shape
        For the linear model each is a closed form, for the other one an integral on points that
        follow q; the gap is never negative, also in float32.

    Raises
    ------
    ValueError
        If a value is not finite, the std is not positive, or shapes do not fit.

    Source: chapters "evidence-lower-bound" and "elbo-tightness".
    """
    if isinstance(model, LinearGaussianModel):
        terms = _linear_terms(model, x, mean, std)
    elif isinstance(model, NonlinearModel):
        terms = _nonlinear_terms(model, x, mean, std)
    else:
        raise TypeError(
            f"model is {model!r}, expected a LinearGaussianModel or a NonlinearModel; "
            "make one from vaebook.latent."
        )
    return ElboTerms(*np.stack(np.broadcast_arrays(*terms)))


def elbo_gradient(
    model: LinearGaussianModel, x: ArrayLike, mean: ArrayLike, std: ArrayLike
) -> ElboGradient:
    r"""Gradient of the linear model's ELBO, for each data point.

    .. math:: \frac{\partial}{\partial\phi} = \frac{x m - \phi (m^2 + s^2)}{\sigma^2}, \qquad
              \frac{\partial}{\partial m} = \frac{\phi (x - \phi m)}{\sigma^2} - m, \qquad
              \frac{\partial}{\partial s} = \frac1s - s - \frac{\phi^2 s}{\sigma^2}

    Parameters
    ----------
    model : LinearGaussianModel
    x, mean, std : array_like, broadcastable
        Data, and the mean m and the standard deviation s of q.

    Returns
    -------
    ElboGradient of arrays of the broadcast shape.

    Raises
    ------
    ValueError
        If a value is not finite or the std is not positive.

    Source: chapter "evidence-lower-bound".
    """
    phi, noise_var, x, mean, std = _linear_values(model, x, mean, std)
    by_weight = (x * mean - phi * (mean**2 + std**2)) / noise_var
    by_mean = phi * (x - phi * mean) / noise_var - mean
    by_std = 1 / std - std - phi**2 * std / noise_var
    return ElboGradient(*np.stack(np.broadcast_arrays(by_weight, by_mean, by_std)))


def elbo_moments(
    model: NonlinearModel,
    x: ArrayLike,
    mean: ArrayLike,
    std: ArrayLike,
    *,
    order: int = 2,
    n_points: int = 301,
) -> NDArray:
    r"""Averages under q that hold the non-linear model's ELBO and its derivatives, in nats.

    .. math:: M_k = E\big[\mathrm{He}_k(\epsilon) \log p(x, m + s\,\epsilon)\big], \qquad
              \epsilon \sim N[0, 1]

    A derivative of a normal density is a Hermite polynomial times the density, so no derivative of
    the decoder is needed: with respect to m and log s, the ELBO :math:`M_0 + H[q]` has the
    gradient :math:`(M_1 / s,\ M_2 + 1)` and the second derivatives :math:`M_2 / s^2`,
    :math:`M_3 / s` and :math:`2 M_2 + M_4`.

    Parameters
    ----------
    model : NonlinearModel
    x : array_like, (..., D)
    mean, std : array_like, broadcastable with the leading axes of x
        Of q; std positive.
    order : int
        The highest k.
    n_points : int
        Of the grid over :math:`\epsilon`.

    Returns
    -------
    ndarray, (1 + order, ...)

    Raises
    ------
    ValueError
        If a value is not finite, the std is not positive, or shapes do not fit.

    Source: chapter "variational-approximation", eq-hermite-gradient.
    """
    x = require_columns(x, model.n_dimensions)
    _, mean, std = require_finite(x=x[..., 0], mean=mean, std=std)
    require_positive(std=std)
    eps, weights = standard_normal_grid(n_points)
    weights = weights[:, None] * hermevander(eps, order)  # (G, 1 + order)

    def moments(x: NDArray, mean: NDArray, std: NDArray) -> NDArray:
        log_joint = model.log_joint(x[:, None, :], mean[:, None] + std[:, None] * eps)  # (R, G)
        # Unlike a matrix product, this sums in one order, however many cores there are.
        return np.einsum("rg,gk->kr", log_joint, weights)

    return _by_row(moments, n_points, x, mean, std)


def m_step(x: ArrayLike, mean: ArrayLike, std: ArrayLike) -> float:
    r"""The weight phi that maximises the linear model's total ELBO while every q stays fixed.

    .. math:: \phi = \frac{\sum_i x_i m_i}{\sum_i (m_i^2 + s_i^2)}

    Parameters
    ----------
    x, mean, std : array_like, broadcastable
        Data, and the mean and standard deviation of the q of each data point.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If a value is not finite, a std is not positive, or there is no data.

    Source: chapter "evidence-lower-bound".
    """
    x, mean, std = np.broadcast_arrays(*require_finite(x=x, mean=mean, std=std))
    require_positive(std=std)
    if x.size == 0:
        raise ValueError(f"x has shape {x.shape}, expected at least one data point; add some.")
    return float((x * mean).sum() / (mean**2 + std**2).sum())


def coordinate_ascent(
    model: LinearGaussianModel,
    x: ArrayLike,
    *,
    mean: ArrayLike = 0.0,
    std: ArrayLike = 1.0,
    n_rounds: int = 20,
) -> AscentPath:
    r"""Maximise the total ELBO of the linear model by E-steps and M-steps in turn.

    E-step: every q becomes the posterior of its data point, so the bound touches log p(x). M-step:
    phi maximises the bound, every q held fixed. No step lowers the bound; phi = 0 with q = prior
    is a point that no step leaves.

    Parameters
    ----------
    model : LinearGaussianModel
        Its scalar weight is the start.
    x : array_like
        One data point, or several (n,).
    mean, std : array_like, broadcastable with x
        The q to start from.
    n_rounds : int
        Rounds of one E-step and one M-step.

    Returns
    -------
    AscentPath with T = 1 + 2 n_rounds rows.

    Raises
    ------
    ValueError
        If a value is not finite, a std is not positive, or weight or noise_std are not scalars.

    Source: chapter "evidence-lower-bound".
    """
    phi, noise_var, x, mean, std = _linear_values(model, x, mean, std)
    n_rounds = require_count("n_rounds", n_rounds, at_least=0)
    if phi.ndim or noise_var.ndim:
        raise ValueError(
            f"The model's noise_std has shape {noise_var.shape} and its weight has shape "
            f"{phi.shape}, expected one number to start from; make one model for each start."
        )
    x, mean, std = np.broadcast_arrays(x, mean, std)
    rows = [(model.weight, mean, std)]
    for _ in range(n_rounds):
        mean, std = model.posterior(x)
        rows.append((model.weight, mean, std))
        model = LinearGaussianModel(m_step(x, mean, std), model.noise_std)
        rows.append((model.weight, mean, std))
    phi, mean, std = (np.array(column) for column in zip(*rows, strict=True))

    each_row = LinearGaussianModel(phi.reshape(-1, *[1] * x.ndim), model.noise_std)
    terms = elbo(each_row, x, mean, std)  # (T, ...)
    over_data = tuple(range(1, 1 + x.ndim))
    return AscentPath(phi, mean, std, terms.elbo.sum(over_data), terms.log_px.sum(over_data))


def _linear_terms(model: LinearGaussianModel, x, mean, std) -> ElboTerms:
    phi, _, x, mean, std = _linear_values(model, x, mean, std)
    with np.errstate(over="ignore"):
        # log p(x | z) and log p(x, z) are parabolas in z: under q, the value at the mean plus half
        # the second derivative times the variance.
        likelihood_bend, prior_bend = -((phi / model.noise_std) ** 2), -1.0
        reconstruction = model.log_px_given_z(x, mean) + 0.5 * likelihood_bend * std**2
        log_joint = model.log_joint(x, mean) + 0.5 * (likelihood_bend + prior_bend) * std**2
    return ElboTerms(
        elbo=log_joint + entropy_normal(std),
        log_px=model.log_marginal(x),
        gap=kl_normal(mean, std, *model.posterior(x)),
        reconstruction=reconstruction,
        kl_prior=kl_normal(mean, std),
    )


def _nonlinear_terms(model: NonlinearModel, x, mean, std) -> ElboTerms:
    (x,) = require_finite(x=x)
    log_px = model.log_marginal(x)
    require_density(x, log_px)
    _, mean, std = require_finite(x=log_px, mean=mean, std=std)
    require_positive(std=std)
    kl_prior = kl_normal(mean, std)

    def integrals(x, log_px, mean, std):  # (B, D) and (B,) -> (3, B)
        def under_q(rule):
            log_q = log_normal(rule.points, 0.0, 1.0) - np.log(std[:, None])  # (B, G)
            return mean[:, None] + std[:, None] * rule.points, log_q, rule.weights

        z, log_q, weights = under_q(standard_normal_grid(601))
        log_px_given_z = model.log_px_given_z(x[:, None, :], z)
        reconstruction = log_px_given_z @ weights
        bound = (log_px_given_z + log_normal(z, 0.0, 1.0) - log_q) @ weights

        # The gap on points that lie between those: were they too few, the terms would not fit.
        z, log_q, weights = under_q(standard_normal_grid(600))
        log_posterior = model.log_joint(x[:, None, :], z) - log_px[:, None]
        gap = (log_q - log_posterior) @ weights
        return np.stack([bound, np.maximum(gap, 0.0), reconstruction])  # rounding may dip below 0

    bound, gap, reconstruction = _by_row(integrals, 601, x, log_px, mean, std)
    return ElboTerms(bound, log_px, gap, reconstruction, kl_prior)


def _by_row(function, n_points: int, x: NDArray, *others: NDArray) -> NDArray:
    """function of rows x (R, D) and others (R,), for broadcast leading axes: (K, R) -> (K, ...).

    Rows go in blocks, for each is a table over the points.
    """
    shape = np.broadcast_shapes(x.shape[:-1], *(a.shape for a in others))
    rows = np.broadcast_to(x, (*shape, x.shape[-1])).reshape(-1, x.shape[-1])
    flat = [np.broadcast_to(a, shape).ravel() for a in others]
    n_blocks = 1 + len(rows) * n_points // _MAX_TABLE
    blocks = zip(*(np.array_split(a, n_blocks) for a in (rows, *flat)), strict=True)
    found = np.concatenate([function(*block) for block in blocks], axis=-1)
    return found.reshape(len(found), *shape)


def _linear_values(model: LinearGaussianModel, x, mean, std) -> tuple[NDArray, ...]:
    """phi, noise variance, x, mean and std as arrays that broadcast."""
    if not isinstance(model, LinearGaussianModel):
        raise TypeError(
            f"model is {model!r}, expected a LinearGaussianModel; "
            "other models have no closed form here."
        )
    phi, noise_std, x, mean, std = require_finite(
        weight=model.weight, noise_std=model.noise_std, x=x, mean=mean, std=std
    )
    require_positive(std=std)
    return phi, noise_std**2, x, mean, std
