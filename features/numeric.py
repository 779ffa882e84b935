"""Numbers, and the ages that dates are: all columns stacked, so that one analyzer serves all."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf
import tensorflow_transform as tft

from features.lists import Lists
from ranker.spec import Date, Numeric

__all__ = ["number_columns", "transform_numeric"]

_NO_SPREAD = 1e-12  # variance / mean^2 up to this is the rounding error of two sums that ought to be equal
_RANK_ERROR = 1e-3  # of quantiles, as a share of the values
_NO_WEIGHT = 1e-30
_SCALES = ("zscore", "minmax")


def number_columns(specs: Sequence[Numeric | Date], lists: Lists) -> tf.Tensor:
    """float32 `[documents, columns]`: number, bucket and indicator, as wanted, feature by feature."""
    numbers = lists.numbers
    raw = [numbers[spec.name] if spec.name in numbers else lists.per_document(spec.name) for spec in specs]
    raw = tf.stack(raw, axis=1)
    missing = tf.math.is_nan(raw)
    parts = [transform_numeric(specs, raw)]
    columns = {spec.name: place for place, spec in enumerate(specs)}
    for buckets in sorted({spec.buckets for spec in specs if spec.buckets}):
        names = [spec.name for spec in specs if spec.buckets == buckets]
        columns |= {f"{name}_bucket": len(columns) + place for place, name in enumerate(names)}
        chosen = [columns[name] for name in names]
        parts.append(_buckets(buckets, tf.gather(raw, chosen, axis=1)))
    if names := [spec.name for spec in specs if spec.missing_indicator]:
        parts.append(tf.cast(tf.gather(missing, [columns[name] for name in names], axis=1), tf.float32))
        columns |= {f"{name}_missing": len(columns) + place for place, name in enumerate(names)}
    if len(parts) == 1:
        return parts[0]
    order = [columns[column] for spec in specs for column in spec.dense_columns]
    return tf.gather(tf.concat(parts, axis=1), order, axis=1)


def transform_numeric(specs: Sequence[Numeric | Date], values: tf.Tensor) -> tf.Tensor:
    """The steps of `transform` with constants of the training documents, in float64.

    Args:
        specs: one per column.
        values: float32 `[documents, columns]`; NaN is missing.

    Returns:
        float32 `[documents, columns]`, finite. A column without spread has z-score 0 and minmax 0.
    """
    missing = tf.math.is_nan(values)
    default = [spec.missing if isinstance(spec.missing, float) else 0.0 for spec in specs]
    x = tf.where(missing, tf.constant(default, tf.float64), tf.cast(values, tf.float64))
    before, after = zip(*(_around_scale(spec) for spec in specs), strict=True)
    x = _elementwise(specs, before, x)
    present = tf.logical_not(missing)
    known = tf.where(present, x, 0)
    sums = tft.sum(tf.concat([tf.cast(present, tf.float64), known, known**2], axis=1), reduce_instance_dims=False)
    count, total, squares = tf.split(sums, 3)
    mean = tf.math.divide_no_nan(total, count)
    if any(wanted := [spec.missing == "mean" for spec in specs]):
        x = tf.where(tf.logical_and(missing, wanted), mean, x)
    zscore, minmax = ([step in spec.transform for spec in specs] for step in _SCALES)
    if any(zscore):
        variance = tf.math.divide_no_nan(squares, count) - mean**2
        spread = tf.sqrt(tf.where(variance > _NO_SPREAD * mean**2, variance, 0))
        x = tf.where(zscore, tf.math.divide_no_nan(x - mean, spread), x)
    if any(minmax):
        both = tf.where(tf.concat([present, present], axis=1), tf.concat([x, -x], axis=1), tf.float64.min)
        high, minus_low = tf.split(tft.max(both, reduce_instance_dims=False), 2)
        width = tf.where(count > 0, high + minus_low, 0)
        x = tf.where(minmax, tf.math.divide_no_nan(x + minus_low, width), x)
    x = _elementwise(specs, after, x)
    if any(wanted := [spec.missing == "zero" for spec in specs]):
        x = tf.where(tf.logical_and(missing, wanted), tf.zeros_like(x), x)
    return tf.cast(tf.clip_by_value(x, tf.float32.min, tf.float32.max), tf.float32)


def _around_scale(spec: Numeric | Date) -> tuple[Sequence[str], Sequence[str]]:
    """The steps before and after `zscore` or `minmax`; without these, all are before."""
    steps = spec.transform
    at = next((place for place, step in enumerate(steps) if step in _SCALES), len(steps))
    return steps[:at], steps[at + 1 :]


def _elementwise(specs: Sequence[Numeric | Date], steps: Sequence[Sequence[str]], x: tf.Tensor) -> tf.Tensor:
    """The steps `clip` and `log1p` of each column, in order; float64 `[documents, columns]`."""
    for place in range(max(map(len, steps))):
        taken = [column[place] if place < len(column) else None for column in steps]
        if "clip" in taken:
            bounds = [
                spec.clip if step == "clip" and spec.clip else (tf.float64.min, tf.float64.max)
                for spec, step in zip(specs, taken, strict=True)
            ]
            low, high = (tf.constant(bound, tf.float64) for bound in zip(*bounds, strict=True))
            x = tf.clip_by_value(x, low, high)
        if "log1p" in taken:
            x = tf.where([step == "log1p" for step in taken], tf.sign(x) * tf.math.log1p(tf.abs(x)), x)
    return x


def _buckets(buckets: int, raw: tf.Tensor) -> tf.Tensor:
    """float32 `[documents, columns]`: quantile bucket of each number, from 1; 0 for NaN."""
    # The analyzer fails for a column of NaN alone: a row of zeros, almost without weight, is added.
    values = tf.pad(raw, [[0, 1], [0, 0]])
    weights = tf.pad(tf.ones_like(raw[:, 0]), [[0, 1]], constant_values=_NO_WEIGHT)
    error = min(_RANK_ERROR, 0.1 / buckets)
    bounds = tft.quantiles(values, buckets, error, weights, reduce_instance_dims=False)
    by_column = tf.transpose(raw)
    bucket = 1 + tf.searchsorted(bounds, by_column, side="right")
    return tf.transpose(tf.cast(tf.where(tf.math.is_nan(by_column), 0, bucket), tf.float32))
