"""A spec with every kind of column, and lists to go with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from features.statistics.measured import Measured, measured_columns
from ranker.data.columns import MISSING_INT, schema_of
from ranker.spec import Spec

FEATURES = {
    "query": [
        {"name": "query", "kind": "text"},
        {"name": "country", "kind": "categorical"},
        {"name": "budget", "kind": "numeric"},
        {"name": "born", "kind": "date"},
    ],
    "document": [
        {"name": "title", "kind": "text"},
        {"name": "brand", "kind": "categorical"},
        {"name": "genres", "kind": "categorical", "multivalued": True},
        {"name": "price", "kind": "numeric"},
        {"name": "released", "kind": "date"},
        {"name": "image", "kind": "vector", "width": 3, "first": 1},
    ],
    "pair": [{"name": "clicks", "kind": "numeric"}],
}
BRANDS = ["Acme", "Zeta", "éclair", "Mono", "Rex"]
WORDS = ["red", "shoe", "oak", "table", "日本", "naïve", "3m"]
START = 1_700_000_000


@pytest.fixture(scope="session")
def every_kind() -> Spec:
    """A spec with every kind of column."""
    return Spec.model_validate(
        {
            "version": 1,
            "data": {
                "sources": [{"kind": "tables", "queries": "q", "documents": "d", "judgments": "j"}],
                "timestamp": "asked",
                "weight": "w",
                "position": "shown_at",
            },
            "features": FEATURES,
            "models": [{"name": "net", "kind": "self_attention"}],
            "blend": {"members": ["net"]},
        }
    )


@pytest.fixture(scope="session")
def measured(every_kind: Spec) -> list[Measured]:
    """Its columns."""
    return measured_columns(every_kind)


def make_rows(seed: int, lists: int, start: int = 0) -> list[dict[str, Any]]:
    """Random lists, one dict each; about a tenth of the values are missing."""
    draw = np.random.default_rng(seed)

    def maybe(value: Any, missing: Any) -> Any:
        return missing if draw.random() < 0.1 else value

    def some(words: list[str], most: int) -> list[str]:
        return draw.choice(words, int(draw.integers(most + 1)), replace=False).tolist()

    rows = []
    for at in range(start, start + lists):
        size = int(draw.integers(1, 9))
        time = START + int(draw.integers(10**7))
        rows.append(
            {
                "query_id": f"q{at}",
                "timestamp": time,
                "query": maybe(" ".join(some(WORDS, 4)), ""),
                "country": maybe(str(draw.choice(["de", "fr", "it"], p=[0.6, 0.3, 0.1])), ""),
                "budget": maybe(float(np.float32(draw.lognormal(3))), np.nan),
                "born": maybe(int(draw.integers(-(10**8), 10**9)), MISSING_INT),
                "document_id": [f"d{i}" for i in range(size)],
                "label": draw.choice([0.0, 1.0, 2.5], size, p=[0.7, 0.2, 0.1]).tolist(),
                "weight": draw.choice([1.0, 0.5], size).tolist(),
                "position": draw.integers(0, 4, size).tolist(),
                "title": [maybe(", ".join(some(WORDS, 5)) + "!", "") for _ in range(size)],
                "brand": [maybe(str(draw.choice(BRANDS)), "") for _ in range(size)],
                "genres": [some(["drama", "comedy", "war"], 3) for _ in range(size)],
                "price": [maybe(float(np.float32(draw.normal(10, 3))), np.nan) for _ in range(size)],
                "released": [maybe(time - int(draw.integers(10**8)), MISSING_INT) for _ in range(size)],
                "image": [
                    maybe([maybe(float(np.float32(draw.normal(k))), np.nan) for k in range(3)], [np.nan] * 3)
                    for _ in range(size)
                ],
                "clicks": draw.poisson(2, size).astype(float).tolist(),
            }
        )
    return rows


@pytest.fixture(scope="session")
def to_batch(every_kind: Spec) -> Callable[[list[dict[str, Any]]], pa.RecordBatch]:
    """`to_batch(rows)` is the batch of these lists."""
    return lambda rows: pa.RecordBatch.from_pylist(rows, schema=schema_of(every_kind))


@pytest.fixture(scope="session")
def rows() -> Callable[..., list[dict[str, Any]]]:
    """`rows(seed, lists)` are random lists, one dict each."""
    return make_rows


@pytest.fixture(scope="session")
def summarise(measured: list[Measured], to_batch: Callable[..., pa.RecordBatch]) -> Callable[..., Any]:
    """`summarise(rows, name)` are the statistics of lists."""
    from features.statistics.split import SplitStatistics

    def summary(rows: list[dict[str, Any]], name: str = "train") -> Any:
        statistics = SplitStatistics(measured)
        statistics.add(to_batch(rows))
        return statistics.summary(name)

    return summary
