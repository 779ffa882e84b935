"""Which split a list belongs to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from ranker.spec import Split

__all__ = ["SPLITS", "SplitName", "splits_of"]

SplitName = Literal["train", "valid", "test"]
SPLITS: tuple[SplitName, ...] = get_args(SplitName)


def splits_of(query_ids: Iterable[str], split: Split) -> npt.NDArray[np.str_]:
    """The split of each query, by a hash of its id alone: the same on every machine and in every run.

    Returns:
        array of "train", "valid" or "test", one per query id.
    """
    hashes = [int.from_bytes(hashlib.blake2b(q.encode(), digest_size=8).digest(), "big") for q in query_ids]
    share = np.array(hashes, dtype=np.float64) / 2.0**64
    return np.select([share < split.test, share < split.test + split.valid], ["test", "valid"], "train")
