"""Checks of the homework on the evidence lower bound."""

from functools import partial

import numpy as np
from scipy.special import logsumexp

from vaebook.checks.core import Choice, Function, Homework, every_bug
from vaebook.mixture import GaussianMixture

homework = Homework("The evidence lower bound")
report = homework.report


# -- task 1 ------------------------------------------------------------------------------------

check_needle = Choice(
    homework,
    "A q as thin as a needle",
    right="b",
    mistakes={
        "a": "The reconstruction gets best, but it is finite. Another term does not stay finite.",
        "c": "That leaves out -E[log q], the term by which the bound knows how sure q is.",
        "d": "The bound reaches log p(x) for q equal to the posterior, which has a width.",
        "e": "The width stands in the bound twice, in the misfit and in the entropy of q.",
    },
    hints=(
        "Write the bound as E[log p(x, z)] - E[log q(z)] and look at each of the two.",
        "The closed form has a term ½ log s².",
    ),
    because="E[log p(x, z)] stays finite, and -E[log q] = ½ log 2πes² falls without limit.",
)


# -- task 2 ------------------------------------------------------------------------------------


def _uniform_elbo(x, slope, noise_std, middle, half_width, *, variance=1 / 3, entropy=1.0):
    """The bound for a uniform q, with the variance as a multiple of the squared half width."""
    spread = variance * half_width**2
    misfit = ((x - slope * middle) ** 2 + slope**2 * spread) / (2 * noise_std**2)
    reconstruction = -0.5 * np.log(2 * np.pi * noise_std**2) - misfit
    log_prior = -0.5 * np.log(2 * np.pi) - 0.5 * (middle**2 + spread)
    return reconstruction + log_prior + entropy * np.log(2 * half_width)


def _uniform_cases(rng):
    for n in (4, 1):
        yield (
            rng.normal(0, 2, n),
            rng.normal(0, 2, n),
            rng.uniform(0.4, 1.5, n),
            rng.normal(0, 1, n),
            rng.uniform(0.1, 2, n),
        )
    yield tuple(np.array([value]) for value in (1.7, 1.5, 0.8, 0.88, 1e-6))


check_uniform = Function(
    homework,
    "The bound for a uniform q",
    oracle=_uniform_elbo,
    cases=_uniform_cases,
    mistakes={
        "The entropy is missing: -E[log q] = log 2h.": (partial(_uniform_elbo, entropy=0.0)),
        "The entropy has the wrong sign: log q is -log 2h, and it is subtracted.": (
            partial(_uniform_elbo, entropy=-1.0)
        ),
        "The entropy is log 2h: the interval has the length 2h, not h.": (
            lambda *arguments: _uniform_elbo(*arguments) - np.log(2)
        ),
        "The variance of q is h²/3: the interval is 2h long.": (
            partial(_uniform_elbo, variance=1 / 12)
        ),
        "h² stands for the variance of q; it is h²/3.": (partial(_uniform_elbo, variance=1.0)),
        "The width of q is missing from the averages of the squares.": (
            partial(_uniform_elbo, variance=0.0)
        ),
        "The term E[log p(z)] is missing.": (
            lambda x, slope, noise_std, middle, half_width: (
                _uniform_elbo(x, slope, noise_std, middle, half_width)
                + 0.5 * np.log(2 * np.pi)
                + 0.5 * (middle**2 + half_width**2 / 3)
            )
        ),
    },
    hints=(
        "Only two facts of q are needed: E[z] = m and E[z²] = m² + its variance.",
        "The variance of a uniform density on an interval of length l is l²/12.",
        "log q(z) = -log 2h wherever q is not zero, so its average is -log 2h.",
    ),
    because="Of q, the bound of a linear model needs a mean, a variance and an entropy.",
)


# -- task 3 ------------------------------------------------------------------------------------


def _m_step(x, means, stds, *, in_slope=1, in_noise=1):
    slope = (x @ means) / np.sum(means**2 + in_slope * stds**2)
    squares = (x - slope * means) ** 2 + in_noise * slope**2 * stds**2
    return slope, np.sqrt(squares.mean())


def _m_step_cases(rng):
    for n in (3, 10, 50):
        x = rng.normal(0, 2, n)
        yield x, 0.5 * x + rng.normal(0, 0.3, n), rng.uniform(0.2, 0.9, n)


def _mean_of_ratios(x, means, stds):
    slope = np.mean(x * means / (means**2 + stds**2))
    return slope, np.sqrt(np.mean((x - slope * means) ** 2 + slope**2 * stds**2))


check_m_step = Function(
    homework,
    "The M-step for slope and noise",
    oracle=_m_step,
    cases=_m_step_cases,
    mistakes={
        "In the slope E[z²] is μ² + s², not μ²: q is not sure of z.": (
            partial(_m_step, in_slope=0)
        ),
        "In the noise φ²s² is missing: the part of the misfit that comes from the width of q.": (
            partial(_m_step, in_noise=0)
        ),
        "Slope and noise both treat z as known: E[z²] is μ² + s².": (
            partial(_m_step, in_slope=0, in_noise=0)
        ),
        "The second value is the variance of the noise; its root is asked.": (
            lambda x, means, stds: (
                _m_step(x, means, stds)[0],
                _m_step(x, means, stds)[1] ** 2,
            )
        ),
        "The squares are summed over the data; the noise takes their average.": (
            lambda x, means, stds: (
                _m_step(x, means, stds)[0],
                _m_step(x, means, stds)[1] * np.sqrt(len(x)),
            )
        ),
        "That averages the best slope of each data point; the best for all is another number.": (
            _mean_of_ratios
        ),
    },
    hints=(
        "The bound is a sum over the data, and so are its derivatives.",
        "For the slope the noise does not matter: minimise the sum of E[(x - φz)²].",
        "Then the noise: I log σ plus the sum of squares over 2σ². Where is its derivative 0?",
    ),
    because="It is a straight line fitted by least squares, to points whose z is known in part.",
)


# -- task 4 ------------------------------------------------------------------------------------


def _mixture_elbo(log_joint, q):
    with np.errstate(all="ignore"):
        return np.sum(np.where(q > 0, q * (log_joint - np.log(q)), 0.0))


def _mixture_cases(rng):
    for n, n_bells in [(4, 3), (1, 2)]:
        mixture = GaussianMixture(
            rng.dirichlet(np.ones(n_bells)), rng.normal(0, 2, n_bells), np.ones(n_bells)
        )
        yield mixture.log_joint(rng.normal(0, 2, n)), rng.dirichlet(np.ones(n_bells), n)
    # Certain assignments, and a bell with weight 0 that nobody uses.
    log_joint = GaussianMixture([0.4, 0.6, 0.0], [-1, 1, 0], [1, 1, 1]).log_joint(np.arange(3.0))
    yield log_joint, np.array([[1.0, 0, 0], [0.5, 0.5, 0], [0, 1, 0]])


def _finite(log_joint, q):
    return np.where(q > 0, log_joint, 0.0)


check_mixture = Function(
    homework,
    "The bound of a mixture",
    oracle=_mixture_elbo,
    cases=_mixture_cases,
    mistakes={
        "0 log 0 is 0 here: where q is 0, the term is 0, whatever the logarithms are.": (
            lambda log_joint, q: np.sum(q * (log_joint - np.log(q)))
        ),
        "The entropy of q is missing: subtract q log q.": (
            lambda log_joint, q: np.sum(q * _finite(log_joint, q))
        ),
        "The entropy has the wrong sign: q log q is subtracted.": (
            lambda log_joint, q: 2 * np.sum(q * _finite(log_joint, q)) - _mixture_elbo(log_joint, q)
        ),
        "The logarithm stands outside of the sum over bells; that is no bound any more.": (
            lambda log_joint, q: logsumexp(log_joint, b=q, axis=1).sum()
        ),
        "That is the average over the data; the bound is their sum.": (
            lambda log_joint, q: _mixture_elbo(log_joint, q) / len(q)
        ),
    },
    hints=(
        "One term for each data point and bell: q (log p(x, z) - log q).",
        "0 times -inf is NaN in floating point. Leave such terms out before the product is taken.",
        "scipy.special.xlogy(q, q) is q log q with 0 log 0 = 0; or pick the terms with q > 0.",
    ),
    because="A bell that q never uses may have any log-density, even -inf.",
)


# -- task 5 ------------------------------------------------------------------------------------


def _em_round(x, slope, noise_std, *, left=()):
    """One EM round for the slope, with only the bugs named in `left`."""
    precision = slope**2 + noise_std**2
    means = x / slope if "shrink" in left else slope * x / precision
    variance = (noise_std if "square" in left else noise_std**2) / precision
    n = 1 if "count" in left else len(x)
    return (x @ means) / (np.sum(means**2) + n * variance)


def _round_cases(rng):
    for n in (4, 30):
        yield rng.normal(0, 2, n), rng.uniform(0.5, 2), rng.uniform(0.4, 0.9)
    yield rng.normal(0, 2, 8), -0.2, 1.5


_BUGS = {
    "shrink": "The posterior mean is φx/(φ² + σ²), between x/φ and the prior's 0; it is not x/φ.",
    "square": "The posterior variance is σ²/(φ² + σ²): the noise enters squared.",
    "count": "Every data point brings its own s²: I times the variance, not once.",
}

check_round = Function(
    homework,
    "An EM that runs downhill",
    oracle=_em_round,
    cases=_round_cases,
    mistakes=every_bug(_em_round, _BUGS),
    hints=(
        "With one data point the two steps are in the chapter, as formulas. Compare.",
        "Let the noise be huge. The data then say nothing, and the posterior must be the prior.",
        "Repeat every data point twice. The new slope must not change.",
    ),
    because="The log-likelihood may not fall: that test finds such bugs without a known answer.",
)
