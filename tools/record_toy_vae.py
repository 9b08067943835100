"""Run the training of the chapter ``variational-autoencoder`` and store it in the package.

    .venv/bin/python tools/record_toy_vae.py

The training code exists once: this program executes the chapter's own cells, up to the one that
reads the record, and saves what they computed in ``vaebook/results/toy-vae.npz``.
"""

import json
import re
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
CHAPTER = ROOT / "chapters" / "variational-autoencoder.md"
RECORD = ROOT / "vaebook" / "results" / "toy-vae.npz"
ARRAYS = ("epochs", "theta", "phi", "bound", "log_px", "data")


def training_cells():
    """Return the code of the chapter's cells, from the first to the last before the record."""
    cells = []
    fenced = r"^```\{code-cell\}[^\n]*\n(.*?)^```$"
    for body in re.findall(fenced, CHAPTER.read_text("utf-8"), re.S | re.M):
        if "recorded_run()" in body:
            return cells
        options = r"\A---\n[\s\S]*?\n---\n|^:tags:.*$|^%config.*$"
        cells.append(re.sub(options, "", body, flags=re.M))
    raise SystemExit(f"{CHAPTER.name} has no cell that reads the record with recorded_run().")


def train():
    """Execute the cells in one namespace; return it and the seconds that it took."""
    plt.switch_backend("Agg")
    names = {"__name__": "chapter"}
    started = time.perf_counter()
    for number, code in enumerate(training_cells()):
        exec(compile(code, f"{CHAPTER.name}, code cell {number}", "exec"), names)
        plt.close("all")
    return names, time.perf_counter() - started


def main():
    """Train, save and say what was saved."""
    names, seconds = train()
    about = {
        "made_by": "make record-toy",
        "seeds": "data 17, networks 2, training 2",
        "device": "cpu",
        "torch": torch.__version__.split("+")[0],
        "numpy": np.__version__,
        "seconds": round(seconds),
    }
    arrays = {name: np.asarray(names[name]) for name in ARRAYS}
    RECORD.parent.mkdir(exist_ok=True)
    np.savez(RECORD, **arrays, about=np.array(json.dumps(about)))
    print(f"Wrote {RECORD.relative_to(ROOT)}, {RECORD.stat().st_size / 1000:.0f} kB: ", end="")
    print(f"bound {arrays['bound'][-1]:.4f}, log p {arrays['log_px'][-1]:.4f}, {seconds:.0f} s.")


if __name__ == "__main__":
    main()
