"""Connector: TFRecord files of ExampleListWithContext, as TF-Ranking has them, to lists that are read file by file.

Each record is a list. Lists of the same query stay lists of their own: the second is called `ID#2`, and so on, see
`ranker.data.list_names`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ranker.data.columns import MISSING_INT, Column, schema_of
from ranker.data.data_error import DataError
from ranker.data.elwc.columns import decode
from ranker.data.elwc.head import ElwcHead, read_elwc_head
from ranker.data.elwc.inputs import (
    elwc_inputs,
    feature_faults,
    has_unseen_features,
    with_found_columns,
)
from ranker.data.elwc.lists import ElwcLists, Records, query_ids
from ranker.data.elwc.records import raw_records
from ranker.data.elwc.tf_records import read_records, write_records
from ranker.data.file_names import file_names
from ranker.data.id_hash import hash_ids
from ranker.data.list_names import numbered_names
from ranker.data.rejected_rows import RejectedRows
from ranker.data.split import SPLITS, SplitBounds, SplitName, SplitRule
from ranker.data.split_paths import split_paths, splits_of_file
from ranker.data.tables.id_groups import Ints
from ranker.data.tables.query_repeats import QueryRepeats, write_repeats
from ranker.spec import ElwcSource, Spec

__all__ = ["ElwcShard", "elwc_files", "open_elwc", "read_elwc_lists", "read_elwc_shard", "write_elwc"]

_BLOCK = 16 << 20  # bytes of records decoded at once
_LISTS = 1000  # of which contexts are decoded at once
_HEAD = 1000  # documents of each file that are looked into for columns


@dataclass(frozen=True)
class ElwcShard:
    """A file of lists.

    Attributes:
        path: the file.
        name: what it is called where rejected rows are told.
        number: its place among the files of the source.
        rule: how lists are split.
        lists: how many there are, those that cannot be used with them.
        repeats: where `QueryRepeats` are noted, or "".
    """

    path: Path
    name: str
    number: int
    rule: SplitRule
    lists: int
    repeats: str = ""


def elwc_files(spec: Spec) -> dict[SplitName, list[Path]]:
    """The files of the source by their split; all are of `train` if the lists are not split already.

    Raises:
        DataError: if one is not there, or of two splits.
    """
    source = spec.data.sources[0]
    assert isinstance(source, ElwcSource)  # noqa: S101 - narrows the type
    return split_paths(spec, source)


def open_elwc(
    spec: Spec, temporary: Path, progress: Callable[[int], None] | None = None
) -> tuple[Spec, list[ElwcShard]]:
    """Read through the contexts of the files, and through all that is needed to find each feature once.

    Args:
        spec: names the files.
        temporary: a folder; it has to stay until the last list was read.
        progress: told the number of documents read so far.

    Returns:
        the spec with the columns of its vectors, and a shard per file.

    Raises:
        DataError: for a file that cannot be read to its end; for features that no record has, or only of a wrong kind.
    """
    files = elwc_files(spec)
    paths = [path for of_split in files.values() for path in of_split]
    codes = tuple(SPLITS.index(split) for split, of_split in files.items() for _ in of_split)
    head = ElwcHead()
    for path in files["train"]:
        read_elwc_head(path, _HEAD, head)
    if not head.documents:
        raise DataError(f"{files['train'][0]}: no record with examples; expected ExampleListWithContext records")
    spec = with_found_columns(spec, head)
    names = file_names(paths)
    scan = _Scan(spec, head, progress or (lambda _: None))
    scans = [scan.file(path, names[path]) for path in paths]
    if faults := list(feature_faults(spec, head)):
        raise DataError("\n".join(f"{files['train'][0]}: {fault}" for fault in faults))
    rule = SplitRule(spec.data.split, codes if spec.data.split_files is not None else ())
    if not rule.files and spec.data.split.by == "time":
        times = np.concatenate([times for _, times in scans])
        rule = replace(rule, bounds=SplitBounds.of_times(times[times != MISSING_INT], spec.data.split))
    directory = temporary / "elwc"
    directory.mkdir(parents=True)
    notes = _note_repeats([hashes for hashes, _ in scans], rule.files, directory)
    shards = [
        ElwcShard(path, names[path], number, rule, len(scans[number][0]), notes[number])
        for number, path in enumerate(paths)
    ]
    return spec, shards


def read_elwc_shard(
    spec: Spec,
    shard: ElwcShard,
    lists_per_batch: int,
    rejected: RejectedRows | None,
    splits: Collection[SplitName] = SPLITS,
) -> Iterator[tuple[SplitName, pa.RecordBatch]]:
    """The lists of a file, in its order.

    Args:
        spec: as `open_elwc` gave it.
        shard: the same.
        lists_per_batch: rows of a batch at the most.
        rejected: takes the documents that cannot be used, or None where they were told before.
        splits: which lists.

    Yields:
        the split, and lists of it with `ranker.data.columns.schema_of`.
    """
    if rejected is None and not splits_of_file(shard.rule, shard.number).intersection(splits):
        return
    schema = schema_of(spec)
    repeats = QueryRepeats(Path(shard.repeats)) if shard.repeats else None
    for lists, codes in read_elwc_lists(spec, shard, None, lists_per_batch, rejected):
        ids = lists.query_ids
        ids = numbered_names(ids, None if repeats is None else repeats.numbers(hash_ids(ids)))
        for code, split in enumerate(SPLITS):
            of_split = codes == code
            if split in splits and of_split.any() and (batch := lists.batch(of_split, ids, schema)).num_rows:
                yield split, batch


def read_elwc_lists(
    spec: Spec,
    shard: ElwcShard,
    names: Sequence[str] | None = None,
    lists_per_batch: int = _LISTS,
    rejected: RejectedRows | None = None,
) -> Iterator[tuple[ElwcLists, npt.NDArray[np.int8]]]:
    """The lists of a file, in its order, some at a time, and their splits as places in SPLITS.

    Args:
        spec: as `open_elwc` gave it.
        shard: the same.
        names: of the features that are wanted; None for all.
        lists_per_batch: at the most.
        rejected: takes the documents that cannot be used.
    """
    inputs = elwc_inputs(spec, names)
    file = shard.rule.files[shard.number] if shard.rule.files else 0
    timed = spec.data.split.by == "time" and not shard.rule.files
    for block in _blocks(read_records(shard.path), lists_per_batch):
        lists = ElwcLists(Records.of(block), inputs, shard.name, timed=timed)
        ids = lists.query_ids
        codes = shard.rule.of_lists(ids.to_pylist(), np.full(len(ids), file, np.int8), lists.times)
        if rejected is not None:
            for fault in lists.faults():
                known = fault.place is not None and not (timed and lists.times[fault.place] == MISSING_INT)
                split = SPLITS[codes[fault.place]] if known else shard.rule.of_row("", shard.number)
                rejected.add(shard.name, fault.record, fault.reason, fault.text, split)
        yield lists, codes


def write_elwc(
    path: Path,
    batches: Iterable[pa.RecordBatch],
    columns: Sequence[Column],
    compression: Literal["gzip"] | None = None,
) -> None:
    """Write lists as a TFRecord file of ExampleListWithContext, see `ranker.data.elwc.records.raw_records`.

    Args:
        path: the file.
        batches: lists with `ranker.data.columns.schema_of`.
        columns: raw columns of the features.
        compression: of the file.
    """
    write_records(path, (record for batch in batches for record in raw_records(batch, columns)), compression)


# --- before the first list is read ------------------------------------------------------------------------------------


class _Scan:
    """Reads through files once: which queries and when, and the features that were not seen yet."""

    def __init__(self, spec: Spec, head: ElwcHead, progress: Callable[[int], None]) -> None:
        self._spec, self._head, self._progress = spec, head, progress
        self._inputs = elwc_inputs(spec)
        self._documents = 0

    def file(self, path: Path, name: str) -> tuple[npt.NDArray[np.uint64], Ints]:
        """For each list of a file the hash of its query, and its time or that it is missing."""
        hashes, times = [np.zeros(0, np.uint64)], [np.zeros(0, np.int64)]
        for records in _blocks(read_records(path), _LISTS):
            parts = Records.of(records)
            context = decode(parts.contexts, self._inputs.context)
            hashes.append(hash_ids(query_ids(context, parts, name)))
            times.append(self._times(context.columns, parts))
            if has_unseen_features(self._spec, self._head):
                self._head.add(parts.contexts, parts.examples)
            self._documents += len(parts.examples)
            self._progress(self._documents)
        return np.concatenate(hashes), np.concatenate(times)

    def _times(self, context: dict[str, pa.Array], parts: Records) -> Ints:
        wanted = [one for one in self._inputs.document if one.column.name == "timestamp"]
        if not wanted:
            return np.full(len(parts.counts), MISSING_INT)
        times = context["timestamp"].to_numpy().copy()
        found = decode(parts.examples, wanted).columns["timestamp"].to_numpy()
        np.maximum.at(times, parts.of_document, found)
        return times


def _blocks(records: Iterable[tuple[int, bytes]], most: int) -> Iterator[list[tuple[int, bytes]]]:
    """At most so many records, as long as they are not too large together."""
    block, size = list[tuple[int, bytes]](), 0
    for record in records:
        block.append(record)
        size += len(record[1])
        if len(block) == most or size >= _BLOCK:
            yield block
            block, size = [], 0
    if block:
        yield block


def _note_repeats(hashes: list[npt.NDArray[np.uint64]], splits: tuple[int, ...], directory: Path) -> list[str]:
    """Where the queries with several lists in a split are noted for each file; "" if it has none."""
    notes = [""] * len(hashes)
    of_files = splits or (0,) * len(hashes)
    for code in sorted(set(of_files)):
        files = [number for number, of_file in enumerate(of_files) if of_file == code]
        paths = [directory / f"{number:05d}.npz" for number in files]
        noted = write_repeats([hashes[number] for number in files], paths)
        for number, path, there in zip(files, paths, noted, strict=True):
            notes[number] = str(path) if there else ""
    return notes
