"""Train the models of the epilogue ``where-vaes-went`` and store what is seen of them.

    .venv/bin/python tools/record_epilogue.py

Three seeds, each with an autoencoder whose KL has next to no weight, a plain VAE of the same
networks, and three priors on the codes of the former; and for the explorer ``sampler`` an
autoencoder and a flow in the plane. Two run at a time, one thread each. An autoencoder that was
trained before is read from ``runs/epilogue``.
"""

import dataclasses
import math
import time

import numpy as np
import torch
from environment import ROOT
from record_latent_space import rounded, tidy_digits
from record_rate import as_bytes, images_of, judge_of_digits, legible, pixels_of, two_at_a_time
from recording import VERSIONS, save
from scipy.ndimage import gaussian_filter
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal
from torch.nn.utils import parameters_to_vector

from vaebook.flows import euler_path
from vaebook.results.epilogue import BLUR, ENDS, GRIDS, PRIORS, SEEDS, STEPS, K
from vaebook.scores import fine_detail, precision_recall
from vaebook.vae import Config, train
from vaebook.vae.flow_matching import Velocity, flow_matching_loss, train_velocity
from vaebook.vae.objective import reparameterize
from vaebook.vae.priors import CouplingPrior

RECORD = ROOT / "vaebook" / "results" / "epilogue.npz"
RUNS = ROOT / "runs" / "epilogue"
N_TRAIN, N_VALID, N_TEST = 20_000, 1_000, 3_000
N_SHOWN, N_CODES = 8, 20  # images of a row; of each digit in the plane
N_COMPONENTS, N_EM = 50, 60
FLOW_STEPS, FLOW_HIDDEN, PLANE_HIDDEN = 8_000, (256, 256, 256), (64, 64)
PLAIN = Config(
    architecture="convolutional", hidden=(16, 32), n_latent=16, likelihood="gaussian",
    noise_std=0.3, learn_noise=True, batch_size=100, epochs=8, learning_rate=3e-3,
)  # fmt: skip
FIRST = dataclasses.replace(PLAIN, beta=1e-6, noise_std=1.0, learn_noise=False)
PLANE = dataclasses.replace(
    FIRST, architecture="perceptron", n_latent=2, hidden=(32, 128), activation="tanh", epochs=60
)


def trained(name, config):
    """Train on drawn digits, or read what was trained; return the model."""
    images, _ = images_of("train", N_TRAIN + N_VALID)
    return fitted(name, config, pixels_of(images, "gaussian", None))


def fitted(name, config, x):
    """Train on pixels x, of which the last 1,000 validate, or read what was trained."""
    folder = RUNS / f"{name}, seed {config.seed}"
    run = train(config, x[:-N_VALID], validation=x[-N_VALID:], device="cpu", out=folder)
    if not run.finished:
        raise SystemExit(f"Stopped in {folder.name}; the same command goes on from there.")
    return run.model


@torch.no_grad()
def codes_of(model, x, generator):
    """Return a sample of q(z | x) for each image, and its standard deviations, (n, K) each."""
    means, log_vars = zip(*(model.encoder(part) for part in x.split(1_000)), strict=True)
    mean, log_var = torch.cat(means), torch.cat(log_vars)
    eps = torch.randn(mean.shape, generator=generator)
    return reparameterize(mean, log_var, eps), torch.exp(0.5 * log_var)


@torch.no_grad()
def decoded(model, z):
    """Return the images (n, 784) of codes (n, K), pixels from 0 to 1."""
    return torch.cat([model.decoder(part) for part in z.split(1_000)]).clamp(0, 1)


# ---- priors on codes ----


def fit_mixture(z, n_components, *, n_steps, generator):
    """Fit a mixture of Gaussians with full covariances to codes (n, K) by EM."""
    z = z.double()
    floor = 1e-6 * z.var(0).mean() * torch.eye(z.shape[1], dtype=z.dtype)
    means = z[torch.randperm(len(z), generator=generator)[:n_components]]
    covariances = z.T.cov().expand(n_components, -1, -1)
    weights = torch.full((n_components,), 1 / n_components, dtype=z.dtype)
    for step in range(n_steps + 1):
        normals = MultivariateNormal(means, covariances + floor)
        mixture = MixtureSameFamily(Categorical(weights), normals)
        if step == n_steps:
            return mixture
        joint = normals.log_prob(z[:, None]) + weights.log()
        responsibilities = joint.softmax(1)  # (n, N)
        counts = responsibilities.sum(0)
        weights, means = counts / len(z), responsibilities.T @ z / counts[:, None]
        away = z[:, None] - means
        covariances = torch.einsum("nk,nki,nkj->kij", responsibilities, away, away)
        covariances = covariances / counts[:, None, None]


def fit_couplings(z, *, generator):
    """Fit the affine prior of ``vaebook.vae.priors`` to codes by maximum likelihood."""
    prior = CouplingPrior(dataclasses.replace(FIRST, n_latent=z.shape[1]), generator)
    optimizer = torch.optim.Adam(prior.parameters(), 2e-3, fused=True)
    for step in range(FLOW_STEPS):
        rows = torch.randint(len(z), (256,), generator=generator)
        optimizer.param_groups[0]["lr"] = 1e-3 * (1 + math.cos(math.pi * step / FLOW_STEPS))
        optimizer.zero_grad()
        (-prior.log_prob(z[rows]).mean()).backward()
        torch.nn.utils.clip_grad_norm_(prior.parameters(), 10.0)
        optimizer.step()
    return prior


def fit_velocity(z, hidden, activation, rate, seed):
    """Fit a flow to codes by flow matching; return it and its loss on fresh noise."""
    generator = torch.Generator().manual_seed(seed)
    velocity = Velocity(z.shape[1], hidden, activation=activation, generator=generator)
    settings = {"n_steps": FLOW_STEPS, "learning_rate": rate}
    train_velocity(velocity, z, **settings, generator=generator)
    with torch.no_grad():
        return velocity, flow_matching_loss(velocity, z, generator=generator).mean().item()


# ---- what is seen ----


def quality(judge, images, test):
    """Return precision, recall, the share legible and the fine detail against test images."""
    found = precision_recall(features_of(judge, test), features_of(judge, images), k=K)
    detail, of_test = (fine_detail(one.reshape(-1, 28, 28)) for one in (images, test))
    return [*found, legible(judge, images), detail / of_test]


def blurred(images):
    """Return images (n, 784) behind a Gaussian filter."""
    squares = images.reshape(-1, 28, 28).numpy()
    return torch.from_numpy(gaussian_filter(squares, (0, BLUR, BLUR))).flatten(1)


def features_of(judge, images):
    """Return the classifier's last hidden layer of images (n, 784)."""
    return judge[:-1](images).numpy()


def rounding(model, scale, codes, x):
    """Return the error and the entropy of scaled codes that were rounded to each grid, (L, 2).

    The entropy, in nats, is the sum over the dimensions: of a code that uses each by itself.
    """
    found = []
    for grid in GRIDS:
        whole = torch.round(scale * codes / grid)
        _, counts = zip(*(c.unique(return_counts=True) for c in whole.T), strict=True)
        entropy = sum(Categorical(count.double()).entropy().item() for count in counts)
        error = (x - decoded(model, whole * grid / scale)).square().mean().sqrt().item()
        found.append([error, entropy])
    return found


def examine(seed, judge):
    """Train all models of one seed; return what the record keeps, and processor seconds."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    cpu, spent = time.process_time(), {}

    def lap(name):
        nonlocal cpu
        spent[name], cpu = time.process_time() - cpu, time.process_time()

    train_images = pixels_of(images_of("train", N_TRAIN)[0], "gaussian", None)
    test = pixels_of(images_of("test", 2 * N_TEST)[0], "gaussian", None)
    test, held_out = test[:N_TEST], test[N_TEST:]
    lap("data")
    first = trained("first stage", dataclasses.replace(FIRST, seed=seed))
    lap("first stage")
    plain = trained("plain", dataclasses.replace(PLAIN, seed=seed))
    lap("plain VAE")
    generator = torch.Generator().manual_seed(100 + seed)
    raw, stds = codes_of(first, train_images, generator)
    scale = 1 / raw.std()
    z = scale * raw
    mixture = fit_mixture(z, N_COMPONENTS, n_steps=N_EM, generator=generator)
    lap("mixture")
    couplings = fit_couplings(z, generator=generator)
    lap("couplings")
    velocity, loss = fit_velocity(z, FLOW_HIDDEN, "silu", 2e-3, seed)
    lap("flow matching")

    eps = torch.randn((N_TEST, z.shape[1]), generator=generator)
    torch.manual_seed(100 + seed)  # a mixture samples from the global generator
    by_steps, seconds, shown = [], [], []
    with torch.no_grad():
        places = {
            "normal": eps,
            "mixture": mixture.sample((N_TEST,)).float(),
            "couplings": couplings.from_noise(eps),
        }
        for n_steps in STEPS:
            started = time.process_time()
            images = decoded(first, euler_path(velocity, eps, n_steps)[-1] / scale)
            seconds.append((time.process_time() - started) * 1_000 / N_TEST)
            by_steps.append(quality(judge, images, test))
            shown.append(as_bytes(images[:N_SHOWN]))
    pictures = {name: decoded(first, place / scale) for name, place in places.items()}
    pictures |= {"flow matching": images, "plain VAE": decoded(plain, eps)}
    held_codes, _ = codes_of(first, held_out, generator)
    plain_codes, plain_stds = codes_of(plain, held_out, generator)
    back, plain_back = decoded(first, held_codes), decoded(plain, plain_codes)
    noise = torch.rand(test.shape, generator=generator)
    mean = held_out.mean(0).expand_as(held_out)
    ends = dict(zip(ENDS, [held_out, blurred(held_out), mean, back, noise], strict=True))
    found = {
        "quality": [quality(judge, pictures[name], test) for name in PRIORS],
        "ends": [quality(judge, ends[name], test) for name in ENDS],
        "by_steps": by_steps,
        "seconds": seconds,
        "scale": scale.item(),
        "noise_std": [one.mean().item() for one in (stds, plain_stds)],
        "plain_std": plain_codes.std().item(),
        "rms_error": [(held_out - one).square().mean().sqrt().item() for one in (back, plain_back)],
        "plain_noise": plain.log_noise_std.exp().item(),
        "loss": loss,
        "rounding": rounding(first, scale, held_codes, held_out),
        "samples": np.stack([as_bytes(pictures[name][: 2 * N_SHOWN]) for name in PRIORS]),
        "pairs": np.stack([as_bytes(one[:N_SHOWN]) for one in (held_out, back, plain_back)]),
        "shown": np.stack(shown),
    }
    lap("samples and scores")
    return found, spent


def examine_plane():
    """Train the autoencoder and the flow of the explorer; return what it needs, and seconds."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    cpu = time.process_time()
    digits = tidy_digits(N_TRAIN + N_VALID, [2, 0])
    x = torch.as_tensor(digits.images).flatten(1).float() / 255
    model = fitted("plane", PLANE, x)
    generator = torch.Generator().manual_seed(100)
    raw, _ = codes_of(model, x, generator)
    scale = 1 / raw.std()
    z = (scale * raw)[:N_TRAIN]
    velocity, loss = fit_velocity(z, PLANE_HIDDEN, "tanh", 5e-3, 1)
    held_out = range(N_TRAIN, N_TRAIN + N_VALID)
    kept = [[i for i in held_out if digits.labels[i] == digit][:N_CODES] for digit in range(10)]
    rows = np.concatenate(kept)
    decoder = rounded(model.decoder)
    network = {name: np.array(value) for name, value in decoder.table().items()}
    return network | {
        "velocity": parameters_to_vector(velocity.parameters()).detach().numpy(),
        "codes": (scale * raw)[rows].numpy(),
        "labels": digits.labels[rows],
        "plane_mean": z.mean(0).numpy(),
        "plane_scale": scale.item(),
        "plane_loss": loss,
    }, {"plane": time.process_time() - cpu}


def main():
    """Train, examine, save, and say what was saved."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    started = time.perf_counter()
    judge, right, told = judge_of_digits()
    found = sorted(path.name for path in RUNS.glob("*")) if RUNS.exists() else []
    with two_at_a_time() as pool:
        jobs = [pool.submit(examine, seed, judge) for seed in SEEDS]
        jobs.append(pool.submit(examine_plane))
        *seeds, (plane, plane_seconds) = [job.result() for job in jobs]
    seen, spent = zip(*seeds, strict=True)
    of_first = ("samples", "pairs", "shown")
    arrays: dict = {
        name: value if name in of_first else np.array([one[name] for one in seen])
        for name, value in seen[0].items()
    }
    about = {
        "made_by": "make record-epilogue",
        "configs": {"first stage": FIRST.to_dict(), "plain": PLAIN.to_dict()},
        "plane": PLANE.to_dict() | {"velocity": [3, *PLANE_HIDDEN, 2]},
        "flow": {"steps": FLOW_STEPS, "batch": 256, "hidden": FLOW_HIDDEN},
        "mixture": {"components": N_COMPONENTS, "steps": N_EM},
        "images": [N_TRAIN, N_VALID, N_TEST],
        "seeds": f"training {SEEDS}, codes and noise 100 + seed, plane 1, classifier 7",
        "device": "cpu, two jobs at a time, one thread each, on a machine shared with others",
        **VERSIONS,
        "found": found,  # trained before the command went on; the seconds are without them
        "seconds": round(time.perf_counter() - started),
        "processor_seconds": [
            {name: round(one, 1) for name, one in job.items()} for job in (*spent, plane_seconds)
        ],
        "classifier": {"right": right, "legible": told, "k": K},
    }
    save(RECORD, arrays | plane, about)
    print(f"{'':18s}", *(f"{one:>9s}" for one in ("precision", "recall", "legible", "detail")))
    for names, key in [(PRIORS, "quality"), (ENDS, "ends"), (STEPS, "by_steps")]:
        for name, row in zip(names, arrays[key].mean(0), strict=True):
            print(f"{name!s:18s}", *(f"{one:9.3f}" for one in row))


if __name__ == "__main__":
    main()
