"""Vocabulary ids of packed examples against counts of the files."""

from collections import Counter

import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from features.categorical import distinct_values, vocabulary_name


def vocabulary(prepared, feature: str) -> list[str]:
    spec = next(f for f in (*prepared.spec.features.query, *prepared.spec.features.of_documents) if f.name == feature)
    assets = prepared.path / "transform" / "transform_fn" / "assets"
    return (assets / vocabulary_name(spec)).read_text().splitlines()


def test_brands_are_numbered_by_frequency_among_judged_training_documents(prepared, reference):
    tables = prepared.tables
    expected = reference.by_frequency(tables.judged("brand", "train"))
    assert vocabulary(prepared, "brand") == expected != reference.by_frequency(tables.judged("brand"))
    ids = {brand: [at] for at, brand in enumerate(expected, start=1)}
    for query_id, packed in prepared.all_lists.items():
        brands = tables.of_list(query_id, "brand")
        assert [document["brand"] for document in packed.documents] == [ids[brand] for brand in brands]


def test_segments_are_numbered_by_frequency_among_training_queries(prepared, reference):
    tables = prepared.tables
    expected = reference.by_frequency(tables.queries[query_id]["segment"] for query_id in tables.of_split("train"))
    for query_id, packed in prepared.all_lists.items():
        assert packed.query["segment"] == [1 + expected.index(tables.queries[query_id]["segment"])]


def test_values_as_frequent_come_by_falling_bytes_and_only_top_k(corner, reference):
    """Each brand is in as many lists; a value with a line break cannot be in a vocabulary file."""
    assert vocabulary(corner, "brand") == ["éclair", "beta", "alpha"]
    assert reference.by_frequency(["Zeta", "alpha", "beta", "éclair", ""])[:3] == ["éclair", "beta", "alpha"]


def test_unseen_values_share_the_oov_buckets_and_missing_is_0(corner):
    values = ["", "éclair", "beta", "alpha", *("Zeta", "rare\nline", "never seen", "x", "y", "z")]
    ids = [i for (i,) in corner.apply({}, {"brand": values})["brand"]]
    assert ids[:4] == [0, 1, 2, 3]
    assert set(ids[4:]) == {4, 5}  # oov: 2
    assert next(f.size for f in corner.layout.ids if f.name == "brand") == 6


def test_unseen_values_of_the_store_are_in_its_one_oov_bucket(prepared):
    got = prepared.apply({"segment": "pirate"}, {"brand": ["Nobody", "", "nobody"]})
    size = {f.name: f.size for f in prepared.layout.ids}
    assert got["brand"] == [[size["brand"] - 1], [0], [size["brand"] - 1]]
    assert got["segment"] == [size["segment"] - 1]
    assert size["segment"] == 1 + 3 + 1


@pytest.mark.parametrize(("value", "expected"), [("", 0), ("some", 2)])
def test_a_feature_without_a_training_value(corner, value, expected):
    """TensorFlow Transform writes one made-up value: id 1 is never given."""
    assert corner.apply({}, {"nobrand": [value]})["nobrand"] == [[expected]]
    assert next(f.size for f in corner.layout.ids if f.name == "nobrand") == 3


# --- hashes, thresholds and columns -----------------------------------------------------------------------------------


def hashed(value: str, buckets: int) -> int:
    """Farmhash64 modulo the buckets, from 1; 0 is missing."""
    fingerprint = tf.fingerprint([value], "farmhash64").numpy()[0]
    return int.from_bytes(bytes(fingerprint), "little") % buckets + 1 if value else 0


def rows(prepared, query_id: str, feature: str) -> list[list[float]]:
    """The columns of a one-hot feature, per document."""
    at = [place for place, name in enumerate(prepared.layout.dense) if name.startswith(f"{feature}_is_")]
    return prepared.all_lists[query_id].dense[:, at].tolist()


def test_rare_values_are_not_in_the_vocabulary(kinds, reference):
    counts = Counter(kinds.tables.judged("maker", "train"))
    often = [maker for maker in reference.by_frequency(counts.elements()) if counts[maker] >= 20]
    assert vocabulary(kinds, "maker") == often != reference.by_frequency(counts.elements())
    for query_id, packed in kinds.all_lists.items():
        makers = kinds.tables.of_list(query_id, "maker")
        for (got,), maker in zip((d["maker"] for d in packed.documents), makers, strict=True):
            assert got == often.index(maker) + 1 if maker in often else len(often) < got <= len(often) + 2
    assert next(f.size for f in kinds.layout.ids if f.name == "maker") == 1 + len(often) + 2


def test_hashed_ids_need_no_vocabulary(kinds):
    for query_id, packed in kinds.all_lists.items():
        shops = kinds.tables.of_list(query_id, "shop")
        assert [d["shop"] for d in packed.documents] == [[hashed(shop, 16)] for shop in shops]
    assert next((f.size, f.multivalued) for f in kinds.layout.ids if f.name == "shop") == (17, False)
    assert not (kinds.path / "transform" / "transform_fn" / "assets" / "vocabulary_shop").exists()


def test_one_column_per_id(kinds, reference):
    brands = reference.by_frequency(kinds.tables.judged("brand", "train"))[:3]
    for query_id in kinds.all_lists:
        for brand, row in zip(kinds.tables.of_list(query_id, "brand"), rows(kinds, query_id, "brand"), strict=True):
            assert sum(row) == (brand != "")
            assert len(row) == 3 + 2
            assert row[:3] == [brand == known for known in brands]


def test_one_column_per_hash(kinds):
    for query_id in kinds.all_lists:
        colours = kinds.tables.of_list(query_id, "colour")
        expected = [[hashed(colour, 4) == i for i in range(1, 5)] for colour in colours]
        assert rows(kinds, query_id, "colour") == expected


def test_columns_of_a_query_feature_are_those_of_each_document(kinds, reference):
    """Two seasons in a vocabulary of three and one bucket: the third id is the bucket, the fourth column unused."""
    seasons = reference.by_frequency(kinds.tables.queries[q]["season"] for q in kinds.tables.of_split("train"))
    assert len(seasons) == 2
    for query_id, packed in kinds.all_lists.items():
        season = kinds.tables.queries[query_id]["season"]
        expected = [season == known for known in seasons] + [0, 0]
        assert rows(kinds, query_id, "season") == [expected] * len(packed.documents)
    names = [f"season_is_{i}" for i in range(1, 5)]
    got = kinds.apply({"season": "unheard of"}, {"title": ["x"]})["dense"][0]
    assert [got[kinds.layout.dense.index(name)] for name in names] == [0, 0, 1, 0]


# --- any number of values ---------------------------------------------------------------------------------------------


@settings(max_examples=50, derandomize=True, deadline=None)
@given(st.lists(st.lists(st.sampled_from(["a", "b", "é", "a b"]), max_size=6), max_size=5))
@example([])
@example([[], []])
def test_values_of_a_row_are_kept_once_in_their_order(rows):
    ragged = tf.ragged.constant(rows, tf.string, 1, row_splits_dtype=tf.int64)
    expected = [[value.encode() for value in dict.fromkeys(row)] for row in rows]
    assert distinct_values(ragged).to_list() == expected


def genres_of_training(kinds) -> list[str]:
    """Each genre of a document once, once per judgment."""
    return [genre for genres in kinds.tables.judged("genres", "train") for genre in set(genres)]


def test_each_value_of_a_document_is_counted_once(kinds, reference):
    often = reference.by_frequency(genres_of_training(kinds))
    every = reference.by_frequency(genre for genres in kinds.tables.judged("genres", "train") for genre in genres)
    assert vocabulary(kinds, "genres") == often[:3] != every[:3]


def test_each_distinct_value_has_an_id(kinds, reference):
    known = reference.by_frequency(genres_of_training(kinds))[:3]
    empty = several = 0
    for query_id, packed in kinds.all_lists.items():
        for genres, document in zip(kinds.tables.of_list(query_id, "genres"), packed.documents, strict=True):
            distinct, ids = list(dict.fromkeys(genres)), document["genres"]
            assert len(ids) == len(distinct)
            for genre, got in zip(distinct, ids, strict=True):
                assert got == known.index(genre) + 1 if genre in known else got in (4, 5)
            empty += not ids
            several += len(ids) > 1
    assert empty > 5
    assert several > 50
    [genres] = [f for f in kinds.layout.ids if f.name == "genres"]
    assert (genres.size, genres.multivalued, genres.table) == (1 + 3 + 2, True, "genres")


def test_values_of_a_query_and_of_a_pair(kinds, reference):
    pairs = kinds.tables.judged("reasons", "train")
    reasons = reference.by_frequency(reason for of_pair in pairs for reason in set(of_pair))
    for query_id, packed in kinds.all_lists.items():
        likes = dict.fromkeys(kinds.tables.queries[query_id]["likes"])
        assert packed.query["likes"] == [hashed(value, 8) for value in likes]
        of_list = [dict.fromkeys(values) for values in kinds.tables.of_list(query_id, "reasons")]
        expected = [[1 + reasons.index(reason) for reason in values] for values in of_list]
        assert [document["reasons"] for document in packed.documents] == expected


def test_one_column_per_id_is_1_for_any_of_the_values(kinds, reference):
    """Three awards in two buckets: some share one and still count 1."""
    of_judged = [mood for moods in kinds.tables.judged("moods", "train") for mood in set(moods or [])]
    moods = reference.by_frequency(of_judged)[:3]
    shared = 0
    for query_id in kinds.all_lists:
        awards = [{hashed(value, 2) for value in values} for values in kinds.tables.of_list(query_id, "awards")]
        assert rows(kinds, query_id, "awards") == [[i in ids for i in (1, 2)] for ids in awards]
        shared += sum(
            len(set(v)) > len(ids) for v, ids in zip(kinds.tables.of_list(query_id, "awards"), awards, strict=True)
        )
        felt = [set(values or []) for values in kinds.tables.of_list(query_id, "moods")]
        assert rows(kinds, query_id, "moods") == [
            [*(mood in values for mood in moods), bool(values - set(moods))] for values in felt
        ]
    assert shared > 0


def test_a_feature_without_any_value(kinds):
    assert kinds.apply({}, {"nothing": [[], ["some", "some"]]})["nothing"] == [[], [2]]
