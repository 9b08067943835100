"""Points in the plane for the explorer ``playground``: ready-made shapes, and their scale."""

import functools

import numpy as np

from vaebook.data import old_faithful


@functools.cache
def presets():
    """Return the points of each ready-made shape, (n, 2), about 0 with a mean square of 1."""
    rng = np.random.default_rng(0)

    def circle(turns):
        return np.stack([np.cos(np.pi * turns), np.sin(np.pi * turns)], axis=-1)

    ring = 1.4 * circle(rng.uniform(0, 2, 200)) + 0.1 * rng.standard_normal((200, 2))
    over, under = circle(rng.uniform(0, 1, 100)), circle(rng.uniform(0, 1, 100))
    moons = np.concatenate([over, [1, 0.5] - under]) + 0.07 * rng.standard_normal((200, 2))
    side = rng.integers(0, 2, 200)[:, None]
    blobs = (2 * side - 1) * [1.1, 0.66] + 0.28 * rng.standard_normal((200, 2))
    upper, lower = circle(np.linspace(0.1, 1.5, 100)), circle(np.linspace(0.5, -0.9, 100))
    letter = np.concatenate([upper + np.array([0, 1]), lower - np.array([0, 1])])
    letter += 0.06 * rng.standard_normal((200, 2))
    geyser = old_faithful()
    geyser = (geyser - geyser.mean(axis=0)) / geyser.std(axis=0)
    shapes = {"ring": ring, "moons": moons, "blobs": blobs, "s": letter, "faithful": geyser}
    shapes = {name: points - points.mean(axis=0) for name, points in shapes.items()}
    return {
        name: np.round(points / np.sqrt(np.mean(points**2)), 2) for name, points in shapes.items()
    }


def scaled(points):
    """Return the points (n, 2) about their mean in units of their spread; the mean; the spread.

    The spread is the root of the mean square over both coordinates, and at least 0.1. Sums are
    taken one after the other, as the script takes them.
    """
    points = np.asarray(points)
    centre = np.add.accumulate(points)[-1] / len(points)
    away = (points - centre) ** 2
    square = np.add.accumulate(away[:, 0] + away[:, 1])[-1]
    spread = max(np.sqrt(square / (2 * len(points))), 0.1)
    return (points - centre) / spread, centre, spread
