"""Flows from noise to data against the maps and losses that are known in closed form."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy import stats

from vaebook.flows import euler_path, mixture_velocity
from vaebook.mixture import GaussianMixture
from vaebook.vae.flow_matching import Velocity, flow_matching_loss, train_velocity

EPS = np.linspace(-2.5, 2.5, 11)
NORMAL = GaussianMixture([1.0], [0.7], [0.4])
TWO = GaussianMixture([0.3, 0.7], [-1.5, 1.0], [0.2, 0.5])


def test_a_flow_to_a_normal_is_its_affine_map_and_euler_is_of_first_order():
    exact = 0.7 + 0.4 * EPS
    errors = []
    for n_steps in [250, 500, 1000]:
        path = euler_path(mixture_velocity(NORMAL), EPS, n_steps)
        assert len(path) == n_steps + 1
        assert path[0] is EPS
        errors.append(np.abs(path[-1] - exact).max())
    assert errors[-1] < 2e-3
    np.testing.assert_allclose([a / b for a, b in pairwise(errors)], 2, atol=0.05)


def test_a_flow_on_the_line_keeps_the_order_so_it_maps_quantile_to_quantile():
    ends = euler_path(mixture_velocity(TWO), EPS, 4000)[-1]
    below = stats.norm.cdf((ends[:, None] - TWO.means) / TWO.stds) @ TWO.weights
    np.testing.assert_allclose(below, stats.norm.cdf(EPS), atol=1e-3)


def test_one_step_leads_every_noise_to_the_mean_of_the_data():
    ends = euler_path(mixture_velocity(TWO), EPS, 1)[-1]
    np.testing.assert_allclose(ends, TWO.weights @ TWO.means)
    with pytest.raises(ValueError, match="at least 1"):
        euler_path(mixture_velocity(TWO), EPS, 0)


def test_between_two_points_the_velocity_leads_to_the_mean_given_the_place():
    points = GaussianMixture([0.5, 0.5], [-1.0, 1.0], [1e-6, 1e-6])
    z = np.array([-0.3, 0.5, 2.0])
    for t in [0.0, 0.25, 0.5]:
        expected = (np.tanh(t * z / (1 - t) ** 2) - z) / (1 - t)
        np.testing.assert_allclose(mixture_velocity(points)(z, t), expected, atol=1e-9)


class Exact(torch.nn.Module):
    """The best velocity of data N[mean, std^2], by the regression of x - eps on z_t."""

    def __init__(self, mean, std):
        super().__init__()
        self.mean, self.std = mean, std

    def forward(self, z, t):
        slope = (t * self.std**2 - (1 - t)) / ((1 - t) ** 2 + t**2 * self.std**2)
        return self.mean + slope * (z - t * self.mean)


@pytest.mark.parametrize("std", [0.3, 1.0, 2.0])
def test_the_least_loss_is_half_pi_times_the_std_and_an_error_adds_its_square(std):
    generator = torch.Generator().manual_seed(0)
    x = 0.7 + std * torch.randn((200_000, 2), generator=generator, dtype=torch.double)
    exact = Exact(0.7, std)
    losses = flow_matching_loss(exact, x, generator=generator)
    error = losses.std().item() / math.sqrt(len(losses))
    assert abs(losses.mean().item() - 2 * math.pi * std / 2) < 5.73 * error
    assert error < 0.01 * std * 2
    off = flow_matching_loss(lambda z, t: exact(z, t) + 0.5, x, generator=generator)
    assert abs(off.mean().item() - math.pi * std - 2 * 0.25) < 5.73 * off.std().item() / 447
    z = torch.linspace(-2, 2, 5, dtype=torch.double)
    oracle = mixture_velocity(GaussianMixture([1.0], [0.7], [std]))
    np.testing.assert_allclose(exact(z, 0.3), oracle(z.numpy(), 0.3), atol=1e-12)


def test_a_network_learns_the_flow_to_a_normal():
    generator = torch.Generator().manual_seed(1)
    x = 0.7 + 0.4 * torch.randn((4_000, 2), generator=generator)
    velocity = Velocity(2, (32, 32), generator=generator)
    before = flow_matching_loss(velocity, x, generator=generator).mean().item()
    train_velocity(velocity, x, n_steps=1_500, learning_rate=1e-2, generator=generator)
    with torch.no_grad():
        losses = flow_matching_loss(velocity, x.repeat(10, 1), generator=generator)
        ends = euler_path(velocity, torch.randn((4_000, 2), generator=generator), 64)[-1]
    assert before > 1.5 * math.pi * 0.4
    assert losses.mean().item() == pytest.approx(math.pi * 0.4, rel=0.05)
    np.testing.assert_allclose(ends.mean(0), 0.7, atol=0.05)
    np.testing.assert_allclose(ends.std(0), 0.4, atol=0.05)


def test_a_velocity_takes_one_time_or_one_for_each_row():
    velocity = Velocity(3, (8,), activation="tanh", generator=torch.Generator().manual_seed(2))
    z = torch.randn((5, 3), generator=torch.Generator().manual_seed(3))
    times = torch.full((5, 1), 0.25)
    torch.testing.assert_close(velocity(z, 0.25), velocity(z, times))
    assert not torch.allclose(velocity(z, 0.25), velocity(z, 0.5))
