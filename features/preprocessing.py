"""The one TensorFlow Transform function: raw columns of lists in, the tensors of `ranker.data.layout` out.

One row per list: query columns are dense `[batch]`, document columns ragged `[batch, (list)]`. All arithmetic is on
flat values, document by document; ragged broadcasting is slow to build and to run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

from features.categorical import category_ids, one_hot_columns, vocabulary_name
from features.collection import CollectionStatistics
from features.computed import computed_columns
from features.crosses import cross_columns, cross_ids
from features.date import ages
from features.lists import Lists
from features.listwise import percentile_in_list, rank_in_list, zscore_in_list
from features.numeric import number_columns
from features.rows import rows_of
from features.text import text_ids
from features.text_columns import text_columns
from features.text_match import (
    bigram_overlap,
    bm25,
    coverage,
    exact_phrase,
    idf_overlap,
    length_ratio,
    tfidf_cosine,
)
from features.vector import vector_columns
from ranker.data.columns import LABEL, TIMESTAMP, Scope, judged_columns
from ranker.data.layout import IdFeature, Layout
from ranker.spec import Categorical, Cross, Features, Spec, Text

__all__ = ["DENSE", "IDS", "layout_of", "preprocessing", "texts_with_statistics"]

Tensors = dict[str, Any]
DenseFunction = Callable[[Sequence[Any], Lists], tf.Tensor]


def _number(function: Callable[[Any, Lists], tf.Tensor]) -> DenseFunction:
    """Of a function for one number `[documents]`, one for columns; listwise features can read the numbers."""

    def columns(specs: Sequence[Any], lists: Lists) -> tf.Tensor:
        lists.numbers.update({spec.name: tf.cast(function(spec, lists), tf.float32) for spec in specs})
        return tf.stack([lists.numbers[spec.name] for spec in specs], axis=1)

    return columns


# The function of each kind of feature with columns in `dense`: (features of the kind, lists) -> float32
# [documents, columns], in the order of their `dense_columns`. Kinds with the same function are given to it together.
DENSE: Mapping[str, DenseFunction] = {
    "numeric": number_columns,
    "date": number_columns,
    "vector": vector_columns,
    "categorical": one_hot_columns,
    "text": text_columns,
    "saved_model": computed_columns,
    "code": computed_columns,
    "cross": cross_columns,
    "bm25": _number(bm25),
    "tfidf_cosine": _number(tfidf_cosine),
    "coverage": _number(coverage),
    "idf_overlap": _number(idf_overlap),
    "exact_phrase": _number(exact_phrase),
    "bigram_overlap": _number(bigram_overlap),
    "length_ratio": _number(length_ratio),
    "rank_in_list": _number(rank_in_list),
    "percentile_in_list": _number(percentile_in_list),
    "zscore_in_list": _number(zscore_in_list),
}

# The function of each kind of feature that gives ids: (feature, lists) -> int64 [lists or documents, (ids)].
IDS: Mapping[str, Callable[[Any, Lists], tf.RaggedTensor]] = {
    "categorical": category_ids,
    "text": text_ids,
    "cross": cross_ids,
}


def preprocessing(
    features: Features,
    statistics: Mapping[str, CollectionStatistics],
    computed: Mapping[str, Callable[[list[Any]], tf.Tensor]] | None = None,
) -> Callable[[Tensors], Tensors]:
    """The function for `AnalyzeDataset`.

    Args:
        features: the section of the spec.
        statistics: of each text in `texts_with_statistics`.
        computed: the function of each computed feature, as `load_computed` gives them.

    Returns:
        function from raw columns to `dense` float32 `[batch, (list), F]` and one int64 ragged tensor per id feature:
        `[batch, (list), (ids)]` for documents, `[batch, (ids)]` for queries.
    """

    queries = [f.name for f in features.query] + [TIMESTAMP.name] * bool(features.dates)

    def preprocess(inputs: Tensors) -> Tensors:
        some_document_column: tf.RaggedTensor = inputs[features.document[0].name]
        document = {f.name: inputs[f.name].values for f in features.of_documents}
        lists = Lists(
            row=rows_of(some_document_column),
            starts=some_document_column.row_splits,
            query={name: inputs[name] for name in queries},
            document=document,
            statistics=statistics,
            numbers={f.name: document[f.name] for f in features.of_documents if f.kind == "numeric"},
            kinds={f.name: f.kind for f in (*features.query, *features.of_documents)},
            computed=computed or {},
        )
        lists.numbers.update(ages(features.dates, lists))
        dense = []
        for columns_of, specs in groupby(features.dense, lambda f: DENSE[f.kind]):
            given = list(specs)
            dense.append(columns_of(given, lists))
            if columns_of is number_columns:
                names = [column for spec in given for column in spec.dense_columns]
                lists.columns.update({name: dense[-1][:, place] for place, name in enumerate(names)})
        outputs = {"dense": some_document_column.with_values(tf.concat(dense, axis=1))}
        for feature, scope in _id_features(features):
            ids = IDS[feature.kind](feature, lists)
            outputs[feature.name] = ids if scope == "query" else some_document_column.with_values(ids)
        return outputs

    return preprocess


def texts_with_statistics(features: Features) -> list[str]:
    """The texts of documents of which features need the statistics of the collection, each once."""
    weighed = [f.name for f in features.document if isinstance(f, Text) and f.encode == "tfidf"]
    return sorted({*weighed, *(match.document for match in features.match)})


def layout_of(spec: Spec, transform: tft.TFTransformOutput) -> Layout:
    """Names and sizes of what the analysed transform gives; texts with as many buckets and dimensions share a table."""

    def id_feature(feature: Categorical | Text | Cross, scope: Scope) -> IdFeature:
        if isinstance(feature, Cross):
            many = spec.features.has_many(feature)
            return IdFeature(feature.name, scope, feature.buckets + 1, feature.embed, many, feature.name)
        if isinstance(feature, Text):
            table = f"#text_{feature.buckets}_{feature.embed}"  # no name of a feature has a #
            return IdFeature(feature.name, scope, feature.buckets + 1, feature.embed, True, table)
        if feature.hash is not None:
            most = feature.hash
        else:
            most = transform.vocabulary_size_by_name(vocabulary_name(feature)) + feature.vocabulary.oov
        return IdFeature(feature.name, scope, 1 + most, feature.embed, feature.multivalued, feature.name)

    ids = tuple(id_feature(f, scope) for f, scope in _id_features(spec.features))
    judged = tuple(column.name for column in judged_columns(spec.data) if column != LABEL)
    return Layout(tuple(spec.features.dense_names), ids, judged)


def _id_features(features: Features) -> list[tuple[Categorical | Text | Cross, Scope]]:
    """Those that give ids, queries first."""
    scoped: list[tuple[Any, Scope]] = [
        *((f, "query") for f in features.query),
        *((f, "document") for f in (*features.of_documents, *features.crosses)),
    ]
    return [(f, scope) for f, scope in scoped if f.kind in IDS and not f.dense_columns]
