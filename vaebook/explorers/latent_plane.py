"""What a VAE with two latent dimensions knows of its plane: for the explorer ``latent-space``."""

import functools
from typing import NamedTuple

import numpy as np
from scipy.interpolate import RegularGridInterpolator
from scipy.special import expit

from vaebook.gaussians import kl_normal, log_normal
from vaebook.quadrature import gauss_hermite_grid
from vaebook.results import latent_space
from vaebook.results.latent_space import EDGES, SIDE, cell_density

SHORT = 0.1  # a hole has less than this share of the prior's density
TILES = 14  # images per side of the plane that are decoded behind it
CENTRES = (EDGES[1:] + EDGES[:-1]) / 2
TILE_CENTRES = (np.arange(TILES) + 0.5) / TILES * (SIDE[1] - SIDE[0]) + SIDE[0]
NODES, WEIGHTS = gauss_hermite_grid(5)


class Plane(NamedTuple):
    """The prior and the aggregated posterior in cells, (56, 56), and which cells are holes.

    ``hole_mass`` is the share of the prior that lies in holes. ``regions`` (10, 2) is for each
    digit the middle of the densest cell in which it prevails.
    """

    prior: np.ndarray
    aggregated: np.ndarray
    hole: np.ndarray
    hole_mass: float
    regions: np.ndarray


@functools.cache
def plane():
    """Return the densities in the cells of the recorded VAE's plane."""
    record = latent_space.load()
    aggregated = record.aggregated.astype(float)
    prior = cell_density([[0.0, 0.0]], [[1.0, 1.0]])
    hole = aggregated < SHORT * prior
    hole_mass = float(prior[hole].sum() * (EDGES[1] - EDGES[0]) ** 2)
    densest = [np.where(record.classes == digit, aggregated, -1).argmax() for digit in range(10)]
    i, j = np.unravel_index(densest, aggregated.shape)
    return Plane(prior, aggregated, hole, hole_mass, np.stack([CENTRES[j], CENTRES[i]], axis=1))


@functools.cache
def path_ends():
    """Return the images from which, and to which, paths go: for each digit one, (10, 2).

    They lie nearest to the middle of their digit, the one at the start before that at the end.
    """
    record, ends = latent_space.load(), []
    for digit in range(10):
        own = np.flatnonzero(record.labels == digit)
        codes = record.codes[own].astype(float)
        far = ((codes - np.median(codes, axis=0)) ** 2).sum(-1)
        ends.append(own[np.argsort(far, kind="stable")[:2]])
    return np.array(ends)


def drawn():
    """Return the images whose digits are drawn in the plane: more would hide each other."""
    return np.flatnonzero(np.arange(len(latent_space.load().codes)) % 5 < 3)


@functools.cache
def manifold():
    """Return the images that the places of a grid decode to, side by side: bytes (392, 392)."""
    z = np.stack(np.meshgrid(TILE_CENTRES, TILE_CENTRES[::-1]), axis=-1)
    images = expit(latent_space.load().decoder(z)).reshape(TILES, TILES, 28, 28)
    tiled = images.transpose(0, 2, 1, 3).reshape(TILES * 28, TILES * 28)
    return np.rint(255 * tiled).astype(np.uint8)


def usual_cost():
    """Return minus the ELBO of the test images, their mean in nats."""
    return -latent_space.load().about["test"]["elbo"]


def nearest(z):
    """Return the test image whose code is nearest to z (2,), and its distance."""
    distance = np.hypot(*(latent_space.load().codes - np.asarray(z)).T)
    return distance.argmin(), distance.min()


def prior_density(z):
    """Return the density of the prior at places z (..., 2)."""
    return np.exp(log_normal(np.asarray(z, float), 0.0, 1.0).sum(-1))


def density(cells, z):
    """Interpolate a table of cells between their middles, at places z (..., 2)."""
    inside = np.clip(z, CENTRES[0], CENTRES[-1])
    between = RegularGridInterpolator((CENTRES, CENTRES), cells)
    return between(inside[..., ::-1]).reshape(inside.shape[:-1])


def log_bernoulli(x, logits):
    """Return log p(x|z) in nats of binary pixels x (784,), for logits (..., 784)."""
    return (x * logits - np.logaddexp(0, logits)).sum(-1)


def encoded(x):
    """Return what the encoder says of pixels x (784,): q's mean, its std, and the ELBO in nats.

    The expectation is taken over 5 by 5 places of q.
    """
    record = latent_space.load()
    mean, log_var = np.split(record.encoder(x), 2)
    std = np.exp(log_var / 2)
    eps = np.stack(np.meshgrid(NODES, NODES, indexing="ij"), axis=-1).reshape(-1, 2)
    mass = np.outer(WEIGHTS, WEIGHTS).ravel()
    reconstruction = mass @ log_bernoulli(x, record.decoder(mean + std * eps))
    return mean, std, reconstruction - kl_normal(mean, std).sum()
