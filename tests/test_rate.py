"""The recorded curve of rate and distortion: whole, told how it was made, as theory wants it."""

import dataclasses

import numpy as np
import pytest
import record_rate
import torch

from vaebook.results import rate
from vaebook.results.rate import BETAS, FACTORS, NAMES, SEEDS
from vaebook.vae import VAE

CURVE = rate.load().curve()


def test_record_is_whole_says_how_it_was_made_and_cannot_be_changed():
    record = rate.load()
    wanted = {"made_by", "config", "images", "seeds", "device", "torch", "seconds", "data"}
    assert wanted <= record.about.keys()
    assert tuple(record.about["data"]["factors"]) == FACTORS
    assert tuple(record_rate.configs()) == NAMES == tuple(record.runs)
    for run in record.runs.values():
        assert run.gap.shape == (len(SEEDS), len(FACTORS))
        np.testing.assert_allclose(run.kl.sum(-1), run.rate, rtol=1e-5)
        assert (np.sort(run.kl[0])[::-1][: len(run.traversed)] == run.kl[0][run.traversed]).all()
        # A lower bound lies below the estimate of what it bounds, up to the images of each.
        assert (-run.rate - run.distortion < run.log_px + 5).all()
        assert np.isfinite([run.distortion, run.log_px, run.rms_error]).all()
    with pytest.raises(ValueError, match="read-only"):
        CURVE[0].rate[0] = 1


def test_more_weight_on_the_kl_buys_less_rate_for_more_distortion():
    rates, distortions = (
        np.array([getattr(run, name) for run in CURVE]) for name in ("rate", "distortion")
    )
    assert (np.diff(rates, axis=0) < 0).all()
    assert (np.diff(distortions, axis=0) > 0).all()
    # Each run is best among all at its own price, but for what training left.
    cost = distortions.mean(1) + np.array(BETAS)[:, None] * rates.mean(1)
    assert (np.diag(cost) < cost.min(1) * 1.01 + 0.5).all()


def test_the_elbo_is_best_where_the_weight_is_one():
    elbo = [(-run.rate - run.distortion).mean() for run in CURVE]
    assert BETAS[int(np.argmax(elbo))] == 1


def test_at_the_far_end_the_codes_say_nothing():
    last = CURVE[-1]
    assert (last.rate < 0.05).all()
    assert (last.active == 0).all()


def test_a_wider_proposal_has_the_width_asked_for_and_the_same_evidence(monkeypatch):
    mean, log_var = torch.zeros(2, 3), torch.full((2, 3), 0.4)
    wide = record_rate.widened(None, None, (mean, log_var), width=3.0)
    torch.testing.assert_close(wide[0], mean)
    torch.testing.assert_close((wide[1] / 2).exp(), 3 * (log_var / 2).exp())
    model = VAE(dataclasses.replace(record_rate.BASE, n_features=4, n_latent=1, hidden=(8,)))
    x = torch.tensor([[0.0, 1, 1, 0], [1, 1, 0, 0]])
    z = torch.linspace(-9, 9, 2001)
    with torch.no_grad():
        log_joint = model.log_px_given_z(x, z.reshape(-1, 1, 1).expand(-1, 2, 1))  # (Z, B)
    log_joint = log_joint + torch.distributions.Normal(0, 1).log_prob(z)[:, None]
    exact = (log_joint.logsumexp(0) + np.log(18 / 2000)).mean().item()
    monkeypatch.setattr(record_rate, "N_IMPORTANCE", 20_000)
    found = record_rate.log_px_by_width(model, x, torch.Generator().manual_seed(0))
    assert len(found) == len(rate.WIDTHS)
    np.testing.assert_allclose(found, exact, atol=0.015)


def test_just_below_the_edge_of_collapse_a_small_code_pays():
    # The largest eigenvalue of the pixels' correlation matrix is 31.1 (deeper page).
    assert (rate.load().runs["beta 24"].rate > 0.05).all()


def test_noise_is_that_of_the_likelihood():
    model = VAE(dataclasses.replace(record_rate.GAUSSIAN, noise_std=0.3))
    means = torch.full((2_000, 784), 0.5)
    draws = record_rate.drawn_from(model, means, torch.Generator().manual_seed(0))
    assert record_rate.noise_std(model) == pytest.approx(0.3)
    assert draws.std().item() == pytest.approx(0.3, abs=0.001)
    bernoulli = VAE(record_rate.BASE)
    draws = record_rate.drawn_from(bernoulli, means, torch.Generator().manual_seed(0))
    assert set(draws.unique().tolist()) == {0, 1}
    assert draws.mean().item() == pytest.approx(0.5, abs=0.003)


def test_two_samples_are_told_apart_only_where_they_differ():
    # So many numbers a row that a network knows the rows it has learned from by heart.
    one, two, far = torch.randn(3, 1_000, 100, generator=torch.Generator().manual_seed(0))
    assert record_rate.told_apart(one, far + 10) == 1
    assert abs(record_rate.told_apart(one, two) - 0.5) < 5.7 * 0.5 / 1_000**0.5
