"""The source of a spec as the pipeline sees it: shards that are read alone, as often as needed, in a fixed order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from ranker.data.clicks.propensities import Propensities
from ranker.data.data_error import DataError
from ranker.data.elwc.connector import ElwcShard, elwc_files, open_elwc, read_elwc_shard
from ranker.data.elwc.texts import read_elwc_texts
from ranker.data.letor.connector import LetorShard, letor_files, open_letor, read_letor_shard
from ranker.data.letor.groups import group_file_of
from ranker.data.letor.text import has_queries
from ranker.data.rejected_rows import RejectedRows
from ranker.data.split import SPLITS, SplitBounds, SplitName
from ranker.data.tables.connector import (
    TablesShard,
    read_document_texts,
    read_shard,
    read_training_texts,
    source_paths,
    spill_tables,
)
from ranker.spec import ClicksSource, ElwcSource, LetorSource, Spec, TableSource, Vector

__all__ = ["OpenedSource", "Part", "open_source", "source_files"]

Shard = TablesShard | LetorShard | ElwcShard


@dataclass(frozen=True)
class Part:
    """Lists of one split: a batch with `ranker.data.columns.schema_of`."""

    split: SplitName
    lists: pa.RecordBatch


@dataclass(frozen=True)
class OpenedSource:
    """A source ready to be read. It can be pickled and read in other processes.

    Attributes:
        spec: what it was opened for, with the sizes that were found in the data.
        shards: handles for `read`.
        temporary: folder for what is needed on the way.
        split_bounds: the moments that part the splits, if lists are split by their time.
        propensities: how likely it is that a position is looked at, if the spec wants it told from clicks.
        lists: how many there are, if that is known.
    """

    spec: Spec
    shards: tuple[Shard, ...]
    temporary: str
    split_bounds: SplitBounds | None = None
    propensities: Propensities | None = None
    lists: int | None = None

    def read(
        self,
        shard: Shard,
        lists_per_batch: int,
        rejected: RejectedRows | None = None,
        splits: Collection[SplitName] = SPLITS,
    ) -> Iterator[Part]:
        """The lists of a shard, in a fixed order.

        Args:
            shard: one of `shards`.
            lists_per_batch: rows of a batch at the most.
            rejected: takes the rows that are set aside while reading; None where they were told before.
            splits: which lists; those of other splits may cost nothing.
        """
        for part in self._read(shard, lists_per_batch, rejected, splits):
            if part.split in splits:
                yield part

    def _read(
        self, shard: Shard, lists_per_batch: int, rejected: RejectedRows | None, splits: Collection[SplitName]
    ) -> Iterator[Part]:
        if isinstance(shard, TablesShard):
            for split in SPLITS:
                for batch in read_shard(self.spec, shard, split, lists_per_batch) if split in splits else []:
                    yield Part(split, batch)
            return
        if isinstance(shard, ElwcShard):
            for split, lists in read_elwc_shard(self.spec, shard, lists_per_batch, rejected, splits):
                yield Part(split, lists)
            return
        column = self.spec.features.document[0].name
        for split, lists in read_letor_shard(shard, column, lists_per_batch, rejected, splits):
            yield Part(split, lists)

    def texts(self, names: list[str]) -> Iterator[pa.RecordBatch]:
        """String columns of the document collection, each distinct document once, missing as "".

        The collection is the table of documents, judged or not; of a single table or ELWC files, the documents of the
        training lists.
        """
        if isinstance(self.spec.data.sources[0], TableSource):
            shards = [shard for shard in self.shards if isinstance(shard, TablesShard)]
            return read_training_texts(shards, names, Path(self.temporary))
        files = [shard for shard in self.shards if isinstance(shard, ElwcShard)]
        if files:
            return (rows.select(names) for rows in read_elwc_texts(self.spec, files, names, Path(self.temporary)))
        return read_document_texts(self.spec, names, Path(self.temporary))


def source_files(spec: Spec) -> dict[str, list[Path]]:
    """The files of the source, by their role.

    Raises:
        RankerError: for a path that cannot be.
    """
    source = spec.data.sources[0]
    if isinstance(source, LetorSource):
        of_splits = letor_files(spec)
        return {
            str(split): paths + [groups for path in paths for groups in _groups_of(path)]
            for split, paths in of_splits.items()
        }
    if isinstance(source, ElwcSource):
        return {str(split): paths for split, paths in elwc_files(spec).items()}
    of_tables = source_paths(spec)
    if isinstance(source, ClicksSource):
        of_tables["impressions"] = of_tables.pop("judgments")
    return of_tables


def _groups_of(path: Path) -> list[Path]:
    """The file with the list sizes of a LETOR file that has no qid."""
    return [group_file_of(path)] if has_queries(path) is False else []


def open_source(
    spec: Spec,
    temporary: Path,
    rejected: RejectedRows,
    progress: Callable[[int], None],
    candidates: Path | None = None,
) -> OpenedSource:
    """Open the source of a spec.

    Args:
        spec: names it.
        temporary: folder for what has to be kept until the source was read for the last time.
        rejected: takes the rows that are set aside now.
        progress: told the number of rows read so far.
        candidates: file of the candidates that bm25 found: Parquet with the columns `query_id` and `document_id`.

    Raises:
        RankerError: for faults of whole files.
    """
    if isinstance(spec.data.sources[0], LetorSource):
        files, scan = open_letor(spec, temporary, rejected, progress)
        vector = spec.features.document[0]
        if isinstance(vector, Vector) and vector.width not in (None, scan.features):
            raise DataError(
                f"features.document.0.width: expected {scan.features}, the number of features in the files, or none at "
                f"all; got {vector.width}"
            )
        return OpenedSource(spec.with_vector(scan.features, scan.base), tuple(files), str(temporary), lists=scan.lists)
    if isinstance(spec.data.sources[0], ElwcSource):
        resolved, of_files = open_elwc(spec, temporary, progress)
        lists = sum(shard.lists for shard in of_files)
        return OpenedSource(resolved, tuple(of_files), str(temporary), of_files[0].rule.bounds, lists=lists)
    spilled = spill_tables(spec, temporary, progress=progress, rejected=rejected, candidates=candidates)
    return OpenedSource(
        spec, tuple(spilled.shards), str(temporary), spilled.bounds, spilled.propensities, spilled.lists
    )
