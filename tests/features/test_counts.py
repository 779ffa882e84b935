"""Counts per split, against plain Python."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from features.counts import SplitCounts, merge_shard_counts, write_shard_counts
from features.statistics.dataset_checks import read_dataset_statistics
from features.statistics.measured import Measured
from features.statistics.split import SplitStatistics
from ranker.data.columns import LABEL, TIMESTAMP, Column, list_schema, schema_of
from ranker.data.elwc.connector import write_elwc
from ranker.data.elwc.records import read_raw
from ranker.data.list_names import queries_of
from ranker.data.rejected_rows import RejectedRows
from ranker.data.source import open_source
from ranker.data.split import SPLITS
from ranker.data.store.generator import make_store
from ranker.spec import Spec
from ranker.workflows.prepare import prepare

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
            counts[split].add(batch(lists), queries(batch(lists)))
            statistics[split].add(batch(lists))
        with RejectedRows(tmp_path / "rejected") as rejected:
            rejected.add("f", 3, "bad label", "x")
        write_shard_counts(tmp_path / f"{number}.json", counts, statistics, rejected)

    return write_shard


def queries(lists: pa.RecordBatch) -> pa.StringArray:
    """Lists are called `QUERY#NUMBER`, or as their query."""
    return pc.replace_substring_regex(lists["query_id"], "#.*", "")


def statistics_of_nothing() -> SplitStatistics:
    return SplitStatistics(MEASURED)


def test_what_is_counted():
    counts = SplitCounts()
    counts.add(batch(ROWS), queries(batch(ROWS)))
    assert (counts.lists, counts.documents, counts.lists_without_relevant) == (3, 6, 1)
    assert counts.labels == {"0": 3, "0.5": 1, "2": 2}


def test_a_filtered_batch_counts_its_own_lists_only():
    counts = SplitCounts()
    counts.add(batch(ROWS).slice(1, 2), queries(batch(ROWS).slice(1, 2)))
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


def test_lists_of_a_query_are_one_query(tmp_path, write):
    """q1 has three lists in training and one for test, q2 one of each, q3 one in training."""
    more = [("q1#2", *ROWS[0][1:]), ("q1#3", *ROWS[0][1:])]
    write(0, train=[*ROWS, more[0]])
    write(1, train=[more[1]], test=[("q1#4", *ROWS[0][1:]), ROWS[1]])
    written = merge_shard_counts([tmp_path / "0.json", tmp_path / "1.json"], MEASURED)
    assert written.in_two_splits == 2
    assert written.statistics["train"].lists == 5
    assert written.statistics["train"].independent_lists == pytest.approx(5**2 / (3**2 + 1 + 1))
    assert written.statistics["test"].independent_lists == 2


SPEC = {
    "version": 1,
    "features": {"query": [{"name": "query", "kind": "text"}], "document": [{"name": "price", "kind": "numeric"}]},
    "models": [{"name": "trees", "kind": "lambdamart"}],
    "blend": {"members": ["trees"]},
}
BY_TIME = {"by": "time", "valid": 0.2, "test": 0.2}


def in_two_splits(times: pd.DataFrame, bounds) -> int:
    """Of the columns `query_id` and `at`, seconds since 1970: a row per list."""
    split = (times["at"] >= bounds.valid).astype(int) + (times["at"] >= bounds.test)
    return int((split.groupby(times["query_id"]).nunique() > 1).sum())


def test_clicks_split_by_time_tell_how_many_queries_are_in_two_splits(tmp_path, progress):
    """Through the whole of `prepare`."""
    store = make_store(tmp_path, queries=80, impressions=240, positions=4)
    source = {"kind": "clicks", "queries": str(store.queries), "documents": str(store.products)}
    source |= {"impressions": str(store.clicks), "timestamp": "timestamp"}
    spec = Spec.model_validate(SPEC | {"data": {"sources": [source], "split": BY_TIME}})
    manifest = prepare(spec, tmp_path / "dataset", progress)
    log = pd.read_parquet(store.clicks).drop_duplicates("impression_id")
    times = pd.DataFrame({"query_id": log["query_id"], "at": log["timestamp"].map(lambda at: at.timestamp())})
    expected = in_two_splits(times, SimpleNamespace(**manifest["split_bounds"]))
    assert 10 < expected < 70
    told = [warning for warning in manifest["warnings"] if "in more than one split" in warning]
    assert [warning.partition(":")[0] for warning in told] == [f"{expected:,} queries are in more than one split"]
    train = read_dataset_statistics(tmp_path / "dataset", spec)["train"]
    sizes = times[times["at"] < manifest["split_bounds"]["valid"]]["query_id"].value_counts()
    assert train.independent_lists == pytest.approx(sizes.sum() ** 2 / (sizes**2).sum())


def test_elwc_lists_split_by_time_tell_how_many_queries_are_in_two_splits(tmp_path):
    """Even if the ids of the queries end like the names of further lists."""
    times = pd.DataFrame({"query_id": [f"q#{at % 40}" for at in range(100)], "at": range(1, 101)})
    columns = [Column("query", "query", "string"), Column("price", "document", "float32")]
    data = {"sources": [{"kind": "elwc", "train": str(tmp_path / "lists")}], "split": BY_TIME, "timestamp": "timestamp"}
    lists = {"query": ["hat"] * 100, "document_id": [["a", "b"]] * 100, "label": [[0.0, 1.0]] * 100}
    lists |= {"price": [[1.0, 2.0]] * 100, "timestamp": times["at"], "query_id": times["query_id"]}
    spec = Spec.model_validate(SPEC | {"data": data})
    write_elwc(tmp_path / "lists", [pa.RecordBatch.from_pydict(lists, schema=schema_of(spec))], [TIMESTAMP, *columns])
    counts = {split: SplitCounts() for split in SPLITS}
    with RejectedRows(tmp_path / "rejected") as rejected:
        source = open_source(spec, tmp_path, rejected, lambda _: None)
        for shard in source.shards:
            for part in source.read(shard, 7, rejected):
                counts[part.split].add(part.lists, queries_of(source.spec, part.lists["query_id"]))
        write_shard_counts(tmp_path / "0.json", counts, {s: statistics_of_nothing() for s in SPLITS}, rejected)
    written = merge_shard_counts([tmp_path / "0.json"], MEASURED)
    assert {split: found.lists for split, found in written.splits.items()} == {"train": 60, "valid": 20, "test": 20}
    assert written.in_two_splits == in_two_splits(times, source.split_bounds) == 40


def test_the_manifest_counts_what_the_records_hold(dataset):
    for split in SPLITS:
        labels = np.concatenate([judged.labels for judged in read_raw(dataset.raw(split), dataset.columns)])
        prices = [j.request.tensors["price"] for j in read_raw(dataset.raw(split), dataset.columns)]
        counts = dataset.manifest["splits"][split]
        assert counts["documents"] == len(labels)
        assert counts["labels"] == {f"{label:g}": int((labels == label).sum()) for label in np.unique(labels)}
        assert counts["missing"]["price"] == sum(int(np.isnan(price).sum()) for price in prices) > 0
