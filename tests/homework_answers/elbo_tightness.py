"""Answers to the homework on tightness, as learners write them: right ones and wrong ones."""

import numpy as np
import torch
from scipy.special import logsumexp


def exponential_looped(mean_q, mean_p):
    return [np.log(b / a) + a / b - 1 for a, b in zip(mean_q, mean_p, strict=True)]


def exponential_in_torch(mean_q, mean_p):
    q, p = (torch.distributions.Exponential(1 / torch.as_tensor(m)) for m in (mean_q, mean_p))
    return torch.distributions.kl_divergence(q, p)


def by_rates(rate_q, rate_p):
    return np.log(rate_q / rate_p) + rate_p / rate_q - 1


def terms_by_logsumexp(log_px_given_z, log_prior, log_q, widths):
    log_px = logsumexp(log_px_given_z + log_prior, b=widths)
    q = np.exp(log_q) * widths
    return [
        log_px,
        np.sum(q * (log_q + log_px - log_px_given_z - log_prior)),
        np.sum(q * log_px_given_z),
        np.sum(q * (log_q - log_prior)),
        -np.sum(q * log_q),
    ]


def terms_in_torch(*arrays):
    log_px_given_z, log_prior, log_q, widths = map(torch.as_tensor, arrays)
    log_px = torch.logsumexp(log_px_given_z + log_prior + widths.log(), dim=0)
    q = widths * log_q.exp()
    gap = q @ (log_q - log_px_given_z - log_prior + log_px)
    return log_px, gap, q @ log_px_given_z, q @ (log_q - log_prior), -(q @ log_q)


def terms_naive(log_px_given_z, log_prior, log_q, widths):
    p = widths @ np.exp(log_px_given_z + log_prior)
    posterior = np.exp(log_px_given_z + log_prior) / p
    values = terms_by_logsumexp(log_px_given_z, log_prior, log_q, widths)
    gap = widths @ (np.exp(log_q) * (log_q - np.log(posterior)))
    return (np.log(p), gap, *values[2:])


def factorised_by_search(covariance):
    # Coordinate by coordinate, as one would climb without the closed form.
    precision = np.linalg.inv(covariance)
    variances = np.diag(covariance).copy()
    for d in range(len(variances)):
        variances[d] = 1 / precision[d, d]
    trace = np.trace(precision @ np.diag(variances))
    log_det = np.linalg.slogdet(covariance)[1]
    return 0.5 * (trace - len(variances) + log_det - np.log(variances).sum())


def factorised_by_conditionals(covariance):
    # The entropy lost, by the chain rule through a Cholesky factor.
    root = np.linalg.cholesky(covariance)
    precision = np.linalg.inv(root).T @ np.linalg.inv(root)
    return np.log(np.diag(root)).sum() + 0.5 * np.log(np.diag(precision)).sum()


def factorised_in_torch(covariance):
    covariance = torch.as_tensor(covariance)
    precision = torch.linalg.inv(covariance)
    return 0.5 * (torch.log(torch.diagonal(precision)).sum() + torch.logdet(covariance))


def factorised_naive(covariance):
    precision = np.linalg.inv(covariance)
    return 0.5 * np.log(np.prod(np.diag(precision)) * np.linalg.det(covariance))


def kl_by_posterior(log_q, log_joint, widths):
    posterior = np.exp(log_joint) / np.sum(np.exp(log_joint) * widths)
    return np.sum(widths * np.exp(log_q) * (log_q - np.log(posterior)))


def kl_in_torch(*arrays):
    log_q, log_joint, widths = map(torch.as_tensor, arrays)
    log_px = torch.logsumexp(log_joint + widths.log(), dim=0)
    return (widths * log_q.exp()) @ (log_q - log_joint) + log_px


def kl_untouched(log_q, log_joint, widths):
    return np.sum(np.exp(log_joint) * (log_q - log_joint))


def kl_without_widths(log_q, log_joint, widths):
    log_p = log_joint - logsumexp(log_joint)
    return np.sum(np.exp(log_q) * (log_q - log_p))


RIGHT = {
    "check_exponential": [exponential_looped, exponential_in_torch],
    "check_terms": [terms_by_logsumexp, terms_in_torch],
    "check_factorised": [factorised_by_search, factorised_by_conditionals, factorised_in_torch],
    "check_repair": [kl_by_posterior, kl_in_torch],
}

#: Check -> wrong answers in other words than its own, with words of the sentence that must come.
WRONG = {
    "check_exponential": [
        (by_rates, "KL(p‖q)"),
    ],
    "check_terms": [
        (terms_naive, "an infinity"),
        (lambda *a: terms_by_logsumexp(*a)[:4], "5 values are asked for"),
    ],
    "check_factorised": [
        (factorised_naive, "NaN"),
        (lambda c: -0.5 * np.log(1 - c[0, 1] ** 2 / c[0, 0] / c[1, 1]), "For three variances of 1"),
    ],
    "check_repair": [
        (kl_untouched, "the gap is an expectation under q. The widths"),
        (kl_without_widths, "The widths of the grid are missing"),
    ],
}
