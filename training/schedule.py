"""The learning rate by step."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tf_keras

from training.settings import FitSettings

__all__ = ["LearningRate"]


class LearningRate(tf_keras.optimizers.schedules.LearningRateSchedule):
    """A linear rise from 0, then constant, or down to 0 by half a cosine (Loshchilov and Hutter, ICLR 2017) or a line.

    Args:
        settings: rate, schedule and share of the warm-up.
        steps: of the whole training, >= 1.
    """

    def __init__(self, settings: FitSettings, steps: int) -> None:
        self._rate, self._schedule, self._steps = settings.learning_rate, settings.schedule, steps
        self._warm_up = round(settings.warm_up * steps)

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        """The rate of a step, counted from 0: float32 scalar."""
        step = tf.cast(step, tf.float32)
        risen = tf.minimum((step + 1) / (self._warm_up + 1), 1)
        done = tf.clip_by_value((step - self._warm_up) / max(self._steps - self._warm_up, 1), 0, 1)
        left = {"constant": tf.ones_like(done), "linear": 1 - done, "cosine": (1 + tf.cos(3.14159265 * done)) / 2}
        return self._rate * risen * left[self._schedule]

    def get_config(self) -> dict[str, Any]:
        """For Keras."""
        return {"rate": self._rate, "schedule": self._schedule, "steps": self._steps, "warm_up": self._warm_up}
