"""The one TensorFlow Transform function: raw columns of lists in, the tensors of `ranker.data.layout` out.

One row per list: query columns are dense `[batch]`, document columns ragged `[batch, (list)]`. All arithmetic is on
flat values, document by document; ragged broadcasting is slow to build and to run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

from features.categorical import transform_categorical, vocabulary_name
from features.collection import CollectionStatistics
from features.numeric import transform_numeric
from features.text import hash_ids, tokenize
from features.text_match import bm25
from ranker.data.columns import Scope
from ranker.data.layout import IdFeature, Layout
from ranker.spec import Categorical, Features, Numeric, Text

__all__ = ["layout_of", "preprocessing"]

Tensors = dict[str, Any]


def preprocessing(features: Features, statistics: Mapping[str, CollectionStatistics]) -> Callable[[Tensors], Tensors]:
    """The function for `AnalyzeDataset`.

    Args:
        features: the section of the spec.
        statistics: of each document text that a match feature reads.

    Returns:
        function from raw columns to `dense` float32 `[batch, (list), F]` and one int64 ragged tensor per id feature:
        `[batch, (list), (ids)]` for documents, `[batch, (ids)]` for queries.
    """

    def preprocess(inputs: Tensors) -> Tensors:
        some_document_column: tf.RaggedTensor = inputs[features.document[0].name]
        row = some_document_column.value_rowids()
        query = {f.name: inputs[f.name] for f in features.query}
        document = {f.name: inputs[f.name].flat_values for f in features.document}
        words = {name: tokenize(values) for name, values in (query | document).items() if _is_text(features, name)}

        numeric = [f for f in (*features.query, *features.document) if isinstance(f, Numeric)]
        dense = []
        if numeric:
            values = [tf.gather(query[f.name], row) if f.name in query else document[f.name] for f in numeric]
            dense.append(transform_numeric(numeric, tf.stack(values, axis=1)))
        for match in features.match:
            score = bm25(match, statistics[match.document], words[match.query], words[match.document], row)
            dense.append(tf.cast(score, tf.float32)[:, tf.newaxis])
        outputs = {"dense": some_document_column.with_flat_values(tf.concat(dense, axis=1))}

        for feature in features.query:
            if not isinstance(feature, Numeric):
                outputs[feature.name] = _ids(feature, query, words)
        for feature in features.document:
            if not isinstance(feature, Numeric):
                outputs[feature.name] = some_document_column.with_values(_ids(feature, document, words))
        return outputs

    return preprocess


def layout_of(features: Features, transform: tft.TFTransformOutput) -> Layout:
    """Names and sizes of what the analysed transform gives; texts with as many buckets and dimensions share a table."""

    def id_feature(feature: Categorical | Text, scope: Scope) -> IdFeature:
        if isinstance(feature, Text):
            table = f"text_{feature.buckets}_{feature.embed}"
            return IdFeature(feature.name, scope, feature.buckets + 1, feature.embed, True, table)
        values = transform.vocabulary_size_by_name(vocabulary_name(feature))
        return IdFeature(feature.name, scope, 1 + values + feature.vocabulary.oov, feature.embed, False, feature.name)

    ids = [id_feature(f, "query") for f in features.query if not isinstance(f, Numeric)]
    ids += [id_feature(f, "document") for f in features.document if not isinstance(f, Numeric)]
    return Layout(tuple(features.dense_names), tuple(ids))


def _is_text(features: Features, name: str) -> bool:
    return any(f.name == name and isinstance(f, Text) for f in (*features.query, *features.document))


def _ids(feature: Categorical | Text, values: Tensors, words: Tensors) -> tf.RaggedTensor:
    """int64 `[values, (ids)]`."""
    if isinstance(feature, Text):
        return hash_ids(words[feature.name], feature.buckets, feature.max_words)
    ids = transform_categorical(feature, values[feature.name])
    # Not from_uniform_row_length: TensorFlow Transform cannot prune a graph with its shape tensors.
    return tf.RaggedTensor.from_row_splits(ids, tf.range(tf.size(ids, tf.int64) + 1), validate=False)
