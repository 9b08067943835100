r"""Flow matching: a network learns the velocity that carries noise to data, by least squares.

.. math:: L = E\,\big\|v(z_t, t) - (x - \epsilon)\big\|^2, \qquad
          z_t = (1 - t)\,\epsilon + t\,x, \quad \epsilon \sim N[0, I], \; t \sim U[0, 1]

The best v is the conditional mean of :math:`x - \epsilon` (``vaebook.flows``), and L is not zero
there: what remains is the mean conditional variance, :math:`\pi s / 2` for each dimension in which
the data are normal with standard deviation s.
"""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from vaebook.vae.layers import ACTIVATIONS
from vaebook.vae.perceptrons import linear_layers, perceptron

__all__ = ["Velocity", "flow_matching_loss", "train_velocity"]


class Velocity(nn.Module):
    """z (..., D) and t, a number or (..., 1), -> v(z, t), (..., D): a perceptron of both.

    Source: chapter "where-vaes-went", eq-epilogue-loss.
    """

    def __init__(
        self,
        n_latent: int,
        hidden: Sequence[int],
        *,
        activation: str = "silu",
        generator: torch.Generator,
    ):
        super().__init__()
        self.layers = linear_layers([n_latent + 1, *hidden, n_latent], generator)
        self.activation = ACTIVATIONS[activation]

    def forward(self, z: Tensor, t: Tensor | float) -> Tensor:
        times = torch.as_tensor(t, dtype=z.dtype).expand(*z.shape[:-1], 1)
        return perceptron(self.layers, torch.cat([z, times], -1), self.activation)


def flow_matching_loss(
    velocity: Callable[[Tensor, Tensor], Tensor], x: Tensor, *, generator: torch.Generator
) -> Tensor:
    """Squared error of a velocity on straight lines from noise to data, (B,) for x (B, D).

    Source: chapter "where-vaes-went", eq-epilogue-loss.
    """
    eps = torch.randn(x.shape, generator=generator, dtype=x.dtype)
    t = torch.rand((len(x), 1), generator=generator, dtype=x.dtype)
    z_t = (1 - t) * eps + t * x
    return (velocity(z_t, t) - (x - eps)).square().sum(-1)


def train_velocity(
    velocity: nn.Module,
    x: Tensor,
    *,
    n_steps: int,
    batch_size: int = 256,
    learning_rate: float = 5e-3,
    generator: torch.Generator,
) -> None:
    """Train a velocity on data (N, D) by Adam, whose rate falls to zero along a cosine.

    Source: chapter "where-vaes-went".
    """
    optimizer = torch.optim.Adam(velocity.parameters(), learning_rate, fused=True)
    for step in range(n_steps):
        rows = torch.randint(len(x), (batch_size,), generator=generator)
        rate = 0.5 * learning_rate * (1 + math.cos(math.pi * step / n_steps))
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        flow_matching_loss(velocity, x[rows], generator=generator).mean().backward()
        optimizer.step()
