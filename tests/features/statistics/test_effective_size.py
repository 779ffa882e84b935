"""The effective sample size, against the variance of means of groups that are drawn."""

from __future__ import annotations

import numpy as np
import pytest

from features.statistics.effective_size import effective_size


def groups(*sizes) -> np.ndarray:
    return np.repeat(np.arange(len(sizes), dtype=np.uint64), sizes)


def test_groups_of_one_size_count_as_one_row_each():
    assert effective_size(groups(1, 1, 1)) == 3
    assert effective_size(groups(7, 7)) == 2
    assert effective_size(groups(9)) == 1
    assert effective_size(groups()) == 0


def test_the_mean_of_groups_that_are_alike_varies_as_that_of_so_many_rows():
    drawn = np.random.default_rng(0)
    sizes = drawn.integers(1, 40, 60)
    of_row = drawn.permuted(groups(*sizes))
    means = drawn.normal(size=(20_000, 60)) @ sizes / sizes.sum()
    assert effective_size(of_row) == pytest.approx(1 / means.var(), rel=0.05)
