r"""Encoder and decoder as multilayer perceptrons, plain or with residual blocks.

A plain hidden layer is :math:`h' = a(W h + b)` with the activation a. A residual block adds to its
input instead, :math:`h' = h + a(W\,\mathrm{LayerNorm}(h) + b)`, which lets more of them be stacked.

``hidden`` gives the widths. With residual blocks these are equal: the first layer leads to that
width, and each further entry is a block. The decoder, whose job is harder, has one block more.
"""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from vaebook.vae.config import Config
from vaebook.vae.layers import ACTIVATIONS, Activation, new_layer


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
        output = perceptron(self.layers, x - self.centre, self.activation)
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
        return perceptron(self.layers, z, self.activation).to(z.dtype)


class ResidualLayer(nn.Module):
    """The linear part of a residual block: h (..., W) -> (..., W)."""

    def __init__(self, width: int, generator: torch.Generator):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.linear = new_layer(nn.Linear, width, width, generator=generator)

    def forward(self, h: Tensor) -> Tensor:
        return self.linear(self.norm(h))


def _layers(widths: list[int], config: Config, generator: torch.Generator) -> nn.ModuleList:
    """Layers between the given widths; in a residual network the inner ones are residual."""
    layers = linear_layers(widths, generator)
    if config.architecture == "residual":
        for n, width in enumerate(widths[1:-2], 1):
            layers[n] = ResidualLayer(width, generator)
    return layers


def linear_layers(widths: Sequence[int], generator: torch.Generator) -> nn.ModuleList:
    """Linear layers between the given widths."""
    pairs = itertools.pairwise(widths)
    return nn.ModuleList(new_layer(nn.Linear, *pair, generator=generator) for pair in pairs)


def perceptron(layers: nn.Module, values: Tensor, activation: Activation) -> Tensor:
    """The layers' output, (..., n_out) for values (..., n_in), with an activation between them."""
    *hidden, last = layers.children()
    for layer in hidden:
        new = activation(layer(values))
        values = values + new if isinstance(layer, ResidualLayer) else new
    return last(values)
