"""Best Gaussians and the amortised one: known posteriors, brute force, SciPy and torch."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import quad
from scipy.optimize import approx_fprime, minimize

from vaebook.approximation import (
    AmortisedGaussian,
    average_bound,
    climb_gaussian,
    fit_amortised,
    fit_gaussian,
    forward_kl,
    gap_parts,
    refine,
)
from vaebook.bounds import elbo
from vaebook.latent import BOOK_NOISE_STD, LinearGaussianModel, NonlinearModel, book_decoder
from vaebook.quadrature import uniform_grid

Z_LIMIT = 5.73
BOOK = NonlinearModel(book_decoder, BOOK_NOISE_STD)
ONE_MODE, TWO_MODES = np.array([1.9, 0.0]), np.array([-1.9, 0.0])


def valley(z):
    u = z - 0.3
    return (1.5 * np.sqrt(u**2 + 0.25) + 0.6 * u - 0.7)[:, None]


VALLEY = NonlinearModel(valley, 0.25)


def line(weight, noise_std):
    grid = uniform_grid(-20, 20, 2001)  # wide enough for every posterior that is asked for
    return NonlinearModel(lambda z: weight * z[:, None], noise_std, grid=grid)


def network(n_hidden=3, n_dimensions=2, seed=0):
    rng = np.random.default_rng(seed)
    shapes = [(n_hidden, n_dimensions), (n_hidden,), (n_hidden, 2), (2,)]
    a, c, v, b = (0.5 * rng.standard_normal(shape) for shape in shapes)
    return AmortisedGaussian.from_layers((a, c), (v.T, b))


def forward_by_quad(model, x, mean, std):
    """KL[p(z|x) || N(mean, std^2)] by SciPy's adaptive quadrature."""
    log_px = model.log_marginal(x)

    def integrand(z):
        log_p = model.log_joint(x, z) - log_px
        return np.exp(log_p) * (log_p - stats.norm.logpdf(z, mean, std))

    return quad(integrand, -8, 8, points=np.linspace(-3, 3, 25), limit=400)[0]


# ------------------------------------------------------------------- one data point, one q


@settings(max_examples=30, deadline=None, derandomize=True)
@given(weight=st.floats(-2, 2), noise_std=st.floats(0.2, 2), x=st.floats(-3, 3))
@pytest.mark.parametrize("direction", ["reverse", "forward"])
def test_a_gaussian_posterior_is_found_whatever_the_direction(direction, weight, noise_std, x):
    exact = LinearGaussianModel(weight, noise_std)
    by_search = fit_gaussian(line(weight, noise_std), [x], direction=direction)
    np.testing.assert_allclose(by_search, exact.posterior(x), rtol=0, atol=1e-8)
    closed = fit_gaussian(exact, np.array([x, 0.0]), direction=direction)
    np.testing.assert_array_equal(closed, exact.posterior(np.array([x, 0.0])))


@pytest.mark.parametrize("model", [BOOK, VALLEY], ids=["book", "valley"])
def test_reverse_is_better_than_any_gaussian_on_a_grid(model):
    x, _ = model.sample(10, rng=np.random.default_rng(1))
    mean, std = np.meshgrid(np.linspace(-4, 4, 81), np.geomspace(0.03, 2, 15))
    on_grid = elbo(model, x[:, None], mean.ravel(), std.ravel()).elbo.max(axis=-1)
    best = elbo(model, x, *fit_gaussian(model, x)).elbo
    assert np.all((best >= on_grid) & (best < on_grid + 0.4))


@pytest.mark.parametrize("x", [ONE_MODE, TWO_MODES, np.zeros(2)])
def test_reverse_agrees_with_scipys_search(x):
    mean, std = fit_gaussian(BOOK, x)
    found = minimize(
        lambda theta: -float(elbo(BOOK, x, theta[0], np.exp(theta[1])).elbo),
        [mean + 0.05, np.log(std) + 0.1], method="Nelder-Mead",
        options={"xatol": 1e-7, "fatol": 1e-13},
    )  # fmt: skip
    np.testing.assert_allclose([mean, np.log(std)], found.x, atol=1e-6)


@pytest.mark.parametrize("x", [ONE_MODE, TWO_MODES])
def test_forward_has_the_moments_and_the_least_divergence(x):
    mean, std = fit_gaussian(BOOK, x, direction="forward")
    log_px = BOOK.log_marginal(x)
    cuts = np.linspace(-3, 3, 25)
    for power, expected in [(1, mean), (2, mean**2 + std**2)]:
        moment, _ = quad(
            lambda z, k=power: z**k * np.exp(BOOK.log_joint(x, z) - log_px),
            -8, 8, points=cuts, limit=400,
        )  # fmt: skip
        assert moment == pytest.approx(expected, abs=1e-8)
    least = forward_by_quad(BOOK, x, mean, std)
    for aside in [(0.02, 1), (-0.02, 1), (0, 1.02), (0, 0.98)]:
        assert forward_by_quad(BOOK, x, mean + aside[0], std * aside[1]) > least


@pytest.mark.parametrize("x", [ONE_MODE, TWO_MODES])
@pytest.mark.parametrize(("mean", "std"), [(-1.7, 0.2), (0.5, 1.5), (3.0, 0.1)])
def test_forward_divergence_agrees_with_adaptive_quadrature(x, mean, std):
    expected = forward_by_quad(BOOK, x, mean, std)
    assert forward_kl(BOOK, x, mean, std) == pytest.approx(expected, rel=1e-8, abs=1e-8)


def test_forward_divergence_of_a_gaussian_posterior_is_torchs():
    x, mean, std = np.array([-1.0, 0.3, 2.0]), np.array([0.2, 0.0, 1.0]), 0.4
    exact = LinearGaussianModel(1.5, 0.8)
    posterior, q = (
        torch.distributions.Normal(*map(torch.as_tensor, moments))
        for moments in (exact.posterior(x), (mean, np.full(3, std)))
    )
    expected = torch.distributions.kl_divergence(posterior, q)
    found = forward_kl(line(1.5, 0.8), x[:, None], mean, std)
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_directions_agree_on_one_mode_and_part_on_two():
    near = [fit_gaussian(BOOK, ONE_MODE, direction=d) for d in ("reverse", "forward")]
    np.testing.assert_allclose(*near, atol=0.01)
    reverse, forward = (fit_gaussian(BOOK, TWO_MODES, direction=d) for d in ("reverse", "forward"))
    np.testing.assert_allclose(reverse, [-1.7386, 0.2031], atol=1e-4)  # picks the left mode
    np.testing.assert_allclose(forward, [-0.11, 1.77], atol=5e-3)  # covers both
    assert elbo(BOOK, TWO_MODES, *forward).gap > 20 * elbo(BOOK, TWO_MODES, *reverse).gap
    assert forward_kl(BOOK, TWO_MODES, *reverse) > 20 * forward_kl(BOOK, TWO_MODES, *forward)


def test_two_close_modes_are_covered_by_either_direction():
    """Reverse does not always pick a mode: between close ones it stands on both."""
    x = np.array([0.35])
    density = VALLEY.posterior(x)
    inner = density[1:-1]
    assert ((inner > density[:-2]) & (inner > density[2:]) & (inner > 0.1)).sum() == 2
    mean, std = fit_gaussian(VALLEY, x)
    peaks = VALLEY.grid[1:-1][(inner > density[:-2]) & (inner > density[2:]) & (inner > 0.1)]
    assert peaks[0] < mean < peaks[1]
    assert mean - 2 * std < peaks[0]
    assert mean + 2 * std > peaks[1]


def test_the_climb_ends_on_the_hill_where_it_starts():
    starts = np.array([-2.5, -1.2, 0.6, 2.5])
    mean, std = climb_gaussian(VALLEY, [1.05], starts, 0.2)
    np.testing.assert_allclose(mean, np.repeat([mean[0], mean[-1]], 2), atol=1e-8)
    assert mean[0] < -1.3 < 0.9 < mean[-1]
    here = elbo(VALLEY, [1.05], mean, std).elbo
    for aside in [(1e-3, 1), (-1e-3, 1), (0, 1.001), (0, 0.999)]:
        assert np.all(elbo(VALLEY, [1.05], mean + aside[0], std * aside[1]).elbo < here)
    best = elbo(VALLEY, [1.05], *fit_gaussian(VALLEY, [1.05])).elbo
    assert best == pytest.approx(here.max(), abs=1e-12)


def test_the_climb_copes_with_a_kink():
    kinked = NonlinearModel(lambda z: np.abs(z)[:, None], 0.3)
    mean, std = fit_gaussian(kinked, [[0.0], [0.2], [1.0]])
    assert np.all(np.isfinite(mean))
    assert np.all(std > 0)


def test_shapes():
    for direction in ("reverse", "forward"):
        assert [np.ndim(v) for v in fit_gaussian(BOOK, ONE_MODE, direction=direction)] == [0, 0]
        many = fit_gaussian(BOOK, np.zeros((3, 4, 2)), direction=direction)
        assert [v.shape for v in many] == [(3, 4), (3, 4)]
        assert [np.ndim(v) for v in fit_gaussian(LinearGaussianModel(1, 1), 2.0)] == [0, 0]
    assert [v.shape for v in climb_gaussian(VALLEY, np.zeros((3, 1, 1)), np.zeros(5), 1.0)] == [
        (3, 5)
    ] * 2
    x = np.random.default_rng(0).uniform(-2, 2, (900, 1))  # more than one block
    row_by_row = np.array([fit_gaussian(VALLEY, row) for row in x[::150]])
    np.testing.assert_allclose(np.transpose(fit_gaussian(VALLEY, x))[::150], row_by_row, atol=1e-9)
    assert network()(np.zeros((3, 4, 2)))[0].shape == (3, 4)
    assert [np.ndim(v) for v in network()([0.0, 0.0])] == [0, 0]
    assert gap_parts(BOOK, ONE_MODE, np.zeros(5), 1.0).approximation.shape == (5,)


# ------------------------------------------------------------------- one network for all x


def test_the_network_and_its_gradient_agree_with_torch():
    """The same bound by torch: its own network, its own densities, its own derivative."""
    q, x = network(), BOOK.sample(7, rng=np.random.default_rng(3))[0]
    parts = [part for layer in q.layers for part in layer]
    a, c, v, b = parameters = [torch.tensor(part, requires_grad=True) for part in parts]
    data = torch.as_tensor(x)
    mean, log_std = (torch.tanh(data @ a.T + c) @ v.T + b).unbind(-1)
    np.testing.assert_allclose(
        np.stack(q(x)), torch.stack([mean, log_std.exp()]).detach(), rtol=1e-13
    )
    normal = torch.distributions.Normal(torch.zeros(()).double(), 1.0)
    eps = torch.linspace(-9, 9, 401, dtype=torch.float64)
    z = mean[:, None] + log_std.exp()[:, None] * eps
    (w, s), (u, t) = ([torch.tensor(part) for part in layer] for layer in book_decoder.layers)
    curve = torch.tanh(z[..., None] @ w.T + s) @ u.T + t
    log_x = torch.distributions.Normal(curve, BOOK_NOISE_STD).log_prob(data[:, None]).sum(-1)
    log_q = torch.distributions.Normal(mean[:, None], log_std.exp()[:, None]).log_prob(z)
    mass = normal.log_prob(eps).exp() * (eps[1] - eps[0])
    bound = ((log_x + normal.log_prob(z) - log_q) @ mass).mean()
    bound.backward()
    found, gradient = average_bound(BOOK, x, q)
    assert found == pytest.approx(bound.item(), abs=1e-10)
    theirs = torch.nn.utils.parameters_to_vector(part.grad for part in parameters)
    np.testing.assert_allclose(gradient, theirs, atol=1e-9)


def test_the_gradient_agrees_with_differences():
    q, x = network(seed=5), BOOK.sample(4, rng=np.random.default_rng(4))[0]

    def bound(numbers):
        return average_bound(BOOK, x, AmortisedGaussian(q.widths, numbers))[0]

    _, gradient = average_bound(BOOK, x, q)
    np.testing.assert_allclose(gradient, approx_fprime(q.numbers, bound, 1e-7), atol=3e-5)


def test_average_bound_is_the_average_of_the_bounds_and_of_draws():
    """400,000 draws know the bound of -46.3 nats to 0.05: a bias of 1 % is nine times as large."""
    q, x = network(seed=2), BOOK.sample(40, rng=np.random.default_rng(6))[0]
    bound, _ = average_bound(BOOK, x, q)
    assert bound == pytest.approx(elbo(BOOK, x, *q(x)).elbo.mean(), abs=1e-10)
    rng, (mean, std) = np.random.default_rng(7), q(x)
    z = rng.normal(mean, std, (10_000, 40))
    draws = BOOK.log_joint(x, z) - stats.norm.logpdf(z, mean, std)
    error = np.sqrt((draws.var(axis=0) / 10_000).sum()) / 40
    assert abs(draws.mean() - bound) < Z_LIMIT * error
    assert abs(draws.mean() - 1.01 * bound) > Z_LIMIT * error


def test_a_network_can_learn_the_posterior_of_a_straight_line():
    model, exact = line(1.5, 0.8), LinearGaussianModel(1.5, 0.8)
    x, _ = model.sample(200, rng=np.random.default_rng(8))
    q = fit_amortised(model, x, n_hidden=8, rng=np.random.default_rng(9))
    assert np.allclose(q(x), exact.posterior(x[:, 0]), atol=0.05)
    assert elbo(model, x, *q(x)).gap.mean() < 1e-4


def test_fitting_helps_repeats_and_never_goes_down():
    x, _ = VALLEY.sample(60, rng=np.random.default_rng(10))
    first, again = (
        fit_amortised(VALLEY, x, n_hidden=3, rng=np.random.default_rng(11)) for _ in range(2)
    )
    np.testing.assert_array_equal(first.numbers, again.numbers)
    fitted, _ = average_bound(VALLEY, x, first)
    assert fitted > elbo(VALLEY, x, 0.0, 1.0).elbo.mean() + 0.5
    worse = AmortisedGaussian(first.widths, first.numbers + 0.05)
    assert (
        average_bound(VALLEY, x, refine(VALLEY, x, worse))[0] > average_bound(VALLEY, x, worse)[0]
    )


def test_the_two_parts_make_up_the_gap():
    x, _ = BOOK.sample(50, rng=np.random.default_rng(12))
    mean, std = network()(x)
    parts = gap_parts(BOOK, x, mean, std)
    np.testing.assert_allclose(sum(parts), elbo(BOOK, x, mean, std).gap, atol=1e-9)
    assert np.all(parts.approximation >= 0)
    assert np.all(parts.amortisation > 0)
    at_best = gap_parts(BOOK, x, *fit_gaussian(BOOK, x))
    np.testing.assert_array_equal(at_best.amortisation, 0)
    exact = gap_parts(LinearGaussianModel(1.0, 1.0), 2.0, 0.0, 1.0)
    np.testing.assert_allclose(exact, [0, 1.5 - 0.5 * np.log(2)], atol=1e-12)


# ------------------------------------------------------------------- bad input

RNG = np.random.default_rng(0)
ROWS = np.zeros((3, 2))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fit_gaussian(BOOK, ROWS, direction="both"), r"direction is 'both', expected 'rev"),
        (lambda: fit_gaussian(BOOK, [0.0, np.nan]), r"x is nan at index \(1,\)"),
        (
            lambda: fit_gaussian(BOOK, [0.0, 0.0, 0.0]),
            r"x has shape \(3,\), expected \(\.\.\., 2\)",
        ),
        (lambda: climb_gaussian(BOOK, ROWS, 0.0, 0.0), r"std is 0\.0, expected a positive number"),
        (lambda: climb_gaussian(BOOK, ROWS, np.zeros(4), 1.0), r"Shapes do not broadcast"),
        (lambda: fit_amortised(BOOK, ROWS[0], rng=RNG), r"x has shape \(2,\), expected \(B, D\)"),
        (
            lambda: fit_amortised(BOOK, ROWS[:0], rng=RNG),
            r"x has shape \(0, 2\), expected \(B, D\)",
        ),
        (
            lambda: fit_amortised(BOOK, ROWS, n_hidden=0, rng=RNG),
            r"n_hidden is 0, expected a whole",
        ),
        (lambda: network()(np.zeros(3)), r"x has shape \(3,\), expected \(\.\.\., 2\)"),
        (lambda: network()([np.inf, 0]), r"x is inf at index \(0,\)"),
        (
            lambda: AmortisedGaussian([1, 3, 1], np.zeros(10)),
            r"widths are \(1, 3, 1\), expected \(D, H, 2\)",
        ),
        (lambda: gap_parts(BOOK, ROWS, 0.0, -1.0), r"std is -1\.0"),
        (lambda: forward_kl(BOOK, ROWS, 0.0, 0.0), r"std is 0\.0, expected a positive number"),
    ],
)
def test_bad_values_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_linear_model_is_told_how_to_be_a_curve():
    linear = LinearGaussianModel(1.0, 1.0)
    for call in (
        lambda: climb_gaussian(linear, 0.0, 0.0, 1.0),
        lambda: forward_kl(linear, 0.0, 0.0, 1.0),
        lambda: fit_amortised(linear, np.zeros((3, 1)), rng=RNG),
    ):
        with pytest.raises(TypeError, match=r"expected a NonlinearModel; a straight line is one"):
            call()
    with pytest.raises(TypeError, match=r"rng is 7, expected a numpy Generator"):
        fit_amortised(BOOK, ROWS, rng=7)


def test_a_climb_that_leads_nowhere_says_so():
    """Far outside the data, on a cliff of 10^21 nats, no step is short enough."""
    with pytest.raises(RuntimeError, match=r"climb from mean 48 and std 0\.01 did not settle"):
        climb_gaussian(NonlinearModel(lambda z: np.abs(z[:, None]) ** 9, 1e-3), [1.0], 48.0, 0.01)
