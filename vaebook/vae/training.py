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

**What is random** in step t is a function of the seed and t alone: the order of the images and
their pixels are drawn anew for each epoch, the noise for each step. So a run that was killed goes
on from a checkpoint as if nothing had happened, to the last bit on a CPU (with a time limit up to
the clock), and several processes see the same batches as one.
"""

import hashlib
import math
import time
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, distributed, nn
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

from vaebook.vae import checkpoints, objective
from vaebook.vae.failures import NonFiniteError, all_finite, bad_values, memory_advice
from vaebook.vae.networks import VAE, Config
from vaebook.vae.processes import StopSwitch, Team, flushed_denormals, joined

__all__ = ["PRESETS", "Epoch", "NonFiniteError", "Run", "load_run", "train"]

_MNIST = Config(
    gradient="path",
    learning_rate=3e-3,
    adam_beta2=0.99,
    adam_epsilon=1e-4,
    max_gradient_norm=100.0,
    precision="auto",
)
PRESETS = {
    "book": Config(n_latent=20, hidden=(200,), epochs=5, learning_rate=4e-3),
    "mnist-cpu": replace(_MNIST, batch_size=500, learning_rate=6e-3, epochs=100),
    "mnist-gpu": replace(_MNIST, epochs=1000, batch_size=500),
    "static": replace(_MNIST, epochs=60, binarisation="fixed"),
}
HELD_OUT = 1_000  # images for validation where none are given, but at most a tenth
_BLOCK = 500
_CLOSING = 0.02  # share of the time limit, at most one second, kept for the last checkpoint
_ORDER, _PIXELS, _NOISE, _VALIDATION = range(4)  # streams of random numbers


class Epoch(NamedTuple):
    """Means over one epoch's images as they were met, in nats; ``validation_elbo`` at its end.

    ``epoch`` counts from 1, ``step`` and ``seconds`` from the start of the run. With
    ``n_importance`` above 1 both bounds are importance-weighted.
    """

    epoch: int
    step: int
    elbo: float
    reconstruction: float
    kl: float
    validation_elbo: float | None
    seconds: float


class Run(NamedTuple):
    """A trained model, its curve (one ``Epoch`` an epoch), and how far it came.

    ``finished`` is False where the run was interrupted; ``checkpoint`` is where it lies, if asked.
    """

    model: VAE
    history: list[Epoch]
    step: int
    seconds: float
    finished: bool
    precision: str
    data_name: str | None
    checkpoint: Path | None


def train(
    config: Config,
    data,
    *,
    validation=None,
    data_name: str | None = None,
    out: str | Path | None = None,
    device: str = "auto",
    checkpoint_seconds: float = 10.0,
    started: float | None = None,
    progress: bool = False,
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

    Returns
    -------
    Run

    Raises
    ------
    ValueError
        If the data do not fit the configuration.
    CheckpointError
        If ``out`` holds another run, or only damaged checkpoints.
    NonFiniteError, MemoryError, OSError
        Before a step with NaN or infinity; without memory; without room for a checkpoint.

    Source: chapter "variational-autoencoder".
    """
    started = time.monotonic() if started is None else started
    with flushed_denormals(), joined(device) as team, StopSwitch(team) as switch:
        trainer = Trainer(config, data, validation, team, started, data_name)
        if out is not None:
            trainer.resume(Path(out))
        saved_at, bar = time.monotonic(), _Bar(trainer, show=progress and team.rank == 0)
        while not trainer.finished:
            at_end, stop = trainer.take_step(stop=switch.on)
            due = at_end and time.monotonic() - saved_at >= checkpoint_seconds
            if out is not None and team.rank == 0 and (trainer.finished or stop or due):
                trainer.save(Path(out))
                saved_at = time.monotonic()
            bar.show()
            if stop:
                break
        bar.close()
        return trainer.run()


def load_run(folder: str | Path, *, best: bool = True, device: str = "cpu") -> Run:
    """Return the run in a folder, with the weights of its best checkpoint or else its newest.

    The best is the one with the largest bound on the validation images.

    Raises
    ------
    CheckpointError
        If there is no readable checkpoint.
    """
    found = checkpoints.restore(Path(folder), best=best)
    if found is None:
        raise checkpoints.CheckpointError(
            f"{folder} holds no checkpoint; give the folder that was --out in training."
        )
    checkpoint, state = found
    model = VAE(Config.from_dict(state["config"]))
    model.load_state_dict(state["model"])
    history = [Epoch(**row) for row in state["history"]]
    values = [state[name] for name in ("step", "seconds", "finished", "precision", "data_name")]
    return Run(model.to(device), history, *values, checkpoint.path)


class Trainer:
    """A run at one moment: the model, its optimiser, the curve, and how many steps were taken."""

    def __init__(
        self, config: Config, data, validation, team: Team, started: float, data_name=None
    ):
        images, held_out = _split(config, data, validation)
        self.config, self.team, self.started = config, team, started
        self.data_name, self.fingerprint = data_name, _sha256(images, held_out)
        self.model = VAE(config)
        mean_image = _as_floats(images).mean(0)
        self.model.centre_input(mean_image)
        self.model.set_output_bias(mean_image)
        self.model.to(team.device)
        self.images, held_out = images.to(team.device), held_out.to(team.device)
        self.validation = _pixels(held_out, _generator(team.device, config, _VALIDATION))
        self.optimizer = torch.optim.Adam(
            self.model.parameters(),
            config.learning_rate,
            betas=(0.9, config.adam_beta2),
            eps=config.adam_epsilon,
            fused=True,
        )
        self.network = (
            DistributedDataParallel(self.model, broadcast_buffers=False)
            if team.size > 1
            else self.model
        )
        self.precision = _precision(config, team)
        self.steps_an_epoch = math.ceil(len(images) / config.batch_size)
        self.step, self.seconds_before, self.finished = 0, 0.0, False
        self.sums = torch.zeros(3, dtype=torch.float64, device=team.device)
        self.history: list[Epoch] = []
        self.drawn_epoch: int | None = None
        self.checkpoint: Path | None = None

    def take_step(self, *, stop: bool = False) -> tuple[bool, bool]:
        """Climb along one batch's gradient; return whether an epoch ended, and whether to stop."""
        epoch, batch = divmod(self.step, self.steps_an_epoch)
        try:
            chosen, x, eps = self.batch(epoch, batch)
            self.optimizer.zero_grad()
            with self.autocast():
                terms = self.network(x, eps)
            loss = -terms.elbo.sum() / len(chosen)
            (loss * self.team.size).backward()  # the team takes the mean of its gradients
        except (RuntimeError, MemoryError) as error:
            if advice := memory_advice(error, self.config):
                raise advice from error
            raise

        sums = torch.stack([term.detach().sum() for term in terms]).double()
        sums, done, stop = self.team.share(sums, self.fraction_done(), stop)
        if not all_finite(sums, self.model):
            raise self.non_finite(epoch, batch, chosen, x, eps)
        if longest := self.config.max_gradient_norm:
            nn.utils.clip_grad_norm_(self.model.parameters(), longest)
        self.optimizer.param_groups[0]["lr"] = learning_rate(self.config, self.step, done)
        self.optimizer.step()

        self.sums += sums
        self.step += 1
        at_end = batch + 1 == self.steps_an_epoch
        if self.config.max_seconds is None:
            self.finished = self.step == self.config.epochs * self.steps_an_epoch
        else:
            self.finished = done >= 1
        if at_end or self.finished:
            self.close_epoch(epoch, n_seen=batch * self.config.batch_size + len(chosen))
        return at_end, stop

    def batch(self, epoch: int, batch: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return the batch's places in the data, and this process's share of pixels and noise."""
        if self.drawn_epoch != epoch:
            self.drawn_epoch = epoch
            generator = _generator("cpu", self.config, _ORDER, epoch)
            self.order = torch.randperm(len(self.images), generator=generator).to(self.team.device)
            redrawn = epoch if self.config.binarisation == "dynamic" else 0
            generator = _generator(self.team.device, self.config, _PIXELS, redrawn)
            self.pixels = _pixels(self.images, generator)
        start = batch * self.config.batch_size
        chosen = self.order[start : start + self.config.batch_size]
        mine = self.team.part_of(len(chosen))
        generator = _generator(self.team.device, self.config, _NOISE, self.step)
        eps = self.model.draw_noise(self.config.n_draws, len(chosen), generator=generator)
        return chosen, self.pixels[chosen[mine]].float(), eps[:, mine]

    def close_epoch(self, epoch: int, n_seen: int) -> None:
        """Add the epoch's means to the curve, with the bound on the validation images."""
        means = (self.sums / n_seen).tolist()
        score = self.validation_elbo() if len(self.validation) else None
        self.history.append(Epoch(epoch + 1, self.step, *means, score, self.elapsed()))
        self.sums.zero_()

    @torch.no_grad()
    def validation_elbo(self) -> float:
        """Mean bound on the validation images, each time with the same pixels and noise."""
        generator = _generator(self.team.device, self.config, _VALIDATION, 1)
        total = 0.0
        for x in self.validation.float().split(_BLOCK):
            eps = self.model.draw_noise(self.config.n_draws, len(x), generator=generator)
            with self.autocast():
                total += self.model(x, eps).elbo.double().sum().item()
        return total / len(self.validation)

    def elapsed(self) -> float:
        """Seconds of this run, with those before an interruption."""
        return self.seconds_before + time.monotonic() - self.started

    def fraction_done(self) -> float:
        """How much of the run is over, by the clock if it has a time limit, else by steps."""
        limit = self.config.max_seconds
        if limit is None:
            return self.step / (self.config.epochs * self.steps_an_epoch)
        return min(1.0, self.elapsed() / (limit - min(1.0, _CLOSING * limit)))

    def autocast(self):
        """Matrix products in bfloat16 where that is chosen; the parameters stay float32."""
        enabled = self.precision == "bfloat16"
        return torch.autocast(self.team.device.type, torch.bfloat16, enabled=enabled)

    def save(self, folder: Path) -> None:
        """Write a checkpoint: all that the rest of the run depends on."""
        state = {
            "config": self.config.to_dict(),
            "data": self.fingerprint,
            "data_name": self.data_name,
            "precision": self.precision,
            "step": self.step,
            "seconds": self.elapsed(),
            "finished": self.finished,
            "sums": self.sums.cpu(),
            "history": [row._asdict() for row in self.history],
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        ended = self.history and self.history[-1].step == self.step
        score = self.history[-1].validation_elbo if ended else None
        self.checkpoint = checkpoints.save(folder, state, step=self.step, score=score)

    def resume(self, folder: Path) -> None:
        """Go on from the newest checkpoint of the folder, if it has one."""
        found = checkpoints.restore(folder)
        if found is None:
            return
        self.checkpoint, state = found[0].path, found[1]
        there = {**state["config"], "data (SHA-256)": state["data"]}
        here = {**self.config.to_dict(), "data (SHA-256)": self.fingerprint}
        if lines := checkpoints.difference(there, here):
            raise checkpoints.CheckpointError(
                f"{folder} holds another run:\n{lines}\nGive the same values, or another folder."
            )
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.history = [Epoch(**row) for row in state["history"]]
        self.sums = state["sums"].to(self.team.device)
        self.step, self.seconds_before = state["step"], state["seconds"]
        self.precision, self.finished = state["precision"], state["finished"]

    def run(self) -> Run:
        """What ``train`` returns."""
        values = self.step, self.elapsed(), self.finished, self.precision, self.data_name
        return Run(self.model, self.history, *values, self.checkpoint)

    def non_finite(self, epoch, batch, chosen, x, eps) -> NonFiniteError:
        """Find the first tensor of a step that is not finite, and say what can be done."""
        with self.autocast():
            name, value = next(bad_values(self.model, x, eps), ("a sum over the processes", "NaN"))
        images = ", ".join(str(i) for i in chosen[:4].tolist())
        kept = f" The last checkpoint is {self.checkpoint}." if self.checkpoint else ""
        return NonFiniteError(
            f"Stopped before step {self.step + 1}: {name} is {value}, in batch {batch + 1} of "
            f"epoch {epoch + 1} (training images {images}, ...).{kept} "
            f"Try a learning_rate below {self.config.learning_rate:g}, or look at these images."
        )


def learning_rate(config: Config, step: int, fraction_done: float) -> float:
    r"""Learning rate of a step: a linear rise, under a cosine that ends at zero.

    .. math:: r\, \min\Big[1, \frac{t + 1}{t_w}\Big] \cdot \tfrac12 (1 + \cos \pi f)
    """
    rise = min(1.0, (step + 1) / max(1, config.warmup_steps))
    return config.learning_rate * rise * 0.5 * (1 + math.cos(math.pi * fraction_done))


class _Bar:
    """Progress in steps, or in seconds where there is a time limit, with the last epoch's bound."""

    def __init__(self, trainer: Trainer, *, show: bool):
        self.trainer, self.by_clock = trainer, trainer.config.max_seconds is not None
        steps = trainer.config.epochs * trainer.steps_an_epoch
        self.bar = tqdm(
            total=round(trainer.config.max_seconds) if self.by_clock else steps,
            initial=int(trainer.seconds_before) if self.by_clock else trainer.step,
            unit="s" if self.by_clock else "step",
            desc="train",
            disable=not show,
        )

    def show(self) -> None:
        trainer = self.trainer
        if trainer.history and trainer.history[-1].step == trainer.step:
            row = trainer.history[-1]
            shown = {"epoch": row.epoch, "elbo": f"{row.elbo:.2f}"}
            if row.validation_elbo is not None:
                shown["validation"] = f"{row.validation_elbo:.2f}"
            self.bar.set_postfix(shown, refresh=False)
        now = int(trainer.elapsed()) if self.by_clock else trainer.step
        self.bar.update(now - self.bar.n)

    def close(self) -> None:
        self.bar.close()


def _generator(device, config: Config, *key: int) -> torch.Generator:
    """A generator of its own for each use and each step: nothing needs to be remembered."""
    seed = np.random.SeedSequence([config.seed, *key]).generate_state(1)[0]
    return torch.Generator(device).manual_seed(int(seed))


def _pixels(images: Tensor, generator: torch.Generator) -> Tensor:
    """Binarise bytes; real numbers stay what they are."""
    if images.dtype == torch.uint8:
        return objective.binarise(images, generator=generator)
    return images


def _as_floats(images: Tensor) -> Tensor:
    return images.float() / 255 if images.dtype == torch.uint8 else images


def _split(config: Config, data, validation) -> tuple[Tensor, Tensor]:
    """Return training and validation images as (N, D), the second from the first if need be."""
    images = _flat(config, data)
    if validation is not None:
        return images, _flat(config, validation)
    n_train = len(images) - min(HELD_OUT, len(images) // 10)
    return images[:n_train], images[n_train:]


def _flat(config: Config, data) -> Tensor:
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
    return images.flatten(1)


def _sha256(*tensors: Tensor) -> str:
    """Return the start of the SHA-256 of tensors' bytes: enough to tell data apart."""
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(tensor.contiguous().numpy())
    return digest.hexdigest()[:16]


def _precision(config: Config, team: Team) -> str:
    """Settle "auto": bfloat16 where a matrix product of the model's size is clearly faster so.

    Where the processor only emulates it, it is several times slower; hence it is timed, once.
    """
    if config.precision != "auto":
        return config.precision
    if team.device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float32"

    best = {torch.bfloat16: math.inf, torch.float32: math.inf}
    for _ in range(20):  # in turn, so that other work on the machine falls on both
        for dtype in best:
            x, weight = torch.ones(256, 512, dtype=dtype), torch.ones(512, 512, dtype=dtype)
            start = time.perf_counter()
            functional.linear(x, weight)
            best[dtype] = min(best[dtype], time.perf_counter() - start)
    faster = torch.tensor(float(best[torch.bfloat16] < 0.7 * best[torch.float32]))
    if team.size > 1:
        distributed.broadcast(faster, src=0)
    return "bfloat16" if faster.item() else "float32"
