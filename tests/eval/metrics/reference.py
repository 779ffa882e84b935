"""Metrics as their papers write them, one list at a time in plain Python: what the vectorised ones are held against."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from eval.lists import Lists, Unlisted

__all__ = ["METRICS", "Labels", "as_lists", "orders", "summary"]

Labels = Sequence[float]
Reference = Callable[[Labels, Labels, int | None], float]


def _gain(label: float) -> float:
    return 2**label - 1


def dcg(order: Labels, known: Labels, k: int | None) -> float:
    """Labels of the list from the top, labels of all known documents of the query, cutoff: so everywhere below."""
    return sum(_gain(label) / math.log2(place + 1) for place, label in enumerate(order[:k], start=1))


def ndcg(order: Labels, known: Labels, k: int | None) -> float:
    return dcg(order, known, k) / dcg(sorted(known, reverse=True), known, k)


def precision(order: Labels, known: Labels, k: int | None) -> float:
    return sum(label > 0 for label in order[:k]) / k


def recall(order: Labels, known: Labels, k: int | None) -> float:
    return sum(label > 0 for label in order[:k]) / sum(label > 0 for label in known)


def average_precision(order: Labels, known: Labels, k: int | None) -> float:
    found = [
        precision(order, known, place) for place, label in enumerate(order, 1) if label > 0 and (not k or place <= k)
    ]
    return sum(found) / sum(label > 0 for label in known)


def reciprocal_rank(order: Labels, known: Labels, k: int | None) -> float:
    return next((1 / place for place, label in enumerate(order[:k], 1) if label > 0), 0.0)


def success(order: Labels, known: Labels, k: int | None) -> float:
    return float(any(label > 0 for label in order[:k]))


def expected_reciprocal_rank(order: Labels, known: Labels, k: int | None) -> float:
    """Labels from 0 to 3."""
    reached, found = 1.0, 0.0
    for place, label in enumerate(order[:k], 1):
        chance = _gain(label) / 2**3
        found += reached * chance / place
        reached *= 1 - chance
    return found


def rank_biased_precision(order: Labels, known: Labels, k: int | None) -> float:
    return (1 - 0.8) * sum((label > 0) * 0.8**place for place, label in enumerate(order[:k]))


def average_relevance_position(order: Labels, known: Labels, k: int | None) -> float:
    return sum(label * place for place, label in enumerate(order, 1)) / sum(order)


def pair_accuracy(order: Labels, known: Labels, k: int | None) -> float:
    pairs = [(high, low) for high, low in itertools.combinations(order, 2) if high != low]
    return sum(high > low for high, low in pairs) / len(pairs)


def auc(order: Labels, known: Labels, k: int | None) -> float:
    return pair_accuracy([float(label > 0) for label in order], known, k)


METRICS: dict[str, Reference] = {
    "ndcg": ndcg,
    "dcg": dcg,
    "p": precision,
    "recall": recall,
    "map": average_precision,
    "mrr": reciprocal_rank,
    "success": success,
    "err": expected_reciprocal_rank,
    "rbp": rank_biased_precision,
    "arp": average_relevance_position,
    "pair_accuracy": pair_accuracy,
    "auc": auc,
}
"""By name in our texts; a ZeroDivisionError says that the metric is not defined."""


def orders(documents: Sequence[tuple[float, float]]) -> Iterator[tuple[int, ...]]:
    """Every order of (label, score) pairs in which scores do not rise, as their numbers; the first keeps the order."""
    groups = [
        [number for number, (_, found) in enumerate(documents) if found == score]
        for score in sorted({score for _, score in documents}, reverse=True)
    ]
    for parts in itertools.product(*map(itertools.permutations, groups)):
        yield tuple(itertools.chain.from_iterable(parts))


def summary(values: Sequence[float], higher_is_better: bool) -> dict[str, float]:
    """What policies make of the values of all orders, the first of which is that of the list."""
    best, worst = (max, min) if higher_is_better else (min, max)
    average = math.fsum(values) / len(values)
    return {"average": average, "optimistic": best(values), "pessimistic": worst(values), "stable": values[0]}


def as_lists(
    lists: Sequence[Sequence[tuple[float, float]]], unlisted: Sequence[Labels] | None = None
) -> tuple[Lists, np.ndarray]:
    """Lists and scores of nested (label, score) pairs; labels of judged documents beside them, if there are such."""
    flat = np.array([pair for one in lists for pair in one], dtype=np.float64).reshape(-1, 2)
    offsets = np.cumsum([0, *map(len, lists)]).astype(np.int64)
    others = None
    if unlisted is not None:
        labels = np.array([label for one in unlisted for label in one], dtype=np.float64)
        others = Unlisted(np.cumsum([0, *map(len, unlisted)]).astype(np.int64), labels)
    ids = np.array([f"q{number}" for number in range(len(lists))])
    return Lists(ids, offsets, flat[:, 0].copy(), unlisted=others), flat[:, 1].copy()
