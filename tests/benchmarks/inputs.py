"""Reading packed examples, against TensorFlow Ranking's own builder on the same numbers as scalar features."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import input_pb2

from ranker.data.layout import Layout
from ranker.models.tensorflow_ranking import tfr
from tests.benchmarks.letor import FEATURES
from tests.benchmarks.timing import ratio
from training.inputs import read_packed

__all__ = ["reading_against_tensorflow_ranking"]

_LISTS, _DOCUMENTS, _BATCH = 64, 100, 16


def reading_against_tensorflow_ranking(folder: Path) -> float:
    """Our speed as a multiple of theirs: 6,400 documents of 136 numbers, batches of 16 lists of 100."""
    numbers = np.random.default_rng(0).normal(size=(_LISTS, _DOCUMENTS, FEATURES)).astype(np.float32)
    packed, scalar = folder / "packed", folder / "scalar"
    names = [f"f{at}" for at in range(FEATURES)]
    with tf.io.TFRecordWriter(str(packed)) as ours, tf.io.TFRecordWriter(str(scalar)) as theirs:
        for rows in numbers:
            one, many = input_pb2.ExampleListWithContext(), input_pb2.ExampleListWithContext()
            for row in rows:
                features = one.examples.add().features.feature
                features["label"].float_list.value.append(1.0)
                features["dense"].float_list.value.extend(row.tolist())
                features = many.examples.add().features.feature
                features["label"].float_list.value.append(1.0)
                for name, value in zip(names, row.tolist(), strict=True):
                    features[name].float_list.value.append(value)
            ours.write(one.SerializeToString())
            theirs.write(many.SerializeToString())
    layout = Layout(tuple(names), ())
    spec = {name: tf.io.FixedLenFeature([1], tf.float32, [0.0]) for name in [*names, "label"]}

    def read_ours() -> int:
        return sum(int(mask.shape[0]) for _, mask, *_ in read_packed([packed], layout, _BATCH))

    def read_theirs() -> int:
        dataset = tfr.data.build_ranking_dataset(
            file_pattern=str(scalar),
            data_format=tfr.data.ELWC,
            batch_size=_BATCH,
            context_feature_spec={},
            example_feature_spec=spec,
            list_size=_DOCUMENTS,
            shuffle=False,
            num_epochs=1,
            reader=tf.data.TFRecordDataset,
        )
        return sum(int(features["label"].shape[0]) for features in dataset)

    assert read_ours() == read_theirs() == _LISTS
    return 1 / ratio(read_ours, read_theirs, rounds=5)
