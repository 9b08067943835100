"""The command line: kill -9 at any moment, Ctrl-C once and twice, two processes, evaluate, sample.

The commands run on ``vae_child``'s small images; everything else is as users have it.
"""

import contextlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
import vae_child
from test_vae_training import assert_same_state

from vaebook import data
from vaebook.vae import evaluate, load_run
from vaebook.vae.__main__ import contact_sheet, main
from vaebook.vae.checkpoints import listing, load
from vaebook.vae.training import Batches

SIZE = ["--set", "n_features=36", "--set", "n_latent=3", "--set", "hidden=(16,)"]
TRAIN = ["train", "--quiet", "--device", "cpu", *SIZE, "--set", "batch_size=33"]


@pytest.fixture
def small_data(monkeypatch):
    """The command line in this process, on small images; which of them it has loaded."""
    loaded = []
    monkeypatch.setattr(data, "load", lambda *of: loaded.append(of) or vae_child.load(*of))
    return loaded


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return the folder of a short run."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data, "load", vae_child.load)
        assert main([*TRAIN, "--set", "epochs=3", "--out", str(folder)]) == 0
    return folder


def start(*arguments, launcher=(), mode=""):
    """Start the command line in a process of its own, with one thread."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "VAE_CHILD": mode}
    return subprocess.Popen(
        [sys.executable, *launcher, vae_child.__file__, *map(str, arguments)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process, timeout=120):
    """Wait for a process; return its status and what it printed."""
    output, _ = process.communicate(timeout=timeout)
    return process.returncode, output


def newest_state(folder):
    return load(listing(folder)[0])


# ------------------------------------------------------------------- kill -9


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("n_kills", [1, pytest.param(8, marks=pytest.mark.slow)])
def test_a_run_killed_at_random_moments_ends_as_if_it_had_not_been(tmp_path, n_kills, small_data):
    epochs = 25 * (n_kills + 1)
    run = [*TRAIN, "--set", f"epochs={epochs}", "--out"]
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    draw, died_at = random.Random(n_kills), []
    while len(died_at) < n_kills:
        # Wait for a new checkpoint, then strike within the next dozen epochs or so.
        before = {c.path for c in listing(parts)}
        process = start(*run, parts, mode="often")
        while {c.path for c in listing(parts)} <= before and process.poll() is None:
            time.sleep(0.002)
        time.sleep(draw.uniform(0, 0.3))
        process.kill()
        status, output = finish(process)
        assert status == -signal.SIGKILL, output
        died_at.append(listing(parts)[0].step)
    assert died_at == sorted(died_at)
    assert died_at[-1] < 9 * epochs
    for folder in (whole, parts):
        assert main([*run, str(folder)]) == 0
    assert_same_state(newest_state(whole), newest_state(parts))


# ------------------------------------------------------------------- Ctrl-C


@contextlib.contextmanager
def struck(handler, *numbers):
    """Let this process have a handler for some signals from its start, and get them in step 12."""
    draw, usual = Batches.draw, {number: signal.signal(number, handler) for number in numbers}

    def struck_draw(batches, step):
        if step == 12:
            for number in numbers:
                os.kill(os.getpid(), number)
        return draw(batches, step)

    Batches.draw = struck_draw
    try:
        yield
    finally:
        Batches.draw = draw
        for number, before in usual.items():
            signal.signal(number, before)


def test_one_ctrl_c_saves_says_how_to_go_on_and_the_same_command_does(tmp_path, small_data, capsys):
    run = [*TRAIN, "--set", "epochs=20", "--out", str(tmp_path / "run")]
    with struck(signal.default_int_handler, signal.SIGINT):
        assert main(run) == 130
    output = capsys.readouterr().out
    stopped = int(re.search(r"Stopped after step (\d+); saved in .*same command", output)[1])
    assert newest_state(tmp_path / "run")["step"] == stopped in range(12, 20)
    assert main(run) == 0
    assert "180 steps, 20 epochs" in capsys.readouterr().out
    assert main([*run[:-1], str(tmp_path / "whole")]) == 0
    assert_same_state(newest_state(tmp_path / "whole"), newest_state(tmp_path / "run"))


def test_a_second_ctrl_c_stops_at_once(tmp_path):
    process = start(*TRAIN, "--set", "epochs=1", "--out", tmp_path / "run", mode="hang")
    assert process.stdout.readline() == "hanging\n"
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "asked to stop\n"
    process.send_signal(signal.SIGINT)
    status, output = finish(process, timeout=60)
    assert status == 130
    assert "Stopped at once" in output
    assert "Traceback" not in output


def test_signals_that_were_ignored_at_the_start_stop_nothing(tmp_path, small_data):
    # As nohup, or a script's "&", starts a process.
    with struck(signal.SIG_IGN, signal.SIGINT, signal.SIGTERM):
        assert main([*TRAIN, "--set", "epochs=3", "--out", str(tmp_path / "run")]) == 0
    assert newest_state(tmp_path / "run")["step"] == 27


# ------------------------------------------------------------------- two processes


def test_two_processes_follow_the_curve_of_one(tmp_path, small_data):
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    fast = ["--set", "learning_rate=0.02", "--set", "warmup_steps=0"]
    run = [*TRAIN, *fast, "--set", "epochs=4", "--set", "batch_size=35", "--out"]
    together = start(*run, tmp_path / "two", launcher=torchrun)
    assert main([*run, str(tmp_path / "one")]) == 0
    status, output = finish(together)
    assert status == 0, output
    assert output.count("Saved in") == 1
    one, two = (newest_state(tmp_path / name) for name in ("one", "two"))
    assert one["step"] == two["step"] == 36
    for row, other in zip(one["history"], two["history"], strict=True):
        for name in ("bound", "reconstruction", "kl", "validation_bound"):
            assert row[name] == pytest.approx(other[name], abs=1e-3), name
    for name, weight in one["model"].items():
        torch.testing.assert_close(weight, two["model"][name], atol=1e-3, rtol=0)
    assert one["history"][0]["bound"] < one["history"][-1]["bound"] - 1  # far enough to part
    # A run goes on with another number of processes.
    assert main([*run, str(tmp_path / "two")]) == 0


# ------------------------------------------------------------------- evaluate


def test_evaluate_prints_one_line_of_json_with_the_numbers_of_the_run(trained, capsys, small_data):
    command = ["evaluate", str(trained), "--images", "40", "--importance", "20", "--quiet"]
    assert main([*command, "--json"]) == 0
    output, errors = capsys.readouterr()
    assert output.count("\n") == 1
    assert errors == ""
    result = json.loads(output)
    names = ["nll", "nll_se", "elbo", "reconstruction", "kl", "images", "importance"]
    assert list(result) == [*names, "n_features", "precision", "bits_per_dimension"]
    assert result["bits_per_dimension"] == pytest.approx(result["nll"] / 36 / np.log(2))
    assert (result["images"], result["importance"]) == (40, 20)
    assert result["nll"] < -result["elbo"] + 0.1
    expected = evaluate(
        load_run(trained).model,
        torch.as_tensor(vae_child.images(60)),
        n_importance=20,
        generator=torch.Generator().manual_seed(1),
        n_images=40,
        precision="auto",
    )
    assert result == {**expected._asdict(), "bits_per_dimension": expected.bits_per_dimension}
    assert main(command) == 0
    output = capsys.readouterr().out
    assert f"-log p(x): {result['nll']:.2f} nats, standard error {result['nll_se']:.2f}" in output
    assert "40 test images" in output


def test_evaluate_asks_for_the_test_images_of_the_training_data(trained, capsys, small_data):
    command = ["evaluate", str(trained), "--importance", "2", "--quiet", "--json"]
    assert main(command) == 0
    assert main([*command, "--data", "mnist"]) == 0
    assert small_data == [("drawn-digits", "test"), ("mnist", "test")]
    assert json.loads(capsys.readouterr().out.splitlines()[0])["images"] == 60


def test_the_static_images_are_validated_on_their_own_split(tmp_path, small_data):
    out = str(tmp_path / "run")
    assert main([*TRAIN, "--preset", "static", "--set", "epochs=1", "--out", out]) == 0
    assert sorted(small_data) == [("mnist-static", "train"), ("mnist-static", "valid")]
    assert newest_state(tmp_path / "run")["config"]["binarisation"] == "fixed"


# ------------------------------------------------------------------- sample and the rest


def test_sample_writes_a_picture_of_what_the_model_draws(trained, capsys, monkeypatch, small_data):
    from matplotlib import image

    monkeypatch.setenv("HOME", str(trained.parent))
    assert main(["sample", f"~/{trained.name}", "--n", "5", "--seed", "3"]) == 0
    assert "5 images in" in capsys.readouterr().out
    picture = image.imread(trained / "samples.png")[..., 0]
    generator = torch.Generator().manual_seed(3)
    expected = contact_sheet(load_run(trained).model.sample(5, generator=generator).numpy())
    np.testing.assert_allclose(picture, expected, atol=2 / 255)  # 256 levels of grey


def test_a_contact_sheet_has_each_image_once_in_rows():
    sheet = contact_sheet(np.arange(1, 6)[:, None] * np.ones((5, 4)), gap=1)
    assert sheet.shape == (6, 9)
    assert [sheet[r, c] for r in (0, 3) for c in (0, 3, 6)] == [1, 2, 3, 4, 5, 0]
    assert (sheet[2] == 0).all()
    with pytest.raises(ValueError, match="5 pixels, expected a square"):
        contact_sheet(np.zeros((2, 5)))


def test_train_shows_a_bar_with_the_time_left_and_the_bound(tmp_path, capsys, small_data):
    loud = [argument for argument in TRAIN if argument != "--quiet"]
    assert main([*loud, "--set", "epochs=2", "--out", str(tmp_path / "run")]) == 0
    output, errors = capsys.readouterr()
    assert re.search(r"train: 100%.*18/18 \[\d+:\d+<\d+:\d+.*epoch=2, bound=-\d+\.\d+", errors)
    assert re.search(r"18 steps, 2 epochs, .*Bound: -\d+\.\d\d nats in training", output)
    assert f"evaluate {tmp_path / 'run'}" in output


def test_options_change_the_preset(tmp_path, small_data):
    options = ["--seed", "7", "--set", "epochs=1", "--set", "activation=tanh"]
    assert main([*TRAIN, *options, "--out", str(tmp_path / "run")]) == 0
    config = newest_state(tmp_path / "run")["config"]
    assert (config["seed"], config["activation"], config["hidden"]) == (7, "tanh", [16])


def test_none_takes_a_setting_of_the_preset_away(tmp_path, small_data):
    options = ["--preset", "mnist-cpu", "--set", "epochs=1", "--set", "max_gradient_norm=None"]
    assert main([*TRAIN, *options, "--out", str(tmp_path / "run")]) == 0
    assert newest_state(tmp_path / "run")["config"]["max_gradient_norm"] is None


def test_a_time_limit_ends_the_run_within_it(tmp_path, small_data, capsys):
    start = time.monotonic()
    limit = ["--max-seconds", "1.5", "--out", str(tmp_path / "run")]
    assert main([*TRAIN, *limit]) == 0
    assert newest_state(tmp_path / "run")["seconds"] < 1.5 + 0.2
    assert time.monotonic() - start < 1.5 + 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["evaluate", "nowhere"], "nowhere holds no checkpoint"),
        ([*TRAIN, "--set", "n_features=37"], "shape (330, 6, 6), expected (N, ...) with 37"),
        ([*TRAIN, "--seed", "-1"], "seed is -1"),
        ([*TRAIN, "--set", "learning_rate=1e30", "--set", "warmup_steps=0"], "encoder's mean is"),
        ([*TRAIN, "--set", "n_samples=100000000000"], "of 33 images, 100000000000 sample(s)"),
        ([*TRAIN, "--set", "hidden=(100000000000000000,)"], "Out of memory"),
        ([*TRAIN, "--set", "hidden=(100000000000000000000,)"], "Out of memory"),
        ([*TRAIN, "--set", "hidden=400"], "hidden is 400, expected a sequence of widths"),
        ([*TRAIN, "--set", "hidden={[]: 1}"], "hidden is '{[]: 1}'"),
        ([*TRAIN, "--set", "epochs=None"], "epochs is None"),
        ([*TRAIN, "--set", "epochs="], "epochs is ''"),
        ([*TRAIN, "--set", "seed=99999999999999999999"], "seed is 99999999999999999999"),
        ([*TRAIN, "--max-seconds", "nan"], "max_seconds is nan"),
        ([*TRAIN, "--device", "gpu"], "device is 'gpu'"),
        (["train", "--device", "cuda:99"], "device is 'cuda:99'"),
        ([*TRAIN, "--out", os.devnull], "File exists"),
        (["evaluate", "RUN", "--device", "gpu"], "device is 'gpu'"),
        (["evaluate", "RUN", "--images", "0"], "n_images is 0"),
        (["evaluate", "RUN", "--importance", "-1"], "n_importance is -1"),
        (["evaluate", "RUN", "--seed", "99999999999999999999"], "--seed is 99999999999999999999"),
        (["sample", "RUN", "--n", "0"], "--n is 0"),
        (["sample", "RUN", "--n", "-3"], "--n is -3"),
        (["sample", "RUN", "--n", "1000000000000000"], "memory"),
        (["sample", "RUN", "--n", "100000000000000000000"], "verflow"),
        (["sample", "RUN", "--out", "nowhere/x.png"], "No such file"),
        (["sample", "RUN", "--out", "x.doc"], "--out is x.doc, expected a name that ends in .png"),
    ],
)
def test_errors_are_one_line_and_status_1(
    arguments, message, trained, tmp_path, monkeypatch, capsys, small_data
):
    monkeypatch.chdir(tmp_path)
    capsys.readouterr()
    assert main([str(trained) if word == "RUN" else word for word in arguments]) == 1
    errors = capsys.readouterr().err
    assert errors.startswith("vaebook.vae: ")
    assert errors.count("\n") == 1
    assert message in errors


def test_another_configuration_is_refused_with_the_difference(trained, capsys, small_data):
    assert main([*TRAIN, "--set", "epochs=4", "--out", str(trained)]) == 1
    errors = capsys.readouterr().err
    assert "epochs: 3 in the checkpoint, 4 now" in errors
    assert errors.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "train | evaluate | sample"),
        (["learn"], "invalid choice: 'learn'"),
        (["train", "--preset", "big"], "invalid choice: 'big'"),
        (["train", "--data", "cifar"], "invalid choice: 'cifar'"),
        (["train", "--seed", "one"], "invalid int value: 'one'"),
        (["train", "--max-seconds", "soon"], "invalid float value: 'soon'"),
        (["train", "--set", "width=3"], "batch_size"),  # the fields that there are
        (["train", "--set", "epochs"], "batch_size"),
        (["train", "--set", "=3"], "batch_size"),
        (["evaluate"], "RUN"),
        (["evaluate", "RUN", "--precision", "float16"], "invalid choice: 'float16'"),
        (["sample", "RUN", "--n", "1.5"], "invalid int value: '1.5'"),
    ],
)
def test_a_command_that_cannot_be_understood_is_one_line_and_status_2(arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    errors = capsys.readouterr().err
    assert stop.value.code == 2
    assert message in errors
    assert errors.count("\n") == 1


def test_help_shows_examples_that_parse(capsys, monkeypatch):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    listed = capsys.readouterr().out.partition("examples:")[2]
    examples = re.findall(r"-m vaebook\.vae ((?:\S+ ?)+)", listed)
    assert len(examples) >= 5
    from vaebook.vae.__main__ import _parser

    for example in examples:
        assert callable(_parser().parse_args(example.split()).command)


def test_ctrl_c_while_data_are_loaded_has_no_traceback(monkeypatch, capsys, tmp_path):
    def interrupted(*_arguments, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(data, "load", interrupted)
    assert main([*TRAIN, "--out", str(tmp_path)]) == 130
    assert "Stopped at once" in capsys.readouterr().err


def test_a_run_that_does_not_know_its_data_says_so(trained, monkeypatch, capsys):
    from vaebook.vae import __main__ as cli

    run = load_run(trained)._replace(data_name=None)
    monkeypatch.setattr(cli, "load_run", lambda *_, **__: run)
    assert main(["evaluate", str(trained)]) == 1
    assert "give --data" in capsys.readouterr().err
