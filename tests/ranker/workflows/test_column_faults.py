"""`check` finds fault with the values that the connector refuses, and with no others."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from ranker.data.tables.files import read_table
from ranker.data.tables.rows import TableColumns
from ranker.spec import Categorical, Date, Numeric, Text, Vector
from ranker.workflows.column_faults import (
    date_faults,
    feature_faults,
    id_faults,
    join_faults,
    label_faults,
    no_column,
    position_faults,
    weight_faults,
)
from ranker.workflows.head import Head, read_head

FEATURES = {
    "numeric": (Numeric(name="x", kind="numeric"), {"numbers": ("x",)}, 1),
    "date": (Date(name="x", kind="date"), {"dates": ("x",)}, "2024-05-01"),
    "text": (Text(name="x", kind="text"), {"texts": ("x",)}, "good"),
    "categorical": (Categorical(name="x", kind="categorical"), {"texts": ("x",)}, "good"),
    "split": (
        Categorical(name="x", kind="categorical", multivalued=True, separator="|"),
        {"lists": (("x", "|"),)},
        "a|b",
    ),
    "many": (Categorical(name="x", kind="categorical", multivalued=True), {"lists": (("x", None),)}, "good"),
    "vector": (Vector(name="x", kind="vector", width=2), {"vectors": (("x", 2),)}, [1, 2]),
}
VECTOR = FEATURES["vector"][0]
JSON = [
    None, "", "text", " 7 ", 7, -7.5, True, "2024-05-01", "2024-05-01T10:00:00.5+02:00", "2024-02-30", "01.05.2024",
    1e300, 1e18, [], ["a", None, "b"], ["a", 1], [["a"]], [{"a": 1}], {"a": 1}, [1, 2], [1, None], [1, 2, 3], [1],
    ["1", "2"], [True, 1], "[1, 2]", float("nan"), [float("nan"), 1],
]  # fmt: skip
CELLS = [
    "", "text", " 7 ", "7", "-7.5", "NA", "nan", "1_000", "0x10", "2024-05-01", "2024-05-01 10:00", "2024-02-30",
    "1e300", "1e18", "[", "[]", '["a", "b"]', "['a']", "[1, 2]", "[1 2]", "1 2", "1,2", "1 2 3", "[1, x]", "[[1, 2]]",
    '[["a"]]', "[nan, 1]",
]  # fmt: skip


def refused(path: Path, columns: TableColumns) -> bool:
    aside = []
    for _ in read_table([path], columns, lambda *row: aside.append(row)):
        pass
    return bool(aside)


@pytest.mark.parametrize("kind", FEATURES)
@pytest.mark.parametrize("value", JSON, ids=repr)
def test_values_of_jsonl(tmp_path, kind, value):
    feature, wanted, good = FEATURES[kind]
    path = tmp_path / "t.jsonl"
    path.write_text("".join(json.dumps({"id": "a", "x": one}) + "\n" for one in (good, value)))
    head = read_head(path)
    faults = list(feature_faults(feature)(head, head.columns["x"]))
    assert bool(faults) == refused(path, TableColumns(ids=("id",), **wanted))
    assert all(row == 1 for row, _ in faults)


@pytest.mark.parametrize("kind", FEATURES)
@pytest.mark.parametrize("value", CELLS)
def test_cells_of_csv(tmp_path, kind, value):
    feature, wanted, good = FEATURES[kind]
    path = tmp_path / "t.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(
            [("id", "x"), ("a", json.dumps(good) if isinstance(good, list) else good), ("b", value)]
        )
    head = read_head(path)
    faults = list(feature_faults(feature)(head, head.columns["x"]))
    assert bool(faults) == refused(path, TableColumns(ids=("id",), **wanted))
    assert all(row == 1 for row, _ in faults)


@pytest.mark.parametrize(
    ("faults_of", "values", "expected"),
    [
        (feature_faults(VECTOR), [[1, 2], [1, 2, 3]], "a vector of 2 finite numbers, got one of 3"),
        (feature_faults(VECTOR), [[1, 2], [1, float("inf")]], "a vector of 2 finite numbers, got [1, inf]"),
        (feature_faults(FEATURES["numeric"][0]), [1, float("-inf")], "a finite number, got -inf"),
        (date_faults, [0, "soon"], "a date: seconds since 1970, or a text such as 2024-05-01T10:00:00Z, got 'soon'"),
        (id_faults, ["a", None], "an id, got nothing"),
        (label_faults, [0, None], "a number >= 0, got nothing"),
        (label_faults, [0, float("inf")], "a number >= 0, got inf"),
        (weight_faults, [None, -1], "a number >= 0, got -1"),
        (position_faults, [None, 0], "a whole number >= 1, or nothing for a document that was not shown, got 0"),
        (position_faults, [1, 1.5], "a whole number >= 1, or nothing for a document that was not shown, got 1.5"),
    ],
)  # fmt: skip
def test_a_fault_says_what_was_expected(faults_of, values, expected):
    head = Head(Path("t.jsonl"), {"x": values}, len(values), whole=True, typed=True)
    assert list(faults_of(head, values)) == [(1, f"expected {expected}; 1 of 2 rows are like this")]


def test_infinite_numbers_in_a_cell_are_found():
    head = Head(Path("t.csv"), {"x": ["1 2", "1 -inf"]}, 2, whole=True, typed=False)
    [(row, what)] = feature_faults(FEATURES["vector"][0])(head, head.columns["x"])
    assert (row, what) == (1, "expected a vector of 2 finite numbers, got '1 -inf'; 1 of 2 rows are like this")


def test_a_join_that_finds_nothing_is_told():
    queries = Head(Path("q"), {"id": ["1", "2"]}, 2, whole=True, typed=True)
    judgments = Head(Path("j"), {"id": [3, 4]}, 2, whole=True, typed=True)
    assert list(join_faults(judgments, queries, "id")) == [(0, "none of its values is in q; e.g. 3")]
    assert list(join_faults(Head(Path("j"), {"id": [3, 2]}, 2, whole=True, typed=True), queries, "id")) == []
    part = Head(Path("q"), queries.columns, 2, whole=False, typed=True)
    assert list(join_faults(judgments, part, "id")) == [], "it may come later"


def test_a_column_that_is_not_there_names_the_nearest():
    head = Head(Path("t"), {"price": [1], "name": ["x"]}, 1, whole=False, typed=True)
    assert no_column(head, "prize") == (
        "no column 'prize' in the first 1 rows; there are 'price', 'name'; did you mean 'price'?"
    )
