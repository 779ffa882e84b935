"""Gini index of exposure: how unequally a run shows the items of the catalogue."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from eval.metrics.catalogue import Catalogue, shown
from eval.metrics.run_metric import RunMetric, at_first_lists, count_units
from eval.ragged import FloatArray, IntArray, Ragged
from eval.ranking import Ranking

__all__ = ["Exposure", "Gini"]


@dataclass(frozen=True, eq=False)
class Exposure:
    """How often a run shows each item.

    Args:
        n_units: how many units: lists, or what lists are grouped to.
        times: float64 [items], lists expected to show the item.
    """

    n_units: int
    times: FloatArray

    def __add__(self, other: "Exposure") -> "Exposure":
        return Exposure(self.n_units + other.n_units, self.times + other.times)


@dataclass(frozen=True)
class Gini(RunMetric[Exposure]):
    """gini@k: half the mean difference of exposure between two items of the catalogue, over the mean exposure.

    G = sum over items of (2 rank - n - 1) exposure / (n x sum of exposure), items ranked by rising exposure (Gini
    1912). 0: all items are shown equally often; 1 - 1/n: one item has all. Lower is better. Items that are never shown
    count. Under ties exposure is what is expected over all orders, and G is that of expected exposure, which is not the
    mean of G.
    """

    name: ClassVar[str] = "gini"
    higher_is_better: ClassVar[bool] = False

    def part(self, ranking: Ranking, catalogue: Catalogue, units: IntArray | None = None) -> Exposure:
        """Sums over some of the lists of a run."""
        seen = shown(ranking.by(self.ties), catalogue, self.k)
        times = np.bincount(seen.items, seen.chances, len(catalogue)).astype(np.float64)
        return Exposure(count_units(ranking, units), times)

    def value(self, whole: Exposure) -> float:
        """The index, from 0 to 1 - 1/n."""
        everything = Ragged(np.array([0, len(whole.times)]))
        return float(_index(_differences(everything, whole.times), whole.times.sum(), len(whole.times))[0])

    def pseudo_values(
        self, ranking: Ranking, catalogue: Catalogue, whole: Exposure, units: IntArray | None = None
    ) -> FloatArray:
        """Jackknife pseudo-values of some of the lists, float64 [lists]."""
        seen = shown(ranking.by(self.ties), catalogue, self.k).sums_in_units(units)
        lists = Ragged.of_sizes(np.bincount(seen.lists, minlength=count_units(ranking, units)))
        without = _differences_without(lists, whole.times, seen.items, seen.chances)
        totals = whole.times.sum() - lists.sums(seen.chances)
        figures = _index(without, totals, len(catalogue))
        return at_first_lists(whole.n_units * self.value(whole) - (whole.n_units - 1) * figures, units)


def _index(differences: FloatArray, totals: FloatArray, n_items: int) -> FloatArray:
    """The index from the sum of differences over pairs of items and the sum of exposure; NaN without exposure."""
    found = np.full(len(differences), np.nan)
    return np.divide(differences, n_items * totals, out=found, where=totals > 0)


def _differences(ragged: Ragged, values: FloatArray) -> FloatArray:
    """Sum of |x - y| over the pairs of values of each row, float64 [items] to float64 [rows]."""
    weights = np.repeat(ragged.sizes + 1, ragged.sizes) - 2 * ragged.positions
    return ragged.sums(weights * ragged.falling(values))


def _differences_without(lists: Ragged, times: FloatArray, items: IntArray, chances: FloatArray) -> FloatArray:
    """Sum of |x - y| over all pairs of items when one list is left out, for each list.

    Without a list the exposures x of its items become y. With F(v) = sum over all items of |v - exposure| and D(..) the
    sum over pairs of some values, D becomes D - sum F(x) + sum F(y) + 2 D(x) + 2 D(y) - D(x and y together).

    Args:
        lists: which items each list shows.
        times: float64 [items], exposure in all lists.
        items: int64 [n], the items that lists show.
        chances: float64 [n], with what probability; of units, in how many lists.

    Returns:
        float64 [lists].
    """
    rising = np.sort(times)
    below = np.concatenate([[0.0], np.cumsum(rising)])

    def to_all(values: FloatArray) -> FloatArray:
        fewer = np.searchsorted(rising, values)
        return values * (2 * fewer - len(rising)) + below[-1] - 2 * below[fewer]

    before = times[items]
    after = np.maximum(before - chances, 0.0)  # rounding: a last bit below 0
    both = Ragged(2 * lists.offsets)
    together = np.empty(2 * len(items))
    places = np.arange(len(items)) + np.repeat(lists.offsets[:-1], lists.sizes)
    together[places] = before
    together[places + np.repeat(lists.sizes, lists.sizes)] = after
    everything = _differences(Ragged(np.array([0, len(times)])), times)
    moved = lists.sums(to_all(after) - to_all(before))
    inside = 2 * _differences(lists, before) + 2 * _differences(lists, after) - _differences(both, together)
    return everything + moved + inside
