"""Answers to the homework on the variational approximation, as learners write them."""

import math

import numpy as np
import torch
from scipy import integrate, special, stats


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


def posterior_with(counts, points, widths):
    log_joint = counts.sum() * points - len(counts) * np.exp(points) - points**2 / 2
    log_joint = log_joint - math.log(2 * math.pi) / 2 - special.gammaln(counts + 1).sum()
    log_px = special.logsumexp(log_joint, b=widths)
    weights = widths * np.exp(log_joint - log_px)
    mean = weights @ points
    return log_px, mean, np.sqrt(weights @ points**2 - mean**2)


def posterior_by_rectangles(counts, points):
    widths = np.zeros(len(points))
    widths[:-1] = points[1:] - points[:-1]
    return posterior_with(counts, points, widths)


def posterior_without_widths(counts, points):
    return posterior_with(counts, points, np.ones(len(points)))


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


def climbs_by_dictionary(means, bounds):
    maxima = {}
    for mean, bound in zip(means, bounds, strict=True):
        maxima[f"{mean:.3f}"] = float(bound)
    top = max(maxima.values())
    area = sum(math.exp(height - top) for height in maxima.values())
    return top, 1 / area, top + math.log(area)


def climbs_in_torch(means, bounds):
    order = torch.argsort(torch.as_tensor(means))
    means, bounds = torch.as_tensor(means)[order], torch.as_tensor(bounds)[order]
    new = torch.cat([torch.tensor([True]), torch.diff(means) > 0.01])
    heights = bounds[new]
    weights = torch.softmax(heights, dim=0)
    return heights.max(), weights.max(), (weights * (heights - weights.log())).sum()


def unique_maxima(means, bounds):
    _, first, counts = np.unique(means.round(3), return_index=True, return_counts=True)
    return bounds[first], counts


def climbs_naive(means, bounds):
    area = np.exp(unique_maxima(means, bounds)[0])
    return bounds.max(), area.max() / area.sum(), np.log(area.sum())


RIGHT = {
    "check_bound": [bound_looped, bound_in_torch],
    "check_posterior": [posterior_by_numpy, posterior_by_simpson, posterior_in_torch],
    "check_gradient": [gradient_looped, gradient_by_autograd],
    "check_climbs": [
        climbs_by_dictionary,
        climbs_in_torch,
        lambda means, bounds: np.array(climbs_by_dictionary(means, bounds)),
    ],
}

#: Check -> wrong answers in other words than its own, with words of the sentence that must come.
WRONG = {
    "check_posterior": [
        (posterior_naive, "an infinity"),
        (posterior_changed(lambda e, m, s: (m, s)), "3 values are asked for"),
        (posterior_by_rectangles, "whole step to its right"),
        (posterior_without_widths, "The widths of the points are missing"),
    ],
    "check_climbs": [
        (climbs_naive, "NaN"),
    ],
}
