"""Word statistics against a plain count."""

import json
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from features.collection import CollectionStatistics, CountWords, write_counts

TEXTS = ["red shoe", "", "Red red shoe!", "shoe", "...", "日本 shoe", "naïve", "red"]
EXPECTED = (8, 10, Counter({b"red": 3, b"shoe": 4, "日本".encode(): 1, "naïve".encode(): 1}))


def combined(*batches: list[str]):
    combine = CountWords()
    parts = [combine.add_input(combine.create_accumulator(), pa.array(batch, pa.string())) for batch in batches]
    return combine.extract_output(combine.merge_accumulators(parts))


def test_counts():
    """documents, words (red shoe | red red shoe | shoe | 日本 shoe | naïve | red), documents per word."""
    assert combined(TEXTS) == EXPECTED


@pytest.mark.parametrize("sizes", [[8], [1] * 8, [3, 5], [2, 1, 4, 1], [7, 1], [1, 7], [4, 0, 4]])
def test_counts_do_not_depend_on_batches(sizes):
    ends = np.cumsum(sizes)
    assert combined(*(TEXTS[end - size : end] for size, end in zip(sizes, ends, strict=True))) == EXPECTED


def test_counts_added_to_one_accumulator():
    combine = CountWords()
    accumulator = combine.create_accumulator()
    for text in TEXTS:
        accumulator = combine.add_input(accumulator, pa.array([text]))
    assert accumulator == EXPECTED


def test_texts_without_a_word():
    assert combined(["", "!", ""]) == (3, 0, Counter())


def test_statistics_of_the_store(dataset, prepared, reference):
    for column in ("title", "description"):
        texts = [reference.words(row[column]) for row in prepared.tables.documents.values()]
        statistics = CollectionStatistics.load(dataset.path / "collection", column)
        assert statistics.documents == len(texts) == 2000
        assert statistics.mean_length == sum(map(len, texts)) / len(texts)
        lines = (dataset.path / "collection" / f"{column}.tsv").read_text().splitlines()
        expected = Counter(word for text in texts for word in set(text))
        assert {word: int(count) for word, count in (line.split("\t") for line in lines)} == expected
        assert lines == sorted(lines, key=lambda line: line.split("\t")[0].encode())


def test_statistics_are_read_as_written(tmp_path):
    write_counts(tmp_path, "title", EXPECTED)
    assert CollectionStatistics.load(tmp_path, "title") == CollectionStatistics(
        "title", documents=8, mean_length=10 / 8, path=str(tmp_path / "title.tsv")
    )
    assert json.loads((tmp_path / "title.json").read_text()) == {"documents": 8, "words": 10}


def test_statistics_of_no_documents(tmp_path):
    write_counts(tmp_path, "title", (0, 0, Counter()))
    assert CollectionStatistics.load(tmp_path, "title").mean_length == 0
