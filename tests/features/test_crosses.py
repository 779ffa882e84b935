"""Crosses against pairs made and hashed one by one with Python's integers."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from features.crosses import cross_columns, cross_ids, pair_ids
from features.lists import Lists
from ranker.spec import Cross

WHOLE = 2**64


def bucket_of(query: int, document: int, buckets: int) -> int:
    """SplitMix64 as its authors write it, in unsigned integers."""
    z = (query * 0x9E3779B97F4A7C15 + document) % WHOLE
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % WHOLE
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB % WHOLE
    return ((z ^ (z >> 31)) % 2**63) % buckets + 1


def hash_of(value: str | int) -> int:
    """Of a text the 63-bit fingerprint that TensorFlow gives every process; a bucket is its own."""
    return value if isinstance(value, int) else int(tf.strings.to_hash_bucket_fast(value, 2**63 - 1))


def pairs(query: list, document: list, spec: Cross) -> list[int]:
    """Ids of the pairs of values, each value once."""
    sides = [list(dict.fromkeys(value for value in side if value)) for side in (query, document)]
    return [
        bucket_of(hash_of(a), hash_of(b), spec.buckets)
        for a in sides[0][: spec.max_values]
        for b in sides[1][: spec.max_values]
    ]


# --- all kinds of values, through the pipeline ------------------------------------------------------------------------


def values(kinds, reference, query_id: str, name: str) -> list[list]:
    """Of each document of a list: values of a feature of it or its query."""
    tables = kinds.tables
    features = {f.name: f for f in (*kinds.spec.features.query, *kinds.spec.features.of_documents)}
    if getattr(features[name], "buckets", None) and features[name].kind != "text":
        return [[int(bucket)] for bucket in kinds.dense(query_id, f"{name}_bucket")]
    of_query = name in tables.queries[query_id]
    size = len(tables.lists[query_id])
    given = [tables.queries[query_id][name]] * size if of_query else tables.of_list(query_id, name)
    if features[name].kind == "text":
        return [reference.words(text) for text in given]
    return given if getattr(features[name], "multivalued", False) else [[value] for value in given]


def found(kinds, query_id: str, cross: Cross) -> list[list[int]]:
    """Ids of each document in the packed examples."""
    packed = kinds.all_lists[query_id]
    if cross.encode == "embedding":
        return [document[cross.name] for document in packed.documents]
    at = [kinds.layout.dense.index(column) for column in cross.dense_columns]
    assert set(np.unique(packed.dense[:, at])) <= {0, 1}
    return [(1 + np.flatnonzero(row)).tolist() for row in packed.dense[:, at]]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cross_season_brand", 6),
        ("cross_likes_genres", 6),
        ("cross_season_maker", 5),
        ("cross_age_released", 5),
        ("cross_query_title", 10),
        ("cross_likes_price", 10),
    ],
)
def test_crosses_of_all_kinds_of_values(kinds, reference, name, expected):
    """One or many texts, words, buckets of numbers and dates; as ids and as columns."""
    [cross] = [cross for cross in kinds.spec.features.crosses if cross.name == name]
    seen = set()
    for query_id in kinds.all_lists:
        sides = (values(kinds, reference, query_id, side) for side in (cross.query, cross.document))
        wanted = [pairs(query, document, cross) for query, document in zip(*sides, strict=True)]
        if cross.encode == "one_hot":
            wanted = [sorted(set(ids)) for ids in wanted]
        elif not kinds.spec.features.has_many(cross):
            wanted = [ids or [0] for ids in wanted]
        assert found(kinds, query_id, cross) == wanted
        seen.update(*map(tuple, wanted))
    assert len(seen) >= expected


def test_ids_of_one_value_each_are_codes_for_trees(kinds):
    assert {"cross_season_maker", "cross_age_released"} <= {f.name for f in kinds.layout.single_ids}
    sizes = {f.name: (f.size, f.embed, f.table) for f in kinds.layout.ids if f.name.startswith("cross")}
    assert sizes["cross_season_maker"] == (33, 8, "cross_season_maker")
    assert sizes["cross_query_title"] == (65, 8, "cross_query_title")


# --- batches ----------------------------------------------------------------------------------------------------------

VALUES = st.lists(st.sampled_from(["a", "b", "c", "é", ""]), max_size=4)
LISTS = st.lists(st.tuples(VALUES, st.lists(VALUES, min_size=1, max_size=3)), min_size=1, max_size=3)


@given(lists=LISTS, most=st.integers(1, 3), many=st.booleans())
def test_pairs_of_batches(lists, most, many):
    """Whatever other lists and documents hold; ragged on both sides, or one value of the query."""
    spec = Cross(query="q", document="d", buckets=50, max_values=most)
    one_hot = spec.model_copy(update={"encode": "one_hot"})
    queries = [query if many else query[:1] for query, _ in lists]
    documents = [document for _, of_query in lists for document in of_query]
    rows = tf.RaggedTensor.from_row_lengths(tf.range(len(documents)), [len(of_query) for _, of_query in lists])
    given = tf.ragged.constant([[v for v in query if v] for query in queries], tf.string, 1, row_splits_dtype=tf.int64)
    batch = Lists(
        rows.value_rowids(),
        rows.row_splits,
        {"q": given if many else tf.constant([(query or [""])[0] for query in queries])},
        {"d": tf.ragged.constant([[v for v in d if v] for d in documents], tf.string, 1, row_splits_dtype=tf.int64)},
        {},
        kinds={"q": "categorical", "d": "categorical"},
    )
    wanted = [pairs(query, d, spec) for query, (_, ds) in zip(queries, lists, strict=True) for d in ds]
    assert cross_ids(spec, batch).to_list() == wanted
    columns = cross_columns([one_hot, one_hot], batch)
    assert columns.dtype == tf.float32
    for row, ids in zip(columns.numpy(), wanted, strict=True):
        assert (1 + np.flatnonzero(row[:50])).tolist() == (1 + np.flatnonzero(row[50:])).tolist() == sorted(set(ids))


def test_a_number_named_like_buckets_is_none_of_a_category():
    """`d_bucket` may be a feature of its own."""
    sides = {"q": tf.constant(["a"]), "d": tf.constant(["x", "y"])}
    found = []
    for columns in ({}, {"d_bucket": tf.constant([3.0, 3.0])}):
        batch = Lists(
            tf.constant([0, 0], tf.int64),
            tf.constant([0, 2], tf.int64),
            {"q": sides["q"]},
            {"d": sides["d"]},
            {},
            kinds={"q": "categorical", "d": "categorical", "d_bucket": "numeric"},
            columns=columns,
        )
        found.append(cross_ids(Cross(query="q", document="d", buckets=997), batch).to_list())
    assert found == [[[bucket_of(hash_of("a"), hash_of(value), 997)] for value in ("x", "y")]] * 2


# --- the hash ---------------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1)), min_size=1))
def test_the_hash_is_splitmix64(keys):
    got = pair_ids(*(tf.constant(side, tf.int64) for side in zip(*keys, strict=True)), 997)
    assert got.numpy().tolist() == [bucket_of(a, b, 997) for a, b in keys]


@pytest.mark.parametrize("values", ["buckets", "words"])
def test_pairs_are_spread_evenly(values):
    """Chi-square of 10,000 pairs in 64 buckets: mean 63, standard deviation 11; and (a, b) is not (b, a)."""
    side = tf.range(1, 101, dtype=tf.int64)
    if values == "words":
        side = tf.strings.to_hash_bucket_fast(tf.strings.as_string(side), 2**63 - 1)
    query, document = (tf.reshape(grid, [-1]) for grid in tf.meshgrid(side, side))
    ids = pair_ids(query, document, 64)
    counts = np.bincount(ids.numpy(), minlength=65)[1:]
    assert ((counts - 10_000 / 64) ** 2).sum() / (10_000 / 64) < 63 + 4 * 11.2
    assert np.mean(ids.numpy() == pair_ids(document, query, 64).numpy()) < 0.05
