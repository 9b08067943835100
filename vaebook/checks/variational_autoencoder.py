"""Checks of the homework on the variational autoencoder."""

from functools import partial

import numpy as np

from vaebook.checks.core import Choice, Function, Homework, every_bug

homework = Homework("The variational autoencoder")
report = homework.report


# -- task 1 ------------------------------------------------------------------------------------

check_copies = Choice(
    homework,
    "Every pixel four times",
    right="b",
    mistakes={
        "a": "We know that the copies say nothing new. Does the model know? It multiplies one "
        "factor for each pixel.",
        "c": "That is the ratio of the variances. A standard deviation is a root.",
        "d": "More pixels are more evidence to the model, so it becomes surer, not less sure.",
        "e": "Only the reconstruction term grows with the number of pixels; the KL does not.",
    },
    hints=(
        "By which factor does log p(x|z) change, for the same z? And the KL to the prior?",
        "Where data dominate, the log-posterior is nearly log p(x|z). It curves four times as "
        "strongly.",
    ),
    because="The precision is four times as large. The model takes each copy for a new witness.",
)


# -- task 2 ------------------------------------------------------------------------------------


def _kl(mean_q, log_var_q, mean_p, log_var_p, *, width=None, distance=None):
    """KL of diagonal Gaussians, row by row; the keywords are there to break it."""
    d = log_var_q - log_var_p
    width = np.expm1(d) - d if width is None else width
    distance = (mean_q - mean_p) ** 2 * np.exp(-log_var_p) if distance is None else distance
    return 0.5 * (width + distance).sum(axis=-1)


def _kl_scaled(scale):
    """The divergence with another scale below the distance of the means."""

    def kl(mean_q, log_var_q, mean_p, log_var_p):
        squares = (mean_q - mean_p) ** 2 * scale(log_var_q, log_var_p)
        return _kl(mean_q, log_var_q, mean_p, log_var_p, distance=squares)

    return kl


def _kl_naive(mean_q, log_var_q, mean_p, log_var_p):
    d = log_var_q - log_var_p
    return _kl(mean_q, log_var_q, mean_p, log_var_p, width=np.exp(d) - 1 - d)


def _kl_cases(rng):
    for shape in [(3, 2), (1, 1), (4, 5)]:
        yield tuple(rng.normal(0, 1, shape) for _ in range(4))
    mean, log_var = rng.normal(0, 1, (2, 3, 4))
    yield mean, log_var - 40.0, mean - 0.5, log_var
    steps = rng.uniform(1e-7, 2e-7, (2, 3, 4)) * rng.choice([-1, 1], (2, 3, 4))
    # The means so near that the widths decide: a formula has no other place to lose its digits.
    yield mean + 1e-5 * steps[0], log_var + steps[1], mean, log_var


def _loses_digits(value, *arguments):
    """Tell whether a divergence so small that rounding counts is not right."""
    right = _kl(*arguments)
    return right.max() < 1e-10 and not np.allclose(value, right, rtol=1e-5, atol=0.0)


check_kl = Function(
    homework,
    "The KL to a prior that was learned",
    oracle=_kl,
    cases=_kl_cases,
    rtol=1e-8,
    atol=1e-10,
    mistakes={
        "That is D_KL[p‖q]: the average is taken under q.": (
            lambda mean_q, log_var_q, mean_p, log_var_p: _kl(mean_p, log_var_p, mean_q, log_var_q)
        ),
        "The distance of the means is not divided by the variance of p.": (
            _kl_scaled(lambda log_var_q, log_var_p: 1.0)
        ),
        "The distance of the means is divided by the variance of q; it is that of p.": (
            _kl_scaled(lambda log_var_q, log_var_p: np.exp(-log_var_q))
        ),
        "The distance of the means is divided by the std of p; it is its variance.": (
            _kl_scaled(lambda log_var_q, log_var_p: np.exp(-0.5 * log_var_p))
        ),
        "You took the inputs for log s; they are log s².": (
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
    signs={
        "Right far away from p, wrong next to it: a number near 1 is rounded before 1 is "
        "subtracted. Use np.expm1, and subtract the logarithms.": (_loses_digits, _kl_naive),
    },
    hints=(
        "Derive it for one latent number; independent numbers add up. Average log q - log p under "
        "q: the mean of (z - m)² is s² + (μ - m)².",
        "Everything about the widths depends on d = log s² - log v alone: ½(e^d - 1 - d).",
        "np.expm1(d) is e^d - 1 without forming e^d. The distance is (μ - m)² e^(-log v).",
    ),
    because="One difference of logs, one expm1: right at d = -40, and right at d = 0.0000001.",
)


# -- task 3 ------------------------------------------------------------------------------------


def _log_bernoulli(x, logits):
    return (x * logits - np.logaddexp(0.0, logits)).sum(axis=-1)


def _pixel_cases(rng):
    for lead, n_pixels in [((3,), 5), ((1,), 7), ((2, 4), 3)]:
        yield (
            rng.integers(0, 2, (*lead, n_pixels)).astype(float),
            rng.normal(0, 2, (*lead, n_pixels)),
        )
    # Sure and right, sure and wrong: 900 is far beyond what exp can hold.
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
        "That is the loss, the negative of what is asked.": lambda x, logits: (
            -_log_bernoulli(x, logits)
        ),
        "The pixels are averaged; independent pixels add up their log-probabilities.": (
            lambda x, logits: _log_bernoulli(x, logits) / x.shape[-1]
        ),
        "Black and white are exchanged: a large logit speaks for a pixel that is 1.": (
            lambda x, logits: _log_bernoulli(x, -logits)
        ),
        "Pixels that are 0 count, too: their log-probability is log(1 - sigmoid(logit)).": (
            lambda x, logits: (-x * np.logaddexp(0.0, -logits)).sum(axis=-1)
        ),
        "The normalisation is missing: subtract log(1 + e^logit) for each pixel.": (
            lambda x, logits: (x * logits).sum(axis=-1)
        ),
        "All images are added up; one number for each image is asked.": (
            lambda x, logits: _log_bernoulli(x, logits).sum()
        ),
        "Log-probabilities add up over pixels; you averaged the probabilities.": _log_of_mean,
    },
    hints=(
        "For one pixel: p(1) = e^l / (1 + e^l) and p(0) = 1 / (1 + e^l). Take the logs.",
        "Both cases in one: log p(x) = x l - log(1 + e^l).",
        "log(1 + e^l) is log(e^0 + e^l): np.logaddexp(0, l) never overflows.",
    ),
    because="A wrong pixel at logit 900 costs 900 nats: much, but not infinity.",
)


# -- task 4 ------------------------------------------------------------------------------------


def _one_draw(x, mean, log_var, weights, bias, eps, *, spread=None, average=False):
    spread = np.exp(0.5 * log_var) if spread is None else spread
    fit = _log_bernoulli(x, (mean + spread * eps) @ weights + bias)
    return fit / x.shape[-1] if average else fit


def _price(mean, log_var):
    return 0.5 * (np.expm1(log_var) - log_var + mean**2).sum(axis=-1)


def _mirrored(x, mean, log_var, weights, bias, eps, *, kl=-1.0, sign=-1.0, **how):
    one = _one_draw(x, mean, log_var, weights, bias, eps, **how)
    two = _one_draw(x, mean, log_var, weights, bias, sign * eps, **how)
    return 0.5 * (one + two) + kl * _price(mean, log_var)


def _mirrored_cases(rng):
    for n_rows, n_latent, n_pixels in [(3, 2, 5), (1, 1, 4), (4, 3, 20)]:
        x = rng.integers(0, 2, (n_rows, n_pixels)).astype(float)
        mean, log_var, eps = rng.normal(0, 1, (3, n_rows, n_latent))
        weights = rng.normal(0, 1.5, (n_latent, n_pixels))
        yield x, mean, log_var, weights, rng.normal(size=n_pixels), eps
    yield x, mean, log_var - 30.0, 300 * weights, np.zeros(n_pixels), eps


def _mirrored_of_pair(x, mean, log_var, weights, bias, eps):
    """Decode the average of the two draws, which is the mean."""
    return _mirrored(x, mean, log_var, weights, bias, 0.0 * eps)


def _sum_of_pair(x, mean, log_var, weights, bias, eps):
    return 2 * _mirrored(x, mean, log_var, weights, bias, eps, kl=0.0) - _price(mean, log_var)


check_mirror = Function(
    homework,
    "A draw and its mirror image",
    oracle=_mirrored,
    cases=_mirrored_cases,
    mistakes={
        "Only one draw is used: the second has -eps in place of eps.": (
            partial(_mirrored, sign=1.0)
        ),
        "The mean is decoded. Average the two log-likelihoods, not the two draws.": (
            _mirrored_of_pair
        ),
        "The two log-likelihoods are added; the estimate is their average.": _sum_of_pair,
        "The draws are too wide or too narrow: the factor of eps is exp(log_var / 2).": (
            lambda x, mean, log_var, *rest: _mirrored(
                x, mean, log_var, *rest, spread=np.exp(log_var)
            )
        ),
        "The KL to the prior is missing.": partial(_mirrored, kl=0.0),
        "The KL is subtracted twice: it does not depend on the draw.": (
            partial(_mirrored, kl=-2.0)
        ),
        "The KL is added; it is a price, so it is subtracted.": (partial(_mirrored, kl=1.0)),
        "The pixels are averaged and the KL is not; the bound adds the pixels up.": (
            partial(_mirrored, average=True)
        ),
    },
    hints=(
        "-eps is standard normal as well, so both draws, mean + std eps and mean - std eps, obey "
        "q. Each gives an unbiased estimate.",
        "One function for one draw, called twice; the KL comes in once, at the end.",
        "std = exp(log_var / 2); logits = z @ weights + bias; then the formula of task 3.",
    ),
    because="Both draws obey q, so the average is unbiased. It need not be less noisy.",
)


# -- task 5 ------------------------------------------------------------------------------------

_BUGS = {
    "pixels": "The pixels are averaged and the KL is not: the KL weighs 784 times too much.",
    "batch": "The KL is added up over the batch: the loss depends on the size of the batch.",
    "reward": "The KL is rewarded: the loss must rise when q moves away from the prior.",
}


def _loss(x, logits, mean, log_var, *, left=()):
    """The colleague's loss with only the bugs named in `left` still in it."""
    fit = _log_bernoulli(x, logits).mean()
    kl = _price(mean, log_var)
    fit = fit / x.shape[-1] if "pixels" in left else fit
    kl = kl.sum() if "batch" in left else kl.mean()
    return -(fit + kl) if "reward" in left else -(fit - kl)


def _loss_cases(rng):
    for n_rows, n_latent, n_pixels in [(4, 2, 30), (2, 3, 12), (16, 1, 784)]:
        x = rng.integers(0, 2, (n_rows, n_pixels)).astype(float)
        mean, log_var = rng.normal(0, 1, (2, n_rows, n_latent))
        yield x, rng.normal(0, 2, x.shape), mean, log_var
    yield np.array([[1.0, 0.0]]), np.array([[-900.0, 900.0]]), np.ones((1, 1)), np.zeros((1, 1))


check_repair = Function(
    homework,
    "Three bugs in a loss",
    oracle=_loss,
    cases=_loss_cases,
    mistakes=every_bug(_loss, _BUGS),
    hints=(
        "All logits 0 and q = N(0, 1): every pixel costs log 2. What must the loss be?",
        "Feed each image twice. An average over the batch stays where it is.",
        "Raise the mean of q with the logits held fixed. Must the loss rise or fall?",
    ),
    because="A known value, a doubled batch, a moved q: three tests, three bugs.",
)
