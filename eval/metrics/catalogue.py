"""All items that could be shown, and which of them lists show."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.ragged import FloatArray, IntArray
from eval.ranking import Ranking

__all__ = ["Catalogue", "Shown", "shown"]


@dataclass(frozen=True, eq=False)
class Catalogue:
    """All items there are, listed or not.

    Args:
        item_ids: str [items], each once.
        popularity: float64 [items], how often each was chosen before (such as training interactions), finite and >= 0.
    """

    item_ids: NDArray[Any]
    popularity: FloatArray | None = None

    def __post_init__(self) -> None:
        if not len(self.item_ids):
            raise ValueError("catalogue: expected at least one item, got none")
        ids = self._sorted
        if (again := np.flatnonzero(ids[1:] == ids[:-1])).size:
            raise ValueError(f"catalogue: expected each item once, got {str(ids[again[0]])!r} again")
        counts = self.popularity
        if counts is None:
            return
        if counts.shape != (len(ids),) or not np.all(np.isfinite(counts) & (counts >= 0)):
            raise ValueError(f"catalogue: expected {len(ids)} popularities, finite and >= 0, one per item")

    def __len__(self) -> int:
        return len(self.item_ids)

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
        places = np.minimum(np.searchsorted(self._sorted, ids), len(self) - 1)
        unknown = self._sorted[places] != ids
        if unknown.any():
            first = str(ids[np.argmax(unknown)])
            raise ValueError(f"document {first!r} is not in the catalogue of {len(self)} items; it must hold them all")
        return self._by_id[places]


@dataclass(frozen=True, eq=False)
class Shown:
    """Which items lists show.

    Args:
        lists: int64 [n], the list.
        items: int64 [n], the item, by its number in the catalogue.
        chances: float64 [n], above 0 and at most 1: the probability that the list shows the item.
    """

    lists: IntArray
    items: IntArray
    chances: FloatArray


def shown(ranking: Ranking, catalogue: Catalogue, k: int | None) -> Shown:
    """What each list shows in its first k positions; tied documents stand in random order.

    Raises:
        ValueError: the lists have no document ids, or one that is not in the catalogue.
    """
    lists = ranking.lists
    if lists.document_ids is None:
        raise ValueError("coverage, gini and novelty need document ids, and the lists have none; add them")
    chances = ranking.expected((lists.ragged.positions <= (k or np.inf)).astype(np.float64))
    slots = np.flatnonzero(chances)
    items = catalogue.items_of(lists.document_ids[ranking.order[slots]])
    return Shown(lists.ragged.rows[slots], items, chances[slots])
