"""Answers to the homework on importance weighting, right and wrong ones."""

import math

import numpy as np
import torch
from scipy import stats
from scipy.integrate import quad
from scipy.optimize import minimize
from torch.distributions import Normal

from vaebook.importance import expected_log_mean, importance_bound
from vaebook.latent import LinearGaussianModel
from vaebook.quadrature import standard_normal_grid


def wait_by_formula(a, mean):
    return [
        m * m * math.exp(t / m) / (2 * m - 1) - 1 if m > 0.5 else math.inf
        for t, m in zip(a, mean, strict=True)
    ]


def wait_by_quadrature(a, mean):
    found = []
    for t, m in zip(a, mean, strict=True):
        if m <= 0.5:
            found.append(np.inf)
            continue
        decay = 2 - 1 / m
        rest, _ = quad(lambda u, d=decay: math.exp(-d * u), 0, 60 / decay, epsabs=1e-12)
        found.append(m * math.exp(t / m) * rest - 1)  # p^2/q beyond a, over P^2
    return np.array(found)


def step_looped(phi, x, mean, std, eps, *, squared=True, decoder_squared=False):
    n_samples, n_points = eps.shape
    found = np.zeros((3, n_points))
    for b in range(n_points):
        z = mean[b] + std[b] * eps[:, b]
        log_w = stats.norm.logpdf(x[b], phi * z, 1) + stats.norm.logpdf(z)
        log_w -= stats.norm.logpdf(z, mean[b], std[b])
        w = np.exp(log_w - log_w.max())
        w /= w.sum()
        for k in range(n_samples):
            slope = phi * (x[b] - phi * z[k]) - z[k] + (z[k] - mean[b]) / std[b] ** 2
            encoder = w[k] ** 2 if squared else w[k]
            decoder = w[k] ** 2 if decoder_squared else w[k]
            found[:, b] += [
                decoder * (x[b] - phi * z[k]) * z[k], encoder * slope, encoder * slope * eps[k, b],
            ]  # fmt: skip
    return tuple(found)


def step_by_autograd(phi, x, mean, std, eps, *, doubly=True):
    x, mean, std, eps = (torch.as_tensor(v, dtype=torch.float64) for v in (x, mean, std, eps))
    mean, std = mean.clone().requires_grad_(), std.clone().requires_grad_()
    slope = torch.full_like(x, phi).requires_grad_()
    z = mean + std * eps
    q = Normal(mean.detach(), std.detach()) if doubly else Normal(mean, std)
    log_w = Normal(slope * z, 1.0).log_prob(x) + Normal(0.0, 1.0).log_prob(z) - q.log_prob(z)
    w = torch.softmax(log_w.detach(), 0)
    if doubly:
        z.register_hook(lambda gradient: w * gradient)
    return torch.autograd.grad((w * log_w).sum(), [slope, mean, std])


def step_by_probabilities(phi, x, mean, std, eps):
    """Weights by plain exponentials, which underflow for an improbable point."""
    z = mean + std * eps
    w = stats.norm.pdf(x, phi * z, 1) * stats.norm.pdf(z) / stats.norm.pdf(z, mean, std)
    w = w / w.sum(0)
    slope = phi * (x - phi * z) - z + eps / std
    return (w * (x - phi * z) * z).sum(0), (w**2 * slope).sum(0), (w**2 * slope * eps).sum(0)


def width_on_a_grid(n_importance):
    model, stds = LinearGaussianModel(1.5, 0.8), np.arange(0.41, 1.1, 0.015)
    return stds[np.argmax([importance_bound(model, 1.7, 0, s, n_importance) for s in stds])]


def width_by_search(n_importance):
    eps, mass = standard_normal_grid(401)

    def cost(log_std):
        z = math.exp(log_std[0]) * eps
        log_w = stats.norm.logpdf(1.7, 1.5 * z, 0.8) - (z**2 - eps**2) / 2 + log_std[0]
        return -expected_log_mean(log_w, mass, n_importance)

    return np.exp(minimize(cost, [-0.5], method="Nelder-Mead").x)


def likelihood_looped(log_px_given_z, z, mean, log_var):
    found = []
    for b in range(len(mean)):
        std = np.exp(log_var[b] / 2)
        log_w = log_px_given_z[:, b] + stats.norm.logpdf(z[:, b]).sum(-1)
        log_w = log_w - stats.norm.logpdf(z[:, b], mean[b], std).sum(-1)
        found.append(np.logaddexp.reduce(log_w) - math.log(len(log_w)))
    return found


def likelihood_in_torch(log_px_given_z, z, mean, log_var):
    px, z, mean, log_var = map(torch.as_tensor, (log_px_given_z, z, mean, log_var))
    log_w = px + Normal(0.0, 1.0).log_prob(z).sum(-1)
    log_w = log_w - Normal(mean, torch.exp(log_var / 2)).log_prob(z).sum(-1)
    return torch.logsumexp(log_w, 0) - math.log(len(z))


def likelihood_with(*, top=True, count=True, width=True):
    """The colleague's function, each of its bugs repaired where asked."""

    def wrong(log_px_given_z, z, mean, log_var):
        log_prior = -0.5 * (np.log(2 * np.pi) + z**2).sum(axis=-1)
        scaled = (z - mean) ** 2 / np.exp(log_var)
        log_q = -0.5 * (np.log(2 * np.pi) + log_var * width + scaled).sum(axis=-1)
        log_w = log_px_given_z + log_prior - log_q
        largest = log_w.max(axis=0) if top else log_w.max()
        w = np.exp(log_w - largest)
        return largest + np.log(w.mean(axis=0) if count else w.sum(axis=0))

    return wrong


def likelihood_by_probabilities(log_px_given_z, z, mean, log_var):
    w = np.exp(log_px_given_z) * stats.norm.pdf(z).prod(-1)
    return np.log((w / stats.norm.pdf(z, mean, np.exp(log_var / 2)).prod(-1)).mean(0))


RIGHT = {
    "check_wait": [wait_by_formula, wait_by_quadrature],
    "check_step": [step_looped, step_by_autograd, lambda *a: np.array(step_looped(*a))],
    "check_width": [width_on_a_grid, width_by_search],
    "check_repair": [likelihood_looped, likelihood_in_torch, likelihood_with()],
}

#: Check -> wrong answers in other words than its own, with words of the sentence that must come.
WRONG = {
    "check_wait": [
        (lambda a, m: m * m / (2 * m - 1) * np.exp(a / m) - 1, "a variance is never negative"),
        (lambda a, m: np.sqrt(wait_by_formula(a, m)), "root of what is asked"),
        (lambda a, m: wait_by_quadrature(a, m)[0], "wrong shape"),
    ],
    "check_step": [
        (lambda *a: step_looped(*a, squared=False), "encoder's weights are to be squared"),
        (lambda *a: step_looped(*a, decoder_squared=True), "decoder's weights are squared"),
        (lambda *a: step_by_autograd(*a, doubly=False), "usual gradient of the encoder"),
        (lambda *a: step_looped(*a)[:2], "3 values are asked"),
        (step_by_probabilities, "every weight underflows"),
    ],
    "check_width": [
        (lambda n: 0.47, "posterior's width for every K"),
        (lambda n: 0.47 if n == 1 else 0.6, "For 50 samples q reaches the posterior"),
        (lambda n: (0.47, 1.04), "a single number is asked"),
    ],
    "check_repair": [
        (likelihood_with(top=False, count=False, width=False), "low"),
        (likelihood_with(count=False), "never divided by the number of samples"),
        (likelihood_with(width=False), "lacks its"),
        (likelihood_with(top=False), "largest log-weight of its own"),
        (likelihood_by_probabilities, "underflow to 0"),
    ],
}
