"""What all networks are made of: activations, and layers whose first weights a generator draws."""

import math
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

Activation = Callable[[Tensor], Tensor]
Layer = TypeVar("Layer", bound=nn.Module)
ACTIVATIONS: dict[str, Activation] = {
    "relu": functional.relu,
    "silu": functional.silu,
    "tanh": torch.tanh,
}


def new_layer(kind: type[Layer], *sizes: int, generator: torch.Generator, **options) -> Layer:
    """A layer whose first weights the generator draws, as wide as PyTorch's usual ones."""
    layer = nn.utils.skip_init(kind, *sizes, **options)
    bound = 1 / math.sqrt(next(layer.parameters())[0].numel())
    for parameter in layer.parameters():
        nn.init.uniform_(parameter, -bound, bound, generator=generator)
    return layer
