"""Run the training of the chapter ``variational-autoencoder`` and store it in the package.

    .venv/bin/python tools/record_toy_vae.py

The training code exists once: this program executes the chapter's own cells, up to the one that
reads the record, and saves what they computed in ``vaebook/results/toy-vae.npz``.
"""

import json
import time

import numpy as np
import torch
from book_pages import ROOT, code_cells, plain_python

CHAPTER = ROOT / "chapters" / "variational-autoencoder.md"
RECORD = ROOT / "vaebook" / "results" / "toy-vae.npz"
ARRAYS = ("epochs", "theta", "phi", "bound", "log_px", "data")


def cells_before(word):
    """Return the code of the cells above the first that says ``word``; figures are left out."""
    cells = []
    for cell in code_cells(CHAPTER.read_text("utf-8")):
        if word in cell.code:
            return cells
        if "mystnb" not in cell.options:  # such a cell only draws
            cells.append(plain_python(cell.code))
    raise SystemExit(f"{CHAPTER.name} has no cell that says {word!r}; its training ends before it.")


def execute(cells):
    """Execute the cells one after the other; return the names that they define."""
    names = {"__name__": "chapter"}
    for number, code in enumerate(cells):
        exec(compile(code, f"{CHAPTER.name}, cell {number}", "exec"), names)
    return names


def main():
    """Train, save and say what was saved."""
    started = time.perf_counter()
    names = execute(cells_before("toy_run.load()"))
    seconds = time.perf_counter() - started
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
