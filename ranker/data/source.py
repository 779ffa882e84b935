"""The source of a spec as the pipeline sees it: shards that are read alone, as often as needed, in a fixed order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ranker.data.split import SPLITS, SplitName, splits_of
from ranker.data.tables import read_documents, read_lists, source_files
from ranker.spec import Spec

__all__ = ["OpenedSource", "Part", "open_source", "source_files"]

_TEXTS_PER_BATCH = 4096


@dataclass(frozen=True)
class Part:
    """Lists of one split: a batch with `ranker.data.columns.list_schema`."""

    split: SplitName
    lists: pa.RecordBatch


@dataclass(frozen=True)
class OpenedSource:
    """A source ready to be read. It can be pickled and read in other processes.

    Attributes:
        spec: what it was opened for.
        shards: handles for `read`.
    """

    spec: Spec
    shards: tuple[Any, ...]

    def read(self, shard: Any, lists_per_batch: int) -> Iterator[Part]:  # noqa: ARG002 - there is one shard
        """All lists of a shard, in a fixed order."""
        for batch in read_lists(self.spec, lists_per_batch):
            splits = splits_of(batch["query_id"].to_pylist(), self.spec.data.split)
            for split in SPLITS:
                lists = batch.filter(pa.array(np.asarray(splits == split)))
                if lists.num_rows:
                    yield Part(split, lists)

    def texts(self, names: list[str]) -> Iterator[pa.RecordBatch]:
        """String columns of the document collection, each distinct document once."""
        return iter(read_documents(self.spec, names).to_batches(_TEXTS_PER_BATCH))


def open_source(spec: Spec, temporary: Path) -> OpenedSource:  # noqa: ARG001 - joins are in memory
    """Open the source of a spec.

    Args:
        spec: names it.
        temporary: folder for what has to be kept until the source was read for the last time.
    """
    return OpenedSource(spec, (0,))
