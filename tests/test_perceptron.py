"""The small network: against PyTorch, its layers, and what it refuses."""

import numpy as np
import pytest
import torch
from torch import nn

from vaebook.perceptron import Perceptron


@pytest.fixture
def by_torch():
    """A network of PyTorch with two hidden layers."""
    torch.manual_seed(1)
    layers = nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 2)
    return nn.Sequential(*layers).double()


@pytest.fixture
def network(by_torch):
    """The same network."""
    numbers = nn.utils.parameters_to_vector(by_torch.parameters()).detach().numpy()
    return Perceptron([3, 5, 4, 2], numbers)


def test_it_is_the_network_of_pytorch(network, by_torch):
    x = np.random.default_rng(17).standard_normal((6, 7, 3))
    with torch.no_grad():
        expected = by_torch(torch.as_tensor(x)).numpy()
        hidden = by_torch[:-1](torch.as_tensor(x)).numpy()
    np.testing.assert_allclose(network(x), expected, atol=1e-14)
    np.testing.assert_allclose(network.hidden(x), hidden, atol=1e-14)
    np.testing.assert_allclose(network(x[0, 0]), expected[0, 0], atol=1e-14)


def test_layers_and_numbers_are_two_forms_of_one_network(network):
    again = Perceptron.from_layers(*network.layers)
    assert again.widths == network.widths
    np.testing.assert_array_equal(again.numbers, network.numbers)
    assert [weights.shape for weights, _ in network.layers] == [(5, 3), (4, 5), (2, 4)]


def test_whole_numbers_stay_whole_and_are_worth_their_units():
    network = Perceptron([1, 1], np.array([3, -2], np.int16), [0.5, 0.25])
    assert network.table() == {"widths": [1, 1], "numbers": network.numbers, "units": [0.5, 0.25]}
    assert network.numbers.dtype == np.int16
    assert network([2.0]).tolist() == [2.5]


def test_what_does_not_fit_is_named(network):
    with pytest.raises(ValueError, match=r"numbers has shape \(7,\), expected \(11,\) .* widths"):
        Perceptron([2, 2, 1, 1], np.zeros(7))
    with pytest.raises(ValueError, match=r"units has shape \(1,\), expected \(2,\)"):
        Perceptron([1, 1], np.zeros(2), [1.0])
    with pytest.raises(ValueError, match="numbers is nan"):
        Perceptron([1, 1], [np.nan, 0.0])
    with pytest.raises(ValueError, match=r"layers do not fit: shapes .*\(2, 3\).*expected"):
        Perceptron.from_layers((np.zeros((4, 1)), np.zeros(4)), (np.zeros((2, 3)), np.zeros(2)))
    with pytest.raises(ValueError, match=r"x has shape \(4,\), expected \(\.\.\., 3\)"):
        network(np.zeros(4))
    with pytest.raises(ValueError, match="read-only"):
        network.numbers[0] = 0
