"""Explorer ``latent-space``: the plane of a trained VAE, decoded where the reader points."""

import functools
from typing import ClassVar, NamedTuple

import numpy as np
from scipy.special import expit

from vaebook.explorers.base import Explorer
from vaebook.explorers.controls import Choice, Count, Readout, Slider
from vaebook.explorers.random_numbers import standard_normal
from vaebook.gaussians import log_normal
from vaebook.results import latent_space
from vaebook.results.latent_space import CELLS, EDGES, SIDE, cell_density

SHORT = 0.1  # a hole has less than this share of the prior's density
SEED = 17  # of the draws from the prior
MAX_DRAWS = 1000
STEPS = 61  # points of a path at which the densities are compared
FRAMES = 7  # images on the way
CENTRES = (EDGES[1:] + EDGES[:-1]) / 2


class Plane(NamedTuple):
    """The prior and the aggregated posterior in cells, (56, 56), and which cells are holes.

    ``hole_mass`` is the share of the prior that lies in holes.
    """

    prior: np.ndarray
    aggregated: np.ndarray
    hole: np.ndarray
    hole_mass: float


@functools.cache
def plane():
    """Return the densities in the cells of the recorded VAE's plane."""
    aggregated = latent_space.load().aggregated.astype(float)
    prior = cell_density([[0.0, 0.0]], [[1.0, 1.0]])
    hole = aggregated < SHORT * prior
    return Plane(prior, aggregated, hole, float(prior[hole].sum() * (EDGES[1] - EDGES[0]) ** 2))


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


def prior_density(z):
    """Return the density of the prior at places z (..., 2)."""
    return np.exp(log_normal(np.asarray(z, float), 0.0, 1.0).sum(-1))


def density(cells, z):
    """Interpolate a table of cells between their middles, at places z (..., 2)."""
    place = (np.asarray(z, float) - CENTRES[0]) / (CENTRES[1] - CENTRES[0])
    place = np.clip(place, 0, CELLS - 1)
    low = np.minimum(place.astype(int), CELLS - 2)
    (j, i), (right, up) = np.moveaxis(low, -1, 0), np.moveaxis(place - low, -1, 0)
    below = cells[i, j] * (1 - right) + cells[i, j + 1] * right
    above = cells[i + 1, j] * (1 - right) + cells[i + 1, j + 1] * right
    return below * (1 - up) + above * up


DIGITS = {str(digit): str(digit) for digit in range(10)}


class LatentSpace(Explorer):
    """The latent plane of a VAE of drawn digits: its decoder, its data, and where there are none.

    The point z moves by hand, along a straight path between the codes of two test images (``t``
    goes from 0 to 1), or by draws from the prior, of which ``n`` were made. ``t`` is always the
    place of the path that is nearest to z.

    Source: chapter "training-a-vae".
    """

    name = "latent-space"
    title = "The latent plane of a VAE, decoded"

    t = Slider(
        0.0, 0.0, 1.0, step=0.05, fine=0.01, label="path", symbol="t", role="c2",
    )  # fmt: skip
    z1 = Slider(0.0, *SIDE, step=0.1, fine=0.01, label="first number", symbol="z₁", more=True)
    z2 = Slider(0.0, *SIDE, step=0.1, fine=0.01, label="second number", symbol="z₂", more=True)
    start = Choice("2", DIGITS, label="from a")
    end = Choice("4", DIGITS, label="to a")
    n = Count(0, 0, MAX_DRAWS)
    buttons = ("walk", "draw")

    shown = (
        Readout(
            "prior", "prior", "p(z)", 3, group="Density at z", role="p", bar=(0, 0.6), more=True
        ),
        Readout(
            "aggregated", "data", "q(z)", 3, group="Density at z", role="q", bar=(0, 0.6), more=True
        ),
        Readout("ratio", "data / prior", "", 2),
        Readout("ink", "expected ink", "", 1, unit="pixels", group="Decoded image", more=True),
        Readout("entropy", "entropy", "", 1, unit="nats", group="Decoded image", more=True),
        Readout("digit", "nearest image: a", "", 0),
        Readout("distance", "distance from z", "", 3, group="Nearest test image", more=True),
        Readout(
            "log_px_given_z",
            "log p(x|z)",
            "",
            1,
            unit="nats",
            group="Nearest test image",
            more=True,
        ),
        Readout("least_ratio", "least on the path", "", 2, role="c2"),
        Readout("hole_mass", "share of the prior", "", 3, group="Holes", role="p", more=True),
    )

    text: ClassVar = {
        "walk": "Walk the path",
        "draw": "Draw z",
        "note": "Drag z through the plane, or walk the path. Orange: codes of images; blue dots: "
        "holes.",
        "z1": "z₁",
        "z2": "z₂",
        "at_z": "z",
        "decoded": "decoded",
        "nearest": "nearest: a {digit:0}\n{distance} away",
        "density_axis": "density",
        "prior": "p(z)",
        "aggregated": "q(z)",
        "consequence": "data have {ratio} of the prior's density here{hole}; the nearest test "
        "image is a {digit:0}, {distance} away; the pixels' entropy is {entropy:1} nats",
        "hole": ", a hole",
        "plane_description": "The latent plane with {count:0} encoded test images, each drawn as "
        "its digit, over the density of all test images; a texture of dots marks the holes. "
        "Circles of radius 1, 2 and 3 show the prior. The point is at ({z1}, {z2}): {consequence}. "
        "A path goes from a {start} to a {end}.",
        "image_description": "The decoded image at ({z1}, {z2}), with {ink:0} pixels of ink, "
        "and beside it the nearest test image, a {digit:0}.",
        "strip_description": "A test image of a {start}, seven images decoded along the straight "
        "path, and a test image of a {end}. The point is at t = {t}.",
        "profile_description": "Densities along the path: of the prior, and of the data, which "
        "falls to {least_ratio} of the prior's.",
        "table_caption": "At z, and along the path",
        "table_ratio": "data / prior",
        "table_entropy": "entropy of the pixels",
    }
    described = ("plane_description", "image_description", "strip_description")

    def __init__(self, **values):
        # Unless told otherwise, the explorer begins where its path begins.
        if not {"z1", "z2", "t"} & values.keys():
            values["t"] = 0.0
        super().__init__(**values)

    def path(self, values):
        """Return the codes of the two test images between which the path runs, each (2,)."""
        record, ends = latent_space.load(), path_ends()
        two = ends[int(values["start"]), 0], ends[int(values["end"]), 1]
        return record.codes[list(two)].astype(float)

    def constrain(self, values, moved):
        """Keep z and t together: t leads z along the path; z leads t to the nearest place."""
        start, end = self.path(values)
        step = end - start
        if {"z1", "z2"} & moved:
            z = np.array([values["z1"], values["z2"]])
            t = float(np.clip((z - start) @ step / (step @ step), 0, 1))
            # What comes back from a page is on the path already, up to rounding.
            return values if abs(t - values["t"]) < 1e-9 else values | {"t": t}
        if {"t", "start", "end"} & moved:
            z = start + values["t"] * step
            return values | {"z1": float(z[0]), "z2": float(z[1])}
        return values

    def walk(self):
        """Go to the end of the path."""
        self.set(t=1.0)

    def draw(self):
        """Move z to the next draw from the prior; what lies outside the plane, to its edge."""
        n = self.inside(n=self.n + 1)["n"]
        z1, z2 = standard_normal(SEED, (n, 2))[-1]
        self.set(n=n, **self.inside(z1=z1, z2=z2))

    def tables(self):
        """Return the decoder, the densities, and the test images that are shown."""
        record = latent_space.load()
        return {
            "decoder": record.decoder.table(),
            "aggregated": record.aggregated,
            "codes": record.codes,
            "labels": record.labels.tolist(),
            "pixels": np.packbits(record.pixels, axis=1),
            "ends": path_ends().tolist(),
            "side": list(SIDE), "cells": CELLS, "short": SHORT, "seed": SEED,
            "max_draws": MAX_DRAWS, "steps": STEPS, "frames": FRAMES,
        }  # fmt: skip

    def compute(self):
        """Return what the decoder and the densities say at z, and the test image nearest to it."""
        record, z = latent_space.load(), np.array([self.z1, self.z2])
        logits = record.decoder(z)
        distance = np.hypot(*(record.codes - z).T)
        nearest = distance.argmin()
        start, end = self.path(self.values)
        way = start + np.linspace(0, 1, STEPS)[:, None] * (end - start)
        prior, aggregated = prior_density(z), density(plane().aggregated, z)
        return {
            "prior": prior,
            "aggregated": aggregated,
            "ratio": aggregated / prior,
            "ink": expit(logits).sum(),
            "entropy": (np.logaddexp(0, logits) - logits * expit(logits)).sum(),
            "digit": record.labels[nearest],
            "distance": distance[nearest],
            "log_px_given_z": (record.pixels[nearest] * logits - np.logaddexp(0, logits)).sum(),
            "least_ratio": (density(plane().aggregated, way) / prior_density(way)).min(),
            "hole_mass": plane().hole_mass,
        }

    def blanks(self):
        """Return also how many digits are drawn, and the word for a hole."""
        blanks = super().blanks()
        hole = self.text["hole"] if blanks["ratio"] < SHORT else ""
        return blanks | {"count": len(drawn()), "hole": hole}

    def still(self):
        """Return the plane and the decoded image, and beneath them the path."""
        from matplotlib.figure import Figure

        from vaebook import figures

        record, at = latent_space.load(), self.compute()
        fig = Figure(figsize=(6.4, 5.2))
        (above,), (below,) = fig.subfigures(2, 1, squeeze=False, height_ratios=[4, 1])
        left, right = above.subplots(1, 2, width_ratios=[1.5, 1])
        half = (CELLS // 2, 2, CELLS // 2, 2)  # four cells become one, for a smaller file
        aggregated = plane().aggregated.reshape(half).mean((1, 3))
        holes = np.where(plane().hole, plane().prior, 0).reshape(half).mean((1, 3))
        middles = CENTRES.reshape(-1, 2).mean(1)
        figures.plot_latent_plane(
            middles, aggregated, holes, record.codes[drawn()], record.labels[drawn()], ax=left
        )
        start, end = self.path(self.values)
        colour = figures.COLOURS["c2"]
        left.plot(*np.stack([start, end]).T, linestyle=figures.DASHES["c2"], color=colour)
        left.plot(self.z1, self.z2, "D", color=colour, markeredgecolor=figures.COLOURS["paper"])
        figures.show_pixels(expit(record.decoder([self.z1, self.z2])), ax=right)
        nearest = f"nearest test image: a {at['digit']}"
        right.set(title="decoded from $z$", xlabel=nearest)
        way = start + np.linspace(0, 1, FRAMES)[:, None] * (end - start)
        images = expit(record.decoder(way))
        first, last = path_ends()[int(self.start), 0], path_ends()[int(self.end), 1]
        images = [record.pixels[first], *images, record.pixels[last]]
        for ax, image in zip(below.subplots(1, len(images)), images, strict=True):
            figures.show_pixels(image, sheets=2, ax=ax)
        return fig
