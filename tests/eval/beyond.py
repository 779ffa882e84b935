"""Scores of a small shop for tests: items that come up in several lists, with what they are."""

import numpy as np
import pyarrow as pa

ITEMS = 60
BRANDS = np.array(["acme", "globex", "hooli", None])
TOPICS = [["a"], ["a", "b"], ["b", "c"], [], ["d"]]


def shop_scores(n_lists=40, seed=0):
    """Lists of 3 to 12 of 60 items; `even` scores at random, `popular` by popularity in levels, with ties."""
    random = np.random.default_rng(seed)
    sizes = random.integers(3, 13, n_lists)
    items = np.concatenate([random.choice(ITEMS, size, replace=False) for size in sizes])
    popularity, n = np.arange(ITEMS) ** 2 // 9, len(items)
    vectors = random.normal(size=(ITEMS, 3)).astype(np.float32)
    return pa.table(
        {
            "query_id": np.repeat([f"q{number}" for number in range(n_lists)], sizes),
            "document_id": [f"i{item:02}" for item in items],
            "label": random.integers(0, 3, n),
            "even": random.normal(size=n),
            "popular": (popularity[items] // 40).astype(np.float64),
            "brand": pa.array(BRANDS[items % 4], pa.string()),
            "topics": pa.array([TOPICS[item % 5] for item in items], pa.list_(pa.string())),
            "place": pa.FixedSizeListArray.from_arrays(pa.array(vectors[items].ravel()), 3),
            "popularity": popularity[items],
            "user": np.repeat([f"u{number // 3}" for number in range(n_lists)], sizes),
        }
    )
