"""Explorer ``evidence-budget``: what an image costs in nats, for recorded trainings on MNIST."""

import functools
from typing import ClassVar

import numpy as np
from traitlets import default

from vaebook import figures
from vaebook.explorers.base import Explorer
from vaebook.explorers.controls import Choice, Ladder, Readout, Slider
from vaebook.explorers.words import fill
from vaebook.figures.style import band
from vaebook.results import mnist_epochs, mnist_runs
from vaebook.results.mnist_epochs import LEVELS
from vaebook.results.mnist_runs import N_IMAGES, N_IMPORTANCE, SAMPLES, Curve

_TRAINING = "Training, mean of the epoch"
_ALL = "All test images"
_IMAGES = f"{N_IMAGES:,} test images, at the end"
_SHOWN = (
    "normal-180s-seed1", "flow-180s-seed1", "mnist-cpu-480s-seed1", "mnist-cpu-weighted-480s-seed1",
    "flow-480s-seed1", "mnist-cpu-2400s-seed1",
)  # fmt: skip


@functools.cache
def runs():
    """Return the trainings on show by name, one of each kind, first the one with pictures."""
    recorded = {run.name: run for run in mnist_runs.load()}
    pictured = mnist_epochs.load().run
    return {pictured.name: pictured} | {name: recorded[name] for name in _SHOWN}


def kinds():
    """Return what tells each training from the others, in fewer words than its label."""
    words = {name: run.label.split(", ") for name, run in runs().items()}
    return {name: ", ".join([time, *kind]) for name, (time, _, *kind, _) in words.items()}


class EvidenceBudget(Explorer):
    """Recorded trainings: the cost of an image by epoch, and how more samples lower it.

    A cost is minus a bound, in nats: -ELBO = (-reconstruction) + KL. The importance-weighted bound
    of ``k`` samples costs less, and the more samples, the nearer it comes to -log p(x).
    ``progress`` is the part of the training's epochs that are over, in percent. Of the first run
    there are pictures, of the epoch or the last one before it of which they were kept.

    Source: chapter "training-a-vae".
    """

    name = "evidence-budget"
    title = "What an image costs, in nats"
    size = (6.4, 6.8)

    run = Choice(None, lambda: {name: one.label for name, one in runs().items()}, label="run")
    progress = Slider(50, 0, 100, step=5, fine=1, play=6, label="training", unit="%", role="bound")
    k = Ladder(50, SAMPLES, label="samples", symbol="K", role="p")

    shown = (
        Readout("epoch", "epoch", digits=0, group=_TRAINING),
        Readout("seconds", "seconds", digits=0, group=_TRAINING),
        Readout("reconstruction", "reconstruction", digits=2, group=_TRAINING, role="c1"),
        Readout("kl", "+ KL to the prior", digits=2, group=_TRAINING),
        Readout("cost", "training −ELBO", digits=2, role="bound"),
        Readout("validation", "validation −ELBO", digits=2, group=_TRAINING),
        Readout("test_reconstruction", "reconstruction", digits=2, group=_IMAGES, role="c1"),
        Readout("test_kl", "+ KL to the prior", digits=2, group=_IMAGES),
        Readout("test_cost", "test −ELBO", digits=2, role="bound"),
        Readout("rise", "− rise with K samples", digits=2, group=_IMAGES, role="gap"),
        Readout("test_bound", "test −bound, K samples", digits=2, role="p"),
        Readout("se", "standard error of −bound", digits=2, group=_IMAGES),
        Readout("rise_se", "standard error of the rise", digits=2, group=_IMAGES),
        Readout("nll", f"−bound, K = {N_IMPORTANCE:,}", digits=2, group=_ALL, role="p"),
        Readout("nll_se", "standard error", digits=2, group=_ALL),
    )

    text: ClassVar = {
        "note": "Drag through the training, then take more samples K: the same images cost less. "
        "Pictures (MNIST, CC BY-SA 3.0) were kept only for the first run in the list.",
        "reconstructions": "reconstructions",
        "samples": "samples",
        "none_kept": "none kept",
        "pictures_kept": "After epoch {kept:0}: four test images of MNIST above their "
        "reconstructions, and eight samples from the prior.",
        "pictures_none": "Pictures were kept only for the first run in the list: {pictured}.",
        "nats_axis": "nats per image",
        "samples_axis": "samples K",
        "kl": "KL",
        "cost": "−ELBO",
        "validation": "validation",
        "bound": "−bound",
        "all_images": "all test images",
        "bar_bound": "−bound, K = {k:0}",
        "bar_rise": "rise {rise}",
        "consequence": "at epoch {epoch:0} an image costs {cost} nats, reconstruction "
        "{reconstruction} and KL {kl}; after the whole training test images cost {test_cost}, and "
        "{test_bound} by the bound with K = {k:0}",
        "pictures": "{pictures}",
        "training_description": "Training of {run}: reconstruction and KL stacked over {epochs:0} "
        "epochs. At epoch {epoch:0} they are {reconstruction} and {kl}, in all {cost} nats; "
        "validation images cost {validation}.",
        "importance_description": "Minus the importance-weighted bound over K from 1 to {draws:0}: "
        "it falls from {test_cost} to {least} nats. At K = {k:0} it is {test_bound}, with a "
        "standard error of {se}. Thin lines: the other trainings, {others}.",
        "budget_description": "Two bars as long as the test cost {test_cost}: reconstruction "
        "{test_reconstruction} and KL {test_kl}; below, the bound with K = {k:0}, {test_bound}, "
        "and how far it rises above the ELBO, {rise}.",
        "table_caption": "All trainings, at this part of their epochs and for this K; nats",
        "table_run": "training",
        "table_test": "test −ELBO",
        "table_bound": "test −bound",
    }
    described = (
        "training_description", "pictures", "importance_description", "budget_description",
    )  # fmt: skip

    @default("run")
    def _with_pictures(self):
        return mnist_epochs.load().run.name

    def row(self, run):
        """Return the row of a run's curve that ``progress`` points at."""
        return int(np.floor(self.progress / 100 * (len(run.curve.epoch) - 1) + 0.5))

    def kept(self):
        """Return the place of the epoch with pictures at the point on show; None if there is none.

        It is a place in ``mnist_epochs.load().epochs``.
        """
        pictured, run = mnist_epochs.load(), runs()[self.run]
        if run is not pictured.run:
            return None
        return int(np.searchsorted(pictured.epochs, run.curve.epoch[self.row(run)], "right")) - 1

    def tables(self):
        """Return curves and bounds of every run, and pictures with two pixels in a byte."""
        pictured = mnist_epochs.load()
        images = [pictured.originals, *pictured.reconstructions, *pictured.samples]
        levels = np.concatenate(images) // (255 // (LEVELS - 1))
        tables = {"samples": np.array(SAMPLES), "importance": N_IMPORTANCE, "kinds": kinds()}
        tables |= {"pictured": pictured.run.name, "kept": pictured.epochs.tolist()}
        tables["pictures"] = levels[:, ::2] * LEVELS + levels[:, 1::2]
        for run in runs().values():
            fields = {name: getattr(run.curve, name) for name in Curve._fields if name != "elbo"}
            fields |= {name: getattr(run.importance, name) for name in ("bound", "se", "rise_se")}
            fields |= {"test_kl": run.importance.kl, "nll": run.test.nll, "nll_se": run.test.nll_se}
            tables |= {f"{run.name} {name}": value for name, value in fields.items()}
        return tables

    def compute(self):
        """Return the costs at the epoch and for the samples on show."""
        run = runs()[self.run]
        curve, at = run.curve, self.row(run)
        bounds, rung = run.importance, SAMPLES.index(self.k)
        return {
            "epoch": curve.epoch[at],
            "seconds": curve.seconds[at],
            "reconstruction": -curve.reconstruction[at],
            "kl": curve.kl[at],
            "cost": curve.kl[at] - curve.reconstruction[at],
            "validation": -curve.validation_elbo[at],
            "test_reconstruction": -bounds.bound[0] - bounds.kl,
            "test_kl": bounds.kl,
            "test_cost": -bounds.bound[0],
            "rise": bounds.bound[rung] - bounds.bound[0],
            "test_bound": -bounds.bound[rung],
            "se": bounds.se[rung],
            "rise_se": bounds.rise_se[rung],
            "nll": run.test.nll,
            "nll_se": run.test.nll_se,
        }

    def blanks(self):
        """Return also the run's words and last epoch, and the most samples and what they reach."""
        run, pictured, kept = runs()[self.run], mnist_epochs.load(), self.kept()
        blanks = super().blanks() | {
            "run": run.label,
            "epochs": run.curve.epoch[-1],
            "draws": SAMPLES[-1],
            "least": -run.importance.bound[-1],
            "others": "; ".join(kind for name, kind in kinds().items() if name != self.run),
            "pictured": pictured.run.label,
            "kept": None if kept is None else pictured.epochs[kept],
        }
        words = self.text["pictures_none" if kept is None else "pictures_kept"]
        return blanks | {"pictures": fill(words, blanks)}

    def paint(self, fig):
        """Draw the training's costs and pictures, the bound over K, and the budget."""
        run, at, kept = runs()[self.run], self.compute(), self.kept()
        curve, bounds, pictured = run.curve, run.importance, mnist_epochs.load()
        parts = fig.subplot_mosaic("ab;cc;dd", height_ratios=[2.2, 1.6, 1], width_ratios=[1.25, 1])
        left, shown, right, budget = parts.values()
        figures.plot_cost(
            curve.epoch, curve.reconstruction, curve.kl, curve.validation_elbo, ax=left
        )
        left.plot([at["epoch"]] * 2, [0, at["cost"]], color=figures.COLOURS["ink"], linewidth=1)
        shown.set_axis_off()
        if kept is not None:
            rows = pictured.originals, pictured.reconstructions[kept], pictured.samples[kept]
            images = np.concatenate(rows).reshape(-1, 28, 28)
            figures.show_images(images, len(pictured.originals), ax=shown)
        thin = figures.role_line("muted") | {"linewidth": 1}
        for one in runs().values():
            if one is not run:
                right.plot(bounds.samples, -one.importance.bound, **thin)
        right.lines[0].set_label("other runs")
        cost, colour = -bounds.bound, figures.COLOURS["p"]
        band(right, bounds.samples, cost - bounds.se, cost + bounds.se, "p", 0.12, "standard error")
        right.plot(bounds.samples, cost, "o-", color=colour, markersize=3, label=r"$-$bound")
        right.plot(self.k, at["test_bound"], "o", color=colour, markersize=7)
        right.set(xlabel="samples $K$", ylabel="nats per image", xscale="log")
        right.set_xlim(bounds.samples[0], bounds.samples[-1])
        right.legend()
        figures.plot_budget(-at["test_reconstruction"], at["test_kl"], at["rise"], ax=budget)
