"""Explorer ``evidence-budget``: what an image costs in nats, for recorded trainings on MNIST."""

import functools
import json
from dataclasses import dataclass
from importlib import resources
from typing import NamedTuple

import numpy as np


class Curve(NamedTuple):
    """A training: one number an epoch, (T,), in nats as the mean over images.

    ``elbo``, ``reconstruction`` and ``kl`` are over the training images as they were met;
    ``validation_elbo`` is at the epoch's end. Of a long training about a hundred epochs are kept.
    """

    epoch: np.ndarray
    seconds: np.ndarray
    elbo: np.ndarray
    reconstruction: np.ndarray
    kl: np.ndarray
    validation_elbo: np.ndarray


class TestNumbers(NamedTuple):
    """Means over all test images, in nats; ``nll`` is -log p(x) from ``importance`` samples.

    ``elbo = reconstruction - kl``; ``nll_se`` is the standard error over images.
    """

    nll: float
    nll_se: float
    elbo: float
    reconstruction: float
    kl: float
    images: int
    importance: int


class ImportanceCurve(NamedTuple):
    """The importance-weighted bound for several numbers of samples, (M,), in nats.

    ``bound`` is the mean over ``images`` test images, drawn once at random, the same for every
    run; ``se`` is its standard error. ``rise`` is bound minus ELBO and ``rise_se`` its standard
    error, which is much smaller: an easy image is easy for every number of samples.
    An image has ``draws`` samples for every number: one group of 5,000, or 5,000 groups of one.
    ``kl`` is the ELBO's KL term over the same images.
    """

    samples: np.ndarray
    bound: np.ndarray
    se: np.ndarray
    rise: np.ndarray
    rise_se: np.ndarray
    kl: float
    images: int
    draws: int


@dataclass(frozen=True)
class RecordedRun:
    """A training on MNIST that was run and evaluated once, with what it takes to repeat it.

    ``binarisation`` is "dynamic" or "fixed"; ``n_importance`` above 1 means that the
    importance-weighted bound of that many samples was climbed in place of the ELBO. ``seconds``
    are those of the training, by the clock.
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
    test: TestNumbers
    importance: ImportanceCurve


@functools.cache
def recorded_runs():
    """Return the recorded trainings as a list of ``RecordedRun``; ``make record-runs`` writes them.

    They come in the order of their length, then of their seed.
    """
    path = resources.files("vaebook") / "results" / "mnist-runs.json"
    return [_from_json(record) for record in json.loads(path.read_text("utf-8"))]


def _from_json(record):
    """Turn one record of the file into a run whose arrays cannot be changed."""

    def arrays(values):
        found = {}
        for key, value in values.items():
            found[key] = np.array(value) if isinstance(value, list) else value
            if isinstance(value, list):
                found[key].flags.writeable = False
        return found

    return RecordedRun(
        **record
        | {
            "hidden": tuple(record["hidden"]),
            "curve": Curve(**arrays(record["curve"])),
            "test": TestNumbers(**record["test"]),
            "importance": ImportanceCurve(**arrays(record["importance"])),
        }
    )
