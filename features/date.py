"""Dates: their age when the query was asked, a number like others."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from features.lists import Lists
from ranker.data.columns import MISSING_INT, TIMESTAMP
from ranker.spec import Date

__all__ = ["ages", "ages_in_days"]

_DAY = 86_400.0  # seconds


def ages(dates: Sequence[Date], lists: Lists) -> dict[str, tf.Tensor]:
    """float32 `[documents]` of each feature by its name; NaN is missing."""
    if not dates:
        return {}
    raw = tf.stack([lists.per_document(date.name) for date in dates], axis=1)
    days = ages_in_days(raw, tf.gather(lists.query[TIMESTAMP.name], lists.row))
    return dict(zip([date.name for date in dates], tf.unstack(days, axis=1), strict=True))


def ages_in_days(dates: tf.Tensor, now: tf.Tensor) -> tf.Tensor:
    """(now - date) / 86400, in float64; below 0 for what is yet to come.

    Args:
        dates: int64 `[documents, dates]`, seconds since 1970 in UTC; the smallest int64 is missing.
        now: int64 `[documents]`, the same of the query.

    Returns:
        float32 `[documents, dates]`; NaN where one of both is missing.
    """
    now = now[:, tf.newaxis]
    missing = tf.logical_or(tf.equal(dates, MISSING_INT), tf.equal(now, MISSING_INT))
    days = (tf.cast(now, tf.float64) - tf.cast(dates, tf.float64)) / _DAY
    return tf.cast(tf.where(missing, tf.constant(float("nan"), tf.float64), days), tf.float32)
