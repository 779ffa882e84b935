"""Export: transform graph, members and blend as one SavedModel that takes raw features."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

from ranker.bundle import BLEND
from ranker.data.columns import Column
from ranker.data.layout import Layout
from ranker.models.blend import Blend
from ranker.models.padding import canonical_length, pad_lists

__all__ = ["export"]

Scorer = Callable[[Mapping[str, tf.Tensor], tf.Tensor], tf.Tensor]


def export(
    directory: Path, transform: Path, columns: list[Column], layout: Layout, members: Mapping[str, Any], blend: Blend
) -> None:
    """Write the SavedModel.

    Args:
        directory: where to.
        transform: folder of the transform graph.
        columns: raw features: the inputs.
        layout: tensors that the transform graph gives.
        members: scorer per name, in the order of the manifest.
        blend: of the members' scores.
    """
    module = _Ranker(tft.TFTransformOutput(str(transform)), columns, layout, members, blend)
    signature = {c.name: _input(c) for c in columns}
    signature["mask"] = tf.TensorSpec([None, None], tf.bool, name="mask")
    score = tf.function(module.score, input_signature=[signature], autograph=False)
    score_members = tf.function(module.score_members, input_signature=[signature], autograph=False)

    # Keyword arguments, so that the signature's inputs carry the names of the features.
    tf.saved_model.save(
        module,
        str(directory),
        signatures={
            "serving_default": _by_keyword(score, signature),
            "members": _by_keyword(score_members, signature),
        },
    )


def _input(column: Column) -> tf.TensorSpec:
    """Of a query `[batch]`, of documents `[batch, list]`; also the width of a vector, or how many values there are."""
    shape = [None] if column.scope == "query" else [None, None]
    more = [None] if column.multivalued else [] if column.width is None else [column.width]
    return tf.TensorSpec([*shape, *more], tf.as_dtype(column.dtype), name=column.name)


def _by_keyword(function: Any, signature: Mapping[str, tf.TensorSpec]) -> Any:
    @tf.function(autograph=False)
    def call(**inputs: tf.Tensor) -> Any:
        return function(inputs)

    return call.get_concrete_function(**signature)


class _Ranker(tf.Module):
    """Everything between raw features and scores."""

    def __init__(
        self,
        transform: tft.TFTransformOutput,
        columns: list[Column],
        layout: Layout,
        members: Mapping[str, Any],
        blend: Blend,
    ) -> None:
        super().__init__()
        self._transform = transform.transform_features_layer()
        # Functions, not the scorers themselves: Keras would save every layer of a network once more, for itself.
        self._members = {name: partial(_call, scorer) for name, scorer in members.items()}
        self._saved = [scorer.variables for scorer in members.values()]
        self._blend = blend
        self._columns, self._layout = columns, layout

    def score(self, inputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """`scores` float32 `[batch, list]`."""
        return {"scores": self.score_members(inputs)[BLEND]}

    def score_members(self, inputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Scores float32 `[batch, list]` of each member and the blend; the lowest float where `mask` is False.

        Only documents count: wherever the mask has its gaps, they are moved together and padded anew.
        """
        given = inputs["mask"]
        lengths = tf.reduce_sum(tf.cast(given, tf.int64), axis=1)

        def raw(column: Column) -> Any:
            values = _checked(inputs[column.name], column, given)
            if column.scope == "document":
                values = tf.boolean_mask(values, given)
            if column.dtype == "float32":
                values = _without_infinity(values, column)
            if column.multivalued:
                values = _values_given(values)
            if column.scope == "query":
                return values
            return tf.RaggedTensor.from_row_lengths(values, lengths, validate=False)

        length = canonical_length(tf.reduce_max(lengths))
        features, mask = pad_lists(self._transform({c.name: raw(c) for c in self._columns}), self._layout, length)
        scores = {name: scorer(features, mask) for name, scorer in self._members.items()}
        scores[BLEND] = self._blend(scores)
        return {name: _unpad(values, mask, given) for name, values in scores.items()}


def _checked(values: tf.Tensor, column: Column, mask: tf.Tensor) -> tf.Tensor:
    """The same, if its axes are those of its column, and its lists, documents and width those of the mask and column.

    The number of axes comes first: shapes of different length may be equal after broadcasting.
    """
    axes = _input(column).shape.rank
    found = tf.raw_ops.Rank(input=values)  # when it is run; `tf.rank` would give what the signature says
    with tf.control_dependencies([_check(tf.equal(found, axes), column, f"shape does not fit: expected {axes} axes")]):
        values = tf.identity(values)
    expected = tf.shape(mask) if column.scope == "document" else tf.shape(mask)[:1]
    given = tf.shape(values)
    if column.multivalued:
        given = given[:-1]
    elif column.width is not None:
        expected = tf.concat([expected, [column.width]], axis=0)
    check = tf.debugging.assert_equal(given, expected, f"input {column.name}: shape does not fit the mask")
    with tf.control_dependencies([check]):
        return tf.identity(values)


def _without_infinity(values: tf.Tensor, column: Column) -> tf.Tensor:
    """The same, if no number is infinite; NaN is missing."""
    finite = tf.logical_not(tf.reduce_any(tf.math.is_inf(values)))
    with tf.control_dependencies([_check(finite, column, "expected finite numbers (NaN is missing), got infinity")]):
        return tf.identity(values)


def _check(holds: tf.Tensor, column: Column, what: str) -> tf.Operation:
    """Makes the graph refuse the request with InvalidArgumentError unless it holds."""
    return tf.debugging.Assert(holds, [f"input {column.name}: {what}"])


def _values_given(padded: tf.Tensor) -> tf.RaggedTensor:
    """string `[rows, n]` filled with "" to `[rows, (values)]` without it."""
    given = tf.not_equal(padded, "")
    lengths = tf.math.count_nonzero(given, axis=1, dtype=tf.int64)
    return tf.RaggedTensor.from_row_lengths(tf.boolean_mask(padded, given), lengths, validate=False)


def _call(scorer: Scorer, features: Mapping[str, tf.Tensor], mask: tf.Tensor) -> tf.Tensor:
    return scorer(features, mask)


def _unpad(scores: tf.Tensor, mask: tf.Tensor, given: tf.Tensor) -> tf.Tensor:
    """Scores back to the places where the documents were given."""
    lowest = tf.fill(tf.shape(given), scores.dtype.min)
    return tf.tensor_scatter_nd_update(lowest, tf.where(given), tf.boolean_mask(scores, mask))
