"""Parity: the transform graph on one raw list gives the bits of the packed examples."""

import numpy as np
import pytest
import tensorflow as tf
from pydantic import ValidationError

from ranker.data.elwc.records import read_raw
from ranker.data.split import SPLITS
from ranker.spec import Categorical


@pytest.mark.parametrize("split", SPLITS)
def test_a_single_raw_list_gives_the_bits_of_the_packed_examples(prepared, dataset, split):
    missing = 0
    for judged in list(read_raw(dataset.raw(split), dataset.columns))[:40]:
        request = judged.request
        packed = prepared.packed[split][request.query_id]
        raw = {
            column.name: tf.constant(request.tensors[column.name])
            if column.scope == "query"
            else tf.RaggedTensor.from_tensor(tf.constant(request.tensors[column.name]))
            for column in dataset.columns
        }
        given = prepared.graph(raw)
        assert set(given) == {"dense", *(f.name for f in prepared.layout.ids)}
        dense = given["dense"]
        assert dense.dtype == tf.float32
        assert dense[0].numpy().tobytes() == packed.dense.tobytes()
        for feature in prepared.layout.ids:
            ids = given[feature.name].to_list()[0]
            wanted = packed.query if feature.scope == "query" else packed.documents
            assert ids == (wanted[feature.name] if feature.scope == "query" else [d[feature.name] for d in wanted])
        missing += np.isnan(request.tensors["price"]).any()
    assert missing > 5


def test_a_word_has_one_id_in_queries_and_documents(prepared):
    """Texts with as many buckets and dimensions share a table, and a word its id."""
    got = prepared.apply({"query": "Oak table"}, {"title": ["table, OAK!"], "description": ["table"]})
    assert got["title"][0] == got["query"][::-1]
    assert got["description"][0] == got["query"][1:]
    tables = {f.name: f.table for f in prepared.layout.ids}
    assert tables["query"] == tables["title"] == tables["description"] == "#text_4096_16"
    assert tables["brand"] != tables["segment"]


def test_no_feature_has_the_name_of_the_table_of_words(prepared):
    for table in {f.table for f in prepared.layout.ids if f.name in ("query", "title", "description")}:
        with pytest.raises(ValidationError, match="name"):
            Categorical(name=table, kind="categorical")


def test_the_layout_of_corner_cases(corner):
    assert corner.layout.dense == (
        *("age", "constant", "lost", "plain", "signed", "narrow"),
        *("bm25_query_title", "bm25_query_body", "bm25_query_wordless"),
    )
    sizes = {f.name: (f.scope, f.size, f.multivalued) for f in corner.layout.ids}
    assert sizes["body"] == ("document", 65, True)
    assert sizes["query"] == ("query", 4097, True)
    assert sizes["brand"] == ("document", 1 + 3 + 2, False)


def test_a_list_of_missing_values_is_finite(corner, prepared):
    for each in (corner, prepared):
        got = each.apply({}, {"title": ["", ""]})
        assert np.isfinite(np.array(got["dense"])).all()
        assert all(not np.any(got[f.name]) for f in each.layout.ids)
