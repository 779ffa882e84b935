"""Counts per split, against plain Python."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from features.counts import SplitCounts, merge_shard_counts, write_shard_counts
from ranker.data.columns import Column, list_schema
from ranker.data.elwc import read_raw
from ranker.data.rejected_rows import RejectedRows

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
    whole = SplitCounts()
    whole.add(batch(ROWS), COLUMNS)
    for at, row in enumerate(reversed(ROWS)):
        part = SplitCounts()
        part.add(batch([row]), COLUMNS)
        with RejectedRows(tmp_path / "rejected") as rejected:
            rejected.add("f", 3, "bad label", "x")
        counts = {"train": part, "valid": SplitCounts(), "test": SplitCounts()}
        write_shard_counts(tmp_path / f"{at}.json", counts, rejected)
    written = merge_shard_counts(sorted(tmp_path.glob("*.json")))
    assert written.splits["train"].to_json() == whole.to_json()
    assert list(written.splits["train"].labels) == ["0", "0.5", "2"]
    assert written.splits["test"].lists == 0
    assert written.rejected == {"bad label": 3}
    assert written.in_two_splits == 0


def test_a_query_in_two_splits_is_counted_once(tmp_path):
    train, test = SplitCounts(), SplitCounts()
    train.add(batch(ROWS), COLUMNS)
    test.add(batch(ROWS[1:]), COLUMNS)
    with RejectedRows(tmp_path / "rejected") as rejected:
        pass
    write_shard_counts(tmp_path / "0.json", {"train": train, "valid": SplitCounts(), "test": test}, rejected)
    assert merge_shard_counts([tmp_path / "0.json"]).in_two_splits == 2


def test_the_manifest_counts_what_the_records_hold(dataset):
    for split in ("train", "valid", "test"):
        labels = np.concatenate([judged.labels for judged in read_raw(dataset.raw(split), dataset.columns)])
        prices = [j.request.tensors["price"] for j in read_raw(dataset.raw(split), dataset.columns)]
        counts = dataset.manifest["splits"][split]
        assert counts["documents"] == len(labels)
        assert counts["labels"] == {f"{label:g}": int((labels == label).sum()) for label in np.unique(labels)}
        assert counts["missing"]["price"] == sum(int(np.isnan(price).sum()) for price in prices) > 0
