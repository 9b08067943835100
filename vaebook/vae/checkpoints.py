"""Checkpoints that a crash cannot harm: written whole or not at all, and checked when read.

A folder holds files such as ``step-00001200_valid-97.1234_sha256-0123456789abcdef.pt``. The name
says the step, the bound on validation images where there is one, and the start of the contents'
SHA-256: one rename brings contents and check into place together. The two newest and the best are
kept. The files hold tensors and plain Python values alone, so that reading one runs no code.
"""

import contextlib
import hashlib
import io
import math
import os
import re
import sys
from pathlib import Path
from pickle import UnpicklingError
from typing import NamedTuple

import torch

NAME = re.compile(r"step-(\d{8,})(?:_valid(-?\d+\.\d{4}))?_sha256-([0-9a-f]{16})\.pt")
KEPT = 2


class CheckpointError(RuntimeError):
    """A checkpoint is missing, damaged, or belongs to another run."""


class Checkpoint(NamedTuple):
    """What a file's name says: its step, its validation bound (-inf if none), its SHA-256."""

    step: int
    score: float
    digest: str
    path: Path


def save(folder: Path, state: dict, *, step: int, score: float | None = None) -> Path:
    """Write ``state`` so that a crash at any moment leaves the old checkpoints or the new one.

    The bytes go to a temporary file and from there to the disk (fsync) before the file gets its
    name; then the folder's entry goes to the disk, and last the checkpoints beyond the two newest
    and the best are removed.

    Parameters
    ----------
    folder : Path
        Made where it is missing.
    state : dict
        Tensors, numbers, text, lists and dictionaries of them.
    step : int
    score : float, optional
        Mean bound on validation images, in nats; the checkpoint with the largest is the best.

    Returns
    -------
    Path of the file.

    Raises
    ------
    OSError
        If the disk is full or read-only; earlier checkpoints are then unharmed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    torch.save(state, buffer)
    data = buffer.getbuffer()
    valid = f"_valid{score:.4f}" if score is not None and math.isfinite(score) else ""
    digest = hashlib.sha256(data).hexdigest()[:16]
    path = folder / f"step-{step:08d}{valid}_sha256-{digest}.pt"
    temporary = folder / f"{path.name}.{os.getpid()}.tmp"
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise OSError(
            error.errno,
            f"Checkpoint of step {step} not written ({error.strerror}); earlier ones are unharmed. "
            "Make room, or choose another folder",
            str(folder),
        ) from error
    _sync_folder(folder)
    _prune(folder, path)
    return path


def listing(folder: Path) -> list[Checkpoint]:
    """Return the folder's checkpoints, the newest first; an empty list if it has none."""
    found = []
    for path in folder.iterdir() if folder.is_dir() else ():
        if match := NAME.fullmatch(path.name):
            with contextlib.suppress(FileNotFoundError):  # a training beside us may prune it
                saved_at = path.stat().st_mtime_ns
                score = float(match[2] or -math.inf)
                found.append((saved_at, Checkpoint(int(match[1]), score, match[3], path)))
    found.sort(key=lambda one: (one[1].step, one[0]), reverse=True)
    return [checkpoint for _, checkpoint in found]


def load(checkpoint: Checkpoint) -> dict:
    """Return a checkpoint's state, on the CPU, if its contents have the SHA-256 of its name.

    Raises
    ------
    CheckpointError
        If a bit of it changed, it cannot be read, or it holds more than tensors and plain values.
    """
    name = checkpoint.path.name
    try:
        data = checkpoint.path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{name} cannot be read ({error.strerror}).") from error
    if hashlib.sha256(data).hexdigest()[:16] != checkpoint.digest:
        raise CheckpointError(f"{name} is damaged: its contents do not have the SHA-256 it names.")
    try:
        return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        raise CheckpointError(f"{name} holds more than tensors and plain values.") from error


def restore(folder: Path, *, best: bool = False) -> tuple[Checkpoint, dict] | None:
    """Return the newest readable checkpoint (or the best) and its state; None if there is none.

    A damaged one is reported on stderr, and the next one is taken.

    Raises
    ------
    CheckpointError
        If there are checkpoints and all are damaged.
    """
    found = listing(folder)
    if best:
        found.sort(key=lambda c: c.score, reverse=True)
    for checkpoint in found:
        try:
            return checkpoint, load(checkpoint)
        except CheckpointError as error:
            print(f"{error} Falling back to the checkpoint before it.", file=sys.stderr)
    if found:
        raise CheckpointError(
            f"All {len(found)} checkpoints in {folder} cannot be read; train in another folder."
        )
    return None


def _prune(folder: Path, saved: Path) -> None:
    """Keep the two newest and the best; remove the others and what killed runs left half-written.

    The one just saved stays in any case: those that name later steps may be damaged. Two runs in
    one folder are not supported: each would remove the other's files.
    """
    found = listing(folder)
    keep = {saved, *(c.path for c in found[:KEPT]), max(found, key=lambda c: c.score).path}
    for path in {c.path for c in found} - keep | set(folder.glob("*.pt.*.tmp")):
        path.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Bring a folder's entries to the disk, where the system can (Windows cannot)."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
