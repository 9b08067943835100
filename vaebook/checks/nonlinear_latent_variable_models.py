"""Checks of the homework on nonlinear latent variable models."""

from functools import partial

import numpy as np
from scipy.special import softmax

from vaebook.checks.core import Choice, Function, Homework, changed, every_bug
from vaebook.checks.properties import (
    from_the_generator,
    never,
    normalised,
    row,
    rows,
    shaped,
    statistic,
)
from vaebook.gaussians import log_normal
from vaebook.quadrature import uniform_grid

homework = Homework("Nonlinear latent variable models")
report = homework.report


def _spiral(z, n_dimensions):
    """A smooth curve in any number of dimensions."""
    k = np.arange(n_dimensions)
    return np.sin(z[:, None] * (1 + 0.3 * k) + k)


# -- task 1 ------------------------------------------------------------------------------------

check_sensors = Choice(
    homework,
    "A hundred noisy sensors",
    right="c",
    mistakes={
        "a": "That is the prior's. Every reading, however noisy, adds information about z.",
        "b": "That is the posterior after one reading, 1/√2 = 0.71; there are 99 more.",
        "d": "Averaging divides the noise by √100, not by 100: variances of independent errors "
        "add.",
        "e": "The mean of a hundred noisy readings still has an error: some uncertainty remains.",
    },
    hints=(
        "How does the standard error of a mean fall with the number of readings?",
        "log p(z|x) is -z²/2 plus a hundred terms -(x - z)²/2. What is its second derivative?",
        "The posterior precision is 1 + 100, and the standard deviation is 1 over its square root.",
    ),
    because="Precisions add, 1 from the prior and 1 from each sensor, so std = 1/√101 = 0.0995.",
)


# -- task 2 ------------------------------------------------------------------------------------


def _circle_moments(omega, noise_std):
    mean = np.exp(-(omega**2) / 2)
    double = np.exp(-2 * omega**2)
    covariance = np.diag([(1 + double) / 2 - mean**2, (1 - double) / 2])
    return np.array([mean, 0.0]), covariance + noise_std**2 * np.eye(2)


def _circle_cases(rng):
    for _ in range(3):
        yield rng.uniform(0.3, 2.0), rng.uniform(0.1, 0.9)
    yield 30.0, 0.5


check_circle = Function(
    homework,
    "Mean and covariance of a noisy circle",
    oracle=_circle_moments,
    cases=_circle_cases,
    mistakes={
        "The noise is missing: it adds σ² to the diagonal of the covariance.": changed(
            _circle_moments, 1, lambda value, omega, std: value[1] - std**2 * np.eye(2)
        ),
        "σ stands on the diagonal; the variance of the noise is σ².": changed(
            _circle_moments, 1, lambda value, omega, std: value[1] + (std - std**2) * np.eye(2)
        ),
        "The noise of the two dimensions is independent: no σ² off the diagonal.": changed(
            _circle_moments, 1, lambda value, omega, std: value[1] + std**2 * (1 - np.eye(2))
        ),
        "These are E[x xᵀ]; subtract the product of the means for the covariance.": changed(
            _circle_moments, 1, lambda value, *_: value[1] + np.outer(value[0], value[0])
        ),
        "The mean of the curve is not the curve at the mean of z, (1, 0).": (
            lambda omega, noise_std: (
                np.array([1.0, 0.0]),
                _circle_moments(omega, noise_std)[1] + np.diag([np.exp(-(omega**2)) - 1, 0.0]),
            )
        ),
        "cos² ωz = (1 + cos 2ωz)/2, and E[cos 2ωz] = exp(-(2ω)²/2), not exp(-ω²).": (
            changed(
                _circle_moments,
                1,
                lambda value, omega, std: (0.5 - 0.5 * np.exp(-(omega**2)) + std**2) * np.eye(2),
            )
        ),
    },
    names=("mean", "covariance"),
    terms=(
        {},
        {
            "the noise, σ²": lambda omega, noise_std: noise_std**2 * np.eye(2),
            "the ½ of E[cos²] and E[sin²]": lambda omega, noise_std: 0.5 * np.eye(2),
            "the ±½e^(-2ω²) of E[cos²] and E[sin²]": lambda omega, noise_std: (
                0.5 * np.exp(-2 * omega**2) * np.diag([1.0, -1.0])
            ),
            "minus the square of the mean, e^(-ω²)": lambda omega, noise_std: np.diag(
                [-np.exp(-(omega**2)), 0.0]
            ),
        },
    ),
    known={
        "For ω = 0, where the curve is the point (1, 0), and noise of σ = 2": (0.0, 2.0),
        "For ω = 1 and noise of σ = 1": (1.0, 1.0),
        "For ω = ½ and noise of σ = 1": (0.5, 1.0),
        "For ω = 30, where the angles are practically uniform, and σ = ½": (30.0, 0.5),
    },
    hints=(
        "E[x] = E[f(z)], since the noise has mean 0. What is E[sin ωz], by symmetry?",
        "cos² u = (1 + cos 2u)/2 and sin² u = (1 - cos 2u)/2. Use the given fact with 2ω.",
        "By total variance, the covariance of x is that of f(z) plus σ² on the diagonal.",
    ),
    because="For large ω the points cover the whole circle: mean 0, variances ½ + σ².",
)


# -- task 3 ------------------------------------------------------------------------------------


def _log_joint(x, curve, points, noise_std, *, prior=1.0, gather=np.sum):
    log_px_given_z = gather(log_normal(x[:, None, :], curve, noise_std), axis=-1)  # (B, G)
    return log_px_given_z + prior * log_normal(points, 0.0, 1.0)


def _posterior_moments(x, curve, points, noise_std, **part):
    """Mean and standard deviation; the keywords of the log-joint break them."""
    weights = softmax(_log_joint(x, curve, points, noise_std, **part), axis=1)
    mean = weights @ points
    return mean, np.sqrt((weights * (points - mean[:, None]) ** 2).sum(axis=1))


def _posterior_cases(rng):
    points, _ = uniform_grid(-5.0, 5.0, 1001)
    for n_rows, n_dimensions in [(3, 2), (5, 1), (2, 6)]:
        curve = _spiral(points, n_dimensions)
        x = _spiral(rng.standard_normal(n_rows), n_dimensions)
        x = x + rng.normal(0, 0.4, x.shape)
        yield x, curve, points, rng.uniform(0.3, 0.8)
    # A point so far away that its density is zero in floating point.
    yield np.vstack([x[0], x[0] + 40.0]), curve, points, 0.3


def _two_points(x, noise_std=1.0):
    """Arguments with the grid -1 and 1, and the decoder z in each coordinate."""
    (x,) = row(x)
    points = np.array([-1.0, 1.0])
    return x, np.repeat(points[:, None], x.shape[1], axis=1), points, noise_std


check_posterior = Function(
    homework,
    "Mean and standard deviation of the posterior",
    oracle=_posterior_moments,
    cases=_posterior_cases,
    mistakes={
        "The prior is missing: add log p(z) to the log-likelihood.": (
            partial(_posterior_moments, prior=0.0)
        ),
        "The log-densities of the dimensions are averaged; given z they are independent, so sum.": (
            partial(_posterior_moments, gather=np.mean)
        ),
        "The second value is the variance; the standard deviation is its square root.": (
            changed(_posterior_moments, 1, lambda value, *_: value[1] ** 2)
        ),
        "The first value is the mode of the posterior; its mean is asked for.": changed(
            _posterior_moments,
            0,
            lambda value, x, curve, points, noise_std: points[
                _log_joint(x, curve, points, noise_std).argmax(axis=1)
            ],
        ),
        "The second value is the square root of E[z²]; take the deviations from the mean.": (
            changed(_posterior_moments, 1, lambda value, *_: np.hypot(*value))
        ),
    },
    names=("mean", "standard deviation"),
    known={
        "With the decoder ±1 at z = ±1 and x = 0 halfway": _two_points(0),
        "With the decoder ±1 at z = ±1, x = 1 and σ = 1, where the weights are e⁻² and 1": (
            _two_points(1)
        ),
        "With σ = 2 instead, where the weights are e^(-½) and 1": _two_points(1, noise_std=2.0),
        "With two equal dimensions, so that the weights are e⁻⁴ and 1": _two_points([1, 1]),
        "With a constant decoder only the prior counts, with weights 1 at z = 0 and e⁻² at 2": (
            *(*row(0), *row([[0], [0]]), [0.0, 2.0], 2.0),
        ),
        "With x = 200, where both densities underflow": _two_points(200),
        "With a near and a far point together, x = 0 and 200": _two_points([[0], [200]]),
    },
    properties=(rows(0),),
    hints=(
        "Shapes: x[:, None, :] is (B, 1, D) and curve is (G, D). Their difference is (B, G, D).",
        "Subtract the largest log of each row before exp; it cancels when the row is normalised.",
        "On a uniform grid, normalised weights are enough: mean = w @ points.",
    ),
    because="On a grid, Bayes' rule is a sum of logarithms, an exp and a normalisation.",
)


# -- task 4 ------------------------------------------------------------------------------------

_N_SAMPLES = 20_000


def _draw_posterior(points, density, n, rng):
    return rng.choice(points, size=n, p=density / density.sum())


def _moments_on_grid(points, density):
    p = density / density.sum()
    mean = p @ points
    return p, mean, np.sqrt(p @ (points - mean) ** 2)


def _mean_of_draws(draws, points, density, n, rng):
    _, mean, std = _moments_on_grid(points, density)
    return draws.mean(), mean, std / np.sqrt(n)


def _std_of_draws(draws, points, density, n, rng):
    p, mean, std = _moments_on_grid(points, density)
    of_squares = np.sqrt(p @ ((points - mean) ** 2 - std**2) ** 2 / n)
    return np.sqrt(np.mean((draws - mean) ** 2)), std, of_squares / (2 * std)


def _fraction_of_draws(draws, points, density, n, rng):
    """The fraction of draws up to that decile of the posterior where it is most wrong."""
    p, _, _ = _moments_on_grid(points, density)
    places = np.searchsorted(np.cumsum(p), np.linspace(0.1, 0.9, 9))
    exact = np.cumsum(p)[places]
    middles = points[places] + 0.5 * (points[1] - points[0])
    found = (draws[:, None] < middles).mean(axis=0)
    error = np.sqrt(exact * (1 - exact) / n)
    worst = np.argmax(abs(found - exact) / error)
    return found[worst], exact[worst], error[worst]


def _neighbours(draws, points, density, n, rng):
    return np.corrcoef(draws[1:], draws[:-1])[0, 1], 0.0, 1 / np.sqrt(n)


def _draw_cases(rng):
    for n_points in (9, 801):  # coarse, so that a draw one point off is seen, and fine
        points, _ = uniform_grid(-4.0, 4.0, n_points)
        density = np.exp(-0.5 * ((points - rng.uniform(0.5, 1)) / rng.uniform(0.8, 1.2)) ** 2)
        yield points, density * (2 + np.sin(3 * points)), _N_SAMPLES, rng


check_draws = Function(
    homework,
    "Samples from a posterior on a grid",
    oracle=_draw_posterior,
    cases=_draw_cases,
    mistakes=None,
    properties=(
        shaped(lambda points, density, n, rng: (n,)),
        never(
            "Samples are points of the grid",
            lambda draws, points, *_: (
                abs(draws[:, None] - points[None, :]).min(axis=1) > 1e-3 * (points[1] - points[0])
            ),
        ),
        from_the_generator(3),
        statistic("The mean of the samples, that of the posterior,", _mean_of_draws),
        statistic("The standard deviation of the samples, that of the posterior,", _std_of_draws),
        statistic("The fraction of the samples below a point of the grid", _fraction_of_draws),
        statistic("Samples are independent: the correlation of neighbours", _neighbours),
    ),
    hints=(
        "Divided by its sum, the density on a uniform grid is a vector of probabilities.",
        "Which method of rng draws from given values with given probabilities?",
    ),
    because="With samples, p(z > 0|x) is simply the fraction of them above 0.",
)


# -- task 5 ------------------------------------------------------------------------------------


def _log_px_given_z(x, curve, noise_std):
    return log_normal(x[:, None, :], curve, noise_std).sum(axis=-1)


def _likelihood_cases(rng):
    for n_rows, n_points, n_dimensions in [(3, 4, 2), (1, 5, 6), (2, 2, 3)]:
        curve = rng.normal(size=(n_points, n_dimensions))
        yield rng.normal(size=(n_rows, n_dimensions)), curve, rng.uniform(0.2, 0.9)


_BUGS = {
    "width": "The squares are divided by 2σ; the exponent contains 2σ².",
    "sum": "The squares are averaged over the dimensions; the exponent contains their sum.",
    "norm": "½ log 2πσ² is subtracted once, but each of the D dimensions contributes it.",
}


def _colleagues(x, curve, noise_std, *, left):
    """The colleague's function with only the bugs named in `left` still in it."""
    squares = (x[:, None, :] - curve) ** 2
    squares = squares.mean(axis=-1) if "sum" in left else squares.sum(axis=-1)
    width = noise_std if "width" in left else noise_std**2
    n = 1 if "norm" in left else x.shape[1]
    return -squares / (2 * width) - 0.5 * n * np.log(2 * np.pi * noise_std**2)


check_repair = Function(
    homework,
    "Three bugs in a log-likelihood",
    oracle=_log_px_given_z,
    cases=_likelihood_cases,
    mistakes=every_bug(_colleagues, _BUGS),
    terms={
        "the squares, over 2σ²": lambda x, curve, noise_std: (
            -((x[:, None, :] - curve) ** 2).sum(axis=-1) / (2 * noise_std**2)
        ),
        "the constant, -½ D log 2π": lambda x, *_: -0.5 * x.shape[1] * np.log(2 * np.pi),
        "the noise, -D log σ": lambda x, curve, noise_std: -x.shape[1] * np.log(noise_std),
    },
    known={
        "On the curve with σ = 1, -½ log 2π": (*row(0, 0), 1.0),
        "On the curve, at 1, with σ = 1, -½ log 2π": (*row(1, 1), 1.0),
        "On the curve with σ = 2, -log 2 - ½ log 2π": (*row(0, 0), 2.0),
        "Off the curve by 1 with σ = 1, -½ - ½ log 2π": (*row(1, 0), 1.0),
        "Off the curve by σ = 2, -½ - log 2 - ½ log 2π": (*row(2, 0), 2.0),
        "On the curve in two dimensions, -log 2π": (*row([0, 0], [0, 0]), 1.0),
        "Off by σ in one of two dimensions, -½ - log 2π": (*row([1, 0], [0, 0]), 1.0),
        "Off by σ in both of two dimensions, -1 - log 2π": (*row([1, 1], [0, 0]), 1.0),
    },
    properties=(
        rows(0),
        normalised(
            "The values of p(x|z) times the step of a grid over x",
            *(np.linspace(-10, 10, 2001)[:, None], np.zeros((1, 1)), 0.8),
            width=0.01,
        ),
    ),
    hints=(
        "Put x on the curve. What is the log-density of a D-dimensional Gaussian at its mean?",
        "Let x differ in one dimension only, by σ. By how much must the log-density fall?",
        "Let a second dimension differ by σ as well. The log-density must fall by twice as much.",
    ),
    because="At the mean, one coordinate off, two coordinates off: each test isolates one factor.",
)
