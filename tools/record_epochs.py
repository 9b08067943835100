"""Train a VAE on MNIST, keep pictures after some of its epochs, and store them in the package.

    .venv/bin/python tools/record_epochs.py

One hidden layer of the usual width, for a number of epochs, so that the clock decides nothing; the
other settings are those of ``mnist-cpu``. What is measured at the end is what ``record_runs.py``
measures of its runs, on the same images.
Needs MNIST (``VAEBOOK_DATA`` or the network).
"""

import sys
from dataclasses import replace

import numpy as np
import torch
from environment import ROOT
from recording import circumstances, processor, save
from run_measures import importance_curve, told

from vaebook import data
from vaebook.results.mnist_epochs import LEVELS, N_PAIRS, N_SAMPLES
from vaebook.results.mnist_runs import N_IMAGES, N_IMPORTANCE
from vaebook.vae import PRESETS, evaluate, train
from vaebook.vae.evaluation import held_out_pixels

RECORD = ROOT / "vaebook" / "results" / "mnist-epochs.npz"
CONFIG = replace(PRESETS["mnist-cpu"], n_latent=20, hidden=(400,), epochs=30)
KEPT = (1, 2, 3, 4, 5, 7, 9, 12, 15, 20, 25, 30)  # epochs with pictures
SEED = 5  # of the samples' noise, the same after every epoch


@torch.no_grad()
def pictures_of(model, pixels):
    """Return reconstructions of images and samples of a model, as bytes of 16 levels."""
    mean, _ = model.encoder(pixels)
    generator = torch.Generator().manual_seed(SEED)
    parts = torch.sigmoid(model.decoder(mean)), model.sample(N_SAMPLES, generator=generator)
    step = 255 // (LEVELS - 1)
    return [(step * torch.round((LEVELS - 1) * part)).byte().numpy() for part in parts]


def main(path=RECORD, config=CONFIG, kept=KEPT, n_images=N_IMAGES, n_importance=N_IMPORTANCE):
    """Train, evaluate, save, and say what was saved."""
    images = torch.as_tensor(data.load("mnist", "test").images)
    pixels = held_out_pixels(images, n_images)
    shown = pixels[:N_PAIRS].float()
    seen = []

    def keep(model, epoch):
        if epoch.epoch in kept:
            seen.append(pictures_of(model, shown))

    run = train(config, data.load("mnist", "train"), device="cpu", progress=True, watch=keep)
    if not run.finished:
        sys.exit("Stopped; nothing is written.")
    test = evaluate(
        run.model, images, n_importance=n_importance, precision="auto", progress=True,
        generator=torch.Generator().manual_seed(1),
    )._asdict()  # fmt: skip
    about = {
        "name": f"pictures-seed{config.seed}",
        "command": "python tools/record_epochs.py",
        "seed": config.seed,
        **circumstances(processor()),
        **told(run, test, importance_curve(run.model, pixels)),
    }
    reconstructions, samples = map(np.stack, zip(*seen, strict=True))
    arrays = {
        "epochs": np.array(kept),
        "originals": (255 * shown).byte().numpy(),
        "reconstructions": reconstructions,
        "samples": samples,
    }
    save(path, arrays, about)
    print(f"Test images, in nats: -log p(x) {test['nll']:.2f}, ELBO {test['elbo']:.2f}.")


if __name__ == "__main__":
    torch.set_flush_denormal(True)
    main()
