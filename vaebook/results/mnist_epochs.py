"""A training on MNIST with pictures of what it makes after some of its epochs."""

import functools
from typing import NamedTuple

from numpy.typing import NDArray

from vaebook.results import read_arrays
from vaebook.results.mnist_runs import RecordedRun, from_json

N_PAIRS, N_SAMPLES = 4, 8  # images with their reconstructions, and samples
LEVELS = 16  # of a pixel


class PicturedRun(NamedTuple):
    """A recorded training and its pictures: bytes of 16 levels, (n, 784) for each kept epoch.

    After the epochs ``epochs`` (E,), ``reconstructions`` (E, 4, 784) decode the means of q for the
    binary test images ``originals`` (4, 784), and ``samples`` (E, 8, 784) the same draws of the
    prior.
    """

    run: RecordedRun
    epochs: NDArray
    originals: NDArray
    reconstructions: NDArray
    samples: NDArray


@functools.cache
def load() -> PicturedRun:
    """Return the recorded training; ``make record-epochs`` writes it."""
    record = read_arrays("mnist-epochs.npz")
    return PicturedRun(from_json(record.pop("about")), **record)
