"""What the ways to estimate propensities count in a log of impressions, partition by partition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ranker.data.clicks.impressions import EXPERIMENT, ImpressionLog, codes_of, swap_of
from ranker.data.clicks.propensities import GROUPS, Propensities, Swaps, by_randomisation, by_swaps
from ranker.data.clicks.propensity_em import LEAST_OF_PAIR, Cells, by_em, by_regression_em
from ranker.data.data_error import DataError
from ranker.data.id_hash import hash_ids
from ranker.data.tables.source_table import LABEL, POSITION, QUERY

__all__ = ["estimate"]

_MOST_CELLS = 300_000  # of EM; more of them come from more queries and tell little more
_SAMPLE = 200_000  # rows whose features say where intervals of values end
_INTERVALS = (64, 32, 16)  # of values of a feature, where there are one, two or three

_Ints = npt.NDArray[np.int64]
_Floats = npt.NDArray[np.float64]
_Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class _Shown:
    """Documents that were shown, of a partition; arrays are `[rows]`.

    Attributes:
        group: of the query.
        impression: a number within the partition.
        pair: likewise, of query and document.
        position: from 1.
        clicked: 0 or 1.
        experiment: place in `experiments`.
        experiments: their names.
        features: float64 `[rows, features]`.
    """

    group: _Ints
    impression: _Ints
    pair: _Ints
    position: _Ints
    clicked: _Ints
    experiment: _Ints
    experiments: list[str]
    features: _Floats

    def part_of(self, experiment: str) -> _Mask:
        """Which rows are part of an experiment."""
        if experiment not in self.experiments:
            return np.zeros(len(self.group), bool)
        found: _Mask = self.experiment == self.experiments.index(experiment)
        return found


class _Counter(Protocol):
    """Counts, then estimates."""

    def add(self, shown: _Shown) -> bool:
        """Count the documents of a partition; False if no more are needed."""

    def estimate(self) -> Propensities:
        """What follows.

        Raises:
            DataError: if too little was counted.
        """


def estimate(log: ImpressionLog) -> Propensities:
    """Propensities by the way that the spec says; memory is that of a partition.

    Partitions are by the hash of the query, so that the first ones are a random sample of the queries: EM looks at as
    many of them as it needs.

    Raises:
        DataError: if there is too little to tell by.
    """
    counter = _counter(log)
    for part in range(log.rows.partitions):
        if not counter.add(_shown(log, part)):
            break
    return counter.estimate()


def _counter(log: ImpressionLog) -> _Counter:
    source = log.table.source
    by, marked = source.propensity.by, f"in column {source.experiment!r}"
    others = ", ".join(map(repr, log.others)) or "nothing else"
    if by == "randomisation":
        if not log.shuffled:
            raise DataError(f"propensities by randomisation: no impression has 'shuffled' {marked}; there is {others}")
        return _Shuffled(log.positions)
    if by == "swaps":
        swaps = sorted(swap for swap in log.swaps if swap[1] <= log.positions)
        if not swaps:
            raise DataError(f"propensities by swaps: no impression has 'swap i j' {marked}; there is {others}")
        return _Swapped(log.positions, swaps)
    if by == "em":
        return _Pairs(log.positions)
    return _Alike(log.positions, len(source.propensity.features))


def _shown(log: ImpressionLog, part: int) -> _Shown:
    rows = log.peek(part)
    impression, pair = codes_of(rows)
    experiment, experiments = np.zeros(rows.num_rows, np.int64), [""]
    if EXPERIMENT in rows.schema.names:
        encoded = rows[EXPERIMENT].dictionary_encode()
        experiment, experiments = encoded.indices.to_numpy().astype(np.int64), encoded.dictionary.to_pylist()
    features = [rows[name].to_numpy().astype(np.float64) for name in log.table.source.propensity.features]
    return _Shown(
        group=(hash_ids(rows[QUERY]) % np.uint64(GROUPS)).astype(np.int64),
        impression=impression,
        pair=pair,
        position=rows[POSITION].to_numpy(),
        clicked=rows[LABEL].to_numpy().astype(np.int64),
        experiment=experiment,
        experiments=experiments,
        features=np.stack(features, axis=1) if features else np.empty((rows.num_rows, 0)),
    )


class _Shuffled:
    """Impressions and clicks by position and group, in random order."""

    def __init__(self, positions: int) -> None:
        self._shown, self._clicks = np.zeros((2, positions, GROUPS), np.int64)

    def add(self, shown: _Shown) -> bool:
        rows = np.flatnonzero(shown.part_of("shuffled"))
        cell = (shown.position[rows] - 1) * GROUPS + shown.group[rows]
        self._shown += np.bincount(cell, minlength=self._shown.size).reshape(-1, GROUPS)
        clicked = cell[shown.clicked[rows] > 0]
        self._clicks += np.bincount(clicked, minlength=self._clicks.size).reshape(-1, GROUPS)
        return True

    def estimate(self) -> Propensities:
        return by_randomisation(self._shown, self._clicks)


class _Swapped:
    """Impressions that have both positions of a swap, and clicks on these: left as they were, and swapped."""

    def __init__(self, positions: int, swaps: list[tuple[int, int]]) -> None:
        self._positions, self._swaps = positions, swaps
        self._shown = np.zeros((len(swaps), 2, GROUPS), np.int64)
        self._clicks = np.zeros((len(swaps), 2, 2, GROUPS), np.int64)

    def add(self, shown: _Shown) -> bool:
        untouched = _by_position(shown, shown.part_of(""))
        names: dict[tuple[int, int], _Mask] = {}
        for name in shown.experiments:
            if (swap := swap_of(name)) is not None:
                names[swap] = names.get(swap, np.zeros(len(shown.group), bool)) | shown.part_of(name)
        for number, swap in enumerate(self._swaps):
            self._count(number, 0, shown, [untouched.get(position, _NONE) for position in swap])
            if swap in names:
                swapped = _by_position(shown, names[swap])
                self._count(number, 1, shown, [swapped.get(position, _NONE) for position in swap])
        return True

    def _count(self, number: int, arm: int, shown: _Shown, rows: list[_Ints]) -> None:
        """Count impressions that have a row in both of `rows`, which are those at the two positions."""
        first, second = rows
        _, of_first, of_second = np.intersect1d(shown.impression[first], shown.impression[second], return_indices=True)
        self._shown[number, arm] += np.bincount(shown.group[first[of_first]], minlength=GROUPS)
        for side, at in enumerate((first[of_first], second[of_second])):
            clicked = at[shown.clicked[at] > 0]
            self._clicks[number, arm, side] += np.bincount(shown.group[clicked], minlength=GROUPS)

    def estimate(self) -> Propensities:
        return by_swaps(Swaps(np.array(self._swaps), self._shown, self._clicks), self._positions)


_NONE = np.empty(0, np.int64)


def _by_position(shown: _Shown, mask: _Mask) -> dict[int, _Ints]:
    """Rows where the mask is true, by their positions."""
    rows = np.flatnonzero(mask)
    rows = rows[np.argsort(shown.position[rows], kind="stable")]
    positions, first = np.unique(shown.position[rows], return_index=True)
    return dict(zip(positions.tolist(), np.split(rows, first[1:]), strict=True)) if len(rows) else {}


class _Pairs:
    """Cells of (query, document) pairs that were shown often and at several positions."""

    def __init__(self, positions: int) -> None:
        self._positions, self._units = positions, 0
        self._found: list[Cells] = []
        self._size = 0

    def add(self, shown: _Shown) -> bool:
        group = np.zeros(int(shown.pair.max(initial=-1)) + 1, np.int64)
        group[shown.pair] = shown.group
        often = np.bincount(shown.pair, minlength=1) >= LEAST_OF_PAIR
        rows = np.flatnonzero(often[shown.pair]) if len(shown.pair) else _NONE
        key, size, clicks = _summed(shown.pair[rows] * self._positions + shown.position[rows] - 1, shown.clicked[rows])
        pair = key // self._positions
        cells = Cells(pair + self._units, key % self._positions + 1, group[pair], size, clicks)
        moved = np.bincount(pair, minlength=len(often)) > 1
        self._found.append(cells.where(moved[pair]))
        self._units += len(often)
        self._size += len(self._found[-1].unit)
        return self._size < _MOST_CELLS

    def estimate(self) -> Propensities:
        return by_em(Cells.joined(self._found), self._positions)


class _Alike:
    """Cells of documents whose features are in the same intervals of values, which hold about as many rows each."""

    def __init__(self, positions: int, features: int) -> None:
        self._positions, self._intervals = positions, _INTERVALS[features - 1]
        self._held: list[_Shown] = []
        self._ends: list[_Floats] = []
        self._cells = (_NONE, _NONE, _NONE)

    def add(self, shown: _Shown) -> bool:
        self._held.append(shown)
        if self._ends or sum(len(one.group) for one in self._held) >= _SAMPLE:
            self._count()
        return True

    def estimate(self) -> Propensities:
        self._count()
        key, size, clicks = self._cells
        group, rest = key % GROUPS, key // GROUPS
        found, unit = np.unique(rest // self._positions, return_inverse=True)
        codes = np.stack([found // self._radix**place % self._radix for place in range(len(self._ends))], axis=1)
        return by_regression_em(
            Cells(unit.astype(np.int64), rest % self._positions + 1, group, size, clicks), codes, self._positions
        )

    @property
    def _radix(self) -> int:
        return self._intervals + 1  # one more for missing values

    def _count(self) -> None:
        if not self._ends:
            self._ends = _ends(np.concatenate([one.features for one in self._held]), self._intervals)
        for shown in self._held:
            unit = np.zeros(len(shown.group), np.int64)
            for place, ends in enumerate(self._ends):
                values = shown.features[:, place]
                code = np.where(np.isnan(values), 0, 1 + np.searchsorted(ends, values, side="right"))
                unit += code * self._radix**place
            key = (unit * self._positions + shown.position - 1) * GROUPS + shown.group
            new = _summed(key, shown.clicked)
            keys, sizes, clicks = (np.concatenate(both) for both in zip(self._cells, new, strict=True))
            self._cells = _summed(keys, clicks, sizes)
        self._held = []


def _ends(features: _Floats, intervals: int) -> list[_Floats]:
    """Where the intervals of each feature end, so that they hold about as many values."""
    shares = np.arange(1, intervals) / intervals
    present = (column[~np.isnan(column)] for column in features.T)
    return [np.unique(np.quantile(column, shares)) if len(column) else np.empty(0) for column in present]


def _summed(keys: _Ints, clicks: _Ints, sizes: _Ints | None = None) -> tuple[_Ints, _Ints, _Ints]:
    """Distinct keys, and for each how many there are (or the sum of `sizes`) and the sum of `clicks`."""
    found, place = np.unique(keys, return_inverse=True)
    counts = np.bincount(place, sizes, len(found)).astype(np.int64)
    return found, counts, np.bincount(place, clicks, len(found)).astype(np.int64)
