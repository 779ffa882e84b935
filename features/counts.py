"""What is counted of each split while the records of a shard are written."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ranker.data.artefacts import write_json
from ranker.data.columns import Column
from ranker.data.id_hash import hash_ids
from ranker.data.rejected_rows import RejectedRows
from ranker.data.split import SPLITS, SplitName

__all__ = ["SplitCounts", "Written", "merge_shard_counts", "write_shard_counts"]


@dataclass
class SplitCounts:
    """Counts of the lists of one split.

    Attributes:
        lists: how many.
        documents: in all lists.
        lists_without_relevant: lists with no label above 0.
        labels: documents per label, written so that it reads back as the same float32.
        missing: values that are missing, per raw column that has any.
        queries: 64-bit hash of the query of each list.
    """

    lists: int = 0
    documents: int = 0
    lists_without_relevant: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)
    queries: list[int] = field(default_factory=list)

    def add(self, batch: pa.RecordBatch, columns: Iterable[Column]) -> None:
        """Count a batch of lists."""
        labels = batch["label"].flatten().to_numpy()
        lengths = pc.list_value_length(batch["label"]).to_numpy()
        starts = np.append(0, np.cumsum(lengths)[:-1])
        self.queries += hash_ids(batch["query_id"]).tolist()
        self.lists += batch.num_rows
        self.documents += len(labels)
        self.lists_without_relevant += int((np.maximum.reduceat(labels, starts) <= 0).sum())
        for label, count in zip(*np.unique(labels, return_counts=True), strict=True):
            self.labels[f"{label:.9g}"] += int(count)
        for column in columns:
            values = batch[column.name]
            while pa.types.is_list(values.type) or pa.types.is_fixed_size_list(values.type):
                values = values.flatten()
            absent = pc.is_nan(values) if column.dtype == "float32" else pc.equal(values, "")
            if count := pc.sum(absent).as_py():
                self.missing[column.name] += count

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
        in_two_splits: queries with lists in more than one split.
    """

    splits: dict[SplitName, SplitCounts]
    rejected: Counter[str]
    in_two_splits: int = 0


def write_shard_counts(path: Path, counts: Mapping[SplitName, SplitCounts], rejected: RejectedRows) -> None:
    """Write the counts of a shard as JSON."""
    of_splits = {split: of_split.to_json() | {"queries": of_split.queries} for split, of_split in counts.items()}
    write_json(path, {"splits": of_splits, "rejected": rejected.by_reason})


def merge_shard_counts(files: Iterable[Path]) -> Written:
    """The sum of what `write_shard_counts` wrote, labels in order."""
    written = Written({split: SplitCounts() for split in SPLITS}, Counter())
    for file in files:
        content = json.loads(file.read_text(encoding="utf-8"))
        written.rejected.update(content["rejected"])
        for split, total in written.splits.items():
            part = content["splits"][split]
            total.lists += part["lists"]
            total.documents += part["documents"]
            total.lists_without_relevant += part["lists_without_relevant"]
            total.labels.update(part["labels"])
            total.missing.update(part["missing"])
            total.queries += part["queries"]
    for total in written.splits.values():
        total.labels = Counter(dict(sorted(total.labels.items(), key=lambda item: float(item[0]))))
    distinct = [np.unique(np.array(total.queries, np.uint64)) for total in written.splits.values()]
    written.in_two_splits = int((np.unique(np.concatenate(distinct), return_counts=True)[1] > 1).sum())
    return written
