"""The trainings of the chapter "what-goes-wrong": a sound VAE, broken ones, and their cures."""

import functools
import json
from typing import Any, NamedTuple

from numpy.typing import NDArray

from vaebook.results import read_arrays

NAMES = ("healthy", "A", "B", "C", "D", "E", "E, as if 64 x 64 x 3", "E, cured", "F",
         "F, thresholded", "G", "G, cured", "H", "H, cured")  # fmt: skip

#: From which variance of its mean over the data a latent dimension counts as active (Burda et al.,
#: 2016).
ACTIVE = 0.01


class Failure(NamedTuple):
    r"""What was seen of one training; numbers per image, in nats where they have a unit.

    ``printed`` (T, 2): what the program printed after each epoch, the reconstruction and the price
    that it subtracted. ``honest`` (T, 2): the reconstruction term and the KL divergence of the same
    networks by ``vaebook.vae`` on test images. ``samples`` (20, 6, 28, 28): bytes of 16 levels, at
    every twentieth of the training and from the same noise. ``originals`` and ``reconstructions``
    (n, 28, 28): bytes. ``kl`` and ``std`` (20,): means over test images for each latent dimension;
    ``mean_variance`` (20,): the variance over test images of the mean of q, which
    :attr:`active` compares with :data:`ACTIVE`. ``numbers``: the last test in plain numbers.
    """

    printed: NDArray
    honest: NDArray
    samples: NDArray
    originals: NDArray
    reconstructions: NDArray
    kl: NDArray
    std: NDArray
    mean_variance: NDArray
    numbers: dict

    @property
    def active(self) -> NDArray:
        """Which latent dimensions are active, (20,), for their mean varies with the image."""
        return self.mean_variance > ACTIVE


@functools.cache
def load() -> dict[str, Any]:
    """Return the recorded trainings by name, and under "about" how the record was made.

    Source: chapter "what-goes-wrong"; ``make record-failures`` writes them.
    """
    record = read_arrays("failures.npz")
    found = {"about": record["about"]}
    for name in NAMES:
        values = {field: record[f"{name}/{field}"] for field in Failure._fields}
        found[name] = Failure(**values | {"numbers": json.loads(str(values["numbers"]))})
    return found
