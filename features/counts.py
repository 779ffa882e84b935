"""What is counted of each split while the records of a shard are written."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.statistics.effective_size import effective_size
from features.statistics.measured import Measured
from features.statistics.split import SplitStatistics
from features.statistics.summary import SplitSummary
from ranker.data.artefacts import write_json
from ranker.data.id_hash import hash_ids
from ranker.data.rejected_rows import RejectedRows
from ranker.data.split import SPLITS, SplitName

__all__ = ["SplitCounts", "Written", "merge_shard_counts", "write_shard_counts"]

_STATISTICS = ".npz"


@dataclass
class SplitCounts:
    """Counts of the lists of one split.

    Attributes:
        lists: how many.
        documents: in all lists.
        lists_without_relevant: lists with no label above 0.
        labels: documents per label, written so that it reads back as the same float32.
        missing: values that are missing, per raw column that has any; known once all shards are merged.
        queries: 64-bit hash of the query of each list.
    """

    lists: int = 0
    documents: int = 0
    lists_without_relevant: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)
    queries: list[int] = field(default_factory=list)

    def add(self, batch: pa.RecordBatch, queries: pa.StringArray) -> None:
        """Count a batch of lists, of these queries (see `ranker.data.list_names.queries_of`)."""
        labels = batch["label"].flatten().to_numpy()
        lengths = pc.list_value_length(batch["label"]).to_numpy()
        starts = np.append(0, np.cumsum(lengths)[:-1])
        self.queries += hash_ids(queries).tolist()
        self.lists += batch.num_rows
        self.documents += len(labels)
        self.lists_without_relevant += int((np.maximum.reduceat(labels, starts) <= 0).sum())
        for label, count in zip(*np.unique(labels, return_counts=True), strict=True):
            self.labels[f"{label:.9g}"] += int(count)

    def to_json(self) -> dict[str, Any]:
        """As the manifest holds it: without the queries."""
        counts = vars(self) | {"labels": dict(self.labels), "missing": dict(self.missing)}
        return {what: count for what, count in counts.items() if what != "queries"}


@dataclass
class Written:
    """What was written of all shards.

    Attributes:
        splits: counts per split.
        rejected: rows set aside while the shards were read, per reason.
        rejected_of: the same per split, where it is known.
        statistics: of the columns, per split.
        in_two_splits: queries with lists in more than one split.
    """

    splits: dict[SplitName, SplitCounts]
    rejected: Counter[str]
    rejected_of: dict[SplitName, Counter[str]]
    statistics: dict[SplitName, SplitSummary]
    in_two_splits: int = 0


def write_shard_counts(
    path: Path,
    counts: Mapping[SplitName, SplitCounts],
    statistics: Mapping[SplitName, SplitStatistics],
    rejected: RejectedRows,
) -> None:
    """Write the counts of a shard as JSON, and its statistics beside it."""
    of_splits = {split: of_split.to_json() | {"queries": of_split.queries} for split, of_split in counts.items()}
    write_json(path, {"splits": of_splits, "rejected": rejected.by_reason, "rejected_of": rejected.by_split})
    arrays = {
        f"{split}/{key}": array for split, of_split in statistics.items() for key, array in of_split.to_arrays().items()
    }
    np.savez(path.with_suffix(_STATISTICS), allow_pickle=False, **arrays)


def merge_shard_counts(files: Iterable[Path], columns: Sequence[Measured]) -> Written:
    """The sum of what `write_shard_counts` wrote, labels in order.

    Args:
        files: the JSON file of each shard.
        columns: of the statistics.
    """
    splits, rejected = {split: SplitCounts() for split in SPLITS}, Counter[str]()
    rejected_of = {split: Counter[str]() for split in SPLITS}
    statistics = {split: SplitStatistics(columns) for split in SPLITS}
    for file in files:
        content = json.loads(file.read_text(encoding="utf-8"))
        rejected.update(content["rejected"])
        for split, reasons in content["rejected_of"].items():
            rejected_of[split].update(reasons)
        with np.load(file.with_suffix(_STATISTICS), allow_pickle=False) as arrays:
            for split in SPLITS:
                _add(splits[split], content["splits"][split])
                of_split = {key.removeprefix(f"{split}/"): arrays[key] for key in arrays if key.startswith(f"{split}/")}
                statistics[split].merge(SplitStatistics.from_arrays(columns, of_split))
    for split, total in splits.items():
        total.labels = Counter(dict(sorted(total.labels.items(), key=lambda item: float(item[0]))))
        total.missing = Counter(statistics[split].missing())
    queries = {split: np.array(total.queries, np.uint64) for split, total in splits.items()}
    distinct = np.concatenate([np.unique(of_split) for of_split in queries.values()])
    in_two_splits = int((np.unique(distinct, return_counts=True)[1] > 1).sum())
    summaries = {split: statistics[split].summary(split, effective_size(queries[split])) for split in SPLITS}
    return Written(splits, rejected, rejected_of, summaries, in_two_splits)


def _add(total: SplitCounts, part: Mapping[str, Any]) -> None:
    total.lists += part["lists"]
    total.documents += part["documents"]
    total.lists_without_relevant += part["lists_without_relevant"]
    total.labels.update(part["labels"])
    total.queries += part["queries"]
