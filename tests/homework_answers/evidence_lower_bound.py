"""Answers to the homework on the bound, as learners write them: right ones and wrong ones."""

import numpy as np
import torch
from scipy import stats
from scipy.special import xlogy


def uniform_by_quadrature(x, slope, noise_std, middle, half_width):
    nodes, weights = np.polynomial.legendre.leggauss(8)
    total = 0
    for node, weight in zip(nodes, weights / 2, strict=True):
        z = middle + half_width * node
        log_joint = stats.norm.logpdf(x, slope * z, noise_std) + stats.norm.logpdf(z)
        total = total + weight * (log_joint + np.log(2 * half_width))
    return total


def uniform_in_torch(x, slope, noise_std, middle, half_width):
    x, slope, noise_std, middle, half_width = map(
        torch.as_tensor, (x, slope, noise_std, middle, half_width)
    )
    q = torch.distributions.Uniform(middle - half_width, middle + half_width)
    like = torch.distributions.Normal(slope * middle, noise_std).log_prob(x)
    like = like - slope**2 * q.variance / (2 * noise_std**2)
    prior = torch.distributions.Normal(0.0, 1.0).log_prob(middle) - q.variance / 2
    return like + prior + q.entropy()


def log_joint_with(x, slope, noise_std, middle, spread):
    like = stats.norm.logpdf(x, slope * middle, noise_std) - slope**2 * spread / 2 / noise_std**2
    return like + stats.norm.logpdf(middle) - spread / 2


def uniform_minus_prior(x, slope, noise_std, middle, half_width):
    like = stats.norm.logpdf(x, slope * middle, noise_std)
    spread = half_width**2 / 3
    return like - slope**2 * spread / 2 / noise_std**2 + np.log(2 * half_width)


def uniform_at_the_middle(x, slope, noise_std, middle, half_width):
    return log_joint_with(x, slope, noise_std, middle, 0) + np.log(2 * half_width)


def m_step_looped(x, means, stds):
    above = below = total = 0.0
    for i in range(len(x)):
        above += x[i] * means[i]
        below += means[i] ** 2 + stds[i] ** 2
    slope = above / below
    for i in range(len(x)):
        total += x[i] ** 2 - 2 * x[i] * slope * means[i] + slope**2 * (means[i] ** 2 + stds[i] ** 2)
    return slope, (total / len(x)) ** 0.5


def m_step_in_torch(x, means, stds):
    x, means, stds = map(torch.as_tensor, (x, means, stds))
    second = means**2 + stds**2
    slope = (x * means).sum() / second.sum()
    return slope, (x**2 - 2 * slope * x * means + slope**2 * second).mean().sqrt()


def mixture_by_xlogy(log_joint, q):
    return (xlogy(q, np.exp(log_joint)) - xlogy(q, q)).sum()


def mixture_looped(log_joint, q):
    total = 0.0
    for row, weights in zip(log_joint, q, strict=True):
        for a, weight in zip(row, weights, strict=True):
            if weight > 0:
                total += weight * (a - np.log(weight))
    return total


def mixture_in_torch(log_joint, q):
    log_joint, q = torch.as_tensor(log_joint), torch.as_tensor(q)
    terms = q * (log_joint - q.log())
    return torch.where(q > 0, terms, torch.zeros_like(terms)).sum()


def round_by_posterior(x, slope, noise_std):
    # The posterior as a product of two Gaussians: precisions add.
    precision = 1 + slope**2 / noise_std**2
    means = slope * x / noise_std**2 / precision
    return np.mean(x * means) / np.mean(means**2 + 1 / precision)


def round_in_torch(x, slope, noise_std):
    x = torch.as_tensor(x)
    total = slope**2 + noise_std**2
    means = slope * x / total
    return (x @ means) / (means @ means + len(x) * noise_std**2 / total)


def round_untouched(x, slope, noise_std):
    means = x / slope
    variance = noise_std / (slope**2 + noise_std**2)
    return x @ means / (np.sum(means**2) + variance)


RIGHT = {
    "check_uniform": [uniform_by_quadrature, uniform_in_torch],
    "check_m_step": [m_step_looped, m_step_in_torch, lambda *a: [*m_step_looped(*a)]],
    "check_mixture": [mixture_by_xlogy, mixture_looped, mixture_in_torch],
    "check_round": [round_by_posterior, round_in_torch],
}

#: Check -> wrong answers in other words than its own, with words of the sentence that must come.
WRONG = {
    "check_uniform": [
        (uniform_at_the_middle, "The variance of q is missing"),
        (uniform_minus_prior, "E[log p(z)] is missing"),
        (lambda *a: uniform_by_quadrature(*a).sum(), "wrong shape"),
    ],
    "check_mixture": [
        (lambda lj, q: xlogy(q, np.exp(lj)).sum(1) - xlogy(q, q).sum(1), "The sum over all of it"),
    ],
    "check_round": [
        (round_untouched, "towards 0. The posterior variance"),
        (lambda x, slope, noise_std: slope, "mean ½, variance ½"),
    ],
}
