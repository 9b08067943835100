"""Checks of the final project: a variational autoencoder of the learner's own."""

from functools import cache

import numpy as np

from vaebook.checks.core import Choice, Function, Homework, every_bug
from vaebook.digits import draw_digits, sample_factors

homework = Homework("Train your own")
report = homework.report

#: The mean importance-weighted bound to reach on the held-out digits, in nats.
TARGET = -110.0
N_LATENT = 10
_N_IMPORTANCE = 20
_LOG_2PI = np.log(2 * np.pi)


@cache
def _binary_digits(n, seed):
    rng = np.random.default_rng(seed)
    images = draw_digits(*sample_factors(n, rng=rng)).reshape(n, -1)
    return (rng.integers(0, 255, images.shape) < images).astype(np.float32)


def held_out_digits():
    """The 500 test digits, binary, float32 (500, 784): the same ones in every call."""
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


def _share(std_q, std_posterior, n_latent):
    s2, v = std_q**2, std_posterior**2
    return (np.sqrt(v * np.maximum(2 * s2 - v, 0)) / s2) ** n_latent


def _share_cases(rng):
    for n_latent in (1, 3, 20):
        std = rng.uniform(0.2, 2, 4)
        yield std * rng.uniform(0.8, 1.4, 4), std, n_latent
    yield np.array([0.3, 0.7, 1.0]), np.ones(3), 2


def _with_zeros(formula):
    """Apply a formula where the share is above 0, and give 0 elsewhere."""

    def wrong(std_q, std_posterior, n_latent):
        value = formula(std_q, std_posterior, n_latent)
        return np.where(2 * std_q**2 > std_posterior**2, value, 0.0)

    return wrong


def _exp_minus_kl(std_q, std_posterior, n_latent):
    ratio = (std_q / std_posterior) ** 2
    return np.exp(-0.5 * n_latent * (ratio - 1 - np.log(ratio)))


check_share = Function(
    homework,
    "How many draws count",
    oracle=_share,
    cases=_share_cases,
    mistakes={
        "That is for one latent dimension: independent dimensions multiply.": (
            lambda std_q, std_posterior, n_latent: _share(std_q, std_posterior, 1)
        ),
        "That is E[w²]/E[w]²; the share is one over it.": _with_zeros(
            lambda std_q, std_posterior, n_latent: 1 / _share(std_q, std_posterior, n_latent)
        ),
        "q and the posterior are exchanged: the draws come from q.": (
            lambda std_q, std_posterior, n_latent: _share(std_posterior, std_q, n_latent)
        ),
        "Each coordinate's share is multiplied D times, not added.": (
            lambda std_q, std_posterior, n_latent: n_latent * _share(std_q, std_posterior, 1)
        ),
        "That is exp(-KL). Close in spirit, but the share comes from the second moment of w.": (
            _exp_minus_kl
        ),
        "The share divides by E[w²], not by its root.": (
            lambda std_q, std_posterior, n_latent: np.sqrt(_share(std_q, std_posterior, n_latent))
        ),
    },
    hints=(
        "Up to a constant w is posterior / q. Then E[w] = 1, and E[w²] is the integral of post²/q.",
        "In one dimension post²/q is Gaussian in z again, with exponent -z² (1/v - 1/(2 s²)).",
        "When is this exponent negative for large z? If it is not, the integral is infinite.",
    ),
    because="A q that is too narrow has no second moment at all; a q too wide only wastes draws.",
)


# -- task 4 ------------------------------------------------------------------------------------


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


# -- task 5 ------------------------------------------------------------------------------------

_COINS = -784 * np.log(2)
_PEAK = -0.5 * N_LATENT * _LOG_2PI  # log p(z) at z = 0


def _project_cases(rng):
    def noise(n):
        return rng.standard_normal((_N_IMPORTANCE, n, N_LATENT), np.float32)

    digits = held_out_digits()
    axes = np.eye(N_LATENT, dtype=np.float32)
    steps = np.concatenate([0 * axes[:1], axes, -axes])
    yield digits[:7], 3 * np.repeat(steps[:, None], 7, axis=1)
    yield rng.integers(0, 2, (50, 784)).astype(np.float32), noise(50)
    yield digits, noise(len(digits))


def _are_not_three(terms, x, eps):
    return (not isinstance(terms, tuple) and np.shape(terms)[:1] != (3,)) or len(terms) != 3


def _fall_unevenly(terms, x, eps):
    level = terms[2] + 0.5 * (eps**2).sum(-1)  # -sum log s and a constant, whatever the draw
    return (np.ptp(level, axis=0) > 0.05 + 1e-3 * np.abs(level).max()).any()


def _miss_the_spread(terms, x, eps):
    """Steps along each axis, as of the first case, show the stds through the prior."""
    _, log_pz, log_qz = terms
    ahead, back = log_pz[1 : N_LATENT + 1], log_pz[N_LATENT + 1 :]
    if (eps[0] != 0).any():
        return False
    variance = np.maximum(2 * log_pz[0] - ahead - back, 1e-12) / 9
    return np.abs(log_qz[0] - _PEAK + 0.5 * np.log(variance).sum(axis=0)).max() > 1.0


def _mean_bound(terms):
    log_w = terms[0] + terms[1] - terms[2]
    return (np.logaddexp.reduce(log_w, axis=0) - np.log(len(log_w))).mean()


def _are_digits(x, eps):
    return (eps[0] != 0).any() and x.mean() < 0.4  # neither steps nor random pixels


def _between(low, high):
    """Give the bound on the digits if it lies in between."""

    def shows(terms, x, eps):
        bound = _mean_bound(terms)
        return _are_digits(x, eps) and low <= bound < high and bound

    return shows


def _toy_terms(x, eps, std=0.5):
    """The terms of a model without any training."""
    z = 0.3 + std * eps
    chance = 0.15 + 0.1 / (1 + np.exp(-z[..., :1]))
    ink = x.sum(-1)[..., None]
    log_px = (ink * np.log(chance) + (784 - ink) * np.log(1 - chance))[..., 0]
    log_pz = -0.5 * (z**2 + _LOG_2PI).sum(-1)
    return log_px, log_pz, -0.5 * (eps**2).sum(-1) + _PEAK - N_LATENT * np.log(std)


def _toy(change):
    """The terms without any training, changed, so that they show one fault."""
    return lambda x, eps: change(*_toy_terms(x, eps))


def _trained_a_little(x, eps):
    log_px, log_pz, log_qz = _toy_terms(x, eps)
    return log_px + 150 * (x.mean() < 0.4), log_pz, log_qz


check_target = Function(
    homework,
    "A target in nats",
    oracle=_toy_terms,
    cases=_project_cases,
    mistakes=None,
    signs={
        "Three values are asked for, as in `return log_px_given_z, log_pz, log_qz`.": (
            _are_not_three,
            _toy(lambda px, pz, qz: px + pz - qz),
        ),
        "Each term is one number for each draw and image, (K, B), whatever K and B are.": (
            lambda terms, x, eps: any(term.shape != eps.shape[:2] for term in terms),
            _toy(lambda px, pz, qz: (px.mean(0), pz.mean(0), qz.mean(0))),
        ),
        "There is a NaN or an infinity in it: lower the learning rate, or clip log_var.": (
            lambda terms, x, eps: not np.isfinite(terms).all(),
            _toy(lambda px, pz, qz: (px * np.nan, pz, qz)),
        ),
        "log p(x|z) of binary pixels is never above 0: is the sign the wrong way round?": (
            lambda terms, x, eps: (terms[0] > 1e-3).any(),
            _toy(lambda px, pz, qz: (-px, pz, qz)),
        ),
        "log p(x|z) is the same for all draws: does the decoder see z, or only the mean?": (
            lambda terms, x, eps: (terms[0] == terms[0][0]).all(),
            _toy(lambda px, pz, qz: (np.tile(px[:1], (len(px), 1)), pz, qz)),
        ),
        "log p(z) is higher than N[0, I] is anywhere: is -½ log 2π in it, ten times?": (
            lambda terms, x, eps: (terms[1] > _PEAK + 1e-2).any(),
            _toy(lambda px, pz, qz: (px, pz - _PEAK, qz)),
        ),
        "log q(z|x) has to fall by ½ eps² from draw to draw: is its std the one that made z?": (
            _fall_unevenly,
            _toy(lambda px, pz, qz: (px, pz, pz)),
        ),
        "log q(z|x) does not fit the spread of z: ½ log_var is log s, and -½ log 2π.": (
            _miss_the_spread,
            _toy(lambda px, pz, qz: (px, pz, qz + N_LATENT * np.log(0.5))),
        ),
        "On images of random pixels no model can be better than -543.4 nats; yours claims to be: "
        "sum over the 784 pixels, do not average.": (
            lambda terms, x, eps: x.mean() > 0.4 and _mean_bound(terms) > _COINS + 5,
            _toy(lambda px, pz, qz: (px / 784, pz, qz)),
        ),
        "The posterior has collapsed, q is the prior for every image: does the gradient reach "
        "the encoder through z, and is the reconstruction summed over pixels?": (
            lambda terms, x, eps: _are_digits(x, eps) and (terms[2] - terms[1]).mean() < 0.5,
            lambda x, eps: _toy_terms(x, eps, std=1.0),
        ),
        "The bound is {:.1f} nats, the target -110: no better than one average image, so look for "
        "a bug before you train longer.": (_between(-np.inf, -200), _toy_terms),
        "The bound is {:.1f} nats, the target -110: train longer, with a larger learning rate at "
        "first, or in smaller batches.": (_between(-200, TARGET), _trained_a_little),
    },
    hints=(
        "Config(n_latent=10, hidden=(100, 100)) and train from vaebook.vae are the short way.",
        "vaebook.vae.objective has log_bernoulli, log_standard_normal, log_normal_diag.",
        "40 epochs in batches of 100 at a learning rate of 0.005 are enough.",
    ),
    because="A normalised model, a fair test, and the target reached: the number can be believed.",
    seconds=60.0,
)
