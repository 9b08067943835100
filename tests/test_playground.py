"""The small VAE of the playground: gradients, its run against PyTorch, and its stages."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from vaebook import explorers
from vaebook.bounds import elbo
from vaebook.explorers import exact
from vaebook.explorers.controls import ControlError
from vaebook.explorers.random_numbers import uniform
from vaebook.explorers.shapes import presets, scaled
from vaebook.explorers.tiny_vae import (
    BATCH,
    DECODER,
    ENCODER,
    SIZE,
    SPLIT,
    Training,
    gradient,
    rate_at,
)  # fmt: skip
from vaebook.latent import NonlinearModel

RING = scaled(presets()["ring"])[0]


def networks():
    """Return PyTorch's encoder and decoder of the playground's shape, in float64."""

    def network(widths):
        layers = []
        for n, m in pairwise(widths):
            layers += [torch.nn.Linear(n, m, dtype=torch.float64), torch.nn.Tanh()]
        return torch.nn.Sequential(*layers[:-1])

    return network(ENCODER), network(DECODER)


def loss(encoder, decoder, x, eps, beta, std):
    """Return beta KL - log p(x|z*), up to a constant, the mean over a batch."""
    mean, log_var = encoder(x).T
    z = mean + torch.exp(log_var / 2) * eps
    misfit = ((decoder(z[:, None]) - x) ** 2).sum(-1) / (2 * std**2)
    kl = 0.5 * (torch.exp(log_var) + mean**2 - 1 - log_var)
    return (misfit + beta * kl).mean()


@pytest.mark.parametrize(
    ("function", "reference", "low", "high"),
    [
        (exact.exact_exp, np.exp, -30, 30),
        (exact.exact_tanh, np.tanh, -25, 25),
        (exact.exact_log, np.log, 1e-9, 3),
        (exact.exact_cosine, lambda turns: np.cos(2 * np.pi * turns), 0, 1),
    ],
)
def test_own_functions_are_right_to_the_last_digits(function, reference, low, high):
    x = np.random.default_rng(0).uniform(low, high, 20_000)
    np.testing.assert_allclose(function(x), reference(x), rtol=2e-15, atol=2e-15)


def test_gradients_are_those_of_pytorch():
    rng = np.random.default_rng(1)
    numbers = rng.standard_normal(SIZE)
    x, eps = rng.standard_normal((100, 2)), rng.standard_normal(100)
    nets = networks()
    parts = torch.tensor(numbers[:SPLIT]), torch.tensor(numbers[SPLIT:])
    for net, part in zip(nets, parts, strict=True):
        torch.nn.utils.vector_to_parameters(part, net.parameters())
    loss(*nets, torch.tensor(x), torch.tensor(eps), 1.7, 0.3).backward()
    slopes = [p.grad for net in nets for p in net.parameters()]
    found = gradient(numbers, x, eps, 1.7, 0.3)
    expected = torch.cat([slope.ravel() for slope in slopes]).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-11)


def test_a_hundred_updates_are_those_of_pytorch():
    start = Training.start(3)
    nets = networks()
    for net, part in zip(nets, (start.numbers[:SPLIT], start.numbers[SPLIT:]), strict=True):
        torch.nn.utils.vector_to_parameters(torch.tensor(part), net.parameters())
    parameters = [p for net in nets for p in net.parameters()]
    adam = torch.optim.Adam(parameters, betas=(0.9, 0.99))
    for update in range(100):
        place = 3 * (BATCH * update + np.arange(BATCH))
        index, radius, turn = (uniform(3, place + k) for k in range(3))
        x = torch.tensor(RING[(index * len(RING)).astype(int)])
        eps = torch.tensor(np.sqrt(-2 * np.log(radius)) * np.cos(2 * np.pi * turn))
        adam.param_groups[0]["lr"] = float(rate_at(update))
        adam.zero_grad()
        loss(*nets, x, eps, 1.0, 0.2).backward()
        adam.step()
    expected = torch.cat([p.detach().ravel() for p in parameters]).numpy()
    found = start.train(RING, 100, seed=3, beta=1.0, std=0.2).numbers
    assert np.abs(found - expected).max() < 1e-13
    assert np.abs(found - start.numbers).max() > 0.1


def test_the_scores_are_those_of_the_package():
    ring = explorers.Playground(updates=200)
    scores = ring.scores(RING)
    encoder, model = ring.networks()
    mean, log_var = encoder(RING).T
    terms = elbo(NonlinearModel(model.decoder, 0.2), RING, mean, np.exp(log_var / 2))
    np.testing.assert_allclose(scores["elbo"], terms.elbo, atol=1e-6)
    np.testing.assert_allclose(scores["log_px"], terms.log_px, atol=1e-6)


def test_a_change_begins_a_stage_and_a_new_shape_or_seed_a_training():
    play = explorers.Playground(updates=30)
    play.beta = 2.0
    assert (play.updates, play.past) == (0, [[1.0, 0.2, 30, 200]])
    before = play.readouts()
    assert before["total"] == 30
    assert before["log_px"] == explorers.Playground(updates=30).readouts()["log_px"]
    play.updates = 10
    play.add_point()
    assert play.shape == "own"
    assert play.past[1:] == [[2.0, 0.2, 10, 200]]
    assert len(play.data()) == 201
    again = explorers.Playground(**play.values)
    assert again.values == play.values
    assert again.readouts() == play.readouts()
    play.new_seed()
    assert (play.seed, play.updates, play.past) == (2, 0, [])
    play.set(updates=20, beta=3.0)  # given together: from the start
    assert (play.updates, play.past) == (20, [])
    play.shape = "moons"
    assert (play.updates, play.drawn) == (0, [])


def test_drawings_are_thinned_replaced_and_refused():
    play = explorers.Playground(updates=30)
    play.sketch()
    play.add_point()
    assert play.drawn == [[1.2, 0.8]]
    assert (play.updates, play.blank) == (0, 0)
    assert np.isfinite(play.readouts()["elbo"])  # one point has no spread
    play.drawn = [[k / 200, 0.0] for k in range(301)]
    assert len(play.drawn) == 151
    for bad in [1, [1.0], [[1.0, np.nan]], [[1.0, 2.0, 3.0]]]:
        with pytest.raises(ControlError, match=r"drawn = .*give a list of \[x1, x2\]"):
            play.drawn = bad
