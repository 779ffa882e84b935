"""A batch of lists as the feature kinds see it: flat values, document by document."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import tensorflow as tf

from features.collection import CollectionStatistics
from features.text import Words

__all__ = ["Lists"]

T = TypeVar("T")


@dataclass(frozen=True)
class Lists:
    """Raw columns of a batch of lists, and what several features need of them, made once.

    Attributes:
        row: int64 `[documents]`, the list of each document; rising.
        starts: int64 `[lists + 1]`, the first document of each list, and the number of documents.
        query: raw columns, see `ranker.data.columns`: float32, int64 or string `[lists]`, vectors `[lists, width]`,
            multi-valued ones ragged `[lists, (values)]`.
        document: raw columns `[documents]`, `[documents, width]` or ragged `[documents, (values)]`.
        statistics: of each document text of which a feature needs them.
        numbers: float32 `[documents]`, what listwise features compare: raw numbers (NaN is missing), ages and matches.
        kinds: kind of each feature of the query or document.
        columns: float32 `[documents]`, columns of `dense` that were made so far; crosses read the buckets of numbers.
        computed: the function of each computed feature, from the values of its inputs to float32 `[rows, width]`.
    """

    row: tf.Tensor
    starts: tf.Tensor
    query: Mapping[str, Any]
    document: Mapping[str, Any]
    statistics: Mapping[str, CollectionStatistics]
    numbers: dict[str, tf.Tensor] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    columns: dict[str, tf.Tensor] = field(default_factory=dict)
    computed: Mapping[str, Callable[[list[Any]], tf.Tensor]] = field(default_factory=dict)
    _made: dict[Hashable, Any] = field(default_factory=dict)

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, computed for the first who asks by this key."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def raw(self, name: str) -> Any:
        """A raw column, `[lists, ...]` or `[documents, ...]`."""
        return self.query[name] if name in self.query else self.document[name]

    def per_document(self, name: str, values: tf.Tensor | None = None) -> tf.Tensor:
        """`[documents, ...]`: values of a feature (default: its raw column), those of a query for each document."""
        values = self.raw(name) if values is None else values
        return tf.gather(values, self.row) if name in self.query else values

    def words(self, name: str) -> Words:
        """Words of a text column."""
        return self.once(("words", name), lambda: Words.of(self.raw(name)))

    @property
    def count(self) -> tf.Tensor:
        """int32 scalar: how many lists there are."""
        return self.once("count", lambda: tf.size(self.starts) - 1)

    def sum_by_document(self, values: tf.Tensor, document: tf.Tensor) -> tf.Tensor:
        """`[documents]`: the sum of the values of each document, added in their order."""
        return tf.math.unsorted_segment_sum(values, document, tf.size(self.row))

    def sum_by_list(self, values: tf.Tensor, row: tf.Tensor | None = None) -> tf.Tensor:
        """`[lists]`: the sum of the values of each list, added in their order."""
        return tf.math.unsorted_segment_sum(values, self.row if row is None else row, self.count)
