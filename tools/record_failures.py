"""Train the patients of the chapter ``what-goes-wrong`` and store what is seen of them.

    .venv/bin/python tools/record_failures.py

The programs exist once, in the chapter and its deeper page: their definitions are executed here.
Each patient is trained on drawn digits and examined on others; ``vaebook/results/failures.npz``
keeps curves, pictures and test numbers.
"""

import ast
import dataclasses
import functools
import json
import math
import time
from typing import Any

import numpy as np
import torch
from book_pages import ROOT, code_cells, plain_python
from record_rate import as_bytes, means_of
from recording import VERSIONS, save

from vaebook.results.failures import NAMES
from vaebook.vae import VAE, Config, log_likelihood
from vaebook.vae.objective import kl_standard_normal, reparameterize

PAGES = [ROOT / folder / "what-goes-wrong.md" for folder in ("chapters", "deeper")]
RECORD = ROOT / "vaebook" / "results" / "failures.npz"
N_TRAIN, N_TEST, N_SHOWN, N_IMPORTANCE = 5000, 500, 12, 100
N_SAMPLES, N_STAGES = 6, 20  # samples are drawn at every twentieth of a training
TRAIN_SEED, TEST_SEED, FRESH_SEED = 17, 18, 19
CONFIG = Config(n_latent=20, hidden=(200,))
GAUSSIAN = dataclasses.replace(CONFIG, likelihood="gaussian")
MORE = 0.00025 * 3 * 64 * 64 / 784  # the weight 0.00025, as it acts on coloured 64 x 64 images


def definitions():
    """Return what the two pages import and define; no other line of their cells is run."""
    kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
    cells = [cell for page in PAGES for cell in code_cells(page.read_text("utf-8"))]
    codes = [plain_python(cell.code) for cell in cells]
    lines = [line for code in codes for line in ast.parse(code).body]
    body: list[ast.stmt] = [line for line in lines if isinstance(line, kinds)]
    names = {"__name__": "chapter"}
    exec(compile(ast.Module(body, []), "what-goes-wrong", "exec"), names)
    return names


def patients(chapter, images, test):
    """Return for each name: untrained model, program, training images, pixels, epochs."""
    looking_back = chapter["LookingBack"]
    sound, drawn, grey = (chapter[name] for name in ("sound", "drawn", "grey"))
    programs = {
        "healthy": sound,
        "A": chapter["forget_to_sample"],
        "B": chapter["take_log_var_for_std"],
        "C": chapter["average_pixels"],
        "D": chapter["turn_sign"],
        "E": chapter["weigh_kl"],
        "E, as if 64 x 64 x 3": functools.partial(chapter["weigh_kl"], weight=MORE),
        "E, cured": chapter["fit_noise"],
    }
    pixels = {"F": grey, "F, thresholded": chapter["thresholded"]}
    models = {"G": looking_back, "G, cured": functools.partial(looking_back, reach=2)}
    few = {"H": torch.cat([images[:1000], test]), "H, cured": images[:1500]}
    for name in NAMES:
        gaussian = name.startswith("E")
        model = VAE(GAUSSIAN) if gaussian else models.get(name, VAE)(CONFIG)
        yield (
            name,
            model,
            programs.get(name, sound),
            few.get(name, images),
            pixels.get(name, grey if gaussian else drawn),
            80 if name in few else 20,
        )


def noise_std(name, printed):
    """Return the noise that a patient with a squared error has, said or not said."""
    weights = {"E": 0.00025, "E, as if 64 x 64 x 3": MORE}
    if name in weights:  # (x - f)^2 / 784 + weight KL, times 784 / (2 sigma^2 weight'), is a bound
        return math.sqrt(784 * weights[name] / 2)
    return math.exp(-printed[0] / 784 - 0.5) / math.sqrt(2 * math.pi)  # from fit_noise's last line


@torch.no_grad()
def bound(vae, x, n_samples=10):
    """Return the mean reconstruction term and KL of a model, also of grey pixels."""
    generator = torch.Generator().manual_seed(3)
    terms = vae.elbo_at(x, vae.draw_noise(n_samples, len(x), generator=generator))
    return [terms.reconstruction.mean().item(), terms.kl.mean().item()]


@torch.no_grad()
def examine(name, vae, test, fresh):
    """Return the last test of a patient: pictures, latent numbers, plain numbers."""
    draw = torch.Generator().manual_seed(5)
    mean, log_var = vae.encoder(test)
    z = reparameterize(mean, log_var, torch.randn(len(test), 20, generator=draw))
    kl = kl_standard_normal(mean[..., None], log_var[..., None])  # (B, 20)
    numbers = dict(zip(("reconstruction", "kl"), bound(vae, test), strict=True))
    numbers["fresh_elbo"] = float(np.subtract(*bound(vae, fresh)))
    try:
        log_px = log_likelihood(vae, test, N_IMPORTANCE, generator=draw).log_px
        numbers["log_px"] = log_px.mean().item()
        numbers["log_px_error"] = log_px.std().item() / math.sqrt(len(test))
    except ValueError:  # a patient whose weights ran away: its bound is all that is finite
        numbers["log_px"] = numbers["reconstruction"] - numbers["kl"]
        numbers["log_px_error"] = 0.0
    if vae.config.likelihood == "gaussian":
        numbers["noise_std"] = vae.config.noise_std
        numbers["rms_error"] = (test - vae.decoder(z)).square().mean().sqrt().item()
    return {
        "originals": as_bytes(test[:N_SHOWN]),
        "reconstructions": as_bytes(means_of(vae, z[:N_SHOWN])),
        "kl": kl.double().mean(0).numpy(),
        "std": torch.exp(log_var / 2).double().mean(0).numpy(),
        "mean_variance": mean.double().var(0, correction=0).numpy(),
        "numbers": numbers,
    }


@torch.no_grad()
def sample(vae):
    """Return samples of a model as bytes of 16 levels, from the same noise at every stage."""
    images = as_bytes(vae.sample(N_SAMPLES, generator=torch.Generator().manual_seed(5)))
    return (17 * np.rint(images / 17)).astype(np.uint8)


def main():
    """Train, examine, save, and say what was saved."""
    started = time.process_time()
    chapter = definitions()
    images, test, fresh = (
        chapter["digits"](n, seed)
        for n, seed in [(N_TRAIN, TRAIN_SEED), (N_TEST, TEST_SEED), (N_TEST, FRESH_SEED)]
    )
    sound = chapter["sound"]
    pixels_of = {name: chapter[name] for name in ("drawn", "grey", "thresholded")}
    # Every image is binarised once for all tests.
    tests, fresh_tests = (
        {name: of(x, torch.Generator().manual_seed(2)) for name, of in pixels_of.items()}
        for x in (test, fresh)
    )
    arrays: dict[str, Any] = {}
    for name, vae, program, data, pixels, n_epochs in patients(chapter, images, test):
        kind = "grey" if name.startswith("E") else "drawn"
        printed, honest, samples = [], [], []
        for row in chapter["train"](vae, program, data, pixels, n_epochs):
            printed.append(row.tolist())
            if name.startswith("E"):
                vae.config = dataclasses.replace(GAUSSIAN, noise_std=noise_std(name, printed[-1]))
            honest.append(bound(vae, tests[kind], 1))
            if len(printed) % (n_epochs // N_STAGES) == 0:
                samples.append(sample(vae))
        seen = examine(name, vae, tests[kind], fresh_tests[kind])
        if name in ("A", "B"):  # the decoder as it is, with an encoder that learns to fit it
            vae.decoder.requires_grad_(False)
            list(chapter["train"](vae, sound, data, pixels, n_epochs))
            seen["numbers"]["refitted_elbo"] = float(np.subtract(*bound(vae, tests[kind])))
        if name in ("healthy", "F", "F, thresholded"):
            row = [float(np.subtract(*bound(vae, tests[column]))) for column in pixels_of]
            seen["numbers"]["elbo_by_pixels"] = row
        curves = {"printed": np.array(printed), "honest": np.array(honest)}
        seen |= curves | {"samples": np.array(samples)}
        arrays |= {f"{name}/{field}": value for field, value in seen.items() if field != "numbers"}
        arrays[f"{name}/numbers"] = np.array(json.dumps(seen["numbers"]))
        ends = np.subtract(*printed[-1]), np.subtract(*honest[-1]), seen["numbers"]["log_px"]
        seconds = time.process_time() - started
        print(f"{seconds:4.0f} s  {name}: printed {ends[0]:.4g}, ", end="")
        print(f"test bound {ends[1]:.4g}, log p {ends[2]:.4g}", flush=True)
    about = {
        "made_by": "make record-failures",
        "seeds": f"first weights 1, training 17, digits {TRAIN_SEED}, {TEST_SEED}, {FRESH_SEED}",
        "device": "cpu, one thread",
        **VERSIONS,
        "seconds": round(time.process_time() - started),  # of one processor
        "images": [N_TRAIN, N_TEST],
        "importance": N_IMPORTANCE,
    }
    save(RECORD, arrays, about)


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    main()
