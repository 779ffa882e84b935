"""Columns of a score table as features of its lists, gathered part by part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from eval.discovery.features import Feature
from eval.ragged import FloatArray
from eval.score_table import ScoreTable
from eval.slice_values import LENGTH, Cut, Values, numbers_of, values_of

__all__ = ["MOST_TEXTS", "ListColumns"]

MOST_TEXTS: Final = 10_000
"""A column with more different texts is free text, which tells no slices apart."""


@dataclass(frozen=True, eq=False)
class _Numbers:
    """Of each list the mean number of its documents, NaN without any: float64 [lists] of each part."""

    parts: tuple[FloatArray, ...]

    def __add__(self, other: "_Numbers") -> "_Numbers":
        return _Numbers(self.parts + other.parts)


@dataclass(frozen=True, eq=False)
class _Texts:
    """The different texts of each list's documents.

    Args:
        parts: lists and values of each part; none where there are too many texts.
        names: all texts; None: too many.
    """

    parts: tuple[Values, ...]
    names: frozenset[str] | None

    @classmethod
    def of(cls, parts: tuple[Values, ...], names: frozenset[str]) -> "_Texts":
        """Unless there are too many texts."""
        return cls(parts, names) if len(names) <= MOST_TEXTS else cls((), None)

    def __add__(self, other: "_Texts") -> "_Texts":
        if self.names is None or other.names is None:
            return _Texts((), None)
        return _Texts.of(self.parts + other.parts, self.names | other.names)


@dataclass(frozen=True, eq=False)
class ListColumns:
    """What is known of some lists; `a + b` is what is known of two parts.

    Args:
        query_ids: str [lists] of each part.
        columns: by name.
    """

    query_ids: tuple[NDArray[np.object_], ...]
    columns: Mapping[str, _Numbers | _Texts]

    @classmethod
    def of(cls, names: Sequence[str], table: ScoreTable) -> "ListColumns":
        """Of one part.

        Args:
            names: of columns of texts, of numbers, or of lists of these.
            table: the part.

        Raises:
            ValueError: a column of another type.
        """
        columns = {name: _column(name, table) for name in names}
        return cls((table.lists.query_ids,), {LENGTH: _Numbers((table.lists.sizes.astype(np.float64),))} | columns)

    def __add__(self, other: "ListColumns") -> "ListColumns":
        columns = {name: column + other.columns[name] for name, column in self.columns.items()}  # type: ignore[operator]  # a column has the same type in all parts
        return ListColumns(self.query_ids + other.query_ids, columns)

    def features(self, min_lists: int) -> tuple[list[Feature], dict[str, str]]:
        """Features of all lists in the order of their query ids; and of columns that tell no slices apart, why.

        Args:
            min_lists: of a slice.
        """
        order = np.argsort(np.concatenate(self.query_ids), kind="stable")
        features, left_out = [], {}
        for name, column in self.columns.items():
            if isinstance(column, _Texts) and column.names is None:
                left_out[name] = f"free text: more than {MOST_TEXTS:,} different ones"
                continue
            feature = _feature(name, column, [len(ids) for ids in self.query_ids]).take(order)
            counts = np.bincount(feature.codes, minlength=len(feature.values))
            if ((counts >= min_lists) & (counts < len(order))).any():
                features.append(feature)
            elif len(counts) == 1:
                left_out[name] = "the same in all lists"
            else:
                left_out[name] = f"no value in {min_lists} lists or more, but not in all"
        return features, left_out


def _column(name: str, table: ScoreTable) -> _Numbers | _Texts:
    kind = table.columns[name].type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return _Numbers((_means(numbers_of(Cut(name), table), table),))
    values = values_of(Cut(name), table, None)
    return _Texts.of((values.of_lists(table.lists.ragged),), frozenset(values.names))


def _means(numbers: FloatArray, table: ScoreTable) -> FloatArray:
    """The mean number of each list's documents that have one; that of equal numbers is exact."""
    ragged, there = table.lists.ragged, ~np.isnan(numbers)
    lists, kept = ragged.rows[there], numbers[there]
    first = np.full(len(ragged), np.nan)
    first[lists[::-1]] = kept[::-1]
    above = np.bincount(lists, kept - first[lists], len(ragged))
    return first + above / np.maximum(np.bincount(lists, minlength=len(ragged)), 1)


def _feature(name: str, column: _Numbers | _Texts, sizes: Sequence[int]) -> Feature:
    """The feature of all lists, in the order of the parts."""
    if isinstance(column, _Numbers):
        return Feature.of_numbers(name, np.concatenate(column.parts))
    names = sorted(column.names or ())
    number = {text: place for place, text in enumerate(names)}
    starts = np.concatenate([[0], np.cumsum(sizes)])
    codes = [np.array([number[text] for text in part.names], np.int64)[part.codes] for part in column.parts]
    lists = [part.documents + start for part, start in zip(column.parts, starts, strict=False)]
    return Feature.of_codes(name, np.concatenate(lists), np.concatenate(codes), names, int(starts[-1]))
