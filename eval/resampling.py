"""Random numbers of the bootstrap and of the randomisation test, hashed from the unit that is resampled.

A unit is a query, or a user where users ask many. Its random numbers depend on its id, the number of the draw and the
seed, and on nothing else: not on the process, the order or the other units. So the same draws serve all metrics, models
and slices, differences are paired, and parts that were computed apart add up to the whole.

The id keys a splitmix64 stream (Steele, Lea and Flood, OOPSLA 2014) through blake2b; the draw is the counter. The top
32 bits become a Poisson weight by the inverse distribution function, the lowest bit a sign.
"""

import hashlib
import math
from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["poisson_weights", "random_bits", "signs", "unit_keys", "weights_of"]

# P(Poisson(1) <= j) in steps of 2^-32, j = 0 .. 11; P(Poisson(1) > 12) is 6e-11, less than a step.
_POISSON_CDF: Final = tuple(
    round(2**32 * math.exp(-1) * sum(1 / math.factorial(i) for i in range(j + 1))) for j in range(12)
)
_STEP: Final = np.uint64(0x9E3779B97F4A7C15)


def unit_keys(units: Iterable[str], seed: int) -> NDArray[np.uint64]:
    """A 64-bit key per id, uint64 [units], the same in every process.

    Raises:
        ValueError: a seed that is not 0 <= seed < 2^64.
    """
    if not 0 <= seed < 2**64:
        raise ValueError(f"seed: expected 0 <= seed < 2^64, got {seed}")
    salt = seed.to_bytes(8, "little")
    digests = b"".join(hashlib.blake2b(text.encode(), digest_size=8, key=salt).digest() for text in units)
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64)


def random_bits(keys: NDArray[np.uint64], draws: int) -> NDArray[np.uint64]:
    """64 random bits for each key and draw: uint64 [units] to uint64 [units, draws]."""
    state = keys[:, None] + np.arange(1, draws + 1, dtype=np.uint64) * _STEP
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


def weights_of(bits: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """How often a unit stands in a resample, Poisson(1), from its random bits; the same shape."""
    uniform = (bits >> np.uint64(32)).astype(np.uint32)
    weights = np.zeros(uniform.shape, dtype=np.uint8)
    for bound in _POISSON_CDF:
        weights += uniform >= np.uint32(bound)
    return weights


def signs(bits: NDArray[np.uint64]) -> NDArray[np.int8]:
    """+1 or -1, each as likely, from random bits; the same shape."""
    return (2 * (bits & np.uint64(1)).astype(np.int8) - 1).astype(np.int8)


def poisson_weights(units: Iterable[str], draws: int, seed: int) -> NDArray[np.uint8]:
    """Bootstrap weights of units: uint8 [units, draws]. Equal ids get equal weights.

    Args:
        units: their ids.
        draws: number of resamples.
        seed: 0 <= seed < 2^64.
    """
    return weights_of(random_bits(unit_keys(units, seed), draws))
