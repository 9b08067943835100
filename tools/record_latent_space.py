"""Train the VAE of the explorer ``latent-space`` on drawn digits and store it in the package.

    .venv/bin/python tools/record_latent_space.py

The record is what the page needs: both networks in 16-bit numbers, and what the encoder says of the
test images. The numbers that describe it are computed with the rounded decoder. The digits are
drawn here, so that anybody can repeat it: in the middle, of one size, less slanted and less bent
than those of ``vaebook.data``, for two latent numbers cannot tell more.
"""

import copy
import sys
import time
from typing import NamedTuple

import numpy as np
import torch
from environment import ROOT
from recording import VERSIONS, save

from vaebook.digits import draw_digits, sample_factors
from vaebook.perceptron import Perceptron
from vaebook.results.latent_space import cell_density
from vaebook.vae import Config, binarise, evaluate, train

RECORD = ROOT / "vaebook" / "results" / "latent-space.npz"
CONFIG = Config(n_latent=2, hidden=(32, 128), activation="tanh", epochs=80, learning_rate=4e-3)
N_TRAIN, N_TEST, N_EVALUATED = 20_000, 20_000, 5_000
N_EACH = 20  # images of each digit whose pixels are kept
LARGEST_CHANGE = 1e-3  # of a pixel's probability, that rounding may make


class TidyDigits(NamedTuple):
    """Images of bytes (N, 28, 28), and their digits (N,)."""

    images: np.ndarray
    labels: np.ndarray


def tidy_digits(n, seed):
    """Draw n digits that differ in digit, font and thickness, and a little in slant and bend."""
    labels, factors = sample_factors(n, rng=np.random.default_rng(seed))
    factors = factors._replace(
        shift=np.zeros_like(factors.shift),
        scale=np.ones_like(factors.scale),
        slant=factors.slant / 2,
        elastic=np.float32(0.4) * factors.elastic,
    )
    return TidyDigits(draw_digits(labels, factors), labels)


def rounded(network):
    """Round a network in place to whole numbers of 16 bits; return it as they travel."""
    numbers, units = [], []
    for parameter in network.parameters():
        unit = parameter.detach().abs().max().item() / 32767
        whole = torch.round(parameter.detach().double() / unit)
        parameter.data.copy_(whole * unit)
        numbers.append(whole.numpy().astype(np.int16).ravel())
        units.append(unit)
    widths = [network.layers[0].in_features, *(layer.out_features for layer in network.layers)]
    return Perceptron(widths, np.concatenate(numbers), units)


@torch.no_grad()
def of_pixels(encoder):
    """Return an encoder that takes pixels as they are: its first biases subtract the mean image."""
    encoder = copy.deepcopy(encoder)
    first = encoder.layers[0]
    first.bias -= first.weight @ encoder.centre
    encoder.centre.zero_()
    return encoder


@torch.no_grad()
def probabilities(model, side=3.5, n=57):
    """Return the probability of every pixel on a grid of the plane, (n * n, D)."""
    axis = torch.linspace(-side, side, n)
    return torch.sigmoid(model.decoder(torch.cartesian_prod(axis, axis)))


@torch.no_grad()
def record_of(model, test):
    """Round the decoder; return what the page needs of a model and its test images, by name."""
    exact = probabilities(model)
    trained = torch.nn.utils.parameters_to_vector(model.decoder.parameters()).numpy()
    decoder = rounded(model.decoder)
    change = (probabilities(model) - exact).abs().max().item()
    if change > LARGEST_CHANGE:
        raise SystemExit(f"Rounding changes a pixel's probability by {change:.1e}; keep more bits.")
    pixels = binarise(torch.as_tensor(test.images), generator=torch.Generator().manual_seed(17))
    pixels = pixels.flatten(1)
    mean, log_var = model.encoder(pixels.float())
    std = torch.exp(0.5 * log_var)
    rows = [np.flatnonzero(test.labels == digit) for digit in range(10)]
    shown = np.concatenate([of_digit[:N_EACH] for of_digit in rows])
    mean_std = mean.double().numpy(), std.double().numpy()
    mass = [len(row) * cell_density(*(part[row] for part in mean_std)) for row in rows]
    arrays = {
        "trained": trained,
        "aggregated": cell_density(*mean_std).astype("f4"),
        "classes": np.argmax(mass, axis=0).astype(np.uint8),
        "codes": mean.numpy()[shown],
        "labels": test.labels[shown],
        "pixels": np.packbits(pixels.numpy()[shown], axis=1),
    }
    encoder = rounded(of_pixels(model.encoder))
    moved = np.abs(encoder(pixels[shown].numpy())[:, :2] - arrays["codes"]).max()
    for name, network in [("decoder", decoder), ("encoder", encoder)]:
        arrays |= {f"{name}_{part}": np.array(value) for part, value in network.table().items()}
    return arrays, {"largest_change_by_rounding": change, "largest_move_of_a_code": float(moved)}


def main(path=RECORD, config=CONFIG, n_importance=100):
    """Train, save and say what was saved."""
    started = time.perf_counter()
    test = tidy_digits(N_TEST, [2, 1])
    images = tidy_digits(N_TRAIN, [2, 0]).images
    run = train(config, images, device="cpu", progress=True)
    if not run.finished:
        sys.exit("Stopped; nothing is written.")
    arrays, about = record_of(run.model, test)
    generator = torch.Generator().manual_seed(17)
    score = evaluate(
        run.model, test.images, n_importance=n_importance, generator=generator, n_images=N_EVALUATED
    )
    about |= {
        "made_by": "make record-latent",
        "config": config.to_dict(),
        "data": f"{N_TRAIN} tidy digits to train, {N_TEST} to test",
        "seeds": f"digits [2, 0] and [2, 1], training {config.seed}, pixels 17, evaluation 17",
        "device": f"cpu, {torch.get_num_threads()} threads",
        **VERSIONS,
        "seconds": round(time.perf_counter() - started),
        "test": score._asdict(),
    }
    save(path, arrays, about)
    print(f"Test images, in nats: log p(x) {-score.nll:.2f}, ELBO {score.elbo:.2f}.")
    print(
        f"Rounding moved no probability by more than {about['largest_change_by_rounding']:.1e} "
        f"and no code by more than {about['largest_move_of_a_code']:.1e}."
    )


if __name__ == "__main__":
    main()
