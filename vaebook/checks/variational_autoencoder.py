"""Checks of the homework on the variational autoencoder."""

from functools import partial

import numpy as np

from vaebook.checks.core import Choice, Function, Homework, every_bug
from vaebook.checks.properties import keeps_digits, never, related, row, rows

homework = Homework("The variational autoencoder")
report = homework.report


# -- task 1 ------------------------------------------------------------------------------------

check_copies = Choice(
    homework,
    "Every pixel four times",
    right="b",
    mistakes={
        "a": "The copies are not informative, but the model treats them as independent pixels: its "
        "likelihood has one factor for each.",
        "c": "That is the ratio of the variances; the standard deviation is the square root.",
        "d": "For the model more pixels are more evidence, so the posterior becomes narrower.",
        "e": "Only the reconstruction term grows with the number of pixels; the KL does not.",
    },
    hints=(
        "By which factor does log p(x|z) change, for the same z? And the KL to the prior?",
        "Where the data dominate, the log-posterior is nearly log p(x|z), whose curvature is four "
        "times as large.",
    ),
    because="The posterior precision is four times as large, so the standard deviation is halved.",
)


# -- task 2 ------------------------------------------------------------------------------------


def _kl(mean_q, log_var_q, mean_p, log_var_p, *, width=None, distance=None):
    """KL of diagonal Gaussians, row by row; the keywords are there to break it."""
    d = log_var_q - log_var_p
    width = np.expm1(d) - d if width is None else width
    distance = (mean_q - mean_p) ** 2 * np.exp(-log_var_p) if distance is None else distance
    return 0.5 * (width + distance).sum(axis=-1)


def _kl_scaled(scale):
    """The divergence with another divisor of the squared difference of the means."""

    def kl(mean_q, log_var_q, mean_p, log_var_p):
        squares = (mean_q - mean_p) ** 2 * scale(log_var_q, log_var_p)
        return _kl(mean_q, log_var_q, mean_p, log_var_p, distance=squares)

    return kl


def _kl_cases(rng):
    for shape in [(1, 1), (3, 2), (4, 5)]:
        yield tuple(rng.normal(0, 1, shape) for _ in range(4))
    mean, log_var = rng.normal(0, 1, (2, 3, 4))
    yield mean, log_var - 40.0, mean - 0.5, log_var
    steps = rng.uniform(1e-7, 2e-7, (2, 3, 4)) * rng.choice([-1, 1], (2, 3, 4))
    # Means so close that the variances decide: nothing else can hide the lost digits.
    yield mean + 1e-5 * steps[0], log_var + steps[1], mean, log_var


_LOG_4 = np.log(4.0)
_DIGITS = (
    "For q close to p, a number close to 1 is rounded before 1 is subtracted: use np.expm1, and "
    "subtract the logarithms"
)


check_kl = Function(
    homework,
    "The KL to a learned prior",
    oracle=_kl,
    cases=_kl_cases,
    rtol=1e-8,
    atol=1e-10,
    mistakes={
        "That is D_KL[p‖q]: take the expectation under q.": (
            lambda mean_q, log_var_q, mean_p, log_var_p: _kl(mean_p, log_var_p, mean_q, log_var_q)
        ),
        "The squared difference of the means is not divided by the variance of p.": (
            _kl_scaled(lambda log_var_q, log_var_p: 1.0)
        ),
        "The squared difference of the means is divided by the variance of q, not by that of p.": (
            _kl_scaled(lambda log_var_q, log_var_p: np.exp(-log_var_q))
        ),
        "The squared difference of the means is divided by the std of p, not by its variance.": (
            _kl_scaled(lambda log_var_q, log_var_p: np.exp(-0.5 * log_var_p))
        ),
        "The inputs are log s², not log s.": (
            lambda mean_q, log_var_q, mean_p, log_var_p: _kl(
                mean_q, 2 * log_var_q, mean_p, 2 * log_var_p
            )
        ),
        "That is the KL to N(0, 1); here p has a mean and a variance of its own.": (
            lambda mean_q, log_var_q, mean_p, log_var_p: _kl(
                mean_q, log_var_q, 0.0, np.zeros_like(log_var_p)
            )
        ),
    },
    terms={
        "the means, ½(μ - m)²/v": lambda mean_q, log_var_q, mean_p, log_var_p: (
            0.5 * ((mean_q - mean_p) ** 2 * np.exp(-log_var_p)).sum(axis=-1)
        ),
        "the ratio, ½s²/v": lambda mean_q, log_var_q, mean_p, log_var_p: (
            0.5 * np.exp(log_var_q - log_var_p).sum(axis=-1)
        ),
        "the logarithm, -½ log(s²/v)": lambda mean_q, log_var_q, mean_p, log_var_p: (
            0.5 * (log_var_p - log_var_q).sum(axis=-1)
        ),
        "the constant -½ for each latent dimension": lambda mean_q, *_: np.full(
            len(mean_q), -0.5 * mean_q.shape[1]
        ),
    },
    known={
        "KL(q‖q)": row(1, _LOG_4, 1, _LOG_4),
        "For variances of 1, ½(μ - m)²": row(3, 0, 1, 0),
        "For variances of v = 4, ½(μ - m)²/v": row(3, _LOG_4, 1, _LOG_4),
        "For equal means, s² = 4 and v = 1, ½(4 - 1 - log 4)": row(0, _LOG_4, 0, 0),
        "For equal means, s² = 1 and v = 4, ½(¼ - 1 + log 4)": row(0, 0, 0, _LOG_4),
        "For two dimensions that contribute ½ each, their sum": row([1, 1], [0, 0], [0, 0], [0, 0]),
    },
    properties=(
        never("A KL divergence is never negative", lambda value, *_: value < -1e-12),
        keeps_digits(_DIGITS, 2.5008335e-7, *row(0, 1e-3, 0, 0)),
        keeps_digits(_DIGITS, 1e-14 / 4, *row(0, 1e-7, 0, 0), single=None),
        rows(0, 1, 2, 3),
        related(
            "A shift of both means may not change the KL",
            lambda mean_q, a, mean_p, b: (mean_q + 3, a, mean_p + 3, b),
        ),
    ),
    hints=(
        "Derive it for one dimension; independent dimensions add. Take the expectation of log q - "
        "log p under q, where E[(z - m)²] = s² + (μ - m)².",
        "The variances enter only through d = log s² - log v, as ½(e^d - 1 - d).",
        "np.expm1(d) is e^d - 1 without forming e^d. The means contribute ½(μ - m)² e^(-log v).",
    ),
    because="With expm1 of the difference of the logs it is accurate for d = -40 and d = 10⁻⁷.",
)


# -- task 3 ------------------------------------------------------------------------------------


def _log_bernoulli(x, logits):
    return (x * logits - np.logaddexp(0.0, logits)).sum(axis=-1)


def _pixel_cases(rng):
    for lead, n_pixels in [((3,), 5), ((1,), 7), ((2, 4), 3), ((5,), 2)]:
        yield (
            rng.integers(0, 2, (*lead, n_pixels)).astype(float),
            rng.normal(0, 2, (*lead, n_pixels)),
        )
    # Certain and right, certain and wrong: exp(900) overflows.
    yield np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[900.0, -900.0], [900.0, -40.0]])


def _log_of_mean(x, logits):
    p = 1 / (1 + np.exp(-logits))
    return np.log(np.where(x > 0, p, 1 - p).mean(axis=-1))


check_pixels = Function(
    homework,
    "The likelihood of binary pixels",
    oracle=_log_bernoulli,
    cases=_pixel_cases,
    mistakes={
        "That is the loss, the negative of what is asked for.": lambda x, logits: (
            -_log_bernoulli(x, logits)
        ),
        "The log-probabilities of the pixels are averaged; independent pixels add.": (
            lambda x, logits: _log_bernoulli(x, logits) / x.shape[-1]
        ),
        "0 and 1 are exchanged: a large logit makes a pixel of 1 probable.": (
            lambda x, logits: _log_bernoulli(x, -logits)
        ),
        "Pixels that are 0 contribute as well, with log(1 - sigmoid(logit)).": (
            lambda x, logits: (-x * np.logaddexp(0.0, -logits)).sum(axis=-1)
        ),
        "The normalisation is missing: subtract log(1 + e^logit) for each pixel.": (
            lambda x, logits: (x * logits).sum(axis=-1)
        ),
        "That is the sum over all images; one number for each image is asked for.": (
            lambda x, logits: _log_bernoulli(x, logits).sum()
        ),
        "You averaged the probabilities of the pixels; sum their logarithms.": _log_of_mean,
    },
    terms={
        "the logit of a pixel that is 1, x·l": lambda x, logits: (x * logits).sum(axis=-1),
        "the normalisation, -log(1 + e^l)": lambda x, logits: (
            -np.logaddexp(0.0, logits).sum(axis=-1)
        ),
    },
    known={
        "At logit 0 the log-probability of a 1, log ½,": row(1, 0),
        "At logit 0 the log-probability of a 0, log ½,": row(0, 0),
        "At logit log 3, probability ¾, the log-probability of a 1, log ¾,": row(1, np.log(3)),
        "At logit log 3, probability ¾, the log-probability of a 0, log ¼,": row(0, np.log(3)),
        "For two pixels at logit 0, 2 log ½": row([1, 0], [0, 0]),
        "At logit 900 the log-probability of a 1": row(1, 900),
        "At logit 40 the log-probability of a 0": row(0, 40),
        "At logit 900 the log-probability of a 0": row(0, 900),
    },
    properties=(
        never("A log-probability is never above 0", lambda value, *_: value > 1e-9),
        rows(0, 1),
        related(
            "Exchanging 0 and 1 and the signs of the logits may not change the value",
            lambda x, logits: (1 - x, -logits),
        ),
    ),
    hints=(
        "For one pixel: p(1) = e^l / (1 + e^l) and p(0) = 1 / (1 + e^l). Take the logs.",
        "Both cases in one formula: log p(x) = x l - log(1 + e^l).",
        "log(1 + e^l) is log(e^0 + e^l): np.logaddexp(0, l) never overflows.",
    ),
    because="Even a 0 at logit 900 has a finite log-probability, -900 nats.",
)


# -- task 4 ------------------------------------------------------------------------------------


def _one_draw(x, mean, log_var, weights, bias, eps, *, std=None, average=False):
    std = np.exp(0.5 * log_var) if std is None else std
    fit = _log_bernoulli(x, (mean + std * eps) @ weights + bias)
    return fit / x.shape[-1] if average else fit


def _kl_prior(mean, log_var):
    return 0.5 * (np.expm1(log_var) - log_var + mean**2).sum(axis=-1)


def _mirrored(x, mean, log_var, weights, bias, eps, *, kl=-1.0, sign=-1.0, **how):
    one = _one_draw(x, mean, log_var, weights, bias, eps, **how)
    two = _one_draw(x, mean, log_var, weights, bias, sign * eps, **how)
    return 0.5 * (one + two) + kl * _kl_prior(mean, log_var)


def _mirrored_cases(rng):
    for n_rows, n_latent, n_pixels in [(1, 1, 4), (3, 2, 5), (4, 3, 20)]:
        x = rng.integers(0, 2, (n_rows, n_pixels)).astype(float)
        mean, log_var, eps = rng.normal(0, 1, (3, n_rows, n_latent))
        weights = rng.normal(0, 1.5, (n_latent, n_pixels))
        yield x, mean, log_var, weights, rng.normal(size=n_pixels), eps
    yield x, mean, log_var - 30.0, 300 * weights, np.zeros(n_pixels), eps


def _tiny(x=1, mean=0, log_var=0, weights=0, bias=0, eps=1):
    """Arguments for one image of one pixel with one latent dimension, but for what is given."""
    x, mean, log_var, weights, eps = row(x, mean, log_var, weights, eps)
    return x, mean, log_var, weights, np.atleast_1d(np.asarray(bias, float)), eps


def _mirrored_of_pair(x, mean, log_var, weights, bias, eps):
    """Decode the average of the two samples, which is the mean."""
    return _mirrored(x, mean, log_var, weights, bias, 0.0 * eps)


def _sum_of_pair(x, mean, log_var, weights, bias, eps):
    return 2 * _mirrored(x, mean, log_var, weights, bias, eps, kl=0.0) - _kl_prior(mean, log_var)


check_mirror = Function(
    homework,
    "Antithetic noise",
    oracle=_mirrored,
    cases=_mirrored_cases,
    mistakes={
        "Only one sample is used: the second has -eps in place of eps.": (
            partial(_mirrored, sign=1.0)
        ),
        "The mean is decoded: average the two log-likelihoods, not the two samples.": (
            _mirrored_of_pair
        ),
        "The two log-likelihoods are added; the estimate is their average.": _sum_of_pair,
        "The samples have the wrong standard deviation: multiply eps by exp(log_var / 2).": (
            lambda x, mean, log_var, *rest: _mirrored(x, mean, log_var, *rest, std=np.exp(log_var))
        ),
        "The KL to the prior is missing.": partial(_mirrored, kl=0.0),
        "The KL counts twice: subtract it once for the pair, with its factor ½.": (
            partial(_mirrored, kl=-2.0)
        ),
        "The KL is added; it must be subtracted.": (partial(_mirrored, kl=1.0)),
        "The log-probabilities of the pixels are averaged; the bound contains their sum.": (
            partial(_mirrored, average=True)
        ),
        "The second sample is -z; the sign of eps changes, not that of z: mean - std eps.": (
            lambda x, mean, log_var, weights, bias, eps: (
                0.5 * _one_draw(x, mean, log_var, weights, bias, eps)
                + 0.5 * _one_draw(x, -mean, log_var, weights, bias, -eps)
                - _kl_prior(mean, log_var)
            )
        ),
        "The bias of the decoder is missing: logits = z @ weights + bias.": (
            lambda x, mean, log_var, weights, bias, eps: _mirrored(
                x, mean, log_var, weights, 0 * bias, eps
            )
        ),
    },
    terms={
        "the log-likelihood of the sample with +eps, halved": lambda *a: 0.5 * _one_draw(*a),
        "the log-likelihood of the sample with -eps, halved": lambda *a: (
            0.5 * _one_draw(*a[:5], -a[5])
        ),
        "the part of the KL from the means, -½μ²": lambda x, mean, *_: (
            -0.5 * (mean**2).sum(axis=-1)
        ),
        "the part of the KL from the variances, -½s²": lambda x, mean, log_var, *_: (
            -0.5 * np.exp(log_var).sum(axis=-1)
        ),
        "the part of the KL from the log-variances, ½ log s²": lambda x, mean, log_var, *_: (
            0.5 * log_var.sum(axis=-1)
        ),
        "the constant of the KL, ½ for each latent dimension": lambda x, mean, *_: np.full(
            len(mean), 0.5 * mean.shape[1]
        ),
    },
    known={
        "With q the prior and no weights a pixel has probability ½: log ½": _tiny(),
        "A bias of log 3 makes the pixel 1 with probability ¾: log ¾": _tiny(bias=np.log(3)),
        "With this bias a pixel that is 0 has probability ¼: log ¼": _tiny(x=0, bias=np.log(3)),
        "With a mean of 2 the KL is 2: log ½ - 2": _tiny(mean=2),
        "With a variance of 4 the KL is ½(4 - 1 - log 4): log ½ - 0.8069": _tiny(log_var=_LOG_4),
        "With eps = 0 both samples are the mean: log ¾ - ½": (
            _tiny(mean=1, weights=np.log(3), eps=0)
        ),
        "The samples 1 and -1 have logits ±log 3: ½(log ¾ + log ¼)": _tiny(weights=np.log(3)),
        "With std 2 the samples are ±2: ½(log 0.9 + log 0.1) - 0.8069": (
            _tiny(log_var=_LOG_4, weights=np.log(3))
        ),
        "For two pixels of probability ½, 2 log ½": (_tiny(x=[1, 0], weights=[0, 0], bias=[0, 0])),
        "For two latent dimensions with mean 1 the KL is 1: log ½ - 1": (
            _tiny(mean=[1, 1], log_var=[0, 0], weights=[[0], [0]], eps=[1, 1])
        ),
        "For logits of ±900, ½(0 - 900)": _tiny(weights=900),
    },
    properties=(
        never("With binary pixels the estimate is never above 0", lambda value, *_: value > 1e-9),
        related(
            "With -eps in place of eps the value must be the same",
            lambda x, mean, log_var, weights, bias, eps: (x, mean, log_var, weights, bias, -eps),
        ),
        rows(0, 1, 2, 5),
    ),
    hints=(
        "The two samples are mean + std eps and mean - std eps. Both have distribution q, so each "
        "gives an unbiased estimate.",
        "Write one function for a single sample and call it twice; subtract the KL once.",
        "std = exp(log_var / 2); logits = z @ weights + bias; then the formula of task 3.",
    ),
    because="Both samples have distribution q, so the average is unbiased; its variance need not "
    "be smaller than that of two independent samples.",
)


# -- task 5 ------------------------------------------------------------------------------------

_BUGS = {
    "pixels": "The pixels are averaged, the KL is not, so the KL has D times too much weight.",
    "batch": "The KL is summed over the batch, so the loss depends on the size of the batch.",
    "reward": "The KL has the wrong sign: the loss must rise when q moves away from the prior.",
}


def _loss(x, logits, mean, log_var, *, left=()):
    """The colleague's loss with only the bugs named in `left` still in it."""
    fit = _log_bernoulli(x, logits).mean()
    kl = _kl_prior(mean, log_var)
    fit = fit / x.shape[-1] if "pixels" in left else fit
    kl = kl.sum() if "batch" in left else kl.mean()
    return -(fit + kl) if "reward" in left else -(fit - kl)


def _loss_cases(rng):
    for n_rows, n_latent, n_pixels in [(2, 3, 12), (4, 2, 30), (3, 1, 7), (5, 4, 9)] * 2:
        x = rng.integers(0, 2, (n_rows, n_pixels)).astype(float)
        mean, log_var = rng.normal(0, 1, (2, n_rows, n_latent))
        yield x, rng.normal(0, 2, x.shape), mean, log_var


def _twice(batch):
    return tuple(np.tile(array, (2, 1)) for array in batch)


check_repair = Function(
    homework,
    "Three bugs in a loss",
    oracle=_loss,
    cases=_loss_cases,
    mistakes=every_bug(_loss, _BUGS),
    terms={
        "the logit of a pixel that is 1, -x·l": lambda x, logits, *_: (
            -(x * logits).sum(axis=-1).mean()
        ),
        "the normalisation of the pixels, log(1 + e^l)": lambda x, logits, *_: (
            np.logaddexp(0.0, logits).sum(axis=-1).mean()
        ),
        "the part of the KL from the means, ½μ²": lambda x, logits, mean, _: (
            0.5 * (mean**2).sum(axis=-1).mean()
        ),
        "the part of the KL from the variances, ½(s² - 1 - log s²)": lambda x, logits, _, log_var: (
            0.5 * (np.expm1(log_var) - log_var).sum(axis=-1).mean()
        ),
    },
    known={
        "The loss of one pixel with logit 0 and q the prior, log 2,": row(1, 0, 0, 0),
        "The loss of an untrained model of 784 pixels, 784 log 2,": row(*np.zeros((2, 784)), 0, 0),
        "The loss of a pixel that is 0 at logit log 3, -log ¼,": row(0, np.log(3), 0, 0),
        "With a mean of 2 the KL is 2: log 2 + 2": row(1, 0, 2, 0),
        "With a variance of 4 the KL is ½(4 - 1 - log 4): log 2 + 0.8069": row(1, 0, 0, _LOG_4),
        "For two latent dimensions with mean 1 the KL is 1: log 2 + 1": row(1, 0, [1, 1], [0, 0]),
        "Two equal images have the loss of one: log 2 + ½": _twice(row(1, 0, 1, 0)),
        "The loss of a pixel that is 0 at logit 900": row(0, 900, 0, 0),
    },
    properties=(
        never("This loss is never negative", lambda value, *_: value < -1e-9),
        related(
            "If every image occurs twice, the loss may not change",
            lambda *batch: _twice(batch),
        ),
    ),
    hints=(
        "Let all logits be 0 and q the prior: every pixel contributes log 2. What is the loss?",
        "Let every image occur twice: an average over the batch does not change.",
        "Move the mean of q away from 0 with the logits fixed. Must the loss rise or fall?",
    ),
    because="A known value, a doubled batch and a moved q exposed the three bugs.",
)
