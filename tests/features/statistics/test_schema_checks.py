"""Columns against a schema that was edited."""

from __future__ import annotations

import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from features.statistics.schema import infer_schema
from features.statistics.schema_checks import schema_differs


@pytest.fixture(scope="module")
def summary(summarise, rows):
    return summarise(rows(3, 60), "new")


@pytest.fixture
def faults(summary):
    """`faults(column, text)` is what is wrong if the schema has this for a column."""

    def told(column, text):
        schema = infer_schema(summary)
        (feature,) = (feature for feature in schema.feature if feature.name == column)
        edited = text_format.Parse(text, schema_pb2.Feature())
        feature.ClearField("shape_type")
        if edited.annotation.tag:
            feature.annotation.ClearField("tag")
        feature.MergeFrom(edited)
        anomalies = schema_differs(summary, schema)
        assert {(a.split, a.column, a.check, a.action) for a in anomalies} <= {("new", column, "type", "fail")}
        start, end = f"new: column {column!r} ", ", in schema.pbtxt; mend the data or what the schema says"
        assert all(a.message.startswith(start) and a.message.endswith(end) for a in anomalies)
        return [a.message.removeprefix(start).removesuffix(end) for a in anomalies]

    return told


def test_lists_are_as_the_schema_made_of_them(summary):
    assert schema_differs(summary, infer_schema(summary)) == []
    assert schema_differs(summary, schema_pb2.Schema()) == [], "what is not in the schema may be anything"


@pytest.mark.parametrize(
    ("column", "text", "fault"),
    [
        ("price", "type: INT", "has the type FLOAT; expected INT"),
        ("price", "type: BYTES", "has the type FLOAT; expected BYTES"),
        ("brand", "type: INT", "has the type BYTES; expected INT"),
        ("released", "type: FLOAT", "has the type INT; expected FLOAT"),
        ("country", 'annotation { tag: "example" }', "is of the context; expected of the example"),
        ("price", 'annotation { tag: "context" }', "is of the example; expected of the context"),
        ("image", "shape { dim { size: 4 } }", "has 3 values a row; expected 4"),
        ("image", "value_count { min: 2 max: 2 }", "has 3 values a row; expected 2"),
        ("price", "shape { dim { size: 2 } }", "has 1 values a row; expected 2"),
        ("price", "value_count { min: 2 }", "has 1 values a row; expected 2 or more"),
        ("genres", "value_count { max: 2 }", "has 1 to 3 values a row; expected 0 to 2"),
        ("genres", "value_count { min: 2 }", "has 1 to 3 values a row; expected 2 or more"),
        ("genres", "shape { }", "has 1 to 3 values a row; expected 1"),
    ],
)
def test_what_is_not_as_the_schema_says(faults, column, text, fault):
    assert faults(column, text) == [fault]


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("price", "shape { }"),
        ("price", "value_count { min: 1 max: 1 }"),
        ("price", 'annotation { tag: "mine" }'),
        ("image", "shape { dim { size: 3 } }"),
        ("genres", "value_count { min: 1 max: 3 }"),
        ("genres", ""),
    ],
)
def test_what_is_as_the_schema_says(faults, column, text):
    assert faults(column, text) == []


def test_one_fault_of_a_column_is_enough(faults):
    assert faults("price", "type: INT shape { dim { size: 2 } }") == ["has the type FLOAT; expected INT"]


def test_a_column_without_values_has_no_wrong_number_of_them(summarise, rows):
    empty = summarise([row | {"genres": [[] for _ in row["genres"]]} for row in rows(3, 20)], "new")
    schema = infer_schema(empty)
    (genres,) = (feature for feature in schema.feature if feature.name == "genres")
    genres.value_count.min = 2
    assert schema_differs(empty, schema) == []
