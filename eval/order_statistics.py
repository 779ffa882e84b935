"""The n-th smallest of many numbers: in memory, or in bounded memory from a file, with the same result."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eval.ragged import FloatArray, IntArray

__all__ = ["Numbers"]

_DIGIT = 16  # bits that a pass over the file settles
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
        prefixes, left = np.zeros(len(ranks), np.uint64), np.array(ranks, np.int64)
        for shift in range(64 - _DIGIT, -1, -_DIGIT):
            prefixes, left = self._settle(prefixes, left, shift)
        return _values(prefixes)

    def _settle(self, prefixes: NDArray[np.uint64], left: IntArray, shift: int) -> tuple[NDArray[np.uint64], IntArray]:
        """The next digit of each number that is sought: those before it with the same higher bits are counted off.

        Args:
            prefixes: uint64 [ranks], the bits above `shift + 16`, which are settled.
            left: int64 [ranks], the rank among the numbers with these bits.
            shift: of the digit.
        """
        distinct, of_rank = np.unique(prefixes, return_inverse=True)
        counts = np.zeros((len(distinct), 1 << _DIGIT), np.int64)
        for keys in self._chunks():
            digits = (keys >> np.uint64(shift)) & np.uint64((1 << _DIGIT) - 1)
            higher = np.zeros_like(keys) if shift + _DIGIT == 64 else keys >> np.uint64(shift + _DIGIT)
            for number, prefix in enumerate(distinct):
                there = digits[higher == prefix].astype(np.int64)
                counts[number] += np.bincount(there, minlength=1 << _DIGIT)
        running = np.cumsum(counts, axis=1)[of_rank]
        digit = (running <= left[:, None]).sum(axis=1)
        before = np.take_along_axis(running, np.maximum(digit - 1, 0)[:, None], axis=1)[:, 0]
        return (prefixes << np.uint64(_DIGIT)) | digit.astype(np.uint64), left - np.where(digit > 0, before, 0)

    def _chunks(self) -> Iterator[NDArray[np.uint64]]:
        if self._file is None or not self._file.exists():
            return
        with self._file.open("rb") as file:
            while len(keys := np.fromfile(file, np.uint64, _AT_ONCE)):
                yield keys


_SIGN = np.uint64(1 << 63)


def _keys(values: FloatArray) -> NDArray[np.uint64]:
    """Whole numbers in the order of the numbers: the bits, all flipped below 0, the sign's alone from 0 on."""
    bits = (values + 0.0).view(np.uint64)  # -0.0 becomes 0.0
    return np.where(bits >= _SIGN, ~bits, bits | _SIGN)


def _values(keys: NDArray[np.uint64]) -> FloatArray:
    """The inverse of `_keys`."""
    return np.where(keys >= _SIGN, keys & ~_SIGN, ~keys).view(np.float64)
