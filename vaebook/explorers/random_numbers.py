"""Hash-based standard normal numbers, whose bits JavaScript repeats one for one.

A seed and a place give a number: the generator hashes a counter (the finaliser of MurmurHash3) and
turns two hashes into a normal number (Box and Muller). It serves pictures; for statistics there is
``numpy.random``.
"""

import numpy as np

GOLDEN = np.uint32(0x9E3779B9)


def standard_normal(seed, shape):
    """Return draws from N(0, 1); the first ones stay the same when more are asked for.

    Parameters
    ----------
    seed : int
        From 0 to 2**32 - 1.
    shape : int or tuple of int
        Filled in C order.

    Returns
    -------
    ndarray of that shape
        The scripts' double is ``standardNormal`` in ``js/forms/normal.js``.
    """
    numbers = uniform(seed, np.arange(2 * np.prod(shape, dtype=np.uint32)))
    radius, turn = numbers[0::2], numbers[1::2]
    return (np.sqrt(-2 * np.log(radius)) * np.cos(2 * np.pi * turn)).reshape(shape)


def uniform(seed, place):
    """Return the numbers of a seed at these places, whole numbers in any shape, inside (0, 1)."""
    key = _mix(np.array([seed], np.uint32) + GOLDEN)
    return (_mix(key + np.asarray(place, np.uint32) * GOLDEN) + 0.5) / 2**32


def _mix(bits):
    """Scramble 32-bit numbers, one to one; products keep their lowest 32 bits."""
    bits = (bits ^ (bits >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    bits = (bits ^ (bits >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return bits ^ (bits >> np.uint32(16))
