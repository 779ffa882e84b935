"""All items that could be shown, and which of them lists show."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from eval.lists import Lists
from eval.ragged import FloatArray, IntArray
from eval.ranking import Ranking

__all__ = ["Catalogue", "Shown", "shown"]


@dataclass(frozen=True, eq=False)
class Catalogue:
    """All items there are, listed or not.

    Args:
        item_ids: str [items], each once.
        popularity: float64 [items], how often each was chosen before (such as training interactions), finite and >= 0.
        others: further items, which no list holds and nobody has chosen before: they count, and need no name.
    """

    item_ids: NDArray[Any]
    popularity: FloatArray | None = None
    others: int = 0
    _items: WeakKeyDictionary[Lists, IntArray] = field(default_factory=WeakKeyDictionary, init=False, repr=False)

    def __post_init__(self) -> None:
        if not len(self.item_ids):
            raise ValueError("catalogue: expected at least one item, got none")
        if self.others < 0:
            raise ValueError(
                f"catalogue: expected at least the {len(self.item_ids)} items that lists hold, got {len(self)}"
            )
        ids = self._sorted
        if (again := np.flatnonzero(ids[1:] == ids[:-1])).size:
            raise ValueError(f"catalogue: expected each item once, got {str(ids[again[0]])!r} again")
        counts = self.popularity
        if counts is None:
            return
        if counts.shape != (len(ids),) or not np.all(np.isfinite(counts) & (counts >= 0)):
            raise ValueError(f"catalogue: expected {len(ids)} popularities, finite and >= 0, one per item")

    def __len__(self) -> int:
        return len(self.item_ids) + self.others

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.item_ids, self.popularity, self.others)

    @cached_property
    def _by_id(self) -> IntArray:
        return np.argsort(self.item_ids)

    @cached_property
    def _sorted(self) -> NDArray[Any]:
        return self.item_ids[self._by_id]

    def items_of(self, ids: NDArray[Any]) -> IntArray:
        """The numbers of items, str [n] to int64 [n].

        Raises:
            ValueError: an item is not in the catalogue.
        """
        places = np.minimum(np.searchsorted(self._sorted, ids), len(self.item_ids) - 1)
        unknown = self._sorted[places] != ids
        if unknown.any():
            first = str(ids[np.argmax(unknown)])
            raise ValueError(f"document {first!r} is not in the catalogue of {len(self)} items; it must hold them all")
        return self._by_id[places]

    def items_in(self, lists: Lists) -> IntArray:
        """The numbers of the documents of lists, int64 [documents]; looked up once for all metrics and models.

        Raises:
            ValueError: the lists have no document ids, or one that is not in the catalogue.
        """
        if lists.document_ids is None:
            raise ValueError("coverage, gini and novelty need document ids, and the lists have none; add them")
        if lists not in self._items:
            self._items[lists] = self.items_of(lists.document_ids)
        return self._items[lists]


@dataclass(frozen=True, eq=False)
class Shown:
    """Which items lists show.

    Args:
        lists: int64 [n], the list, or the unit of several lists; never falling.
        items: int64 [n], the item, by its number in the catalogue.
        chances: float64 [n], above 0 and at most 1: the probability that the list shows the item.
    """

    lists: IntArray
    items: IntArray
    chances: FloatArray

    def in_units(self, units: IntArray | None) -> "Shown":
        """What units show in one of their lists; the orders of tied documents of different lists are independent.

        Args:
            units: int64 [lists], the unit of each list, such as a user, by number from 0; None: each list is one.
        """
        if units is None:
            return self
        n_items = int(self.items.max(initial=0)) + 1
        keys, place = np.unique(units[self.lists] * n_items + self.items, return_inverse=True)
        certain = self.chances == 1
        sure = np.bincount(place[certain], minlength=len(keys)) > 0
        unseen = np.bincount(place[~certain], np.log1p(-self.chances[~certain]), len(keys))
        return Shown(*np.divmod(keys, n_items), np.where(sure, 1.0, -np.expm1(unseen)))

    def sums_in_units(self, units: IntArray | None) -> "Shown":
        """In how many of their lists units are expected to show items: `chances` are these, and may exceed 1."""
        if units is None:
            return self
        n_items = int(self.items.max(initial=0)) + 1
        keys, place = np.unique(units[self.lists] * n_items + self.items, return_inverse=True)
        return Shown(*np.divmod(keys, n_items), np.bincount(place, self.chances, len(keys)).astype(np.float64))


def shown(ranking: Ranking, catalogue: Catalogue, k: int | None) -> Shown:
    """What each list shows in its first k positions; tied documents stand in random order.

    Raises:
        ValueError: the lists have no document ids, or one that is not in the catalogue.
    """
    lists = ranking.lists
    items = catalogue.items_in(lists)
    chances = ranking.expected((lists.ragged.positions <= (k or np.inf)).astype(np.float64))
    slots = np.flatnonzero(chances)
    return Shown(lists.ragged.rows[slots], items[ranking.order[slots]], chances[slots])
