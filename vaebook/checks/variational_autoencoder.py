"""Checks of the homework on the variational autoencoder."""

from functools import partial

import numpy as np

from vaebook.checks.core import Choice, Function, Homework, changed, every_bug
from vaebook.checks.properties import keeps_digits, never, related, row, rows, twice

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


def _kl(mean_q, log_var_q, mean_p, log_var_p, *, scale=lambda log_var_q, log_var_p: -log_var_p):
    """KL of diagonal Gaussians, row by row; another log-scale of the squared means breaks it."""
    d = log_var_q - log_var_p
    distance = (mean_q - mean_p) ** 2 * np.exp(scale(log_var_q, log_var_p))
    return 0.5 * (np.expm1(d) - d + distance).sum(axis=-1)


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
            partial(_kl, scale=lambda log_var_q, log_var_p: 0.0)
        ),
        "The squared difference of the means is divided by the variance of q, not by that of p.": (
            partial(_kl, scale=lambda log_var_q, log_var_p: -log_var_q)
        ),
        "The squared difference of the means is divided by the std of p, not by its variance.": (
            partial(_kl, scale=lambda log_var_q, log_var_p: -0.5 * log_var_p)
        ),
        "The inputs are log s², not log s.": (
            lambda mean_q, a, mean_p, b: _kl(mean_q, 2 * a, mean_p, 2 * b)
        ),
        "That is the KL to N(0, 1); here p has a mean and a variance of its own.": (
            lambda mean_q, log_var_q, *_: _kl(mean_q, log_var_q, 0.0, 0.0)
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
        "the constant -½ for each latent dimension": lambda mean_q, *_: -0.5 * mean_q.shape[-1],
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


def _constant(std, n_dims):
    """log N[x; x, std^2 I]: the log-density where the error is zero."""
    return -0.5 * n_dims * np.log(2 * np.pi * std**2)


def _model(reconstruction, kl, beta, noise_std, n_dims, *, power=0.5):
    """The model with the noise noise_std beta^power."""
    noise = noise_std * beta**power
    error = (reconstruction - _constant(noise_std, n_dims)) * (noise_std / noise) ** 2
    return error + _constant(noise, n_dims) - kl, noise


def _old_constant(reconstruction, kl, beta, noise_std, n_dims):
    return _constant(noise_std, n_dims)


def _new_constant(reconstruction, kl, beta, noise_std, n_dims):
    return _constant(noise_std * np.sqrt(beta), n_dims)


def _model_cases(rng):
    for n_rows, n_dims in [(1, 1), (3, 2), (4, 2), (2, 5)] * 2:
        beta, std = rng.uniform(1.5, 5.0), rng.uniform(0.1, 1.0)
        beta = beta if rng.random() < 0.5 else 1 / beta
        error, kl = rng.uniform(0.1, 3.0, (2, n_rows))
        yield _constant(std, n_dims) - error / std**2, kl, beta, std, n_dims
    yield _constant(0.01, 784) - 1e4 * error, kl, 392e4, 0.01, 784


def _point(reconstruction, kl, beta, noise_std=(2 * np.pi) ** -0.5, n_dims=1):
    """Arguments for one point or more; by itself a noise whose density has the constant 0."""
    return *map(np.atleast_1d, (reconstruction, kl)), beta, noise_std, n_dims


check_model = Function(
    homework,
    "A weight on the KL, or more noise",
    oracle=_model,
    cases=_model_cases,
    names=("ELBO", "noise"),
    mistakes={
        "β multiplies the variance of the noise, so the standard deviation is σ√β, not βσ.": (
            partial(_model, power=1.0)
        ),
        "A larger weight on the KL lets the error count less, as more noise does: σ√β, not σ/√β.": (
            partial(_model, power=-0.5)
        ),
        "βσ² is the variance of the noise; return its standard deviation.": changed(
            _model, 1, lambda value, *_: value[1] ** 2
        ),
        "Only the error is divided by β: R also contains the constant of the old noise; take it "
        "out before, and put in that of the new noise.": changed(
            _model, 0, lambda value, reconstruction, kl, beta, *_: reconstruction / beta - kl
        ),
        "The constant, too, has a noise in it: -½D log 2πσ'², with the new one.": changed(
            _model,
            0,
            lambda value, *given: value[0] + _old_constant(*given) - _new_constant(*given),
        ),
        "In an ELBO the KL counts once, also in that of the new model.": changed(
            _model, 0, lambda value, reconstruction, kl, beta, *_: value[0] + kl - beta * kl
        ),
        "The objective is divided by β, and its KL has that weight already: subtract the KL, "
        "not KL/β.": changed(
            _model, 0, lambda value, reconstruction, kl, beta, *_: value[0] + kl - kl / beta
        ),
        "That is the ELBO with the old noise, the one on display.": changed(
            _model, 0, lambda value, reconstruction, kl, *_: reconstruction - kl
        ),
        "That is minus the objective, R - β KL: divide it by β, and mind the constants.": changed(
            _model, 0, lambda value, reconstruction, kl, beta, *_: reconstruction - beta * kl
        ),
        "The constant of a density of D coordinates has the factor D.": (
            lambda *given: _model(*given[:-1], 1)
        ),
    },
    terms=(
        {
            "the reconstruction divided by the weight, R/β": lambda reconstruction, kl, beta, *_: (
                reconstruction / beta
            ),
            "the KL": lambda reconstruction, kl, *_: -kl,
            "the constant of the old noise, ½D log(2πσ²)/β": lambda *arguments: (
                -_old_constant(*arguments) / arguments[2]
            ),
            "the constant of the new noise, -½D log 2πσ'²": _new_constant,
        },
        {},
    ),
    known={
        "With β = 1 nothing changes: for R = -3 and KL = 2": _point(-3.0, 2.0, 1.0),
        "For β = 4, σ = 0.2, R = -1 and KL = 0": _point(-1.0, 0.0, 4.0, 0.2),
        "For 2πσ² = 1, R = -8, KL = 0 and β = 4 (-8/4 - ½ log 4)": _point(-8.0, 0.0, 4.0),
        "For 2πσ² = 1, R = -8, KL = 3 and β = 4 (-8/4 - ½ log 4 - 3)": _point(-8.0, 3.0, 4.0),
        "For 2πσ² = 1, R = -8, KL = 0 and β = ¼ (-8·4 + ½ log 4)": _point(-8.0, 0.0, 0.25),
        "Without an error, R = 0 where 2πσ² = 1, for β = 4 and D = 6 (-½·6 log 4)": (
            _point(0.0, 0.0, 4.0, n_dims=6)
        ),
        "For two points with R = -8 and -4": _point([-8.0, -4.0], [0.0, 0.0], 4.0),
    },
    properties=(
        related(
            "One nat more of KL is one nat less of ELBO",
            lambda reconstruction, kl, *rest: (reconstruction, kl + 1, *rest),
            lambda value, *_: (value[0] - 1, value[1]),
        ),
        related(
            "The weight 1/β on that model must lead back to R - KL and σ",
            lambda reconstruction, kl, beta, noise_std, n_dims: (
                _model(reconstruction, 0 * kl, beta, noise_std, n_dims)[0],
                kl,
                1 / beta,
                noise_std * np.sqrt(beta),
                n_dims,
            ),
            lambda value, reconstruction, kl, beta, noise_std, n_dims: (
                reconstruction - kl,
                noise_std,
            ),
        ),
        related(
            "A point must not depend on the others; alone the first must have the value it had",
            lambda reconstruction, kl, *rest: (reconstruction[:1], kl[:1], *rest),
            lambda value, *_: (value[0][:1], value[1]),
        ),
    ),
    hints=(
        "Write R as a constant minus m/(2σ²), with the expected squared error m. What becomes of "
        "each term of the objective when you divide it by β?",
        "m/(2βσ²) is the error term of a density with the variance βσ². Its constant is "
        "-½D log 2πβσ².",
        "m/(2σ²) = -½D log 2πσ² - R. Divide it by β, subtract it from the new constant, and "
        "subtract the KL.",
    ),
    because="If the Gaussian noise is fixed, β only multiplies its variance: no second setting.",
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
    kl = _kl(mean, log_var, 0.0, 0.0)
    fit = fit / x.shape[-1] if "pixels" in left else fit
    kl = kl.sum() if "batch" in left else kl.mean()
    return -(fit + kl) if "reward" in left else -(fit - kl)


def _loss_cases(rng):
    for n_rows, n_latent, n_pixels in [(2, 3, 12), (4, 2, 30), (3, 1, 7), (5, 4, 9)] * 2:
        x = rng.integers(0, 2, (n_rows, n_pixels)).astype(float)
        mean, log_var = rng.normal(0, 1, (2, n_rows, n_latent))
        yield x, rng.normal(0, 2, x.shape), mean, log_var


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
        "Two equal images have the loss of one: log 2 + ½": (
            tuple(np.tile(one, (2, 1)) for one in row(1, 0, 1, 0))
        ),
        "The loss of a pixel that is 0 at logit 900": row(0, 900, 0, 0),
    },
    properties=(
        never("This loss is never negative", lambda value, *_: value < -1e-9),
        twice("If every image occurs twice, the loss may not change", 0, 1, 2, 3),
    ),
    hints=(
        "Let all logits be 0 and q the prior: every pixel contributes log 2. What is the loss?",
        "Let every image occur twice: an average over the batch does not change.",
        "Move the mean of q away from 0 with the logits fixed. Must the loss rise or fall?",
    ),
    because="A known value, a doubled batch and a moved q exposed the three bugs.",
)
