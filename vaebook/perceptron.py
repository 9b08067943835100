r"""One small network for every decoder, encoder and pixel table that a page or explorer evaluates.

.. math:: h_0 = x, \qquad h_l = \tanh(W_l h_{l-1} + b_l), \qquad f[x] = W_L h_{L-1} + b_L
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vaebook.arguments import freeze, require_columns, require_finite


@dataclass(frozen=True, eq=False, init=False)
class Perceptron:
    r"""Layers of tanh units, and a last layer without.

    Parameters
    ----------
    widths : sequence of int, (1 + L,)
        Numbers of inputs, of units in each hidden layer, and of outputs.
    numbers : array_like, (P,)
        Weights (out, in), row by row, then biases (out,), layer after layer: the order of PyTorch's
        ``parameters_to_vector``.
    units : array_like, (2 L,), optional
        What a 1 is worth in the weights and in the biases of each layer: a network that was rounded
        to whole numbers travels in few bytes. By default 1.

    Raises
    ------
    ValueError
        If a value is not finite or the sizes do not fit; the message names them.

    Source: chapters "nonlinear-latent-variable-models" and "variational-approximation".
    """

    widths: tuple[int, ...]
    numbers: NDArray
    units: NDArray

    def __init__(self, widths: Sequence[int], numbers: ArrayLike, units: ArrayLike | None = None):
        object.__setattr__(self, "widths", tuple(int(width) for width in widths))
        freeze(self, units=np.ones(len(self._sizes)) if units is None else units)
        require_finite(numbers=numbers)
        numbers = np.array(numbers)
        numbers.flags.writeable = False
        object.__setattr__(self, "numbers", numbers)  # whole numbers stay whole
        expected = {"numbers": (sum(self._sizes),), "units": (len(self._sizes),)}
        for name, shape in expected.items():
            if getattr(self, name).shape != shape:
                raise ValueError(
                    f"{name} has shape {getattr(self, name).shape}, expected {shape} for a network "
                    f"of widths {self.widths}: all of one network, layer after layer."
                )

    @classmethod
    def from_layers(cls, *layers: tuple[ArrayLike, ArrayLike]) -> Self:
        """Make a network of its layers, each a pair of weights (out, in) and biases (out,)."""
        arrays = [(np.asarray(weights), np.asarray(biases)) for weights, biases in layers]
        widths = [arrays[0][0].shape[-1], *(len(biases) for _, biases in arrays)]
        shapes = [(weights.shape, biases.shape) for weights, biases in arrays]
        expected = [((n, m), (n,)) for m, n in pairwise(widths)]
        if shapes != expected:
            raise ValueError(f"The layers do not fit: shapes {shapes}, expected {expected}.")
        return cls(widths, np.concatenate([part.ravel() for layer in arrays for part in layer]))

    @property
    def _sizes(self) -> list[int]:
        """Numbers in the weights and in the biases of each layer."""
        return [size for n, m in pairwise(self.widths) for size in (n * m, m)]

    @cached_property
    def layers(self) -> list[tuple[NDArray, NDArray]]:
        """Weights (out, in) and biases (out,) of each layer."""
        parts = np.split(self.numbers, np.cumsum(self._sizes)[:-1])
        parts = [part * unit for part, unit in zip(parts, self.units, strict=True)]
        return [
            (weights.reshape(len(biases), -1), biases)
            for weights, biases in zip(parts[::2], parts[1::2], strict=True)
        ]

    def hidden(self, x: ArrayLike) -> NDArray:
        """Return the last hidden layer (..., H) at x (..., n_in)."""
        h = require_columns(x, self.widths[0])
        for weights, biases in self.layers[:-1]:
            h = np.tanh(h @ weights.T + biases)
        return h

    def __call__(self, x: ArrayLike) -> NDArray:
        """Return the outputs (..., n_out) at x (..., n_in)."""
        weights, biases = self.layers[-1]
        return self.hidden(x) @ weights.T + biases

    def table(self) -> dict[str, Any]:
        """Return widths, numbers and units as they travel to JavaScript's ``forms.perceptron``."""
        return {"widths": list(self.widths), "numbers": self.numbers, "units": self.units.tolist()}
