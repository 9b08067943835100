r"""The distribution p(z) of the latent variable: fixed, or learned with the rest of the model.

The bound asks the average of q(z | x) over the data, the *aggregated posterior*, to look like p(z).
It never does so perfectly, and a decoder that meets draws of p(z) at which no image lies makes poor
pictures of them. A learned prior moves p(z) to where the codes are.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from vaebook.vae import objective
from vaebook.vae.config import Config
from vaebook.vae.perceptrons import linear_layers, perceptron

N_COUPLINGS, WIDTH = 4, 128


class NormalPrior(nn.Module):
    """N[0, I]: nothing is learned."""

    def __init__(self, _config: Config, _generator: torch.Generator):
        super().__init__()

    def log_prob(self, z: Tensor) -> Tensor:
        """Log-density in nats: z (..., D_z) -> (...)."""
        return objective.log_standard_normal(z)

    def from_noise(self, eps: Tensor) -> Tensor:
        """Turn standard normal noise (..., D_z) into draws of z, here the same."""
        return eps


class CouplingPrior(nn.Module):
    r"""A normalising flow of affine couplings: noise :math:`\epsilon \sim N[0, I]` made into z.

    One coupling leaves half of the numbers alone and moves the other half,

    .. math:: z_1 = \epsilon_1, \qquad z_2 = t(z_1) + e^{s(z_1)}\,\epsilon_2,
              \qquad \log p(z) = \log N_\epsilon[0, I] - \sum s(z_1),

    with t and s from a small network; in the next one the halves change places. Its inverse needs
    no inverse of the network. The network's last layer starts at zero, so that the first p(z) is
    N[0, I], and :math:`s = 2 \tanh(r / 2)` keeps scales between 1/7.4 and 7.4.

    Source: chapter "training-a-vae"; Dinh, Sohl-Dickstein and Bengio (2017), section 3.
    """

    def __init__(self, config: Config, generator: torch.Generator):
        super().__init__()
        self.n_first = config.n_latent // 2
        n_second = config.n_latent - self.n_first
        pairs = [(self.n_first, n_second), (n_second, self.n_first)] * (N_COUPLINGS // 2)
        self.networks = nn.ModuleList(_network(*pair, generator) for pair in pairs)

    def log_prob(self, z: Tensor) -> Tensor:
        """Log-density in nats: z (..., D_z) -> (...)."""
        one, two = z[..., : self.n_first], z[..., self.n_first :]
        log_scales = z.new_zeros(())
        for network in reversed(self.networks):
            one, two = two, one  # undo the change of places after this coupling
            shift, log_scale = _shift_and_log_scale(network, one)
            two = (two - shift) * torch.exp(-log_scale)
            log_scales = log_scales + log_scale.sum(-1)
        return objective.log_standard_normal(torch.cat([one, two], -1)) - log_scales

    def from_noise(self, eps: Tensor) -> Tensor:
        """Turn standard normal noise (..., D_z) into draws of z."""
        one, two = eps[..., : self.n_first], eps[..., self.n_first :]
        for network in self.networks:
            shift, log_scale = _shift_and_log_scale(network, one)
            one, two = shift + torch.exp(log_scale) * two, one  # and change places
        return torch.cat([one, two], -1)


def _network(n_in: int, n_out: int, generator: torch.Generator) -> nn.ModuleList:
    """Two hidden layers, and a last one of zeros for shifts and log-scales."""
    layers = linear_layers([n_in, WIDTH, WIDTH, 2 * n_out], generator)
    for parameter in layers[-1].parameters():
        nn.init.zeros_(parameter)
    return layers


def _shift_and_log_scale(network: nn.Module, half: Tensor) -> tuple[Tensor, Tensor]:
    shift, raw = perceptron(network, half, functional.silu).to(half.dtype).chunk(2, dim=-1)
    return shift, 2 * torch.tanh(raw / 2)
