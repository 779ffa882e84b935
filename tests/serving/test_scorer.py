"""The online scorer's answers and refusals, without a server."""

import numpy as np
import pytest
import tensorflow as tf

from ranker.bundle import BLEND, Scorer
from ranker.data.elwc.records import read_raw
from ranker.data.requests import RequestError, to_request
from serving.scorer import InferenceError, OnlineScorer


@pytest.fixture(scope="module")
def online(bundle):
    return OnlineScorer("store", bundle)


@pytest.fixture(scope="module")
def request_of_store(dataset):
    return next(read_raw(dataset.raw("test"), dataset.columns)).request


@pytest.fixture(scope="module")
def expected(bundle, request_of_store):
    with Scorer(bundle) as scorer:
        return scorer.score_members(request_of_store)


# --- rank -------------------------------------------------------------------------------------------------------------


def test_rank(dataset, online, request_of_store, expected):
    content = to_request(request_of_store, dataset.columns)
    answer = online.rank(content | {"top_n": 3})
    assert (answer["id"], answer["model_version"]) == (request_of_store.query_id, "1")
    assert answer["took_ms"] > 0
    best = np.argsort(-expected[BLEND], kind="stable")[:3].tolist()
    assert answer["results"] == [
        {"rank": rank, "id": request_of_store.document_ids[at], "score": float(expected[BLEND][at]), "index": at}
        for rank, at in enumerate(best, start=1)
    ]
    assert len(online.rank(content)["results"]) == len(request_of_store.document_ids)


def test_missing_features_are_listed(dataset, online, request_of_store):
    content = to_request(request_of_store, dataset.columns)
    before = set(online.rank(content)["missing"])
    del content["query"]["segment"]
    del content["documents"][2]["features"]["stock"]
    answer = online.rank(content)
    assert set(answer["missing"]) == before | {"segment", "stock"} != before
    assert all(np.isfinite(result["score"]) for result in answer["results"])


def test_a_request_of_other_features_is_refused(online):
    with pytest.raises(RequestError, match="unknown key 'prize'"):
        online.rank({"documents": [{"id": "a", "features": {"prize": 3}}]})


# --- check ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "version"), [("store", None), ("store", 1)])
def test_what_is_served(online, name, version):
    online.check(name, version)


@pytest.mark.parametrize(
    ("name", "version", "wanted"),
    [("other", None, r"Latest\(other\)"), ("other", 1, r"Specific\(other, 1\)"), ("store", 2, r"Specific\(store, 2\)")],
)
def test_what_is_not_served(online, name, version, wanted):
    with pytest.raises(InferenceError, match=f"^Servable not found for request: {wanted}$") as caught:
        online.check(name, version)
    assert caught.value.code == tf.errors.NOT_FOUND


# --- predict ----------------------------------------------------------------------------------------------------------


def test_predict(online, request_of_store, expected):
    outputs = online.predict("serving_default", request_of_store.tensors)
    assert list(outputs) == ["scores"]
    assert outputs["scores"].tobytes() == expected[BLEND].tobytes()
    members = online.predict("members", request_of_store.tensors)
    assert {name: values.tobytes() for name, values in members.items()} == {n: v.tobytes() for n, v in expected.items()}


def test_only_the_outputs_asked_for(online, request_of_store):
    assert set(online.predict("members", request_of_store.tensors, ["net", BLEND])) == {"net", BLEND}


def test_fixed_width_bytes_are_strings_too(online, request_of_store, expected):
    tensors = {n: x.astype("S") if x.dtype == object else x for n, x in request_of_store.tensors.items()}
    assert tensors["title"].dtype.kind == "S"
    assert online.predict("serving_default", tensors)["scores"].tobytes() == expected[BLEND].tobytes()


def without(tensors, *names):
    return {name: values for name, values in tensors.items() if name not in names}


REFUSALS = {
    "signature": (
        "nothing",
        lambda t: t,
        (),
        tf.errors.FAILED_PRECONDITION,
        'Serving signature key "nothing" not found.',
    ),
    "missing input": (
        "members",
        lambda t: without(t, "mask", "price"),
        (),
        tf.errors.INVALID_ARGUMENT,
        "input size does not match signature: 6!=8 len({brand,description,query,segment,stock,title}) != "
        "len({brand,description,mask,price,query,segment,stock,title}). Sent extra: {}. "
        "Missing but required: {mask,price}.",
    ),
    "extra input": (
        "members",
        lambda t: t | {"prize": t["price"]},
        (),
        tf.errors.INVALID_ARGUMENT,
        "Sent extra: {prize}. Missing but required: {}.",
    ),
    "double": (
        "members",
        lambda t: t | {"price": t["price"].astype(np.float64)},
        (),
        tf.errors.INVALID_ARGUMENT,
        "input price: expected to be float but double is provided",
    ),
    "text for numbers": (
        "members",
        lambda t: t | {"price": t["title"]},
        (),
        tf.errors.INVALID_ARGUMENT,
        "input price: expected to be float but string is provided",
    ),
    "numbers for text": (
        "members",
        lambda t: t | {"title": t["price"]},
        (),
        tf.errors.INVALID_ARGUMENT,
        "input title: expected to be string but float is provided",
    ),
    "mask of int64": (
        "members",
        lambda t: t | {"mask": t["mask"].astype(np.int64)},
        (),
        tf.errors.INVALID_ARGUMENT,
        "input mask: expected to be bool but int64 is provided",
    ),
    "shape": (
        "members",
        lambda t: t | {"price": t["price"][:, 1:]},
        (),
        tf.errors.INVALID_ARGUMENT,
        "input price: shape does not fit the mask",
    ),
    "rank": ("members", lambda t: t | {"price": t["price"][..., np.newaxis]}, (), tf.errors.INVALID_ARGUMENT, ""),
    "scalar": ("members", lambda t: t | {"query": t["query"][0:1].reshape(())}, (), tf.errors.INVALID_ARGUMENT, ""),
    "unknown output": (
        "members",
        lambda t: t,
        ("net", "nut"),
        tf.errors.INVALID_ARGUMENT,
        "output_filter: unknown output 'nut'; there are blend, bm25, net, trees",
    ),
    "repeated output": (
        "members",
        lambda t: t,
        ("net", "net"),
        tf.errors.INVALID_ARGUMENT,
        "output_filter: repeated output 'net'",
    ),
}


@pytest.mark.parametrize(("signature", "change", "outputs", "code", "message"), REFUSALS.values(), ids=REFUSALS)
def test_predict_refuses(online, request_of_store, signature, change, outputs, code, message):
    with pytest.raises(InferenceError) as caught:
        online.predict(signature, change(dict(request_of_store.tensors)), outputs)
    assert caught.value.code == code
    assert message in str(caught.value)
