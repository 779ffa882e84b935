"""Specs of files that tell their features by themselves: what is taken without a section, and what is kept."""

from __future__ import annotations

import pytest

ELWC = """\
version: 1
data: {sources: [{kind: elwc, train: a.tfrecord}]}
models: [{name: trees, kind: lambdamart}, {name: one, kind: single_feature, feature: FEATURE}]
blend: {members: [trees]}
"""
VECTORS = """
features:
  query: [{name: asked, kind: vector, columns: [c1, c2]}]
  document: [{name: v, kind: vector, columns: 'f*'}, {name: price, kind: numeric}]
"""


def elwc(feature: str = "features_3", more: str = "") -> str:
    return ELWC.replace("FEATURE", feature) + more


@pytest.fixture
def vectors(load):
    return load(elwc("v_0", VECTORS))


def test_without_features_all_numbers_of_elwc_examples_are_one_vector(load):
    [vector] = load(elwc()).features.document
    assert (vector.name, vector.kind, vector.columns, vector.width) == ("features", "vector", "*", None)


def test_a_model_of_a_column_that_no_vector_has_is_refused(load, faults):
    [fault] = faults(elwc("other_3"))
    assert "no numeric or match feature 'other_3'" in fault


def test_columns_that_were_found_are_those_of_their_vector(vectors):
    found = vectors.with_columns({"v": ["f1", "f2", "f10"]})
    assert [(f.name, f.columns, f.width) for f in found.features.document[:1]] == [("v", ["f1", "f2", "f10"], 3)]
    assert found.features.query == vectors.features.query
    assert found.features.document[1] == vectors.features.document[1]
    assert found.features.document[0].dense_columns == ["v_0", "v_1", "v_2"]
    assert type(found).model_validate(found.model_dump()).model_dump() == found.model_dump()


def test_a_spec_takes_over_what_a_dataset_has_found(vectors):
    dataset = vectors.with_columns({"v": ["f1", "f2"], "asked": ["c1", "c2"]})
    assert vectors.with_vector_of(dataset) == dataset
    assert vectors.with_vector_of(dataset).features == dataset.features


@pytest.mark.parametrize("columns", ["'g*'", "'f?'", "[f1, f2]", "f1"])
def test_it_does_not_where_it_asks_for_others(load, vectors, columns):
    """So that training on a dataset of another spec is seen and refused."""
    dataset = vectors.with_columns({"v": ["f1", "f10"], "asked": ["c1", "c2"]})
    other = load(elwc("v_0", VECTORS.replace("'f*'", columns)))
    assert other.with_vector_of(dataset).features.document != dataset.features.document


def test_the_number_of_letor_features_is_taken_over(load):
    spec = load(elwc().replace("elwc", "letor").replace("a.tfrecord", "a, test: b"))
    dataset = spec.with_vector(136, 1)
    assert spec.with_vector_of(dataset) == dataset
    assert spec.with_vector_of(spec) == spec
