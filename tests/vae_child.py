"""The command line on small made-up images, for tests that kill it: python vae_child.py train ...

``VAE_CHILD`` is a word: ``often`` writes a checkpoint after every epoch, ``hang`` stays in the
first checkpoint and says so, also when a Ctrl-C came. This counts, even where the tests were
started to ignore it.
"""

import functools
import os
import signal
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


def load(_name, split):
    """Stand in for ``data.load``."""
    return SimpleNamespace(images=images({"train": 330, "valid": 30, "test": 60}[split]))


def hang(*_arguments):
    print("hanging", flush=True)
    while signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        time.sleep(0.01)
    print("asked to stop", flush=True)
    time.sleep(120)


if __name__ == "__main__":
    from vaebook import data
    from vaebook.vae import __main__ as cli
    from vaebook.vae import session, training

    data.load = load
    signal.signal(signal.SIGINT, signal.default_int_handler)
    mode = os.environ.get("VAE_CHILD", "")
    if mode == "often":
        cli.train = functools.partial(training.train, checkpoint_seconds=0)
    if mode == "hang":
        session.Session.save = hang
    sys.exit(cli.main())
