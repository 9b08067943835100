"""Measure what training and evaluating a VAE take, against targets; record it in the package.

    python tools/bench_vae.py        all, ten minutes on two cores
    python tools/bench_vae.py usual  one part

``evaluate`` times 10,000 test images with 1,000 samples each, holds that against the seconds that
the matrix products alone would take at the rate of this machine, measured in the same minutes, and
bfloat16 against float32. ``usual`` runs the usual tutorial script beside this package. ``gpu``
trains and evaluates on a GPU. Trainings on a processor are recorded by ``record_runs.py``. Needs
MNIST (``VAEBOOK_DATA`` or the network).

Each measurement goes to ``vaebook/results/vae-bench.json`` with what it takes to repeat it, and
takes the place of an earlier one of the same name.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from vaebook import data
from vaebook.vae import Config, evaluate, load_run, train

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "vaebook" / "results" / "vae-bench.json"
RUNS = ROOT / "runs" / "bench"
GPU_TARGETS = {30: 88.5, 90: 86.0, 240: 84.8, 1200: 83.0}


def main():
    """Run the parts asked for; print the table; fail if a target is missed."""
    parts: dict[str, Callable[[], Iterable[dict]]] = {
        "evaluate": evaluate_part,
        "usual": usual_part,
        "gpu": gpu_part,
    }
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
        subprocess.run(["rm", "-r", str(out)], check=True)
    command = command_line(
        "train", "--preset", preset, "--data", "mnist", "--seed", seed, "--max-seconds", limit,
        "--out", out, "--quiet", *extra,
    )  # fmt: skip
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    wall = time.perf_counter() - start
    run = load_run(out, best=False)
    arguments = ["--images", 10_000, "--importance", 1000, "--json", "--quiet"]
    result = json.loads(
        subprocess.run(
            command_line("evaluate", out, *arguments), check=True, stdout=subprocess.PIPE
        ).stdout
    )
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
    found = {}
    for precision, target in [("float32", 90), ("bfloat16", 30)]:
        start = time.perf_counter()
        found[precision] = evaluate(
            model, images, n_importance=1000, precision=precision, generator=seeded(1)
        )
        seconds = time.perf_counter() - start
        name = f"evaluate 10,000 x 1,000, {precision}, seconds"
        result = found[precision]._asdict()
        yield record(name, target, round(seconds, 1), seconds, model=folder.name, **result)
        rate = product_rate(getattr(torch, precision))
        times = seconds * rate / (n_operations(model) * len(images) * 1000)
        name = f"evaluate, {precision}, times its products alone"
        yield record(name, 1.67, round(times, 2), seconds, operations_per_second=rate)
    change = abs(found["bfloat16"].nll - found["float32"].nll)
    yield record("bfloat16 against float32, nats", 0.02, round(change, 4), 0.0)


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


def usual_part():
    """Yield how much sooner this package reaches the loss of the usual script's tenth epoch.

    Same architecture, data and processor, one after the other. The usual script's loss takes grey
    pixels as they are; here it is also run on pixels drawn from them, as this package trains.
    """
    train_images, test_images = (
        torch.as_tensor(data.load("mnist", split).images) for split in ("train", "test")
    )
    grey = test_images.flatten(1) / 255
    tests = {"grey": grey, "drawn": torch.bernoulli(grey, generator=seeded(0))}
    usual = {}
    for kind, test in tests.items():
        usual[kind] = usual_script(train_images, test, draw=kind == "drawn")
        seconds, loss = usual[kind]
        yield record(f"usual script, {kind} pixels, test loss", None, round(loss, 2), seconds)
    fastest = min(seconds for seconds, _ in usual.values())
    for ratio in (5, 8, 12):
        config = Config(
            n_latent=20, hidden=(400,), activation="relu", gradient="path", batch_size=500,
            learning_rate=16e-3, adam_beta2=0.99, adam_epsilon=1e-4, max_gradient_norm=100.0,
            max_seconds=fastest / ratio, precision="auto",
        )  # fmt: skip
        run = train(config, train_images)
        for kind, test in tests.items():
            with torch.no_grad():
                eps = run.model.draw_noise(1, len(test), generator=seeded(0))
                loss = -run.model.elbo_at(test, eps).bound.mean().item()
            name = f"here in 1/{ratio} of the time, {kind} pixels"
            target = round(usual[kind][1], 2) if ratio == 5 else None
            yield record(name, target, round(loss, 2), run.seconds, usual_loss=usual[kind][1])


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
    change = abs(halves[0]["nll"] - halves[1]["nll"])
    yield record("gpu, bfloat16 against float32, nats", None, round(change, 3), 0.0)


# ------------------------------------------------------------------- the usual script


class UsualImages(Dataset):
    """MNIST as the usual data set gives it: one image at a time, through Pillow, as floats."""

    def __init__(self, images):
        self.images = images

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        picture = Image.fromarray(self.images[index].numpy())
        pixels = torch.from_numpy(np.array(picture, np.uint8, copy=True))
        pixels = pixels.view(picture.size[1], picture.size[0], 1).permute(2, 0, 1).contiguous()
        return pixels.to(torch.get_default_dtype()).div(255), 0


class UsualModel(nn.Module):
    """784-400-20 with ReLU, and probabilities rather than logits at the end."""

    def __init__(self):
        super().__init__()
        self.hidden_in, self.hidden_out = nn.Linear(784, 400), nn.Linear(20, 400)
        self.mean, self.log_var = nn.Linear(400, 20), nn.Linear(400, 20)
        self.pixels = nn.Linear(400, 784)

    def forward(self, x):
        hidden = functional.relu(self.hidden_in(x))
        mean, log_var = self.mean(hidden), self.log_var(hidden)
        z = mean + torch.randn_like(mean) * torch.exp(0.5 * log_var)
        return torch.sigmoid(self.pixels(functional.relu(self.hidden_out(z)))), mean, log_var


def usual_loss(model, x):
    """Sum over images of the negative bound, in nats."""
    probabilities, mean, log_var = model(x)
    reconstruction = functional.binary_cross_entropy(probabilities, x, reduction="sum")
    return reconstruction - 0.5 * torch.sum(1 + log_var - mean.pow(2) - log_var.exp())


def usual_script(images, test, *, draw):
    """Train the usual way for ten epochs; return its seconds and its test loss at the end."""
    torch.manual_seed(1)
    model = UsualModel()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loader = DataLoader(UsualImages(images), batch_size=128, shuffle=True)
    start = time.perf_counter()
    for _ in range(10):
        for batch, _label in loader:
            x = torch.bernoulli(batch.view(-1, 784)) if draw else batch.view(-1, 784)
            optimizer.zero_grad()
            loss = usual_loss(model, x)
            loss.backward()
            loss.item()  # the usual script adds it up
            optimizer.step()
    seconds = time.perf_counter() - start
    with torch.no_grad():
        return seconds, usual_loss(model, test).item() / len(test)


# ------------------------------------------------------------------- records


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def command_line(*arguments):
    """Return a command of the package as a list of words."""
    return [sys.executable, "-m", "vaebook.vae", *map(str, arguments)]


def record(name, target, found, seconds, *, command=None, seed=None, **details):
    """Return a measurement with all that it takes to repeat it."""
    words = command or [sys.executable, *sys.argv]
    plain = " ".join("python" if word == sys.executable else word for word in words)
    return {
        "name": name,
        "target": target,
        "found": found,
        "met": None if target is None else found <= target,
        "seconds": round(seconds, 1),
        "command": plain.replace(f"{ROOT}{os.sep}", ""),
        "seed": seed,
        "device": device(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "commit": commit(),
        "date": time.strftime("%Y-%m-%d"),
        "details": details,
    }


def store(new):
    """Put a record in its place in the file, at once and whole."""
    old = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else []
    kept = [one for one in old if one["name"] != new["name"]] + [new]
    with tempfile.NamedTemporaryFile("w", dir=RESULTS.parent, delete=False) as file:
        json.dump(kept, file, indent=1)
        file.write("\n")
    os.chmod(file.name, 0o644)
    os.replace(file.name, RESULTS)


def device():
    """Return the name of what a training takes by itself: the graphics card, or the processor."""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else processor()


def processor():
    """Return the processor's name, and which of its extensions matter here."""
    name, flags = platform.processor() or platform.machine(), ""
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        entries = dict(line.split(":", 1) for line in lines if ":" in line)
        entries = {key.strip(): value.strip() for key, value in entries.items()}
        name = entries.get("model name", name)
        known = [f for f in ("avx512f", "avx512_bf16", "amx_bf16") if f in entries.get("flags", "")]
        flags = " with " + ", ".join(known) if known else ""
    return f"{name}, {os.cpu_count()} cores{flags}"


def commit():
    """Return the commit of the working tree, with a mark where files differ from it."""

    def git(*words):
        return subprocess.run(
            ["git", *words], cwd=ROOT, capture_output=True, text=True, check=False
        ).stdout.strip()

    places = ["vaebook", "tools", ":!vaebook/results"]  # what this program writes is no change
    changed = git("status", "--porcelain", "--untracked-files=no", "--", *places)
    return git("rev-parse", "--short=12", "HEAD") + (" with changes" if changed else "")


if __name__ == "__main__":
    sys.exit(main())
