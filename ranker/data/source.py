"""The source of a spec as the pipeline sees it: shards that are read alone, as often as needed, in a fixed order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from ranker.data.data_error import DataError
from ranker.data.letor_groups import group_file_of
from ranker.data.letor_lists import LetorShard, open_letor, read_letor_shard
from ranker.data.letor_text import has_queries
from ranker.data.rejected_rows import RejectedRows
from ranker.data.split import SPLITS, SplitName, splits_of
from ranker.data.tables import TablesShard, read_document_texts, read_shard, source_paths, spill_tables
from ranker.spec import LetorSource, Spec, Vector

__all__ = ["OpenedSource", "Part", "open_source", "source_files"]

Shard = TablesShard | LetorShard


@dataclass(frozen=True)
class Part:
    """Lists of one split: a batch with `ranker.data.columns.list_schema`."""

    split: SplitName
    lists: pa.RecordBatch


@dataclass(frozen=True)
class OpenedSource:
    """A source ready to be read. It can be pickled and read in other processes.

    Attributes:
        spec: what it was opened for, with the sizes that were found in the data.
        shards: handles for `read`.
        temporary: folder for what is needed on the way.
    """

    spec: Spec
    shards: tuple[Shard, ...]
    temporary: str

    def read(self, shard: Shard, lists_per_batch: int, rejected: RejectedRows | None = None) -> Iterator[Part]:
        """All lists of a shard, in a fixed order.

        Args:
            shard: one of `shards`.
            lists_per_batch: rows of a batch at the most.
            rejected: takes the rows that are set aside while reading; None where they were told before.
        """
        if isinstance(shard, TablesShard):
            for batch in read_shard(self.spec, shard, lists_per_batch):
                yield from _by_hash(batch, self.spec)
            return
        column = self.spec.features.document[0].name
        source = self.spec.data.sources[0]
        for batch in read_letor_shard(shard, column, lists_per_batch, rejected):
            if shard.split == "train" and isinstance(source, LetorSource) and source.valid is None:
                yield from _without_test(batch, self.spec)
            else:
                yield Part(shard.split, batch)

    def texts(self, names: list[str]) -> Iterator[pa.RecordBatch]:
        """String columns of the document collection, each distinct document once."""
        return read_document_texts(self.spec, names, Path(self.temporary))


def source_files(spec: Spec) -> dict[str, list[Path]]:
    """The files of the source, by their role.

    Raises:
        RankerError: for a path that cannot be.
    """
    source = spec.data.sources[0]
    if isinstance(source, LetorSource):
        given = {"train": source.train, "valid": source.valid, "test": source.test}
        paths = {role: spec.path(file) for role, file in given.items() if file is not None}
        return {role: [path, *_groups_of(path)] for role, path in paths.items()}
    return source_paths(spec)


def _groups_of(path: Path) -> list[Path]:
    """The file with the list sizes of a LETOR file that has no qid."""
    return [group_file_of(path)] if has_queries(path) is False else []


def open_source(spec: Spec, temporary: Path, rejected: RejectedRows, progress: Callable[[int], None]) -> OpenedSource:
    """Open the source of a spec.

    Args:
        spec: names it.
        temporary: folder for what has to be kept until the source was read for the last time.
        rejected: takes the rows that are set aside now.
        progress: told the number of rows read so far.

    Raises:
        RankerError: for faults of whole files.
    """
    if isinstance(spec.data.sources[0], LetorSource):
        files, scan = open_letor(spec, temporary, rejected)
        vector = spec.features.document[0]
        if isinstance(vector, Vector) and vector.width not in (None, scan.features):
            raise DataError(
                f"features.document.0.width: expected {scan.features}, the number of features in the files, or none at "
                f"all; got {vector.width}"
            )
        return OpenedSource(spec.with_vector(scan.features, scan.base), tuple(files), str(temporary))
    shards, _ = spill_tables(spec, temporary, progress=progress, rejected=rejected)
    return OpenedSource(spec, tuple(shards), str(temporary))


def _by_hash(batch: pa.RecordBatch, spec: Spec) -> Iterator[Part]:
    splits = splits_of(batch["query_id"].to_pylist(), spec.data.split)
    yield from _parts(batch, splits)


def _without_test(batch: pa.RecordBatch, spec: Spec) -> Iterator[Part]:
    """Training lists of which a share, by the hash of their id, is for validation."""
    split = spec.data.split.model_copy(update={"test": 0.0})
    yield from _parts(batch, splits_of(batch["query_id"].to_pylist(), split))


def _parts(batch: pa.RecordBatch, splits: np.ndarray) -> Iterator[Part]:
    for split in SPLITS:
        lists = batch.filter(pa.array(np.asarray(splits == split)))
        if lists.num_rows:
            yield Part(split, lists)
