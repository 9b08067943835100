"""Training steps that must not be taken: numbers that are not finite, and a lack of memory."""

from collections.abc import Iterator

import torch
from torch import Tensor

from vaebook.vae import objective
from vaebook.vae.networks import VAE, Config

__all__ = ["NonFiniteError", "all_finite", "bad_values", "memory_advice"]


class NonFiniteError(FloatingPointError):
    """A number of a training step is NaN or infinite; the step was not taken."""


def all_finite(sums: Tensor, model: VAE) -> bool:
    """Whether the bound and every gradient are finite: a NaN anywhere shows in their sums."""
    gradients = [parameter.grad.sum() for parameter in model.parameters()]
    return bool(torch.isfinite(torch.stack(gradients)).all() & torch.isfinite(sums).all())


def bad_values(model: VAE, x: Tensor, eps: Tensor) -> Iterator[tuple[str, float]]:
    """Repeat a step's way tensor by tensor; yield the names of those that are not finite."""

    def tensors():
        yield from model.named_parameters()
        yield "the data", x
        mean, log_var = model.encoder(x)
        yield "the encoder's mean", mean
        yield "the encoder's log-variance", log_var
        z = objective.reparameterize(mean, log_var, eps)
        yield "z", z
        yield "the decoder's output", model.decoder(z)
        for name, term in model(x, eps)._asdict().items():
            yield f"the term {name}", term
        for name, parameter in model.named_parameters():
            yield f"the gradient of {name}", parameter.grad

    for name, tensor in tensors():
        bad = ~torch.isfinite(tensor)
        if bad.any():
            yield name, tensor[bad][0].item()


def memory_advice(error: Exception, config: Config) -> MemoryError | None:
    """Say what to do if the error is a lack of memory; None for any other error."""
    out_of_memory = isinstance(error, (torch.OutOfMemoryError, MemoryError))
    if not out_of_memory and "allocate memory" not in str(error):
        return None
    return MemoryError(
        f"Out of memory with batches of {config.batch_size} images and {config.n_draws} sample(s) "
        f"an image; nothing was changed: choose batch_size={max(1, config.batch_size // 2)}."
    )
