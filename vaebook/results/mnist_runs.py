"""The trainings on MNIST of the chapter "training-a-vae", and what they reached."""

import functools
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaebook.results import read_only

#: Numbers of samples for which the importance-weighted bound was estimated.
SAMPLES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
N_IMAGES = 1_000  # test images of these estimates
N_IMPORTANCE = 1_000  # samples for -log p(x) of all test images


class Curve(NamedTuple):
    """A training: one number an epoch, (T,), in nats as the mean over images.

    ``elbo``, ``reconstruction`` and ``kl`` are over the training images as they were met;
    ``validation_elbo`` is at the epoch's end. Of a long training about sixty epochs are kept.
    """

    epoch: NDArray
    seconds: NDArray
    elbo: NDArray
    reconstruction: NDArray
    kl: NDArray
    validation_elbo: NDArray


class Evaluation(NamedTuple):
    """Means over images, in nats: ``nll`` is -log p(x), ``nll_se`` its standard error.

    ``elbo = reconstruction - kl``; ``images`` and ``importance`` count images and samples,
    ``n_features`` the numbers of an image; ``precision`` is that of the matrix products.
    """

    nll: float
    nll_se: float
    elbo: float
    reconstruction: float
    kl: float
    images: int
    importance: int
    n_features: int = 784
    precision: str = "float32"

    @property
    def bits_per_dimension(self) -> float:
        """-log p(x) in bits for each number of an image, so that all sizes can be compared."""
        return self.nll / (self.n_features * math.log(2))


class ImportanceCurve(NamedTuple):
    """The importance-weighted bound for several numbers of samples, (M,), in nats.

    ``bound`` is the mean over ``images`` test images, drawn once at random, the same for every
    run; ``se`` is its standard error. ``rise`` is bound minus ELBO and ``rise_se`` its standard
    error, which is much smaller: an easy image is easy for every number of samples.
    An image has ``draws`` samples for every number: one group of 5,000, or 5,000 groups of one.
    ``kl`` is the ELBO's KL term over the same images.
    """

    samples: NDArray
    bound: NDArray
    se: NDArray
    rise: NDArray
    rise_se: NDArray
    kl: float
    images: int
    draws: int


class Pictures(NamedTuple):
    """What a run makes of images and of noise: bytes (n, 784), 0 to 255.

    ``reconstructions`` decode the posterior means of the test images ``originals``, ``samples``
    draws of the prior, and ``aggregate`` draws of q(z | x) for other test images, which together
    are draws of the aggregated posterior. ``interpolation`` goes from the first image's code to the
    second's. Of each latent dimension, ``kl_per_dimension`` is the KL in nats (empty for a learned
    prior, whose KL is no sum over dimensions).
    ``legible`` are two shares, of decoded draws of the aggregated posterior and of the prior: those
    to which a classifier of MNIST's digits gives a class with a probability above 0.9.
    """

    originals: NDArray
    reconstructions: NDArray
    samples: NDArray
    aggregate: NDArray
    interpolation: NDArray
    kl_per_dimension: NDArray
    legible: NDArray


class Spread(NamedTuple):
    """Of trainings that differ in their seed: the mean -log p(x) in nats, and two errors of it.

    ``over_seeds`` is the standard deviation between the trainings, ``over_images`` the standard
    error that the test images leave, which all of them share.
    """

    nll: float
    over_seeds: float
    over_images: float


@dataclass(frozen=True)
class RecordedRun:
    """A training on MNIST that was run and evaluated once, with what it takes to repeat it.

    ``binarisation`` is "dynamic" or "fixed"; ``n_importance`` above 1 means that the
    importance-weighted bound of that many samples was climbed in place of the ELBO. ``seconds``
    are those of the training, by the clock, ``steps`` its updates. ``architecture`` and ``prior``
    are as in ``vaebook.vae.Config``.
    """

    name: str
    command: str
    seed: int
    device: str
    threads: int
    torch: str
    commit: str
    date: str
    seconds: float
    precision: str
    epochs: int
    parameters: int
    n_latent: int
    hidden: tuple[int, ...]
    binarisation: str
    n_importance: int
    curve: Curve
    test: Evaluation
    importance: ImportanceCurve
    architecture: str = "perceptron"
    prior: str = "normal"
    steps: int | None = None

    @property
    def label(self) -> str:
        """A few words that tell the run from the others."""
        kind = self.name.split("-")[0]
        kind = "" if kind == "mnist" else f" {kind},"
        seconds, on = self.seconds, "CPU" if "cores" in self.device else "GPU"
        time = f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
        bound = f" K = {self.n_importance}," if self.n_importance > 1 else ""
        return f"{time}, {on},{kind}{bound} seed {self.seed}"


@functools.cache
def load() -> list[RecordedRun]:
    """Return the recorded trainings as a list of ``RecordedRun``; ``make record-runs`` writes them.

    They come in the order of their length, then of their seed.
    """
    text = (resources.files("vaebook.results") / "mnist-runs.json").read_text("utf-8")
    return [from_json(record) for record in json.loads(text)]


def spread(runs: Sequence[RecordedRun]) -> Spread:
    """Return the ``Spread`` of two or more trainings of one kind."""
    nll = np.array([run.test.nll for run in runs])
    over_images = np.mean([run.test.nll_se for run in runs])
    return Spread(float(nll.mean()), float(nll.std(ddof=1)), float(over_images))


def load_pictures(name: str, path: Traversable | None = None) -> Pictures:
    """Return the ``Pictures`` of a recorded run; ``path`` is the package's file unless given."""
    path = path or resources.files("vaebook.results") / "mnist-pictures.npz"
    with path.open("rb") as file, np.load(file) as arrays:
        return Pictures(*(arrays[f"{name}/{key}"] for key in Pictures._fields))


def from_json(record: dict[str, Any]) -> RecordedRun:
    """Turn one record of the file into a run whose arrays cannot be changed."""
    parts: dict[str, Any] = {
        "hidden": tuple(record["hidden"]),
        "curve": Curve(**_arrays(record["curve"])),
        "test": Evaluation(**record["test"]),
        "importance": ImportanceCurve(**_arrays(record["importance"])),
    }
    return RecordedRun(**record | parts)


def _arrays(values: dict[str, Any]) -> dict[str, Any]:
    """Turn lists into read-only arrays."""
    return {key: read_only(np.array(v)) if isinstance(v, list) else v for key, v in values.items()}
