"""Checks of the homework on the variational approximation."""

from functools import partial

import numpy as np
from scipy.special import gammaln, logsumexp

from vaebook.checks.core import Choice, Function, Homework
from vaebook.checks.properties import never, related, slope_of
from vaebook.gaussians import log_normal
from vaebook.quadrature import trapezoid_grid

homework = Homework("Variational approximation")
report = homework.report


# -- task 1 ------------------------------------------------------------------------------------

check_wall = Choice(
    homework,
    "A posterior with a wall",
    right="c",
    mistakes={
        "a": "Two divergences agree where p is in the family itself. Is p a Gaussian?",
        "b": "Narrow is not enough. Every bell has some mass behind the wall, where log(q/p) is "
        "infinite.",
        "d": "The other way round: the average under q meets the place where p is zero.",
        "e": "The average under p never looks behind the wall: log p - log q is finite where p is.",
    },
    hints=(
        "Every Gaussian has some mass at z < 0. What is log(q/p) there?",
        "Now average log(p/q) under p. Which z does this average see?",
        "E_p[-log q] contains z and z² only, and the exponential density has both averages.",
    ),
    because="Reverse: infinite for each bell. Forward: mean 1 and std 1, those of the posterior.",
)


# -- task 2 ------------------------------------------------------------------------------------


def _count_bound(counts, mean, std, *, rate=None, n=None, factorials=1.0, kl=-1.0):
    """The bound of the count model; the keywords are there to break it."""
    rate = np.exp(mean + std**2 / 2) if rate is None else rate
    n = len(counts) if n is None else n
    price = 0.5 * (std**2 + mean**2 - 1 - 2 * np.log(std))
    fit = counts.sum() * mean - n * rate - factorials * gammaln(counts + 1.0).sum()
    return fit + kl * price


def _bound_cases(rng):
    for n in (4, 1, 9):
        mean = rng.normal(0.8, 0.5)
        yield rng.poisson(np.exp(mean), n) + 2, mean + 0.3, rng.uniform(0.2, 0.8)
    yield np.zeros(5, int), -1.5, 0.6
    yield np.array([2981, 3050]), 8.0, 0.02


def _bound_with(rate):
    """The bound with another mean of e^z, a function of (mean, std)."""
    return lambda counts, mean, std: _count_bound(counts, mean, std, rate=rate(mean, std))


_GRID = np.linspace(-12.0, 12.0, 24_001)


check_bound = Function(
    homework,
    "The bound of a count model",
    oracle=_count_bound,
    cases=_bound_cases,
    mistakes={
        "The mean of e^z is not e^μ: e^z is convex, so its mean is larger. Use the given fact.": (
            _bound_with(lambda mean, std: np.exp(mean))
        ),
        "The exponent is μ + s²/2; you have s² without the ½.": (
            _bound_with(lambda mean, std: np.exp(mean + std**2))
        ),
        "The exponent is μ + s²/2, with the variance; you have s/2.": (
            _bound_with(lambda mean, std: np.exp(mean + std / 2))
        ),
        "Each of the n days pays the rate e^z; you took it once.": partial(_count_bound, n=1),
        "The log x! of every day is missing. It does not move q, but it belongs to the bound.": (
            partial(_count_bound, factorials=0.0)
        ),
        "The KL to the prior is missing.": partial(_count_bound, kl=0.0),
        "The KL to the prior is added; it is a price, so it is subtracted.": (
            partial(_count_bound, kl=1.0)
        ),
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
        "With q = p and one morning without birds, -e^½": ([0], 0.0, 1.0),
        "With q = p and one bird, where T μ = 0 and log 1! = 0, -e^½": ([1], 0.0, 1.0),
        "With q = p and two birds, -e^½ - log 2!": ([2], 0.0, 1.0),
        "With q = p and two mornings without birds, -2e^½": ([0, 0], 0.0, 1.0),
        "With q = p and two mornings of two birds, -2e^½ - 2 log 2!": ([2, 2], 0.0, 1.0),
        "A mean of 1 costs ½: for one bird 1 - e^(3/2) - ½": ([1], 1.0, 1.0),
        "A mean of 2 costs 2: for one bird 2 - e^(5/2) - 2": ([1], 2.0, 1.0),
        "Two mornings of one bird each pay the prior once: 2 - 2e^(3/2) - ½": ([1, 1], 1.0, 1.0),
        "A std of 2 costs ½(4 - 1 - log 4): for no bird -e² - 0.8069": ([0], 0.0, 2.0),
    },
    properties=(
        never(
            "The bound never lies above log p(x)",
            lambda value, counts, *_: value > _grid_posterior(counts, _GRID)[0] + 1e-6,
        ),
    ),
    hints=(
        "log p(x|z) = x z - e^z - log x! for one day. Add up the days before you average over z.",
        "Under q the mean of z is μ, and that of e^z is exp(μ + s²/2).",
        "The KL to the prior is that of the chapters, ½(s² + μ² - 1 - log s²).",
    ),
    because="The posterior has no formula, and the bound of every Gaussian has one.",
)


# -- task 3 ------------------------------------------------------------------------------------


def _log_joint(counts, points, *, prior=1.0, factorials=1.0, average=False):
    log_px_given_z = counts.sum() * points - len(counts) * np.exp(points)
    log_px_given_z = log_px_given_z - factorials * gammaln(counts + 1.0).sum()
    return log_px_given_z / (len(counts) if average else 1) + prior * log_normal(points, 0.0, 1.0)


def _grid_posterior(counts, points, *, even=False, **part):
    """Evidence, mean and spread; the keywords are there to break them."""
    log_joint = _log_joint(counts, points, **part)
    top = log_joint.max()
    widths = points[1] - points[0] if even else trapezoid_grid(points).weights
    mass = widths * np.exp(log_joint - top)
    scale = mass.sum()
    mass = mass / scale
    mean = mass @ points
    return top + np.log(scale), mean, np.sqrt(mass @ (points - mean) ** 2)


#: Fine in the middle, coarse outside, and with no point of symmetry.
_UNEVEN = 0.25 + np.sinh(np.linspace(-3.4, 3.3, 6001)) / 2


def _posterior_cases(rng):
    for n in (3, 1, 12):
        yield rng.poisson(np.exp(rng.normal(0.5, 0.5)), n) + 1, _UNEVEN
    yield np.zeros(4, int), _UNEVEN
    yield rng.poisson(7.0, 500), _UNEVEN


def _posterior_with(change):
    return lambda counts, points: change(
        points, _log_joint(counts, points), *_grid_posterior(counts, points)
    )


check_posterior = Function(
    homework,
    "The posterior on an uneven grid",
    oracle=_grid_posterior,
    cases=_posterior_cases,
    mistakes={
        "The points are not evenly spaced: every one needs a width of its own.": (
            partial(_grid_posterior, even=True)
        ),
        "The prior is missing: log p(x, z) = log p(x|z) + log p(z).": (
            partial(_grid_posterior, prior=0.0)
        ),
        "The days are averaged; independent days add up their log-probabilities.": (
            partial(_grid_posterior, average=True)
        ),
        "The log x! is missing. The posterior does not see it, the evidence does.": (
            partial(_grid_posterior, factorials=0.0)
        ),
        "The last value is the variance; the standard deviation is its root.": (
            _posterior_with(lambda points, log_joint, *value: (*value[:2], value[2] ** 2))
        ),
        "The second value is the peak; the mean is asked.": _posterior_with(
            lambda points, log_joint, log_px, mean, std: (log_px, points[log_joint.argmax()], std)
        ),
        "The first value is p(x); its logarithm is asked.": _posterior_with(
            lambda points, log_joint, log_px, mean, std: (np.exp(log_px), mean, std)
        ),
        "The first value is the top of the log-joint; the evidence is an integral over all z.": (
            _posterior_with(lambda points, log_joint, log_px, *rest: (log_joint.max(), *rest))
        ),
    },
    names=("log-evidence", "mean", "standard deviation"),
    known={
        "For one morning without birds": ([0], _UNEVEN),
        "For one morning with one bird": ([1], _UNEVEN),
        "For one morning with two birds, of 2! orders": ([2], _UNEVEN),
        "For two mornings without birds": ([0, 0], _UNEVEN),
        "For two mornings, of two birds and one": ([2, 1], _UNEVEN),
        "For 500 mornings of 7 birds, whose probability underflows": (np.full(500, 7), _UNEVEN),
    },
    hints=(
        "The trapezoid rule: a point owns half of the step to its left and half of that to its "
        "right; trapezoid_grid(points).weights are these widths.",
        "500 days multiply to a number below all floats. Subtract the largest log before exp.",
        "log p(x) is that largest log, plus the log of the sum of width times exp(rest).",
    ),
    because="One dimension, 6,000 points: a grid is the truth by which a stand-in is judged.",
    rtol=1e-5,
    atol=1e-7,
)


# -- task 4 ------------------------------------------------------------------------------------


def _bell(params, totals):
    """Input of the map, and the mean and std that it gives: all (B,)."""
    u = np.log1p(totals)
    return u, params[0] * u + params[1], np.exp(params[2] * u + params[3])


def _slopes(params, totals, n_days, *, convexity=1.0, prior=1.0, entropy=1.0):
    """Derivatives of each station's bound by its mean and its log-std; keywords break it."""
    u, mean, std = _bell(params, totals)
    rate = n_days * np.exp(mean + convexity * std**2 / 2)
    by_mean = totals - rate - prior * mean
    by_log_std = -convexity * rate * std**2 - prior * std**2 + entropy
    return u, std, by_mean, by_log_std


def _map_gradient(
    params, totals, n_days, *, factor=lambda std: 1.0, inputs=np.asarray, gather=np.mean, **part
):
    """Gradient by the four numbers of the map, (4,); the keywords are there to break it."""
    u, std, by_mean, by_log_std = _slopes(params, totals, n_days, **part)
    u, by_log_std = inputs(u), factor(std) * by_log_std
    return gather(np.stack([by_mean * u, by_mean, by_log_std * u, by_log_std]), axis=1)


def _gradient_cases(rng):
    for n_stations, n_days in [(6, 5), (1, 2), (40, 10)]:
        totals = rng.poisson(n_days * np.exp(rng.normal(0, 1, n_stations))) + 1
        yield np.array([0.7, -1.0, -0.3, -0.2]) + rng.normal(0, 0.1, 4), totals, n_days
    yield np.zeros(4), np.array([0, 3]), 4


def _map_bound(params, totals, n_days):
    _, mean, std = _bell(params, totals)
    fit = totals * mean - n_days * np.exp(mean + std**2 / 2)
    return np.mean(fit - 0.5 * (std**2 + mean**2 - 1 - 2 * np.log(std)))


_ZERO = [0.0, 0.0, 0.0, 0.0]


check_gradient = Function(
    homework,
    "One map for all stations",
    oracle=_map_gradient,
    cases=_gradient_cases,
    mistakes={
        "You added the stations up; the objective is their average.": (
            partial(_map_gradient, gather=np.sum)
        ),
        "These are derivatives by s; the map gives log s, so multiply by s.": (
            partial(_map_gradient, factor=lambda std: 1 / std)
        ),
        "These are derivatives by log s²; the map gives log s, and log s² = 2 log s.": (
            partial(_map_gradient, factor=lambda std: 0.5)
        ),
        "The chain rule stops at μ and log s: for a and c their slopes are multiplied by u.": (
            partial(_map_gradient, inputs=np.ones_like)
        ),
        "The exponent s²/2 is forgotten: the mean rate e^z is larger than e^μ.": (
            partial(_map_gradient, convexity=0.0)
        ),
        "The prior is missing: it pulls with -μ, and with -s² at log s.": (
            partial(_map_gradient, prior=0.0)
        ),
        "The entropy is missing: log s has the slope 1 by log s.": (
            partial(_map_gradient, entropy=0.0)
        ),
    },
    known={
        "θ = 0, no bird: u = 0, μ = 0, s = 1; by b and d only, -e^½: the gradient": (
            *(_ZERO, [0], 1),
        ),
        "One bird, u = log 2: by b 1 - e^½, by a times u: the gradient": (_ZERO, [1], 1),
        "Two mornings double the rate: the gradient": (_ZERO, [0], 2),
        "b = 1, so μ = 1: by b -e^(3/2) - 1; the gradient": ([0.0, 1.0, 0.0, 0.0], [0], 1),
        "d = log 2, so s = 2: by d 1 - 4 - 4e²; the gradient": (
            *([0.0, 0.0, 0.0, np.log(2.0)], [0], 1),
        ),
        "a = 1 and one bird, so μ = log 2: the gradient": ([1.0, 0.0, 0.0, 0.0], [1], 1),
        "Two equal ponds have the gradient of one: it": (_ZERO, [1, 1], 1),
    },
    properties=(
        slope_of(_map_bound, words="The average bound"),
        related(
            "Each pond given twice changes nothing",
            lambda params, totals, n_days: (params, np.repeat(totals, 2), n_days),
        ),
    ),
    hints=(
        "First one station: differentiate its bound by μ, then by log s. (s² = exp(2 log s).)",
        "By μ: T - n exp(μ + s²/2) - μ. By log s: -n s² exp(μ + s²/2) - s² + 1.",
        "μ = a u + b. So the slope by a is the slope by μ times u, and by b it is the slope by μ.",
    ),
    because="Four numbers serve all stations; each station adds its pull to the same gradient.",
)


# -- task 5 ------------------------------------------------------------------------------------


def _hills(means, bounds):
    """The first start of each hill, and how many starts it has."""
    _, first, counts = np.unique(np.round(means, 3), return_index=True, return_counts=True)
    return bounds[first], counts


def _read_hills(heights, kept=None):
    """The hill that is kept, its share, and the bound of the mixture of all."""
    kept = heights.max() if kept is None else kept
    together = logsumexp(heights)
    return kept, np.exp(kept - together), together


def _read_climbs(means, bounds):
    return _read_hills(_hills(means, bounds)[0])


def _by_most_starts(means, bounds):
    heights, counts = _hills(means, bounds)
    return _read_hills(heights, heights[counts.argmax()])


def _by_counting(means, bounds):
    heights, counts = _hills(means, bounds)
    best, _, together = _read_hills(heights)
    return best, counts[heights.argmax()] / counts.sum(), together


def _lowest(means, bounds):
    heights, _ = _hills(means, bounds)
    return _read_hills(heights, heights.min())


def _no_entropy(means, bounds):
    heights, _ = _hills(means, bounds)
    best, share, together = _read_hills(heights)
    return best, share, np.exp(heights - together) @ heights


def _averaged_hills(means, bounds):
    heights, _ = _hills(means, bounds)
    best, share, together = _read_hills(heights)
    return best, share, together - np.log(len(heights))


def _climb_cases(rng):
    for heights, starts in [
        (rng.uniform(-5.0, -3.0, 2), [1, 6]),
        (rng.uniform(-2.0, 0.5, 3), [2, 9, 4]),
        (rng.uniform(-3.0, -2.0, 1), [5]),
        (np.full(2, rng.uniform(-4.0, -2.0)), [3, 2]),  # mirror images, equally high
        (-2000.0 + rng.uniform(0.0, 2.0, 2), [2, 7]),
    ]:
        # Most starts never end on the best hill, and once not on the worst one either.
        heights = np.sort(np.round(heights, 3))[::-1]
        places = np.round(2.5 * np.arange(len(heights)) - rng.uniform(1, 2), 3)  # none at 0
        hill = rng.permutation(np.repeat(np.arange(len(heights)), starts))
        yield places[hill] + rng.uniform(-1e-7, 1e-7, hill.size), heights[hill]


check_climbs = Function(
    homework,
    "A fit that fell into one mode",
    oracle=_read_climbs,
    cases=_climb_cases,
    mistakes={
        "Not the hill with most starts, the highest: starts say where you began, not where the "
        "posterior is.": _by_most_starts,
        "A share is not the fraction of the starts. Weigh the hills with exp(bound).": _by_counting,
        "Each start is counted as a hill: ends with the same mean are one hill.": (
            lambda means, bounds: _read_hills(bounds)
        ),
        "Hills of equal height are taken for one: tell them apart by their means.": (
            lambda means, bounds: _read_hills(np.unique(np.round(bounds, 3)))
        ),
        "The entropy of the weights is missing: the mixture's bound is Σ π (L - log π).": (
            _no_entropy
        ),
        "That averages exp(L) over the hills. They lie side by side, so it is their sum.": (
            _averaged_hills
        ),
        "A bound is to be high, not low: it is minus a loss.": _lowest,
    },
    names=("best bound", "share", "bound of the mixture"),
    known={
        "With one start, of bound -2": ([1.0], [-2.0]),
        "With two starts on one hill": ([1.0, 1.0], [-2.0, -2.0]),
        "With two equally high hills": ([-1.0, 1.0], [-2.0, -2.0]),
        "With two hills of bounds log 1 and log 3": ([-1.0, 1.0], [0.0, np.log(3.0)]),
        "With three starts, two of them on the lower hill": (
            *([-1.0, -1.0, 1.0], [0.0, 0.0, np.log(3.0)]),
        ),
        "With hills at 1.21 and 1.23, which are two": ([1.21, 1.23], [0.0, np.log(3.0)]),
        "With ends at 1.21 and 1.2104, which are one hill": ([1.21, 1.2104], [-2.0, -2.0]),
        "With bounds of -2000, whose exp underflows": ([-1.0, 1.0], [-2000.0, -2000.0]),
    },
    properties=(
        related(
            "A constant added to all bounds is added to both bounds, and leaves the share",
            lambda means, bounds: (means, bounds + 7),
            lambda value, *_: (value[0] + 7, value[1], value[2] + 7),
        ),
    ),
    hints=(
        "First sort the starts into hills: np.unique of the rounded means, with return_index=True.",
        "On hill k the mixture is π times one bell, so its log is log π + log q. Average this.",
        "The bound of the mixture is Σ π (L - log π). It is highest for π proportional to exp(L), "
        "and then it is the log of Σ exp(L); in logarithms: scipy.special.logsumexp.",
    ),
    because="The lost mode costs -log of the share of the one that was kept.",
)
