"""Rows of tables with all types of columns, with weights, positions and timestamps; those that are set aside."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from ranker.data.columns import MISSING_INT
from ranker.data.split import splits_of

FEATURES = {
    "query": [
        {"name": "born", "kind": "date"},
        {"name": "tags", "kind": "categorical", "multivalued": True},
        {"name": "taste", "kind": "vector", "width": 2},
    ],
    "document": [
        {"name": "price", "kind": "numeric"},
        {"name": "made", "kind": "date"},
        {"name": "genres", "kind": "categorical", "multivalued": True, "separator": "|"},
        {"name": "image", "kind": "vector", "width": 3},
    ],
    "pair": [
        {"name": "clicks", "kind": "numeric"},
        {"name": "seen", "kind": "date"},
        {"name": "why", "kind": "categorical", "multivalued": True},
        {"name": "cross", "kind": "vector", "width": 2},
    ],
}
DATA = {"weight": "w", "position": "rank", "timestamp": "when"}
TABLES = {
    "queries.jsonl": [
        {"query_id": "a", "born": "1970-01-02", "tags": ["x", "", "y", "x"], "taste": [1, 2]},
        {"query_id": "b", "born": None, "tags": None, "taste": None},
    ],
    "documents.jsonl": [
        {"document_id": "1", "price": 1.5, "made": 86400, "genres": "u|v|u| w ", "image": [1, 2, 3]},
        {"document_id": "2", "price": None, "made": None, "genres": None, "image": None},
    ],
    "judgments.jsonl": [
        {"query_id": "a", "document_id": "1", "label": 2, "w": 0.5, "rank": 3, "when": 100, "clicks": 7,
         "seen": "1970-01-01T00:00:09Z", "why": ["p", "p", "q"], "cross": [0.5, -1]},
        {"query_id": "a", "document_id": "2", "label": 0, "w": None, "rank": None, "when": 200, "clicks": None,
         "seen": None, "why": [], "cross": None},
        {"query_id": "b", "document_id": "2", "label": 1, "w": 0, "rank": 1, "when": None, "clicks": 1, "seen": 5,
         "why": ["z"], "cross": [1, 1]},
    ],
}  # fmt: skip
NAN3 = [None] * 3


def plain(value):
    if isinstance(value, list):
        return [plain(one) for one in value]
    return None if isinstance(value, float) and np.isnan(value) else value


def without_split(row: dict) -> dict:
    return {name: plain(value) for name, value in row.items() if name != "split"}


def test_lists_have_columns_of_every_type_with_missing_values(source_of, read_lists):
    found = read_lists(source_of(TABLES, DATA, FEATURES))
    assert found.rejected == []
    lists = {row["query_id"]: without_split(row) for row in found.rows}
    assert lists == {
        "a": {
            "query_id": "a", "born": 86400, "tags": ["x", "y"], "taste": [1, 2], "timestamp": 200,
            "document_id": ["1", "2"], "label": [2, 0], "weight": [0.5, 1], "position": [3, 0],
            "price": [1.5, None], "made": [86400, MISSING_INT], "genres": [["u", "v", "w"], []],
            "image": [[1, 2, 3], NAN3], "clicks": [7, None], "seen": [9, MISSING_INT], "why": [["p", "q"], []],
            "cross": [[0.5, -1], NAN3[:2]],
        },
        "b": {
            "query_id": "b", "born": MISSING_INT, "tags": [], "taste": NAN3[:2], "timestamp": MISSING_INT,
            "document_id": ["2"], "label": [1], "weight": [0], "position": [1],
            "price": [None], "made": [MISSING_INT], "genres": [[]], "image": [NAN3],
            "clicks": [1], "seen": [5], "why": [["z"]], "cross": [[1, 1]],
        },
    }  # fmt: skip


def test_one_table_has_the_same(source_of, read_lists):
    """Pair features are those of the document there; values of the query those of its first row."""
    features = {"query": FEATURES["query"], "document": [*FEATURES["document"], *FEATURES["pair"]]}
    queries = {row["query_id"]: row for row in TABLES["queries.jsonl"]}
    documents = {row["document_id"]: row for row in TABLES["documents.jsonl"]}
    rows = [queries[j["query_id"]] | documents[j["document_id"]] | j for j in TABLES["judgments.jsonl"]]
    of_three = read_lists(source_of(TABLES, DATA, FEATURES)).rows
    of_one = read_lists(
        source_of({"all.jsonl": rows}, DATA | {"sources": [{"kind": "table", "file": "all.jsonl"}]}, features)
    )
    assert of_one.rejected == []
    ids = [sorted(rows, key=lambda row: row["query_id"]) for rows in (of_three, of_one.rows)]
    assert [without_split(row) for row in ids[0]] == [without_split(row) for row in ids[1]]


def test_weight_and_timestamp_may_be_of_the_query(source_of, read_lists):
    queries = [row | {"w": weight, "when": when} for row, weight, when in
               zip(TABLES["queries.jsonl"], (0.25, None), (None, 7), strict=True)]  # fmt: skip
    judgments = [
        {name: value for name, value in row.items() if name not in ("w", "when")} for row in TABLES["judgments.jsonl"]
    ]
    tables = TABLES | {"queries.jsonl": queries, "judgments.jsonl": judgments}
    lists = {row["query_id"]: row for row in read_lists(source_of(tables, DATA, FEATURES)).rows}
    assert {query: (row["weight"], row["timestamp"]) for query, row in lists.items()} == {
        "a": ([0.25, 0.25], MISSING_INT),
        "b": ([1], 7),
    }


def test_judgments_come_first_if_both_have_it(source_of, read_lists):
    queries = [row | {"w": 9} for row in TABLES["queries.jsonl"]]
    lists = read_lists(source_of(TABLES | {"queries.jsonl": queries}, DATA, FEATURES)).rows
    assert {row["query_id"]: row["weight"] for row in lists} == {"a": [0.5, 1], "b": [0]}


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"w": -0.5}, "bad weight"),
        ({"w": 1e39}, "bad weight"),
        ({"rank": 0}, "bad position"),
        ({"rank": -1}, "bad position"),
        ({"rank": 1.5}, "bad position"),
        ({"rank": 1e39}, "bad position"),
        ({"cross": [1, 1e39]}, "infinite feature value"),
        ({"clicks": -1e39}, "infinite feature value"),
        ({"label": -1, "w": -1, "rank": 0}, "bad label"),
        ({"w": -1, "rank": 0}, "bad weight"),
        ({"when": "soon"}, "value of the wrong type"),
    ],
)
def test_a_judgment_with_a_bad_value_is_set_aside(source_of, read_lists, changed, reason):
    bad = TABLES["judgments.jsonl"][0] | {"query_id": "b"} | changed
    found = read_lists(source_of(TABLES | {"judgments.jsonl": [*TABLES["judgments.jsonl"], bad]}, DATA, FEATURES))
    assert found.reasons == [("judgments.jsonl", 4, reason)]
    sound = read_lists(source_of(TABLES, DATA, FEATURES))
    assert [without_split(row) for row in found.rows] == [without_split(row) for row in sound.rows]


def test_a_vector_with_an_infinite_number_is_set_aside_with_its_document(source_of, read_lists):
    bad = {"document_id": "3", "price": 1, "made": 1, "genres": "", "image": [0, -1e39, 0]}
    found = read_lists(source_of(TABLES | {"documents.jsonl": [*TABLES["documents.jsonl"], bad]}, DATA, FEATURES))
    assert found.reasons == [("documents.jsonl", 3, "infinite feature value")]


def test_rows_set_aside_later_are_shown_as_they_were(source_of, read_lists):
    again = TABLES["judgments.jsonl"][1]
    found = read_lists(source_of(TABLES | {"judgments.jsonl": [*TABLES["judgments.jsonl"], again]}, DATA, FEATURES))
    [row] = found.rejected
    assert row.reason == "duplicate (query, document) pair"
    assert row.row == (
        '{"query_id": "a", "document_id": "2", "label": 0.0, "w": 1.0, "rank": null, "when": 200, "clicks": null, '
        '"seen": null, "why": [], "cross": [null, null]}'
    )


def test_columns_of_parquet_with_types_of_its_own(source_of, read_lists, tmp_path):
    spec = source_of(TABLES, DATA | {"sources": [
        {"kind": "tables", "queries": "queries.jsonl", "documents": "documents.parquet", "judgments": "judgments.jsonl"}
    ]}, FEATURES)  # fmt: skip
    file = io.BytesIO()
    columns = {
        "document_id": pa.array([1, 2]),
        "price": pa.array([1.5, None]),
        "made": pa.array([86_400_000, None], pa.timestamp("ms")),
        "genres": pa.array([["u", "v", "u", "w"], None], pa.large_list(pa.string())),
        "image": pa.array([[1, 2, 3], None], pa.list_(pa.float64())),
    }
    pa.parquet.write_table(pa.table(columns), file)
    (tmp_path / "documents.parquet").write_bytes(file.getvalue())
    found = read_lists(spec)
    expected = read_lists(source_of(TABLES, DATA, FEATURES))
    assert [without_split(row) for row in found.rows] == [without_split(row) for row in expected.rows]


# --- where rejected rows come from -----------------------------------------------------------------------------------


def judged(query: str, document: str, label: object = 1) -> dict:
    return {"query_id": query, "document_id": document, "label": label}


def two_folders(source_of):
    """Judgments in two files of one name, and documents in a third."""
    source = {"kind": "tables", "queries": "queries.jsonl", "documents": "c/part.jsonl", "judgments": "[ab]/part.jsonl"}
    files = {
        "queries.jsonl": [{"query_id": f"q{i}"} for i in range(40)],
        "c/part.jsonl": [{"document_id": "1", "price": 1}, {"document_id": "1", "price": 2}],
        "a/part.jsonl": [judged("q1", "1"), judged("q2", "1", -1), judged("q3", "9")],
        "b/part.jsonl": [judged("q1", "1"), judged("q4", "1", "x"), judged("q99", "1"), judged("", "1")],
    }
    return source_of(files, {"sources": [source]})


def test_files_of_one_name_are_told_apart(source_of, read_lists):
    found = read_lists(two_folders(source_of))
    assert sorted(found.reasons) == [
        ("a/part.jsonl", 2, "bad label"),
        ("a/part.jsonl", 3, "unknown document id"),
        ("b/part.jsonl", 1, "duplicate (query, document) pair"),
        ("b/part.jsonl", 2, "bad label"),
        ("b/part.jsonl", 3, "unknown query id"),
        ("b/part.jsonl", 4, "missing query id"),
        ("c/part.jsonl", 2, "duplicate document id"),
    ]


def test_rows_set_aside_are_counted_by_the_split_of_their_query(source_of, read_lists):
    spec = two_folders(source_of)
    found = read_lists(spec)
    expected: dict[str, dict[str, int]] = {}
    for query, reason in [
        ("q2", "bad label"), ("q3", "unknown document id"), ("q1", "duplicate (query, document) pair"),
        ("q99", "unknown query id"),
    ]:  # fmt: skip
        of_split = expected.setdefault(str(splits_of([query], spec.data.split)[0]), {})
        of_split[reason] = of_split.get(reason, 0) + 1
    assert found.by_split == expected
    assert sum(sum(of.values()) for of in expected.values()) == len(found.rejected) - 3
