r"""Probability flows: a velocity carries noise to data, :math:`dz/dt = v(z, t)` for t from 0 to 1.

The straight line from noise to a data point, :math:`z_t = (1 - t)\,\epsilon + t\,x`, has the
velocity :math:`x - \epsilon`. Where many such lines cross, the mean of their velocities carries
N[0, I] at t = 0 to the distribution of the data at t = 1:

.. math:: v(z, t) = E[x - \epsilon \mid z_t = z] = \frac{E[x \mid z_t = z] - z}{1 - t}

Nothing here needs PyTorch; ``vaebook.vae.flow_matching`` learns velocities.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vaebook.arguments import require_count
from vaebook.mixture import GaussianMixture


def euler_path(velocity: Callable[[Any, float], Any], start: Any, n_steps: int) -> list:
    """Follow a velocity from t = 0 to t = 1 in equal straight steps.

    Parameters
    ----------
    velocity : function of z (..., D) and the number t, which returns (..., D)
    start : ndarray or Tensor, (..., D)
        Where the paths begin: standard normal noise.
    n_steps : int

    Returns
    -------
    list of the ``n_steps + 1`` places on the way, each like ``start``.

    Source: chapter "where-vaes-went", eq-epilogue-euler.
    """
    path = [start]
    for k in range(require_count("n_steps", n_steps, at_least=1)):
        path.append(path[-1] + velocity(path[-1], k / n_steps) / n_steps)
    return path


def mixture_velocity(mixture: GaussianMixture) -> Callable[[ArrayLike, float], NDArray]:
    r"""Return the exact velocity for data from a mixture of Gaussians on the line.

    Given its component, :math:`z_t` is Gaussian with mean :math:`t\,m_n` and variance
    :math:`(1 - t)^2 + t^2 s_n^2`. So its responsibilities weigh the posterior means of x:

    .. math:: E[x \mid z_t = z] = \sum_n r_n \Big( m_n
              + \frac{t\,s_n^2\,(z - t\,m_n)}{(1 - t)^2 + t^2 s_n^2} \Big)

    Parameters
    ----------
    mixture : GaussianMixture

    Returns
    -------
    function of z (n,) and a number t from 0 to below 1, which returns (n,).

    Source: chapter "where-vaes-went", eq-epilogue-mean.
    """

    def velocity(z, t):
        means, variances = mixture.means, mixture.stds**2
        variances_t = (1 - t) ** 2 + t**2 * variances
        at_t = GaussianMixture(mixture.weights, t * means, np.sqrt(variances_t))
        x = means + t * variances * (np.asarray(z)[:, None] - t * means) / variances_t  # (n, N)
        return ((at_t.responsibilities(z) * x).sum(-1) - z) / (1 - t)

    return velocity
