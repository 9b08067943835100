"""Checks of the homework on rate and distortion."""

from functools import partial

import numpy as np
from scipy.special import entr, rel_entr

from vaebook.checks.core import Choice, Function, Homework, changed, every_bug
from vaebook.checks.properties import never, related, row, twice
from vaebook.scores import mutual_information

homework = Homework("Rate and distortion")
report = homework.report


# -- task 1 ------------------------------------------------------------------------------------

check_same = Choice(
    homework,
    "Noise, weight and unit",
    right="a",
    mistakes={
        "b": "A and C have the same σ and β. But σ is measured in the unit of the pixels, and in C "
        "the pixels are ten times as large.",
        "c": "B and C agree in σ relative to the pixels. The weight of the KL differs, by 100.",
        "d": "Divide each objective by its factor of the squared error, with pixels from 0 to 1. "
        "Do all three leave the same factor in front of the KL?",
        "e": "A factor of the whole objective moves no maximum. Which two objectives differ by "
        "such a factor only?",
    },
    hints=(
        "Write the objective as -‖x - f‖²/(2σ²) - β KL, and multiply it by 2σ².",
        "The factor of the KL is now 2βσ², which is 2 for A and B. For C divide x and f by 10.",
    ),
    because="Only βσ² counts, in the unit of x². Even so, A and B print different losses.",
)


# -- task 2 ------------------------------------------------------------------------------------


def _level(variances, rate, *, ordered=True):
    """The level at which the features use the rate; the largest number of features that fits."""
    falling = np.sort(variances)[::-1] if ordered else variances
    counts = np.arange(1, len(falling) + 1)
    levels = np.exp((np.cumsum(np.log(falling)) - 2 * rate) / counts)
    return levels[np.flatnonzero(levels <= falling)[-1]]


def _level_cases(rng):
    for n, rate in [(3, 0.7), (5, 2.0), (8, 6.0)]:
        yield rng.permutation(np.exp(rng.normal(0, 1.5, n) - np.arange(n))), rate
    yield rng.permutation(np.exp(-np.arange(40.0))), 25.0


def _spent(value, variances, rate):
    return abs(0.5 * np.log(np.maximum(variances / value, 1)).sum() - rate) > 1e-5


check_level = Function(
    homework,
    "How high the water stands",
    oracle=_level,
    cases=_level_cases,
    mistakes={
        "All features are taken as encoded. One whose variance is below the level gets no rate, "
        "not a negative one.": lambda variances, rate: np.exp(
            (np.log(variances).sum() - 2 * rate) / len(variances)
        ),
        "The whole rate goes to the largest feature. Once its error has fallen to the variance of "
        "the next one, that one takes part.": lambda variances, rate: (
            variances.max() * np.exp(-2 * rate)
        ),
        "A feature costs ½ log(λ/level); the ½ is lost.": lambda variances, rate: _level(
            variances, rate / 2
        ),
        "The rate is in nats: use e, not 2.": lambda variances, rate: _level(
            variances, rate * np.log(2)
        ),
        "That is the square root of the level, a standard deviation.": lambda variances, rate: (
            np.sqrt(_level(variances, rate))
        ),
        "That is the squared error of all features, not the level.": lambda variances, rate: (
            np.minimum(variances, _level(variances, rate)).sum()
        ),
        "The features come in any order: sort them, largest first.": partial(_level, ordered=False),
    },
    known={
        "One feature of variance 1 with log 2 nats has the error e^(-2 log 2): the level": (
            ([1.0], np.log(2))
        ),
        "Two features of variance 1 share 2 log 2 nats equally: the level": (
            ([1.0, 1.0], 2 * np.log(2))
        ),
        "Of variances 4 and 1 only the first is encoded with ½ log 2 nats: the level": (
            ([4.0, 1.0], 0.5 * np.log(2))
        ),
        "The same features in the other order: the level": ([1.0, 4.0], 0.5 * np.log(2)),
        "Of variances 4 and 1 both are encoded with 2 log 2 nats: the level": (
            ([4.0, 1.0], 2 * np.log(2))
        ),
    },
    properties=(
        never("At your level the features do not use the rate that is given", _spent),
        related(
            "With variances nine times as large the level is nine times as high",
            lambda variances, rate: (9 * variances, rate),
            expected=lambda value, *_: 9 * value,
        ),
        related(
            "A feature of very small variance changes nothing",
            lambda variances, rate: (np.append(variances, 1e-30), rate),
        ),
    ),
    hints=(
        "Let the n largest features be encoded. Then Σ ½ log(λ_k/level) over these n is the rate. "
        "Solve for the level.",
        "It is exp((Σ log λ_k - 2 rate)/n). For which n does it fit: below the n-th variance, "
        "and not below the next one?",
        "Sort, np.cumsum of the logarithms, one level for each n; take the last n whose level is "
        "at most its n-th variance.",
    ),
    because="The logarithm of the level is the mean of log λ over the encoded features less 2R/n.",
)


# -- task 3 ------------------------------------------------------------------------------------


def _parts(q, prior):
    average = q.mean(axis=0)
    return (
        rel_entr(q, prior).sum(axis=1).mean(),
        rel_entr(q, average).sum(axis=1).mean(),
        rel_entr(average, prior).sum(),
    )


def _parts_cases(rng):
    for n, k in [(2, 3), (5, 4), (30, 6)]:
        yield rng.dirichlet(np.ones(k), n), rng.dirichlet(5 * np.ones(k))
    yield np.eye(5)[rng.integers(4, size=12)], np.full(5, 0.2)


check_parts = Function(
    homework,
    "What a rate is spent on",
    oracle=_parts,
    cases=_parts_cases,
    mistakes={
        "The divergence runs from q to the prior: the average of log(q/p) is taken under q.": (
            changed(_parts, 0, lambda value, q, prior: rel_entr(prior, q).sum(axis=1).mean())
        ),
        "The rate is added up over the images; it is their mean.": changed(
            _parts, 0, lambda value, q, prior: len(q) * value[0]
        ),
        "The information compares each q with the prior; compare it with the average of all q.": (
            changed(_parts, 1, lambda value, *_: value[0])
        ),
        "The last two are exchanged: first the information, then the mismatch.": (
            lambda *given: tuple(_parts(*given)[k] for k in (0, 2, 1))
        ),
        "The mismatch runs from the average q to the prior, not back.": changed(
            _parts, 2, lambda value, q, prior: rel_entr(prior, q.mean(axis=0)).sum()
        ),
        "That is in bits; the natural logarithm gives nats.": (
            lambda *given: tuple(np.array(_parts(*given)) / np.log(2))
        ),
        "The entropy of the average q is the information only if each q is certain: subtract the "
        "mean entropy of the single q's.": changed(
            _parts, 1, lambda value, q, prior: entr(q.mean(axis=0)).sum()
        ),
    },
    names=("rate", "information", "mismatch"),
    known={
        "If every q is the prior, nothing is told": ([[0.25, 0.75], [0.25, 0.75]], [0.25, 0.75]),
        "With q = (¾, ¼) and (¼, ¾) and a fair prior, where the average q is fair": (
            ([[0.75, 0.25], [0.25, 0.75]], [0.5, 0.5])
        ),
        "With q = (½, ½) twice and the prior (¼, ¾), which costs ½ log 4/3": (
            ([[0.5, 0.5], [0.5, 0.5]], [0.25, 0.75])
        ),
        "Two images with a code each, under a fair prior: log 2": (
            ([[1.0, 0.0], [0.0, 1.0]], [0.5, 0.5])
        ),
        "Two images that share one code tell nothing and cost log 2": (
            ([[1.0, 0.0], [1.0, 0.0]], [0.5, 0.5])
        ),
    },
    properties=(
        never(
            "No part is ever negative",
            lambda value, *_: np.array([np.min(one) < -1e-9 for one in value]),
        ),
        never(
            "The rate must be the sum of the other two",
            lambda value, *_: abs(value[0] - value[1] - value[2]) > 1e-6,
        ),
        twice("With each image taken twice nothing changes", 0),
    ),
    hints=(
        "The aggregated posterior is q.mean(axis=0).",
        "Three divergences: of each q to the prior, of each q to the average, of the average to "
        "the prior; the first two are averaged over the images.",
        "0 log 0 is 0: np.where(q > 0, q * np.log(q / p), 0) still warns, scipy.special.rel_entr "
        "does not.",
    ),
    because="R = I + KL of the average: what the codes tell, and what they waste.",
)


# -- task 4 ------------------------------------------------------------------------------------


def _information(codes, factors):
    return np.array([[mutual_information(z, v) for z in codes.T] for v in factors.T])


def _entropies(columns):
    return np.array([mutual_information(one, one) for one in columns.T])


def _gap(codes, factors, *, less=lambda r: r[:, -2], over=lambda _, factors: _entropies(factors)):
    """The gap; another subtrahend and another divisor, ``over(codes, factors)``, break it."""
    ranked = np.sort(_information(codes, factors), axis=1)
    return (ranked[:, -1] - less(ranked)) / over(codes, factors)


def _joint_entropies(codes, factors):
    one = np.unique(codes, axis=0, return_inverse=True)[1].ravel()
    return _entropies(np.stack([one * 1000 + v for v in factors.T], axis=1))


def _over_dimensions(codes, factors):
    ranked = np.sort(np.vstack([np.zeros(codes.shape[1]), _information(codes, factors)]), axis=0)
    return (ranked[-1] - ranked[-2]) / np.maximum(_entropies(codes), 1e-9)


def _gap_cases(rng):
    for n, n_codes, n_factors in [(60, 3, 2), (200, 4, 3)]:
        factors = rng.integers(4, size=(n, n_factors)) + rng.integers(2, size=(n, n_factors))
        mix = rng.integers(0, 2, (n_factors, n_codes))
        codes = factors @ mix + rng.integers(0, 3, (n, n_codes))
        codes[:, 0] = factors[:, 0] // 2
        codes[:, -1] = factors[:, -1]
        yield codes, factors


_FOUR = [[0], [1], [2], [3]]


check_gap = Function(
    homework,
    "The mutual information gap",
    oracle=_gap,
    cases=_gap_cases,
    mistakes={
        "The gap is not divided by the entropy of the factor.": partial(
            _gap, over=lambda codes, factors: 1.0
        ),
        "It is divided by log of the number of classes; the entropy of a factor is less if its "
        "classes are not equally frequent.": partial(
            _gap, over=lambda codes, factors: np.log([len(np.unique(one)) for one in factors.T])
        ),
        "It is divided by the entropy of the best dimension; divide by that of the factor.": (
            partial(
                _gap,
                over=lambda codes, factors: _entropies(codes)[
                    _information(codes, factors).argmax(axis=1)
                ],
            )
        ),
        "It is divided by the entropy of codes and factor together; take that of the factor.": (
            partial(_gap, over=_joint_entropies)
        ),
        "It is divided by the largest information; divide by the entropy of the factor.": partial(
            _gap, over=lambda codes, factors: _information(codes, factors).max(axis=1)
        ),
        "That is the largest less the smallest; the second largest is to be subtracted.": (
            partial(_gap, less=lambda r: r[:, 0])
        ),
        "That is the largest less the mean of the others; subtract the second largest.": (
            partial(_gap, less=lambda r: r[:, :-1].mean(axis=1))
        ),
        "For each factor two dimensions are compared; yours compares two factors for each "
        "dimension.": _over_dimensions,
        "The factors are averaged, too: one gap for each factor is asked for.": (
            lambda codes, factors: _gap(codes, factors).mean()
        ),
    },
    known={
        "A dimension that is the factor, beside a constant one: the gap": (
            ([[0, 7], [1, 7]], [[0], [1]])
        ),
        "Two dimensions that both are the factor: the gap": ([[0, 1], [1, 0]], [[0], [1]]),
        "Two dimensions that tell nothing: the gap": (
            ([[0, 0], [0, 0], [0, 1], [0, 1]], [[0], [1], [0], [1]])
        ),
        "Of four values a dimension tells the upper half from the lower, log 2 of log 4: the gap": (
            ([[0, 7], [0, 7], [1, 7], [1, 7]], _FOUR)
        ),
        "One dimension is the factor, log 4, the other tells halves, log 2: the gap": (
            ([[0, 0], [1, 0], [2, 1], [3, 1]], _FOUR)
        ),
    },
    properties=(
        never("A gap is never negative", lambda value, *_: value < -1e-9),
        related(
            "The dimensions may come in any order",
            lambda codes, factors: (codes[:, ::-1].copy(), factors),
        ),
    ),
    hints=(
        "For one dimension and one factor count the pairs: a table of relative frequencies.",
        "I = Σ p_ij log(p_ij / (p_i p_j)) over the cells that are not empty. The entropy of a "
        "factor is its information with itself.",
        "np.sort along the dimensions; last less last but one; divide by the entropies.",
    ),
    because="1 where one dimension tells all of a factor and the others nothing of it.",
)


# -- task 5 ------------------------------------------------------------------------------------

_BUGS = {
    "half": "The squared error is divided by 2σ², not by σ².",
    "count": "log σ belongs to each pixel: it counts D times for an image.",
    "latent": "The KL is averaged over the latent dimensions; independent dimensions add up.",
}


def _noise_loss(x, f, mean, log_var, log_std, *, left=()):
    squares = ((x - f) ** 2).sum(axis=-1) * np.exp(-2 * log_std)
    squares = squares if "half" in left else squares / 2
    log_noise = log_std if "count" in left else x.shape[-1] * log_std
    kl = 0.5 * (np.expm1(log_var) - log_var + mean**2)
    kl = kl.mean(axis=-1) if "latent" in left else kl.sum(axis=-1)
    return (squares + log_noise + kl).mean()


def _noise_cases(rng):
    for n_rows, n_latent, n_pixels in [(2, 3, 12), (4, 2, 30), (3, 5, 7)]:
        x, f = rng.normal(0.5, 0.4, (2, n_rows, n_pixels))
        mean, log_var = rng.normal(0, 1, (2, n_rows, n_latent))
        yield x, f, mean, log_var, float(rng.uniform(-2.5, -0.5))


def _batch(x, f, mean=0, log_var=0, log_std=0.0, times=1):
    given = row(x, f, mean, log_var)
    return *(np.tile(one, (times, 1)) for one in given), float(log_std)


check_noise = Function(
    homework,
    "A noise that runs away",
    oracle=_noise_loss,
    cases=_noise_cases,
    mistakes=every_bug(_noise_loss, _BUGS)
    | {
        "The constant ½ log 2π of each pixel is there; leave it out, as she does.": (
            lambda x, *others: _noise_loss(x, *others) + 0.5 * x.shape[-1] * np.log(2 * np.pi)
        ),
        "The losses of the images are added up, not averaged.": lambda x, *others: (
            len(x) * _noise_loss(x, *others)
        ),
        "The variance is e^(2 log σ); you took log_std for the log of the variance.": (
            lambda x, f, mean, log_var, log_std: _noise_loss(x, f, mean, log_var, log_std / 2)
        ),
        "The squared error is averaged over the pixels; it is their sum.": (
            lambda x, f, mean, log_var, log_std: _noise_loss(
                x, x + (f - x) / np.sqrt(x.shape[-1]), mean, log_var, log_std
            )
        ),
    },
    terms={
        "the squared error, ‖x - f‖²/(2σ²)": lambda x, f, mean, log_var, log_std: (
            0.5 * ((x - f) ** 2).sum(axis=-1).mean() * np.exp(-2 * log_std)
        ),
        "log σ for each pixel": lambda x, f, mean, log_var, log_std: x.shape[-1] * log_std,
        "the part of the KL from the means, ½μ²": lambda x, f, mean, *_: (
            0.5 * (mean**2).sum(axis=-1).mean()
        ),
        "the part of the KL from the widths, ½(s² - 1 - log s²)": (
            lambda x, f, _, log_var, log_std: 0.5 * (np.expm1(log_var) - log_var).sum(-1).mean()
        ),
    },
    known={
        "Without an error, with noise 1 and q = p the loss": _batch(0, 0),
        "With an error of 1 and noise 1 the loss, ½,": _batch(1, 0),
        "Without an error, with noise 2 the loss, log 2,": _batch(0, 0, log_std=np.log(2)),
        "With an error of 1 and noise 2 the loss, ⅛ + log 2,": _batch(1, 0, log_std=np.log(2)),
        "For two pixels without error, with noise 2 the loss, 2 log 2,": (
            _batch([0, 0], [0, 0], log_std=np.log(2))
        ),
        "For q of variance 4, without an error, the loss, ½(4 - 1 - log 4),": (
            _batch(0, 0, 0, np.log(4))
        ),
        "Dimensions add up: with two means of 1 the loss, ½ + ½,": _batch(0, 0, [1, 1], [0, 0]),
        "Two equal images have the loss of one: ½": _batch(1, 0, times=2),
    },
    properties=(
        twice("Each image fed twice, the loss stays where it is", 0, 1, 2, 3),
        related(
            "A pixel that is added without an error costs log σ",
            lambda x, f, mean, log_var, log_std: (
                *(np.hstack([one, np.zeros((len(one), 1))]) for one in (x, f)),
                mean,
                log_var,
                log_std,
            ),
            expected=lambda value, *given: value + given[-1],
        ),
    ),
    hints=(
        "Hold f fixed. Which σ makes the loss smallest? It must be the root mean squared error.",
        "Minus the log-density of one pixel is (x - f)²/(2σ²) + log σ + ½ log 2π. An image has D "
        "of them.",
        "Then let two latent dimensions have the mean 1. Each costs ½.",
    ),
    because="It is smallest where σ is the root mean squared error, for any number of pixels.",
)
