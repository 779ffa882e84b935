"""Permutation importance of scores whose dependence on features is known."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from eval.metrics import parse_metric
from training.examples import read_examples
from training.importance import permutation_importance

METRIC = parse_metric("ndcg@10")


@pytest.fixture(scope="module")
def lists(dataset):
    return read_examples(dataset.packed("valid"), dataset.layout)


def importance(lists, score, **options):
    return {one.feature: one for one in permutation_importance(score, lists, METRIC, seed=3, **options)}


def test_only_what_is_used_matters(lists):
    names = lists.layout.dense
    means = [np.nanmean(METRIC.per_list(lists.lists, column.astype(float))) for column in lists.dense.T]
    best = int(np.argmax(means))
    found = importance(lists, lambda examples: examples.dense[:, best].astype(np.float64))
    assert next(iter(found)) == names[best]
    used = found.pop(names[best])
    assert 0.01 < used.low < used.fall < used.high
    assert all((one.fall, one.low, one.high) == pytest.approx((0, 0, 0), abs=1e-12) for one in found.values())


def test_the_fall_is_that_to_a_random_order(lists):
    """Scores by the labels have NDCG 1, and permuted ones that of a random order, estimated here by many of them."""
    labels = lists.labels.astype(np.float64)
    dense = np.array(lists.dense)
    dense[:, 0] = labels
    found = importance(replace(lists, dense=dense), lambda examples: examples.dense[:, 0].astype(float), repeats=20)
    random = np.random.default_rng(0)
    orders = [METRIC.per_list(lists.lists, labels[random.permutation(len(labels))]) for _ in range(100)]
    assert found[lists.layout.dense[0]].fall == pytest.approx(1 - np.nanmean(orders), abs=0.02)


def test_ids_are_permuted_whole(lists):
    feature = next(feature for feature in lists.layout.ids if feature.scope == "document")

    def first_ids(examples):
        ids = examples.ids[feature.name]
        assert sorted(np.diff(ids.offsets)) == sorted(np.diff(lists.ids[feature.name].offsets))
        assert sorted(ids.values) == sorted(lists.ids[feature.name].values)
        spans = pairwise(ids.offsets)
        return np.array([ids.values[start] if end > start else 0 for start, end in spans], float)

    found = importance(lists, first_ids, repeats=2)
    assert found.pop(feature.name).fall != 0
    assert all(one.fall == pytest.approx(0, abs=1e-12) for one in found.values())


def test_the_same_seed_gives_the_same_figures(lists):
    def score(examples):
        return examples.dense.sum(axis=1).astype(float)

    assert importance(lists, score) == importance(lists, score)
    lower = permutation_importance(score, lists, parse_metric("arp"), seed=3, repeats=1)
    assert lower[0].fall >= lower[-1].fall
