r"""Mixtures of normal densities over one variable, with a discrete latent variable z.

.. math:: p(z = n) = \lambda_n, \qquad p(x \mid z = n) = N_x[\mu_n, \sigma_n^2], \qquad
          p(x) = \sum_{n=1}^{N} \lambda_n N_x[\mu_n, \sigma_n^2]

Components are numbered from 0 in the code.
"""

import warnings
from dataclasses import dataclass

import numpy as np

from vaebook.arguments import (
    freeze,
    require_count,
    require_finite,
    require_generator,
    require_positive,
    require_weights,
)
from vaebook.gaussians import log_normal


@dataclass(frozen=True, eq=False)
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

    weights: np.ndarray
    means: np.ndarray
    stds: np.ndarray

    def __post_init__(self):
        shapes = {np.shape(self.weights), np.shape(self.means), np.shape(self.stds)}
        if len(shapes) > 1 or len(next(iter(shapes))) != 1:
            raise ValueError(
                f"weights, means and stds have shapes {np.shape(self.weights)}, "
                f"{np.shape(self.means)} and {np.shape(self.stds)}, expected (N,) each; "
                "give one number per component."
            )
        weights = require_weights(self.weights, "Mixture weights")
        freeze(self, weights=weights, means=self.means, stds=self.stds)
        require_positive(stds=self.stds)

    @property
    def n_components(self):
        """Number of components, N."""
        return self.weights.size

    @property
    def n_parameters(self):
        """Number of free parameters, 3 N - 1: the weights sum to one."""
        return 3 * self.n_components - 1

    def log_joint(self, x):
        r"""Log of :math:`p(x, z = n) = \lambda_n N_x[\mu_n, \sigma_n^2]` for every n, in nats.

        Parameters
        ----------
        x : array_like, (n,) or any shape

        Returns
        -------
        ndarray, (n, N): the shape of x and one axis for the components; ``-inf`` where a weight
        is zero.
        """
        (x,) = require_finite(x=x)
        with np.errstate(divide="ignore"):  # log 0 = -inf is meant
            return np.log(self.weights) + log_normal(x[..., None], self.means, self.stds)

    def log_prob(self, x):
        r"""Log-density :math:`\log p(x) = \log \sum_n \lambda_n N_x[\mu_n, \sigma_n^2]`, in nats.

        Parameters
        ----------
        x : array_like, (n,) or any shape

        Returns
        -------
        ndarray of the shape of x.
        """
        return np.logaddexp.reduce(self.log_joint(x), axis=-1)

    def responsibilities(self, x):
        r"""Posterior of the component, :math:`p(z = n \mid x) = p(x, z = n) / p(x)`.

        Parameters
        ----------
        x : array_like, (n,) or any shape

        Returns
        -------
        ndarray, (n, N); every row sums to one, however far x lies from the components.

        Raises
        ------
        ValueError
            If x lies so far out that its log-density leaves the range of a float (about 1e154
            standard deviations).
        """
        log_joint = self.log_joint(x)
        largest = log_joint.max(axis=-1, keepdims=True)
        if np.isneginf(largest).any():
            worst = np.max(np.abs(x))
            raise ValueError(
                f"x reaches {worst:.3g}, so far out that every component's density vanishes even "
                "in logs; rescale x."
            )
        relative = np.exp(log_joint - largest)
        return relative / relative.sum(axis=-1, keepdims=True)

    def sample(self, n, *, rng):
        """Ancestral sampling: first the component z, then x given z.

        Parameters
        ----------
        n : int
        rng : numpy.random.Generator

        Returns
        -------
        x : ndarray, (n,)
        z : ndarray of int, (n,), the component that each x came from.
        """
        n = require_count("n", n, at_least=0)
        z = require_generator(rng).choice(self.n_components, size=n, p=self.weights)
        x = self.means[z] + self.stds[z] * rng.standard_normal(n)
        return x, z

    def em_step(self, x, *, min_std=0.0):
        r"""One step of expectation maximisation: the next mixture, never less likely on x.

        E-step: the responsibilities :math:`r_{in}` under the present parameters. M-step:

        .. math:: \lambda_n = \frac{1}{I} \sum_i r_{in}, \qquad
                  \mu_n = \frac{\sum_i r_{in} x_i}{\sum_i r_{in}}, \qquad
                  \sigma_n^2 = \frac{\sum_i r_{in} (x_i - \mu_n)^2}{\sum_i r_{in}}

        Parameters
        ----------
        x : array_like, (I,)
        min_std : float
            Floor under every :math:`\sigma_n`.

        Returns
        -------
        GaussianMixture
        """
        x = _require_data(x)
        r = self.responsibilities(x)  # (I, N)
        size = r.sum(axis=0)
        alive = size > 0  # a component that no point chooses keeps its place, with weight 0
        share = r / np.where(alive, size, 1.0)
        means = np.where(alive, share.T @ x, self.means)
        stds = np.sqrt((share * (x[:, None] - means) ** 2).sum(axis=0))
        stds = np.maximum(np.where(alive, stds, self.stds), min_std)
        return GaussianMixture(size / x.size, means, stds)

    @classmethod
    def fit(cls, x, n_components, *, rng, max_steps=1000, tolerance=1e-9, min_std=None):
        r"""Maximum likelihood by expectation maximisation (EM).

        Starts from means spread over the data (k-means++ draws) with equal weights and one common
        standard deviation, and steps until the log-likelihood gains less than ``tolerance`` nats
        per data point. It finds a local maximum: another rng may find a better one.

        The likelihood has no maximum if a component may shrink onto one point, so no standard
        deviation goes below ``min_std``, and a warning tells which component lies on that floor.

        Parameters
        ----------
        x : array_like, (I,)
            Data.
        n_components : int
            At most the number of distinct values in x.
        rng : numpy.random.Generator
        max_steps : int
            A fit that needs more stops here; the length of ``log_likelihoods`` then is
            max_steps + 1.
        tolerance : float
        min_std : float, optional
            Default: 1e-3 times the standard deviation of x.

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
        require_generator(rng)
        n_components = require_count("n_components", n_components, at_least=1)
        max_steps = require_count("max_steps", max_steps, at_least=0)
        n_distinct = np.unique(x).size
        if n_distinct < max(2, n_components):
            raise ValueError(
                f"x has {n_distinct} distinct values, expected at least {max(2, n_components)} for "
                f"n_components = {n_components}; use fewer components or more data."
            )
        min_std = 1e-3 * x.std() if min_std is None else min_std
        require_positive(min_std=min_std)

        mixture = cls(*_spread_start(x, n_components, min_std, rng))
        log_likelihoods = [mixture.log_prob(x).sum()]
        for _ in range(max_steps):
            mixture = mixture.em_step(x, min_std=min_std)
            log_likelihoods.append(mixture.log_prob(x).sum())
            if log_likelihoods[-1] - log_likelihoods[-2] < tolerance * x.size:
                break
        on_floor = np.flatnonzero(mixture.stds <= min_std)
        if on_floor.size:
            warnings.warn(
                f"Component {on_floor[0]} has shrunk onto the floor min_std = {min_std:.3g} around "
                f"x = {mixture.means[on_floor[0]]:.6g}: the likelihood has no maximum there; use "
                "fewer components, more data or another rng.",
                RuntimeWarning,
                stacklevel=2,
            )
        return mixture, np.array(log_likelihoods)


def _require_data(x):
    (x,) = require_finite(x=x)
    if x.ndim != 1 or x.size == 0:
        raise ValueError(f"x has shape {x.shape}, expected (I,) with I at least 1; pass x.ravel().")
    return x.astype(float)


def _spread_start(x, n_components, min_std, rng):
    """Weights, means and stds to start from: each mean is a data point, likely a far one."""
    means = [rng.choice(x)]
    distance2 = (x - means[0]) ** 2
    while len(means) < n_components:
        means.append(rng.choice(x, p=distance2 / distance2.sum()))
        distance2 = np.minimum(distance2, (x - means[-1]) ** 2)
    std = max(np.sqrt(distance2.mean()), min_std)
    return np.full(n_components, 1 / n_components), np.array(means), np.full(n_components, std)
