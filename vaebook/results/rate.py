"""The trainings of the chapter "rate-and-distortion": VAEs of drawn digits at many betas."""

import functools
from typing import Any, NamedTuple

from numpy.typing import NDArray

from vaebook.results import read_arrays

BETAS = (0.01, 0.1, 0.3, 1.0, 2.0, 4.0, 8.0, 32.0)
SEEDS = (1, 2, 3)
WIDTHS = (1.0, 1.5, 2.0, 3.0)  # of the proposal, in widths of q
FACTORS = ("digit", "font", "slant", "thickness", "shift right", "shift up", "width", "height")
NAMES = (
    *(f"beta {beta:g}" for beta in BETAS),
    *("beta 1, warm-up", "beta 1, free bits", "beta 8, warm-up", "beta 8, free bits"),
    *("beta 24", "noise 1", "noise 0.1", "noise learned", "50 dimensions"),
)


class Trained(NamedTuple):
    r"""What was seen of one configuration on test images; axis 0 is the seed, numbers in nats.

    ``rate`` (S,) is the mean KL divergence from q(z | x) to the prior, ``distortion`` (S,) the mean
    of :math:`-\log p(x \mid z)`, so that the ELBO is ``-rate - distortion``; ``log_px_by_width``
    (S, W) is the mean log-likelihood of 500 of the images by 500 importance samples each, with a
    proposal ``WIDTHS`` times as wide as q, and ``log_px`` (S,) the largest of them: all are lower
    bounds. ``kl`` (S, K) is the rate of each latent dimension, ``active`` (S,) how many have means
    of variance above 0.01.
    ``information`` (S, F, K) and ``gap`` (S, F) are those of ``mutual_information_gap`` with the
    factors ``FACTORS``, for samples of q.

    ``detail`` (S, 2, 2) is ``fine_detail`` of reconstructions, which decode the aggregated
    posterior, and of samples from the prior (axis 1), as means of p(x | z) and as samples of it
    (axis 2); ``legible`` (S, 2) the share of these means that a classifier calls one digit with
    probability 0.9, ``told_apart`` (S, 2) the share of held-out places z, and of held-out means,
    that a network assigns to prior or aggregated posterior correctly: 0.5 where they are alike.
    ``noise_std`` (S,) is the standard deviation of a Gaussian p(x | z), 0 for a Bernoulli one, and
    ``rms_error`` (S,) the root mean square of x less its reconstruction's mean.

    Of the first seed, as bytes: ``reconstructions`` and ``samples`` (n, 28, 28), means of p(x | z),
    ``noisy`` (2, n, 28, 28), a sample of it for each of them; ``traversed`` (m,), the dimensions of
    largest rate, and ``traversal`` (m, stops, 28, 28), the first image when they go from -2 to 2.
    """

    rate: NDArray
    distortion: NDArray
    log_px_by_width: NDArray
    kl: NDArray
    active: NDArray
    information: NDArray
    gap: NDArray
    detail: NDArray
    legible: NDArray
    told_apart: NDArray
    noise_std: NDArray
    rms_error: NDArray
    reconstructions: NDArray
    samples: NDArray
    noisy: NDArray
    traversed: NDArray
    traversal: NDArray

    @property
    def log_px(self) -> NDArray:
        """The largest estimate of the mean log-likelihood, (S,)."""
        return self.log_px_by_width.max(-1)


class RateRecord(NamedTuple):
    """The runs by name, the test images shown with them (n, 28, 28), and how it was made."""

    runs: dict[str, Trained]
    originals: NDArray
    about: dict[str, Any]

    def curve(self) -> list[Trained]:
        """Return the runs of the curve, in the order of ``BETAS``."""
        return [self.runs[f"beta {beta:g}"] for beta in BETAS]


@functools.cache
def load() -> RateRecord:
    """Return the recorded runs; ``make record-rate`` writes them.

    Source: chapter "rate-and-distortion".
    """
    record = read_arrays("rate.npz")
    fields = Trained._fields
    runs = {name: Trained(*(record[f"{name}/{field}"] for field in fields)) for name in NAMES}
    return RateRecord(runs, record["originals"], record["about"])
