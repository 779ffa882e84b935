"""Against sets of lists that are built one conjunction at a time."""

import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.discovery import Feature
from eval.discovery.lattice import Lattice

row = st.tuples(st.sampled_from("xyz"), st.sampled_from("pq"), st.frozensets(st.sampled_from("abc"), max_size=2))
rows_of_lists = st.lists(row, min_size=4, max_size=40)


def features_of(rows):
    one, two, several = zip(*rows, strict=True)
    return [
        Feature.of_texts("one", pa.array(one)),
        Feature.of_texts("two", pa.array(two)),
        Feature.of_texts("several", pa.array([sorted(values) for values in several], pa.list_(pa.string()))),
    ]


def having(rows, conditions):
    """The lists that meet all conditions."""
    at = {"one": 0, "two": 1, "several": 2}
    return {
        number
        for number, values in enumerate(rows)
        if all(value in values[at[name]] or (value == "(missing)" and not values[at[name]])
               for name, value in conditions)
    }  # fmt: skip


def every_conjunction(rows, depth):
    values = {"one": "xyz", "two": "pq", "several": ["a", "b", "c", "(missing)"]}
    for size in range(depth + 1):
        for names in itertools.combinations(values, size):
            for chosen in itertools.product(*(values[name] for name in names)):
                yield tuple(zip(names, chosen, strict=True))


@settings(deadline=None, max_examples=60)
@given(rows=rows_of_lists, depth=st.integers(1, 3), fewest=st.integers(2, 6))
def test_all_slices_that_are_large_enough_are_there_and_no_others(rows, depth, fewest):
    lattice = Lattice.of(features_of(rows), depth, fewest, most=10**6, most_values=50)
    found = {tuple(lattice.conditions(number)): number for number in range(len(lattice.sizes))}
    assert len(found) == len(lattice.sizes)
    assert found[()] == 0
    for conditions, number in found.items():
        members = having(rows, conditions)
        assert set(lattice.members(number).tolist()) == members
        assert lattice.sizes[number] == len(members)
        assert not conditions or fewest <= len(members) < len(rows)
    known = {frozenset(having(rows, conditions)) for conditions in found}
    for conditions in every_conjunction(rows, depth):
        members = frozenset(having(rows, conditions))
        assert len(members) < fewest or members in known
    # A condition that changes nothing is left out.
    for conditions in found:
        for less in (conditions[:-1], conditions[-1:]) if len(conditions) > 1 else ():
            assert len(having(rows, less)) > len(having(rows, conditions))


@settings(deadline=None, max_examples=30)
@given(rows=rows_of_lists, data=st.data())
def test_some_lists_are_found_in_the_slices_that_hold_them(rows, data):
    lattice = Lattice.of(features_of(rows), 3, 2, most=10**6, most_values=50)
    some = np.array(sorted(data.draw(st.sets(st.integers(0, len(rows) - 1)))), np.int64)
    found = set()
    for cross, lists, places in lattice.walk(some):
        assert np.all(np.diff(lists) >= 0)
        found |= set(zip(lists.tolist(), (cross.first + places).tolist(), strict=True))
    expected = {
        (one, number)
        for number in range(len(lattice.sizes))
        for one in set(lattice.members(number).tolist()) & set(some.tolist())
    }
    assert found == expected


def test_values_that_most_lists_have_are_looked_at():
    feature = Feature.of_texts("kind", pa.array(list("aaaabbbccd")))
    lattice = Lattice.of([feature], 1, 2, most=100, most_values=2)
    assert [lattice.conditions(number) for number in (1, 2)] == [[("kind", "a")], [("kind", "b")]]
    assert lattice.sizes.tolist() == [10, 4, 3]


@pytest.mark.parametrize("most", [1, 2, 5, 17, 40])
def test_beyond_a_number_of_slices_the_smallest_are_left_out(most):
    random = np.random.default_rng(3)
    rows = [(random.choice(list("xyz")), random.choice(list("pq")), frozenset()) for _ in range(300)]
    features = [*features_of(rows), Feature.of_numbers("age", random.normal(size=300))]
    every = Lattice.of(features, 3, 5, most=10**6, most_values=50)
    some = Lattice.of(features, 3, 5, most=most, most_values=50)
    assert len(some.sizes) <= most
    assert some.fewest > 5
    left_out = np.sort(every.sizes)[::-1][len(some.sizes) :]
    assert some.sizes.min() > left_out.max()


def test_wider_slices_have_one_condition_less():
    rows = [(one, two, frozenset(several)) for one in "xyz" for two in "pq" for several in ("a", "b", "ab")] * 3
    lattice = Lattice.of(features_of(rows), 3, 2, most=10**6, most_values=50)
    number = {tuple(lattice.conditions(slices)): slices for slices in range(len(lattice.sizes))}
    assert lattice.wider(0) == []
    for conditions, slices in number.items():
        less = [conditions[:place] + conditions[place + 1 :] for place in range(len(conditions))]
        assert lattice.wider(slices) == [number[one] for one in less if one in number]
    assert max(map(len, number)) == 3
