"""The settings of a run: the model, its objective and its training; and presets of them."""

import dataclasses
import math
import numbers
from dataclasses import dataclass, replace

from vaebook.arguments import require_count

CHOICES = {
    "architecture": ("perceptron", "residual", "convolutional"),
    "activation": ("relu", "silu", "tanh"),
    "prior": ("normal", "flow"),
    "likelihood": ("bernoulli", "gaussian"),
    "gradient": ("total", "path"),
    "precision": ("float32", "bfloat16", "auto"),
    "binarisation": ("dynamic", "fixed"),
}


@dataclass(frozen=True)
class Config:
    """Everything that a run depends on; NumPy's numbers and strings become Python's.

    Model: ``architecture`` is "perceptron" or "residual" (``vae.perceptrons``), where ``hidden``
    gives the widths and ``()`` makes both networks linear, or "convolutional"
    (``vae.convolutional``), where it gives the channels. ``prior`` is "normal", N[0, I], or "flow",
    learned (``vae.priors``). ``likelihood`` is "bernoulli" for binary pixels or "gaussian" for real
    numbers, with the standard deviation ``noise_std``; ``learn_noise`` learns it from there.
    Objective: ``n_samples`` averages the ELBO over samples; ``n_importance`` above 1 takes the
    importance-weighted bound of that many samples in its place. ``gradient`` is "total", or
    "path": through the samples alone, which is less noisy (``vae.objective.path_gradient``; with
    ``n_importance`` above 1 ``vae.objective.doubly_reparameterized``).
    ``beta`` weighs the KL in what training climbs, after a straight rise from 0 over
    ``kl_warmup_steps``; ``free_bits`` is the nats that each latent dimension may cost for nothing
    (``vae.objective.weighted_elbo``). Bounds are reported without these three.
    Training: see ``vaebook.vae.training``.
    """

    n_features: int = 784
    n_latent: int = 50
    hidden: tuple[int, ...] = (500, 500)
    architecture: str = "perceptron"
    activation: str = "silu"
    prior: str = "normal"
    likelihood: str = "bernoulli"
    noise_std: float = 1.0
    learn_noise: bool = False
    n_samples: int = 1
    n_importance: int = 1
    gradient: str = "total"
    beta: float = 1.0
    free_bits: float = 0.0
    kl_warmup_steps: int = 0
    batch_size: int = 250
    learning_rate: float = 2e-3
    adam_beta2: float = 0.999
    adam_epsilon: float = 1e-8
    max_gradient_norm: float | None = None
    warmup_steps: int = 200
    epochs: int = 30
    seed: int = 1
    precision: str = "float32"
    max_seconds: float | None = None
    binarisation: str = "dynamic"

    def __post_init__(self):
        for name in ["n_features", "n_latent", "n_samples", "n_importance", "batch_size", "epochs"]:
            self._set(name, require_count(name, getattr(self, name), at_least=1))
        for name in ["warmup_steps", "kl_warmup_steps", "seed"]:
            self._set(name, require_count(name, getattr(self, name), at_least=0))
        self._require(self.seed < 2**63, "seed", "a whole number below 2**63")
        try:
            self._set("hidden", tuple(require_count("", n, at_least=1) for n in self.hidden))
        except (TypeError, ValueError):
            self._require(False, "hidden", "a sequence of widths, as (500, 500) or (400,)")
        for name in ["learning_rate", "adam_epsilon", "noise_std", "adam_beta2"]:
            self._set_positive(name, "a positive number")
        for name in ["beta", "free_bits"]:
            self._set_positive(name, "a number of at least 0", or_zero=True)
        self._require(self.adam_beta2 < 1, "adam_beta2", "a number above 0 and below 1")
        for name in ["max_seconds", "max_gradient_norm"]:
            if getattr(self, name) is not None:
                self._set_positive(name, "a positive number, or None")
        for name, choices in CHOICES.items():
            value = getattr(self, name)
            known = isinstance(value, str) and value in choices
            self._require(known, name, "one of " + ", ".join(choices))
            self._set(name, str(value))
        self._require(self.learn_noise in (True, False), "learn_noise", "True or False")
        self._set("learn_noise", bool(self.learn_noise))
        pointless = self.learn_noise and self.likelihood == "bernoulli"
        self._require(not pointless, "learn_noise", "False for a Bernoulli likelihood")
        narrow = self.prior == "flow" and self.n_latent < 2
        self._require(not narrow, "n_latent", "2 or more for a flow, which moves half of them")
        self._check_architecture()
        both = self.n_samples > 1 and self.n_importance > 1
        self._require(not both, "n_samples", "1 where n_importance is above 1")
        plain = self.n_importance == 1 and self.gradient == "total"
        for name, unused in [("beta", 1.0), ("free_bits", 0.0), ("kl_warmup_steps", 0)]:
            expected = f'{unused:g} where n_importance is above 1 or gradient is "path"'
            self._require(plain or getattr(self, name) == unused, name, expected)
        split = self.prior == "normal" or self.free_bits == 0
        self._require(split, "free_bits", '0 where prior is "flow": its KL is no sum over k')

    def _check_architecture(self) -> None:
        """Refuse a ``hidden`` that the architecture cannot have."""
        if self.architecture == "residual":
            self._require(len(set(self.hidden)) == 1, "hidden", "one width, as (500, 500)")
        if self.architecture == "convolutional":
            self._require(len(self.hidden) > 0, "hidden", "numbers of channels, as (32, 64)")
            side, times = math.isqrt(self.n_features), len(self.hidden)
            fits = side**2 == self.n_features and side % 2**times == 0
            self._require(fits, "n_features", f"a square whose side can be halved {times} times")

    @property
    def n_draws(self) -> int:
        """Samples of z that one image takes in training."""
        return max(self.n_samples, self.n_importance)

    def to_dict(self) -> dict:
        """Return plain values that JSON and a checkpoint can hold."""
        return {**dataclasses.asdict(self), "hidden": list(self.hidden)}

    @classmethod
    def from_dict(cls, values: dict) -> "Config":
        """Make a configuration from ``to_dict``'s values; fields left out take their default."""
        unknown = sorted(set(values) - {field.name for field in dataclasses.fields(cls)})
        if unknown:
            raise ValueError(f"Config has no {', '.join(unknown)}; remove or rename them.")
        return cls(**values)

    def _set(self, name: str, value) -> None:
        object.__setattr__(self, name, value)

    def _set_positive(self, name: str, expected: str, or_zero: bool = False) -> None:
        value = getattr(self, name)
        is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
        large = is_number and (value > 0 or (or_zero and value == 0))
        self._require(large and value < math.inf, name, expected)
        self._set(name, float(value))

    def _require(self, holds: bool, name: str, expected: str) -> None:
        if not holds:
            raise ValueError(f"{name} is {getattr(self, name)!r}, expected {expected}.")


_MNIST = Config(
    gradient="path",
    learning_rate=3e-3,
    adam_beta2=0.99,
    adam_epsilon=1e-4,
    max_gradient_norm=100.0,
    precision="auto",
)
PRESETS = {
    "book": Config(n_latent=20, hidden=(200,), epochs=5, learning_rate=4e-3),
    "mnist-cpu": replace(_MNIST, batch_size=500, learning_rate=6e-3, epochs=100),
    "mnist-gpu": replace(_MNIST, epochs=1000, batch_size=500),
    "static": replace(_MNIST, epochs=60, binarisation="fixed"),
}
