"""The names are in the order of the numbers."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from ranker.data.layout import IdFeature, Layout
from ranker.models.scorers.input_names import input_names, number_names
from ranker.models.scorers.inputs import Inputs
from ranker.models.scorers.overlap import overlaps

LAYOUT = Layout(
    ("price", "stock"),
    (
        IdFeature("words", "query", 10, 2, True, "#text_9_2"),
        IdFeature("segment", "query", 5, 3, False, "segment"),
        IdFeature("body", "document", 10, 2, True, "#text_9_2"),
        IdFeature("title", "document", 10, 2, True, "#text_9_2"),
        IdFeature("shop", "document", 6, 4, False, "shop"),
    ),
)
MASK = tf.ones([1, 2], tf.bool)
NOTHING = {"dense": tf.zeros([1, 2, 2])} | {
    feature.name: tf.zeros([1, 1] if feature.scope == "query" else [1, 2, 1], tf.int64) for feature in LAYOUT.ids
}


def found(values: tf.Tensor, names: list[str]) -> list[str]:
    """Names of what is not 0 for the first document."""
    assert values.shape[-1] == len(names)
    return [names[place] for place in np.flatnonzero(np.abs(values[0, 0]) > 1e-6)]


def given(*names: str) -> dict[str, tf.Tensor]:
    """The first document and the query have an id of each of the features."""
    one = {"query": [[1]], "document": [[[1], [0]]]}
    more = {f.name: tf.constant(one[f.scope], tf.int64) for f in LAYOUT.ids if f.name in names}
    return NOTHING | more


def test_overlaps_come_behind_the_dense_numbers():
    names = number_names(LAYOUT, LAYOUT.dense)
    assert names == ["price", "stock", "words & body", "words & title"]
    values = overlaps(given("words", "title"), MASK, LAYOUT) - overlaps(given("words"), MASK, LAYOUT)
    assert found(values, names[2:]) == ["words & title"]


def test_each_part_is_where_its_name_is():
    layer = Inputs(LAYOUT, rate=0, seed=0)
    layer.adapt(np.stack([np.arange(9), np.arange(9)], axis=1))  # each piece is 1 wide
    names = input_names(LAYOUT, LAYOUT.dense)
    for column, name in enumerate(LAYOUT.dense):
        for at in range(8):
            low, high = (layer(NOTHING | {"dense": tf.one_hot([[column, -1]], 2) * x}, MASK) for x in (at, at + 1.0))
            assert found(high - low, names) == [f"{name}, piece {at} of 8"]
    nothing = layer(NOTHING, MASK)
    for feature, width in (("segment", 3), ("shop", 4)):
        for at in range(width):
            _set(layer, feature, at)
            assert found(layer(given(feature), MASK) - nothing, names) == [f"{feature}[{at} of {width}]"]
    for title in ("body", "title"):
        for at in range(2):
            _set(layer, "#text_9_2", at)
            values = layer(given("words", title), MASK) - nothing
            assert found(values, names) == [f"words & {title}", f"words*{title}[{at} of 2]"]


def _set(layer: Inputs, table: str, at: int) -> None:
    """All embeddings of a table to 1 in one place and 0 in the others."""
    weights = next(w for w in layer.weights if w.name.split("/")[-2:-1] == [f"embed_{table.replace('#', '.')}"])
    weights.assign(tf.one_hot([at] * weights.shape[0], weights.shape[1]))
