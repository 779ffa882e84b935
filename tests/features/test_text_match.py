"""BM25 of packed examples and of the graph, against the formula computed from the files on disk."""

import math
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics.pairwise import cosine_similarity

from features.lists import Lists
from features.text_match import bigram_overlap, coverage, exact_phrase, length_ratio
from ranker.spec import TextMatch


def text(rows, column):
    return [row[column] for row in rows.values()]


@pytest.mark.parametrize("column", ["title", "description"])
def test_bm25_of_the_store(prepared, reference, column):
    tables = prepared.tables
    collection = text(tables.documents, column)
    for query_id in list(tables.lists)[::8]:
        expected = reference.bm25(
            tables.queries[query_id]["query"], tables.of_list(query_id, column), collection, k1=1.2, b=0.75
        )
        np.testing.assert_allclose(prepared.dense(query_id, f"bm25_query_{column}"), expected, rtol=1e-5, atol=1e-5)
        assert max(expected) > 1


def test_bm25_counts_unjudged_documents(prepared):
    judged = {document for judgments in prepared.tables.lists.values() for document, _ in judgments}
    assert len(judged) < len(prepared.tables.documents)


@pytest.mark.parametrize(("column", "k1", "b"), [("title", 1.2, 1.0), ("body", 0.9, 0.0)])
@pytest.mark.parametrize("query_id", ["q0", "q1", "q2"], ids=["two words", "repeated and absent words", "no words"])
def test_bm25_of_corner_cases(corner, reference, column, k1, b, query_id):
    """Empty documents among them: with b = 1 the formula's divisor is 0."""
    tables = corner.tables
    documents = tables.of_list(query_id, column)
    expected = reference.bm25(tables.queries[query_id]["query"], documents, text(tables.documents, column), k1=k1, b=b)
    got = corner.dense(query_id, f"bm25_query_{column}")
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)
    assert all(score == 0 for score, document in zip(got, documents, strict=True) if not reference.words(document))


def test_a_repeated_query_word_counts_twice(corner):
    once, twice = (
        np.array(corner.apply({"query": query}, {"title": ["red shoe", "red"]})["dense"])
        for query in ("shoe", "shoe shoe")
    )
    at = corner.layout.dense.index("bm25_query_title")
    assert once[0, at] > 0 == once[1, at]
    np.testing.assert_allclose(twice[:, at], 2 * once[:, at], rtol=1e-6)


def test_a_word_that_the_collection_lacks_has_frequency_0(corner, reference):
    """New documents may hold it: idf = ln(1 + (N + 0.5) / 0.5)."""
    tables = corner.tables
    documents = ["absent", "absent shoe", "", "other"]
    expected = reference.bm25("absent", documents, text(tables.documents, "title"), k1=1.2, b=1.0)
    got = np.array(corner.apply({"query": "absent"}, {"title": documents})["dense"])
    np.testing.assert_allclose(got[:, corner.layout.dense.index("bm25_query_title")], expected, rtol=1e-5)
    mean_length = sum(len(reference.words(t)) for t in text(tables.documents, "title")) / 24
    np.testing.assert_allclose(expected[0], np.log(1 + 24.5 / 0.5) * 2.2 / (1 + 1.2 / mean_length))


def test_a_collection_without_a_word_matches_nothing(corner):
    got = np.array(corner.apply({"query": "shoe"}, {"wordless": ["shoe", ""]})["dense"])
    assert got[:, corner.layout.dense.index("bm25_query_wordless")].tolist() == [0, 0]


# --- the other kinds --------------------------------------------------------------------------------------------------


def share(part, whole) -> float:
    return part / whole if whole else 0.0


def expected(kind: str, query: list[str], document: list[str], idf) -> float:
    """Of one text pair, word by word."""
    if kind == "coverage":
        return share(sum(word in document for word in set(query)), len(set(query)))
    if kind == "idf_overlap":
        words = sorted(set(query))
        return share(sum(idf(word) for word in words if word in document), sum(map(idf, words)))
    if kind == "exact_phrase":
        starts = range(len(document) - len(query) + 1)
        return float(bool(query) and any(document[i : i + len(query)] == query for i in starts))
    if kind == "bigram_overlap":
        bigrams = set(pairwise(query))
        return share(len(bigrams & set(pairwise(document))), len(bigrams))
    if kind == "length_ratio":
        return share(len(query), len(document))
    counts = Counter(query), Counter(document)
    dot = sum(counts[0][word] * counts[1][word] * idf(word) ** 2 for word in counts[0])
    norms = (math.sqrt(sum((count * idf(word)) ** 2 for word, count in text.items())) for text in counts)
    return share(dot, math.prod(norms))


MATCHES = ("tfidf_cosine", "coverage", "idf_overlap", "exact_phrase", "bigram_overlap", "length_ratio")


@pytest.mark.parametrize(
    ("kind", "column"), [*((kind, "title") for kind in MATCHES), ("tfidf_cosine", "body"), ("coverage", "body")]
)
def test_matches_are_their_formulas(kinds, reference, kind, column):
    collection = [set(reference.words(value)) for value in text(kinds.tables.documents, column)]

    def idf(word: str) -> float:
        frequency = sum(word in words for words in collection)
        return math.log(1 + (len(collection) - frequency + 0.5) / (frequency + 0.5))

    seen = set()
    for query_id in kinds.all_lists:
        query = reference.words(kinds.tables.queries[query_id]["query"])
        documents = [reference.words(value) for value in kinds.tables.of_list(query_id, column)]
        wanted = [expected(kind, query, document, idf) for document in documents]
        got = kinds.dense(query_id, f"{kind}_query_{column}")
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-6)
        seen |= set(np.round(got, 4).tolist())
    assert 0 in seen
    assert len(seen) >= (2 if kind == "exact_phrase" else 3)


def test_the_cosine_is_that_of_scikit_learn_with_our_idf(kinds):
    """scikit-learn leaves out words that the collection lacks, so that queries without such words are compared."""
    collection = text(kinds.tables.documents, "title")
    vectorizer = CountVectorizer(token_pattern=r"[a-z]+").fit(collection)
    frequency = (vectorizer.transform(collection) > 0).sum(axis=0).A1
    idf = np.log(1 + (len(collection) - frequency + 0.5) / (frequency + 0.5))
    compared = 0
    for query_id in kinds.all_lists:
        query = kinds.tables.queries[query_id]["query"]
        if "absent" in query:
            continue
        compared += 1
        vectors = [vectorizer.transform(texts).multiply(idf) for texts in ([query], collection)]
        of = dict(zip(kinds.tables.documents, cosine_similarity(*vectors)[0], strict=True))
        wanted = [of[document] for document, _ in kinds.tables.lists[query_id]]
        np.testing.assert_allclose(kinds.dense(query_id, "tfidf_cosine_query_title"), wanted, rtol=1e-5, atol=1e-6)
    assert compared == 30


def test_bm25_beside_other_matches(kinds, reference):
    collection = text(kinds.tables.documents, "title")
    for query_id in kinds.all_lists:
        query = kinds.tables.queries[query_id]["query"]
        wanted = reference.bm25(query, kinds.tables.of_list(query_id, "title"), collection, k1=1.2, b=0.75)
        np.testing.assert_allclose(kinds.dense(query_id, "bm25_query_title"), wanted, rtol=1e-5, atol=1e-6)


def test_a_text_matches_itself_wholly(kinds):
    got = dict(
        zip(
            kinds.layout.dense,
            kinds.apply({"query": "Red shoe, red!"}, {"title": ["red SHOE red"]})["dense"][0],
            strict=True,
        )
    )
    for kind in MATCHES:
        assert got[f"{kind}_query_title"] == 1


TEXTS = st.lists(st.lists(st.sampled_from("abc"), max_size=5), min_size=1, max_size=4)


@settings(max_examples=100, derandomize=True, deadline=None)
@given(lists=st.lists(st.tuples(st.lists(st.sampled_from("abcd"), max_size=4), TEXTS), min_size=1, max_size=3))
@example(lists=[([], [[]])])
@example(lists=[(["a", "b"], [["a"], ["b"], ["a", "b"]]), (["b"], [["b", "a"]])])
def test_matches_of_batches(lists):
    """Phrases neither run from one document into the next, nor from the words of one query into those of another."""
    documents = [document for _, of_query in lists for document in of_query]
    rows = tf.RaggedTensor.from_row_lengths(tf.range(len(documents)), [len(of_query) for _, of_query in lists])
    batch = Lists(
        rows.value_rowids(),
        rows.row_splits,
        {"q": tf.constant([" ".join(query) for query, _ in lists])},
        {"d": tf.constant([" ".join(document) for document in documents])},
        {},
    )
    for function in (coverage, exact_phrase, bigram_overlap, length_ratio):
        kind = function.__name__
        got = function(TextMatch(kind=kind, query="q", document="d"), batch)
        assert got.dtype == tf.float64
        wanted = [expected(kind, query, document, None) for query, of_query in lists for document in of_query]
        np.testing.assert_allclose(got.numpy(), wanted, err_msg=kind)
