"""Requests: from JSON to tensors and back, every refusal, and the order of an answer."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranker.data.columns import Column
from ranker.data.requests import RankRequest, RequestError, parse_request, rank_documents, to_request

COLUMNS = [
    Column("query", "query", "string"),
    Column("age", "query", "float32"),
    Column("title", "document", "string"),
    Column("price", "document", "float32"),
]
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
