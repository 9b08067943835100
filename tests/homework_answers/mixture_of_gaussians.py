"""Answers to the homework on mixtures, as learners write them: right ones and wrong ones."""

import numpy as np
import torch
from scipy import special, stats


def slope_looped(x, weights, means, stds):
    result = []
    for point in x:
        logs = [
            np.log(w) - np.log(s) - 0.5 * ((point - m) / s) ** 2
            for w, m, s in zip(weights, means, stds, strict=True)
        ]
        parts = np.exp(np.array(logs) - max(logs))
        result.append(parts @ ((means - point) / stds**2) / parts.sum())
    return result


def slope_by_autograd(x, weights, means, stds):
    weights, means, stds = map(torch.as_tensor, (weights, means, stds))
    x = torch.tensor(x, requires_grad=True)
    logs = weights.log() + torch.distributions.Normal(means, stds).log_prob(x[:, None])
    return torch.autograd.grad(torch.logsumexp(logs, dim=1).sum(), x)[0]


def responsibilities(x, weights, means, stds):
    logs = np.log(weights) + stats.norm.logpdf(x[:, None], means, stds)
    return special.softmax(logs, axis=1)


def slope_per_component(x, weights, means, stds):
    return responsibilities(x, weights, means, stds) * (means - x[:, None]) / stds**2


def slope_naive(x, weights, means, stds):
    joint = weights * stats.norm.pdf(x[:, None], means, stds)
    pulls = (means - x[:, None]) / stds**2
    return (joint * pulls).sum(axis=1) / joint.sum(axis=1)


def slope_of_density(x, weights, means, stds):
    joint = weights * stats.norm.pdf(x[:, None], means, stds)
    return (joint * (means - x[:, None]) / stds**2).sum(axis=1)


def count_looped(n_components, dimension, covariance):
    count = -1
    for _ in range(n_components):
        count += 1 + dimension
        if covariance == "full":
            count += sum(range(1, dimension + 1))
        else:
            count += dimension if covariance == "diagonal" else 1
    return count


def count_by_matrix(n_components, dimension, covariance):
    entries = {"full": len(np.tril_indices(dimension)[0]), "diagonal": dimension, "spherical": 1}
    return np.int64(n_components * (1 + dimension + entries[covariance]) - 1)


def count_all_entries(n_components, dimension, covariance):
    entries = {"full": dimension**2, "diagonal": dimension, "spherical": 1}[covariance]
    return n_components - 1 + n_components * (dimension + entries)


def count_strict_triangle(n_components, dimension, covariance):
    entries = {"full": dimension * (dimension - 1) // 2, "diagonal": dimension, "spherical": 1}
    return n_components - 1 + n_components * (dimension + entries[covariance])


def count_one_covariance(n_components, dimension, covariance):
    entries = {"full": dimension * (dimension + 1) // 2, "diagonal": dimension, "spherical": 1}
    return n_components - 1 + n_components * dimension + entries[covariance]


def one_hot(z, n_components):
    return (z[:, None] == np.arange(n_components)).astype(float)


def refit(x, r):
    total = r.sum(0)
    mean = (r * x[:, None]).sum(0) / total
    variance = (r * x[:, None] ** 2).sum(0) / total - mean**2
    return total / len(x), mean, np.sqrt(variance)


def step_with_where(x, z, weights, means, stds):
    r = responsibilities(x, weights, means, stds)
    return refit(x, np.where(z[:, None] >= 0, one_hot(z, len(weights)), r))


def step_in_torch(x, z, weights, means, stds):
    x, z, weights, means, stds = map(torch.as_tensor, (x, z, weights, means, stds))
    logs = weights.log() + torch.distributions.Normal(means, stds).log_prob(x[:, None])
    r = torch.softmax(logs, dim=1)
    for i in range(len(x)):
        if z[i] >= 0:
            r[i] = 0
            r[i, z[i]] = 1
    total = r.sum(0)
    means = r.T @ x / total
    return total / len(x), means, ((r * (x[:, None] - means) ** 2).sum(0) / total).sqrt()


def step_on_labels_alone(x, z, weights, means, stds):
    return refit(x[z >= 0], one_hot(z[z >= 0], len(weights)))


def step_hard(x, z, weights, means, stds):
    nearest = responsibilities(x, weights, means, stds).argmax(1)
    return refit(x, one_hot(np.where(z >= 0, z, nearest), len(weights)))


def step_about_old_means(x, z, weights, means, stds):
    r = np.where(
        z[:, None] >= 0, one_hot(z, len(weights)), responsibilities(x, weights, means, stds)
    )
    total = r.sum(0)
    spread = np.sqrt((r * (x[:, None] - means) ** 2).sum(0) / total)
    return total / len(x), r.T @ x / total, spread


def log_prob_scipy(x, weights, means, stds):
    return special.logsumexp(stats.norm.logpdf(x[:, None], means, stds), b=weights, axis=1)


def log_prob_looped(x, weights, means, stds):
    values = np.full(len(x), -np.inf)
    for w, m, s in zip(weights, means, stds, strict=True):
        a = -0.5 * ((x - m) / s) ** 2 - np.log(s) - 0.5 * np.log(2 * np.pi)
        values = np.logaddexp(values, np.log(w) + a)
    return values


def log_prob_in_torch(x, weights, means, stds):
    x, weights, means, stds = map(torch.as_tensor, (x, weights, means, stds))
    components = torch.distributions.Normal(means, stds)
    choice = torch.distributions.Categorical(weights)
    return torch.distributions.MixtureSameFamily(choice, components).log_prob(x)


def log_prob_untouched(x, weights, means, stds):
    a = -0.5 * ((x[:, None] - means) / stds) ** 2 - np.log(stds)
    a = weights * a
    top = a.max()
    return top + np.log(np.exp(a - top).sum(axis=1))


def log_prob_of_average(x, weights, means, stds):
    return (weights * stats.norm.logpdf(x[:, None], means, stds)).sum(axis=1)


RIGHT = {
    "check_slope": [slope_looped, slope_by_autograd],
    "check_count": [count_looped, count_by_matrix],
    "check_labelled_step": [step_with_where, step_in_torch],
    "check_repair": [log_prob_scipy, log_prob_looped, log_prob_in_torch],
}

#: Check -> wrong answers in other words than its own, with words of the sentence that must come.
WRONG = {
    "check_slope": [
        (slope_of_density, "divide by p(x)"),
        (slope_naive, "NaN"),
        (slope_per_component, "wrong shape"),
        (lambda *a: print(slope_per_component(*a).sum(1)[:0]), "gives None"),
    ],
    "check_count": [
        (count_all_entries, "symmetric"),
        (count_strict_triangle, "The diagonal of a full covariance is missing"),
        (count_one_covariance, "you counted one for all"),
    ],
    "check_labelled_step": [
        (step_on_labels_alone, "Only the labelled points"),
        (step_hard, "most probable component"),
        (step_about_old_means, "the old means"),
        (lambda *a: step_with_where(*a)[1], "3 values are asked for"),
    ],
    "check_repair": [
        (log_prob_untouched, "integrates to 1. λ multiplies a density"),
        (log_prob_of_average, "log of ¼N[-1, 1] + ¾N[1, 1]"),
    ],
}
