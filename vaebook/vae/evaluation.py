r"""The log-likelihood of images under a trained model, by importance sampling; in nats.

.. math:: \log p(x) \approx \log \frac1K \sum_{k=1}^K w_k, \qquad
          w_k = \frac{p(x \mid z_k)\, p(z_k)}{q(z_k \mid x)}, \quad z_k \sim q(z \mid x)

For any K it lies below log p(x) on average, as the ELBO does, and it rises to it with K.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor
from tqdm import tqdm

from vaebook.arguments import require_count
from vaebook.results.mnist_runs import Evaluation
from vaebook.vae import objective
from vaebook.vae.machine import settled_precision
from vaebook.vae.networks import VAE

__all__ = ["Evaluation", "LogLikelihood", "evaluate", "held_out_pixels", "log_likelihood"]

# Every model is compared on the same images with the same pixels.
_ORDER_SEED, _PIXEL_SEED = 17_01, 17_02
_IMAGE_BLOCK = 100
_AGREES = 0.02  # nats: a tenth of the standard error of 10,000 images
_ROWS = {"cpu": 1000, "cuda": 200_000}  # decoded at a time: fits the cache, or fills the device


class LogLikelihood(NamedTuple):
    r"""Estimates for each image, (B,): log p(x) in nats, and :math:`(\sum w)^2 / \sum w^2`.

    ``effective_samples`` runs from 1, where one sample carries all the weight and log p(x) is
    still too low, to the number of samples, where q is the posterior.
    """

    log_px: Tensor
    effective_samples: Tensor


@torch.no_grad()  # in inference mode autocast would convert the weights for every piece anew
def log_likelihood(
    model: VAE,
    x: Tensor,
    n_importance: int,
    *,
    generator: torch.Generator,
    precision: str = "float32",
    rows: int | None = None,
    progress: bool = False,
) -> LogLikelihood:
    """Estimate log p(x) of each image from ``n_importance`` samples of q, in bounded memory.

    Parameters
    ----------
    model : VAE
    x : (B, D)
        Pixels 0 or 1; real numbers for a Gaussian likelihood.
    n_importance : int
        Samples of z an image; 1,000 is usual.
    generator : torch.Generator, on the model's device
    precision : "float32" or "bfloat16"
        Of the matrix products; float32 stands for the model's own precision.
    rows : int, optional
        Decoded at a time, which bounds the memory. The same generator and rows give the same
        numbers.
    progress : bool
        Show a progress bar with the time left.

    Returns
    -------
    LogLikelihood of (B,), float64.

    Raises
    ------
    ValueError
        If the data are wrong (see ``VAE.elbo``), or an estimate is not finite.

    Source: chapter "variational-autoencoder"; Burda, Grosse and Salakhutdinov (2016), section 5.
    """
    if precision not in ("float32", "bfloat16"):
        raise ValueError(f"precision is {precision!r}, expected 'float32' or 'bfloat16'.")
    n_importance = require_count("n_importance", n_importance, at_least=1)
    x = model.check_data(x)
    if not len(x):
        raise ValueError(f"x has shape {tuple(x.shape)}, expected at least one image; add some.")
    rows = rows or _ROWS.get(x.device.type, _ROWS["cpu"])
    blocks = tqdm(x.split(_IMAGE_BLOCK), "evaluate", unit="block", disable=not progress)
    with torch.autocast(x.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
        parts = [_log_likelihood_of_block(model, b, n_importance, generator, rows) for b in blocks]
    result = LogLikelihood(*(torch.cat(field) for field in zip(*parts, strict=True)))
    if not torch.isfinite(result.log_px).all():
        first = int((~torch.isfinite(result.log_px)).nonzero()[0])
        raise ValueError(
            f"log p(x) of image {first} is {result.log_px[first].item()}; the model's weights "
            "are not usable: evaluate an earlier checkpoint."
        )
    return result


def _log_likelihood_of_block(
    model: VAE, x: Tensor, n_importance: int, generator: torch.Generator, rows: int
) -> LogLikelihood:
    """Add up the weights of a few images and their squares, in logarithms, piece by piece."""
    mean, log_var = model.encoder(x)
    n_piece = max(1, rows // len(x))
    log_sum = x.new_full((len(x),), -math.inf, dtype=torch.float64)
    log_sum_of_squares = log_sum
    for done in range(0, n_importance, n_piece):
        n_draws = min(n_piece, n_importance - done)
        eps = model.draw_noise(n_draws, len(x), generator=generator)
        z = objective.reparameterize(mean, log_var, eps)  # (S, B, D_z)
        log_px_given_z = model.log_px_given_z(x, z)
        log_pz = model.prior.log_prob(z)
        log_w = objective.log_weights(log_px_given_z, z, mean, log_var, log_pz).double()  # (S, B)
        log_sum = torch.logaddexp(log_sum, log_w.logsumexp(0))
        log_sum_of_squares = torch.logaddexp(log_sum_of_squares, (2 * log_w).logsumexp(0))
    effective_samples = torch.exp(2 * log_sum - log_sum_of_squares)
    return LogLikelihood(log_sum - math.log(n_importance), effective_samples)


@torch.no_grad()
def evaluate(
    model: VAE,
    images: Tensor,
    *,
    n_importance: int,
    generator: torch.Generator,
    n_images: int | None = None,
    precision: str = "float32",
    progress: bool = False,
) -> Evaluation:
    """Evaluate a model on the first ``n_images`` test images of a fixed random order.

    Parameters
    ----------
    model : VAE
    images : uint8, (N, H, W) or (N, D)
        The whole test set, grey values 0 to 255; binarised once, always the same way.
    n_importance, generator, progress : as in ``log_likelihood``
    precision : "float32", "bfloat16" or "auto"
        As in ``log_likelihood``; "auto" is bfloat16 where the device multiplies in it and the first
        hundred images show that it changes their mean by at most 0.02 nats.
    n_images : int, optional
        All images unless given. Few images can be a nat easier or harder than all of them.

    Returns
    -------
    Evaluation of plain numbers.

    Raises
    ------
    ValueError
        If n_images is below 2 or above N, the images are no bytes, or the likelihood is Gaussian.

    Source: chapter "variational-autoencoder".
    """
    if model.config.likelihood != "bernoulli":
        raise ValueError(
            f"likelihood is {model.config.likelihood!r}, expected 'bernoulli', for images are "
            "binarised here; give real numbers to log_likelihood."
        )
    device = next(model.parameters()).device
    x = held_out_pixels(images, n_images).to(device)
    if precision == "auto":
        precision = _agreeing_precision(model, x[:_IMAGE_BLOCK])
    log_px, _ = log_likelihood(
        model, x, n_importance, generator=generator, precision=precision, progress=progress
    )
    blocks = [model.elbo(block, 10, generator=generator)[:3] for block in x.split(_IMAGE_BLOCK)]
    terms = [torch.cat(field).double().mean().item() for field in zip(*blocks, strict=True)]
    return Evaluation(
        nll=-log_px.mean().item(),
        nll_se=log_px.std(correction=1).item() / math.sqrt(len(x)),
        elbo=terms[0],
        reconstruction=terms[1],
        kl=terms[2],
        images=len(x),
        importance=int(n_importance),
        n_features=model.config.n_features,
        precision=precision,
    )


def _agreeing_precision(model: VAE, x: Tensor) -> str:
    """Return "bfloat16" where the device has it and it tells the same of these images."""
    if settled_precision("auto", x.device) == "float32":
        return "float32"
    full, half = (
        log_likelihood(
            model, x, 100, precision=precision, generator=torch.Generator(x.device).manual_seed(0)
        ).log_px.mean()
        for precision in ("float32", "bfloat16")
    )
    return "bfloat16" if abs(full - half) <= _AGREES else "float32"


def held_out_pixels(images: Tensor, n_images: int | None = None) -> Tensor:
    """Return the first images of a fixed random order, binarised: uint8 (N, ...) -> bool (n, D)."""
    images = torch.as_tensor(images).cpu()
    wanted = len(images) if n_images is None else n_images
    n_images = require_count("n_images", wanted, at_least=2)
    if n_images > len(images):
        raise ValueError(f"n_images is {n_images}, expected 2 to {len(images)}.")
    pixels = objective.binarise(images, generator=torch.Generator().manual_seed(_PIXEL_SEED))
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(_ORDER_SEED))
    return pixels[order[:n_images]].flatten(1)
