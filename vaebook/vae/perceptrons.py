r"""Encoder and decoder as multilayer perceptrons, plain or with residual blocks.

A plain hidden layer is :math:`h' = a(W h + b)` with the activation a. A residual block adds to its
input instead, :math:`h' = h + a(W\,\mathrm{LayerNorm}(h) + b)`, which lets more of them be stacked.

``hidden`` gives the widths. With residual blocks these are equal: the first layer leads to that
width, and each further entry is a block. The decoder, whose job is harder, has one block more.
"""

import itertools

import torch
from torch import Tensor, nn

from vaebook.vae.config import Config
from vaebook.vae.layers import ACTIVATIONS, linear

__all__ = ["Decoder", "Encoder"]


class Encoder(nn.Module):
    r"""x (..., D) -> mean and log-variance of q(z | x), each (..., D_z).

    ``centre`` is subtracted from x first: around zero, inputs are easier to learn from.
    """

    centre: Tensor

    def __init__(self, config: Config, generator: torch.Generator):
        super().__init__()
        widths = [config.n_features, *config.hidden, 2 * config.n_latent]
        self.layers = _layers(widths, config, generator)
        self.activation = ACTIVATIONS[config.activation]
        self.register_buffer("centre", torch.zeros(config.n_features))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        output = _perceptron(x - self.centre, self.layers, self.activation)
        mean, log_var = output.to(x.dtype).chunk(2, dim=-1)
        return mean, log_var


class Decoder(nn.Module):
    r"""z (..., D_z) -> logits of the pixels (or means of a Gaussian likelihood), (..., D)."""

    def __init__(self, config: Config, generator: torch.Generator):
        super().__init__()
        one_more = config.hidden[:1] if config.architecture == "residual" else ()
        widths = [config.n_latent, *one_more, *reversed(config.hidden), config.n_features]
        self.layers = _layers(widths, config, generator)
        self.activation = ACTIVATIONS[config.activation]

    @property
    def output_bias(self) -> nn.Parameter:
        """What is added to each pixel's output, (D,)."""
        return self.layers[-1].get_parameter("bias")

    def forward(self, z: Tensor) -> Tensor:
        return _perceptron(z, self.layers, self.activation).to(z.dtype)


class ResidualLayer(nn.Module):
    """The linear part of a residual block: h (..., W) -> (..., W)."""

    def __init__(self, width: int, generator: torch.Generator):
        super().__init__()
        self.norm, self.linear = nn.LayerNorm(width), linear(width, width, generator)

    def forward(self, h: Tensor) -> Tensor:
        return self.linear(self.norm(h))


def _layers(widths: list[int], config: Config, generator: torch.Generator) -> nn.ModuleList:
    """Layers between the given widths; in a residual network the inner ones are residual."""
    layers: list[nn.Module] = [linear(*pair, generator) for pair in itertools.pairwise(widths)]
    if config.architecture == "residual":
        layers[1:-1] = [ResidualLayer(width, generator) for width in widths[1:-2]]
    return nn.ModuleList(layers)


def _perceptron(values: Tensor, layers: nn.ModuleList, activation) -> Tensor:
    for layer in layers[:-1]:
        new = activation(layer(values))
        values = values + new if isinstance(layer, ResidualLayer) else new
    return layers[-1](values)
