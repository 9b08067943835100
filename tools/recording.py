"""How a measurement is kept: on which machine and when it was made, and its file, written whole."""

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from environment import ROOT

#: On which the numbers of a record depend.
VERSIONS = {"torch": torch.__version__.split("+")[0], "numpy": np.__version__}


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a new file to write, which takes the place of the old one once it is whole."""
    temporary = path.with_suffix(".tmp")
    yield temporary
    os.replace(temporary, path)


def write_arrays(path, arrays):
    """Write arrays to a file at once and whole."""
    with replacing(path) as new, open(new, "wb") as file:
        np.savez_compressed(file, **arrays)


def save(path, arrays, about):
    """Write a record: arrays, and what it takes to make them anew. Say what was written."""
    write_arrays(path, arrays | {"about": np.array(json.dumps(about))})
    kilobytes = path.stat().st_size / 1000
    print(f"Wrote {path.name}, {kilobytes:.0f} kB, after {about['seconds']:.0f} s.")


def circumstances(device):
    """Return on what, with which code and when something was measured."""
    return {
        "device": device,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "commit": commit(),
        "date": time.strftime("%Y-%m-%d"),
    }


def command_line(*arguments):
    """Return a command of the package as a list of words."""
    return [sys.executable, "-m", "vaebook.vae", *map(str, arguments)]


def as_typed(command):
    """Return a command as one types it in the folder of the book."""
    words = ["python" if word == sys.executable else word for word in command]
    return " ".join(words).replace(f"{ROOT}{os.sep}", "")


def default_device():
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

    # What the programs write themselves is no change.
    places = ["vaebook", "tools", ":!vaebook/results", ":!tools/measured"]
    changed = git("status", "--porcelain", "--untracked-files=no", "--", *places)
    return git("rev-parse", "--short=12", "HEAD") + (" with changes" if changed else "")
