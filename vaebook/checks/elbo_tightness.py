"""Checks of the homework on how tight the bound is."""

from functools import partial

import numpy as np

from vaebook.checks.core import Choice, Function, Homework, changed, every_bug
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
        "a": "The KL divergence contains r² and log r², and only the logarithm changes by the same "
        "amount for r = 2 and r = ½.",
        "c": "That holds for the other direction, KL(p‖q). Here the expectation is under q.",
        "d": "The gap is zero only if q is the posterior, with the same mean and the same width.",
        "e": "Only the ratio of the two standard deviations enters, and it is the same for all x.",
    },
    hints=(
        "With equal means the divergence is ½ (r² - 1 - log r²), where r = std of q / std of p.",
        "Insert r = 2 and r = ½. The squares are 4 and ¼, their logarithms ±1.386.",
    ),
    because="Too wide by a factor of two leaves a gap of 0.807 nats, too narrow one of 0.318.",
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
        "That is the other direction, KL(p‖q): take the expectation under q.": (
            lambda mean_q, mean_p: _kl_exponential(mean_p, mean_q)
        ),
        "The -1 is missing: for equal means the divergence must be 0.": (
            lambda mean_q, mean_p: _kl_exponential(mean_q, mean_p) + 1
        ),
        "The logarithm is inverted: log q contributes -log a.": (
            lambda mean_q, mean_p: np.log(mean_q / mean_p) + mean_q / mean_p - 1
        ),
        "The ratio is inverted: E[z] under q is a, the mean of q.": (
            lambda mean_q, mean_p: np.log(mean_p / mean_q) + mean_p / mean_q - 1
        ),
        "Only the normalising factors are compared; the exponents z/a and z/b differ too.": (
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
        "Two at once, a = 2 and 1, b = 1 and 1: the divergences": ([2.0, 1.0], [1.0, 1.0]),
    },
    properties=(never("A KL divergence is never negative", lambda value, *_: value < -1e-12),),
    hints=(
        "log q(z) = -log a - z/a, and the same for p with b.",
        "Take the expectation of the difference under q, for which you need only E[z] = a.",
    ),
    because="With u = a/b it is u - 1 - log u, which is positive except at u = 1.",
)


# -- task 3 ------------------------------------------------------------------------------------


def _terms(log_px_given_z, log_prior, log_q, widths, *, weigh=True):
    weight = np.exp(log_q) * (widths if weigh else 1.0)
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


check_terms = Function(
    homework,
    "The terms of three forms",
    oracle=_terms,
    cases=_terms_cases,
    rtol=1e-5,
    atol=1e-6,
    mistakes={
        "The widths are missing: under q the weight of a point is widths * exp(log_q).": (
            partial(_terms, weigh=False)
        ),
        "The second value compares q with the joint: divide the joint by p(x) first.": changed(
            _terms, 1, lambda values, *arguments: values[1] - values[0]
        ),
        "The second value is the KL to the prior; the KL to the posterior is asked for.": changed(
            _terms, 1, lambda values, *arguments: values[3]
        ),
        "The third value is an expectation under the prior; take it under q.": changed(
            _terms, 2, lambda values, ll, lp, lq, widths: (widths * np.exp(lp)) @ ll
        ),
        "The third value is the log of an average; the average of the logs is asked for.": changed(
            _terms, 2, lambda values, ll, lp, lq, widths: log_integral(ll + lq, widths)
        ),
        "The third value includes log p(z); the expectation of log p(x|z) alone is asked for.": (
            changed(_terms, 2, lambda values, ll, lp, lq, widths: (widths * np.exp(lq)) @ (ll + lp))
        ),
        "The last value has the wrong sign: the entropy is -E[log q].": changed(
            _terms, 4, lambda values, *arguments: -values[4]
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
        "An expectation under q is (widths * exp(log_q)) @ values; four of the five are such.",
        "First log p(x) = log_integral(log_px_given_z + log_prior, widths), then log p(z|x).",
        "Compare log_px - kl_posterior and reconstruction - kl_prior: they must be equal.",
    ),
    because="Each term has its own integral, so the agreement of the three forms is a real test.",
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
    "The gap of a factorised q",
    oracle=_factorised_gap,
    cases=_covariance_cases,
    rtol=1e-5,
    atol=1e-7,
    mistakes={
        "That is the gap with the variances of C. The best are smaller: 1/Λ_dd, with Λ = C⁻¹.": (
            _with_marginals
        ),
        "That is the minimum of the other direction, KL(p‖q), attained at the variances of C.": (
            lambda covariance: 0.5 * (np.log(np.diag(covariance)).sum() - _log_det(covariance))
        ),
        "The sign is wrong: a gap is never negative.": (
            lambda covariance: -_factorised_gap(covariance)
        ),
        "Too large by a factor of two: the ½ of the KL divergence is missing.": (
            lambda covariance: 2 * _factorised_gap(covariance)
        ),
        "The determinant underflows: np.linalg.slogdet computes its logarithm directly.": (
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
        "If the dimensions are independent, as for C = I, the gap": (np.eye(2),),
        "If the dimensions are independent, as for C = diag(4, 9), the gap": (np.diag([4.0, 9.0]),),
        "For two variances of 1 and correlation 0.8, -½ log 0.36": ([[1.0, 0.8], [0.8, 1.0]],),
        "For variances 4 and 1 and correlation 0.8 again, -½ log 0.36": ([[4.0, 1.6], [1.6, 1.0]],),
        "For three variances of 1 and all correlations ½, 1.5 log 1.5 + ½ log ½": (
            [[1.0, 0.5, 0.5], [0.5, 1.0, 0.5], [0.5, 0.5, 1.0]],
        ),
        "For two such pairs, independent of each other, -log 0.36": (
            np.kron(np.eye(2), [[1.0, 0.8], [0.8, 1.0]]),
        ),
    },
    properties=(never("A gap is never negative", lambda value, *_: value < -1e-9),),
    hints=(
        "Start from the given KL divergence, ½ [tr(C⁻¹V) - D + log det C - log det V].",
        "V is diagonal with entries v_d, so the trace is the sum of Λ_dd v_d, with Λ = C⁻¹.",
        "Twice the derivative with respect to v_d is Λ_dd - 1/v_d. Insert v_d = 1/Λ_dd.",
    ),
    because="In two dimensions with correlation ρ the gap is -½ log(1 - ρ²).",
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
    "norm": "The joint does not integrate to 1 over z: subtract log p(x), the log of its integral.",
    "direction": "The expectation is taken under p(z|x); the gap is an expectation under q.",
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
        "With p(x) = 5 and the same posterior, the KL": (
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
        never("A KL divergence is never negative", lambda value, *_: value < -1e-6),
        related(
            "A constant added to the log-joint may not change the KL",
            lambda log_q, log_joint, widths: (log_q, log_joint + 1, widths),
        ),
        related(
            "A grid twice as fine may not change the KL",
            lambda *given: (*(np.repeat(one, 2) for one in given[:2]), np.repeat(given[2], 2) / 2),
        ),
    ),
    hints=(
        "Add 1 to log_joint everywhere. The posterior is unchanged, so the KL must be as well.",
        "Take a grid that is twice as fine. By which factor does the result change?",
        "Let q be much narrower than the posterior. Under which density is the expectation taken?",
    ),
    because="Two invariances and one known answer exposed the three bugs.",
)
