"""The checks of input: what passes comes back plain, what does not is named with a remedy."""

import numpy as np
import pytest

from vaebook.arguments import (
    freeze,
    require_columns,
    require_count,
    require_finite,
    require_generator,
    require_number,
    require_weights,
)
from vaebook.mixture import GaussianMixture
from vaebook.perceptron import Perceptron
from vaebook.quadrature import log_integral, trapezoid_grid

MASKED = np.ma.masked_greater([0, 0.5, 1, 999.0], 900)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: require_finite(x=[0, np.nan]), r"x is nan at index \(1,\), expected finite"),
        (lambda: require_finite(x=1j), r"x is complex, expected real"),
        (lambda: require_finite(x="one"), r"could not convert string"),
        (lambda: require_finite(x=[1, 2], y=[1, 2, 3]), r"Shapes do not broadcast: x \(2,\), y"),
        (lambda: require_finite(x=MASKED), r"x is masked at index \(3,\), expected a number"),
        (lambda: require_finite(x=np.ma.masked), r"x is masked, expected a number"),
        (lambda: require_weights([0.6, 0.6]), r"Weights sum to 1\.2, expected 1; divide by their"),
        (lambda: require_weights([1.5, -0.5]), r"Weights include -0\.5, expected none below 0"),
        (lambda: require_weights([]), r"Weights have shape \(0,\), expected at least one"),
        (lambda: require_count("n", 2.5, at_least=1), r"n is 2\.5, expected a whole number"),
        (lambda: require_count("n", True, at_least=1), r"n is True"),
        (lambda: require_count("n", np.True_, at_least=1), r"n is np\.True_|n is True"),
        (lambda: require_count("n", 0, at_least=1), r"of at least 1; round it"),
        (lambda: require_number("n", [0.5]), r"n has shape \(1,\), expected one number"),
        (lambda: require_columns([1.0, 2, 3], 2), r"x has shape \(3,\), expected \(\.\.\., 2\)"),
        (lambda: require_columns(1.0, 1), r"x has shape \(\), expected \(\.\.\., 1\)"),
    ],
)
def test_bad_values_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_seed_is_no_generator():
    with pytest.raises(TypeError, match=r"rng is 7, expected a numpy Generator; pass np\.random"):
        require_generator(7)


@pytest.mark.parametrize("count", [3, np.int64(3), np.uint8(3), np.array(3)])
def test_a_count_may_be_any_whole_number_and_comes_back_as_an_int(count):
    assert type(require_count("n", count, at_least=0)) is int


@pytest.mark.parametrize("number", [2, 2.0, np.float32(2), np.int16(2), np.array(2.0)])
def test_a_number_may_be_of_any_real_type_and_comes_back_as_a_float(number):
    assert type(require_number("n", number)) is float


def test_a_masked_array_without_a_masked_value_is_an_array():
    (x,) = require_finite(x=np.ma.masked_greater([0, 0.5, 1.0], 900))
    assert type(x) is np.ndarray


def test_frozen_fields_are_copies_that_stay():
    class Record:
        pass

    record, given = Record(), np.zeros(2)
    freeze(record, values=given)
    given[0] = 1
    assert record.values[0] == 0
    with pytest.raises(ValueError, match="read-only"):
        record.values[0] = 1


@pytest.mark.parametrize(
    "call",
    [
        lambda: GaussianMixture.fit(MASKED, 1, rng=np.random.default_rng(0)),
        lambda: GaussianMixture([0.25] * 4, MASKED, [1.0] * 4),
        lambda: trapezoid_grid(MASKED),
        lambda: log_integral(MASKED, [1.0] * 4),
        lambda: log_integral([1.0] * 4, MASKED),
        lambda: Perceptron([1, 2], MASKED),
    ],
)
def test_no_call_drops_a_mask_in_silence(call):
    with pytest.raises(ValueError, match=r"masked at index \(3,\), expected a number everywhere"):
        call()
