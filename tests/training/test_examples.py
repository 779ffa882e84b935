"""Arrays against the records as the proto library reads them."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from training.examples import read_examples


@pytest.fixture(params=["memory", "files"])
def folder(request, tmp_path):
    return None if request.param == "memory" else tmp_path / "arrays"


def test_every_document_is_there_in_order(dataset, mixed_lengths, read_elwc, folder):
    layout, records = dataset.layout, read_elwc([mixed_lengths])
    examples = read_examples([mixed_lengths], layout, folder)
    of_lists = [[example.features.feature for example in elwc.examples] for elwc in records]
    documents = [features for features_of_list in of_lists for features in features_of_list]
    assert len(examples) == len(records)
    assert examples.sizes.tolist() == [len(features) for features in of_lists]
    assert examples.labels.tolist() == [features["label"].float_list.value[0] for features in documents]
    assert (examples.labels.dtype, examples.dense.dtype) == (np.float32, np.float32)
    dense = np.array([features["dense"].float_list.value for features in documents], np.float32)
    assert examples.dense.tobytes() == dense.tobytes()
    for feature in layout.ids:
        ids, of_query = examples.ids[feature.name], feature.scope == "query"
        rows = [elwc.context.features.feature for elwc in records] if of_query else documents
        found = [ids.values[start:end].tolist() for start, end in zip(ids.offsets, ids.offsets[1:], strict=False)]
        assert found == [list(row[feature.name].int64_list.value) for row in rows]


def test_several_files_follow_one_another(dataset, folder):
    files = [*dataset.packed("valid"), *dataset.packed("test")]
    both = read_examples(files, dataset.layout, folder)
    parts = [read_examples([file], dataset.layout) for file in files]
    assert both.dense.tobytes() == b"".join(part.dense.tobytes() for part in parts)
    assert len(both) == sum(map(len, parts))


def test_weights_and_positions_come_along(dataset, weighted):
    file = weighted(lambda position, label: position / 4 + label)
    examples = read_examples([file], replace(dataset.layout, judged=("weight", "position")))
    positions = np.concatenate([np.arange(1, size + 1) for size in examples.sizes])
    assert examples.judged["position"].tolist() == positions.tolist()
    assert examples.judged["weight"].tolist() == (positions / 4 + examples.labels).tolist()


def test_lists_are_what_metrics_take(dataset):
    examples = read_examples(dataset.packed("valid"), dataset.layout)
    assert examples.lists.sizes.tolist() == examples.sizes.tolist()
    assert examples.lists.labels.tolist() == examples.labels.tolist()


def test_some_lists_are_as_though_read_alone(dataset, mixed_lengths):
    whole = read_examples([mixed_lengths], dataset.layout)
    lists = np.array([5, 0, 70, 5])
    some = whole.take(lists)
    assert some.sizes.tolist() == whole.sizes[lists].tolist()
    spans = [slice(whole.offsets[at], whole.offsets[at + 1]) for at in lists]
    assert some.dense.tolist() == [row for span in spans for row in whole.dense[span].tolist()]
    assert some.labels.tolist() == [label for span in spans for label in whole.labels[span].tolist()]
    for feature in dataset.layout.ids:
        ids, own = whole.ids[feature.name], some.ids[feature.name]
        documents = [row for span in spans for row in range(span.start, span.stop)]
        rows = documents if feature.scope == "document" else lists.tolist()
        assert [own.values[s:e].tolist() for s, e in pairwise(own.offsets)] == [
            ids.values[ids.offsets[row] : ids.offsets[row + 1]].tolist() for row in rows
        ]
