"""Which columns are measured."""

from __future__ import annotations

from features.statistics.measured import measured_columns
from ranker.spec import Spec


def test_each_kind_of_column_is_known_for_what_it_is(every_kind):
    assert {column.name: column.kind for column in measured_columns(every_kind)} == {
        "query": "text",
        "country": "category",
        "budget": "number",
        "born": "date",
        "timestamp": "time",
        "title": "text",
        "brand": "category",
        "genres": "categories",
        "price": "number",
        "released": "date",
        "image": "vector",
        "clicks": "number",
        "label": "label",
        "weight": "number",
        "position": "position",
    }
    (image,) = (column for column in measured_columns(every_kind) if column.kind == "vector")
    assert image.first == 1


def test_raw_columns_and_a_time_that_no_feature_reads():
    content = {
        "version": 1,
        "data": {"sources": [{"kind": "tables", "queries": "q", "documents": "d", "judgments": "j"}], "timestamp": "t"},
        "features": {
            "document": [
                {"name": "price", "kind": "numeric"},
                {"name": "text", "kind": "raw", "type": "text"},
                {"name": "number", "kind": "raw", "type": "number"},
                {"name": "vector", "kind": "raw", "type": "number", "width": 2},
            ],
            "computed": [{"name": "c", "kind": "code", "code": "m:f", "inputs": ["text", "number", "vector"]}],
        },
        "models": [{"name": "net", "kind": "self_attention"}],
        "blend": {"members": ["net"]},
    }
    kinds = {column.name: column.kind for column in measured_columns(Spec.model_validate(content))}
    assert kinds == {
        "timestamp": "time",
        "price": "number",
        "text": "text",
        "number": "number",
        "vector": "vector",
        "label": "label",
    }
