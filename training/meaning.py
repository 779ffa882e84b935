"""What the inputs of a network stand for, so that weights of one dataset can be used with another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.categorical import vocabulary_name
from ranker.data.artefacts import ArtefactError
from ranker.data.layout import Layout
from ranker.models.scorers.input_names import input_names, number_names
from ranker.spec import Categorical, Cross, DenseFeature, Features, Text

__all__ = ["VECTORS", "Entries", "dense_names", "embedding_of", "ids_of", "meanings"]

# The vectors that networks see of a document, each an axis: names of its numbers, given those of the dense columns.
VECTORS: Mapping[str, Callable[[Layout, Sequence[str]], Sequence[str]]] = {
    "dense": lambda _, dense: dense,
    "numbers": number_names,
    "inputs": input_names,
}


@dataclass(frozen=True, eq=False)
class Entries:
    """What the places along an axis of a weight stand for.

    Attributes:
        reserved: places before the others that stand for nothing: 1 for the id 0.
        values: names or values of the places after these, binary, each once.
        buckets: places after these, each for all values that a hash of so many buckets puts there.
    """

    reserved: int
    values: pa.Array
    buckets: int

    def __len__(self) -> int:
        return self.reserved + len(self.values) + self.buckets

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Entries):
            return NotImplemented
        counts = (self.reserved, self.buckets) == (other.reserved, other.buckets)
        return counts and bool(self.values.equals(other.values))

    __hash__ = None  # type: ignore[assignment]

    def places_in(self, older: Entries) -> NDArray[np.int64]:
        """The place of each entry in the older ones, int64 `[len(self)]`; -1 where it is not among them."""
        found = pc.index_in(self.values, value_set=older.values).fill_null(-1).to_numpy(zero_copy_only=False)
        same_hash = self.buckets == older.buckets
        first = older.reserved + len(older.values)
        return np.concatenate(
            [
                np.arange(self.reserved, dtype=np.int64) if self.reserved == older.reserved else _none(self.reserved),
                np.where(found < 0, -1, found + older.reserved).astype(np.int64),
                np.arange(first, first + self.buckets, dtype=np.int64) if same_hash else _none(self.buckets),
            ]
        )


def ids_of(table: str) -> str:
    """Name of the axis of the ids of a table."""
    return f"ids of {table}"


def embedding_of(table: str) -> str:
    """Name of the axis of the numbers of an embedding."""
    return f"embedding of {table}"


def meanings(features: Features, layout: Layout, vocabularies: Path) -> dict[str, Entries]:
    """What each axis that depends on the dataset stands for, by its name.

    Args:
        features: the section of the dataset's spec.
        layout: of the dataset.
        vocabularies: folder of its vocabularies, among the assets of its transform graph.

    Raises:
        ArtefactError: if a vocabulary is missing or of another size.
    """
    given = {feature.name: feature for feature in (*features.query, *features.of_documents, *features.crosses)}
    dense = dense_names(features, vocabularies)
    axes = {name: _named(names(layout, dense)) for name, names in VECTORS.items()}
    for one in layout.ids:
        feature = given[one.name]
        if isinstance(feature, Categorical) and feature.hash is None:
            values = _vocabulary(feature, vocabularies, one.size - 1 - feature.vocabulary.oov)
            axes[ids_of(one.table)] = Entries(1, values, feature.vocabulary.oov)
        else:
            axes[ids_of(one.table)] = Entries(1, pa.array([], pa.binary()), one.size - 1)
        axes[embedding_of(one.table)] = _named([f"{at} of {one.embed}" for at in range(one.embed)])
    return axes


def dense_names(features: Features, vocabularies: Path) -> list[str]:
    """Names of the dense columns that say what they count: that of a category its value, that of a hash its size."""
    return [name for feature in features.dense for name in _columns(feature, vocabularies)]


def _columns(feature: DenseFeature, vocabularies: Path) -> list[str]:
    columns = feature.dense_columns
    if isinstance(feature, Categorical) and feature.hash is None:
        oov, values = feature.vocabulary.oov, _vocabulary(feature, vocabularies).to_pylist()
        used = [f"{feature.name}={value.decode('utf-8', 'surrogateescape')}" for value in values]
        used += [f"{feature.name}: other {at} of {oov}" for at in range(oov)]
        return [*used, *(f"{feature.name}: unused {at}" for at in range(len(columns) - len(used)))]
    if isinstance(feature, Categorical | Text | Cross):
        return [f"{column} of {len(columns)}" for column in columns]
    return columns


def _vocabulary(feature: Categorical, vocabularies: Path, size: int | None = None) -> pa.Array:
    """Its values in the order of their ids, binary."""
    path = vocabularies / vocabulary_name(feature)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ArtefactError(f"{path}: the vocabulary of {feature.name} cannot be read ({error.strerror})") from None
    values = content.removesuffix(b"\n").split(b"\n") if content else []
    if size is not None and len(values) != size:
        raise ArtefactError(f"{path}: the vocabulary of {feature.name} has {len(values)} values, expected {size}")
    return pa.array(values, pa.binary())


def _named(names: Sequence[str]) -> Entries:
    return Entries(0, pa.array([name.encode("utf-8", "surrogateescape") for name in names], pa.binary()), 0)


def _none(size: int) -> NDArray[np.int64]:
    return np.full(size, -1, np.int64)
