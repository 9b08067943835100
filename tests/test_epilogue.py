"""The recorded epilogue: whole, told how it was made; its mixture, its scores and its plane."""

import json

import numpy as np
import pytest
import record_epilogue
import torch
from torch import nn

from vaebook import explorers
from vaebook.explorers import sampler
from vaebook.explorers.random_numbers import standard_normal
from vaebook.flows import euler_path
from vaebook.results import epilogue
from vaebook.results.epilogue import ENDS, GRIDS, PRIORS, SEEDS, STEPS
from vaebook.vae import VAE
from vaebook.vae.flow_matching import Velocity


def test_record_is_whole_says_how_it_was_made_and_cannot_be_changed():
    record = epilogue.load()
    wanted = {"made_by", "configs", "plane", "flow", "mixture", "images", "seeds", "device"}
    wanted |= {"torch", "numpy", "seconds", "processor_seconds", "classifier"}
    assert wanted <= record.about.keys()
    assert record.quality.shape == (len(SEEDS), len(PRIORS), 4)
    assert record.ends.shape == (len(SEEDS), len(ENDS), 4)
    assert record.by_steps.shape == (len(SEEDS), len(STEPS), 4)
    assert record.rounding.shape == (len(SEEDS), len(GRIDS), 2)
    for shares in (record.quality, record.ends, record.by_steps):
        assert (shares >= 0).all()
        assert (shares[..., :3] <= 1).all()
    # The samples that are compared are those of the most steps.
    np.testing.assert_array_equal(record.quality[:, -1], record.by_steps[:, -1])
    np.testing.assert_array_equal(record.samples[-1, :8], record.shown[-1])
    with pytest.raises(ValueError, match="read-only"):
        record.quality[0] = 1


def test_the_scores_are_near_one_for_real_images_and_near_zero_for_noise():
    held_out, *_, noise = epilogue.load().ends.mean(0)
    assert (held_out[:3] > 0.85).all()
    assert held_out[3] == pytest.approx(1, abs=0.05)
    assert (noise[:2] < 0.02).all()


def test_blur_and_copies_cost_recall_and_detail_and_not_precision():
    held_out, blurred, mean, *_ = epilogue.load().ends.mean(0)
    for worse in (blurred, mean):
        assert worse[0] > held_out[0]
        assert worse[1] < held_out[1] - 0.1
        assert worse[3] < 0.05


def test_an_image_that_is_blurred_keeps_its_ink_and_its_neighbours():
    images = torch.zeros((2, 28, 28))
    images[0, 10, 12] = 1
    found = record_epilogue.blurred(images.flatten(1)).reshape(2, 28, 28)
    assert found[0].sum().item() == pytest.approx(1, abs=1e-5)
    assert found[0, 10, 12].item() == pytest.approx(1 / (2 * np.pi), rel=0.02)
    assert (found[1] == 0).all()


def test_a_mixture_of_two_is_found_and_a_single_one_is_the_normal_of_the_data():
    generator = torch.Generator().manual_seed(0)
    one, two = torch.randn((2, 3_000, 2), generator=generator)
    z = torch.cat([one * torch.tensor([0.5, 1.0]) - 3, two[:1_000] + 4])
    fit = record_epilogue.fit_mixture(z, 2, n_steps=50, generator=generator)
    weights, order = fit.mixture_distribution.probs.sort()
    np.testing.assert_allclose(weights, [0.25, 0.75], atol=1e-3)
    np.testing.assert_allclose(
        fit.component_distribution.mean[order], [[4, 4], [-3, -3]], atol=0.15
    )
    covariance = fit.component_distribution.covariance_matrix[order[1]]
    np.testing.assert_allclose(covariance, [[0.25, 0], [0, 1]], atol=0.06)
    alone = record_epilogue.fit_mixture(z, 1, n_steps=3, generator=generator)
    np.testing.assert_allclose(alone.component_distribution.mean[0], z.mean(0), rtol=1e-4)
    covariance = alone.component_distribution.covariance_matrix[0]
    np.testing.assert_allclose(covariance, z.double().T.cov(correction=0), rtol=1e-4)


def test_each_step_of_em_raises_the_likelihood():
    z = torch.randn((500, 3), generator=torch.Generator().manual_seed(1)) ** 3
    heights = []
    for n_steps in range(6):
        generator = torch.Generator().manual_seed(2)
        fit = record_epilogue.fit_mixture(z, 5, n_steps=n_steps, generator=generator)
        heights.append(fit.log_prob(z.double()).mean().item())
    assert (np.diff(heights) > 0).all()


def test_couplings_learn_codes_that_are_bent(monkeypatch):
    monkeypatch.setattr(record_epilogue, "FLOW_STEPS", 800)
    generator = torch.Generator().manual_seed(3)
    first, second = torch.randn((2, 4_000), generator=generator)
    z = torch.stack([first, 0.1 * second + first**2 - 1], 1)
    prior = record_epilogue.fit_couplings(z, generator=generator)
    exact = -(0.5 * (first**2 + second**2) + np.log(2 * np.pi) + np.log(0.1)).mean()
    found = prior.log_prob(z).mean().item()
    assert exact - 0.3 < found < exact + 0.05


class Rounder(nn.Module):
    """Decodes a code (n, 2) to itself."""

    def decoder(self, z):
        return z


def test_rounding_counts_the_grid_and_its_error():
    codes = torch.tensor([[0.10, 0.9], [0.26, 0.9], [0.49, 0.9], [0.24, 0.9]])
    found = record_epilogue.rounding(Rounder(), torch.tensor(1.0), codes, codes)
    half = found[GRIDS.index(0.5)]
    errors = [[0.1, 0.1], [0.24, 0.1], [0.01, 0.1], [0.24, 0.1]]
    assert half[0] == pytest.approx(np.sqrt(np.mean(np.square(errors))), rel=1e-5)
    assert half[1] == pytest.approx(np.log(2), rel=1e-6)  # two values, and one


# ---- the plane ----


def test_the_page_follows_the_velocity_of_torch():
    plane = epilogue.load().plane
    network = Velocity(
        2, plane.velocity.widths[1:-1], activation="tanh", generator=torch.Generator()
    )
    numbers = torch.tensor(np.array(plane.velocity.numbers))
    nn.utils.vector_to_parameters(numbers, network.parameters())
    eps = standard_normal(4, (50, 2))
    with torch.no_grad():
        expected = euler_path(network.double(), torch.tensor(eps), 12)[-1]
    np.testing.assert_allclose(euler_path(sampler.velocity, eps, 12)[-1], expected, atol=1e-9)


def test_one_step_leads_near_the_mean_of_the_codes_and_many_spread_like_them():
    plane = epilogue.load().plane
    one = explorers.Sampler(n=1)
    many = [explorers.Sampler(n=32, seed=seed).readouts() for seed in range(1, 51)]
    np.testing.assert_allclose(one.ends().mean(0), plane.mean, atol=0.25)
    spread = np.sqrt(((plane.codes - plane.codes.mean(0)) ** 2).sum(-1).mean())
    assert one.readouts()["spread"] < 0.25 * spread
    assert np.mean([found["spread"] for found in many]) == pytest.approx(spread, rel=0.15)
    assert max(found["error"] for found in many) < 0.2
    assert np.mean([found["away"] for found in many]) < 0.2 * spread


def test_a_new_seed_starts_at_its_first_noise_and_a_hand_leaves_the_seed():
    w = explorers.Sampler()
    w.seed = 7
    assert [w.eps1, w.eps2] == pytest.approx(standard_normal(7, (60, 2))[0])
    w.eps1 = 0.5
    assert (w.seed, w.drawn) == (7, 7)
    twin = explorers.Sampler(**w.values)
    assert twin.values == w.values
    assert explorers.Sampler(seed=3, eps1=1.0).eps1 == 1


def test_a_path_is_straight_between_its_steps():
    path = np.array([[0.0, 0.0], [1.0, 2.0], [3.0, 2.0]])
    for t, expected in [(0, [0, 0]), (0.25, [0.5, 1]), (0.5, [1, 2]), (0.75, [2, 2]), (1, [3, 2])]:
        assert sampler.place(path, t).tolist() == expected


def test_the_codes_decode_to_digits_and_few_bytes_travel():
    tables = explorers.Sampler().props()["tables"]
    assert len(json.dumps(tables)) <= 150_000
    images = sampler.pixels(epilogue.load().plane.codes)
    assert images.shape == (200, 784)
    assert 40 < images.sum(1).mean() < 200


def test_both_autoencoders_have_the_same_networks_and_differ_in_the_kl():
    first, plain = record_epilogue.FIRST, record_epilogue.PLAIN
    assert (first.beta, plain.beta) == (1e-6, 1)
    sizes = [sum(p.numel() for p in VAE(one).encoder.parameters()) for one in (first, plain)]
    assert sizes[0] == sizes[1]
