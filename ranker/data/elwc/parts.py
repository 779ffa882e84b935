"""ExampleListWithContext records in parts: the examples of a record, and the features of many examples.

TFX's decoder in C++ reads whole batches of examples. It refuses all of them if one cannot be parsed or if a feature is
of two kinds; the batch is then halved until it goes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import pyarrow as pa

__all__ = ["parts_of", "split_record"]

_EXAMPLE, _CONTEXT = 1, 2  # fields of ExampleListWithContext
_VARINT, _FIXED64, _DELIMITED, _FIXED32 = 0, 1, 2, 5


def split_record(record: bytes) -> tuple[list[bytes], bytes]:
    """The serialized examples of an ExampleListWithContext, and the context.

    Raises:
        ValueError: if it is none.
    """
    examples, contexts = list[bytes](), list[bytes]()
    at, stop = 0, len(record)
    try:
        while at < stop:
            tag, at = _varint(record, at)
            number, wire = tag >> 3, tag & 7
            if wire == _DELIMITED:
                size, at = _varint(record, at)
                if number == _EXAMPLE:
                    examples.append(record[at : at + size])
                elif number == _CONTEXT:
                    contexts.append(record[at : at + size])
                at += size
            else:
                at = _behind(record, at, wire)
    except IndexError:
        at = stop + 1
    if at > stop:
        raise ValueError("ends within a field")
    return examples, contexts[0] if len(contexts) == 1 else b"".join(contexts)


def _behind(record: bytes, at: int, wire: int) -> int:
    """The place behind a value of a field that is not known."""
    if wire == _VARINT:
        return _varint(record, at)[1]
    if wire in (_FIXED64, _FIXED32):
        return at + (8 if wire == _FIXED64 else 4)
    raise ValueError(f"wire type {wire}")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    byte = data[at]
    if byte < 0x80:
        return byte, at + 1
    value, shift = byte & 0x7F, 7
    while (byte := data[at := at + 1]) >= 0x80:
        value |= (byte & 0x7F) << shift
        shift += 7
        if shift > 63:
            raise ValueError("number of more than 64 bits")
    return value | byte << shift, at + 1


def parts_of(examples: Sequence[bytes]) -> Iterator[tuple[int, pa.RecordBatch | None]]:
    """The features of serialized tf.Examples, in parts that follow one another.

    Yields:
        how many examples, and a column per feature of those: lists of int64, float32 or binary, null where an example
        lacks the feature; None for one that cannot be parsed.
    """
    if not examples:
        return
    try:
        yield len(examples), _decoder().DecodeBatch(examples)
    except RuntimeError:
        if len(examples) == 1:
            yield 1, None
            return
        half = len(examples) // 2
        yield from parts_of(examples[:half])
        yield from parts_of(examples[half:])


@cache
def _decoder() -> Any:
    from tfx_bsl.coders.example_coder import ExamplesToRecordBatchDecoder

    return ExamplesToRecordBatchDecoder()
