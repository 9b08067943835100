"""Checks of the homework on the reparameterization trick."""

from functools import partial

import numpy as np

from vaebook.checks.core import Choice, Function, Homework, changed, every_bug
from vaebook.checks.properties import average, related, row, rows, twice

homework = Homework("The reparameterization trick")
report = homework.report


# -- task 1 ------------------------------------------------------------------------------------

check_sawtooth = Choice(
    homework,
    "A sawtooth under a Gaussian",
    right="c",
    mistakes={
        "a": "The true value is about 0, but at every sample the derivative of a is 1.",
        "b": "The derivative is 1 on each tooth, but as μ grows, probability crosses the jumps, "
        "where a drops by 1. For a wide density E[a] stays near ½.",
        "d": "It is the other way round: what is the derivative of a at a sample, and how does "
        "E[a] depend on μ?",
        "e": "An estimate is noisy if it differs between samples. Does the derivative of a?",
    },
    hints=(
        "What is the derivative of z - floor(z) at z = 2.4? And at z = -0.9?",
        "The density covers about six teeth. How large is E[a], roughly?",
        "Increase μ by a quarter of a tooth. Does E[a] change?",
    ),
    because="Every sample gives 1, but the jumps, on which no sample falls, cancel it.",
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
    "The score function of a count",
    oracle=_poisson_rows,
    cases=_poisson_cases,
    mistakes={
        "That is the derivative with respect to r; with respect to t = log r multiply it by r.": (
            lambda values, counts, log_rate: values * (counts / np.exp(log_rate) - 1)
        ),
        "You used log r in place of r: the rate is exp(t).": (
            lambda values, counts, log_rate: values * (counts - log_rate)
        ),
        "The factor exp(-r) depends on t as well: its logarithm is -exp(t).": (
            lambda values, counts, log_rate: values * counts
        ),
        "The score is the derivative of log p, not log p itself.": (
            lambda values, counts, log_rate: values * _log_poisson(counts, log_rate)
        ),
        "That is the score alone; multiply it by a at each sample.": (
            lambda values, counts, log_rate: counts - np.exp(log_rate)
        ),
        "That contains the derivative of p; under p you need that of log p, so divide by p.": (
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
        "For two samples, a = 1 and 2, k = 3 and 0 at the rate 1, the estimates": (
            *([1.0, 2.0], [3, 0], 0.0),
        ),
    },
    properties=(
        rows(0, 1),
        average(
            "With a[k] = k² at the rate 1 the mean of the estimate, r + 2r²,",
            3.0,
            np.exp(_log_poisson(_COUNTS, 0.0)),
            *(_COUNTS**2.0, _COUNTS, 0.0),
        ),
    ),
    hints=(
        "Write log p(k) first. It has three terms, one of which does not contain the rate.",
        "Insert r = exp(t) before you differentiate with respect to t.",
        "The score is the derivative of k t - exp(t) with respect to t. Its mean must be zero.",
    ),
    because="The score is k - r, the deviation of the count from its mean.",
)


# -- task 3 ------------------------------------------------------------------------------------


def _two_variances(mean, std, *, of_mean=1.0, shift=4.0, power=2):
    """Both variances; the keywords break them."""
    square = of_mean * np.exp(2 * mean + std**2)  # of the gradient
    second = np.exp(2 * mean + 2 * std**2)  # E[exp(2 z)]
    return second - square, second * (1 + shift * std**2) / std**power - square


def _variance_cases(rng):
    for n in (1, 4):
        yield rng.normal(0, 1, n), rng.uniform(0.2, 1.4, n)
    yield np.array([-0.5, 2.0]), np.array([0.02, 2.0])


check_variances = Function(
    homework,
    "Two variances for an exponential",
    oracle=_two_variances,
    cases=_variance_cases,
    mistakes={
        "These are the means of the squares; subtract the square of the mean.": (
            partial(_two_variances, of_mean=0.0)
        ),
        "The two are exchanged: return the pathwise variance first.": (
            lambda mean, std: _two_variances(mean, std)[::-1]
        ),
        "E[ε² exp(2sε)] is not E[ε²] E[exp(2sε)]: differentiate E[exp(cε)] twice in c.": (
            partial(_two_variances, shift=0.0)
        ),
        "The score is ε/s; in the second variance the division by s² is missing.": (
            partial(_two_variances, power=0)
        ),
        "These are standard deviations; variances are asked for.": (
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
        "For μ = 1 and s = 1, e² times those for μ = 0": ([1.0], [1.0]),
    },
    properties=(
        related(
            "If a is multiplied by e, the variances must be multiplied by e²",
            lambda mean, std: (mean + 1, std),
            lambda value, *_: tuple(np.exp(2) * one for one in value),
        ),
    ),
    hints=(
        "The square of the pathwise estimate is exp(2μ + 2sε): use the fact with c = 2s.",
        "For the square of the score-function estimate you need E[ε² exp(2sε)].",
        "Differentiated twice in c, the fact gives E[ε² exp(cε)] = exp(c²/2) (1 + c²).",
    ),
    because="For small s the first decreases like s², and the second grows like 1/s².",
    rtol=1e-5,
)


# -- task 4 ------------------------------------------------------------------------------------


def _roots(raw, dimension, on_diagonal=np.exp):
    """Lower triangular L (B, D, D): rows filled in order, exponential on the diagonal."""
    roots = np.zeros((len(raw), dimension, dimension))
    roots[:, *np.tril_indices(dimension)] = raw
    on = np.arange(dimension)
    roots[:, on, on] = on_diagonal(roots[:, on, on])
    return roots


def _log_det(roots):
    return np.log(np.abs(np.diagonal(roots, axis1=1, axis2=2))).sum(-1)


def _full_draws(mean, raw, eps, *, on_diagonal=np.exp, volume=1, constant=1):
    """z, and its log-density from the noise and log |L|; the keywords break them."""
    d = mean.shape[1]
    roots = _roots(raw, d, on_diagonal)
    log_density = -0.5 * (eps**2).sum(-1) - 0.5 * d * np.log(2 * np.pi) * constant
    return mean + np.einsum("bij,sbj->sbi", roots, eps), log_density - volume * _log_det(roots)


def _full_cases(rng):
    for n_draws, n_points, d in [(3, 2, 2), (1, 4, 3), (4, 1, 5)]:
        size = n_points, d * (d + 1) // 2
        raw = rng.uniform(0.3, 0.8, size) * rng.choice([-1, 1], size)  # no variance near 0
        yield rng.normal(size=(n_points, d)), raw, rng.normal(size=(n_draws, n_points, d))


def _samples(combine):
    """The samples from L and the noise in another way."""
    return changed(
        _full_draws,
        0,
        lambda value, mean, raw, eps: mean + combine(_roots(raw, mean.shape[1]), eps),
    )


def _draw_of(mean, raw, eps):
    """Arguments of one sample for one data point."""
    mean, raw, eps = row(mean, raw, eps)
    return mean, raw, eps[None]


check_full_covariance = Function(
    homework,
    "A Gaussian with full covariance",
    oracle=_full_draws,
    cases=_full_cases,
    mistakes={
        "L is transposed: its rows belong to z, its columns to eps.": (
            _samples(lambda roots, eps: np.einsum("bji,sbj->sbi", roots, eps))
        ),
        "The diagonal of L must be exp of the raw numbers, so that it is positive.": (
            partial(_full_draws, on_diagonal=np.asarray)
        ),
        "z is mean + L eps; you multiplied eps by the covariance L Lᵀ.": _samples(
            lambda roots, eps: np.einsum("bij,bkj,sbk->sbi", roots, roots, eps)
        ),
        "You used only the diagonal of L; the numbers below it make the dimensions correlated.": (
            _samples(lambda roots, eps: np.diagonal(roots, axis1=1, axis2=2) * eps)
        ),
        "The log-determinant is missing: log q contains -log |L|.": partial(_full_draws, volume=0),
        "log |L| is counted twice: log |Σ| = 2 log |L|, and log q contains -½ log |Σ|.": (
            partial(_full_draws, volume=2)
        ),
        "The log-determinant has the wrong sign: a wide density is low.": (
            partial(_full_draws, volume=-1)
        ),
        "The constant -½ D log 2π of log q is missing.": partial(_full_draws, constant=0),
    },
    names=("samples", "log-density"),
    terms=(
        {},
        {
            "the squares, -½εᵀε": lambda mean, raw, eps: -0.5 * (eps**2).sum(-1),
            "the constant, -½ D log 2π": lambda mean, raw, eps: (
                -0.5 * eps.shape[-1] * np.log(2 * np.pi)
            ),
            "the volume, -log |L|": lambda mean, raw, eps: -_log_det(_roots(raw, mean.shape[1])),
        },
    ),
    known={
        "In one dimension, for L = 1, mean 3 and eps = 2": _draw_of([3], [0], [2]),
        "In one dimension, for L = 2, from raw = log 2, and eps = 1": (
            _draw_of([0], [np.log(2)], [1])
        ),
        "For L = ((1, 0), (3, 1)) and eps = (1, 0)": (_draw_of([0, 0], [0, 3, 0], [1, 0])),
        "For L = ((1, 0), (3, 1)) and eps = (0, 1)": (_draw_of([0, 0], [0, 3, 0], [0, 1])),
        "For L = ((2, 0), (0, 3)), with |L| = 6, and eps = (1, 1)": (
            _draw_of([0, 0], [np.log(2), 0, np.log(3)], [1, 1])
        ),
        "In three dimensions, for raw = 0, 1, 0, 2, 3, 0 and eps = (1, 1, 0)": (
            _draw_of([0, 0, 0], [0, 1, 0, 2, 3, 0], [1, 1, 0])
        ),
    },
    hints=(
        "L = np.zeros((B, D, D)); rows, columns = np.tril_indices(D); L[:, rows, columns] = raw.",
        'A single z is mean + L @ eps; for all of them, np.einsum("bij,sbj->sbi", L, eps).',
        "log q(z) is log N[0, I] at eps minus log |L|, and |L| is the product of the diagonal.",
    ),
    because="Any raw numbers give a valid covariance, and the density needs no matrix inverse.",
)


# -- task 5 ------------------------------------------------------------------------------------


def _gradients(x, mean, log_var, eps, *, left=()):
    """Gradients of the negative bound, with the bugs named in `left`."""
    std = np.exp(0.5 * log_var)
    error = x - (mean + std * eps)  # (S, B), the derivative of log p(x|z) in z
    by_mean = -error + (0 if "kl" in left else mean)
    by_log_var = 0.5 * (std**2 - 1) - (0 if "draw" in left else error * eps * std / 2)
    gather = np.sum if "sum" in left else np.mean
    shape = np.broadcast_shapes(eps.shape, by_mean.shape)
    return tuple(gather(np.broadcast_to(one, shape), axis=0) for one in (by_mean, by_log_var))


def _gradient_cases(rng):
    for n_draws, n_points in [(2, 3), (5, 4), (3, 1)]:
        x, mean, log_var = rng.normal(0, 1.5, (3, n_points))
        yield x, mean, log_var, rng.normal(size=(n_draws, n_points))


_BUGS = {
    "draw": "In z the std is still detached, so the reconstruction has no influence on log_var.",
    "kl": "In the KL the mean is still cut off by .data, so the prior has no influence on it.",
    "sum": "Each backward adds to .grad, so S samples give a sum; the loss averages over them.",
}


check_cut = Function(
    homework,
    "Where the graph is cut",
    oracle=_gradients,
    cases=_gradient_cases,
    mistakes=every_bug(_gradients, _BUGS),
    names=("gradient with respect to mean", "gradient with respect to log_var"),
    terms=(
        {
            "the reconstruction, z - x": lambda x, mean, log_var, eps: (
                mean + np.exp(0.5 * log_var) * eps - x
            ).mean(axis=0),
            "the KL, μ": lambda x, mean, log_var, eps: mean,
        },
        {
            "the reconstruction, ½(z - x) s ε": lambda x, mean, log_var, eps: (
                0.5 * (mean + np.exp(0.5 * log_var) * eps - x) * np.exp(0.5 * log_var) * eps
            ).mean(axis=0),
            "the part of the KL from the variance, ½s²": lambda x, mean, log_var, eps: (
                0.5 * np.exp(log_var)
            ),
            "the part of the KL from its logarithm, -½": lambda *_: -0.5,
        },
    ),
    known={
        "With q the prior, x = 0 and eps = 0": ([0.0], [0.0], [0.0], [[0.0]]),
        "With q the prior and eps = 0, where only x = 1 counts": ([1.0], [0.0], [0.0], [[0.0]]),
        "With x = mean = 1 and eps = 0, where only the KL counts": ([1.0], [1.0], [0.0], [[0.0]]),
        "With variance 4, x = mean = 0 and eps = 0, where the KL gives ½(4 - 1)": (
            *([0.0], [0.0], [np.log(4.0)], [[0.0]]),
        ),
        "With q the prior, x = 0 and eps = 1, so that z = 1": (*([0.0], [0.0], [0.0], [[1.0]]),),
        "With variance 4, x = 0 and eps = 1, so that z = 2": (
            *([0.0], [0.0], [np.log(4.0)], [[1.0]]),
        ),
        "For the same sample twice, as for one": ([0.0], [0.0], [0.0], [[1.0], [1.0]]),
        "For two samples, eps = 0 and 2, averaged": ([0.0], [0.0], [0.0], [[0.0], [2.0]]),
        "For two points, x = 0 and 1": (*([0.0, 1.0], [0.0, 0.0], [0.0, 0.0], [[0.0, 0.0]]),),
    },
    properties=(twice("If every sample occurs twice, the gradients may not change", 3),),
    hints=(
        "Take eps = 0 and x = mean, so that only the KL has a derivative in mean.",
        "With eps not 0, change log_var by 1e-5 and divide the change of the loss by it. Which "
        "term's contribution is missing?",
        "Use the same sample twice: the average does not change. Does the gradient?",
    ),
    because="detach, .data, .item() and numpy() cut the graph without changing the loss.",
    rtol=1e-5,
)
