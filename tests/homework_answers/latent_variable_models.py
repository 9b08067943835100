"""Answers to the homework on latent variables, as learners write them: right and wrong ones."""

import numpy as np
import torch
from scipy import integrate, stats
from scipy.special import gammaln, logsumexp

from vaebook.quadrature import log_integral, uniform_grid


def moments_by_total_variance(a, b):
    mean_rate = np.exp(a + b * b / 2)
    mean_square = np.exp(2 * a + (2 * b) ** 2 / 2)
    return [mean_rate, mean_rate + mean_square - mean_rate**2]


def rates(a, b):
    return np.exp(a + b**2 / 2), np.exp(2 * a + 2 * b**2)


def moments_in_torch(a, b):
    rate = torch.distributions.LogNormal(torch.tensor(a, dtype=torch.float64), b)
    return rate.mean, rate.mean + rate.variance


def table(x, a, b):
    z = np.linspace(-8, 8, 2001)
    return stats.poisson.logpmf(x[:, None], np.exp(a + b * z)) + stats.norm.logpdf(z), z[1] - z[0]


def log_marginal_by_sum(x, a, b):
    values, step = table(x, a, b)
    return logsumexp(values, axis=1) + np.log(step)


def log_marginal_looped(x, a, b):
    result = []
    for count in x:
        peak = np.log(count + 1.0)

        def scaled(z, count=count, peak=peak):
            return np.exp(count * (a + b * z - peak) - np.exp(a + b * z) + count - z * z / 2)

        inside = np.clip((peak - a) / b, -8, 8)
        area = integrate.quad(scaled, -9, 9, points=[inside], epsabs=0, epsrel=1e-10, limit=200)[0]
        shift = count * peak - count - gammaln(count + 1) - 0.5 * np.log(2 * np.pi)
        result.append(np.log(area) + shift)
    return result


def log_marginal_in_torch(x, a, b):
    z = torch.linspace(-9, 9, 3001, dtype=torch.float64)
    log_rate = a + b * z
    log_px = torch.distributions.Poisson(log_rate.exp()).log_prob(torch.as_tensor(x)[:, None])
    log_pz = torch.distributions.Normal(0.0, 1.0).log_prob(z)
    return torch.logsumexp(log_px + log_pz, dim=1) + torch.log(z[1] - z[0])


def log_marginal_naive(x, a, b):
    z = np.linspace(-9, 9, 3001)
    rate = np.exp(a + b * z)
    factorial = np.cumprod([1.0, *range(1, x.max() + 1)])[x]
    values = rate ** x[:, None].astype(float) * np.exp(-rate) / factorial[:, None]
    return np.log((values * stats.norm.pdf(z)).sum(1) * (z[1] - z[0]))


def without_prior(x, a, b):
    points, widths = uniform_grid(-8.0, 8.0, 2001)
    return log_integral(stats.poisson.logpmf(x[:, None], np.exp(a + b * points)), widths)


def average_of_logs(x, a, b):
    # The mean of log p(x|z) under the prior in closed form.
    return x * a - np.exp(a + b**2 / 2) - gammaln(x + 1)


def days_looped(n_days, n_hours, a, b, rng):
    days = []
    for _ in range(n_days):
        rate = np.exp(rng.normal(a, b))
        days.append(rng.poisson(rate, n_hours))
    return np.array(days)


def days_by_repeat(n_days, n_hours, a, b, rng):
    rates = np.repeat(np.exp(a + b * rng.standard_normal((n_days, 1))), n_hours, axis=1)
    return torch.as_tensor(rng.poisson(rates))


def days_from_the_global_generator(n_days, n_hours, a, b, rng):
    z = np.random.normal(size=(n_days, 1))  # noqa: NPY002
    return rng.poisson(np.exp(a + b * z), (n_days, n_hours))


def mean_by_loop(x, z, a, b):
    result = []
    for count in x:
        log_w = stats.poisson.logpmf(count, np.exp(a + b * z))
        w = np.exp(log_w - log_w.max())
        result.append(np.average(z, weights=w))
    return result


def mean_in_torch(x, z, a, b):
    x, z = torch.as_tensor(x), torch.as_tensor(z)
    log_w = torch.distributions.Poisson(torch.exp(a + b * z)).log_prob(x[:, None])
    return torch.softmax(log_w, dim=1) @ z


def mean_untouched(x, z, a, b):
    w = np.exp(stats.poisson.logpmf(x[:, None], np.exp(a + b * z)) + stats.norm.logpdf(z))
    return (w @ z) / len(z)


def mean_not_normalised(x, z, a, b):
    return (stats.poisson.pmf(x[:, None], np.exp(a + b * z)) * z).mean(1)


RIGHT = {
    "check_moments": [moments_by_total_variance, moments_in_torch],
    "check_log_marginal": [log_marginal_by_sum, log_marginal_looped, log_marginal_in_torch],
    "check_days": [days_looped, days_by_repeat],
    "check_posterior": [mean_by_loop, mean_in_torch],
}


def unseeded():
    return np.random.Generator(np.random.PCG64())


def days_of_rounded_normals(n_days, n_hours, a, b, rng):
    rates = np.exp(a + b * rng.standard_normal(n_days))[:, None]
    noise = np.sqrt(rates) * rng.standard_normal((n_days, n_hours))
    return np.maximum(np.round(rates + noise), 0)


#: Check -> wrong answers in other words than its own, with words of the sentence that must come.
WRONG = {
    "check_moments": [
        (lambda a, b: rates(a, b)[0], "2 values are asked for"),
    ],
    "check_log_marginal": [
        (without_prior, "The prior is missing"),
        (average_of_logs, "the average of the logarithms"),
        (lambda x, a, b: stats.poisson.logpmf(x, np.exp(a)), "at z = 0"),
        (log_marginal_naive, "There is a NaN in it"),
        (lambda x, a, b: logsumexp(table(x, a, b)[0], axis=1), "Off by"),
    ],
    "check_days": [
        (lambda d, h, a, b, rng: days_looped(d, h, a, 2 * b, rng), "share their rate"),
        (lambda d, h, a, b, rng: days_looped(d, h, a, b / 2, rng), "share their rate"),
        (lambda d, h, a, b, rng: days_looped(d, h, a + 0.3, b, rng), "The mean count, e^(a"),
        (lambda d, h, a, b, rng: days_by_repeat(h, d, a, b, rng).T, "variance minus mean"),
        (lambda d, h, *rest: days_by_repeat(d, h, *rest).T, "Draws of shape (4000, 12)"),
        (lambda *given: days_by_repeat(*given) + 0.5, "whole numbers"),
        (lambda *given: days_by_repeat(*given[:4], unseeded()), "The same rng"),
        (lambda *given: days_by_repeat(*given[:4], np.random.default_rng(1)), "Another rng"),
        (days_of_rounded_normals, "minus mean"),
        (days_from_the_global_generator, "global random numbers"),
    ],
    "check_posterior": [
        (mean_untouched, "factor of the weights. The weights do not sum to one"),
        (mean_not_normalised, "divide by their sum"),
        (lambda x, z, a, b: np.full(len(x), z.mean()), "the weights e⁻¹ and e^(-e)"),
    ],
}
