"""Answers to the homework on rate and distortion, right and wrong ones."""

import math

import numpy as np
import torch
from scipy import stats
from scipy.optimize import brentq
from torch.distributions import Categorical, Normal, kl_divergence


def level_by_search(variances, rate):
    def missing(log_level):
        return sum(max(0.0, 0.5 * (math.log(v) - log_level)) for v in variances) - rate

    high = math.log(max(variances))
    return math.exp(brentq(missing, high - 2 * rate - 1, high, xtol=1e-13))


def level_by_loop(variances, rate):
    falling = sorted(variances, reverse=True)
    for n in range(1, len(falling) + 1):
        level = math.exp((sum(map(math.log, falling[:n])) - 2 * rate) / n)
        if n == len(falling) or level >= falling[n]:
            return level
    return None


def level_of_equal_rates(variances, rate):
    """Every feature gets the same rate, and the mean of their errors is returned."""
    return np.mean(variances * np.exp(-2 * rate / len(variances)))


def parts_looped(q, prior):
    average = [sum(column) / len(q) for column in q.T]
    rate = information = mismatch = 0.0
    for one in q:
        for a, b, p in zip(one, average, prior, strict=True):
            if a > 0:
                rate += a * math.log(a / p) / len(q)
                information += a * math.log(a / b) / len(q)
    for b, p in zip(average, prior, strict=True):
        if b > 0:
            mismatch += b * math.log(b / p)
    return rate, information, mismatch


def parts_by_entropies(q, prior):
    rate = np.mean([stats.entropy(one, prior) for one in q])
    average = q.mean(axis=0)
    information = stats.entropy(average) - np.mean([stats.entropy(one) for one in q])
    return [rate, information, rate - information]


def parts_in_torch(q, prior):
    q, prior = torch.as_tensor(q), torch.as_tensor(prior)
    rate = kl_divergence(Categorical(q), Categorical(prior.expand_as(q))).mean()
    mismatch = kl_divergence(Categorical(q.mean(0)), Categorical(prior))
    return rate, rate - mismatch, mismatch


def parts_naive(q, prior):
    average = q.mean(axis=0)
    rate = (q * np.log(q / prior)).sum(axis=1).mean()
    mismatch = (average * np.log(average / prior)).sum()
    return rate, (q * np.log(q / average)).sum(axis=1).mean(), mismatch


def information_by_test(a, b):
    table = stats.contingency.crosstab(a, b).count
    if 1 in table.shape:
        return 0.0
    found = stats.chi2_contingency(table, correction=False, lambda_="log-likelihood")
    return found.statistic / (2 * len(a))


def gap_by_test(codes, factors):
    gaps = []
    for v in factors.T:
        told = sorted(information_by_test(z, v) for z in codes.T)
        gaps.append((told[-1] - told[-2]) / stats.entropy(np.unique(v, return_counts=True)[1]))
    return gaps


def entropy_of(*columns):
    _, counts = np.unique(np.stack(columns), axis=1, return_counts=True)
    p = counts / counts.sum()
    return -(p * np.log(p)).sum()


def gap_by_entropies(codes, factors, *, bits=False, joint=False):
    result = np.zeros(factors.shape[1])
    for f in range(factors.shape[1]):
        told = []
        for k in range(codes.shape[1]):
            both = entropy_of(codes[:, k], factors[:, f])
            told.append(entropy_of(codes[:, k]) + entropy_of(factors[:, f]) - both)
        told.sort()
        below = entropy_of(*codes.T, factors[:, f]) if joint else entropy_of(factors[:, f])
        result[f] = (told[-1] - told[-2]) / (below / math.log(2) if bits else below)
    return result


def noise_in_torch(x, f, mean, log_var, log_std):
    x, f, mean, log_var = map(torch.as_tensor, (x, f, mean, log_var))
    fit = Normal(f, math.exp(log_std)).log_prob(x) + 0.5 * math.log(2 * math.pi)
    kl = kl_divergence(Normal(mean, (log_var / 2).exp()), Normal(0.0, 1.0))
    return (kl.sum(-1) - fit.sum(-1)).mean()


def noise_looped(x, f, mean, log_var, log_std):
    total = 0.0
    for a, b, m, v in zip(x, f, mean, log_var, strict=True):
        for d in range(len(a)):
            total += (a[d] - b[d]) ** 2 / (2 * math.exp(log_std) ** 2) + log_std
        for k in range(len(m)):
            total += (math.exp(v[k]) + m[k] ** 2 - 1 - v[k]) / 2
    return total / len(x)


def noise_untouched(x, f, mean, log_var, log_std):
    squares = ((x - f) ** 2).sum(axis=-1)
    fit = squares / np.exp(2 * log_std) + log_std
    kl = 0.5 * (np.expm1(log_var) - log_var + mean**2).mean(axis=-1)
    return (fit + kl).mean()


RIGHT = {
    "check_level": [level_by_search, level_by_loop],
    "check_parts": [parts_looped, parts_by_entropies, parts_in_torch],
    "check_gap": [gap_by_test, gap_by_entropies],
    "check_noise": [noise_in_torch, noise_looped],
}

#: Check -> wrong answers in other words than its own, with words of the sentence that must come.
WRONG = {
    "check_level": [
        (level_of_equal_rates, "the level must be"),
        (lambda v, rate: level_by_loop(v, 2 * rate), "log"),
        (lambda v, rate: [level_by_loop(v, rate)] * len(v), "single number"),
    ],
    "check_parts": [
        (parts_naive, "NaN"),
        (lambda q, p: parts_looped(q, p)[:2], "3 values are asked"),
        (lambda q, p: parts_looped(p + 0 * q, p), "must be"),
    ],
    "check_gap": [
        (lambda z, v: gap_by_entropies(z, v, joint=True), "codes and factor together"),
        (lambda z, v: gap_by_entropies(z, v, bits=True), "the gap must be 1.0"),
        (lambda z, v: 1 - gap_by_entropies(z, v), "must be"),
        (lambda z, v: gap_by_entropies(z, v)[:1], "shape"),
    ],
    "check_noise": [
        (noise_untouched, "not by σ². log σ belongs to each pixel"),
        (lambda x, f, m, v, s: noise_looped(x, f, m, v, -s), "must be"),
    ],
}
