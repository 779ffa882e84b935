"""The section `features`: options that exclude each other, references, names of columns."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from ranker.spec import Categorical, Features, Numeric, Spec, Text
from ranker.spec.section import ReferencesError

QUERY = {"name": "query", "kind": "text"}
TITLE = {"name": "title", "kind": "text"}
PRICE = {"name": "price", "kind": "numeric"}
BRAND = {"name": "brand", "kind": "categorical"}
MATCH = {"kind": "coverage", "query": "query", "document": "title"}


def features(**changed) -> Features:
    given = {"query": [QUERY], "document": [TITLE, PRICE, BRAND], "match": [MATCH]}
    return Features.model_validate(given | changed)


def broken(**changed) -> list[tuple[tuple[str | int, ...], str]]:
    """Where each is, and what."""
    with pytest.raises(ValidationError) as caught:
        features(**changed)
    [error] = caught.value.errors()
    assert isinstance(error["ctx"]["error"], ReferencesError)
    return list(error["ctx"]["error"].faults)


# --- names of columns -------------------------------------------------------------------------------------------------


def test_names_of_all_columns_in_order():
    """Numbers, columns of categories and of words, matches, listwise; each as written."""
    given = features(
        query=[QUERY | {"encode": "bag", "buckets": 2}, {"name": "age", "kind": "numeric", "missing_indicator": True}],
        document=[
            BRAND | {"encode": "one_hot", "vocabulary": {"top_k": 2}},
            TITLE,
            PRICE | {"buckets": 4, "missing_indicator": True},
            {"name": "shop", "kind": "categorical", "hash": 2, "encode": "one_hot"},
        ],
        match=[MATCH, {"kind": "bm25", "query": "query", "document": "title"}],
        listwise=[{"kind": "rank_in_list", "of": "price"}, {"kind": "zscore_in_list", "of": "coverage_query_title"}],
    )
    assert given.dense_names == [
        *("age", "age_missing", "price", "price_bucket", "price_missing"),
        *("brand_is_1", "brand_is_2", "brand_is_3", "shop_is_1", "shop_is_2"),
        *("query_bag_1", "query_bag_2"),
        *("coverage_query_title", "bm25_query_title"),
        *("rank_in_list_price", "zscore_in_list_coverage_query_title"),
    ]


def test_the_default_number_has_one_column():
    assert Numeric(name="price", kind="numeric").dense_columns == ["price"]
    assert features(match=[]).dense_names == ["price"]


def test_all_options_survive_the_way_through_a_manifest():
    given = features(
        query=[QUERY | {"encode": "bag", "buckets": 2, "ngrams": 3}],
        document=[
            TITLE,
            PRICE | {"transform": ["clip", "minmax"], "clip": [0, 9.5], "missing": 3, "buckets": 4},
            BRAND | {"hash": 7},
            {"name": "shop", "kind": "categorical", "encode": "one_hot", "vocabulary": {"top_k": 9, "min_count": 2}},
        ],
        listwise=[{"kind": "rank_in_list", "of": "price"}],
    )
    assert Features.model_validate(json.loads(json.dumps(given.model_dump()))) == given


def test_columns_of_dates_vectors_and_weighed_words():
    given = features(
        document=[
            TITLE | {"encode": "tfidf", "buckets": 2},
            {"name": "released", "kind": "date", "buckets": 3},
            {"name": "picture", "kind": "vector", "width": 2},
        ],
        pair=[{"name": "clicks", "kind": "numeric"}, {"name": "seen", "kind": "date"}],
        listwise=[{"kind": "rank_in_list", "of": "released"}, {"kind": "rank_in_list", "of": "clicks"}],
    )
    assert given.dense_names == [
        *("clicks", "released", "released_bucket", "seen", "picture_0", "picture_1", "title_tfidf_1", "title_tfidf_2"),
        *("coverage_query_title", "rank_in_list_released", "rank_in_list_clicks"),
    ]
    assert [feature.name for feature in given.of_documents] == ["title", "released", "picture", "clicks", "seen"]
    assert [feature.name for feature in given.dates] == ["released", "seen"]
    assert Features.model_validate(json.loads(json.dumps(given.model_dump()))) == given


def test_weighed_words_are_for_texts_of_documents():
    [(where, what)] = broken(query=[QUERY | {"encode": "tfidf", "buckets": 2}])
    assert where == ("query", 0, "encode")
    assert "tfidf is for texts of documents" in what


def test_vectors_of_the_query_have_no_zscores_in_lists():
    vector = {"name": "taste", "kind": "vector", "width": 2}
    [(where, what)] = broken(query=[QUERY, vector | {"zscore_in_list": True}])
    assert where == ("query", 1, "zscore_in_list")
    assert what.startswith("taste: zscore_in_list has no effect")
    assert features(
        query=[QUERY, vector], document=[TITLE, PRICE, vector | {"name": "picture", "zscore_in_list": True}]
    )


# --- options ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"transform": ["zscore", "minmax"]}, "both zscore and minmax"),
        ({"transform": ["log1p", "log1p"]}, "transform step name used more than once: log1p"),
        ({"transform": ["clip"]}, "both or none of the step `clip`"),
        ({"clip": [0, 1]}, "both or none of the step `clip`"),
        ({"transform": ["clip"], "clip": [1, 1]}, r"low < high, got \[1.0, 1.0\]"),
        ({"transform": ["clip"], "clip": [1]}, "at least 2 items"),
        ({"buckets": 1}, "greater than or equal to 2"),
        ({"missing": "median"}, "expected mean, zero or a number, got 'median'"),
        ({"missing": True}, "expected mean, zero or a number, got True"),
        ({"missing": float("nan")}, "expected mean, zero or a number, got nan"),
    ],
)
def test_options_of_numbers_that_do_not_fit(options, message):
    with pytest.raises(ValidationError, match=message) as caught:
        Numeric.model_validate(PRICE | options)
    assert caught.value.error_count() == 1


@pytest.mark.parametrize("missing", ["mean", "zero", 0, -1.5])
def test_what_a_missing_number_may_become(missing):
    assert Numeric.model_validate(PRICE | {"missing": missing}).missing == missing


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hash": 8, "vocabulary": {"top_k": 9}}, "vocabulary and hash exclude each other"),
        ({"separator": "|"}, "separator has no effect without multivalued: true"),
        ({"encode": "one_hot"}, "one_hot of 5001 columns, at most 1000"),
        ({"encode": "one_hot", "hash": 1001}, "one_hot of 1001 columns, at most 1000"),
        ({"encode": "one_hot", "hash": 9, "embed": 4}, "embed has no effect with encode: one_hot"),
        ({"hash": 1}, "greater than or equal to 2"),
    ],
)
def test_options_of_categories_that_do_not_fit(options, message):
    with pytest.raises(ValidationError, match=message):
        Categorical.model_validate(BRAND | options)


def test_one_hot_up_to_its_limit():
    given = Categorical.model_validate(BRAND | {"encode": "one_hot", "vocabulary": {"top_k": 990, "oov": 10}})
    assert len(given.dense_columns) == 1000


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"encode": "bag"}, "bag of 4096 columns, at most 1024"),
        ({"encode": "bag", "buckets": 64, "embed": 4}, "embed has no effect with encode: bag"),
        ({"encode": "tfidf", "buckets": 64, "embed": 4}, "embed has no effect with encode: tfidf"),
        ({"encode": "tfidf", "buckets": 64, "ngrams": 2}, "tfidf counts words, not runs of them"),
        ({"ngrams": 4}, "less than or equal to 3"),
    ],
)
def test_options_of_texts_that_do_not_fit(options, message):
    with pytest.raises(ValidationError, match=message):
        Text.model_validate(TITLE | options)


# --- references -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("of", ["brand", "title", "query", "age", "nothing", "rank_in_list_price"])
def test_listwise_features_need_a_number_of_the_document(of):
    query = [QUERY, {"name": "age", "kind": "numeric"}]
    listwise = [{"kind": "rank_in_list", "of": "price"}, {"kind": "zscore_in_list", "of": of}]
    assert broken(query=query, listwise=listwise) == [
        (
            ("listwise", 1, "of"),
            f"zscore_in_list_{of}: no numeric feature, date, computed feature of one number or match {of!r}; "
            "there are ['price', 'coverage_query_title']",
        )
    ]


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"document": [TITLE, PRICE | {"missing_indicator": True}, TITLE | {"name": "price_missing"}]},
         "price_missing"),
        ({"document": [TITLE, PRICE | {"buckets": 3}, BRAND | {"name": "price_bucket"}]}, "price_bucket"),
        ({"document": [TITLE, PRICE | {"name": "brand_is_2"}, BRAND | {"hash": 3, "encode": "one_hot"}]}, "brand_is_2"),
        ({"document": [TITLE, PRICE | {"name": "rank_in_list_price"}, PRICE],
          "listwise": [{"kind": "rank_in_list", "of": "price"}]}, "rank_in_list_price"),
        ({"match": [MATCH, MATCH]}, "coverage_query_title"),
        ({"document": [TITLE, PRICE, PRICE]}, "price"),
    ],
)  # fmt: skip
def test_no_two_columns_have_one_name(changed, name):
    assert broken(**changed) == [((), f"feature name used more than once: {name}")]


def test_all_faults_are_told_at_once():
    match = [MATCH, {"kind": "bm25", "query": "title", "document": "price"}]
    places = [place for place, _ in broken(match=match, listwise=[{"kind": "rank_in_list", "of": "x"}])]
    assert places == [("match", 1, "query"), ("match", 1, "document"), ("listwise", 0, "of")]


def test_faults_of_a_file_have_their_lines(text, faults):
    changed = text.replace("kind: bm25", "kind: coverage").replace("document: title}", "document: price}")
    assert "features.match.0.document: coverage_query_price: no text feature 'price'" in faults(changed)[0]
    changed = text.replace("transform: [log1p]", "missing: median")
    [fault] = faults(changed)
    assert fault.endswith("features.document.1.missing: expected mean, zero or a number, got 'median'")


def test_kinds_of_a_file(text, load):
    spec = load(text.replace("match:", "listwise:\n    - {kind: rank_in_list, of: price}\n  match:"))
    assert isinstance(spec, Spec)
    assert spec.features.dense_names == ["price", "bm25_query_title", "rank_in_list_price"]
