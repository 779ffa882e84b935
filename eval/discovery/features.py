"""What lists can be told apart by: categories, several of them per list, and buckets of numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import pyarrow as pa

from eval.content import DocumentSets
from eval.ragged import BoolArray, FloatArray, IntArray, Ragged
from eval.slice_values import MISSING, bucket_names

__all__ = ["Feature"]

_BUCKETS: Final = (2, 4, 8)
_FEW: Final = 16  # different numbers, such as months


@dataclass(frozen=True, eq=False)
class Feature:
    """A feature of lists.

    Args:
        name: of the feature.
        ragged: which codes are those of each list.
        codes: int64 [codes of all lists], each once per list: the values by their numbers in `values`.
        values: their names.
    """

    name: str
    ragged: Ragged
    codes: IntArray
    values: Sequence[str]

    @classmethod
    def of_texts(cls, name: str, column: pa.Array) -> Self:
        """A column of texts or whole numbers, or of lists of these; a list with none has the value `MISSING`.

        Args:
            name: of the feature.
            column: [lists].

        Raises:
            ValueError: a column of another type.
        """
        try:
            sets = DocumentSets.of(column)
        except ValueError as error:
            raise ValueError(f"feature {name!r}: {error}") from None
        ragged, codes = sets.values(sets.sets)
        if not sets.missing.any():
            return cls(name, ragged, codes, sets.names)
        with_missing = Ragged.of_sizes(np.maximum(ragged.sizes, 1))
        filled = np.full(int(with_missing.offsets[-1]), len(sets.names))
        filled[~sets.missing[with_missing.rows]] = codes
        return cls(name, with_missing, filled, [*sets.names, MISSING])

    @classmethod
    def of_codes(cls, name: str, lists: IntArray, codes: IntArray, values: Sequence[str], count: int) -> Self:
        """Values of some lists, in any order.

        Args:
            name: of the feature.
            lists: int64 [codes], whose value it is, each with a value once.
            codes: int64 [codes], the value by its number in `values`.
            values: their names.
            count: of lists.
        """
        order = np.lexsort((codes, lists))
        return cls(name, Ragged.of_sizes(np.bincount(lists, minlength=count)), codes[order], values)

    @classmethod
    def of_numbers(cls, name: str, numbers: FloatArray, buckets: Sequence[int] = _BUCKETS) -> Self:
        """Buckets of as many lists each, from coarse to fine: a list is in one of each division.

        Of few different numbers each is a bucket of its own, too.

        Args:
            name: of the feature.
            numbers: float64 [lists]; NaN: the value `MISSING`.
            buckets: how many, for each division; with these, ranges of several widths are buckets.
        """
        missing = np.isnan(numbers)
        known = np.sort(numbers[~missing])
        whole = bool(np.all(known % 1 == 0))
        divisions: list[IntArray] = []
        names: dict[str, int] = {}
        cuts = [np.unique(known[np.arange(1, count) * len(known) // count]) for count in buckets if known.size]
        if known.size and len(different := np.unique(known)) <= _FEW:
            cuts.append(different)
        for edges in cuts:
            edges = edges[edges > known[0]]
            own = bucket_names(edges, whole=whole)
            numbered = np.array([names.setdefault(one, len(names)) for one in own])
            divisions.append(numbered[np.searchsorted(edges, numbers, side="right") * ~missing])
        codes = np.sort(np.stack(divisions or [np.zeros(len(numbers), np.int64)], axis=1), axis=1)
        first = np.diff(codes, axis=1, prepend=-1) > 0  # two divisions may share a bucket
        first[missing] = False
        if missing.any():
            codes[missing, 0], first[missing, 0] = len(names), True
            names[MISSING] = len(names)
        return cls(name, Ragged.of_sizes(first.sum(axis=1)), codes[first], list(names))

    def __len__(self) -> int:
        return len(self.ragged)

    def take(self, lists: IntArray) -> Self:
        """Those of some lists, int64 [n], by their numbers."""
        ragged = Ragged.of_sizes(self.ragged.sizes[lists])
        places = np.repeat(self.ragged.offsets[lists] - 1, ragged.sizes) + ragged.positions
        return type(self)(self.name, ragged, self.codes[places], self.values)

    def keep(self, values: BoolArray) -> Self:
        """Only some of the values, bool [values]; a list may be left without any."""
        kept = values[self.codes]
        number = np.cumsum(values) - 1
        names = [name for name, keep in zip(self.values, values, strict=True) if keep]
        return type(self)(self.name, self.ragged.keep(kept), number[self.codes[kept]], names)
