"""Train the book's runs on MNIST, evaluate them, and store them in the package.

    python tools/record_runs.py                      all: five hours on two cores
    python tools/record_runs.py normal-60s flow-60s  some, with all their seeds
    python tools/record_runs.py --rehearse           all, in seconds; stores nothing in the package

Each run has a folder under ``runs/record`` and goes through four steps: trained by the command line
under its time limit, evaluated on all 10,000 test images with 1,000 samples each, its bound for 1
to 5,000 samples taken over 1,000 of them, and pictures drawn if it is one of the longest. What a
step found is kept there. So the same command goes on where an earlier one was interrupted, and
sittings can be far apart. After each run ``vaebook/results/mnist-runs.json`` and
``mnist-pictures.npz`` are written anew; what they hold of other runs stays. Needs MNIST
(``VAEBOOK_DATA`` or the network). The settings were chosen on validation images, by
``tools/try_settings.py``.
"""

import argparse
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from environment import ROOT
from record_rate import classifier
from recording import as_typed, circumstances, command_line, default_device, replacing, write_arrays
from run_measures import importance_curve, pictures, told

from vaebook import data
from vaebook.results.mnist_runs import N_IMAGES, N_IMPORTANCE
from vaebook.vae import load_run
from vaebook.vae.evaluation import held_out_pixels
from vaebook.vae.machine import choose_threads

RECORD = ROOT / "vaebook" / "results" / "mnist-runs.json"
PICTURES = RECORD.with_name("mnist-pictures.npz")


class Plan(NamedTuple):
    """Trainings of the preset ``mnist-cpu`` for so many seconds with changed settings.

    ``goal`` is the -log p(x) in nats to reach; with ``pictures`` the first seed has some.
    """

    seconds: float
    goal: float | None
    settings: tuple[str, ...]
    seeds: tuple[int, ...] = (1, 2, 3)
    pictures: bool = False


NORMAL = ("architecture=residual", "batch_size=1000", "learning_rate=1e-2")
FLOW = (*NORMAL, "prior=flow")
WEIGHTED = ("n_importance=5", "gradient=total")
BURDA = ("hidden=200,200", "activation=tanh")  # 784-200-200-50 and back
SEVERAL = ("n_importance=5", "learning_rate=2e-3", "batch_size=250", "adam_beta2=0.999",
           "adam_epsilon=1e-8")  # fmt: skip
PLANS = {
    "mnist-cpu-60s": Plan(60, None, ()),
    "mnist-cpu-180s": Plan(180, None, ()),
    "mnist-cpu-480s": Plan(480, None, (), (1,)),
    "mnist-cpu-weighted-480s": Plan(480, None, (*WEIGHTED, "learning_rate=4e-3"), (1,)),
    "mnist-cpu-2400s": Plan(2400, None, (*SEVERAL, "gradient=total"), (1,)),
    "normal-60s": Plan(60, 86.5, NORMAL),
    "normal-180s": Plan(180, 85.0, NORMAL, pictures=True),
    "normal-480s": Plan(480, 84.2, NORMAL, pictures=True),
    "normal-weighted-180s": Plan(180, 85.0, (*NORMAL, "n_importance=2")),
    "normal-weighted-480s": Plan(480, 84.2, (*NORMAL, "n_importance=2")),
    "flow-60s": Plan(60, 84.6, FLOW),
    "flow-180s": Plan(180, 83.3, FLOW, pictures=True),
    "flow-480s": Plan(480, 82.6, FLOW, pictures=True),
    "burda-480s": Plan(480, None, BURDA, (1,), pictures=True),
    "normal-weighted-2400s": Plan(
        2400, 83.4, (*NORMAL, "hidden=500,500,500", "n_importance=5"), (1,)
    ),
}


def main():
    """Bring every run that was asked for to its end; store each as it gets there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("plans", nargs="*", metavar="PLAN", help=", ".join(PLANS))
    parser.add_argument("--rehearse", action="store_true", help="seconds a run, few images")
    options = parser.parse_args()
    if unknown := set(options.plans) - set(PLANS):
        parser.error(f"unknown: {', '.join(unknown)}; choose from {', '.join(PLANS)}")
    place = Place.rehearsal() if options.rehearse else Place.book()
    for name in options.plans or PLANS:
        for seed in PLANS[name].seeds:
            folder = place.runs / f"{name}-seed{seed}"
            if not finish(folder, PLANS[name], seed, place):
                print(f"Stopped in {folder.name}; the same command goes on from there.")
                return 130
            record = store(folder, place)
            goal = PLANS[name].goal
            print(f"{summary(record)}; goal {goal if goal is not None else '-'}", flush=True)
    return 0


class Place(NamedTuple):
    """Where runs and records lie, and how much of each run is done."""

    runs: Path
    record: Path
    pictures: Path
    images: int
    importance: int
    curve_images: int
    seconds: float | None = None  # in place of the plan's

    @classmethod
    def book(cls):
        return cls(ROOT / "runs" / "record", RECORD, PICTURES, 10_000, N_IMPORTANCE, N_IMAGES)

    @classmethod
    def rehearsal(cls):
        runs = ROOT / "runs" / "rehearsal"
        record, pictures = runs / "mnist-runs.json", runs / "mnist-pictures.npz"
        return cls(runs, record, pictures, images=100, importance=10, curve_images=20, seconds=3)


# ------------------------------------------------------------------- the steps of a run


def finish(folder, plan, seed, place):
    """Do what is left of a run, and keep what each step finds; False if its training stopped."""
    folder.mkdir(parents=True, exist_ok=True)
    seconds = place.seconds or plan.seconds
    changes = [word for setting in plan.settings for word in ("--set", setting)]
    command = command_line(
        "train", "--preset", "mnist-cpu", "--data", "mnist", "--seed", seed,
        "--max-seconds", seconds, "--out", folder, "--quiet", *changes,
    )  # fmt: skip
    about = {"seed": seed, **circumstances(default_device()), "command": as_typed(command)}
    keep(folder / "about.json", lambda: about)
    if not succeeds(command):
        return False
    keep(folder / "test.json", lambda: evaluated(folder, place))
    images = torch.as_tensor(data.load("mnist", "test").images)
    pixels = held_out_pixels(images, place.curve_images)
    keep(folder / "importance.json", lambda: importance_curve(load_run(folder).model, pixels))
    if plan.pictures and seed == plan.seeds[0] and not (folder / "pictures.npz").exists():
        shown = pictures(load_run(folder).model, pixels, judge_of_digits())
        write_arrays(folder / "pictures.npz", shown._asdict())
    return True


def judge_of_digits():
    """Train a classifier of MNIST's grey digits."""
    known = data.load("mnist", "train")
    pixels = torch.as_tensor(known.images).flatten(1).float() / 255
    return classifier(pixels, torch.as_tensor(known.labels).long(), n_classes=10)


def succeeds(command):
    """Run a training; a Ctrl-C is for it alone, since it ends with a checkpoint."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        return subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode == 0
    finally:
        signal.signal(signal.SIGINT, before)


def evaluated(folder, place):
    """Evaluate a run by the command line; return what it prints."""
    command = command_line(
        "evaluate", folder, "--images", place.images, "--importance", place.importance,
        "--json", "--quiet",
    )  # fmt: skip
    return json.loads(subprocess.check_output(command))


def keep(path, find):
    """Find something out and write it down, unless it is written there already."""
    if not path.exists():
        text = json.dumps(find())
        with replacing(path) as new:
            new.write_text(text, "utf-8")


# ------------------------------------------------------------------- the record


def store(folder, place):
    """Put a finished run into the record and its pictures beside it; return its record."""
    record = recorded(folder)
    records = {one["name"]: one for one in stored(place.record)} | {record["name"]: record}
    order = sorted(records.values(), key=lambda one: (round(one["seconds"], -1), one["name"]))
    lines = [
        "{\n" + ",\n".join(f" {json.dumps(k)}: {json.dumps(v)}" for k, v in one.items()) + "\n}"
        for one in order
    ]
    with replacing(place.record) as file:
        file.write_text("[\n" + ",\n".join(lines) + "\n]\n", "utf-8")
    if (folder / "pictures.npz").exists():
        arrays = dict(np.load(place.pictures)) if place.pictures.exists() else {}
        new = dict(np.load(folder / "pictures.npz"))
        write_arrays(place.pictures, arrays | {f"{folder.name}/{key}": new[key] for key in new})
    return record


def recorded(folder):
    """Return all that the book tells of a run, as plain values."""
    # The curve is that of the whole training; the weights are those that were evaluated.
    run = load_run(folder)._replace(history=load_run(folder, best=False).history)
    about, test, importance = (
        json.loads((folder / f"{name}.json").read_text("utf-8"))
        for name in ("about", "test", "importance")
    )
    return {"name": folder.name, **about, **told(run, test, importance)}


def summary(record):
    """Return one line about a run."""
    curve, test = record["importance"], record["test"]
    return (
        f"{record['name']}: {record['seconds']:.0f} s, {record['epochs']} epochs, "
        f"-log p(x) {test['nll']:.2f} +- {test['nll_se']:.2f} over images; "
        f"bound {curve['bound'][0]:.2f} to {curve['bound'][-1]:.2f}"
    )


def stored(path=RECORD):
    """Return the records of the file as it is."""
    return json.loads(path.read_text("utf-8")) if path.exists() else []


if __name__ == "__main__":
    torch.set_flush_denormal(True)
    choose_threads(torch.get_num_threads())
    sys.exit(main())
