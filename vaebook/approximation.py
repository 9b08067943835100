r"""Gaussian stand-ins q for a posterior: the best one for each x, and one network for all x.

.. math:: q(z \mid x, \theta) = N_z\big[\mu, s^2\big]

The search needs no derivative of the decoder: see ``bounds.elbo_moments``.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize

from vaebook.arguments import (
    require_columns,
    require_count,
    require_finite,
    require_generator,
    require_positive,
)
from vaebook.bounds import elbo, elbo_moments
from vaebook.gaussians import entropy_normal, log_normal
from vaebook.latent import LinearGaussianModel, Model, NonlinearModel
from vaebook.perceptron import Perceptron

_N_PEAKS = 4  # of the posterior, from which the search starts
_N_STEPS = 100  # of Newton's method, at most


class GapParts(NamedTuple):
    """The two parts of the gap of a q, in nats; see ``gap_parts``."""

    approximation: NDArray
    amortisation: NDArray


class AmortisedGaussian(Perceptron):
    r"""A network from x to a Gaussian over z: :math:`q(z \mid x) = N_z[\mu[x], s[x]^2]`.

    .. math:: (\mu[x], \log s[x]) = b + \sum_h v_h \tanh(a_h^T x + c_h)

    A ``Perceptron`` with one hidden layer, whose outputs are the mean and the logarithm of the std.

    Source: chapter "variational-approximation", eq-amortised.
    """

    def __init__(self, widths: Sequence[int], numbers: ArrayLike, units: ArrayLike | None = None):
        super().__init__(widths, numbers, units)
        if len(self.widths) != 3 or self.widths[-1] != 2:
            raise ValueError(
                f"widths are {self.widths}, expected (D, H, 2): one hidden layer, and a mean and "
                "the logarithm of a std as outputs."
            )

    def __call__(self, x: ArrayLike) -> tuple[NDArray, NDArray]:  # type: ignore[override]
        """Mean and std of q for data x (..., D), both (...)."""
        output = super().__call__(x)
        return output[..., 0], np.exp(output[..., 1])


def fit_gaussian(
    model: Model, x: ArrayLike, *, direction: str = "reverse"
) -> tuple[NDArray, NDArray]:
    r"""The Gaussian q closest to the posterior of each data point, by either KL divergence.

    ``"reverse"`` minimises :math:`D_{KL}[q(z) \,\|\, p(z \mid x)]`, which is to maximise the ELBO.
    The search starts from the highest peaks of the posterior and from its moments, and returns
    the best of the optima that it finds.

    ``"forward"`` minimises :math:`D_{KL}[p(z \mid x) \,\|\, q(z)]`. Its only optimum has the mean
    and the standard deviation of the posterior.

    Parameters
    ----------
    model, x : as in ``bounds.elbo``
    direction : "reverse" or "forward"

    Returns
    -------
    mean, std : ndarray, both (...)
        For the linear model the posterior itself, whatever the direction.

    Raises
    ------
    ValueError
        If the direction is unknown, a value is not finite, or shapes do not fit.
    RuntimeError
        If no start leads to an optimum.

    Source: chapter "variational-approximation", eq-best-gaussian and eq-moment-matching.
    """
    if direction not in ("reverse", "forward"):
        raise ValueError(
            f"direction is {direction!r}, expected 'reverse' or 'forward'; "
            "'reverse' is the one that maximises the bound."
        )
    if isinstance(model, LinearGaussianModel):
        return model.posterior(x)
    x = _require_data(model, x)
    mean, std = model.posterior_moments(x)
    if direction == "forward":
        return mean, std
    starts = [
        np.concatenate([at_peaks, of_all[..., None]], axis=-1)
        for at_peaks, of_all in zip(_peaks(model, x), (mean, std), strict=True)
    ]  # (..., P + 1)
    *found, bound, settled = _climb(model, x[..., None, :], *starts)
    best = np.where(settled, bound, -np.inf).argmax(-1)[..., None]
    if not np.take_along_axis(settled, best, -1).all():
        raise RuntimeError(
            "The search for the best Gaussian did not settle for every x; look at the posterior, "
            "and give climb_gaussian a start of your own."
        )
    mean, std = (np.take_along_axis(values, best, -1)[..., 0] for values in found)
    return mean, std


def forward_kl(model: NonlinearModel, x: ArrayLike, mean: ArrayLike, std: ArrayLike) -> NDArray:
    r"""KL divergence from the posterior to a Gaussian q, in nats; the reverse is the ELBO's gap.

    .. math:: D_{KL}\big[p(z \mid x) \,\|\, q(z)\big]
              = \int p(z \mid x) \log \frac{p(z \mid x)}{q(z)}\, dz

    Parameters
    ----------
    model : NonlinearModel
    x, mean, std : as in ``bounds.elbo``

    Returns
    -------
    ndarray of the broadcast shape.

    Raises
    ------
    ValueError
        If a value is not finite, the std is not positive, or shapes do not fit.

    Source: chapter "variational-approximation", eq-forward-kl.
    """
    x = _require_data(model, x)
    _, mean, std = require_finite(x=x[..., 0], mean=mean, std=std)
    require_positive(std=std)
    log_p = model.log_joint(x[..., None, :], model.grid) - model.log_marginal(x)[..., None]
    log_q = log_normal(model.grid, mean[..., None], std[..., None])
    return (np.exp(log_p) * (log_p - log_q)) @ model.grid_weights


def climb_gaussian(
    model: NonlinearModel, x: ArrayLike, mean: ArrayLike, std: ArrayLike
) -> tuple[NDArray, NDArray]:
    r"""The Gaussian q on top of the hill of the ELBO on which a given q stands.

    Newton's method on the mean and the logarithm of the std. Which hill it climbs depends on the
    start: a posterior with several modes has several.

    Parameters
    ----------
    model : NonlinearModel
    x, mean, std : as in ``bounds.elbo``; the q is where to start

    Returns
    -------
    mean, std : ndarray of the broadcast shape, both.

    Raises
    ------
    ValueError
        If a value is not finite, the std is not positive, or shapes do not fit.
    RuntimeError
        If a start leads to no optimum within 100 steps.

    Source: chapter "variational-approximation", section "sec-local-optima".
    """
    x = _require_data(model, x)
    _, mean, std = require_finite(x=x[..., 0], mean=mean, std=std)
    require_positive(std=std)
    best_mean, best_std, _, settled = _climb(model, x, mean, std)
    if not settled.all():
        start = [np.broadcast_to(a, settled.shape)[~settled][0] for a in (mean, std)]
        raise RuntimeError(
            f"The climb from mean {start[0]:.6g} and std {start[1]:.6g} did not settle; "
            "start closer to a peak of the posterior."
        )
    return best_mean, best_std


def fit_amortised(
    model: NonlinearModel, x: ArrayLike, *, n_hidden: int = 8, rng: np.random.Generator
) -> AmortisedGaussian:
    r"""Fit one network to many data points at once: it maximises the average of their ELBOs.

    The weights start at random, with q = N[0, 1] for every x, and climb as in ``refine``. Another
    start may lead to another optimum.

    Parameters
    ----------
    model : NonlinearModel
    x : array_like, (B, D)
        Data to fit to.
    n_hidden : int
        Number of hidden units, H.
    rng : numpy.random.Generator

    Returns
    -------
    AmortisedGaussian

    Raises
    ------
    ValueError
        If a value is not finite, shapes do not fit, or n_hidden is no whole number above 0.

    Source: chapter "variational-approximation", eq-amortised-objective.
    """
    x = _require_rows(model, x)
    n_hidden = require_count("n_hidden", n_hidden, at_least=1)
    weights = require_generator(rng).standard_normal((n_hidden, x.shape[1]))
    weights /= np.maximum(x.std(axis=0), 1e-12)
    # Each unit bends somewhere among the data.
    biases = rng.standard_normal(n_hidden) - weights @ x.mean(axis=0)
    start = AmortisedGaussian.from_layers((weights, biases), (np.zeros((2, n_hidden)), np.zeros(2)))
    return refine(model, x, start)


def refine(model: NonlinearModel, x: ArrayLike, q: AmortisedGaussian) -> AmortisedGaussian:
    r"""Climb from a network to one with a higher average ELBO, by the quasi-Newton method BFGS.

    The averages over z are sums on a grid: no sampling noise, and the gradient is exact. Ends at
    an optimum, or after 300 steps.

    Parameters
    ----------
    model, x : as in ``fit_amortised``
    q : AmortisedGaussian
        Where to start; it stays as it is.

    Returns
    -------
    AmortisedGaussian

    Source: chapter "variational-approximation", eq-amortised-objective.
    """
    x = _require_rows(model, x)

    def loss(numbers):
        bound, gradient = average_bound(model, x, AmortisedGaussian(q.widths, numbers))
        return -bound, -gradient

    options = {"maxiter": 300, "gtol": 1e-5}
    found = minimize(loss, q.numbers, jac=True, method="BFGS", options=options)
    return AmortisedGaussian(q.widths, found.x)


def average_bound(
    model: NonlinearModel, x: ArrayLike, q: AmortisedGaussian
) -> tuple[float, NDArray]:
    r"""Average ELBO of a network over the data, and its gradient in the network's parameters.

    By the chain rule: from the bound of a data point to its q as in ``bounds.elbo_moments``, and
    from there back through the network.

    Parameters
    ----------
    model, x, q : as in ``refine``

    Returns
    -------
    bound : float
        In nats.
    gradient : ndarray, (P,)
        With respect to ``q.numbers``.

    Source: chapter "variational-approximation", eq-amortised-objective and eq-hermite-gradient.
    """
    x = _require_rows(model, x)
    mean, std = q(x)
    moments = elbo_moments(model, x, mean, std, n_points=151)
    bound = np.mean(moments[0] + entropy_normal(std))
    by_output = np.stack([moments[1] / std, moments[2] + 1], axis=-1) / len(x)  # (B, 2)
    hidden = q.hidden(x)  # (B, H)
    weights, _ = q.layers[-1]  # (2, H)
    by_unit = (by_output @ weights) * (1 - hidden**2)  # (B, H)
    parts = [by_unit.T @ x, by_unit.sum(0), by_output.T @ hidden, by_output.sum(0)]
    return float(bound), np.concatenate([part.ravel() for part in parts])


def gap_parts(model: Model, x: ArrayLike, mean: ArrayLike, std: ArrayLike) -> GapParts:
    r"""Take the gap of a Gaussian q apart: the cost of the family, and the rest.

    .. math:: \log p(x) - \mathrm{ELBO}[q]
              = \underbrace{\log p(x) - \mathrm{ELBO}[q^*]}_{\text{approximation}}
              + \underbrace{\mathrm{ELBO}[q^*] - \mathrm{ELBO}[q]}_{\text{amortisation}}

    Here :math:`q^*` is the best Gaussian of ``fit_gaussian``.

    Parameters
    ----------
    model, x, mean, std : as in ``bounds.elbo``
        The q may be what an ``AmortisedGaussian`` makes of x.

    Returns
    -------
    GapParts of arrays of the broadcast shape
        ``approximation`` is never negative.

    Raises
    ------
    ValueError
        If a value is not finite, the std is not positive, or shapes do not fit.

    Source: chapter "variational-approximation", eq-gap-parts.
    """
    best = elbo(model, x, *fit_gaussian(model, x))
    amortisation = best.elbo - elbo(model, x, mean, std).elbo
    approximation = np.broadcast_to(best.gap, np.shape(amortisation))
    return GapParts(*np.stack([approximation, amortisation]))


def _require_data(model: NonlinearModel, x: ArrayLike) -> NDArray:
    if not isinstance(model, NonlinearModel):
        raise TypeError(
            f"model is {model!r}, expected a NonlinearModel; "
            "a straight line is one, with the decoder lambda z: weight * z[:, None]."
        )
    return require_columns(x, model.n_dimensions)


def _require_rows(model: NonlinearModel, x: ArrayLike) -> NDArray:
    x = _require_data(model, x)
    if x.ndim != 2 or x.shape[0] == 0:
        raise ValueError(f"x has shape {x.shape}, expected (B, D) with B of at least 1.")
    return x


def _peaks(model: NonlinearModel, x: NDArray) -> tuple[NDArray, NDArray]:
    """Place and width of the highest peaks of each posterior, as (..., P).

    The width is that of the Gaussian with the same bend at the peak (Laplace's approximation).
    Where there are fewer peaks, the highest one stands in.
    """
    log_joint = model.log_joint(x[..., None, :], model.grid)  # (..., G)
    left, here, right = log_joint[..., :-2], log_joint[..., 1:-1], log_joint[..., 2:]
    height = np.where((here > left) & (here >= right), here, -np.inf)
    index = np.argsort(-height, axis=-1)[..., :_N_PEAKS]
    found = np.isfinite(np.take_along_axis(height, index, -1))
    index = np.where(found, index, index[..., :1])
    left, here, right = (np.take_along_axis(a, index, -1) for a in (left, here, right))
    before, after = np.diff(model.grid)[index], np.diff(model.grid)[index + 1]
    bend = 2 * ((here - left) / before + (here - right) / after) / (before + after)
    return model.grid[index + 1], 1 / np.sqrt(np.clip(bend, 0.01, 1e8))


def _climb(model, x, mean, std) -> tuple[NDArray, ...]:
    """Newton's method for all rows at once: mean, std, bound, and whether each row settled.

    The unknowns are the mean in units of the std, and the log of the std. Where the hill does not
    bend downwards, a step is turned towards the gradient; a step that would go down is shortened.
    """
    shape = np.broadcast_shapes(x.shape[:-1], np.shape(mean), np.shape(std))
    x = np.broadcast_to(x, (*shape, x.shape[-1])).reshape(-1, x.shape[-1])
    mean = np.array(np.broadcast_to(mean, shape), float).ravel()
    log_std = np.log(np.broadcast_to(std, shape)).ravel()
    value = np.full(mean.shape, -np.inf)
    step = np.zeros((2, mean.size))
    part = np.ones(mean.size)
    length = np.full(mean.size, np.inf)  # of the last move
    for _ in range(_N_STEPS):
        moving = np.flatnonzero(length > 1e-10)
        if not moving.size:
            break
        move = part[moving] * step[:, moving]
        there_mean = mean[moving] + np.exp(log_std[moving]) * move[0]
        there_log_std = log_std[moving] + move[1]
        m = elbo_moments(model, x[moving], there_mean, np.exp(there_log_std), order=4)
        bound = m[0] + there_log_std
        # The first round only looks at the start.
        length[moving] = np.where(np.isfinite(value[moving]), np.abs(move).max(axis=0), np.inf)
        better = bound >= value[moving] - 1e-13 * (1 + np.abs(bound))  # but for rounding
        part[moving] = np.where(better, 1.0, part[moving] / 4)
        up, m = moving[better], m[:, better]
        mean[up], log_std[up], value[up] = there_mean[better], there_log_std[better], bound[better]
        step[:, up] = _newton_step(m[1], m[2] + 1, m[2], m[3], 2 * m[2] + m[4])
    # On the grid a decoder with a kink leaves steps of about 1e-7 that lead nowhere.
    found = mean, np.exp(log_std), value + entropy_normal(1.0), length < 1e-5
    return tuple(a.reshape(shape)[()] for a in found)


def _newton_step(slope_1: NDArray, slope_2: NDArray, a: NDArray, b: NDArray, c: NDArray) -> NDArray:
    """Solve [[a, b], [b, c]] step = -slope, with the matrix made negative where it is not."""
    largest = 0.5 * (a + c) + np.hypot(0.5 * (a - c), b)  # eigenvalue
    shift = np.maximum(0.0, largest + 0.1)
    a, c = shift - a, shift - c
    step = np.stack([c * slope_1 + b * slope_2, b * slope_1 + a * slope_2]) / (a * c - b * b)
    return step / np.maximum(1.0, np.abs(step).max(axis=0))
