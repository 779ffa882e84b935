"""Counts per split, against plain Python."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa

from features.counts import SplitCounts, merge_counts, read_counts, write_counts_file
from ranker.data.columns import Column, list_schema
from ranker.data.elwc import read_raw

COLUMNS = [
    Column("query", "query", "string"),
    Column("price", "document", "float32"),
    Column("title", "document", "string"),
    Column("vector", "document", "float32", 2),
]


def batch(rows) -> pa.RecordBatch:
    names = list_schema(COLUMNS).names
    columns = {name: [row[at] for row in rows] for at, name in enumerate(names)}
    return pa.RecordBatch.from_pydict(columns, schema=list_schema(COLUMNS))


NAN = float("nan")
ROWS = [
    ("q1", "hat", ["a", "b"], [0.0, 2.0], [1.0, NAN], ["x", ""], [[1.0, NAN], [NAN, NAN]]),
    ("q2", "", ["a"], [0.0], [NAN], ["y"], [[1.0, 2.0]]),
    ("q3", "cap", ["c", "d", "e"], [2.0, 0.5, 0.0], [1.0, 2.0, 3.0], ["x", "y", "z"], [[0.0, 0.0]] * 3),
]


def test_what_is_counted():
    counts = SplitCounts()
    counts.add(batch(ROWS), COLUMNS)
    assert (counts.lists, counts.documents, counts.lists_without_relevant) == (3, 6, 1)
    assert counts.labels == {"0": 3, "0.5": 1, "2": 2}
    assert counts.missing == {"query": 1, "price": 2, "title": 1, "vector": 3}


def test_a_filtered_batch_counts_its_own_lists_only():
    counts = SplitCounts()
    counts.add(batch(ROWS).slice(1, 2), COLUMNS)
    assert (counts.lists, counts.documents, counts.lists_without_relevant) == (2, 4, 1)
    assert counts.labels == {"0": 2, "0.5": 1, "2": 1}


def test_parts_add_up_through_files(tmp_path):
    whole, parts = SplitCounts(), []
    whole.add(batch(ROWS), COLUMNS)
    for at, row in enumerate(reversed(ROWS)):
        part = SplitCounts()
        part.add(batch([row]), COLUMNS)
        write_counts_file(tmp_path / f"{at}.json", {"train": part})
        parts.append(read_counts(tmp_path / f"{at}.json"))
    merged = merge_counts(parts)["train"]
    assert merged.to_json() == whole.to_json()
    assert list(merged.labels) == ["0", "0.5", "2"]
    assert json.loads(json.dumps(merged.to_json())) == merged.to_json()


def test_the_manifest_counts_what_the_records_hold(dataset):
    for split in ("train", "valid", "test"):
        labels = np.concatenate([judged.labels for judged in read_raw(dataset.raw(split), dataset.columns)])
        prices = [j.request.tensors["price"] for j in read_raw(dataset.raw(split), dataset.columns)]
        counts = dataset.manifest["splits"][split]
        assert counts["documents"] == len(labels)
        assert counts["labels"] == {f"{label:g}": int((labels == label).sum()) for label in np.unique(labels)}
        assert counts["missing"]["price"] == sum(int(np.isnan(price).sum()) for price in prices) > 0
