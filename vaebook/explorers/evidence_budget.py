"""Explorer ``evidence-budget``: what an image costs in nats, for recorded trainings on MNIST."""

import functools
import json
from dataclasses import dataclass
from importlib import resources
from typing import ClassVar, NamedTuple

import numpy as np

from vaebook.explorers.base import Explorer
from vaebook.explorers.controls import Choice, Ladder, Readout, Slider


class Curve(NamedTuple):
    """A training: one number an epoch, (T,), in nats as the mean over images.

    ``elbo``, ``reconstruction`` and ``kl`` are over the training images as they were met;
    ``validation_elbo`` is at the epoch's end. Of a long training about sixty epochs are kept.
    """

    epoch: np.ndarray
    seconds: np.ndarray
    elbo: np.ndarray
    reconstruction: np.ndarray
    kl: np.ndarray
    validation_elbo: np.ndarray


class TestNumbers(NamedTuple):
    """Means over all test images, in nats; ``nll`` is -log p(x) from ``importance`` samples.

    ``elbo = reconstruction - kl``; ``nll_se`` is the standard error over images.
    """

    nll: float
    nll_se: float
    elbo: float
    reconstruction: float
    kl: float
    images: int
    importance: int


class ImportanceCurve(NamedTuple):
    """The importance-weighted bound for several numbers of samples, (M,), in nats.

    ``bound`` is the mean over ``images`` test images, drawn once at random, the same for every
    run; ``se`` is its standard error. ``rise`` is bound minus ELBO and ``rise_se`` its standard
    error, which is much smaller: an easy image is easy for every number of samples.
    An image has ``draws`` samples for every number: one group of 5,000, or 5,000 groups of one.
    ``kl`` is the ELBO's KL term over the same images.
    """

    samples: np.ndarray
    bound: np.ndarray
    se: np.ndarray
    rise: np.ndarray
    rise_se: np.ndarray
    kl: float
    images: int
    draws: int


@dataclass(frozen=True)
class RecordedRun:
    """A training on MNIST that was run and evaluated once, with what it takes to repeat it.

    ``binarisation`` is "dynamic" or "fixed"; ``n_importance`` above 1 means that the
    importance-weighted bound of that many samples was climbed in place of the ELBO. ``seconds``
    are those of the training, by the clock.
    """

    name: str
    command: str
    seed: int
    device: str
    threads: int
    torch: str
    commit: str
    date: str
    seconds: float
    precision: str
    epochs: int
    parameters: int
    n_latent: int
    hidden: tuple[int, ...]
    binarisation: str
    n_importance: int
    curve: Curve
    test: TestNumbers
    importance: ImportanceCurve

    @property
    def label(self):
        """A few words that tell the run from the others."""
        seconds, on = self.seconds, "CPU" if "cores" in self.device else "GPU"
        time = f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
        bound = f" {self.n_importance} samples," if self.n_importance > 1 else ""
        return f"{time}, {on},{bound} seed {self.seed}"


@functools.cache
def recorded_runs():
    """Return the recorded trainings as a list of ``RecordedRun``; ``make record-runs`` writes them.

    They come in the order of their length, then of their seed.
    """
    path = resources.files("vaebook") / "results" / "mnist-runs.json"
    return [_from_json(record) for record in json.loads(path.read_text("utf-8"))]


def _from_json(record):
    """Turn one record of the file into a run whose arrays cannot be changed."""

    def arrays(values):
        found = {}
        for key, value in values.items():
            found[key] = np.array(value) if isinstance(value, list) else value
            if isinstance(value, list):
                found[key].flags.writeable = False
        return found

    return RecordedRun(
        **record
        | {
            "hidden": tuple(record["hidden"]),
            "curve": Curve(**arrays(record["curve"])),
            "test": TestNumbers(**record["test"]),
            "importance": ImportanceCurve(**arrays(record["importance"])),
        }
    )


RUNS = {run.name: run for run in recorded_runs()}
_FIRST = next(iter(RUNS.values()))
_IMAGES = f"{_FIRST.importance.images:,} test images"
_ALL = f"All {_FIRST.test.images:,} test images"


class EvidenceBudget(Explorer):
    """Recorded trainings: the cost of an image by epoch, and how more samples lower it.

    A cost is minus a bound, in nats: -ELBO = (-reconstruction) + KL. The importance-weighted bound
    of ``k`` samples costs less, and the more samples, the nearer it comes to -log p(x).
    ``progress`` is the part of the training's epochs that are over, in percent.

    Source: chapter "training-a-vae".
    """

    name = "evidence-budget"
    title = "What an image costs, in nats"

    run = Choice(
        max(RUNS.values(), key=lambda one: (one.n_importance == 1, one.seconds)).name,
        {name: one.label for name, one in RUNS.items()}, label="run",
    )  # fmt: skip
    progress = Slider(
        50, 0, 100, step=5, fine=1, label="part that is over", unit="%", group="Training",
        role="bound",
    )  # fmt: skip
    k = Ladder(
        50, _FIRST.importance.samples.tolist(), label="samples", symbol="K", group="Test",
        role="p",
    )  # fmt: skip

    shown = (
        Readout("epoch", "epoch", "", 0, group="Training, mean of the epoch"),
        Readout("seconds", "seconds", "", 0, group="Training, mean of the epoch"),
        Readout("reconstruction", "reconstruction", "", 2, group="Training, mean of the epoch",
                role="c1"),
        Readout("kl", "+ KL to the prior", "", 2, group="Training, mean of the epoch"),
        Readout("cost", "= −ELBO", "", 2, group="Training, mean of the epoch", role="bound"),
        Readout("validation", "validation images", "", 2, group="Training, mean of the epoch"),
        Readout("test_reconstruction", "reconstruction", "", 2, group=_IMAGES, role="c1"),
        Readout("test_kl", "+ KL to the prior", "", 2, group=_IMAGES),
        Readout("test_cost", "= −ELBO", "", 2, group=_IMAGES, role="bound"),
        Readout("rise", "− rise by K samples", "", 2, group=_IMAGES, role="gap"),
        Readout("test_bound", "= −bound of K", "", 2, group=_IMAGES, role="p"),
        Readout("se", "standard error", "", 2, group=_IMAGES),
        Readout("rise_se", "that of the rise", "", 2, group=_IMAGES),
        Readout("nll", f"−bound, K = {_FIRST.test.importance:,}", "", 2, group=_ALL, role="p"),
        Readout("nll_se", "standard error", "", 2, group=_ALL),
    )  # fmt: skip

    text: ClassVar = {
        "note": "Recorded trainings on MNIST. Thin lines: the other trainings; band: one standard "
        "error. A click into a chart chooses the epoch or K. Where a bound of several samples was "
        "trained, validation is that bound.",
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
        "bar_bound": "−bound, K = {k}",
        "bar_rise": "rise {rise}",
        "consequence": "at epoch {epoch} an image costs {cost} nats, reconstruction "
        "{reconstruction} and KL {kl}; test images cost {test_cost}, and {test_bound} by the bound "
        "from {k} samples",
        "training_description": "Training of {run}: reconstruction and KL stacked over {epochs} "
        "epochs. At epoch {epoch} they are {reconstruction} and {kl}, in all {cost} nats; "
        "validation images cost {validation}.",
        "importance_description": "Minus the importance-weighted bound over K from 1 to {draws}: "
        "it falls from {test_cost} to {least} nats. At K = {k} it is {test_bound}, with a standard "
        "error of {se}. Thin lines: the other trainings.",
        "budget_description": "Two bars as long as the test cost {test_cost}: reconstruction "
        "{test_reconstruction} and KL {test_kl}; below, the bound from {k} samples {test_bound} "
        "and how far it rises above the ELBO, {rise}.",
        "table_caption": "All trainings, at this part of their epochs and for this K; nats",
        "table_run": "training",
        "table_test": "test −ELBO",
        "table_bound": "test −bound",
    }

    def row(self, run):
        """Return the row of a run's curve that ``progress`` points at."""
        return int(np.floor(self.progress / 100 * (len(run.curve.epoch) - 1) + 0.5))

    def tables(self):
        """Return curves and bounds of every run."""
        tables = {"samples": _FIRST.importance.samples, "importance": _FIRST.test.importance}
        for run in RUNS.values():
            fields = {name: getattr(run.curve, name) for name in Curve._fields}
            fields |= {name: getattr(run.importance, name) for name in ("bound", "se", "rise_se")}
            fields |= {"test_kl": run.importance.kl, "nll": run.test.nll, "nll_se": run.test.nll_se}
            tables |= {f"{run.name} {name}": value for name, value in fields.items()}
        return tables

    def compute(self):
        """Return the costs at the epoch and for the samples on show."""
        run = RUNS[self.run]
        curve, at = run.curve, self.row(run)
        bounds, rung = run.importance, run.importance.samples.tolist().index(self.k)
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

    def still(self):
        """Return the training's costs, the bound over K, and the budget of the test images."""
        from matplotlib.figure import Figure

        from vaebook import figures

        run, at = RUNS[self.run], self.compute()
        curve, bounds = run.curve, run.importance
        fig = Figure(figsize=(6.4, 5.2))
        (left, right), (below, _) = fig.subplots(2, 2, height_ratios=[2.2, 1])
        fig.delaxes(fig.axes[-1])
        below.set_subplotspec(below.get_gridspec()[1, :])
        figures.plot_cost(
            curve.epoch, curve.reconstruction, curve.kl, curve.validation_elbo, ax=left
        )
        left.plot([at["epoch"]] * 2, [0, at["cost"]], color=figures.COLOURS["ink"], linewidth=1)
        others = [one.importance.bound for one in RUNS.values() if one is not run]
        figures.plot_importance(bounds.samples, bounds.bound, bounds.se, others, ax=right)
        right.plot(self.k, at["test_bound"], "o", color=figures.COLOURS["p"], markersize=7)
        figures.plot_budget(-at["test_reconstruction"], at["test_kl"], at["rise"], ax=below)
        return fig

    @property
    def alt(self):
        """The still picture in words."""
        at, run = self.compute(), RUNS[self.run]
        return (
            f"Training of {run.label}. Left: reconstruction and KL stacked over {run.epochs} "
            f"epochs; at epoch {at['epoch']} they are {at['reconstruction']:.2f} and "
            f"{at['kl']:.2f} nats. Right: minus the importance-weighted bound over the number of "
            f"samples falls from {at['test_cost']:.2f} to {-run.importance.bound[-1]:.2f} nats. "
            f"Below: the test cost {at['test_cost']:.2f} as two bars, reconstruction "
            f"{at['test_reconstruction']:.2f} and KL {at['test_kl']:.2f}, and the bound from "
            f"{self.k} samples {at['test_bound']:.2f} with its rise above the ELBO, "
            f"{at['rise']:.2f}."
        )
