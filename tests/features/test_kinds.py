"""All kinds of features together: the table of functions, names of columns, single lists against packed batches."""

import typing

import numpy as np
import pytest

from features.preprocessing import DENSE, IDS
from ranker.spec import Bm25, Categorical, Listwise, Numeric, Text, TextMatch, Vector


def kinds_of(*sections) -> set[str]:
    return {kind for section in sections for kind in typing.get_args(section.model_fields["kind"].annotation)}


def test_every_kind_of_the_spec_has_its_function():
    assert set(DENSE) == kinds_of(Numeric, Vector, Categorical, Text, Bm25, TextMatch, Listwise)
    assert set(IDS) == kinds_of(Categorical, Text)


def test_the_fixture_has_every_kind_that_tables_have(kinds):
    assert {feature.kind for feature in kinds.spec.features.dense} == set(DENSE) - {"vector"}
    assert {f.name for f in kinds.layout.ids} == {"title", "tags", "maker", "shop"}


def test_columns_are_named_in_order(kinds):
    names = kinds.layout.dense
    assert names[:11] == (
        *("age", "age_bucket", "age_missing", "price", "price_bucket", "price_missing", "stock", "weight"),
        *("size", "size_bucket", "length"),
    )
    assert names[17 : 17 + 4 + 5] == (
        *("season_is_1", "season_is_2", "season_is_3", "season_is_4"),
        *("brand_is_1", "brand_is_2", "brand_is_3", "brand_is_4", "brand_is_5"),
    )
    assert names[-1] == "zscore_in_list_coverage_query_title"
    assert len(names) == len(set(names)) == kinds.all_lists["q0"].dense.shape[1]


@pytest.mark.parametrize("fixture", ["kinds", "corner"])
def test_a_single_list_gives_the_bits_of_the_packed_examples(fixture, request):
    prepared = request.getfixturevalue(fixture)
    for query_id, packed in prepared.all_lists.items():
        given = prepared.apply_to(query_id)
        assert set(given) == {"dense", *(f.name for f in prepared.layout.ids)}
        assert np.array(given["dense"], np.float32).tobytes() == packed.dense.tobytes()
        for feature in prepared.layout.ids:
            wanted = packed.query if feature.scope == "query" else packed.documents
            ids = wanted[feature.name] if feature.scope == "query" else [d[feature.name] for d in wanted]
            assert given[feature.name] == ids


def test_a_document_has_the_same_numbers_wherever_it_stands_in_the_list(kinds):
    """Listwise features too: they depend on the list, not on its order."""
    tables = kinds.tables
    for query_id in ("q11", "q23", "q35"):
        documents = {f.name: tables.of_list(query_id, f.name) for f in kinds.spec.features.document}
        turned = {name: values[::-1] for name, values in documents.items()}
        got = np.array(kinds.apply(tables.queries[query_id], turned)["dense"], np.float32)
        np.testing.assert_allclose(got[::-1], kinds.all_lists[query_id].dense, rtol=1e-6, atol=1e-6)


def test_lists_of_one_and_of_nothing_known_are_finite(kinds):
    assert sum(len(packed.documents) == 1 for packed in kinds.all_lists.values()) >= 3
    for packed in kinds.all_lists.values():
        assert np.isfinite(packed.dense).all()
    got = kinds.apply({}, {"title": ["", ""]})
    assert np.isfinite(np.array(got["dense"])).all()
    assert all(not np.any(got[f.name]) for f in kinds.layout.ids)
