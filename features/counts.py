"""What is counted of each split while its records are written."""

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
from ranker.data.split import SplitName

__all__ = ["SplitCounts", "merge_counts", "read_counts", "write_counts_file"]


@dataclass
class SplitCounts:
    """Counts of the lists of one split.

    Attributes:
        lists: how many.
        documents: in all lists.
        lists_without_relevant: lists with no label above 0.
        labels: documents per label, written with `%g`.
        missing: values that are missing, per raw column that has any.
    """

    lists: int = 0
    documents: int = 0
    lists_without_relevant: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)

    def add(self, batch: pa.RecordBatch, columns: Iterable[Column]) -> None:
        """Count a batch of lists."""
        labels = batch["label"].flatten().to_numpy()
        lengths = pc.list_value_length(batch["label"]).to_numpy()
        starts = np.append(0, np.cumsum(lengths)[:-1])
        self.lists += batch.num_rows
        self.documents += len(labels)
        self.lists_without_relevant += int((np.maximum.reduceat(labels, starts) <= 0).sum())
        for label, count in zip(*np.unique(labels, return_counts=True), strict=True):
            self.labels[f"{label:g}"] += int(count)
        for column in columns:
            values = batch[column.name]
            while pa.types.is_list(values.type) or pa.types.is_fixed_size_list(values.type):
                values = values.flatten()
            absent = pc.is_nan(values) if column.dtype == "float32" else pc.equal(values, "")
            if count := pc.sum(absent).as_py():
                self.missing[column.name] += count

    def to_json(self) -> dict[str, Any]:
        """As the manifest holds it."""
        return vars(self) | {"labels": dict(self.labels), "missing": dict(self.missing)}


def merge_counts(parts: Iterable[Mapping[str, SplitCounts]]) -> dict[str, SplitCounts]:
    """Per split the sum of all parts, labels in order."""
    merged: dict[str, SplitCounts] = {}
    for part in parts:
        for split, counts in part.items():
            total = merged.setdefault(split, SplitCounts())
            total.lists += counts.lists
            total.documents += counts.documents
            total.lists_without_relevant += counts.lists_without_relevant
            total.labels.update(counts.labels)
            total.missing.update(counts.missing)
    for total in merged.values():
        total.labels = Counter(dict(sorted(total.labels.items(), key=lambda item: float(item[0]))))
    return merged


def write_counts_file(path: Path, counts: Mapping[SplitName, SplitCounts]) -> None:
    """Write the counts of a shard as JSON."""
    write_json(path, {split: of_split.to_json() for split, of_split in counts.items()})


def read_counts(path: Path) -> dict[str, SplitCounts]:
    """Inverse of `write_counts_file`."""
    content = json.loads(path.read_text(encoding="utf-8"))
    return {
        split: SplitCounts(**(c | {"labels": Counter(c["labels"]), "missing": Counter(c["missing"])}))
        for split, c in content.items()
    }
