r"""Mixtures of normal densities over one variable, with a discrete latent variable z.

.. math:: p(z = n) = \lambda_n, \qquad p(x \mid z = n) = N_x[\mu_n, \sigma_n^2], \qquad
          p(x) = \sum_{n=1}^{N} \lambda_n N_x[\mu_n, \sigma_n^2]

Components are numbered from 0 in the code.
"""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vaebook.arguments import (
    freeze,
    require_count,
    require_density,
    require_finite,
    require_generator,
    require_number,
    require_positive,
    require_real,
    require_weights,
)
from vaebook.gaussians import log_normal

_MAX_STEPS = 5000  # from each start


@dataclass(frozen=True, eq=False, init=False)
class GaussianMixture:
    r"""A mixture of N normal densities.

    Parameters
    ----------
    weights : array_like, (N,)
        :math:`\lambda_n`, none negative; they sum to one (to 1e-6, then exactly).
    means : array_like, (N,)
        :math:`\mu_n`.
    stds : array_like, (N,)
        :math:`\sigma_n`, positive.

    Raises
    ------
    ValueError
        If the lengths differ or a value is impossible; the message names it.

    Source: chapter "mixture-of-gaussians".
    """

    weights: NDArray
    means: NDArray
    stds: NDArray

    def __init__(self, weights: ArrayLike, means: ArrayLike, stds: ArrayLike):
        shapes = [np.shape(values) for values in (weights, means, stds)]
        if len(set(shapes)) > 1 or len(shapes[0]) != 1:
            raise ValueError(
                f"weights, means and stds have shapes {shapes[0]}, {shapes[1]} and {shapes[2]}, "
                "expected (N,) each; give one number per component."
            )
        weights = require_real("Mixture weights", weights)  # float64: they are to sum to one in it
        weights = require_weights(weights, "Mixture weights")
        freeze(self, weights=weights, means=means, stds=stds)
        require_positive(stds=self.stds)

    @property
    def n_components(self) -> int:
        """Number of components, N."""
        return self.weights.size

    def log_joint(self, x: ArrayLike) -> NDArray:
        r"""Log of :math:`p(x, z = n) = \lambda_n N_x[\mu_n, \sigma_n^2]` for every n, in nats.

        x (...) to (..., N); ``-inf`` where a weight is zero.
        """
        (x,) = require_finite(x=x)
        with np.errstate(divide="ignore"):  # log 0 = -inf is meant
            return np.log(self.weights) + log_normal(x[..., None], self.means, self.stds)

    def log_prob(self, x: ArrayLike) -> NDArray:
        r""":math:`\log p(x) = \log \sum_n \lambda_n N_x[\mu_n, \sigma_n^2]` in nats, shape of x."""
        return np.logaddexp.reduce(self.log_joint(x), axis=-1)

    def responsibilities(self, x: ArrayLike) -> NDArray:
        r"""Posterior of the component, :math:`p(z = n \mid x) = p(x, z = n) / p(x)`.

        x (...) to (..., N); every row sums to one, however far x lies from the components.

        Raises
        ------
        ValueError
            If x lies so far out that its log-density leaves the range of a float (about 1e154
            standard deviations).
        """
        return self._e_step(x)[0]

    def _e_step(self, x: ArrayLike) -> tuple[NDArray, NDArray]:
        """The responsibilities, and log p(x)."""
        log_joint = self.log_joint(x)
        largest = log_joint.max(axis=-1, keepdims=True)
        require_density(x, largest)
        relative = np.exp(log_joint - largest)
        total = relative.sum(axis=-1, keepdims=True)
        return relative / total, (largest + np.log(total))[..., 0]

    def sample(self, n: int, *, rng: np.random.Generator) -> tuple[NDArray, NDArray]:
        """Ancestral sampling: first the component z, then x given z; returns x and z, both (n,)."""
        n = require_count("n", n, at_least=0)
        z = require_generator(rng).choice(self.n_components, size=n, p=self.weights)
        x = self.means[z] + self.stds[z] * rng.standard_normal(n)
        return x, z

    def em_step(self, x: ArrayLike, *, min_std: float = 0.0) -> "GaussianMixture":
        r"""One step of expectation maximisation: the next mixture, never less likely on x.

        E-step: the responsibilities :math:`r_{in}` under the present parameters. M-step:

        .. math:: \lambda_n = \frac{1}{I} \sum_i r_{in}, \qquad
                  \mu_n = \frac{\sum_i r_{in} x_i}{\sum_i r_{in}}, \qquad
                  \sigma_n^2 = \frac{\sum_i r_{in} (x_i - \mu_n)^2}{\sum_i r_{in}}

        x is (I,), and no :math:`\sigma_n` falls below ``min_std``.
        """
        return self._em_step(_require_data(x), require_number("min_std", min_std))[0]

    def _em_step(self, x: NDArray, min_std: float) -> tuple["GaussianMixture", NDArray]:
        r, log_px = self._e_step(x)  # (I, N), (I,)
        size = r.sum(axis=0)
        alive = size > 0  # a component that no point chooses keeps its place, with weight 0
        share = r / np.where(alive, size, 1.0)
        means = np.where(alive, share.T @ x, self.means)
        stds = np.sqrt((share * (x[:, None] - means) ** 2).sum(axis=0))
        stds = np.maximum(np.where(alive, stds, self.stds), min_std)
        if not stds.all():
            raise ValueError(
                f"Component {stds.argmin()} has shrunk onto x = {means[stds.argmin()]:.6g}, where "
                f"the likelihood has no maximum; min_std is {min_std:g}: give one above zero."
            )
        return GaussianMixture(size / x.size, means, stds), log_px

    @classmethod
    def fit(
        cls,
        x: ArrayLike,
        n_components: int,
        *,
        rng: np.random.Generator | None = None,
        n_starts: int = 1,
        start: "GaussianMixture | None" = None,
        tolerance: float = 1e-7,
        min_std: float | None = None,
    ) -> tuple["GaussianMixture", NDArray]:
        r"""Maximum likelihood by expectation maximisation (EM).

        Starts from means spread over the data (k-means++ draws) with equal weights and one common
        standard deviation, and steps until the log-likelihood gains less than ``tolerance`` nats
        per data point. That is a local maximum; of several starts the highest end is kept. A fit
        that needs more than 5000 steps stops there and warns.

        The likelihood has no maximum if a component may shrink onto one point, so no standard
        deviation goes below ``min_std``, and a warning tells which component lies on that floor.

        Parameters
        ----------
        x : array_like, (I,)
            Data.
        n_components : int
            At most the number of distinct values in x.
        rng : numpy.random.Generator
            For the starts; not needed where ``start`` is the only one.
        n_starts : int
        start : GaussianMixture, optional
            The first start, in place of a drawn one.
        tolerance : float
        min_std : float, optional
            Default: 1e-3 times the length of the shortest interval that holds one in 4 N of the
            distinct values, so that neither an outlier nor a second cluster far away raises it.

        Returns
        -------
        mixture : GaussianMixture
        log_likelihoods : ndarray
            Total log-likelihood of x in nats, at the start and after each step; never falls
            (but for rounding).

        Raises
        ------
        ValueError
            If x is not one-dimensional and finite, or has fewer distinct values than components.

        Source: chapter "mixture-of-gaussians"; as ascent of a bound, "evidence-lower-bound".
        """
        x = _require_data(x)
        n_components = require_count("n_components", n_components, at_least=1)
        n_starts = require_count("n_starts", n_starts, at_least=1)
        tolerance = require_number("tolerance", tolerance)
        distinct = np.unique(x)
        if distinct.size < max(2, n_components):
            raise ValueError(
                f"x has {distinct.size} distinct values, expected at least {max(2, n_components)} "
                f"for n_components = {n_components}; use fewer components or more data."
            )
        if min_std is None:
            n_held = max(1, distinct.size // (4 * n_components))
            min_std = 1e-3 * (distinct[n_held:] - distinct[:-n_held]).min()
        min_std = require_number("min_std", min_std)
        require_positive(min_std=min_std)
        if start is not None and (not isinstance(start, cls) or start.n_components != n_components):
            raise ValueError(
                f"start is {start!r}, expected a GaussianMixture of {n_components} components; "
                "make one from weights, means and stds."
            )
        starts = [] if start is None else [start]
        while len(starts) < n_starts:
            starts.append(cls(*_spread_start(x, n_components, min_std, require_generator(rng))))

        fits = [_climb(start, x, min_std, tolerance * x.size) for start in starts]
        mixture, log_likelihoods, settled = max(fits, key=lambda fit: fit[1][-1])
        on_floor = np.flatnonzero(mixture.stds <= min_std)
        if on_floor.size:
            warnings.warn(
                f"Component {on_floor[0]} has shrunk onto the floor min_std = {min_std:.3g} around "
                f"x = {mixture.means[on_floor[0]]:.6g}: the likelihood has no maximum there; use "
                "fewer components, more data or another rng.",
                RuntimeWarning,
                stacklevel=2,
            )
        if not settled:
            warnings.warn(
                f"The fit stopped after {_MAX_STEPS} steps while the log-likelihood still grew; "
                "give a larger tolerance, or this mixture as start.",
                RuntimeWarning,
                stacklevel=2,
            )
        return mixture, log_likelihoods


def _climb(
    mixture: GaussianMixture, x: NDArray, min_std: float, least_gain: float
) -> tuple[GaussianMixture, NDArray, bool]:
    """EM from one start: the mixture, its path, and whether the last step gained too little."""
    path: list[float] = []
    while True:
        after, log_px = mixture._em_step(x, min_std)
        path.append(log_px.sum())
        settled = len(path) > 1 and path[-1] - path[-2] < least_gain
        if settled or len(path) > _MAX_STEPS:
            return mixture, np.array(path), settled
        mixture = after


def _require_data(x: ArrayLike) -> NDArray:
    (x,) = require_finite(x=x)
    if x.ndim != 1 or x.size == 0:
        raise ValueError(f"x has shape {x.shape}, expected (I,) with I at least 1; pass x.ravel().")
    return x.astype(float)


def _spread_start(
    x: NDArray, n_components: int, min_std: float, rng: np.random.Generator
) -> tuple[NDArray, NDArray, NDArray]:
    """Weights, means and stds to start from: each mean is a data point, likely a far one."""
    means = [rng.choice(x)]
    distance2 = (x - means[0]) ** 2
    while len(means) < n_components:
        means.append(rng.choice(x, p=distance2 / distance2.sum()))
        distance2 = np.minimum(distance2, (x - means[-1]) ** 2)
    std = max(np.sqrt(distance2.mean()), min_std)
    return np.full(n_components, 1 / n_components), np.array(means), np.full(n_components, std)
