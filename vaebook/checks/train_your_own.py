"""Checks of the final project: a variational autoencoder of the learner's own."""

from functools import cache

import numpy as np

from vaebook.checks.core import Choice, Function, Homework, every_bug
from vaebook.checks.trained import Comparison, Target
from vaebook.digits import draw_digits, sample_factors

homework = Homework("Train your own")
report = homework.report

#: The mean importance-weighted bound to reach on new digits, in nats.
TARGET = -112.0
N_LATENT = 10


@cache
def _binary_digits(n, seed):
    rng = np.random.default_rng(seed)
    images = draw_digits(*sample_factors(n, rng=rng)).reshape(n, -1)
    return _binary(images, rng)


def _binary(images, rng):
    return (rng.integers(0, 255, images.shape) < images).astype(np.float32)


@cache
def _training_digits():
    """The first thousand of the page's training images, binary."""
    labels, factors = sample_factors(5000, rng=np.random.default_rng(17))
    images = draw_digits(labels[:1000], factors.rows(slice(1000))).reshape(1000, -1)
    return _binary(images, np.random.default_rng(1))


def held_out_digits():
    """The 500 held-out digits, binary, float32 (500, 784): the same ones in every call."""
    return _binary_digits(500, 17_500).copy()


# -- task 1 ------------------------------------------------------------------------------------

check_midpoint = Choice(
    homework,
    "Halfway between two draws",
    right="d",
    mistakes={
        "a": "The midpoint is nearer to 0 than both ends, and lengths of draws hardly vary here.",
        "b": "Compare the spread of the squared length, its std is 10, with what is missing at "
        "the midpoint: its mean is 25 and not 50.",
        "c": "That holds for 20 latent dimensions. The more there are, the rarer it becomes.",
        "e": "A length of 5 is 2.5 standard deviations of the squared length below its mean: "
        "rare, but it happens.",
    },
    hints=(
        "The squared length of a draw is a sum of 50 squares, each with mean 1 and variance 2.",
        "Each coordinate of the midpoint has the variance ½. So what is its mean squared length?",
        "50 has the standard deviation 10 here. How far below it is 25, and how rare is that?",
    ),
    because="Draws have lengths near 7.07, midpoints near 5: the decoder hardly ever saw such a z.",
)


# -- task 2 ------------------------------------------------------------------------------------


def _angle(z_start, z_end):
    lengths = np.linalg.norm(z_start) * np.linalg.norm(z_end)
    return np.arccos(np.clip(z_start @ z_end / lengths, -1, 1))


def _arc(z_start, z_end, t, angle):
    t = t[:, None]
    if angle < 1e-7:
        return (1 - t) * z_start + t * z_end
    first, last = np.sin((1 - t) * angle), np.sin(t * angle)
    return (first * z_start + last * z_end) / np.sin(angle)


def _slerp(z_start, z_end, t):
    return _arc(z_start, z_end, t, _angle(z_start, z_end))


def _slerp_cases(rng):
    for d, n in [(2, 5), (10, 4), (50, 3)]:
        yield 1.5 * rng.normal(size=d), 2 * rng.normal(size=d), rng.uniform(0.05, 0.95, n)
    same = rng.normal(size=6)
    yield same, same.copy(), np.array([0.0, 0.3, 1.0])
    yield same, 3 * same, np.array([0.25, 0.5])


def _unit(z):
    return z / np.linalg.norm(z)


def _rescaled_line(z_start, z_end, t):
    t = t[:, None]
    line = (1 - t) * z_start + t * z_end
    length = (1 - t) * np.linalg.norm(z_start) + t * np.linalg.norm(z_end)
    return line / np.linalg.norm(line, axis=1, keepdims=True) * length


check_slerp = Function(
    homework,
    "Along the sphere",
    oracle=_slerp,
    cases=_slerp_cases,
    mistakes={
        "That is the straight line: it cuts through the inside of the sphere.": (
            lambda z_start, z_end, t: (1 - t[:, None]) * z_start + t[:, None] * z_end
        ),
        "It runs backwards: t = 0 is the start.": (
            lambda z_start, z_end, t: _slerp(z_end, z_start, t)
        ),
        "All points have length 1: the two ends keep their own lengths.": (
            lambda z_start, z_end, t: _slerp(_unit(z_start), _unit(z_end), t)
        ),
        "The cosine of the angle is the dot product divided by both lengths.": (
            lambda z_start, z_end, t: _arc(z_start, z_end, t, np.arccos(z_start @ z_end))
        ),
        "A line pulled out to the sphere moves at an uneven pace: equal steps of the angle are "
        "asked.": _rescaled_line,
    },
    hints=(
        "The angle w of the two: cos w = z_start·z_end / (|z_start| |z_end|).",
        "The weights are sin((1 - t) w) / sin w and sin(t w) / sin w. What are they at t = 0, 1?",
        "Where both ends point the same way, w = 0. To what do the weights tend as w goes to 0?",
    ),
    because="At t = ½ and a right angle both weights are 0.707, so the length stays.",
)


# -- task 3 ------------------------------------------------------------------------------------


def _bound(log_px_given_z, z, mean, log_var, *, left=()):
    """The importance-weighted bound, with the bugs named in `left`."""
    log_q = -0.5 * ((z - mean) ** 2 / np.exp(log_var) + log_var).sum(-1)
    log_prior = 0 if "prior" in left else -0.5 * (z**2).sum(-1)
    log_w = log_px_given_z + log_prior - log_q  # (K, B)
    top = 0 if "underflow" in left else log_w.max(axis=0)
    total = top + np.log(np.exp(log_w - top).sum(axis=0))
    return total - (0 if "count" in left else np.log(len(log_w)))


def _bound_cases(rng):
    for k, n, d, level in [(4, 3, 2, -90), (9, 2, 5, -20), (3, 4, 1, -2000)]:
        mean, log_var = rng.normal(size=(n, d)), rng.normal(-1, 0.5, (n, d))
        z = mean + np.exp(0.5 * log_var) * rng.normal(size=(k, n, d))
        yield level + rng.normal(0, 3, (k, n)), z, mean, log_var


_BUGS = {
    "prior": "The weight is still p(x|z)/q(z|x): the prior p(z) of the joint is lost.",
    "underflow": "exp(-2000) is still 0, and its log -inf: take the largest weight out first.",
    "count": "The sum over the draws is still no mean: minus log K.",
}


def _mean_of_logs(log_px_given_z, z, mean, log_var):
    log_q = -0.5 * ((z - mean) ** 2 / np.exp(log_var) + log_var).sum(-1)
    return (log_px_given_z - 0.5 * (z**2).sum(-1) - log_q).mean(axis=0)


check_importance = Function(
    homework,
    "Three bugs in a bound",
    oracle=_bound,
    cases=_bound_cases,
    mistakes={
        **every_bug(_bound, _BUGS),
        "That is the mean of the logs, which is the ELBO; the log of the mean is asked for.": (
            _mean_of_logs
        ),
    },
    hints=(
        "Write the weight down: p(x, z) / q(z|x). How many factors does p(x, z) have?",
        "Let all draws have the same weight w. The bound must be log w for every number of draws.",
        "Then take log-weights near -2000, as of a large image. What is exp of them?",
    ),
    because="The constants ½ D log 2π of p(z) and of q(z|x) cancel, so leaving out both is no bug.",
)


# -- task 4 ------------------------------------------------------------------------------------

check_target = Target(
    homework,
    "A target in nats",
    target=TARGET,
    n_latent=N_LATENT,
    digits={
        "training": _training_digits,
        "held out": held_out_digits,
        "new": lambda: _binary_digits(1000, 17_501),
    },
    ease=1.0,  # between 0.3 and 1.7 for 13 trainings of different length, width and rate
    hints=(
        "Train on ten images first, over and over: if the bound of these ten does not climb far "
        "above -200, the loss has a bug.",
        "Print two bounds after each pass, of the training images and of held_out. Do both still "
        "rise, or only the first?",
        "How many steps does one pass have, and how large is the last one? The noise of the steps "
        "is in the weights when you stop.",
    ),
)


# -- task 5 ------------------------------------------------------------------------------------

check_investigation = Comparison(
    homework,
    "One question, settled",
    n_images=500,
    hints=(
        "Both arrays have a row for each seed; one line, `variant - baseline`, pairs all of them.",
        "Average over one axis, then take the standard error along the other: np.std(..., ddof=1), "
        "divided by the root of how many numbers there are.",
    ),
)
