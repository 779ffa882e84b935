"""Counts of texts, against Counter."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from features.statistics.frequent_values import FrequentValues


def counted(batches: list[list[str]]) -> FrequentValues:
    """The values of some batches, each merged as a part."""
    total = FrequentValues()
    for batch in batches:
        part = FrequentValues()
        part.add(pa.array(batch, pa.string()))
        total.merge(FrequentValues.from_arrays(part.to_arrays()))
    return total


def test_few_values_are_counted_exactly():
    draw = np.random.default_rng(0)
    texts = [f"text {at}" for at in draw.zipf(1.5, 20_000) % 3000]
    expected = Counter(texts)
    for parts in (1, 9):
        values = counted([part.tolist() for part in np.array_split(np.array(texts, object), parts)])
        assert (values.count, values.distinct, values.exact) == (20_000, len(expected), True)
        assert values.characters == sum(map(len, texts))
        assert values.top(10**6) == sorted(expected.items(), key=lambda item: (-item[1], item[0]))


def test_many_values_are_estimated_within_their_error():
    draw = np.random.default_rng(0)
    texts = [f"text {at}" for at in draw.zipf(1.3, 300_000)]
    expected = Counter(texts)
    values = counted([texts[at : at + 60_000] for at in range(0, 300_000, 60_000)])
    assert not values.exact
    assert values.distinct == pytest.approx(len(expected), rel=0.05)
    for value, count in values.top(20):
        assert expected[value] <= count <= expected[value] + 0.001 * 300_000
    assert {value for value, _ in values.top(10)} == {value for value, _ in expected.most_common(10)}


def test_long_texts_are_told_apart_but_shown_cut():
    values = counted([["x" * 100 + "a", "x" * 100 + "b", "short"]])
    assert values.distinct == 3
    assert values.top(9) == [("x" * 100, 2), ("short", 1)]
    assert values.characters == 101 + 101 + 5


def test_the_same_values_give_the_same_bytes():
    texts = [[f"text {at}" for at in range(start, start + 3000)] for start in (0, 2000, 4000)]
    one, other = counted(texts), counted(texts)
    assert [array.tobytes() for array in one.to_arrays()] == [array.tobytes() for array in other.to_arrays()]


def test_nothing_at_all():
    values = counted([[], []])
    assert (values.count, values.distinct, values.exact, values.top(3)) == (0, 0, True, [])
