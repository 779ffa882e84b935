"""Texts with any number of values, against Python's own lists."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranker.data.tables.text_lists import text_lists

VALUES = st.text(st.sampled_from('ab |;é"[],\\ ') | st.characters(exclude_categories=["C"]), max_size=4)
LISTS = st.lists(st.none() | st.lists(st.none() | VALUES, max_size=4), max_size=8)


def lists(array, separator=None, *, json_texts=False):
    found, wrong = text_lists(array, separator, json_texts=json_texts)
    assert found.type == pa.list_(pa.string())
    found.validate(full=True)
    return found.to_pylist(), np.flatnonzero(wrong).tolist()


def without_empty(rows):
    return [None if row is None else [value for value in row if value] for row in rows]


@given(LISTS)
@pytest.mark.parametrize("kind", [pa.list_(pa.string()), pa.large_list(pa.large_string()), pa.list_view(pa.string())])
def test_lists_lose_their_empty_texts_only(kind, rows):
    assert lists(pa.array(rows, kind)) == (without_empty(rows), [])
    assert lists(pa.array([["x"], *rows], kind)[1:], "|") == (without_empty(rows), []), "of a view, not split"


@given(st.lists(st.none() | VALUES, max_size=8))
def test_texts_are_split_at_the_separator(texts):
    for separator in ("|", "; "):
        expected = [
            None if text is None else [part.strip() for part in text.split(separator) if part.strip()] for text in texts
        ]
        assert lists(pa.array(texts, pa.string()), separator) == (expected, [])
    ones = [None if text is None else [text] * bool(text) for text in texts]
    assert lists(pa.array(texts, pa.string())) == (ones, [])


@given(LISTS)
def test_a_json_array_in_a_cell_is_that_list(rows):
    cells = [None if row is None else json.dumps(row, ensure_ascii=i % 2 == 0) for i, row in enumerate(rows)]
    assert lists(pa.array(cells, pa.string()), json_texts=True) == (without_empty(rows), [])
    mixed = [*cells, "plain", ""]
    assert lists(pa.array(mixed, pa.string()), json_texts=True) == ([*without_empty(rows), ["plain"], []], [])


@pytest.mark.parametrize(
    "bad", ["[", "[x]", "['a']", '["a"', '["a"] ["b"]', '["a"]}\n{"values":["b"]', '[["a"]]', '[{"a": 1}]', "[" * 9999,
            '["\\ud800"]', '["a"], "values": ["b"]', '["a"], "b": ["c"]', '["a"]} {"values": ["b"]']
)  # fmt: skip
def test_a_cell_that_begins_as_an_array_and_is_none_is_wrong(bad):
    cells = pa.array(['["a", "b"]', bad, "c", ' [ "d" ] ', None])
    assert lists(cells, json_texts=True) == ([["a", "b"], None, ["c"], ["d"], None], [1])


def test_numbers_are_texts_as_they_are_written():
    expected = [["1", "2.50", "true"], ["x"], []]
    assert lists(pa.array(["[1, 2.50, true, null]", '["x"]', "[]"]), json_texts=True) == (expected, [])
    assert lists(pa.array([[1, None, 3], None], pa.list_(pa.int64()))) == ([["1", "3"], None], [])
    assert lists(pa.array([7, None], pa.int16())) == ([["7"], None], [])


@pytest.mark.parametrize(
    ("rows", "kind", "expected"),
    [
        (["a|b", None], pa.dictionary(pa.int32(), pa.string()), [["a", "b"], None]),
        ([["a", "", None], None], pa.list_(pa.dictionary(pa.int32(), pa.string())), [["a"], None]),
        ([None, None], pa.null(), [None, None]),
        ([[None], None], pa.list_(pa.null()), [[], None]),
    ],
)
def test_dictionaries_and_nulls(rows, kind, expected):
    assert lists(pa.array(rows, kind), "|") == (expected, [])
