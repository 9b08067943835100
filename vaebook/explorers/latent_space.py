"""Explorer ``latent-space``: the plane of a trained VAE, its decoder, and digits drawn by hand."""

from typing import Any, ClassVar

import numpy as np
from scipy.special import expit

from vaebook import figures
from vaebook.explorers.base import Explorer
from vaebook.explorers.controls import Choice, ControlError, Count, Hidden, Readout, Slider
from vaebook.explorers.handwriting import HEIGHT, PAD, PEN, examples, image_of
from vaebook.explorers.latent_plane import (
    CENTRES,
    NODES,
    SHORT,
    TILES,
    WEIGHTS,
    density,
    drawn,
    encoded,
    log_bernoulli,
    manifold,
    nearest,
    path_ends,
    plane,
    prior_density,
    usual_cost,
)
from vaebook.explorers.random_numbers import standard_normal
from vaebook.explorers.words import fill
from vaebook.results import latent_space
from vaebook.results.latent_space import CELLS, SIDE

SEED = 17  # of the draws from the prior
MAX_DRAWS = 1000
STEPS = 61  # points of a path at which the densities are compared
FRAMES = 7  # images on the way
ENDS = {"start": ("from_1", "from_2"), "end": ("to_1", "to_2")}
DIGITS = {str(digit): str(digit) for digit in range(10)}
_Z: dict[str, Any] = {"low": SIDE[0], "high": SIDE[1], "step": 0.1, "more": True}


class Drawing(Hidden):
    """The strokes on the pad."""

    def validate(self, obj, value):
        """Return the strokes, or say what strokes are."""
        low, high = PAD
        try:
            strokes = [np.array(stroke, float) for stroke in value]
            fits = all(s.shape[1:] == (2,) and np.all((low <= s) & (s <= high)) for s in strokes)
        except (TypeError, ValueError):
            fits = False
        if not fits:
            form = f"strokes, each a list of points [x, y] from {low} to {high}"
            raise ControlError.of(obj, self.name, value, f"give a list of {form}, or []")
        return value


class LatentSpace(Explorer):
    """The latent plane of a VAE of drawn digits: its decoder, its data, and where there are none.

    The point z moves by hand, along a straight path, by draws from the prior, of which ``n`` were
    made, or to the code of a digit that is drawn: ``sketch`` is an example of one, or "own", whose
    strokes ``drawing`` holds, each a list of points [x, y] from 0 to 100. The path goes from the
    code of a test image of the digit ``start`` to one of the digit ``end``; where an end is moved
    by hand, its digit becomes "free". ``t`` goes from 0 to 1 and is always the place of the path
    that is nearest to z. ``behind`` says what the plane shows: where the data are, or images.

    Source: chapter "training-a-vae".
    """

    name = "latent-space"
    title = "The latent plane of a VAE, decoded"
    size = (6.4, 5.6)

    t = Slider(0.0, 0.0, 1.0, step=0.05, fine=0.01, label="path", symbol="t", role="c2")
    z1 = Slider(0.0, label="latent", symbol="z₁", **_Z)
    z2 = Slider(0.0, label="latent", symbol="z₂", **_Z)
    start = Choice("2", DIGITS | {"free": "place"}, label="from")
    end = Choice("4", DIGITS | {"free": "place"}, label="to")
    behind = Choice("density", {"density": "density", "images": "images"}, label="background")
    from_1, from_2, to_1, to_2 = (
        Slider(0.0, label=label, symbol=symbol, group="Ends of the path", role="c2", **_Z)
        for label in ("from", "to")
        for symbol in ("z₁", "z₂")
    )
    sketch = Choice(
        "none", {"none": "nothing"} | DIGITS | {"own": "your own"}, label="drawn", more=True
    )
    drawing = Drawing([])
    n = Count(0, 0, MAX_DRAWS)
    buttons = ("walk", "draw", "example", "wipe")

    shown = (
        Readout("prior", "prior", "p(z)", group="Density at z", role="p", bar=(0, 0.6)),
        Readout("aggregated", "average q", "q̄(z)", group="Density at z", role="q", bar=(0, 0.6)),
        Readout("ratio", "average q / prior", digits=2),
        Readout("ink", "expected ink", digits=1, unit="pixels", group="Decoded image"),
        Readout("entropy", "entropy", digits=1, unit="nats", group="Decoded image"),
        Readout("digit", "nearest digit", digits=0),
        Readout("distance", "distance from z", group="Nearest test image"),
        Readout("log_px_given_z", "log p(x|z)", digits=1, unit="nats", group="Nearest test image"),
        Readout("mean_1", "mean of z₁", group="q of x", role="q"),
        Readout("mean_2", "mean of z₂", group="q of x", role="q"),
        Readout("std_1", "std of z₁", group="q of x", role="q"),
        Readout("std_2", "std of z₂", group="q of x", role="q"),
        Readout("cost", "−ELBO of x", digits=1, unit="nats", group="q of x", role="bound"),
        Readout("least_ratio", "lowest ratio on path", digits=2, role="c2"),
        Readout("hole_mass", "share of the prior", group="Holes", role="p"),
    )

    text: ClassVar = {
        "walk": "Walk",
        "draw": "Sample",
        "example": "Example",
        "wipe": "Clear",
        "note": "Drag z or an end of the path. Draw a digit on the pad and see where it is placed.",
        "note_small": "Move along the path, and see what it decodes to.",
        "decoded": "decoded",
        "nearest": "nearest",
        "yours": "yours",
        "costs": "{cost:0} nats",
        "pad": "draw a digit here",
        "density_axis": "density",
        "aggregated": "q̄(z)",
        "consequence": "the average of all q is {ratio} times the prior here{hole}; the nearest "
        "test image, digit {digit:0}, is {distance} away; the pixels' entropy is {entropy:1} "
        "nats{placed}",
        "hole": ", a hole",
        "placed": "; the drawing is encoded at ({mean_1}, {mean_2}) and costs {cost:0} nats; test "
        "images cost {usual:0} on average",
        "plane_description": "The latent plane {scene}. Circles of radius 1, 2 and 3 show the "
        "prior. The point is at ({z1}, {z2}): {consequence}. A path goes from ({from_1}, {from_2}) "
        "to ({to_1}, {to_2}).",
        "scene_density": "with {count:0} encoded test images, each drawn as its digit, over the "
        "average of all q; a texture of dots marks the holes",
        "scene_images": "over the images that {tiles:0} by {tiles:0} places of it decode to; a "
        "texture of dots marks the holes, and lines part the regions in which one digit prevails: "
        "{regions}",
        "region": "{digit:0} around ({z1:1}, {z2:1})",
        "image_description": "The decoded image at ({z1}, {z2}), with {ink:0} pixels of ink, "
        "and below it {below}.",
        "below_nearest": "the nearest test image, digit {digit:0}",
        "below_yours": "the drawing as the encoder sees it",
        "strip_description": "A test image of the digit {first:0}, the nearest to the start of "
        "the path; seven images decoded along it; and a test image of the digit {last:0}, the "
        "nearest to its end. "
        "The point is at t = {t}.",
        "profile_description": "Densities along the path: the prior and the average of all q, "
        "whose ratio to the prior is {least_ratio} at its lowest.",
        "pad_description": "A pad to draw a digit on, by mouse, pen or finger; {on_pad}.",
        "pad_empty": "it is empty",
        "pad_full": "it holds a drawing (number of strokes: {strokes:0})",
        "table_caption": "At z, and along the path",
        "table_ratio": "average q / prior",
        "table_entropy": "entropy of the pixels",
    }
    described = ("plane_description", "image_description", "strip_description", "pad_description")

    def __init__(self, **values):
        # Unless told otherwise, the point is half-way on its path.
        if not {"z1", "z2", "t", "sketch", "drawing"} & values.keys():
            values["t"] = 0.5
        super().__init__(**values)

    @staticmethod
    def path(values):
        """Return the two ends of the path, each (2,)."""
        return tuple(np.array([values[name] for name in names]) for names in ENDS.values())

    @staticmethod
    def strokes(values):
        """Return the strokes on the pad, (n, 2) each; none where the pad is empty."""
        return examples().get(values["sketch"], values["drawing"])

    def constrain(self, values, moved):
        """Keep drawing, path, z and t together.

        A drawing leads z to its code, and t, like the ends, leads z along the path; z leads t to
        the nearest place. An end that was moved is no longer that of a digit.
        """
        values = dict(values)
        if "drawing" in moved and values["drawing"]:
            values["sketch"] = "own"
        elif values["sketch"] != "own":
            values["drawing"] = []
        for side, (digit, names) in enumerate(ENDS.items()):
            if values[digit] == "free":
                continue
            code = latent_space.load().codes[path_ends()[int(values[digit]), side]]
            code = dict(zip(names, code.astype(float).tolist(), strict=True))
            if code.items() <= values.items():
                continue
            values |= {digit: "free"} if moved & set(names) else code
        start, end = self.path(values)
        step = end - start
        by_hand = moved & {"z1", "z2"}
        if values["t"] != self.t and (values["z1"], values["z2"]) == (self.z1, self.z2):
            by_hand = set()  # all values came, and t is the one that changed
        if moved & {"sketch", "drawing"} and not by_hand and self.strokes(values):
            mean, *_ = encoded(image_of(self.strokes(values)))
            values |= self.inside(z1=float(mean[0]), z2=float(mean[1]))
        elif not by_hand:
            if moved & {"t", *ENDS, *ENDS["start"], *ENDS["end"]}:
                ends = np.sort([start, end], axis=0)  # rounding leads beyond neither
                z = np.clip(start + values["t"] * step, *ends)
                values |= {"z1": float(z[0]), "z2": float(z[1])}
            return values
        z = np.array([values["z1"], values["z2"]])
        t = float(np.clip((z - start) @ step / max(step @ step, 1e-12), 0, 1))
        # What comes back from a page is on the path already, up to rounding.
        return values if abs(t - values["t"]) < 1e-9 else values | {"t": t}

    def walk(self):
        """Go to the end of the path."""
        self.set(t=1.0)

    def draw(self):
        """Move z to the next draw from the prior; what lies outside the plane, to its edge."""
        n = self.inside(n=self.n + 1)["n"]
        z1, z2 = standard_normal(SEED, (n, 2))[-1]
        self.set(n=n, **self.inside(z1=z1, z2=z2))

    def example(self):
        """Put the next example of a drawn digit on the pad, after the last one the first."""
        digits = list(examples())
        at = digits.index(self.sketch) if self.sketch in digits else -1
        self.set(sketch=digits[(at + 1) % len(digits)])

    def wipe(self):
        """Empty the pad; z stays where it is."""
        self.set(sketch="none")

    def tables(self):
        """Return both networks, the densities, the test images that are shown, and examples."""
        record = latent_space.load()
        networks = {"decoder": record.decoder.table(), "encoder": record.encoder.table()}
        cells = {"aggregated": record.aggregated, "classes": record.classes, "side": SIDE}
        cells |= {"tiles": TILES, "cells": CELLS, "short": SHORT}
        images = {"codes": record.codes, "labels": record.labels.tolist()}
        images["pixels"] = np.packbits(record.pixels, axis=1)
        pad = {"examples": examples(), "pad": PAD, "pen": PEN, "height": HEIGHT}
        cost = {"nodes": NODES, "weights": WEIGHTS, "usual": usual_cost()}
        path = {"ends": path_ends().tolist(), "steps": STEPS, "frames": FRAMES}
        draws = {"seed": SEED, "max_draws": MAX_DRAWS}
        return networks | cells | images | pad | cost | path | draws

    def x(self):
        """Return the image to encode, (784,): the drawing, or else the test image nearest to z."""
        strokes = self.strokes(self.values)
        if strokes:
            return image_of(strokes)
        return latent_space.load().pixels[nearest([self.z1, self.z2])[0]]

    def compute(self):
        """Return what the decoder and the densities say at z, and the encoder of x."""
        record, z = latent_space.load(), np.array([self.z1, self.z2])
        logits = record.decoder(z)
        image, distance = nearest(z)
        start, end = self.path(self.values)
        way = start + np.linspace(0, 1, STEPS)[:, None] * (end - start)
        prior, aggregated = prior_density(z), density(plane().aggregated, z)
        mean, std, elbo = encoded(self.x())
        return {
            "prior": prior,
            "aggregated": aggregated,
            "ratio": aggregated / prior,
            "ink": expit(logits).sum(),
            "entropy": (np.logaddexp(0, logits) - logits * expit(logits)).sum(),
            "digit": record.labels[image],
            "distance": distance,
            "log_px_given_z": log_bernoulli(record.pixels[image], logits),
            "mean_1": mean[0],
            "mean_2": mean[1],
            "std_1": std[0],
            "std_2": std[1],
            "cost": -elbo,
            "least_ratio": (density(plane().aggregated, way) / prior_density(way)).min(),
            "hole_mass": plane().hole_mass,
        }

    def blanks(self):
        """Return also the words that depend on the state: of the scene, the pad, and a hole."""
        record, text = latent_space.load(), self.text
        strokes = len(self.strokes(self.values))
        first, last = (int(record.labels[nearest(end)[0]]) for end in self.path(self.values))
        regions = [
            fill(text["region"], {"digit": digit, "z1": z1, "z2": z2})
            for digit, (z1, z2) in enumerate(plane().regions.tolist())
        ]
        blanks = super().blanks() | {
            "count": len(drawn()), "tiles": TILES, "regions": ", ".join(regions),
            "first": first, "last": last, "strokes": strokes, "usual": usual_cost(),
        }  # fmt: skip
        words = {
            "hole": text["hole"] if blanks["ratio"] < SHORT else "",
            "placed": text["placed"] if strokes else "",
            "scene": text[f"scene_{self.behind}"],
            "below": text["below_yours" if strokes else "below_nearest"],
            "on_pad": text["pad_full" if strokes else "pad_empty"],
        }
        return blanks | {name: fill(template, blanks) for name, template in words.items()}

    def paint(self, fig):
        """Draw the plane with the decoded image and x, and beneath them the path."""
        record, at = latent_space.load(), self.compute()
        (above,), (below,) = fig.subfigures(2, 1, squeeze=False, height_ratios=[4.6, 1])
        parts = above.subplot_mosaic([["plane", "decoded"], ["plane", "x"]], width_ratios=[2.2, 1])
        left = parts["plane"]
        half = (CELLS // 2, 2, CELLS // 2, 2)  # four cells become one, for a smaller file
        aggregated = plane().aggregated.reshape(half).mean((1, 3))
        holes = np.where(plane().hole, plane().prior, 0).reshape(half).mean((1, 3))
        middles = CENTRES.reshape(-1, 2).mean(1)
        shown = drawn() if self.behind == "density" else []
        figures.plot_latent_plane(
            middles, aggregated, holes, record.codes[shown], record.labels[shown], ax=left
        )
        if self.behind == "images":
            left.imshow(manifold(), extent=(*SIDE, *SIDE), zorder=0.5, **figures.PRINT)
        start, end = self.path(self.values)
        colour = figures.COLOURS["c2"]
        left.plot(*np.stack([start, end]).T, "o", **figures.role_line("c2"))
        left.plot(self.z1, self.z2, "D", color=colour, markeredgecolor=figures.COLOURS["paper"])
        figures.show_pixels(expit(record.decoder([self.z1, self.z2])), ax=parts["decoded"])
        parts["decoded"].set_title("decoded from $z$", fontsize="medium")
        figures.show_pixels(self.x(), sheets=2, ax=parts["x"])
        yours = self.strokes(self.values)
        name = "your drawing" if yours else f"nearest test image: digit {at['digit']}"
        parts["x"].set_title(name, fontsize="medium")
        way = start + np.linspace(0, 1, FRAMES)[:, None] * (end - start)
        first, last = (record.pixels[nearest(place)[0]] for place in (start, end))
        images = [first, *expit(record.decoder(way)), last]
        for ax, image in zip(below.subplots(1, len(images)), images, strict=True):
            figures.show_pixels(image, sheets=2, ax=ax)
