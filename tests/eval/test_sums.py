"""Sums against plain numpy over the lists, whole and in parts."""

from dataclasses import fields

import numpy as np
import pytest
from scipy import stats

from eval.resampling import poisson_weights, random_bits, signs, unit_keys
from eval.sums import Sums, joined, sums_of_slices


def ids(count, prefix="q"):
    return np.array([f"{prefix}{number}" for number in range(count)], dtype=object)


@pytest.fixture
def values():
    random = np.random.default_rng(0)
    values = random.exponential(size=(300, 3))
    values[random.random(values.shape) < 0.2] = np.nan
    return values


def close(one: Sums, two: Sums) -> None:
    for field in fields(Sums):
        np.testing.assert_allclose(getattr(one, field.name), getattr(two, field.name), rtol=1e-12, err_msg=field.name)


def test_means_and_errors_of_queries_are_those_of_scipy(values):
    sums = Sums.of(values, ids(300), draws=10)
    np.testing.assert_allclose(sums.mean, np.nanmean(values, axis=0), rtol=1e-12)
    np.testing.assert_allclose(sums.standard_error, stats.sem(values, nan_policy="omit"), rtol=1e-10)
    assert sums.units.tolist() == (~np.isnan(values)).sum(axis=0).tolist()


def test_resampled_sums_are_those_of_the_documented_weights_and_signs(values):
    sums = Sums.of(values, ids(300), draws=20, seed=3)
    weights = poisson_weights(ids(300), draws=20, seed=3).astype(float)
    flips = signs(random_bits(unit_keys(ids(300), 3), 20)).astype(float)
    x = np.nan_to_num(values)
    np.testing.assert_allclose(sums.resampled_x, weights.T @ x, rtol=1e-12)
    np.testing.assert_allclose(sums.resampled_n, weights.T @ ~np.isnan(values), rtol=1e-12)
    np.testing.assert_allclose(sums.flipped_x, flips.T @ x, rtol=1e-9)
    np.testing.assert_allclose(sums.resampled_means(), sums.resampled_x / sums.resampled_n, rtol=1e-12)


def per_unit(values, units):
    """Lists with a value and their sum, of each unit: n and x, [units, series], and the units."""
    names, of_list = np.unique(units.astype(str), return_inverse=True)
    inside = of_list[:, None] == np.arange(len(names))
    return inside.T @ (~np.isnan(values)).astype(float), inside.T @ np.nan_to_num(values), names


@pytest.mark.parametrize("clustered", [False, True])
def test_residuals_and_errors_of_resamples_are_those_of_the_units(values, clustered):
    """Each resample written out: every unit as often as its weight says."""
    units = ids(40, "u")[np.random.default_rng(6).integers(0, 40, 300)] if clustered else ids(300)
    sums = Sums.of(values, units, draws=12, seed=4)
    n, x, names = per_unit(values, units)
    residuals = x - x.sum(axis=0) / n.sum(axis=0) * n
    np.testing.assert_allclose(sums.residual_squares, (residuals**2).sum(axis=0), rtol=1e-10)
    np.testing.assert_allclose(sums.residual_fourths, (residuals**4).sum(axis=0), rtol=1e-10)
    count = (n > 0).sum(axis=0)
    expected = []
    for weights in poisson_weights(names, draws=12, seed=4).T:
        n_of, x_of = np.repeat(n, weights, axis=0), np.repeat(x, weights, axis=0)
        residuals = x_of - x_of.sum(axis=0) / n_of.sum(axis=0) * n_of
        variance = (residuals**2).sum(axis=0) * count / (count - 1)
        expected.append(np.sqrt(variance) / n_of.sum(axis=0))
    np.testing.assert_allclose(sums.resampled_errors(), expected, rtol=1e-9)


def test_fourth_powers_stay_where_those_of_numbers_lie():
    """Of one list that differs a little from 10,000 others, rounding leaves nothing of the fourth power."""
    values = np.full((10_000, 1), 0.7)
    values[0] += 1e-4
    sums = Sums.of(values, ids(10_000), draws=1)
    assert sums.residual_squares[0] == pytest.approx(1e-8, rel=1e-3)
    assert 1e-16 / 10_000 * 0.99 <= sums.residual_fourths[0] <= 1e-16 * 1.01


def test_a_resample_without_lists_or_of_one_value_has_no_spread():
    values = np.array([[1.0, np.nan], [1.0, 2.0], [3.0, np.nan]])
    sums = Sums.of(values, ids(3), draws=200)
    weights = poisson_weights(ids(3), draws=200, seed=0)
    alike = (weights[2] == 0) & (weights[:2].sum(axis=0) > 0)
    assert alike.any()
    assert (sums.resampled_errors()[alike, 0] == 0).all()
    assert np.isnan(sums.resampled_errors()[weights.sum(axis=0) == 0, 0]).all()
    assert np.isnan(sums.resampled_errors()[:, 1]).all(), "one unit has no error"


def test_queries_need_no_second_moments_of_their_own(values):
    """What is the same is held once, through every operation; of clusters it is not the same."""
    part = Sums.of(values, ids(300), draws=5)
    other = Sums.of(values, ids(300, "r"), draws=5)
    for sums in (part, part + other, part.chosen([0, 2]), joined([part, part]), (part + other).chosen([1])):
        assert sums.resampled_nn is sums.resampled_n
        assert sums.resampled_nx is sums.resampled_x
    clustered = part + Sums.of(values, np.repeat(ids(150, "u"), 2), draws=5)
    assert (clustered.resampled_nn > clustered.resampled_n).any()
    close(clustered.chosen([1, 0]).chosen([1, 0]), clustered.chosen([0, 1]))


def test_parts_add_up_to_the_whole_however_they_are_cut(values):
    whole = Sums.of(values, ids(300))
    for cuts in ([150], [1], [7, 100, 299]):
        parts = [Sums.of(v, u) for v, u in zip(np.split(values, cuts), np.split(ids(300), cuts), strict=True)]
        together = parts[0]
        for part in parts[1:]:
            together = together + part
        close(together, whole)


def test_the_order_of_lists_is_immaterial(values):
    order = np.random.default_rng(1).permutation(300)
    close(Sums.of(values[order], ids(300)[order]), Sums.of(values, ids(300)))


def test_lists_of_a_user_are_resampled_together(values):
    users = ids(40, "u")[np.random.default_rng(2).integers(0, 40, 300)]
    sums = Sums.of(values, users, draws=50)
    weights = poisson_weights(users, draws=50, seed=0).astype(float)
    np.testing.assert_allclose(sums.resampled_x, weights.T @ np.nan_to_num(values), rtol=1e-12)
    assert sums.units.max() <= 40
    there = ~np.isnan(values[:, 0])
    totals = np.array([[values[there & (users == u), 0].sum(), (there & (users == u)).sum()] for u in np.unique(users)])
    ratio = totals[:, 0].sum() / totals[:, 1].sum()
    residual = totals[:, 0] - ratio * totals[:, 1]
    expected = np.sqrt((residual**2).sum() * len(totals) / (len(totals) - 1)) / totals[:, 1].sum()
    assert sums.standard_error[0] == pytest.approx(expected, rel=1e-10)
    assert sums.mean[0] == pytest.approx(ratio, rel=1e-12)


def test_the_error_of_clusters_is_that_of_their_means_in_many_samples():
    """Users with an effect of their own: the spread of means over samples, not that of independent lists."""
    random = np.random.default_rng(3)
    users = np.repeat(ids(60, "u"), 5)
    samples = np.repeat(random.normal(size=(60, 400)), 5, axis=0) + random.normal(size=(300, 400)) * 0.3
    sums = Sums.of(samples, users, draws=1)
    spread = samples.mean(axis=0).std()
    assert np.mean(sums.standard_error) == pytest.approx(spread, rel=0.15)
    assert np.mean(Sums.of(samples, ids(300), draws=1).standard_error) < 0.6 * spread


def test_equal_values_have_no_error():
    sums = Sums.of(np.full((50, 1), 0.1), ids(50), draws=1)
    assert sums.standard_error.tolist() == [0]


def test_a_series_without_values_has_no_mean():
    sums = Sums.of(np.array([[np.nan, 1.0], [np.nan, np.nan]]), ids(2), draws=5)
    assert np.isnan(sums.mean[0])
    assert np.isnan(sums.standard_error).all()
    assert sums.chosen([1]).mean.tolist() == [1]


def test_parts_of_other_draws_do_not_add_up():
    values = np.zeros((3, 1))
    with pytest.raises(ValueError, match="seeds 0 and 1"):
        Sums.of(values, ids(3), seed=0) + Sums.of(values, ids(3), seed=1)
    with pytest.raises(ValueError, match="same seed, draws and series"):
        Sums.of(values, ids(3), draws=10) + Sums.of(values, ids(3), draws=20)


@pytest.mark.parametrize("clustered", [False, True])
def test_slices_are_the_sums_of_their_lists(values, clustered):
    random = np.random.default_rng(5)
    units = ids(40, "u")[random.integers(0, 40, 300)] if clustered else ids(300)
    members = [np.flatnonzero(random.random(300) < share) for share in (0.5, 0.01, 1.0)] + [np.array([], int)]
    found = sums_of_slices([(lists, values[lists]) for lists in members], units)
    for lists, sums in zip(members, found, strict=True):
        close(sums, Sums.of(values[lists], units[lists]))


def test_a_list_may_be_in_a_slice_more_than_once():
    found = sums_of_slices([(np.array([0, 1, 0]), np.array([[1.0], [2.0], [3.0]]))], ids(2), draws=30)[0]
    weights = poisson_weights(ids(2), draws=30, seed=0)
    assert found.n.tolist() == [3]
    assert found.units.tolist() == [2]
    assert found.resampled_x[:, 0].tolist() == (4.0 * weights[0] + 2.0 * weights[1]).tolist()
