"""Latent variable models: closed forms, adaptive quadrature, SciPy, torch and samples agree."""

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import quad

from vaebook.bounds import elbo
from vaebook.latent import (
    BOOK_NOISE_STD,
    LinearGaussianModel,
    NonlinearModel,
    book_decoder,
)
from vaebook.quadrature import gauss_hermite_grid, uniform_grid

# Two-sided: 100 tests at this threshold raise a false alarm with probability 1e-6 in all.
Z_LIMIT = 5.73

LINEAR = [(1.0, 1.0), (1.5, 0.5), (-0.7, 0.3), (0.0, 0.8)]
BOOK = NonlinearModel(book_decoder, BOOK_NOISE_STD)


def line(weight):
    return lambda z: weight * z[:, None]


def square(n):
    """Points (n * n, 2) that cover the square of the book's pictures."""
    side = np.linspace(-3, 3, n)
    return np.stack(np.meshgrid(side, side), -1).reshape(-1, 2)


def adaptive_log_marginal(decoder, noise_std, x):
    """log p(x) by adaptive quadrature of SciPy's densities, told where the integrand peaks."""

    def log_integrand(z):
        centre = decoder(np.atleast_1d(z))
        return stats.norm.logpdf(x, centre, noise_std).sum(-1) + stats.norm.logpdf(z)

    z = np.linspace(-8, 8, 4001)
    values = log_integrand(z)
    largest = values.max()
    inner = values[1:-1]
    peaks = z[1:-1][(inner > values[:-2]) & (inner >= values[2:]) & (inner > largest - 40)]
    total, _ = quad(
        lambda v: np.exp(log_integrand(v)[0] - largest),
        -8,
        8,
        points=peaks[:50],
        epsabs=1e-11,
        epsrel=1e-11,
        limit=400,
    )
    return np.log(total) + largest


# ------------------------------------------------------------------- the linear model


@pytest.mark.parametrize(("weight", "noise_std"), LINEAR)
def test_linear_marginal_agrees_with_scipy_and_quadrature(weight, noise_std):
    model = LinearGaussianModel(weight, noise_std)
    x = np.linspace(-4, 4, 9)
    expected = stats.norm(0, np.sqrt(weight**2 + noise_std**2)).logpdf(x)
    np.testing.assert_allclose(model.log_marginal(x), expected, rtol=1e-13)
    for value in x[::4]:
        by_quad = adaptive_log_marginal(line(weight), noise_std, np.array([value]))
        assert model.log_marginal(value) == pytest.approx(by_quad, abs=1e-9)


@pytest.mark.parametrize(("weight", "noise_std"), LINEAR)
def test_linear_joint_agrees_with_torch(weight, noise_std):
    model = LinearGaussianModel(weight, noise_std)
    covariance = [[weight**2 + noise_std**2, weight], [weight, 1.0]]
    joint = torch.distributions.MultivariateNormal(
        torch.zeros(2, dtype=torch.float64), torch.tensor(covariance, dtype=torch.float64)
    )
    x, z = np.random.default_rng(0).normal(size=(2, 50))
    expected = joint.log_prob(torch.as_tensor(np.stack([x, z], -1)))
    np.testing.assert_allclose(model.log_joint(x, z), expected, rtol=1e-11)


@pytest.mark.parametrize(("weight", "noise_std"), LINEAR)
def test_linear_posterior_is_bayes_rule(weight, noise_std):
    model = LinearGaussianModel(weight, noise_std)
    x = np.array([-2.0, 0.0, 1.7])
    mean, std = model.posterior(x)
    np.testing.assert_allclose(mean, weight * x / (weight**2 + noise_std**2), rtol=1e-14)
    np.testing.assert_allclose(std**2, noise_std**2 / (weight**2 + noise_std**2), rtol=1e-14)
    assert mean.shape == std.shape == x.shape
    z = np.linspace(-3, 3, 7)[:, None]
    bayes = model.log_joint(x, z) - model.log_marginal(x)
    np.testing.assert_allclose(stats.norm(mean, std).logpdf(z), bayes, rtol=1e-11)


def test_linear_joint_is_likelihood_and_prior():
    model = LinearGaussianModel(1.5, 0.5)
    expected = stats.norm.logpdf(0.7, 1.5 * 0.2, 0.5)
    assert model.log_px_given_z(0.7, 0.2) == pytest.approx(expected, rel=1e-14)
    assert model.log_joint(0.7, 0.2) == pytest.approx(expected + stats.norm.logpdf(0.2), rel=1e-14)


def test_an_array_of_weights_gives_the_curve_over_phi():
    phi = np.linspace(-3, 3, 61)
    curve = LinearGaussianModel(phi, 1.0).log_marginal(1.3)
    assert curve.shape == (61,)
    np.testing.assert_array_equal(
        curve, [LinearGaussianModel(p, 1.0).log_marginal(1.3) for p in phi]
    )
    table = LinearGaussianModel(phi[:, None], 1.0).posterior([0.0, 1.0])
    assert table[0].shape == table[1].shape == (61, 2)


def test_linear_far_tails_neither_underflow_nor_warn():
    model = LinearGaussianModel(1.0, 1.0)
    assert model.log_marginal(1e8) == pytest.approx(-(1e16) / 4, rel=1e-12)
    assert model.log_marginal(1e154) == pytest.approx(-(1e308) / 4, rel=1e-12)
    mean, std = LinearGaussianModel(1e200, 1e190).posterior(1e200)
    assert mean == pytest.approx(1, rel=1e-14)
    assert std == pytest.approx(1e-10, rel=1e-14)


def test_linear_scalars_give_0d_and_float32_is_kept():
    model = LinearGaussianModel(1.5, 0.5)
    for value in (model.log_marginal(1.0), model.log_joint(1.0, 0.0), *model.posterior(1.0)):
        assert np.ndim(value) == 0
        float(value)
    x = np.ones(3, np.float32)
    for array in (model.log_marginal(x), model.log_joint(x, x), *model.posterior(x)):
        assert array.dtype == np.float32
    assert model.log_joint(np.zeros((4, 1)), np.zeros(3)).shape == (4, 3)


# ------------------------------------------------------------------- the non-linear model


@pytest.mark.parametrize("noise_std", [0.1, BOOK_NOISE_STD, 1.0])
def test_marginal_of_the_book_agrees_with_adaptive_quadrature(noise_std):
    model = NonlinearModel(book_decoder, noise_std)
    x = np.concatenate([square(3), [[-1.9, 0.0], [1.9, 0.0], [8.0, -9.0]]])
    expected = [adaptive_log_marginal(book_decoder, noise_std, row) for row in x]
    np.testing.assert_allclose(model.log_marginal(x), expected, atol=1e-8, rtol=1e-9)


@given(st.floats(-2, 2), st.floats(0.1, 2), st.lists(st.floats(-3, 3), min_size=1, max_size=5))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_a_straight_line_as_decoder_gives_the_linear_model(weight, noise_std, x):
    linear = LinearGaussianModel(weight, noise_std)
    model = NonlinearModel(line(weight), noise_std, grid=uniform_grid(-25, 25, 5001))
    x = np.array(x)
    np.testing.assert_allclose(model.log_marginal(x[:, None]), linear.log_marginal(x), rtol=1e-10)
    np.testing.assert_allclose(
        model.log_joint(x[:, None], 0.3), linear.log_joint(x, 0.3), rtol=1e-13
    )
    mean, std = linear.posterior(x)
    np.testing.assert_allclose(
        model.posterior(x[:, None]), stats.norm(mean[:, None], std[:, None]).pdf(model.grid),
        rtol=1e-9, atol=1e-12,
    )  # fmt: skip
    for found, exact in zip(model.posterior_moments(x[:, None]), (mean, std), strict=True):
        np.testing.assert_allclose(found, exact, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("weight", "noise_std"), LINEAR)
def test_the_default_grid_gives_the_linear_model_too(weight, noise_std):
    x = np.linspace(-4, 4, 17)
    by_grid = NonlinearModel(line(weight), noise_std).log_marginal(x[:, None])
    exact = LinearGaussianModel(weight, noise_std).log_marginal(x)
    np.testing.assert_allclose(by_grid, exact, rtol=0, atol=1e-10)


def test_joint_agrees_with_torch():
    x, z = square(5)[:, None, :], np.linspace(-3, 3, 13)
    centre = torch.as_tensor(book_decoder(z))
    normal = torch.distributions.Normal(centre, torch.tensor(BOOK_NOISE_STD, dtype=torch.float64))
    expected = normal.log_prob(torch.as_tensor(x)).sum(-1).numpy() + stats.norm.logpdf(z)
    np.testing.assert_allclose(BOOK.log_joint(x, z), expected, rtol=1e-12)


def test_marginal_integrates_to_one_over_the_plane():
    side, weights = uniform_grid(-6, 6, 81)  # steps of half the noise: exact for its bells
    x = np.stack(np.meshgrid(side, side), -1)
    assert weights @ np.exp(BOOK.log_marginal(x)) @ weights == pytest.approx(1, abs=1e-10)


@pytest.mark.parametrize("place", [0.0, 0.0025, 0.005, 0.3071])
def test_a_posterior_too_narrow_for_the_grid_warns_and_the_remedy_serves(place):
    for std in (0.0005, 0.001, 0.003, 0.006, 0.0075):
        linear = LinearGaussianModel(1.0, std)
        model = NonlinearModel(line(1.0), std)
        calls = {model.log_marginal: (), model.posterior: (), partial(elbo, model): (place, std)}
        for call, q in calls.items():
            with pytest.warns(RuntimeWarning, match=r"A posterior rests on .* finer or wider grid"):
                call([place], *q)
        finer = NonlinearModel(line(1.0), std, grid=uniform_grid(-8, 8, 64_001))
        assert finer.log_marginal([place]) == pytest.approx(linear.log_marginal(place), abs=1e-8)
    wide_enough = NonlinearModel(line(1.0), 0.012).log_marginal([place])  # no warning
    exact = LinearGaussianModel(1.0, 0.012).log_marginal(place)
    assert wide_enough == pytest.approx(exact, abs=1e-8)


def test_a_posterior_at_the_end_of_the_grid_warns():
    with pytest.warns(RuntimeWarning, match="or lies at an end"):
        NonlinearModel(line(1.0), 0.1).log_marginal([20.0])


def test_posterior_is_a_density_with_one_or_two_modes():
    x = np.array([[-1.9, 0.0], [1.9, 0.0]])
    posterior = BOOK.posterior(x)
    assert posterior.shape == (2, BOOK.grid.size)
    np.testing.assert_allclose(posterior @ BOOK.grid_weights, 1, rtol=1e-13)
    inner = posterior[:, 1:-1]
    modes = ((inner > posterior[:, :-2]) & (inner > posterior[:, 2:]) & (inner > 0.1)).sum(-1)
    np.testing.assert_array_equal(modes, [2, 1])
    bayes = BOOK.log_joint(x[:, None, :], BOOK.grid) - BOOK.log_marginal(x)[:, None]
    np.testing.assert_allclose(posterior, np.exp(bayes), rtol=1e-12)


def test_posterior_agrees_with_importance_weighted_prior_draws():
    z = np.random.default_rng(4).standard_normal(400_000)
    x = np.array([-1.9, 0.0])
    weights = np.exp(BOOK.log_px_given_z(x, z))
    estimate = (weights * (z > 0)).mean() / weights.mean()
    share = BOOK.posterior(x)[BOOK.grid > 0] @ BOOK.grid_weights[BOOK.grid > 0]
    error = (weights * ((z > 0) - share)).std() / weights.mean() / np.sqrt(z.size)
    assert abs(estimate - share) < Z_LIMIT * error
    assert abs(estimate - share * 1.1) > Z_LIMIT * error


def test_far_tails_do_not_underflow():
    x = np.array([[1e8, 0.0], [0.0, -1e150]])
    with pytest.warns(RuntimeWarning, match="or lies at an end"):
        log_px = BOOK.log_marginal(x)
    squares = (x**2).sum(-1)
    np.testing.assert_allclose(log_px, -0.5 * squares / BOOK_NOISE_STD**2, rtol=1e-6)
    with pytest.warns(RuntimeWarning, match="or lies at an end"):
        np.testing.assert_allclose(BOOK.posterior(x) @ BOOK.grid_weights, 1, rtol=1e-13)
    assert BOOK.log_marginal([1e200, 0.0]) == -np.inf
    with pytest.raises(ValueError, match=r"x reaches 1e\+200, so far out .* rescale x"):
        BOOK.posterior([1e200, 0.0])


def test_shapes_and_blocks():
    assert np.ndim(BOOK.log_marginal([0.0, 0.0])) == 0
    assert np.ndim(BOOK.log_joint([0.0, 0.0], 0.5)) == 0
    assert BOOK.posterior([0.0, 0.0]).shape == (1601,)
    assert BOOK.log_marginal(np.zeros((3, 4, 2))).shape == (3, 4)
    assert BOOK.posterior(np.zeros((3, 4, 2))).shape == (3, 4, 1601)
    assert BOOK.log_joint(np.zeros((3, 1, 2)), np.zeros(5)).shape == (3, 5)
    assert BOOK.log_marginal(np.zeros((0, 2))).shape == (0,)
    x = np.random.default_rng(0).normal(size=(2000, 2))  # more than one block
    row_by_row = [BOOK.log_marginal(row) for row in x[::97]]
    np.testing.assert_array_equal(BOOK.log_marginal(x)[::97], row_by_row)


def test_a_grid_may_be_points_or_points_with_weights():
    points = np.linspace(-8, 8, 1601)
    x = square(3)
    for grid in (points, uniform_grid(-8, 8, 1601)):
        model = NonlinearModel(book_decoder, BOOK_NOISE_STD, grid=grid)
        np.testing.assert_allclose(model.log_marginal(x), BOOK.log_marginal(x), rtol=1e-13)
    assert BOOK.grid.shape == BOOK.grid_weights.shape == (1601,)
    assert BOOK.curve.shape == (1601, 2)


# ------------------------------------------------------------------- samples


def test_linear_samples_have_the_right_moments():
    model = LinearGaussianModel(1.5, 0.5)
    n = 1_000_000
    x, z = model.sample(n, rng=np.random.default_rng(21))
    spread, posterior_slope = 1.5**2 + 0.5**2, 1.5 / (1.5**2 + 0.5**2)

    def scores(weight, noise_std):
        return np.array(
            [
                z.mean() * np.sqrt(n),
                ((z**2).mean() - 1) * np.sqrt(n / 2),
                ((x**2).mean() / (weight**2 + noise_std**2) - 1) * np.sqrt(n / 2),
                (x * z).mean() * np.sqrt(n) / np.sqrt(spread + 1.5**2)
                - weight * np.sqrt(n) / np.sqrt(spread + 1.5**2),
                (((x - weight * z) / noise_std) ** 2).mean() * np.sqrt(n / 2) - np.sqrt(n / 2),
            ]
        )

    assert np.abs(scores(1.5, 0.5)).max() < Z_LIMIT
    assert np.abs(scores(1.5 * 1.01, 0.5)).max() > Z_LIMIT
    assert np.abs(scores(1.5, 0.5 * 1.01)).max() > Z_LIMIT
    assert np.polyfit(x, z, 1)[0] == pytest.approx(posterior_slope, abs=0.01)


def cell_probabilities(model, edges):
    """Probability of every cell of a square lattice by Gauss-Legendre over exp(log_marginal)."""
    nodes, weights = np.polynomial.legendre.leggauss(6)
    half = np.diff(edges)[0] / 2
    side = (edges[:-1] + half)[:, None] + half * nodes  # (cells, nodes)
    x = np.stack(np.meshgrid(side.ravel(), side.ravel(), indexing="ij"), -1)
    density = np.exp(model.log_marginal(x)).reshape(*side.shape, *side.shape)
    return np.einsum("injm,n,m->ij", density, half * weights, half * weights)


def test_samples_of_the_book_fill_the_plane_as_the_marginal_says():
    n = 1_000_000
    x, z = BOOK.sample(n, rng=np.random.default_rng(22))
    assert x.shape == (n, 2)
    assert z.shape == (n,)
    edges = np.linspace(-4, 4, 11)
    counts, *_ = np.histogram2d(*x.T, bins=[edges, edges])

    def largest_score(model):
        probability = cell_probabilities(model, edges)
        common = n * probability > 100  # enough for the normal approximation
        assert common.sum() > 30
        spread = np.sqrt(n * probability * (1 - probability))
        return np.abs((counts - n * probability) / spread)[common].max()

    assert largest_score(BOOK) < Z_LIMIT
    wider = NonlinearModel(book_decoder, 1.03 * BOOK_NOISE_STD)
    assert largest_score(wider) > Z_LIMIT


def test_noise_of_the_book_samples_has_the_right_size():
    n = 500_000
    x, z = BOOK.sample(n, rng=np.random.default_rng(23))
    noise = (x - book_decoder(z)) / BOOK_NOISE_STD
    score = ((noise**2).mean() - 1) * np.sqrt(2 * n / 2)
    assert abs(score) < Z_LIMIT
    assert abs(((noise / 1.01) ** 2).mean() - 1) * np.sqrt(2 * n / 2) > Z_LIMIT
    assert abs(np.corrcoef(noise.T)[0, 1]) * np.sqrt(n) < Z_LIMIT


def test_sampling_repeats_with_its_seed_and_takes_zero():
    for model in (BOOK, LinearGaussianModel(1.0, 1.0)):
        first, again = (model.sample(5, rng=np.random.default_rng(1)) for _ in range(2))
        np.testing.assert_array_equal(first[0], again[0])
        assert model.sample(0, rng=np.random.default_rng(1))[0].shape[0] == 0


# ------------------------------------------------------------------- the decoder of the book


def test_book_decoder_agrees_with_torch_and_stays_in_its_square():
    z = np.linspace(-5, 5, 201)
    network = torch.nn.Sequential(torch.nn.Linear(1, 6), torch.nn.Tanh(), torch.nn.Linear(6, 2))
    network.double()
    numbers = torch.tensor(book_decoder.numbers)
    with torch.no_grad():
        torch.nn.utils.vector_to_parameters(numbers, network.parameters())
        expected = network(torch.as_tensor(z)[:, None]).numpy()
    np.testing.assert_allclose(book_decoder(z), expected, atol=1e-14)
    assert np.abs(expected).max() < 3


def test_book_decoder_keeps_to_the_spiral_that_it_was_fitted_to():
    z = np.linspace(-4, 4, 201)
    u = 2 * stats.norm.cdf(z / 1.15) - 1
    angle, radius = np.deg2rad(205) * u, 1.9 + 0.5 * u
    spiral = np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1)
    np.testing.assert_allclose(book_decoder(z), spiral, atol=0.03)


def test_decoder_shapes():
    assert book_decoder(0.0).shape == (2,)
    assert book_decoder(np.zeros((3, 4))).shape == (3, 4, 2)
    assert book_decoder(np.zeros(0)).shape == (0, 2)
    with pytest.raises(ValueError, match="read-only"):
        book_decoder.numbers[0] = 0


# ------------------------------------------------------------------- bad input

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: LinearGaussianModel(1.0, 0.0), r"noise_std is 0\.0, expected a positive number"),
        (lambda: LinearGaussianModel(np.nan, 1.0), r"weight is nan, expected finite"),
        (lambda: LinearGaussianModel(1.0, 1.0).log_marginal([0, np.nan]), r"x is nan at index \(1"),
        (lambda: LinearGaussianModel(1.0, 1.0).log_joint([0, 1], [0, 1, 2]), r"Shapes do not broa"),
        (lambda: LinearGaussianModel([1.0, 2], 1.0).posterior([0, 1, 2]), r"x \(3,\), weight \(2,"),
        (lambda: LinearGaussianModel([1.0, 2], 1.0).sample(3, rng=RNG), r"expected one number to"),
        (lambda: LinearGaussianModel(1.0, 1.0).sample(-3, rng=RNG), r"n is -3, expected a whole"),
        (lambda: NonlinearModel(3.0, 1.0), r"decoder is 3\.0, expected a function"),
        (lambda: NonlinearModel(book_decoder, -0.3), r"noise_std is -0\.3, expected a positive"),
        (
            lambda: NonlinearModel(book_decoder, [1.0, 2]),
            r"noise_std has shape \(2,\), expected one",
        ),
        (lambda: NonlinearModel(np.sin, 1.0), r"decoder gives shape \(1601,\) .* f\[:, None\]"),
        (
            lambda: NonlinearModel(lambda z: np.where(z > 7.9, np.nan, z)[:, None], 1.0),
            r"not finite at z = 7\.91",
        ),
        (lambda: NonlinearModel(book_decoder, 1.0, grid=[1.0, 0.0]), r"do not increase"),
        (
            lambda: NonlinearModel(book_decoder, 1.0, grid=gauss_hermite_grid(50)),
            r"weights sum to 1 over points that span .* use uniform_grid",
        ),
        (lambda: BOOK.log_marginal([0.0, 1.0, 2.0]), r"x has shape \(3,\), expected \(\.\.\., 2\)"),
        (lambda: BOOK.log_marginal(0.0), r"x has shape \(\), expected"),
        (lambda: BOOK.posterior([[0.0, np.nan]]), r"x is nan at index \(0, 1\)"),
        (lambda: BOOK.log_joint([0.0, 0.0], np.nan), r"z is nan"),
        (lambda: BOOK.log_joint(np.zeros((3, 2)), np.zeros(4)), r"x \(3,\), z \(4,\)"),
        (lambda: BOOK.sample(2.5, rng=RNG), r"n is 2\.5"),
        (lambda: book_decoder(np.nan), r"z is nan"),
    ],
)
def test_bad_values_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("model", [BOOK, LinearGaussianModel(1.0, 1.0)])
def test_randomness_must_be_a_generator(model):
    with pytest.raises(TypeError, match=r"rng is 7, expected a numpy Generator"):
        model.sample(3, rng=7)
