"""Checks of the homework on importance weighting."""

from functools import cache, partial

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import softmax

from vaebook.checks.core import Choice, Function, Homework, changed, every_bug
from vaebook.checks.log_weights import (
    KNOWN,
    MISTAKES,
    PROPERTIES,
    bound,
    image,
    images,
    with_weights,
)
from vaebook.checks.properties import never, twice
from vaebook.gaussians import log_normal
from vaebook.importance import importance_bound
from vaebook.latent import LinearGaussianModel

homework = Homework("Importance weighting")
report = homework.report


# -- task 1 ------------------------------------------------------------------------------------

check_groups = Choice(
    homework,
    "Ten groups of ten, or one of a hundred",
    right="c",
    mistakes={
        "a": "The log stands inside the average over groups. Each group estimates E[L_10], and an "
        "average of ten such estimates still has that expectation.",
        "b": "An average of logarithms is below the logarithm of the average: what does Jensen's "
        "inequality say of the ten group averages?",
        "d": "Averaging ten estimates divides their noise by √10. But the noise of a "
        "group of ten is √10 times that of a group of a hundred to begin with.",
        "e": "Jensen's inequality, for the ten group averages, goes the other way.",
    },
    hints=(
        "Call the averages of the ten groups a_1, ..., a_10. One colleague takes the mean of "
        "log a_j, the other the log of the mean of a_j.",
        "The mean of the logs has the expectation E[L_10], the log of the mean E[L_100]. Which "
        "is larger?",
        "For the noise: to first order a log is a straight line, and then the order of the log "
        "and the average does not matter.",
    ),
    because="The gaps are 0.088 and 0.0075 nats, the standard deviations 0.14 and 0.12: averaging "
    "after the log removes noise and leaves the bias.",
)


# -- task 2 ------------------------------------------------------------------------------------


def _wait(a, mean):
    finite = mean > 0.5
    m = np.where(finite, mean, 1.0)
    return np.where(finite, m**2 * np.exp(a / m) / (2 * m - 1) - 1, np.inf)


def _wait_cases(rng):
    yield np.array([3.0, 3.0]), np.array([0.5, 0.4])
    yield rng.uniform(1, 20, 6), rng.uniform(0.6, 30, 6)
    yield np.full(3, 300.0), np.array([200.0, 300.5, 400.0])


check_wait = Function(
    homework,
    "A long wait",
    oracle=_wait,
    cases=_wait_cases,
    mistakes={
        "For a mean of ½ or less the integral diverges: a variance is never negative, and here it "
        "is infinite.": lambda a, mean: mean**2 * np.exp(a / mean) / (2 * mean - 1) - 1,
        "That is the second moment divided by P²: the square of the mean is still to be "
        "subtracted, which is 1 in these units.": lambda a, mean: _wait(a, mean) + 1,
        "That is the variance itself; divide by P² = e^(-2a) to make it relative.": (
            lambda a, mean: _wait(a, mean) * np.exp(-2 * a)
        ),
        "The integral begins at a, where f does; yours begins at 0.": lambda a, mean: (
            (_wait(0 * a, mean) + 1) * np.exp(2 * a) - 1
        ),
        "The weight has to be squared in the second moment: ∫ p²/q, not ∫ p.": (
            lambda a, mean: np.exp(a) - 1 + 0 * mean
        ),
        "The mean of the proposal is its parameter, not its rate: q(z) = e^(-z/m)/m.": (
            lambda a, mean: _wait(a, 1 / mean)
        ),
        "Where the integral diverges the variance is infinite: return np.inf there, not 0.": (
            lambda a, mean: np.where(mean > 0.5, _wait(a, mean), 0.0)
        ),
        "Where the integral diverges the variance is infinite: return np.inf there, not nan.": (
            lambda a, mean: np.where(mean > 0.5, _wait(a, mean), np.nan)
        ),
        "The factor 1/m of the proposal's density is lost: ∫ p²/q has an m in front.": (
            lambda a, mean: (_wait(a, mean) + 1) / mean - 1
        ),
    },
    known={
        "With q = p and no threshold every weight is 1; the relative variance": ([0.0], [1.0]),
        "With q = p and P = ¼ it is (1 - P)/P, which": (np.log([4.0]), [1.0]),
        "Without a threshold and with mean 2 it is ∫ p²/q - 1 = 4/3 - 1, which": ([0.0], [2.0]),
        "With threshold 2 and mean 2 it is 4e/3 - 1, which": ([2.0], [2.0]),
    },
    properties=(never("A variance is never negative", lambda value, *_: value < -1e-9),),
    hints=(
        "E_q[w² f²] is the integral of p²/q from a on. Which power of e is p²/q?",
        "p²/q = m exp(-(2 - 1/m) z). When does its integral exist?",
        "Test it: a = 0 and m = 1 is no threshold and q = p, so nothing varies. With m = 1 alone "
        "it must be (1 - P)/P.",
    ),
    because="It is m² e^(a/m) / (2m - 1) - 1, smallest at m = (1 + a + √(1 + a²))/2, a little "
    "beyond a.",
)


# -- task 3 ------------------------------------------------------------------------------------


_over_samples = partial(softmax, axis=0)


def _step(phi, x, mean, std, eps, *, decoder=1, encoder=2, of_z=-1.0, of_q=1.0, score=False,
          share=_over_samples, densities=(1, 1, -1)):  # fmt: skip
    """Both gradients; the powers of the weights, the slopes of prior and q, and the score."""
    z, (p_x, p_z, q) = mean + std * eps, densities
    log_w = p_x * log_normal(x, phi * z, 1.0) + p_z * log_normal(z, 0.0, 1.0)
    log_w = log_w + q * log_normal(z, mean, std)
    share = share(log_w)
    slope = phi * (x - phi * z) + of_z * z + of_q * eps / std
    by_mean, by_std = slope, slope * eps
    if score:
        by_mean, by_std = by_mean - eps / std, by_std - (eps**2 - 1) / std
    weighted = share**encoder
    return (
        (share**decoder * (x - phi * z) * z).sum(0),
        (weighted * by_mean).sum(0),
        (weighted * by_std).sum(0),
    )


def _step_cases(rng):
    for n_samples, n_points in [(3, 4), (6, 2), (2, 5)]:
        x, mean = rng.normal(0, 1.5, (2, n_points))
        std, eps = rng.uniform(0.4, 1.6, n_points), rng.normal(size=(n_samples, n_points))
        yield float(rng.uniform(0.5, 2)), x, mean, std, eps
    yield 1.5, np.array([70.0, 0.3]), np.zeros(2), np.ones(2), rng.normal(size=(3, 2))


def _renormalised(log_w):
    return np.sqrt(softmax(2 * log_w, axis=0))


check_step = Function(
    homework,
    "One step of an IWAE",
    oracle=_step,
    cases=_step_cases,
    mistakes={
        "The encoder's weights are to be squared: the first power belongs to the gradient that "
        "still has the score in it.": partial(_step, encoder=1),
        "That is the usual gradient of the encoder, with the score of q in it: leave the score "
        "out and square the weights.": partial(_step, encoder=1, score=True),
        "The weights are squared, but the score of q is still there: leave it out.": (
            partial(_step, score=True)
        ),
        "The decoder's weights are squared as well: its gradient has the first power.": (
            partial(_step, decoder=2)
        ),
        "The slope of the prior, -z, is missing in ∂ log w/∂z.": partial(_step, of_z=0.0),
        "log q depends on z, too: its derivative is -(z - mean)/std² = -eps/std, and log w has "
        "minus that.": partial(_step, of_q=0.0),
        "log w contains minus log q: its derivative with respect to z adds eps/std.": (
            partial(_step, of_q=-1.0)
        ),
        "The squares are normalised once more; normalise the weights first and then square.": (
            lambda phi, x, mean, std, eps: (
                _step(phi, x, mean, std, eps)[0],
                *_step(phi, x, mean, std, eps, share=_renormalised)[1:],
            )
        ),
        "For an improbable point every weight underflows to 0: before exp take out the largest "
        "log-weight of each point's own samples.": (
            partial(_step, share=lambda log_w: np.exp(log_w) / np.exp(log_w).sum(0))
        ),
        "The prior is missing in the weights: w = p(x|z) p(z) / q(z).": (
            partial(_step, densities=(1, 0, -1))
        ),
        "The weights lack q: w = p(x|z) p(z) / q(z).": partial(_step, densities=(1, 1, 0)),
        "The weights multiply by q; divide by it.": partial(_step, densities=(1, 1, 1)),
        "Every sample has the same weight: that is the ELBO. Weigh by w_k over their sum.": (
            partial(_step, encoder=1, share=lambda log_w: np.ones_like(log_w) / len(log_w))
        ),
        "The weights are normalised over the data points: they sum to one over the samples of "
        "each point.": partial(_step, share=partial(softmax, axis=1)),
        "The weights do not sum to one: divide by the sum over the samples.": (
            partial(_step, share=np.exp)
        ),
        "For std the chain rule gives the factor ∂z/∂std = eps, which is missing.": (
            changed(_step, 2, lambda value, *_: value[1])
        ),
    },
    names=tuple(f"derivative with respect to {name}" for name in ("phi", "mean", "std")),
    known={
        "For one sample at z = ½": (1.0, [2.0], [0.5], [1.0], [[0.0]]),
        "For one sample at z = 1.5, where the three slopes are ½, -1.5 and 1": (
            (1.0, [2.0], [0.5], [1.0], [[1.0]])
        ),
        "With phi = 2, for one sample at z = 1, where the slopes are 2, -1 and 0": (
            (2.0, [3.0], [1.0], [1.0], [[0.0]])
        ),
        "With std 2, for one sample with eps = 1, where the slopes are 0, -2 and ½": (
            (0.0, [1.0], [0.0], [2.0], [[1.0]])
        ),
        "For two samples of weight ½, both at z = ½": (1.0, [2.0], [0.5], [1.0], [[0.0], [0.0]]),
        "For two samples of weight ½, at z = 2 and -2": (0.0, [1.0], [0.0], [2.0], [[1.0], [-1.0]]),
    },
    properties=(
        twice(
            "With each sample taken twice the first derivative stays and the other two are halved",
            4,
            expected=lambda value, *_: (value[0], value[1] / 2, value[2] / 2),
        ),
    ),
    hints=(
        "Log-weights (K, B) first. Constants that are the same for every sample cancel in the "
        "normalised weights; take the largest out before the exponential.",
        "For phi: the sum of w̃ times (x - phi z) z, the derivative of log p(x|z).",
        "∂ log w/∂z = phi (x - phi z) - z + eps/std. For the mean times w̃², for the std times "
        "w̃² eps.",
    ),
    because="The decoder takes w̃, the encoder w̃². With K = 1 both are 1: the path gradient.",
    rtol=1e-5,
)


# -- task 4 ------------------------------------------------------------------------------------

_MODEL, _X = LinearGaussianModel(1.5, 0.8), 1.7


@cache
def _width(n_importance):
    def cost(std):
        return -importance_bound(_MODEL, _X, 0.0, std, n_importance)

    return minimize_scalar(cost, bounds=(0.2, 2.0), method="bounded").x


def _forward(n_importance):
    return float(np.hypot(*_MODEL.posterior(_X)))


check_width = Function(
    homework,
    "The width that a bound asks for",
    oracle=_width,
    cases=lambda rng: [(5,)],
    mistakes={
        "That is the posterior's width for every K. With several samples the bound rises if some "
        "of them reach the posterior.": lambda n_importance: _width(1),
        "That is the best width of K = 50 for every K; does your function use n_importance?": (
            lambda n_importance: _width(50)
        ),
        "That is √(0.471² + 0.882²) for every K, the optimum of KL(p‖q). The ELBO minimises "
        "KL(q‖p), and no bound asks for it exactly.": _forward,
        "That is a variance; the standard deviation, its root, is asked for.": (
            lambda n_importance: _width(n_importance) ** 2
        ),
        "That is the largest bound; the width that gives it is asked for.": lambda n_importance: (
            importance_bound(_MODEL, _X, 0.0, _width(n_importance), n_importance)
        ),
    },
    known={
        "For one sample, the ELBO, the best width is the posterior's. It": (1,),
        "For 50 samples q reaches the posterior. The best width": (50,),
    },
    hints=(
        "importance_bound(LinearGaussianModel(1.5, 0.8), 1.7, 0.0, std, n_importance) is exact: "
        "try std = 0.2, 0.21, ..., 1.6 and take the best.",
        "The ELBO splits: the KL of two Gaussians is a term of the means plus one of the widths.",
        "scipy's minimize_scalar with method='bounded' finds the least of minus the bound.",
    ),
    because="The ELBO takes the posterior's width wherever its mean stands, 0.47; with 50 samples "
    "it is 1.04, and q reaches the posterior.",
    rtol=0.02,
    seconds=30.0,
)


# -- task 5 ------------------------------------------------------------------------------------

_BUGS = {
    "count": "The sum is never divided by the number of samples, so the result grows with log S.",
    "top": "The weights of an improbable image underflow to 0: before exp take out the largest "
    "log-weight of its own samples.",
    "width": "log q lacks its -½ log_var: a wide density is low.",
}


check_repair = Function(
    homework,
    "A likelihood that is too good",
    oracle=bound,
    cases=images,
    mistakes=every_bug(bound, _BUGS)
    | {
        "The log stands inside the average: that estimates the ELBO. Average the weights first, "
        "then take the log.": with_weights(lambda log_w: log_w.mean(0)),
        "The prior is missing: w = p(x|z) p(z) / q(z|x).": with_weights(prior=0.0),
    }
    | MISTAKES,
    known={
        "If log p(x|z) is -3 everywhere and q is the prior, the result": image([-3]),
        "For one image alone, its only log-weight -1500, the result": image([-1500]),
    }
    | KNOWN,
    properties=PROPERTIES,
    hints=(
        "Let log p(x|z) be -3 at every z, and q the prior. Then p(x) is known. Feed one sample, "
        "then two.",
        "Then one sample at z = 0 with log_var = log 4: p(z) is twice as high there as q(z).",
        "Then two images, one with log-weights near -90 and one near -1500: each alone, and both "
        "together.",
    ),
    because="A likelihood that rises by log 2 when the samples are doubled is no likelihood.",
)
