r"""Two estimates of the gradient of an average under q(z) = N_z[mean, std^2].

.. math:: \frac{\partial}{\partial \theta}\, E_q\big[f(z)\big],
          \qquad \theta = (\mathrm{mean}, \mathrm{std})

``pathwise`` moves the draws and needs the derivative of f; ``score_function`` changes their weights
and needs only f. Both give one row for each draw, and the caller averages.
"""

import numpy as np

from vaebook.arguments import (
    require_count,
    require_finite,
    require_generator,
    require_number,
    require_positive,
)


def pathwise(df, mean, std, n, *, rng):
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
    ndarray, (n, 2) or (n, 2, D): with respect to mean and to std.

    Raises
    ------
    ValueError
        If a value is not finite, the std is not positive, n is no count, or df gives another shape.

    Source: chapter "reparameterization-trick", eq-pathwise.
    """
    mean, std, eps = _draw(mean, std, n, rng)
    slope = _values("df", df, mean + std * eps, eps.shape)
    return np.stack([slope, slope * eps], axis=1)


def score_function(f, mean, std, n, *, rng, baseline=0.0):
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
    mean, std : array_like, () or (D,), broadcastable
        Of q; std positive.
    n : int
        Number of draws.
    rng : numpy.random.Generator
    baseline : float
        The b of the formula; it must not depend on the draws.

    Returns
    -------
    ndarray, (n, 2) or (n, 2, D): with respect to mean and to std.

    Raises
    ------
    ValueError
        If a value is not finite, the std is not positive, n is no count, or f gives another shape.

    Source: chapter "reparameterization-trick", eq-score-function.
    """
    baseline = require_number("baseline", baseline)
    mean, std, eps = _draw(mean, std, n, rng)
    value = _values("f", f, mean + std * eps, eps.shape[:1]) - baseline
    score = np.stack([eps, eps**2 - 1], axis=1) / std  # (n, 2, ...)
    return value.reshape(-1, *[1] * (score.ndim - 1)) * score


def _draw(mean, std, n, rng):
    """Return mean and std as arrays of one shape, and standard normal draws (n, *shape)."""
    mean, std = np.broadcast_arrays(*require_finite(mean=mean, std=std))
    require_positive(std=std)
    n = require_count("n", n, at_least=1)
    return mean, std, require_generator(rng).standard_normal((n, *mean.shape))


def _values(name, function, z, shape):
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
