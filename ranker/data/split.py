"""Which split a list belongs to: by a hash of its query id, by its time, or by the file it comes from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Self, get_args

import numpy as np
import numpy.typing as npt

from ranker.spec import Split

__all__ = ["SPLITS", "SplitBounds", "SplitName", "SplitRule", "splits_of"]

SplitName = Literal["train", "valid", "test"]
SPLITS: tuple[SplitName, ...] = get_args(SplitName)

_LAST = np.iinfo(np.int64).max
_Codes = npt.NDArray[np.int8]
_Ints = npt.NDArray[np.int64]


def splits_of(query_ids: Iterable[str], split: Split) -> npt.NDArray[np.str_]:
    """The split of each query, by a hash of its id alone: the same on every machine and in every run.

    Returns:
        array of "train", "valid" or "test", one per query id.
    """
    return np.array(SPLITS)[_by_hash(query_ids, split.valid, split.test)]


def _by_hash(query_ids: Iterable[str], valid: float, test: float) -> _Codes:
    """Places in SPLITS; from 0 on, hashes are of test, then of validation, then of training."""
    hashes = [int.from_bytes(hashlib.blake2b(q.encode(), digest_size=8).digest(), "big") for q in query_ids]
    share = np.array(hashes, dtype=np.float64) / 2.0**64
    return np.select([share < test, share < test + valid], [2, 1], 0).astype(np.int8)


@dataclass(frozen=True)
class SplitBounds:
    """Moments that split lists, in seconds since 1970.

    Attributes:
        valid: lists of this moment and later ones are not for training.
        test: lists of this moment and later ones are for test. It is the largest int64 if there are none.
    """

    valid: int
    test: int

    @classmethod
    def of_times(cls, times: _Ints, split: Split) -> Self:
        """The bounds that come nearest to the shares of a split; of two equally near ones, the earlier.

        Lists of one moment stay together, so a bound is one of the moments, or behind the last.

        Args:
            times: of all lists, in any order; none is missing.
            split: has the shares.
        """
        moments, first = np.unique(np.sort(times), return_index=True)
        moments, first = np.append(moments, _LAST), np.append(first, len(times))
        test = int(np.abs(first - len(times) * (1 - split.test)).argmin())
        before = first[: test + 1]
        valid = int(np.abs(before - len(times) * (1 - split.test - split.valid)).argmin())
        return cls(int(moments[valid]), int(moments[test]))

    def to_json(self) -> dict[str, int | None]:
        """As the manifest holds it; None where there are no such lists."""
        return {name: None if moment == _LAST else moment for name, moment in vars(self).items()}

    def codes(self, times: _Ints) -> _Codes:
        """Places in SPLITS, of lists by their times."""
        return np.select([times >= self.test, times >= self.valid], [2, 1], 0).astype(np.int8)


@dataclass(frozen=True)
class SplitRule:
    """How the lists of a source are split.

    A split is given as its place in SPLITS. `files` has it for each file of the judgments, where the data is split
    already; then lists with rows in several of them are as many lists.

    Attributes:
        split: the shares, and what they are by.
        files: see above; without a file for validation, a share of the training lists is, by the hash of their ids.
        bounds: of a split by time, once they are known.
    """

    split: Split
    files: tuple[int, ...] = ()
    bounds: SplitBounds | None = None

    @property
    def without_files(self) -> Self | None:
        """The rule for rows of tables other than the judgments, which have a query id; None if files are split."""
        return None if self.files else self

    def of_lists(self, query_ids: Sequence[str], files: _Codes, times: _Ints) -> _Codes:
        """Splits `[lists]`.

        Args:
            query_ids: of the lists.
            files: the splits of the files they come from; without meaning where `self.files` is empty.
            times: of the lists; only a split by time looks at them.
        """
        if self.files:
            return self._of_files(query_ids, files)
        if self.split.by == "time":
            if self.bounds is None:
                raise ValueError("the bounds of a split by time are not known yet")
            return self.bounds.codes(times)
        return _by_hash(query_ids, self.split.valid, self.split.test)

    def of_row(self, query_id: str, file: int) -> SplitName | None:
        """The split of a single row, if it can be told without its list.

        Args:
            query_id: of the row, or "" where it is not known.
            file: number of its file.
        """
        if not query_id:
            return SPLITS[self.files[file]] if self.files else None
        if self.split.by == "time" and not self.files:
            return None
        codes = np.array(self.files[file : file + 1] or [0], np.int8)
        return SPLITS[self.of_lists([query_id], codes, np.zeros(1, np.int64))[0]]

    def _of_files(self, query_ids: Sequence[str], files: _Codes) -> _Codes:
        if 1 in self.files:
            return files
        codes, train = files.copy(), np.flatnonzero(files == 0)
        codes[train] = _by_hash([query_ids[place] for place in train.tolist()], self.split.valid, 0.0)
        return codes
