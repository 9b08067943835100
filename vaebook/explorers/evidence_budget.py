"""Explorer ``evidence-budget``: what an image costs in nats, for recorded trainings on MNIST."""

import functools
from typing import ClassVar

import numpy as np
from traitlets import default

from vaebook.explorers.base import Explorer
from vaebook.explorers.controls import Choice, Ladder, Readout, Slider
from vaebook.results import mnist_runs
from vaebook.results.mnist_runs import N_IMAGES, N_IMPORTANCE, SAMPLES, Curve

_TRAINING = "Training, mean of the epoch"
_IMAGES = f"{N_IMAGES:,} test images"


@functools.cache
def runs():
    """Return the recorded trainings by name."""
    return {run.name: run for run in mnist_runs.load()}


class EvidenceBudget(Explorer):
    """Recorded trainings: the cost of an image by epoch, and how more samples lower it.

    A cost is minus a bound, in nats: -ELBO = (-reconstruction) + KL. The importance-weighted bound
    of ``k`` samples costs less, and the more samples, the nearer it comes to -log p(x).
    ``progress`` is the part of the training's epochs that are over, in percent.

    Source: chapter "training-a-vae".
    """

    name = "evidence-budget"
    title = "What an image costs, in nats"

    run = Choice(None, lambda: {name: one.label for name, one in runs().items()}, label="run")
    progress = Slider(
        50, 0, 100, step=5, fine=1, label="training", unit="%", role="bound",
    )  # fmt: skip
    k = Ladder(50, SAMPLES, label="samples", symbol="K", role="p")

    shown = (
        Readout("epoch", "epoch", "", 0, group=_TRAINING, more=True),
        Readout("seconds", "seconds", "", 0, group=_TRAINING, more=True),
        Readout("reconstruction", "reconstruction", "", 2, group=_TRAINING, role="c1", more=True),
        Readout("kl", "+ KL to the prior", "", 2, group=_TRAINING, more=True),
        Readout("cost", "training −ELBO", "", 2, role="bound"),
        Readout("validation", "validation images", "", 2, group=_TRAINING, more=True),
        Readout(
            "test_reconstruction", "reconstruction", "", 2, group=_IMAGES, role="c1", more=True
        ),
        Readout("test_kl", "+ KL to the prior", "", 2, group=_IMAGES, more=True),
        Readout("test_cost", "test −ELBO", "", 2, role="bound"),
        Readout("rise", "− rise by K samples", "", 2, group=_IMAGES, role="gap", more=True),
        Readout("test_bound", "test −bound of K", "", 2, role="p"),
        Readout("se", "standard error", "", 2, group=_IMAGES, more=True),
        Readout("rise_se", "that of the rise", "", 2, group=_IMAGES, more=True),
        Readout(
            "nll", f"−bound, K = {N_IMPORTANCE:,}", "", 2, group="All test images", role="p",
            more=True,
        ),
        Readout("nll_se", "standard error", "", 2, group="All test images", more=True),
    )  # fmt: skip

    text: ClassVar = {
        "note": "Move through the training, then take more samples K: the same image costs less.",
        "epoch_axis": "epoch",
        "nats_axis": "nats per image",
        "samples_axis": "samples K",
        "reconstruction": "reconstruction",
        "kl": "KL",
        "cost": "−ELBO",
        "validation": "validation",
        "bound": "−bound",
        "all_images": "all test images",
        "bar_reconstruction": "reconstruction",
        "bar_kl": "KL",
        "bar_bound": "−bound, K = {k:0}",
        "bar_rise": "rise {rise}",
        "consequence": "at epoch {epoch:0} an image costs {cost} nats, reconstruction "
        "{reconstruction} and KL {kl}; test images cost {test_cost}, and {test_bound} by the bound "
        "from {k:0} samples",
        "training_description": "Training of {run}: reconstruction and KL stacked over {epochs:0} "
        "epochs. At epoch {epoch:0} they are {reconstruction} and {kl}, in all {cost} nats; "
        "validation images cost {validation}.",
        "importance_description": "Minus the importance-weighted bound over K from 1 to {draws:0}: "
        "it falls from {test_cost} to {least} nats. At K = {k:0} it is {test_bound}, with a "
        "standard error of {se}. Thin lines: the other trainings.",
        "budget_description": "Two bars as long as the test cost {test_cost}: reconstruction "
        "{test_reconstruction} and KL {test_kl}; below, the bound from {k:0} samples {test_bound} "
        "and how far it rises above the ELBO, {rise}.",
        "table_caption": "All trainings, at this part of their epochs and for this K; nats",
        "table_run": "training",
        "table_test": "test −ELBO",
        "table_bound": "test −bound",
    }
    described = ("training_description", "importance_description", "budget_description")

    @default("run")
    def _longest_by_the_elbo(self):
        return max(runs().values(), key=lambda one: (one.n_importance == 1, one.seconds)).name

    def row(self, run):
        """Return the row of a run's curve that ``progress`` points at."""
        return int(np.floor(self.progress / 100 * (len(run.curve.epoch) - 1) + 0.5))

    def tables(self):
        """Return curves and bounds of every run."""
        tables = {"samples": np.array(SAMPLES), "importance": N_IMPORTANCE}
        for run in runs().values():
            fields = {name: getattr(run.curve, name) for name in Curve._fields}
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
        run = runs()[self.run]
        return super().blanks() | {
            "run": run.label,
            "epochs": run.curve.epoch[-1],
            "draws": SAMPLES[-1],
            "least": -run.importance.bound[-1],
        }

    def still(self):
        """Return the training's costs, the bound over K, and the budget of the test images."""
        from matplotlib.figure import Figure

        from vaebook import figures

        run, at = runs()[self.run], self.compute()
        curve, bounds = run.curve, run.importance
        fig = Figure(figsize=(6.4, 5.2))
        (left, right), (below, _) = fig.subplots(2, 2, height_ratios=[2.2, 1])
        fig.delaxes(fig.axes[-1])
        below.set_subplotspec(below.get_gridspec()[1, :])
        figures.plot_cost(
            curve.epoch, curve.reconstruction, curve.kl, curve.validation_elbo, ax=left
        )
        left.plot([at["epoch"]] * 2, [0, at["cost"]], color=figures.COLOURS["ink"], linewidth=1)
        others = [one.importance.bound for one in runs().values() if one is not run]
        figures.plot_importance(bounds.samples, bounds.bound, bounds.se, others, ax=right)
        right.plot(self.k, at["test_bound"], "o", color=figures.COLOURS["p"], markersize=7)
        figures.plot_budget(-at["test_reconstruction"], at["test_kl"], at["rise"], ax=below)
        return fig
