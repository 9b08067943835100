"""Information between codes and factors, and fine detail, against closed forms and SciPy."""

import math

import numpy as np
import pytest
from scipy import stats

from vaebook.scores import (
    fine_detail,
    mutual_information,
    mutual_information_gap,
    precision_recall,
)


def test_mutual_information_is_scipys():
    rng = np.random.default_rng(0)
    a = rng.integers(5, size=400)
    b = (a + rng.integers(3, size=400)) % 7
    table = stats.contingency.crosstab(a, b).count
    g_test = stats.chi2_contingency(table, correction=False, lambda_="log-likelihood")
    assert mutual_information(a, b) == pytest.approx(g_test.statistic / 800, rel=1e-12)
    assert mutual_information(a, a) == pytest.approx(stats.entropy(np.bincount(a) / 400))
    with pytest.raises(ValueError, match="expected the same"):
        mutual_information(a, b[1:])


def test_the_gap_is_one_for_codes_of_one_factor_each_and_zero_for_shared_ones():
    first, second = (axis.ravel() for axis in np.meshgrid(np.arange(20), np.arange(20)))
    own = np.stack([np.exp(second / 5), 7.0 - first, 0.0 * first], 1)  # any order, sign and scale
    found = mutual_information_gap(own, [first, second])
    np.testing.assert_allclose(found.entropy, math.log(20))
    np.testing.assert_allclose(found.information, math.log(20) * np.eye(3)[[1, 0]], atol=1e-12)
    np.testing.assert_allclose(found.gap, 1)
    shared = np.stack([first, -first, second], 1)
    np.testing.assert_allclose(mutual_information_gap(shared, [first]).gap, 0, atol=1e-12)
    nothing = np.stack([second, second], 1)
    np.testing.assert_allclose(mutual_information_gap(nothing, [first]).gap, 0, atol=1e-12)


def test_the_information_in_a_noisy_code_is_that_of_two_correlated_normals():
    rng, n, correlation = np.random.default_rng(1), 40_000, 0.8
    factor, noise, idle = rng.normal(size=(3, n))
    code = correlation * factor + math.sqrt(1 - correlation**2) * noise
    found = mutual_information_gap(np.stack([idle, code], 1), [factor])
    exact = -0.5 * math.log(1 - correlation**2)
    # Cutting loses a little; frequencies add 19 * 19 / 2n = 0.005 with a standard error of 0.0003.
    assert exact - 0.03 < found.information[0, 1] < exact + 0.01
    assert 0.0025 < found.information[0, 0] < 0.0065
    assert found.entropy[0] == pytest.approx(math.log(20))


def test_a_factor_may_be_a_boolean_and_not_a_constant():
    bold = np.arange(100) % 2 == 0
    codes = np.stack([bold, np.random.default_rng(1).random(100)], 1).astype(float)
    assert mutual_information_gap(codes, [bold]).gap > 0.7
    with pytest.raises(ValueError, match="Factor 1 has fewer than 2 classes"):
        mutual_information_gap(codes, [bold, np.zeros(100, int)])
    codes[3, 0] = np.nan
    with pytest.raises(ValueError, match="nan at index"):
        mutual_information_gap(codes, [bold])


def test_a_gap_needs_two_dimensions():
    with pytest.raises(ValueError, match=r"expected \(n, K\) with K at least 2"):
        mutual_information_gap(np.zeros((5, 1)), [np.arange(5)])


def test_fine_detail_is_the_power_of_waves_above_half_the_highest_frequency():
    place = np.arange(28)
    for cycles, power in [(5, 0.0), (7, 0.0), (8, 0.5), (13, 0.5), (14, 1.0)]:
        wave = np.cos(2 * np.pi * cycles * place / 28)
        for image in (np.tile(wave, (28, 1)), np.tile(wave, (28, 1)).T):
            assert fine_detail([image, 3 * image]) == pytest.approx(5 * power, abs=1e-12)
    noise = np.random.default_rng(2).normal(size=(2000, 28, 28))
    assert fine_detail(noise) == pytest.approx(1 - (15 / 28) ** 2, abs=0.01)


def balls_by_hand(data, samples, k):
    """Precision and recall by loops over points."""

    def among(points, others):
        found = 0
        for point in points:
            for place, centre in enumerate(others):
                rest = [math.dist(centre, one) for i, one in enumerate(others) if i != place]
                if math.dist(point, centre) <= sorted(rest)[k - 1]:
                    found += 1
                    break
        return found / len(points)

    return among(samples, data), among(data, samples)


def test_precision_and_recall_count_the_points_within_balls_of_the_other_set():
    data = np.array([[0.0], [1.0], [2.0], [10.0]])  # radii 1, 1, 1, 8
    samples = np.array([[-1.5], [0.5], [2.5]])  # radii 2, 2, 2
    assert precision_recall(data, samples, k=1) == (2 / 3, 3 / 4)
    rng = np.random.default_rng(3)
    data, samples = rng.normal(size=(40, 3)), rng.normal(0.8, 0.6, (30, 3))
    for k in [1, 3]:
        expected = balls_by_hand(data.tolist(), samples.tolist(), k)
        assert precision_recall(data, samples, k=k) == pytest.approx(expected)
    with pytest.raises(ValueError, match="expected above 3"):
        precision_recall(data, samples[:3])


def test_precision_and_recall_tell_what_is_missing_from_what_is_wrong():
    rng = np.random.default_rng(4)
    data, more = rng.normal(size=(2, 500, 2))
    assert min(precision_recall(data, more)) > 0.9
    assert precision_recall(data, more + 50) == (0, 0)
    narrow = precision_recall(data, 0.1 * more)
    assert narrow.precision == 1
    assert narrow.recall < 0.1
    half = precision_recall(data, np.concatenate([more[:250], more[:250] + 50]))
    assert half.precision == pytest.approx(0.5, abs=0.05)
    assert half.recall > 0.85
