"""The checks of input for the whole package: each names the value that is wrong, and the remedy."""

import operator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray


def require_real(name: str, value: Any, dtype: DTypeLike = float) -> NDArray:
    """Return the value as an array of that float type, or say why it is none.

    The array may hold nan and inf; see ``require_finite``.
    """
    if np.ma.is_masked(value):
        raise ValueError(
            f"{name} is masked{_place(np.ma.getmaskarray(value))}, expected a number everywhere; "
            "drop the masked values, as in x.compressed(), or fill them."
        )
    if np.iscomplexobj(value):
        raise ValueError(f"{name} is complex, expected real numbers; pass its .real part.")
    return np.asarray(value, dtype)


def require_finite(*, broadcast: bool = True, **named: ArrayLike) -> list[NDArray]:
    """Return the named values as float arrays that broadcast, or say which value is wrong.

    Arrays become float64 unless all of them are float32; Python numbers follow the arrays.
    """
    dtypes = {value.dtype for value in named.values() if hasattr(value, "dtype")}
    dtype = np.float32 if dtypes == {np.dtype(np.float32)} else np.float64
    arrays = []
    for name, value in named.items():
        array = require_real(name, value, dtype)
        bad = ~np.isfinite(array)
        if bad.any():
            raise ValueError(
                f"{name} is {array[bad][0]}{_place(bad)}, expected finite numbers; "
                "remove or replace such values first."
            )
        arrays.append(array)
    if broadcast:
        try:
            np.broadcast_shapes(*(array.shape for array in arrays))
        except ValueError:
            shapes = ", ".join(f"{n} {a.shape}" for n, a in zip(named, arrays, strict=True))
            raise ValueError(
                f"Shapes do not broadcast: {shapes}; give equal shapes or add an axis, "
                "as in x[:, None]."
            ) from None
    return arrays


def require_positive(**named: ArrayLike) -> None:
    """Raise ValueError where a standard deviation among the named arrays is not positive."""
    for name, array in named.items():
        bad = ~(np.asarray(array) > 0)
        if bad.any():
            raise ValueError(
                f"{name} is {np.asarray(array)[bad][0]}{_place(bad)}, expected a positive number; "
                "pass a standard deviation, not its logarithm, and keep it above zero."
            )


def require_number(name: str, value: Any) -> float:
    """Return the value as a float, or say that it is not one finite number."""
    (array,) = require_finite(**{name: value})
    if array.ndim:
        raise ValueError(
            f"{name} has shape {array.shape}, expected one number; pass one each time."
        )
    return array.item()


def require_count(name: str, value: Any, *, at_least: int) -> int:
    """Return the value as an int, or say that it is no whole number or too small."""
    try:
        count = at_least - 1 if isinstance(value, bool | np.bool) else operator.index(value)
    except TypeError:
        count = at_least - 1
    if count < at_least:
        raise ValueError(
            f"{name} is {value!r}, expected a whole number of at least {at_least}; "
            "round it or choose a larger one."
        )
    return count


def require_columns(x: ArrayLike, n_columns: int) -> NDArray:
    """Return data (..., D) as floats, or say that a value is not finite or D is another."""
    (x,) = require_finite(x=x)
    if x.ndim == 0 or x.shape[-1] != n_columns:
        raise ValueError(
            f"x has shape {x.shape}, expected (..., {n_columns}): one column per data "
            "dimension; a single column is x[:, None]."
        )
    return x


def require_density(x: ArrayLike, log_px: NDArray) -> None:
    """Raise ValueError where data lie so far out that a log-density leaves the range of a float."""
    if np.isneginf(log_px).any():
        raise ValueError(
            f"x reaches {np.abs(x).max():.3g}, so far out that its density vanishes even in logs; "
            "rescale x."
        )


def require_weights(weights: Any, name: str = "Weights") -> NDArray:
    """Return the weights as floats that sum to one along the last axis, or say what is wrong."""
    (weights,) = require_finite(**{name: weights})
    if weights.ndim == 0 or weights.shape[-1] == 0:
        raise ValueError(f"{name} have shape {weights.shape}, expected at least one in an array.")
    if (weights < 0).any():
        raise ValueError(
            f"{name} include {weights[weights < 0][0]:.6g}, expected none below 0; "
            "probabilities are not negative."
        )
    total = weights.sum(-1, keepdims=True)
    off = np.abs(total - 1) > 1e-6
    if off.any():
        raise ValueError(f"{name} sum to {total[off][0]:.6g}, expected 1; divide by their sum.")
    return weights / total


def require_generator(rng: Any) -> np.random.Generator:
    """Return rng, or raise TypeError where it is no ``numpy.random.Generator``."""
    if not isinstance(rng, np.random.Generator):
        raise TypeError(
            f"rng is {rng!r}, expected a numpy Generator; pass np.random.default_rng(seed)."
        )
    return rng


def freeze(instance: object, **named: Any) -> None:
    """Set fields of a frozen dataclass to read-only copies, in float64, of finite arrays."""
    for name, value in named.items():
        (array,) = require_finite(**{name: value})
        array = np.array(array, float)
        array.flags.writeable = False
        object.__setattr__(instance, name, array)


def _place(bad: NDArray) -> str:
    """Where the first bad element lies, as words; nothing for a scalar."""
    if bad.ndim == 0:
        return ""
    return f" at index {tuple(int(i) for i in np.argwhere(bad)[0])}"
