"""An independent reading of the store and of packed examples, and a small dataset of corner cases."""

from __future__ import annotations

import csv
import json
import math
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
from apache_beam.options.pipeline_options import PipelineOptions
from tensorflow_serving.apis import input_pb2

from features import pipeline
from ranker.data.layout import Layout
from ranker.data.source import open_source
from ranker.data.split import SPLITS, splits_of
from ranker.spec import Spec


def words_of(text: str) -> list[str]:
    """Lower-cased runs of letters, marks and digits, by Python's own Unicode tables."""
    return "".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in text.lower()).split()


def bm25_of(query: str, documents: list[str], collection: list[str], k1: float, b: float) -> list[float]:
    """BM25 of each document as the formula reads: word by word."""
    held = [words_of(text) for text in collection]
    mean_length = sum(map(len, held)) / len(held)
    frequency = Counter(word for words in held for word in set(words))

    def score(document: str) -> float:
        counts = Counter(words := words_of(document))
        norm = k1 * (1 - b + b * len(words) / mean_length) if mean_length else 0
        return sum(
            math.log(1 + (len(held) - frequency[t] + 0.5) / (frequency[t] + 0.5))
            * counts[t]
            * (k1 + 1)
            / (counts[t] + norm)
            for t in words_of(query)
            if counts[t]
        )

    return [score(document) for document in documents]


def zscores(values: Iterable[float], train: Iterable[float]) -> np.ndarray:
    """(value - mean) / standard deviation of `train`, both without NaN; 0 for NaN."""
    values, train = np.array(list(values)), np.array(list(train))
    return np.nan_to_num((values - np.nanmean(train)) / np.nanstd(train), nan=0.0)


def by_frequency(values: Iterable[str]) -> list[str]:
    """Values by falling frequency; those as frequent by falling UTF-8 bytes, which is TensorFlow Transform's rule."""
    counts = Counter(value for value in values if value)
    return sorted(counts, key=lambda value: (counts[value], value.encode()), reverse=True)


@dataclass(frozen=True)
class PackedList:
    """A record of packed examples: `query` and each of `documents` map a feature to its values."""

    query: dict[str, list[Any]]
    documents: list[dict[str, list[Any]]]

    @property
    def dense(self) -> np.ndarray:
        """float32 `[list, F]`."""
        return np.array([document["dense"] for document in self.documents], np.float32)


def read_records(file: Path) -> list[PackedList]:
    """Packed records by the proto library alone."""

    def features(example: Any) -> dict[str, list[Any]]:
        found = example.features.feature
        return {name: list(getattr(value, value.WhichOneof("kind")).value) for name, value in found.items()}

    parsed = [
        input_pb2.ExampleListWithContext.FromString(r) for r in tf.data.TFRecordDataset(str(file)).as_numpy_iterator()
    ]
    return [PackedList(features(elwc.context), [features(e) for e in elwc.examples]) for elwc in parsed]


class Tables:
    """The three tables of a spec's source, as Python reads them."""

    def __init__(self, spec: Spec) -> None:
        source = spec.data.sources[0]
        self.queries = {row["query_id"]: row for row in _lines(spec.path(source.queries))}
        self.documents = {row["document_id"]: row for row in _lines(spec.path(source.documents))}
        self.lists: dict[str, list[tuple[str, float]]] = defaultdict(list)
        with spec.path(source.judgments).open() as file:
            for row in csv.DictReader(file):
                self.lists[row["query_id"]].append((row["document_id"], float(row["label"])))
        split = splits_of(list(self.lists), spec.data.split)
        self.split = dict(zip(self.lists, split.tolist(), strict=True))

    def of_split(self, split: str) -> list[str]:
        """Query ids of a split."""
        return [query_id for query_id in self.lists if self.split[query_id] == split]

    def judged(self, column: str, split: str | None = None) -> list[Any]:
        """A document column of every judged document of a split (None: of all), once per judgment."""
        wanted = self.lists if split is None else self.of_split(split)
        return [self.documents[d][column] for query_id in wanted for d, _ in self.lists[query_id]]

    def of_list(self, query_id: str, column: str) -> list[Any]:
        """A document column of one list."""
        return [self.documents[document][column] for document, _ in self.lists[query_id]]


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


class Prepared:
    """Tables with what `features` made of them."""

    def __init__(self, spec: Spec, path: Path, layout: Layout) -> None:
        self.spec, self.path, self.layout = spec, path, layout
        self.tables = Tables(spec)

    @cached_property
    def packed(self) -> dict[str, dict[str, PackedList]]:
        """Packed lists per split and query id."""
        records = {split: read_records(self.path / "examples" / f"{split}-00000-of-00001") for split in SPLITS}
        return {s: {r.query["query_id"][0].decode(): r for r in lists} for s, lists in records.items()}

    @cached_property
    def all_lists(self) -> dict[str, PackedList]:
        """Packed lists of all splits per query id."""
        return self.packed["train"] | self.packed["valid"] | self.packed["test"]

    @cached_property
    def graph(self) -> Any:
        """The transform graph as a function of raw tensors."""
        return tf.function(
            tft.TFTransformOutput(str(self.path / "transform")).transform_raw_features, reduce_retracing=True
        )

    def dense(self, query_id: str, name: str) -> np.ndarray:
        """float32 `[list]`, a dense feature of a packed list."""
        return self.all_lists[query_id].dense[:, self.layout.dense.index(name)]

    def apply(self, query: dict[str, Any], documents: dict[str, list[Any]]) -> dict[str, Any]:
        """The transform graph on one list; columns left out are missing."""
        size = len(next(iter(documents.values())))
        raw = {}
        for f in self.spec.features.query:
            raw[f.name] = tf.constant([query.get(f.name, _MISSING[f.kind])], _DTYPES[f.kind])
        for f in self.spec.features.document:
            values = documents.get(f.name, [_MISSING[f.kind]] * size)
            raw[f.name] = tf.RaggedTensor.from_row_lengths(tf.constant(values, _DTYPES[f.kind]), [size])
        return {name: values.to_list()[0] for name, values in self.graph(raw).items()}


_DTYPES = {"numeric": tf.float32, "text": tf.string, "categorical": tf.string}
_MISSING = {"numeric": math.nan, "text": "", "categorical": ""}


@pytest.fixture(scope="session")
def prepared(dataset, store_spec) -> Prepared:
    """The small store with its dataset."""
    return Prepared(store_spec, dataset.path, dataset.layout)


TITLES = ["red shoe", "Red red SHOE", "", "blue shoe, red sole", "...", "Schön naïve", "日本 語", "shoe"]
BRANDS = ["Zeta", "alpha", "beta", "éclair", "", "rare\nline"]


@pytest.fixture(scope="session")
def corner(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Thirty lists over the same 24 documents, made of corner cases."""
    path = tmp_path_factory.mktemp("corner")
    documents = [
        {
            "document_id": f"d{i}",
            "title": TITLES[i % len(TITLES)],
            "body": "shoe " * (i % 5),
            "wordless": "" if i % 2 else "!?",
            "brand": BRANDS[i % len(BRANDS)],
            "nobrand": "",
            "constant": 5.1,
            "lost": None,
            "plain": None if i == 3 else float(i),
            "signed": float(i * i * (-1) ** i),
            "narrow": 0.25 * (i % 2),
        }
        for i in range(24)
    ]
    queries = [
        {"query_id": f"q{i}", "query": ["red shoe", "shoe SHOE absent", ""][i % 3], "age": float(i)} for i in range(30)
    ]
    for name, rows in (("documents", documents), ("queries", queries)):
        (path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    judged = "".join(f"q{i},d{j},{(i + j) % 3}\n" for i in range(30) for j in range(24))
    (path / "judgments.csv").write_text("query_id,document_id,label\n" + judged)
    spec = Spec.model_validate(
        {
            "version": 1,
            "data": {
                "sources": [
                    {
                        "kind": "tables",
                        "queries": str(path / "queries.jsonl"),
                        "documents": str(path / "documents.jsonl"),
                        "judgments": str(path / "judgments.csv"),
                    }
                ]
            },
            "features": {
                "query": [{"name": "query", "kind": "text"}, {"name": "age", "kind": "numeric"}],
                "document": [
                    {"name": "title", "kind": "text"},
                    {"name": "body", "kind": "text", "buckets": 64},
                    {"name": "wordless", "kind": "text"},
                    {"name": "brand", "kind": "categorical", "vocabulary": {"top_k": 3, "oov": 2}},
                    {"name": "nobrand", "kind": "categorical"},
                    {"name": "constant", "kind": "numeric", "transform": ["log1p", "zscore"]},
                    {"name": "lost", "kind": "numeric"},
                    {"name": "plain", "kind": "numeric", "transform": []},
                    {"name": "signed", "kind": "numeric", "transform": ["log1p"]},
                    {"name": "narrow", "kind": "numeric"},
                ],
                "match": [
                    {"kind": "bm25", "query": "query", "document": "title", "b": 1.0},
                    {"kind": "bm25", "query": "query", "document": "body", "k1": 0.9, "b": 0.0},
                    {"kind": "bm25", "query": "query", "document": "wordless"},
                ],
            },
            "models": [{"name": "net", "kind": "self_attention"}],
            "blend": {"members": ["net"]},
        }
    )
    options = PipelineOptions([])
    source = open_source(spec, path / "temporary")
    statistics = pipeline.collection_statistics(source, path / "collection", options)
    layout = pipeline.analyze(source, statistics, path / "transform", path / "temporary", options)
    pipeline.transform(source, layout, path / "transform", path, options)
    return Prepared(spec, path, layout)


@pytest.fixture(scope="session")
def reference():
    """The independent computations, for tests that cannot import this file."""

    class Reference:
        words = staticmethod(words_of)
        bm25 = staticmethod(bm25_of)
        zscores = staticmethod(zscores)
        by_frequency = staticmethod(by_frequency)

    return Reference
