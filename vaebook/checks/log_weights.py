"""What the two tasks on a batch of log-weights share: formula, mistakes, known values, properties.

The arguments are ``log_px_given_z`` (K, B), ``z`` (K, B, D), ``mean`` and ``log_var`` (B, D).
"""

from functools import partial

import numpy as np
from scipy.special import logsumexp

from vaebook.checks.properties import related, twice


def log_weights(log_px_given_z, z, mean, log_var, *, of_q=-1.0, prior=1.0, spread=1.0, constant=0):
    """log p(x, z) - log q(z|x), (K, B), without log 2π, which cancels; the keywords break it."""
    log_q = -0.5 * ((z - mean) ** 2 * np.exp(-log_var) + spread * log_var).sum(-1)
    log_w = log_px_given_z - 0.5 * prior * (z**2).sum(-1) + of_q * log_q
    return log_w + constant * 0.5 * np.log(2 * np.pi) * z.shape[-1]


def log_mean(log_w, axis=0):
    return logsumexp(log_w, axis=axis) - np.log(log_w.shape[axis])


def bound(log_px_given_z, z, mean, log_var, *, left=()):
    """The log of the mean weight of each image, with only the bugs named in `left`."""
    prior, spread = 1.0 - ("prior" in left), 1.0 - ("width" in left)
    log_w = log_weights(log_px_given_z, z, mean, log_var, prior=prior, spread=spread)
    top = 0 if "underflow" in left else log_w.max() if "top" in left else log_w.max(axis=0)
    total = top + np.log(np.exp(log_w - top).sum(axis=0))
    return total if "count" in left else total - np.log(len(log_w))


def images(rng):
    """Cases: two batches, an improbable image alone, and one beside a probable image."""
    far = np.array([-90, -2000])
    for level, shape in [(-90, (3, 2, 1)), (-20, (9, 2, 5)), (-2000, (5, 1, 3)), (far, (4, 2, 3))]:
        mean, log_var = rng.normal(0, 0.5, (2, *shape[1:]))
        z = mean + np.exp(0.5 * log_var) * rng.normal(size=shape)
        yield level + rng.normal(0, 3, shape[:2]), z, mean, log_var


def with_weights(combine=log_mean, **broken):
    """The bound with the log-weights broken, or put together in another way."""
    return lambda *arguments: combine(log_weights(*arguments, **broken))


def image(px, z=0.0, mean=0.0, log_var=0.0):
    """Arguments for one image, whose samples all lie at one z."""
    mean, log_var = np.broadcast_arrays(np.atleast_2d(mean), np.atleast_2d(log_var))
    z = np.broadcast_to(float(z), (len(px), *mean.shape))
    return np.array(px, float)[:, None], z.copy(), mean.astype(float), log_var.astype(float)


MISTAKES = {
    "The samples lie along the first axis; the average runs along the other.": (
        with_weights(partial(log_mean, axis=1))
    ),
    "The images are averaged, too: one number for each image is asked for.": (
        with_weights(lambda log_w: log_mean(log_w).mean())
    ),
    "log q is added; the weight is divided by q.": with_weights(of_q=1.0),
    "log q is missing: the samples came from q, and the weight corrects for that.": (
        with_weights(of_q=0.0)
    ),
    "The constant ½ log 2π is in one of the two densities only: put it into both, or, since it "
    "cancels, into neither.": with_weights(constant=1.0),
    "The prior has its constant -½ log 2π, q has not: put it into both, or, since it cancels, into "
    "neither.": with_weights(constant=-1.0),
}

_LOG_4 = np.log(4.0)
KNOWN = {
    "If log p(x|z) is -3 everywhere and q is the prior, the result": image([-3, -3]),
    "Where q is twice as wide as the prior and z = 0, w is 2: log 2": image([0], log_var=_LOG_4),
    "At the mean 1 of q, q is e^½ times as high as the prior: -½": image([0], z=1, mean=1),
    "Two samples with the weights 0.5 and 0.1 give log 0.3, which": image(np.log([0.5, 0.1])),
    "Dimensions add up: two in which q is twice as wide, 2 log 2,": (
        image([0], log_var=[_LOG_4, _LOG_4])
    ),
}

PROPERTIES = (
    twice("With each sample taken twice the average of the weights stays", 0, 1),
    related(
        "With log p(x|z) higher by 10 everywhere the result is higher by 10",
        lambda px, z, mean, log_var: (px + 10, z, mean, log_var),
        expected=lambda value, *_: value + 10,
    ),
)
