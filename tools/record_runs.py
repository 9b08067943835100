"""Evaluate the trainings of ``make bench-vae`` and store them in the package.

    python tools/record_runs.py [RUNS [RESULTS]]

RUNS is the folder of run folders (default: runs/bench), RESULTS the file of its measurements
(default: vaebook/results/vae-bench.json): the numbers of all 10,000 test images come from there.
What is added here is the importance-weighted bound for 1 to 5,000 samples, over 1,000 test images:
a minute a run, on one thread, with matrix products in bfloat16, which moves a bound by less than
0.01 nats. Needs MNIST (``VAEBOOK_DATA`` or the network). Writes
``vaebook/results/mnist-runs.json``; what was recorded before from the same measurement stays.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from vaebook import data
from vaebook.results.mnist_runs import N_IMAGES, SAMPLES
from vaebook.vae import load_run, objective
from vaebook.vae.evaluation import held_out_pixels

ROOT = Path(__file__).resolve().parent.parent
RECORD = ROOT / "vaebook" / "results" / "mnist-runs.json"
MAX_EPOCHS = 60  # rows of a curve
BLOCK, PIECE = 10, 50  # images and samples decoded at a time: 500 rows fit the cache
ABOUT = ("seed", "device", "threads", "torch", "commit", "date", "command")


def main():
    """Evaluate every run that has a measurement; store them all."""
    runs = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "runs" / "bench"
    results = Path(sys.argv[2]) if len(sys.argv) > 2 else RECORD.with_name("vae-bench.json")
    measured = {folder_of(one): one for one in json.loads(results.read_text("utf-8"))}
    pixels = held_out_pixels(torch.as_tensor(data.load("mnist", "test").images), N_IMAGES)
    records = {one["name"]: one for one in stored()}
    for folder in sorted(runs.iterdir()):
        if folder.name in measured and not is_recorded(
            records.get(folder.name), measured[folder.name]
        ):
            records[folder.name] = recorded(folder, measured[folder.name], pixels)
            store(records.values())
            print(summary(records[folder.name]), flush=True)


def folder_of(measurement):
    """Return the name of the run folder that a measurement wrote, or None."""
    words = measurement["command"].split()
    return Path(words[words.index("--out") + 1]).name if "--out" in words else None


def is_recorded(record, measurement):
    """Return whether a record is of this measurement, and as the numbers above ask for."""
    if record is None or record["importance"]["images"] != N_IMAGES:
        return False
    same = all(record[key] == measurement[key] for key in ABOUT)
    return same and record["test"]["nll"] == rounded(measurement["details"]["nll"])


def recorded(folder, measurement, pixels):
    """Return all that the book tells of a run, as plain values."""
    # The curve is that of the whole training; the weights are those that were evaluated.
    history, run = load_run(folder, best=False).history, load_run(folder)
    config, details = run.model.config, measurement["details"]
    history = with_whole_epochs(history)
    kept = np.unique(np.linspace(0, len(history) - 1, MAX_EPOCHS).round().astype(int))
    rows = [history[k]._asdict() for k in kept]
    columns = {
        "epoch": "epoch",
        "seconds": "seconds",
        "elbo": "bound",
        "reconstruction": "reconstruction",
        "kl": "kl",
        "validation_elbo": "validation_bound",
    }
    fields = ["nll", "nll_se", "elbo", "reconstruction", "kl", "images", "importance"]
    return {
        "name": folder.name,
        **{key: measurement[key] for key in ABOUT},
        "seconds": measurement["seconds"],
        "precision": details["precision"],
        "epochs": history[-1].epoch,
        "parameters": sum(p.numel() for p in run.model.parameters()),
        "n_latent": config.n_latent,
        "hidden": list(config.hidden),
        "binarisation": config.binarisation,
        "n_importance": config.n_importance,
        "curve": {key: [rounded(row[field]) for row in rows] for key, field in columns.items()},
        "test": {key: rounded(details[key]) for key in fields},
        "importance": importance_curve(run.model, pixels),
    }


def with_whole_epochs(history):
    """Count the few steps of a last epoch that the clock cut off with the epoch before it.

    Their mean is over few images: alone it would stand beside the curve.
    """
    if len(history) < 3:
        return history
    *whole, before, last = history
    steps = [before.step - whole[-1].step, last.step - before.step]
    if steps[0] == steps[1]:
        return history
    means = {
        key: np.average([getattr(before, key), getattr(last, key)], weights=steps)
        for key in ("bound", "reconstruction", "kl")
    }
    return [*whole, last._replace(epoch=before.epoch, **means)]


@torch.inference_mode()
def importance_curve(model, pixels, samples=SAMPLES, seed=1):
    """Return the importance-weighted bound for several numbers of samples, and standard errors.

    An image has as many draws as the last number. For each number they make as many groups as
    they can, and the bound is the mean over these: one group of all, or thousands of one.
    """
    generator = torch.Generator().manual_seed(seed)
    draws, bounds = samples[-1], []
    for x in model.check_data(pixels).split(BLOCK):
        eps = (model.draw_noise(PIECE, len(x), generator=generator) for _ in range(draws // PIECE))
        with torch.autocast("cpu", torch.bfloat16):
            log_w = torch.cat([model.log_weights(x, e) for e in eps]).double()  # (draws, B)
        groups = [log_w[: draws // n * n].unflatten(0, (-1, n)) for n in samples]  # (G, n, B)
        bounds.append(torch.stack([objective.log_mean_exp(g, 1).mean(0) for g in groups]))
    bounds = torch.cat(bounds, 1)  # (M, images)
    kl = objective.kl_standard_normal(*model.encoder(model.check_data(pixels))).double()
    rises = bounds - bounds[:1]
    statistics = {
        "bound": bounds.mean(1),
        "se": bounds.std(1) / len(pixels) ** 0.5,
        "rise": rises.mean(1),
        "rise_se": rises.std(1) / len(pixels) ** 0.5,
    }
    return {
        "samples": list(samples),
        **{key: [rounded(v) for v in values.tolist()] for key, values in statistics.items()},
        "kl": rounded(kl.mean().item()),
        "images": len(pixels),
        "draws": draws,
    }


def rounded(value):
    """Cut a number of nats to what its noise leaves of it."""
    return value if value is None else round(value, 4)


def summary(record):
    """Return one line about a run."""
    curve = record["importance"]
    return (
        f"{record['name']}: {record['epochs']} epochs, -log p(x) {record['test']['nll']:.2f}; "
        f"bound {curve['bound'][0]:.2f} to {curve['bound'][-1]:.2f}, "
        f"rise {curve['rise'][-1]:.2f} +- {curve['rise_se'][-1]:.2f}"
    )


def stored():
    """Return the records of the file as it is."""
    return json.loads(RECORD.read_text("utf-8")) if RECORD.exists() else []


def store(records):
    """Write all records, the shortest training first, at once and whole: one line a value."""
    order = sorted(records, key=lambda one: (round(one["seconds"], -1), one["name"]))
    lines = [
        "{\n" + ",\n".join(f" {json.dumps(k)}: {json.dumps(v)}" for k, v in one.items()) + "\n}"
        for one in order
    ]
    with tempfile.NamedTemporaryFile("w", dir=RECORD.parent, delete=False) as file:
        file.write("[\n" + ",\n".join(lines) + "\n]\n")
    os.chmod(file.name, 0o644)
    os.replace(file.name, RECORD)


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    main()
