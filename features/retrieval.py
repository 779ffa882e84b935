"""First-stage retrieval: the documents of the whole collection that match each query best, by BM25.

It runs in process, like the joins of tables, before there are lists: one reader gives the collection, and all that is
kept is the best of each query so far, which also tells what need not be looked at. A Beam job would have nothing to
share out but products of small matrices.

The collection is read once. What its documents hold of the queries' words goes to disk; when the frequencies are known,
it is read again for each batch of queries.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import scipy.sparse as sp
import tensorflow as tf

from features.text import tokenize
from ranker.data.spill import read_stream, write_options
from ranker.data.tables.texts import read_documents, read_queries
from ranker.spec import Bm25Candidates, Spec

__all__ = ["Retrieved", "retrieve"]

_DOCUMENTS_PER_CHUNK = 20_000  # whose scores are computed at once
_BYTES_PER_CHUNK = 32 << 20
_QUERIES_PER_BLOCK = 64  # for so many queries
_CELLS = 1 << 20  # queries x k of a batch
_HELD = 1 << 16  # pairs that are not worth sorting
_POSTINGS = pa.schema(
    [
        ("document_id", pa.string()),
        ("length", pa.int64()),
        ("word", pa.list_(pa.int32())),
        ("count", pa.list_(pa.int32())),
    ]
)
_PAIRS = pa.schema([("query_id", pa.string()), ("document_id", pa.string()), ("score", pa.float32())])
_FOUND = pa.schema([("query", pa.int64()), ("document_id", pa.string()), ("score", pa.float32())])

_Floats = npt.NDArray[np.float64]
_Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Retrieved:
    """What was found.

    Attributes:
        path: Parquet file with the columns `query_id` and `document_id`, strings, and `score`, float32 above 0; query
            by query, the best document first, equal scores by document id.
        queries: how many there are.
        documents: how many the collection has.
        pairs: rows of the file.
        wordless: queries without a word, which have no candidates.
        unmatched: other queries without candidates: no document holds a word of theirs.
    """

    path: Path
    queries: int
    documents: int
    pairs: int
    wordless: int
    unmatched: int


def retrieve(
    spec: Spec,
    temporary: Path,
    read: Callable[[int], None] = lambda _: None,
    scored: Callable[[int, int], None] = lambda _done, _total: None,
    documents_per_chunk: int = _DOCUMENTS_PER_CHUNK,
) -> Retrieved:
    """The `k` documents of the collection with the highest score for each query, by the section `data.candidates`.

    The score is `features.text_match.bm25` of the query's text and the document texts, joined with spaces to one, whose
    frequencies are those of the joined texts. Memory is that of the texts of all queries, of a million pairs found, and
    of one chunk of documents; disk is at most about the size of the collection.

    Args:
        spec: of a source of three tables, with candidates from bm25.
        temporary: a folder; the file stays there.
        read: told the number of documents read so far.
        scored: told how many documents were scored, of how many; each counts once for every batch of queries.
        documents_per_chunk: the result does not depend on it.

    Raises:
        DataError: for faults of whole files. Rows that cannot be used are passed over; `spill_tables` reports them.
    """
    candidates = spec.data.candidates
    if not isinstance(candidates, Bm25Candidates):
        raise TypeError(f"expected candidates from bm25, got {candidates.from_}")
    queries = _read_queries(spec, candidates.query, temporary)
    path = Path(tempfile.mkdtemp(prefix="bm25-", dir=temporary)) / "candidates.parquet"
    postings = path.with_name("postings.arrow")
    collection = _write_postings(spec, candidates.document, queries, postings, temporary, read)
    per_batch = max(1, _CELLS // candidates.k)
    batches = range(0, len(queries.ids), per_batch)
    done = pairs = unmatched = 0
    with pq.ParquetWriter(path, _PAIRS, compression="zstd") as writer:
        for first in batches:
            batch = queries.counts[first : first + per_batch]
            best = _Best(batch.shape[0], candidates.k)
            for chunk in _chunks(postings, documents_per_chunk):
                _add_chunk(best, batch, chunk, collection.weights(chunk, candidates))
                done += chunk.num_rows
                scored(done, len(batches) * collection.documents)
            found = best.ranked()
            ids = queries.ids.take(pc.add(found["query"], first))
            writer.write_table(pa.table([ids, found["document_id"], found["score"]], schema=_PAIRS))
            pairs += found.num_rows
            unmatched += batch.shape[0] - pc.count_distinct(found["query"]).as_py()
    postings.unlink()
    wordless = int((queries.counts.sum(axis=1) == 0).sum())
    return Retrieved(path, len(queries.ids), collection.documents, pairs, wordless, unmatched - wordless)


# --- words ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Queries:
    """The queries: `ids` string `[queries]`, `words` bytes `[words]`, distinct, and how often each holds each word."""

    ids: pa.ChunkedArray
    words: pa.BinaryArray
    counts: sp.csr_array  # float64 [queries, words]


def _read_queries(spec: Spec, column: str, temporary: Path) -> _Queries:
    rows = pa.Table.from_batches(list(read_queries(spec, [column], temporary)))
    tokens = tokenize(tf.constant(rows[column].to_pylist(), tf.string))
    encoded = pa.array(tokens.flat_values.numpy(), pa.binary()).dictionary_encode()
    shape = rows.num_rows, len(encoded.dictionary)
    counts = _counts(tokens.value_rowids().numpy(), encoded.indices.to_numpy(), shape)
    return _Queries(rows["query_id"], encoded.dictionary, counts)


def _counts(text: _Ints, word: npt.NDArray[np.integer[Any]], shape: tuple[int, int]) -> sp.csr_array:
    """float64 `[texts, words]`: how often each pair is there."""
    counts = sp.coo_array((np.ones(len(text)), (text, word)), shape=shape).tocsr()
    counts.sum_duplicates()
    return counts


@dataclass(frozen=True)
class _Collection:
    """`documents`, their `mean_length`, and `frequency` int64 `[words]`: how many hold each word of the queries."""

    documents: int
    mean_length: float
    frequency: _Ints

    def weights(self, chunk: pa.RecordBatch, spec: Bm25Candidates) -> sp.csr_array:
        """float64 `[words, documents]`: what a word of the query brings to the score of each document of a chunk."""
        idf = np.log1p((self.documents - self.frequency + 0.5) / (self.frequency + 0.5))
        words = chunk["word"].flatten().to_numpy()
        count = chunk["count"].flatten().to_numpy().astype(np.float64)
        held = pc.list_value_length(chunk["word"]).to_numpy()
        length = np.repeat(chunk["length"].to_numpy(), held) / max(self.mean_length, 1e-9)
        saturation = count * (spec.k1 + 1) / (count + spec.k1 * (1 - spec.b + spec.b * length))
        starts = np.concatenate([[0], np.cumsum(held)])
        shape = chunk.num_rows, len(self.frequency)
        return sp.csr_array((idf[words] * saturation, words, starts), shape=shape).T.tocsr()


def _write_postings(
    spec: Spec, names: list[str], queries: _Queries, path: Path, temporary: Path, read: Callable[[int], None]
) -> _Collection:
    """Write which words of the queries each document of the collection holds, and how often."""
    words = queries.words.to_numpy(zero_copy_only=False)
    known = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, default_value=-1)  # may be empty
    known.insert(tf.constant(words, tf.string), tf.range(len(words), dtype=tf.int64))
    documents = total_length = 0
    frequency = np.zeros(len(words), np.int64)
    with pa.ipc.new_stream(str(path), _POSTINGS, options=write_options()) as writer:
        for batch in read_documents(spec, list(dict.fromkeys(names)), temporary):
            texts = pc.binary_join_element_wise(*(batch[name] for name in names), " ")
            tokens = tokenize(tf.constant(texts.to_pylist(), tf.string))
            word = known.lookup(tokens.flat_values).numpy()
            wanted = word >= 0
            held = _counts(tokens.value_rowids().numpy()[wanted], word[wanted], (len(texts), len(words)))
            starts = pa.array(held.indptr, pa.int32())
            lists = [pa.ListArray.from_arrays(starts, pa.array(v, pa.int32())) for v in (held.indices, held.data)]
            lengths = pa.array(tokens.row_lengths().numpy())
            writer.write_batch(pa.RecordBatch.from_arrays([batch["document_id"], lengths, *lists], schema=_POSTINGS))
            frequency += np.bincount(held.indices, minlength=len(words))
            documents += len(texts)
            total_length += len(word)
            read(documents)
    return _Collection(documents, total_length / max(documents, 1), frequency)


def _chunks(path: Path, documents: int) -> Iterator[pa.RecordBatch]:
    """The postings in batches of at most so many documents or about `_BYTES_PER_CHUNK`."""
    held: list[pa.RecordBatch] = []
    for batch in read_stream(path):
        for start in range(0, batch.num_rows, documents):
            part = batch.slice(start, documents)
            rows, size = (sum(getattr(one, what) for one in (*held, part)) for what in ("num_rows", "nbytes"))
            if held and (rows > documents or size > _BYTES_PER_CHUNK):
                yield pa.concat_batches(held)
                held = []
            held.append(part)
    if held:
        yield pa.concat_batches(held)


# --- the best so far --------------------------------------------------------------------------------------------------


def _add_chunk(best: _Best, queries: sp.csr_array, chunk: pa.RecordBatch, weights: sp.csr_array) -> None:
    """Show all documents of a chunk to all queries, float64 `[queries, words]`, of a batch, block by block."""
    order = pc.sort_indices(chunk["document_id"]).to_numpy()
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    for first in range(0, queries.shape[0], _QUERIES_PER_BLOCK):
        # A score is the sum over the words of the query in their order, whatever the chunk.
        best.add(first, queries[first : first + _QUERIES_PER_BLOCK] @ weights, chunk["document_id"], place)


class _Best:
    """The best documents of each of some queries so far.

    About twice as many as wanted are held at most; what is worse than the k best of its query is not taken at all.
    """

    def __init__(self, queries: int, k: int) -> None:
        self._k = k
        self._least = np.zeros(queries, np.float32)  # what a score has to reach
        self._held: list[pa.Table] = [_FOUND.empty_table()]
        self._rows = 0
        self._most = max(2 * queries * k, _HELD)

    def add(self, first: int, scores: sp.csr_array, ids: pa.StringArray, place: _Ints) -> None:
        """Take what is good enough.

        Args:
            first: number of the first of the queries.
            scores: float64 `[queries, documents]`; 0 where not stored.
            ids: of the documents.
            place: of the documents by their ids, which orders those with equal scores.
        """
        row = np.repeat(np.arange(scores.shape[0]), np.diff(scores.indptr))
        score = scores.data.astype(np.float32)
        good = np.flatnonzero((score > 0) & (score >= self._least[first + row]))
        row, score, document = row[good], score[good], scores.indices[good]
        count = np.bincount(row, minlength=scores.shape[0])
        ends = np.cumsum(count)
        kept = np.ones(len(row), bool)
        for crowded in np.flatnonzero(count > self._k).tolist():  # hardly any after the first chunks
            own = slice(ends[crowded] - count[crowded], ends[crowded])
            kept[own] = _is_best(score[own], place[document[own]], self._k)
        columns = [first + row[kept], ids.take(pa.array(document[kept])), score[kept]]
        self._held.append(pa.table(columns, schema=_FOUND))
        self._rows += self._held[-1].num_rows
        if self._rows > self._most:
            self.ranked()

    def ranked(self) -> pa.Table:
        """`query` int64, `document_id`, `score`: the best of each query, best first, queries in their order."""
        rows = pa.concat_tables(self._held)
        rows = rows.take(
            pc.sort_indices(rows, [("query", "ascending"), ("score", "descending"), ("document_id", "ascending")])
        )
        query = rows["query"].to_numpy()
        count = np.bincount(query, minlength=len(self._least))
        rank = np.arange(len(query)) - np.repeat(np.cumsum(count) - count, count)
        last = rank == self._k - 1
        self._least[query[last]] = rows["score"].to_numpy()[last]
        self._held = [rows.filter(pa.array(rank < self._k))]
        self._rows = self._held[0].num_rows
        return self._held[0]


def _is_best(score: npt.NDArray[np.float32], place: _Ints, k: int) -> npt.NDArray[np.bool_]:
    """Which are the k highest; of equal ones those that come first by `place`."""
    kth = np.partition(score, len(score) - k)[len(score) - k]
    best = score > kth
    equal = np.flatnonzero(score == kth)
    best[equal[np.argsort(place[equal])][: k - best.sum()]] = True
    return best
