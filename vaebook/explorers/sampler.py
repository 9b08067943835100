"""Explorer ``sampler``: noise follows a learned velocity through a latent plane, and is decoded."""

from typing import ClassVar

import numpy as np

from vaebook import figures
from vaebook.explorers.base import Explorer
from vaebook.explorers.controls import Count, Ladder, Readout, Slider
from vaebook.explorers.random_numbers import standard_normal
from vaebook.flows import euler_path
from vaebook.results import epilogue

SIDE = (-3.2, 3.2)  # of the plane
LIMIT = 3.0  # of the noise that a hand can choose
STEPS = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32]
MOST = 64  # steps of the path that the others are compared with
DRAWS, FRAMES = 20, 7  # ends shown, images along the path
SEEDS = 50
FIRST = standard_normal(1, 2)


def velocity(z, t):
    """Return the recorded velocity at places z (..., 2) and the time t."""
    z = np.asarray(z, float)
    return epilogue.load().plane.velocity(np.concatenate([z, np.full((*z.shape[:-1], 1), t)], -1))


def place(path, t):
    """Return where a path of equal steps is at the time t: between its points it is straight."""
    n_steps = len(path) - 1
    k = min(int(t * n_steps), n_steps - 1)
    return path[k] + (t * n_steps - k) * (path[k + 1] - path[k])


def pixels(z):
    """Return the decoded images (..., 784) of scaled places, from 0 to 1."""
    plane = epilogue.load().plane
    return np.clip(plane.decoder(np.asarray(z) / plane.scale), 0, 1)


class Sampler(Explorer):
    """The way of a sample: from noise along a learned velocity to a code, which is decoded.

    The path takes ``n`` steps of Euler; ``t`` is where on it we look. ``seed`` draws 20 starts,
    whose ends are shown, and starts the path at the first; ``eps1`` and ``eps2`` move its start.
    ``drawn`` is the seed to which they belong.

    Source: chapter "where-vaes-went", eq-epilogue-euler.
    """

    name = "sampler"
    title = "From noise to a digit"
    size = (6.4, 5.2)

    n = Ladder(1, STEPS, label="steps", symbol="n")
    t = Slider(1.0, 0.0, 1.0, step=0.05, fine=0.01, play=4, label="time", symbol="t", role="c2")
    seed = Slider(1, 1, SEEDS, step=1, label="noise seed", role="p")
    eps1 = Slider(float(FIRST[0]), -LIMIT, LIMIT, step=0.1, label="start", symbol="ε₁", more=True)
    eps2 = Slider(float(FIRST[1]), -LIMIT, LIMIT, step=0.1, label="start", symbol="ε₂", more=True)
    drawn = Count(1, 1, SEEDS)

    shown = (
        Readout("spread", "spread of the ends", digits=2, role="p"),
        Readout("error", "error of the steps", role="c2"),
        Readout("digit", "nearest digit", digits=0),
        Readout("away", "mean distance to a code", group="20 ends"),
        Readout("now1", "place at t", "z₁", group="The path", role="c2"),
        Readout("now2", "place at t", "z₂", group="The path", role="c2"),
        Readout("end1", "end", "z₁", group="The path", role="c2"),
        Readout("end2", "end", "z₂", group="The path", role="c2"),
        Readout("detour", "length / straight line", group="The path"),
        Readout("ink", "ink at t", digits=1, unit="pixels", group="Decoded image"),
    )

    text: ClassVar = {
        "note": "Raise the number of steps n. Then drag the noise ε, where the path starts, and "
        "see where it ends.",
        "noise": "ε",
        "decoded": "decoded at t",
        "frames": "decoded on the way, t = 0 to 1",
        "consequence": "at n = {n:0} the path ends nearest to the code of the digit {digit:0}, "
        "{error:3} from where 64 steps lead; the 20 ends have a spread of {spread}",
        "plane_description": "The latent plane: codes of {count:0} images, each drawn as its "
        "digit, circles of radius 1 and 2 for the noise, and 20 ends of paths as dots. One path "
        "starts at ({eps1}, {eps2}) and ends at ({end1}, {end2}): {consequence}.",
        "image_description": "The decoded image at t = {t}, with {ink:0} pixels of ink.",
        "strip_description": "Seven images decoded along the path, from noise to the digit "
        "{digit:0}.",
        "table_caption": "The path, and what lies nearest",
        "table_nearest": "nearest digit",
        "table_distance": "distance",
    }
    described = ("plane_description", "image_description", "strip_description")

    def constrain(self, values, moved):
        """Start at the first noise of a new seed."""
        if values["drawn"] == values["seed"]:
            return values
        first = np.clip(standard_normal(values["seed"], 2), -LIMIT, LIMIT).tolist()
        new = dict(zip(("eps1", "eps2"), first, strict=True))
        fresh = {name: new[name] for name in new.keys() - moved}
        return values | fresh | {"drawn": values["seed"]}

    def path(self, n=None):
        """Return the places of the path (n + 1, 2)."""
        return np.array(euler_path(velocity, np.array([self.eps1, self.eps2]), n or self.n))

    def ends(self):
        """Return where the 20 starts of the seed end, (20, 2)."""
        return euler_path(velocity, standard_normal(self.seed, (DRAWS, 2)), self.n)[-1]

    def tables(self):
        """Return the networks and the codes."""
        plane = epilogue.load().plane
        return {
            "decoder": plane.decoder.table(),
            "velocity": plane.velocity.table(),
            "scale": plane.scale,
            "codes": plane.codes.astype(float),
            "labels": plane.labels.tolist(),
            "side": list(SIDE), "limit": LIMIT, "draws": DRAWS, "frames": FRAMES,
            "most": MOST,
        }  # fmt: skip

    def compute(self):
        """Return what the path and the ends of the others say."""
        plane, path, ends = epilogue.load().plane, self.path(), self.ends()
        now, end = place(path, self.t), path[-1]
        distance = np.hypot(*(plane.codes - end).T)
        away = np.hypot(*(ends[:, None] - plane.codes).T).min(0)
        length = np.hypot(*np.diff(path, axis=0).T).sum()
        return {
            "spread": np.sqrt(((ends - ends.mean(0)) ** 2).sum(-1).mean()),
            "error": np.hypot(*(end - self.path(MOST)[-1])),
            "digit": plane.labels[distance.argmin()],
            "away": away.mean(),
            "now1": now[0], "now2": now[1], "end1": end[0], "end2": end[1],
            "detour": length / np.hypot(*(end - path[0])),
            "ink": pixels(now).sum(),
        }  # fmt: skip

    def blanks(self):
        """Return also how many codes are drawn."""
        return super().blanks() | {"count": len(shown_codes())}

    def paint(self, fig):
        """Draw the plane with the path, the decoded image, and beneath them images on the way."""
        plane, path, ends = epilogue.load().plane, self.path(), self.ends()
        colours = figures.COLOURS
        above, below = fig.subfigures(2, 1, squeeze=False, height_ratios=[4, 1])[:, 0]
        left, right = above.subplots(1, 2, width_ratios=[1.5, 1])
        for k in shown_codes():
            left.text(*plane.codes[k], plane.labels[k], fontsize=7, ha="center", va="center")
        left.plot(*ends.T, "o", color=colours["p"], markersize=4, alpha=0.7)
        left.plot(*path.T, color=colours["c2"], marker=".")
        left.plot(*path[0], "D", color=colours["c2"])
        left.set(xlim=SIDE, ylim=SIDE, aspect="equal", xlabel="$z_1$", ylabel="$z_2$")
        figures.show_pixels(pixels(place(path, self.t)), ax=right)
        right.set_title(self.text["decoded"])
        times = np.linspace(0, 1, FRAMES)
        for ax, t in zip(below.subplots(1, FRAMES), times, strict=True):
            figures.show_pixels(pixels(place(path, t)), sheets=2, ax=ax)


def shown_codes():
    """Return the rows of the codes that are drawn: every other one, and inside the plane."""
    codes = epilogue.load().plane.codes
    return np.flatnonzero((np.arange(len(codes)) % 2 == 0) & (np.abs(codes).max(1) < SIDE[1]))
