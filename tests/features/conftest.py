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
from ranker.data.rejected_rows import RejectedRows
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
        files = {split: sorted((self.path / "examples").glob(f"{split}-*")) for split in SPLITS}
        records = {split: [r for file in files[split] for r in read_records(file)] for split in SPLITS}
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

    def column(self, query_id: str, name: str) -> np.ndarray:
        """float64 `[list]`, a raw number of the documents of a list, through float32 as tensors are; NaN is missing."""
        return np.array(self.tables.of_list(query_id, name), np.float32).astype(np.float64)

    def apply_to(self, query_id: str) -> dict[str, Any]:
        """The transform graph on one list of the tables, alone."""
        documents = {f.name: self.tables.of_list(query_id, f.name) for f in self.spec.features.document}
        return self.apply(self.tables.queries[query_id], documents)

    def apply(self, query: dict[str, Any], documents: dict[str, list[Any]]) -> dict[str, Any]:
        """The transform graph on one list; columns left out are missing."""
        size = len(next(iter(documents.values())))
        raw = {}
        for f in self.spec.features.query:
            given = query.get(f.name)
            raw[f.name] = tf.constant([_MISSING[f.kind] if given is None else given], _DTYPES[f.kind])
        for f in self.spec.features.document:
            values = [_MISSING[f.kind] if v is None else v for v in documents.get(f.name, [None] * size)]
            raw[f.name] = tf.RaggedTensor.from_row_lengths(tf.constant(values, _DTYPES[f.kind]), [size])
        return {name: values.to_list()[0] for name, values in self.graph(raw).items()}


def prepare_tables(
    path: Path,
    queries: list[dict[str, Any]],
    documents: list[dict[str, Any]],
    judged: list[tuple[str, str, int]],
    features: dict[str, Any],
) -> Prepared:
    """Write the tables of (query, document, label) into a folder and run the pipeline over them."""
    for name, rows in (("documents", documents), ("queries", queries)):
        (path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    judgments = "".join(f"{query},{document},{label}\n" for query, document, label in judged)
    (path / "judgments.csv").write_text("query_id,document_id,label\n" + judgments)
    files = {name: str(path / f"{name}.jsonl") for name in ("queries", "documents")}
    files["judgments"] = str(path / "judgments.csv")
    spec = Spec.model_validate(
        {
            "version": 1,
            "data": {"sources": [{"kind": "tables", **files}]},
            "features": features,
            "models": [{"name": "net", "kind": "self_attention"}],
            "blend": {"members": ["net"]},
        }
    )
    options = PipelineOptions([])
    (path / "temporary").mkdir()
    with RejectedRows(path / "rows.jsonl") as rejected:
        source = open_source(spec, path / "temporary", rejected, lambda _: None)
    statistics = pipeline.collection_statistics(source, path / "collection", options)
    layout = pipeline.analyze(source, statistics, path / "transform", path / "temporary" / "tft", options)
    pipeline.transform(source, layout, path / "transform", path, options)
    return Prepared(spec, path, layout)


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
    judged = [(f"q{i}", f"d{j}", (i + j) % 3) for i in range(30) for j in range(24)]
    features = {
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
    }
    return prepare_tables(path, queries, documents, judged, features)


PHRASES = ["red shoe", "blue suede shoe", "shoe, red SHOE shoe", "", "red suede", "a red shoe for the Red shoe", "oak"]
QUERIES = ["red shoe", "blue suede shoe", "shoe shoe red", "", "absent words", "oak", "the red shoe absent", "shoe"]


@pytest.fixture(scope="session")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Forty lists of 1 to 12 documents, and a feature of every kind with every option."""
    draw = np.random.default_rng(5)

    def maybe(value: Any, share: float = 0.2) -> Any:
        return None if draw.random() < share else value

    documents = [
        {
            "document_id": f"d{i}",
            "title": f"{PHRASES[i % 7]} {PHRASES[int(draw.integers(7))]}",
            "body": " ".join(draw.choice(["a", "b", "c", "red", "shoe"], int(draw.integers(6)))),
            "tags": " ".join(draw.choice(["x", "y", "z"], int(draw.integers(5)))),
            "brand": ["Zeta", "Zeta", "beta", "rare", "", "also rare", "beta", "eta"][i % 8],
            "maker": ["often", "often", "sometimes", "once" if i == 3 else "often"][i % 4],
            "shop": f"shop {i % 5}" if i % 6 else "",
            "colour": ["red", "blue", "", "green"][i % 4],
            "price": maybe(float(np.exp(draw.normal(3, 2)))),
            "stock": maybe(float(draw.integers(-3, 6))),
            "weight": maybe(float(draw.normal(10, 3))),
            "size": maybe(float(draw.normal(0, 100))),
            "length": maybe(float(draw.integers(1, 4))),
            "constant": maybe(5.1),
            "lost": None,
        }
        for i in range(60)
    ]
    queries = [
        {"query_id": f"q{i}", "query": QUERIES[i % 8], "season": ["warm", "cold", ""][i % 3], "age": maybe(float(i))}
        for i in range(40)
    ]
    chosen = [draw.choice(60, 1 + i % 12, replace=False).tolist() for i in range(40)]
    judged = [(f"q{i}", f"d{j}", (i + j) % 3) for i in range(40) for j in chosen[i]]
    matches = ("bm25", "tfidf_cosine", "coverage", "idf_overlap", "exact_phrase", "bigram_overlap", "length_ratio")
    features = {
        "query": [
            {"name": "query", "kind": "text", "encode": "bag", "buckets": 8},
            {"name": "season", "kind": "categorical", "encode": "one_hot", "vocabulary": {"top_k": 3}},
            {"name": "age", "kind": "numeric", "buckets": 2, "missing_indicator": True},
        ],
        "document": [
            {"name": "title", "kind": "text", "ngrams": 2, "max_words": 4},
            {"name": "body", "kind": "text", "encode": "bag", "buckets": 64, "ngrams": 2, "max_words": 3},
            {"name": "tags", "kind": "text", "ngrams": 3},
            {"name": "brand", "kind": "categorical", "encode": "one_hot", "vocabulary": {"top_k": 3, "oov": 2}},
            {"name": "maker", "kind": "categorical", "vocabulary": {"min_count": 20, "oov": 2}},
            {"name": "shop", "kind": "categorical", "hash": 16},
            {"name": "colour", "kind": "categorical", "hash": 4, "encode": "one_hot"},
            {
                "name": "price",
                "kind": "numeric",
                "transform": ["clip", "log1p", "zscore"],
                "clip": [1, 200],
                "buckets": 4,
                "missing_indicator": True,
            },
            {"name": "stock", "kind": "numeric", "transform": ["minmax"], "missing": "zero"},
            {"name": "weight", "kind": "numeric", "transform": ["zscore", "clip"], "clip": [-1, 1], "missing": 12.5},
            {
                "name": "size",
                "kind": "numeric",
                "transform": ["log1p", "clip", "minmax"],
                "clip": [-2, 3],
                "buckets": 4,
            },
            {"name": "length", "kind": "numeric", "transform": [], "missing": 0, "buckets": 3},
            {"name": "constant", "kind": "numeric", "transform": ["minmax"], "buckets": 3},
            {"name": "lost", "kind": "numeric", "transform": ["minmax"], "buckets": 3, "missing_indicator": True},
        ],
        "match": [
            *({"kind": kind, "query": "query", "document": "title"} for kind in matches),
            *({"kind": kind, "query": "query", "document": "body"} for kind in matches[1:3]),
        ],
        "listwise": [
            {"kind": f"{kind}_in_list", "of": of}
            for of in ("price", "length", "constant", "lost", "bm25_query_title", "coverage_query_title")
            for kind in ("rank", "percentile", "zscore")
        ],
    }
    return prepare_tables(tmp_path_factory.mktemp("kinds"), queries, documents, judged, features)


@pytest.fixture(scope="session")
def reference():
    """The independent computations, for tests that cannot import this file."""

    class Reference:
        words = staticmethod(words_of)
        bm25 = staticmethod(bm25_of)
        zscores = staticmethod(zscores)
        by_frequency = staticmethod(by_frequency)

    return Reference
