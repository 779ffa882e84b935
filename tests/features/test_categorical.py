"""Vocabulary ids of packed examples against counts of the files."""

import pytest

from features.categorical import vocabulary_name


def vocabulary(prepared, feature: str) -> list[str]:
    spec = next(f for f in (*prepared.spec.features.query, *prepared.spec.features.document) if f.name == feature)
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
