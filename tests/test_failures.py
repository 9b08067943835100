"""The ward round: the record, the programs of the chapter that made it, and its explorer."""

import numpy as np
import pytest
import record_failures
import torch

from vaebook import explorers
from vaebook.explorers.failures import BUGS, SUSPECTS, at_stages
from vaebook.results import failures
from vaebook.results.failures import NAMES
from vaebook.vae import VAE
from vaebook.vae.objective import log_bernoulli


@pytest.fixture(scope="module")
def chapter():
    """What the chapter defines."""
    return record_failures.definitions()


@pytest.fixture(scope="module")
def images(chapter):
    """What the patients are trained on."""
    return chapter["digits"](record_failures.N_TRAIN, record_failures.TRAIN_SEED)


def ends(name):
    """Return what a patient prints at the end, and its test bound."""
    run = failures.load()[name]
    return np.subtract(*run.printed[-1]), run.numbers["reconstruction"] - run.numbers["kl"]


# ---- the record ----


def test_record_is_whole_says_how_it_was_made_and_cannot_be_changed():
    runs = failures.load()
    assert set(runs) == {*NAMES, "about"}
    assert {"made_by", "seeds", "device", "torch", "seconds"} <= runs["about"].keys()
    for name in NAMES:
        run = runs[name]
        assert run.printed.shape == run.honest.shape == (80 if name.startswith("H") else 20, 2)
        assert run.reconstructions.shape == run.originals.shape == (12, 28, 28)
        assert run.samples.shape == (20, 6, 28, 28)
        assert not np.any(run.samples % 17), "16 levels of grey"
        assert run.samples.dtype == np.uint8
        assert np.isfinite(run.printed).all()
        assert np.isfinite([value for value in run.numbers.values() if np.isscalar(value)]).all()
    with pytest.raises(ValueError, match="read-only"):
        runs["A"].printed[0, 0] = 1


def test_each_patient_has_its_symptom_and_the_healthy_run_has_none():
    runs = failures.load()
    for name in NAMES:
        printed, bound = ends(name)
        numbers, most = runs[name].numbers, np.median(runs[name].kl)
        order = bound <= numbers["log_px"]
        assert order, f"{name}: a bound measured by vaebook.vae lies above log p"
        assert (printed > 0) == (name in ("D", "E, cured")), "densities and patient D alone"
        if not name.startswith("E"):
            too_good = printed > numbers["log_px"] + 5
            assert too_good == (name in ("A", "B", "C", "D", "F, thresholded")), name
        assert (most < 0.1) == (name in ("C", "G", "E, as if 64 x 64 x 3")), name
        assert (not runs[name].active.any()) == (name == "C"), name
        leaks = not name.startswith(("A", "B", "D", "E")) and bound - numbers["fresh_elbo"] > 5
        assert leaks == (name == "H"), name


@pytest.mark.parametrize("name", ["healthy", "B", "E"])
def test_the_chapter_trains_as_recorded(name, chapter, images):
    test = torch.zeros(0, 784, dtype=torch.uint8)
    for found, vae, program, data, pixels, _ in record_failures.patients(chapter, images, test):
        if found == name:
            first = next(chapter["train"](vae, program, data, pixels, 1))
    np.testing.assert_allclose(first, failures.load()[name].printed[0], rtol=5e-3)


# ---- the programs ----


def test_a_weight_is_a_noise_in_disguise(chapter):
    """Gradients of the hand-weighted loss are those of a Gaussian bound, times the weight."""
    noise = record_failures.noise_std("E", None)
    assert noise == pytest.approx(0.31305, abs=1e-5)
    config = record_failures.dataclasses.replace(record_failures.GAUSSIAN, noise_std=noise)
    generator = torch.Generator().manual_seed(1)
    x, eps = torch.rand(50, 784, generator=generator), torch.randn(50, 20, generator=generator)
    grads = []
    for program in (chapter["weigh_kl"], chapter["sound"]):
        vae = VAE(config).double()
        gain, price = program(vae, x.double(), eps.double())
        (gain - price).mean().backward()
        grads.append(torch.cat([value.grad.flatten() for value in vae.parameters()]))
    torch.testing.assert_close(grads[0], 0.00025 * grads[1], rtol=1e-10, atol=1e-14)


def test_fitted_noise_is_the_best_one(chapter):
    vae = VAE(record_failures.GAUSSIAN)
    generator = torch.Generator().manual_seed(1)
    x, eps = torch.rand(50, 784, generator=generator), torch.randn(50, 20, generator=generator)
    with torch.no_grad():
        fitted = (chapter["fit_noise"](vae, x, eps)[0]).mean().item()
        best = record_failures.noise_std("E, cured", [fitted, 0.0])
        for noise, below in [(best, 1e-4), (1.1 * best, None), (0.9 * best, None)]:
            vae.config = record_failures.dataclasses.replace(vae.config, noise_std=noise)
            value = chapter["sound"](vae, x, eps)[0].mean().item()
            if below is None:
                assert value < fitted - 1
            else:
                assert value == pytest.approx(fitted, rel=below)


@pytest.mark.parametrize("reach", [2, 784])
def test_looking_back_sees_the_pixels_before_and_no_other(chapter, reach):
    vae = chapter["LookingBack"](record_failures.CONFIG, reach=reach)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        vae.weights.copy_(torch.randn(784, 784, generator=generator))
    x = torch.bernoulli(torch.full((784,), 0.5), generator=generator).requires_grad_()
    # The derivative of the log-likelihood of pixel d alone, by all pixels.
    logits = vae.decoder(torch.zeros(20)) + x @ (10 * vae.seen * vae.weights).T
    for d in (0, 1, 300):
        seen = torch.autograd.grad(logits[d], x, retain_graph=True)[0].nonzero().flatten().tolist()
        assert seen == list(range(max(0, d - reach), d))
    both = vae.log_px_given_z(x.detach()[None], torch.zeros(1, 20))
    assert both.item() == pytest.approx(log_bernoulli(x, logits).item(), rel=1e-5)
    with torch.no_grad():
        drawn = vae.sample(3, generator=generator)
    assert drawn.shape == (3, 784)
    assert set(drawn.unique().tolist()) <= {0.0, 1.0}


def test_twins_print_the_same_whatever_the_width_of_q(chapter):
    """Patient A's number does not change with the noise; the sound program's does."""
    vae, x = VAE(record_failures.CONFIG), torch.ones(1, 784)
    with torch.no_grad():
        for name, same in [("forget_to_sample", True), ("sound", False)]:
            one, other = (chapter[name](vae, x, eps * torch.ones(1, 20))[0] for eps in (-1.0, 1.0))
            assert torch.equal(one, other) == same


# ---- the explorer ----


def test_explorer_shows_the_recorded_numbers():
    runs = failures.load()
    for name in BUGS:
        shown = explorers.Failures(patient=name, stage=20).readouts()
        assert shown["printed"] == np.subtract(*runs[name].printed[-1])
        assert shown["healthy"] == np.subtract(*runs["healthy"].printed[-1])
        assert shown["log_px"] == runs[name].numbers["log_px"]
    early = explorers.Failures(patient="H", stage=1).readouts()
    assert early["elbo"] == np.subtract(*runs["H"].honest[3])


def test_each_suspect_has_one_patient():
    assert sorted(BUGS.values()) == sorted(SUSPECTS.keys() - {"none"})


def test_a_blind_round_gives_nothing_away_and_another_patient_begins_blind():
    round_ = explorers.Failures(suspect="mean")
    found = f"{round_.readouts()['log_px']:,.1f}".replace("-", "\u2212")
    assert found not in round_.alt
    assert "decoded" not in round_.alt
    blind = len(round_.still().axes[0].lines)
    round_.reveal()
    assert len(round_.still().axes[0].lines) > blind
    assert found in round_.alt
    assert "decoded" in round_.alt
    round_.next_patient()
    assert (round_.patient, round_.suspect, round_.revealed) == ("B", "none", 0)
    assert explorers.Failures(patient="C", revealed=1).revealed == 1
    assert explorers.Failures(patient="H").case == "H"
    last = explorers.Failures(patient="H")
    last.next_patient()
    assert last.patient == "A"


def test_stages_are_twentieths():
    assert at_stages(np.arange(80)[:, None]).ravel().tolist() == list(range(3, 80, 4))
    assert at_stages(np.arange(20)[:, None]).ravel().tolist() == list(range(20))
