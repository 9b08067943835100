"""Answers to the homework on the variational approximation, as learners write them."""

import math

import numpy as np
import torch
from scipy import integrate, stats
from scipy.special import gammaln, logsumexp


def bound_looped(counts, mean, std):
    total = 0.0
    for x in counts:
        total += x * mean - math.exp(mean + std**2 / 2) - math.lgamma(x + 1)
    return total - 0.5 * (std**2 + mean**2 - 1) + math.log(std)


def bound_in_torch(counts, mean, std):
    counts, mean, std = (torch.as_tensor(v, dtype=torch.float64) for v in (counts, mean, std))
    fit = counts * mean - torch.exp(mean + std**2 / 2) - torch.lgamma(counts + 1)
    normal = torch.distributions.Normal
    price = torch.distributions.kl_divergence(normal(mean, std), normal(0.0, 1.0))
    return fit.sum() - price


def bound_by(counts, mean, std, rate, price=1.0, norm=1.0):
    kl = 0.5 * (std**2 + mean**2 - 1) - np.log(std)
    fit = sum(counts) * mean - rate - norm * sum(gammaln(counts + 1.0))
    return fit - price * kl


def rate_of(counts, mean, std):
    return len(counts) * np.exp(mean + std**2 / 2)


def log_joint_of(counts, points):
    log_p = stats.poisson.logpmf(counts[:, None], np.exp(points)).sum(0)
    return log_p + stats.norm.logpdf(points)


def posterior_by_numpy(counts, points):
    logs = log_joint_of(counts, points)
    p = np.exp(logs - logs.max())
    area = np.trapezoid(p, points)
    mean = np.trapezoid(p * points, points) / area
    square = np.trapezoid(p * points**2, points) / area
    return logs.max() + np.log(area), mean, np.sqrt(square - mean**2)


def posterior_by_simpson(counts, points):
    logs = log_joint_of(counts, points)
    p = np.exp(logs - logs.max())
    area = integrate.simpson(p, x=points)
    mean = integrate.simpson(p * points, x=points) / area
    var = integrate.simpson(p * (points - mean) ** 2, x=points) / area
    return [logs.max() + np.log(area), mean, var**0.5]


def posterior_in_torch(counts, points):
    logs, points = torch.as_tensor(log_joint_of(counts, points)), torch.as_tensor(points)
    steps = torch.diff(points)
    widths = torch.nn.functional.pad(steps, (0, 1)) + torch.nn.functional.pad(steps, (1, 0))
    log_mass = logs + torch.log(widths / 2)
    log_px = torch.logsumexp(log_mass, 0)
    mass = torch.exp(log_mass - log_px)
    mean = mass @ points
    return log_px, mean, (mass @ (points - mean) ** 2).sqrt()


def trapezoid(points):
    steps = np.diff(points)
    return 0.5 * (np.append(steps, 0) + np.insert(steps, 0, 0))


def posterior_of_logs(logs, points, widths=None):
    widths = trapezoid(points) if widths is None else widths
    w = np.exp(logs - logs.max()) * widths
    mean = w @ points / w.sum()
    return logs.max() + np.log(w.sum()), mean, np.sqrt(w @ (points - mean) ** 2 / w.sum())


def posterior_of_even_spacing(counts, points):
    widths = np.full(len(points), points[1] - points[0])
    return posterior_of_logs(log_joint_of(counts, points), points, widths)


def posterior_without_prior(counts, points):
    logs = log_joint_of(counts, points) - stats.norm.logpdf(points)
    return posterior_of_logs(logs, points)


def posterior_without_factorials(counts, points):
    return posterior_of_logs(log_joint_of(counts, points) + gammaln(counts + 1).sum(), points)


def posterior_naive(counts, points):
    p = np.exp(log_joint_of(counts, points))
    area = np.trapezoid(p, points)
    mean = np.trapezoid(p * points, points) / area
    return np.log(area), mean, np.sqrt(np.trapezoid(p * (points - mean) ** 2, points) / area)


def posterior_changed(change):
    return lambda counts, points: change(*posterior_by_numpy(counts, points))


def gradient_looped(params, totals, n_days):
    a, b, c, d = params
    gradient = np.zeros(4)
    for total in totals:
        u = math.log(1 + total)
        mean, std = a * u + b, math.exp(c * u + d)
        rate = n_days * math.exp(mean + std**2 / 2)
        by_mean = total - rate - mean
        by_log_std = 1 - std**2 - rate * std**2
        gradient += np.array([by_mean * u, by_mean, by_log_std * u, by_log_std])
    return gradient / len(totals)


def bound_of_map(params, totals, n_days):
    u = torch.log1p(totals)
    mean, log_std = params[0] * u + params[1], params[2] * u + params[3]
    var = torch.exp(2 * log_std)
    price = 0.5 * (var + mean**2 - 1) - log_std
    return (totals * mean - n_days * torch.exp(mean + var / 2) - price).mean()


def gradient_by_autograd(params, totals, n_days):
    params = torch.tensor(params, requires_grad=True)
    bound = bound_of_map(params, torch.as_tensor(totals, dtype=torch.float64), n_days)
    return torch.autograd.grad(bound, params)[0]


def gradient_from(params, totals, n_days, *, half=0.5, prior=1.0, entropy=1.0, by=1.0, chain=1):
    u = np.log(1 + totals)
    mean, std = params[0] * u + params[1], np.exp(params[2] * u + params[3])
    rate = n_days * np.exp(mean + half * std**2)
    by_mean = totals - rate - prior * mean
    by_log_std = entropy - prior * std**2 - 2 * half * rate * std**2
    by_log_std = by_log_std / (std if by == "std" else by)
    times = u if chain else 1.0
    rows = (by_mean * times, by_mean, by_log_std * times, by_log_std)
    return [np.mean(row) for row in rows]


def climbs_by_dictionary(means, bounds):
    hills = {}
    for mean, bound in zip(means, bounds, strict=True):
        hills[f"{mean:.3f}"] = float(bound)
    top = max(hills.values())
    area = sum(math.exp(height - top) for height in hills.values())
    return top, 1 / area, top + math.log(area)


def climbs_in_torch(means, bounds):
    order = torch.argsort(torch.as_tensor(means))
    means, bounds = torch.as_tensor(means)[order], torch.as_tensor(bounds)[order]
    new = torch.cat([torch.tensor([True]), torch.diff(means) > 0.01])
    heights = bounds[new]
    weights = torch.softmax(heights, dim=0)
    return heights.max(), weights.max(), (weights * (heights - weights.log())).sum()


def unique_hills(means, bounds):
    _, first, counts = np.unique(means.round(3), return_index=True, return_counts=True)
    return bounds[first], counts


def climbs_naive(means, bounds):
    area = np.exp(unique_hills(means, bounds)[0])
    return bounds.max(), area.max() / area.sum(), np.log(area.sum())


def climbs_without_entropy(means, bounds):
    heights = unique_hills(means, bounds)[0]
    weights = np.exp(heights - logsumexp(heights))
    return heights.max(), weights.max(), weights @ heights


def climbs_by_majority(means, bounds):
    heights, counts = unique_hills(means, bounds)
    kept = heights[np.argmax(counts)]
    return kept, np.exp(kept - logsumexp(heights)), logsumexp(heights)


def climbs_counted(means, bounds):
    heights, counts = unique_hills(means, bounds)
    return heights.max(), counts[heights.argmax()] / len(means), logsumexp(heights)


def climbs_of(heights, reduce=np.max, shift=0.0):
    kept = reduce(heights)
    return kept, np.exp(kept - logsumexp(heights)), logsumexp(heights) - shift


RIGHT = {
    "check_wall": ["c", "(C)"],
    "check_bound": [bound_looped, bound_in_torch],
    "check_posterior": [posterior_by_numpy, posterior_by_simpson, posterior_in_torch],
    "check_gradient": [gradient_looped, gradient_by_autograd],
    "check_climbs": [climbs_by_dictionary, climbs_in_torch],
}

#: Check -> wrong answers, each with words of the sentence that must come.
WRONG = {
    "check_wall": [
        ("a", "Is p a Gaussian"),
        ("b", "Narrow is not enough"),
        ("d", "The other way round"),
        ("e", "never looks behind the wall"),
        ("f", "one letter in quotes"),
    ],
    "check_bound": [
        (lambda x, m, s: bound_by(x, m, s, len(x) * np.exp(m)), "is not e^μ"),
        (lambda x, m, s: bound_by(x, m, s, len(x) * np.exp(m + s**2)), "without the ½"),
        (lambda x, m, s: bound_by(x, m, s, len(x) * np.exp(m + s / 2)), "you have s/2"),
        (lambda x, m, s: bound_by(x, m, s, np.exp(m + s**2 / 2)), "you took it once"),
        (lambda *a: bound_by(*a, rate_of(*a), norm=0), "log x! of every day"),
        (lambda *a: bound_by(*a, rate_of(*a), price=0), "The KL to the prior is missing"),
        (lambda *a: bound_by(*a, rate_of(*a), price=-1), "is added"),
        (lambda *a: -bound_looped(*a), "sign"),
    ],
    "check_posterior": [
        (posterior_of_even_spacing, "a width of its own"),
        (posterior_without_prior, "The prior is missing"),
        (posterior_without_factorials, "log x! is missing"),
        (posterior_naive, "an infinity"),
        (posterior_changed(lambda e, m, s: (e, m, s**2)), "the variance"),
        (posterior_changed(lambda e, m, s: (np.exp(e), m, s)), "its logarithm is asked"),
        (posterior_changed(lambda e, m, s: (m, s)), "3 values are asked"),
    ],
    "check_gradient": [
        (lambda p, t, n: gradient_looped(p, t, n) * len(t), "You added the stations up"),
        (lambda *a: gradient_from(*a, by="std"), "derivatives by s;"),
        (lambda *a: gradient_from(*a, by=2), "derivatives by log s²"),
        (lambda *a: gradient_from(*a, chain=0), "multiplied by u"),
        (lambda *a: gradient_from(*a, half=0), "The exponent s²/2 is forgotten"),
        (lambda *a: gradient_from(*a, prior=0), "The prior is missing"),
        (lambda *a: gradient_from(*a, entropy=0), "The entropy is missing"),
        (lambda *a: -gradient_looped(*a), "sign"),
    ],
    "check_climbs": [
        (climbs_by_majority, "starts say where you began"),
        (climbs_counted, "Weigh the hills with exp(bound)"),
        (lambda means, bounds: climbs_of(bounds), "Each start is counted as a hill"),
        (lambda means, bounds: climbs_of(np.unique(bounds)), "Hills of equal height"),
        (climbs_without_entropy, "entropy of the weights"),
        (lambda *a: climbs_of(unique_hills(*a)[0], np.min), "to be high, not low"),
        (climbs_naive, "NaN"),
    ],
}
