"""Checks of the homework on mixtures of Gaussians."""

import numpy as np

from vaebook.checks.core import Choice, Function, Homework, every_bug
from vaebook.checks.properties import normalised, rows, slope_of
from vaebook.gaussians import log_normal
from vaebook.mixture import GaussianMixture

homework = Homework("Mixture of Gaussians")
report = homework.report


def _draw_mixture(rng, n_bells):
    """Weights, means and stds of bells that lie neither on top of nor far from each other."""
    weights = rng.dirichlet(np.full(n_bells, 3.0))
    return weights, rng.normal(0, 3, n_bells), rng.uniform(0.4, 2.5, n_bells)


# -- task 1 ------------------------------------------------------------------------------------

check_sensor = Choice(
    homework,
    "Which readings come from a fault",
    right="b",
    mistakes={
        "a": "At 1 the good bell is still at 0.61 of its top. The faulty bell is ten times wider, "
        "so ten times lower, and has a ninth of the weight.",
        "c": "Halfway between the two stds the good bell is at exp(-15) of its top. The faulty "
        "bell took over long before.",
        "d": "At 10 the good bell is at exp(-50) of its top. Compare the heights of the bells.",
        "e": "The prior is 9 to 1. The evidence grows with the square of x and beats any prior.",
    },
    hints=(
        "Which curve is higher at x: 0.9 times the narrow bell, or 0.1 times the wide one?",
        "The heights are equal where 0.9 exp(-x²/2) = 0.1 exp(-x²/200) / 10.",
        "Take logs: x² (1/2 - 1/200) = log 90. How large is log 90, about?",
    ),
    because="The two are equally likely where x²/2 · 0.99 = log 90, at |x| = 3.015.",
)


# -- task 2 ------------------------------------------------------------------------------------


def _slope(x, weights, means, stds):
    r = GaussianMixture(weights, means, stds).responsibilities(x)
    return (r * (means - x[:, None]) / stds**2).sum(axis=1)


def _slope_cases(rng):
    for n_bells, n_points in [(2, 5), (3, 1), (1, 4)]:
        weights, means, stds = _draw_mixture(rng, n_bells)
        yield rng.normal(0, 4, n_points), weights, means, stds
    yield np.array([-400.0, 450.0]), weights, means, stds


def _slope_of_density(x, weights, means, stds):
    p = np.exp(GaussianMixture(weights, means, stds).log_prob(x))
    return p * _slope(x, weights, means, stds)


_ONE, _TWINS = ([1.0], [0.0], [1.0]), ([0.3, 0.7], [0.0, 0.0], [1.0, 1.0])
_PAIR = [0.5, 0.5], [-1.0, 1.0], [1.0, 1.0]


check_slope = Function(
    homework,
    "The slope of the log-density",
    oracle=_slope,
    cases=_slope_cases,
    mistakes={
        "Weights λ stand where responsibilities belong: which bell pulls depends on x.": (
            lambda x, weights, means, stds: (weights * (means - x[:, None]) / stds**2).sum(axis=1)
        ),
        "The sign is the wrong way round: left of a lone bell's mean the curve rises.": (
            lambda x, weights, means, stds: -_slope(x, weights, means, stds)
        ),
        "The distance is divided by σ; the derivative of (x - μ)²/2σ² leaves σ² below.": (
            lambda x, weights, means, stds: (
                GaussianMixture(weights, means, stds).responsibilities(x)
                * (means - x[:, None])
                / stds
            ).sum(axis=1)
        ),
        "That is the slope of p(x), not of log p(x): divide by p(x).": _slope_of_density,
        "That is the slope of one bell with the mean and variance of all of them.": (
            lambda x, weights, means, stds: (
                (weights @ means - x) / (weights @ (stds**2 + means**2) - (weights @ means) ** 2)
            )
        ),
    },
    known={
        "One component N[0, 1] pulls x = 1 to 0: the slope -x": ([1.0], *_ONE),
        "One component N[0, 2²] pulls x = 1 with -x/σ², which": ([1.0], [1.0], [0.0], [2.0]),
        "Two equal components on top of each other are one: the slope at 1": ([1.0], *_TWINS),
        "Halfway between two equal components the pulls cancel: the slope": ([0.0], *_PAIR),
        "At x = 1 between means ±1 the responsibilities are 0.119 and 0.881: -2r₀": ([1.0], *_PAIR),
        "At x = 0 with weights ¼ and ¾ these are the responsibilities: r₁ - r₀": (
            *([0.0], [0.25, 0.75], [-1.0, 1.0], [1.0, 1.0]),
        ),
        "At x = 400 p(x) underflows, the slope does not: it": ([400.0], *_TWINS),
    },
    properties=(
        rows(0),
        slope_of(
            lambda *given: GaussianMixture(*given[1:]).log_prob(given[0]).sum(),
            words="The slope of log p(x)",
        ),
    ),
    hints=(
        "The derivative of log p is p'(x)/p(x), and p is a sum: differentiate term by term.",
        "The derivative of a normal density is the density itself times (μ - x)/σ².",
        "Each term is now λ N_x[μ, σ²] / p(x) times (μ - x)/σ². What is the first factor called?",
    ),
    because="Each bell pulls with the strength (μ - x)/σ² of a spring, by its share r.",
)


# -- task 3 ------------------------------------------------------------------------------------


def _count(n_bells, dimension, covariance):
    one = {
        "full": dimension * (dimension + 1) // 2,
        "diagonal": dimension,
        "round": 1,
    }[covariance]
    return float(n_bells - 1 + n_bells * dimension + n_bells * one)


def _count_cases(rng):
    for covariance in ["full", "diagonal", "round"]:
        for n_bells, dimension in [(3, 1), (1, 4), (int(rng.integers(2, 20)), 784)]:
            yield n_bells, dimension, covariance


check_count = Function(
    homework,
    "The number of free numbers",
    oracle=_count,
    cases=_count_cases,
    mistakes={
        "The weights sum to one, so the last of them is not free.": (
            lambda n_bells, dimension, covariance: _count(n_bells, dimension, covariance) + 1
        ),
        "A covariance is symmetric: D(D + 1)/2 of its D² entries are free.": (
            lambda n_bells, dimension, covariance: (
                _count(n_bells, dimension, covariance)
                + (covariance == "full") * n_bells * dimension * (dimension - 1) // 2
            )
        ),
        "The diagonal of a full covariance is missing: D(D + 1)/2, not D(D - 1)/2.": (
            lambda n_bells, dimension, covariance: (
                _count(n_bells, dimension, covariance)
                - (covariance == "full") * n_bells * dimension
            )
        ),
        "The means are missing: D numbers for each bell.": (
            lambda n_bells, dimension, covariance: (
                _count(n_bells, dimension, covariance) - n_bells * dimension
            )
        ),
        "A mean has D numbers, one for each coordinate; you counted one for each bell.": (
            lambda n_bells, dimension, covariance: (
                _count(n_bells, dimension, covariance) - n_bells * (dimension - 1)
            )
        ),
        "Every bell has a covariance of its own; you counted one for all of them.": (
            lambda n_bells, dimension, covariance: (
                _count(n_bells, dimension, covariance)
                - (n_bells - 1) * (_count(1, dimension, covariance) - dimension)
            )
        ),
    },
    terms={
        "the weights, N - 1": lambda n_bells, dimension, covariance: n_bells - 1,
        "the means, N D": lambda n_bells, dimension, covariance: n_bells * dimension,
        "the covariances": lambda n_bells, dimension, covariance: (
            n_bells * (_count(1, dimension, covariance) - dimension)
        ),
    },
    known={
        "One component over one variable has a mean and a variance: the count": (1, 1, "round"),
        "A second one brings 3 more, since one weight is free: the count": (2, 1, "round"),
        "In 3 dimensions a round one has 3 + 1: the count": (1, 3, "round"),
        "In 3 dimensions a diagonal one has 3 + 3: the count": (1, 3, "diagonal"),
        "In 2 dimensions a full one has 2 + 3: the count": (1, 2, "full"),
        "In 3 dimensions a full one has 3 + 6: the count": (1, 3, "full"),
        "Two full ones in 2 dimensions have 2 (2 + 3) and a weight: the count": (2, 2, "full"),
    },
    hints=(
        "Count three things apart: weights, means, covariances.",
        "For N = 3 and D = 1 all three kinds give 3·3 - 1 = 8, the number of the chapter.",
        "A symmetric D by D matrix is fixed by its diagonal and what lies above it.",
    ),
    because="Ten full bells over 784 pixels need 3,085,049 numbers, nearly all in the covariances.",
)


# -- task 4 ------------------------------------------------------------------------------------


def _shares(x, z, weights, means, stds):
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
    return _refit(x, _shares(x, z, weights, means, stds))


def _labelled_cases(rng):
    for n_bells, n_points in [(2, 12), (3, 40), (4, 25)]:
        weights, means, stds = _draw_mixture(rng, n_bells)
        x, z = GaussianMixture(weights, means, stds).sample(n_points, rng=rng)
        z[: 2 * n_bells] = np.tile(np.arange(n_bells), 2)  # two each: one alone has no spread
        x[:n_bells] += 1.0
        z[2 * n_bells :] = -1
        weights, means, stds = _draw_mixture(rng, n_bells)
        yield x, z, weights, means, stds + 2.0  # wide: no bell is left with one point


def _without_labels(x, z, weights, means, stds):
    return _refit(x, GaussianMixture(weights, means, stds).responsibilities(x))


def _only_labels(x, z, weights, means, stds):
    known = z >= 0
    return _refit(x[known], np.eye(len(weights))[z[known]])


def _hard(x, z, weights, means, stds):
    r = _shares(x, z, weights, means, stds)
    return _refit(x, np.eye(len(weights))[r.argmax(axis=1)])


def _variances(x, z, weights, means, stds):
    new_weights, new_means, new_stds = _labelled_step(x, z, weights, means, stds)
    return new_weights, new_means, new_stds**2


def _old_means(x, z, weights, means, stds):
    return _refit(x, _shares(x, z, weights, means, stds), about=means)


def _totals(x, z, weights, means, stds):
    new_weights, new_means, new_stds = _labelled_step(x, z, weights, means, stds)
    return new_weights * len(x), new_means, new_stds


check_labelled_step = Function(
    homework,
    "EM when a few labels are known",
    oracle=_labelled_step,
    cases=_labelled_cases,
    mistakes={
        "The labels are not used: where z is known, the row of r is 1 for that bell, else 0.": (
            _without_labels
        ),
        "Only the labelled points are used: the others count, too, by their responsibilities.": (
            _only_labels
        ),
        "Each point goes to its likeliest bell as a whole; EM splits it by its responsibilities.": (
            _hard
        ),
        "The last value is the variance; the standard deviation, its root, is asked.": _variances,
        "The spread is measured about the old means; the M-step takes the new ones.": _old_means,
        "The weights are the totals R; divide them by the number of points.": _totals,
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
        "No label known and weights ¼ and ¾, which the responsibilities contain": (
            *([0.0, 1.0, 4.0], [-1, -1, -1], [0.25, 0.75], [0.0, 3.0], [1.0, 1.0]),
        ),
    },
    hints=(
        "Only the E-step changes: what is p(z = n) for a point whose z was told to you?",
        "Compute r for all points as the chapter does; then overwrite the rows where z >= 0.",
        "np.eye(N)[z[known]] has a row for each known z, with a single 1 at place z.",
    ),
    because="A label is a responsibility of which one is sure. The M-step needs no change at all.",
)


# -- task 5 ------------------------------------------------------------------------------------


def _log_prob(x, weights, means, stds):
    return GaussianMixture(weights, means, stds).log_prob(x)


def _log_prob_cases(rng):
    for n_bells, n_points in [(2, 3), (3, 6)]:
        weights, means, stds = _draw_mixture(rng, n_bells)
        yield rng.normal(0, 4, n_points), weights, means, stds
    # One point so far out that its density is far below all that a float can hold.
    yield np.array([means[0], 400.0 * stds.max()]), weights, means, stds


_BUGS = {
    "constant": "The constant -½ log 2π of each normal density is lost: no area is 1.",
    "weighting": "λ multiplies a density, so log λ is added to its logarithm.",
    "top": "One maximum is taken over all points; a far point then underflows: one for each row.",
}


def _friend(x, weights, means, stds, *, left):
    """The friend's function with only the bugs named in `left` still in it."""
    a = log_normal(x[:, None], means, stds) + 0.5 * np.log(2 * np.pi) * ("constant" in left)
    a = weights * a if "weighting" in left else np.log(weights) + a
    top = a.max() if "top" in left else a.max(axis=1, keepdims=True)
    return np.log(np.exp(a - top).sum(axis=1)) + np.ravel(top)


check_repair = Function(
    homework,
    "Three bugs in a log-density",
    oracle=_log_prob,
    cases=_log_prob_cases,
    mistakes=every_bug(_friend, _BUGS),
    known={
        "One component N[0, 1] at 0: -½ log 2π": ([0.0], *_ONE),
        "One component N[0, 1] at 1: -½ - ½ log 2π": ([1.0], *_ONE),
        "One component N[0, 2²] at 0: -log 2 - ½ log 2π": ([0.0], [1.0], [0.0], [2.0]),
        "One component N[0, 2²] at 2: -½ - log 2 - ½ log 2π": ([2.0], [1.0], [0.0], [2.0]),
        "Two equal components on top of each other are one: at 0 -½ log 2π": ([0.0], *_TWINS),
        "Halfway between N[-1, 1] and N[1, 1], -½ - ½ log 2π": ([0.0], *_PAIR),
        "At 1, log of ¼N[-1, 1] + ¾N[1, 1]": (*([1.0], [0.25, 0.75], [-1.0, 1.0], [1.0, 1.0]),),
        "Far out at 60, -1800 - ½ log 2π": ([60.0], *_ONE),
        "A near and a far point together, 0 and 60: log p": ([0.0, 60.0], *_TWINS),
    },
    properties=(
        rows(0),
        normalised(
            "The areas under p(x)",
            *(np.linspace(-20, 20, 4001), *map(np.array, _PAIR)),
            width=0.01,
        ),
    ),
    hints=(
        "Try one bell with weight 1, mean 0 and std 1 at x = 0. Its log-density is -0.919.",
        "Then two equal bells on top of each other, with weights ½ and ½: they are one bell.",
        "Then a point near the bells together with one at x = 200. What does exp(a - top) give?",
    ),
    because="A known answer, a case that changes nothing, an extreme one: three tests, three bugs.",
)
