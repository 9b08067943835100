"""Answers to the final project, right and wrong ones."""

import copy
from dataclasses import replace
from functools import cache

import numpy as np
import torch
from scipy import special, stats

from vaebook.checks.train_your_own import held_out_digits
from vaebook.digits import draw_digits, sample_factors
from vaebook.vae import VAE, Config, train


def slerp_by_directions(z_start, z_end, t):
    """Turn from one direction towards the part of the other that is perpendicular to it."""
    along = z_start / np.linalg.norm(z_start)
    across = z_end - (z_end @ along) * along
    if np.linalg.norm(across) < 1e-9 * np.linalg.norm(z_end):
        return np.array([(1 - one) * z_start + one * z_end for one in t])
    angle = np.arctan2(np.linalg.norm(across), z_end @ along)
    weights = np.sin(np.outer([1, -1], t) * angle + np.array([[0], [angle]])) / np.sin(angle)
    return np.outer(weights[1], z_start) + np.outer(weights[0], z_end)


def slerp_in_torch(z_start, z_end, t):
    z_start, z_end, t = map(torch.as_tensor, (z_start, z_end, t))
    cosine = torch.nn.functional.cosine_similarity(z_start, z_end, dim=0).clamp(-1, 1)
    angle = torch.arccos(cosine).clamp(min=1e-6)
    weights = torch.stack([torch.sin((1 - t) * angle), torch.sin(t * angle)]) / torch.sin(angle)
    return weights.T @ torch.stack([z_start, z_end])


def slerp_careless(z_start, z_end, t):
    cosine = z_start @ z_end / np.sqrt((z_start @ z_start) * (z_end @ z_end))
    angle = np.arccos(np.minimum(cosine, 1))
    weights = np.sin(np.array([1 - t, t]) * angle) / np.sin(angle)
    return weights.T @ np.stack([z_start, z_end])


def log_weights(log_px_given_z, z, mean, log_var):
    log_q = -0.5 * ((z - mean) ** 2 / np.exp(log_var) + log_var).sum(-1)
    return log_px_given_z - 0.5 * (z**2).sum(-1) - log_q


def bound_with_scipy(*arguments):
    log_w = log_weights(*arguments)
    return special.logsumexp(log_w, axis=0) - np.log(len(log_w))


def bound_in_torch(log_px_given_z, z, mean, log_var):
    log_px_given_z, z, mean, log_var = map(torch.as_tensor, (log_px_given_z, z, mean, log_var))
    q = torch.distributions.Normal(mean, torch.exp(log_var / 2))
    prior = torch.distributions.Normal(torch.zeros_like(mean), 1.0)
    log_w = log_px_given_z + (prior.log_prob(z) - q.log_prob(z)).sum(-1)
    return torch.logsumexp(log_w, 0) - np.log(len(z))


def bound_untouched(log_px_given_z, z, mean, log_var):
    log_q = -0.5 * ((z - mean) ** 2 / np.exp(log_var) + log_var).sum(-1)
    return np.log(np.exp(log_px_given_z - log_q).sum(axis=0))


def slerp_of_directions(z_start, z_end, t):
    """Both ends are shortened to length 1, where they do not point the same way."""
    lengths = np.linalg.norm([z_start, z_end], axis=1, keepdims=True)
    first, last = np.stack([z_start, z_end]) / lengths
    if first @ last > 1 - 1e-12:
        return (1 - t[:, None]) * z_start + t[:, None] * z_end
    return slerp_by_directions(first, last, t)


def slerp_by_cosine(z_start, z_end, t):
    """The weights hold for perpendicular ends."""
    angle = np.arccos(np.clip(z_start @ z_end / np.sqrt(z_start @ z_start * z_end @ z_end), -1, 1))
    return np.outer(np.cos(t * angle), z_start) + np.outer(np.sin(t * angle), z_end)


def slerp_of_near_ends(z_start, z_end, t):
    """A line where the angle is wide."""
    if z_start @ z_end < -1e-9:
        return np.outer(1 - t, z_start) + np.outer(t, z_end)
    return slerp_by_directions(z_start, z_end, t)


CONFIG = Config(n_latent=10, hidden=(100, 100), batch_size=100, learning_rate=5e-3)
DIGITS = draw_digits(*sample_factors(5000, rng=np.random.default_rng(17)))


class Model(torch.nn.Module):
    """What a learner might hand in: networks that the book's loop has trained, and changes."""

    def __init__(self, epochs=15, *, images=DIGITS, encode=None, decode=None):
        super().__init__()
        self.epochs, self.images = epochs, images
        self.change_q = encode or (lambda mean, log_var: (mean, log_var))
        self.change_logits = decode or (lambda logits, z: logits)

    @property
    def networks(self):
        return trained(self.epochs, self.images.tobytes())

    def eval(self):
        """Be trained before the check begins to count seconds."""
        assert self.networks
        return super().eval()

    def encode(self, x):
        return self.change_q(*self.networks.encoder(x))

    def decode(self, z):
        return self.change_logits(self.networks.decoder(z), z)


@cache
@torch.enable_grad()  # its callers want none
def trained(epochs, images, n_latent=10):
    images = np.frombuffer(images, np.uint8).reshape(-1, 28, 28)
    return train(replace(CONFIG, epochs=epochs, n_latent=n_latent), images).model


@cache
def in_double(epochs, images):
    return copy.deepcopy(trained(epochs, images)).double()


class InDouble(Model):
    """The same in another precision, with a list in place of a tuple."""

    def __init__(self):
        super().__init__(40)
        self.precision = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))

    @property
    def networks(self):
        return in_double(self.epochs, self.images.tobytes())

    def encode(self, x):
        return list(super().encode(x))


class WithoutDecoder(torch.nn.Module):
    def encode(self, x):
        return x[:, :10], x[:, :10]


def sampled(mean, log_var):
    return mean + torch.exp(log_var / 2) * torch.randn_like(mean), log_var


class OfThree(Model):
    """Trained with three latent dimensions; the other seven do nothing."""

    @property
    def networks(self):
        return trained(self.epochs, self.images.tobytes(), n_latent=3)

    def encode(self, x):
        return [torch.nn.functional.pad(one, (0, 7)) for one in self.networks.encoder(x)]

    def decode(self, z):
        return self.networks.decoder(z[:, :3])


def crash(logits, z):
    return logits @ z


def average_image(logits, z):
    return Model().networks.decoder.layers[-1].bias + 1e-4 * z[:, :1]


def held_out_grey():
    return (255 * held_out_digits()).astype(np.uint8).reshape(-1, 28, 28)


@cache
def bounds(seed, shift=0.0, spread=0.05):
    """Bounds (3, 500) of three trainings: what is hard for one is hard for all."""
    rng = np.random.default_rng(17)
    digits = rng.normal(-110, 20, 500)
    rng = np.random.default_rng(seed)
    taste = rng.normal(shift, 1.5, 500)  # some digits gain more than others
    return digits + taste + rng.normal(0, spread, (3, 1)) + rng.normal(0, 2, (3, 500))


def compared(variant, **changes):
    """A comparison whose numbers are right, but for some changes."""
    baseline = bounds(1)
    differences = variant - baseline
    of_digits, of_seeds = differences.mean(0), differences.mean(1)
    return {
        "baseline": baseline,
        "variant": variant,
        "difference": differences.mean(),
        "error_digits": stats.sem(of_digits),
        "error_seeds": stats.sem(of_seeds),
        "verdict": "better",
    } | changes


def without(name):
    answer = compared(bounds(2, 3.0))
    del answer[name]
    return answer


BETTER, WORSE = bounds(2, 3.0), bounds(2, -3.0)
DIFFERENCES = BETTER - bounds(1)
ROUNDED = {
    "difference": round(DIFFERENCES.mean(), 2),
    "error_digits": round(stats.sem(DIFFERENCES.mean(0)), 2),
    "error_seeds": round(stats.sem(DIFFERENCES.mean(1)), 2),
}
ERRORS = 2 * stats.sem(DIFFERENCES.mean(0)), stats.t.ppf(0.975, 2) * stats.sem(DIFFERENCES.mean(1))
#: Better by more than either error, and by less than both together.
BETWEEN = BETTER - DIFFERENCES.mean() + (max(ERRORS) + np.hypot(*ERRORS)) / 2
SHUFFLED = np.random.default_rng(0).permutation(BETTER, axis=1)

RIGHT = {
    "check_slerp": [slerp_by_directions, slerp_in_torch],
    "check_importance": [bound_with_scipy, bound_in_torch],
    "check_target": [Model(40), InDouble()],
    "check_investigation": [
        compared(BETTER),
        compared(WORSE, verdict="worse") | {"variant": torch.tensor(WORSE, requires_grad=True)},
        compared(bounds(2, 0.05), verdict="Open"),
        compared(BETWEEN, verdict="open"),
        compared(BETTER, **ROUNDED),
        {
            name: getattr(one, "tolist", lambda one=one: one)()
            for name, one in compared(BETTER).items()
        },
    ],
}

#: Check -> wrong answers in other words than its own, with words of the sentence that must come.
WRONG = {
    "check_slerp": [
        (slerp_careless, "NaN"),
        (slerp_of_directions, "At t = 0 the walk from (2, 0) to (0, 2) must be [[2., 0.]]"),
        (slerp_by_cosine, "120 degrees between them both weights are 1"),
        (slerp_of_near_ends, "120 degrees between them both weights are 1"),
        (lambda a, b, t: slerp_by_directions(a, b, t).T, "a .T"),
    ],
    "check_importance": [
        (bound_untouched, "the joint is lost. exp(-2000) is still 0"),
        (lambda px, z, m, v: bound_with_scipy(px, z, m, 0 * v), "q is twice as wide"),
        (lambda px, z, m, v: bound_with_scipy(px.max() + 0 * px, z, m, v), "log 0.3"),
    ],
    "check_target": [
        (Model, "That is the class"),
        ("-109 nats", "needs the trained nn.Module"),
        (VAE(CONFIG), "the book's model"),
        (WithoutDecoder(), "no method decode"),
        (Model(1, encode=lambda mean, log_var: mean), "two tensors"),
        (Model(1, encode=lambda mean, log_var: (mean[:, :8], log_var)), "yours has (7, 8)"),
        (Model(1, encode=sampled), "no sample"),
        (Model(1, decode=lambda logits, z: logits.reshape(-1, 28, 28)), "yours has (7, 28, 28)"),
        (Model(1, decode=crash), "It stops with RuntimeError"),
        (Model(1, encode=lambda mean, log_var: (mean * np.nan, log_var)), "diverged"),
        (Model(1, decode=lambda logits, z: logits * np.nan), "diverged"),
        (Model(1, decode=lambda logits, z: torch.sigmoid(logits)), "as probabilities do"),
    ],
    "check_investigation": [
        ("better", "needs a dict"),
        (without("error_seeds"), "no 'error_seeds' in it"),
        (compared(BETTER, difference=...), "no 'difference' in it"),
        (compared(BETTER, difference=DIFFERENCES.mean(1)), "is one number"),
        (compared(BETTER) | {"baseline": bounds(1)[0]}, "its shape is (500,)"),
        (compared(BETTER) | {"variant": -BETTER}, "positive, as a loss is"),
        (compared(BETTER) | {"variant": np.nan * BETTER}, "no bound of a trained model"),
        (compared(BETTER) | {"variant": BETTER[[0, 0, 1]]}, "Two rows of variant are the same"),
        (compared(BETTER) | {"variant": BETTER[:2]}, "at least three"),
        (
            compared(BETTER) | {"variant": np.vstack([BETTER, BETTER - 1])},
            "the same number of seeds",
        ),
        (compared(BETTER) | {"variant": bounds(1)}, "baseline and variant are the same"),
        (compared(SHUFFLED), "in the same order"),
        (compared(BETTER, difference=-DIFFERENCES.mean()), "baseline minus variant"),
        (compared(BETTER, difference=17.0), "yours is 17"),
        (
            compared(
                BETTER,
                error_digits=np.hypot(stats.sem(BETTER.mean(0)), stats.sem(bounds(1).mean(0))),
            ),
            "image by image",
        ),
        (compared(BETTER, error_digits=DIFFERENCES.mean(0).std(ddof=1)), "a standard deviation"),
        (compared(BETTER, error_digits=2 * stats.sem(DIFFERENCES.mean(0))), "twice the error"),
        (compared(BETTER, error_seeds=4.3027 * stats.sem(DIFFERENCES.mean(1))), "t times"),
        (compared(BETTER, error_digits=stats.sem(DIFFERENCES, axis=None)), "no further images"),
        (compared(BETTER, error_digits=stats.sem(DIFFERENCES.mean(1))), "over the seeds"),
        (compared(BETTER, error_seeds=stats.sem(DIFFERENCES.mean(1), ddof=0)), "ddof=1"),
        (compared(BETTER, error_seeds=DIFFERENCES.mean(1).std(ddof=1)), "a standard deviation"),
        (compared(BETTER, error_seeds=stats.sem(DIFFERENCES.mean(0))), "over the digits"),
        (
            compared(
                BETTER,
                error_seeds=np.hypot(stats.sem(BETTER.mean(1)), stats.sem(bounds(1).mean(1))),
            ),
            "the digits of each seed",
        ),
        (compared(BETTER, verdict="open"), "that is better, not open"),
        (compared(bounds(2, 0.05)), "that is open, not better"),
        (compared(BETTER, verdict="the variant wins"), "better, worse or open"),
    ],
}

#: Trained models that miss the target, with words of the sentence that must come.
SHORT_OF_TARGET = [
    (Model(encode=lambda mean, log_var: (mean, log_var / 2)), "return twice that"),
    (Model(encode=lambda mean, log_var: (mean, torch.exp(log_var / 2))), "of its square"),
    (Model(encode=lambda mean, log_var: (mean, torch.exp(log_var))), "return its logarithm"),
    (Model(encode=lambda mean, log_var: (0 * mean, 0 * log_var)), "collapsed"),
    (Model(encode=lambda mean, log_var: (mean, log_var + 3)), "every std of q is halved"),
    (Model(encode=lambda mean, log_var: (mean, log_var - 4)), "every std of q is doubled"),
    (Model(encode=lambda mean, log_var: (10 * mean, log_var)), "The KL alone is"),
    (Model(decode=lambda logits, z: 40 * logits), "one sigmoid too many"),
    (Model(decode=average_image), "one average image for all reaches -224"),
    (Model(200, images=held_out_grey()), "has been trained on them"),
    (Model(150, images=DIGITS[:1000]), "by heart"),
    (OfThree(), "Only 3 of 10"),
    (Model(), "it is still learning"),
]
