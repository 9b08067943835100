"""Normal densities: closed forms against quadrature, SciPy, torch and exact decimal arithmetic."""

from decimal import Decimal, localcontext

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import quad

from vaebook.gaussians import (
    entropy_normal,
    kl_multivariate_normal,
    kl_normal,
    log_multivariate_normal,
    log_normal,
)

CASES = [(0.0, 1.0), (1.3, 0.4), (-2.0, 3.5), (50.0, 0.01)]
PAIRS = [(q, p) for q in CASES[:3] for p in CASES[:3]]


def as_double(number):
    return torch.tensor(number, dtype=torch.float64)


def random_covariance(rng, dimension, batch=()):
    root = rng.standard_normal((*batch, dimension, dimension))
    return root @ np.swapaxes(root, -1, -2) + 0.1 * np.eye(dimension)


def exact_kl(mean_q, std_q, mean_p, std_p):
    """The textbook formula in 60 decimal digits."""
    with localcontext(prec=60):
        mq, sq, mp, sp = (Decimal(float(v)) for v in (mean_q, std_q, mean_p, std_p))
        return float((sp / sq).ln() + (sq**2 + (mq - mp) ** 2) / (2 * sp**2) - Decimal("0.5"))


# ------------------------------------------------------------------- one dimension


@pytest.mark.parametrize(("mean", "std"), CASES)
def test_log_normal_agrees_with_scipy_and_torch_and_integrates_to_one(mean, std):
    x = mean + std * np.linspace(-8, 8, 33)
    ours = log_normal(x, mean, std)
    np.testing.assert_allclose(ours, stats.norm(mean, std).logpdf(x), rtol=1e-13)
    tensors = torch.distributions.Normal(as_double(mean), as_double(std))
    np.testing.assert_allclose(ours, tensors.log_prob(torch.as_tensor(x)), rtol=1e-13)
    total, _ = quad(lambda v: np.exp(log_normal(v, mean, std)), mean - 9 * std, mean + 9 * std)
    assert total == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize(("mean", "std"), CASES)
def test_entropy_agrees_with_scipy_torch_and_quadrature(mean, std):
    by_quadrature, _ = quad(
        lambda v: -np.exp(log_normal(v, mean, std)) * log_normal(v, mean, std),
        mean - 10 * std,
        mean + 10 * std,
        epsabs=1e-12,
    )
    assert entropy_normal(std) == pytest.approx(by_quadrature, abs=1e-9)
    assert entropy_normal(std) == pytest.approx(stats.norm(mean, std).entropy(), rel=1e-13)
    tensor = torch.distributions.Normal(0.0, as_double(std)).entropy()
    assert entropy_normal(std) == pytest.approx(float(tensor), rel=1e-12)


@pytest.mark.parametrize(("q", "p"), PAIRS)
def test_kl_agrees_with_decimals_torch_and_quadrature(q, p):
    ours = kl_normal(*q, *p)
    assert ours == pytest.approx(exact_kl(*q, *p), rel=1e-14, abs=0)
    normal = torch.distributions.Normal
    q_torch, p_torch = (normal(*(as_double(v) for v in pair)) for pair in (q, p))
    by_torch = float(torch.distributions.kl_divergence(q_torch, p_torch))
    assert ours == pytest.approx(by_torch, rel=1e-12, abs=1e-15)
    by_quadrature, _ = quad(
        lambda z: np.exp(log_normal(z, *q)) * (log_normal(z, *q) - log_normal(z, *p)),
        q[0] - 12 * q[1],
        q[0] + 12 * q[1],
        epsabs=1e-12,
        limit=200,
    )
    assert ours == pytest.approx(by_quadrature, abs=1e-9)


@given(
    mean_q=st.floats(-1e3, 1e3),
    mean_p=st.floats(-1e3, 1e3),
    log_std_q=st.floats(-20, 20),
    log_ratio=st.floats(-20, 20) | st.floats(-1e-3, 1e-3) | st.floats(-1e-9, 1e-9),
)
@settings(max_examples=100, deadline=None, derandomize=True)
def test_kl_is_never_negative_and_accurate(mean_q, mean_p, log_std_q, log_ratio):
    std_q, std_p = np.exp(log_std_q), np.exp(log_std_q - log_ratio)
    for dtype in (np.float64, np.float32):
        numbers = [dtype(v) for v in (mean_q, std_q, mean_p, std_p)]
        ours = kl_normal(*numbers)
        assert ours.dtype == dtype
        assert ours >= 0
        exact = exact_kl(*numbers)
        # The log-ratio of the stds is known to their logs' rounding, and so is what grows from it.
        ulp = float(np.finfo(dtype).eps)
        rounding = 4 * ulp * (1 + abs(log_std_q)) * abs(np.expm1(2 * log_ratio))
        assert float(ours) == pytest.approx(exact, rel=100 * ulp, abs=rounding + 1e-37)


def test_kl_near_zero_is_never_negative_and_close_where_the_textbook_formula_is_neither():
    std = np.float32(1) + np.float32(2**-23) * np.arange(-500, 500, dtype=np.float32)
    exact = np.array([exact_kl(0, s, 0, 1) for s in std])
    log_var = 2 * np.log(std)
    textbook = 0.5 * (np.exp(log_var) - np.float32(1) - log_var)
    assert textbook.min() < 0, "the trap that the stable form avoids is gone"
    assert np.abs(textbook - exact).max() > 3e-8
    np.testing.assert_allclose(kl_normal(np.float32(0), std), exact, rtol=0, atol=1e-11)


def test_kl_is_not_negative_for_any_float32_between_a_half_and_two_and_for_close_float64():
    """An expm1 that rounds to a neighbour of its value never falls below t, which is a float."""
    for exponent in (-1, 0):
        std = np.ldexp(1 + np.arange(2**23, dtype=np.float32) / np.float32(2**23), exponent)
        assert std.dtype == np.float32
        assert kl_normal(np.float32(0), std).min() >= 0
    rng = np.random.default_rng(8)
    log_std = rng.choice([-1, 1], 2_000_000) * np.exp(rng.uniform(-40, 3, 2_000_000))
    assert kl_normal(0.0, np.exp(log_std)).min() >= 0


def test_kl_of_extreme_standard_deviations_stays_exact_without_warnings():
    assert kl_normal(0.0, 1e-300, 0.0, 1e300) == pytest.approx(600 * np.log(10) - 0.5, rel=1e-14)
    assert kl_normal(0.0, 1e-20) == pytest.approx(20 * np.log(10) - 0.5, rel=1e-14)
    assert kl_normal(0.0, 1e300, 0.0, 1e-300) == np.inf


def test_far_tails_neither_underflow_nor_warn():
    assert log_normal(1e8, 0.0, 1.0) == pytest.approx(-5e15, rel=1e-12)
    assert log_normal(1e154, 0.0, 1.0) == pytest.approx(-5e307, rel=1e-12)
    assert log_normal(1e200, 0.0, 1.0) == -np.inf
    assert log_normal(np.float32(1e30), np.float32(0), np.float32(1)) == -np.inf


def test_scalars_give_0d_and_arrays_broadcast():
    for value in (log_normal(0, 0, 1), entropy_normal(1), kl_normal(0, 1)):
        assert np.ndim(value) == 0
        float(value)
    assert log_normal(np.zeros((4, 1)), [0.0, 1.0, 2.0], 1.0).shape == (4, 3)
    assert entropy_normal(np.ones((2, 3))).shape == (2, 3)
    assert kl_normal(np.zeros((4, 1)), np.ones(3)).shape == (4, 3)


def test_float32_is_kept_and_python_numbers_follow_the_arrays():
    x = np.zeros(3, np.float32)
    assert log_normal(x, 0.0, 1.0).dtype == np.float32
    assert kl_normal(x, x + 1).dtype == np.float32
    assert entropy_normal(x + 1).dtype == np.float32
    assert log_normal(x, 0.0, np.ones(3)).dtype == np.float64
    assert log_normal(np.arange(3), 0, 1).dtype == np.float64


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: log_normal(0, 0, 0), r"std is 0\.0, expected a positive number; pass a standard"),
        (lambda: log_normal(0, 0, [1, -2]), r"std is -2\.0 at index \(1,\)"),
        (lambda: log_normal([0, np.nan], 0, 1), r"x is nan at index \(1,\), expected finite"),
        (lambda: log_normal(0, np.inf, 1), r"mean is inf, expected finite"),
        (lambda: log_normal(1j, 0, 1), r"x is complex, expected real"),
        (lambda: log_normal([1, 2], [1, 2, 3], 1), r"Shapes do not broadcast: x \(2,\), mean \(3"),
        (lambda: log_normal("one", 0, 1), r"could not convert string"),
        (lambda: entropy_normal(-1), r"std is -1\.0, expected a positive"),
        (lambda: kl_normal(0, 1, 0, -1), r"std_p is -1\.0"),
        (lambda: kl_normal(0, np.nan), r"std_q is nan"),
    ],
)
def test_bad_values_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# ------------------------------------------------------------------- several dimensions


def test_log_multivariate_agrees_with_scipy_torch_and_the_diagonal_case():
    rng = np.random.default_rng(3)
    mean, covariance, x = rng.standard_normal(4), random_covariance(rng, 4), rng.normal(size=(9, 4))
    ours = log_multivariate_normal(x, mean, covariance)
    assert ours.shape == (9,)
    np.testing.assert_allclose(ours, stats.multivariate_normal(mean, covariance).logpdf(x))
    tensors = torch.distributions.MultivariateNormal(
        torch.as_tensor(mean), torch.as_tensor(covariance)
    )
    np.testing.assert_allclose(ours, tensors.log_prob(torch.as_tensor(x)), rtol=1e-12)
    std = np.array([0.5, 1.0, 2.0, 3.0])
    by_element = log_normal(x, mean, std).sum(-1)
    np.testing.assert_allclose(log_multivariate_normal(x, mean, np.diag(std**2)), by_element)


def test_kl_multivariate_agrees_with_torch_the_textbook_form_and_quadrature():
    rng = np.random.default_rng(4)
    mean_q, mean_p = rng.standard_normal((2, 5, 2))
    cov_q, cov_p = random_covariance(rng, 2, (5,)), random_covariance(rng, 2, (5,))
    ours = kl_multivariate_normal(mean_q, cov_q, mean_p, cov_p)
    normal = torch.distributions.MultivariateNormal
    q = normal(torch.as_tensor(mean_q), torch.as_tensor(cov_q))
    p = normal(torch.as_tensor(mean_p), torch.as_tensor(cov_p))
    np.testing.assert_allclose(ours, torch.distributions.kl_divergence(q, p), rtol=1e-10)
    to_prior = kl_multivariate_normal(mean_q, cov_q)
    trace, det = np.trace(cov_q, axis1=-2, axis2=-1), np.linalg.det(cov_q)
    textbook = 0.5 * (trace + (mean_q**2).sum(-1) - 2 - np.log(det))
    np.testing.assert_allclose(to_prior, textbook, rtol=1e-12)
    # By quadrature, on the square that the first of the densities fills.
    u = np.linspace(-9, 9, 301)
    grid = np.stack(np.meshgrid(u, u), -1)
    z = mean_q[0] + grid @ np.linalg.cholesky(cov_q[0]).T
    log_ratio = log_multivariate_normal(z, mean_q[0], cov_q[0]) - log_multivariate_normal(
        z, mean_p[0], cov_p[0]
    )
    density = np.exp(-0.5 * (grid**2).sum(-1)) / (2 * np.pi) * (u[1] - u[0]) ** 2
    assert ours[0] == pytest.approx((density * log_ratio).sum(), rel=1e-10)


def test_kl_multivariate_reduces_to_the_scalar_case_and_is_not_negative_in_float32():
    assert kl_multivariate_normal([0.7], [[0.25]]) == pytest.approx(kl_normal(0.7, 0.5), rel=1e-14)
    rng = np.random.default_rng(5)
    covariance = (np.eye(3) + 1e-4 * random_covariance(rng, 3, (500,))).astype(np.float32)
    kl = kl_multivariate_normal(np.zeros(3, np.float32), covariance)
    assert kl.dtype == np.float32
    assert (kl >= 0).all()
    spectrum = np.linalg.eigvalsh(covariance.astype(float))
    exact = 0.5 * (spectrum - 1 - np.log(spectrum)).sum(-1)
    # float32 eigenvalues are known to about 1e-7, one part in a thousand of their distance from 1
    np.testing.assert_allclose(kl, exact, rtol=1e-2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: log_multivariate_normal([0.0, 0], [0.0, 0], [[1.0, 2], [2, 1]]),
            r"covariance has the eigenvalue -1, expected all positive; add a small",
        ),
        (
            lambda: log_multivariate_normal([0.0, 0], [0.0, 0], [[1.0, 0.5], [0, 1]]),
            r"covariance differs from its transpose by 0\.5, expected a symmetric",
        ),
        (
            lambda: log_multivariate_normal(
                [0.0, 0], [0.0, 0], [1e6 * np.eye(2), [[1, 0.9], [0, 1]]]
            ),
            r"covariance differs from its transpose by 0\.9, expected a symmetric",
        ),
        (
            lambda: log_multivariate_normal([0.0, 0, 0], [0.0, 0], np.eye(2)),
            r"x has shape \(3,\) and the covariance \(2, 2\)",
        ),
        (lambda: kl_multivariate_normal([0.0, 0], [1.0, 1]), r"a diagonal goes in as np\.diag"),
        (lambda: kl_multivariate_normal([0.0, np.nan], np.eye(2)), r"mean_q is nan at index"),
        (lambda: kl_multivariate_normal(0.0, [[1.0]]), r"mean_q has shape \(\)"),
    ],
)
def test_bad_multivariate_values_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
