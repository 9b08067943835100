"""Answers to the homework on the bound, as learners write them: right ones and wrong ones."""

import numpy as np
import torch
from scipy import stats
from scipy.special import logsumexp, xlogy


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


def m_step_with(x, means, stds, a=1, b=1):
    slope = np.sum(x * means) / np.sum(means**2 + a * stds**2)
    return slope, np.mean((x - slope * means) ** 2 + b * slope**2 * stds**2) ** 0.5


def m_step_averaging(x, means, stds):
    slope = np.mean(x * means / (means**2 + stds**2))
    return slope, np.mean((x - slope * means) ** 2 + slope**2 * stds**2) ** 0.5


def m_step_summing(x, means, stds):
    slope, noise_std = m_step_with(x, means, stds)
    return slope, noise_std * len(x) ** 0.5


def mixture_by_xlogy(log_joint, q):
    return (xlogy(q, np.exp(log_joint)) - xlogy(q, q)).sum()


def mixture_looped(log_joint, q):
    total = 0.0
    for row, shares in zip(log_joint, q, strict=True):
        for a, share in zip(row, shares, strict=True):
            if share > 0:
                total += share * (a - np.log(share))
    return total


def mixture_in_torch(log_joint, q):
    log_joint, q = torch.as_tensor(log_joint), torch.as_tensor(q)
    terms = q * (log_joint - q.log())
    return torch.where(q > 0, terms, torch.zeros_like(terms)).sum()


def round_by_posterior(x, slope, noise_std):
    # The posterior as the product of two bells: precisions add.
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


def round_with(x, slope, means=None, variance=None, count=None):
    count = len(x) if count is None else count
    return x @ means / (np.sum(means**2) + count * variance)


def round_without_shrinking(x, slope, noise_std):
    return round_with(x, slope, x / slope, noise_std**2 / (slope**2 + noise_std**2))


def round_without_square(x, slope, noise_std):
    total = slope**2 + noise_std**2
    return round_with(x, slope, slope * x / total, noise_std / total)


def round_counting_once(x, slope, noise_std):
    total = slope**2 + noise_std**2
    return round_with(x, slope, slope * x / total, noise_std**2 / total, count=1)


RIGHT = {
    "check_needle": ["b", "B."],
    "check_uniform": [uniform_by_quadrature, uniform_in_torch],
    "check_m_step": [m_step_looped, m_step_in_torch],
    "check_mixture": [mixture_by_xlogy, mixture_looped, mixture_in_torch],
    "check_round": [round_by_posterior, round_in_torch],
}

#: Check -> wrong answers, each with words of the sentence that must come.
WRONG = {
    "check_needle": [
        ("a", "it is finite"),
        ("c", "leaves out -E[log q]"),
        ("d", "which has a width"),
        ("e", "twice"),
    ],
    "check_uniform": [
        (lambda x, a, s, m, h: log_joint_with(x, a, s, m, h**2 / 3), "The entropy is missing"),
        (lambda x, a, s, m, h: log_joint_with(x, a, s, m, h**2 / 3) - np.log(2 * h), "wrong sign"),
        (lambda x, a, s, m, h: log_joint_with(x, a, s, m, h**2 / 3) + np.log(h), "length 2h"),
        (lambda x, a, s, m, h: log_joint_with(x, a, s, m, h**2 / 12) + np.log(2 * h), "2h long"),
        (lambda x, a, s, m, h: log_joint_with(x, a, s, m, h**2) + np.log(2 * h), "it is h²/3"),
        (uniform_at_the_middle, "The width of q is missing"),
        (uniform_minus_prior, "E[log p(z)] is missing"),
        (lambda *a: uniform_by_quadrature(*a).sum(), "wrong shape"),
    ],
    "check_m_step": [
        (lambda x, m, s: m_step_with(x, m, s, a=0), "In the slope E[z²]"),
        (lambda x, m, s: m_step_with(x, m, s, b=0), "φ²s² is missing"),
        (lambda x, m, s: m_step_with(x, m, s, a=0, b=0), "both treat z as known"),
        (lambda x, m, s: (m_step_with(x, m, s)[0], m_step_with(x, m, s)[1] ** 2), "its root"),
        (m_step_summing, "summed over the data"),
        (m_step_averaging, "averages the best slope"),
    ],
    "check_mixture": [
        (lambda lj, q: np.sum(q * (lj - np.log(q))), "0 log 0 is 0"),
        (lambda lj, q: np.sum(q[q > 0] * lj[q > 0]), "The entropy of q is missing"),
        (lambda lj, q: np.sum(q[q > 0] * (lj[q > 0] + np.log(q[q > 0]))), "has the wrong sign"),
        (lambda lj, q: logsumexp(lj, b=q, axis=1).sum(), "outside of the sum"),
        (lambda lj, q: mixture_looped(lj, q) / len(lj), "the average over the data"),
        (lambda lj, q: xlogy(q, np.exp(lj)).sum(1) - xlogy(q, q).sum(1), "The sum over all of it"),
    ],
    "check_round": [
        (round_untouched, "not x/φ. The posterior variance"),
        (round_without_shrinking, "it is not x/φ."),
        (round_without_square, "the noise enters squared"),
        (round_counting_once, "I times the variance"),
        (lambda x, slope, noise_std: slope, "The value is not right"),
    ],
}
