"""Train the VAEs of the chapter ``rate-and-distortion`` and store what is seen of them.

    .venv/bin/python tools/record_rate.py

Each run is a VAE of drawn digits, trained on one thread, two at a time, and examined on test
images. A run that was trained before is read from ``runs/rate``, so that the command can be
stopped and goes on. ``vaebook/results/rate.npz`` keeps numbers of all runs and pictures of a few.
"""

import dataclasses
import functools
import math
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from environment import ROOT
from recording import VERSIONS, save
from torch import nn
from torch.nn import functional

from vaebook import data
from vaebook.results.rate import BETAS, FACTORS, SEEDS, WIDTHS, Trained
from vaebook.scores import fine_detail, mutual_information_gap
from vaebook.vae import Config, binarise, log_likelihood, train
from vaebook.vae.objective import reparameterize

RECORD = ROOT / "vaebook" / "results" / "rate.npz"
RUNS = ROOT / "runs" / "rate"
N_TRAIN, N_VALID, N_TEST, N_LIKELIHOOD, N_IMPORTANCE = 20_000, 1_000, 3_000, 500, 500
N_SHOWN, N_TRAVERSED, N_STOPS = 8, 4, 7
BASE = Config(n_latent=16, hidden=(200,), batch_size=100, epochs=5, learning_rate=4e-3)
GAUSSIAN = dataclasses.replace(BASE, likelihood="gaussian")


def configs():
    """Return the configuration of every run by its name, without the seed."""
    change = dataclasses.replace
    runs = {f"beta {beta:g}": change(BASE, beta=beta) for beta in BETAS}
    for beta in (1, 8):
        runs[f"beta {beta}, warm-up"] = change(BASE, beta=beta, kl_warmup_steps=400)
        runs[f"beta {beta}, free bits"] = change(BASE, beta=beta, free_bits=0.5)
    return runs | {
        "beta 24": change(BASE, beta=24),
        "noise 1": GAUSSIAN,
        "noise 0.1": change(GAUSSIAN, noise_std=0.1),
        "noise learned": change(GAUSSIAN, noise_std=0.3, learn_noise=True),
        "50 dimensions": change(BASE, n_latent=50),
    }


def images_of(split, n):
    """Return the first images of a split as bytes, and their factors as columns."""
    images = data.load("drawn-digits", split)
    of = images.factors
    columns = images.labels, of.font, of.slant, of.thickness, *of.shift.T, *of.scale.T
    rows = {name: column[:n] for name, column in zip(FACTORS, columns, strict=True)}
    return torch.from_numpy(images.images[:n]), rows


def pixels_of(images, likelihood, seed):
    """Return images as a likelihood wants them: binary, or grey from 0 to 1."""
    if likelihood == "gaussian":
        return images.flatten(1).float() / 255
    return binarise(images, generator=torch.Generator().manual_seed(seed)).flatten(1).float()


def classifier(x, classes, *, n_classes, epochs=8):
    """Train a small network to tell classes of x (n, D) apart; return it."""
    torch.manual_seed(7)
    network = nn.Sequential(nn.Linear(x.shape[1], 200), nn.ReLU(), nn.Linear(200, n_classes))
    optimizer = torch.optim.Adam(network.parameters(), 2e-3)
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(100):
            optimizer.zero_grad()
            functional.cross_entropy(network(x[rows]), classes[rows]).backward()
            optimizer.step()
    return network.requires_grad_(False)


def told_apart(a, b):
    """Share of held-out rows that a network assigns to the right one of two samples."""
    half = len(a) // 2
    sides = torch.arange(2).repeat_interleave(half)
    network = classifier(torch.cat([a[:half], b[:half]]), sides, n_classes=2)
    found = network(torch.cat([a[half : 2 * half], b[half : 2 * half]])).argmax(1)
    return (found == sides).double().mean().item()


def legible(judge, images):
    """Share of images (n, D) to which a classifier of digits gives one with 0.9 or more."""
    return (judge(images).softmax(1).amax(1) > 0.9).double().mean().item()


def widened(module, x, output, *, width):
    """Make the encoder's q so many times as wide: a forward hook."""
    mean, log_var = output
    return mean, log_var + 2 * math.log(width)


def log_px_by_width(model, x, generator):
    """Mean log-likelihood of x by importance samples of q, and of q made wider."""
    found = []
    for width in WIDTHS:
        hook = model.encoder.register_forward_hook(functools.partial(widened, width=width))
        one = log_likelihood(model, x, N_IMPORTANCE, generator=generator)
        hook.remove()
        found.append(one.log_px.mean().item())
    return found


def as_bytes(images):
    """Images (..., 784) from 0 to 1 as bytes (..., 28, 28); no number becomes the middle grey."""
    grey = torch.nan_to_num(images, nan=0.5).clamp(0, 1)
    return (255 * grey).round().to(torch.uint8).reshape(*images.shape[:-1], 28, 28).numpy()


def drawn_from(model, means, generator):
    """A sample of p(x | z) for each of its means (n, D)."""
    if model.config.likelihood == "bernoulli":
        return torch.bernoulli(means, generator=generator)
    return means + noise_std(model) * torch.randn(means.shape, generator=generator)


def noise_std(model):
    """The noise of a Gaussian p(x | z), and 0 for a Bernoulli one."""
    if model.config.likelihood == "bernoulli":
        return 0.0
    learned = model.config.learn_noise
    return model.log_noise_std.exp().item() if learned else model.config.noise_std


@torch.no_grad()
def means_of(model, z):
    """The mean of p(x | z), (n, D)."""
    output = model.decoder(z)
    return torch.sigmoid(output) if model.config.likelihood == "bernoulli" else output


def examine(model, judge):
    """Return what the record keeps of a trained model, by the names of ``Trained``."""
    images, factors = images_of("test", N_TEST)
    x = pixels_of(images, model.config.likelihood, seed=2)
    draw = torch.Generator().manual_seed(5)
    with torch.no_grad():
        terms = model.elbo(x, 10, generator=draw)
        mean, log_var = model.encoder(x)
    z = reparameterize(mean, log_var, model.draw_noise(1, len(x), generator=draw)[0])
    prior = model.draw_noise(1, len(x), generator=draw)[0]
    reconstructed, sampled = means_of(model, z), means_of(model, prior)
    noisy = [drawn_from(model, means, draw) for means in (reconstructed, sampled)]
    kl = terms.kl_by_dimension.double().mean(0)
    gap = mutual_information_gap(z.numpy(), list(factors.values()))
    widest = kl.argsort(descending=True)[:N_TRAVERSED]
    walk = mean[0].repeat(N_TRAVERSED, N_STOPS, 1)
    for row, dimension in enumerate(widest):
        walk[row, :, dimension] = torch.linspace(-2, 2, N_STOPS)
    pictures = zip((reconstructed, sampled), noisy, strict=True)
    return {
        "rate": terms.kl.double().mean().item(),
        "distortion": -terms.reconstruction.double().mean().item(),
        "log_px_by_width": log_px_by_width(model, x[:N_LIKELIHOOD], draw),
        "kl": kl.numpy(),
        "active": int((mean.var(0) > 0.01).sum()),
        "information": gap.information,
        "gap": gap.gap,
        "detail": [[fine_detail(p.reshape(-1, 28, 28)) for p in kind] for kind in pictures],
        "legible": [legible(judge, means) for means in (reconstructed, sampled)],
        "told_apart": [told_apart(z, prior), told_apart(reconstructed, sampled)],
        "noise_std": noise_std(model),
        "rms_error": (x - reconstructed).square().mean().sqrt().item(),
        "reconstructions": as_bytes(reconstructed[:N_SHOWN]),
        "samples": as_bytes(sampled[:N_SHOWN]),
        "noisy": as_bytes(torch.stack([drawn[:N_SHOWN] for drawn in noisy])),
        "traversed": widest.numpy(),
        "traversal": as_bytes(means_of(model, walk)),
    }


def judge_of_digits():
    """Train a classifier of grey digits; return it and its shares right and legible in the test."""
    images, factors = images_of("train", N_TRAIN)
    digits = torch.from_numpy(factors["digit"]).long()
    judge = classifier(pixels_of(images, "gaussian", None), digits, n_classes=10)
    test, factors = images_of("test", N_TEST)
    x = pixels_of(test, "gaussian", None)
    right = judge(x).argmax(1) == torch.from_numpy(factors["digit"])
    return judge, right.double().mean().item(), legible(judge, x)


def run(name, config, judge):
    """Train one configuration from one seed, or read it, and examine it."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    images, _ = images_of("train", N_TRAIN + N_VALID)
    if config.likelihood == "gaussian":
        images = pixels_of(images, "gaussian", None)
    parts = images[:N_TRAIN], images[N_TRAIN:]
    folder = RUNS / f"{name}, seed {config.seed}"
    trained = train(config, parts[0], validation=parts[1], device="cpu", out=folder)
    if not trained.finished:
        raise SystemExit(f"Stopped in {folder.name}; the same command goes on from there.")
    return examine(trained.model, judge)


@contextmanager
def two_at_a_time():
    """Give a pool of two processes; at Ctrl-C, or where a job fails, all jobs end at once."""
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("forkserver")) as pool:
        try:
            yield pool
        except BaseException:
            for worker in multiprocessing.active_children():
                worker.kill()  # a checkpoint is whole or not there
            raise


def main():
    """Train, examine, save, and say what was saved."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    started = time.perf_counter()
    judge, right, told = judge_of_digits()
    jobs = {
        (name, seed): dataclasses.replace(config, seed=seed)
        for seed in SEEDS for name, config in configs().items()
    }  # fmt: skip
    found = sum((RUNS / f"{name}, seed {seed}").exists() for name, seed in jobs)
    seen = {}
    with two_at_a_time() as pool:
        waiting = {key: pool.submit(run, key[0], config, judge) for key, config in jobs.items()}
        for key, job in waiting.items():
            got = seen[key] = job.result()
            print(f"{time.perf_counter() - started:5.0f} s  {key[0]}, seed {key[1]}: ", end="")
            print(f"rate {got['rate']:.2f}, distortion {got['distortion']:.2f}, ", end="")
            print(f"log p {max(got['log_px_by_width']):.2f}, {got['active']} active", flush=True)
    arrays: dict[str, Any] = {}
    for name in configs():
        for field in Trained._fields:
            values = [seen[name, seed][field] for seed in SEEDS]
            of_first = field in Trained._fields[-5:]  # pictures
            arrays[f"{name}/{field}"] = values[0] if of_first else np.array(values)
    test, factors = images_of("test", N_TEST)
    grey, binary = (pixels_of(test, kind, 2) for kind in ("gaussian", "bernoulli"))
    detail = [fine_detail(x.reshape(-1, 28, 28)) for x in (grey, binary)]
    about = {
        "made_by": "make record-rate",
        "config": BASE.to_dict(),
        "images": [N_TRAIN, N_VALID, N_TEST],
        "seeds": f"training {SEEDS}, test pixels 2, test noise 5, classifiers 7",
        "device": "cpu, two runs at a time, one thread each",
        **VERSIONS,
        "found": found,  # trained before the command went on; its seconds are without them
        "seconds": round(time.perf_counter() - started),
        "data": {"detail_grey": detail[0], "detail_binary": detail[1], "right": right,
                 "legible": told, "factors": list(factors)},
    }  # fmt: skip
    arrays["originals"] = as_bytes(binary[:N_SHOWN])
    save(RECORD, arrays, about)


if __name__ == "__main__":
    main()
