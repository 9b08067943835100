"""Checks of the homework on latent variable models."""

import numpy as np
from scipy.special import gammaln, softmax

from vaebook.checks.core import Choice, Function, Homework, every_bug
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
    "The spread of the counts",
    right="c",
    mistakes={
        "a": "Mixing over days adds a second source of scatter; it takes none away.",
        "b": "Within one day the variance is the mean. But the days differ, and that adds to it.",
        "d": "Which way the rate moves with z does not matter: differences are squared.",
        "e": "Total variance holds for every f: the variance of the rate is added, never negative.",
    },
    hints=(
        "Think of an extreme shop: half of the days nobody comes, on the others 40 an hour.",
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
        "The mean of z was put into the exponential: E[exp(y)] is more than exp(E[y]).": (
            lambda a, b: (np.exp(a), np.exp(a) + np.exp(2 * a) * np.expm1(b**2))
        ),
        "The spread within a day is missing: E[Var[x|z]] = E[rate].": (
            lambda a, b: (_moments(a, b)[0], _moments(a, b)[1] - _moments(a, b)[0])
        ),
        "The spread between the days is missing: Var[rate].": (
            lambda a, b: (_moments(a, b)[0], _moments(a, b)[0])
        ),
        "The second value is the standard deviation; the variance is asked.": (
            lambda a, b: (_moments(a, b)[0], np.sqrt(_moments(a, b)[1]))
        ),
        "E[rate²] stands where Var[rate] = E[rate²] - E[rate]² belongs.": (
            lambda a, b: (_moments(a, b)[0], np.exp(a + b**2 / 2) + np.exp(2 * a + 2 * b**2))
        ),
    },
    hints=(
        "E[exp(bz)] = exp(b²/2) for z ~ N[0, 1]. Use it with b, and once more with 2b.",
        "E[rate] = exp(a + b²/2) and E[rate²] = exp(2a + 2b²).",
        "Var[x] = E[rate] + E[rate²] - E[rate]².",
    ),
    because="The first term is the scatter within a day, the second that between days.",
)


# -- task 3 ------------------------------------------------------------------------------------


def _table(x, a, b):
    points, widths = uniform_grid(-8.0, 8.0, 2001)
    return _log_poisson(x[:, None], a + b * points), log_normal(points, 0.0, 1.0), widths


def _log_marginal(x, a, b):
    log_px_given_z, log_prior, widths = _table(x, a, b)
    return log_integral(log_px_given_z + log_prior, widths)


def _count_cases(rng):
    for n in (6, 1):
        a, b = _draw_shop(rng)
        yield rng.poisson(np.exp(a), n), a, b
    yield np.array([0, 1, 300]), 3.0, 0.6


def _marginal_without(part):
    def log_marginal(x, a, b):
        log_px_given_z, log_prior, widths = _table(x, a, b)
        if part == "prior":
            return log_integral(log_px_given_z, widths)
        if part == "widths":
            return log_integral(log_px_given_z + log_prior, np.ones_like(widths))
        return log_integral(log_px_given_z + log_prior, widths) + gammaln(x + 1)

    return log_marginal


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
        "The prior is missing: average over z, each weighted by how probable it is.": (
            _marginal_without("prior")
        ),
        "The factor x! is missing: its logarithm is gammaln(x + 1).": _marginal_without(
            "factorial"
        ),
        "That is the average of the logarithms; the logarithm of the average is asked.": (
            _average_of_logs
        ),
        "The rate of an average day was used: p(x|z) at z = 0 is not p(x).": (
            lambda x, a, b: _log_poisson(x, np.full(len(x), a))
        ),
        "The mean rate was used for all days: a Poisson with the right mean is too narrow.": (
            lambda x, a, b: _log_poisson(x, np.full(len(x), a + b**2 / 2))
        ),
    },
    hints=(
        "Make a table: one row for each count, one column for each point z of the grid.",
        "Its entries are log p(x|z) + log p(z). Both are logs, so they are added.",
        "log_integral(table, widths) does exp, sum and log without underflow.",
    ),
    because="The same table serves any p(x|z): nothing in it needed x to be normal.",
)


# -- task 4 ------------------------------------------------------------------------------------

_N_DAYS, _N_HOURS = 4000, 12


def _sample_days(n_days, n_hours, a, b, rng):
    z = rng.standard_normal(n_days)
    return rng.poisson(np.exp(a + b * z)[:, None], (n_days, n_hours))


def _far(values, exact):
    """Tell whether an average of independent values is more than 6 standard errors off."""
    return abs(values.mean() - exact) > 6 * values.std() / np.sqrt(values.size)


def _within(x):
    """The mean of the variances within the days."""
    return x.var(axis=1, ddof=1).mean()


def _spread_is_off(x, n_days, n_hours, a, b, rng):
    return abs(np.log(x.mean(axis=1) + 0.5).std() / b - 1) > 0.2


def _mean_is_off(x, n_days, n_hours, a, b, rng):
    mean = _moments(a, b)[0]
    return _far(x.mean(axis=1), mean) or _far(x.var(axis=1, ddof=1), mean)


check_days = Function(
    homework,
    "Days and hours by ancestral sampling",
    oracle=_sample_days,
    cases=lambda rng: [(_N_DAYS, _N_HOURS, 3.0, b, rng) for b in (0.4, 0.6)],
    mistakes=None,
    signs={
        "Shape (n_days, n_hours) is asked: one row for each day.": (
            lambda x, n_days, n_hours, *_: np.shape(x) != (n_days, n_hours),
            lambda *arguments: _sample_days(*arguments).T,
        ),
        "Within a day the counts scatter too little: the second step, a Poisson, is missing.": (
            lambda x, *_: _within(x) < 0.5 * x.mean(),
            lambda n_days, n_hours, a, b, rng: np.repeat(
                np.exp(a + b * rng.standard_normal(n_days))[:, None], n_hours, axis=1
            ),
        ),
        "Within a day the counts scatter too much: draw z once a day, not once an hour.": (
            lambda x, n_days, n_hours, a, b, rng: (
                _within(x) > x.mean() * (1 + 0.5 * (_moments(a, b)[1] / _moments(a, b)[0] - 1))
            ),
            lambda n_days, n_hours, a, b, rng: rng.poisson(
                np.exp(a + b * rng.standard_normal((n_days, n_hours)))
            ),
        ),
        "All days have the same rate: draw a z for each day.": (
            lambda x, n_days, n_hours, *_: x.mean(axis=1).var() < 3 * _within(x) / n_hours,
            lambda n_days, n_hours, a, b, rng: rng.poisson(
                np.exp(a + b * rng.standard_normal()), (n_days, n_hours)
            ),
        ),
        "The days differ too much or too little: is z drawn with standard deviation 1?": (
            _spread_is_off,
            lambda n_days, n_hours, a, b, rng: _sample_days(n_days, n_hours, a, b**0.5, rng),
        ),
        "The mean count is off: is the rate exp(a + bz), with z ~ N[0, 1]?": (
            _mean_is_off,
            lambda n_days, n_hours, a, b, rng: _sample_days(n_days, n_hours, a - b**2 / 2, b, rng),
        ),
    },
    hints=(
        "First the parents, all of them: how many z are there?",
        "One rate for each day; all hours of that day use it.",
        "rng.poisson(rates[:, None], size=(n_days, n_hours)) draws a row for each rate.",
    ),
    because="Given z the hours are independent. Without z they are not: they share a parent.",
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
    "prior": "The draws come from the prior, so p(z) must not multiply the weights once more.",
    "norm": "The weights do not sum to one: divide by their sum, not by their number.",
    "logs": "The weights of a far count are all 0: subtract the largest logarithm before exp.",
}


def _friend(x, z, a, b, *, left):
    """The friend's function with only the bugs named in `left` still in it."""
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
    mistakes={  # without the division by their sum, weights of 0 are seen by nobody
        sentence: mistake
        for sentence, mistake in every_bug(_friend, _BUGS).items()
        if not (_BUGS["norm"] in sentence and _BUGS["logs"] in sentence)
    },
    hints=(
        "Let b be 0. The count then says nothing of z: what must the posterior mean be near?",
        "An average with weights is sum(w z) / sum(w).",
        "For x = 3000 print the weights: each of them is exp of something below -745.",
    ),
    because="Draw from the prior, weight by the likelihood: Bayes' rule without a single integral.",
)
