"""Batches against the records as the proto library reads them."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from training.inputs import read_packed


def key(labels: np.ndarray, mask: np.ndarray, dense: np.ndarray) -> bytes:
    """Bytes that tell lists apart: labels and dense features of the real documents."""
    return labels[mask].tobytes() + dense[mask].tobytes()


def keys(batches) -> list[bytes]:
    found = []
    for features, mask, labels, _ in batches:
        found += map(key, labels.numpy(), mask.numpy(), features["dense"].numpy())
    return found


@pytest.mark.parametrize("batch_size", [1, 7, 64, 1000])
def test_every_list_comes_once_in_order_whatever_the_batch(dataset, mixed_lengths, read_elwc, batch_size):
    expected = iter(read_elwc([mixed_lengths]))
    layout = dataset.layout
    for features, mask, labels, _ in read_packed([mixed_lengths], layout, batch_size):
        assert len(mask) <= batch_size
        assert (mask.dtype, labels.dtype, features["dense"].dtype) == (tf.bool, tf.float32, tf.float32)
        sizes = mask.numpy().sum(axis=1)
        assert mask.shape == labels.shape == features["dense"].shape[:2] == (len(sizes), sizes.max())
        for row, size in enumerate(sizes):
            elwc = next(expected)
            examples = [example.features.feature for example in elwc.examples]
            assert size == len(examples)
            assert mask.numpy()[row].tolist() == [True] * size + [False] * (mask.shape[1] - size)
            assert labels.numpy()[row].tolist() == [
                *(e["label"].float_list.value[0] for e in examples),
                *[0] * (mask.shape[1] - size),
            ]
            dense = np.array([e["dense"].float_list.value for e in examples], np.float32)
            assert features["dense"][row, :size].numpy().tobytes() == dense.tobytes()
            assert not features["dense"][row, size:].numpy().any()
            for feature in layout.ids:
                given = features[feature.name][row].numpy()
                if feature.scope == "query":
                    wanted = [elwc.context.features.feature[feature.name].int64_list.value]
                    given = given[np.newaxis]
                else:
                    wanted = [e[feature.name].int64_list.value for e in examples]
                    assert not given[size:].any()
                assert [ids[: len(want)].tolist() for ids, want in zip(given, wanted, strict=False)] == [
                    list(w) for w in wanted
                ]
                assert not any(ids[len(want) :].any() for ids, want in zip(given, wanted, strict=False))
    assert next(expected, None) is None


def test_several_files_are_read_in_order(dataset):
    files = [*dataset.packed("valid"), *dataset.packed("test")]
    both = keys(read_packed(files, dataset.layout, 16))
    assert both == [k for file in files for k in keys(read_packed([file], dataset.layout, 16))]


def test_weights_and_positions_come_along(dataset, weighted):
    file = weighted(lambda position, label: position / 4 + label)
    layout = replace(dataset.layout, judged=("weight", "position"))
    seen = 0
    for _, mask, labels, judged in read_packed([file], layout, 8):
        mask, labels = mask.numpy(), labels.numpy()
        places = np.cumsum(mask, axis=1) * mask
        assert (judged["weight"].dtype, judged["position"].dtype) == (tf.float32, tf.int64)
        assert judged["position"].numpy().tolist() == places.tolist()
        assert judged["weight"].numpy().tolist() == np.where(mask, places / 4 + labels, 0).tolist()
        seen += len(mask)
    assert seen == dataset.manifest["splits"]["train"]["lists"]
    assert not any(batch.judged for batch in read_packed([file], dataset.layout, 8))
