"""Checks of the final project: a variational autoencoder of the learner's own."""

from functools import cache, partial

import numpy as np

from vaebook.checks.core import Choice, Function, Homework, every_bug
from vaebook.checks.log_weights import (
    KNOWN,
    MISTAKES,
    PROPERTIES,
    bound,
    image,
    images,
    with_weights,
)
from vaebook.checks.properties import related, rows
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


def fresh_digits():
    """500 more digits for the last comparison, binary, float32 (500, 784)."""
    return _binary_digits(500, 17_502).copy()


# -- task 1 ------------------------------------------------------------------------------------

check_midpoint = Choice(
    homework,
    "Halfway between two draws",
    right="d",
    mistakes={
        "a": "The midpoint is nearer to 0 than both ends, and lengths of draws hardly vary here.",
        "b": "The squared length has the standard deviation 10. The midpoint's is 25 on average, "
        "not 50: how many standard deviations is that?",
        "c": "That holds for 20 latent dimensions. The more there are, the rarer it becomes.",
        "e": "A squared length of 25 is 2.5 standard deviations below the mean of 50: "
        "rare, but it happens.",
    },
    hints=(
        "The squared length of a draw is a sum of 50 squares, each with mean 1 and variance 2.",
        "Each coordinate of the midpoint has the variance ½. So what is its mean squared length?",
        "The squared length has the mean 50 and the standard deviation 10. A normal variable falls "
        "2.5 standard deviations below its mean once in 160 draws; a sum of squares, with its "
        "shorter tail, more rarely.",
    ),
    because="Draws have lengths near 7.07, midpoints near 5: the decoder hardly ever saw such a z.",
)


# -- task 2 ------------------------------------------------------------------------------------


def _slerp(z_start, z_end, t, *, clip=True, line=True, divide=True, lengths=True):
    """The walk on the sphere; the keywords break it."""
    both = np.linalg.norm(z_start) * np.linalg.norm(z_end) if lengths else 1.0
    cosine = z_start @ z_end / both
    angle = np.arccos(np.clip(cosine, -1, 1) if clip else cosine)
    t = t[:, None]
    if line and angle < 1e-7:
        return (1 - t) * z_start + t * z_end
    with np.errstate(all="ignore"):
        first, last = np.sin((1 - t) * angle), np.sin(t * angle)
        return (first * z_start + last * z_end) / (np.sin(angle) if divide else 1.0)


def _slerp_cases(rng):
    for d, n in [(2, 5), (10, 4), (50, 3)]:
        yield 1.5 * rng.normal(size=d), 2 * rng.normal(size=d), rng.uniform(0.05, 0.95, n)
    same = rng.normal(size=6)
    yield same, same.copy(), np.array([0.0, 0.3, 1.0])
    yield same, 3 * same, np.array([0.25, 0.5])


def _unit(z):
    return z / np.linalg.norm(z)


def _line(z_start, z_end, t):
    return (1 - t[:, None]) * z_start + t[:, None] * z_end


def _rescaled_line(z_start, z_end, t):
    line = _line(z_start, z_end, t)
    length = _line(np.linalg.norm(z_start, keepdims=True), np.linalg.norm(z_end, keepdims=True), t)
    return line / np.linalg.norm(line, axis=1, keepdims=True) * length


def _quarter_turn(z_start, z_end, t):
    angle = t[:, None] * np.pi / 2
    return np.cos(angle) * z_start + np.sin(angle) * z_end


check_slerp = Function(
    homework,
    "Along the sphere",
    oracle=_slerp,
    cases=_slerp_cases,
    mistakes={
        "That is the straight line: it cuts through the inside of the sphere.": _line,
        "It runs backwards: t = 0 is the start.": (
            lambda z_start, z_end, t: _slerp(z_end, z_start, t)
        ),
        "All points have length 1: the two ends keep their own lengths.": (
            lambda z_start, z_end, t: _slerp(_unit(z_start), _unit(z_end), t)
        ),
        "The cosine of the angle is the dot product divided by both lengths.": (
            partial(_slerp, lengths=False)
        ),
        "A line pulled out to the sphere moves at an uneven pace: equal steps of the angle are "
        "asked for.": _rescaled_line,
        "The weights are those of a right angle; measure the angle between the two ends.": (
            _quarter_turn
        ),
        "The sines are not divided by sin ω, so the walk does not pass through its ends.": (
            partial(_slerp, divide=False)
        ),
        "Where both ends point the same way, 0 is divided by sin 0 = 0, a NaN: take the straight "
        "line there.": partial(_slerp, line=False),
        "Rounding puts a cosine a little above 1, where arccos gives NaN: clip it first.": (
            partial(_slerp, clip=False)
        ),
    },
    known={
        "At t = 0 the walk from (2, 0) to (0, 2)": ([2.0, 0.0], [0.0, 2.0], [0.0]),
        "At t = 1 the walk from (2, 0) to (0, 2)": ([2.0, 0.0], [0.0, 2.0], [1.0]),
        "Halfway from (2, 0) to (0, 2), at 45 degrees on the circle of radius 2, it": (
            *([2.0, 0.0], [0.0, 2.0], [0.5]),
        ),
        "A third of the way from (2, 0) to (0, 2), at 30 degrees on the circle of radius 2, it": (
            *([2.0, 0.0], [0.0, 2.0], [1 / 3]),
        ),
        "Halfway between two vectors of length ½ with 120 degrees between them both weights are "
        "1, and it": ([0.5, 0.0], [-0.25, np.sqrt(3) / 4], [0.5]),
        "Halfway between vectors of length 1 and 3 at a right angle both weights are 0.707, and "
        "it": ([1.0, 0.0], [0.0, 3.0], [0.5]),
        "Where both ends point the same way, halfway along the straight line it": (
            *([1.0, 0.0], [3.0, 0.0], [0.5]),
        ),
        "Between equal ends, where the rounded cosine is 1 + 2·10⁻¹⁶, it": (
            *([1.0, 1.0, 2.0], [1.0, 1.0, 2.0], [0.5]),
        ),
    },
    properties=(
        related(
            "With the ends exchanged and 1 - t for t the points are the same",
            lambda z_start, z_end, t: (z_end, z_start, 1 - t),
        ),
        rows(2, words="A point must not depend on the other values of t"),
    ),
    hints=(
        "The angle ω of the two: cos ω = z_start·z_end / (|z_start| |z_end|).",
        "The weights are sin((1 - t) ω) / sin ω and sin(t ω) / sin ω. What are they at t = 0, 1?",
        "Where both ends point the same way, ω = 0. To what do the weights tend as ω goes to 0?",
    ),
    because="At t = ½ and a right angle both weights are 0.707, so the length stays.",
)


# -- task 3 ------------------------------------------------------------------------------------


_BUGS = {
    "prior": "The weight is still p(x|z)/q(z|x): the prior p(z) of the joint is lost.",
    "underflow": "exp(-2000) is still 0, and its log -inf: take the largest weight out first.",
    "count": "The sum over the draws is still no mean: minus log K.",
}


check_importance = Function(
    homework,
    "Three bugs in a bound",
    oracle=bound,
    cases=images,
    mistakes={
        **every_bug(bound, _BUGS),
        "That is the mean of the logs, which is the ELBO; the log of the mean is asked for.": (
            with_weights(lambda log_w: log_w.mean(axis=0))
        ),
        "The largest weight is taken out of all images at once; take out that of each image.": (
            partial(bound, left=("top",))
        ),
        "log q has lost its -½ log_var: a wide density is low.": with_weights(spread=0.0),
        "log_var is taken for the log of the standard deviation.": (
            lambda px, z, mean, log_var: bound(px, z, mean, 2 * log_var)
        ),
        "The prior divides; p(z) is a factor of the joint.": with_weights(prior=-1.0),
    }
    | MISTAKES,
    known=KNOWN
    | {
        "If log p(x|z) is -3 and q the prior, the bound from one sample at z = 1": image([-3], z=1),
        "For one image alone, with log p(x|z) = -2000, the bound": image([-2000]),
        "For two images, with log p(x|z) = -90 and -2000, the bounds": (
            *(np.array([[-90.0, -2000.0]]), np.zeros((1, 2, 1)), *np.zeros((2, 2, 1))),
        ),
    },
    properties=PROPERTIES,
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
