"""Run the training of the chapter ``variational-autoencoder`` and store it in the package.

    .venv/bin/python tools/record_toy_vae.py

The training code exists once: this program executes the chapter's own cells, up to the one that
trains, runs the chapter's loop, keeps the networks of every tenth epoch, and saves them in
``vaebook/results/toy-vae.npz``.
"""

import time

import numpy as np
import torch
from book_pages import ROOT, code_cells, plain_python
from recording import VERSIONS, save

from vaebook.bounds import elbo
from vaebook.results.toy_run import as_numpy

CHAPTER = ROOT / "chapters" / "variational-autoencoder.md"
RECORD = ROOT / "vaebook" / "results" / "toy-vae.npz"
LAST, EVERY = 400, 10  # epochs


def cells_before(word):
    """Return the code of the cells above the first that says ``word``; figures are left out."""
    cells = []
    for cell in code_cells(CHAPTER.read_text("utf-8")):
        if word in cell.code:
            return cells
        if "mystnb" not in cell.options:  # such a cell only draws
            cells.append(plain_python(cell.code))
    raise SystemExit(f"{CHAPTER.name} has no cell that says {word!r}; its training ends before it.")


def chapter():
    """Execute the chapter's cells up to its training; return the names that they define."""
    names = {"__name__": "chapter"}
    for number, code in enumerate(cells_before("list(train(")):
        exec(compile(code, f"{CHAPTER.name}, cell {number}", "exec"), names)
    return names


def vectors(vae):
    """Return the parameters of encoder and decoder, a vector each."""
    nets = (vae.encoder, vae.decoder)
    return [torch.nn.utils.parameters_to_vector(n.parameters()).detach().numpy() for n in nets]


def record(names):
    """Train the chapter's VAE with the chapter's loop; return the arrays to store."""
    vae, data = names["vae"], names["data"]
    snapshots = [vectors(vae)]
    generator = torch.Generator().manual_seed(2)
    training = names["train"](vae, names["x_all"], LAST, generator)
    for epoch, _ in enumerate(training, 1):
        if epoch % EVERY == 0:
            snapshots.append(vectors(vae))
    theta, phi = map(np.stack, zip(*snapshots, strict=True))
    averages = []
    for row in zip(theta, phi, strict=True):
        encoder, model = as_numpy(*row)
        terms = elbo(model, data, *encoder(data))
        averages.append((terms.elbo.mean(), terms.log_px.mean()))
    bound, log_px = np.transpose(averages)
    arrays = {"epochs": np.arange(0, LAST + 1, EVERY), "theta": theta, "phi": phi}
    return arrays | {"bound": bound, "log_px": log_px, "data": data}


def main():
    """Train, save and say what was saved."""
    started = time.perf_counter()
    arrays = record(chapter())
    about = {
        "made_by": "make record-toy",
        "seeds": "data 17, networks 2, training 2",
        "device": "cpu",
        **VERSIONS,
        "seconds": round(time.perf_counter() - started),
    }
    save(RECORD, arrays, about)
    print(f"Bound {arrays['bound'][-1]:.4f}, log p {arrays['log_px'][-1]:.4f}.")


if __name__ == "__main__":
    main()
