"""Which texts a column holds, and how often."""

from __future__ import annotations

from typing import Any, Self

import datasketches
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ranker.data.id_hash import hash_ids

__all__ = ["FrequentValues"]

_LOG_FREQUENT = 12  # up to 3,072 values are counted exactly
_LOG_DISTINCT = 13  # the number of distinct values is off by 1.2% (standard error)
_MOST_CHARACTERS = 100
_NO_VALUE = "\0" * 200  # longer than any value that is kept


class FrequentValues:
    """Counts of the commonest texts and the number of distinct ones, in bounded memory.

    The counts are exact up to 3,072 distinct texts, then those of the commonest, each too high by at most 0.1% of all
    (Misra and Gries 1982, as in Anderson et al. 2017); the number of distinct ones, likewise, is then that of
    HyperLogLog (Flajolet et al. 2007). Long texts are told apart whole, but shown by their first 100 characters.

    Attributes:
        count: texts seen.
        characters: in all of them.
    """

    def __init__(self) -> None:
        self.count = self.characters = 0
        self._cut = False
        self._frequent = datasketches.frequent_strings_sketch(_LOG_FREQUENT)
        self._distinct = datasketches.hll_sketch(_LOG_DISTINCT)

    def add(self, values: pa.StringArray) -> None:
        """Take in texts; "" is left out by the caller."""
        if not len(values):
            return
        self.count += len(values)
        counted = values.value_counts()
        distinct, counts = counted.field("values"), counted.field("counts")
        self.characters += pc.sum(pc.multiply(pc.utf8_length(distinct), counts)).as_py()
        for hashed in hash_ids(distinct).view(np.int64).tolist():
            self._distinct.update(hashed)
        shown = pc.utf8_slice_codeunits(distinct, 0, _MOST_CHARACTERS)
        self._cut = self._cut or not shown.equals(distinct)
        for value, count in zip(shown.to_pylist(), counts.to_pylist(), strict=True):
            self._frequent.update(value, count)

    def merge(self, other: FrequentValues) -> None:
        """Take in what `other` has seen."""
        self.count += other.count
        self.characters += other.characters
        self._cut = self._cut or other._cut
        self._frequent.merge(other._frequent)
        union = datasketches.hll_union(_LOG_DISTINCT)
        union.update(self._distinct)
        union.update(other._distinct)
        self._distinct = union.get_result(datasketches.HLL_8)

    @property
    def exact(self) -> bool:
        """Whether no count was ever dropped."""
        return self._frequent.get_upper_bound(_NO_VALUE) == 0

    @property
    def distinct(self) -> int:
        """How many different texts there are."""
        if self.exact and not self._cut:
            return int(self._frequent.num_active_items)
        return round(self._distinct.get_estimate())

    def top(self, most: int) -> list[tuple[str, int]]:
        """The commonest texts with their counts; those as common in the order of the alphabet."""
        items = self._frequent.get_frequent_items(datasketches.frequent_items_error_type.NO_FALSE_NEGATIVES)
        counted = [(value, count) for value, count, *_ in items]
        return sorted(counted, key=lambda item: (-item[1], item[0]))[:most]

    def to_arrays(self) -> list[npt.NDArray[Any]]:
        """As arrays that can be written."""
        sketches = self._frequent.serialize(), self._distinct.serialize_compact()
        figures = np.array([self.count, self.characters, self._cut], np.int64)
        return [figures, *(np.frombuffer(sketch, np.uint8) for sketch in sketches)]

    @classmethod
    def from_arrays(cls, arrays: list[npt.NDArray[Any]]) -> Self:
        """Inverse of `to_arrays`."""
        values = cls()
        values.count, values.characters, cut = arrays[0].tolist()
        values._cut = bool(cut)
        values._frequent = datasketches.frequent_strings_sketch.deserialize(arrays[1].tobytes())
        values._distinct = datasketches.hll_sketch.deserialize(arrays[2].tobytes())
        return values
