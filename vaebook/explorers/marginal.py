"""Explorer ``marginal``: a joint density, cut at z and at x, and the slices adding up to p(x)."""

from typing import ClassVar

import numpy as np
from scipy.special import ndtr

from vaebook.data import old_faithful
from vaebook.explorers.base import Explorer
from vaebook.explorers.controls import Readout, Slider
from vaebook.figures import COLOURS, plot_joint, role_line
from vaebook.gaussians import log_normal
from vaebook.mixture import GaussianMixture

# Short and long eruptions of Old Faithful: shares, means and standard deviations, in minutes. The
# correlation within each kind is 0.35.
SHARES = np.array([0.36, 0.64])
DURATION = GaussianMixture(SHARES, [2.05, 4.3], [0.28, 0.4])  # p(z)
WAIT = GaussianMixture(SHARES, [54.6, 80.1], [5.9, 5.9])  # p(x)
LONG = 3.1  # minutes, from which on an eruption is called long
GRID_X = np.linspace(35.0, 105.0, 141)
GRID_Z = np.linspace(1.0, 6.0, 101)
BINS = np.arange(40.0, 101.0, 3.0)


def cut_clouds(value, known, other, correlation):
    """Return means and standard deviations of the other quantity, where clouds are cut at a value.

    For values (...) the means are (..., 2); the standard deviations, everywhere the same, are (2,).
    """
    scores = (np.asarray(value)[..., None] - known.means) / known.stds
    mean = other.means + correlation * other.stds * scores
    return mean, np.sqrt(1 - correlation**2) * other.stds


def given(value, known, other, correlation):
    """Return the density of the other quantity, of two clouds that are cut at a value."""
    cut = cut_clouds(value, known, other, correlation)
    return GaussianMixture(known.responsibilities(value), *cut)


class Marginal(Explorer):
    """Old Faithful: how long an eruption lasts (z), and the wait until the next one (x).

    The joint density has two Gaussian clouds, for short and for long eruptions. A horizontal slice
    at z shows p(x|z), a vertical cut at x shows p(z|x); the slices up to z fill p(x). The
    correlation tilts both clouds and leaves p(x) and p(z) as they are.

    Source: chapter "latent-variable-models", eq-joint-product, eq-marginal-joint and eq-bayes.
    """

    name = "marginal"
    title = "A joint density, two cuts"
    size = (6.4, 5.0)

    z = Slider(4.0, 1.0, 6.0, step=0.1, label="duration", symbol="z", group="Slice", role="c2")
    x = Slider(
        80.0, 35.0, 105.0, step=1.0, fine=1.0, label="wait", symbol="x", group="Cut",
        role="posterior",
    )  # fmt: skip
    correlation = Slider(
        0.35, -0.9, 0.9, step=0.05, fine=0.01, label="tilt", symbol="ρ", group="Joint", role="p"
    )

    shown = (
        Readout("slice_mean", "mean of p(x|z)", digits=1, unit="minutes", role="c2"),
        Readout("cut_mean", "mean of p(z|x)", digits=2, unit="minutes", role="posterior"),
        Readout("long", "p(long|x)", role="posterior"),
        Readout("px_given_z", "p(x|z)", group="Where the cuts cross"),
        Readout("pz_given_x", "p(z|x)", group="Where the cuts cross"),
        Readout("joint", "p(x, z)", digits=4, group="Where the cuts cross"),
        Readout("px", "p(x)", digits=4, group="Where the cuts cross"),
        Readout("pz", "p(z)", digits=4, group="Where the cuts cross"),
        Readout("area", "area", group="Slices up to z", role="p"),
        Readout("so_far", "height at x", digits=4, group="Slices up to z", role="p"),
    )
    buttons = ("sweep",)

    text: ClassVar = {
        "sweep": "Sweep z",
        "note": "Drag the slice and the cut, or move the sliders.",
        "note_small": "Move the slider, and see which curves change.",
        "x_axis": "wait x (minutes)",
        "z_axis": "duration z (minutes)",
        "density_axis": "densities over x",
        "cut_axis": "over z",
        "slice": "p(x|z)",
        "cut": "p(z|x)",
        "marginal": "p(x)",
        "at_z": "z = {z}",
        "at_x": "x = {x:0}",
        "consequence": "given z, the mean wait is {slice_mean:1} minutes; given x, the mean "
        "duration is {cut_mean} minutes and the eruption was long with probability {long}; the "
        "slices up to z together have area {area:3}",
        "joint_description": "The joint density of duration and wait from above, two clouds with "
        "correlation {correlation} each and 272 eruptions as dots, with a horizontal slice at "
        "z = {z} and a vertical cut at x = {x:0}.",
        "cut_description": "Over the duration: p(z) with two peaks, and p(z|x), the vertical cut "
        "divided by its area.",
        "sum_description": "Over the wait: a histogram of 272 waits, p(x) with two peaks, the sum "
        "of all slices up to z as a filled area, and p(x|z), the slice divided by its area. "
        "z = {z}, x = {x:0}: {consequence}.",
        "table_caption": "Densities over the wait",
        "table_joint": "p(x, z)",
        "table_so_far": "slices up to z",
    }
    described = ("joint_description", "cut_description", "sum_description")

    def joint(self, x, z):
        """Return the joint density p(x, z), of the broadcast shape."""
        mean, std = cut_clouds(z, DURATION, WAIT, self.correlation)
        log_px_given_z = log_normal(np.asarray(x)[..., None], mean, std)
        return np.exp(DURATION.log_joint(z) + log_px_given_z).sum(-1)

    def sweep(self):
        """Add up all slices: z goes to the top."""
        self.z = type(self).z.high

    def slices_up_to_z(self, x):
        """Return the integral of p(x, z') over all z' up to z, for x (n,)."""
        mean, std = cut_clouds(x, WAIT, DURATION, self.correlation)
        return (np.exp(WAIT.log_joint(x)) * ndtr((self.z - mean) / std)).sum(-1)

    def tables(self):
        """Return where the densities are drawn, the two kinds, and the data."""
        z, x = old_faithful().T
        counts, _ = np.histogram(x, BINS)
        kinds = {
            name: {"means": kind.means.tolist(), "stds": kind.stds.tolist()}
            for name, kind in [("duration", DURATION), ("wait", WAIT)]
        }
        constants = {"shares": SHARES.tolist(), "long": LONG}
        bars = {"bins": BINS, "heights": counts / (x.size * np.diff(BINS))}
        return constants | kinds | bars | {"x": GRID_X, "z": GRID_Z, "waits": x, "durations": z}

    def compute(self):
        """Return the densities where the two cuts cross, and how far the slices fill p(x)."""
        x, z = self.x, self.z
        slice_ = given(z, DURATION, WAIT, self.correlation)
        cut = given(x, WAIT, DURATION, self.correlation)
        return {
            "slice_mean": slice_.weights @ slice_.means,
            "cut_mean": cut.weights @ cut.means,
            "px_given_z": np.exp(slice_.log_prob(x)),
            "pz_given_x": np.exp(cut.log_prob(z)),
            "long": cut.weights @ ndtr((cut.means - LONG) / cut.stds),
            "joint": self.joint(x, z),
            "px": np.exp(WAIT.log_prob(x)),
            "pz": np.exp(DURATION.log_prob(z)),
            "area": SHARES @ ndtr((z - DURATION.means) / DURATION.stds),
            "so_far": self.slices_up_to_z(x),
        }

    def paint(self, fig):
        """Draw the joint with its two cuts, p(z|x) beside it, and p(x|z) and p(x) beneath it."""
        z, x = old_faithful().T
        (joint, side), (below, corner) = fig.subplots(
            2, 2, sharex="col", sharey="row", width_ratios=(2.4, 1), height_ratios=(1.2, 1)
        )
        corner.set_axis_off()
        plot_joint(GRID_X, GRID_Z, self.joint(GRID_X[:, None], GRID_Z), ax=joint)
        joint.plot(x, z, ".", color=COLOURS["data"], markersize=2)
        joint.axhline(self.z, **role_line("c2"))
        joint.axvline(self.x, **role_line("posterior"))
        joint.set(xlabel="", ylabel="duration $z$ (minutes)")
        cut = given(self.x, WAIT, DURATION, self.correlation)
        side.plot(np.exp(DURATION.log_prob(GRID_Z)), GRID_Z, color=COLOURS["p"], label="$p(z)$")
        side.plot(np.exp(cut.log_prob(GRID_Z)), GRID_Z, label="$p(z|x)$", **role_line("posterior"))
        side.set(xlabel="densities over $z$")
        side.set_xlim(left=0)
        side.legend()
        slice_ = given(self.z, DURATION, WAIT, self.correlation)
        below.hist(x, BINS, density=True, color=COLOURS["muted"], alpha=0.3)
        below.fill_between(
            GRID_X, self.slices_up_to_z(GRID_X), color=COLOURS["p"], alpha=0.3, linewidth=0
        )
        below.plot(GRID_X, np.exp(slice_.log_prob(GRID_X)), label="$p(x|z)$", **role_line("c2"))
        below.plot(GRID_X, np.exp(WAIT.log_prob(GRID_X)), color=COLOURS["p"], label="$p(x)$")
        below.set(xlabel="wait $x$ (minutes)", ylabel="densities over $x$")
        below.set_ylim(bottom=0)
        below.legend()
