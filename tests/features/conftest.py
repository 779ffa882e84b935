"""An independent reading of the store and of packed examples, and a small dataset of corner cases."""

from __future__ import annotations

import csv
import json
import math
import runpy
import shutil
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
import yaml
from apache_beam.options.pipeline_options import PipelineOptions
from tensorflow_serving.apis import input_pb2

from features import pipeline
from features.computed import with_computed_widths
from ranker.data.columns import Column, raw_columns
from ranker.data.layout import Layout
from ranker.data.rejected_rows import RejectedRows
from ranker.data.source import open_source
from ranker.data.split import SPLITS, splits_of
from ranker.data.tally import Tally
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
        self.pairs: dict[tuple[str, str], dict[str, Any]] = {}
        for row in _lines(spec.path(source.judgments)):
            self.lists[row["query_id"]].append((row["document_id"], float(row["label"])))
            self.pairs[row["query_id"], row["document_id"]] = row
        split = splits_of(list(self.lists), spec.data.split)
        self.split = dict(zip(self.lists, split.tolist(), strict=True))

    def of_split(self, split: str) -> list[str]:
        """Query ids of a split."""
        return [query_id for query_id in self.lists if self.split[query_id] == split]

    def judged(self, column: str, split: str | None = None) -> list[Any]:
        """A document or pair column of every judged document of a split (None: of all), once per judgment."""
        wanted = self.lists if split is None else self.of_split(split)
        return [value for query_id in wanted for value in self.of_list(query_id, column)]

    def of_list(self, query_id: str, column: str) -> list[Any]:
        """A document or pair column of one list."""
        found = [(self.documents[document], self.pairs[query_id, document]) for document, _ in self.lists[query_id]]
        return [of_document[column] if column in of_document else of_pair[column] for of_document, of_pair in found]


def _lines(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".csv":
        with path.open() as file:
            return list(csv.DictReader(file))
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
        return self.apply(*self.values_of(query_id))

    def values_of(self, query_id: str) -> tuple[dict[str, Any], dict[str, list[Any]]]:
        """Values of a query, with its `timestamp`, and of its documents, as the tables have them."""
        query = self.tables.queries[query_id]
        if self.spec.data.timestamp is not None:
            query = query | {"timestamp": query[self.spec.data.timestamp]}
        return query, {f.name: self.tables.of_list(query_id, f.name) for f in self.spec.features.of_documents}

    def apply(self, query: dict[str, Any], documents: dict[str, list[Any]]) -> dict[str, Any]:
        """The transform graph on one list; columns left out are missing."""
        return {name: values.to_list()[0] for name, values in self.graph(self.tensors(query, documents)).items()}

    def tensors(self, query: dict[str, Any], documents: dict[str, list[Any]]) -> dict[str, Any]:
        """The inputs of the transform graph for one list."""
        size = len(next(iter(documents.values())))
        raw = {}
        for column in raw_columns(self.spec):
            if column.scope == "query":
                raw[column.name] = _tensor([query.get(column.name)], column)
            else:
                values = _tensor(documents.get(column.name, [None] * size), column)
                raw[column.name] = tf.RaggedTensor.from_row_lengths(values, [size])
        return raw


def seconds_of(date: str | int | None) -> int | None:
    """Seconds since 1970 of ISO 8601 texts in UTC, or as they are."""
    if not isinstance(date, str):
        return date
    return int(datetime.fromisoformat(date).replace(tzinfo=UTC).timestamp())


def _tensor(values: list[Any], column: Column) -> Any:
    """Of one value each, None if it is missing."""
    if column.multivalued:
        return tf.ragged.constant([value or [] for value in values], tf.string, 1, row_splits_dtype=tf.int64)
    if column.dtype == "int64":
        values = [seconds_of(value) for value in values]
    missing: Any = {"float32": math.nan, "int64": np.iinfo(np.int64).min, "string": ""}[column.dtype]
    if column.width is not None:
        missing = [missing] * column.width
        values = [None if v is None else [math.nan if x is None else x for x in v] for v in values]
    return tf.constant([missing if value is None else value for value in values], column.dtype)


def prepare_tables(
    path: Path,
    queries: list[dict[str, Any]],
    documents: list[dict[str, Any]],
    judgments: list[dict[str, Any]],
    features: dict[str, Any],
    **data: str,
) -> Prepared:
    """Write the tables into a folder and run the pipeline over them; `data` are more keys of this section."""
    tables = {"documents": documents, "queries": queries, "judgments": judgments}
    for name, rows in tables.items():
        (path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    files = {name: str(path / f"{name}.jsonl") for name in tables}
    spec = Spec.model_validate(
        {
            "version": 1,
            "data": {"sources": [{"kind": "tables", **files}], **data},
            "features": features,
            "models": [{"name": "net", "kind": "self_attention"}],
            "blend": {"members": ["net"]},
        }
    )
    spec._base = path
    spec = with_computed_widths(spec)
    options = PipelineOptions([])
    (path / "temporary").mkdir()
    with RejectedRows(path / "rows.jsonl") as rejected:
        source = open_source(spec, path / "temporary", rejected, lambda _: None)
    statistics = pipeline.collection_statistics(source, path / "collection", options)
    read, written = Tally(path / "temporary" / "read"), Tally(path / "temporary" / "written")
    layout = pipeline.analyze(source, statistics, path / "transform", path / "temporary" / "tft", options, read)
    pipeline.transform(source, layout, path / "transform", path, options, written)
    return Prepared(spec, path, layout)


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
    judged = [{"query_id": f"q{i}", "document_id": f"d{j}", "label": (i + j) % 3} for i in range(30) for j in range(24)]
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
GENRES = ["drama", "drama", "comedy", "war", "film noir", "rare"]
COMPARED = ("price", "length", "constant", "lost", "released", "undated", "clicks", "clicked")
QUERIES = ["red shoe", "blue suede shoe", "shoe shoe red", "", "absent words", "oak", "the red shoe absent", "shoe"]


@pytest.fixture(scope="session")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Forty lists of 1 to 12 documents, and a feature of every kind with every option."""
    draw = np.random.default_rng(5)

    def maybe(value: Any, share: float = 0.2) -> Any:
        return None if draw.random() < share else value

    def some(values: list[str], most: int) -> list[str]:
        return draw.choice(values, int(draw.integers(most + 1))).tolist()

    def vector(width: int) -> Any:
        return maybe([maybe(float(number), 0.1) for number in draw.normal(2, 5, width)])

    def day(first: int = 0, last: int = 2000) -> int:
        return int(draw.integers(first * 86_400, last * 86_400))

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
            "mass": maybe(float(draw.normal(10, 3))),
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
    for i, row in enumerate(documents):
        row |= {
            "released": maybe(datetime.fromtimestamp(day(), UTC).isoformat().removesuffix("+00:00")),
            "restocked": maybe(day(1900, 2100)),
            "undated": None,
            "genres": some(GENRES, 5) + ["film noir"] * (5 * (i % 5 == 0)),
            "awards": some(["gold", "silver", "bronze"], 2),
            "moods": some(["dark", "light", "dry", "sweet"], 4) if i % 3 else None,
            "nothing": [],
            "summary": " ".join(some(["red", "shoe", "blue", "suede", "an", "é", "oak"], 9)),
            "picture": vector(4),
            "sound": vector(2),
            "blurb": "é" * int(draw.integers(4)),
            "stars": maybe(float(draw.integers(3))),
        }
    for row in queries:
        row |= {
            "asked": maybe(day(2000, 2100), 0.1),
            "born": maybe(day()),
            "likes": some(GENRES, 3),
            "taste": vector(3),
        }
    judged = [
        {
            "query_id": f"q{i}",
            "document_id": f"d{j}",
            "label": (i + j) % 3,
            "importance": maybe(float(1 + j % 2)),
            "shown": maybe(1 + at),
            "clicks": maybe(float(draw.poisson(3))),
            "clicked": maybe(day(1990, 2000)),
            "via": ["search", "home", None, "mail"][(i + j) % 4],
            "reasons": some(["price", "brand", "new"], 2),
            "factors": vector(2),
        }
        for i in range(40)
        for at, j in enumerate(chosen[i])
    ]
    features = yaml.safe_load((Path(__file__).parent / "kinds.yaml").read_text())
    features["listwise"] = [
        {"kind": f"{kind}_in_list", "of": of}
        for of in (*COMPARED, "margin", "bm25_query_title", "coverage_query_title")
        for kind in ("rank", "percentile", "zscore")
    ]
    named = {"timestamp": "asked", "weight": "importance", "position": "shown"}
    path = tmp_path_factory.mktemp("kinds")
    brought = bring(path)
    prepared = prepare_tables(path, queries, documents, judged, features, **named)
    for file in brought:
        shutil.rmtree(file) if file.is_dir() else file.unlink()
    return prepared


def bring(path: Path) -> list[Path]:
    """Put a user's SavedModel and modules into the folder of a spec."""
    brought = Path(__file__).parent / "brought"
    runpy.run_path(str(brought / "encoder.py"))["write_encoder"](path / "encoder")
    return [path / "encoder", *(Path(shutil.copy(brought / f"{name}.py", path)) for name in ("pricing", "rates"))]


@pytest.fixture(scope="session")
def reference():
    """The independent computations, for tests that cannot import this file."""

    class Reference:
        words = staticmethod(words_of)
        bm25 = staticmethod(bm25_of)
        zscores = staticmethod(zscores)
        by_frequency = staticmethod(by_frequency)
        seconds = staticmethod(seconds_of)

    return Reference
