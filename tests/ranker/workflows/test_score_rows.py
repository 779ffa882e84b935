"""Rows of score tables from lists."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from ranker.data.columns import MISSING_INT, Column
from ranker.data.elwc.records import JudgedList
from ranker.data.requests import RankRequest
from ranker.workflows.score_rows import column_names, score_batches

COLUMNS = {
    "user": Column("user", "query", "string"),
    "day": Column("day", "query", "int64"),
    "price (feature)": Column("price", "document", "float32"),
    "tags": Column("tags", "document", "string", multivalued=True),
}


def judged(query, user, day, prices, tags):
    ids = [f"{query}{place}" for place in range(len(prices))]
    tensors = {
        "user": np.array([user], object),
        "day": np.array([day]),
        "price": np.array([prices], np.float32),
        "tags": np.array([tags], object),
    }
    labels = np.arange(len(prices), dtype=np.float32)
    return JudgedList(RankRequest(query, ids, tensors), labels, np.ones_like(labels), np.zeros(len(prices), np.int64))


def test_rows_have_scores_labels_and_features():
    lists = [
        judged("q", b"ann", 5, [1.5, np.nan], [[b"x", b"y"], [b"", b""]]),
        judged("r", b"", MISSING_INT, [2.5], [[b"z"]]),
    ]
    batches = list(score_batches(iter(lists), lambda one: {"price": one.labels * 2}, COLUMNS, "user"))
    assert pa.Table.from_batches(batches).to_pylist() == [
        {
            "query_id": "q",
            "document_id": "q0",
            "label": 0.0,
            "price": 0.0,
            "user": "ann",
            "day": 5,
            "price (feature)": 1.5,
            "tags": ["x", "y"],
        },
        {
            "query_id": "q",
            "document_id": "q1",
            "label": 1.0,
            "price": 2.0,
            "user": "ann",
            "day": 5,
            "price (feature)": None,
            "tags": [],
        },
        {
            "query_id": "r",
            "document_id": "r0",
            "label": 0.0,
            "price": 0.0,
            "user": "r",
            "day": None,
            "price (feature)": 2.5,
            "tags": ["z"],
        },
    ]


def test_many_lists_come_in_batches():
    lists = (judged(f"q{number}", b"u", 1, [1.0] * 1000, [[b"t"]] * 1000) for number in range(150))
    batches = list(score_batches(lists, lambda one: {"m": one.labels}, COLUMNS))
    assert [batch.num_rows for batch in batches] == [66_000, 66_000, 18_000]
    assert all(batch.schema == batches[0].schema for batch in batches)


def test_features_named_as_other_columns_are_renamed():
    assert column_names(["price", "label", "net"], ["net"]) == {
        "price": "price",
        "label": "label (feature)",
        "net": "net (feature)",
    }


def test_vectors_and_counts():
    """A vector that is missing is NaN throughout; documents without a count have none."""
    ids = ["a", "b"]
    vectors = np.array([[[1.0, 2.0], [np.nan, np.nan]]], np.float32)
    labels = np.zeros(2, np.float32)
    one = JudgedList(RankRequest("q", ids, {"place": vectors}), labels, labels, np.zeros(2, np.int64))
    columns = {"place": Column("place", "document", "float32", width=2)}
    [batch] = score_batches(iter([one]), lambda judged: {"m": judged.labels}, columns, counts={"sold": {"b": 3}})
    assert batch.schema.field("place").type == pa.list_(pa.float32(), 2)
    assert batch.column("place").to_pylist()[0] == [1.0, 2.0]
    assert np.isnan(batch.column("place").to_pylist()[1]).all()
    assert batch.column("sold").to_pylist() == [0, 3]
