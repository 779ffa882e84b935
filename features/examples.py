"""Packed examples: transformed lists as ExampleListWithContext records, numbers packed into few vectors.

The context holds `query_id` and the ids of the query features; each example `dense` (one float vector), `label` and
the ids of the document features. One vector parses more than ten times as fast as one scalar per feature.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import tensorflow as tf
from tensorflow_serving.apis import input_pb2

from ranker.data.layout import Layout

__all__ = ["packed_records"]


def packed_records(batch: pa.RecordBatch, transformed: Mapping[str, tf.Tensor], layout: Layout) -> Iterator[bytes]:
    """Serialized ExampleListWithContext for each row of a batch of lists.

    Args:
        batch: the raw lists (for query ids and labels).
        transformed: what the transform graph gave for them, see `features.preprocessing`.
        layout: names of the tensors.
    """
    query_ids = batch["query_id"].to_pylist()
    labels = batch["label"].to_pylist()
    dense = transformed["dense"].flat_values.numpy().tolist()
    ids = {feature.name: _rows(transformed[feature.name]) for feature in layout.ids}
    document = 0
    for at, (query_id, list_labels) in enumerate(zip(query_ids, labels, strict=True)):
        elwc = input_pb2.ExampleListWithContext()
        context = elwc.context.features.feature
        context["query_id"].bytes_list.value.append(query_id.encode())
        for feature in layout.ids:
            if feature.scope == "query":
                context[feature.name].int64_list.value.extend(ids[feature.name][at])
        for label in list_labels:
            example = elwc.examples.add().features.feature
            example["label"].float_list.value.append(label)
            example["dense"].float_list.value.extend(dense[document])
            for feature in layout.ids:
                if feature.scope == "document":
                    example[feature.name].int64_list.value.extend(ids[feature.name][document])
            document += 1
        yield elwc.SerializeToString(deterministic=True)


def _rows(ragged: Any) -> list[list[int]]:
    """The innermost rows: of queries `[batch, (ids)]` or of documents `[batch, (list), (ids)]`."""
    innermost = ragged if ragged.ragged_rank == 1 else ragged.values
    return [row.tolist() for row in np.split(innermost.flat_values.numpy(), innermost.row_splits.numpy()[1:-1])]
