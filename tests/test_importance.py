"""Importance sampling of log p(x): weights, estimates, and the bound itself, against oracles."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.integrate import quad
from scipy.special import logsumexp

from vaebook.bounds import elbo
from vaebook.gaussians import chi_square_normal
from vaebook.importance import (
    effective_sample_size,
    expected_log_mean,
    importance_bound,
    log_importance_weights,
    log_mean_exp,
)
from vaebook.latent import BOOK_NOISE_STD, LinearGaussianModel, NonlinearModel, book_decoder
from vaebook.vae import objective

LINE, X = LinearGaussianModel(1.5, 0.8), 1.7  # posterior N(0.882, 0.471^2)
BOOK = NonlinearModel(book_decoder, BOOK_NOISE_STD)
COUNTS = [1, 2, 5, 20, 100, 1000]


# ---- weights and estimates ----


def test_log_mean_exp_is_that_of_scipy_and_torch_and_survives_any_size():
    log_w = np.random.default_rng(1).normal(-900, 40, (50, 3))
    expected = logsumexp(log_w, axis=0) - np.log(50)
    assert log_mean_exp(log_w) == pytest.approx(expected, abs=1e-12)
    assert log_mean_exp(log_w.T, axis=1) == pytest.approx(expected, abs=1e-12)
    assert objective.log_mean_exp(torch.from_numpy(log_w)).numpy() == pytest.approx(expected)
    assert log_mean_exp([-np.inf, 0.0]) == pytest.approx(-np.log(2), abs=1e-15)
    assert log_mean_exp([-np.inf, -np.inf]) == -np.inf
    for bad in [[], [np.nan, 0.0], [np.inf, 0.0]]:
        with pytest.raises(ValueError, match="expected"):
            log_mean_exp(bad)


def test_effective_sample_size_runs_from_one_to_k():
    w = np.random.default_rng(2).gamma(0.3, size=(40, 2))
    expected = w.sum(0) ** 2 / (w**2).sum(0)
    assert effective_sample_size(np.log(w) - 800) == pytest.approx(expected, rel=1e-12)
    assert effective_sample_size(np.log(w).T, axis=-1) == pytest.approx(expected, rel=1e-12)
    assert effective_sample_size(np.full(7, 3.0)) == pytest.approx(7, rel=1e-14)
    assert effective_sample_size([-np.inf, 5.0, -np.inf]) == pytest.approx(1, rel=1e-14)
    assert np.isnan(effective_sample_size([-np.inf, -np.inf]))


def test_weights_are_those_of_scipy_and_all_alike_where_q_is_the_posterior():
    eps = np.random.default_rng(3).standard_normal((9, 2))
    x, mean, std = np.array([1.7, -0.4]), np.array([0.3, 1.0]), np.array([0.5, 2.0])
    z = mean + std * eps
    expected = stats.norm.logpdf(x, 1.5 * z, 0.8) + stats.norm.logpdf(z)
    expected -= stats.norm.logpdf(z, mean, std)
    found = log_importance_weights(LINE, x, mean, std, eps)
    assert found == pytest.approx(expected, abs=1e-12)
    same = log_importance_weights(LINE, x, *LINE.posterior(x), eps)
    assert same == pytest.approx(np.broadcast_to(LINE.log_marginal(x), same.shape), abs=1e-12)

    plane = np.array([[0.4, -0.2], [1.0, 0.3]])
    expected = stats.norm.logpdf(plane, book_decoder(z.ravel()).reshape(9, 2, 2), BOOK_NOISE_STD)
    expected = expected.sum(-1) + stats.norm.logpdf(z) - stats.norm.logpdf(z, mean, std)
    found = log_importance_weights(BOOK, plane, mean, std, eps)
    assert found == pytest.approx(expected, abs=1e-12)


# ---- the bound ----


@pytest.mark.parametrize("q", [(0.0, 1.0), (0.9, 0.3), (-2.0, 0.1), (3.0, 2.0), (0.8, 0.5)])
@pytest.mark.parametrize("model", [LINE, BOOK], ids=["linear", "book"])
def test_the_bound_starts_at_the_elbo_and_rises_to_log_px(model, q):
    x = X if model is LINE else [0.4, -0.2]
    bound = importance_bound(model, x, *q, COUNTS)
    terms = elbo(model, x, *q)
    assert bound[0] == pytest.approx(float(terms.elbo), abs=1e-9)
    assert np.all(np.diff(bound) > 0)
    assert np.all(bound < terms.log_px)


def test_the_bound_touches_at_every_k_where_q_is_the_posterior():
    bound = importance_bound(LINE, X, *LINE.posterior(X), COUNTS)
    assert bound == pytest.approx(np.full(len(COUNTS), LINE.log_marginal(X)), abs=1e-11)
    assert importance_bound(LINE, X, 0.0, 1.0, 5).shape == ()


@pytest.mark.parametrize("q", [(0.0, 1.0), (0.9, 0.3), (1.5, 0.6)])
def test_the_bound_of_two_samples_is_a_double_integral(q):
    eps, step = np.linspace(-9, 9, 1801, retstep=True)
    log_w = log_importance_weights(LINE, X, *q, eps)
    mass = step * stats.norm.pdf(eps)
    expected = mass @ (np.logaddexp.outer(log_w, log_w) - np.log(2)) @ mass
    assert importance_bound(LINE, X, *q, 2) == pytest.approx(expected, abs=1e-8)


def test_the_expectation_for_two_values_is_a_binomial_sum():
    low, high = 1e-4, 0.6
    for n in [1, 2, 7, 300]:
        chance = stats.binom.pmf(np.arange(n + 1), n, 0.2)
        expected = chance @ np.log(np.linspace(low, high, n + 1))  # each sample adds the same
        found = expected_log_mean(np.log([low, high]), [0.8, 0.2], n)
        assert found == pytest.approx(expected, abs=1e-11)
    with pytest.raises(ValueError, match="Probabilities sum to 1"):
        expected_log_mean([0.0, 1.0], [0.8, 0.4], 5)


def test_the_bound_is_the_mean_of_estimates():
    """The mean of 100,000 strays by 5.7 standard errors once in 10^8; a bound that is off by 0.02
    nats is 10 of them away, and found out but once in 10^5."""
    rng = np.random.default_rng(4)
    for q, n in [((0.0, 1.0), 10), ((0.9, 0.3), 20)]:
        log_w = log_importance_weights(LINE, X, *q, rng.standard_normal((n, 100_000)))
        found = log_mean_exp(log_w)
        error = found.std() / np.sqrt(found.size)
        assert error < 0.002
        assert abs(found.mean() - importance_bound(LINE, X, *q, n)) < 5.7 * error


def test_the_gap_falls_like_half_the_variance_of_a_weight_over_k():
    q = (0.5, 0.7)
    variance = chi_square_normal(*LINE.posterior(X), *q)
    counts = np.array([1000, 10_000, 100_000])
    gap = LINE.log_marginal(X) - importance_bound(LINE, X, *q, counts)
    assert 2 * counts * gap / variance == pytest.approx([1, 1, 1], rel=0.01)


def test_what_the_bound_cannot_take_is_named():
    with pytest.raises(ValueError, match="n_importance is 0, expected a whole number"):
        importance_bound(LINE, X, 0.0, 1.0, [1, 0])
    with pytest.raises(ValueError, match=r"std is -1\.0"):
        importance_bound(LINE, X, 0.0, -1.0, 5)
    with pytest.raises(ValueError, match=r"shape \(2,\), expected one number"):
        importance_bound(LINE, X, [0.0, 1.0], 1.0, 5)


# ---- the variance of a weight ----


def second_moment(p, q, reach):
    """The integral of p^2 / q over |z - mean of p| < reach standard deviations, by SciPy."""
    scale = q[1] / p[1] / math.sqrt(2 * math.pi)

    def integrand(t):  # dz = std of p times dt
        return scale * math.exp(-(t**2) + 0.5 * ((p[0] + p[1] * t - q[0]) / q[1]) ** 2)

    return sum(quad(integrand, a, b, limit=200)[0] for a, b in [(-reach, 0), (0, reach)])


@pytest.mark.parametrize("q", [(0.0, 1.0), (0.882, 0.4706), (1.0, 0.36), (-1.0, 0.8)])
def test_chi_square_is_the_variance_of_a_weight(q):
    p = tuple(float(value) for value in LINE.posterior(X))
    assert chi_square_normal(*p, *q) == pytest.approx(second_moment(p, q, 20) - 1, rel=1e-8)
    eps = np.linspace(-12, 12, 4801)
    w = np.exp(log_importance_weights(LINE, X, *q, eps) - LINE.log_marginal(X))
    if q[1] > p[1]:  # where q is narrower, most of the integral lies beyond every sample
        mass = (eps[1] - eps[0]) * stats.norm.pdf(eps)
        assert mass @ w**2 - (mass @ w) ** 2 == pytest.approx(chi_square_normal(*p, *q), rel=1e-8)


def test_the_variance_of_a_weight_is_infinite_from_a_certain_width_down():
    """Up to 1 / sqrt 2 of the posterior's std the integral grows with its range; above it stops."""
    p = (0.3, 0.5)
    limit = 0.5 / np.sqrt(2)
    for mean in [0.3, 1.0]:
        for std in [limit, 0.98 * limit, 0.5 * limit]:
            parts = [second_moment(p, (mean, std), reach) for reach in (3, 6, 12)]
            assert parts[1] > 1.9 * parts[0]
            assert parts[2] > 1.9 * parts[1]
            assert chi_square_normal(*p, mean, std * (1 - 1e-12)) == np.inf
        found = chi_square_normal(*p, mean, 1.1 * limit)
        assert found == pytest.approx(second_moment(p, (mean, 1.1 * limit), 30) - 1, rel=1e-6)
    assert chi_square_normal(0.0, 2.0, 0.0, 1.0) == chi_square_normal(9.0, 2.0, 0.0, 1.0) == np.inf


def test_chi_square_of_close_densities_keeps_its_digits_and_its_sign():
    near = np.array([1e-9, -1e-5, 1e-3, -1e-2])
    # To second order, with a wider by the factor 1 + h: 2 h^2.
    assert chi_square_normal(0.0, 1.0, 0.0, 1 + near) == pytest.approx(2 * near**2, rel=0.05)
    assert chi_square_normal(near, 1.0, 0.0, 1.0) == pytest.approx(near**2, rel=1e-3)
    single = np.float32([0.7, 1.3, 1.0000001])
    found = chi_square_normal(np.float32(0.0), np.float32(1.0), np.float32(0.0), single)
    assert found.dtype == np.float32
    assert np.all(found >= 0)
    with pytest.raises(ValueError, match="std_q is 0"):
        chi_square_normal(0.0, 1.0, 0.0, 0.0)
