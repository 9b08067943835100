"""Jensen and the ELBO: the three forms, the inequality, and the climb, each against an oracle."""

from decimal import Decimal, localcontext

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import quad, trapezoid

from vaebook.bounds import (
    coordinate_ascent,
    elbo,
    elbo_gradient,
    elbo_moments,
    jensen,
    m_step,
)
from vaebook.gaussians import entropy_normal, kl_normal
from vaebook.latent import BOOK_NOISE_STD, LinearGaussianModel, NonlinearModel, book_decoder
from vaebook.mixture import GaussianMixture
from vaebook.quadrature import gauss_hermite_grid, uniform_grid

BOOK = NonlinearModel(book_decoder, BOOK_NOISE_STD)

weights = st.floats(-3, 3)
noise_stds = st.floats(0.1, 3)
data = st.floats(-6, 6)
means = st.floats(-4, 4)
stds = st.floats(0.01, 4)
linear = {"weight": weights, "noise_std": noise_stds, "x": data, "mean": means, "std": stds}
planar = {"x": st.tuples(st.floats(-3, 3), st.floats(-3, 3)), "mean": means, "std": stds}


def for_all(**strategies):
    """Hold a property for 100 examples, the same ones in every run."""
    rule = settings(
        max_examples=100,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    return lambda check: rule(given(**strategies)(check))


def expectation(g, mean, std):
    """E[g(z)] under N(mean, std^2) by SciPy's adaptive quadrature, in units of std."""
    value, _ = quad(
        lambda eps: stats.norm.pdf(eps) * g(mean + std * eps),
        -10,
        10,
        points=np.linspace(-6, 6, 13),
        epsabs=1e-11,
        epsrel=1e-11,
        limit=400,
    )
    return value


def scipy_logs(weight, noise_std, x):
    """log p(x | z), log p(z) and log p(x) of the linear model in SciPy's words."""

    def log_px_given_z(z):
        return stats.norm.logpdf(x, weight * z, noise_std)

    log_px = stats.norm.logpdf(x, 0, np.sqrt(weight**2 + noise_std**2))
    return log_px_given_z, stats.norm.logpdf, log_px


# ------------------------------------------------------------------- Jensen


def test_jensen_of_two_points_by_hand():
    result = jensen(np.log, [1.0, 4.0], [0.25, 0.75])
    assert result.g_of_mean == pytest.approx(np.log(3.25), rel=1e-15)
    assert result.mean_of_g == pytest.approx(0.75 * np.log(4), rel=1e-15)
    assert result.gap == pytest.approx(np.log(3.25) - 0.75 * np.log(4), rel=1e-14)


def test_jensen_gap_of_a_log_normal_is_half_its_variance():
    """log E[w] - E[log w] = s^2 / 2 for log w ~ N(m, s^2)."""
    std = np.array([0.1, 0.5, 1.0, 2.0])
    log_w, probabilities = gauss_hermite_grid(80, 0.3, std)
    result = jensen(np.log, np.exp(log_w), probabilities)
    np.testing.assert_allclose(result.gap, std**2 / 2, rtol=1e-11)
    np.testing.assert_allclose(result.mean_of_g, 0.3, rtol=1e-12)


def test_jensen_for_a_density_agrees_with_quad():
    y, steps = uniform_grid(0, 40, 200_001)
    gamma = stats.gamma(3.0)
    result = jensen(np.sqrt, y, gamma.pdf(y) * steps)
    mean_of_root, _ = quad(lambda v: gamma.pdf(v) * np.sqrt(v), 0, 60)
    assert result.g_of_mean == pytest.approx(np.sqrt(3.0), rel=1e-9)
    assert result.mean_of_g == pytest.approx(mean_of_root, rel=1e-8)


@for_all(
    y=st.lists(st.floats(0.01, 100), min_size=1, max_size=8),
    sizes=st.lists(st.floats(0.01, 1), min_size=8, max_size=8),
)
def test_jensen_holds_for_concave_and_turns_for_convex(y, sizes):
    probabilities = np.array(sizes[: len(y)]) / np.sum(sizes[: len(y)])
    for concave in (np.log, np.sqrt, np.tanh, lambda v: -(v**2)):
        result = jensen(concave, y, probabilities)
        size = 1 + np.abs(concave(np.array(y))).max()
        assert result.gap >= -1e-14 * size
        assert result.gap == pytest.approx(result.g_of_mean - result.mean_of_g, abs=1e-13 * size)
    assert jensen(np.exp, np.array(y) / 100, probabilities).gap <= 1e-14


def test_jensen_is_equal_for_a_constant_and_for_a_straight_line():
    assert jensen(np.log, [5.0, 5.0, 5.0], [0.2, 0.3, 0.5]).gap == pytest.approx(0, abs=1e-15)
    assert jensen(np.log, [5.0, 7.0], [1.0, 0.0]).gap == 0
    assert jensen(lambda v: 3 * v - 1, [5.0, 7.0], [0.4, 0.6]).gap == pytest.approx(0, abs=1e-13)


def test_jensen_at_the_edge_of_the_logs_domain():
    assert jensen(np.log, [0.0, 1.0], [0.5, 0.5]).gap == np.inf
    assert jensen(np.log, [0.0, 1.0], [0.0, 1.0]).gap == 0  # a value that never occurs


def test_jensen_shapes():
    assert all(np.ndim(v) == 0 for v in jensen(np.log, [1.0, 2.0], [0.5, 0.5]))
    assert all(v.shape == (4,) for v in jensen(np.log, np.ones((4, 2)), [0.5, 0.5]))


# ------------------------------------------------------------------- the linear model


@for_all(**linear)
def test_linear_three_forms_agree(weight, noise_std, x, mean, std):
    terms = elbo(LinearGaussianModel(weight, noise_std), x, mean, std)
    tolerance = 1e-10 * (1 + abs(terms.log_px))
    assert terms.elbo == pytest.approx(terms.log_px - terms.gap, abs=tolerance)
    assert terms.elbo == pytest.approx(terms.reconstruction - terms.kl_prior, abs=tolerance)


@for_all(**linear)
def test_linear_bound_never_exceeds_the_log_likelihood(weight, noise_std, x, mean, std):
    terms = elbo(LinearGaussianModel(weight, noise_std), x, mean, std)
    assert terms.elbo <= terms.log_px + 1e-9
    assert terms.gap >= 0


@for_all(
    weight=weights,
    noise_std=noise_stds,
    x=data,
    shift=st.floats(-1e-3, 1e-3),
    stretch=st.floats(-1e-3, 1e-3),
)
def test_linear_gap_is_not_negative_in_float32_close_to_the_posterior(
    weight, noise_std, x, shift, stretch
):
    model = LinearGaussianModel(weight, noise_std)
    mean, std = model.posterior(np.float32(x))
    mean, std = mean + np.float32(shift), std * np.float32(1 + stretch)
    gap = elbo(model, np.float32(x), mean, std).gap
    assert gap.dtype == np.float32
    assert gap >= 0


@for_all(**linear)
def test_linear_gap_is_the_divergence_to_the_posterior(weight, noise_std, x, mean, std):
    model = LinearGaussianModel(weight, noise_std)
    terms = elbo(model, x, mean, std)
    assert terms.gap == kl_normal(mean, std, *model.posterior(x))
    with localcontext(prec=50):
        phi, sigma, x, m, s = (Decimal(v) for v in (weight, noise_std, x, mean, std))
        variance = sigma**2 / (phi**2 + sigma**2)
        apart = m - phi * x / (phi**2 + sigma**2)
        exact = ((variance / s**2).ln() + (s**2 + apart**2) / variance - 1) / 2
    assert terms.gap == pytest.approx(float(exact), rel=1e-9, abs=1e-14)


@pytest.mark.parametrize(
    ("weight", "noise_std", "x", "mean", "std"),
    [
        (1.0, 1.0, 1.5, 0.3, 0.8),
        (2.0, 0.5, -1.0, 1.0, 0.05),
        (-0.5, 1.5, 3.0, -2.0, 2.5),
        (0.0, 1.0, 0.7, 0.0, 1.0),
    ],
)
def test_linear_terms_agree_with_quadrature_and_torch(weight, noise_std, x, mean, std):
    log_px_given_z, log_prior, log_px = scipy_logs(weight, noise_std, x)
    terms = elbo(LinearGaussianModel(weight, noise_std), x, mean, std)

    def log_q(z):
        return stats.norm.logpdf(z, mean, std)

    def log_joint(z):
        return log_px_given_z(z) + log_prior(z)

    by_quad = (
        expectation(lambda z: log_joint(z) - log_q(z), mean, std),
        log_px,
        expectation(lambda z: log_q(z) - log_joint(z) + log_px, mean, std),
        expectation(log_px_given_z, mean, std),
        expectation(lambda z: log_q(z) - log_prior(z), mean, std),
    )
    np.testing.assert_allclose(terms, by_quad, rtol=1e-9, atol=1e-9)

    normal = torch.distributions.Normal
    q = normal(*torch.tensor([mean, std], dtype=torch.float64))
    prior = normal(*torch.tensor([0.0, 1.0], dtype=torch.float64))
    kl = float(torch.distributions.kl_divergence(q, prior))
    assert terms.kl_prior == pytest.approx(kl, rel=1e-12, abs=1e-15)


@for_all(**linear)
def test_the_bound_is_a_parabola_in_phi(weight, noise_std, x, mean, std):
    """Coefficients by finite differences: -(m^2 + s^2) / (2 sigma^2) and x m / sigma^2."""
    step = 1.0
    phi = weight + step * np.arange(-2, 3)
    values = elbo(LinearGaussianModel(phi, noise_std), x, mean, std).elbo
    second = np.diff(values, 2) / step**2
    size = np.abs(values).max() + 1
    curvature = -(mean**2 + std**2) / noise_std**2
    np.testing.assert_allclose(second, curvature, atol=1e-13 * size)
    slope = (values[3] - values[1]) / (2 * step)
    expected = x * mean / noise_std**2 + curvature * weight
    assert slope == pytest.approx(expected, abs=1e-13 * size)
    np.testing.assert_allclose(np.diff(values, 3), 0, atol=1e-12 * size)  # and nothing beyond


@for_all(**linear)
def test_the_gradient_agrees_with_autograd(weight, noise_std, x, mean, std):
    phi, m, s = (
        torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (weight, mean, std)
    )
    normal = torch.distributions.Normal
    prior = normal(torch.zeros_like(m), torch.ones_like(s))
    expected_square = (x - phi * m) ** 2 + phi**2 * s**2
    bound = -expected_square / (2 * noise_std**2) - torch.distributions.kl_divergence(
        normal(m, s), prior
    )
    bound.backward()
    gradient = elbo_gradient(LinearGaussianModel(weight, noise_std), x, mean, std)
    size = 1 + (x * x + weight * weight + 1) * (1 + mean * mean) / noise_std**2
    for ours, tensor in zip(gradient, (phi, m, s), strict=True):
        assert ours == pytest.approx(float(tensor.grad), rel=1e-10, abs=1e-13 * size)


def test_the_gradient_agrees_with_finite_differences_of_the_bound():
    weight, noise_std, x, mean, std, h = 1.2, 0.7, 2.0, 0.4, 0.6, 1e-5

    def bound(weight, mean, std):
        return elbo(LinearGaussianModel(weight, noise_std), x, mean, std).elbo

    gradient = elbo_gradient(LinearGaussianModel(weight, noise_std), x, mean, std)
    for ours, step in zip(gradient, np.eye(3) * h, strict=True):
        ahead, behind = (bound(*(np.array([weight, mean, std]) + d)) for d in (step, -step))
        assert ours == pytest.approx((ahead - behind) / (2 * h), rel=1e-8)


def test_the_gradient_vanishes_at_the_top_and_at_phi_zero():
    x, noise_std = 2.0, 1.0
    best = LinearGaussianModel(np.sqrt(x**2 - noise_std**2), noise_std)
    np.testing.assert_allclose(elbo_gradient(best, x, *best.posterior(x)), 0, atol=1e-14)
    flat = LinearGaussianModel(0.0, noise_std)
    np.testing.assert_array_equal(elbo_gradient(flat, x, 0.0, 1.0), 0)


def test_linear_tight_if_and_only_if_q_is_the_posterior():
    model = LinearGaussianModel(1.5, 0.5)
    mean, std = model.posterior(0.9)
    tight = elbo(model, 0.9, mean, std)
    assert tight.gap == 0
    assert tight.elbo == pytest.approx(tight.log_px, rel=1e-14)
    # Other q: the gap is delta^2 / 2 for a shift, and delta^2 for a stretch, in units of the std.
    for delta in (1e-3, 1e-6, 1e-9):
        assert elbo(model, 0.9, mean + delta * std, std).gap == pytest.approx(
            delta**2 / 2, rel=1e-6
        )
        assert elbo(model, 0.9, mean, std * (1 + delta)).gap == pytest.approx(delta**2, rel=3e-3)


def test_a_better_bound_may_have_a_worse_likelihood():
    """The counter-example of the chapter's kind: raising the bound over phi lowers log p."""
    x, mean, std = 2.0, 0.6, 0.3
    phi = m_step(x, mean, std)
    best = elbo(LinearGaussianModel(phi, 1.0), x, mean, std)
    at_likelihood_maximum = elbo(LinearGaussianModel(np.sqrt(3.0), 1.0), x, mean, std)
    assert best.elbo > at_likelihood_maximum.elbo
    assert best.log_px < at_likelihood_maximum.log_px


def test_linear_far_tails_neither_underflow_nor_warn():
    model = LinearGaussianModel(1.0, 1.0)
    terms = elbo(model, 1e8, 0.0, 1.0)
    assert terms.elbo == pytest.approx(-5e15, rel=1e-12)
    assert terms.gap == pytest.approx(2.5e15, rel=1e-12)
    terms = elbo(model, 1e153, 1.0, 1e-100)
    assert np.isfinite(terms).all()
    assert elbo(model, 1e200, 1.0, 1.0).elbo == -np.inf
    assert elbo(model, 1e200, 1.0, 1.0).gap == np.inf


def test_linear_scalars_give_0d_and_arrays_broadcast():
    model = LinearGaussianModel(1.5, 0.5)
    assert all(np.ndim(term) == 0 for term in elbo(model, 1.0, 0.0, 1.0))
    assert all(np.ndim(term) == 0 for term in elbo_gradient(model, 1.0, 0.0, 1.0))
    phi, x = np.linspace(-2, 2, 5)[:, None], np.array([0.0, 1.0, 2.0])
    for terms in (elbo, elbo_gradient):
        table = terms(LinearGaussianModel(phi, 0.5), x, 0.1, 0.9)
        assert all(term.shape == (5, 3) for term in table)
        alone = terms(LinearGaussianModel(phi[4, 0], 0.5), x[1], 0.1, 0.9)
        np.testing.assert_allclose([term[4, 1] for term in table], alone, rtol=1e-15)


# ------------------------------------------------------------------- the non-linear model


@for_all(**planar)
def test_nonlinear_three_forms_agree_and_bound(x, mean, std):
    terms = elbo(BOOK, x, mean, std)
    tolerance = 1e-10 * (1 + abs(terms.log_px))
    assert terms.elbo == pytest.approx(terms.log_px - terms.gap, abs=tolerance)
    assert terms.elbo == pytest.approx(terms.reconstruction - terms.kl_prior, abs=tolerance)
    assert terms.elbo <= terms.log_px + 1e-9
    assert terms.gap >= 0


def test_no_data_points_have_no_bounds():
    assert elbo(BOOK, np.zeros((0, 2)), [], []).elbo.shape == (0,)


@pytest.mark.parametrize(
    ("x", "mean", "std"),
    [
        ((-1.9, 0.0), -1.6, 0.15),
        ((-1.9, 0.0), 0.0, 1.5),
        ((1.9, 0.0), 0.0, 1e-6),
        ((1.0, -2.5), 4.0, 0.02),
        ((0.5, 0.5), -1.0, 5.0),
        ((-3.0, 3.0), 0.3, 3.0),
    ],
)
def test_nonlinear_terms_agree_with_adaptive_quadrature(x, mean, std):
    def log_px_given_z(z):
        centre = book_decoder(np.atleast_1d(z))
        return stats.norm.logpdf(x, centre, BOOK_NOISE_STD).sum(-1)[0]

    grid = np.linspace(-8, 8, 20_001)
    log_joint = stats.norm.logpdf(x, book_decoder(grid), BOOK_NOISE_STD).sum(
        -1
    ) + stats.norm.logpdf(grid)
    log_px = np.log(trapezoid(np.exp(log_joint - log_joint.max()), grid)) + log_joint.max()

    def log_q(z):
        return stats.norm.logpdf(z, mean, std)

    by_quad = (
        expectation(lambda z: log_px_given_z(z) + stats.norm.logpdf(z) - log_q(z), mean, std),
        log_px,
        expectation(
            lambda z: log_q(z) - log_px_given_z(z) - stats.norm.logpdf(z) + log_px, mean, std
        ),
        expectation(log_px_given_z, mean, std),
        expectation(lambda z: log_q(z) - stats.norm.logpdf(z), mean, std),
    )
    np.testing.assert_allclose(elbo(BOOK, x, mean, std), by_quad, rtol=1e-9, atol=1e-9)


def test_moments_hold_the_bound_its_gradient_and_its_second_derivatives():
    x, mean, std, h = np.array([[-1.9, 0.0], [1.0, -2.5]]), np.array([[0.3], [-1.0]]), 0.4, 1e-4
    m = elbo_moments(BOOK, x, mean, std, order=4)
    assert m.shape == (5, 2, 2)

    def bound(d_mean, d_log_std):
        return elbo(BOOK, x, mean + d_mean, std * np.exp(d_log_std)).elbo

    here, east, west = bound(0, 0), bound(h, 0), bound(-h, 0)
    north, south = bound(0, h), bound(0, -h)
    across = bound(h, h) - bound(h, -h) - bound(-h, h) + bound(-h, -h)
    np.testing.assert_allclose(m[0] + entropy_normal(std), here, rtol=1e-12)
    np.testing.assert_allclose(m[1] / std, (east - west) / (2 * h), rtol=1e-5)
    np.testing.assert_allclose(m[2] + 1, (north - south) / (2 * h), rtol=1e-5)
    second = [m[2] / std**2, 2 * m[2] + m[4], m[3] / std]
    found = [east + west - 2 * here, north + south - 2 * here, across / 4]
    np.testing.assert_allclose(second, np.array(found) / h**2, rtol=1e-4, atol=1e-4)


@for_all(
    weight=st.floats(-2, 2),
    noise_std=st.floats(0.3, 2),
    x=st.floats(-2, 2),
    mean=st.floats(-3, 3),
    std=st.floats(1e-6, 3),
)
def test_a_straight_line_as_decoder_gives_the_linear_terms(weight, noise_std, x, mean, std):
    exact = elbo(LinearGaussianModel(weight, noise_std), x, mean, std)
    grid = uniform_grid(-14, 14, 1401)
    model = NonlinearModel(lambda z: weight * z[:, None], noise_std, grid=grid)
    np.testing.assert_allclose(elbo(model, [x], mean, std), exact, rtol=1e-10, atol=1e-10)


def test_nonlinear_gap_is_not_negative_where_the_decoder_ignores_z():
    """The posterior is the prior then, so the best q touches and rounding could go either way."""
    model = NonlinearModel(lambda z: np.zeros((z.size, 2)), 0.7)
    x = np.random.default_rng(0).normal(size=(200, 2))
    for array in (x, x.astype(np.float32)):
        gap = elbo(model, array, np.float32(0), np.float32(1)).gap
        assert (gap >= 0).all()
        assert gap.max() < 1e-13


def test_a_gaussian_never_touches_a_posterior_of_two_modes():
    mean, std = np.meshgrid(np.linspace(-3, 3, 31), np.geomspace(0.05, 3, 20))
    gap = elbo(BOOK, [-1.9, 0.0], mean, std).gap
    assert gap.shape == (20, 31)
    assert gap.min() > 0.3
    assert elbo(BOOK, [1.9, 0.0], mean, std).gap.min() < 0.05  # one narrow mode: nearly


def test_nonlinear_bound_agrees_with_a_sample_mean_in_torch():
    x, mean, std = torch.tensor([-1.9, 0.0], dtype=torch.float64), -1.6, 0.3
    generator = torch.Generator().manual_seed(5)
    z = mean + std * torch.randn(400_000, generator=generator, dtype=torch.float64)
    centre = torch.as_tensor(book_decoder(z.numpy()))
    normal = torch.distributions.Normal
    draws = (
        normal(centre, BOOK_NOISE_STD).log_prob(x).sum(-1)
        + normal(0.0, 1.0).log_prob(z)
        - normal(mean, std).log_prob(z)
    )
    standard_error = float(draws.std()) / np.sqrt(z.numel())
    ours = elbo(BOOK, x.numpy(), mean, std).elbo
    assert abs(float(draws.mean()) - ours) < 5.73 * standard_error
    assert abs(float(draws.mean()) - 1.01 * ours) > 5.73 * standard_error


def test_nonlinear_shapes_and_blocks():
    assert all(np.ndim(term) == 0 for term in elbo(BOOK, [0.0, 0.0], 0.0, 1.0))
    x = np.random.default_rng(0).normal(size=(40, 1, 2))
    mean = np.linspace(-2, 2, 50)
    table = elbo(BOOK, x, mean, 0.5)  # more rows than one block holds
    assert all(term.shape == (40, 50) for term in table)
    alone = elbo(BOOK, x[33, 0], mean[7], 0.5)
    np.testing.assert_allclose([term[33, 7] for term in table], alone, rtol=1e-12)


def test_nonlinear_far_tails_do_not_underflow():
    with pytest.warns(RuntimeWarning, match="or lies at an end"):
        terms = elbo(BOOK, [1e8, 0.0], 0.0, 1.0)
    assert np.isfinite(terms).all()
    assert terms.elbo == pytest.approx(-0.5 * 1e16 / BOOK_NOISE_STD**2, rel=1e-6)
    with pytest.raises(ValueError, match=r"x reaches 1e\+200, so far out .* rescale x"):
        elbo(BOOK, [1e200, 0.0], 0.0, 1.0)


# ------------------------------------------------------------------- the climb


@for_all(
    weight=weights,
    noise_std=noise_stds,
    x=st.lists(data, min_size=1, max_size=6),
    mean=means,
    std=stds,
)
def test_no_step_lowers_the_bound_or_the_likelihood(weight, noise_std, x, mean, std):
    model = LinearGaussianModel(weight, noise_std)
    path = coordinate_ascent(model, x, mean=mean, std=std, n_rounds=15)
    rounding = 1e-13 * (1 + np.abs(path.elbo).max())
    assert (np.diff(path.elbo) >= -rounding).all()
    assert (np.diff(path.log_px[::2]) >= -rounding).all()
    assert (path.elbo <= path.log_px + 1e-9).all()
    np.testing.assert_allclose(path.elbo[1::2], path.log_px[1::2], atol=rounding)  # E-steps


@for_all(**linear)
def test_the_m_step_is_the_top_of_the_parabola(weight, noise_std, x, mean, std):
    best = m_step(x, mean, std)
    gradient = elbo_gradient(LinearGaussianModel(best, noise_std), x, mean, std)
    size = (1 + abs(x * mean) + abs(best) * (mean**2 + std**2)) / noise_std**2
    assert gradient.weight == pytest.approx(0, abs=1e-14 * size)


@pytest.mark.parametrize(("start", "sign"), [(0.3, 1), (-0.3, -1), (5.0, 1)])
def test_the_climb_ends_at_the_closed_form_maximum(start, sign):
    x = np.array([2.0, -1.5, 3.0])
    path = coordinate_ascent(LinearGaussianModel(start, 0.8), x, n_rounds=500)
    top = sign * np.sqrt((x**2).mean() - 0.8**2)
    assert path.phi[-1] == pytest.approx(top, rel=1e-10)
    expected = stats.norm(0, np.sqrt((x**2).mean())).logpdf(x).sum()
    assert path.log_px[-1] == pytest.approx(expected, rel=1e-12)
    assert path.elbo[-1] == pytest.approx(expected, rel=1e-12)


def test_small_data_end_at_phi_zero_and_phi_zero_stays():
    path = coordinate_ascent(LinearGaussianModel(0.5, 1.0), 0.5, n_rounds=200)
    assert abs(path.phi[-1]) < 1e-10
    path = coordinate_ascent(LinearGaussianModel(0.0, 1.0), 3.0, n_rounds=5)
    np.testing.assert_array_equal(path.phi, 0)
    np.testing.assert_array_equal(path.mean, 0)
    np.testing.assert_array_equal(path.std, 1)


def test_the_path_tells_every_step():
    path = coordinate_ascent(LinearGaussianModel(1.0, 1.0), [1.0, 2.0], mean=0.5, n_rounds=2)
    assert path.phi.shape == path.elbo.shape == path.log_px.shape == (5,)
    assert path.mean.shape == path.std.shape == (5, 2)
    np.testing.assert_array_equal(path.mean[0], 0.5)
    np.testing.assert_array_equal(path.phi[[0, 1]], 1.0)  # an E-step keeps phi
    np.testing.assert_array_equal(path.mean[1], path.mean[2])  # an M-step keeps q
    first = LinearGaussianModel(1.0, 1.0).posterior([1.0, 2.0])
    np.testing.assert_array_equal(path.mean[1], first[0])
    assert path.phi[2] == m_step([1.0, 2.0], *first)
    alone = coordinate_ascent(LinearGaussianModel(1.0, 1.0), 2.0, n_rounds=0)
    assert alone.mean.shape == (1,)


def test_em_of_a_mixture_climbs_the_same_kind_of_bound():
    """With q = responsibilities the bound touches, and each EM step raises it."""
    x = np.random.default_rng(3).normal(size=60) + np.repeat([0.0, 4.0], 30)
    mixture = GaussianMixture([0.5, 0.5], [1.0, 2.0], [1.0, 1.0])

    def bound(mixture, q):
        return (q * (mixture.log_joint(x) - np.log(q))).sum()

    for _ in range(20):
        q = mixture.responsibilities(x)
        assert bound(mixture, q) == pytest.approx(mixture.log_prob(x).sum(), rel=1e-12)
        after = mixture.em_step(x)
        assert bound(mixture, q) <= bound(after, q) <= after.log_prob(x).sum() + 1e-9
        mixture = after


# ------------------------------------------------------------------- bad input

LINE = LinearGaussianModel(1.0, 1.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: jensen(np.log, [1.0, -2.0], [0.5, 0.5]), r"undefined at y = -2, .* needs y > 0"),
        (lambda: jensen(np.log, [1.0, 2.0], [0.6, 0.6]), r"Weights sum to 1\.2, expected 1"),
        (lambda: jensen(np.log, [1.0, 2.0], [0.2, 0.3, 0.5]), r"y \(2,\), weights \(3,\)"),
        (lambda: jensen(np.log, [1.0, np.nan], [0.5, 0.5]), r"y is nan at index \(1,\)"),
        (lambda: jensen(np.sum, [1.0, 2.0], [0.5, 0.5]), r"g gives shape \(\) for y of shape"),
        (lambda: elbo(LINE, 0.0, 0.0, 0.0), r"std is 0\.0, expected a positive number"),
        (lambda: elbo(LINE, np.nan, 0.0, 1.0), r"x is nan"),
        (lambda: elbo(LINE, [0.0, 1.0], [0.0, 1.0, 2.0], 1.0), r"x \(2,\), mean \(3,\)"),
        (lambda: elbo(BOOK, [0.0, 1.0], 0.0, -1.0), r"std is -1\.0, expected a positive"),
        (lambda: elbo(BOOK, [0.0, 1.0], np.nan, 1.0), r"mean is nan"),
        (lambda: elbo(BOOK, 0.0, 0.0, 1.0), r"x has shape \(\), expected \(\.\.\., 2\)"),
        (lambda: elbo(BOOK, np.zeros((2, 2)), np.zeros(3), 1.0), r"x \(2,\), mean \(3,\)"),
        (lambda: elbo_gradient(LINE, 0.0, 0.0, -1.0), r"std is -1\.0"),
        (lambda: m_step(1.0, 0.0, 0.0), r"std is 0\.0"),
        (lambda: m_step([], 0.0, 1.0), r"x has shape \(0,\), expected at least one"),
        (lambda: coordinate_ascent(LINE, 1.0, n_rounds=1.5), r"n_rounds is 1\.5, expected a whole"),
        (lambda: coordinate_ascent(LINE, [1.0, np.inf]), r"x is inf at index \(1,\)"),
        (
            lambda: coordinate_ascent(LinearGaussianModel([1.0, 2.0], 1.0), 1.0),
            r"weight has shape \(2,\), expected one number to start from",
        ),
    ],
)
def test_bad_values_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("model", [None, GaussianMixture([1.0], [0.0], [1.0])])
def test_other_models_are_refused(model):
    with pytest.raises(TypeError, match="expected a LinearGaussianModel or a NonlinearModel"):
        elbo(model, 0.0, 0.0, 1.0)
    for call in (elbo_gradient, lambda m, *_: coordinate_ascent(m, 0.0)):
        with pytest.raises(TypeError, match="expected a LinearGaussianModel; other models have no"):
            call(model, 0.0, 0.0, 1.0)
