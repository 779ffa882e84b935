"""Crosses: options that exclude each other, what they may be of, names of columns."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from ranker.spec import Cross, Features

FEATURES = {
    "query": [
        {"name": "query", "kind": "text"},
        {"name": "season", "kind": "categorical"},
        {"name": "likes", "kind": "categorical", "multivalued": True},
        {"name": "age", "kind": "numeric", "buckets": 3},
        {"name": "plain", "kind": "numeric"},
    ],
    "document": [
        {"name": "title", "kind": "text"},
        {"name": "brand", "kind": "categorical", "encode": "one_hot", "hash": 3},
        {"name": "price", "kind": "numeric", "buckets": 4},
        {"name": "weight_g", "kind": "numeric"},
    ],
    "pair": [{"name": "via", "kind": "categorical"}],
}


def features(*crosses: dict) -> Features:
    return Features.model_validate(FEATURES | {"crosses": list(crosses)})


def faults(*crosses: dict) -> list[tuple[tuple[str | int, ...], str]]:
    with pytest.raises(ValidationError) as caught:
        features(*crosses)
    [error] = caught.value.errors()
    return list(error["ctx"]["error"].faults)


def test_columns_come_after_those_of_given_features():
    one_hot = {"query": "season", "document": "brand", "buckets": 2, "encode": "one_hot"}
    given = features(one_hot, {"query": "age", "document": "price"})
    at = given.dense_names.index("cross_season_brand_is_1")
    assert given.dense_names[at - 1 :] == ["brand_is_3", "cross_season_brand_is_1", "cross_season_brand_is_2"]
    assert Features.model_validate(json.loads(json.dumps(given.model_dump()))) == given


@pytest.mark.parametrize(
    ("query", "document", "many"),
    [
        ("season", "brand", False),
        ("age", "price", False),
        ("season", "via", False),
        ("likes", "brand", True),
        ("query", "brand", True),
        ("age", "title", True),
    ],
)
def test_what_may_give_several_ids(query, document, many):
    given = features({"query": query, "document": document})
    assert given.has_many(given.crosses[0]) == many


def test_what_a_cross_may_be_of():
    """Of a side at a time; numbers need buckets."""
    assert faults({"query": "plain", "document": "weight_g"}, {"query": "brand", "document": "none"}) == [
        (
            ("crosses", 0, "query"),
            "cross_plain_weight_g: no category, text or number with buckets 'plain' under features.query; "
            "there are ['query', 'season', 'likes', 'age']",
        ),
        (
            ("crosses", 0, "document"),
            "cross_plain_weight_g: no category, text or number with buckets 'weight_g' under features.document; "
            "there are ['title', 'brand', 'price', 'via']",
        ),
        *(
            (
                ("crosses", 1, side),
                f"cross_brand_none: no category, text or number with buckets {name!r} under features.{side}; "
                f"there are {there}",
            )
            for side, name, there in (
                ("query", "brand", ["query", "season", "likes", "age"]),
                ("document", "none", ["title", "brand", "price", "via"]),
            )
        ),
    ]


def test_a_limit_of_values_needs_several():
    assert faults({"query": "season", "document": "brand", "max_values": 3}) == [
        (
            ("crosses", 0, "max_values"),
            "cross_season_brand: max_values has no effect where both sides have one value; leave it out",
        )
    ]
    assert features({"query": "season", "document": "title", "max_values": 3}).crosses[0].max_values == 3


def test_the_same_cross_twice():
    cross = {"query": "season", "document": "brand"}
    assert faults(cross, cross | {"buckets": 9}) == [((), "feature name used more than once: cross_season_brand")]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"encode": "one_hot"}, "one_hot of 4096 columns, at most 1000; lower buckets"),
        ({"encode": "one_hot", "buckets": 9, "embed": 4}, "embed has no effect with encode: one_hot"),
        ({"buckets": 1}, "greater than or equal to 2"),
        ({"max_values": 65}, "less than or equal to 64"),
        ({"kind": "bm25"}, "Input should be 'cross'"),
        ({"hash": 8}, "Extra inputs are not permitted"),
    ],
)
def test_options_that_do_not_fit(options, message):
    with pytest.raises(ValidationError, match=message):
        Cross.model_validate({"query": "season", "document": "brand"} | options)


def test_faults_of_a_file_have_their_lines(text, faults):
    changed = text.replace("  match:", "  crosses:\n    - {query: query, document: titel}\n  match:")
    [fault] = faults(changed)
    assert "features.crosses.0.document: cross_query_titel: no category, text or number with buckets 'titel'" in fault
    [fault] = faults(changed.replace("titel", "title, bucket: 9"))
    assert fault.endswith("features.crosses.0.bucket: unknown key; did you mean 'buckets'?")
