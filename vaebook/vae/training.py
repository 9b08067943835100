r"""Training a VAE: stochastic gradient ascent on the mean bound over a data set.

.. math:: \max_{\theta, \phi}\; \frac1I \sum_i \mathrm{ELBO}[x_i, \theta, \phi]

Each step takes a batch of images, draws noise, and moves all parameters along the gradient of the
batch's mean bound, by Adam. The learning rate rises over ``warmup_steps``, then falls along a
cosine to zero at the end of the run.

A single image can ask for a step that throws the encoder far off: then the next gradient is longer
still, and a few steps later no number is finite. ``max_gradient_norm`` shortens such a gradient to
that length before Adam sees it. On MNIST usual ones are 20 to 40 long.

A weight of a pixel that is hardly ever on is another such case. Its gradients are next to zero for
long, so Adam's mean of their squares fades. In one step the first gradient g moves the weight by

.. math:: r\, \frac{(1 - \beta_1)\, g}{\sqrt{1 - \beta_2}\, |g| + \epsilon}, \qquad \beta_1 = 0.9,

r the learning rate, and about ten times as far in all, as the mean of gradients repeats it. That
step is 3.2 r with ``adam_beta2`` = 0.999 and an ``adam_epsilon`` near zero, however small g is.
With 0.99 it is r, and an epsilon of 1e-4 makes it less than half of that where g is below 1e-3:
such a run bears a higher rate.

**The end** is that of epoch ``epochs``, or ``max_seconds`` where given: then the cosine follows
the clock, over everything that one waits for: data, steps, validation, checkpoints.

**Threads** are as many as there are cores without other work, at most as many as PyTorch has. They
are counted at the start, and with a time limit again at the end of each epoch.

**What is random** in step t is a function of the seed and t alone: the order of the images is drawn
anew for each epoch, their pixels too (once for all if ``binarisation`` is "fixed"), and the noise
for each step. So a run that was killed goes on from a checkpoint as if nothing had happened, to the
last bit on a CPU (with a time limit up to the clock), and several processes see the same batches as
one.
"""

import hashlib
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vaebook.data import ImageSet
from vaebook.vae import objective
from vaebook.vae.config import Config
from vaebook.vae.machine import Team, prepared
from vaebook.vae.networks import VAE
from vaebook.vae.session import Epoch, Run, Session

__all__ = ["kl_weight", "learning_rate", "train"]

Images = ImageSet | NDArray | Tensor
HELD_OUT = 1_000  # images for validation where none are given, but at most a tenth
_BLOCK = 500
_ORDER, _PIXELS, _NOISE, _VALIDATION = range(4)  # streams of random numbers


def train(
    config: Config,
    data: Images,
    *,
    validation: Images | None = None,
    data_name: str | None = None,
    out: str | Path | None = None,
    device: str = "auto",
    checkpoint_seconds: float = 10.0,
    started: float | None = None,
    progress: bool = False,
    watch: Callable[[VAE, Epoch], None] | None = None,
) -> Run:
    """Train a VAE, or go on with the run in ``out``.

    One Ctrl-C ends it after the step at hand, with a checkpoint; a second one at once.
    Under ``torchrun`` each batch is shared out over the processes.

    Parameters
    ----------
    config : Config
        See ``PRESETS``.
    data, validation : ImageSet, ndarray or Tensor, (N, ...)
        Bytes 0 to 255; real numbers for a Gaussian likelihood. Where no validation images are
        given, the last 1,000 training images (at most a tenth) are held out.
    data_name : str, optional
        Kept with the run, so that ``python -m vaebook.vae evaluate`` knows its test images.
    out : path, optional
        Folder for checkpoints. Where it holds some of the same configuration and data, the run
        goes on from the newest.
    device : str
        "auto" takes a GPU where there is one.
    checkpoint_seconds : float
        A checkpoint is written at the first end of an epoch after so many seconds, and at the end.
    started : float, optional
        ``time.monotonic()`` at which the time limit began; now unless given.
    progress : bool
        Show a bar with the time left.
    watch : callable, optional
        Is given the model and the ``Epoch`` at each epoch's end, for example to keep samples.

    Returns
    -------
    Run

    Raises
    ------
    ValueError
        If the data do not fit the configuration, or there is no such device.
    CheckpointError
        If ``out`` holds another run, or only damaged checkpoints.
    NonFiniteError, MemoryError, OSError
        Before a step with NaN or infinity; without memory; without room for a checkpoint.

    Source: chapter "variational-autoencoder".
    """
    started = time.monotonic() if started is None else float(started)
    with prepared(config, device) as (team, switch):
        batches = Batches(config, data, validation, team)
        model = VAE(config)
        model.centre_input(batches.mean_image)
        model.set_output_bias(batches.mean_image)
        model.to(team.device)
        optimizer = torch.optim.Adam(
            model.parameters(),
            config.learning_rate,
            betas=(0.9, config.adam_beta2),
            eps=config.adam_epsilon,
            fused=True,
        )
        session = Session(
            model, optimizer, batches, team, switch, out=out, data_name=data_name,
            checkpoint_seconds=checkpoint_seconds, started=started, progress=progress, watch=watch,
        )  # fmt: skip
        while not session.over:
            batch = batches.draw(session.step)
            optimizer.zero_grad()
            with session.autocast():
                terms = model(batch.x, batch.eps)
            loss = -climbed(terms, config, session.step).sum() / len(batch.rows)
            loss.backward()
            session.gather(terms, batch)
            if config.max_gradient_norm:
                nn.utils.clip_grad_norm_(model.parameters(), config.max_gradient_norm)
            rate = learning_rate(config, session.step, session.fraction_done)
            optimizer.param_groups[0]["lr"] = rate
            optimizer.step()
            session.close_step(batch)
        return session.run()


def learning_rate(config: Config, step: int, fraction_done: float) -> float:
    r"""Learning rate of a step: a linear rise, under a cosine that ends at zero.

    .. math:: r\, \min\Big[1, \frac{t + 1}{t_w}\Big] \cdot \tfrac12 (1 + \cos \pi f)
    """
    rise = min(1.0, (step + 1) / max(1, config.warmup_steps))
    return config.learning_rate * rise * 0.5 * (1 + math.cos(math.pi * fraction_done))


def climbed(terms: objective.BoundTerms, config: Config, step: int) -> Tensor:
    """What a step climbs, (B,): the bound, or the ELBO with weights on its KL."""
    beta = kl_weight(config, step)
    if beta == 1 and config.free_bits == 0:
        return terms.bound
    return objective.weighted_elbo(terms, beta=beta, free_bits=config.free_bits)


def kl_weight(config: Config, step: int) -> float:
    r"""Weight of the KL in a step: a straight rise from 0 over ``kl_warmup_steps``.

    .. math:: \beta\, \min\Big[1, \frac{t}{t_{KL}}\Big]
    """
    if step >= config.kl_warmup_steps:
        return config.beta
    return config.beta * step / config.kl_warmup_steps


class Batch(NamedTuple):
    """What one step sees.

    ``rows`` (B,) are the places of its images in the data; ``x`` (b, D) and ``eps`` (S, b, D_z)
    this process's part of their pixels and of the noise.
    """

    rows: Tensor
    x: Tensor
    eps: Tensor


class Batches:
    """The images of a run, and the batch of each step: a function of the seed and the step."""

    def __init__(self, config: Config, data: Images, validation: Images | None, team: Team):
        images, held_out = _split(config, data, validation)
        self.config, self.team = config, team
        self.fingerprint = _sha256(images, held_out)
        floats = images.float() / 255 if images.dtype == torch.uint8 else images
        self.mean_image = floats.mean(0)
        self.images = images.to(team.device)
        self.an_epoch = math.ceil(len(images) / config.batch_size)
        self.validation = _pixels(held_out.to(team.device), self.generator(_VALIDATION))
        self.epoch: int | None = None

    def draw(self, step: int) -> Batch:
        """Return the batch of a step; each epoch has its own order, and pixels unless fixed."""
        epoch, number = divmod(step, self.an_epoch)
        if self.epoch != epoch:
            self.epoch = epoch
            generator = self.generator(_ORDER, epoch, device="cpu")
            order = torch.randperm(len(self.images), generator=generator)
            self.order = order.to(self.team.device)
            redrawn = epoch if self.config.binarisation == "dynamic" else 0
            self.pixels = _pixels(self.images, self.generator(_PIXELS, redrawn))
        start = number * self.config.batch_size
        rows = self.order[start : start + self.config.batch_size]
        mine = self.team.part_of(len(rows))
        eps = self.noise(len(rows), self.generator(_NOISE, step))
        return Batch(rows, self.pixels[rows[mine]].float(), eps[:, mine])

    @torch.no_grad()
    def validation_bound(self, model: VAE) -> float | None:
        """Mean bound on the validation images, each time with the same pixels and noise."""
        if not len(self.validation):
            return None
        generator, total = self.generator(_VALIDATION, 1), 0.0
        for x in self.validation.float().split(_BLOCK):
            total += model(x, self.noise(len(x), generator)).bound.double().sum().item()
        return total / len(self.validation)

    def noise(self, n_images: int, generator: torch.Generator) -> Tensor:
        """Standard normal noise (S, B, D_z)."""
        shape = (self.config.n_draws, n_images, self.config.n_latent)
        return torch.randn(shape, generator=generator, device=generator.device)

    def generator(self, *key: int, device: str | None = None) -> torch.Generator:
        """A generator of its own for each use and each step: nothing needs to be remembered."""
        seed = np.random.SeedSequence([self.config.seed, *key]).generate_state(1)[0]
        return torch.Generator(device or self.team.device).manual_seed(int(seed))


def _pixels(images: Tensor, generator: torch.Generator) -> Tensor:
    """Binarise bytes; real numbers stay what they are."""
    if images.dtype == torch.uint8:
        return objective.binarise(images, generator=generator)
    return images


def _split(config: Config, data: Images, validation: Images | None) -> tuple[Tensor, Tensor]:
    """Return training and validation images as (N, D), the second from the first if need be."""
    images = _flat(config, data)
    if validation is not None:
        return images, _flat(config, validation)
    n_train = len(images) - min(HELD_OUT, len(images) // 10)
    return images[:n_train], images[n_train:]


def _flat(config: Config, data: Images) -> Tensor:
    images = getattr(data, "images", data)
    if not isinstance(images, Tensor):
        images = torch.from_numpy(np.require(images, requirements=["C", "W"]))
    expected = torch.uint8 if config.likelihood == "bernoulli" else torch.float32
    if images.ndim < 2 or len(images) == 0 or images[0].numel() != config.n_features:
        raise ValueError(
            f"Data have shape {tuple(images.shape)}, expected (N, ...) with "
            f"{config.n_features} numbers an image; set n_features to what they have."
        )
    if images.dtype != expected:
        raise ValueError(
            f"Data are {images.dtype}, expected {expected} for a {config.likelihood} likelihood: "
            "bytes 0 to 255 of grey images, which training binarises, or real numbers."
        )
    if not (images.dtype == torch.uint8 or torch.isfinite(images).all()):
        raise ValueError("Data have values that are not finite; remove or replace them first.")
    return images.flatten(1).cpu()


def _sha256(*tensors: Tensor) -> str:
    """Return the start of the SHA-256 of tensors' bytes: enough to tell data apart."""
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(tensor.contiguous().numpy().data)
    return digest.hexdigest()[:16]
