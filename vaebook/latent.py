r"""Models with one continuous latent variable, z ~ N(0, 1), and normal noise around f[z].

``LinearGaussianModel`` has a straight line for f, one data dimension, and every answer in closed
form. ``NonlinearModel`` takes any decoder and answers by quadrature over z. ``book_decoder`` is the
small network that the book uses throughout.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vaebook.arguments import (
    require_columns,
    require_count,
    require_density,
    require_finite,
    require_generator,
    require_number,
    require_positive,
)
from vaebook.gaussians import log_normal
from vaebook.perceptron import Perceptron
from vaebook.quadrature import Grid, log_integral, trapezoid_grid, uniform_grid

BOOK_NOISE_STD = 0.3


@dataclass(frozen=True, eq=False, init=False)
class LinearGaussianModel:
    r"""The exact toy: :math:`z \sim N[0, 1]`, :math:`x \mid z \sim N_x[\phi z, \sigma^2]`.

    Parameters
    ----------
    weight : float, or array_like that broadcasts with x
        The slope :math:`\phi`. An array evaluates many models at once, for a curve over phi.
    noise_std : float, or array_like that broadcasts with x
        The standard deviation :math:`\sigma` of x around the line, positive.

    Raises
    ------
    ValueError
        If a value is not finite or the standard deviation is not positive.

    Source: chapter "evidence-lower-bound".
    """

    weight: float | NDArray
    noise_std: float | NDArray

    def __init__(self, weight: ArrayLike, noise_std: ArrayLike):
        weight, noise_std = require_finite(weight=weight, noise_std=noise_std)
        require_positive(noise_std=noise_std)
        # A Python number, unlike a 0-d array, lets float32 data stay float32.
        object.__setattr__(self, "weight", weight if weight.ndim else weight.item())
        object.__setattr__(self, "noise_std", noise_std if noise_std.ndim else noise_std.item())

    def log_px_given_z(self, x: ArrayLike, z: ArrayLike) -> NDArray:
        r""":math:`\log p(x \mid z) = \log N_x[\phi z, \sigma^2]` in nats, broadcast shape."""
        x, z, weight, noise_std = self._broadcast(x=x, z=z)
        return log_normal(x, weight * z, noise_std)

    def log_joint(self, x: ArrayLike, z: ArrayLike) -> NDArray:
        r""":math:`\log p(x, z) = \log p(x \mid z) + \log p(z)` in nats, broadcast shape."""
        return self.log_px_given_z(x, z) + log_normal(z, 0.0, 1.0)

    def log_marginal(self, x: ArrayLike) -> NDArray:
        r""":math:`\log p(x) = \log N_x[0, \phi^2 + \sigma^2]` in nats, broadcast shape."""
        x, weight, noise_std = self._broadcast(x=x)
        return log_normal(x, 0.0, np.hypot(weight, noise_std))

    def posterior(self, x: ArrayLike) -> tuple[NDArray, NDArray]:
        r"""Mean and standard deviation of :math:`p(z \mid x)`, which is normal; broadcast shape.

        .. math:: m = \frac{\phi x}{\phi^2 + \sigma^2}, \qquad
                  s = \frac{\sigma}{\sqrt{\phi^2 + \sigma^2}}
        """
        x, weight, noise_std = self._broadcast(x=x)
        marginal_std = np.hypot(weight, noise_std)
        mean = weight / marginal_std * (x / marginal_std)
        return mean, noise_std / marginal_std * np.ones_like(mean)

    def sample(self, n: int, *, rng: np.random.Generator) -> tuple[NDArray, NDArray]:
        """Ancestral sampling: z from the prior, then x given z; returns x and z, both (n,)."""
        n = require_count("n", n, at_least=0)
        if np.ndim(self.weight) or np.ndim(self.noise_std):
            raise ValueError(
                f"noise_std has shape {np.shape(self.noise_std)} and weight has shape "
                f"{np.shape(self.weight)}, expected one number to sample from; "
                "make one model for each."
            )
        z = require_generator(rng).standard_normal(n)
        x = self.weight * z + self.noise_std * rng.standard_normal(n)
        return x, z

    def _broadcast(self, **named: Any) -> list[NDArray]:
        return require_finite(**named, weight=self.weight, noise_std=self.noise_std)


class NonlinearModel:
    r"""One latent variable, D data dimensions: :math:`x \mid z \sim N_x[f[z], \sigma^2 I]`.

    Every integral over :math:`z \sim N[0, 1]` is a sum over a fixed grid. It stops at the ends of
    the grid: an x that only a z beyond them could have made needs a wider one. Whether the ends
    hold any of the posterior is seen in ``posterior(x)[..., [0, -1]]``.

    Parameters
    ----------
    decoder : callable
        The function f: takes z (n,), returns (n, D).
    noise_std : float
        The standard deviation :math:`\sigma` of x around the curve, positive.
    grid : Grid or array_like (G,), optional
        Points over z; an array gets the weights of the trapezoid rule. The default, 1601 points on
        [-8, 8], is exact to 1e-8 nats as long as no posterior is narrower than 0.012; below 0.008
        a warning says so.

    Attributes
    ----------
    grid, grid_weights : ndarray, (G,)
        The points and weights of the quadrature.
    curve : ndarray, (G, D)
        The decoder at the points of the grid.

    Raises
    ------
    ValueError
        If the decoder's shape is wrong or a value is impossible; the message names it.

    Source: chapter "nonlinear-latent-variable-models".
    """

    def __init__(
        self,
        decoder: Callable[[NDArray], ArrayLike],
        noise_std: float,
        *,
        grid: Grid | ArrayLike | None = None,
    ):
        if not callable(decoder):
            raise ValueError(
                f"decoder is {decoder!r}, expected a function that maps z (n,) to (n, D); "
                "pass the function itself."
            )
        self.noise_std = require_number("noise_std", noise_std)
        require_positive(noise_std=self.noise_std)
        if grid is None:
            grid = uniform_grid(-8.0, 8.0, 1601)
        elif not isinstance(grid, Grid):
            grid = trapezoid_grid(grid)
        if grid.weights.sum() < 0.5 * np.ptp(grid.points):
            raise ValueError(
                f"The grid's weights sum to {grid.weights.sum():.6g} over points that span "
                f"{np.ptp(grid.points):.6g}, expected lengths; a Gauss-Hermite rule holds a "
                "density in its weights: use uniform_grid."
            )
        self.decoder = decoder
        self.grid, self.grid_weights = grid
        self.curve = self._decode(self.grid)

    @property
    def n_dimensions(self) -> int:
        """Number of data dimensions, D."""
        return self.curve.shape[-1]

    def log_px_given_z(self, x: ArrayLike, z: ArrayLike) -> NDArray:
        r""":math:`\log p(x \mid z) = \log N_x[f[z], \sigma^2 I]` in nats: (..., D), (...) to (...).

        The leading axes of x broadcast with z.
        """
        x = self._require_points(x)
        _, z = require_finite(x=x[..., 0], z=z)
        return self._log_density_around(self._decode(z), x)

    def log_joint(self, x: ArrayLike, z: ArrayLike) -> NDArray:
        r""":math:`\log p(x, z) = \log p(x \mid z) + \log p(z)`, in nats.

        Shapes as in ``log_px_given_z``: ``model.log_joint(x[:, None, :], model.grid)`` is the table
        over data and grid.
        """
        return self.log_px_given_z(x, z) + log_normal(z, 0.0, 1.0)

    def log_marginal(self, x: ArrayLike) -> NDArray:
        r""":math:`\log p(x) = \log \int p(x \mid z)\, p(z)\, dz` in nats: x (..., D) to (...)."""
        x = self._require_points(x)
        rows = x.reshape(-1, self.n_dimensions)
        n_blocks = 1 + rows.shape[0] * self.grid.size // 2**20  # bounds the memory of the table
        log_px = [
            self._integrate(self._log_joint_on_grid(block))
            for block in np.array_split(rows, n_blocks)
        ]
        return np.concatenate(log_px).reshape(x.shape[:-1])[()]

    def posterior(self, x: ArrayLike) -> NDArray:
        r"""Density :math:`p(z \mid x) = p(x, z) / p(x)` on the grid: x (..., D) to (..., G).

        ``posterior(x) @ grid_weights`` is 1.

        Raises
        ------
        ValueError
            If x lies so far out that its log-density leaves the range of a float.
        """
        x = self._require_points(x)
        log_joint = self._log_joint_on_grid(x)
        require_density(x, self._integrate(log_joint))
        relative = np.exp(log_joint - log_joint.max(axis=-1, keepdims=True))  # (..., G)
        return relative / (relative @ self.grid_weights)[..., None]

    def posterior_moments(self, x: ArrayLike) -> tuple[NDArray, NDArray]:
        r"""Mean and standard deviation of :math:`p(z \mid x)`: x (..., D) to (...) and (...)."""
        mass = self.posterior(x) * self.grid_weights  # (..., G)
        mean = mass @ self.grid
        return mean, np.sqrt((mass * (self.grid - mean[..., None]) ** 2).sum(-1))

    def sample(self, n: int, *, rng: np.random.Generator) -> tuple[NDArray, NDArray]:
        """Ancestral sampling: z from the prior, then x around f[z]; returns x (n, D) and z (n,)."""
        n = require_count("n", n, at_least=0)
        z = require_generator(rng).standard_normal(n)
        noise = rng.standard_normal((n, self.n_dimensions))
        return self._decode(z) + self.noise_std * noise, z

    def _log_joint_on_grid(self, x: NDArray) -> NDArray:  # (..., D) -> (..., G)
        log_px_given_z = self._log_density_around(self.curve, x[..., None, :])
        return log_px_given_z + log_normal(self.grid, 0.0, 1.0)

    def _integrate(self, log_joint: NDArray) -> NDArray:  # (..., G) -> (...)
        """Log p(x); warns where the grid is too coarse, or too short, to hold the posterior."""
        log_px = log_integral(log_joint, self.grid_weights)
        with np.errstate(invalid="ignore"):  # -inf - -inf, where x lies too far out for a float
            mass = np.exp(log_joint - log_joint.max(axis=-1, keepdims=True)) * self.grid_weights
        # It is 0.35 where a normal posterior has 0.8 of the step as std: the error is 5e-6 nats.
        concentration = (mass**2).sum(axis=-1) / mass.sum(axis=-1) ** 2
        if (concentration > 0.35).any():
            warnings.warn(
                f"A posterior rests on about {1 / np.nanmax(concentration):.1f} points of the "
                "grid: it is narrower than the grid's step, or lies at an end, so log p(x) is "
                "off; give the model a finer or wider grid, as in uniform_grid(-8, 8, 16001).",
                RuntimeWarning,
                stacklevel=4,
            )
        return log_px

    def _log_density_around(self, centre: NDArray, x: NDArray):
        """Sum of the log-densities of the data dimensions; they are independent given z."""
        return sum(
            log_normal(x[..., d], centre[..., d], self.noise_std) for d in range(self.n_dimensions)
        )

    def _decode(self, z: NDArray) -> NDArray:  # (...) -> (..., D)
        flat = np.ravel(z)
        centre = np.asarray(self.decoder(flat), float)
        if centre.ndim != 2 or centre.shape[0] != flat.size or centre.shape[1] == 0:
            raise ValueError(
                f"decoder gives shape {centre.shape} for z of shape {flat.shape}, expected "
                f"({flat.size}, D); one data dimension is a column, as in f[:, None]."
            )
        if not np.isfinite(centre).all():
            worst = flat[~np.isfinite(centre).all(axis=1)][0]
            raise ValueError(
                f"decoder gives a value that is not finite at z = {worst:.6g}; "
                "make it finite for every real z."
            )
        return centre.reshape(*np.shape(z), centre.shape[1])

    def _require_points(self, x: ArrayLike) -> NDArray:
        return require_columns(x, self.n_dimensions).astype(float, copy=False)


Model = LinearGaussianModel | NonlinearModel


class TanhDecoder(Perceptron):
    """A network of one latent variable, for which z needs no axis of its own.

    Source: chapter "nonlinear-latent-variable-models".
    """

    def __call__(self, z: ArrayLike) -> NDArray:
        """The curve at z: any shape (...) gives (..., D)."""
        (z,) = require_finite(z=z)
        return super().__call__(z[..., None])


# A spiral of a little more than one turn, in the square [-3, 3]^2: its inner end (z below -1.3) and
# its outer end (z above 1.3) run side by side on the left, where a point may come from either.
# Made once: least squares on angle 205 degrees times u, radius 1.9 + 0.5 u, with
# u = 2 Phi(z / 1.15) - 1 for z in [-4, 4], then rounded to two decimals and frozen.
book_decoder = TanhDecoder(
    widths=[1, 6, 2],
    numbers=[
        1.42, 1.10, 1.44, 1.73, 1.09, 1.72,  # weights of the hidden units,
        0.93, -1.41, -1.12, -0.50, 1.22, 0.29,  # and their biases
        2.45, 0.91, -2.68, -1.82, -0.99, 1.68,  # weights of the first output,
        -1.08, -1.84, -1.18, 2.32, -1.38, 2.34,  # of the second,
        -1.72, -0.21,  # and biases of both
    ],
)  # fmt: skip
