"""Connector: LETOR files, some per split, to batches of lists with all features in one vector column."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ranker.data.data_error import DataError
from ranker.data.file_names import file_names
from ranker.data.files import is_packed
from ranker.data.id_hash import hash_ids, partition_of
from ranker.data.letor.blocks import LetorBlock, LetorScan, SeenQueries, read_letor, scan_letor, whole_lists
from ranker.data.letor.groups import Groups
from ranker.data.letor.spans import WHOLE, Cuts, Span
from ranker.data.letor.text import has_queries
from ranker.data.rejected_rows import RejectedRows
from ranker.data.spill import Spill, read_stream
from ranker.data.split import SPLITS, SplitName, SplitRule
from ranker.data.split_paths import split_paths, splits_of_file
from ranker.data.tables.id_groups import coded, repeated, take
from ranker.spec import LetorSource, Spec

__all__ = ["LetorShard", "letor_files", "open_letor", "read_letor_shard"]

_DOCUMENTS_PER_BLOCK = 20_000
_BLOCK_BYTES = 64 << 20  # of features, in memory at once
_SPAN_BYTES = 256 << 20  # of a part of a file
_MOST_PARTITIONS = 256  # each an open file


@dataclass(frozen=True)
class LetorShard:
    """Lists of one split: a file, a part of a file, or a part of regrouped files.

    Attributes:
        path: the file.
        names: what each file of the source is called where rejected rows are told.
        number: its place among them.
        rule: how lists are split.
        features: number of columns.
        base: smallest feature index.
        missing_nan: NaN is a missing value.
        prefix: of the names of lists that have only a number.
        span: the part of the file.
        regrouped: instead of the file, one with documents by query, where the files themselves do not have them so.
    """

    path: Path
    names: tuple[str, ...]
    number: int
    rule: SplitRule
    features: int
    base: int
    missing_nan: bool
    prefix: str
    span: Span = WHOLE
    regrouped: str = ""


def letor_files(spec: Spec) -> dict[SplitName, list[Path]]:
    """The files of the source by their split.

    Raises:
        DataError: if one is not there, or of two splits.
    """
    source = spec.data.sources[0]
    assert isinstance(source, LetorSource)  # noqa: S101 - narrows the type
    return split_paths(spec, source)


def open_letor(
    spec: Spec, temporary: Path, rejected: RejectedRows, progress: Callable[[int], None] | None = None
) -> tuple[list[LetorShard], LetorScan]:
    """Scan the files: how many features they have, where to cut them, whether documents of a query follow one another.

    Args:
        spec: names the files.
        temporary: a folder; it has to stay until the last list was read.
        rejected: takes the rows of files that have to be regrouped; those of others are set aside when read. Told
            also how many queries were regrouped, and how many lists of group files have no documents.
        progress: told the number of documents read so far.

    Returns:
        the shards, and what all files have in common.

    Raises:
        RankerError: for a file that cannot be read, or has no valid document.
    """
    source = spec.data.sources[0]
    assert isinstance(source, LetorSource)  # noqa: S101 - narrows the type
    files = letor_files(spec)
    paths = [path for of_split in files.values() for path in of_split]
    named = file_names(paths)
    names = tuple(named[path] for path in paths)
    rule = SplitRule(spec.data.split, tuple(SPLITS.index(split) for split, of_split in files.items() for _ in of_split))
    scan = _Scan(progress or (lambda _: None))
    parts = [scan.split(of_split) for of_split in files.values()]
    whole = scan.whole
    shards: list[LetorShard] = []
    for (split, of_split), scanned in zip(files.items(), parts, strict=True):
        own = []
        for place, path in enumerate(of_split):
            # Lists of a group file have no name but their number, which is the same in each file.
            prefix = f"{split}-" if len(of_split) == 1 else f"{split}-{place}-"
            file = LetorShard(
                path=path,
                names=names,
                number=paths.index(path),
                rule=rule,
                features=whole.features,
                base=whole.base,
                missing_nan=source.missing == "nan",
                prefix=prefix,
            )
            own += [replace(file, span=span) for span in scanned.spans[place]]
            _count(rejected, "list without documents", 0 if has_queries(path) else Groups(path, None).empty)
        _count(rejected, "query whose documents were not together, regrouped", scanned.returned)
        if scanned.returned:
            own = _regroup(own, temporary / f"letor-{split}", scanned.documents, rejected)
        shards += own
    return shards, whole


def _count(rejected: RejectedRows, what: str, number: int) -> None:
    if number:
        rejected.unused[what] += number


class _Scanned(NamedTuple):
    """A split: where to cut each of its files, its valid documents, and how many queries have several lists."""

    spans: list[list[Span]]
    documents: int
    returned: int


class _Scan:
    """Scans files, and adds up what they have."""

    def __init__(self, progress: Callable[[int], None]) -> None:
        self._progress, self._documents = progress, 0
        self.whole = LetorScan(1, 0, contiguous=True, lists=0)

    def split(self, paths: Sequence[Path]) -> _Scanned:
        """The files of a split."""
        seen, spans, documents = SeenQueries(), list[list[Span]](), 0
        for path in paths:
            cuts = None if is_packed(path) else Cuts(_SPAN_BYTES)
            scan = scan_letor(path, seen=seen, cuts=cuts, progress=self._add)
            if scan.features == 0:
                raise DataError(f"{path}: no valid `label qid:n index:value ...` line with a feature")
            self.whole = self.whole.union(scan)
            documents += scan.documents
            spans.append([WHOLE] if cuts is None else cuts.spans)
        return _Scanned(spans, documents, seen.returned)

    def _add(self, documents: int) -> None:
        self._documents += documents
        self._progress(self._documents)


def read_letor_shard(
    shard: LetorShard,
    column: str,
    lists_per_batch: int,
    rejected: RejectedRows | None,
    splits: Collection[SplitName] = SPLITS,
) -> Iterator[tuple[SplitName, pa.RecordBatch]]:
    """The lists of a shard.

    Args:
        shard: as `open_letor` made it.
        column: name of the vector column.
        lists_per_batch: rows of a batch at the most.
        rejected: takes the rows that cannot be used, or None where they were told before.
        splits: which lists.

    Yields:
        the split, and lists of it with `ranker.data.columns.list_schema`.
    """
    if rejected is None and not splits_of_file(shard.rule, shard.number).intersection(splits):
        return
    documents = _regrouped(shard, rejected) if shard.regrouped else _documents(shard, rejected)
    file = shard.rule.files[shard.number]
    for rows in documents:
        for lists in _lists(rows, column, lists_per_batch):
            codes = shard.rule.of_lists(
                lists["query_id"].to_pylist(), np.full(lists.num_rows, file, np.int8), np.zeros(0, np.int64)
            )
            for code in np.unique(codes).tolist():
                if SPLITS[code] in splits:
                    yield SPLITS[code], take(lists, codes == code)


# --- documents: rows of `_schema`, those of a query together ----------------------------------------------------------


def _schema(features: int) -> pa.Schema:
    vector = pa.list_(pa.float32(), features)
    ids = [("query_id", pa.string()), ("document_id", pa.string())]
    place = [("line", pa.int64()), ("file", pa.int32())]
    return pa.schema([*ids, ("label", pa.float32()), ("features", vector), *place])


def _documents(shard: LetorShard, rejected: RejectedRows | None, lines: str | None = None) -> Iterator[pa.RecordBatch]:
    """The documents of a file, in its order; those without an id get their place in the list, or their line, as one.

    The place is that in the run of lines with the same qid, so it will not do where a qid comes back.

    Args:
        shard: the file.
        rejected: takes what cannot be used.
        lines: what comes before the line; None for places.
    """
    prefix = "" if has_queries(shard.path) else shard.prefix
    blocks = read_letor(
        shard.path,
        features=shard.features,
        base=shard.base,
        documents_per_block=_documents_per_block(shard.features),
        missing_nan=shard.missing_nan,
        span=shard.span,
    )
    for block, bad in blocks:
        if rejected is not None:
            split = shard.rule.of_row("", shard.number)
            for row in bad:
                rejected.add(shard.names[shard.number], row.line, row.reason, row.text, split)
        yield _distinct(_rows(block, prefix, shard, lines), shard, rejected)


def _documents_per_block(features: int) -> int:
    return max(1, min(_DOCUMENTS_PER_BLOCK, _BLOCK_BYTES // (4 * features)))


def _rows(block: LetorBlock, prefix: str, shard: LetorShard, lines: str | None) -> pa.RecordBatch:
    sizes = np.diff(block.offsets)
    numbers = np.repeat(np.arange(len(sizes)), sizes)
    names = pa.array([prefix + name for name in block.query_ids.to_pylist()], pa.string())
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(block.features.reshape(-1)), shard.features)
    document_ids = block.document_ids
    if lines is not None:
        own = pc.binary_join_element_wise(lines, pa.array(block.lines).cast(pa.string()), "")
        document_ids = pc.if_else(pa.array(block.named), document_ids, own)
    ids = [names.take(pa.array(numbers)), document_ids]
    files = pa.array(np.full(len(numbers), shard.number, np.int32))
    columns = [*ids, pa.array(block.labels), vectors, pa.array(block.lines), files]
    return pa.RecordBatch.from_arrays(columns, schema=_schema(shard.features))


def _distinct(rows: pa.RecordBatch, shard: LetorShard, rejected: RejectedRows | None) -> pa.RecordBatch:
    """The first row of each query and document."""
    again = repeated(coded(rows["query_id"])[0], coded(rows["document_id"])[0])
    if rejected is not None and again.any():
        for row in take(rows.select(["query_id", "document_id", "line", "file"]), again).to_pylist():
            text = f"{row['query_id']}, {row['document_id']}"
            split = shard.rule.of_row(row["query_id"], row["file"])
            name = shard.names[row["file"]]
            rejected.add(name, row["line"], "duplicate (query, document) pair", text, split)
    return take(rows, ~again)


def _lists(rows: pa.RecordBatch, column: str, lists_per_batch: int) -> Iterator[pa.RecordBatch]:
    if not rows.num_rows:
        return
    queries = rows["query_id"].dictionary_encode().indices.to_numpy()
    starts = np.flatnonzero(np.diff(queries, prepend=-1))
    bounds = np.append(starts, rows.num_rows)
    for first in range(0, len(starts), lists_per_batch):
        inside = bounds[first : first + lists_per_batch + 1]
        part = rows.slice(inside[0], inside[-1] - inside[0])
        offsets = pa.array(inside - inside[0], pa.int32())
        columns = {
            "query_id": part["query_id"].take(pa.array(inside[:-1] - inside[0])),
            "document_id": pa.ListArray.from_arrays(offsets, _compact(part["document_id"])),
            "label": pa.ListArray.from_arrays(offsets, _compact(part["label"])),
            column: pa.ListArray.from_arrays(offsets, _compact(part["features"])),
        }
        yield pa.RecordBatch.from_pydict(columns)


def _compact(values: pa.Array) -> pa.Array:
    """The same values in an array of their own, from offset 0."""
    return pa.concat_arrays([values])


# --- files whose documents of a query do not follow one another -------------------------------------------------------


def _regroup(shards: Sequence[LetorShard], directory: Path, documents: int, rejected: RejectedRows) -> list[LetorShard]:
    """Spread the documents of a split over partitions by query, so that each can be sorted in memory."""
    files = {shard.number for shard in shards}
    spill = Spill(directory, _schema(shards[0].features), _partitions(documents, shards[0].features))
    for shard in shards:
        for rows in _documents(shard, rejected, "" if len(files) == 1 else f"{shard.number}:"):
            spill.write(rows, partition_of(hash_ids(rows["query_id"]), spill.partitions))
    spill.close()
    return [replace(shards[0], span=WHOLE, regrouped=str(file)) for file in sorted(directory.iterdir())]


def _partitions(documents: int, features: int) -> int:
    """As many as make each about `_BLOCK_BYTES` large; no more than can be open, so with over 16 GB of features, each
    holds one in 256 of them, however much that is.
    """
    return min(1 + 4 * documents * features // _BLOCK_BYTES, _MOST_PARTITIONS)


def _regrouped(shard: LetorShard, rejected: RejectedRows | None) -> Iterator[pa.RecordBatch]:
    """The documents of a partition, sorted in batches of whole lists no larger than blocks of a file."""
    rows = pa.concat_batches(list(read_stream(Path(shard.regrouped))))
    queries = coded(rows["query_id"])[0]
    order = np.argsort(queries, kind="stable")
    stops = np.append(np.flatnonzero(np.diff(queries[order])) + 1, len(order))
    for first, stop in whole_lists(stops, _documents_per_block(shard.features)):
        yield _distinct(rows.take(pa.array(order[first:stop])), shard, rejected)
