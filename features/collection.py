"""Statistics of a text over the whole collection: each distinct document once, judged or not."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import tensorflow as tf

from features.text import tokenize
from ranker.data.artefacts import write_json

__all__ = ["CollectionStatistics", "CountWords", "write_counts"]


@dataclass(frozen=True)
class CollectionStatistics:
    """What BM25 and idf have to know of a text feature.

    Attributes:
        feature: the document text.
        documents: how many there are (N).
        mean_length: their mean number of words.
        path: file with a line `word <tab> number of documents that hold it` for each word.
    """

    feature: str
    documents: int
    mean_length: float
    path: str

    @classmethod
    def load(cls, directory: Path, feature: str) -> CollectionStatistics:
        """Read what `write_counts` wrote."""
        totals = json.loads((directory / f"{feature}.json").read_text())
        mean_length = totals["words"] / max(totals["documents"], 1)
        return cls(feature, totals["documents"], mean_length, str(directory / f"{feature}.tsv"))


def write_counts(directory: Path, feature: str, counts: tuple[int, int, Counter[bytes]]) -> None:
    """Write the statistics of one feature into `directory`: the word file in byte order, and the totals."""
    documents, words, frequency = counts
    lines = (b"%s\t%d\n" % item for item in sorted(frequency.items()))
    (directory / f"{feature}.tsv").write_bytes(b"".join(lines))
    write_json(directory / f"{feature}.json", {"documents": documents, "words": words})


class CountWords(beam.CombineFn):
    """Combines batches of texts into (documents, words, {word: documents that hold it})."""

    def create_accumulator(self, *_: Any) -> tuple[int, int, Counter[bytes]]:
        """Nothing counted."""
        return 0, 0, Counter()

    def add_input(
        self, accumulator: tuple[int, int, Counter[bytes]], texts: pa.Array, *_: Any
    ) -> tuple[int, int, Counter[bytes]]:
        """Count one batch of texts."""
        tokens = tokenize(tf.constant(texts.to_pylist(), tf.string))
        words, which = np.unique(tokens.flat_values.numpy(), return_inverse=True)
        pairs = np.unique(np.stack([which, tokens.value_rowids().numpy()]), axis=1)
        frequency = Counter(
            dict(zip(words.tolist(), np.bincount(pairs[0], minlength=len(words)).tolist(), strict=True))
        )
        return self.merge_accumulators([accumulator, (len(texts), len(which), frequency)])

    def merge_accumulators(
        self, accumulators: Iterable[tuple[int, int, Counter[bytes]]], *_: Any
    ) -> tuple[int, int, Counter[bytes]]:
        """Add up; the first accumulator is changed in place."""
        documents, words, frequency = next(parts := iter(accumulators))
        for more_documents, more_words, more in parts:
            documents, words = documents + more_documents, words + more_words
            frequency.update(more)
        return documents, words, frequency

    def extract_output(self, accumulator: tuple[int, int, Counter[bytes]], *_: Any) -> Any:
        """The accumulator as it is."""
        return accumulator
