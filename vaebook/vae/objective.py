r"""The terms of a VAE's loss, as pure functions on tensors; in nats.

.. math:: \mathrm{ELBO}[x] = \mathbb{E}_{q(z|x)}\big[\log p(x \mid z)\big]
          - D_{KL}\big[q(z \mid x) \,\|\, p(z)\big] \le \log p(x)

Shapes: data x (B, D), latent numbers z (S, B, D_z) with S samples an image, log-weights (S, B).
Each function sums over the last axis, the numbers of one image, and never over images: the caller
averages. All work in the precision of their arguments and can be differentiated twice.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

__all__ = [
    "BoundTerms",
    "binarise",
    "doubly_reparameterized",
    "elbo_terms",
    "importance_bound",
    "kl_standard_normal",
    "log_bernoulli",
    "log_mean_exp",
    "log_normal_diag",
    "log_standard_normal",
    "log_weights",
    "path_gradient",
    "reparameterize",
    "require_binary",
    "sampled_elbo_terms",
    "weighted_elbo",
]

LOG_2PI = math.log(2 * math.pi)


class BoundTerms(NamedTuple):
    r"""A lower bound on log p(x) and the ELBO's two terms, one number an image (B,), in nats.

    ``reconstruction`` is the mean of :math:`\log p(x \mid z)` over samples of q, and ``kl`` is
    :math:`D_{KL}[q \,\|\, p(z)]`. The ELBO is ``bound = reconstruction - kl``; the
    importance-weighted bound lies above it. ``kl_by_dimension`` (B, D_z), where there is a closed
    form, adds up to ``kl``.
    """

    bound: Tensor
    reconstruction: Tensor
    kl: Tensor
    kl_by_dimension: Tensor | None = None


def log_bernoulli(x: Tensor, logits: Tensor) -> Tensor:
    r"""Log-probability of binary pixels, summed over the last axis, in nats.

    .. math:: \sum_d \big( x_d\, l_d - \log(1 + e^{l_d}) \big),
              \qquad p(x_d = 1) = \frac{1}{1 + e^{-l_d}}

    The logits :math:`l_d` enter as they are: a probability would round to 0 or 1 first.

    Parameters
    ----------
    x : (..., D)
        Pixels, 0 or 1; ``require_binary`` holds that.
    logits : (..., D), broadcastable with x

    Returns
    -------
    Tensor, the broadcast shape without the last axis.

    Source: chapter "variational-autoencoder".
    """
    # Above its threshold softplus is the identity, here exact in double precision as well.
    return (x * logits).sum(-1) - functional.softplus(logits, threshold=40).sum(-1)


def log_normal_diag(x: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    r"""Log-density of independent normals, summed over the last axis, in nats.

    .. math:: -\tfrac12 \sum_d \Big( \log 2\pi + \log s_d^2 + \frac{(x_d - m_d)^2}{s_d^2} \Big)

    Parameters
    ----------
    x, mean : (..., D), broadcastable
    log_var : (..., D)
        Logarithms of the variances :math:`s_d^2`.

    Returns
    -------
    Tensor, the broadcast shape without the last axis.

    Source: chapter "latent-variable-models".
    """
    # Scaled before it is squared: 1 / s^2 alone overflows where 1 / s does not.
    scaled = (x - mean) * torch.exp(-0.5 * log_var)
    return -0.5 * (LOG_2PI + log_var + scaled**2).sum(-1)


def log_standard_normal(z: Tensor) -> Tensor:
    r"""Log-density of the prior, N[0, I], summed over the last axis: z (..., D_z) -> (...)."""
    return -0.5 * (LOG_2PI + z**2).sum(-1)


def kl_standard_normal(mean: Tensor, log_var: Tensor) -> Tensor:
    r"""KL divergence from a diagonal normal to N[0, I], summed over the last axis, in nats.

    .. math:: \tfrac12 \sum_k \big( m_k^2 + e^{t_k} - 1 - t_k \big), \qquad t_k = \log s_k^2

    ``expm1`` keeps it exact near zero, where :math:`e^t - 1` would leave rounding noise that is
    larger than the value, and of either sign.

    Parameters
    ----------
    mean, log_var : (..., D_z)

    Returns
    -------
    Tensor (...), never negative.

    Source: chapter "variational-autoencoder".
    """
    return 0.5 * (mean**2 + torch.expm1(log_var) - log_var).sum(-1)


def reparameterize(mean: Tensor, log_var: Tensor, eps: Tensor) -> Tensor:
    r"""Samples of q as a function of noise: :math:`z = m + s\,\epsilon`.

    Parameters
    ----------
    mean, log_var : (B, D_z)
    eps : (S, B, D_z)
        Standard normal noise, its own for each sample, image and latent number.

    Returns
    -------
    Tensor (S, B, D_z); gradients reach mean and log_var through it.

    Source: chapter "reparameterization-trick".
    """
    return mean + torch.exp(0.5 * log_var) * eps


def elbo_terms(log_px_given_z: Tensor, mean: Tensor, log_var: Tensor) -> BoundTerms:
    r"""The evidence lower bound from S samples of q, with the KL term in closed form.

    Parameters
    ----------
    log_px_given_z : (S, B)
        :math:`\log p(x \mid z)` at samples z of q.
    mean, log_var : (B, D_z)
        Of q(z | x).

    Returns
    -------
    BoundTerms of (B,), the mean over samples, never a sum.

    Source: chapter "variational-autoencoder".
    """
    reconstruction = log_px_given_z.mean(0)
    by_dimension = kl_standard_normal(mean[..., None], log_var[..., None])  # (B, D_z)
    kl = by_dimension.sum(-1)
    return BoundTerms(reconstruction - kl, reconstruction, kl, by_dimension)


def weighted_elbo(terms: BoundTerms, *, beta: float = 1.0, free_bits: float = 0.0) -> Tensor:
    r"""The ELBO with a weight on its KL, and with a free allowance for each latent dimension.

    .. math:: &\frac1B \sum_i \mathbb{E}_{q(z|x_i)}\big[\log p(x_i \mid z)\big] \\
              &- \beta \sum_k \max\Big[\lambda,\; \frac1B \sum_i D_{KL}\big[
              q(z_k \mid x_i) \,\|\, p(z_k)\big]\Big]

    A dimension whose mean KL over the batch is below :math:`\lambda` feels no pull to the prior.
    It lies below the mean log p(x) if :math:`\beta \ge 1`; with a smaller weight it may lie above.

    Parameters
    ----------
    terms : BoundTerms of (B,)
    beta : float
        Weight of the KL, at least 0.
    free_bits : float
        The allowance :math:`\lambda`, in nats.

    Returns
    -------
    Tensor (B,), whose mean is the formula.

    Raises
    ------
    ValueError
        If free_bits is above 0 and the terms have no ``kl_by_dimension``.

    Source: chapter "rate-and-distortion"; Higgins et al. (2017), eq. 4; Kingma et al. (2016),
    appendix C.8.
    """
    kl = terms.kl
    if free_bits > 0:
        if terms.kl_by_dimension is None:
            raise ValueError(
                f"free_bits is {free_bits}, expected 0 for terms without kl_by_dimension: "
                "a sampled KL is no sum over dimensions."
            )
        costs = terms.kl_by_dimension.mean(0) > free_bits  # (D_z,)
        kl = torch.where(costs, terms.kl_by_dimension, free_bits).sum(-1)
    return terms.reconstruction - beta * kl


def sampled_elbo_terms(log_px_given_z: Tensor, log_w: Tensor) -> BoundTerms:
    r"""The evidence lower bound from S samples of q, for a prior whose KL has no closed form.

    .. math:: \mathrm{KL} \approx \frac1S \sum_s \big(\log q(z_s \mid x) - \log p(z_s)\big)

    Parameters
    ----------
    log_px_given_z, log_w : (S, B)
        :math:`\log p(x \mid z)` at samples z of q, and their log-weights.

    Returns
    -------
    BoundTerms of (B,), the mean over samples
        This estimate of the KL can be negative.

    Source: chapter "training-a-vae".
    """
    bound, reconstruction = log_w.mean(0), log_px_given_z.mean(0)
    return BoundTerms(bound, reconstruction, reconstruction - bound)


def log_weights(
    log_px_given_z: Tensor,
    z: Tensor,
    mean: Tensor,
    log_var: Tensor,
    log_pz: Tensor | None = None,
) -> Tensor:
    r"""Logarithms of the importance weights of samples z of q, in nats.

    .. math:: \log w_s = \log p(x \mid z_s) + \log p(z_s) - \log q(z_s \mid x)

    Parameters
    ----------
    log_px_given_z : (S, B)
    z : (S, B, D_z)
    mean, log_var : (B, D_z)
        Of q(z | x).
    log_pz : (S, B), optional
        :math:`\log p(z)`; that of N[0, I] unless given.

    Returns
    -------
    Tensor (S, B); the mean of the weights estimates p(x) without bias.

    Source: chapter "variational-autoencoder".
    """
    log_pz = log_standard_normal(z) if log_pz is None else log_pz
    return log_px_given_z + log_pz - log_normal_diag(z, mean, log_var)


def log_mean_exp(log_w: Tensor, dim: int = 0) -> Tensor:
    r"""Logarithm of the mean of :math:`e^{\log w}` along an axis; the largest is taken out first.

    .. math:: \log \frac1S \sum_s w_s = \log w_{\max} + \log \sum_s \frac{w_s}{w_{\max}} - \log S
    """
    return torch.logsumexp(log_w, dim) - math.log(log_w.shape[dim])


def importance_bound(log_w: Tensor) -> Tensor:
    r"""Importance-weighted bound from log-weights (S, B) -> (B,), in nats.

    .. math:: \log \frac1S \sum_s \frac{p(x, z_s)}{q(z_s \mid x)}, \qquad z_s \sim q

    Its expectation is the ELBO for S = 1, never falls with S, and tends to :math:`\log p(x)`.

    Source: chapter "variational-autoencoder"; Burda, Grosse and Salakhutdinov (2016), eq. 8.
    """
    return log_mean_exp(log_w, 0)


def path_gradient(
    bound: Tensor,
    log_px_given_z: Tensor,
    z: Tensor,
    mean: Tensor,
    log_var: Tensor,
    log_pz: Tensor | None = None,
) -> Tensor:
    r"""The same bound with the gradient that runs through the samples alone.

    .. math:: \frac{\partial}{\partial \theta}\, \frac1S \sum_s \log
              \frac{p(x, z_s)}{q(z_s \mid x)}\bigg|_{m,\, s \text{ of } q \text{ held}}

    Known as sticking the landing. What is left out is the gradient of log q by its own parameters:
    noise, whose mean under q is zero. Where q is the posterior, no noise stays at all, because
    there log w is the same number, log p(x), at every z.

    Parameters
    ----------
    bound : (B,)
        The ELBO.
    log_px_given_z, z, mean, log_var, log_pz : as in ``log_weights``

    Returns
    -------
    Tensor (B,), equal to ``bound``.

    Source: chapter "reparameterization-trick"; Roeder, Wu and Duvenaud (2017), section 3.
    """
    log_w = log_weights(log_px_given_z, z, mean.detach(), log_var.detach(), log_pz).mean(0)
    return bound.detach() + (log_w - log_w.detach())


def doubly_reparameterized(
    bound: Tensor,
    log_px_given_z: Tensor,
    z: Tensor,
    mean: Tensor,
    log_var: Tensor,
    log_pz: Tensor | None = None,
) -> Tensor:
    r"""The importance-weighted bound with a gradient whose signal grows with the samples.

    .. math:: \sum_s \tilde w_s^2\, \frac{\partial \log w_s}{\partial z_s}\,
              \frac{\partial z_s}{\partial \theta}, \qquad
              \sum_s \tilde w_s\, \frac{\partial \log w_s}{\partial \phi}, \qquad
              \tilde w_s = \frac{w_s}{\sum_r w_r}

    The path gradient of one sample, carried over to several. The score that it leaves out has no
    mean of zero under the weights; written as a path gradient of its own it turns the weights of
    the encoder's gradient into their squares. The decoder's gradient stays what it is.

    Parameters
    ----------
    bound : (B,)
        The importance-weighted bound.
    log_px_given_z, z, mean, log_var, log_pz : as in ``log_weights``
        Every gradient that reaches z later is multiplied by the sample's weight.

    Returns
    -------
    Tensor (B,), equal to ``bound``.

    Source: chapter "importance-weighting"; Tucker, Lawson, Gu and Maddison (2019), eq. 8.
    """
    log_w = log_weights(log_px_given_z, z, mean.detach(), log_var.detach(), log_pz)
    weights = log_w.detach().softmax(0)
    if z.requires_grad:  # not where a bound is only evaluated
        z.register_hook(lambda slope: weights[..., None] * slope)
    weighted = (weights * log_w).sum(0)
    return bound.detach() + (weighted - weighted.detach())


def require_binary(x: Tensor) -> None:
    """Raise ValueError where a pixel is neither 0 nor 1, and say why that matters."""
    bad = (x != 0) & (x != 1)
    if bad.any():
        raise ValueError(
            f"Pixel value {x[bad][0].item():.4g} is neither 0 nor 1: a Bernoulli likelihood of "
            "grey pixels is no likelihood; binarise first, with vaebook.vae.binarise."
        )


def binarise(images: Tensor, *, generator: torch.Generator) -> Tensor:
    """Draw every pixel as 0 or 1, with probability grey / 255 of a 1.

    Parameters
    ----------
    images : uint8, any shape
        Grey values 0 to 255. Pixels that are 0 or 255 stay what they are.
    generator : torch.Generator, on the images' device

    Returns
    -------
    Bool tensor of the same shape.

    Raises
    ------
    ValueError
        If the images are no bytes.
    """
    if images.dtype != torch.uint8:
        raise ValueError(
            f"Images are {images.dtype}, expected torch.uint8 with grey values 0 to 255."
        )
    # 255 equally likely thresholds 0..254: exactly `grey` of them lie below a grey value.
    threshold = torch.empty_like(images).random_(0, 255, generator=generator)
    return threshold < images
