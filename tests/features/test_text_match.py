"""BM25 of packed examples and of the graph, against the formula computed from the files on disk."""

import numpy as np
import pytest


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
