"""Raw columns: which ones a spec reads, how they are kept in manifests and batches."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa

from ranker.data.columns import Column, list_schema, raw_columns


def test_a_spec_reads_its_query_features_then_its_document_features(tables, columns):
    assert raw_columns(tables()) == columns


def test_match_features_read_no_column_of_their_own(tables):
    match = "features.match=[{kind: bm25, query: query, document: title}]"
    assert raw_columns(tables(overrides=(match,))) == raw_columns(tables())


def test_a_column_survives_json(columns):
    assert [Column(**json.loads(json.dumps(column.to_json()))) for column in columns] == columns


def test_values_are_as_tensorflow_takes_them():
    text, number = Column("t", "query", "string"), Column("n", "query", "float32")
    assert text.array([b"a", b""]).dtype == object
    assert text.array([b"a", b""]).tolist() == [b"a", b""]
    assert number.array([1, np.nan, 0.1]).dtype == np.float32
    assert number.array([0.1])[0] == np.float32(0.1)


def test_a_batch_has_a_row_per_list(columns):
    schema = list_schema(columns)
    assert schema.names == ["query_id", "query", "age", "document_id", "label", "title", "price", "brand"]
    assert [schema.field(name).type for name in ("query", "age")] == [pa.string(), pa.float32()]
    assert [schema.field(name).type for name in ("document_id", "label", "title", "price")] == [
        pa.list_(pa.string()), pa.list_(pa.float32()), pa.list_(pa.string()), pa.list_(pa.float32())
    ]  # fmt: skip
