"""Slices: the lists, or the documents of lists, that share a value.

With `scope: list`, a list belongs to every value that one of its documents has: of a query's column that is one value,
of a document's column it may be several. With `scope: document`, only the documents that have the value stay in the
list, as though the others were not there. Values are merged into `OTHER` beyond the most frequent ones.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Literal

import numpy as np
import pyarrow as pa

from eval.passes import Passes
from eval.ragged import FloatArray, IntArray
from eval.score_table import ScoreTable
from eval.slice_values import LENGTH, MISSING, Cut, Values, bucket_names, numbers_of, values_of

__all__ = ["OTHER", "Code", "Frequencies", "Members", "Slices", "Slicing", "edges_of"]

OTHER = "(other)"

Code = Callable[..., Sequence[str | None]]
Scope = Literal["list", "document"]


@dataclass(frozen=True)
class Slicing:
    """How lists are cut into slices.

    Args:
        name: of the slices.
        cuts: by what; of several, by their values together.
        scope: what belongs to a slice, see above.
        most: so many values, those that most lists have, are slices of their own; the others are merged.
        code: a function that computes the value of each document from columns of the score table, [documents] numpy
            arrays in the order of `inputs`; None or "" is missing. It takes the place of `cuts`.
        inputs: columns that the function reads.
    """

    name: str
    cuts: tuple[Cut, ...] = ()
    scope: Scope = "list"
    most: int = 50
    code: Code | None = None
    inputs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if bool(self.cuts) == (self.code is not None):
            raise ValueError(f"slices {self.name!r}: expected cuts or code, one of them")
        if self.most < 1:
            raise ValueError(f"slices {self.name!r}: expected most >= 1, got {self.most}")

    @property
    def columns(self) -> list[str]:
        """Columns of the score table that it reads."""
        return [*(cut.column for cut in self.cuts if cut.column != LENGTH), *self.inputs]

    def values(self, table: ScoreTable, edges: Mapping[Cut, FloatArray]) -> Values:
        """The values of all documents of a part of the lists.

        Args:
            table: the lists.
            edges: of the cuts that have buckets.
        """
        if self.code is not None:
            return self._computed(table)
        every = [values_of(cut, table, edges.get(cut)) for cut in self.cuts]
        if len(every) == 1:
            return every[0]
        return reduce(
            lambda left, right: left.crossed(right, len(table.lists.labels)), (values.quoted() for values in every)
        )

    def _computed(self, table: ScoreTable) -> Values:
        assert self.code is not None  # noqa: S101 - for the type checker
        given = [table.columns[name].to_numpy(zero_copy_only=False) for name in self.inputs]
        found = list(self.code(*given))
        if len(found) != len(table.lists.labels) or not all(value is None or isinstance(value, str) for value in found):
            raise ValueError(
                f"slices {self.name!r}: expected the function to give a text or None for each of"
                f" {len(table.lists.labels)} documents, got {len(found)}: {found[:3]!r:.60}"
            )
        column = {self.name: pa.array(found, pa.large_string())}
        return values_of(Cut(self.name), ScoreTable(table.lists, {}, table.units, column), None)


def edges_of(slicings: Sequence[Slicing], passes: Passes) -> dict[Cut, FloatArray]:
    """The edges of all buckets; of a number of buckets, those that split the numbers evenly.

    Each list counts once with each number that one of its documents has.

    Args:
        slicings: that have the cuts.
        passes: over all lists.
    """
    cuts = dict.fromkeys(cut for slicing in slicings for cut in slicing.cuts if cut.buckets is not None)
    edges = {cut: np.array(cut.buckets, np.float64) for cut in cuts if isinstance(cut.buckets, tuple)}
    counted = {cut: cut.buckets for cut in cuts if isinstance(cut.buckets, int)}
    if counted:
        columns = tuple(dict.fromkeys(cut.column for cut in counted))
        buckets = {name: tuple(n for cut, n in counted.items() if cut.column == name) for name in columns}
        _, even = passes.survey(_nothing, _CutNumbers(columns), buckets)
        edges |= {cut: even[cut.column, n] for cut, n in counted.items()}
    return edges


@dataclass(frozen=True)
class _CutNumbers:
    """Collects the numbers of columns, each once for a list."""

    columns: tuple[str, ...]

    def __call__(self, table: ScoreTable) -> dict[str, FloatArray]:
        return {name: _once_per_list(numbers_of(Cut(name), table), table) for name in self.columns}


def _nothing(_: ScoreTable) -> int:
    return 0


def _once_per_list(numbers: FloatArray, table: ScoreTable) -> FloatArray:
    """Each number of a list once; NaN left out."""
    there = ~np.isnan(numbers)
    rows, values = table.lists.ragged.rows[there], numbers[there]
    order = np.lexsort((values, rows))
    rows, values = rows[order], values[order]
    again = (rows[1:] == rows[:-1]) & (values[1:] == values[:-1])
    return values[np.concatenate([[True] * (len(values) > 0), ~again]).astype(np.bool_)]


@dataclass(eq=False)
class Frequencies:
    """How many lists have each value, while parts of the lists are added.

    Args:
        slicing: of the values.
        edges: of its cuts.
    """

    slicing: Slicing
    edges: Mapping[Cut, FloatArray]
    lists: Counter[str] = field(default_factory=Counter)
    single: bool = True

    def add(self, table: ScoreTable) -> None:
        """Count the values of a part of the lists."""
        values = self.slicing.values(table, self.edges).of_lists(table.lists.ragged)
        counts = np.bincount(values.codes, minlength=len(values.names)).tolist()
        self.lists.update({name: count for name, count in zip(values.names, counts, strict=True) if count})
        self.single &= len(values.documents) == len(table.lists)

    def __add__(self, other: "Frequencies") -> "Frequencies":
        """The counts of two parts."""
        return Frequencies(self.slicing, self.edges, self.lists + other.lists, self.single and other.single)

    def settled(self) -> "Slices":
        """The slices."""
        ordered = self._buckets() or sorted(self.lists, key=lambda name: (-self.lists[name], name))
        own = [name for name in ordered if name != MISSING]
        # One value alone is not merged: it is as well shown by its name.
        kept = own if len(own) <= self.slicing.most + 1 else own[: self.slicing.most]
        merged = len(own) - len(kept)
        last = [OTHER] * (merged > 0 and OTHER not in kept) + [MISSING] * (MISSING in self.lists)
        return Slices(self.slicing, self.edges, (*kept, *last), merged, self.single)

    def _buckets(self) -> list[str]:
        """The buckets in their order, if that is what there are."""
        cuts = self.slicing.cuts
        if len(cuts) != 1 or cuts[0] not in self.edges:
            return []
        return [name for name in bucket_names(self.edges[cuts[0]], whole=cuts[0].column == LENGTH) if self.lists[name]]


@dataclass(frozen=True, eq=False)
class Members:
    """What of a part of the lists is in one slice.

    Args:
        lists: int64 [members], the numbers of its lists, rising.
        documents: int64 [n], the numbers of its documents, rising; None: all documents of its lists.
    """

    lists: IntArray
    documents: IntArray | None


@dataclass(frozen=True, eq=False)
class Slices:
    """The slices of a slicing, the same for all parts of the lists.

    Args:
        slicing: what made them.
        edges: of its buckets.
        values: names of the slices, in the order of a report.
        merged: how many values are merged into `OTHER`.
        single: each list is in exactly one of them.
    """

    slicing: Slicing
    edges: Mapping[Cut, FloatArray]
    values: tuple[str, ...]
    merged: int
    single: bool

    def members(self, table: ScoreTable) -> tuple[list[Members], pa.Array]:
        """What of a part of the lists is in each slice, and the values of each list.

        Returns:
            One per value; and string [lists], or list<string> if lists may have several.
        """
        values = self.of_documents(table)
        ragged, size = table.lists.ragged, len(self.values)
        of_lists = values.of_lists(ragged)
        bounds, lists = _grouped(of_lists, size)
        members = [Members(lists[bounds[code] : bounds[code + 1]], None) for code in range(size)]
        if self.slicing.scope == "document":
            bounds, documents = _grouped(values, size)
            kept = (np.unique(documents[bounds[code] : bounds[code + 1]]) for code in range(size))
            members = [Members(member.lists, one) for member, one in zip(members, kept, strict=True)]
        return members, self._named(of_lists, len(table.lists))

    def of_documents(self, table: ScoreTable) -> Values:
        """The values of the documents of a part of the lists, by their numbers in `self.values`."""
        return self._coded(self.slicing.values(table, self.edges))

    def _coded(self, values: Values) -> Values:
        """The same values by their numbers in `self.values`."""
        index = {name: number for number, name in enumerate(self.values)}
        other = index.get(OTHER, -1)
        codes = np.array([index.get(name, other) for name in values.names], np.int64)
        return Values(values.documents, codes[values.codes], self.values)

    def _named(self, values: Values, lists: int) -> pa.Array:
        if self.single:
            return pa.array(self.values, pa.string()).take(pa.array(values.codes))
        # By name within a list: the order of `self.values` depends on all lists, and runs are compared by this column.
        ordered = np.argsort(np.array(self.values, dtype=object), kind="stable")
        ranks = np.argsort(ordered, kind="stable")
        codes = ordered[ranks[values.codes][np.lexsort((ranks[values.codes], values.documents))]]
        names = pa.array(self.values, pa.string()).take(pa.array(codes))
        offsets = np.concatenate([[0], np.cumsum(np.bincount(values.documents, minlength=lists))])
        return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), names)


def _grouped(values: Values, size: int) -> tuple[list[int], IntArray]:
    """The documents (or lists) of each value laid end to end, and where those of each begin."""
    order = np.argsort(values.codes, kind="stable")
    counts = np.bincount(values.codes, minlength=size)
    return [0, *np.cumsum(counts).tolist()], values.documents[order]
