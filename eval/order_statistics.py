"""The n-th smallest of many numbers: in memory, or in bounded memory from a file, with the same result."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from eval.ragged import FloatArray, IntArray

__all__ = ["DIGITS", "Numbers", "Search", "edges_between", "even_ranks"]

DIGITS = 4
"""Rounds of a search."""

_DIGIT = 16  # bits that a round settles
_AT_ONCE = 1 << 20  # numbers


class Numbers:
    """A collection of numbers that is asked for its order statistics.

    Args:
        file: where the numbers are kept; None: in memory.
    """

    def __init__(self, file: Path | None = None) -> None:
        self.count = 0
        self._file = file
        self._held: list[FloatArray] = []

    def add(self, values: FloatArray) -> None:
        """Add numbers, float64 [n], none of them NaN."""
        self.count += len(values)
        if self._file is None:
            self._held.append(values)
        elif len(values):
            with self._file.open("ab") as file:
                _keys(values).tofile(file)

    def at(self, ranks: Sequence[int]) -> FloatArray:
        """The numbers of these ranks, counted from 0 in rising order, float64 [ranks]."""
        if not len(ranks):
            return np.zeros(0)
        if self._file is None:
            values = np.concatenate(self._held)
            return np.partition(values, ranks)[list(ranks)]
        search = Search.of(ranks)
        for _ in range(DIGITS):
            search = search.next(self.counts(search))
        return search.found()

    def edges(self, buckets: int) -> FloatArray:
        """The edges between so many buckets of as many numbers each, as of `edges_between`."""
        return edges_between(self.at(even_ranks(self.count, buckets)))

    def counts(self, search: "Search") -> IntArray:
        """What a search has to know of these numbers, which are kept in a file; counts of several files add up."""
        return sum((search.counts(keys) for keys in self._chunks()), start=search.none())

    def _chunks(self) -> Iterator[NDArray[np.uint64]]:
        if self._file is None or not self._file.exists():
            return
        with self._file.open("rb") as file:
            while len(keys := np.fromfile(file, np.uint64, _AT_ONCE)):
                yield keys


@dataclass(frozen=True, eq=False)
class Search:
    """A search for numbers by their ranks, after some of its `DIGITS` rounds: each settles a digit of their keys.

    Args:
        prefixes: uint64 [ranks], the digits that are settled.
        left: int64 [ranks], the rank among the numbers with these digits.
        rounds: how many are left.
    """

    prefixes: NDArray[np.uint64]
    left: IntArray
    rounds: int

    @classmethod
    def of(cls, ranks: Sequence[int]) -> Self:
        """Before the first round, for ranks from 0."""
        return cls(np.zeros(len(ranks), np.uint64), np.array(ranks, np.int64), DIGITS)

    def none(self) -> IntArray:
        """The counts of no numbers."""
        return np.zeros((len(np.unique(self.prefixes)), 1 << _DIGIT), np.int64)

    def counts(self, keys: NDArray[np.uint64]) -> IntArray:
        """How many keys have each next digit after each of the prefixes, int64 [prefixes, 2^16]; they add up."""
        shift = np.uint64((self.rounds - 1) * _DIGIT)
        digits = (keys >> shift) & np.uint64((1 << _DIGIT) - 1)
        first = self.rounds == DIGITS
        higher = np.zeros_like(keys) if first else keys >> (shift + np.uint64(_DIGIT))
        counts = self.none()
        for number, prefix in enumerate(np.unique(self.prefixes)):
            counts[number] += np.bincount(digits[higher == prefix].astype(np.int64), minlength=1 << _DIGIT)
        return counts

    def next(self, counts: IntArray) -> Self:
        """After a round: of the numbers with the same digits, those before the one that is sought are counted off."""
        of_rank = np.unique(self.prefixes, return_inverse=True)[1]
        running = np.cumsum(counts, axis=1)[of_rank]
        digit = (running <= self.left[:, None]).sum(axis=1)
        before = np.take_along_axis(running, np.maximum(digit - 1, 0)[:, None], axis=1)[:, 0]
        prefixes = (self.prefixes << np.uint64(_DIGIT)) | digit.astype(np.uint64)
        return type(self)(prefixes, self.left - np.where(digit > 0, before, 0), self.rounds - 1)

    def found(self) -> FloatArray:
        """The numbers after the last round, float64 [ranks]."""
        return _values(self.prefixes)


def even_ranks(count: int, buckets: int) -> list[int]:
    """The ranks, among `count` numbers, of the first of each of so many buckets with as many numbers each."""
    return [place * count // buckets for place in range(buckets)] if count else []


def edges_between(firsts: FloatArray) -> FloatArray:
    """The edges of buckets, rising, by the numbers at `even_ranks`: equal numbers are in one bucket."""
    return np.unique(firsts)[1:]  # the first is the least number


_SIGN = np.uint64(1 << 63)


def _keys(values: FloatArray) -> NDArray[np.uint64]:
    """Whole numbers in the order of the numbers: the bits, all flipped below 0, the sign's alone from 0 on."""
    bits = (values + 0.0).view(np.uint64)  # -0.0 becomes 0.0
    return np.where(bits >= _SIGN, ~bits, bits | _SIGN)


def _values(keys: NDArray[np.uint64]) -> FloatArray:
    """The inverse of `_keys`."""
    return np.where(keys >= _SIGN, keys & ~_SIGN, ~keys).view(np.float64)
