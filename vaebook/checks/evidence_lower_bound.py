"""Checks of the homework on the evidence lower bound."""

from functools import partial

import numpy as np
from scipy.special import logsumexp, xlogy

from vaebook.checks.core import Choice, Function, Homework, changed, every_bug
from vaebook.checks.properties import never, related, twice
from vaebook.gaussians import log_normal
from vaebook.mixture import GaussianMixture

homework = Homework("The evidence lower bound")
report = homework.report


# -- task 1 ------------------------------------------------------------------------------------

check_needle = Choice(
    homework,
    "A q as narrow as a needle",
    right="b",
    mistakes={
        "a": "The expected log-likelihood is then largest, but it stays finite, while another term "
        "of the bound does not.",
        "c": "That leaves out -E[log q], the entropy of q, which depends on s.",
        "d": "The bound equals log p(x) only if q is the posterior, whose variance is not zero.",
        "e": "The bound contains s twice, in the expected squared error and in the entropy of q.",
    },
    hints=(
        "Write the bound as E[log p(x, z)] - E[log q(z)] and take the limit of each term.",
        "The closed form has a term ½ log s².",
    ),
    because="E[log p(x, z)] stays finite, and -E[log q] = ½ log 2πes² falls without limit.",
)


# -- task 2 ------------------------------------------------------------------------------------


def _uniform_elbo(
    x, slope, noise_std, middle, half_width, *, variance=1 / 3, entropy=1.0, prior=1.0
):
    """The bound for a uniform q, with the variance as a multiple of the squared half width."""
    spread = variance * half_width**2
    misfit = ((x - slope * middle) ** 2 + slope**2 * spread) / (2 * noise_std**2)
    reconstruction = -0.5 * np.log(2 * np.pi * noise_std**2) - misfit
    log_prior = -0.5 * np.log(2 * np.pi) - 0.5 * (middle**2 + spread)
    return reconstruction + prior * log_prior + entropy * np.log(2 * half_width)


def _uniform_cases(rng):
    for n in (1, 9):
        yield (
            rng.normal(0, 2, n),
            rng.normal(0, 2, n),
            rng.uniform(0.4, 1.5, n),
            rng.normal(0, 1, n),
            rng.uniform(0.1, 2, n),
        )
    yield tuple(np.array([value]) for value in (1.7, 1.5, 0.8, 0.88, 1e-6))


def _lone(*values):
    return tuple(np.array([float(value)]) for value in values)


check_uniform = Function(
    homework,
    "The bound for a uniform q",
    oracle=_uniform_elbo,
    cases=_uniform_cases,
    mistakes={
        "The entropy is missing: -E[log q] = log 2h.": (partial(_uniform_elbo, entropy=0.0)),
        "The entropy has the wrong sign: log q is -log 2h, and E[log q] is subtracted.": (
            partial(_uniform_elbo, entropy=-1.0)
        ),
        "The entropy is log 2h: the interval has length 2h, not h.": (
            lambda *arguments: _uniform_elbo(*arguments) - np.log(2)
        ),
        "The variance of q is h²/3: the interval is 2h long.": (
            partial(_uniform_elbo, variance=1 / 12)
        ),
        "h² stands for the variance of q; it is h²/3.": (partial(_uniform_elbo, variance=1.0)),
        "The variance of q is missing from the expectations of the squares.": (
            partial(_uniform_elbo, variance=0.0)
        ),
        "The term E[log p(z)] is missing.": partial(_uniform_elbo, prior=0.0),
    },
    terms={
        "the constant -log 2π, half from p(x|z), half from the prior": lambda x, *_: np.full(
            len(x), -np.log(2 * np.pi)
        ),
        "the noise, -log σ": lambda x, slope, noise_std, *_: -np.log(noise_std),
        "the error at the mean, -(x - φm)²/2σ²": lambda x, slope, noise_std, middle, _: (
            -((x - slope * middle) ** 2) / (2 * noise_std**2)
        ),
        "the variance in the error, -φ²h²/6σ²": lambda x, slope, noise_std, middle, half_width: (
            -(slope**2) * half_width**2 / (6 * noise_std**2)
        ),
        "the mean in the prior, -½m²": lambda x, slope, noise_std, middle, _: -0.5 * middle**2,
        "the variance in the prior, -h²/6": lambda *given: -(given[-1] ** 2) / 6,
        "the entropy, log 2h": lambda *given: np.log(2 * given[-1]),
    },
    known={
        "For x = φ = m = 0, σ = 1, h = ½, so that log 2h = 0: -log 2π - 1/24": (
            _lone(0, 0, 1, 0, 0.5)
        ),
        "With h = 1 the variance term is -1/6 and the entropy log 2: -log 2π - 1/6 + log 2": (
            _lone(0, 0, 1, 0, 1)
        ),
        "An error x - φm = 1 costs ½: -log 2π - 1/24 - ½": _lone(1, 0, 1, 0, 0.5),
        "Noise σ = 2 costs log 2 and reduces that ½ to ⅛: -log 2π - 1/24 - log 2 - ⅛": (
            _lone(1, 0, 2, 0, 0.5)
        ),
        "The mean m = 3 costs 4.5 in the prior: -log 2π - 1/24 - 4.5": _lone(0, 0, 1, 3, 0.5),
        "With x = φm = 2 the error at the mean is 0: -log 2π - 1/24 - 1/6 - ½": (
            _lone(2, 2, 1, 1, 0.5)
        ),
        "With φ = 2 the variance of φz is 4h²/3, which costs 4h²/6: -log 2π - 1/24 - 1/6": (
            _lone(0, 2, 1, 0, 0.5)
        ),
    },
    properties=(
        never(
            "The bound never exceeds log p(x)",
            lambda value, x, slope, noise_std, *_: (
                value > log_normal(x, 0.0, np.sqrt(slope**2 + noise_std**2)) + 1e-9
            ),
        ),
    ),
    hints=(
        "The first two terms need only E[z] = m and E[z²] = m² + the variance of q.",
        "The variance of a uniform density on an interval of length l is l²/12.",
        "log q(z) = -log 2h wherever q is not zero, so its expectation is -log 2h.",
    ),
    because="The bound of a linear model depends on q only through mean, variance and entropy.",
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
        "In the slope E[z²] is μ² + s², not μ²: q has a variance.": (partial(_m_step, in_slope=0)),
        "In the noise φ²s² is missing: the part of E[(x - φz)²] due to the variance of q.": (
            partial(_m_step, in_noise=0)
        ),
        "Slope and noise both treat z as known, but E[z²] is μ² + s².": (
            partial(_m_step, in_slope=0, in_noise=0)
        ),
        "The second value is the variance of the noise; its square root is asked for.": (
            changed(_m_step, 1, lambda value, *_: value[1] ** 2)
        ),
        "The squares are summed over the data; σ² is their average.": (
            changed(_m_step, 1, lambda value, x, *_: value[1] * np.sqrt(len(x)))
        ),
        "That averages the best slopes of single data points; sum numerator and denominator.": (
            _mean_of_ratios
        ),
    },
    names=("slope", "noise_std"),
    known={
        "With s = 10⁻⁶ and x = 2μ the line fits exactly": ([2.0, 4.0], [1.0, 2.0], [1e-6, 1e-6]),
        "With s = 10⁻⁶, μ = 1 and 1, and x = 1 and 3": ([1.0, 3.0], [1.0, 1.0], [1e-6, 1e-6]),
        "One point x = 2, μ = 1, s = 1, so that E[z²] = 2": ([2.0], [1.0], [1.0]),
        "One point x = 2, μ = 1, s = 2, so that E[z²] = 5": ([2.0], [1.0], [2.0]),
        "Two such points": ([2.0, 2.0], [1.0, 1.0], [2.0, 2.0]),
        "Two different points": ([2.0, 3.0], [1.0, 2.0], [1.0, 2.0]),
    },
    properties=(
        twice("If every point occurs twice, nothing may change", 0, 1, 2),
        related(
            "If x is doubled, slope and noise must double",
            lambda x, means, stds: (2 * x, means, stds),
            lambda value, *_: tuple(2 * one for one in value),
        ),
    ),
    hints=(
        "The bound is a sum over the data, and so are its derivatives.",
        "The best slope does not depend on the noise: minimise the sum of E[(x - φz)²].",
        "Then minimise I log σ plus the sum of squares over 2σ² with respect to σ.",
    ),
    because="It is least squares for a line through 0, averaged over what q says about each z.",
)


# -- task 4 ------------------------------------------------------------------------------------


def _mixture_elbo(log_joint, q):
    with np.errstate(all="ignore"):
        return np.sum(np.where(q > 0, q * (log_joint - np.log(q)), 0.0))


def _mixture_cases(rng):
    for n, n_components in [(1, 2), (4, 3)]:
        mixture = GaussianMixture(
            rng.dirichlet(np.ones(n_components)),
            rng.normal(0, 2, n_components),
            np.ones(n_components),
        )
        yield mixture.log_joint(rng.normal(0, 2, n)), rng.dirichlet(np.ones(n_components), n)
    # Certain assignments, and a component of weight 0 that is never used.
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
        "Where q is 0 the term must be 0, whatever the logarithms are.": (
            lambda log_joint, q: np.sum(q * (log_joint - np.log(q)))
        ),
        "The entropy of q is missing: subtract q log q.": (
            lambda log_joint, q: np.sum(q * _finite(log_joint, q))
        ),
        "The entropy has the wrong sign: q log q is subtracted.": (
            lambda log_joint, q: 2 * np.sum(q * _finite(log_joint, q)) - _mixture_elbo(log_joint, q)
        ),
        "The logarithm is taken after the sum over components; take it inside the sum.": (
            lambda log_joint, q: logsumexp(log_joint, b=q, axis=1).sum()
        ),
        "That is the average over the data; the bound is the sum.": (
            lambda log_joint, q: _mixture_elbo(log_joint, q) / len(q)
        ),
    },
    terms={
        "the expectation of log p(x, z) under q": lambda log_joint, q: np.sum(
            q * _finite(log_joint, q)
        ),
        "the entropy, -q log q": lambda log_joint, q: -np.sum(xlogy(q, q)),
    },
    known={
        "With one component and log p(x, z) = -1 the bound": ([[-1.0]], [[1.0]]),
        "A q that is certain has no entropy: the bound, log p(x, z),": (
            *([[-1.0, -3.0]], [[1.0, 0.0]]),
        ),
        "q = (½, ½) has the entropy log 2: -2 + log 2": ([[-1.0, -3.0]], [[0.5, 0.5]]),
        "q = (¼, ¾): -2.5 + ¼ log 4 + ¾ log 4/3": ([[-1.0, -3.0]], [[0.25, 0.75]]),
        "Points add up: two of them, 2 (-2 + log 2),": ([[-1.0, -3.0]] * 2, [[0.5, 0.5]] * 2),
        "With a component of weight zero that q never uses the bound, log p(x, z),": (
            *([[-1.0, -np.inf]], [[1.0, 0.0]]),
        ),
    },
    properties=(
        never(
            "The bound never exceeds the sum of log p(x)",
            lambda value, log_joint, q: value > logsumexp(log_joint, axis=1).sum() + 1e-9,
        ),
        twice(
            "If every point occurs twice, the bound must double",
            *(0, 1),
            expected=lambda value, *_: 2 * value,
        ),
    ),
    hints=(
        "There is one term for each data point and component: q (log p(x, z) - log q).",
        "0 times -inf is NaN in floating point. Leave such terms out before multiplying.",
        "scipy.special.xlogy(q, q) is q log q with 0 log 0 = 0; or select the terms with q > 0.",
    ),
    because="Terms with q = 0 contribute nothing, even where the log-density is -inf.",
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
    "shrink": "The posterior mean is φx/(φ² + σ²), not x/φ: the prior shrinks it towards 0.",
    "square": "The posterior variance is σ²/(φ² + σ²), with the square of σ in the numerator.",
    "count": "Every data point contributes its own s²: add the variance I times, not once.",
}

check_round = Function(
    homework,
    "An EM that lowers the likelihood",
    oracle=_em_round,
    cases=_round_cases,
    mistakes=every_bug(_em_round, _BUGS),
    known={
        "x = 1, φ = σ = 1: mean ½, variance ½, so the slope ½/(¼ + ½)": ([1.0], 1.0, 1.0),
        "Noise 2: mean 1/5, variance 4/5, so the slope 0.2/(0.04 + 0.8)": ([1.0], 1.0, 2.0),
        "Slope 2: mean 2/5, variance 1/5, so the slope 0.4/(0.16 + 0.2)": ([1.0], 2.0, 1.0),
        "Two points x = 1 give the same slope as one: it": ([1.0, 1.0], 1.0, 1.0),
        "x = 1 and 3: means ½ and 3/2, so the slope 5/(2.5 + 1)": ([1.0, 3.0], 1.0, 1.0),
        "A negative slope stays negative: -½ and ½, so the slope": ([1.0], -1.0, 1.0),
    },
    properties=(
        twice("If every point occurs twice, the slope may not change", 0),
        never(
            "A round of EM never lowers the log-likelihood, but this slope does",
            lambda value, x, slope, noise_std: (
                log_normal(x, 0.0, np.hypot(value, noise_std)).sum()
                < log_normal(x, 0.0, np.hypot(slope, noise_std)).sum() - 1e-9
            ),
        ),
    ),
    hints=(
        "The chapter has both steps as formulas for a single data point. Compare.",
        "Let the noise be very large: the posterior must then be the prior.",
        "Let every data point occur twice: the new slope must not change.",
    ),
    because="That EM never lowers the likelihood is a test that needs no known answer.",
)
