"""The trainings of the epilogue "where-vaes-went": codes of drawn digits, and priors on them."""

import functools
from typing import NamedTuple

import numpy as np

from vaebook.perceptron import Perceptron
from vaebook.results import read_arrays

SEEDS = (1, 2, 3)
PRIORS = ("plain VAE", "normal", "mixture", "couplings", "flow matching")
ENDS = ("held-out images", "the same, blurred", "their mean", "reconstructions", "pixel noise")
BLUR = 1.0  # pixels: the standard deviation of the filter that blurs held-out images
STEPS = (1, 2, 4, 8, 16, 32, 64)  # of Euler
GRIDS = (0.125, 0.25, 0.5, 1.0)  # to which codes are rounded, in standard deviations
K = 3  # of the neighbours that decide on precision and recall


class Plane(NamedTuple):
    """An autoencoder with two latent dimensions, and a flow of its scaled codes.

    ``decoder`` gives the pixels (784,) at a scaled place z (2,) divided by ``scale``;
    ``velocity`` (2,) at (z, t). ``codes`` (200, 2), of 20 held-out images of each digit in turn,
    are scaled; ``labels`` (200,) are their digits. ``mean`` (2,) is that of all scaled codes.
    """

    decoder: Perceptron
    velocity: Perceptron
    scale: float
    codes: np.ndarray
    labels: np.ndarray
    mean: np.ndarray
    loss: float


class EpilogueRecord(NamedTuple):
    """What was seen of three seeds, S, with 16 latent dimensions, and the models of the plane.

    Axis 0 is the seed. The last axis of ``quality`` (S, 5, 4), whose rows are ``PRIORS``, of
    ``ends`` (S, 5, 4), rows ``ENDS``, and of ``by_steps`` (S, T, 4), rows ``STEPS``, holds
    precision, recall, the share legible and the fine detail of 3,000 images against 3,000 test
    images, whose own detail is 1.
    ``seconds`` (S, T) are processor seconds for 1,000 samples of the flow.

    ``scale`` (S,) is one over the standard deviation of all codes. ``noise_std`` (S, 2), the mean
    standard deviation of q(z | x), and ``rms_error`` (S, 2), that of reconstructions, are of the
    first stage and of the plain VAE; all codes of the latter deviate by ``plain_std`` (S,), its
    noise is ``plain_noise`` (S,). ``loss`` (S,) is the flow's on its data; ``rounding`` (S, 4, 2)
    error and entropy (nats) of codes rounded to ``GRIDS``.

    Of the first seed, as bytes: ``samples`` (5, 16, 28, 28), ``pairs`` (3, 8, 28, 28), images and
    the reconstructions of both models, and ``shown`` (T, 8, 28, 28), samples of the flow from one
    noise.
    """

    quality: np.ndarray
    ends: np.ndarray
    by_steps: np.ndarray
    seconds: np.ndarray
    scale: np.ndarray
    noise_std: np.ndarray
    plain_std: np.ndarray
    rms_error: np.ndarray
    plain_noise: np.ndarray
    loss: np.ndarray
    rounding: np.ndarray
    samples: np.ndarray
    pairs: np.ndarray
    shown: np.ndarray
    plane: Plane
    about: dict


@functools.cache
def load() -> EpilogueRecord:
    """Return the recorded models; ``make record-epilogue`` writes them.

    Source: chapter "where-vaes-went".
    """
    record = read_arrays("epilogue.npz")
    decoder = Perceptron(*(record.pop(name) for name in ("widths", "numbers", "units")))
    velocity = Perceptron(record["about"]["plane"]["velocity"], record.pop("velocity"))
    own = {name: record.pop(name) for name in ("codes", "labels")}
    own |= {name: float(record.pop(f"plane_{name}")) for name in ("scale", "loss")}
    plane = Plane(decoder, velocity, mean=record.pop("plane_mean"), **own)
    return EpilogueRecord(plane=plane, **record)
