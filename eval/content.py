"""What documents are about, beside their labels: categories, topics, groups, vectors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from eval.lists import Lists
from eval.ragged import BoolArray, FloatArray, IntArray, Ragged

__all__ = ["Content", "ContentLists", "DocumentSets", "DocumentVectors", "content_of"]


@dataclass(frozen=True, eq=False)
class DocumentSets:
    """A set of values for each document: its category, or its topics. Equal sets have one number.

    Args:
        sets: int64 [documents], the number of each document's set. Sets are numbered by size, then by their values, so
            that their order does not depend on that of the documents.
        members: where the values of each set lie.
        codes: int64 [values of all sets], rising in each set: the values by their numbers in `names`.
        names: of values, in the order of their code points.
    """

    sets: IntArray
    members: Ragged
    codes: IntArray
    names: Sequence[str]

    @classmethod
    def of(cls, column: pa.Array, names: Sequence[str] | None = None) -> Self:
        """The sets in a column: of texts, integers or true and false, one value each, or of lists of these.

        Null and "" are no values; a value counts once in a set.

        Args:
            column: [documents].
            names: all values there can be, rising; give it where a table comes in parts. None: those of the column.

        Raises:
            ValueError: a column of another type, or a value that is not among `names`.
        """
        documents, values = _flat(column)
        if pa.types.is_nested(values.type) or pa.types.is_floating(values.type) or pa.types.is_binary(values.type):
            raise ValueError(f"sets of values: expected texts or whole numbers, or lists of them, got {column.type}")
        texts = values.cast(pa.large_string()).fill_null("")
        there = pc.not_equal(texts, "").to_numpy(zero_copy_only=False)
        encoded = texts.filter(pa.array(there)).dictionary_encode()
        found = encoded.dictionary.to_pylist()
        known = sorted(found) if names is None else list(names)
        number = {name: place for place, name in enumerate(known)}
        if unknown := [name for name in found if name not in number]:
            raise ValueError(f"sets of values: expected one of {len(known)} known values, got {unknown[0]!r}")
        codes = np.array([number[name] for name in found], np.int64)[encoded.indices.to_numpy()]
        keys = np.sort(documents[there] * max(len(known), 1) + codes)
        documents, codes = np.divmod(keys[np.diff(keys, prepend=-1) > 0], max(len(known), 1))
        ragged = Ragged.of_sizes(np.bincount(documents, minlength=len(column)))
        return cls(*_numbered(ragged, codes, len(known)), known)

    def __len__(self) -> int:
        return len(self.sets)

    @property
    def missing(self) -> BoolArray:
        """Documents without a value, bool [documents]."""
        return self.members.sizes[self.sets] == 0

    def take(self, documents: NDArray[Any]) -> Self:
        """Those of some documents, by their numbers or a mask."""
        return type(self)(self.sets[documents], self.members, self.codes, self.names)

    def values(self, sets: IntArray) -> tuple[Ragged, IntArray]:
        """The values of some sets by their numbers, int64 [n]: where those of each lie, and their codes."""
        ragged = Ragged.of_sizes(self.members.sizes[sets])
        places = np.repeat(self.members.offsets[sets] - 1, ragged.sizes) + ragged.positions
        return ragged, self.codes[places]


@dataclass(frozen=True, eq=False)
class DocumentVectors:
    """The direction of a vector for each document.

    Args:
        directions: float64 [documents, width], of length 1; zeros for a document without a direction.
        missing: bool [documents], documents with a vector that is missing (null, or NaN throughout) or zero.
    """

    directions: FloatArray
    missing: BoolArray

    @classmethod
    def of(cls, column: pa.Array) -> Self:
        """The directions in a column of vectors, fixed_size_list<float>[width] [documents].

        Raises:
            ValueError: a vector with a number that is not finite, but not NaN throughout.
        """
        width = column.type.list_size
        there = column.is_valid().to_numpy(zero_copy_only=False)
        flat = column.fill_null(pa.scalar([0.0] * width, column.type)).flatten()
        vectors = flat.cast(pa.float64()).fill_null(np.nan).to_numpy(zero_copy_only=False).reshape(-1, width).copy()
        lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
        if (odd := np.flatnonzero(~np.isfinite(lengths))).size:
            if (wrong := odd[~np.isnan(vectors[odd]).all(axis=1)]).size:
                raise ValueError(
                    f"vectors: expected finite numbers, got {vectors[wrong[0]]} in row {wrong[0]} (from 0)"
                )
            vectors[odd] = lengths[odd] = 0.0
        missing = ~there | (lengths == 0)
        vectors /= np.where(missing, 1.0, lengths)[:, None]
        return cls(vectors, missing)

    def __len__(self) -> int:
        return len(self.missing)

    def take(self, documents: NDArray[Any]) -> Self:
        """Those of some documents, by their numbers or a mask."""
        return type(self)(self.directions[documents], self.missing[documents])


Content = DocumentSets | DocumentVectors


def content_of(column: pa.Array) -> Content:
    """What a column says of documents: vectors, or sets of values.

    Raises:
        ValueError: a column of another type.
    """
    kind = column.type
    if pa.types.is_fixed_size_list(kind) and pa.types.is_floating(kind.value_type):
        return DocumentVectors.of(column)
    return DocumentSets.of(column)


@dataclass(frozen=True, eq=False)
class ContentLists(Lists):
    """Lists that know what their documents are about.

    Args:
        content: by name, what the documents are about, [documents] each.
    """

    content: Mapping[str, Content] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, values in self.content.items():
            if len(values) != len(self.labels):
                raise ValueError(f"lists: expected {len(self.labels)} values of {name!r}, one per document")

    @classmethod
    def of(cls, lists: Lists, columns: Mapping[str, pa.Array]) -> Self:
        """Lists with columns of a score table, [documents] in the order of `lists.labels`.

        Raises:
            ValueError: a column holds no sets and no vectors; it is named.
        """
        content = {}
        for name, column in columns.items():
            try:
                content[name] = content_of(column)
            except ValueError as error:
                raise ValueError(f"column {name!r}: {error}") from None
        known = (lists.query_ids, lists.offsets, lists.labels, lists.document_ids, lists.judged, lists.unlisted)
        return cls(*known, content)

    def _columns(self, documents: NDArray[Any]) -> dict[str, Any]:
        content = {name: values.take(documents) for name, values in self.content.items()}
        return {**super()._columns(documents), "content": content}


def _flat(column: pa.Array) -> tuple[IntArray, pa.Array]:
    """All values of a column, and the document of each."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if not (pa.types.is_list(column.type) or pa.types.is_large_list(column.type)):
        return np.arange(len(column)), column
    sizes = pc.list_value_length(column).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    return Ragged.of_sizes(sizes).rows, column.flatten()


def _numbered(ragged: Ragged, codes: IntArray, n_codes: int) -> tuple[IntArray, Ragged, IntArray]:
    """Rows of rising codes by the number of their set, and the sets: where the values of each lie, and these."""
    numbers = np.zeros(len(ragged), np.int64)
    sizes: list[int] = []
    members = []
    for size in np.unique(ragged.sizes).tolist():
        rows = np.flatnonzero(ragged.sizes == size)
        matrix = codes[ragged.offsets[rows][:, None] + np.arange(size)]
        places = np.zeros(len(rows), np.int64)
        for column in range(size):  # one column after the other, which keeps the order of rows
            places = np.unique(places * n_codes + matrix[:, column], return_inverse=True)[1]
        firsts = np.unique(places, return_index=True)[1]
        numbers[rows] = places + len(sizes)
        sizes += [size] * len(firsts)
        members.append(matrix[firsts].ravel())
    return numbers, Ragged.of_sizes(np.array(sizes, np.int64)), np.concatenate([np.zeros(0, np.int64), *members])
