"""Which documents a list has: candidates and judged documents put together, by numbers alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ranker.data.columns import MISSING_INT
from ranker.data.tables.id_groups import Ints, Mask
from ranker.data.tables.source_table import LABEL, POSITION, WEIGHT

__all__ = ["DOCUMENT_PLACE", "LIST", "Candidates", "Judged", "candidate_rows", "not_judged"]

LIST = "#list"  # number of a list
DOCUMENT_PLACE = "#document"  # place of a document in its collection
_NOT_JUDGED = {LABEL: 0.0, WEIGHT: 1.0, POSITION: 0}


@dataclass(frozen=True)
class Judged:
    """Judged documents of lists; each pair once.

    Attributes:
        rows: with LABEL, and maybe WEIGHT, POSITION and columns of pair features.
        lists: int64 `[rows]`, the list of each.
        documents: int64 `[rows]`, the place of its document.
        kept: bool `[rows]`, whether it stays in the list if it is no candidate.
    """

    rows: pa.RecordBatch
    lists: Ints
    documents: Ints
    kept: Mask


@dataclass(frozen=True)
class Candidates:
    """Candidates of lists; each pair once.

    Attributes:
        lists: int64 `[rows]`, the list of each.
        documents: int64 `[rows]`, the place of its document.
        rows: with columns of pair features; None if there are none for candidates.
    """

    lists: Ints
    documents: Ints
    rows: pa.RecordBatch | None = None


@dataclass(frozen=True)
class Chosen:
    """The documents of lists, and how many were left out.

    Attributes:
        rows: with LIST, DOCUMENT_PLACE, LABEL, maybe WEIGHT and POSITION, and the columns of pair features; by list,
            and within a list by the place of the document, which tells nothing of it.
        relevant: judged documents with a label above 0 that are no candidates and were not kept.
        not_relevant: the same with label 0.
        unjudged: candidates without judgment that were dropped.
    """

    rows: pa.RecordBatch
    relevant: int
    not_relevant: int
    unjudged: int


def candidate_rows(judged: Judged, candidates: Candidates, documents: int, *, drop_unjudged: bool) -> Chosen:
    """The candidates with their judgments, and the judged documents that are kept anyway.

    A candidate without judgment has label 0, weight 1 and no position; pair features are those of the candidates if
    these have any, else those of the judgments.

    Args:
        judged: the judged documents.
        candidates: the candidates.
        documents: number of documents of the collection.
        drop_unjudged: whether candidates without judgment are left out.
    """
    judged_key = judged.lists * documents + judged.documents
    key = candidates.lists * documents + candidates.documents
    of_candidate = _places(judged_key, key)
    has = of_candidate < len(judged_key)
    is_candidate = np.zeros(len(judged_key), bool)
    is_candidate[of_candidate[has]] = True
    used = np.flatnonzero(has) if drop_unjudged else np.arange(len(key))
    kept = np.flatnonzero(judged.kept & ~is_candidate)
    left_out = judged.rows[LABEL].to_numpy()[~judged.kept & ~is_candidate]

    all_keys = np.concatenate([key[used], judged_key[kept]])
    order = np.argsort(all_keys)
    judgment = pa.array(np.concatenate([of_candidate[used], kept])[order])
    candidate = pa.array(np.concatenate([used, np.full(len(kept), len(key))])[order])
    arrays = {LIST: pa.array(all_keys[order] // documents), DOCUMENT_PLACE: pa.array(all_keys[order] % documents)}
    for name in judged.rows.schema.names:
        arrays[name] = _and_missing(name, judged.rows[name]).take(judgment)
    if candidates.rows is not None:
        for name in candidates.rows.schema.names:
            arrays[name] = _and_missing(name, candidates.rows[name]).take(candidate)
    relevant = int((left_out > 0).sum())
    return Chosen(pa.RecordBatch.from_pydict(arrays), relevant, len(left_out) - relevant, len(key) - len(used))


def not_judged(name: str, kind: pa.DataType) -> pa.Array:
    """What a document without judgment has in a column of judgments, `[1]`."""
    if pa.types.is_fixed_size_list(kind):
        return pa.array([[np.nan] * kind.list_size], kind)
    if pa.types.is_list(kind):
        return pa.array([[]], kind)
    missing = {pa.string(): "", pa.int64(): MISSING_INT, pa.float32(): np.nan}[kind]
    return pa.array([_NOT_JUDGED.get(name, missing)], kind)


def _and_missing(name: str, values: pa.Array) -> pa.Array:
    """The values, and behind them what is not judged has."""
    return pa.concat_arrays([values, not_judged(name, values.type)])


def _places(keys: Ints, wanted: Ints) -> Ints:
    """Where each wanted key is among others, each there once; their number if it is not."""
    order = np.argsort(keys)
    place = np.searchsorted(keys, wanted, sorter=order)
    found = np.append(order, len(keys))[place]
    return np.where(np.append(keys, -1)[found] == wanted, found, len(keys))
