"""Dense numbers in pieces, so that a layer's weighted sum of them is any piecewise linear function of each."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import tensorflow as tf
import tf_keras
from numpy.typing import NDArray

__all__ = ["PIECES", "Pieces"]

PIECES = 8  # of each number
_LARGEST = 1e30  # beyond it float32 differences and products may overflow
_CLIP = 10.0  # standard deviations
_FEW = 3  # edges

Array = NDArray[np.float64]


class Pieces(tf_keras.layers.Layer):
    """Piecewise linear encoding (Gorishniy, Rubachev and Babenko, NeurIPS 2022), each piece at mean 0 and variance 1.

    The piece of the number x between the edges e and f is (x - e) / (f - e), clipped to 0 ... 1; the first goes on down
    to -1, the last up to 2. Edges are quantiles of the sample. Pieces that a column does not need, for want of
    different quantiles, are 0. Before `adapt` there is one piece, from 0 to 1.

    The edges are those of the numbers as they are, and not of their logarithm, whose last digit another processor may
    compute otherwise: between two edges that are near each other it would count.
    """

    def __init__(self, columns: int) -> None:
        """Make the edges of `columns` columns."""
        super().__init__(dtype="float32", name="pieces", trainable=False)
        self._figures = [
            self.add_weight(name, [columns, PIECES], initializer="zeros", trainable=False)
            for name in ("centre", "scale", "least", "most")
        ]
        self._take([_untold()] * columns)

    def adapt(self, rows: np.ndarray) -> None:
        """Take the edges from a sample.

        Args:
            rows: float `[n, columns]`, n at least 1, without NaN.
        """
        self._take([_encoding(np.clip(column.astype(np.float64), -_LARGEST, _LARGEST)) for column in rows.T])

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """float32 `[..., columns]` to `[..., columns, PIECES]`."""
        centre, scale, least, most = self._figures
        inside = tf.clip_by_value(x, -_LARGEST, _LARGEST)[..., tf.newaxis]
        return tf.clip_by_value((inside - centre) * scale, least, most)

    def _take(self, encodings: list[Array]) -> None:
        stacked = np.array(encodings, np.float64).reshape(-1, 4, PIECES)
        for at, variable in enumerate(self._figures):
            variable.assign(stacked[:, at].astype(np.float32))


def _untold() -> Array:
    """Of a column that nothing is known of."""
    encoding = np.zeros([4, PIECES])
    encoding[:, 0] = 0, 1, -1, 2
    return encoding


def _encoding(values: Array) -> Array:
    """Centre, scale, least and most `[4, PIECES]` of a column's pieces."""
    encoding = np.zeros([4, PIECES])
    edges = _edges(values)
    for at, (low, high) in enumerate(pairwise(edges)):
        piece = (values - low) / (high - low)
        ends = np.array([-1.0 if at == 0 else 0.0, 2.0 if at == len(edges) - 2 else 1.0])
        piece = np.clip(piece, *ends)
        mean, deviation = np.mean(piece), np.std(piece)
        if deviation > 0:
            scale = 1 / ((high - low) * deviation)
            encoding[:, at] = low + mean * (high - low), scale, *np.clip((ends - mean) / deviation, -_CLIP, _CLIP)
    return np.clip(encoding, -_LARGEST, _LARGEST)


def _edges(values: Array) -> Array:
    """At most PIECES + 1 edges, ascending, at distances that float32 can tell.

    These are the quantiles. Where nearly all of them are equal, the median of the other values is one more, so that a
    number that is mostly 0 keeps small and large ones apart.
    """
    edges = np.unique(np.quantile(values, np.linspace(0, 1, PIECES + 1), method="inverted_cdf"))
    if len(edges) <= _FEW:
        distinct, counts = np.unique(values, return_counts=True)
        others = values[~np.isin(values, distinct[counts > len(values) / PIECES])]
        edges = np.append(edges, np.median(others)) if len(others) else edges
    return np.unique(edges.astype(np.float32)).astype(np.float64)
