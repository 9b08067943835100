"""The command line on small made-up images, for tests that kill it: python vae_child.py train ...

``VAE_CHILD_HANG=save`` makes every checkpoint hang after it says so, ``VAE_CHILD_HANG=step`` slows
each step down.
"""

import os
import sys
import time
from types import SimpleNamespace

import numpy as np


def images(n, seed=0, side=6):
    """Grey images of a few smooth kinds: bytes (n, side, side), with plain 0 and 255 among them."""
    rng = np.random.default_rng(seed)
    places = np.linspace(-1, 1, side)
    slope, shift = rng.uniform(-3, 3, (2, n, 1, 1))
    heights = np.tanh(4 * (places[:, None] - slope * places + shift))
    return np.rint(127.5 * (1 + heights)).astype(np.uint8)


def load(_name, split, *, root=None):
    """Stand in for ``data.load``."""
    return SimpleNamespace(images=images({"train": 330, "valid": 30, "test": 60}[split]))


def hang(*_arguments):
    print("hanging", flush=True)
    time.sleep(120)


if __name__ == "__main__":
    from vaebook import data
    from vaebook.vae import training
    from vaebook.vae.__main__ import main

    data.load = load
    if os.environ.get("VAE_CHILD_HANG") == "save":
        training.Trainer.save = hang
    if os.environ.get("VAE_CHILD_HANG") == "step":
        take_step = training.Trainer.take_step

        def slow_step(trainer, **options):
            print("step", trainer.step, flush=True)
            time.sleep(0.02)
            return take_step(trainer, **options)

        training.Trainer.take_step = slow_step
    sys.exit(main())
