"""Dense numbers on a scale that networks can learn from, whatever their units and tails."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
import tf_keras
from numpy.typing import NDArray
from scipy.special import ndtri

__all__ = ["Numbers"]

_CELLS = 128
_LARGEST = 1e30  # beyond it float32 differences and products may overflow
_CLIP = 10.0  # standard deviations
_NEARLY_LINEAR = 0.01  # log(1 + c) of c up to this is c to half a percent

Array = NDArray[np.float64]


class Numbers(tf_keras.layers.Layer):
    """Every column made normal: the same order, but the distribution of the sample becomes the standard normal one.

    A quantile transformation (normal scores; van der Waerden 1952), by a table instead of a search, which would take
    longer than a small network. The table has evenly spaced knots over

        a = sign(c) log(1 + |c|),  c = scale (x - centre)

    and is linear between them. Centre and scale are those of three that spread the sample most evenly over the cells:
    around the median, for tails on both sides; around 0, for numbers of many magnitudes; and nearly linear.

    A column that is constant in the sample gives 0; what lies outside of the sample gives its end. Before `adapt` a
    number gives a up to its 20th power of e, with centre 0 and scale 1.
    """

    def __init__(self, columns: int) -> None:
        """Make the tables of `columns` columns."""
        super().__init__(dtype="float32", name="numbers", trainable=False)
        self._columns = columns
        self._centre = self._figures("centre", [columns])
        self._scale = self._figures("scale", [columns])
        self._first = self._figures("first", [columns])
        self._per_cell = self._figures("per_cell", [columns])
        self._knots = self._figures("knots", [columns, _CELLS + 1])
        self._take([_untold()] * columns)

    def adapt(self, rows: np.ndarray) -> None:
        """Take the tables from a sample.

        Args:
            rows: float `[n, columns]`, n at least 1, without NaN.
        """
        self._take([_table(np.clip(column.astype(np.float64), -_LARGEST, _LARGEST)) for column in rows.T])

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """float32 `[..., columns]` to the same shape."""
        centred = (x - self._centre) * self._scale
        compressed = tf.sign(centred) * tf.math.log1p(tf.abs(centred))
        place = tf.clip_by_value((compressed - self._first) * self._per_cell, 0.0, float(_CELLS))
        cell = tf.clip_by_value(tf.cast(place, tf.int32), 0, _CELLS - 1)  # where NaN (padding may have it) is some cell
        at = cell + (_CELLS + 1) * tf.range(self._columns)
        knots = tf.reshape(self._knots, [-1])
        below, above = tf.gather(knots, at), tf.gather(knots, at + 1)
        return below + (above - below) * (place - tf.cast(cell, tf.float32))

    def _figures(self, name: str, shape: list[int]) -> tf.Variable:
        return self.add_weight(name, shape, initializer="zeros", trainable=False)

    def _take(self, tables: list[tuple[Array, Array]]) -> None:
        figures = np.array([figures for figures, _ in tables], np.float64).reshape(-1, 4)
        for variable, values in zip((self._centre, self._scale, self._first, self._per_cell), figures.T, strict=True):
            variable.assign(values.astype(np.float32))
        self._knots.assign(np.array([knots for _, knots in tables], np.float32).reshape(-1, _CELLS + 1))


def _untold() -> tuple[Array, Array]:
    """The table of a column that nothing is known of."""
    knots = np.linspace(-_CLIP * 2, _CLIP * 2, _CELLS + 1)
    return np.array([0.0, 1.0, knots[0], 1 / (knots[1] - knots[0])]), knots


def _table(values: Array) -> tuple[Array, Array]:
    """Centre, scale, first knot's place and cells per unit of a column; and its knots."""
    spans = [(centre, scale, _compressed(values, centre, scale)) for centre, scale in _candidates(values)]
    spans = [(centre, scale, a) for centre, scale, a in spans if np.ptp(a) > 0]
    if not spans:
        return np.ones(4), np.zeros(_CELLS + 1)
    centre, scale, compressed = max(spans, key=lambda span: _evenness(span[2]))
    knots = np.linspace(compressed.min(), compressed.max(), _CELLS + 1)
    return np.array([centre, scale, knots[0], _CELLS / (knots[-1] - knots[0])]), _normal_scores(compressed, knots)


def _candidates(values: Array) -> list[tuple[float, float]]:
    """Centres and scales."""
    median = float(np.float32(np.median(values)))
    away, large = np.abs(values - median), np.abs(values)
    if not away.any():
        return []
    candidates = [
        (median, 1 / float(np.median(away[away > 0]))),
        (median, _NEARLY_LINEAR / float(np.max(away))),
        (0.0, 1 / float(np.quantile(large[large > 0], 0.01))),
    ]
    return [(centre, min(scale, _LARGEST)) for centre, scale in candidates]


def _compressed(values: Array, centre: float, scale: float) -> Array:
    centred = np.clip((values - centre) * scale, -_LARGEST, _LARGEST)
    compressed: Array = np.sign(centred) * np.log1p(np.abs(centred))
    return compressed


def _evenness(compressed: Array) -> float:
    """Entropy of the cells."""
    counts, _ = np.histogram(compressed, _CELLS)
    shares = counts[counts > 0] / len(compressed)
    return float(-np.sum(shares * np.log(shares)))


def _normal_scores(compressed: Array, knots: Array) -> Array:
    """The normal quantiles of the knots' ranks in the sample (ties share the mean rank), at unit variance."""
    distinct, counts = np.unique(compressed, return_counts=True)
    ranks = (np.cumsum(counts) - counts / 2) / len(compressed)
    scores = np.interp(knots, distinct, ndtri(ranks))
    of_sample = np.interp(compressed, knots, scores)
    return np.clip((scores - np.mean(of_sample)) / np.std(of_sample), -_CLIP, _CLIP)
