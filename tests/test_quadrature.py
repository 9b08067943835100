"""Quadrature rules against closed forms, SciPy and each other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad, trapezoid
from scipy.special import logsumexp

from vaebook.quadrature import (
    gauss_hermite_grid,
    log_integral,
    standard_normal_grid,
    trapezoid_grid,
    uniform_grid,
)


def test_uniform_grid_is_the_trapezoid_rule():
    points, weights = uniform_grid(-2.0, 5.0, 71)
    assert points[0] == -2
    assert points[-1] == 5
    assert weights.sum() == pytest.approx(7, rel=1e-14)
    values = np.exp(points)
    assert weights @ values == pytest.approx(trapezoid(values, points), rel=1e-14)


def test_trapezoid_grid_takes_uneven_points():
    points, weights = trapezoid_grid([0.0, 0.1, 0.5, 2.0])
    assert weights @ (3 * points + 1) == pytest.approx(8, rel=1e-14)  # exact for a straight line
    assert weights @ points**2 == pytest.approx(trapezoid(points**2, points), rel=1e-14)


def test_uniform_grid_integrates_a_smooth_bump_to_rounding():
    def bump(z):
        return np.exp(-0.5 * (z / 0.3) ** 2) * np.cos(3 * z)

    points, weights = uniform_grid(-8, 8, 401)
    closed = 0.3 * np.sqrt(2 * np.pi) * np.exp(-0.5 * 0.9**2)
    by_quad, _ = quad(bump, -8, 8, points=[0.0], epsabs=1e-13)
    assert weights @ bump(points) == pytest.approx(closed, rel=1e-13)
    assert by_quad == pytest.approx(closed, rel=1e-10)


@pytest.mark.parametrize(("mean", "std"), [(0.0, 1.0), (1.5, 0.2), (-3.0, 4.0)])
def test_gauss_hermite_gives_the_moments_of_a_normal(mean, std):
    z, weights = gauss_hermite_grid(20, mean, std)
    assert weights.sum() == pytest.approx(1, rel=1e-14)
    assert weights @ z == pytest.approx(mean, abs=1e-13)
    assert weights @ z**2 == pytest.approx(mean**2 + std**2, rel=1e-13)
    sixth = weights @ (z - mean) ** 6
    assert sixth == pytest.approx(15 * std**6, rel=1e-12)


def test_gauss_hermite_broadcasts_over_means_and_agrees_with_the_trapezoid_rule():
    mean, std = np.array([[0.0], [1.0]]), np.array([0.5, 1.0, 2.0])
    z, weights = gauss_hermite_grid(60, mean, std)
    assert z.shape == (2, 3, 60)
    closed = np.exp(-(std**2) / 2) * np.sin(mean)
    np.testing.assert_allclose(np.sin(z) @ weights, closed + np.zeros((2, 3)), atol=1e-13)
    u, steps = uniform_grid(-9, 9, 181)
    normal = np.exp(-0.5 * u**2) / np.sqrt(2 * np.pi)
    trapezium = np.sin(mean[..., None] + std[:, None] * u) @ (steps * normal)
    np.testing.assert_allclose(np.sin(z) @ weights, trapezium, atol=1e-13)


@given(
    st.lists(st.floats(-1e5, 1e5) | st.just(-np.inf), min_size=1, max_size=20),
    st.floats(0, 1e3),
)
@settings(max_examples=100, deadline=None, derandomize=True)
def test_log_integral_agrees_with_scipy(log_values, weight):
    log_values = np.array(log_values)
    weights = np.full(log_values.size, weight)
    weights[::2] += 0.5
    with np.errstate(divide="ignore"):
        expected = logsumexp(log_values + np.log(weights))
    assert log_integral(log_values, weights) == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("n_points", [151, 600, 601])
def test_the_standard_normal_grid_holds_the_moments_and_a_closed_form(n_points):
    eps, weights = standard_normal_grid(n_points)
    moments = [weights @ eps**k for k in range(9)]
    assert moments == pytest.approx([1, 0, 1, 0, 3, 0, 15, 0, 105], rel=1e-13, abs=1e-13)
    # E[x^2 + sin x] under N(0.7, 2^2)
    x = 0.7 + 2 * eps
    expected = 0.7**2 + 4 + np.exp(-2) * np.sin(0.7)
    assert weights @ (x**2 + np.sin(x)) == pytest.approx(expected, rel=1e-13)


def test_log_integral_of_nothing_is_minus_infinity_without_warnings():
    assert log_integral([-np.inf, -np.inf], [1.0, 2.0]) == -np.inf
    assert log_integral([0.0, 3.0], [0.0, 0.0]) == -np.inf
    assert log_integral([-np.inf, 1.0], [1.0, 1.0]) == 1.0
    assert log_integral([5000.0, 0.0], [0.0, 1.0]) == 0.0  # a weightless point hides no other


def test_log_integral_in_the_far_tail_and_along_any_axis():
    points, weights = uniform_grid(-8, 8, 801)
    log_normal = -0.5 * np.log(2 * np.pi) - 0.5 * points**2
    tables = log_normal - np.array([[0.0], [1e8], [1e300]])
    np.testing.assert_allclose(log_integral(tables, weights), [0, -1e8, -1e300], atol=1e-13)
    np.testing.assert_array_equal(
        log_integral(tables.T, weights, axis=0), log_integral(tables, weights)
    )
    assert np.ndim(log_integral(log_normal, weights)) == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: uniform_grid(1, 1, 5), r"from 1 to 1, expected low < high; swap"),
        (lambda: uniform_grid(0, np.inf, 5), r"high is inf"),
        (lambda: uniform_grid(0, 1, 1), r"n_points is 1, expected a whole number of at least 2"),
        (lambda: uniform_grid(0, 1, 10.5), r"n_points is 10\.5"),
        (lambda: trapezoid_grid([0.0]), r"points have shape \(1,\)"),
        (lambda: trapezoid_grid([0.0, 0.0, 1.0]), r"do not increase everywhere"),
        (lambda: trapezoid_grid([0.0, np.nan]), r"points is nan at index"),
        (lambda: gauss_hermite_grid(0), r"n_points is 0"),
        (lambda: gauss_hermite_grid(5, 0.0, -1.0), r"std is -1\.0, expected a positive number"),
        (lambda: gauss_hermite_grid(5, np.nan), r"mean is nan"),
        (lambda: log_integral([1.0, 2.0], [1.0]), r"2 entries along the axis and weights have sh"),
        (
            lambda: log_integral([1.0], [-1.0]),
            r"weights run from -1\.0 to -1\.0, expected none neg",
        ),
        (lambda: log_integral([np.nan], [1.0]), r"log_values hold nan or inf"),
        (lambda: log_integral([np.inf], [1.0]), r"log_values hold nan or inf"),
    ],
)
def test_bad_values_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
