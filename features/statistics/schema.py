"""The schema of raw lists as tensorflow-metadata has it, inferred from the training lists.

It describes the raw records: features tagged `context` lie in the context of an ExampleListWithContext, those tagged
`example` in its examples. What is only known of judged lists is not in the environment `SERVING`. Who knows more of the
data may edit schema.pbtxt: `ranker validate` takes the types, shapes, presence, ranges and values that it finds there.
"""

from __future__ import annotations

from pathlib import Path

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from features.statistics.schema_checks import SCHEMA_TYPES
from features.statistics.summary import ColumnSummary, SplitSummary, Values
from ranker.data.artefacts import ArtefactError

__all__ = ["infer_schema", "read_schema", "write_schema"]

_MOST_VALUES = 100
_RARE = 10
_MOST_RARE = 0.01
_JUDGED = ("label", "weight", "position")


def infer_schema(train: SplitSummary) -> schema_pb2.Schema:
    """Types, presence, shapes and domains of the columns of the training lists.

    A column of categories gets a domain if it has at most 100 values, and at most 1% of all are of such as are there
    less than 10 times: otherwise a value that is not yet known says nothing.
    """
    schema = schema_pb2.Schema(default_environment=["TRAINING", "SERVING"])
    for name, tag in (("query_id", "context"), ("document_id", "example")):
        feature = schema.feature.add(name=name, type=schema_pb2.BYTES)
        feature.annotation.tag.append(tag)
        feature.presence.min_fraction = 1.0
        feature.shape.SetInParent()
    for column in train.columns:
        schema.feature.append(_feature(column))
    return schema


def write_schema(path: Path, schema: schema_pb2.Schema) -> None:
    """Write it as text."""
    path.write_text(text_format.MessageToString(schema, as_utf8=True), encoding="utf-8")


def read_schema(path: Path) -> schema_pb2.Schema:
    """Read what `write_schema` wrote, or a person made of it.

    Raises:
        ArtefactError: if the file is not there or cannot be parsed; the message names the line.
    """
    try:
        return text_format.Parse(path.read_text(encoding="utf-8"), schema_pb2.Schema())
    except OSError as error:
        raise ArtefactError(
            f"{path}: cannot read the schema: {error.strerror}; make the dataset anew with `ranker prepare --force`"
        ) from None
    except (text_format.ParseError, UnicodeDecodeError) as error:
        raise ArtefactError(f"{path}: {error}; expected a Schema of tensorflow-metadata as text") from None


def _feature(summary: ColumnSummary) -> schema_pb2.Feature:
    measured = summary.measured
    column = measured.column
    feature = schema_pb2.Feature(name=column.name, type=SCHEMA_TYPES[column.dtype])
    feature.annotation.tag.append("context" if column.scope == "query" else "example")
    if column.name in _JUDGED:
        feature.not_in_environment.append("SERVING")
    feature.presence.min_count = 1
    if not summary.missing:
        feature.presence.min_fraction = 1.0
    if column.multivalued:
        feature.value_count.min = 0
    elif summary.missing:
        feature.value_count.min = feature.value_count.max = column.width or 1
    else:
        feature.shape.SetInParent()
        if column.width is not None:
            feature.shape.dim.add(size=column.width)
    _put_domain(feature, summary)
    return feature


def _put_domain(feature: schema_pb2.Feature, summary: ColumnSummary) -> None:
    kind, numbers, values = summary.measured.kind, summary.numbers, summary.values
    if kind in ("time", "date"):
        feature.time_domain.integer_format = schema_pb2.TimeDomain.UNIX_SECONDS
    elif kind == "text":
        feature.natural_language_domain.SetInParent()
    elif kind == "position":
        feature.int_domain.min = 0
    elif values is not None and kind in ("category", "categories"):
        if _few(values):
            feature.string_domain.name = feature.name
            feature.string_domain.value.extend(sorted(value for value, _ in values.top))
    elif numbers is not None and numbers.count:
        feature.float_domain.min, feature.float_domain.max = numbers.minimum, numbers.maximum


def _few(values: Values) -> bool:
    rare = sum(count for _, count in values.top if count < _RARE)
    return 0 < values.distinct <= _MOST_VALUES and values.complete and rare <= _MOST_RARE * values.count
