"""Answers to the homework on the variational autoencoder, as learners write them."""

import numpy as np
import torch
from torch.distributions import Bernoulli, Independent, Normal, kl_divergence
from torch.nn import functional


def kl_looped(mean_q, log_var_q, mean_p, log_var_p):
    result = []
    for row in zip(mean_q, log_var_q, mean_p, log_var_p, strict=True):
        total = 0.0
        for mu, a, m, b in zip(*row, strict=True):
            total += (np.expm1(a - b) - (a - b) + (mu - m) ** 2 / np.exp(b)) / 2
        result.append(total)
    return result


def kl_in_torch(mean_q, log_var_q, mean_p, log_var_p):
    mean_q, log_var_q, mean_p, log_var_p = map(
        torch.as_tensor, (mean_q, log_var_q, mean_p, log_var_p)
    )
    d = log_var_q - log_var_p
    distance = (mean_q - mean_p) / torch.exp(log_var_p / 2)
    return 0.5 * torch.sum(torch.expm1(d) - d + distance**2, dim=1)


def kl_by_library(mean_q, log_var_q, mean_p, log_var_p):
    arrays = [mean_q, np.exp(log_var_q / 2), mean_p, np.exp(log_var_p / 2)]
    mean_q, std_q, mean_p, std_p = map(torch.as_tensor, arrays)
    return kl_divergence(Normal(mean_q, std_q), Normal(mean_p, std_p)).sum(-1)


def kl_naive(mean_q, log_var_q, mean_p, log_var_p):
    var_q, var_p = np.exp(log_var_q), np.exp(log_var_p)
    return 0.5 * (var_q / var_p - 1 + log_var_p - log_var_q + (mean_q - mean_p) ** 2 / var_p).sum(1)


def pixels_looped(x, logits):
    flat_x, flat = x.reshape(-1, x.shape[-1]), logits.reshape(-1, x.shape[-1])
    sums = []
    for row, row_logits in zip(flat_x, flat, strict=True):
        total = 0.0
        for pixel, logit in zip(row, row_logits, strict=True):
            signed = logit if pixel == 1 else -logit
            total += min(signed, 0.0) - np.log1p(np.exp(-abs(signed)))
        sums.append(total)
    return np.array(sums).reshape(x.shape[:-1])


def pixels_in_torch(x, logits):
    x, logits = torch.as_tensor(x), torch.as_tensor(logits)
    return -functional.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(-1)


def pixels_by_library(x, logits):
    return Independent(Bernoulli(logits=torch.as_tensor(logits)), 1).log_prob(torch.as_tensor(x))


def pixels_by_probability(x, logits):
    p = 1 / (1 + np.exp(-logits))
    return (x * np.log(p) + (1 - x) * np.log(1 - p)).sum(-1)


def pixels_that_overflow(x, logits):
    return (x * logits - np.log(1 + np.exp(logits))).sum(-1)


def softplus(a):
    return np.maximum(a, 0) + np.log1p(np.exp(-np.abs(a)))


def fit_of(x, logits):
    return (x * logits - softplus(logits)).sum(-1)


def kl_prior_of(mean, log_var):
    return 0.5 * (np.exp(log_var) + mean**2 - 1 - log_var).sum(-1)


def model_by_errors(reconstruction, kl, beta, noise_std, n_dims):
    half_log = np.log(2 * np.pi * noise_std**2) / 2
    bounds = []
    for r, k in zip(reconstruction, kl, strict=True):
        square = -2 * noise_std**2 * (r + n_dims * half_log)
        var = beta * noise_std**2
        bounds.append(-n_dims * np.log(2 * np.pi * var) / 2 - square / var / 2 - k)
    return np.array(bounds), np.sqrt(beta) * noise_std


def model_in_torch(reconstruction, kl, beta, noise_std, n_dims):
    noise = torch.tensor(beta * noise_std**2, dtype=torch.float64).sqrt()
    zero = torch.zeros(n_dims, dtype=torch.float64)
    peak_old = Independent(Normal(zero, noise_std), 1).log_prob(zero)
    peak_new = Independent(Normal(zero, noise), 1).log_prob(zero)
    reconstruction, kl = torch.as_tensor(reconstruction), torch.as_tensor(kl)
    return (reconstruction - peak_old) / beta + peak_new - kl, noise


def model_divided(reconstruction, kl, beta, noise_std, n_dims):
    return (reconstruction - beta * kl) / beta, noise_std * beta**0.5


def model_of_mean(*given):
    bound, noise = model_by_errors(*given)
    return np.full_like(bound, bound.mean()), noise


def loss_in_torch(x, logits, mean, log_var):
    x, logits, mean, log_var = map(torch.as_tensor, (x, logits, mean, log_var))
    fit = functional.binary_cross_entropy_with_logits(logits, x, reduction="sum") / len(x)
    kl = -0.5 * (1 + log_var - mean**2 - log_var.exp()).sum() / len(x)
    return fit + kl


def loss_looped(x, logits, mean, log_var):
    total = 0.0
    for row in zip(x, logits, mean, log_var, strict=True):
        total -= fit_of(*row[:2]) - kl_prior_of(*row[2:])
    return total / len(x)


def loss_untouched(x, logits, mean, log_var):
    fit = (x * logits - np.logaddexp(0.0, logits)).mean()
    kl = 0.5 * (np.expm1(log_var) - log_var + mean**2).sum()
    return -(fit + kl)


RIGHT = {
    "check_kl": [kl_looped, kl_in_torch, kl_by_library],
    "check_pixels": [pixels_looped, pixels_in_torch, pixels_by_library],
    "check_model": [model_by_errors, model_in_torch],
    "check_repair": [loss_in_torch, loss_looped],
}

#: Check -> wrong answers in other words than its own, with words of the sentence that must come.
WRONG = {
    "check_kl": [
        (kl_naive, "np.expm1"),
        (lambda mq, lq, mp, lp: kl_in_torch(mq, 2 * lq, mp, 2 * lp), "not log s."),
        (lambda mq, lq, mp, lp: kl_prior_of(mq, lq), "of its own"),
        (lambda *a: kl_in_torch(*a).sum(), "where one number each is asked for"),
    ],
    "check_pixels": [
        (pixels_by_probability, "NaN"),
        (pixels_that_overflow, "an infinity"),
        (lambda x, a: x * a - softplus(a), "wrong shape"),
    ],
    "check_model": [
        (model_divided, "Only the error is divided"),
        (model_of_mean, "For two points"),
        (lambda r, k, beta, std, n: model_in_torch(r, k, beta, std, n)[0], "2 values are asked"),
        (lambda r, k, b, s, n: model_by_errors(r, k, 1 / b, s, n), "not σ/√β"),
        (
            lambda r, k, b, s, n: (model_by_errors(r, k, b, s, n)[0] + k * 0.5, s * b**0.5),
            "The KL: this term counts half",
        ),
    ],
    "check_repair": [
        (loss_untouched, "too much weight. The KL is summed over the batch"),
        (
            lambda x, a, m, v: kl_prior_of(m, v) - fit_of(x, a),
            "over all of it is still to be taken",
        ),
    ],
}
