"""Both estimates of a gradient: unbiased with known power, with the right variance, and torch's.

The average is that of f(z) = z^2 + sin z, whose gradient has a closed form:
E[f] = m^2 + s^2 + exp(-s^2 / 2) sin m.
"""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import quad

from vaebook.bounds import elbo_gradient
from vaebook.gradients import (
    importance_gradients,
    pathwise,
    pathwise_rows,
    row_moments,
    score_function,
    score_rows,
)
from vaebook.importance import importance_bound
from vaebook.latent import LinearGaussianModel
from vaebook.vae import objective

LIMIT = 5.73  # |z| of a sound estimate stays below it but once in 10^8 tests
MEAN, STD = 1.0, 2.0
BOTH = pytest.mark.parametrize("estimate", [pathwise, score_function])


def f(z):
    return z**2 + np.sin(z)


def df(z):
    return 2 * z + np.cos(z)


def exact_gradient(mean, std):
    damped = np.exp(-(std**2) / 2)
    return np.array([2 * mean + damped * np.cos(mean), 2 * std - std * damped * np.sin(mean)])


def row_at(estimate, eps, baseline=0.0):
    """The row of one draw, written from the formula of the chapter."""
    z = MEAN + STD * eps
    if estimate is pathwise:
        return np.array([df(z), df(z) * eps])
    return (f(z) - baseline) * np.array([(z - MEAN) / STD**2, ((z - MEAN) ** 2 - STD**2) / STD**3])


def moment(value):
    """E[value(eps)] under N(0, 1) by adaptive quadrature."""
    found, _ = quad(
        lambda eps: stats.norm.pdf(eps) * value(eps), -12, 12, points=range(-6, 7), epsabs=1e-11
    )
    return found


def exact_spread(estimate, baseline=0.0):
    """Standard deviations of a row's two entries, by quadrature."""
    spread = []
    for k in (0, 1):
        first, second = (
            moment(lambda eps, k=k, p=p: row_at(estimate, eps, baseline)[k] ** p) for p in (1, 2)
        )
        spread.append(np.sqrt(second - first**2))
    return np.array(spread)


def average(estimate, n, *, seed, **options):
    """The mean of n rows (n in millions), block by block."""
    rng = np.random.default_rng(seed)
    function = df if estimate is pathwise else f
    blocks = [estimate(function, MEAN, STD, 10**6, rng=rng, **options) for _ in range(n)]
    return np.mean([block.mean(axis=0) for block in blocks], axis=0)


def test_the_closed_form_of_the_gradient_agrees_with_quadrature():
    for k in (0, 1):
        for estimate in (pathwise, score_function):
            by_quadrature = moment(lambda eps, k=k, e=estimate: row_at(e, eps)[k])
            np.testing.assert_allclose(by_quadrature, exact_gradient(MEAN, STD)[k], rtol=1e-9)


# Without a baseline the score would need 30 million rows: they are torch's, and those of a function
# that is moved down by the baseline, which the tests below hold row by row.
@pytest.mark.parametrize(
    ("estimate", "options", "millions"),
    [(pathwise, {}, 4), (score_function, {"baseline": 18.0}, 15)],
    ids=["pathwise", "score with a baseline"],
)
def test_the_mean_is_the_gradient_and_a_bias_of_one_per_cent_would_be_seen(
    estimate, options, millions
):
    exact = exact_gradient(MEAN, STD)
    error = exact_spread(estimate, **options) / np.sqrt(1e6 * millions)
    # Power: 1 % of the gradient is so many standard errors that less than one biased estimate in
    # 10^6 (4.75 standard errors) would slip through.
    assert np.all(0.01 * np.abs(exact) / error > LIMIT + 4.75)
    found = average(estimate, millions, seed=17, **options)
    assert np.all(np.abs(found - exact) / error < LIMIT)
    assert np.all(np.abs(1.01 * found - exact) / error > LIMIT)


@BOTH
def test_the_spread_of_the_rows_is_that_of_quadrature(estimate):
    rows = estimate(
        df if estimate is pathwise else f, MEAN, STD, 10**6, rng=np.random.default_rng(3)
    )
    squares = (rows - exact_gradient(MEAN, STD)) ** 2
    error = squares.std(axis=0) / np.sqrt(len(rows))
    assert np.all(np.abs(squares.mean(axis=0) - exact_spread(estimate) ** 2) < LIMIT * error)


def test_a_straight_line_has_known_variances():
    """f = z: pathwise rows are (1, eps); the score's entry for the mean varies by (m/s)^2 + 2."""
    rows = pathwise(np.ones_like, MEAN, STD, 1000, rng=np.random.default_rng(3))
    eps = np.random.default_rng(3).standard_normal(1000)
    np.testing.assert_array_equal(rows, np.stack([np.ones(1000), eps], axis=1))
    rows = score_function(lambda z: z, MEAN, STD, 10**6, rng=np.random.default_rng(3))[:, 0]
    squares = (rows - 1) ** 2
    error = squares.std() / np.sqrt(squares.size)
    assert abs(squares.mean() - (MEAN / STD) ** 2 - 2) < LIMIT * error


@pytest.mark.parametrize("baseline", [0.0, 18.0])
def test_moments_are_those_of_adaptive_quadrature_and_the_closed_form(baseline):
    m = row_moments(f, df, MEAN, STD, baseline=baseline)
    assert m.average == pytest.approx(MEAN**2 + STD**2 + np.exp(-(STD**2) / 2) * np.sin(MEAN))
    np.testing.assert_allclose(m.gradient, exact_gradient(MEAN, STD), rtol=1e-12)
    np.testing.assert_allclose(m.pathwise_std, exact_spread(pathwise), rtol=1e-8)
    np.testing.assert_allclose(m.score_std, exact_spread(score_function, baseline), rtol=1e-8)


def test_moments_of_a_parabola_are_those_of_pencil_and_paper():
    """f = z^2: variances 4 s^2 and m^4/s^2 + 14 m^2 + 15 s^2 with respect to the mean."""
    m = row_moments(lambda z: z**2, lambda z: 2 * z, MEAN, STD)
    np.testing.assert_allclose(m.gradient, [2 * MEAN, 2 * STD])
    assert m.pathwise_std[0] == pytest.approx(2 * STD)
    assert m.score_std[0] ** 2 == pytest.approx(MEAN**4 / STD**2 + 14 * MEAN**2 + 15 * STD**2)
    assert m.best_baseline[0] == pytest.approx(MEAN**2 + 3 * STD**2)


@pytest.mark.parametrize("mean", [-2.0, 0.5, 2.0])
@pytest.mark.parametrize("std", [0.2, 1.0])
def test_moments_of_a_step_are_exact_on_either_side_of_the_jump(mean, std):
    m = row_moments(lambda z: 1.0 * (z > 0), np.zeros_like, mean, std, jumps=[0.0])
    assert m.average == pytest.approx(stats.norm.cdf(mean / std), rel=1e-12)
    density = stats.norm.pdf(0, mean, std)
    np.testing.assert_allclose(m.gradient, [density, -mean / std * density], rtol=1e-9, atol=1e-15)
    edge = -mean / std
    second = edge * stats.norm.pdf(edge) + stats.norm.sf(edge)  # E[eps^2; eps > edge]
    assert m.score_std[0] == pytest.approx(np.sqrt(second / std**2 - density**2), rel=1e-9)
    assert np.all(m.pathwise_std == 0)


def test_the_best_baseline_is_the_best():
    for entry in (0, 1):
        best = row_moments(f, df, MEAN, STD).best_baseline[entry]
        least, *others = (
            row_moments(f, df, MEAN, STD, baseline=best + d).score_std[entry]
            for d in (0, -0.1, 0.1)
        )
        assert least < min(others)


def test_rows_agree_with_torch():
    n, seed = 200, 5
    eps = torch.from_numpy(np.random.default_rng(seed).standard_normal(n))
    mean = torch.full((n,), MEAN, dtype=torch.float64, requires_grad=True)
    std = torch.full((n,), STD, dtype=torch.float64, requires_grad=True)
    z = mean + std * eps  # one mean and std a draw, so that autograd keeps the draws apart
    by_path = torch.autograd.grad((z**2 + torch.sin(z)).sum(), (mean, std))
    z = z.detach()
    log_q = torch.distributions.Normal(mean, std).log_prob(z)
    by_score = torch.autograd.grad(((z**2 + torch.sin(z)) * log_q).sum(), (mean, std))
    for rows, theirs in [
        (pathwise(df, MEAN, STD, n, rng=np.random.default_rng(seed)), by_path),
        (score_function(f, MEAN, STD, n, rng=np.random.default_rng(seed)), by_score),
    ]:
        np.testing.assert_allclose(rows, torch.stack(theirs, dim=1).numpy(), rtol=1e-12, atol=1e-12)


def test_several_latent_numbers_have_a_gradient_each():
    """f = sum of w z^2: pathwise row by row, score on average, against 2 w m and 2 w s."""
    w, mean, std = np.array([1.0, 2.0, -1.0]), np.array([0.5, -1.0, 2.0]), np.array([0.3, 1.0, 0.7])
    exact = np.stack([2 * w * mean, 2 * w * std])
    for rows in (
        pathwise(lambda z: 2 * w * z, mean, std, 10**5, rng=np.random.default_rng(2)),
        score_function(lambda z: z**2 @ w, mean, std, 10**5, rng=np.random.default_rng(2)),
    ):
        assert rows.shape == (10**5, 2, 3)
        error = rows.std(axis=0) / np.sqrt(len(rows))
        assert np.all(np.abs(rows.mean(axis=0) - exact) < LIMIT * error)
    eps = np.random.default_rng(2).standard_normal((4, 3))
    rows = pathwise(lambda z: 2 * w * z, mean, std, 4, rng=np.random.default_rng(2))
    np.testing.assert_allclose(rows[:, 1], 2 * w * (mean + std * eps) * eps)


def test_one_std_for_all_latent_numbers_is_shared_out():
    rows = pathwise(np.ones_like, np.zeros(3), 1.0, 10, rng=np.random.default_rng(2))
    assert rows.shape == (10, 2, 3)


def test_the_gradient_of_the_bound_is_found_by_both():
    model, x = LinearGaussianModel(1.5, 0.8), 1.7
    mean, std = 0.3, 0.6
    closed = elbo_gradient(model, x, mean, std)
    exact = np.array([closed.mean, closed.std])
    of_kl = np.array([mean, std - 1 / std])

    def reconstruction(z):
        return model.log_px_given_z(x, z)

    def slope(z):
        return model.weight * (x - model.weight * z) / model.noise_std**2

    for rows in (
        pathwise(slope, mean, std, 10**5, rng=np.random.default_rng(2)),
        score_function(reconstruction, mean, std, 10**5, rng=np.random.default_rng(2)),
    ):
        error = rows.std(axis=0) / np.sqrt(len(rows))
        assert np.all(np.abs(rows.mean(axis=0) - of_kl - exact) < LIMIT * error)


def test_a_step_fools_the_path_and_not_the_score():
    rng = np.random.default_rng(2)
    exact = stats.norm.pdf(0.5)  # of the chance that z > 0, by the mean 0.5; std 1
    assert np.all(pathwise(np.zeros_like, 0.5, 1.0, 1000, rng=rng) == 0)
    rows = score_function(lambda z: 1.0 * (z > 0), 0.5, 1.0, 10**5, rng=rng)[:, 0]
    assert abs(rows.mean() - exact) < LIMIT * rows.std() / np.sqrt(rows.size)


@given(
    mean=st.floats(-5, 5), std=st.floats(0.01, 5), baseline=st.floats(-10, 10),
    n=st.integers(1, 20), seed=st.integers(0, 2**32 - 1),
)  # fmt: skip
@settings(deadline=None, derandomize=True)
def test_a_baseline_is_a_function_moved_down(mean, std, baseline, n, seed):
    with_it = score_function(f, mean, std, n, rng=np.random.default_rng(seed), baseline=baseline)
    moved = score_function(lambda z: f(z) - baseline, mean, std, n, rng=np.random.default_rng(seed))
    assert with_it.shape == (n, 2)
    np.testing.assert_array_equal(with_it, moved)


@BOTH
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mean": np.nan}, "mean is nan, expected finite"),
        ({"std": 0.0}, r"std is 0\.0, expected a positive number"),
        ({"std": [1.0, -1.0]}, r"std is -1\.0 at index \(1,\)"),
        ({"mean": [0.0, 1.0], "std": [1.0, 1.0, 1.0]}, "Shapes do not broadcast"),
        ({"n": 0}, "n is 0, expected a whole number of at least 1"),
        ({"n": 2.5}, "n is 2.5, expected a whole number"),
    ],
)
def test_bad_values_are_named(estimate, change, message):
    values = {"mean": 0.0, "std": 1.0, "n": 3, "rng": np.random.default_rng(1)} | change
    with pytest.raises(ValueError, match=message):
        estimate(np.sin, **values)


@BOTH
def test_a_function_of_another_shape_or_without_values_is_named(estimate):
    rng = np.random.default_rng(1)
    with pytest.raises(
        ValueError, match=r"gives shape \(\) for z of shape \(3,\), expected \(3,\)"
    ):
        estimate(np.sum, 0.0, 1.0, 3, rng=rng)
    with pytest.raises(ValueError, match=r"nan at z = .*keep z inside its domain"):
        estimate(lambda z: np.where(z > -9, np.nan, z), 0.0, 1.0, 3, rng=rng)
    wrong, expected = {
        pathwise: (lambda z: z.sum(axis=1), r"\(3, 2\)"),
        score_function: (np.sin, r"\(3,\)"),
    }[estimate]
    with pytest.raises(ValueError, match=rf"expected {expected}; one row"):
        estimate(wrong, np.zeros(2), 1.0, 3, rng=rng)
    with pytest.raises(TypeError, match="expected a numpy Generator"):
        estimate(np.sin, 0.0, 1.0, 3, rng=17)


@pytest.mark.parametrize("rows", [pathwise_rows, score_rows])
def test_rows_want_a_positive_std(rows):
    with pytest.raises(ValueError, match=r"std is -0\.1, expected a positive number"):
        rows(np.sin, 0.0, -0.1, np.zeros(3))


def test_a_baseline_for_each_draw_is_refused():
    with pytest.raises(ValueError, match=r"baseline has shape \(3,\), expected one number"):
        score_function(np.sin, 0.0, 1.0, 3, rng=np.random.default_rng(1), baseline=np.zeros(3))


# ------------------------------------------------------------------- the importance-weighted bound

LINE, X, Q = LinearGaussianModel(1.5, 0.8), 1.7, (0.3, 0.7)


def line_gradients(n, n_importance, seed=3):
    return importance_gradients(
        lambda z: LINE.log_joint(X, z),
        lambda z: LINE.weight * (X - LINE.weight * z) / LINE.noise_std**2 - z,
        *Q, n, n_importance, rng=np.random.default_rng(seed),
    )  # fmt: skip


def test_a_derivative_of_another_shape_is_named():
    with pytest.raises(ValueError, match=r"d_log_joint gives shape \(4,\)"):
        importance_gradients(
            lambda z: LINE.log_joint(X, z), lambda z: z.sum(0), *Q, 3, 4,
            rng=np.random.default_rng(1),
        )  # fmt: skip


def exact_bound_gradient(n_importance, step=1e-3):
    """Differences of the bound itself, which quadrature finds without a draw."""

    def bound(*q):
        return importance_bound(LINE, X, *q, n_importance)

    mean, std = Q
    by_mean = bound(mean + step, std) - bound(mean - step, std)
    by_std = bound(mean, std + step) - bound(mean, std - step)
    return np.array([by_mean, by_std]) / (2 * step)


@pytest.mark.parametrize("n_importance", [1, 2, 5])
def test_both_gradients_of_the_importance_bound_have_the_exact_mean(n_importance):
    n, exact = 200_000, exact_bound_gradient(n_importance)
    if n_importance == 1:
        closed = elbo_gradient(LINE, X, *Q)
        np.testing.assert_allclose(exact, [closed.mean, closed.std], rtol=1e-4)
    for rows in line_gradients(n, n_importance):
        error = rows.std(axis=0) / np.sqrt(n)
        assert np.all(np.abs(rows.mean(axis=0) - exact) < LIMIT * error)
        # Power: an error of a tenth of its length slips through once in a thousand (3.1 errors).
        assert np.all(0.1 * np.hypot(*exact) > (LIMIT + 3.1) * error)


def test_the_rows_of_the_importance_bound_are_torchs():
    n, k = 50, 4
    eps = torch.tensor(np.random.default_rng(3).standard_normal((n, k)).T[..., None])  # (K, n, 1)
    x, noise_std = torch.tensor([X, LINE.noise_std], dtype=torch.float64)
    for rows, gradient in zip(line_gradients(n, k), ["total", "doubly"], strict=True):
        mean, std = (torch.full((n, 1), q, dtype=torch.float64, requires_grad=True) for q in Q)
        z, log_var = mean + std * eps, 2 * std.log()
        px = torch.distributions.Normal(LINE.weight * z[..., 0], noise_std).log_prob(x)
        bound = objective.importance_bound(objective.log_weights(px, z, mean, log_var))
        if gradient == "doubly":
            bound = objective.doubly_reparameterized(bound, px, z, mean, log_var)
        slopes = torch.autograd.grad(bound.sum(), (mean, std))
        np.testing.assert_allclose(rows, torch.cat(slopes, 1), rtol=1e-10, atol=1e-12)


def test_with_more_samples_one_gradient_loses_its_signal_and_the_other_gains():
    """Mean over standard deviation at 16 and at 256 samples: a fourth and fourfold."""
    few, many = (
        np.abs(exact_bound_gradient(k)) / [rows.std(axis=0) for rows in line_gradients(8_000, k)]
        for k in (16, 256)
    )
    np.testing.assert_allclose(many / few, [[1 / 4] * 2, [4] * 2], rtol=0.15)
