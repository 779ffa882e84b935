"""Requests: from JSON to tensors and back, every refusal, and the order of an answer."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranker.data.columns import Column
from ranker.data.requests import RankRequest, RequestError, parse_request, rank_documents, to_request
from ranker.data.tables.text_lists import text_lists

COLUMNS = [
    Column("query", "query", "string"),
    Column("age", "query", "float32"),
    Column("title", "document", "string"),
    Column("price", "document", "float32"),
]
ODD = timezone(timedelta(hours=-3, minutes=-30))
LARGEST = float(np.finfo(np.float32).max)


def test_a_request_becomes_tensors_of_a_batch_of_one():
    request = parse_request(
        {
            "id": "q1",
            "query": {"query": "größe 7", "age": 3},
            "documents": [
                {"id": "a", "features": {"title": "Hat", "price": 0.1}},
                {"id": 7, "features": {"title": None}},
                {"id": "c"},
            ],
            "top_n": 2,
        },
        COLUMNS,
    )
    assert (request.query_id, request.document_ids, request.top_n) == ("q1", ["a", "7", "c"], 2)
    assert request.missing == ["title", "price"]
    assert {name: (values.dtype, values.shape) for name, values in request.tensors.items()} == {
        "mask": (np.bool_, (1, 3)),
        "query": (np.object_, (1,)),
        "age": (np.float32, (1,)),
        "title": (np.object_, (1, 3)),
        "price": (np.float32, (1, 3)),
    }
    assert request.tensors["mask"].all()
    assert request.tensors["query"].tolist() == ["größe 7".encode()]
    assert request.tensors["title"].tolist() == [[b"Hat", b"", b""]]
    np.testing.assert_array_equal(request.tensors["age"], [3])
    np.testing.assert_array_equal(request.tensors["price"], np.array([[0.1, np.nan, np.nan]], np.float32))


def test_what_may_be_left_out_is_missing():
    request = parse_request({"documents": [{"id": "a"}]}, COLUMNS)
    assert (request.query_id, request.top_n) == ("", None)
    assert request.missing == [column.name for column in COLUMNS]


def test_nothing_is_missing_when_all_is_there_even_if_empty():
    content = {
        "query": {"query": "", "age": 0},
        "documents": [{"id": "a", "features": {"title": "", "price": -0.0}}],
    }
    assert parse_request(content, COLUMNS).missing == []


# --- there and back --------------------------------------------------------------------------------------------------

numbers = st.none() | st.floats(width=32, allow_nan=False, allow_infinity=False) | st.integers(-(2**24), 2**24)
texts = st.none() | st.text()
documents = st.lists(
    st.fixed_dictionaries(
        {"id": st.text(min_size=1) | st.integers()},
        optional={"features": st.fixed_dictionaries({}, optional={"title": texts, "price": numbers})},
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda document: str(document["id"]),
)
requests = st.fixed_dictionaries(
    {"documents": documents},
    optional={
        "id": st.none() | st.text(min_size=1) | st.integers(),
        "query": st.fixed_dictionaries({}, optional={"query": texts, "age": numbers}),
        "top_n": st.none() | st.integers(1, 10),
    },
)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(requests)
def test_to_request_is_the_inverse_of_parse_request(content):
    request = parse_request(content, COLUMNS)
    again = parse_request(json.loads(json.dumps(to_request(request, COLUMNS), allow_nan=False)), COLUMNS)
    assert (again.query_id, again.document_ids, again.top_n) == (request.query_id, request.document_ids, request.top_n)
    assert again.tensors.keys() == request.tensors.keys()
    for name, values in request.tensors.items():
        np.testing.assert_array_equal(again.tensors[name], values, strict=True)


def test_to_request_leaves_out_what_is_missing():
    request = parse_request({"documents": [{"id": "a", "features": {"price": 2}}]}, COLUMNS)
    assert to_request(request, COLUMNS) == {"query": {}, "documents": [{"id": "a", "features": {"price": 2.0}}]}


# --- dates, vectors, many values -------------------------------------------------------------------------------------

MISSING = np.iinfo(np.int64).min
EVERY = [
    Column("born", "query", "int64"),
    Column("likes", "query", "string", multivalued=True),
    Column("taste", "query", "float32", 2),
    Column("timestamp", "query", "int64"),
    Column("released", "document", "int64"),
    Column("genres", "document", "string", multivalued=True),
    Column("picture", "document", "float32", 3),
]


def test_every_type_becomes_its_tensor():
    content = {
        "query": {"born": "1970-01-02", "likes": "war", "taste": [1, None], "timestamp": 86_400.9},
        "documents": [
            {"id": "a", "features": {"released": -1.5, "genres": ["war", "", None, 7], "picture": [1, 2, 3.5]}},
            {"id": "b", "features": {"released": "2024-05-01T10:00:00+02:00", "genres": []}},
            {"id": "c"},
        ],
    }
    request = parse_request(content, EVERY)
    assert {name: (values.dtype, values.shape) for name, values in request.tensors.items()} == {
        "mask": (np.bool_, (1, 3)),
        "born": (np.int64, (1,)),
        "likes": (np.object_, (1, 1)),
        "taste": (np.float32, (1, 2)),
        "timestamp": (np.int64, (1,)),
        "released": (np.int64, (1, 3)),
        "genres": (np.object_, (1, 3, 2)),
        "picture": (np.float32, (1, 3, 3)),
    }
    assert request.tensors["born"].tolist() == [86_400]
    assert request.tensors["timestamp"].tolist() == [86_400]
    assert request.tensors["released"].tolist() == [[-2, 1_714_550_400, MISSING]]
    assert request.tensors["likes"].tolist() == [[b"war"]]
    assert request.tensors["genres"].tolist() == [[[b"war", b"7"], [b"", b""], [b"", b""]]]
    np.testing.assert_array_equal(request.tensors["taste"], np.array([[1, np.nan]], np.float32))
    np.testing.assert_array_equal(request.tensors["picture"][0], [[1, 2, 3.5], [np.nan] * 3, [np.nan] * 3])
    assert request.missing == ["released", "genres", "picture"]


def test_what_is_missing_of_every_type():
    request = parse_request({"documents": [{"id": "a"}]}, EVERY)
    assert request.missing == [column.name for column in EVERY]
    assert request.tensors["likes"].tolist() == [[b""]]
    assert request.tensors["genres"].tolist() == [[[b""]]]
    assert request.tensors["timestamp"].tolist() == [MISSING]
    assert to_request(request, EVERY) == {"query": {}, "documents": [{"id": "a", "features": {}}]}


SPLIT = [
    Column("likes", "query", "string", multivalued=True, separator=", "),
    Column("genres", "document", "string", multivalued=True, separator="|"),
]


def test_texts_are_split_at_the_separator_of_their_feature():
    """A list is not split, as in tables."""
    genres = ["drama| war |\u2003| film noir", ["a|b", "", " c "], "", None, "one", 7, "x|\ud800"]
    documents = [{"id": at, "features": {"genres": value}} for at, value in enumerate(genres)]
    request = parse_request({"query": {"likes": "war, peace,both"}, "documents": documents}, SPLIT)
    values = [[text for text in row if text] for row in request.tensors["genres"][0].tolist()]
    assert values == [[b"drama", b"war", b"film noir"], [b"a|b", b" c "], [], [], [b"one"], [b"7"], [b"x", b"?"]]
    assert request.tensors["likes"].tolist() == [[b"war", b"peace,both"]]
    assert request.missing == ["genres"]
    again = parse_request(json.loads(json.dumps(to_request(request, SPLIT))), SPLIT)
    for name, tensor in request.tensors.items():
        np.testing.assert_array_equal(again.tensors[name], tensor, strict=True)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.lists(st.text(st.sampled_from("ab| \t\u2003;é")), min_size=1, max_size=6))
def test_requests_split_as_readers_of_tables_do(texts):
    documents = [{"id": at, "features": {"genres": text}} for at, text in enumerate(texts)]
    tensor = parse_request({"documents": documents}, SPLIT).tensors["genres"][0]
    expected = text_lists(pa.array(texts), "|", json_texts=False)[0].to_pylist()
    assert [[text.decode() for text in row if text] for row in tensor.tolist()] == expected


@pytest.mark.parametrize(("value", "found"), [(True, "bool True"), (1.5, "float 1.5"), (["a", 1.5], "float 1.5")])
def test_what_is_no_text_is_refused_with_a_separator_too(value, found):
    with pytest.raises(RequestError, match=rf"documents\[0\]\.features\.genres.*; got {found}|text, got {found}"):
        parse_request({"documents": [{"id": "a", "features": {"genres": value}}]}, SPLIT)


MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.sampled_from([UTC, ODD]))


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.lists(MOMENTS, min_size=1, max_size=4))
def test_moments_are_those_of_python_rounded_down(moments):
    documents = [{"id": str(at), "features": {"released": m.isoformat()}} for at, m in enumerate(moments)]
    request = parse_request({"documents": documents}, EVERY)
    expected = [(m - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1) for m in moments]
    assert request.tensors["released"][0].tolist() == expected


values = st.fixed_dictionaries(
    {},
    optional={
        "released": st.none() | st.integers(-(2**63) + 1, 2**63 - 1) | st.floats(-1e15, 1e15) | st.just(""),
        "genres": st.none() | st.text() | st.lists(st.text() | st.integers() | st.none(), max_size=3),
        "picture": st.none() | st.lists(numbers, min_size=3, max_size=3),
    },
)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.lists(values, min_size=1, max_size=4))
def test_to_request_is_the_inverse_for_every_type(features):
    content = {"documents": [{"id": at, "features": one} for at, one in enumerate(features)]}
    request = parse_request(content, EVERY)
    again = parse_request(json.loads(json.dumps(to_request(request, EVERY), allow_nan=False)), EVERY)
    for name, values in request.tensors.items():
        np.testing.assert_array_equal(again.tensors[name], values, strict=True)


DATE = "expected a date, as seconds since 1970 or a text such as 2024-05-01T10:00:00Z; got"


@pytest.mark.parametrize(
    ("feature", "message"),
    [
        ({"released": "yesterday"}, f": {DATE} str 'yesterday'"),
        ({"released": "1700000000"}, f": {DATE} str '1700000000'"),
        ({"released": True}, f": {DATE} bool True"),
        ({"released": [1]}, f": {DATE} list [1]"),
        ({"released": float("nan")}, f": {DATE} float nan"),
        ({"released": float("inf")}, f": {DATE} float inf"),
        ({"released": 2**63}, f": {DATE} int {2**63}"),
        ({"released": MISSING}, f": {DATE} int {MISSING}"),
        ({"released": "\ud800"}, f": {DATE} str '\\ud800'"),
        ({"genres": {"a": 1}}, ": expected a list of texts, or one text; got dict {'a': 1}"),
        ({"genres": 1.5}, ": expected a list of texts, or one text; got float 1.5"),
        ({"genres": ["a", 1.5]}, "[1]: expected text, got float 1.5"),
        ({"genres": ["a", ["b"]]}, "[1]: expected text, got list ['b']"),
        ({"picture": 3}, ": expected a list of 3 numbers, got int 3"),
        ({"picture": [1, 2]}, ": expected a list of 3 numbers, got list [1, 2]"),
        ({"picture": [1, 2, "3"]}, "[2]: expected a finite float32 number, got str '3'"),
    ],
)
def test_a_bad_value_of_every_type_says_where_and_what(feature, message):
    with pytest.raises(RequestError) as caught:
        parse_request({"documents": [{"id": "a"}, {"id": "b", "features": feature}]}, EVERY)
    [name] = feature
    assert str(caught.value) == f"documents[1].features.{name}{message}"


# --- refusals --------------------------------------------------------------------------------------------------------

ONE = {"documents": [{"id": "a"}]}


def with_features(**features):
    return {"documents": [{"id": "a"}, {"id": "b", "features": features}]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([1], "request: expected an object, got list [1]"),
        (None, "request: expected an object, got NoneType None"),
        ({**ONE, "topn": 3}, "request: unknown key 'topn'; known here: id, query, documents, top_n"),
        ({**ONE, "query": "hat"}, "query: expected an object, got str 'hat'"),
        ({**ONE, "query": {"text": "hat"}}, "query: unknown key 'text'; known here: query, age"),
        ({**ONE, "query": {"title": "hat"}}, "query: unknown key 'title'; known here: query, age"),
        ({}, "documents: expected a list with at least one document, got NoneType None"),
        ({"documents": []}, "documents: expected a list with at least one document, got list []"),
        ({"documents": {"id": 1}}, "documents: expected a list with at least one document, got dict {'id': 1}"),
        ({"documents": ["a"]}, "documents[0]: expected an object, got str 'a'"),
        ({"documents": [{"id": "a", "price": 3}]}, "documents[0]: unknown key 'price'; known here: id, features"),
        ({"documents": [{"id": "a"}, {}]}, "documents[1].id: expected a text that is not empty, or a whole number; "
         "got NoneType None"),
        ({"documents": [{"id": ""}]}, "documents[0].id: expected a text that is not empty, or a whole number; "
         "got str ''"),
        ({"documents": [{"id": 1.5}]}, "documents[0].id: expected a text that is not empty, or a whole number; "
         "got float 1.5"),
        ({"documents": [{"id": True}]}, "documents[0].id: expected a text that is not empty, or a whole number; "
         "got bool True"),
        ({"documents": [{"id": "b"}, {"id": "7"}, {"id": 7}]}, "documents: id '7' is there twice; every document of a "
         "list needs its own"),
        ({"documents": [{"id": "a", "features": [3]}]}, "documents[0].features: expected an object, got list [3]"),
        (with_features(prize=3), "documents[1].features: unknown key 'prize'; known here: title, price"),
        (with_features(query="x"), "documents[1].features: unknown key 'query'; known here: title, price"),
        (with_features(title=3.5), "documents[1].features.title: expected text, got float 3.5"),
        (with_features(price="3"), "documents[1].features.price: expected a finite float32 number, got str '3'"),
        (with_features(price=True), "documents[1].features.price: expected a finite float32 number, got bool True"),
        (with_features(price=float("nan")), "documents[1].features.price: expected a finite float32 number, "
         "got float nan"),
        (with_features(price=float("-inf")), "documents[1].features.price: expected a finite float32 number, "
         "got float -inf"),
        (with_features(price=1e39), "documents[1].features.price: expected a finite float32 number, got float 1e+39"),
        (with_features(price=10**400), f"documents[1].features.price: expected a finite float32 number, "
         f"got int 1{'0' * 59}"),
        ({**ONE, "query": {"age": "3"}}, "query.age: expected a finite float32 number, got str '3'"),
        ({**ONE, "query": {"query": True}}, "query.query: expected text, got bool True"),
        ({**ONE, "top_n": 0}, "top_n: expected a whole number from 1, got int 0"),
        ({**ONE, "top_n": 2.0}, "top_n: expected a whole number from 1, got float 2.0"),
        ({**ONE, "top_n": True}, "top_n: expected a whole number from 1, got bool True"),
        ({**ONE, "id": ""}, "id: expected a text that is not empty, or a whole number; got str ''"),
        ({**ONE, "id": []}, "id: expected a text that is not empty, or a whole number; got list []"),
    ],
)  # fmt: skip
def test_a_bad_request_says_where_and_what(content, message):
    with pytest.raises(RequestError) as caught:
        parse_request(content, COLUMNS)
    assert str(caught.value) == message


def test_a_long_value_is_cut_in_the_message():
    with pytest.raises(RequestError) as caught:
        parse_request({"documents": "x" * 1000}, COLUMNS)
    assert len(str(caught.value)) < 150


def test_the_largest_float32_is_a_number():
    request = parse_request(with_features(price=-LARGEST), COLUMNS)
    assert request.tensors["price"][0, 1] == np.float32(-LARGEST)


# --- answers ---------------------------------------------------------------------------------------------------------


def a_list(ids, top_n=None):
    return RankRequest("q", ids, {}, top_n)


def test_documents_come_by_falling_score():
    scores = np.array([0.5, 2, -1], np.float32)
    assert rank_documents(a_list(["a", "b", "c"]), scores) == [
        {"rank": 1, "id": "b", "score": 2.0, "index": 1},
        {"rank": 2, "id": "a", "score": 0.5, "index": 0},
        {"rank": 3, "id": "c", "score": -1.0, "index": 2},
    ]


def test_ties_keep_the_order_of_the_request():
    ids = [f"d{i}" for i in range(100)]
    scores = np.array([i % 2 for i in range(100)], np.float32)
    ranked = [result["id"] for result in rank_documents(a_list(ids), scores)]
    assert ranked == ids[1::2] + ids[::2]


@pytest.mark.parametrize(("top_n", "count"), [(1, 1), (2, 2), (3, 3), (9, 3), (None, 3)])
def test_top_n_cuts_the_answer(top_n, count):
    ranked = rank_documents(a_list(["a", "b", "c"], top_n), np.array([1, 2, 3], np.float32))
    assert [result["id"] for result in ranked] == ["c", "b", "a"][:count]


def test_scores_in_an_answer_are_the_float32_ones():
    score = np.float32(0.1)
    [result] = rank_documents(a_list(["a"]), np.array([score]))
    assert type(result["score"]) is float
    assert np.float32(json.loads(json.dumps(result["score"]))).tobytes() == score.tobytes()


def test_a_whole_number_in_a_text_is_its_digits_as_in_tables():
    request = parse_request(with_features(title=12), COLUMNS)
    assert request.tensors["title"][0, 1] == b"12"
