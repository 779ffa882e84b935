"""Planted leaks, and what only looks like one."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import input_pb2

from ranker.data.layout import IdFeature, Layout
from ranker.workflows.leakage import leaks

LAYOUT = Layout(
    ("number",), (IdFeature("brand", "document", 12, 4, multivalued=False, table="brand"),), ("weight", "position")
)


@pytest.fixture
def packed(tmp_path):
    """Write lists whose number and brand functions make of labels, positions (from 1) and random numbers."""

    def write(number=None, brand=None, lists: int = 60):
        rng = np.random.default_rng(3)
        path = tmp_path / "train-00000-of-00001"
        with tf.io.TFRecordWriter(str(path)) as writer:
            for _ in range(lists):
                labels, position = rng.integers(0, 4, 10), rng.permutation(10) + 1
                numbers = number(labels, position, rng) if number else rng.normal(size=10)
                brands = brand(labels, position, rng) if brand else rng.integers(1, 12, 10)
                elwc = input_pb2.ExampleListWithContext()
                for row in zip(labels, position, numbers, brands, strict=True):
                    feature = elwc.examples.add().features.feature
                    feature["label"].float_list.value.append(row[0])
                    feature["weight"].float_list.value.append(1)
                    feature["position"].int64_list.value.append(row[1])
                    feature["dense"].float_list.value.append(row[2])
                    feature["brand"].int64_list.value.append(row[3])
                writer.write(elwc.SerializeToString())
        return [path]

    return write


def test_random_features_do_not_leak(packed):
    assert leaks(packed(), LAYOUT) == []


@pytest.mark.parametrize(
    "number",
    [
        lambda label, _, rng: 3 * label + 1,
        lambda label, _, rng: -np.exp(label),
        lambda label, _, rng: label + rng.uniform(0, 0.5, len(label)),
        lambda label, _, rng: np.array([2, 0, 3, 1])[label],
    ],
    ids=["linear", "falling", "with noise", "a code, in no order"],
)
def test_a_number_made_from_the_label_is_told(packed, number):
    (warning,) = leaks(packed(number), LAYOUT)
    assert "feature 'number' alone orders the training lists with NDCG" in warning


def test_a_category_made_from_the_label_is_told(packed):
    (warning,) = leaks(packed(brand=lambda label, _, rng: 1 + (3 - label) + 4 * rng.integers(0, 2, len(label))), LAYOUT)
    assert warning.startswith("feature 'brand' alone")


def test_a_good_feature_is_no_leak(packed):
    assert leaks(packed(lambda label, _, rng: label + rng.normal(0, 1, len(label))), LAYOUT) == []
    assert leaks(packed(brand=lambda label, _, rng: 1 + label + rng.integers(0, 2, len(label))), LAYOUT) == []


def test_the_position_as_a_feature_is_told(packed):
    (warning,) = leaks(packed(lambda _, position, rng: 1 / np.log2(1 + position)), LAYOUT)
    assert warning.startswith("feature 'number' is the same for all documents shown at one position")


def test_a_score_that_documents_were_shown_by_is_no_position(packed):
    def score(_, position, rng):
        return np.sort(rng.normal(size=len(position)))[::-1][position - 1]

    assert leaks(packed(score), LAYOUT) == []


def test_documents_that_were_not_shown_say_nothing_of_positions(packed):
    def shown_only(_, position, rng):
        return np.where(position <= 5, position, rng.normal(size=len(position)))

    assert leaks(packed(shown_only), LAYOUT) == []


def test_few_lists_prove_nothing(packed):
    assert leaks(packed(lambda label, _, rng: label, lists=10), LAYOUT) == []
