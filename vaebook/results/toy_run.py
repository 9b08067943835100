"""The training of the chapter "variational-autoencoder": a VAE of points in the plane."""

import functools
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vaebook.approximation import AmortisedGaussian
from vaebook.latent import BOOK_NOISE_STD, NonlinearModel, TanhDecoder
from vaebook.perceptron import Perceptron
from vaebook.results import read_arrays

ENCODER, DECODER = (2, 24, 2), (1, 12, 2)  # widths of the networks


class ToyRun(NamedTuple):
    r"""The recorded training, one row for the start and one for every tenth epoch.

    ``epochs`` (T,), the encoder's parameters ``theta`` (T, 122), the decoder's ``phi`` (T, 50),
    and averages over the ``data`` (B, 2), by quadrature: ``bound`` (T,) and ``log_px`` (T,), in
    nats. ``about`` says how the run was made.
    """

    epochs: NDArray
    theta: NDArray
    phi: NDArray
    bound: NDArray
    log_px: NDArray
    data: NDArray
    about: dict


@functools.cache
def load() -> ToyRun:
    """Return the recorded training; ``make record-toy`` writes it."""
    return ToyRun(**read_arrays("toy-vae.npz"))


def as_numpy(theta: ArrayLike, phi: ArrayLike) -> tuple[AmortisedGaussian, NonlinearModel]:
    r"""The chapter's two networks as functions of NumPy arrays.

    Parameters
    ----------
    theta : array_like, (122,)
        Parameters of the encoder, layer after layer: weights, biases, weights, biases. Its last
        two numbers are :math:`\mu` and :math:`\log s^2`.
    phi : array_like, (50,)
        Parameters of the decoder, in the same order.

    Returns
    -------
    encoder : AmortisedGaussian
    model : NonlinearModel
        The decoder with the book's noise.

    Source: chapter "variational-autoencoder", eq-vae-encoder and eq-vae-decoder.
    """
    hidden, (weights, biases) = Perceptron(ENCODER, theta).layers
    half = np.array([1.0, 0.5])  # the class wants log std, and log std is half of log variance
    encoder = AmortisedGaussian.from_layers(hidden, (weights * half[:, None], biases * half))
    return encoder, NonlinearModel(TanhDecoder(DECODER, phi), BOOK_NOISE_STD)
