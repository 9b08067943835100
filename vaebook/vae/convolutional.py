"""Encoder and decoder as small convolutional networks, for square images.

Each entry of ``hidden`` is a number of channels: the encoder's convolutions have stride 2, so that
each one halves the side of the image, and the decoder's transposed ones double it again. With
``hidden=(32, 64)`` an image goes 28 x 28 -> 14 x 14 x 32 -> 7 x 7 x 64 -> q, and back.
"""

import itertools

import torch
from torch import Tensor, nn

from vaebook.vae.config import Config
from vaebook.vae.layers import ACTIVATIONS, new_layer


class ConvolutionalEncoder(nn.Module):
    """x (..., D) -> mean and log-variance of q(z | x), each (..., D_z)."""

    centre: Tensor

    def __init__(self, config: Config, generator: torch.Generator):
        super().__init__()
        self.activation = ACTIVATIONS[config.activation]
        self.register_buffer("centre", torch.zeros(config.n_features))
        channels = [1, *config.hidden]
        self.layers = nn.ModuleList(_convolutions(nn.Conv2d, channels, generator))
        sizes = _n_inner(config), 2 * config.n_latent
        self.layers.append(new_layer(nn.Linear, *sizes, generator=generator))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        side = round(x.shape[-1] ** 0.5)
        values = (x - self.centre).reshape(-1, 1, side, side)
        for layer in self.layers[:-1]:
            values = self.activation(layer(values))
        output = self.layers[-1](values.flatten(1)).to(x.dtype)
        mean, log_var = output.reshape(*x.shape[:-1], output.shape[-1]).chunk(2, dim=-1)
        return mean, log_var


class ConvolutionalDecoder(nn.Module):
    """z (..., D_z) -> logits of the pixels (or means of a Gaussian likelihood), (..., D)."""

    def __init__(self, config: Config, generator: torch.Generator):
        super().__init__()
        self.activation = ACTIVATIONS[config.activation]
        self.n_channels = config.hidden[-1]
        sizes = config.n_latent, _n_inner(config)
        self.layers = nn.ModuleList([new_layer(nn.Linear, *sizes, generator=generator)])
        channels = [*reversed(config.hidden), 1]
        self.layers.extend(_convolutions(nn.ConvTranspose2d, channels, generator))
        self.output_bias = nn.Parameter(torch.zeros(config.n_features))

    def forward(self, z: Tensor) -> Tensor:
        values = self.layers[0](z.reshape(-1, z.shape[-1]))
        side = round((values.shape[-1] / self.n_channels) ** 0.5)
        values = values.reshape(-1, self.n_channels, side, side)
        for layer in self.layers[1:]:
            values = layer(self.activation(values))
        values = values.reshape(*z.shape[:-1], len(self.output_bias))
        return values.to(z.dtype) + self.output_bias


def _convolutions(kind, channels: list[int], generator: torch.Generator) -> list[nn.Module]:
    """Convolutions from each number of channels to the next that halve the side, or double it."""
    halving = {"kernel_size": 4, "stride": 2, "padding": 1}
    pairs = itertools.pairwise(channels)
    return [new_layer(kind, *pair, generator=generator, **halving) for pair in pairs]


def _n_inner(config: Config) -> int:
    """Numbers of the smallest layer: channels times pixels."""
    return config.hidden[-1] * (config.n_features >> 2 * len(config.hidden))
