"""The policy `drop`: rows without a usable label or score are left out, and what is lost with them is counted.

A document is left out for all models if one of them has no score for it, so that models are measured on the same
documents. That flatters a model without scores where ranking is hard, so the relevant documents and the queries that go
with it are counted by model.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from eval.ragged import BoolArray, IntArray
from eval.report.data import Dropped, DroppedForLabel, DroppedForScore
from eval.score_table import check_columns, numbers
from ranker.data.id_hash import hash_ids

__all__ = ["Dropping", "lost_by_scores", "notes_of_dropped", "nothing_dropped"]

Hashes = NDArray[np.uint64]

_HELD = 1 << 20  # rows that are left out before their queries are merged


class Dropping:
    """Takes out unusable rows of batches and counts them; `a + b` has counted the batches of both.

    A query is known by the 64-bit hash of its id, so that its rows may come in any order and in any batch. What is held
    grows with the number of queries that lose a document, by 8 + 2 x models bytes each.

    Args:
        models: names of score columns.
    """

    def __init__(self, models: Sequence[str]) -> None:
        self.models = tuple(models)
        self._documents = 0
        self._by_label, self._relevant = 0, np.zeros(len(models), np.int64)
        self._by_score = np.zeros(len(models), np.int64)
        self._reasons: dict[str, Counter[str]] = {name: Counter() for name in ("label", *models)}
        self._queries = _Queries(len(models))

    def usable(self, rows: pa.Table) -> pa.Table:
        """The rows with a label that is finite and >= 0 and finite scores of all models; the others are counted.

        Args:
            rows: of a score table. Null is a missing value, NaN one that is no number.

        Raises:
            ValueError: a column is missing or holds no numbers, or a row that is left out has no query.
        """
        check_columns(rows.column_names, ["query_id", "label", *self.models])
        label = numbers(rows, "label")
        labelled = np.isfinite(label) & (label >= 0)
        scored = np.column_stack([np.isfinite(numbers(rows, model)) for model in self.models])
        usable = labelled & scored.all(axis=1)
        if usable.all():
            return rows
        lacks = ~scored & labelled[:, None]
        relevant = lacks & (label > 0)[:, None]
        self._documents += int((~usable).sum())
        self._by_label += int((~labelled).sum())
        self._by_score += lacks.sum(axis=0)
        self._relevant += relevant.sum(axis=0)
        self._reasons["label"].update(_reasons(rows, "label", ~labelled))
        for place, model in enumerate(self.models):
            self._reasons[model].update(_reasons(rows, model, lacks[:, place]))
        chosen = rows.select(["query_id"]).filter(pa.array(~usable))
        self._queries.add(_hashes(chosen), lacks[~usable], relevant[~usable])
        return rows.filter(pa.array(usable))

    def __add__(self, other: Self) -> Self:
        found = type(self)(self.models)
        for one in (self, other):
            found._documents += one._documents
            found._by_label += one._by_label
            found._relevant += one._relevant
            found._by_score += one._by_score
            found._queries.add(*one._queries.lossy())
            for name, reasons in one._reasons.items():
                found._reasons[name].update(reasons)
        return found

    def counted(self, left: Iterable[pa.Table]) -> Dropped:
        """What was lost.

        Args:
            left: all usable rows, in any order; of these `query_id` and `label` are read.
        """
        gone, bare = self._queries.lost(left if self._documents else ())
        _, lacks, relevant = self._queries.lossy()
        return Dropped(
            documents=self._documents,
            queries=int(gone.sum()),
            without_relevant=int(bare.sum()),
            label=DroppedForLabel(documents=self._by_label, reasons=dict(sorted(self._reasons["label"].items()))),
            scores={
                model: DroppedForScore(
                    documents=int(self._by_score[place]),
                    relevant=int(self._relevant[place]),
                    queries=int((gone & lacks[:, place]).sum()),
                    without_relevant=int((bare & relevant[:, place]).sum()),
                    reasons=dict(sorted(self._reasons[model].items())),
                )
                for place, model in enumerate(self.models)
            },
        )

    def refuse_nothing_left(self) -> None:
        """Refuse a table of which no row is usable.

        Raises:
            ValueError: with the reasons; none if nothing was left out either.
        """
        if self._documents:
            told = _told(self.counted(()))
            raise ValueError(
                f"score table: expected documents with a usable label and usable scores, got none of {self._documents}"
                f" ({told}); mend the table, or name other columns"
            )


def nothing_dropped(models: Sequence[str]) -> Dropped:
    """What is counted where nothing is left out."""
    return Dropping(models).counted(())


def lost_by_scores(dropped: Dropped | None) -> str | None:
    """Why nothing is to be decided: relevant documents or whole queries were left out for want of a score."""
    parts = []
    for model, found in ({} if dropped is None else dropped["scores"]).items():
        counts = {"relevant document": found["relevant"], "whole query": found["queries"]}
        if told := " and ".join(_of(count, what) for what, count in counts.items() if count):
            parts.append(f"{told} of {model}")
    if not parts:
        return None
    return f"left out for want of a score: {', '.join(parts)}; the figures of all models hide what that costs"


def notes_of_dropped(dropped: Dropped) -> list[str]:
    """What a reader has to know."""
    if not dropped["documents"]:
        return []
    queries, bare = dropped["queries"], dropped["without_relevant"]
    note = f"{_of(dropped['documents'], 'document')} left out of the lists of all models: {_told(dropped)}"
    note += f"; {_of(queries, 'query')} lost whole" if queries else ""
    note += f"; {_of(bare, 'query')} left without the relevant documents they had" if bare else ""
    notes = [note]
    if lost := lost_by_scores(dropped):
        notes.append(f"{lost}, so that no rule of a gate about a metric is decided")
    return notes


def _told(dropped: Dropped) -> str:
    """How many were left out for what."""
    parts = {"no usable label": (dropped["label"]["documents"], dropped["label"]["reasons"])}
    for model, found in dropped["scores"].items():
        parts[f"no usable score of {model}"] = (found["documents"], found["reasons"])
    return ", ".join(
        f"{count} with {what} ({', '.join(f'{n} {reason}' for reason, n in reasons.items())})"
        for what, (count, reasons) in parts.items()
        if count
    )


def _of(count: int, what: str) -> str:
    """`1 whole query`, `2 whole queries`."""
    return f"{count} {what}" if count == 1 else f"{count} {what[:-1]}ies" if what.endswith("y") else f"{count} {what}s"


def _reasons(rows: pa.Table, name: str, unusable: BoolArray) -> dict[str, int]:
    """Why values of a column cannot be used, with the number of rows."""
    values = numbers(rows, name)[unusable]
    missing = rows.column(name).is_null().to_numpy()[unusable]
    counts = {
        "missing": int(missing.sum()),
        "no number": int((np.isnan(values) & ~missing).sum()),
        "infinite": int(np.isinf(values).sum()),
        "negative": int((np.isfinite(values) & (values < 0)).sum()) if name == "label" else 0,
    }
    return {reason: count for reason, count in counts.items() if count}


def _hashes(rows: pa.Table) -> Hashes:
    """The hash of the query of each row, uint64 [rows]."""
    column = rows.column("query_id")
    if column.null_count:
        raise ValueError(f"score table, column 'query_id': expected no nulls, got {column.null_count} in rows left out")
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    found = [hash_ids(chunk.cast(pa.string())) for chunk in column.chunks]
    return np.concatenate([np.zeros(0, np.uint64), *found])


class _Queries:
    """The queries that lose documents, and for want of which models' scores."""

    def __init__(self, models: int) -> None:
        self._hashes = np.zeros(0, np.uint64)
        self._flags = np.zeros((0, 2 * models), np.bool_)
        self._new: list[tuple[Hashes, BoolArray]] = []
        self._rows = 0

    def add(self, hashes: Hashes, lacks: BoolArray, relevant: BoolArray) -> None:
        """Rows that are left out: their queries, and bool [rows, models] whether a score lacks, of a relevant one."""
        self._new.append((hashes, np.column_stack([lacks, relevant])))
        self._rows += len(hashes)
        if self._rows > _HELD:
            self._merge()

    def lossy(self) -> tuple[Hashes, BoolArray, BoolArray]:
        """Each query once; and as of `add`, whether it loses such a document, bool [queries, models] each."""
        self._merge()
        lacks, relevant = np.hsplit(self._flags, 2)
        return self._hashes, lacks, relevant

    def lost(self, left: Iterable[pa.Table]) -> tuple[BoolArray, BoolArray]:
        """Which queries have no document left, and which others lost all their relevant ones, bool [queries]."""
        _, _, relevant = self.lossy()
        there, relevant_there = np.zeros((2, len(self._hashes)), np.bool_)
        for rows in left:
            places, hashes = self._places(_hashes(rows))
            there[places[hashes]] = True
            relevant_there[places[hashes & (numbers(rows, "label") > 0)]] = True
        return ~there, there & relevant.any(axis=1) & ~relevant_there

    def _places(self, hashes: Hashes) -> tuple[IntArray, BoolArray]:
        """The place of each query, and whether it has one."""
        places = np.searchsorted(self._hashes, hashes)
        places[places == len(self._hashes)] = 0
        return places, self._hashes[places] == hashes

    def _merge(self) -> None:
        if self._new:
            every = np.concatenate([self._hashes, *(hashes for hashes, _ in self._new)])
            flags = np.concatenate([self._flags, *(flags for _, flags in self._new)])
            order = np.argsort(every, kind="stable")
            self._hashes, firsts = np.unique(every[order], return_index=True)
            self._flags = np.logical_or.reduceat(flags[order], firsts, axis=0)
            self._new, self._rows = [], 0
