"""Checks of the homework on the variational approximation."""

from functools import partial

import numpy as np
from scipy.special import gammaln, logsumexp, softmax

from vaebook.checks.core import Choice, Function, Homework, changed
from vaebook.checks.properties import never, related, slope_of, twice
from vaebook.gaussians import kl_normal, log_normal
from vaebook.quadrature import trapezoid_grid

homework = Homework("Variational approximation")
report = homework.report


# -- task 1 ------------------------------------------------------------------------------------

check_wall = Choice(
    homework,
    "A posterior with a boundary",
    right="c",
    mistakes={
        "a": "The two directions agree if the family contains p, but p is not Gaussian.",
        "b": "However narrow it is, a Gaussian gives some probability to z < 0, where log(q/p) is "
        "infinite.",
        "d": "It is the other way round: the expectation under q includes z where p is zero.",
        "e": "The expectation under p includes only z > 0, where log p - log q is finite.",
    },
    hints=(
        "Every Gaussian gives some probability to z < 0. What is log(q/p) there?",
        "Now take the expectation of log(p/q) under p. Which z contribute to it?",
        "E_p[-log q] depends on p through E[z] and E[z²] only, and both are finite.",
    ),
    because="The reverse KL is infinite for every Gaussian; the forward KL is smallest for mean 1 "
    "and std 1, those of the posterior.",
)


# -- task 2 ------------------------------------------------------------------------------------


def _log_mean_rate(mean, std):
    return mean + std**2 / 2


def _count_bound(counts, mean, std, *, log_rate=_log_mean_rate, n=None, factorials=1.0, kl=-1.0):
    """The bound of the count model; the keywords are there to break it."""
    rate = (len(counts) if n is None else n) * np.exp(log_rate(mean, std))
    fit = counts.sum() * mean - rate - factorials * gammaln(counts + 1.0).sum()
    return fit + kl * kl_normal(mean, std)


def _bound_cases(rng):
    for n in (4, 1, 9):
        mean = rng.normal(0.8, 0.5)
        yield rng.poisson(np.exp(mean), n) + 2, mean + 0.3, rng.uniform(0.2, 0.8)
    yield np.zeros(5, int), -1.5, 0.6
    yield np.array([2981, 3050]), 8.0, 0.02


check_bound = Function(
    homework,
    "The bound of a count model",
    oracle=_count_bound,
    cases=_bound_cases,
    mistakes={
        "The mean of e^z is not e^μ: e^z is convex, so its mean is larger. Use the given fact.": (
            partial(_count_bound, log_rate=lambda mean, std: mean)
        ),
        "The exponent is μ + s²/2; you have s² without the ½.": (
            partial(_count_bound, log_rate=lambda mean, std: mean + std**2)
        ),
        "The exponent is μ + s²/2, with the variance; you have s/2.": (
            partial(_count_bound, log_rate=lambda mean, std: mean + std / 2)
        ),
        "Each of the n mornings contributes -e^z; you took it once.": partial(_count_bound, n=1),
        "The log x! of every morning is missing: it does not affect q, but it is in the bound.": (
            partial(_count_bound, factorials=0.0)
        ),
        "The KL to the prior is missing.": partial(_count_bound, kl=0.0),
        "The KL to the prior is added; it must be subtracted.": partial(_count_bound, kl=1.0),
    },
    terms={
        "T μ": lambda counts, mean, std: counts.sum() * mean,
        "the rate, -n e^(μ + s²/2)": lambda counts, mean, std: (
            -len(counts) * np.exp(mean + std**2 / 2)
        ),
        "the factorials, -Σ log x!": lambda counts, *_: -gammaln(counts + 1.0).sum(),
        "the part of the KL from the mean, -½μ²": lambda counts, mean, std: -0.5 * mean**2,
        "the part of the KL from the variance, -½s²": lambda counts, mean, std: -0.5 * std**2,
        "the part of the KL from its logarithm, ½ log s²": lambda counts, mean, std: np.log(std),
        "the constant ½ of the KL": lambda *_: 0.5,
    },
    known={
        "With q the prior and one morning without birds, -e^½": ([0], 0.0, 1.0),
        "With q the prior and one bird, where T μ = 0 and log 1! = 0, -e^½": ([1], 0.0, 1.0),
        "With q the prior and two birds, -e^½ - log 2!": ([2], 0.0, 1.0),
        "With q the prior and two mornings without birds, -2e^½": ([0, 0], 0.0, 1.0),
        "With q the prior and two mornings of two birds, -2e^½ - 2 log 2!": ([2, 2], 0.0, 1.0),
        "With μ = 1, where the KL is ½, and one bird, 1 - e^(3/2) - ½": ([1], 1.0, 1.0),
        "With μ = 2, where the KL is 2, and one bird, 2 - e^(5/2) - 2": ([1], 2.0, 1.0),
        "Two mornings of one bird share one KL term: 2 - 2e^(3/2) - ½": ([1, 1], 1.0, 1.0),
        "With s = 2, where the KL is ½(4 - 1 - log 4), and no bird, -e² - 0.8069": (
            *([0], 0.0, 2.0),
        ),
    },
    properties=(
        never(
            "The bound never exceeds log p(x)",
            lambda value, counts, *_: value > _grid_posterior(counts, _FINE)[0] + 1e-6,
        ),
    ),
    hints=(
        "For one morning log p(x|z) = x z - e^z - log x!. Sum over the mornings first.",
        "Under q the mean of z is μ, and that of e^z is exp(μ + s²/2).",
        "The KL to the prior is that of the chapters, ½(s² + μ² - 1 - log s²).",
    ),
    because="The posterior has no closed form, but the bound of every Gaussian q has one.",
)


# -- task 3 ------------------------------------------------------------------------------------


def _log_joint(counts, points, *, prior=1.0, factorials=1.0, average=False):
    log_px_given_z = counts.sum() * points - len(counts) * np.exp(points)
    log_px_given_z = log_px_given_z - factorials * gammaln(counts + 1.0).sum()
    return log_px_given_z / (len(counts) if average else 1) + prior * log_normal(points, 0.0, 1.0)


def _grid_posterior(
    counts, points, *, widths=lambda points: trapezoid_grid(points).weights, **part
):
    """Evidence, mean and standard deviation; the keywords are there to break them."""
    log_joint = _log_joint(counts, points, **part)
    top = log_joint.max()
    mass = widths(points) * np.exp(log_joint - top)
    scale = mass.sum()
    mass = mass / scale
    mean = mass @ points
    return top + np.log(scale), mean, np.sqrt(mass @ (points - mean) ** 2)


_FINE = np.linspace(-12.0, 12.0, 24_001)
#: Fine in the middle, coarse outside, and with no point of symmetry.
_UNEVEN = 0.25 + np.sinh(np.linspace(-3.4, 3.3, 6001)) / 2


def _posterior_cases(rng):
    for n in (3, 1, 12):
        yield rng.poisson(np.exp(rng.normal(0.5, 0.5)), n) + 1, _UNEVEN
    yield np.zeros(4, int), _UNEVEN
    yield rng.poisson(7.0, 500), _UNEVEN


check_posterior = Function(
    homework,
    "The posterior on an uneven grid",
    oracle=_grid_posterior,
    cases=_posterior_cases,
    mistakes={
        "The points are not evenly spaced: each needs a width of its own.": (
            partial(_grid_posterior, widths=lambda points: points[1] - points[0])
        ),
        "The widths of the points are missing: an integral is a sum of values times widths.": (
            partial(_grid_posterior, widths=np.ones_like)
        ),
        "A point takes the whole step to its right; its width is half of that step and half of "
        "the one to its left.": partial(
            _grid_posterior, widths=lambda points: np.append(np.diff(points), 0)
        ),
        "The prior is missing: log p(x, z) = log p(x|z) + log p(z).": (
            partial(_grid_posterior, prior=0.0)
        ),
        "The log-probabilities of the mornings are averaged; independent mornings add.": (
            partial(_grid_posterior, average=True)
        ),
        "The log x! is missing: it cancels in the posterior but not in the evidence.": (
            partial(_grid_posterior, factorials=0.0)
        ),
        "The last value is the variance; the standard deviation is its square root.": (
            changed(_grid_posterior, 2, lambda value, *_: value[2] ** 2)
        ),
        "The second value is the mode; the mean is asked for.": changed(
            _grid_posterior,
            1,
            lambda value, counts, points: points[_log_joint(counts, points).argmax()],
        ),
        "The first value is p(x); its logarithm is asked for.": changed(
            _grid_posterior, 0, lambda value, *_: np.exp(value[0])
        ),
        "The first value is the maximum of the log-joint; the evidence is an integral over z.": (
            changed(_grid_posterior, 0, lambda value, *given: _log_joint(*given).max())
        ),
    },
    names=("log-evidence", "mean", "standard deviation"),
    known={
        "For one morning without birds": ([0], _UNEVEN),
        "For one morning with one bird": ([1], _UNEVEN),
        "For one morning with two birds, where log 2! counts": ([2], _UNEVEN),
        "For two mornings without birds": ([0, 0], _UNEVEN),
        "For two mornings, of two birds and one": ([2, 1], _UNEVEN),
        "For 500 mornings of 7 birds, whose probability underflows": (np.full(500, 7), _UNEVEN),
    },
    hints=(
        "In the trapezoid rule the width of a point is half of the step to its left plus half of "
        "that to its right; trapezoid_grid(points).weights are these widths.",
        "The product over 500 mornings underflows. Subtract the largest log before exp.",
        "log p(x) is that largest log plus the log of the sum of widths times exp(difference).",
    ),
    because="In one dimension a grid is accurate enough to judge any approximation.",
    rtol=1e-5,
    atol=1e-7,
)


# -- task 4 ------------------------------------------------------------------------------------


def _encode(params, totals):
    """Input of the encoder, and the mean and std that it gives: all (B,)."""
    u = np.log1p(totals)
    return u, params[0] * u + params[1], np.exp(params[2] * u + params[3])


def _map_gradient(params, totals, n_days, *, factor=lambda std: 1.0, inputs=np.asarray,
                  gather=np.mean, convexity=1.0, prior=1.0, entropy=1.0):  # fmt: skip
    """Gradient in the four parameters of the encoder, (4,); the keywords break it."""
    u, mean, std = _encode(params, totals)
    rate = n_days * np.exp(mean + convexity * std**2 / 2)
    by_mean = totals - rate - prior * mean
    by_log_std = factor(std) * (-convexity * rate * std**2 - prior * std**2 + entropy)
    u = inputs(u)
    return gather(np.stack([by_mean * u, by_mean, by_log_std * u, by_log_std]), axis=1)


def _gradient_cases(rng):
    for n_ponds, n_days in [(6, 5), (1, 2), (40, 10)]:
        totals = rng.poisson(n_days * np.exp(rng.normal(0, 1, n_ponds))) + 1
        yield np.array([0.7, -1.0, -0.3, -0.2]) + rng.normal(0, 0.1, 4), totals, n_days
    yield np.zeros(4), np.array([0, 3]), 4


def _map_bound(params, totals, n_days):
    _, mean, std = _encode(params, totals)
    fit = totals * mean - n_days * np.exp(_log_mean_rate(mean, std))
    return np.mean(fit - kl_normal(mean, std))


_ZERO = [0.0, 0.0, 0.0, 0.0]


check_gradient = Function(
    homework,
    "Amortised inference for all ponds",
    oracle=_map_gradient,
    cases=_gradient_cases,
    mistakes={
        "That is the sum over the ponds; the objective is the average.": (
            partial(_map_gradient, gather=np.sum)
        ),
        "For c and d you used derivatives in s; the encoder gives log s, so multiply by s.": (
            partial(_map_gradient, factor=lambda std: 1 / std)
        ),
        "For c and d you used derivatives in log s²; the encoder gives log s: multiply by 2.": (
            partial(_map_gradient, factor=lambda std: 0.5)
        ),
        "The chain rule is incomplete: for a and c the derivatives are multiplied by u.": (
            partial(_map_gradient, inputs=np.ones_like)
        ),
        "The s²/2 in the exponent is missing: the mean of e^z is larger than e^μ.": (
            partial(_map_gradient, convexity=0.0)
        ),
        "The prior is missing: it contributes -μ, and -s² to the derivative in log s.": (
            partial(_map_gradient, prior=0.0)
        ),
        "The entropy is missing: it contributes 1 to the derivative in log s.": (
            partial(_map_gradient, entropy=0.0)
        ),
    },
    known={
        "For θ = 0 and no bird, where ∂/∂b = ∂/∂d = -e^½ and u = 0, the gradient": (
            *(_ZERO, [0], 1),
        ),
        "For one bird, where ∂/∂b = 1 - e^½ and ∂/∂a = log 2 · ∂/∂b, the gradient": (
            *(_ZERO, [1], 1),
        ),
        "For two mornings, which double the rate, the gradient": (_ZERO, [0], 2),
        "For b = 1, so that μ = 1 and ∂/∂b = -e^(3/2) - 1, the gradient": (
            *([0.0, 1.0, 0.0, 0.0], [0], 1),
        ),
        "For d = log 2, so that s = 2 and ∂/∂d = 1 - 4 - 4e², the gradient": (
            *([0.0, 0.0, 0.0, np.log(2.0)], [0], 1),
        ),
        "For a = 1 and one bird, so that μ = log 2, the gradient": (
            *([1.0, 0.0, 0.0, 0.0], [1], 1),
        ),
        "Two equal ponds have the gradient of one: it": (_ZERO, [1, 1], 1),
    },
    properties=(
        slope_of(_map_bound, words="It must be the gradient of the average bound"),
        twice("If every pond occurs twice, the gradient may not change", 1),
    ),
    hints=(
        "Differentiate the bound of one pond with respect to μ and to log s, with s² = exp(2 log "
        "s).",
        "In μ it is T - n exp(μ + s²/2) - μ, in log s it is -n s² exp(μ + s²/2) - s² + 1.",
        "Since μ = a u + b, the derivative in a is that in μ times u, and in b it is that in μ.",
    ),
    because="All ponds share four parameters, so their gradients are averaged.",
)


# -- task 5 ------------------------------------------------------------------------------------


def _maxima(means, bounds):
    """The bound of each local maximum, and how many starts end there."""
    _, first, counts = np.unique(np.round(means, 3), return_index=True, return_counts=True)
    return bounds[first], counts


def _read_climbs(means, bounds, *, maxima=_maxima, keep=lambda heights, counts: heights.max()):
    """The bound that is kept, the probability of its mode, and the bound of the mixture."""
    heights, counts = maxima(means, bounds)
    kept, together = keep(heights, counts), logsumexp(heights)
    return kept, np.exp(kept - together), together


def _share_of_starts(value, means, bounds):
    heights, counts = _maxima(means, bounds)
    return counts[heights.argmax()] / counts.sum()


def _without_entropy(value, means, bounds):
    heights, _ = _maxima(means, bounds)
    return softmax(heights) @ heights


def _climb_cases(rng):
    for heights, starts in [
        (rng.uniform(-5.0, -3.0, 2), [1, 6]),
        (rng.uniform(-2.0, 0.5, 3), [2, 9, 4]),
        (rng.uniform(-3.0, -2.0, 1), [5]),
        (np.full(2, rng.uniform(-4.0, -2.0)), [3, 2]),  # mirror images, equally high
        (-2000.0 + rng.uniform(0.0, 2.0, 2), [2, 7]),
    ]:
        # Most starts never end at the best maximum, and once not at the worst one either.
        heights = np.sort(np.round(heights, 3))[::-1]
        places = np.round(2.5 * np.arange(len(heights)) - rng.uniform(1, 2), 3)  # none at 0
        end = rng.permutation(np.repeat(np.arange(len(heights)), starts))
        yield places[end] + rng.uniform(-1e-7, 1e-7, end.size), heights[end]


check_climbs = Function(
    homework,
    "A fit to one of two modes",
    oracle=_read_climbs,
    cases=_climb_cases,
    mistakes={
        "You took the maximum that most starts reach; take the one with the highest bound. How "
        "many starts end somewhere depends only on where they began.": partial(
            _read_climbs, keep=lambda heights, counts: heights[counts.argmax()]
        ),
        "The probability of a mode is not its fraction of the starts: weight by exp(bound).": (
            changed(_read_climbs, 1, _share_of_starts)
        ),
        "Each start is counted as a mode, but results with the same mean are the same maximum.": (
            partial(_read_climbs, maxima=lambda means, bounds: (bounds, None))
        ),
        "Maxima with equal bounds are taken for one: tell them apart by their means.": (
            partial(_read_climbs, maxima=lambda _, bounds: (np.unique(np.round(bounds, 3)), None))
        ),
        "The entropy of the weights is missing: the mixture's bound is Σ π (L - log π).": (
            changed(_read_climbs, 2, _without_entropy)
        ),
        "That averages exp(L) over the modes; it must be their sum.": changed(
            _read_climbs, 2, lambda value, *given: value[2] - np.log(len(_maxima(*given)[0]))
        ),
        "You took the lowest bound; a bound is to be maximised.": partial(
            _read_climbs, keep=lambda heights, counts: heights.min()
        ),
    },
    names=("best bound", "probability of its mode", "bound of the mixture"),
    known={
        "With one start, of bound -2": ([1.0], [-2.0]),
        "With two starts that end at the same maximum": ([1.0, 1.0], [-2.0, -2.0]),
        "With two equally high maxima": ([-1.0, 1.0], [-2.0, -2.0]),
        "With two maxima of bounds log 1 and log 3": ([-1.0, 1.0], [0.0, np.log(3.0)]),
        "With three starts, two of which end at the lower maximum": (
            *([-1.0, -1.0, 1.0], [0.0, 0.0, np.log(3.0)]),
        ),
        "With means 1.21 and 1.23, which are two maxima": ([1.21, 1.23], [0.0, np.log(3.0)]),
        "With means 1.21 and 1.2104, which are one maximum": ([1.21, 1.2104], [-2.0, -2.0]),
        "With bounds of -2000, whose exp underflows": ([-1.0, 1.0], [-2000.0, -2000.0]),
    },
    properties=(
        related(
            "A constant added to all bounds adds to both bounds and leaves the probability",
            lambda means, bounds: (means, bounds + 7),
            lambda value, *_: (value[0] + 7, value[1], value[2] + 7),
        ),
    ),
    hints=(
        "First keep each maximum once: np.unique of the rounded means, with return_index=True.",
        "Near mode k the mixture is π times one Gaussian, so its log is log π + log q. Take the "
        "expectation of this.",
        "The bound of the mixture is Σ π (L - log π). It is largest for π proportional to exp(L), "
        "where it is the log of Σ exp(L), which scipy.special.logsumexp computes.",
    ),
    because="Ignoring the other modes lowers the bound by -log of the probability of this one.",
)
