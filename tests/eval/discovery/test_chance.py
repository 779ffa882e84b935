"""Draws against the sums that they stand for, list by list."""

import numpy as np
import pytest

from eval.discovery.chance import Flips, Rotations


def ids(count):
    return np.array([f"q{number}" for number in range(count)], dtype=object)


def pairs(random, lists, slices):
    """Random slices, as pairs of list and slice, and as flags [lists, slices]."""
    inside = random.random((lists, slices)) < 0.4
    found, places = np.nonzero(inside)
    return found, places, inside


def test_flips_are_signs_of_units():
    """300 lists of 80 users: every draw gives a user one sign, and is that sum over the root of the squares."""
    random = np.random.default_rng(1)
    users = np.concatenate([np.arange(80), random.integers(0, 80, 220)])
    values = random.normal(size=300)
    flips = Flips.of(values, ids(80)[users], 40, seed=3)
    lists, places, inside = pairs(random, 300, 7)
    statistic, scale, table = flips.table(lists, places, 7)
    of_users = np.stack([(values[:, None] * inside)[users == user].sum(axis=0) for user in range(80)])
    assert scale == pytest.approx(np.sqrt((of_users**2).sum(axis=0)), rel=1e-12)
    assert statistic == pytest.approx(of_users.sum(axis=0) / scale, rel=1e-12)
    assert set(np.unique(flips.changes)) == {-1, 1}
    of_list = flips.changes[:, flips.blocks]
    assert all(len(np.unique(of_list[:, users == user], axis=1).T) == 1 for user in range(80))
    assert len(np.unique(flips.blocks)) == 80
    np.testing.assert_allclose(flips.changes @ table, of_list @ (values[:, None] * inside) / scale, rtol=0, atol=1e-5)


def test_flips_of_many_units_are_those_of_blocks():
    random = np.random.default_rng(2)
    flips = Flips.of(random.normal(size=5000), ids(5000), 10, seed=3)
    assert np.bincount(flips.blocks).min() >= 5000 // 512
    assert np.bincount(flips.blocks).max() <= 5000 // 512 + 1
    assert abs(flips.changes.mean()) < 0.05


def circles(units):
    """What stands at each list after 0 .. 7 turns, by the numbers of the lists."""
    numbers = np.arange(len(units), dtype=float)
    return Rotations.of(numbers, units, 5, seed=1).values.astype(int)


@pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 15, 100])
def test_turns_move_values_around_circles(count):
    moved = circles(ids(count))
    assert moved[:, 0].tolist() == list(range(count))
    for turn in range(8):
        assert sorted(moved[:, turn].tolist()) == list(range(count))
        assert moved[:, turn].tolist() == np.arange(count)[moved[:, 1]][moved[:, (turn - 1) % 8]].tolist() or turn == 0
    sizes = sorted(len(set(row.tolist())) for row in moved)
    assert sizes.count(8) == count // 8 * 8
    assert [sizes.count(size) for size in (4, 2, 1)] == [count & 4, count & 2, count & 1]


def test_users_change_places_with_those_who_have_as_many_lists():
    users = np.repeat(np.arange(40), np.tile([1, 2, 3, 4], 10))
    moved = circles(ids(40)[users])
    for turn in range(8):
        for user in range(40):
            givers = users[moved[users == user, turn]]
            assert len(set(givers.tolist())) == 1
            assert (users == givers[0]).sum() == (users == user).sum()
    assert len({tuple(row) for row in moved.tolist()}) == len(users)


@pytest.mark.parametrize("count", [60, 3000])
def test_draws_of_turns_are_sums_of_moved_values(count):
    random = np.random.default_rng(4)
    values = random.exponential(size=count)
    values -= values.mean()
    chance = Rotations.of(values, ids(count), 30, seed=2)
    lists, places, inside = pairs(random, count, 6)
    statistic, scale, table = chance.table(lists, places, 6)
    drawn = chance.changes.reshape(30, -1, 8)
    assert (drawn.sum(axis=2) == 1).all()
    turns = drawn.argmax(axis=2)[:, chance.blocks]
    moved = np.take_along_axis(chance.values, turns.T, axis=1).T
    mean = (chance.values.mean(axis=1)[:, None] * inside).sum(axis=0)
    np.testing.assert_allclose(chance.changes @ table, (moved @ inside - mean) / scale, rtol=0, atol=1e-4)
    assert statistic == pytest.approx((values @ inside - mean) / scale, rel=1e-9)


def test_the_scale_is_that_of_all_turns():
    """Eight lists are one circle of eight turns: the standard deviation of the eight sums."""
    values = np.array([3.0, 1, 4, 1, 5, 9, 2, 6])
    chance = Rotations.of(values, ids(8), 2000, seed=2)
    lists = np.array([0, 3, 5])
    statistic, scale, table = chance.table(lists, np.zeros(3, np.int64), 1)
    sums = chance.values[lists].sum(axis=0)
    assert scale == pytest.approx([sums.std()], rel=1e-12)
    assert statistic == pytest.approx([(13 - sums.mean()) / sums.std()], rel=1e-12)
    drawn = chance.changes @ table
    assert np.unique(np.round(drawn, 4)) == pytest.approx(np.unique(np.round((sums - sums.mean()) / sums.std(), 4)))


def test_what_changes_nothing_has_no_statistic():
    """All lists together after turns; slices of zeros; equal values."""
    every = np.arange(20)
    for values, kind in ((np.arange(20.0), Rotations), (np.full(20, 0.3), Rotations), (np.zeros(20), Flips)):
        statistic, scale, table = kind.of(values, ids(20), 9, 0).table(every, np.zeros(20, np.int64), 1)
        assert (statistic.tolist(), scale.tolist(), np.abs(table).max()) == ([0], [0], 0)


@pytest.mark.parametrize("kind", [Flips, Rotations])
def test_chance_depends_on_ids_and_not_on_the_order_of_lists(kind):
    random = np.random.default_rng(6)
    values, order = random.normal(size=200), random.permutation(200)
    lists, places, inside = pairs(random, 200, 5)
    one = kind.of(values, ids(200), 50, 7)
    other = kind.of(values[order], ids(200)[order], 50, 7)
    moved, places_moved = np.nonzero(inside[order])
    expected, found = one.table(lists, places, 5), other.table(moved, places_moved, 5)
    assert found[0] == pytest.approx(expected[0], rel=1e-9)
    np.testing.assert_allclose(other.changes @ found[2], one.changes @ expected[2], atol=1e-5)
    assert not np.allclose(kind.of(values, ids(200), 50, 8).changes, one.changes)
