"""Ragged lists of labelled documents: the form in which every metric reads queries."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from eval.ragged import BoolArray, FloatArray, IntArray, Ragged

__all__ = ["FloatArray", "IntArray", "Lists", "Unlisted", "drop_unusable"]


@dataclass(frozen=True, eq=False)
class Unlisted:
    """Labels of judged documents that are not in their query's list: `offsets[i]` to `offsets[i + 1] - 1` of query `i`.

    Args:
        offsets: int64 [lists + 1], from 0 to the number of labels, never falling.
        labels: float64 [documents], finite and >= 0.
    """

    offsets: IntArray
    labels: FloatArray

    @cached_property
    def ragged(self) -> Ragged:
        """The labels of each query."""
        return Ragged(self.offsets)


@dataclass(frozen=True, eq=False)
class Lists:
    """Lists of documents, laid end to end: list `i` holds documents `offsets[i]` to `offsets[i + 1] - 1`.

    Arrays are not copied and must not be changed afterwards: what is derived from them is computed once and kept.

    Args:
        query_ids: str [lists], one per list.
        offsets: int64 [lists + 1], from 0 to the number of documents, never falling. A list may be empty: a query
            that is judged and missing from the run.
        labels: float64 [documents], finite and >= 0; 0 for a document that is not judged.
        document_ids: str [documents]; only ties broken by id and metrics of a whole run need them.
        judged: bool [documents], whether a document is judged. None: all are.
        unlisted: where judgements come apart from the lists (qrels), the labels of judged documents that are not
            listed. None: nothing is known beyond the lists.
    """

    query_ids: NDArray[Any]
    offsets: IntArray
    labels: FloatArray
    document_ids: NDArray[Any] | None = None
    judged: BoolArray | None = None
    unlisted: Unlisted | None = None

    def __post_init__(self) -> None:
        self._check_shape("lists", self.offsets, self.labels)
        self._check_labels(self.labels, self.ragged, "")
        for name, values in (("document_ids", self.document_ids), ("judged", self.judged)):
            if values is not None and values.shape != self.labels.shape:
                raise ValueError(f"lists: expected {len(self.labels)} {name}, one per document, got {values.shape}")
        if self.judged is not None and (wrong := np.flatnonzero((self.labels > 0) & ~self.judged)).size:
            raise ValueError(f"label {self.labels[wrong[0]]} of {self.place(int(wrong[0]))}: expected 0, as not judged")
        if self.unlisted is not None:
            self._check_shape("unlisted documents", self.unlisted.offsets, self.unlisted.labels)
            self._check_labels(self.unlisted.labels, self.unlisted.ragged, "unlisted ")

    def _check_shape(self, what: str, offsets: IntArray, labels: FloatArray) -> None:
        if offsets.dtype != np.int64 or labels.dtype != np.float64:
            raise TypeError(f"{what}: offsets must be int64 and labels float64, got {offsets.dtype} and {labels.dtype}")
        if offsets.shape != (len(self.query_ids) + 1,) or labels.ndim != 1:
            raise ValueError(
                f"{what}: expected {len(self.query_ids) + 1} offsets for {len(self.query_ids)} query ids and flat"
                f" labels, got shapes {offsets.shape} and {labels.shape}"
            )
        if offsets[0] != 0 or offsets[-1] != len(labels) or np.any(np.diff(offsets) < 0):
            raise ValueError(f"{what}: offsets must rise from 0 to the number of documents, {len(labels)}")

    def _check_labels(self, labels: FloatArray, ragged: Ragged, what: str) -> None:
        wrong = np.flatnonzero(~(np.isfinite(labels) & (labels >= 0)))
        if wrong.size:
            place = _place(self.query_ids, ragged, int(wrong[0]))
            raise ValueError(f"label {labels[wrong[0]]} of {what}{place}: expected finite and >= 0")

    def __len__(self) -> int:
        return len(self.query_ids)

    @cached_property
    def ragged(self) -> Ragged:
        """Where the documents of each list lie."""
        return Ragged(self.offsets)

    @property
    def sizes(self) -> IntArray:
        """Documents per list, int64 [lists]."""
        return self.ragged.sizes

    @property
    def missing(self) -> BoolArray:
        """Queries missing from the run, lists without a document, bool [lists]."""
        return self.sizes == 0

    @cached_property
    def empty(self) -> BoolArray:
        """Queries without a relevant document (no label above 0), listed or not, bool [lists]."""
        relevant = self.ragged.counts(self.labels > 0)
        if self.unlisted is not None:
            relevant = relevant + self.unlisted.ragged.counts(self.unlisted.labels > 0)
        return relevant == 0

    @cached_property
    def largest_label(self) -> float:
        """Of all documents, listed or not; 0 without any."""
        unlisted = 0.0 if self.unlisted is None else float(self.unlisted.labels.max(initial=0.0))
        return max(float(self.labels.max(initial=0.0)), unlisted)

    @cached_property
    def listed_ideal(self) -> FloatArray:
        """The labels of each list in falling order, float64 [documents]."""
        return self.ragged.falling(self.labels)

    @cached_property
    def judged_ideal(self) -> tuple[Ragged, FloatArray]:
        """The labels of each query's documents, listed or not, in falling order, and where those of each query lie."""
        if self.unlisted is None:
            return self.ragged, self.listed_ideal
        listed, others = self.ragged, self.unlisted.ragged
        every = Ragged(self.offsets + self.unlisted.offsets)
        labels = np.empty(every.offsets[-1])
        labels[np.arange(len(self.labels)) + np.repeat(others.offsets[:-1], listed.sizes)] = self.labels
        labels[np.arange(len(self.unlisted.labels)) + np.repeat(listed.offsets[1:], others.sizes)] = (
            self.unlisted.labels
        )
        return every, every.falling(labels)

    def place(self, document: int) -> str:
        """Where document number `document` of all is, in words for an error."""
        return _place(self.query_ids, self.ragged, document)

    def select(self, lists: BoolArray) -> tuple[Self, IntArray]:
        """Some of the lists, such as those of a slice.

        Args:
            lists: bool [lists], which of them.

        Returns:
            The lists, and the numbers of their documents, int64 [documents of those lists]: `scores[documents]` are
            their scores.
        """
        ragged, documents = self.ragged.select(lists)
        unlisted = self.unlisted
        if unlisted is not None:
            rows, others = unlisted.ragged.select(lists)
            unlisted = Unlisted(rows.offsets, unlisted.labels[others])
        changed = replace(
            self, query_ids=self.query_ids[lists], offsets=ragged.offsets, unlisted=unlisted, **self._columns(documents)
        )
        return changed, documents

    def keep(self, documents: BoolArray) -> Self:
        """The same queries with some of the documents, as though the others were not there.

        Judgements of unlisted documents stay as they are.

        Args:
            documents: bool [documents], which of them.
        """
        return replace(self, offsets=self.ragged.keep(documents).offsets, **self._columns(documents))

    def _columns(self, documents: NDArray[Any]) -> dict[str, Any]:
        """What is known of some documents, given by their numbers or a mask."""
        return {
            "labels": self.labels[documents],
            "document_ids": None if self.document_ids is None else self.document_ids[documents],
            "judged": None if self.judged is None else self.judged[documents],
        }


def drop_unusable(
    offsets: IntArray, labels: FloatArray, scores: Mapping[str, FloatArray]
) -> tuple[IntArray, BoolArray, IntArray]:
    """The policy `drop`: which documents have a label and scores that metrics can use.

    A document goes for all models if the score of one is NaN or infinite, so that models are measured on the same
    documents. Where negative labels are to mean judged and not relevant (trec_eval), give `np.maximum(labels, 0)`.

    Args:
        offsets: int64 [lists + 1], of the lists.
        labels: float64 [documents].
        scores: float64 [documents] by model.

    Returns:
        offsets of the lists without those documents, int64 [lists + 1]; which documents stay, bool [documents];
        how many each list loses, int64 [lists].
    """
    usable = np.isfinite(labels) & (labels >= 0)
    for values in scores.values():
        usable &= np.isfinite(values)
    ragged = Ragged(offsets)
    return ragged.keep(usable).offsets, usable, ragged.counts(~usable)


def _place(query_ids: NDArray[Any], ragged: Ragged, document: int) -> str:
    index = int(ragged.rows_of(np.array([document]))[0])
    return f"document {document - int(ragged.offsets[index])} (from 0) of query {str(query_ids[index])!r}"
