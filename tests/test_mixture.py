"""Mixtures: SciPy, torch and quadrature as oracles; sampling and EM by their properties."""

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import quad

from vaebook.mixture import GaussianMixture

# Two-sided: 100 tests at this threshold raise a false alarm with probability 1e-6 in all.
Z_LIMIT = 5.73

BOOK = GaussianMixture([0.5, 0.3, 0.2], [-2.0, 0.5, 3.0], [0.6, 1.0, 0.4])


def torch_mixture(mixture):
    weights, means, stds = (
        torch.as_tensor(np.array(a)) for a in (mixture.weights, mixture.means, mixture.stds)
    )
    return torch.distributions.MixtureSameFamily(
        torch.distributions.Categorical(probs=weights), torch.distributions.Normal(means, stds)
    )


@st.composite
def mixtures(draw):
    n = draw(st.integers(1, 6))
    sizes = np.array(draw(st.lists(st.floats(0.01, 1), min_size=n, max_size=n)))
    means = draw(st.lists(st.floats(-20, 20), min_size=n, max_size=n))
    stds = draw(st.lists(st.floats(0.01, 10), min_size=n, max_size=n))
    return GaussianMixture(sizes / sizes.sum(), means, stds)


# ------------------------------------------------------------------- densities


def test_log_prob_agrees_with_scipy_and_torch():
    x = np.linspace(-8, 8, 101)
    density = stats.norm(BOOK.means, BOOK.stds).pdf(x[:, None]) @ BOOK.weights
    np.testing.assert_allclose(BOOK.log_prob(x), np.log(density), rtol=1e-12)
    np.testing.assert_allclose(
        BOOK.log_prob(x), torch_mixture(BOOK).log_prob(torch.as_tensor(x)), rtol=1e-12
    )


def test_density_integrates_to_one_and_to_the_known_moments():
    def moment(power):
        return quad(
            lambda v: v**power * np.exp(BOOK.log_prob(v)), -12, 12, points=BOOK.means, limit=200
        )[0]

    assert moment(0) == pytest.approx(1, abs=1e-10)
    assert moment(1) == pytest.approx(BOOK.weights @ BOOK.means, abs=1e-10)
    second = BOOK.weights @ (BOOK.means**2 + BOOK.stds**2)
    assert moment(2) == pytest.approx(second, rel=1e-10)


@given(mixtures(), st.floats(-40, 40))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_joint_marginal_and_responsibilities_fit_together(mixture, x):
    joint, marginal = mixture.log_joint(x), mixture.log_prob(x)
    responsibilities = mixture.responsibilities(x)
    assert joint.shape == responsibilities.shape == (mixture.n_components,)
    assert responsibilities.sum() == pytest.approx(1, rel=1e-14)
    assert (responsibilities >= 0).all()
    assert marginal == pytest.approx(np.log(np.exp(joint - joint.max()).sum()) + joint.max())
    np.testing.assert_allclose(np.exp(joint - marginal), responsibilities, rtol=1e-6, atol=1e-14)


def test_responsibilities_agree_with_bayes_rule_by_hand():
    mixture = GaussianMixture([0.25, 0.75], [0.0, 1.0], [1.0, 1.0])
    # Log odds of the second: log 3 + x - 1/2.
    x = np.linspace(-5, 5, 11)
    expected = 1 / (1 + np.exp(-(np.log(3) + x - 0.5)))
    np.testing.assert_allclose(mixture.responsibilities(x)[:, 1], expected, rtol=1e-13)


@pytest.mark.parametrize("x", [1e6, -1e6, 1e8, -1e8, 1e100, 1e153])
def test_far_from_every_component_rows_still_sum_to_one(x):
    rows = BOOK.responsibilities(np.array([x, 0.0]))
    np.testing.assert_allclose(rows.sum(axis=-1), 1, rtol=1e-15)
    assert rows[0].argmax() == 1  # the widest component owns both tails
    assert np.isfinite(BOOK.log_prob(x))


def test_beyond_the_range_of_floats_the_density_vanishes_and_responsibilities_refuse():
    assert BOOK.log_prob(1e200) == -np.inf
    with pytest.raises(ValueError, match=r"x reaches 1e\+200, so far out .* rescale x"):
        BOOK.responsibilities([0.0, 1e200])


def test_a_component_without_weight_is_silent():
    mixture = GaussianMixture([1.0, 0.0], [0.0, 5.0], [1.0, 1.0])
    x = np.array([0.0, 5.0])
    np.testing.assert_array_equal(mixture.responsibilities(x), [[1, 0], [1, 0]])
    np.testing.assert_allclose(mixture.log_prob(x), stats.norm.logpdf(x))


def test_scalars_give_0d_and_arrays_keep_their_shape():
    assert np.ndim(BOOK.log_prob(0.0)) == 0
    assert BOOK.log_joint(0.0).shape == (3,)
    assert BOOK.log_prob(np.zeros((4, 5))).shape == (4, 5)
    assert BOOK.responsibilities(np.zeros(4)).shape == (4, 3)
    assert BOOK.log_prob(np.zeros(0)).shape == (0,)


def test_components_are_counted_and_cannot_be_changed():
    assert BOOK.n_components == 3
    with pytest.raises(ValueError, match="read-only"):
        BOOK.means[0] = 1
    means = np.array([0.0])
    mixture = GaussianMixture([1.0], means, [1.0])
    means[0] = 7
    assert mixture.means[0] == 0


# ------------------------------------------------------------------- sampling


def z_scores(x, z, mixture):
    """Standard scores of the share, mean and mean square of every component, and of E[x]."""
    scores = []
    for n, (weight, mean, std) in enumerate(
        zip(mixture.weights, mixture.means, mixture.stds, strict=True)
    ):
        mine = x[z == n]
        scores.append((mine.size - weight * x.size) / np.sqrt(x.size * weight * (1 - weight)))
        scores.append((mine.mean() - mean) / (std / np.sqrt(mine.size)))
        squares = ((mine - mean) / std) ** 2
        scores.append((squares.mean() - 1) / np.sqrt(2 / mine.size))
    mean = mixture.weights @ mixture.means
    variance = mixture.weights @ (mixture.means**2 + mixture.stds**2) - mean**2
    scores.append((x.mean() - mean) / np.sqrt(variance / x.size))
    return np.array(scores)


def test_samples_have_the_right_shares_means_and_spreads():
    x, z = BOOK.sample(1_000_000, rng=np.random.default_rng(11))
    assert x.shape == z.shape == (1_000_000,)
    scores = z_scores(x, z, BOOK)
    assert np.abs(scores).max() < Z_LIMIT
    # Power: a fault of one or two per cent in the share, place or width of a component is seen.
    weights = BOOK.weights * [1.01, 0.99, 0.99]
    for other in (
        GaussianMixture(weights / weights.sum(), BOOK.means, BOOK.stds),
        GaussianMixture(BOOK.weights, BOOK.means + np.array([0.01, 0, 0]), BOOK.stds),
        GaussianMixture(BOOK.weights, BOOK.means, BOOK.stds * [1.01, 1, 1]),
    ):
        assert np.abs(z_scores(x, z, other)).max() > Z_LIMIT


def test_samples_follow_the_density():
    x, _ = BOOK.sample(500_000, rng=np.random.default_rng(12))

    def cdf(v):
        return stats.norm(BOOK.means, BOOK.stds).cdf(np.asarray(v)[:, None]) @ BOOK.weights

    assert stats.kstest(x, cdf).pvalue > 1e-8
    assert stats.kstest(x, lambda v: cdf(np.asarray(v) + 0.02)).pvalue < 1e-8


def test_sampling_repeats_with_its_seed_and_takes_zero():
    first, again = (BOOK.sample(9, rng=np.random.default_rng(1)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    x, z = BOOK.sample(0, rng=np.random.default_rng(1))
    assert x.shape == z.shape == (0,)


# ------------------------------------------------------------------- EM


def test_fit_recovers_the_mixture_that_made_the_data():
    x, _ = BOOK.sample(20_000, rng=np.random.default_rng(0))
    mixture, log_likelihoods = GaussianMixture.fit(x, 3, rng=np.random.default_rng(1))
    order = np.argsort(mixture.means)
    np.testing.assert_allclose(mixture.weights[order], BOOK.weights, atol=0.03)
    np.testing.assert_allclose(mixture.means[order], BOOK.means, atol=0.1)
    np.testing.assert_allclose(mixture.stds[order], BOOK.stds, atol=0.05)
    assert log_likelihoods[-1] == pytest.approx(mixture.log_prob(x).sum(), rel=1e-14)
    assert log_likelihoods[-1] >= BOOK.log_prob(x).sum()


def test_fit_ends_where_the_likelihood_is_flat():
    x, _ = BOOK.sample(500, rng=np.random.default_rng(2))
    mixture, _ = GaussianMixture.fit(x, 2, rng=np.random.default_rng(2), tolerance=1e-14)
    tensors = [torch.tensor(np.array(a), requires_grad=True) for a in (mixture.means, mixture.stds)]
    logits = torch.tensor(np.log(mixture.weights), requires_grad=True)
    torch.distributions.MixtureSameFamily(
        torch.distributions.Categorical(logits=logits), torch.distributions.Normal(*tensors)
    ).log_prob(torch.as_tensor(x)).mean().backward()
    for tensor in (*tensors, logits):
        assert tensor.grad.abs().max() < 1e-6


def test_one_component_is_fitted_by_mean_and_standard_deviation():
    x = np.array([1.0, 2.0, 4.0, 9.0])
    mixture, log_likelihoods = GaussianMixture.fit(x, 1, rng=np.random.default_rng(0))
    assert mixture.means[0] == pytest.approx(x.mean(), rel=1e-14)
    assert mixture.stds[0] == pytest.approx(x.std(), rel=1e-14)
    assert log_likelihoods[-1] == pytest.approx(stats.norm(x.mean(), x.std()).logpdf(x).sum())


@given(st.integers(0, 10_000), st.integers(1, 4), st.floats(0.1, 3), st.sampled_from([0, 1e4]))
@settings(max_examples=50, deadline=None, derandomize=True)
def test_no_step_lowers_the_likelihood(seed, n_components, separation, offset):
    rng = np.random.default_rng(seed)
    x = offset + separation * rng.integers(0, 3, 40) + rng.standard_normal(40)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the floor is reached at times, and it must not harm
        _, path = GaussianMixture.fit(x, n_components, rng=rng)
    assert (np.diff(path) >= -1e-11 * (1 + np.abs(path[1:]))).all()


def test_weights_of_little_precision_sum_to_one():
    found = GaussianMixture(np.float32([0.3, 0.3, 0.4]), np.float32([0, 1, 2]), np.ones(3))
    found.sample(5, rng=np.random.default_rng(1))
    assert found.weights.sum() == pytest.approx(1, abs=1e-15)


def test_a_component_that_shrinks_onto_a_point_is_named_with_the_remedy():
    with pytest.raises(ValueError, match=r"Component 0 has shrunk onto x = 2, .*min_std is 0"):
        GaussianMixture([0.5, 0.5], [0, 1], [1, 1]).em_step([2.0, 2.0])


def test_an_em_step_is_the_weighted_mean_and_spread():
    x = np.array([-1.0, 0.0, 2.0])
    start = GaussianMixture([0.5, 0.5], [-1.0, 1.0], [1.0, 1.0])
    after = start.em_step(x)
    r = start.responsibilities(x)
    for n in range(2):
        assert after.weights[n] == pytest.approx(r[:, n].mean())
        assert after.means[n] == pytest.approx(np.average(x, weights=r[:, n]))
        spread = np.average((x - after.means[n]) ** 2, weights=r[:, n])
        assert after.stds[n] == pytest.approx(np.sqrt(spread))


def test_a_component_that_no_point_chooses_stays_where_it_is():
    after = GaussianMixture([0.5, 0.5], [0.0, 1e4], [1.0, 1.0]).em_step([-1.0, 1.0])
    np.testing.assert_array_equal(after.weights, [1, 0])
    np.testing.assert_array_equal(after.means, [0, 1e4])


def test_a_shrinking_component_is_held_at_the_floor_and_reported():
    x = np.array([0.0, 0.1, -0.1, 0.2, 50.0])
    with pytest.warns(RuntimeWarning, match=r"floor min_std = 0\.02 around x = 50: .* use fewer"):
        mixture, path = GaussianMixture.fit(x, 2, rng=np.random.default_rng(0), min_std=0.02)
    assert mixture.stds.min() == 0.02
    assert np.isfinite(path).all()
    assert (np.diff(path) >= 0).all()


def test_a_fit_of_many_steps_stops_and_says_so(monkeypatch):
    monkeypatch.setattr("vaebook.mixture._MAX_STEPS", 4)
    x, _ = BOOK.sample(200, rng=np.random.default_rng(5))
    with pytest.warns(RuntimeWarning, match=r"stopped after 4 steps while .* a larger tolerance"):
        _, path = GaussianMixture.fit(x, 3, rng=np.random.default_rng(5))
    assert path.shape == (5,)


@pytest.mark.parametrize("scale", [1e-6, 1, 1e6])
def test_clusters_far_apart_and_outliers_leave_each_component_its_own_width(scale):
    rng = np.random.default_rng(0)
    x = np.r_[rng.normal(0, 1, 300), rng.normal(1e4, 1, 300)]
    mixture, path = GaussianMixture.fit(scale * x, 2, rng=rng)
    stds = mixture.stds[np.argsort(mixture.means)]
    np.testing.assert_allclose(stds, scale * np.array([x[:300].std(), x[300:].std()]), rtol=1e-9)
    assert path[-1] + x.size * np.log(scale) == pytest.approx(-1265.0, abs=0.05)
    # narrow beside wide, and one point far out
    x = np.r_[rng.normal(0, 1e-4, 100), rng.normal(5, 1, 300), 1e6]
    start = GaussianMixture([0.3, 0.6, 0.1], scale * np.array([0, 5, 1e6]), scale * np.ones(3))
    with pytest.warns(RuntimeWarning, match=r"shrunk onto the floor .* around x = 1"):
        mixture, _ = GaussianMixture.fit(scale * x, 3, start=start)
    assert mixture.stds[0] == pytest.approx(scale * x[:100].std(), rel=1e-6)


def test_the_best_of_several_starts_is_kept_and_a_start_may_be_given():
    x, _ = BOOK.sample(150, rng=np.random.default_rng(3))
    rng = np.random.default_rng(0)
    alone = [GaussianMixture.fit(x, 4, rng=rng)[1][-1] for _ in range(4)]
    assert np.ptp(alone) > 0.1
    of_four, path = GaussianMixture.fit(x, 4, rng=np.random.default_rng(0), n_starts=4)
    assert path[-1] == max(alone)
    again, path = GaussianMixture.fit(x, 4, start=of_four)
    assert path[0] == pytest.approx(max(alone), rel=1e-14)
    assert path.size == 2
    np.testing.assert_allclose(again.means, of_four.means, atol=1e-3)
    _, path = GaussianMixture.fit(x, 4, rng=np.random.default_rng(0), start=of_four, n_starts=2)
    assert path[-1] >= max(alone)


@pytest.mark.parametrize("dtype", [int, np.float32, np.int16, list])
def test_data_of_any_real_type_is_fitted(dtype):
    x = [-2, -1, 0, 5, 6, 8]
    given = x if dtype is list else np.array(x, dtype)
    mixture, _ = GaussianMixture.fit(given, np.int64(2), rng=np.random.default_rng(0))
    np.testing.assert_allclose(np.sort(mixture.means), [-1, 19 / 3], atol=0.01)


# ------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            ([0.6, 0.6], [0, 1], [1, 1]),
            r"Mixture weights sum to 1\.2, expected 1; divide by their sum\.",
        ),
        (([1.5, -0.5], [0, 1], [1, 1]), r"Mixture weights include -0\.5, expected none below 0"),
        (([0.5, np.nan], [0, 1], [1, 1]), r"Mixture weights is nan at index \(1,\)"),
        (([0.5, 0.5], [0, np.inf], [1, 1]), r"means is inf at index \(1,\)"),
        (([0.5, 0.5], [0, 1], [1, 0]), r"stds is 0\.0 at index \(1,\), expected a positive"),
        (([0.5, 0.5], [0, 1, 2], [1, 1]), r"shapes \(2,\), \(3,\) and \(2,\), expected \(N,\)"),
        ((1.0, 0.0, 1.0), r"shapes \(\), \(\) and \(\), expected \(N,\) each"),
        (([], [], []), r"Mixture weights have shape \(0,\)"),
    ],
)
def test_impossible_mixtures_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        GaussianMixture(*parameters)


RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: BOOK.log_prob([0.0, np.nan]), r"x is nan at index \(1,\)"),
        (lambda: BOOK.responsibilities(np.inf), r"x is inf"),
        (lambda: BOOK.sample(-1, rng=RNG), r"n is -1, expected a whole number of at least 0"),
        (lambda: BOOK.sample(2.5, rng=RNG), r"n is 2\.5"),
        (
            lambda: GaussianMixture.fit([1.0, 1, 2], 3, rng=RNG),
            r"x has 2 distinct values, expected",
        ),
        (lambda: GaussianMixture.fit([1.0, 1], 1, rng=RNG), r"1 distinct values, .* at least 2"),
        (lambda: GaussianMixture.fit([1.0, np.nan], 1, rng=RNG), r"x is nan at index \(1,\)"),
        (lambda: GaussianMixture.fit([[1.0, 2.0]], 1, rng=RNG), r"x has shape \(1, 2\), expected"),
        (lambda: GaussianMixture.fit([], 1, rng=RNG), r"x has shape \(0,\)"),
        (lambda: GaussianMixture.fit([1.0, 2], 0, rng=RNG), r"n_components is 0, expected"),
        (lambda: GaussianMixture.fit([1.0, 2], 1, rng=RNG, min_std=0.0), r"min_std is 0\.0"),
        (lambda: GaussianMixture.fit([1.0, 2], 1, rng=RNG, n_starts=0), r"n_starts is 0"),
        (lambda: GaussianMixture.fit([1.0, 2], 1, start=BOOK), r"expected a GaussianMixture of 1"),
    ],
)
def test_bad_values_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("rng", [None, 3, np.random])
def test_randomness_must_be_a_generator(rng):
    with pytest.raises(
        TypeError, match=r"expected a numpy Generator; pass np\.random\.default_rng"
    ):
        BOOK.sample(3, rng=rng)
    with pytest.raises(TypeError, match="expected a numpy Generator"):
        GaussianMixture.fit([1.0, 2.0], 1, rng=rng)
