from collections.abc import Callable, Sequence

import numpy as np
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
