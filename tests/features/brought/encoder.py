"""Writes a SavedModel like a user's: variables, a vocabulary file, two signatures' worth of outputs."""

from pathlib import Path

import numpy as np
import tensorflow as tf

VOCABULARY = ["red", "shoe", "blue"]


class Encoder(tf.Module):
    """The sum of the vectors of the words, times a scale; the number of words."""

    def __init__(self, vocabulary: Path) -> None:
        super().__init__()
        lines = tf.lookup.TextFileIndex
        rows = tf.lookup.TextFileInitializer(str(vocabulary), tf.string, lines.WHOLE_LINE, tf.int64, lines.LINE_NUMBER)
        self._ids = tf.lookup.StaticHashTable(rows, default_value=3)
        self._vectors = tf.Variable(np.arange(12, dtype=np.float32).reshape(4, 3) / 4)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string), tf.TensorSpec([None, 1], tf.float32)])
    def encode(self, text, scale):
        """Outputs `vector` float32 `[rows, 3]`, `words` int64 `[rows]`."""
        words = tf.strings.split(text)
        vectors = tf.gather(self._vectors, self._ids.lookup(words.flat_values))
        total = tf.math.unsorted_segment_sum(vectors, words.value_rowids(), words.nrows())
        return {"vector": total * scale, "words": words.row_lengths()}


def write_encoder(folder: Path) -> None:
    """Write the model into `folder`; its vocabulary is an asset."""
    vocabulary = folder.parent / "vocabulary.txt"
    vocabulary.write_text("".join(f"{word}\n" for word in VOCABULARY))
    encoder = Encoder(vocabulary)
    tf.saved_model.save(encoder, str(folder), signatures={"encode": encoder.encode})
    vocabulary.unlink()
