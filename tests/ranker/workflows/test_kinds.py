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
        (["2024-01-02", "2024-01-03T04:05:06Z", None], "released", "date"),
        ([datetime.date(2024, 1, 2), datetime.date(2024, 1, 3)], "x", "date"),
        ([1260759144, 1260759179.5], "added_at", "date"),
        ([1260759144, 1260759179], "views", "numeric"),
        ([90, 120, 100], "running_time", "numeric"),
        ([[0.5, 1], [2, None]], "image", "vector"),
        ([["red", "blue"], ["red"], [], ["blue", "red"]], "colours", "categorical"),
        ([[3, 17], [3], [17]], "shelves", "categorical"),
        (["red|blue", "red", "blue | red"], "colours", "categorical"),
    ],
)
def test_a_column_makes_a_feature_of_its_kind(values, name, kind):
    assert guess(values, name).kind == kind


@pytest.mark.parametrize(
    ("values", "name", "why"),
    [
        ([None, None], "x", "no values"),
        ([3, 3, None], "x", "one value only, 3"),
        ([["a"], ["b"]], "tags", "2 different values, 1.0 in a row on average, e.g. 'a': ids or names that tell "
        "nothing of "
         "other rows"),
        ([["a"], ["a", "a"]], "tags", "one value only, 'a'"),
        ([[], []], "tags", "no values"),
        ([[["a"]], [["b"]]], "tags", "lists of other things than texts or numbers, e.g. [['a']]"),
        ([{"a": 1}, None], "x", "objects"),
        ([["a"], "a"], "x", "values of several types: list, text"),
        ([1, "a"], "x", "values of several types: number, text"),
        (["02.01.2024", "03.01.2024"], "released", "dates, but not all as in 2024-05-01T10:00:00Z, e.g. '02.01.2024'"),
        (["2024-01-02"] * 30 + ["soon"], "x", "dates, but not all as in 2024-05-01T10:00:00Z, e.g. 'soon'"),
        ([datetime.time(10, 30), datetime.time(11)], "x", "times of day or lengths of time, e.g. '10:30:00'"),
        ([1260759144000, 1260759179000], "timestamp",
         "times, but not in seconds since 1970, 1260759144000 to 1260759179000"),
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


def test_dates_say_from_when_to_when():
    values = ["2024-03-01T00:30:00+02:00", "2023-12-31", None]
    assert guess(values).why == "2023-12-31 to 2024-02-29, missing in 33.3%"
    assert guess([1260759144.5, 0.0, 1e9], "added_at").kind == "numeric", "0 is no time that anybody had"
    assert guess([1260759144.5, 1e9], "added_at").why == "seconds since 1970, 2001-09-09 to 2009-12-14"
    moments = [datetime.datetime(2024, 1, 1, 23, tzinfo=datetime.timezone(datetime.timedelta(hours=-5))), None]
    assert guess([*moments, datetime.date(2023, 5, 6)]).why == "2023-05-06 to 2024-01-02, missing in 33.3%"


@pytest.mark.parametrize("typed", [True, False])
def test_dates_and_times_as_texts(typed):
    assert guess(["2024-01-02 10:00", "2023-01-02"], typed=typed).kind == "date"
    assert guess(["1260759144", "1000000000"], "seen_at", typed=typed).kind == (None if typed else "date")


def test_vectors_have_one_length():
    assert guess([[1, 2, 3], [4, 5, 6], None]).width == 3
    assert guess([[1, 2, 3], [4, 5]] * 5).kind == "categorical"
    assert guess(["[1, 2.5]", "", "[3,4]"], typed=False).width == 2
    assert guess(["[0.1 0.2]", "[3. 4.]"], typed=False).width == 2
    assert guess(["[1, 2.5]", "[3, 4]"]).kind != "vector", "a text where the format has lists"


@pytest.mark.parametrize(
    ("values", "separator"),
    [
        (["drama|war", "war", "drama|comedy|war"], "|"),
        (["drama; war", "war ;drama", "comedy;war"], ";"),
        (["drama, war", "war, drama", "drama"] * 5, ","),
        (["drama, war", "war", "comedy"] * 5, None),  # in a third of the rows only
        (["A cat, a dog and a cow", "A cow, a cat and all the rest of them"] * 5, None),  # sentences
        (["a1|b1", "a2|b2", "a3|b3"], None),  # nothing comes again
    ],
)
def test_a_separator_is_told_by_short_values_that_come_again(values, separator):
    found = guess(values)
    assert (found.separator, found.multivalued) == (separator, separator is not None)


def test_json_arrays_in_cells_are_lists():
    found = guess(['["a", "b"]', '["a"]', "[]", ""], typed=False)
    assert (found.kind, found.multivalued, found.separator) == ("categorical", True, None)
    assert found.why == "2 different values, 1.0 in a row on average, e.g. 'a', missing in 25.0%"


@pytest.mark.parametrize(("count", "one_hot"), [(3, 3), (50, 50), (51, None)])
def test_few_values_of_many_get_a_column_each(count, one_hot):
    found = guess([[f"v{i % count}", f"v{(i + 1) % count}"] for i in range(200)])
    assert (found.one_hot, found.is_number) == (one_hot, one_hot is not None)
