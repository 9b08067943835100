"""Measure what training and evaluating a VAE take, against targets; record it.

    python tools/bench_vae.py           all, five minutes on two cores
    python tools/bench_vae.py evaluate  one part

``evaluate`` times 10,000 test images with 1,000 samples each, holds that against the seconds that
the matrix products alone would take at the rate of this machine, measured in the same minutes, and
bfloat16 against float32. ``gpu`` trains and evaluates on a GPU. Trainings on a processor are
recorded by ``record_runs.py``. Needs MNIST (``VAEBOOK_DATA`` or the network).

Each measurement goes to ``tools/measured/vae-bench.json`` with what it takes to repeat it, and
takes the place of an earlier one of the same name.
"""

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable

import torch
from environment import ROOT
from recording import as_typed, circumstances, command_line, default_device, processor, replacing
from torch import nn

from vaebook import data
from vaebook.vae import evaluate, load_run

RESULTS = ROOT / "tools" / "measured" / "vae-bench.json"
RUNS = ROOT / "runs" / "bench"
GPU_TARGETS = {30: 88.5, 90: 86.0, 240: 84.8, 1200: 83.0}


def main():
    """Run the parts asked for; print the table; fail if a target is missed."""
    parts: dict[str, Callable[[], Iterable[dict]]] = {"evaluate": evaluate_part, "gpu": gpu_part}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(parts))
    names = parser.parse_args().parts or list(parts)
    if unknown := set(names) - set(parts):
        parser.error(f"unknown: {', '.join(unknown)}; choose from {', '.join(parts)}")
    print(f"{'measured':<44}{'target':>12}{'found':>12}  {'':<5}{'seconds':>9}")
    missed = 0
    for name in names:
        for record in parts[name]():
            store(record)
            missed += record["met"] is False
            verdict = {True: "met", False: "MISSED", None: ""}[record["met"]]
            target = f"{record['target']}" if record["target"] is not None else "-"
            row = f"{record['name']:<44}{target:>12}{record['found']:>12}  {verdict:<5}"
            print(f"{row}{record['seconds']:>9.1f}", flush=True)
    return 1 if missed else 0


# ------------------------------------------------------------------- parts


def trained(name, limit, seed, target, out, preset, extra=()):
    """Train and evaluate in processes of their own; return the record."""
    if out.exists():
        shutil.rmtree(out)
    command = command_line(
        "train", "--preset", preset, "--data", "mnist", "--seed", seed, "--max-seconds", limit,
        "--out", out, "--quiet", *extra,
    )  # fmt: skip
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    wall = time.perf_counter() - start
    run = load_run(out, best=False)
    arguments = ["--images", 10_000, "--importance", 1000, "--json", "--quiet"]
    result = json.loads(subprocess.check_output(command_line("evaluate", out, *arguments)))
    images = run.step * run.model.config.batch_size
    return record(
        name, target, round(result["nll"], 2), run.seconds, command=command, seed=seed,
        wall_seconds=wall, epochs=run.history[-1].epoch, images_per_second=images / run.seconds,
        trained_in=run.precision, **result,
    )  # fmt: skip


def evaluate_part():
    """Yield the seconds of 10,000 images with 1,000 samples each, and what bfloat16 changes."""
    folder = RUNS / "mnist-cpu-60s-seed1"
    yield trained("training of 60 s", 60, 1, None, folder, "mnist-cpu")
    model = load_run(folder).model
    images = torch.as_tensor(data.load("mnist", "test").images)
    found, here = {}, {"device": processor()}
    for precision, target in [("float32", 90), ("bfloat16", 30)]:
        generator = torch.Generator().manual_seed(1)
        start = time.perf_counter()
        found[precision] = evaluate(
            model, images, n_importance=1000, precision=precision, generator=generator
        )
        seconds = time.perf_counter() - start
        name = f"evaluate 10,000 x 1,000, {precision}, seconds"
        result = {"model": folder.name, **found[precision]._asdict()}
        yield record(name, target, round(seconds, 1), seconds, **here, **result)
        rate = product_rate(getattr(torch, precision))
        times = seconds * rate / (n_operations(model) * len(images) * 1000)
        name = f"evaluate, {precision}, times its products alone"
        yield record(name, 1.67, round(times, 2), seconds, **here, operations_per_second=rate)
    change = abs(found["bfloat16"].nll - found["float32"].nll)
    yield record("bfloat16 against float32, nats", 0.02, round(change, 4), 0.0, **here)


def product_rate(dtype, size=2048):
    """Operations a second of a product of square matrices: the best of ten."""
    matrix, seconds = torch.randn(size, size, dtype=dtype), []
    for _ in range(10):
        start = time.perf_counter()
        matrix @ matrix
        seconds.append(time.perf_counter() - start)
    return 2 * size**3 / min(seconds)


def n_operations(model):
    """Return the operations of the matrix products that one sample of z takes."""
    layers = [*model.decoder.modules(), *model.prior.modules()]
    return 2 * sum(layer.weight.numel() for layer in layers if isinstance(layer, nn.Linear))


def gpu_part():
    """Yield the NLL by seconds of training on a GPU, where there is one."""
    if not torch.cuda.is_available():
        print("gpu: not run, there is none here", flush=True)
        return
    for limit, target in GPU_TARGETS.items():
        out = RUNS / f"mnist-gpu-{limit}s-seed1"
        yield trained(f"gpu {limit} s", limit, 1, target, out, "mnist-gpu")
    halves = [
        trained(
            f"gpu 60 s {p}", 60, 1, None, RUNS / f"mnist-gpu-60s-{p}", "mnist-gpu",
            ["--set", f"precision={p}"],
        )
        for p in ("float32", "bfloat16")
    ]  # fmt: skip
    yield from halves
    change = abs(halves[0]["details"]["nll"] - halves[1]["details"]["nll"])
    yield record("gpu, bfloat16 against float32, nats", None, round(change, 3), 0.0)


# ------------------------------------------------------------------- records


def record(name, target, found, seconds, *, device=None, command=None, seed=None, **details):
    """Return a measurement with all that it takes to repeat it."""
    return {
        "name": name,
        "target": target,
        "found": found,
        "met": None if target is None else found <= target,
        "seconds": round(seconds, 1),
        "command": as_typed(command or [sys.executable, *sys.argv]),
        "seed": seed,
        **circumstances(device or default_device()),
        "details": details,
    }


def store(new):
    """Put a record in its place in the file, at once and whole."""
    old = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else []
    kept = [one for one in old if one["name"] != new["name"]] + [new]
    with replacing(RESULTS) as file:
        file.write_text(json.dumps(kept, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    sys.exit(main())
