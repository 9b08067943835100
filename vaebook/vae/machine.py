"""What a training takes of its machine: device, threads, precision, processes, memory, Ctrl-C."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, distributed, nn

from vaebook.vae.config import Config
from vaebook.vae.networks import VAE

CPU_INFO, LOAD = Path("/proc/cpuinfo"), Path("/proc/loadavg")


def gradients(model: VAE) -> list[Tensor]:
    """The gradients of all parameters, which a backward pass has filled."""
    return [parameter.grad for parameter in model.parameters() if parameter.grad is not None]


@contextlib.contextmanager
def prepared(config: Config, device: str) -> Iterator[tuple["Team", "StopSwitch"]]:
    """What a training has of its machine, and what it sets there for as long as it runs."""
    with (
        _memory_advice(config), _settings_given_back(), joined(device) as team,
        StopSwitch(team.size) as switch,
    ):  # fmt: skip
        yield team, switch


class Team(NamedTuple):
    """The processes that share each batch: one, unless ``torchrun`` started more."""

    device: torch.device
    rank: int
    size: int

    def part_of(self, n: int) -> slice:
        """Return this process's part of n images; all parts together are all of them."""
        return slice(self.rank * n // self.size, (self.rank + 1) * n // self.size)

    def add_up(
        self, model: VAE, sums: Tensor, clock: float, stop: bool
    ) -> tuple[Tensor, float, bool]:
        """Add up gradients and sums; take the first process's clock, and anybody's wish to stop."""
        if self.size == 1:
            return sums, clock, stop
        total = nn.utils.parameters_to_vector(gradients(model))
        distributed.all_reduce(total)
        nn.utils.vector_to_parameters(total, gradients(model))
        shared = torch.cat([sums, sums.new_tensor([clock if self.rank == 0 else 0.0, stop])])
        distributed.all_reduce(shared)
        return shared[:3], shared[3].item(), shared[4].item() > 0


def find_device(name: str | torch.device) -> torch.device:
    """Return the device of that name; "auto" is a GPU where there is one."""
    n_gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    known = ["cuda", *(f"cuda:{number}" for number in range(n_gpus))] if n_gpus else []
    known.append("cpu")
    name = known[0] if name == "auto" else str(name)
    if name not in known:
        raise ValueError(
            f"device is {name!r}, but PyTorch has {', '.join(known)} here; choose that, or auto."
        )
    return torch.device(name)


@contextlib.contextmanager
def joined(device: str) -> Iterator[Team]:
    """Join the processes that torchrun started, by nccl on GPUs and by gloo on CPUs."""
    place = find_device(device)
    size, rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
    if place.type == "cuda" and size > 1:
        place = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(place)
    join = size > 1 and not distributed.is_initialized()
    if join:
        distributed.init_process_group("nccl" if place.type == "cuda" else "gloo")
    try:
        yield Team(place, rank, size)
    finally:
        if join:
            distributed.destroy_process_group()


def settled_precision(name: str, device: torch.device) -> str:
    """Settle "auto": bfloat16 where the device multiplies in it, for emulation is slow."""
    if name != "auto":
        return name
    if device.type == "cuda":
        native = torch.cuda.get_device_capability(device) >= (8, 0)
    else:
        flags = CPU_INFO.read_text("utf-8") if CPU_INFO.exists() else ""
        native = "avx512_bf16" in flags or "amx_bf16" in flags
    return "bfloat16" if native else "float32"


def choose_threads(most: int) -> None:
    """Let PyTorch compute on the cores that nobody else computes on now: 1 to ``most``.

    Threads that share out a product wait for the slowest. Where another program has taken its core,
    two of them were 10 to 18 times *slower* than one.
    """
    if most > 1:
        torch.set_num_threads(max(1, min(most, _free_cores())))


def _free_cores() -> int:
    """Cores without work of other programs, as Linux counts it; elsewhere all of them."""
    n_cores, counts = os.cpu_count() or 1, []
    if not LOAD.exists():
        return n_cores
    for _ in range(5):  # the middle one: some programs wake up for a moment
        time.sleep(0.002)
        counts.append(int(LOAD.read_text("utf-8").split()[3].split("/")[0]))
    return n_cores - (sorted(counts)[2] - 1)  # this program is one of those that run


@contextlib.contextmanager
def _settings_given_back() -> Iterator[None]:
    """Round numbers below the smallest normal one to zero; then give that and the threads back.

    Else Adam's fading moments slow a training down, up to 2.4 times. The processor's setting holds
    for all code of the thread.
    """
    n_threads = torch.get_num_threads()
    smallest = torch.tensor(5e-324, dtype=torch.float64)
    already = (smallest + smallest).item() == 0
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)
        torch.set_flush_denormal(already)


def is_lack_of_memory(error: BaseException) -> bool:
    """Whether an error is PyTorch's or Python's way to say that something is too large."""
    known = isinstance(error, (torch.OutOfMemoryError, MemoryError))
    return known or any(word in str(error) for word in ["allocate memory", "Overflow", "overflow"])


@contextlib.contextmanager
def _memory_advice(config: Config) -> Iterator[None]:
    """Say in one line what to do where memory is short."""
    try:
        yield
    except (RuntimeError, TypeError, MemoryError) as error:
        if not is_lack_of_memory(error):
            raise
        raise MemoryError(
            f"Out of memory with batches of {config.batch_size} images, {config.n_draws} sample(s) "
            f"an image, hidden={config.hidden} and n_latent={config.n_latent}; nothing was "
            f"changed: choose batch_size={max(1, config.batch_size // 2)}, or smaller networks."
        ) from error


class StopSwitch:
    """Turns the first Ctrl-C or SIGTERM into a wish to stop; the next one has its usual effect.

    A signal that the process was started to ignore stays ignored. torchrun passes a Ctrl-C on to
    processes that have it already, so there each counts as one.
    """

    def __init__(self, n_processes: int):
        self.on, self.keep = False, n_processes > 1
        self.usual: dict[int, Any] = {}

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                handler = signal.getsignal(number)
                if handler not in (signal.SIG_IGN, None):
                    self.usual[number] = signal.signal(number, self.press)
        return self

    def press(self, number, _frame):
        self.on = True
        if not self.keep:
            signal.signal(number, self.usual[number])

    def __exit__(self, *_error):
        for number, handler in self.usual.items():
            signal.signal(number, handler)
