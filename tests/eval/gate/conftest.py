from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from eval.evaluate import Request, evaluate
from eval.evaluation import Evaluation
from eval.slice_values import Cut
from eval.slices import Slicing


@pytest.fixture
def measured() -> Callable[..., Evaluation]:
    """`measured(base, model, groups)`: models whose p@1 of each list, of two documents, is 1 or 0 as given.

    ARP is 1 where p@1 is, else 2. A model of the name `online` is measured if it is given. Of columns in `broken` the
    rows with these numbers are no numbers; the relevant document of a list has an even number.
    """

    def make(base, model, groups=None, online=None, empty=0, judged=None, broken=None, **options) -> Evaluation:
        lists = len(base)
        columns = {"base": base, "model": model} | ({} if online is None else {"online": online})
        rows = {
            "query_id": np.repeat([f"q{number}" for number in range(lists)], 2),
            "document_id": np.tile(["good", "bad"], lists),
            "label": np.tile([1, 0], lists) * (np.arange(2 * lists) >= 2 * empty),
            **{
                name: np.stack([values, [0.5] * lists], axis=1).ravel().astype(float)
                for name, values in columns.items()
            },
            "group": np.repeat(groups if groups is not None else ["all"] * lists, 2),
        }
        if judged is not None:
            rows["judged"] = judged
        for column, numbers in (broken or {}).items():
            rows[column] = rows[column].astype(float)
            rows[column][numbers] = np.nan
        slicings = (Slicing("group", (Cut("group"),)),)
        also = tuple(("model", other) for other in columns if other not in ("base", "model"))
        request = Request(tuple(columns), ("p@1", "arp"), "base", also, slicings, **options)
        return evaluate(pa.table(rows), request)

    return make


@pytest.fixture
def outcomes() -> Callable[..., np.ndarray]:
    """`outcomes(lists, share, seed)`: 1 for this share of lists, spread at random, else 0."""

    def make(lists: int, share: float, seed: int = 0) -> np.ndarray:
        values = (np.arange(lists) < share * lists).astype(int)
        return np.random.default_rng(seed).permutation(values)

    return make
