import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.discovery import Feature

texts = pa.list_(pa.string())


def values_of(feature):
    """The names of the values of each list."""
    names = [feature.values[code] for code in feature.codes]
    offsets = feature.ragged.offsets.tolist()
    return [names[start:end] for start, end in itertools.pairwise(offsets)]


@given(st.lists(st.none() | st.lists(st.sampled_from(["", "a", "b"]), max_size=3), min_size=1, max_size=8))
def test_categories(rows):
    found = values_of(Feature.of_texts("kind", pa.array(rows, texts)))
    assert found == [sorted({text for text in row or () if text}) or ["(missing)"] for row in rows]


def test_what_is_no_category_is_refused_by_name():
    with pytest.raises(ValueError, match="feature 'kind': sets of values: expected texts or whole numbers"):
        Feature.of_texts("kind", pa.array([0.5]))


@given(st.lists(st.none() | st.integers(-3, 30), min_size=1, max_size=60))
def test_buckets_are_ranges_and_a_list_is_in_one_of_each_division(numbers):
    column = np.array([np.nan if number is None else number for number in numbers])
    found = values_of(Feature.of_numbers("age", column))
    inside: dict[str, list[float]] = {}
    for number, names in zip(numbers, found, strict=True):
        assert len(set(names)) == len(names) <= 3
        assert (names == ["(missing)"]) == (number is None)
        for name in names:
            inside.setdefault(name, []).append(number)
    for name, members in inside.items():
        if name != "(missing)":
            outside = [number for number in numbers if number is not None and number not in members]
            assert not [number for number in outside if min(members) < number < max(members)]
            assert len(members) == sum(number in members for number in numbers)


def test_buckets_hold_as_many_lists_each():
    feature = Feature.of_numbers("age", np.random.default_rng(1).permutation(800) / 10)
    counts = np.bincount(feature.codes)
    assert counts.tolist() == [400] * 2 + [200] * 4 + [100] * 8
    assert list(feature.values[:3]) == ["< 40", ">= 40", "< 20"]
    assert values_of(feature.take(np.array([5, 5, 0])))[0] == values_of(feature)[5]


def test_few_different_numbers_make_few_buckets():
    flags = Feature.of_numbers("flag", np.array([0.0, 1, 1, 0, 1, 0]))
    assert values_of(flags) == [["< 1"], [">= 1"], [">= 1"], ["< 1"], [">= 1"], ["< 1"]]
    assert values_of(Feature.of_numbers("same", np.array([2.0, 2.0, np.nan]))) == [["any"], ["any"], ["(missing)"]]
    assert values_of(Feature.of_numbers("none", np.full(2, np.nan))) == [["(missing)"], ["(missing)"]]


def test_some_values_only():
    feature = Feature.of_texts("kind", pa.array([["a", "b"], ["c"], ["b"]])).keep(np.array([False, True, True]))
    assert values_of(feature) == [["b"], ["c"], ["b"]]
    assert values_of(feature.keep(np.array([True, False]))) == [["b"], [], ["b"]]
