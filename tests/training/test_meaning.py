"""What the places of a network's inputs stand for."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranker.data.artefacts import ArtefactError
from ranker.data.layout import IdFeature, Layout
from ranker.models.scorers.pieces import PIECES
from ranker.spec import Features
from training.meaning import Entries, embedding_of, ids_of, meanings

FEATURES = Features.model_validate(
    {
        "query": [
            {"name": "words", "kind": "text", "buckets": 9, "embed": 2},
            {"name": "segment", "kind": "categorical", "vocabulary": {"oov": 2}, "embed": 3},
        ],
        "document": [
            {"name": "price", "kind": "numeric", "missing_indicator": True},
            {"name": "title", "kind": "text", "buckets": 9, "embed": 2},
            {"name": "shop", "kind": "categorical", "hash": 5},
            {"name": "colour", "kind": "categorical", "encode": "one_hot", "vocabulary": {"top_k": 4}},
            {"name": "size", "kind": "categorical", "encode": "one_hot", "hash": 3},
        ],
    }
)
LAYOUT = Layout(
    tuple(FEATURES.dense_names),
    (
        IdFeature("words", "query", 10, 2, True, "#text_9_2"),
        IdFeature("segment", "query", 5, 3, False, "segment"),
        IdFeature("title", "document", 10, 2, True, "#text_9_2"),
        IdFeature("shop", "document", 6, 8, False, "shop"),
    ),
)


@pytest.fixture
def vocabularies(tmp_path):
    (tmp_path / "vocabulary_segment").write_bytes("new\nalt é\n".encode())
    (tmp_path / "vocabulary_colour").write_bytes(b"red\ngr\xfcn\n")
    return tmp_path


tokens = st.lists(st.binary(max_size=2), unique=True, max_size=6)


@given(tokens, st.integers(0, 3), tokens, st.integers(0, 3))
def test_places_are_those_of_equal_values(values, buckets, older_values, older_buckets):
    entries = Entries(1, pa.array(values, pa.binary()), buckets)
    older = Entries(1, pa.array(older_values, pa.binary()), older_buckets)

    def keys(known, count):
        return ["nothing", *known, *(("hash", at, count) for at in range(count))]

    places = keys(older_values, older_buckets)
    expected = [places.index(key) if key in places else -1 for key in keys(values, buckets)]
    found = entries.places_in(older)
    assert found.dtype == np.int64
    assert found.tolist() == expected
    assert len(found) == len(entries)
    assert (entries == older) == (keys(values, buckets) == places)


def test_axes_have_a_name_for_each_place(vocabularies):
    found = meanings(FEATURES, LAYOUT, vocabularies)
    assert {name: len(entries) for name, entries in found.items()} == {
        "dense": len(LAYOUT.dense),
        "numbers": len(LAYOUT.dense) + 1,
        "inputs": PIECES * len(LAYOUT.dense) + 1 + 3 + 8 + 2,
        ids_of("#text_9_2"): 10,
        ids_of("segment"): 5,
        ids_of("shop"): 6,
        embedding_of("#text_9_2"): 2,
        embedding_of("segment"): 3,
        embedding_of("shop"): 8,
    }
    assert found[ids_of("segment")] == Entries(1, pa.array([b"new", "alt é".encode()]), 2)
    assert found[ids_of("shop")] == Entries(1, pa.array([], pa.binary()), 5)
    assert all(len(set(entries.values.to_pylist())) == len(entries.values) for entries in found.values())


def test_a_column_of_a_category_has_the_name_of_its_value(vocabularies):
    columns = dict(zip(LAYOUT.dense, meanings(FEATURES, LAYOUT, vocabularies)["dense"].values.to_pylist(), strict=True))
    assert columns["colour_is_1"] == b"colour=red"
    assert columns["colour_is_2"] == b"colour=gr\xfcn"
    assert columns["colour_is_3"] == b"colour: other 0 of 1"
    assert columns["colour_is_5"] == b"colour: unused 1"
    assert columns["size_is_2"] == b"size_is_2 of 3"
    assert columns["price_missing"] == b"price_missing"


def test_a_vocabulary_that_is_missing_or_of_another_size_is_told(vocabularies):
    (vocabularies / "vocabulary_segment").write_bytes(b"new\n")
    with pytest.raises(ArtefactError, match="vocabulary of segment has 1 values, expected 2"):
        meanings(FEATURES, LAYOUT, vocabularies)
    (vocabularies / "vocabulary_colour").unlink()
    with pytest.raises(ArtefactError, match=r"vocabulary of colour cannot be read \(No such file"):
        meanings(FEATURES, LAYOUT, vocabularies)
