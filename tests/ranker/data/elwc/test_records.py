"""Raw records: what TF-Ranking's own parser finds in them, and that reading gives back what was written."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from tensorflow_serving.apis import input_pb2

from ranker.data.columns import LABEL, TIMESTAMP, Column, list_schema
from ranker.data.elwc.records import raw_records, read_raw
from ranker.data.requests import parse_request, to_request
from ranker.models.tensorflow_ranking import tfr

NAN = math.nan
ROWS = [
    {"query_id": "Größe", "query": "日本 \x00 'x'", "age": NAN, "document_id": ["007", "7", "ü"],
     "label": [0.0, 0.1, 31.0], "title": ["", "é", "a\nb"], "price": [NAN, -0.0, 3.4e38], "brand": ["x", "", "y"]},
    {"query_id": "b", "query": "", "age": 0.1, "document_id": ["d"],
     "label": [2.0], "title": ["t"], "price": [0.1], "brand": [""]},
]  # fmt: skip


def write(file: Path, records: Iterable[bytes]) -> None:
    with tf.io.TFRecordWriter(str(file)) as writer:
        for record in records:
            writer.write(record)


@pytest.fixture(scope="module")
def records(columns) -> list[bytes]:
    batch = pa.RecordBatch.from_pylist(ROWS, schema=list_schema(columns))
    return list(raw_records(batch, columns))


@pytest.fixture(scope="module")
def judged(columns, records, tmp_path_factory):
    """What is read back from two files."""
    folder = tmp_path_factory.mktemp("raw")
    for name, record in zip("ab", records, strict=True):
        write(folder / name, [record])
    return list(read_raw([folder / "a", folder / "b"], columns))


def test_the_context_holds_the_query_and_each_example_a_document(records):
    elwc = input_pb2.ExampleListWithContext.FromString(records[0])
    context = elwc.context.features.feature
    assert set(context) == {"query_id", "query"}, "the missing number is left out"
    assert context["query"].bytes_list.value[0].decode() == ROWS[0]["query"]
    assert [set(example.features.feature) for example in elwc.examples] == [
        {"document_id", "label", "title", "brand"},
        {"document_id", "label", "title", "brand", "price"},
        {"document_id", "label", "title", "brand", "price"},
    ]


def test_records_are_the_same_bytes_each_time(columns, records):
    batch = pa.RecordBatch.from_pylist(ROWS, schema=list_schema(columns))
    assert list(raw_records(batch, columns)) == records


def test_tensorflow_ranking_parses_them(records):
    text, number = tf.io.FixedLenFeature([1], tf.string, b"none"), tf.io.FixedLenFeature([1], tf.float32, -7.0)
    parsed = tfr.data.parse_from_example_list(
        tf.constant(records),
        context_feature_spec={"query_id": text, "query": text, "age": number},
        example_feature_spec={"document_id": text, "label": number, "title": text, "price": number, "brand": text},
        size_feature_name="size",
    )
    assert parsed["size"].numpy().tolist() == [3, 1]
    assert [value.decode() for value in parsed["query"].numpy()[:, 0]] == [row["query"] for row in ROWS]
    assert parsed["age"].numpy()[:, 0].tolist() == [-7.0, float(np.float32(0.1))]
    for row, size, ids, labels, prices in zip(
        ROWS, (3, 1), *(parsed[name].numpy()[:, :, 0] for name in ("document_id", "label", "price")), strict=True
    ):
        assert [value.decode() for value in ids[:size]] == row["document_id"]
        np.testing.assert_array_equal(labels[:size], np.array(row["label"], np.float32))
        np.testing.assert_array_equal(prices[:size], np.nan_to_num(np.array(row["price"], np.float32), nan=-7.0))


def test_reading_gives_back_what_was_written(columns, judged):
    assert [one.request.query_id for one in judged] == [row["query_id"] for row in ROWS]
    for row, one in zip(ROWS, judged, strict=True):
        assert one.request.document_ids == row["document_id"]
        np.testing.assert_array_equal(one.labels, np.array(row["label"], np.float32), strict=True)
        for column in columns:
            values = row[column.name] if column.scope == "document" else [row[column.name]]
            expected = (
                np.array([v.encode() for v in values], object) if column.dtype == "string" else np.float32(values)
            )
            got = one.request.tensors[column.name]
            np.testing.assert_array_equal(got if column.scope == "query" else got[0], expected)


def test_a_list_read_back_is_the_request_a_client_would_send(columns, judged):
    """The same tensors, with the same types and shapes, as `parse_request` makes of the JSON."""
    for row, one in zip(ROWS, judged, strict=True):

        def present(scope, at, row=row):
            names = [column.name for column in columns if column.scope == scope]
            values = {name: row[name] if at is None else row[name][at] for name in names}
            return {name: value for name, value in values.items() if value == value}

        request = parse_request(
            {
                "id": row["query_id"],
                "query": present("query", None),
                "documents": [
                    {"id": i, "features": present("document", at)} for at, i in enumerate(row["document_id"])
                ],
            },
            columns,
        )
        assert one.request.tensors.keys() == request.tensors.keys()
        for name, values in request.tensors.items():
            np.testing.assert_array_equal(one.request.tensors[name], values, strict=True)


# --- every type -------------------------------------------------------------------------------------------------------

DAY = 86_400
MISSING = np.iinfo(np.int64).min
EVERY = [
    Column("born", "query", "int64"),
    Column("likes", "query", "string", multivalued=True),
    Column("taste", "query", "float32", 2),
    Column("released", "document", "int64"),
    Column("genres", "document", "string", multivalued=True),
    Column("picture", "document", "float32", 3),
]
LISTS = [
    {"query_id": "a", "timestamp": 20_000 * DAY, "born": -7 * DAY, "likes": ["war", "é"], "taste": [1.0, NAN],
     "document_id": ["x", "y"], "label": [1.0, 0.0], "weight": [0.5, 1.0], "position": [2, 0],
     "released": [MISSING, 5], "genres": [["film noir", "war", "war"], []], "picture": [[NAN] * 3, [0.1, NAN, -0.0]]},
    {"query_id": "b", "timestamp": MISSING, "born": MISSING, "likes": [], "taste": [NAN, NAN],
     "document_id": ["x"], "label": [2.0], "weight": [3.5], "position": [1],
     "released": [-1], "genres": [["drama"]], "picture": [[1.0, 2.0, 3.0]]},
]  # fmt: skip
JUDGED = [LABEL, Column("weight", "document", "float32"), Column("position", "document", "int64")]


@pytest.fixture(scope="module")
def batch() -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(LISTS, schema=list_schema([TIMESTAMP, *EVERY], JUDGED))


def found(example) -> dict[str, list]:
    features = example.features.feature
    return {name: list(getattr(value, value.WhichOneof("kind")).value) for name, value in features.items()}


def test_what_is_missing_is_left_out(batch):
    first, second = (input_pb2.ExampleListWithContext.FromString(record) for record in raw_records(batch, EVERY))
    context = found(first.context)
    assert context.pop("taste") == pytest.approx([1.0, NAN], nan_ok=True)
    assert context == {
        "query_id": [b"a"],
        "timestamp": [20_000 * DAY],
        "born": [-7 * DAY],
        "likes": [b"war", "é".encode()],
    }
    assert found(second.context) == {"query_id": [b"b"]}
    assert found(first.examples[0]) == {
        "document_id": [b"x"],
        "label": [1.0],
        "weight": [0.5],
        "position": [2],
        "genres": [b"film noir", b"war", b"war"],
    }
    shown = found(first.examples[1])
    assert "position" not in shown, "it was not shown"
    assert shown["released"] == [5]
    assert set(shown) == {"document_id", "label", "weight", "released", "picture"}


def test_views_of_a_batch_are_their_own_lists(batch):
    whole = list(raw_records(batch, EVERY))
    for kept in (batch.slice(1, 1), batch.filter(pa.array([False, True]))):
        assert list(raw_records(kept, EVERY)) == whole[1:]


def test_a_timestamp_that_is_a_feature_is_written_once(batch):
    assert list(raw_records(batch, [TIMESTAMP, *EVERY])) == list(raw_records(batch, EVERY))


@pytest.mark.parametrize("columns", [EVERY, [TIMESTAMP, *EVERY]], ids=["without time", "with time"])
def test_every_type_comes_back(batch, tmp_path, columns):
    """As `parse_request` gives it."""
    write(tmp_path / "raw", raw_records(batch, columns))
    for row, one in zip(LISTS, read_raw([tmp_path / "raw"], columns), strict=True):
        tensors = one.request.tensors
        assert tensors.keys() == {"mask", *(column.name for column in columns)}
        assert tensors["born"].tolist() == [row["born"]]
        assert tensors["released"].tolist() == [row["released"]]
        assert tensors["born"].dtype == tensors["released"].dtype == np.int64
        np.testing.assert_array_equal(tensors["taste"], np.array([row["taste"]], np.float32), strict=True)
        np.testing.assert_array_equal(tensors["picture"], np.array([row["picture"]], np.float32), strict=True)
        assert [v.decode() for v in tensors["likes"][0] if v] == row["likes"]
        assert [[v.decode() for v in texts if v] for texts in tensors["genres"][0]] == row["genres"]
        assert tensors["genres"].shape[:2] == (1, len(row["document_id"]))
        again = parse_request(to_request(one.request, columns), columns)
        for name, values in again.tensors.items():
            np.testing.assert_array_equal(tensors[name], values, strict=True)
        np.testing.assert_array_equal(one.labels, np.array(row["label"], np.float32), strict=True)
        np.testing.assert_array_equal(one.weights, np.array(row["weight"], np.float32), strict=True)
        np.testing.assert_array_equal(one.positions, np.array(row["position"]), strict=True)


def test_without_weights_and_positions_all_weigh_1_and_none_was_shown(judged):
    assert [one.weights.tolist() for one in judged] == [[1, 1, 1], [1]]
    assert [one.positions.tolist() for one in judged] == [[0, 0, 0], [0]]
