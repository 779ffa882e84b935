"""All slices by one value, or by values of several features together, that hold enough lists.

Which slices there are depends on the features alone, never on what is measured: so a test over all of them together
holds whatever is found. A slice is left out, and with it all that are inside it, if it is smaller than asked (its parts
are smaller still: Sagadeeva and Boehm, SliceLine, SIGMOD 2021), or if a condition of it changes nothing.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from eval.discovery.features import Feature
from eval.ragged import IntArray, Ragged

__all__ = ["Cross", "Lattice"]


@dataclass(frozen=True, eq=False)
class Cross:
    """The slices by some features together.

    Args:
        features: their numbers, rising; none: all lists.
        parent: the number of the cross without the last feature.
        keys: int64 [slices], rising: number of the slice in the parent x values of the last feature + its value.
        first: the number of its first slice among all.
    """

    features: tuple[int, ...]
    parent: int
    keys: IntArray
    first: int


@dataclass(frozen=True, eq=False)
class Lattice:
    """The slices, all lists among them as number 0.

    Args:
        features: with the values that enough lists have.
        crosses: by depth first, all lists as number 0.
        sizes: int64 [slices], lists in each.
        fewest: lists in a slice, at least.
    """

    features: Sequence[Feature]
    crosses: Sequence[Cross]
    sizes: IntArray
    fewest: int

    @classmethod
    def of(cls, features: Sequence[Feature], depth: int, fewest: int, most: int, most_values: int) -> "Lattice":
        """Find the slices.

        Args:
            features: of the same lists, at least one.
            depth: features in a slice, at most.
            fewest: lists in a slice, at least.
            most: slices; beyond these, the smallest are left out.
            most_values: values of a feature that are looked at, those that most lists have.
        """
        frequent = [_frequent(feature, fewest, most_values) for feature in features]
        found = cls(frequent, *_grown(frequent, depth, fewest), fewest)
        if len(found.sizes) <= most:
            return found
        least = int(np.sort(found.sizes)[-most])
        least += int((found.sizes >= least).sum() > most)  # those of one size do not all fit
        return cls.of(features, depth, least, most, most_values)

    def walk(self, lists: IntArray) -> Iterator[tuple[Cross, IntArray, IntArray]]:
        """Which of some lists are in which slices.

        Args:
            lists: int64 [n], their numbers, rising.

        Yields:
            Each cross; and int64 [pairs] lists, and the slice of each by its number in the cross.
        """
        held: dict[int, tuple[IntArray, IntArray]] = {}
        for number, cross in enumerate(self.crosses):
            if not cross.features:
                found = (lists, np.zeros(len(lists), np.int64))
            else:
                found = _found(*_extended(*held[cross.parent], self.features[cross.features[-1]]), cross.keys)
            held = {at: pairs for at, pairs in held.items() if at <= cross.parent} | {number: found}
            yield cross, *found

    def conditions(self, slices: int) -> list[tuple[str, str]]:
        """Feature and value of each condition of a slice, by its number among all."""
        return [
            (self.features[feature].name, self.features[feature].values[value])
            for feature, value in self._codes(slices)
        ]

    def wider(self, slices: int) -> list[int]:
        """The slices with one condition less, where they are known: those that are no wider are not."""
        codes = self._codes(slices)
        found = (self._number(codes[:place] + codes[place + 1 :]) for place in range(len(codes)))
        return [number for number in found if number is not None]

    def _codes(self, slices: int) -> list[tuple[int, int]]:
        """The conditions of a slice, features and values by their numbers."""
        number = bisect_right(self.crosses, slices, key=lambda cross: cross.first) - 1
        cross, place = self.crosses[number], slices - self.crosses[number].first
        found = []
        while cross.features:
            feature = cross.features[-1]
            place, value = divmod(int(cross.keys[place]), len(self.features[feature].values))
            found.append((feature, value))
            cross = self.crosses[cross.parent]
        return found[::-1]

    def _number(self, codes: Sequence[tuple[int, int]]) -> int | None:
        """The slice with these conditions, by its number among all."""
        cross, place = self.crosses[0], 0
        for depth, (feature, value) in enumerate(codes, start=1):
            number = self._by_features.get(tuple(of for of, _ in codes[:depth]))
            if number is None:
                return None
            cross, key = self.crosses[number], place * len(self.features[feature].values) + value
            place = int(np.searchsorted(cross.keys, key))
            if place == len(cross.keys) or cross.keys[place] != key:
                return None
        return cross.first + place

    @cached_property
    def _by_features(self) -> dict[tuple[int, ...], int]:
        """The number of each cross."""
        return {cross.features: number for number, cross in enumerate(self.crosses)}

    def members(self, slices: int) -> IntArray:
        """The lists of a slice by its number among all, int64 [members]."""
        lists = np.arange(len(self.features[0]))
        for number, value in self._codes(slices):
            feature = self.features[number]
            lists = np.intersect1d(lists, feature.ragged.rows[feature.codes == value], assume_unique=True)
        return lists


def _frequent(feature: Feature, fewest: int, most_values: int) -> Feature:
    """The feature with only the values that enough lists have, and not all of them."""
    counts = np.bincount(feature.codes, minlength=len(feature.values))
    kept = (counts >= fewest) & (counts < len(feature))
    by_count = np.argsort(-counts, kind="stable")
    kept[by_count[most_values:]] = False
    return feature.keep(kept)


def _grown(features: Sequence[Feature], depth: int, fewest: int) -> tuple[list[Cross], IntArray]:
    """All crosses, and the sizes of their slices."""
    n_lists = len(features[0])
    counts = [np.bincount(feature.codes, minlength=len(feature.values)) for feature in features]
    crosses, sizes = [Cross((), 0, np.zeros(1, np.int64), 0)], [np.array([n_lists])]

    def grow(number: int, lists: IntArray, places: IntArray) -> None:
        parent = crosses[number]
        for feature in range(parent.features[-1] + 1 if parent.features else 0, len(features)):
            within, keys = _extended(lists, places, features[feature])
            having = counts[feature]
            found = np.bincount(keys, minlength=len(parent.keys) * len(having))
            smaller = (found < np.repeat(sizes[number], len(having))) & (
                not parent.features or found < np.tile(having, len(parent.keys))
            )
            kept = np.flatnonzero((found >= fewest) & smaller)
            if kept.size:
                crosses.append(Cross((*parent.features, feature), number, kept, crosses[-1].first + len(sizes[-1])))
                sizes.append(found[kept])
                if len(parent.features) + 1 < depth:
                    grow(len(crosses) - 1, *_found(within, keys, kept))

    grow(0, np.arange(n_lists), np.zeros(n_lists, np.int64))
    return crosses, np.concatenate(sizes)


def _extended(lists: IntArray, places: IntArray, feature: Feature) -> tuple[IntArray, IntArray]:
    """Pairs of list and slice with one more feature: the lists, and slice x values of the feature + value."""
    times = feature.ragged.sizes[lists]
    within = Ragged.of_sizes(times)
    codes = feature.codes[np.repeat(feature.ragged.offsets[lists] - 1, times) + within.positions]
    return np.repeat(lists, times), np.repeat(places, times) * len(feature.values) + codes


def _found(lists: IntArray, keys: IntArray, kept: IntArray) -> tuple[IntArray, IntArray]:
    """The pairs whose key is kept, and the number of the key among those that are."""
    number = np.full(int(kept[-1]) + 2, -1)
    number[kept] = np.arange(len(kept))
    numbers = number[np.minimum(keys, len(number) - 1)]
    there = numbers >= 0
    return lists[there], numbers[there]
