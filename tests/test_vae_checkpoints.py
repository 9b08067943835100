"""Checkpoints: whole or absent, checked by SHA-256, pruned, and never a way to run code."""

import errno
import os
from pathlib import Path

import pytest
import torch

from vaebook.vae.checkpoints import CheckpointError, listing, restore, save


def state_of(step):
    return {
        "step": step,
        "weights": torch.arange(5.0) + step,
        "curve": [{"elbo": -1.5, "kl": None}],
    }


def steps_in(folder):
    return [c.step for c in listing(folder)]


def flip_a_bit(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def truncate(path):
    path.write_bytes(path.read_bytes()[:-100])


def empty(path):
    path.write_bytes(b"")


def test_what_was_saved_comes_back(tmp_path):
    path = save(tmp_path / "new" / "run", state_of(7), step=7, score=-97.12344)
    (checkpoint,) = listing(path.parent)
    assert checkpoint.path == path
    assert (checkpoint.step, checkpoint.score) == (7, -97.1234)
    found, state = restore(path.parent)
    assert found == checkpoint
    assert torch.equal(state.pop("weights"), torch.arange(5.0) + 7)
    assert state == {"step": 7, "curve": [{"elbo": -1.5, "kl": None}]}


def test_a_folder_without_checkpoints_has_none(tmp_path):
    assert restore(tmp_path) is None
    assert restore(tmp_path / "missing") is None
    (tmp_path / "notes.pt").write_text("no checkpoint")
    assert listing(tmp_path) == []


def test_the_two_newest_and_the_best_are_kept(tmp_path):
    for step, score in [(1, -9.0), (2, -3.0), (3, -5.0), (4, None), (5, float("nan")), (6, -4.0)]:
        save(tmp_path, state_of(step), step=step, score=score)
    assert steps_in(tmp_path) == [6, 5, 2]
    assert restore(tmp_path)[1]["step"] == 6
    assert restore(tmp_path, best=True)[1]["step"] == 2
    save(tmp_path, state_of(7), step=7, score=-2.0)
    assert steps_in(tmp_path) == [7, 6]


def test_the_one_just_saved_stays_even_if_others_name_later_steps(tmp_path):
    for step, score in [(10, -1.0), (20, -3.0), (30, -2.0), (15, -4.0)]:
        assert save(tmp_path, state_of(step), step=step, score=score).exists()


def test_without_scores_the_newest_is_the_best(tmp_path):
    for step in [1, 2, 3]:
        save(tmp_path, state_of(step), step=step)
    assert steps_in(tmp_path) == [3, 2]
    assert restore(tmp_path, best=True)[1]["step"] == 3


@pytest.mark.parametrize("harm", [flip_a_bit, truncate, empty])
def test_a_damaged_newest_is_reported_and_the_one_before_it_taken(tmp_path, harm, capsys):
    save(tmp_path, state_of(1), step=1)
    newest = save(tmp_path, state_of(2), step=2)
    harm(newest)
    assert restore(tmp_path)[1]["step"] == 1
    message = capsys.readouterr().err
    assert newest.name in message
    assert "damaged" in message


def test_with_all_damaged_nothing_is_guessed(tmp_path):
    for step in [1, 2]:
        truncate(save(tmp_path, state_of(step), step=step))
    with pytest.raises(CheckpointError, match="All 2 checkpoints"):
        restore(tmp_path)


@pytest.mark.parametrize("broken", ["fsync", "replace"])
def test_a_disk_without_room_leaves_what_was_there(tmp_path, monkeypatch, broken):
    save(tmp_path, state_of(1), step=1)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def no_room(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, broken, no_room)
    with pytest.raises(OSError, match=r"No space left on device.*earlier ones are unharmed"):
        save(tmp_path, state_of(2), step=2)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_the_bytes_are_on_the_disk_before_the_name_and_the_name_before_old_ones_go(
    tmp_path, monkeypatch
):
    for step in [1, 2]:
        save(tmp_path, state_of(step), step=step)
    calls = []

    def spy(owner, name):
        real = getattr(owner, name)

        def called(*arguments, **options):
            calls.append(name)
            return real(*arguments, **options)

        monkeypatch.setattr(owner, name, called)

    for owner, name in [(os, "fsync"), (os, "replace"), (Path, "unlink")]:
        spy(owner, name)
    save(tmp_path, state_of(3), step=3)
    assert calls == ["fsync", "replace", "fsync", "unlink"]


def test_what_a_killed_run_left_half_written_is_ignored_and_removed(tmp_path):
    path = save(tmp_path, state_of(1), step=1)
    half = tmp_path / f"{path.name}.12345.tmp"
    half.write_bytes(path.read_bytes()[:50])
    assert steps_in(tmp_path) == [1]
    save(tmp_path, state_of(2), step=2)
    assert not half.exists()


def test_a_checkpoint_that_would_run_code_is_refused(tmp_path, capsys):
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    path = save(tmp_path, {"trap": Trap()}, step=1)
    with pytest.raises(CheckpointError, match="All 1 checkpoints"):
        restore(tmp_path)
    assert "holds more than tensors and plain values" in capsys.readouterr().err
    assert not (tmp_path / "sprung").exists()
    torch.load(path, weights_only=False)
    assert (tmp_path / "sprung").exists()  # it is a trap, for who is careless
