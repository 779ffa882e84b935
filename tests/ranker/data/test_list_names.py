"""Names of lists: none is given twice, and each says its query."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranker.data.list_names import impression_names, numbered_names, queries_of
from ranker.spec import Spec

IDS = st.text(st.sampled_from("a1#%/2F5é\n"), min_size=1, max_size=6)


def spec_of(source) -> Spec:
    columns = {"timestamp": "at", "position": "position"} if source.get("lists") == "impression" else {}
    return Spec.model_validate(
        {
            "version": 1,
            "data": {"sources": [source], **columns},
            "features": {"document": [{"name": "price", "kind": "numeric"}]},
            "models": [{"name": "trees", "kind": "lambdamart"}],
            "blend": {"members": ["trees"]},
        }
    )


def clicks(lists):
    tables = {"queries": "q", "documents": "d", "impressions": "i", "timestamp": "at"}
    return spec_of({"kind": "clicks", **tables, "lists": lists})


ELWC = spec_of({"kind": "elwc", "train": "f"})
TABLES = spec_of({"kind": "tables", "queries": "q", "documents": "d", "judgments": "j"})


def texts(values) -> pa.StringArray:
    return pa.array(values, pa.string())


@given(st.lists(st.tuples(IDS, IDS), unique=True))
def test_no_two_impressions_have_one_name_and_each_says_its_query(pairs):
    queries = texts([query for query, _ in pairs])
    names = impression_names(queries, texts([impression for _, impression in pairs]))
    assert len(set(names.to_pylist())) == len(pairs)
    assert queries_of(clicks("impression"), names).to_pylist() == queries.to_pylist()


@given(st.lists(st.tuples(IDS, st.integers(1, 12)), unique=True))
def test_no_two_lists_of_elwc_have_one_name_and_each_says_its_query(pairs):
    queries = texts([query for query, _ in pairs])
    names = numbered_names(queries, np.array([number for _, number in pairs], np.int64))
    assert len(set(names.to_pylist())) == len(pairs)
    assert queries_of(ELWC, names).to_pylist() == queries.to_pylist()


def test_names_are_as_short_as_they_can_be():
    assert impression_names(texts(["q", "a/b", "5%"]), texts(["i", "i/j", "%"])).to_pylist() == [
        "q/i",
        "a%2Fb/i/j",
        "5%25/%",
    ]
    queries = texts(["q", "q", "q#2", "#"])
    assert numbered_names(queries, np.array([1, 2, 1, 1])).to_pylist() == ["q", "q#2", "q#2#1", "#"]
    assert numbered_names(queries[1:]).to_pylist() == ["q", "q#2#1", "#"]
    assert numbered_names(texts(["a", "b"])).to_pylist() == ["a", "b"]


@pytest.mark.parametrize("spec", [TABLES, clicks("query")], ids=["tables", "clicks"])
def test_other_lists_are_called_as_their_query(spec):
    ids = texts(["a/b", "a#2", "5%25"])
    assert queries_of(spec, ids) is ids


@pytest.mark.parametrize("spec", [TABLES, ELWC, clicks("impression")], ids=["tables", "elwc", "clicks"])
def test_no_lists_have_no_queries(spec):
    assert queries_of(spec, texts([])).to_pylist() == []
    assert numbered_names(texts([])).to_pylist() == []
