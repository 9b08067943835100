"""Checks of the homework on mixtures of Gaussians."""

from functools import partial

import numpy as np

from vaebook.checks.core import Choice, Function, Homework, changed, every_bug
from vaebook.checks.properties import normalised, rows, slope_of
from vaebook.gaussians import log_normal
from vaebook.mixture import GaussianMixture

homework = Homework("Mixture of Gaussians")
report = homework.report


def _draw_mixture(rng, n_components):
    """Weights, means and stds of components that overlap in part."""
    weights = rng.dirichlet(np.full(n_components, 3.0))
    return weights, rng.normal(0, 3, n_components), rng.uniform(0.4, 2.5, n_components)


# -- task 1 ------------------------------------------------------------------------------------

check_sensor = Choice(
    homework,
    "Which readings come from a fault",
    right="b",
    mistakes={
        "a": "At 1 the narrow density still has 0.61 of its maximum. The wide one is ten times "
        "lower at 0 and has a ninth of the weight.",
        "c": "At 5.5 the narrow density has fallen to exp(-15) of its maximum: the wide component "
        "took over long before. Compare weight times density, not standard deviations.",
        "d": "At 10 the narrow density has fallen to exp(-50) of its maximum. Compare weight times "
        "density for the two components.",
        "e": "The prior odds are 9 to 1, but the log of the density ratio grows with the square of "
        "x, so far enough out it outweighs any prior.",
    },
    hints=(
        "Which is larger at x: 0.9 times the narrow density, or 0.1 times the wide one?",
        "The two are equal where 0.9 exp(-x²/2) = 0.1 exp(-x²/200) / 10.",
        "Take logarithms: x² (1/2 - 1/200) = log 90. How large is log 90, roughly?",
    ),
    because="The two responsibilities are equal where x²/2 · 0.99 = log 90, at |x| = 3.015.",
)


# -- task 2 ------------------------------------------------------------------------------------


def _slope(x, weights, means, stds, *, power=2):
    """The derivative; another power of the stds breaks it."""
    r = GaussianMixture(weights, means, stds).responsibilities(x)
    return (r * (means - x[:, None]) / stds**power).sum(axis=1)


def _slope_cases(rng):
    for n_components, n_points in [(2, 5), (3, 1), (1, 4)]:
        weights, means, stds = _draw_mixture(rng, n_components)
        yield rng.normal(0, 4, n_points), weights, means, stds
    yield np.array([-400.0, 450.0]), weights, means, stds


def _slope_of_density(x, weights, means, stds):
    p = np.exp(GaussianMixture(weights, means, stds).log_prob(x))
    return p * _slope(x, weights, means, stds)


_ONE, _TWINS = ([1.0], [0.0], [1.0]), ([0.3, 0.7], [0.0, 0.0], [1.0, 1.0])
_PAIR = [0.5, 0.5], [-1.0, 1.0], [1.0, 1.0]


check_slope = Function(
    homework,
    "The derivative of the log-density",
    oracle=_slope,
    cases=_slope_cases,
    mistakes={
        "Weights λ stand where responsibilities belong: a component's influence depends on x.": (
            lambda x, weights, means, stds: (weights * (means - x[:, None]) / stds**2).sum(axis=1)
        ),
        "The sign is wrong: to the left of a single component's mean the density rises.": (
            lambda x, weights, means, stds: -_slope(x, weights, means, stds)
        ),
        "The distance is divided by σ; the derivative of (x - μ)²/2σ² is (x - μ)/σ².": (
            partial(_slope, power=1)
        ),
        "That is the derivative of p(x), not of log p(x): divide by p(x).": _slope_of_density,
        "That is the derivative for one Gaussian with the mean and variance of the mixture.": (
            lambda x, weights, means, stds: (
                (weights @ means - x) / (weights @ (stds**2 + means**2) - (weights @ means) ** 2)
            )
        ),
    },
    known={
        "For one component N[0, 1] the derivative at x = 1 is -x: it": ([1.0], *_ONE),
        "For one component N[0, 2²] the derivative at x = 1 is -x/σ²: it": (
            *([1.0], [1.0], [0.0], [2.0]),
        ),
        "Two identical components are one: the derivative at 1": ([1.0], *_TWINS),
        "Halfway between two equal components the two terms cancel: their sum": ([0.0], *_PAIR),
        "At x = 1 between means ±1 the responsibilities are 0.119 and 0.881: -2r₀": ([1.0], *_PAIR),
        "At x = 0 with weights ¼ and ¾ these are the responsibilities: r₁ - r₀": (
            *([0.0], [0.25, 0.75], [-1.0, 1.0], [1.0, 1.0]),
        ),
        "At x = 400 p(x) underflows, its log-derivative does not: it": ([400.0], *_TWINS),
    },
    properties=(
        rows(0),
        slope_of(
            lambda *given: GaussianMixture(*given[1:]).log_prob(given[0]).sum(),
            words="It must be the derivative of log p(x)",
        ),
    ),
    hints=(
        "The derivative of log p is p'(x)/p(x), and p is a sum: differentiate it term by term.",
        "The derivative of a Gaussian density is the density itself times (μ - x)/σ².",
        "Each term is now λ N_x[μ, σ²] / p(x) times (μ - x)/σ². What is the first factor called?",
    ),
    because="It averages the components' own derivatives (μ - x)/σ², weighted by responsibility.",
)


# -- task 3 ------------------------------------------------------------------------------------


def _count(n_components, dimension, covariance):
    one = {
        "full": dimension * (dimension + 1) // 2,
        "diagonal": dimension,
        "spherical": 1,
    }[covariance]
    return float(n_components - 1 + n_components * dimension + n_components * one)


def _count_cases(rng):
    for covariance in ["full", "diagonal", "spherical"]:
        for n_components, dimension in [(3, 1), (1, 4), (int(rng.integers(2, 20)), 784)]:
            yield n_components, dimension, covariance


check_count = Function(
    homework,
    "The number of free parameters",
    oracle=_count,
    cases=_count_cases,
    mistakes={
        "The weights sum to one, so the last of them is not free.": (
            lambda n, d, kind: _count(n, d, kind) + 1
        ),
        "A covariance is symmetric: D(D + 1)/2 of its D² entries are free.": (
            lambda n, d, kind: _count(n, d, kind) + (kind == "full") * n * d * (d - 1) // 2
        ),
        "The diagonal of a full covariance is missing: D(D + 1)/2, not D(D - 1)/2.": (
            lambda n, d, kind: _count(n, d, kind) - (kind == "full") * n * d
        ),
        "The means are missing: D parameters for each component.": (
            lambda n, d, kind: _count(n, d, kind) - n * d
        ),
        "A mean has D entries, one for each dimension; you counted one for each component.": (
            lambda n, d, kind: _count(n, d, kind) - n * (d - 1)
        ),
        "Every component has a covariance of its own; you counted one for all of them.": (
            lambda n, d, kind: _count(n, d, kind) - (n - 1) * (_count(1, d, kind) - d)
        ),
    },
    terms={
        "the weights, N - 1": lambda n, d, kind: n - 1,
        "the means, N D": lambda n, d, kind: n * d,
        "the covariances": lambda n, d, kind: n * (_count(1, d, kind) - d),
    },
    known={
        "One component over one variable has a mean and a variance: the count": (1, 1, "spherical"),
        "A second one adds 3, since one weight is then free: the count": (2, 1, "spherical"),
        "In 3 dimensions a spherical one has 3 + 1: the count": (1, 3, "spherical"),
        "In 3 dimensions a diagonal one has 3 + 3: the count": (1, 3, "diagonal"),
        "In 2 dimensions one with full covariance has 2 + 3: the count": (1, 2, "full"),
        "In 3 dimensions one with full covariance has 3 + 6: the count": (1, 3, "full"),
        "In 2 dimensions two with full covariance have 2 (2 + 3) and one free weight: the count": (
            *(2, 2, "full"),
        ),
    },
    hints=(
        "Count three things separately: weights, means, covariances.",
        "For N = 3 and D = 1 all three kinds give 3·3 - 1 = 8, the count of the chapter.",
        "A symmetric D by D matrix is determined by its diagonal and the entries above it.",
    ),
    because="Ten full covariances over 784 pixels account for nearly all of 3,085,049 parameters.",
)


# -- task 4 ------------------------------------------------------------------------------------


def _responsibilities(x, z, weights, means, stds):
    r = GaussianMixture(weights, means, stds).responsibilities(x)
    known = z >= 0
    r[known] = np.eye(len(weights))[z[known]]
    return r


def _refit(x, r, *, about=None):
    total = r.sum(axis=0)
    means = r.T @ x / total
    about = means if about is None else about
    stds = np.sqrt((r * (x[:, None] - about) ** 2).sum(axis=0) / total)
    return total / len(x), means, stds


def _labelled_step(x, z, weights, means, stds):
    return _refit(x, _responsibilities(x, z, weights, means, stds))


def _labelled_cases(rng):
    for n_components, n_points in [(2, 12), (3, 40), (4, 25)]:
        weights, means, stds = _draw_mixture(rng, n_components)
        x, z = GaussianMixture(weights, means, stds).sample(n_points, rng=rng)
        # Two each: one alone has no variance.
        z[: 2 * n_components] = np.tile(np.arange(n_components), 2)
        x[:n_components] += 1.0
        z[2 * n_components :] = -1
        weights, means, stds = _draw_mixture(rng, n_components)
        yield x, z, weights, means, stds + 2.0  # wide: no component is left with one point


def _without_labels(x, z, weights, means, stds):
    return _refit(x, GaussianMixture(weights, means, stds).responsibilities(x))


def _only_labels(x, z, weights, means, stds):
    known = z >= 0
    return _refit(x[known], np.eye(len(weights))[z[known]])


def _hard(x, z, weights, means, stds):
    r = _responsibilities(x, z, weights, means, stds)
    return _refit(x, np.eye(len(weights))[r.argmax(axis=1)])


def _old_means(x, z, weights, means, stds):
    return _refit(x, _responsibilities(x, z, weights, means, stds), about=means)


check_labelled_step = Function(
    homework,
    "EM when a few labels are known",
    oracle=_labelled_step,
    cases=_labelled_cases,
    mistakes={
        "The labels are not used: where z is known, r is 1 for that component and 0 for others.": (
            _without_labels
        ),
        "Only the labelled points are used; the others count too, by their responsibilities.": (
            _only_labels
        ),
        "Each point is assigned wholly to its most probable component; EM divides it among all, "
        "in proportion to the responsibilities.": _hard,
        "The last value is the variance; its square root, the standard deviation, is asked for.": (
            changed(_labelled_step, 2, lambda value, *_: value[2] ** 2)
        ),
        "The variance is taken about the old means; the M-step uses the new ones.": _old_means,
        "The weights are the totals R; divide them by the number of points.": changed(
            _labelled_step, 0, lambda value, x, *_: value[0] * len(x)
        ),
    },
    names=("weights", "means", "stds"),
    known={
        "All labels known, 0 and 4 in component 0, 5 and 9 in component 1": (
            *([0.0, 4.0, 5.0, 9.0], [0, 0, 1, 1], *_PAIR),
        ),
        "All labels known, three in component 0, two in component 1": (
            *([0.0, 3.0, 6.0, 5.0, 9.0], [0, 0, 0, 1, 1], *_PAIR),
        ),
        "No label known, so that this is the ordinary EM step": (
            *([0.0, 1.0, 4.0], [-1, -1, -1], [0.5, 0.5], [0.0, 3.0], [1.0, 1.0]),
        ),
        "One label known, x = 4 in component 0": (
            *([0.0, 1.0, 4.0], [-1, -1, 0], [0.5, 0.5], [0.0, 3.0], [1.0, 1.0]),
        ),
        "One label known, x = 0 in component 1": (
            *([0.0, 1.0, 4.0], [1, -1, -1], [0.5, 0.5], [0.0, 3.0], [1.0, 1.0]),
        ),
        "No label known, and weights ¼ and ¾, which enter the responsibilities": (
            *([0.0, 1.0, 4.0], [-1, -1, -1], [0.25, 0.75], [0.0, 3.0], [1.0, 1.0]),
        ),
    },
    hints=(
        "Only the E-step changes: what is p(z = n) for a point whose z you have been told?",
        "Compute r for all points as in the chapter, then overwrite the rows where z >= 0.",
        "np.eye(N)[z[known]] has one row for each known z, with a single 1 in column z.",
    ),
    because="A label makes the responsibility 1 or 0; the M-step needs no change.",
)


# -- task 5 ------------------------------------------------------------------------------------


def _log_prob(x, weights, means, stds):
    return GaussianMixture(weights, means, stds).log_prob(x)


def _log_prob_cases(rng):
    for n_components, n_points in [(2, 3), (3, 6)]:
        weights, means, stds = _draw_mixture(rng, n_components)
        yield rng.normal(0, 4, n_points), weights, means, stds
    # One point so far out that its density is far below all that a float can hold.
    yield np.array([means[0], 400.0 * stds.max()]), weights, means, stds


_BUGS = {
    "constant": "The constant -½ log 2π of each Gaussian is missing: no density integrates to 1.",
    "weighting": "λ multiplies a density, so log λ is added to the log-density.",
    "top": "One maximum is taken over all points, so a far one underflows: take one for each row.",
}


def _colleagues(x, weights, means, stds, *, left):
    """The colleague's function with only the bugs named in `left` still in it."""
    a = log_normal(x[:, None], means, stds) + 0.5 * np.log(2 * np.pi) * ("constant" in left)
    a = weights * a if "weighting" in left else np.log(weights) + a
    top = a.max() if "top" in left else a.max(axis=1, keepdims=True)
    return np.log(np.exp(a - top).sum(axis=1)) + np.ravel(top)


check_repair = Function(
    homework,
    "Three bugs in a log-density",
    oracle=_log_prob,
    cases=_log_prob_cases,
    mistakes=every_bug(_colleagues, _BUGS),
    known={
        "One component N[0, 1] at 0: -½ log 2π": ([0.0], *_ONE),
        "One component N[0, 1] at 1: -½ - ½ log 2π": ([1.0], *_ONE),
        "One component N[0, 2²] at 0: -log 2 - ½ log 2π": ([0.0], [1.0], [0.0], [2.0]),
        "One component N[0, 2²] at 2: -½ - log 2 - ½ log 2π": ([2.0], [1.0], [0.0], [2.0]),
        "Two identical components are one: at 0, -½ log 2π": ([0.0], *_TWINS),
        "Halfway between N[-1, 1] and N[1, 1], -½ - ½ log 2π": ([0.0], *_PAIR),
        "At 1, log of ¼N[-1, 1] + ¾N[1, 1]": (*([1.0], [0.25, 0.75], [-1.0, 1.0], [1.0, 1.0]),),
        "Far out at 60, -1800 - ½ log 2π": ([60.0], *_ONE),
        "A near and a far point together, 0 and 60: log p": ([0.0, 60.0], *_TWINS),
    },
    properties=(
        rows(0),
        normalised(
            "The values of p(x) times the step of a grid",
            *(np.linspace(-20, 20, 4001), *map(np.array, _PAIR)),
            width=0.01,
        ),
    ),
    hints=(
        "Try one component with weight 1, mean 0 and std 1 at x = 0. Its log-density is -0.919.",
        "Then two identical components with weights ½ and ½, whose density is that of one.",
        "Then a point near the components together with one at x = 200. What is exp(a - top)?",
    ),
    because="Three tests, each with an answer known in advance, exposed the three bugs.",
)
