"""Checks of the homework on the reparameterization trick."""

import numpy as np

from vaebook.checks.core import Choice, Function, Homework, every_bug
from vaebook.checks.properties import average, related, row, rows

homework = Homework("The reparameterization trick")
report = homework.report


# -- task 1 ------------------------------------------------------------------------------------

check_sawtooth = Choice(
    homework,
    "A saw under the bell",
    right="c",
    mistakes={
        "a": "The truth is about 0. But each draw sits on a tooth, and a tooth has the slope 1.",
        "b": "The slope is 1 on each tooth, but a moving bell also crosses jumps, down by 1 each. "
        "The average of the saw stays near ½ wherever a wide bell stands.",
        "d": "It is the other way round: what is the slope at a draw, and what is the average?",
        "e": "Noise needs slopes that differ from draw to draw. Do they differ?",
    },
    hints=(
        "What is the derivative of z - floor(z) at z = 2.4? And at z = -0.9?",
        "The bell covers about six teeth. How large is the average of the saw under it, about?",
        "Move the bell by a quarter of a tooth. Does the average change?",
    ),
    because="All draws agree on 1; the jumps, which no draw meets, take it all back.",
)


# -- task 2 ------------------------------------------------------------------------------------


def _poisson_rows(values, counts, log_rate):
    return values * (counts - np.exp(log_rate))


def _poisson_cases(rng):
    for log_rate, n in [(rng.uniform(0.3, 1.5), 6), (rng.uniform(-2, -0.5), 9), (7.0, 3)]:
        counts = rng.poisson(np.exp(log_rate), n)
        counts[0] += 1
        yield rng.normal(0, 3, n), counts, float(log_rate)


def _log_poisson(counts, log_rate):
    log_factorial = np.array([np.log(np.arange(1, k + 1)).sum() for k in counts])
    return counts * log_rate - np.exp(log_rate) - log_factorial


_COUNTS = np.arange(40)


check_counts = Function(
    homework,
    "The score of a count",
    oracle=_poisson_rows,
    cases=_poisson_cases,
    mistakes={
        "That is the derivative by the rate r; by t = log r it takes one factor r more.": (
            lambda values, counts, log_rate: values * (counts / np.exp(log_rate) - 1)
        ),
        "log r is taken for r: exp(t) is the rate.": (
            lambda values, counts, log_rate: values * (counts - log_rate)
        ),
        "The factor exp(-r) of the probability depends on t, too: its logarithm is -exp(t).": (
            lambda values, counts, log_rate: values * counts
        ),
        "The score is the derivative of log p, not log p itself.": (
            lambda values, counts, log_rate: values * _log_poisson(counts, log_rate)
        ),
        "The score stands alone: each row multiplies it with a at that draw.": (
            lambda values, counts, log_rate: counts - np.exp(log_rate)
        ),
        "The derivative of p is not yet divided by p: an average under p needs that of log p.": (
            lambda values, counts, log_rate: (
                _poisson_rows(values, counts, log_rate) * np.exp(_log_poisson(counts, log_rate))
            )
        ),
    },
    terms={
        "a k": lambda values, counts, log_rate: values * counts,
        "-a r": lambda values, counts, log_rate: -values * np.exp(log_rate),
    },
    known={
        "For a = 1, k = 1 at the rate 1, k - r": ([1.0], [1], 0.0),
        "For a = 1, k = 3 at the rate 1, k - r": ([1.0], [3], 0.0),
        "For a = 1, k = 0 at the rate 1, k - r": ([1.0], [0], 0.0),
        "For a = 2, k = 3 at the rate 1, a (k - r)": ([2.0], [3], 0.0),
        "For a = 1, k = 3 at t = log 2, the rate 2, k - r": ([1.0], [3], np.log(2.0)),
        "For two draws, a = 1 and 2, k = 3 and 0 at the rate 1, the rows": (
            *([1.0, 2.0], [3, 0], 0.0),
        ),
    },
    properties=(
        rows(0, 1),
        average(
            "With a[k] = k² at the rate 1 the mean row, r + 2r²,",
            3.0,
            np.exp(_log_poisson(_COUNTS, 0.0)),
            *(_COUNTS**2.0, _COUNTS, 0.0),
        ),
    ),
    hints=(
        "Write log p(k) first. It has three terms, and one of them does not contain the rate.",
        "Now put r = exp(t) into it before you differentiate by t.",
        "The derivative of k t - exp(t) by t is the score. Its mean must be zero: is it?",
    ),
    because="The score is k - r: how many more came than are expected.",
)


# -- task 3 ------------------------------------------------------------------------------------


def _two_variances(mean, std):
    square = np.exp(2 * mean + std**2)  # of the gradient
    second = np.exp(2 * mean + 2 * std**2)  # E[exp(2 z)]
    return second - square, second * (1 + 4 * std**2) / std**2 - square


def _bell_cases(rng):
    for n in (1, 4):
        yield rng.normal(0, 1, n), rng.uniform(0.2, 1.4, n)
    yield np.array([-0.5, 2.0]), np.array([0.02, 2.0])


def _second_moments(mean, std):
    square = np.exp(2 * mean + std**2)
    path, score = _two_variances(mean, std)
    return path + square, score + square


def _without_shift(mean, std):
    square = np.exp(2 * mean + std**2)
    second = np.exp(2 * mean + 2 * std**2)
    return second - square, second / std**2 - square


check_variances = Function(
    homework,
    "Two variances for an exponential",
    oracle=_two_variances,
    cases=_bell_cases,
    mistakes={
        "These are the means of the squares; subtract the square of the mean.": _second_moments,
        "The two are exchanged: the pathwise variance comes first.": (
            lambda mean, std: _two_variances(mean, std)[::-1]
        ),
        "E[ε² exp(2sε)] is not 1 times E[exp(2sε)]: the exponential moves the bell to 2s.": (
            _without_shift
        ),
        "The score is ε/s; the s below it is lost in the second variance.": (
            lambda mean, std: (
                _two_variances(mean, std)[0],
                np.exp(2 * mean + 2 * std**2) * (1 + 4 * std**2) - np.exp(2 * mean + std**2),
            )
        ),
        "These are standard deviations; variances are asked.": (
            lambda mean, std: tuple(np.sqrt(one) for one in _two_variances(mean, std))
        ),
    },
    names=("pathwise variance", "score-function variance"),
    terms=(
        {
            "the mean of the square, e^(2μ + 2s²)": lambda mean, std: np.exp(2 * mean + 2 * std**2),
            "minus the square of the mean, e^(2μ + s²)": lambda mean, std: (
                -np.exp(2 * mean + std**2)
            ),
        },
        {
            "the 1/s² of the mean of the square": lambda mean, std: (
                np.exp(2 * mean + 2 * std**2) / std**2
            ),
            "the 4 of the mean of the square": lambda mean, std: 4 * np.exp(2 * mean + 2 * std**2),
            "minus the square of the mean": lambda mean, std: -np.exp(2 * mean + std**2),
        },
    ),
    known={
        "For μ = 0 and s = 1, e² - e and 5e² - e": ([0.0], [1.0]),
        "For μ = 0 and s = ½, e^½ - e^¼ and 8e^½ - e^¼": ([0.0], [0.5]),
        "For μ = 0 and s = 2, e⁸ - e⁴ and 17/4 e⁸ - e⁴": ([0.0], [2.0]),
        "For μ = 1 and s = 1 e² times those of μ = 0": ([1.0], [1.0]),
    },
    properties=(
        related(
            "A function e times as large has variances e² times as large",
            lambda mean, std: (mean + 1, std),
            lambda value, *_: tuple(np.exp(2) * one for one in value),
        ),
    ),
    hints=(
        "One integral does it all: E[exp(cε)] = exp(c²/2). Complete the square to see it.",
        "Completing the square says more: exp(cε) moves the bell of ε from 0 to c.",
        "So E[ε² exp(cε)] = exp(c²/2) (1 + c²): variance 1 and mean c. Here c = 2s.",
    ),
    because="For small s the first falls like s², the second grows like 1/s².",
    rtol=1e-5,
)


# -- task 4 ------------------------------------------------------------------------------------


def _roots(raw, dimension):
    """Lower triangular L (B, D, D): rows filled in order, exponential on the diagonal."""
    roots = np.zeros((len(raw), dimension, dimension))
    roots[:, *np.tril_indices(dimension)] = raw
    on = np.arange(dimension)
    roots[:, on, on] = np.exp(roots[:, on, on])
    return roots


def _log_density(eps, log_det, *, constant=True):
    """Log-density of z, from its noise and log |L|."""
    d = eps.shape[-1]
    return -0.5 * (eps**2).sum(-1) - 0.5 * d * np.log(2 * np.pi) * constant - log_det


def _log_det(raw, dimension):
    return np.log(np.diagonal(_roots(raw, dimension), axis1=1, axis2=2)).sum(-1)


def _full_draws(mean, raw, eps):
    d = mean.shape[1]
    z = mean + np.einsum("bij,sbj->sbi", _roots(raw, d), eps)
    return z, _log_density(eps, _log_det(raw, d))


def _full_cases(rng):
    for n_draws, n_points, d in [(3, 2, 2), (1, 4, 3), (4, 1, 5)]:
        size = n_points, d * (d + 1) // 2
        raw = rng.uniform(0.3, 0.8, size) * rng.choice([-1, 1], size)  # no bell without a width
        yield rng.normal(size=(n_points, d)), raw, rng.normal(size=(n_draws, n_points, d))


def _transposed(mean, raw, eps):
    d = mean.shape[1]
    z = mean + np.einsum("bji,sbj->sbi", _roots(raw, d), eps)
    return z, _full_draws(mean, raw, eps)[1]


def _raw_diagonal(mean, raw, eps):
    d = mean.shape[1]
    roots = np.zeros((len(raw), d, d))
    roots[:, *np.tril_indices(d)] = raw
    log_det = np.log(np.abs(np.diagonal(roots, axis1=1, axis2=2))).sum(-1)
    return mean + np.einsum("bij,sbj->sbi", roots, eps), _log_density(eps, log_det)


def _by_covariance(mean, raw, eps):
    roots = _roots(raw, mean.shape[1])
    z = mean + np.einsum("bij,bkj,sbk->sbi", roots, roots, eps)
    return z, _full_draws(mean, raw, eps)[1]


def _only_diagonal(mean, raw, eps):
    on = np.diagonal(_roots(raw, mean.shape[1]), axis1=1, axis2=2)
    return mean + on * eps, _full_draws(mean, raw, eps)[1]


def _with_log_det(factor, *, constant=True):
    def wrong(mean, raw, eps):
        log_det = factor * _log_det(raw, mean.shape[1])
        return _full_draws(mean, raw, eps)[0], _log_density(eps, log_det, constant=constant)

    return wrong


def _draw_of(mean, raw, eps):
    """Arguments of one draw for one data point."""
    mean, raw, eps = row(mean, raw, eps)
    return mean, raw, eps[None]


check_full_covariance = Function(
    homework,
    "A bell that leans",
    oracle=_full_draws,
    cases=_full_cases,
    mistakes={
        "L stands transposed: its rows belong to z, its columns to eps.": _transposed,
        "The diagonal of L is to be exp of the raw numbers, so that it is positive.": (
            _raw_diagonal
        ),
        "z is mean + L eps; you multiplied with the covariance L Lᵀ.": _by_covariance,
        "Only the diagonal of L moves z: the numbers below it are what makes the bell lean.": (
            _only_diagonal
        ),
        "The log-determinant is lost: a wide bell is low, log q takes - log |L|.": _with_log_det(0),
        "log |Σ| = 2 log |L|, and the density has ½ log |Σ|: log |L| is counted twice.": (
            _with_log_det(2)
        ),
        "The log-determinant has the wrong sign: a wide bell is low.": _with_log_det(-1),
        "The constant -½ D log 2π of log q is lost.": _with_log_det(1, constant=False),
    },
    names=("draws", "log-density"),
    terms=(
        {},
        {
            "the squares, -½εᵀε": lambda mean, raw, eps: -0.5 * (eps**2).sum(-1),
            "the constant, -½ D log 2π": lambda mean, raw, eps: np.full(
                eps.shape[:2], -0.5 * eps.shape[-1] * np.log(2 * np.pi)
            ),
            "the volume, -log |L|": lambda mean, raw, eps: np.broadcast_to(
                -_log_det(raw, mean.shape[1]), eps.shape[:2]
            ),
        },
    ),
    known={
        "In one dimension with L = 1 and mean 3, for eps = 2": _draw_of([3], [0], [2]),
        "In one dimension with L = 2, from raw = log 2, for eps = 1": (
            _draw_of([0], [np.log(2)], [1])
        ),
        "With L = ((1, 0), (3, 1)) and eps = (1, 0), the first column": (
            _draw_of([0, 0], [0, 3, 0], [1, 0])
        ),
        "With L = ((1, 0), (3, 1)) and eps = (0, 1), the second column": (
            _draw_of([0, 0], [0, 3, 0], [0, 1])
        ),
        "With L = ((2, 0), (0, 3)), of volume 6, and eps = (1, 1)": (
            _draw_of([0, 0], [np.log(2), 0, np.log(3)], [1, 1])
        ),
        "In three dimensions with raw = 0, 1, 0, 2, 3, 0 row by row and eps = (1, 1, 0)": (
            _draw_of([0, 0, 0], [0, 1, 0, 2, 3, 0], [1, 1, 0])
        ),
    },
    hints=(
        "L = np.zeros((B, D, D)); rows, columns = np.tril_indices(D); L[:, rows, columns] = raw.",
        'One z is mean + L @ eps. For all of them: np.einsum("bij,sbj->sbi", L, eps).',
        "log q(z) is log N[0, I] at eps, minus log |L|; |L| is the product of the diagonal.",
    ),
    because="Any raw numbers give a valid covariance; the density needs no inverse of it.",
)


# -- task 5 ------------------------------------------------------------------------------------


def _gradients(x, mean, log_var, eps, *, left=()):
    """Gradients of the negative bound, with the bugs named in `left`."""
    std = np.exp(0.5 * log_var)
    slope = x - (mean + std * eps)  # (S, B), of log p(x|z) by z
    by_mean = -slope + (0 if "kl" in left else mean)
    by_log_var = 0.5 * (std**2 - 1) - (0 if "draw" in left else slope * eps * std / 2)
    gather = np.sum if "sum" in left else np.mean
    shape = np.broadcast_shapes(eps.shape, by_mean.shape)
    return tuple(gather(np.broadcast_to(one, shape), axis=0) for one in (by_mean, by_log_var))


def _gradient_cases(rng):
    for n_draws, n_points in [(2, 3), (5, 4), (3, 1)]:
        x, mean, log_var = rng.normal(0, 1.5, (3, n_points))
        yield x, mean, log_var, rng.normal(size=(n_draws, n_points))


_BUGS = {
    "draw": "The std in the draw is still detached: the reconstruction never moves log_var.",
    "kl": "The mean in the KL is still cut off by .data: the prior does not pull at it.",
    "sum": "Each backward adds to .grad: S draws give a sum, and the bound has their average.",
}


check_cut = Function(
    homework,
    "Where the graph is cut",
    oracle=_gradients,
    cases=_gradient_cases,
    mistakes=every_bug(_gradients, _BUGS),
    names=("gradient by mean", "gradient by log_var"),
    terms=(
        {
            "the pull of the data, z - x": lambda x, mean, log_var, eps: (
                mean + np.exp(0.5 * log_var) * eps - x
            ).mean(axis=0),
            "the pull of the prior, μ": lambda x, mean, log_var, eps: mean,
        },
        {
            "the pull of the data through the draw, ½(z - x) s ε": lambda x, mean, log_var, eps: (
                0.5 * (mean + np.exp(0.5 * log_var) * eps - x) * np.exp(0.5 * log_var) * eps
            ).mean(axis=0),
            "the part of the KL from the variance, ½s²": lambda x, mean, log_var, eps: (
                0.5 * np.exp(log_var)
            ),
            "the part of the KL from its logarithm, -½": lambda x, mean, log_var, eps: np.full(
                len(x), -0.5
            ),
        },
    ),
    known={
        "With q = p, x = 0 and eps = 0 nothing pulls": ([0.0], [0.0], [0.0], [[0.0]]),
        "With q = p and eps = 0 the data x = 1 pull alone": ([1.0], [0.0], [0.0], [[0.0]]),
        "With x = mean = 1 and eps = 0 the prior pulls alone": ([1.0], [1.0], [0.0], [[0.0]]),
        "With variance 4, x = mean = 0 and eps = 0 the KL pulls, ½(4 - 1),": (
            *([0.0], [0.0], [np.log(4.0)], [[0.0]]),
        ),
        "With q = p, x = 0 and eps = 1, so z = 1, the data pull at both": (
            *([0.0], [0.0], [0.0], [[1.0]]),
        ),
        "With variance 4, x = 0 and eps = 1, so z = 2": ([0.0], [0.0], [np.log(4.0)], [[1.0]]),
        "The same draw twice has the gradient of one": ([0.0], [0.0], [0.0], [[1.0], [1.0]]),
        "Two draws, eps = 0 and 2, are averaged": ([0.0], [0.0], [0.0], [[0.0], [2.0]]),
        "Two points, x = 0 and 1, have gradients of their own": (
            *([0.0, 1.0], [0.0, 0.0], [0.0, 0.0], [[0.0, 0.0]]),
        ),
    },
    properties=(
        related(
            "Each draw given twice changes nothing",
            lambda x, mean, log_var, eps: (x, mean, log_var, np.repeat(eps, 2, axis=0)),
        ),
    ),
    hints=(
        "Take eps = 0 and x = mean. The reconstruction then pulls at nothing: the KL is alone.",
        "Then move log_var by 1e-5 and divide the change of the loss by it. Whose part is missing?",
        "Then give the same draw twice: the average does not change. Does the gradient?",
    ),
    because="detach, .data, .item() and numpy() cut without a word; the loss looks as before.",
    rtol=1e-5,
)
