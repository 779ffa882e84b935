"""How much a trained model's metric falls when a feature says nothing any more: permutation importance."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from eval.intervals import t_intervals
from eval.metrics import Metric
from eval.sums import Sums
from training.examples import Examples

__all__ = ["Importance", "permutation_importance"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Importance:
    """Of a feature.

    Attributes:
        feature: a dense column or an id feature.
        fall: mean over lists of the metric as it is, minus that with the feature's values permuted; of a metric that is
            better when lower, the rise.
        low: of its t interval over lists.
        high: of its t interval over lists.
    """

    feature: str
    fall: float
    low: float
    high: float


def permutation_importance(
    score: Callable[[Examples], Floats],
    examples: Examples,
    metric: Metric,
    *,
    seed: int,
    repeats: int = 5,
    confidence: float = 0.95,
    report: Callable[[int, int, str], None] = lambda *_: None,
) -> list[Importance]:
    """Permute each feature among all documents and measure again (Breiman, Machine Learning 2001).

    A feature that is the same for all documents of each list is permuted among lists. Two features that say the same
    stand in for one another, and both look unimportant.

    Args:
        score: scores of the documents, float64.
        examples: held-out lists.
        metric: what is measured.
        seed: of the permutations.
        repeats: permutations of each feature; the figures are means over them.
        confidence: of the intervals.
        report: told (features done, of, the last one).

    Returns:
        all features, the most important first; ties by name.
    """
    lists = examples.lists
    whole = metric.per_list(lists, score(examples))
    sign = 1.0 if metric.higher_is_better else -1.0
    names = [*examples.layout.dense, *(feature.name for feature in examples.layout.ids)]
    falls = np.empty((len(examples), len(names)))
    for at, name in enumerate(names):
        random = np.random.Generator(np.random.Philox(key=[seed, at]))
        changed = [metric.per_list(lists, score(one)) for one in _permuted(examples, name, random, repeats)]
        falls[:, at] = sign * (whole - np.mean(changed, axis=0))
        report(at + 1, len(names), name)
    sums = Sums.of(falls, np.arange(len(examples)).astype(str), draws=1)
    intervals = t_intervals(sums, confidence)
    found = [Importance(name, one.mean, one.low, one.high) for name, one in zip(names, intervals, strict=True)]
    return sorted(found, key=lambda one: (-one.fall, one.feature))


def _permuted(examples: Examples, name: str, random: np.random.Generator, repeats: int) -> Iterator[Examples]:
    """The same lists with the values of one feature exchanged."""
    if name in examples.layout.dense:
        place = examples.layout.dense.index(name)
        column = examples.dense[:, place].copy()
        firsts = column[np.minimum(examples.offsets[:-1], len(column) - 1)]
        of_lists = bool((np.repeat(firsts, examples.sizes) == column).all())
        dense = np.array(examples.dense)
        for _ in range(repeats):
            if of_lists:
                dense[:, place] = np.repeat(firsts[random.permutation(len(firsts))], examples.sizes)
            else:
                dense[:, place] = column[random.permutation(len(column))]
            yield replace(examples, dense=dense)
        return
    for _ in range(repeats):
        ids = examples.ids[name]
        yield replace(examples, ids={**examples.ids, name: ids.take(random.permutation(len(ids.offsets) - 1))})
