"""Checks of the homework on how tight the bound is."""

import numpy as np

from vaebook.checks.core import Choice, Function, Homework, every_bug
from vaebook.checks.properties import never, related
from vaebook.gaussians import log_normal
from vaebook.quadrature import log_integral, uniform_grid

homework = Homework("How tight is the bound?")
report = homework.report


# -- task 1 ------------------------------------------------------------------------------------

check_width = Choice(
    homework,
    "Too wide or too narrow",
    right="b",
    mistakes={
        "a": "KL is not symmetric: log s² and s² do not change by the same amount.",
        "c": "That is so for the other direction. Here q decides where they are compared.",
        "d": "The gap is zero only where q is the posterior; the width counts as well as the mean.",
        "e": "Only the ratio of the two widths enters, and it is the same for all x.",
    },
    hints=(
        "The divergence with equal means is ½ (r² - 1 - log r²), with r the ratio of the widths.",
        "Put in r = 2 and r = ½. The squares are 4 and ¼, the logarithms ±1.386.",
    ),
    because="Twice as wide costs 0.807 nats, half as wide 0.318.",
)


# -- task 2 ------------------------------------------------------------------------------------


def _kl_exponential(mean_q, mean_p):
    return np.log(mean_p / mean_q) + mean_q / mean_p - 1


def _exponential_cases(rng):
    for n in (5, 1):
        yield rng.uniform(0.2, 4, n), rng.uniform(0.2, 4, n)
    yield np.array([1.0, 1e-8, 3.0]), np.array([1.0, 5.0, 1e-3])


check_exponential = Function(
    homework,
    "KL between two exponential densities",
    oracle=_kl_exponential,
    cases=_exponential_cases,
    mistakes={
        "That is the other direction, KL(p‖q): the average is over q.": (
            lambda mean_q, mean_p: _kl_exponential(mean_p, mean_q)
        ),
        "The -1 is missing: where both means agree the divergence is 0.": (
            lambda mean_q, mean_p: _kl_exponential(mean_q, mean_p) + 1
        ),
        "The logarithm is upside down: -log of the mean of q comes from log q.": (
            lambda mean_q, mean_p: np.log(mean_q / mean_p) + mean_q / mean_p - 1
        ),
        "The ratio is upside down: E[z] under q is the mean of q.": (
            lambda mean_q, mean_p: np.log(mean_p / mean_q) + mean_p / mean_q - 1
        ),
        "Only the normalisations are compared; the exponents z/a and z/b differ, too.": (
            lambda mean_q, mean_p: np.log(mean_p / mean_q)
        ),
    },
    terms={
        "the ratio a/b": lambda mean_q, mean_p: mean_q / mean_p,
        "the constant -1": lambda mean_q, mean_p: -np.ones_like(mean_q),
        "the logarithm, log b/a": lambda mean_q, mean_p: np.log(mean_p / mean_q),
    },
    known={
        "KL(q‖q)": ([2.0], [2.0]),
        "For a = 2 and b = 1, 2 - 1 - log 2": ([2.0], [1.0]),
        "For a = 1 and b = 2, ½ - 1 + log 2": ([1.0], [2.0]),
        "In another unit, a = 30 and b = 60, ½ - 1 + log 2": ([30.0], [60.0]),
        "Two at once, a = 2 and 1, b = 1 and 1: the KLs": ([2.0, 1.0], [1.0, 1.0]),
    },
    properties=(never("A KL is never negative", lambda value, *_: value < -1e-12),),
    hints=(
        "log q(z) = -log a - z/a, and the same for p with b.",
        "Average the difference over q. All that you need of z is E[z] = a.",
    ),
    because="It is never negative: u - 1 - log u ≥ 0 with u = a/b, zero for u = 1.",
)


# -- task 3 ------------------------------------------------------------------------------------


def _terms(log_px_given_z, log_prior, log_q, widths):
    weight = widths * np.exp(log_q)
    log_joint = log_px_given_z + log_prior
    log_px = log_integral(log_joint, widths)
    gap = weight @ (log_q - (log_joint - log_px))
    return log_px, gap, weight @ log_px_given_z, weight @ (log_q - log_prior), -weight @ log_q


def _terms_cases(rng):
    for offset in (0.0, 3.0, -2000.0):
        points, widths = uniform_grid(-7.0, 7.0, int(rng.integers(800, 1200)))
        curve = np.sin(2 * points + rng.uniform(0, 3)) + 0.5 * points
        log_px_given_z = log_normal(rng.normal(), curve, rng.uniform(0.3, 0.9)) + offset
        log_q = log_normal(points, rng.normal(0, 0.7), rng.uniform(0.3, 0.8))
        yield log_px_given_z, log_normal(points, 0.0, 1.0), log_q, widths


def _changed(place, change):
    """The five terms, with one of them changed."""

    def terms(*arguments):
        values = list(_terms(*arguments))
        values[place] = change(values, *arguments)
        return tuple(values)

    return terms


check_terms = Function(
    homework,
    "Five numbers, three forms",
    oracle=_terms,
    cases=_terms_cases,
    rtol=1e-5,
    atol=1e-6,
    mistakes={
        "The second value compares q with the joint: divide the joint by p(x) first.": _changed(
            1, lambda values, *arguments: values[1] - values[0]
        ),
        "The second value is the KL to the prior; the posterior is asked.": _changed(
            1, lambda values, *arguments: values[3]
        ),
        "The third value is averaged over the prior; average the log-likelihood over q.": _changed(
            2, lambda values, ll, lp, lq, widths: (widths * np.exp(lp)) @ ll
        ),
        "The third value is the log of an average, and the average of the logs is asked.": _changed(
            2, lambda values, ll, lp, lq, widths: log_integral(ll + lq, widths)
        ),
        "The third value holds the prior as well: the average of log p(x|z) alone is asked.": (
            _changed(2, lambda values, ll, lp, lq, widths: (widths * np.exp(lq)) @ (ll + lp))
        ),
        "The last value has the wrong sign: the entropy is minus the average of log q.": _changed(
            4, lambda values, *arguments: -values[4]
        ),
    },
    names=("log_px", "kl_posterior", "reconstruction", "kl_prior", "entropy"),
    known={
        "On two points of masses ½, with q the prior and likelihood 1": (
            *([0.0, 0.0], *[[0.0, -np.log(3.0)]] * 2, [0.5, 1.5]),
        ),
        "On two points of masses ½, with q the prior and likelihood ½": (
            *([-np.log(2.0)] * 2, *[[0.0, -np.log(3.0)]] * 2, [0.5, 1.5]),
        ),
        "With prior masses ½ and ½, q masses ¼ and ¾ and likelihood 1": (
            *([0.0, 0.0], [0.0, -np.log(3.0)], [-np.log(2.0)] * 2, [0.5, 1.5]),
        ),
        "With prior masses ½ and ½, q masses ¼ and ¾ and likelihoods 0.2 and 0.6": (
            *([np.log(0.2), np.log(0.6)], [0.0, -np.log(3.0)], [-np.log(2.0)] * 2, [0.5, 1.5]),
        ),
        "With log-likelihoods of -2000 and q the prior": (
            *([-2000.0] * 2, *[[0.0, -np.log(3.0)]] * 2, [0.5, 1.5]),
        ),
    },
    hints=(
        "Under q an average is widths * exp(log_q) @ values. Four of the five are such averages.",
        "log p(x) = log_integral(log_px_given_z + log_prior, widths); then the log-posterior.",
        "Test yourself: log_px - gap, reconstruction - kl_prior must be the same number.",
    ),
    because="Each term came from its own integral, so that the equal sums are a real test.",
)


# -- task 4 ------------------------------------------------------------------------------------


def _log_det(matrix):
    return np.linalg.slogdet(matrix)[1]


def _log_of_det(matrix):
    return np.log(np.linalg.det(matrix))


def _factorised_gap(covariance, *, log_det=_log_det):
    precision = np.linalg.inv(covariance)
    return 0.5 * (np.log(np.diag(precision)).sum() + log_det(covariance))


def _draw_covariance(rng, dimension):
    root = rng.normal(size=(dimension, dimension)) + np.eye(dimension)
    return root @ root.T + 0.3 * np.eye(dimension)


def _covariance_cases(rng):
    for dimension in (2, 3, 6):
        yield (_draw_covariance(rng, dimension),)
    # The determinant of this one is below the smallest float.
    yield (1e-6 * _draw_covariance(rng, 80),)
    yield (np.diag(rng.uniform(0.5, 2, 4)),)


def _with_marginals(covariance):
    variances = np.diag(covariance)
    trace = np.diag(np.linalg.inv(covariance)) @ variances
    dimension = len(variances)
    return 0.5 * (trace - dimension + _log_det(covariance) - np.log(variances).sum())


check_factorised = Function(
    homework,
    "What independence costs",
    oracle=_factorised_gap,
    cases=_covariance_cases,
    rtol=1e-5,
    atol=1e-7,
    mistakes={
        "That is the gap for the variances of C. The best are smaller: 1 over the precision.": (
            _with_marginals
        ),
        "That is the other direction, KL(p‖q), whose best variances are those of C.": (
            lambda covariance: 0.5 * (np.log(np.diag(covariance)).sum() - _log_det(covariance))
        ),
        "The sign is the wrong way round: a gap is never negative.": (
            lambda covariance: -_factorised_gap(covariance)
        ),
        "Twice too large: the ½ of every log-density is lost.": (
            lambda covariance: 2 * _factorised_gap(covariance)
        ),
        "The determinant underflows: use np.linalg.slogdet, which stays in logarithms.": (
            lambda covariance: _factorised_gap(covariance, log_det=_log_of_det)
        ),
    },
    terms={
        "½ the sum of the log Λ_dd": lambda covariance: (
            0.5 * np.log(np.diag(np.linalg.inv(covariance))).sum()
        ),
        "½ log det C": lambda covariance: 0.5 * _log_det(covariance),
        "½D": lambda covariance: 0.5 * len(covariance),
    },
    known={
        "Independent coordinates cost nothing: for C = I the gap": (np.eye(2),),
        "Independent coordinates cost nothing: for C = diag(4, 9) the gap": (np.diag([4.0, 9.0]),),
        "For two variances of 1 and correlation 0.8, -½ log 0.36": ([[1.0, 0.8], [0.8, 1.0]],),
        "Only the correlation counts: variances 4 and 1, -½ log 0.36": ([[4.0, 1.6], [1.6, 1.0]],),
        "Three variances of 1, each two with correlation ½: 1.5 log 1.5 + ½ log ½": (
            [[1.0, 0.5, 0.5], [0.5, 1.0, 0.5], [0.5, 0.5, 1.0]],
        ),
        "Two such pairs that know nothing of each other, -log 0.36": (
            np.kron(np.eye(2), [[1.0, 0.8], [0.8, 1.0]]),
        ),
    },
    properties=(never("A gap is never negative", lambda value, *_: value < -1e-9),),
    hints=(
        "The KL between normal densities is ½ [tr(C⁻¹V) - D + log det C - log det V].",
        "V is diagonal with entries v_d. The trace is the sum of Λ_dd v_d, with Λ = C⁻¹.",
        "The derivative by v_d is Λ_dd - 1/v_d. Put v_d = 1/Λ_dd into the KL.",
    ),
    because="For two coordinates with correlation ρ this is -½ log(1 - ρ²).",
)


# -- task 5 ------------------------------------------------------------------------------------


def _kl_on_grid(log_q, log_joint, widths, *, left=()):
    """KL(q‖posterior) in nats, with only the bugs named in `left`."""
    widths = np.ones_like(widths) if "widths" in left else widths
    log_p = log_joint if "norm" in left else log_joint - log_integral(log_joint, widths)
    weight = np.exp(log_p if "direction" in left else log_q)
    return widths @ (weight * (log_q - log_p))


def _kl_cases(rng):
    for offset, n in [(0.0, 701), (1.5, 401), (-1.0, 903)]:
        points, widths = uniform_grid(-6.0, 6.0, n)
        middle = rng.normal(0, 0.5)
        log_q = log_normal(points, middle, rng.uniform(0.4, 0.8))
        log_joint = log_normal(points, middle + 0.4, rng.uniform(0.5, 0.9)) + offset
        yield log_q, log_joint, widths


_BUGS = {
    "norm": "The joint is no density of z: subtract log p(x), the log of its integral.",
    "direction": "The average is taken over p(z|x); the gap averages over q.",
    "widths": "The widths of the grid are missing: a finer grid must not change the result.",
}

check_repair = Function(
    homework,
    "A divergence that is not zero",
    oracle=_kl_on_grid,
    cases=_kl_cases,
    rtol=1e-5,
    atol=1e-7,
    mistakes=every_bug(_kl_on_grid, _BUGS),
    known={
        "KL(q‖q), on two points of masses ½ and ½,": (*[[0.0, -np.log(3.0)]] * 2, [0.5, 1.5]),
        "With p(x) = 5 and the posterior the same, the KL": (
            *([0.0, -np.log(3.0)], [np.log(5.0), np.log(5.0 / 3.0)], [0.5, 1.5]),
        ),
        "For masses ½, ½ of q and ¼, ¾ of the posterior, ½ log 2 + ½ log 2/3": (
            *([0.0, -np.log(3.0)], [-np.log(2.0)] * 2, [0.5, 1.5]),
        ),
        "For masses ¼, ¾ of q and ½, ½ of the posterior, ¼ log ½ + ¾ log 3/2": (
            *([-np.log(2.0)] * 2, [0.0, -np.log(3.0)], [0.5, 1.5]),
        ),
    },
    properties=(
        never("A KL is never negative", lambda value, *_: value < -1e-6),
        related(
            "A constant added to the log-joint changes nothing",
            lambda log_q, log_joint, widths: (log_q, log_joint + 1, widths),
        ),
        related(
            "A grid twice as fine changes nothing",
            lambda *given: (*(np.repeat(one, 2) for one in given[:2]), np.repeat(given[2], 2) / 2),
        ),
    ),
    hints=(
        "Add 1 to log_joint everywhere. The posterior is the same, so the KL must be, too.",
        "Take a grid that is twice as fine. By which factor does the result change?",
        "Let q be much narrower than the posterior. Which of the two densities weighs the logs?",
    ),
    because="Invariances are tests without a known answer: a constant, a finer grid.",
)
