"""Functions whose bits are the same here and in every browser.

NumPy's and a browser's own ``exp`` may differ in the last digit, which a training of a thousand
steps turns into another result. These are sums and products in a fixed order; the scripts' double
is ``js/forms/exact.js``. All work element by element.
"""

from itertools import accumulate

import numpy as np

LN2_HIGH, LN2_LOW = 0.6931471803691238, 1.9082149292705877e-10
_INVERSE = list(accumulate(range(1, 14), lambda last, k: last / k, initial=1.0))
_COSINE = list(
    accumulate(range(1, 13), lambda last, k: -last / ((2 * k - 1) * (2 * k)), initial=1.0)
)
_ODD = [1 / (2 * k + 1) for k in range(12)]


def _horner(coefficients, x):
    total = coefficients[-1]
    for coefficient in coefficients[-2::-1]:
        total = coefficient + x * total
    return total


def exact_exp(x):
    """Return e**x, of x kept within [-700, 700]."""
    x = np.clip(x, -700.0, 700.0)
    k = np.floor(x * 1.4426950408889634 + 0.5)
    return np.ldexp(_horner(_INVERSE, x - k * LN2_HIGH - k * LN2_LOW), k.astype(int))


def exact_tanh(x):
    """Return the hyperbolic tangent."""
    e = exact_exp(-2 * np.abs(x))
    return np.copysign((1 - e) / (1 + e), x)


def exact_log(x):
    """Return the natural logarithm of positive, normal numbers."""
    part, exponent = np.frexp(x)
    low = part < 0.7071067811865476
    part, exponent = np.where(low, 2 * part, part), exponent - low
    s = (part - 1) / (part + 1)
    return exponent * LN2_HIGH + (exponent * LN2_LOW + 2 * s * _horner(_ODD, s * s))


def exact_cosine(turns):
    """Return the cosine of so many turns, from 0 to 1."""
    half = np.where(turns > 0.5, 1 - turns, turns)
    angle = 6.283185307179586 * np.where(half > 0.25, 0.5 - half, half)
    return np.where(half > 0.25, -1.0, 1.0) * _horner(_COSINE, angle * angle)
