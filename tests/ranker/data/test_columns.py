"""Raw columns: which ones a spec reads, how they are kept in manifests and batches."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa

from ranker.data.columns import MISSING_INT, TIMESTAMP, Column, judged_columns, list_schema, raw_columns, schema_of


def test_a_spec_reads_its_query_features_then_its_document_features(tables, columns):
    assert raw_columns(tables()) == columns


def test_match_features_read_no_column_of_their_own(tables):
    match = "features.match=[{kind: bm25, query: query, document: title}]"
    assert raw_columns(tables(overrides=(match,))) == raw_columns(tables())


def test_a_column_survives_json(columns):
    columns = [*columns, Column("genres", "document", "string", multivalued=True, separator="|")]
    assert [Column(**json.loads(json.dumps(column.to_json()))) for column in columns] == columns
    assert columns[-1].to_json()["separator"] == "|"


def test_a_manifest_without_separators_is_read():
    old = {"name": "genres", "scope": "document", "dtype": "string", "width": None, "multivalued": True}
    assert Column(**old) == Column("genres", "document", "string", multivalued=True)


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


WHOLE = (
    "data.timestamp=asked",
    "data.weight=importance",
    "data.position=shown",
    "features.query=[{name: query, kind: text}, {name: taste, kind: vector, width: 3}]",
    "features.document=[{name: title, kind: text}, {name: released, kind: date}, "
    '{name: genres, kind: categorical, multivalued: true, separator: "|"}]',
    "features.pair=[{name: clicks, kind: numeric}]",
)


def test_columns_of_every_type(tables):
    spec = tables(overrides=WHOLE)
    assert raw_columns(spec) == [
        Column("query", "query", "string"),
        Column("taste", "query", "float32", width=3),
        TIMESTAMP,
        Column("title", "document", "string"),
        Column("released", "document", "int64"),
        Column("genres", "document", "string", multivalued=True, separator="|"),
        Column("clicks", "document", "float32"),
    ]
    assert [column.name for column in judged_columns(spec.data)] == ["label", "weight", "position"]
    schema = schema_of(spec)
    assert schema.names == [
        *("query_id", "query", "taste", "timestamp", "document_id"),
        *("label", "weight", "position", "title", "released", "genres", "clicks"),
    ]
    types = {name: schema.field(name).type for name in ("taste", "timestamp", "position", "released", "genres")}
    assert types == {
        "taste": pa.list_(pa.float32(), 3),
        "timestamp": pa.int64(),
        "position": pa.list_(pa.int64()),
        "released": pa.list_(pa.int64()),
        "genres": pa.list_(pa.list_(pa.string())),
    }


def test_lists_keep_a_timestamp_that_no_feature_reads(tables):
    spec = tables(overrides=("data.timestamp=asked",))
    assert TIMESTAMP not in raw_columns(spec)
    assert "timestamp" in schema_of(spec).names
    assert "timestamp" not in schema_of(tables()).names


def test_several_values_are_filled_to_the_longest():
    genres = Column("genres", "document", "string", multivalued=True)
    assert genres.array([[b"a", b"b"], [], [b"c"]]).tolist() == [[b"a", b"b"], [b"", b""], [b"c", b""]]
    assert genres.array([[], []]).tolist() == [[b""], [b""]]
    assert genres.array([]).shape == (0, 1)


def test_dates_are_whole_numbers():
    released = Column("released", "document", "int64")
    assert released.array([MISSING_INT, 2**40 + 1]).tolist() == [-(2**63), 2**40 + 1]
    assert released.array([1]).dtype == np.int64
