"""Passes over all lists, part by part: in turn in one process, or by whoever shares parts out among workers."""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

import pyarrow as pa

from eval.order_statistics import Numbers
from eval.ragged import FloatArray
from eval.score_parts import Scores
from eval.score_table import ScoreTable

__all__ = ["Buckets", "Edges", "InTurn", "NumbersOf", "Passes", "Total"]

NumbersOf = Callable[[ScoreTable], Mapping[str, FloatArray]]
"""Collections of numbers that a part has, by name: float64 [n] each, none of them NaN."""

Buckets = Mapping[str, tuple[int, ...]]
"""By collection, into how many buckets its numbers are cut, maybe in several ways."""

Edges = Mapping[tuple[str, int], FloatArray]
"""By collection and number of buckets the edges between these, float64, rising: equal numbers are in one bucket."""


class Total(Protocol):
    """What adds up: the sum of all parts is the same however lists are split, but for the rounding of floats."""

    def __add__(self, other: Any, /) -> Self:
        """The total of two parts."""


T = TypeVar("T", bound=Total)


class Passes(Protocol):
    """How all parts are gone through. What is computed of a part can be pickled, and hangs on this part alone."""

    def survey(self, of: Callable[[ScoreTable], T], numbers: NumbersOf, buckets: Buckets) -> tuple[T, Edges]:
        """The total over all parts, and how numbers of all of them are cut evenly.

        Args:
            of: computes what is added up.
            numbers: collects the numbers of a part.
            buckets: of the collections.
        """

    def measure(self, of: Callable[[ScoreTable], tuple[T, pa.Table]], keep: Callable[[pa.Table], None]) -> T:
        """The total over all parts, with rows that each has beside it.

        Args:
            of: computes what is added up, and the rows.
            keep: is given the rows of each part, in the order of the parts.
        """


class InTurn:
    """One part after the other, in this process.

    Args:
        scores: the parts; where they have a folder for what does not fit in memory, numbers are kept there.
    """

    def __init__(self, scores: Scores) -> None:
        self._scores = scores

    def survey(self, of: Callable[[ScoreTable], T], numbers: NumbersOf, buckets: Buckets) -> tuple[T, Edges]:
        """As of `Passes`."""
        directory = self._scores.directory
        with tempfile.TemporaryDirectory(dir=directory) as folder:
            files = (None if directory is None else Path(folder) / f"{place}.numbers" for place in range(len(buckets)))
            collected = {name: Numbers(file) for name, file in zip(buckets, files, strict=True)}

            def counted(table: ScoreTable) -> T:
                for name, values in numbers(table).items():
                    collected[name].add(values)
                return of(table)

            total = self._total(counted)
            return total, {(name, n): collected[name].edges(n) for name, ways in buckets.items() for n in ways}

    def measure(self, of: Callable[[ScoreTable], tuple[T, pa.Table]], keep: Callable[[pa.Table], None]) -> T:
        """As of `Passes`."""

        def kept(table: ScoreTable) -> T:
            total, rows = of(table)
            keep(rows)
            return total

        return self._total(kept)

    def _total(self, of: Callable[[ScoreTable], T]) -> T:
        found: T | None = None
        for table in self._scores.parts():
            one = of(table)
            found = one if found is None else found + one
        assert found is not None  # noqa: S101 - for the type checker: scores without lists cannot be opened
        return found
