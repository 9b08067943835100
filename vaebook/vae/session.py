"""What a training needs around its loop: the clock, the curve, checkpoints, a progress bar.

The loop asks a ``Session`` three things: under which precision to compute (``autocast``), to take
the other processes' gradients and refuse what is not finite (``gather``), and to count the step
(``close_step``), which also writes the curve and the checkpoints.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from tqdm import tqdm

from vaebook.vae import checkpoints, objective
from vaebook.vae.config import Config
from vaebook.vae.machine import choose_threads, find_device, gradients, settled_precision
from vaebook.vae.networks import VAE

_CLOSING = 0.02  # share of the time limit, at most one second, kept for the last checkpoint


class Epoch(NamedTuple):
    """Means over one epoch's images as they were met, in nats; ``validation_bound`` at its end.

    ``epoch`` counts from 1, ``step`` and ``seconds`` from the start of the run. The bounds are
    ELBOs, or importance-weighted with ``n_importance`` above 1.
    """

    epoch: int
    step: int
    bound: float
    reconstruction: float
    kl: float
    validation_bound: float | None
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


class NonFiniteError(FloatingPointError):
    """A number of a training step is NaN or infinite; the step was not taken."""


def load_run(folder: str | Path, *, best: bool = True, device: str = "cpu") -> Run:
    """Return the run in a folder, with the weights of its best checkpoint or else its newest.

    The best is the one with the largest bound on the validation images.

    Raises
    ------
    CheckpointError
        If there is no readable checkpoint.
    """
    folder = Path(os.path.expanduser(folder))
    found = checkpoints.restore(folder, best=best)
    if found is None:
        raise checkpoints.CheckpointError(
            f"{folder} holds no checkpoint; give the folder that was --out in training."
        )
    checkpoint, state = found
    model = VAE(Config.from_dict(state["config"])).to(find_device(device))
    model.load_state_dict(state["model"])
    names = ("step", "seconds", "finished", "precision", "data_name")
    values = {name: state[name] for name in names}
    return Run(model, _curve(state), **values, checkpoint=checkpoint.path)


class Session:
    """A run at one moment: model, optimiser, curve, and how many steps were taken."""

    def __init__(
        self, model, optimizer, batches, team, switch, *,
        out, data_name, checkpoint_seconds, started, progress, watch,
    ):  # fmt: skip
        self.config: Config = model.config
        self.model, self.optimizer, self.batches = model, optimizer, batches
        self.team, self.switch, self.watch = team, switch, watch
        self.out = None if out is None else Path(os.path.expanduser(out))
        self.data_name = None if data_name is None else str(data_name)
        self.checkpoint_seconds, self.started = checkpoint_seconds, started
        self.precision = settled_precision(self.config.precision, team.device)
        self.most_threads = torch.get_num_threads()
        choose_threads(self.most_threads)
        self.step, self.seconds_before, self.fraction_done = 0, 0.0, 0.0
        self.finished = self.was_finished = self.stopped = False
        self.by_clock = self.config.max_seconds is not None
        self.n_steps = self.config.epochs * batches.an_epoch
        self.sums = torch.zeros(3, dtype=torch.float64, device=team.device)
        self.history: list[Epoch] = []
        self.checkpoint: Path | None = None
        if self.out is not None:
            self.out.mkdir(parents=True, exist_ok=True)  # now, not after the first epoch
            self.resume(self.out)
        self.saved_at = time.monotonic()
        self.bar = tqdm(
            total=round(self.config.max_seconds) if self.by_clock else self.n_steps,
            initial=self._place(),
            unit="s" if self.by_clock else "step",
            desc="train",
            disable=not progress or team.rank > 0,
        )

    @property
    def over(self) -> bool:
        """Whether the run is at its end, or was asked to stop."""
        return self.finished or self.stopped

    def autocast(self) -> torch.autocast:
        """Matrix products in bfloat16 where that is chosen; the parameters stay float32."""
        enabled = self.precision == "bfloat16"
        return torch.autocast(self.team.device.type, torch.bfloat16, enabled=enabled)

    def gather(self, terms: objective.BoundTerms, batch) -> None:
        """Add up the gradients, the sums of the terms, and the clock, over the processes.

        Raises
        ------
        NonFiniteError
            If one of these numbers is NaN or infinite.
        """
        sums = torch.stack([term.detach().sum() for term in terms[:3]]).double()
        self.step_sums, self.fraction_done, self.stopped = self.team.add_up(
            self.model, sums, self._clock(), self.switch.on
        )
        totals = [gradient.sum() for gradient in gradients(self.model)]
        if not torch.isfinite(torch.stack([*totals, *self.step_sums])).all():
            raise self._non_finite(batch)

    def close_step(self, batch) -> None:
        """Count the step; at an epoch's end add to the curve; write a checkpoint if one is due."""
        number = self.step % self.batches.an_epoch
        self.sums += self.step_sums
        self.step += 1
        at_end = number + 1 == self.batches.an_epoch
        self.finished = self.fraction_done >= 1 if self.by_clock else self.step == self.n_steps
        if at_end or self.finished:
            self._close_epoch(n_seen=number * self.config.batch_size + len(batch.rows))
        due = at_end and time.monotonic() - self.saved_at >= self.checkpoint_seconds
        if self.out is not None and self.team.rank == 0 and (self.over or due):
            self.save(self.out)
            self.saved_at = time.monotonic()
        self.bar.update(self._place() - self.bar.n)

    def elapsed(self) -> float:
        """Seconds of this run, with those before an interruption; a finished one takes no more."""
        now = 0.0 if self.was_finished else time.monotonic() - self.started
        return self.seconds_before + now

    def save(self, folder: Path) -> None:
        """Write a checkpoint: all that the rest of the run depends on."""
        state = {
            "config": self.config.to_dict(),
            "data": self.batches.fingerprint,
            "data_name": self.data_name,
            "precision": self.precision,
            "threads": torch.get_num_threads(),
            "step": self.step,
            "seconds": self.elapsed(),
            "finished": self.finished,
            "sums": self.sums.cpu(),
            "history": [row._asdict() for row in self.history],
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        ended = self.history and self.history[-1].step == self.step
        score = self.history[-1].validation_bound if ended else None
        self.checkpoint = checkpoints.save(folder, state, step=self.step, score=score)

    def resume(self, folder: Path) -> None:
        """Go on from the newest checkpoint of the folder, if it has one."""
        found = checkpoints.restore(folder)
        if found is None:
            return
        self.checkpoint, state = found[0].path, found[1]
        config = Config.from_dict(state["config"])  # knows fields that are newer than the file
        there = {**config.to_dict(), "data (SHA-256)": state["data"]}
        here = {**self.config.to_dict(), "data (SHA-256)": self.batches.fingerprint}
        if there != here:
            other = "; ".join(
                f"{key}: {there[key]!r} in the checkpoint, {here[key]!r} now"
                for key in sorted(here)
                if there[key] != here[key]
            )
            raise checkpoints.CheckpointError(
                f"{folder} holds another run: {other}. Give the same values, or another folder."
            )
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.history, self.sums = _curve(state), state["sums"].to(self.team.device)
        self.step, self.seconds_before = state["step"], state["seconds"]
        self.precision, self.finished = state["precision"], state["finished"]
        self.was_finished = self.finished
        if not self.by_clock:  # other threads would add up in another order
            torch.set_num_threads(state.get("threads", torch.get_num_threads()))

    def run(self) -> Run:
        """What ``train`` returns."""
        self.bar.close()
        values = self.step, self.elapsed(), self.finished, self.precision, self.data_name
        return Run(self.model, self.history, *values, self.checkpoint)

    def _clock(self) -> float:
        """How much of the run is over, by the clock if it has a time limit, else by steps."""
        limit = self.config.max_seconds
        if limit is None:
            return self.step / self.n_steps
        return min(1.0, self.elapsed() / (limit - min(1.0, _CLOSING * limit)))

    def _close_epoch(self, n_seen: int) -> None:
        """Add the epoch's means to the curve, with the bound on the validation images."""
        bound, reconstruction, kl = (self.sums / n_seen).tolist()
        with self.autocast():
            score = self.batches.validation_bound(self.model)
        terms = bound, reconstruction, kl, score
        self.history.append(Epoch(len(self.history) + 1, self.step, *terms, self.elapsed()))
        self.sums.zero_()
        if self.watch is not None:
            self.watch(self.model, self.history[-1])
        if self.by_clock:
            choose_threads(self.most_threads)
        shown = {"epoch": len(self.history), "bound": f"{bound:.2f}"}
        if score is not None:
            shown["validation"] = f"{score:.2f}"
        self.bar.set_postfix(shown, refresh=False)

    def _place(self) -> int:
        """Where the bar stands: in steps, or in seconds where there is a time limit."""
        return int(self.elapsed()) if self.by_clock else self.step

    def _non_finite(self, batch) -> NonFiniteError:
        """Find the first tensor of a step that is not finite, and say what can be done."""
        found = "a sum over the processes is NaN"
        with self.autocast():
            for name, tensor in _tensors(self.model, batch.x, batch.eps):
                bad = tensor[~torch.isfinite(tensor)]
                if len(bad):
                    found = f"{name} is {bad[0].item()}"
                    break
        epoch, number = divmod(self.step, self.batches.an_epoch)
        images = ", ".join(str(i) for i in batch.rows[:4].tolist())
        kept = f" The last checkpoint is {self.checkpoint}." if self.checkpoint else ""
        return NonFiniteError(
            f"Stopped before step {self.step + 1}: {found}, in batch {number + 1} of "
            f"epoch {epoch + 1} (training images {images}, ...).{kept} "
            f"Try a learning_rate below {self.config.learning_rate:g}, or look at these images."
        )


def _curve(state: dict) -> list[Epoch]:
    return [Epoch(*row.values()) for row in state["history"]]


def _tensors(model: VAE, x: Tensor, eps: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Repeat a step's way tensor by tensor, with their names."""
    yield from model.named_parameters()
    yield "the data", x
    mean, log_var = model.encoder(x)
    yield "the encoder's mean", mean
    yield "the encoder's log-variance", log_var
    z = objective.reparameterize(mean, log_var, eps)
    yield "z", z
    yield "the decoder's output", model.decoder(z)
    for name, term in zip(("bound", "reconstruction", "kl"), model(x, eps), strict=False):
        yield f"the term {name}", term
    for (name, _), gradient in zip(model.named_parameters(), gradients(model), strict=True):
        yield f"the gradient of {name}", gradient
