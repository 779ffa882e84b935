"""Features that know what only the past can tell, the label or the position: said loudly, because a model that has
learned from them is worthless online."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from eval.lists import Lists
from eval.metrics import NDCG
from ranker.data.layout import Layout
from ranker.models.scorers.lambdamart import tree_columns
from training.examples import Examples, read_examples
from training.lambdamart import tree_rows

__all__ = ["leaks"]

_MOST_NUMBERS = 1 << 24  # that are looked at
_FEWEST_LISTS = 20
_TOO_GOOD = 0.995  # NDCG; real features do not order nearly every list without a fault
_FEW_VALUES = 100  # a number with no more may stand for categories
_SAME = 1e-3  # share of a feature's variance that is left among documents of one position
_METRIC = NDCG(k=None, gain="linear")

_Floats = npt.NDArray[np.float64]


def leaks(files: list[Path], layout: Layout) -> list[str]:
    """A warning for each feature of the first training lists that seems to be made from the label or the position.

    From the label: a dense feature that orders the lists, either way, almost as the labels do; or an id, or a number of
    few values, that does so by the mean label which its values have in other lists. From the position: a dense feature
    that is the same wherever the position is.

    Args:
        files: packed training examples.
        layout: names of the features.
    """
    examples = read_examples(files, layout, most_numbers=_MOST_NUMBERS)
    position = examples.judged.get("position")
    lists = examples.lists
    varied = np.array([len(np.unique(labels)) > 1 for labels in np.split(lists.labels, lists.offsets[1:-1])])
    checked = _Labels(lists, varied) if varied.sum() >= _FEWEST_LISTS else None
    warnings = []
    for name, column in _columns(examples):
        if not np.ptp(column) > 0:
            continue
        number = name in layout.dense
        if number and position is not None and _same(column, position):
            warnings.append(_of_position(name))
        if checked is not None and (value := checked.best(column, number=number)) >= _TOO_GOOD:
            warnings.append(_of_label(name, value))
    return warnings


def _columns(examples: Examples) -> Iterator[tuple[str, _Floats]]:
    """Each dense feature and each id of documents, one number per document."""
    rows, columns = tree_rows(examples), tree_columns(examples.layout)
    of_queries = {feature.name for feature in examples.layout.single_ids if feature.scope == "query"}
    for place, name in enumerate(columns):
        if name not in of_queries:
            yield name, rows[:, place].astype(np.float64)


class _Labels:
    """How well numbers order lists by their labels."""

    def __init__(self, lists: Lists, varied: npt.NDArray[np.bool_]) -> None:
        self._lists, self._varied = lists, varied
        half = np.arange(len(lists)) % 2
        self._half = np.repeat(half, lists.sizes)

    def best(self, column: _Floats, *, number: bool) -> float:
        """The mean NDCG of the best way to order by a feature."""
        ways = [column, -column] if number else []
        distinct, codes = np.unique(column, return_inverse=True)
        if not number or len(distinct) <= _FEW_VALUES:
            ways.append(self._mean_labels(codes, len(distinct)))
        return max(self._ndcg(way) for way in ways)

    def _mean_labels(self, codes: npt.NDArray[np.int64], size: int) -> _Floats:
        """The mean label of the documents with the same code in the other half of the lists."""
        labels = self._lists.labels
        encoded = np.full(len(codes), labels.mean())
        for half in (0, 1):
            others = self._half != half
            count = np.bincount(codes[others], minlength=size)
            total = np.bincount(codes[others], weights=labels[others], minlength=size)
            mean = np.divide(total, count, out=np.full(size, labels.mean()), where=count > 0)
            encoded[~others] = mean[codes[~others]]
        return encoded

    def _ndcg(self, scores: _Floats) -> float:
        return float(np.mean(_METRIC.per_list(self._lists, scores)[self._varied]))


def _same(column: _Floats, position: npt.NDArray[np.int64]) -> bool:
    """Whether a feature takes one value for each position at which documents were shown."""
    shown = position > 0
    if not shown.any():
        return False
    values, (_, place, count) = column[shown], np.unique(position[shown], return_inverse=True, return_counts=True)
    mean = np.bincount(place, weights=values) / count
    left = np.mean((values - mean[place]) ** 2)
    return len(count) > 1 and count.mean() >= _FEWEST_LISTS and bool(left <= _SAME * values.var())


def _of_label(name: str, value: float) -> str:
    return (
        f"feature {name!r} alone orders the training lists with NDCG {value:.4f}: it seems to be made from the label, "
        f"and will not be there when a query comes in; leave it out unless you are sure"
    )


def _of_position(name: str) -> str:
    return (
        f"feature {name!r} is the same for all documents shown at one position: it seems to be the position, which is "
        f"not known before documents are ranked; leave it out"
    )
