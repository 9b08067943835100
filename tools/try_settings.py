"""Compare settings of a training on MNIST's validation images, and write every trial down.

    python tools/try_settings.py "" "prior=flow n_latent=40" --seconds 60 --seeds 1 2
    python tools/try_settings.py "architecture=residual" "architecture=perceptron" --epochs 8

A setting is a list of NAME=VALUE changes to the preset ``mnist-cpu``, in quotes; "" changes
nothing. Settings compare fairly at equal seconds on a quiet machine, or at equal epochs on a busy
one. No test image is looked at: what is compared is the mean log p(x) of the last 1,000 training
images, which no trial trains on, by 500 samples each; their mean of what training climbs stands
beside it. A trial that was run before is not run again. Each is one line of
``tools/measured/mnist-trials.jsonl``; the oldest have the bound alone.
"""

import argparse
import dataclasses
import json
import math
import sys

import torch
from environment import ROOT
from recording import circumstances, default_device

from vaebook import data
from vaebook.vae import PRESETS, log_likelihood, train
from vaebook.vae.__main__ import assignment
from vaebook.vae.objective import binarise
from vaebook.vae.training import HELD_OUT

TRIALS = ROOT / "tools" / "measured" / "mnist-trials.jsonl"


def main(arguments=None):
    """Run the trials that are missing; print all that were asked for, the best first."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--seconds", type=float, help="of each trial")
    length.add_argument("--epochs", type=int, help="of each trial")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("settings", nargs="+", metavar="SETTINGS")
    options = parser.parse_args(arguments)
    images, found = data.load("mnist", "train"), []
    for seed in options.seeds:
        for settings in options.settings:
            asked = {"settings": settings, "seed": seed}
            asked |= {"max_seconds": options.seconds, "epochs": options.epochs}
            known = [one for one in stored() if asked.items() <= one.items()]
            found.append(known[-1] if known else trial(asked, images))
    print("  log p(x)     bound")
    for one in sorted(found, key=lambda one: -one.get("log_px", one["validation_bound"])):
        print(f"{one.get('log_px', math.nan):10.2f}{one['validation_bound']:10.2f}  "
              f"{one['steps']:6d} steps  {one['seconds']:6.0f} s  seed {one['seed']}  "
              f"{one['settings'] or '(the preset)'}")  # fmt: skip
    return 0


def trial(asked, images):
    """Train once, write the trial down and return it."""
    changes = dict(assignment(word) for word in asked["settings"].split())
    length = {key: asked[key] for key in ("max_seconds", "epochs") if asked[key] is not None}
    config = dataclasses.replace(PRESETS["mnist-cpu"], seed=asked["seed"], **changes, **length)
    run = train(config, images, progress=True)
    if not run.finished:
        sys.exit("Stopped; this trial is not written down.")
    last = run.history[-1]
    result = {
        **asked,
        "log_px": round(held_out_log_px(run.model.cpu(), images), 3),
        "validation_bound": round(last.validation_bound, 3),
        "bound": round(last.bound, 3),
        "steps": run.step,
        "seconds": round(run.seconds, 1),
        "precision": run.precision,
        **circumstances(default_device()),
    }
    with open(TRIALS, "a", encoding="utf-8") as file:
        file.write(json.dumps(result) + "\n")
    return result


def held_out_log_px(model, images):
    """Return the mean log p(x) of the images that training has held out, in nats."""
    grey = torch.as_tensor(images.images[-HELD_OUT:]).flatten(1)
    generator = torch.Generator().manual_seed(0)
    x = binarise(grey, generator=generator)
    return log_likelihood(model, x, 500, generator=generator).log_px.mean().item()


def stored():
    """Return the trials that were written down."""
    lines = TRIALS.read_text("utf-8").splitlines() if TRIALS.exists() else []
    return [json.loads(line) for line in lines]


if __name__ == "__main__":
    torch.set_flush_denormal(True)
    sys.exit(main())
