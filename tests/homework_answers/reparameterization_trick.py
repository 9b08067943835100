"""Answers to the homework on the reparameterization trick, right and wrong ones."""

import math

import numpy as np
import torch
from scipy import stats


def counts_looped(values, counts, log_rate):
    rate = math.exp(log_rate)
    return [v * (k - rate) for v, k in zip(values, counts, strict=True)]


def counts_by_autograd(values, counts, log_rate):
    counts = torch.as_tensor(counts, dtype=torch.float64)
    t = torch.full(counts.shape, log_rate, dtype=torch.float64, requires_grad=True)
    log_p = torch.distributions.Poisson(t.exp()).log_prob(counts)
    return torch.as_tensor(values) * torch.autograd.grad(log_p.sum(), t)[0]


def counts_of_density(values, counts, log_rate):
    rate = math.exp(log_rate)
    return values * (counts - rate) * stats.poisson.pmf(counts, rate)


def variances_by_moments(mean, std):
    def moment(c):
        return np.exp(c**2 / 2)

    path = np.exp(2 * mean) * (moment(2 * std) - moment(std) ** 2)
    second = (1 + (2 * std) ** 2) * moment(2 * std) / std**2
    return path, np.exp(2 * mean) * (second - moment(std) ** 2)


def variances_on_a_grid(mean, std):
    eps = np.linspace(-14, 20, 6801)
    mass = stats.norm.pdf(eps) * (eps[1] - eps[0])
    result = []
    for m, s in zip(mean, std, strict=True):
        rows = np.exp(m + s * eps) * np.array([np.ones_like(eps), eps / s])
        result.append(rows**2 @ mass - (rows @ mass) ** 2)
    return tuple(np.transpose(result))


def variances_without_std(mean, std):
    path, score = variances_by_moments(mean, std)
    square = np.exp(2 * mean + std**2)
    return path, (score + square) * std**2 - square


def root_looped(numbers, d):
    root, numbers = np.zeros((d, d)), iter(numbers)
    for i in range(d):
        for j in range(i + 1):
            number = next(numbers)
            root[i, j] = np.exp(number) if i == j else number
    return root


def draws_looped(mean, raw, eps, *, root=root_looped):
    s, b, d = eps.shape
    z, log_q = np.zeros((s, b, d)), np.zeros((s, b))
    for i in range(b):
        factor = root(raw[i], d)
        for k in range(s):
            z[k, i] = mean[i] + factor @ eps[k, i]
            log_q[k, i] = stats.multivariate_normal.logpdf(z[k, i], mean[i], factor @ factor.T)
    return z, log_q


def draws_in_torch(mean, raw, eps):
    mean, raw, eps = map(torch.as_tensor, (mean, raw, eps))
    d = mean.shape[1]
    root = torch.zeros(len(raw), d, d, dtype=raw.dtype)
    rows, columns = torch.tril_indices(d, d)
    root[:, rows, columns] = torch.where(rows == columns, raw.exp(), raw)
    z = mean + (root @ eps[..., None])[..., 0]
    return z, torch.distributions.MultivariateNormal(mean, scale_tril=root).log_prob(z)


def draws_transposed(mean, raw, eps):
    z = np.array(
        [
            [m + root_looped(r, len(m)).T @ e for m, r, e in zip(mean, raw, one, strict=True)]
            for one in eps
        ]
    )
    return z, draws_looped(mean, raw, eps)[1]


def root_without_exp(numbers, d):
    root = np.zeros((d, d))
    root[np.tril_indices(d)] = numbers
    return root


def draws_with(change):
    def wrong(mean, raw, eps):
        z, log_q = draws_looped(mean, raw, eps)
        d = mean.shape[1]
        log_det = np.array([np.log(np.diag(root_looped(one, d))).sum() for one in raw])
        return z, change(log_q, log_det, d)

    return wrong


def draws_by_covariance(mean, raw, eps):
    d = mean.shape[1]
    z = mean + np.array(
        [
            [root_looped(r, d) @ root_looped(r, d).T @ e for r, e in zip(raw, one, strict=True)]
            for one in eps
        ]
    )
    return z, draws_looped(mean, raw, eps)[1]


def gradients(x, mean, log_var, eps, *, draw=True, kl=True, average=True):
    """The loop of the colleague, each of its bugs repaired where asked."""
    x, eps = torch.tensor(x), torch.tensor(eps)
    mean = torch.tensor(mean, requires_grad=True)
    log_var = torch.tensor(log_var, requires_grad=True)
    for one in eps:
        std = torch.exp(0.5 * log_var)
        z = mean + (std if draw else std.detach()) * one
        reconstruction = -0.5 * (np.log(2 * np.pi) + (x - z) ** 2)
        divergence = 0.5 * ((mean if kl else mean.data) ** 2 + std**2 - 1 - log_var)
        loss = (divergence - reconstruction).sum()
        (loss / len(eps) if average else loss).backward()
    return mean.grad.numpy(), log_var.grad.numpy()


def gradients_at_once(x, mean, log_var, eps):
    x, eps = torch.tensor(x), torch.tensor(eps)
    mean, log_var = (torch.tensor(v, requires_grad=True) for v in (mean, log_var))
    q = torch.distributions.Normal(mean, torch.exp(log_var / 2))
    kl = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0))
    log_p = torch.distributions.Normal(q.loc + q.scale * eps, 1.0).log_prob(x)
    return torch.autograd.grad((kl - log_p.mean(0)).sum(), [mean, log_var])


def gradients_by_hand(x, mean, log_var, eps):
    std = np.exp(log_var / 2)
    miss = mean + std * eps - x
    by_std = (miss * eps).mean(0) + std - 1 / std
    return miss.mean(0) + mean, by_std * std / 2


def with_bugs(**repaired):
    return lambda *arguments: gradients(*arguments, **repaired)


RIGHT = {
    "check_counts": [counts_looped, counts_by_autograd],
    "check_variances": [variances_by_moments, variances_on_a_grid],
    "check_full_covariance": [draws_looped, draws_in_torch],
    "check_cut": [gradients, gradients_at_once, gradients_by_hand],
}

#: Check -> wrong answers in other words than its own, with words of the sentence that must come.
WRONG = {
    "check_counts": [
        (lambda v, k, t: v * stats.poisson.logpmf(k, np.exp(t)), "not log p itself"),
        (counts_of_density, "so divide by p"),
        (lambda v, k, t: np.mean(v * (k - np.exp(t))), "You took the mean where"),
    ],
    "check_variances": [
        (variances_without_std, "division by s² is missing"),
        (lambda m, s: variances_by_moments(m, s)[0], "2 values are asked for"),
    ],
    "check_full_covariance": [
        (draws_transposed, "L is transposed"),
        (lambda *a: draws_looped(*a, root=root_without_exp), "must be exp of the raw"),
        (draws_by_covariance, "by the covariance"),
        (draws_with(lambda log_q, log_det, d: log_q + log_det), "determinant is missing"),
        (draws_with(lambda log_q, log_det, d: log_q + d * np.log(2 * np.pi) / 2), "constant"),
    ],
    "check_cut": [
        (with_bugs(draw=False), "the std is still detached"),
        (with_bugs(kl=False), "still cut off by .data"),
        (with_bugs(average=False), "Each backward adds"),
        (with_bugs(draw=False, kl=False, average=False), "influence on it. Each backward adds"),
    ],
}
