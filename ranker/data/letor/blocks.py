"""LETOR (SVMLight, LibSVM) files: `label qid:7 1:0.5 3:2e-4 # docid = GX001`, one document per line."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ranker.data.data_error import DataError
from ranker.data.letor.groups import Groups
from ranker.data.letor.spans import WHOLE, Cuts, Span
from ranker.data.letor.text import (
    INDEX_LIMIT,
    ROWS,
    Reason,
    Rejected,
    Rules,
    has_queries,
    joined,
    parse,
    raw_blocks,
    text_blocks,
    valid_text,
)
from ranker.errors import RankerError

__all__ = ["LetorBlock", "LetorScan", "Reason", "Rejected", "SeenQueries", "read_letor", "scan_letor", "whole_lists"]

_MOST_FEATURES = 100_000  # each document has a number for each feature


@dataclass(frozen=True)
class LetorBlock:
    """Whole lists, documents in the order of the file. F is the number of features, the same in all blocks of a file.

    Attributes:
        query_ids: string [lists]: the text after `qid:`, or the number of the list in the group file from "0".
        offsets: int64 [lists + 1]: documents offsets[i] to offsets[i + 1] are list i; no list is empty.
        labels: float32 [documents], finite and >= 0.
        document_ids: string [documents]: `docid = ID` of the comment, else the position in the list from "0".
        features: float32 [documents, F]: 0 where the line has no such index, finite unless NaN is allowed.
        base: column j of `features` is feature index j + base, 0 or 1.
        lines: int64 [documents], from 1.
        named: bool [documents]: the document id is of the comment.
    """

    query_ids: pa.StringArray
    offsets: np.ndarray
    labels: np.ndarray
    document_ids: pa.StringArray
    features: np.ndarray
    base: int
    lines: np.ndarray
    named: np.ndarray


@dataclass(frozen=True)
class LetorScan:
    """What one has to know of a file before reading it.

    Attributes:
        base: 0 if the feature index 0 is used, else 1.
        last: the largest feature index, base - 1 if there is none.
        contiguous: the documents of each query follow one another.
        lists: number of lists that have a document, valid or not, by their sizes, or of distinct queries that were not
            seen before; None if that is not known.
        documents: number of valid documents.
    """

    base: int
    last: int
    contiguous: bool
    lists: int | None = field(default=None, compare=False)
    documents: int = field(default=0, compare=False)

    @property
    def features(self) -> int:
        """Number of columns; column j is feature index j + base."""
        return self.last + 1 - self.base

    def union(self, other: LetorScan) -> LetorScan:
        """What holds for two files of one dataset, each read by itself."""
        lists = None if self.lists is None or other.lists is None else self.lists + other.lists
        base, last = min(self.base, other.base), max(self.last, other.last)
        documents = self.documents + other.documents
        return LetorScan(base, last, self.contiguous and other.contiguous, lists, documents)


def scan_letor(
    path: Path,
    limit_bytes: int | None = None,
    *,
    seen: SeenQueries | None = None,
    cuts: Cuts | None = None,
    progress: Callable[[int], None] | None = None,
) -> LetorScan:
    """Read through a file, or the first `limit_bytes` of its text, without keeping it. Rejected lines do not count.

    A line with a feature index of 1,000,000 or more is rejected here as when reading, so that it makes no feature.

    Args:
        path: the file.
        limit_bytes: when to stop.
        seen: the queries of other files; a query that is one of them is not contiguous.
        cuts: to find parts of the file, which has to be plain.
        progress: told how many more lines with a document were read.

    Raises:
        RankerError: as `read_letor`; for faults of group files only if there are `cuts`.
        DataError: for more than 100,000 features.
    """
    rules = Rules(0, INDEX_LIMIT, True, has_queries(path) is not False)
    groups = Groups(path, None) if cuts is not None and not rules.by_query else None
    smallest, last, contiguous, seen = 1, 0, True, SeenQueries() if seen is None else seen
    key: str | None = None
    at, count, documents, widest = Span(), 0, 0, 1
    for first_line, block in raw_blocks(path):
        rows, _, lines = parse(first_line, valid_text(block), rules)
        columns = rows["features"].flatten().field("column").to_numpy()
        if len(columns):
            smallest = min(smallest, int(columns.min()))
            if columns.max() > last:
                last, widest = int(columns.max()), _line_of(rows, int(columns.argmax()))
        lists, known = np.zeros(0, np.int64), 0
        if rules.by_query and len(rows):
            starts = _starts(rows["query_id"])
            starts = starts if rows["query_id"][0].as_py() != key else starts[1:]
            again = seen.again(rows["query_id"].take(starts))
            contiguous, key = contiguous and not again.any(), rows["query_id"][-1].as_py()
            known = int(again.sum())
            lists = rows["line"].to_numpy()[starts]
        elif groups is not None:
            lists = groups.starts(lines)
            groups.keys(lines, lines)
        count += len(lists) - known
        documents += len(rows)
        if cuts is not None:
            cuts.look(block, at, lists, lines)
        at = Span(at.start + len(block), None, first_line + block.count(b"\n"), at.document + len(lines))
        if progress is not None:
            progress(len(lines))
        if limit_bytes is not None and at.start >= limit_bytes:
            break
    if last + 1 - smallest > _MOST_FEATURES:
        raise DataError(
            f"{path}:{widest}: expected at most {_MOST_FEATURES:,} features, got the feature index {last}, the largest "
            f"of the file; correct the line, or number the features anew without gaps"
        )
    lists_known = rules.by_query or groups is not None
    return LetorScan(smallest, last, contiguous, count if lists_known else None, documents)


def _line_of(rows: pa.RecordBatch, at: int) -> int:
    """The line of the feature number `at` of all rows."""
    stops = np.cumsum(rows["features"].value_lengths().to_numpy())
    return int(rows["line"].to_numpy()[np.searchsorted(stops, at, side="right")])


def read_letor(
    path: Path,
    *,
    features: int | None,
    documents_per_block: int,
    base: int | None = None,
    group_file: Path | None = None,
    missing_nan: bool = False,
    span: Span = WHOLE,
) -> Iterator[tuple[LetorBlock, list[Rejected]]]:
    """Read a file in blocks of whole lists, in memory bounded by a block, or by the longest list if that is larger.

    The first valid line tells whether lists are runs of the same qid (one that comes back makes another list), or their
    sizes are in a group file as LightGBM has it: one integer per line. There, rejected lines count.

    Args:
        path: the file, also .gz or .zst (.bz2, .lz4).
        features: number of columns; None: as `scan_letor` finds, which reads the file twice.
        documents_per_block: documents of a block at the most, unless one list is longer.
        base: the smallest feature index, 0 or 1; None: as `scan_letor` finds.
        group_file: None: `.query` or `.group` beside the file; for `rank.gz`, `rank.query` or `rank.gz.query`.
        missing_nan: NaN is a missing value and stays NaN; else its line is rejected.
        span: the part of the file to read, as `Cuts` found it.

    Yields:
        a block, which is empty if there is none to go with the rejected lines, and lines rejected since the last.

    Raises:
        RankerError: for a file that cannot be read to its end, after what could be read; for no or a wrong group file.
    """
    if features is None or base is None:
        scan = scan_letor(path)
        base = scan.base if base is None else base
        features = scan.last + 1 - base if features is None else features
    by_query = has_queries(path)
    if by_query and group_file is not None:
        raise RankerError(f"{path}: has both qid and the group file {group_file}; expected one of them")
    rules = Rules(base, features, missing_nan, by_query is not False)
    groups = None if rules.by_query else Groups(path, group_file, span.document)
    for rows, rejected in _fill(_read_rows(path, rules, groups, span), documents_per_block):
        yield _block(rows, rules), rejected


def _read_rows(
    path: Path, rules: Rules, groups: Groups | None, span: Span
) -> Iterator[tuple[pa.RecordBatch, list[Rejected]]]:
    for first_line, block in text_blocks(path, span=span):
        rows, rejected, lines = parse(first_line, block, rules)
        if groups:
            rows = rows.set_column(0, ROWS.field(0), groups.keys(lines, rows["line"].to_numpy()))
        yield rows, rejected
    if groups and span.stop is None:
        groups.check_end()


def _fill(
    parts: Iterable[tuple[pa.RecordBatch, list[Rejected]]], size: int
) -> Iterator[tuple[pa.RecordBatch, list[Rejected]]]:
    """Rows of whole lists, `size` of them at the most if no list is longer, with the lines rejected so far."""
    held, count, enough, rejected = list[pa.RecordBatch](), 0, size, list[Rejected]()
    for part, faults in parts:
        held.append(part)
        count += len(part)
        rejected += faults
        if count > enough:
            rows, rest = joined(held), 0
            for first, rest in whole_lists(_starts(rows["query_id"])[1:], size, count):
                yield rows.slice(first, rest - first), rejected
                rejected = []
            held, count = [rows.slice(rest)], count - rest
            enough = max(size, 2 * count)  # a long list is joined seldom: each time twice as long
        if len(rejected) >= size:
            yield joined([]), rejected
            rejected = []
    rows = joined(held)
    for first, stop in whole_lists(np.append(_starts(rows["query_id"]), count)[1:], size):
        yield rows.slice(first, stop - first), rejected
        rejected = []
    if rejected:
        yield joined([]), rejected


def whole_lists(stops: np.ndarray, size: int, known: float = math.inf) -> Iterator[tuple[int, int]]:
    """Ranges of documents: as many lists, which end at `stops`, as fit in `size` documents, but at least one.

    The last lists of the `known` documents are left out as long as more could fit.
    """
    first, lists = 0, 0
    while lists < len(stops) and known - first > size:
        lists = max(int(np.searchsorted(stops, first + size, side="right")), lists + 1)
        stop = int(stops[lists - 1])
        yield first, stop
        first = stop


def _block(rows: pa.RecordBatch, rules: Rules) -> LetorBlock:
    offsets = np.append(_starts(rows["query_id"]), len(rows))
    query_ids = rows["query_id"].take(pa.array(offsets[:-1]))
    document_ids = rows["document_id"]
    if document_ids.null_count:
        positions = np.arange(len(rows)) - np.repeat(offsets[:-1], np.diff(offsets))
        document_ids = pc.coalesce(document_ids, pa.array(positions).cast(pa.string()))
    return LetorBlock(
        query_ids=query_ids,
        offsets=offsets,
        labels=rows["label"].to_numpy(),
        document_ids=document_ids,
        features=_dense(rows["features"], rules.features),
        base=rules.base,
        lines=rows["line"].to_numpy(),
        named=rows["document_id"].is_valid().to_numpy(zero_copy_only=False),
    )


def _dense(lists: pa.ListArray, features: int) -> np.ndarray:
    """Matrix float32 [rows, features] of lists of (column, value); each ordered by column, no column twice."""
    columns, values = (field.to_numpy() for field in lists.flatten().flatten())
    if len(values) == len(lists) * features:
        return np.array(values).reshape(len(lists), features)
    matrix: np.ndarray = np.zeros((len(lists), features), np.float32)
    rows = np.repeat(np.arange(0, matrix.size, features), lists.value_lengths())
    matrix.reshape(-1)[rows + columns] = values
    return matrix


def _starts(keys: pa.StringArray) -> np.ndarray:
    """int64: 0, if there are keys, and where a key differs from the one before it."""
    differs = pc.not_equal(keys[1:], keys[:-1]).to_numpy(zero_copy_only=False)
    return np.append(np.arange(min(len(keys), 1)), np.flatnonzero(differs) + 1)


class SeenQueries:
    """The 64-bit hashes of all queries so far, 8 bytes each, and of those that came again."""

    def __init__(self) -> None:
        self._hashes = np.zeros(0, np.int64)  # sorted
        self._returned = np.zeros(0, np.int64)  # sorted

    @property
    def returned(self) -> int:
        """Number of distinct queries that came again."""
        return len(self._returned)

    def again(self, keys: pa.StringArray) -> np.ndarray:
        """bool [keys]: whether a key was here before, in an earlier call or earlier in `keys`."""
        hashes = np.fromiter(map(hash, keys.to_pylist()), np.int64, len(keys))
        distinct, first = np.unique(hashes, return_index=True)
        new = ~np.isin(distinct, self._hashes, kind="sort")
        self._hashes = _merged(self._hashes, distinct[new])
        again = np.ones(len(keys), bool)
        again[first[new]] = False
        if again.any():
            returned = np.unique(hashes[again])
            self._returned = _merged(self._returned, returned[~np.isin(returned, self._returned, kind="sort")])
        return again


def _merged(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Two sorted arrays as one; the stable sort finds the two runs and merges them."""
    return np.sort(np.concatenate([one, other]), kind="stable")
