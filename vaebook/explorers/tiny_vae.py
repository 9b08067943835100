r"""A VAE small enough to be trained while one looks on.

Encoder 2-16-16-2 (to the mean and the log variance of q), decoder 1-16-16-2, tanh units. An update
draws 100 points with replacement and one sample for each, and takes a step of Adam on

.. math:: \beta\, D_{KL}\big[q(z|x)\,\|\,p(z)\big] - \log p(x|z^*) .

Every sum is taken in a fixed order, so that a seed gives the same run here and in every browser, to
the last bit: ``js/forms/tiny_vae.js`` is the scripts' double.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from vaebook.explorers.exact import exact_cosine, exact_exp, exact_log, exact_tanh
from vaebook.explorers.random_numbers import uniform

ENCODER, DECODER = (2, 16, 16, 2), (1, 16, 16, 2)
BATCH = 100
#: The rate falls from HIGH to LOW in so many updates, along half a cosine.
PERIOD = 3000
HIGH, LOW = 0.02, 0.0005


def _layers(widths, start):
    """Return where the weights (out, in) and the biases of each layer stand, and the end."""
    layers = []
    for n, m in pairwise(widths):
        biases = start + n * m
        layers.append((slice(start, biases), slice(biases, biases + m), (m, n)))
        start = biases + m
    return layers, start


_ENCODER, SPLIT = _layers(ENCODER, 0)
_DECODER, SIZE = _layers(DECODER, SPLIT)


def _sum_of_products(a, b):
    """Return the sum of a * b over the first axis, one term after the other."""
    return np.add.reduce(np.multiply(a, b, order="C"), axis=0)


def _forward(numbers, layers, x):
    """Return the values of every layer, each (units, B), for inputs (n, B)."""
    values = [x]
    for k, (weights, biases, shape) in enumerate(layers):
        w = numbers[weights].reshape(shape).T[:, :, None]  # (in, out, 1)
        x = _sum_of_products(w, x[:, None]) + numbers[biases][:, None]
        values.append(x if k == len(layers) - 1 else exact_tanh(x))
        x = values[-1]
    return values


def _backward(numbers, gradient, layers, values, slope):
    """Write the gradient of each number, and return the slopes of the inputs (n, B)."""
    for k in reversed(range(len(layers))):
        weights, biases, shape = layers[k]
        each = slope.T[:, :, None]  # (B, out, 1)
        gradient[weights] = _sum_of_products(each, values[k].T[:, None]).ravel()
        gradient[biases] = _sum_of_products(each, 1.0).ravel()
        w = numbers[weights].reshape(shape)[:, :, None]  # (out, in, 1)
        slope = _sum_of_products(w, slope[:, None])
        if k:
            slope = slope * (1 - values[k] * values[k])
    return slope


def rate_at(update):
    """Return the rate of Adam at an update of a stage, counted from 0."""
    return LOW + 0.5 * (HIGH - LOW) * (1 + exact_cosine(update / (2 * PERIOD)))


def gradient(numbers, x, eps, beta, std):
    """Return the gradient of the negative objective, the mean over a batch, at all SIZE numbers.

    Parameters
    ----------
    numbers : ndarray (SIZE,)
        Encoder, then decoder, each in the order of ``Perceptron``.
    x : ndarray (B, 2)
    eps : ndarray (B,)
        The noise of each sample, z* = mean + s eps.
    beta, std : float
        The weight of the KL, and the standard deviation of the noise around f[z].
    """
    found = np.empty(SIZE)
    pull, weight = 1 / (std * std * len(eps)), beta / len(eps)
    encoded = _forward(numbers, _ENCODER, np.ascontiguousarray(x.T))
    mean, log_var = encoded[-1]
    s = exact_exp(0.5 * log_var)
    decoded = _forward(numbers, _DECODER, (mean + s * eps)[None])
    (slope,) = _backward(numbers, found, _DECODER, decoded, (decoded[-1] - x.T) * pull)
    slopes = [slope + weight * mean, slope * (0.5 * s * eps) + weight * (0.5 * (s * s - 1))]
    _backward(numbers, found, _ENCODER, encoded, np.stack(slopes))
    return found


@dataclass(frozen=True, eq=False)
class Training:
    """Where a training stands: its numbers, the two averages of Adam, and the updates so far."""

    numbers: np.ndarray
    first: np.ndarray
    second: np.ndarray
    decay: tuple = (1.0, 1.0)
    t: int = 0

    @classmethod
    def start(cls, seed):
        """Make networks before their training, uniform within one over the root of the inputs."""
        draws = 2 * uniform(2**31 + seed, np.arange(SIZE)) - 1
        for weights, biases, (_, n) in [*_ENCODER, *_DECODER]:
            draws[weights.start : biases.stop] *= 1 / np.sqrt(n)
        return cls(draws, np.zeros(SIZE), np.zeros(SIZE))

    def train(self, points, updates, *, seed, beta, std, since=0):
        """Return the training so many updates later; ``since`` counts those at this rate's fall.

        Parameters
        ----------
        points : ndarray (N, 2)
        """
        now = self
        for rate in rate_at(np.arange(since, since + updates)):
            place = 3 * (BATCH * now.t + np.arange(BATCH))
            index, radius, turn = uniform(seed, place + np.arange(3)[:, None])
            eps = np.sqrt(-2 * exact_log(radius)) * exact_cosine(turn)
            x = points[np.floor(index * len(points)).astype(int)]
            now = now.step(gradient(now.numbers, x, eps, beta, std), rate)
        return now

    def step(self, slope, rate):
        """Return what one step of Adam makes of it."""
        first = 0.9 * self.first + (1 - 0.9) * slope
        second = 0.99 * self.second + (1 - 0.99) * (slope * slope)
        one, two = decay = self.decay[0] * 0.9, self.decay[1] * 0.99
        move = (rate * (first / (1 - one))) / (np.sqrt(second / (1 - two)) + 1e-8)
        return replace(
            self, numbers=self.numbers - move, first=first, second=second, decay=decay, t=self.t + 1
        )
