"""Confidence intervals of means over queries: the Poisson bootstrap with weights hashed from the query id."""

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from eval.lists import FloatArray, IntArray

__all__ = ["BootstrapSums", "Interval", "bootstrap_interval", "poisson_weights"]

_BLOCK_WEIGHTS = 1 << 17

# P(Poisson(1) <= j) in steps of 2^-32, j = 0 .. 11; P(Poisson(1) > 12) is 6e-11, less than a step.
_POISSON_CDF: Final = tuple(
    round(2**32 * math.exp(-1) * sum(1 / math.factorial(i) for i in range(j + 1))) for j in range(12)
)


@dataclass(frozen=True)
class Interval:
    """A mean with its confidence interval.

    Args:
        mean: over the lists that have a value.
        low: lower end.
        high: upper end.
        n_lists: how many lists have a value.
    """

    mean: float
    low: float
    high: float
    n_lists: int


def poisson_weights(query_ids: Iterable[str], draws: int, seed: int) -> NDArray[np.uint8]:
    """Bootstrap weights: how often each query stands in each resample, Poisson(1) each.

    A weight depends on its query id, the number of the draw and the seed, and on nothing else: not on the process,
    the order or the other queries. The id keys a splitmix64 stream (Steele, Lea and Flood, OOPSLA 2014) through
    blake2b; the draw is the counter; the top 32 bits go through the inverse CDF. Equal ids get equal weights.

    Args:
        query_ids: n ids.
        draws: number of resamples.
        seed: 0 <= seed < 2^64.

    Returns:
        uint8 [n, draws].
    """
    return _weights(_keys(query_ids, seed), draws)


def _keys(query_ids: Iterable[str], seed: int) -> NDArray[np.uint64]:
    """A 64-bit key per id, uint64 [n], the same in every process."""
    if not 0 <= seed < 2**64:
        raise ValueError(f"bootstrap seed: expected 0 <= seed < 2^64, got {seed}")
    salt = seed.to_bytes(8, "little")
    digests = b"".join(hashlib.blake2b(text.encode(), digest_size=8, key=salt).digest() for text in query_ids)
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64)


def _weights(keys: NDArray[np.uint64], draws: int) -> NDArray[np.uint8]:
    """Weights of keys, uint64 [n] to uint8 [n, draws]."""
    counters = np.arange(1, draws + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    state = keys[:, None] + counters
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    uniform = ((state ^ (state >> np.uint64(31))) >> np.uint64(32)).astype(np.uint32)
    weights = np.zeros(uniform.shape, dtype=np.uint8)
    for bound in _POISSON_CDF:
        weights += uniform >= np.uint32(bound)
    return weights


@dataclass(frozen=True, eq=False)
class BootstrapSums:
    """What the intervals need of the values, in sums that add up: `a + b` is the whole of parts a and b.

    Series (metrics, models, differences of models) share the draws, so that an interval of a difference is paired.

    Args:
        seed: of the draws.
        n_lists: int64 [series], lists that have a value.
        total: float64 [series], sum of the values.
        weights: float64 [draws, series], sum of the weights of the lists that have a value.
        weighted: float64 [draws, series], sum of weight times value.
    """

    seed: int
    n_lists: IntArray
    total: FloatArray
    weights: FloatArray
    weighted: FloatArray

    @classmethod
    def of(cls, values: FloatArray, query_ids: NDArray[Any], draws: int = 1000, seed: int = 0) -> Self:
        """Sums of one part of the lists.

        Args:
            values: float64 [lists, series]; NaN: the list has no value in this series.
            query_ids: str [lists].
            draws: number of resamples, >= 1.
            seed: 0 <= seed < 2^64.
        """
        if values.ndim != 2 or len(values) != len(query_ids) or draws < 1:
            raise ValueError(
                f"bootstrap: expected values [{len(query_ids)}, series] for {len(query_ids)} query ids and draws >= 1,"
                f" got values {values.shape} and {draws} draws"
            )
        there = ~np.isnan(values)
        filled, counted = np.where(there, values, 0.0), there.astype(np.float64)
        keys = _keys(query_ids, seed)
        weights, weighted = np.zeros((draws, values.shape[1])), np.zeros((draws, values.shape[1]))
        step = max(1, _BLOCK_WEIGHTS // draws)
        for start in range(0, len(keys), step):  # blocks bound the memory: lists x draws is never held
            block = slice(start, start + step)
            drawn = _weights(keys[block], draws).astype(np.float64).T
            weights += drawn @ counted[block]
            weighted += drawn @ filled[block]
        return cls(seed, there.sum(axis=0), filled.sum(axis=0), weights, weighted)

    def __add__(self, other: "BootstrapSums") -> "BootstrapSums":
        if self.seed != other.seed or self.weights.shape != other.weights.shape:
            raise ValueError(
                "bootstrap sums add up only with the same seed, draws and series; got seeds"
                f" {self.seed} and {other.seed}, draws and series {self.weights.shape} and {other.weights.shape}"
            )
        return BootstrapSums(
            self.seed,
            self.n_lists + other.n_lists,
            self.total + other.total,
            self.weights + other.weights,
            self.weighted + other.weighted,
        )

    def intervals(self, confidence: float = 0.95) -> list[Interval]:
        """The mean of each series and its percentile interval (Efron and Tibshirani 1993, chapter 13).

        Draws that hold none of a series' lists (likely below ten lists only) are left out.

        Args:
            confidence: between 0 and 1.

        Raises:
            ValueError: a series has no value, or no draw holds one.
        """
        if not 0 < confidence < 1:
            raise ValueError(f"confidence: expected a number between 0 and 1, such as 0.95, got {confidence}")
        ends = [(1 - confidence) / 2, (1 + confidence) / 2]
        found = []
        for series, n_lists in enumerate(self.n_lists.tolist()):
            drawn = self.weights[:, series] > 0
            if not drawn.any():
                raise ValueError(f"bootstrap: expected lists with a value, got {n_lists} in {len(drawn)} draws")
            low, high = np.quantile(self.weighted[drawn, series] / self.weights[drawn, series], ends).tolist()
            found.append(Interval(float(self.total[series]) / n_lists, low, high, n_lists))
        return found


def bootstrap_interval(
    values: FloatArray, query_ids: NDArray[Any], confidence: float = 0.95, draws: int = 1000, seed: int = 0
) -> Interval:
    """Mean and percentile interval of one value per list; of paired differences, where the values are differences.

    Args:
        values: float64 [lists]; NaN: left out.
        query_ids: str [lists].
        confidence: between 0 and 1.
        draws: number of resamples.
        seed: 0 <= seed < 2^64.
    """
    return BootstrapSums.of(values[:, None], query_ids, draws, seed).intervals(confidence)[0]
