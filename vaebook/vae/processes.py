"""What a training run has to do with its machine: other processes, rounding, and being stopped."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, distributed

__all__ = ["StopSwitch", "Team", "flushed_denormals", "joined"]


class Team(NamedTuple):
    """The processes that share each batch: one, unless ``torchrun`` started more."""

    device: torch.device
    rank: int
    size: int

    def part_of(self, n: int) -> slice:
        """Return this process's part of n images; all parts together are all of them."""
        return slice(self.rank * n // self.size, (self.rank + 1) * n // self.size)

    def share(self, sums: Tensor, fraction_done: float, stop: bool) -> tuple[Tensor, float, bool]:
        """Add up the processes' sums; take the first one's clock, and anybody's wish to stop."""
        if self.size == 1:
            return sums, fraction_done, stop
        clock = fraction_done if self.rank == 0 else 0.0
        shared = torch.cat([sums, sums.new_tensor([clock, stop])])
        distributed.all_reduce(shared)
        return shared[:3], shared[3].item(), shared[4].item() > 0


@contextlib.contextmanager
def joined(device: str) -> Iterator[Team]:
    """Join the processes that torchrun started, by nccl on GPUs and by gloo on CPUs."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    size, rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
    if device == "cuda" and size > 1:
        device = f"cuda:{os.environ['LOCAL_RANK']}"
        torch.cuda.set_device(device)
    team = Team(torch.device(device), rank, size)
    join = size > 1 and not distributed.is_initialized()
    if join:
        distributed.init_process_group("nccl" if team.device.type == "cuda" else "gloo")
    try:
        yield team
    finally:
        if join:
            distributed.destroy_process_group()


@contextlib.contextmanager
def flushed_denormals() -> Iterator[None]:
    """Round numbers below the smallest normal one to zero, and afterwards as it was before.

    Else Adam's fading moments slow a training down, up to 2.4 times. The processor's setting holds
    for all code of the thread, so it is given back.
    """
    smallest = torch.tensor(5e-324, dtype=torch.float64)
    already = (smallest + smallest).item() == 0
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(already)


class StopSwitch:
    """Turns the first Ctrl-C or SIGTERM into a wish to stop; the next one has its usual effect.

    torchrun passes a Ctrl-C on to processes that have it already, so there each counts as one.
    """

    def __init__(self, team: Team):
        self.on, self.keep = False, team.size > 1
        self.usual: dict[int, object] = {}

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self.usual[number] = signal.signal(number, self.press)
        return self

    def press(self, number, _frame):
        self.on = True
        if not self.keep:
            signal.signal(number, self.usual[number])

    def __exit__(self, *_error):
        for number, handler in self.usual.items():
            signal.signal(number, handler)
