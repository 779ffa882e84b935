"""What a column is taken for."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from ranker.workflows.head import Head
from ranker.workflows.kinds import guess_kind

WORDS = ["a red hat", "two blue hats", "shoes for walking", "a kettle made of glass"]


def guess(values: list, name: str = "column", *, typed: bool = True):
    return guess_kind(Head(Path("t"), {name: values}, len(values), whole=True, typed=typed), name)


@pytest.mark.parametrize(
    ("values", "name", "kind"),
    [
        ([1, 5, 2, None], "price", "numeric"),
        ([1.5, 2.5, 3.5], "price", "numeric"),
        (["red", "blue"] * 10, "colour", "categorical"),
        ([True, False, True], "new", "categorical"),
        (WORDS, "column", "text"),
        (["hat", "shoes", "kettle"], "query", "text"),
        (["s", "m", "l", "s", "m"], "size", "categorical"),
    ],
)
def test_a_column_makes_a_feature_of_its_kind(values, name, kind):
    assert guess(values, name).kind == kind


@pytest.mark.parametrize(
    ("values", "name", "why"),
    [
        ([None, None], "x", "no values"),
        ([3, 3, None], "x", "one value only, 3"),
        ([["a"], ["b"]], "tags", "lists or objects"),
        ([{"a": 1}, None], "x", "lists or objects"),
        ([1, "a"], "x", "values of several types: number, text"),
        (["2024-01-02", "2024-01-03T04:05:06Z"], "released", "dates, e.g. '2024-01-02'"),
        ([datetime.date(2024, 1, 2), datetime.date(2024, 1, 3)], "x", "dates, e.g. '2024-01-02'"),
        ([1260759144, 1260759179], "timestamp", "times as numbers, 1260759144 to 1260759179"),
        ([17, 99, 4], "brand_id", "another number in each row, 4 to 99: an id"),
        ([1, 2, 3], "row_number", "another number in each row, 1 to 3: an id"),
        (["x7", "x8"], "x", "2 different values in 2 rows, e.g. 'x7': ids or names that tell nothing of other rows"),
        (["https://a.b/1", "https://a.b/2"], "picture", "addresses, e.g. 'https://a.b/1'"),
    ],
)  # fmt: skip
def test_a_column_that_makes_no_feature_is_left_out_with_the_reason(values, name, why):
    found = guess(values, name)
    assert (found.kind, found.why) == (None, why)


def test_texts_that_are_numbers_are_numbers_where_the_format_does_not_tell():
    assert guess(["1", "2.5", "", "NA"], typed=False).kind == "numeric"
    assert guess(["1", "2.5", "1"]).kind == "categorical"


@pytest.mark.parametrize(("values", "skewed"), [([1, 2, 3, 900], True), ([1, 2, 4], False), ([-1, 2, 3, 900], False)])
def test_numbers_far_above_the_typical_one_are_taken_as_logarithms(values, skewed):
    assert guess(values).skewed == skewed


def test_what_is_shown_is_one_short_line():
    why = guess([f"{text}\n\x85\u2028 and so on" for text in WORDS]).why
    assert why.isprintable()
    assert len(guess([text * 50 for text in WORDS]).why) < 100
