"""Packed records against what went in."""

import numpy as np
import pyarrow as pa
import tensorflow as tf
from tensorflow_serving.apis import input_pb2

from features.examples import packed_records
from ranker.data.layout import IdFeature, Layout

LAYOUT = Layout(
    ("price", "bm25"),
    (
        IdFeature("words", "query", 9, 2, multivalued=True, table="t"),
        IdFeature("brand", "document", 9, 2, multivalued=False, table="b"),
        IdFeature("title", "document", 9, 2, multivalued=True, table="t"),
    ),
)
DENSE = np.array([[0.1, -2], [3.4e38, 1e-45], [5, 6]], np.float32)


def test_each_list_becomes_one_record():
    batch = pa.RecordBatch.from_pydict({"query_id": ["é1", "q2"], "label": pa.array([[0.5, 3.0], [1.0]])})
    transformed = {
        "dense": tf.RaggedTensor.from_row_lengths(DENSE, [2, 1]),
        "words": tf.ragged.constant([[7, 8], []], tf.int64),
        "brand": tf.ragged.constant([[[1], [2]], [[0]]], tf.int64),
        "title": tf.ragged.constant([[[], [3, 4]], [[5]]], tf.int64),
    }
    first, second = (
        input_pb2.ExampleListWithContext.FromString(record) for record in packed_records(batch, transformed, LAYOUT)
    )
    assert first.context.features.feature["query_id"].bytes_list.value == ["é1".encode()]
    assert first.context.features.feature["words"].int64_list.value == [7, 8]
    assert second.context.features.feature["words"].int64_list.value == []
    examples = [dict(e.features.feature) for e in (*first.examples, *second.examples)]
    assert [len(first.examples), len(second.examples)] == [2, 1]
    assert [list(e["label"].float_list.value) for e in examples] == [[0.5], [3.0], [1.0]]
    assert [list(e["brand"].int64_list.value) for e in examples] == [[1], [2], [0]]
    assert [list(e["title"].int64_list.value) for e in examples] == [[], [3, 4], [5]]
    assert np.array([e["dense"].float_list.value for e in examples], np.float32).tobytes() == DENSE.tobytes()


def test_what_is_judged_is_written_as_the_layout_says():
    of_documents = {"label": [[0.5, 3.0], [1.0]], "weight": [[1.0, 0.25], [2.0]], "position": [[2, 0], [1]]}
    types = {"label": pa.float32(), "weight": pa.float32(), "position": pa.int64()}
    judged = {name: pa.array(values, pa.list_(types[name])) for name, values in of_documents.items()}
    batch = pa.RecordBatch.from_pydict({"query_id": ["q1", "q2"], **judged})
    transformed = {"dense": tf.RaggedTensor.from_row_lengths(DENSE, [2, 1])}
    for names in ((), ("weight",), ("position",), ("weight", "position")):
        layout = Layout(("price", "bm25"), (), names)
        parsed = [input_pb2.ExampleListWithContext.FromString(r) for r in packed_records(batch, transformed, layout)]
        examples = [dict(example.features.feature) for elwc in parsed for example in elwc.examples]
        assert all(set(example) == {"dense", "label", *names} for example in examples)
        if "weight" in names:
            assert [list(e["weight"].float_list.value) for e in examples] == [[1], [0.25], [2]]
        if "position" in names:
            assert [list(e["position"].int64_list.value) for e in examples] == [[2], [0], [1]]
