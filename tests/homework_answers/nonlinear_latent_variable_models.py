"""Answers to the homework on nonlinear models, as learners write them: right and wrong ones."""

import numpy as np
import torch
from scipy import stats
from scipy.special import softmax


def circle_by_quadrature(omega, noise_std):
    z = np.linspace(-9, 9, 40_001)
    p = stats.norm.pdf(z) * (z[1] - z[0])
    f = np.stack([np.cos(omega * z), np.sin(omega * z)])
    mean = f @ p
    return mean, (f * p) @ f.T - np.outer(mean, mean) + noise_std**2 * np.eye(2)


def circle_in_torch(omega, noise_std):
    double = np.exp(-2 * omega**2)
    mean = torch.tensor([np.exp(-(omega**2) / 2), 0.0])
    squares = torch.tensor([0.5 + 0.5 * double, 0.5 - 0.5 * double])
    return mean, torch.diag(squares - mean**2 + noise_std**2)


def circle_at_the_mean(omega, noise_std):
    mean, covariance = circle_by_quadrature(omega, noise_std)
    second = covariance + np.outer(mean, mean)
    wrong = np.array([1.0, 0.0])
    return wrong, second - np.outer(wrong, wrong)


def log_weights(x, curve, points, noise_std):
    log_p = stats.norm.logpdf(x[:, None, :], curve, noise_std).sum(-1)
    return log_p + stats.norm.logpdf(points)


def spread(w, points):
    mean = w @ points
    return mean, np.sqrt(w @ points**2 - mean**2)


def posterior_by_softmax(x, curve, points, noise_std):
    w = softmax(log_weights(x, curve, points, noise_std), axis=1)
    mean = w @ points
    return mean, np.sqrt((w * (points - mean[:, None]) ** 2).sum(1))


def posterior_looped(x, curve, points, noise_std):
    means, stds = [], []
    for row in x:
        log_w = -(points**2) / 2
        for d in range(len(row)):
            log_w = log_w - (row[d] - curve[:, d]) ** 2 / (2 * noise_std**2)
        w = np.exp(log_w - log_w.max())
        means.append(np.average(points, weights=w))
        stds.append(np.sqrt(np.average((points - means[-1]) ** 2, weights=w)))
    return means, stds


def posterior_in_torch(x, curve, points, noise_std):
    x, curve, points = map(torch.as_tensor, (x, curve, points))
    log_w = -((x[:, None, :] - curve) ** 2).sum(-1) / (2 * noise_std**2) - points**2 / 2
    w = torch.softmax(log_w, dim=1)
    mean = w @ points
    return mean, (w * (points - mean[:, None]) ** 2).sum(1).sqrt()


def posterior_without_prior(x, curve, points, noise_std):
    log_p = stats.norm.logpdf(x[:, None, :], curve, noise_std).sum(-1)
    return spread(softmax(log_p, axis=1), points)


def posterior_of_averages(x, curve, points, noise_std):
    log_p = stats.norm.logpdf(x[:, None, :], curve, noise_std).mean(-1)
    return spread(softmax(log_p + stats.norm.logpdf(points), axis=1), points)


def posterior_naive(x, curve, points, noise_std):
    w = np.exp(log_weights(x, curve, points, noise_std))
    return spread(w / w.sum(1, keepdims=True), points)


def draw_by_inverse(points, density, n, rng):
    below = np.cumsum(density) / density.sum()
    return points[np.searchsorted(below, rng.random(n))]


def draw_in_torch(points, density, n, rng):
    generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
    places = torch.multinomial(torch.as_tensor(density), n, replacement=True, generator=generator)
    return torch.as_tensor(points)[places]


def log_px_given_z_looped(x, curve, noise_std):
    return [[stats.norm.logpdf(row, f, noise_std).sum() for f in curve] for row in x]


def log_px_given_z_in_torch(x, curve, noise_std):
    noise = torch.distributions.Normal(torch.as_tensor(curve), noise_std)
    return noise.log_prob(torch.as_tensor(x)[:, None, :]).sum(-1)


def log_px_given_z_untouched(x, curve, noise_std):
    squares = ((x[:, None, :] - curve) ** 2).mean(axis=-1)
    return -squares / (2 * noise_std) - 0.5 * np.log(2 * np.pi * noise_std**2)


RIGHT = {
    "check_circle": [circle_by_quadrature, circle_in_torch],
    "check_posterior": [posterior_by_softmax, posterior_looped, posterior_in_torch],
    "check_draws": [draw_by_inverse, draw_in_torch],
    "check_repair": [log_px_given_z_looped, log_px_given_z_in_torch],
}


def unseeded():
    return np.random.Generator(np.random.PCG64())


def draws_too_wide(points, density, n, rng):
    """A fifth further from the mean than they should be, on the grid on average."""
    p = density / density.sum()
    far = 1.2 * rng.choice(points, n, p=p) - 0.2 * (p @ points)
    step = points[1] - points[0]
    return np.clip(np.floor(far / step + rng.random(n)) * step, points[0], points[-1])


def draws_of_the_same_moments(points, density, n, rng):
    """The right mean and spread, and another shape: a third difference is added to p."""
    p = density / density.sum()
    size = np.minimum(p[1:-2] / 3, p[3:])
    k = size.argmax()
    p[k : k + 4] += size[k] * np.array([1, -3, 3, -1])
    return rng.choice(points, n, p=np.maximum(p, 0) / np.maximum(p, 0).sum())


#: Check -> wrong answers in other words than its own, with words of the sentence that must come.
WRONG = {
    "check_circle": [
        (circle_at_the_mean, "not the curve at the mean of z"),
        (lambda omega, s: circle_by_quadrature(omega, s)[0], "2 values are asked for"),
    ],
    "check_posterior": [
        (posterior_without_prior, "The prior is missing"),
        (posterior_of_averages, "independent, so sum"),
        (posterior_naive, "NaN"),
    ],
    "check_draws": [
        (lambda points, p, n, rng: rng.standard_normal(n), "Samples are points of the grid"),
        (lambda points, p, n, rng: rng.choice(points, n, p=p), "ValueError: "),
        (lambda points, p, n, rng: draw_by_inverse(points, p, 1, rng), "Draws of shape (20000,)"),
        (lambda points, p, n, rng: draw_by_inverse(points, p, n, unseeded()), "The same rng"),
        (
            lambda points, p, n, rng: draw_by_inverse(points, p, n, np.random.default_rng(1)),
            "Another rng",
        ),
        (lambda points, p, n, rng: rng.choice(points, n), "The mean of the samples"),
        (draws_too_wide, "The standard deviation of the samples"),
        (draws_of_the_same_moments, "The fraction of the samples below"),
        (lambda *given: np.sort(draw_by_inverse(*given)), "Samples are independent"),
    ],
    "check_repair": [
        (log_px_given_z_untouched, "2σ². The squares are averaged"),
        (lambda x, f, s: log_px_given_z_in_torch(x, f, s).T, "wrong shape"),
    ],
}
