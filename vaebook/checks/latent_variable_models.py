"""Checks of the homework on latent variable models."""

from functools import partial

import numpy as np
from scipy.special import gammaln, softmax

from vaebook.checks.core import Choice, Function, Homework, changed, every_bug
from vaebook.checks.properties import (
    from_the_generator,
    never,
    normalised,
    rows,
    shaped,
    statistic,
)
from vaebook.gaussians import log_normal
from vaebook.quadrature import log_integral, uniform_grid

homework = Homework("Latent variable models")
report = homework.report


def _log_poisson(x, log_rate):
    """Log-probability of the count x when the rate is known."""
    return x * log_rate - np.exp(log_rate) - gammaln(x + 1)


def _draw_shop(rng):
    return rng.uniform(1.0, 3.5), rng.uniform(0.5, 1.0)


# -- task 1 ------------------------------------------------------------------------------------

check_spread = Choice(
    homework,
    "The variance of the counts",
    right="c",
    mistakes={
        "a": "Days with different rates add a second source of variance; they remove none.",
        "b": "Given z the variance equals the mean, but the rate also differs between days, which "
        "adds to the variance.",
        "d": "Whether the rate rises or falls with z does not matter: deviations are squared.",
        "e": "The law of total variance holds for every f: it adds Var[f(z)], never negative.",
    },
    hints=(
        "Take an extreme case: on half of the days nobody comes, on the others 40 an hour.",
        "Total variance: Var[x] = E[Var[x|z]] + Var[E[x|z]]. What is each term for a Poisson x?",
    ),
    because="Var[x] = 20 + Var[f(z)], more than 20 unless the rate is the same on all days.",
)


# -- task 2 ------------------------------------------------------------------------------------


def _moments(a, b):
    mean = np.exp(a + b**2 / 2)
    return mean, mean + mean**2 * np.expm1(b**2)


def _moment_cases(rng):
    for _ in range(3):
        yield _draw_shop(rng)
    yield 2.0, 1e-3


check_moments = Function(
    homework,
    "Mean and variance of the counts",
    oracle=_moments,
    cases=_moment_cases,
    mistakes={
        "The mean of z was put into the exponential, but E[exp(y)] is larger than exp(E[y]).": (
            lambda a, b: (np.exp(a), np.exp(a) + np.exp(2 * a) * np.expm1(b**2))
        ),
        "The variance within a day is missing: E[Var[x|z]] = E[rate].": (
            changed(_moments, 1, lambda value, *_: value[1] - value[0])
        ),
        "The variance between days is missing: Var[rate].": (
            changed(_moments, 1, lambda value, *_: value[0])
        ),
        "The second value is the standard deviation; the variance is asked for.": (
            changed(_moments, 1, lambda value, *_: np.sqrt(value[1]))
        ),
        "E[rate²] stands where Var[rate] = E[rate²] - E[rate]² belongs.": (
            changed(_moments, 1, lambda value, a, b: value[0] + np.exp(2 * a + 2 * b**2))
        ),
    },
    names=("mean", "variance"),
    terms=(
        {},
        {
            "the variance within a day, E[rate]": lambda a, b: _moments(a, b)[0],
            "the variance between days, m²(e^(b²) - 1)": (
                lambda a, b: _moments(a, b)[0] ** 2 * np.expm1(b**2)
            ),
        },
    ),
    known={
        "For a = 0 and b = 10⁻⁶, practically a Poisson count of rate 1": (0.0, 1e-6),
        "For a = log 2 and b = 10⁻⁶, practically a Poisson count of rate 2": (np.log(2.0), 1e-6),
        "For a = 0 and b = 1, where E[rate] = e^½ and E[rate²] = e²": (0.0, 1.0),
        "For a = 0 and b = 2, where E[rate] = e² and E[rate²] = e⁸": (0.0, 2.0),
        "For a = log 2 and b = 1, where E[rate] = 2e^½ and E[rate²] = 4e²": (np.log(2.0), 1.0),
    },
    hints=(
        "E[exp(cz)] = exp(c²/2) for z ~ N[0, 1]. Use it with c = b and with c = 2b.",
        "E[rate] = exp(a + b²/2) and E[rate²] = exp(2a + 2b²).",
        "Var[x] = E[rate] + E[rate²] - E[rate]².",
    ),
    because="The variance within a day and the variance between days add up.",
)


# -- task 3 ------------------------------------------------------------------------------------


def _table(x, a, b):
    points, widths = uniform_grid(-8.0, 8.0, 2001)
    return _log_poisson(x[:, None], a + b * points), log_normal(points, 0.0, 1.0), widths


def _log_marginal(x, a, b, *, prior=1.0):
    """Log p(x) of each count; another power of the prior breaks it."""
    log_px_given_z, log_prior, widths = _table(x, a, b)
    return log_integral(log_px_given_z + prior * log_prior, widths)


def _count_cases(rng):
    for n in (1, 6):
        a, b = _draw_shop(rng)
        yield rng.poisson(np.exp(a), n), a, b
    yield np.array([0, 1, 300]), 3.0, 0.6


def _average_of_logs(x, a, b):
    log_px_given_z, log_prior, widths = _table(x, a, b)
    return (log_px_given_z * np.exp(log_prior)) @ widths


check_log_marginal = Function(
    homework,
    "The probability of a count",
    oracle=_log_marginal,
    cases=_count_cases,
    rtol=1e-5,
    mistakes={
        "The prior is missing: the average over z is weighted by p(z).": (
            partial(_log_marginal, prior=0.0)
        ),
        "The factor x! is missing: its logarithm is gammaln(x + 1).": (
            lambda x, a, b: _log_marginal(x, a, b) + gammaln(x + 1)
        ),
        "That is the average of the logarithms; the logarithm of the average is asked for.": (
            _average_of_logs
        ),
        "The rate of a day with z = 0 was used: p(x|z) at z = 0 is not p(x).": (
            lambda x, a, b: _log_poisson(x, np.full(len(x), a))
        ),
        "The mean rate was used for all days: a Poisson with that mean has too small a variance.": (
            lambda x, a, b: _log_poisson(x, np.full(len(x), a + b**2 / 2))
        ),
    },
    known={
        "For b = 10⁻⁶ the rate is constant: log of e⁻¹, a count of 0 at rate 1,": ([0], 0.0, 1e-6),
        "For b = 10⁻⁶: log of e⁻¹/2!, a count of 2 at rate 1,": ([2], 0.0, 1e-6),
        "For b = 10⁻⁶: log of e⁻², a count of 0 at rate 2,": ([0], np.log(2.0), 1e-6),
        "With a = 0 and b = 1, log E[exp(-e^z)], a count of 0,": ([0], 0.0, 1.0),
        "With a = 0 and b = 2, log E[exp(-e^2z)], a count of 0,": ([0], 0.0, 2.0),
        "A count of 300 where 20 is usual is rare but possible: log p(300)": ([300], 3.0, 0.6),
    },
    properties=(
        never("A log-probability is never above 0", lambda value, *_: value > 1e-9),
        normalised("The probabilities of all counts", np.arange(400), 1.0, 0.5),
        rows(0),
    ),
    hints=(
        "Make a table with one row for each count and one column for each point z of the grid.",
        "Its entries are log p(x|z) + log p(z): logarithms of the factors, so they are added.",
        "log_integral(table, widths) takes exp, sums and takes log without underflow.",
    ),
    because="The same computation works for any p(x|z), not only for a Gaussian one.",
)


# -- task 4 ------------------------------------------------------------------------------------

_N_DAYS, _N_HOURS = 4000, 12


def _sample_days(n_days, n_hours, a, b, rng):
    z = rng.standard_normal(n_days)
    return rng.poisson(np.exp(a + b * z)[:, None], (n_days, n_hours))


def _mean_of(values):
    """The mean of independent values and its standard error."""
    return values.mean(), values.std() / np.sqrt(len(values))


def _excess_variance_within(x, *_):
    """Within a day, variance minus mean: 0 for Poisson counts, whatever the rate."""
    found, error = _mean_of(x.var(axis=1, ddof=1) - x.mean(axis=1))
    return found, 0.0, error + 1e-9


def _skewness_within(x, *_):
    """Within a day, the unbiased third central moment minus the mean: 0 for Poisson counts."""
    n = x.shape[1]
    third = n / ((n - 1) * (n - 2)) * ((x - x.mean(axis=1, keepdims=True)) ** 3).sum(axis=1)
    found, error = _mean_of(third - x.mean(axis=1))
    return found, 0.0, error + 1e-9


def _shared(x, n_days, n_hours, a, b, rng):
    """The covariance of two hours of a day over the squared mean, e^(b²) - 1."""
    centred = x[:, :2] - x.mean()
    found, error = _mean_of(centred.prod(axis=1))
    mean, of_mean = _mean_of(x.mean(axis=1))
    exact = np.expm1(b**2)
    return found / mean**2, exact, error / mean**2 + 2 * exact * of_mean / mean + 1e-9


def _mean_count(x, n_days, n_hours, a, b, rng):
    found, error = _mean_of(x.mean(axis=1))
    return found, _moments(a, b)[0], error + 1e-9


check_days = Function(
    homework,
    "Days and hours by ancestral sampling",
    oracle=_sample_days,
    cases=lambda rng: [(_N_DAYS, _N_HOURS, a, b, rng) for a, b in [(3.0, 0.4), (1.0, 0.5)]],
    mistakes=None,
    properties=(
        shaped(lambda n_days, n_hours, *_: (n_days, n_hours)),
        never(
            "Counts are whole numbers, none below 0",
            lambda x, *_: (x < 0) | (x != np.round(x)),
        ),
        from_the_generator(4),
        statistic(
            "All hours of a day have the same rate, so that within a day the variance of the "
            "counts is their mean: variance minus mean",
            _excess_variance_within,
        ),
        statistic(
            "The hours of a day share their rate, which differs from day to day: the covariance of "
            "two of them over the squared mean, e^(b²) - 1,",
            _shared,
        ),
        statistic("The mean count, e^(a + b²/2),", _mean_count),
        statistic(
            "Within a day a count is Poisson, whose third central moment is its mean: third moment "
            "minus mean",
            _skewness_within,
        ),
    ),
    hints=(
        "Sample the latent variables first: how many z are there?",
        "Each day has one rate, which all hours of that day share.",
        "rng.poisson(rates[:, None], size=(n_days, n_hours)) draws one row for each rate.",
    ),
    because="Given z the hours of a day are independent; marginally they are correlated.",
)


# -- task 5 ------------------------------------------------------------------------------------


def _posterior_mean(x, z, a, b):
    return softmax(_log_poisson(x[:, None], a + b * z), axis=1) @ z


def _posterior_cases(rng):
    for n in (4, 1):
        a, b = _draw_shop(rng)
        yield rng.poisson(np.exp(a), n), rng.standard_normal(200), a, b
    # Counts so far from every drawn z that their probability is zero in floating point.
    yield np.array([2, 3000]), rng.standard_normal(200), 3.0, 0.5


_BUGS = {
    "prior": "The draws come from the prior already, so p(z) must not be a factor of the weights.",
    "norm": "The weights do not sum to one: divide by their sum, not by their number.",
    "logs": "For an extreme count all weights underflow: subtract the largest log before exp.",
}


def _colleagues(x, z, a, b, *, left):
    """The colleague's function with only the bugs named in `left` still in it."""
    log_w = _log_poisson(x[:, None], a + b * z)
    log_w = log_w + log_normal(z, 0.0, 1.0) * ("prior" in left)
    if "norm" in left:
        return np.exp(log_w) @ z / len(z)
    w = np.exp(log_w - (0.0 if "logs" in left else log_w.max(axis=1, keepdims=True)))
    return (w / w.sum(axis=1, keepdims=True)) @ z


check_posterior = Function(
    homework,
    "Which day was it",
    oracle=_posterior_mean,
    cases=_posterior_cases,
    mistakes={  # without the division by their sum, weights of 0 do not show
        sentence: mistake
        for sentence, mistake in every_bug(_colleagues, _BUGS).items()
        if not (_BUGS["norm"] in sentence and _BUGS["logs"] in sentence)
    },
    known={
        "With one draw, z = 2, the weighted mean": ([3], [2.0], 0.0, 1.0),
        "With b = 10⁻¹² a count says nothing about z: the mean of the draws": (
            *([5], [-1.0, 0.0, 4.0], 1.0, 1e-12),
        ),
        "z = 0 and 1 have the rates 1 and e, and for x = 0 the weights e⁻¹ and e^(-e): E[z]": (
            *([0], [0.0, 1.0], 0.0, 1.0),
        ),
        "For x = 2 the same two weights get the factors 1 and e²: E[z]": (
            *([2], [0.0, 1.0], 0.0, 1.0),
        ),
        "With a = log 3 the rates are 3 and 3e; for x = 2 E[z]": (
            *([2], [0.0, 1.0], np.log(3.0), 1.0),
        ),
        "With b = 2 the rates are 1 and e²; for x = 2 E[z]": ([2], [0.0, 1.0], 0.0, 2.0),
        "A count of 3000 puts all weight on the largest draw: E[z]": (
            *([3000], [-1.0, 0.0, 1.0], 3.0, 0.5),
        ),
        "An ordinary count and an extreme one together, 0 and 3000: E[z]": (
            *([0, 3000], [0.0, 1.0], 0.0, 1.0),
        ),
    },
    properties=(
        never(
            "A weighted mean lies between the smallest and the largest draw",
            lambda value, x, z, *_: (value < z.min() - 1e-5) | (value > z.max() + 1e-5),
        ),
        rows(0),
    ),
    hints=(
        "For b = 0 the count says nothing about z. What must the posterior mean then be close to?",
        "A weighted average is sum(w z) / sum(w).",
        "Print the weights for x = 3000: each is exp of a number below -745.",
    ),
    because="Draws from the prior, weighted by the likelihood, represent the posterior.",
)
