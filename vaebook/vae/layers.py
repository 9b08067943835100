"""What all networks are made of: activations, and layers whose first weights a generator draws."""

import math
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["ACTIVATIONS", "first_weights", "linear"]

Layer = TypeVar("Layer", bound=nn.Module)
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": functional.relu,
    "silu": functional.silu,
    "tanh": torch.tanh,
}


def linear(n_in: int, n_out: int, generator: torch.Generator) -> nn.Linear:
    """A linear layer with PyTorch's usual first weights."""
    return first_weights(nn.utils.skip_init(nn.Linear, n_in, n_out), generator)


def first_weights(layer: Layer, generator: torch.Generator) -> Layer:
    """Draw a layer's first weights from the given generator, as wide as PyTorch's usual ones."""
    bound = 1 / math.sqrt(next(layer.parameters())[0].numel())
    for parameter in layer.parameters():
        nn.init.uniform_(parameter, -bound, bound, generator=generator)
    return layer
