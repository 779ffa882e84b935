"""Counts per split, against plain Python."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from features.counts import SplitCounts, merge_shard_counts, write_shard_counts
from features.statistics.measured import Measured
from features.statistics.split import SplitStatistics
from ranker.data.columns import LABEL, Column, list_schema
from ranker.data.elwc.records import read_raw
from ranker.data.rejected_rows import RejectedRows
from ranker.data.split import SPLITS

COLUMNS = [
    Column("query", "query", "string"),
    Column("price", "document", "float32"),
    Column("title", "document", "string"),
    Column("vector", "document", "float32", 2),
]
MEASURED = [
    *(Measured(column, kind) for column, kind in zip(COLUMNS, ("text", "number", "text", "vector"), strict=True)),
    Measured(LABEL, "label"),
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


@pytest.fixture
def write(tmp_path):
    """`write(number, train=rows, test=rows)` writes the counts of a shard, which has set aside one row."""

    def write_shard(number: int, **rows) -> None:
        counts, statistics = ({split: make() for split in SPLITS} for make in (SplitCounts, statistics_of_nothing))
        for split, lists in rows.items():
            counts[split].add(batch(lists))
            statistics[split].add(batch(lists))
        with RejectedRows(tmp_path / "rejected") as rejected:
            rejected.add("f", 3, "bad label", "x")
        write_shard_counts(tmp_path / f"{number}.json", counts, statistics, rejected)

    return write_shard


def statistics_of_nothing() -> SplitStatistics:
    return SplitStatistics(MEASURED)


def test_what_is_counted():
    counts = SplitCounts()
    counts.add(batch(ROWS))
    assert (counts.lists, counts.documents, counts.lists_without_relevant) == (3, 6, 1)
    assert counts.labels == {"0": 3, "0.5": 1, "2": 2}


def test_a_filtered_batch_counts_its_own_lists_only():
    counts = SplitCounts()
    counts.add(batch(ROWS).slice(1, 2))
    assert (counts.lists, counts.documents, counts.lists_without_relevant) == (2, 4, 1)
    assert counts.labels == {"0": 2, "0.5": 1, "2": 1}


def test_parts_add_up_through_files(tmp_path, write):
    for at, row in enumerate(reversed(ROWS)):
        write(at, train=[row])
    written = merge_shard_counts(sorted(tmp_path.glob("*.json")), MEASURED)
    assert written.splits["train"].to_json() == {
        "lists": 3,
        "documents": 6,
        "lists_without_relevant": 1,
        "labels": {"0": 3, "0.5": 1, "2": 2},
        "missing": {"query": 1, "price": 2, "title": 1, "vector": 3},
    }
    assert list(written.splits["train"].labels) == ["0", "0.5", "2"]
    assert (written.splits["test"].lists, written.statistics["test"].lists) == (0, 0)
    assert written.rejected == {"bad label": 3}
    assert written.in_two_splits == 0
    statistics = written.statistics["train"]
    assert (statistics.name, statistics.lists, statistics.documents) == ("train", 3, 6)
    assert statistics.column("price").numbers.mean == 7 / 4
    assert dict(statistics.column("title").values.top) == {"x": 2, "y": 2, "z": 1}


def test_a_query_in_two_splits_is_counted_once(tmp_path, write):
    write(0, train=ROWS, test=ROWS[1:])
    assert merge_shard_counts([tmp_path / "0.json"], MEASURED).in_two_splits == 2


def test_the_manifest_counts_what_the_records_hold(dataset):
    for split in SPLITS:
        labels = np.concatenate([judged.labels for judged in read_raw(dataset.raw(split), dataset.columns)])
        prices = [j.request.tensors["price"] for j in read_raw(dataset.raw(split), dataset.columns)]
        counts = dataset.manifest["splits"][split]
        assert counts["documents"] == len(labels)
        assert counts["labels"] == {f"{label:g}": int((labels == label).sum()) for label in np.unique(labels)}
        assert counts["missing"]["price"] == sum(int(np.isnan(price).sum()) for price in prices) > 0
