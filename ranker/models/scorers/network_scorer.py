"""What all networks have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

import numpy as np
import tensorflow as tf
import tf_keras

from ranker.spec import Network

__all__ = ["NetworkScorer"]


class NetworkScorer(tf_keras.Model):
    """A network that scores lists.

    Noise follows from the seed of each call, initial weights from the seed of the network: nothing is drawn from a
    global generator. No position is encoded: permuting the documents permutes the scores, and padding does not matter.
    """

    def __init__(self, spec: Network, policy: str | None, random: bool) -> None:
        """Name the network.

        Args:
            spec: its section.
            policy: Keras' name of the precision; default: the global one.
            random: whether there is dropout in training.
        """
        # Keras would cast features to the precision of the layers before they are normalised.
        super().__init__(name=spec.name, dtype=policy, autocast=False)
        self._random = random

    @abstractmethod
    def adapt(self, rows: np.ndarray) -> None:
        """Take the scale of the dense numbers from a sample of the training documents, before any training.

        Args:
            rows: float32 `[n, dense]` without NaN.
        """

    @abstractmethod
    def score(
        self, features: Mapping[str, tf.Tensor], mask: tf.Tensor, training: bool, seed: tf.Tensor | None
    ) -> tf.Tensor:
        """As `call`, in any precision; `seed` is None unless noise is wanted."""

    def call(
        self,
        features: Mapping[str, tf.Tensor],
        mask: tf.Tensor,
        training: bool = False,
        seed: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Scores.

        Args:
            features: padded tensors of the layout (`ranker.data.layout`).
            mask: bool `[batch, list]`, True for documents.
            training: whether there is dropout, and batch normalisation by this batch.
            seed: int32 `[2]`, of all noise of this call; needed in training by a network with dropout.

        Returns:
            float32 `[batch, list]`, finite; meaningless where the mask is False.

        Raises:
            ValueError: in training of a network with dropout, without a seed.
        """
        if training and self._random and seed is None:
            raise ValueError(f"{self.name}: dropout in training needs a seed, int32 [2]; got None")
        return tf.cast(self.score(features, mask, training, seed if training else None), tf.float32)
