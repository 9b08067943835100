"""Checks of the homework on Jensen's inequality."""

from functools import partial

import numpy as np
from scipy.special import logsumexp

from vaebook.checks.core import Choice, Function, Homework
from vaebook.checks.properties import never, related

homework = Homework("Jensen's inequality")
report = homework.report


# -- task 1 ------------------------------------------------------------------------------------

check_savings = Choice(
    homework,
    "A century of savings",
    right="c",
    mistakes={
        "a": "1.05 to the power of 100 is the mean over all households; very few have that much.",
        "b": "A gain of 50 % and a loss of 40 % do not cancel: 1.5 times 0.6 is 0.9.",
        "d": "The mean grows, but a few households own nearly all of it. Average the logarithm.",
        "e": "A product does not depend on the order of its factors.",
    },
    hints=(
        "Wealth is a product of 100 factors. What does its logarithm look like, and where is the "
        "middle of that?",
        "The median household has 50 good and 50 bad years. Multiply one good and one bad year.",
        "The median is exp(100 E[log factor]).",
    ),
    because="A good and a bad year together give 1.5 · 0.6 = 0.9, and 0.9 to the power of 50 is "
    "1/194.",
)


# -- task 2 ------------------------------------------------------------------------------------


def _best_share(p, gain, loss):
    return np.maximum(p / loss - (1 - p) / gain, 0.0)


def _share_cases(rng):
    for n in (4, 1):
        p, gain, loss = rng.uniform(0.4, 0.7, n), rng.uniform(0.5, 2, n), rng.uniform(0.3, 1, n)
        yield p, gain, loss
    yield np.array([0.5, 0.2, 0.9]), np.array([0.5, 0.5, 3.0]), np.array([0.4, 1.0, 1.0])


check_share = Function(
    homework,
    "How much to stake",
    oracle=_best_share,
    cases=_share_cases,
    mistakes={
        "In an unfavourable game this is negative; the best fraction is then 0.": (
            lambda p, gain, loss: p / loss - (1 - p) / gain
        ),
        "Gain and loss are exchanged: p must be divided by the loss.": (
            lambda p, gain, loss: np.maximum(p / gain - (1 - p) / loss, 0)
        ),
        "That is the mean return of a stake, p gain - (1 - p) loss, not the best fraction.": (
            lambda p, gain, loss: np.maximum(p * gain - (1 - p) * loss, 0)
        ),
        "That is the answer for loss = 1, where the whole stake can be lost.": (
            lambda p, gain, loss: np.maximum(p - (1 - p) / gain, 0)
        ),
        "That maximises E[y], which asks for all or nothing. Maximise E[log y].": (
            lambda p, gain, loss: np.where(p * gain > (1 - p) * loss, 1.0, 0.0)
        ),
    },
    known={
        "The savings of task 1, p = 0.5, gain 0.5, loss 0.4: 1.25 - 1": ([0.5], [0.5], [0.4]),
        "An even bet, p = 0.75, gain and loss 1: 2p - 1": ([0.75], [1.0], [1.0]),
        "An unfavourable bet, p = 0.2, gain and loss 1: f": ([0.2], [1.0], [1.0]),
        "With borrowed money, p = 0.9, gain 1, loss 0.4: 2.25 - 0.1": ([0.9], [1.0], [0.4]),
        "A larger gain, p = 0.5, gain 2, loss 1: 0.5 - 0.25": ([0.5], [2.0], [1.0]),
        "A favourable and an unfavourable bet together: f": ([0.75, 0.2], [1.0, 1.0], [1.0, 1.0]),
    },
    properties=(
        never("The fraction f may not be negative", lambda value, *_: value < -1e-9),
        related(
            "If gain and loss are doubled, f must be halved",
            lambda p, gain, loss: (p, 2 * gain, 2 * loss),
            lambda value, *_: value / 2,
        ),
    ),
    hints=(
        "E[log y] is p log(1 + gain f) + (1 - p) log(1 - loss f).",
        "Its derivative is p gain / (1 + gain f) - (1 - p) loss / (1 - loss f).",
        "Multiplied out, f gain loss = p gain - (1 - p) loss. What if that is negative?",
    ),
    because="E[log y] is concave in f, so the zero of its derivative is the maximum.",
)


# -- task 3 ------------------------------------------------------------------------------------


def _log_gap(log_y, weights):
    return logsumexp(log_y, b=weights) - weights @ log_y


def _gap_cases(rng):
    for n in (3, 8):
        yield rng.normal(0, 1.5, n), rng.dirichlet(np.ones(n))
    yield rng.normal(-5000, 3, 6), rng.dirichlet(np.ones(6))
    yield rng.normal(4000, 1, 4), rng.dirichlet(np.ones(4))


def _half_relative_variance(log_y, weights):
    y = np.exp(log_y - log_y.max())
    mean = weights @ y
    return weights @ (y - mean) ** 2 / (2 * mean**2)


check_gap = Function(
    homework,
    "The gap, from logarithms",
    oracle=_log_gap,
    cases=_gap_cases,
    mistakes={
        "The sign is wrong: log E[y] is the larger of the two.": (
            lambda log_y, weights: -_log_gap(log_y, weights)
        ),
        "The weights are not used: both expectations are weighted averages.": (
            lambda log_y, weights: _log_gap(log_y, np.full(len(log_y), 1 / len(log_y)))
        ),
        "Half the relative variance is only the first term; the gap itself is asked for.": (
            _half_relative_variance
        ),
        "In log E[y] the weights are missing: E[y] is the sum of weights times y.": (
            lambda log_y, weights: logsumexp(log_y) - weights @ log_y
        ),
        "log E[y] alone is not the gap: subtract E[log y].": (
            lambda log_y, weights: logsumexp(log_y, b=weights)
        ),
    },
    terms={
        "the logarithm of the mean, log E[y]": lambda log_y, weights: logsumexp(log_y, b=weights),
        "the mean of the logarithm, -E[log y]": lambda log_y, weights: -weights @ log_y,
    },
    known={
        "Equal values have no gap: log 3 - log 3": ([np.log(3.0)] * 2, [0.5, 0.5]),
        "For y = 1 and 3, equally probable, log 2 - ½ log 3": ([0.0, np.log(3.0)], [0.5, 0.5]),
        "For y = 1 and 3 with weights ¼ and ¾, log 2.5 - ¾ log 3": (
            *([0.0, np.log(3.0)], [0.25, 0.75]),
        ),
        "For y = 1 and e⁻⁶⁰ the gap 30 - log 2": ([0.0, -60.0], [0.5, 0.5]),
        "For y = 1 and e⁻⁵⁰⁰⁰ the gap 2500 - log 2": ([0.0, -5000.0], [0.5, 0.5]),
        "Values e⁻⁵⁰⁰⁰ and 3e⁻⁵⁰⁰⁰ have the gap of 1 and 3: log 2 - ½ log 3": (
            *([-5000.0, np.log(3.0) - 5000.0], [0.5, 0.5]),
        ),
        "Values e⁴⁰⁰⁰ and 3e⁴⁰⁰⁰ have the gap of 1 and 3: log 2 - ½ log 3": (
            *([4000.0, np.log(3.0) + 4000.0], [0.5, 0.5]),
        ),
    },
    properties=(
        never("Jensen's gap is never negative", lambda value, *_: value < -1e-9),
        related(
            "A constant factor of y does not change the gap",
            lambda log_y, weights: (log_y + 7, weights),
        ),
    ),
    hints=(
        "E[log y] needs no trick, because log y is given.",
        "log E[y] = top + log of the sum of weights times exp(log_y - top), for any top.",
        "Let top be the largest log_y: then no exp overflows and the sum is not 0.",
    ),
    because="A common factor of all y cancels, so the gap can be computed at any scale.",
)


# -- task 4 ------------------------------------------------------------------------------------


def _left_out(log_w):
    """log(sum of the others) for each sample."""
    total = logsumexp(log_w)
    return total + np.log1p(-np.exp(log_w - total))


def _jackknife(log_w, *, factor=lambda n: n - 1, divisor=lambda n: n - 1):
    """The corrected estimate; another factor, or divisor of the left-out sums, breaks it."""
    n = len(log_w)
    log_mean = logsumexp(log_w) - np.log(n)
    others = _left_out(log_w) - np.log(divisor(n))
    return log_mean + factor(n) * (log_mean - others.mean())


def _jackknife_cases(rng):
    for n in (2, 5, 40, 3, 7):
        yield (rng.normal(0, 1, n),)
    yield (rng.normal(-3000, 1, 12),)


check_jackknife = Function(
    homework,
    "A logarithm with less bias",
    oracle=_jackknife,
    cases=_jackknife_cases,
    rtol=1e-5,
    atol=1e-6,
    large=(lambda rng: (rng.normal(-1000, 1, 10**6),), "10⁶ samples"),
    mistakes={
        "That is L_K itself, with its bias.": partial(_jackknife, factor=lambda n: 0),
        "The correction has the wrong sign: it must raise the estimate.": (
            partial(_jackknife, factor=lambda n: 1 - n)
        ),
        "The difference is only 1/(K - 1) of the bias: multiply it by K - 1.": (
            partial(_jackknife, factor=lambda n: 1)
        ),
        "The averages without one sample have K - 1 terms, not K.": (
            partial(_jackknife, divisor=lambda n: n)
        ),
        "That is the average of the logarithms of single samples.": (lambda log_w: log_w.mean()),
    },
    terms={
        "K L_K": lambda log_w: len(log_w) * (logsumexp(log_w) - np.log(len(log_w))),
        "-(K - 1) times the mean of the L₋ⱼ": lambda log_w: (
            -(len(log_w) - 1) * (_left_out(log_w) - np.log(len(log_w) - 1)).mean()
        ),
    },
    known={
        "Equal samples need no correction: for w = 2, 2 the estimate of log 2": (
            [np.log(2.0)] * 2,
        ),
        "For w = 1, 3, where L₋ⱼ are log 3 and log 1, 2 log 2 - ½ log 3": ([0.0, np.log(3.0)],),
        "For w = 1, 1, 4, where L₋ⱼ are log 2.5 twice and log 1, 3 log 2 - (4/3) log 2.5": (
            [0.0, 0.0, np.log(4.0)],
        ),
        "Samples e⁻³⁰⁰⁰ and 3e⁻³⁰⁰⁰ give what 1 and 3 give, minus 3000: it": (
            [-3000.0, np.log(3.0) - 3000.0],
        ),
    },
    properties=(
        related(
            "Multiplying all samples by e⁷ must add 7",
            lambda log_w: (log_w + 7,),
            lambda value, *_: value + 7,
        ),
    ),
    hints=(
        "Without sample j the sum is S - w_j, so all K of these follow from one sum.",
        "log(S - w_j) = log S + log(1 - w_j/S). The ratio w_j/S is exp(log_w - log S).",
        "np.log1p(-np.exp(log_w - log_sum)) gives the last term for all j at once.",
    ),
    because="The bias is about -v/2K, which cancels in K L_K minus K - 1 times the mean of L₋ⱼ.",
)


# -- task 5 ------------------------------------------------------------------------------------

check_proof = Choice(
    homework,
    "A proof of too much",
    right="d",
    mistakes={
        "a": "That line holds: given z the two are independent, and p(x₁, x₂) is the mean of the "
        "product over the prior.",
        "b": "That is Jensen's inequality for the concave logarithm, in the right direction.",
        "c": "The log of a product is a sum, and the mean of a sum is the sum of the means.",
        "e": "That line holds by definition, since E[w₁] is p(x₁). The error comes earlier.",
    },
    hints=(
        "Which is larger, E[log w] or log E[w]?",
        "Lines (b) and (d) use the same inequality in opposite directions.",
    ),
    because="E[log w₁] is at most log E[w₁], not at least.",
)
