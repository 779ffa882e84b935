"""Draws against the sums that they stand for, list by list."""

import numpy as np
import pytest

from eval.discovery.chance import Rotations
from eval.discovery.units import Units


def units(numbers):
    return Units.of(np.array([f"q{number}" for number in numbers], dtype=object))


def pairs(random, lists, slices):
    """Random slices, as pairs of list and slice, and as flags [lists, slices]."""
    inside = random.random((lists, slices)) < 0.4
    found, places = np.nonzero(inside)
    return found, places, inside


def turned(of):
    """What stands at each list after 0 .. 7 turns, by the numbers of the lists."""
    return Rotations.of(np.arange(len(of.of_list), dtype=float), of, 5, seed=1).values.astype(int)


@pytest.mark.parametrize("count", [1, 7, 8, 9, 15, 100])
def test_turns_move_values_around_circles(count):
    moved = turned(units(range(count)))
    assert moved[:, 0].tolist() == list(range(count))
    for turn in range(1, 8):
        assert sorted(moved[:, turn].tolist()) == list(range(count))
        assert moved[:, turn].tolist() == moved[:, 1][moved[:, turn - 1]].tolist(), "a turn more is one more turn"
    sizes = [len(set(row.tolist())) for row in moved]
    assert (sizes.count(8), sizes.count(1)) == (count // 8 * 8, count % 8)


def test_users_change_places_with_those_who_have_as_many_lists():
    users = np.repeat(np.arange(64), np.tile([1, 2, 3, 4], 16))
    moved = turned(units(users))
    for turn in range(8):
        for user in range(64):
            givers = users[moved[users == user, turn]]
            assert len(set(givers.tolist())) == 1
            assert (users == givers[0]).sum() == (users == user).sum()
        assert sorted(moved[:, turn].tolist()) == list(range(len(users)))


def test_users_with_other_numbers_of_lists_share_theirs_out():
    """Eight users with 1 to 8 lists are one circle: each gets the values of one other, as evenly as can be."""
    users = np.repeat(np.arange(8), np.arange(1, 9))
    moved = turned(units(users))
    assert len({tuple(users[row].tolist()) for row in moved}) == 8
    for turn in range(8):
        for user in range(8):
            got = moved[users == user, turn]
            assert len(set(users[got].tolist())) == 1
            counts = np.bincount(got, minlength=36)[np.flatnonzero(users == users[got[0]])]
            assert counts.max() - counts.min() <= 1
            assert got.tolist() == sorted(got.tolist())


@pytest.mark.parametrize("count", [60, 3000])
def test_draws_are_sums_of_moved_values(count):
    random = np.random.default_rng(4)
    values = random.exponential(size=count)
    chance = Rotations.of(values, units(range(count)), 30, seed=2)
    lists, places, inside = pairs(random, count, 6)
    expected, scale, rows = chance.sums(lists, places, 6)
    drawn = chance.changes.reshape(30, -1, 8)
    assert (drawn.sum(axis=2) == 1).all()
    turns = drawn.argmax(axis=2)[:, chance.blocks]
    moved = np.take_along_axis(chance.values, turns.T, axis=1).T
    assert expected == pytest.approx(chance.values.mean(axis=1) @ inside, rel=1e-9)
    np.testing.assert_allclose(chance.changes @ rows, (moved @ inside - expected) / scale, rtol=0, atol=1e-4)


def test_the_scale_is_that_of_all_turns():
    """Eight lists are one circle of eight turns: the standard deviation of the eight sums, by 7 degrees of freedom."""
    values = np.array([3.0, 1, 4, 1, 5, 9, 2, 6])
    chance = Rotations.of(values, units(range(8)), 2000, seed=2)
    lists = np.array([0, 3, 5])
    expected, scale, rows = chance.sums(lists, np.zeros(3, np.int64), 1)
    sums = chance.values[lists].sum(axis=0)
    assert expected == pytest.approx([sums.mean()], rel=1e-12)
    assert scale == pytest.approx([sums.std(ddof=1)], rel=1e-12)
    drawn = np.unique(np.round(chance.changes @ rows, 4))
    assert drawn == pytest.approx(np.unique(np.round((sums - sums.mean()) / sums.std(ddof=1), 4)))


def test_the_scale_is_that_of_random_slices():
    """Of 500 slices of 60 of 480 lists, drawn at random, the sums less 60 means are spread by it."""
    random = np.random.default_rng(3)
    values = random.exponential(size=480)
    chance = Rotations.of(values, units(range(480)), 1, seed=2)
    lists = np.sort(random.permuted(np.tile(np.arange(480), (500, 1)), axis=1)[:, :60])
    inside = np.zeros((480, 500), bool)
    inside[lists.ravel(), np.repeat(np.arange(500), 60)] = True
    scale = chance.sums(*np.nonzero(inside), 500).scale
    assert (values @ inside - 60 * values.mean()).std() == pytest.approx(scale.mean(), rel=0.08)


def test_what_changes_nothing_has_no_scale():
    """All lists together; equal values."""
    every = np.arange(24)
    for values in (np.arange(24.0), np.full(24, 0.3)):
        _, scale, rows = Rotations.of(values, units(every), 9, 0).sums(every, np.zeros(24, np.int64), 1)
        assert (scale.tolist(), np.abs(rows).max()) == ([0], 0)


def test_chance_depends_on_ids_and_not_on_the_order_of_lists():
    random = np.random.default_rng(6)
    values, order = random.normal(size=200), random.permutation(200)
    lists, places, inside = pairs(random, 200, 5)
    one = Rotations.of(values, units(range(200)), 50, 7)
    other = Rotations.of(values[order], units(order), 50, 7)
    expected, found = one.sums(lists, places, 5), other.sums(*np.nonzero(inside[order]), 5)
    assert found.expected == pytest.approx(expected.expected, rel=1e-9, abs=1e-12)
    np.testing.assert_allclose(other.changes @ found.rows, one.changes @ expected.rows, atol=1e-5)
    assert not np.allclose(Rotations.of(values, units(range(200)), 50, 8).changes, one.changes)
