"""What a user may put beside a spec: functions of tensors. The tests copy it, and delete the copy."""

import tensorflow as tf
from rates import PER_DAY

_WEIGHTS = tf.constant([0.5, -2.0])


def margin(price, stock):
    """Infinite where stock is 0."""
    return price / stock


def details(picture, released, genres, blurb, age):
    """A vector, from values of every type."""
    sums = tf.reduce_sum(picture[:, 2:] * _WEIGHTS, axis=1)
    days = tf.cast(tf.where(released < 0, tf.zeros_like(released), released), tf.float64) / PER_DAY
    words = tf.strings.length(blurb)
    return tf.stack(
        [sums, tf.cast(days, tf.float32), tf.cast(genres.row_lengths(), tf.float32), tf.cast(words, tf.float32), age],
        axis=1,
    )


def asked(query):
    """Whole numbers, of the query alone."""
    return tf.strings.length(query)
