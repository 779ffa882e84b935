"""Requests as batches of lists: the same values as the tables they could have come from."""

from __future__ import annotations

import math

import pyarrow as pa

from ranker.data.columns import MISSING_INT, Column, list_schema
from ranker.data.request_batches import request_batch
from ranker.data.requests import parse_request

COLUMNS = [
    Column("query", "query", "string"),
    Column("tags", "query", "string", multivalued=True),
    Column("taste", "query", "float32", 2),
    Column("timestamp", "query", "int64"),
    Column("price", "document", "float32"),
    Column("genres", "document", "string", multivalued=True),
    Column("image", "document", "float32", 2),
    Column("released", "document", "int64"),
    Column("brand", "document", "string"),
]
REQUESTS = [
    {
        "query": {"query": "naïve", "tags": ["a", "b"], "taste": [1, 2], "timestamp": "1970-01-02"},
        "documents": [
            {"id": "d1", "features": {"price": 3, "genres": ["x"], "image": [0.5, None], "released": 7, "brand": "Z"}},
            {"id": "d2", "features": {"genres": ["y", "x"]}},
        ],
    },
    {"documents": [{"id": "d3", "features": {"brand": "日本"}}]},
]


def test_values_and_what_is_missing():
    batch = request_batch([parse_request(request, COLUMNS) for request in REQUESTS], COLUMNS, ["f:1", "f:3"])
    assert batch.schema == list_schema(COLUMNS, ())
    nan = math.nan
    expected = {
        "query_id": ["f:1", "f:3"],
        "query": ["naïve", ""],
        "tags": [["a", "b"], []],
        "taste": [[1, 2], [nan, nan]],
        "timestamp": [86_400, MISSING_INT],
        "document_id": [["d1", "d2"], ["d3"]],
        "price": [[3, nan], [nan]],
        "genres": [[["x"], ["y", "x"]], [[]]],
        "image": [[[0.5, nan], [nan, nan]], [[nan, nan]]],
        "released": [[7, MISSING_INT], [MISSING_INT]],
        "brand": [["Z", ""], ["日本"]],
    }
    assert repr(batch.to_pydict()) == repr(pa.RecordBatch.from_pydict(expected, batch.schema).to_pydict())
