"""Checks of the final project: a trained model, and a comparison of two ways of training."""

from dataclasses import replace
from functools import cached_property

import numpy as np
from scipy import stats

from vaebook.checks.base import Check
from vaebook.checks.calling import own_line, run
from vaebook.checks.reading import plain, short


class Target(Check):
    """A trained VAE, judged by its importance-weighted bound on digits that nobody has been given.

    The model is an ``nn.Module``: ``encode(x)`` gives mean and log-variance of q, ``decode(z)`` the
    logits of the pixels. All else is computed here, so that no bound can be claimed.

    Parameters
    ----------
    target : float
        The mean bound to reach, in nats.
    digits : dict of str to callable
        Binary images (N, 784) of "training", of the "held out" that the learner has, and "new".
    ease : float
        How much easier the held-out digits are than the new ones, for a model that saw neither.
    """

    mistakes = None  # what can be wrong with a model is no list of values

    def __init__(self, homework, title, *, target, digits, ease, n_latent, hints, seconds=120.0):
        super().__init__(homework, title, hints=hints)
        self.target = target
        self.digits = digits
        self.ease = ease
        self.n_latent = n_latent
        self.seconds = seconds

    def _verdict(self, answer):
        import torch

        if isinstance(answer, type):
            return self._not_yet("That is the class; give the trained model.")
        if not isinstance(answer, torch.nn.Module):
            return self._not_yet(f"The check needs the trained nn.Module; this is {short(answer)}.")
        if type(answer).__module__.startswith("vaebook"):
            return self._not_yet("That is the book's model: write a module and a loop of your own.")
        missing = [name for name in ("encode", "decode") if not hasattr(answer, name)]
        if missing:
            return self._not_yet(f"The model has no method {missing[0]}.")
        training = answer.training
        answer.eval()
        outcome = run(self._look, (answer,), self.seconds)
        answer.train(training)
        if outcome.timed_out:
            return self._not_yet(
                f"Not judged after {self.seconds:g} s: is decode a loop over images?"
            )
        if isinstance(outcome.error, NotImplementedError):
            return self._not_attempted("the line that raises NotImplementedError")
        if outcome.error is not None:
            where = own_line(outcome.error, getattr(answer, "encode", None))
            said = f"{type(outcome.error).__name__}: {outcome.error}"
            return self._not_yet(f"It stops with {said}", *where)
        return outcome.value

    def _look(self, model):
        import torch

        with torch.no_grad():
            seen = Seen(model, self.digits, self.n_latent)
            fault = seen.form() or seen.fault(self.target, self.ease)
        if fault:
            return self._not_yet(fault)
        new, training = seen.bound("new"), seen.bound("training")
        return replace(
            self._pass(),
            message=f"{new:.1f} nats on new digits, {training:.1f} on the training images.",
        )


class Seen:
    """What a model shows: the shapes of its values, and its bounds."""

    n_importance = 20

    def __init__(self, model, digits, n_latent):
        import torch

        some = next(model.parameters(), torch.zeros(()))
        self.model = model
        self.digits = {
            name: torch.as_tensor(images()).to(some.device, some.dtype)
            for name, images in digits.items()
        }
        self.n_latent = n_latent
        self._bounds = {}

    def form(self):
        """What is wrong with the form of the values, or nothing."""
        import torch

        x = self.digits["held out"][:7]
        value = self.model.encode(x)
        if not isinstance(value, (tuple, list)) or len(value) != 2:
            return "encode(x) must return two tensors, the mean and the log-variance of q."
        for name, one in zip(("mean", "log-variance"), value, strict=True):
            shape = tuple(getattr(one, "shape", ()))
            if shape != (7, self.n_latent):
                return (
                    f"encode of 7 images must give a {name} of shape (7, {self.n_latent}); yours "
                    f"has {shape}."
                )
        diverged = (
            "There is a NaN or an infinity in its values: the training has diverged. Try a "
            "smaller learning rate, and look at the loss of each batch."
        )
        if not all(torch.isfinite(one).all() for one in value):
            return diverged
        if not torch.equal(value[0], self.model.encode(x)[0]):
            return "Two calls of encode give different means: return mean and log_var, no sample."
        logits = self.model.decode(value[0])
        shape = tuple(getattr(logits, "shape", ()))
        if shape != (7, 784):
            return (
                f"decode of 7 latent points must give logits of shape (7, 784); yours has {shape}."
            )
        if not torch.isfinite(logits).all():
            return diverged
        if (logits >= 0).all() and (logits <= 1).all():
            return (
                "decode must return logits; all of yours lie between 0 and 1, as probabilities do."
            )
        return None

    def log_weights(self, images, reading=lambda log_var: log_var, decoded=lambda logits: logits):
        """Log-weights (K, B) of the images, the same noise for every model.

        `reading` and `decoded` change the second value of encode, and the value of decode.
        """
        import torch

        from vaebook.vae import objective

        x = self.digits[images]
        mean, second = self.model.encode(x)
        log_var = reading(second)
        rows = []
        for k in range(self.n_importance):
            noise = torch.randn(mean.shape, generator=torch.Generator().manual_seed(k))
            z = objective.reparameterize(mean, log_var, noise.to(mean)[None])  # (1, B, D_z)
            log_px = objective.log_bernoulli(x, decoded(self.model.decode(z[0])))[None]
            rows.append(objective.log_weights(log_px, z, mean, log_var)[0])
        return torch.stack(rows)

    def bound(self, images):
        """The mean importance-weighted bound of the images, in nats."""
        from vaebook.vae import objective

        if images not in self._bounds:
            bounds = objective.importance_bound(self.log_weights(images))
            self._bounds[images] = bounds.mean().item()
        return self._bounds[images]

    @cached_property
    def kl(self):
        """KL of q from the prior in each latent dimension, on average over the new digits."""
        from vaebook.vae import objective

        mean, log_var = self.model.encode(self.digits["new"])
        return objective.kl_standard_normal(mean[..., None], log_var[..., None]).mean(0)

    def misread(self):
        """The reading of encode's second value that gives a much better bound, or nothing."""
        import torch

        readings = {
            "the logarithm of the standard deviation: return twice that": lambda one: 2 * one,
            "the standard deviation: return the logarithm of its square": lambda one: 2 * one.log(),
            "the variance: return its logarithm": torch.log,
        }
        gains = {name: self.gain(reading) for name, reading in readings.items()}
        best = max((name for name, gain in gains.items() if gain > 3), key=gains.get, default=None)
        if best is None:
            return None
        # So read, the widths must be those that a training ends at, and no better ones be near.
        near = [self.gain(lambda one, by=by: readings[best](one) + by) for by in _FACTOR_2]
        return best if max(near) < gains[best] + 1 else None

    def gain(self, reading=lambda log_var: log_var, **changes):
        """How many nats the ELBO of the held-out digits gains by a change."""
        changed = self.log_weights("held out", reading, **changes).mean().item()
        return changed - self.log_weights("held out").mean().item()

    def fault(self, target, ease):
        """What keeps the model from the target, and what to try; nothing if it is there."""
        new, held_out, training = (self.bound(name) for name in ("new", "held out", "training"))
        if not np.isfinite([new, held_out, training]).all():
            return "The bound is not finite: is log_var very large for some images?"
        margin = _MARGIN * max(1, new / target)  # a poor model's bounds differ more
        if new > -300 and held_out - new > ease + margin:
            return (
                f"The held-out digits are {held_out - new - ease:.1f} nats easier for this model "
                "than new ones, so it has been trained on them: train on `images` alone."
            )
        if new >= target:
            return None
        score = f"The bound is {new:.1f} nats on new digits, the target {target:g}"
        if name := self.misread():
            return f"{score}. It would be better if encode's second value were {name}."
        if (kl := self.kl.sum().item()) > _MUCH_KL:
            return (
                f"{score}. The KL alone is {kl:.3g} nats, several times what such digits need: "
                "does the loss add the KL, with the weight 1?"
            )
        if self.gain(decoded=lambda logits: logits.sigmoid()) > 3:
            return (
                f"{score}. It would be better with a sigmoid of decode's logits in their place: "
                "your loss takes one sigmoid too many, as *_with_logits has its own."
            )
        if self.kl.sum() < 0.5:
            return (
                f"{score}. The posterior has collapsed, q is the prior for every image: does the "
                "gradient reach the encoder through z, and does the loss sum over the pixels?"
            )
        halved, doubled = (self.gain(lambda log_var, by=by: log_var + by) for by in _FACTOR_2)
        if halved > 1:
            return (
                f"{score}. It gains {halved:.0f} nats if every std of q is halved, so these do not "
                "fit the decoder. Is z = mean + exp(log_var / 2) * noise, with standard normal "
                "noise, and is the loss of the pixels their cross-entropy, summed?"
            )
        if new < -200:
            return (
                f"{score}, and one average image for all reaches -224: look for a bug before you "
                "train longer. Does the loss fall on one batch that you repeat? If it jumps, the "
                "learning rate is too large."
            )
        if training - new > _BY_HEART:
            return (
                f"{score}, but {training:.1f} on the training images: it knows these by heart, "
                "and more passes make that worse. Draw the pixels anew in each pass, draw more "
                "digits with draw_digits, or make the network smaller."
            )
        if doubled > 1:
            return (
                f"{score}. It gains {doubled:.0f} nats if every std of q is doubled, so the loss "
                "asks too little of q: is the KL summed over the latent dimensions, not averaged, "
                "and is its weight 1?"
            )
        active = int((self.kl > 0.1).sum())
        if active < self.n_latent / 2:
            return (
                f"{score}. Only {active} of {self.n_latent} latent dimensions are used: raise the "
                "weight of the KL slowly from 0 to 1 during the first passes."
            )
        return (
            f"{score}, and {training:.1f} on the training images: it is still learning. Plot the "
            "bound after each pass. While it rises, train longer or in larger steps; once it only "
            "jitters, let the learning rate fall towards zero; if it stands still, make the hidden "
            "layers wider."
        )


#: How much the ease of the held-out digits differs between honest models, at most.
_MARGIN = 2.0
#: What halves a standard deviation, and what doubles it, added to a log-variance.
_FACTOR_2 = -2 * np.log(2), 2 * np.log(2)
#: A KL of more nats than this buys nothing on these digits; trainings end near 20.
_MUCH_KL = 100.0
#: More than this between training images and new ones, in nats, is learned by heart.
_BY_HEART = 6.0


class Comparison(Check):
    """Two ways of training, compared on the same images and seeds, with two errors and a verdict.

    The answer is a dict: "baseline" and "variant", bounds (S, N) of the same N images, one row for
    each seed; "difference", "error_digits", "error_seeds"; and "verdict", better, worse or open.
    """

    mistakes = None

    def __init__(self, homework, title, *, n_images, hints):
        super().__init__(homework, title, hints=hints)
        self.n_images = n_images

    def _verdict(self, answer):
        names = ("baseline", "variant", "difference", "error_digits", "error_seeds", "verdict")
        if not isinstance(answer, dict):
            return self._not_yet(f"The check needs a dict; this is {short(answer)}.")
        if missing := [name for name in names if answer.get(name, ...) is ...]:
            return self._not_yet(f"There is no {missing[0]!r} in it.")
        baseline, variant = (np.asarray(plain(answer[name]), float) for name in names[:2])
        if fault := self._bounds(baseline, variant):
            return self._not_yet(fault)
        for name in names[2:5]:
            claimed = np.asarray(plain(answer[name]), float)
            if claimed.size != 1:
                return self._not_yet(f"{name} is one number; yours has the shape {claimed.shape}.")
            claimed = claimed.item()
            right, mistakes = _listed(baseline, variant)[name]
            if np.isclose(claimed, right, rtol=5e-3, atol=1e-3) or claimed == round(right, 2):
                continue
            for sentence, wrong in mistakes.items():
                if np.isclose(claimed, wrong, rtol=5e-3, atol=1e-3):
                    return self._not_yet(sentence)
            return self._not_yet(f"For these bounds {name} is {right:.3g}; yours is {claimed:.3g}.")
        return self._conclusion(answer["verdict"], baseline, variant)

    def _bounds(self, baseline, variant):
        """What is wrong with the bounds, or nothing."""
        for name, bounds in (("baseline", baseline), ("variant", variant)):
            if bounds.ndim != 2 or bounds.shape[1] != self.n_images or len(bounds) < 3:
                return (
                    f"{name} must have a row for each seed, at least three, a column for each of "
                    f"the {self.n_images} digits; its shape is {bounds.shape}."
                )
            if (bounds > 0).all():
                return f"{name} is positive, as a loss is; a bound of binary pixels is negative."
            if not np.isfinite(bounds).all() or (bounds > 0).any() or bounds.mean() < -300:
                return f"{name} has values that no bound of a trained model has, in nats an image."
            if len(np.unique(bounds.round(6), axis=0)) < len(bounds):
                return f"Two rows of {name} are the same: did each training have a seed of its own?"
        if baseline.shape != variant.shape:
            return "baseline and variant must have the same number of seeds."
        if np.allclose(baseline, variant):
            return "baseline and variant are the same: was the variant trained and evaluated?"
        together = np.corrcoef(baseline.mean(axis=0), variant.mean(axis=0))[0, 1]
        if together < 0.5:
            return (
                f"An image that is hard for one should be hard for the other; here the correlation "
                f"is {together:.2f}. Evaluate both on the same digits, in the same order."
            )
        return None

    def _conclusion(self, verdict, baseline, variant):
        listed = _listed(baseline, variant)
        difference, images, seeds = (right for right, _ in listed.values())
        limit = np.hypot(2 * images, stats.t.ppf(0.975, len(baseline) - 1) * seeds)
        right = "open" if abs(difference) <= limit else "better" if difference > 0 else "worse"
        numbers = f"{difference:+.2f} nats, and the limit is {limit:.2f}"
        verdict = verdict.strip().lower() if isinstance(verdict, str) else verdict
        if verdict == right:
            return replace(self._pass(), message=f"The difference is {numbers}: {right}.")
        if verdict not in ("better", "worse", "open"):
            return self._not_yet(f"The verdict is better, worse or open; this is {short(verdict)}.")
        return self._not_yet(f"The difference is {numbers}: that is {right}, not {verdict}.")


def _listed(baseline, variant):
    """Each number of a comparison: the right one, and what likely mistakes lead to."""
    differences = variant - baseline  # (S, N)
    of_images, of_seeds = differences.mean(axis=0), differences.mean(axis=1)

    def error(values):
        return np.std(values, ddof=1) / np.sqrt(len(values))

    both = [
        np.sqrt(sum(error(one.mean(axis=k)) ** 2 for one in (baseline, variant))) for k in (0, 1)
    ]
    sd = "That is a standard deviation; the error of a mean is smaller by the root of their number."
    unpaired = "That is the error of two separate means: take the differences first, image by image"
    return {
        "difference": (
            differences.mean(),
            {"That is baseline minus variant.": -differences.mean()},
        ),
        "error_digits": (
            error(of_images),
            {
                f"{unpaired}.": both[0],
                sd: np.std(of_images, ddof=1),
                "That is twice the error, a part of the limit; give the error itself.": (
                    2 * error(of_images)
                ),
                "The seeds are no further images: average each image over them first.": error(
                    differences.ravel()
                ),
                "That is the error over the seeds.": error(of_seeds),
            },
        ),
        "error_seeds": (
            error(of_seeds),
            {
                "With few seeds the standard deviation needs ddof=1.": np.std(of_seeds)
                / np.sqrt(len(of_seeds)),
                sd: np.std(of_seeds, ddof=1),
                "That is t times the error, a part of the limit; give the error itself.": (
                    stats.t.ppf(0.975, len(of_seeds) - 1) * error(of_seeds)
                ),
                f"{unpaired}, and average them over the digits of each seed.": both[1],
                "That is the error over the digits.": error(of_images),
            },
        ),
    }
