from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pytest

from eval.lists import Lists

MakeLists = Callable[..., Lists]


@pytest.fixture(scope="session")
def make_lists() -> MakeLists:
    """`make_lists([labels of list 0], [labels of list 1], ...)`, with query ids q0, q1, ..."""

    def make(*labels: Sequence[float]) -> Lists:
        offsets = np.cumsum([0, *map(len, labels)]).astype(np.int64)
        ids = np.array([f"q{number}" for number in range(len(labels))], dtype=object)
        return Lists(ids, offsets, np.concatenate([np.zeros(0), *map(np.asarray, labels)]).astype(np.float64))

    return make


@pytest.fixture(scope="session")
def make_scores() -> Callable[..., pa.Table]:
    """`make_scores(queries=120, seed=0)`: a score table of models a (base), b (with more noise) and c (tied scores).

    Of queries: `category` (some missing) and `user`; of documents: `price` (some missing), `brand`, `tags` (lists).
    """

    def make(queries: int = 120, seed: int = 0) -> pa.Table:
        random = np.random.default_rng(seed)
        sizes = random.integers(3, 15, queries)
        query, rows = np.repeat(np.arange(queries), sizes), int(sizes.sum())
        labels = random.integers(0, 4, rows) * (random.random(rows) < 0.4)
        a = labels + random.normal(size=rows) * 2
        b = a + random.normal(size=rows)
        names = np.array(["garden", "kitchen", "toys", None], dtype=object)
        price = np.round(random.lognormal(3, 1, rows), 2)
        price[random.random(rows) < 0.1] = np.nan
        tags = [[f"t{tag}" for tag in random.integers(0, 4, count)] for count in random.integers(0, 3, rows)]
        return pa.table(
            {
                "query_id": pa.array([f"q{number}" for number in query]),
                "document_id": pa.array([f"d{number}" for number in range(rows)]),
                "label": labels,
                "a": a,
                "b": b,
                "c": np.round(a),
                "category": pa.array(names[random.integers(0, 4, queries)][query], pa.string()),
                "user": pa.array([f"u{number}" for number in (random.integers(0, queries // 4, queries))[query]]),
                "price": price,
                "brand": pa.array([f"b{number}" for number in random.zipf(1.8, rows) % 40]),
                "tags": pa.array(tags, pa.list_(pa.string())),
            }
        )

    return make
