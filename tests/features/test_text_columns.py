"""Texts as columns: bags against a count in Python, tf-idf against scikit-learn."""

import numpy as np
import pytest
import tensorflow as tf
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.preprocessing import normalize


def pinned(word: str, buckets: int) -> int:
    """Farmhash64 modulo the buckets, from 1."""
    return int.from_bytes(bytes(tf.fingerprint([word], "farmhash64").numpy()[0]), "little") % buckets + 1


def columns(kinds, kind: str) -> list[int]:
    """Places of the columns of a text."""
    return [place for place, column in enumerate(kinds.layout.dense) if column.startswith(f"{kind}_")]


@pytest.mark.parametrize(("name", "buckets", "ngrams", "most"), [("query", 8, 1, 64), ("body", 64, 2, 3)])
def test_a_bag_counts_ids(kinds, reference, name, buckets, ngrams, most):
    at = columns(kinds, f"{name}_bag")
    assert len(at) == buckets
    for query_id, packed in kinds.all_lists.items():
        documents = [kinds.tables.queries[query_id]] * len(packed.documents)
        texts = [d[name] for d in documents] if name == "query" else kinds.tables.of_list(query_id, name)
        for text, got in zip(texts, packed.dense[:, at].tolist(), strict=True):
            words = reference.words(text)[:most]
            runs = [" ".join(words[i : i + n]) for n in range(1, ngrams + 1) for i in range(len(words) - n + 1)]
            expected = [0] * buckets
            for run in runs:
                expected[pinned(run, buckets) - 1] += 1
            assert got == expected


@pytest.fixture(scope="module")
def tfidf(kinds):
    """Function from texts to the columns of `summary`, by scikit-learn; words are single letters, too."""
    collection = [row["summary"] for row in kinds.tables.documents.values()]
    vectorizer = CountVectorizer(token_pattern=r"\w+").fit([*collection, "never seen"])
    frequency = (vectorizer.transform(collection) > 0).sum(axis=0).A1
    idf = np.log(1 + (len(collection) - frequency + 0.5) / (frequency + 0.5))
    to_ids = np.zeros((len(idf), 16))
    for word, at in vectorizer.vocabulary_.items():
        to_ids[at, pinned(word, 16) - 1] = 1
    assert (to_ids.sum(axis=0) > 1).any(), "two words share an id"

    def expected(texts: list[str]) -> np.ndarray:
        first = [" ".join(text.split()[:6]) for text in texts]
        return normalize(vectorizer.transform(first).multiply(idf) @ to_ids)

    return expected


def test_tfidf_is_that_of_scikit_learn_with_our_idf(kinds, tfidf):
    at = columns(kinds, "summary_tfidf")
    assert len(at) == 16
    empty = long = 0
    for query_id, packed in kinds.all_lists.items():
        texts = kinds.tables.of_list(query_id, "summary")
        np.testing.assert_allclose(packed.dense[:, at], tfidf(texts), rtol=1e-5, atol=1e-6)
        empty += sum(not text for text in texts)
        long += sum(len(text.split()) > 6 for text in texts)
    assert empty > 5
    assert long > 5


def test_tfidf_of_texts_that_the_collection_lacks(kinds, tfidf):
    """A word that no document has weighs most; the length is 1, or 0 without words."""
    texts = ["never seen", "never red red", "", "?!", "red"]
    got = np.array(kinds.apply({}, {"summary": texts})["dense"], np.float32)[:, columns(kinds, "summary_tfidf")]
    np.testing.assert_allclose(got, tfidf(texts), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(got, axis=1), [1, 1, 0, 0, 1], rtol=1e-6)


def test_the_statistics_of_a_text_without_match_are_in_the_dataset(kinds):
    assert {file.stem for file in (kinds.path / "collection").glob("*.tsv")} == {"title", "body", "summary"}
