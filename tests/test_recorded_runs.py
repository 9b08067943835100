"""The recorded trainings on MNIST: what is stored, and the program that stores it."""

import itertools
import json
from types import SimpleNamespace

import numpy as np
import pytest
import record_runs
import torch
from vae_oracles import BinaryCurve, LinearGaussian, generator

from vaebook import data, explorers
from vaebook.explorers import evidence_budget
from vaebook.results import mnist_runs
from vaebook.vae import Config, Epoch, evaluate, train

every_run = pytest.mark.parametrize("run", mnist_runs.load(), ids=lambda run: run.name)
SMALL = Config(n_features=16, n_latent=2, hidden=(8,), epochs=3, batch_size=30)


@pytest.fixture(autouse=True)
def threads():
    """The program computes on one thread, which other tests of the process need not."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


# ---- the record ----


@every_run
def test_a_run_says_what_it_takes_to_repeat_it(run):
    assert run.command.startswith("python -m vaebook.vae train ")
    assert f"--seed {run.seed} " in run.command
    assert run.name in run.command
    assert all([run.device, run.threads, run.torch, run.commit, run.date, run.precision])
    widths = [784, *run.hidden, run.n_latent]
    layers = list(itertools.pairwise(widths))
    encoder = sum((a + 1) * b for a, b in layers) + (run.hidden[-1] + 1) * run.n_latent
    assert run.parameters == encoder + sum((b + 1) * a for a, b in layers)
    assert run.label in explorers.EvidenceBudget.run.options.values()


@every_run
def test_a_curve_is_a_training_that_learned(run):
    epoch, seconds, elbo, reconstruction, kl, validation = run.curve
    assert epoch[0] == 1
    assert run.epochs - 1 <= epoch[-1] <= run.epochs  # the clock may cut an epoch off
    assert (np.diff(epoch) > 0).all()
    assert (np.diff(seconds) > 0).all()
    assert seconds[-1] == pytest.approx(run.seconds, abs=1)
    if run.n_importance == 1:
        np.testing.assert_allclose(elbo, reconstruction - kl, atol=2e-4)
    assert (kl > 0).all()
    assert validation[-1] > validation[0] + 10
    for array in run.curve:
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


@every_run
def test_test_numbers_and_bounds_agree(run):
    test, curve = run.test, run.importance
    assert (test.images, curve.draws) == (10_000, 5000)
    assert (test.importance, curve.images) == (mnist_runs.N_IMPORTANCE, mnist_runs.N_IMAGES)
    assert test.elbo == pytest.approx(test.reconstruction - test.kl, abs=2e-4)
    samples = curve.samples.tolist()
    assert samples == list(mnist_runs.SAMPLES)
    # Groups of one sample make the ELBO, larger groups raise the bound, on every recorded step.
    np.testing.assert_allclose(curve.rise, curve.bound - curve.bound[0], atol=2e-4)
    assert (np.diff(curve.bound) > 0).all()
    assert (curve.rise_se[1:] < curve.se[1:] / 2).all()
    # 1,000 of the images against all of them: both estimate the same mean.
    both = [(curve.bound[0], test.elbo), (curve.bound[samples.index(1000)], -test.nll)]
    for few, all_images in both:
        assert abs(few - all_images) < 4 * np.hypot(curve.se[0], test.nll_se)
    assert abs(curve.kl - test.kl) < 1
    # How far a bound of 1,000 samples lies above the ELBO varies little from image to image.
    assert curve.rise[samples.index(1000)] == pytest.approx(-test.nll - test.elbo, abs=0.3)


def test_runs_come_by_their_length():
    seconds = [round(run.seconds, -1) for run in mnist_runs.load()]
    assert seconds == sorted(seconds)


# ---- the bound over the number of samples ----


def test_at_the_posterior_one_sample_is_enough():
    case = LinearGaussian()
    curve = record_runs.importance_curve(case.model, torch.tensor(case.x), [1, 5, 100])
    log_px = case.log_px()
    np.testing.assert_allclose(curve["bound"], log_px.mean(), atol=1e-4)
    np.testing.assert_allclose(curve["se"], log_px.std(ddof=1) / 2, atol=1e-4)
    assert curve["rise"] == curve["rise_se"] == [0, 0, 0]


def test_away_from_it_samples_lift_the_bound_from_the_elbo_to_the_likelihood():
    case = BinaryCurve()
    curve = record_runs.importance_curve(case.model, case.x, [1, 7, 5000])
    assert curve["bound"][0] == pytest.approx(case.elbo().mean(), abs=0.01)
    assert curve["bound"][2] == pytest.approx(case.log_px().mean(), abs=0.01)
    assert curve["bound"][0] < curve["bound"][1] < curve["bound"][2]
    mean, log_var = case.model.encoder(case.x)
    kl = 0.5 * (mean**2 + log_var.exp() - 1 - log_var).sum(1).mean().item()
    assert curve["kl"] == pytest.approx(kl, abs=1e-4)


def test_every_group_of_samples_counts_once(monkeypatch):
    case = BinaryCurve()
    x = case.x[:20]
    monkeypatch.setattr(record_runs, "BLOCK", 20)
    curve = record_runs.importance_curve(case.model, x, [1, 30, 100], seed=4)
    noise, pieces = generator(4), []
    for _ in range(2):
        pieces.append(case.model.draw_noise(50, 20, generator=noise))
    log_w = case.model.log_weights(x, torch.cat(pieces)).detach().numpy()
    weights = np.exp(log_w)
    of_30 = np.log([weights[k : k + 30].mean(0) for k in (0, 30, 60)]).mean(0)
    expected = np.array([log_w.mean(0), of_30, np.log(weights.mean(0))])
    rise = expected - expected[0]
    np.testing.assert_allclose(curve["bound"], expected.mean(1), atol=1e-4)
    np.testing.assert_allclose(curve["rise_se"], rise.std(1, ddof=1) / 20**0.5, atol=1e-4)
    assert (curve["images"], curve["draws"]) == (20, 100)


# ---- the program ----


def test_the_few_steps_after_the_last_whole_epoch_count_with_it():
    rows = [
        Epoch(k, 10 * k, -100.0 - k, -80.0 - k, 20.0, -90.0 - k, 1.0 * k) for k in (1, 2, 3)
    ]  # fmt: skip
    assert record_runs.with_whole_epochs(rows) == rows
    cut = [*rows[:2], rows[2]._replace(step=22)]
    *before, last = record_runs.with_whole_epochs(cut)
    assert before == rows[:1]
    weighted = (10 * -102 + 2 * -103) / 12
    assert last == rows[2]._replace(
        epoch=2, step=22, bound=weighted, reconstruction=weighted + 20, kl=20
    )
    assert record_runs.with_whole_epochs(cut[1:]) == cut[1:]


@pytest.fixture
def benchmark(tmp_path, monkeypatch):
    """A folder of runs with its measurements, and a record beside the book's."""
    images = torch.randint(0, 256, (100, 16), generator=generator(0), dtype=torch.uint8)
    measurements = []
    for seed in (1, 2):
        out = tmp_path / "runs" / f"small-seed{seed}"
        config = Config.from_dict({**SMALL.to_dict(), "seed": seed})
        run = train(config, images, out=out, device="cpu", checkpoint_seconds=0)
        result = evaluate(run.model, images, n_importance=10, generator=generator(seed))
        measurements.append({
            "name": f"small {seed}", "command": f"python -m vaebook.vae train --out {out}",
            "seed": seed, "device": "a machine, 2 cores", "threads": 1, "torch": "2",
            "commit": "0", "date": "2026-01-01", "seconds": 70.0 - 30 * seed,
            "details": {"precision": run.precision, "epochs": 3, **result._asdict()},
        })  # fmt: skip
    measurements.append(
        {"name": "else", "command": "python tools/bench_vae.py usual", "details": {}}
    )
    results = tmp_path / "vae-bench.json"
    results.write_text(json.dumps(measurements), "utf-8")
    monkeypatch.setattr(record_runs, "RECORD", tmp_path / "mnist-runs.json")
    monkeypatch.setattr(record_runs, "N_IMAGES", 40)
    monkeypatch.setattr(data, "load", lambda name, split: SimpleNamespace(images=images.numpy()))
    monkeypatch.setattr("sys.argv", ["record_runs.py", str(tmp_path / "runs"), str(results)])
    return tmp_path


def test_runs_with_a_measurement_are_recorded_the_shortest_first(benchmark, capsys):
    record_runs.main()
    assert capsys.readouterr().out.count("small-seed") == 2
    records = json.loads(record_runs.RECORD.read_text("utf-8"))
    runs = [mnist_runs.from_json(record) for record in records]
    assert [run.name for run in runs] == ["small-seed2", "small-seed1"]
    run = runs[0]
    assert (run.hidden, run.n_latent, run.epochs, run.seconds) == ((8,), 2, 3, 10)
    assert run.curve.epoch.tolist() == [1, 2, 3]
    assert run.test.elbo == pytest.approx(run.test.reconstruction - run.test.kl, abs=2e-4)
    assert run.importance.images == 40
    # The weights are those of the best checkpoint on the validation images.
    assert run.importance.bound[0] == pytest.approx(run.test.elbo, abs=0.3)


def test_weights_are_the_best_and_the_curve_goes_on_to_the_end(benchmark):
    record_runs.main()
    newest = {one["name"]: one for one in record_runs.stored()}["small-seed1"]
    second = next((benchmark / "runs" / "small-seed1").glob("step-00000006_*"))
    head, digest = second.name.split("_valid")[0], second.name.split("_sha256")[1]
    second.rename(second.with_name(f"{head}_valid-0.0001_sha256{digest}"))
    record_runs.RECORD.unlink()
    record_runs.main()
    best = {one["name"]: one for one in record_runs.stored()}["small-seed1"]
    assert best["importance"]["bound"] != newest["importance"]["bound"]
    assert best["curve"] == newest["curve"]


def test_a_record_stays_when_its_folder_is_gone(benchmark):
    record_runs.main()
    before = record_runs.RECORD.read_text("utf-8")
    for path in (benchmark / "runs" / "small-seed1").iterdir():
        path.unlink()
    (benchmark / "runs" / "small-seed1").rmdir()
    record_runs.main()
    assert record_runs.RECORD.read_text("utf-8") == before


def test_only_new_measurements_are_evaluated(benchmark, capsys):
    record_runs.main()
    capsys.readouterr()
    record_runs.main()
    assert capsys.readouterr().out == ""
    results = benchmark / "vae-bench.json"
    measurements = json.loads(results.read_text("utf-8"))
    measurements[0]["details"]["nll"] += 0.01
    measurements[1]["date"] = "2026-01-02"
    results.write_text(json.dumps(measurements), "utf-8")
    record_runs.main()
    assert capsys.readouterr().out.count("small-seed") == 2
    dates = {one["name"]: one["date"] for one in record_runs.stored()}
    assert dates == {"small-seed1": "2026-01-01", "small-seed2": "2026-01-02"}


# ---- the explorer ----


@every_run
def test_the_explorer_shows_a_run_from_its_first_epoch_to_its_last(run):
    shown = explorers.EvidenceBudget(run=run.name, progress=0, k=1)
    numbers = shown.readouts()
    assert (numbers["epoch"], numbers["rise"]) == (1, 0)
    assert numbers["cost"] == pytest.approx(-run.curve.reconstruction[0] + run.curve.kl[0])
    shown.set(progress=100, k=5000)
    numbers = shown.readouts()
    assert numbers["epoch"] == run.curve.epoch[-1]
    assert numbers["validation"] == -run.curve.validation_elbo[-1]
    assert numbers["cost"] == numbers["kl"] + numbers["reconstruction"]
    assert numbers["test_bound"] == -run.importance.bound[-1]
    left = numbers["test_reconstruction"] + numbers["test_kl"] - numbers["rise"]
    assert left == pytest.approx(numbers["test_bound"], abs=1e-9)
    assert numbers["nll"] == run.test.nll
    assert f"{numbers['rise']:.2f}" in shown.alt


def test_progress_moves_through_all_epochs_in_order():
    shown, seen = explorers.EvidenceBudget(), []
    for shown.progress in range(101):
        seen.append(shown.readouts()["epoch"])
    run = evidence_budget.runs()[shown.run]
    assert sorted(seen) == seen
    assert set(seen) == set(run.curve.epoch)


def test_samples_that_were_not_recorded_are_refused():
    shown = explorers.EvidenceBudget()
    for bad in [3, 2.5, "10"]:
        with pytest.raises(ValueError, match=r"k = .* choose one from 1, 2, 5, .*, 5000\."):
            shown.k = bad
    shown.k = np.int64(100)
    assert shown.k == 100
    assert json.dumps(shown.values)
