"""Answers to the homework on Jensen's inequality, as learners write them: right and wrong ones."""

import numpy as np
import torch
from scipy import optimize
from scipy.special import logsumexp


def share_by_search(p, gain, loss):
    result = []
    for win, up, down in zip(p, gain, loss, strict=True):

        def slope(f, win=win, up=up, down=down):
            return win * up / (1 + up * f) - (1 - win) * down / (1 - down * f)

        highest = (1 - 1e-12) / down
        result.append(optimize.brentq(slope, 0, highest) if slope(0) > 0 else 0.0)
    return result


def share_in_torch(p, gain, loss):
    p, gain, loss = map(torch.as_tensor, (p, gain, loss))
    return torch.relu((p * gain - (1 - p) * loss) / (gain * loss))


def gap_looped(log_y, weights):
    top = max(log_y)
    mean = sum(w * np.exp(a - top) for w, a in zip(weights, log_y, strict=True))
    return top + np.log(mean) - sum(w * a for w, a in zip(weights, log_y, strict=True))


def gap_in_torch(log_y, weights):
    log_y, weights = torch.as_tensor(log_y), torch.as_tensor(weights)
    return torch.logsumexp(log_y + weights.log(), dim=0) - weights @ log_y


def gap_naive(log_y, weights):
    return np.log(weights @ np.exp(log_y)) - weights @ log_y


def rule_of_thumb(log_y, weights):
    y = np.exp(log_y - log_y.mean())
    return 0.5 * (weights @ y**2 / (weights @ y) ** 2 - 1)


def jackknife_in_torch(log_w):
    log_w = torch.as_tensor(log_w)
    n = len(log_w)
    w = torch.exp(log_w - log_w.max())
    others = torch.log((w.sum() - w) / (n - 1)) + log_w.max()
    log_mean = torch.log(w.mean()) + log_w.max()
    return n * log_mean - (n - 1) * others.mean()


def jackknife_by_top(log_w):
    n = len(log_w)
    w = np.exp(log_w - log_w.max())
    correction = np.log(w.mean()) - np.mean(np.log((w.sum() - w) / (n - 1)))
    return log_w.max() + np.log(w.mean()) + (n - 1) * correction


def jackknife_summing_anew(log_w):
    n = len(log_w)
    others = [logsumexp(np.delete(log_w, j)) - np.log(n - 1) for j in range(n)]
    return n * (logsumexp(log_w) - np.log(n)) - (n - 1) * np.mean(others)


def jackknife_naive(log_w):
    w = np.exp(log_w)
    n = len(w)
    return n * np.log(w.mean()) - (n - 1) * np.mean(np.log((w.sum() - w) / (n - 1)))


def jackknife_wrong_divisor(log_w):
    n = len(log_w)
    return jackknife_by_top(log_w) + (n - 1) * np.log(n / (n - 1))


RIGHT = {
    "check_share": [share_by_search, share_in_torch],
    "check_gap": [gap_looped, gap_in_torch],
    "check_jackknife": [jackknife_by_top, jackknife_in_torch],
}

#: Check -> wrong answers in other words than its own, with words of the sentence that must come.
WRONG = {
    "check_gap": [
        (lambda a, w: logsumexp(a) - np.log(len(a)) - a.mean(), "The weights are not used"),
        (rule_of_thumb, "only the first term"),
        (gap_naive, "infinity"),
    ],
    "check_jackknife": [
        (jackknife_wrong_divisor, "K - 1 terms, not K"),
        (jackknife_naive, "NaN"),
        (jackknife_summing_anew, "let NumPy loop, not Python"),
    ],
}
