"""Serialized tf.Example and ExampleListWithContext messages of whole batches, without a loop over rows.

The wire format of Protocol Buffers (protobuf.dev/programming-guides/encoding), in numpy and Arrow. The bytes are those
of a deterministic serialization: the names of features come in the order of their UTF-8. A message is kept in pieces
until it is whole, so that values are copied once or twice; what all rows have in common is one piece for all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["Feature", "Pieces", "example", "floats", "integers", "list_records", "texts"]

Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

# Tags: the number of a field, and that its length comes next.
_FIRST, _SECOND, _THIRD = b"\x0a", b"\x12", b"\x1a"
# The fields of Feature: bytes_list, float_list, int64_list.
_BYTES_LIST, _FLOAT_LIST, _INT64_LIST = _FIRST, _SECOND, _THIRD
_FLOAT_SIZE = 4


@dataclass(frozen=True)
class Pieces:
    """A message for each row, as pieces that follow one another.

    Attributes:
        rows: how many messages.
        pieces: large_binary `[rows]`, or bytes that are the same in all rows.
        length: bytes of each message, int64 `[rows]`, or a number if all have as many.
    """

    rows: int
    pieces: tuple[pa.LargeBinaryArray | bytes, ...]
    length: Int64s | int

    def only(self, present: Bools) -> Pieces:
        """The same, with nothing in the rows where `present` is False."""
        if present.all():
            return self
        lengths = np.where(present, self.length, 0)
        if not isinstance(self.length, int):
            kept = pc.if_else(pa.array(present), self.joined(), pa.scalar(b"", pa.large_binary()))
            return Pieces(self.rows, (kept,), lengths)
        array = self.joined().filter(pa.array(present))
        return Pieces(self.rows, (_binary(_data(array), np.append(0, np.cumsum(lengths))),), lengths)

    def joined(self) -> pa.LargeBinaryArray:
        """Each message whole."""
        arguments = [_argument(piece) for piece in (*self.pieces, b"")]  # the last is the separator
        if all(isinstance(piece, bytes) for piece in self.pieces):
            return pa.repeat(pa.scalar(b"".join(self.pieces), pa.large_binary()), self.rows)
        return pc.binary_join_element_wise(*arguments)


@dataclass(frozen=True)
class Feature:
    """The values of a feature, for each row.

    Attributes:
        content: messages of type Feature.
        present: bool `[rows]`, which rows have the feature; None for all.
    """

    content: Pieces
    present: Bools | None = None


def floats(values: npt.NDArray[np.float32], present: Bools | None = None) -> Feature:
    """A feature with a float_list.

    Args:
        values: float32 `[rows]` or `[rows, n]`.
        present: bool `[rows]`, which rows have it; default: all.
    """
    rows, size = len(values), _FLOAT_SIZE * (values.shape[1] if values.ndim > 1 else 1)
    data = pa.py_buffer(np.ascontiguousarray(values, "<f4"))
    array = _binary(data, np.arange(rows + 1) * size)
    packed = _delimited(_FIRST, Pieces(rows, (array,), size)) if size else Pieces(rows, (), 0)
    return Feature(_delimited(_FLOAT_LIST, packed), present)


def integers(values: Int64s, starts: Int64s, present: Bools | None = None) -> Feature:
    """A feature with an int64_list.

    Args:
        values: int64 `[values]`.
        starts: int64 `[rows + 1]`, the first value of each row, and the number of values.
        present: bool `[rows]`, which rows have it; default: all.
    """
    data, ends = _varints(values)
    offsets = np.append(0, ends)[starts]
    numbers = Pieces(len(starts) - 1, (_binary(pa.py_buffer(data), offsets),), _equal(np.diff(offsets)))
    return Feature(_delimited(_INT64_LIST, _delimited(_FIRST, numbers).only(np.diff(starts) > 0)), present)


def texts(values: pa.Array, starts: Int64s | None = None, present: Bools | None = None) -> Feature:
    """A feature with a bytes_list.

    Args:
        values: string or binary `[values]`, without nulls.
        starts: int64 `[rows + 1]`, the first value of each row, and the number of values; default: one in each row.
        present: bool `[rows]`, which rows have it; default: all.
    """
    array = values.cast(pa.large_binary())
    each = _delimited(_FIRST, Pieces(len(array), (array,), _equal(pc.binary_length(array).to_numpy())))
    return Feature(_delimited(_BYTES_LIST, each if starts is None else _grouped(each, starts)), present)


def example(features: Mapping[str, Feature]) -> Pieces:
    """A tf.Example for each row; at least one feature."""
    entries = []
    for name, feature in sorted((name.encode(), feature) for name, feature in features.items()):
        key = _delimited(_FIRST, Pieces(feature.content.rows, (name,), len(name)))
        entry = _delimited(_FIRST, _concatenated(key, _delimited(_SECOND, feature.content)))
        entries.append(entry if feature.present is None else entry.only(feature.present))
    return _delimited(_FIRST, _concatenated(*entries))


def list_records(examples: Pieces, starts: Int64s, contexts: Pieces) -> Iterator[bytes]:
    """Serialized ExampleListWithContext.

    Args:
        examples: of the documents.
        starts: int64 `[lists + 1]`, the first document of each list, and the number of documents.
        contexts: of the lists.
    """
    documents = _delimited(_FIRST, examples).joined()
    ends, data = _offsets(documents)[starts].tolist(), memoryview(_data(documents))
    for at, context in enumerate(_delimited(_SECOND, contexts).joined()):
        yield b"".join((data[ends[at] : ends[at + 1]], context.as_buffer()))


# --- pieces -----------------------------------------------------------------------------------------------------------


def _concatenated(*messages: Pieces) -> Pieces:
    pieces: list[pa.LargeBinaryArray | bytes] = []
    for piece in (piece for message in messages for piece in message.pieces):
        if pieces and isinstance(piece, bytes) and isinstance(pieces[-1], bytes):
            pieces[-1] += piece
        else:
            pieces.append(piece)
    length = sum((message.length for message in messages[1:]), messages[0].length)
    return Pieces(messages[0].rows, tuple(pieces), length if isinstance(length, int) else _equal(length))


def _delimited(tag: bytes, content: Pieces) -> Pieces:
    """Tag, length and content."""
    if isinstance(content.length, int):
        data, _ = _varints(np.array([content.length]))
        head = Pieces(content.rows, (tag + data.tobytes(),), len(tag) + len(data))
    else:
        data, ends = _varints(content.length)
        sizes = _equal(np.diff(ends, prepend=0))
        lengths = Pieces(content.rows, (_binary(pa.py_buffer(data), np.append(0, ends)),), sizes)
        head = _concatenated(Pieces(content.rows, (tag,), len(tag)), lengths)
    return _concatenated(head, content)


def _grouped(values: Pieces, starts: Int64s) -> Pieces:
    """The messages of the rows from each start to the next as one."""
    array = values.joined()
    offsets = _offsets(array)[starts]
    return Pieces(len(starts) - 1, (_binary(_data(array), offsets),), _equal(np.diff(offsets)))


def _equal(lengths: Int64s) -> Int64s | int:
    """As one number if they are all the same."""
    lengths = lengths.astype(np.int64, copy=False)
    return int(lengths[0]) if len(lengths) and (lengths == lengths[0]).all() else lengths


def _varints(values: Int64s) -> tuple[npt.NDArray[np.uint8], Int64s]:
    """Whole numbers in base 128, the lowest digit first, the highest bit of all bytes but the last set.

    Returns:
        uint8 `[bytes]`, and int64 `[values]`, where each number ends in it.
    """
    rest = np.ascontiguousarray(values, np.int64).view(np.uint64)
    digits = [rest.astype(np.uint8)]
    longer = []
    while (more := (rest := rest >> np.uint64(7)) > 0).any():
        digits[-1] = np.where(more, digits[-1] | 0x80, digits[-1] & 0x7F)
        digits.append(rest.astype(np.uint8))
        longer.append(more)
    digits[-1] &= 0x7F
    if not longer:
        return digits[0], np.arange(1, len(values) + 1)
    kept = np.stack([np.ones(len(values), bool), *longer], axis=1)
    return np.stack(digits, axis=1)[kept], np.cumsum(kept.sum(axis=1))


# --- Arrow ------------------------------------------------------------------------------------------------------------


def _argument(piece: pa.LargeBinaryArray | bytes) -> pa.LargeBinaryArray | pa.LargeBinaryScalar:
    return pa.scalar(piece, pa.large_binary()) if isinstance(piece, bytes) else piece


def _binary(data: pa.Buffer, offsets: Int64s) -> pa.LargeBinaryArray:
    """large_binary of parts of `data`, without a copy."""
    offsets = np.ascontiguousarray(offsets, np.int64)
    return pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(offsets) - 1, [None, pa.py_buffer(offsets), data])


def _data(array: pa.LargeBinaryArray) -> pa.Buffer:
    """All bytes of an array, which its offsets point into."""
    return array.buffers()[2] or pa.py_buffer(b"")


def _offsets(array: pa.LargeBinaryArray) -> Int64s:
    return np.frombuffer(array.buffers()[1], np.int64)[array.offset : array.offset + len(array) + 1]
