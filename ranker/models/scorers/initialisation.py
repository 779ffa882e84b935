"""Initial weights that follow from a seed and the weight's own name, never from a global generator."""

from __future__ import annotations

import zlib

import tf_keras

__all__ = ["derived_seed", "embedding", "glorot"]

_SEEDS = 2**31 - 1  # Keras takes a non-negative int32


def derived_seed(seed: int, name: str) -> int:
    """Another seed, for the part of this name: equal for equal arguments on every machine."""
    return zlib.crc32(f"{seed}/{name}".encode()) % _SEEDS


def glorot(seed: int, name: str) -> tf_keras.initializers.Initializer:
    """Uniform, of variance 2 / (inputs + outputs) (Glorot and Bengio, AISTATS 2010)."""
    return tf_keras.initializers.GlorotUniform(derived_seed(seed, name))


def embedding(seed: int, name: str) -> tf_keras.initializers.Initializer:
    """Normal, of deviation 0.1.

    With Keras' 0.03 the products of embeddings start so near to 0 that few lists cannot teach them anything.
    """
    return tf_keras.initializers.RandomNormal(0.0, 0.1, derived_seed(seed, name))
