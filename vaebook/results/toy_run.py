"""The training of the chapter "variational-autoencoder": a VAE of points in the plane."""

import functools
from typing import NamedTuple

import numpy as np

from vaebook.approximation import AmortisedGaussian
from vaebook.latent import BOOK_NOISE_STD, NonlinearModel, TanhDecoder
from vaebook.results import read_arrays

N_ENCODER, N_DECODER = 24, 12  # hidden units


class ToyRun(NamedTuple):
    r"""The recorded training, one row for the start and one for every tenth epoch.

    ``epochs`` (T,), the encoder's parameters ``theta`` (T, 122), the decoder's ``phi`` (T, 50),
    and averages over the ``data`` (B, 2), by quadrature: ``bound`` (T,) and ``log_px`` (T,), in
    nats. ``about`` says how the run was made.
    """

    epochs: np.ndarray
    theta: np.ndarray
    phi: np.ndarray
    bound: np.ndarray
    log_px: np.ndarray
    data: np.ndarray
    about: dict


@functools.cache
def load():
    """Return the recorded training; ``make record-toy`` writes it."""
    return ToyRun(**read_arrays("toy-vae.npz"))


def as_numpy(theta, phi):
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
    a, b, v, c = _layers(theta, 2, N_ENCODER, 2)
    half = np.array([1.0, 0.5])  # the class wants log std, and log std is half of log variance
    encoder = AmortisedGaussian(a, b, v.T * half, c * half)
    a, b, v, c = _layers(phi, 1, N_DECODER, 2)
    return encoder, NonlinearModel(TanhDecoder(a[:, 0], b, v.T, c), BOOK_NOISE_STD)


def _layers(parameters, n_in, n_hidden, n_out):
    """Cut a vector into the weights and biases of two layers, weights as (out, in)."""
    sizes = [n_hidden * n_in, n_hidden, n_out * n_hidden, n_out]
    parameters = np.asarray(parameters, float)
    if parameters.shape != (sum(sizes),):
        raise ValueError(
            f"The parameters have shape {parameters.shape}, expected ({sum(sizes)},): "
            "all of one network, layer after layer."
        )
    a, b, v, c = np.split(parameters, np.cumsum(sizes)[:-1])
    return a.reshape(n_hidden, n_in), b, v.reshape(n_out, n_hidden), c
