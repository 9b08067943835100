"""What is measured of a training for the book: its curve, its bounds, its pictures."""

import numpy as np
import torch
from record_rate import legible

from vaebook.results.mnist_runs import SAMPLES, Curve, Pictures
from vaebook.vae import objective
from vaebook.vae.machine import settled_precision

BLOCK, PIECE = 10, 50  # images and samples decoded at a time: 500 rows fit the cache
N_SHOWN, N_BETWEEN = 20, 10
MAX_EPOCHS = 60  # rows of a curve
TEST = ("nll", "nll_se", "elbo", "reconstruction", "kl", "images", "importance", "n_features",
        "precision")  # fmt: skip


def with_whole_epochs(history):
    """Count the few steps of a last epoch that the clock cut off with the epoch before it.

    Their mean is over few images: alone it would stand beside the curve.
    """
    if len(history) < 3:
        return history
    *whole, before, last = history
    steps = [before.step - whole[-1].step, last.step - before.step]
    if steps[0] == steps[1]:
        return history
    means = {
        key: np.average([getattr(before, key), getattr(last, key)], weights=steps)
        for key in ("bound", "reconstruction", "kl")
    }
    return [*whole, last._replace(epoch=before.epoch, **means)]


def curve_of(history):
    """Return about sixty epochs of a training as the record has them, by the names of ``Curve``."""
    history = with_whole_epochs(history)
    kept = np.unique(np.linspace(0, len(history) - 1, MAX_EPOCHS).round().astype(int))
    called = {"elbo": "bound", "validation_elbo": "validation_bound"}  # in an ``Epoch``
    return {
        key: [rounded(getattr(history[k], called.get(key, key))) for k in kept]
        for key in Curve._fields
    }


def told(run, test, importance):
    """Return what the book tells of a run and its evaluation, from its seconds to its steps.

    The names are those of ``RecordedRun``, the values plain.
    """
    config, last, curve = run.model.config, run.history[-1], curve_of(run.history)
    return {
        "seconds": round(last.seconds, 1),
        "precision": run.precision,
        "epochs": curve["epoch"][-1],
        "parameters": sum(p.numel() for p in run.model.parameters()),
        "n_latent": config.n_latent,
        "hidden": list(config.hidden),
        "binarisation": config.binarisation,
        "n_importance": config.n_importance,
        "curve": curve,
        "test": {key: rounded(test[key]) for key in TEST},
        "importance": importance,
        "architecture": config.architecture,
        "prior": config.prior,
        "steps": last.step,
    }


@torch.no_grad()
def importance_curve(model, pixels, samples=SAMPLES, seed=1):
    """Return the importance-weighted bound for several numbers of samples, and standard errors.

    An image has as many draws as the last number. For each number they make as many groups as
    they can, and the bound is the mean over these: one group of all, or thousands of one.
    """
    generator = torch.Generator().manual_seed(seed)
    half = settled_precision("auto", torch.device("cpu")) == "bfloat16"
    draws, blocks = samples[-1], []
    for x in model.check_data(pixels).split(BLOCK):
        eps = (model.draw_noise(PIECE, len(x), generator=generator) for _ in range(draws // PIECE))
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            log_w = torch.cat([model.log_weights(x, e) for e in eps]).double()  # (draws, B)
        groups = [log_w[: draws // n * n].unflatten(0, (-1, n)) for n in samples]  # (G, n, B)
        blocks.append(torch.stack([objective.log_mean_exp(g, 1).mean(0) for g in groups]))
    bounds = torch.cat(blocks, 1)  # (M, images)
    noise = torch.Generator().manual_seed(seed)
    kl = model.elbo(pixels, 10, generator=noise).kl.double()  # in closed form for N[0, I]
    rises = bounds - bounds[:1]
    statistics = {
        "bound": bounds.mean(1),
        "se": bounds.std(1) / len(pixels) ** 0.5,
        "rise": rises.mean(1),
        "rise_se": rises.std(1) / len(pixels) ** 0.5,
    }
    return {
        "samples": list(samples),
        **{key: [rounded(v) for v in values.tolist()] for key, values in statistics.items()},
        "kl": rounded(kl.mean().item()),
        "images": len(pixels),
        "draws": draws,
    }


@torch.inference_mode()
def pictures(model, pixels, judge):
    """Return what a model makes of test images and of noise, as bytes of ``Pictures``.

    ``judge`` is a classifier of digits.
    """
    generator = torch.Generator().manual_seed(1)
    x = model.check_data(pixels)
    mean, log_var = model.encoder(x)
    shown, others = slice(N_SHOWN), torch.randperm(len(x), generator=generator)[:N_SHOWN]
    eps = model.draw_noise(1, len(others), generator=generator)
    codes = objective.reparameterize(mean[others], log_var[others], eps)[0]
    steps = torch.linspace(0, 1, N_BETWEEN)[:, None]
    noise, n_draws = model.draw_noise(2, len(x), generator=generator), 2 * len(x)
    draws = [
        torch.sigmoid(model.decoder(objective.reparameterize(mean, log_var, noise).flatten(0, 1))),
        model.sample(n_draws, generator=generator),
    ]

    def decoded(z):
        return (255 * torch.sigmoid(model.decoder(z))).round().byte().numpy()

    normal = model.config.prior == "normal"
    kl = objective.kl_standard_normal(mean[..., None], log_var[..., None]).mean(0)
    return Pictures(
        originals=(255 * x[shown]).byte().numpy(),
        reconstructions=decoded(mean[shown]),
        samples=(255 * model.sample(N_SHOWN, generator=generator)).round().byte().numpy(),
        aggregate=decoded(codes),
        interpolation=decoded((1 - steps) * mean[0] + steps * mean[1]),
        kl_per_dimension=kl.numpy() if normal else np.zeros(0, np.float32),
        legible=np.array([legible(judge, images) for images in draws]),
    )


def rounded(value):
    """Cut a number of nats to what its noise leaves of it."""
    return round(value, 4) if isinstance(value, float) else value
