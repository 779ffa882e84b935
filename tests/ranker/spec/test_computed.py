"""Computed features and raw columns: options, references, names of columns."""

from __future__ import annotations

import json

import pytest
from pydantic import TypeAdapter, ValidationError

from ranker.data.columns import Column, column_of
from ranker.spec import Computed, Features, Raw

MODEL = {"name": "encoded", "kind": "saved_model", "path": "encoder", "inputs": {"text": "title"}}
CODE = {"name": "margin", "kind": "code", "code": "pricing:margin", "inputs": ["price", "stock"]}
STOCK = {"name": "stock", "kind": "raw", "type": "number"}


def features(*computed: dict, **changed) -> Features:
    given = {
        "query": [{"name": "query", "kind": "text"}],
        "document": [
            {"name": "title", "kind": "text"},
            {"name": "price", "kind": "numeric"},
            {"name": "tags", "kind": "categorical", "multivalued": True},
            STOCK,
        ],
        "computed": list(computed),
    }
    return Features.model_validate(given | changed)


def broken(*computed: dict, **changed) -> list[tuple[tuple[str | int, ...], str]]:
    with pytest.raises(ValidationError) as caught:
        features(*computed, **changed)
    [error] = caught.value.errors()
    return list(error["ctx"]["error"].faults)


def test_columns_once_the_width_is_known():
    given = features(MODEL, CODE, listwise=[{"kind": "rank_in_list", "of": "margin"}])
    assert given.dense_names == ["price", "rank_in_list_margin"]
    assert [given.may_have(name) for name in ("margin", "encoded", "encoded_31", "encoded_x", "stock")] == [
        *(True, True, True, False, False)
    ]
    found = given.with_widths({"encoded": 2, "margin": 1})
    assert found.dense_names == ["price", "margin", "encoded_0", "encoded_1", "rank_in_list_margin"]
    assert [found.may_have(name) for name in ("margin", "encoded", "encoded_1", "encoded_2")] == [
        *(True, False, True, False)
    ]
    assert Features.model_validate(json.loads(json.dumps(found.model_dump()))) == found


def test_raw_columns_are_read_and_are_no_features():
    given = features(CODE, {**MODEL, "inputs": {"x": "pixels", "y": "blurb"}}, pair=[
        {"name": "pixels", "kind": "raw", "type": "number", "width": 3},
        {"name": "blurb", "kind": "raw", "type": "text"},
    ])  # fmt: skip
    assert given.dense_names == ["price"]
    assert [column_of(feature, "document") for feature in (given.document[3], *given.pair)] == [
        Column("stock", "document", "float32"),
        Column("pixels", "document", "float32", 3),
        Column("blurb", "document", "string"),
    ]


def test_what_is_not_there_or_not_read():
    assert broken(MODEL | {"inputs": {"text": "titel", "more": "tags"}}) == [
        (
            ("computed", 0, "inputs"),
            "encoded: no column 'titel'; there are ['query', 'title', 'price', 'tags', 'stock']",
        ),
        (("computed", 0, "inputs"), "encoded: 'tags' has many values, which a saved_model cannot take; use kind: code"),
        (("document", 3), "raw column 'stock' has no effect: no computed feature reads it"),
    ]


def test_only_single_numbers_are_compared_in_lists():
    listwise = [{"kind": "rank_in_list", "of": "margin"}]
    assert features(CODE | {"width": 1}, listwise=listwise).listwise[0].of == "margin"
    [(where, what)] = broken(CODE | {"width": 2}, listwise=listwise)
    assert where == ("listwise", 0, "of")
    assert "no numeric feature, date, computed feature of one number or match 'margin'" in what


@pytest.mark.parametrize(
    ("name", "width"), [("price", None), ("margin", None), ("margin_1", 2)], ids=["given", "computed", "column"]
)
def test_no_two_columns_have_one_name(name, width):
    other = MODEL | {"name": name, "inputs": {"text": "title"}}
    assert broken(CODE | {"width": width}, other) == [((), f"feature name used more than once: {name}")]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (MODEL | {"transform": ["zscore", "minmax"]}, "both zscore and minmax"),
        (MODEL | {"transform": ["clip"]}, "Input should be 'log1p', 'zscore' or 'minmax'"),
        (MODEL | {"inputs": {}}, "at least 1 item"),
        (MODEL | {"inputs": ["title"]}, "valid dictionary"),
        (MODEL | {"width": 0}, "greater than or equal to 1"),
        (CODE | {"inputs": []}, "at least 1 item"),
        (CODE | {"path": "encoder"}, "Extra inputs are not permitted"),
        *(
            (CODE | {"code": code}, "should match pattern")
            for code in (
                "pricing",
                "pricing.margin",
                ":margin",
                "pricing:",
                "a/b:c",
                "a:b.c",
                "a:b c",
                ".a:b",
                "a..b:c",
            )
        ),
    ],
)
def test_options_that_do_not_fit(changed, message):
    with pytest.raises(ValidationError, match=message):
        TypeAdapter(Computed).validate_python(changed)


@pytest.mark.parametrize("code", ["pricing:margin", "shop.prices.of_today:margin_2", "_a:_b"])
def test_names_of_functions(code):
    assert TypeAdapter(Computed).validate_python(CODE | {"code": code}).code == code


def test_texts_have_no_width():
    with pytest.raises(ValidationError, match="width has no effect with type: text"):
        Raw.model_validate({"name": "blurb", "kind": "raw", "type": "text", "width": 2})


def test_faults_of_a_file_have_their_lines(text, faults):
    computed = "  computed:\n    - {name: margin, kind: code, code: pricing, inputs: [price]}\n  match:"
    [fault] = faults(text.replace("  match:", computed))
    assert "features.computed.0.code: String should match pattern" in fault
    missing, unknown = faults(text.replace("  match:", computed.replace("code: pricing,", "codes: pricing,")))
    assert missing.endswith("features.computed.0.code: Field required")
    assert unknown.endswith("features.computed.0.codes: unknown key; did you mean 'code'?")
