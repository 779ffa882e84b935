"""How well a text of the document matches a text of the query.

Each function gives float64 `[documents]`. With t a word, tf(t) is how often the document holds it, qf(t) how often the
query, and idf(t) what `features.idf` says. Nothing to compare (a text without words) gives 0.
"""

from __future__ import annotations

import tensorflow as tf

from features.idf import idf, idf_of_text
from features.lists import Lists
from features.occurrences import Occurrences, QueryWords, bigrams, word_keys
from ranker.spec import Bm25, TextMatch

__all__ = ["bigram_overlap", "bm25", "coverage", "exact_phrase", "idf_overlap", "length_ratio", "tfidf_cosine"]

_BASE = 0x5851F42D4C957F2D  # odd, of Knuth's MMIX generator


def bm25(spec: Bm25, lists: Lists) -> tf.Tensor:
    """BM25 (Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009, eq. 3.15).

    Sum over t of qf(t) * idf(t) * tf(t) * (k1 + 1) / (tf(t) + k1 * (1 - b + b * length / mean length)).
    """
    query, found = _query_words(spec, lists), _occurrences(spec, lists)
    length = tf.cast(lists.words(spec.document).lengths, tf.float64)
    mean_length = max(lists.statistics[spec.document].mean_length, 1e-9)
    norm = tf.gather(spec.k1 * (1 - spec.b + spec.b * length / mean_length), found.document)
    weight = tf.gather(query.count * _query_idf(spec, lists), found.word)
    saturation = found.count * (spec.k1 + 1) / (found.count + norm)
    return lists.sum_by_document(weight * saturation, found.document)


def tfidf_cosine(spec: TextMatch, lists: Lists) -> tf.Tensor:
    """Cosine of the vectors qf(t) * idf(t) and tf(t) * idf(t) (Salton and Buckley 1988)."""
    query, found = _query_words(spec, lists), _occurrences(spec, lists)
    squares = _query_idf(spec, lists) ** 2
    dot = lists.sum_by_document(tf.gather(query.count * squares, found.word) * found.count, found.document)
    of_query = tf.sqrt(lists.sum_by_list(query.count**2 * squares, query.row))
    return tf.math.divide_no_nan(dot, tf.gather(of_query, lists.row) * _document_norm(spec, lists))


def coverage(spec: TextMatch, lists: Lists) -> tf.Tensor:
    """Share of the query's distinct words that the document holds."""
    query, found = _query_words(spec, lists), _occurrences(spec, lists)
    return _share(lists, tf.ones_like(query.count), query, found)


def idf_overlap(spec: TextMatch, lists: Lists) -> tf.Tensor:
    """As `coverage`, each word with the weight idf(t)."""
    return _share(lists, _query_idf(spec, lists), _query_words(spec, lists), _occurrences(spec, lists))


def bigram_overlap(spec: TextMatch, lists: Lists) -> tf.Tensor:
    """Share of the distinct pairs of neighbouring words of the query that are neighbours in the document, in order."""
    query = QueryWords.of(*_bigrams(spec.query, lists))
    found = Occurrences.of(query, *_bigrams(spec.document, lists), lists.row)
    return _share(lists, tf.ones_like(query.count), query, found)


def exact_phrase(spec: TextMatch, lists: Lists) -> tf.Tensor:
    """1 if the words of the query, all and in order, stand side by side in the document.

    Polynomial hashes modulo 2^64 (Karp and Rabin 1987): with H the running sum of hash(word) * BASE^place over all
    documents, the words from place p to q are a query Q if H(q) - H(p) = BASE^p * (sum over Q).
    """
    query, document = lists.words(spec.query), lists.words(spec.document)
    places = tf.maximum(tf.size(document.values), tf.size(query.values))
    powers = tf.math.cumprod(tf.fill([places], tf.constant(_BASE, tf.int64)), exclusive=True)
    of_query = lists.sum_by_list(query.hashes * tf.gather(powers, query.place), query.text)
    here = powers[: tf.size(document.values)]
    running = tf.concat([[0], tf.cumsum(document.hashes * here)], 0)
    row = tf.gather(lists.row, document.text)
    start = tf.range(tf.size(document.values, tf.int64))
    length = tf.gather(query.lengths, row)
    fits = tf.logical_and(length > 0, start + length <= tf.gather(document.starts[1:], document.text))
    end = tf.where(fits, start + length, start)
    same = tf.equal(tf.gather(running, end) - running[:-1], here * tf.gather(of_query, row))
    hits = tf.cast(tf.logical_and(fits, same), tf.float64)
    return tf.minimum(lists.sum_by_document(hits, document.text), 1)


def length_ratio(spec: TextMatch, lists: Lists) -> tf.Tensor:
    """Words of the query / words of the document; 0 for a document without words."""
    query, document = (tf.cast(lists.words(name).lengths, tf.float64) for name in (spec.query, spec.document))
    return tf.math.divide_no_nan(tf.gather(query, lists.row), document)


# --- what several matches of the same texts share ---------------------------------------------------------------------


def _share(lists: Lists, weight: tf.Tensor, query: QueryWords, found: Occurrences) -> tf.Tensor:
    """The weight of the words found / the weight of all; weight float64 `[distinct]`."""
    part = lists.sum_by_document(tf.gather(weight, found.word), found.document)
    return tf.math.divide_no_nan(part, tf.gather(lists.sum_by_list(weight, query.row), lists.row))


def _query_words(spec: Bm25 | TextMatch, lists: Lists) -> QueryWords:
    def make() -> QueryWords:
        words = lists.words(spec.query)
        return QueryWords.of(words.hashes, words.text)

    return lists.once(("query words", spec.query), make)


def _occurrences(spec: Bm25 | TextMatch, lists: Lists) -> Occurrences:
    def make() -> Occurrences:
        words = lists.words(spec.document)
        return Occurrences.of(_query_words(spec, lists), words.hashes, words.text, lists.row)

    return lists.once(("occurrences", spec.query, spec.document), make)


def _bigrams(name: str, lists: Lists) -> tuple[tf.Tensor, tf.Tensor]:
    return lists.once(("bigrams", name), lambda: bigrams(lists.words(name)))


def _query_idf(spec: Bm25 | TextMatch, lists: Lists) -> tf.Tensor:
    """float64 `[distinct]`, idf of each of the query words."""

    def make() -> tf.Tensor:
        words = tf.gather(lists.words(spec.query).values, _query_words(spec, lists).first)
        return idf(lists.statistics[spec.document], words)

    return lists.once(("query idf", spec.query, spec.document), make)


def _document_norm(spec: TextMatch, lists: Lists) -> tf.Tensor:
    """float64 `[documents]`: square root of the sum over t of (tf(t) * idf(t))^2."""

    def make() -> tf.Tensor:
        words = lists.words(spec.document)
        # Each of the tf(t) occurrences of a word brings tf(t) * idf(t)^2.
        _, which, count = tf.unique_with_counts(word_keys(words.text, words.hashes))
        count = tf.cast(tf.gather(count, which), tf.float64)
        return tf.sqrt(lists.sum_by_document(count * idf_of_text(spec.document, lists) ** 2, words.text))

    return lists.once(("norm", spec.document), make)
