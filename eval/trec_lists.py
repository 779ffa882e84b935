"""Judgements and runs that come apart (qrels and runs of TREC), joined into the lists that metrics read."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from eval.lists import Lists, Unlisted
from eval.ragged import BoolArray, FloatArray, IntArray, Ragged

__all__ = ["JudgedRun", "Judgements"]

_LARGEST = np.finfo(np.float64).max


@dataclass(frozen=True, eq=False)
class JudgedRun:
    """A run on the judged queries.

    Args:
        lists: one per judged query, by rising id (code points); without documents where the run misses the query.
        scores: float64 [documents], finite: an infinite score becomes the largest number.
        ignored: queries of the run that are not judged, and so in no list.
    """

    lists: Lists
    scores: FloatArray
    ignored: int


@dataclass(frozen=True, eq=False)
class Judgements:
    """Judged documents by query.

    Args:
        queries: string [queries], rising by code point.
        documents: string [distinct documents], in any order.
        pairs: int64 [judgements], rising: number of the query times distinct documents, plus number of the document.
        labels: float64 [judgements], >= 0, in the same order.
    """

    queries: pa.Array
    documents: pa.Array
    pairs: IntArray
    labels: FloatArray

    @classmethod
    def of(cls, query_ids: pa.ChunkedArray, document_ids: pa.ChunkedArray, labels: FloatArray) -> Self:
        """Judgements in any order, each query and document once.

        Args:
            query_ids: string [judgements].
            document_ids: string [judgements].
            labels: float64 [judgements].

        Raises:
            ValueError: a label is negative or no finite number; query and document are named.
        """
        wrong = ~(np.isfinite(labels) & (labels >= 0))
        if wrong.any():
            row = int(np.argmax(wrong))
            raise ValueError(
                f"label {labels[row]:g} of query {query_ids[row].as_py()!r}, document {document_ids[row].as_py()!r}:"
                f" expected finite and >= 0 ({int(wrong.sum())} such judgements); mend or drop them, or have negative"
                " labels read as not relevant (contract trec_eval)"
            )
        distinct = pc.unique(query_ids)
        queries = distinct.take(pc.sort_indices(distinct))
        documents = pc.unique(document_ids)
        pairs = _numbers(query_ids, queries) * len(documents) + _numbers(document_ids, documents)
        order = np.argsort(pairs)
        return cls(queries, documents, pairs[order], labels[order])

    def __len__(self) -> int:
        return len(self.queries)

    @cached_property
    def query_ids(self) -> NDArray[Any]:
        """str [queries], rising."""
        return self.queries.to_numpy(zero_copy_only=False)

    @property
    def without_relevant(self) -> int:
        """Queries without a relevant document (no label above 0)."""
        return len(self) - len(np.unique(self.pairs[self.labels > 0] // len(self.documents)))

    def lists_of(self, run: pa.Table, *, ids: bool = True) -> JudgedRun:
        """The documents of a run in lists, with their labels; documents that are not judged have label 0.

        Args:
            run: `query_id` and `document_id` string, `score` float64 without NaN; each query and document once. Lists
                keep the order of rows.
            ids: whether the lists need document ids (`ties=docid` does).

        Raises:
            ValueError: no query of the run is judged.
        """
        queries, documents = _numbers(run["query_id"], self.queries), _numbers(run["document_id"], self.documents)
        of_judged = np.flatnonzero(queries >= 0)
        if not of_judged.size:
            theirs, ours = run["query_id"][0].as_py(), self.queries[0].as_py()
            raise ValueError(
                f"no query is judged: the run has {theirs!r} and others, the judgements {ours!r} and others; do the ids"
                " have the same form?"
            )
        rows = of_judged[np.argsort(queries[of_judged], kind="stable")]
        offsets = Ragged.of_sizes(np.bincount(queries[rows], minlength=len(self))).offsets
        labels, judged, beside = self._labels_of(queries[rows], documents[rows])
        scores = np.clip(run["score"].to_numpy()[rows], -_LARGEST, _LARGEST)
        names = run["document_id"].take(pa.array(rows)).to_numpy() if ids else None
        lists = Lists(self.query_ids, offsets, labels, names, judged, beside)
        return JudgedRun(lists, scores, pc.count_distinct(run["query_id"].filter(pa.array(queries < 0))).as_py())

    def _labels_of(self, queries: IntArray, documents: IntArray) -> tuple[FloatArray, BoolArray, Unlisted]:
        """Labels of documents, given by their numbers (-1: nowhere judged); whether they are judged; all others."""
        wanted = queries * len(self.documents) + documents
        places = np.minimum(np.searchsorted(self.pairs, wanted), len(self.pairs) - 1)
        judged = (documents >= 0) & (self.pairs[places] == wanted)
        labels = np.where(judged, self.labels[places], 0.0)
        beside = np.ones(len(self.pairs), dtype=np.bool_)
        beside[places[judged]] = False
        sizes = np.bincount(self.pairs[beside] // len(self.documents), minlength=len(self))
        return labels, judged, Unlisted(Ragged.of_sizes(sizes).offsets, self.labels[beside])


def _numbers(texts: pa.ChunkedArray, known: pa.Array) -> IntArray:
    """The number of each text among the known, -1 if it is not, int64 [texts]."""
    return pc.fill_null(pc.index_in(texts, value_set=known), -1).to_numpy().astype(np.int64)
