"""Columns from the features of tf.Examples: each a list of numbers or bytes, to the type that a column of lists has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ranker.data.columns import MISSING_INT, Column
from ranker.data.elwc.parts import parts_of
from ranker.data.tables.dates import seconds_of
from ranker.data.tables.rows import WRONG_LENGTH
from ranker.data.tables.text_lists import text_lists
from ranker.data.tables.vectors import vectors_of

__all__ = ["UNPARSABLE_EXAMPLE", "WRONG_TYPE", "Decoded", "Input", "What", "decode", "kind_of"]

UNPARSABLE_EXAMPLE = "unparsable example"
WRONG_TYPE = "value of the wrong type"

What = Literal["number", "integer", "date", "text", "words", "texts", "vector", "grouped"]
"""`words` is a text that may be given as several; `texts` are multi-valued; `grouped` is a vector of scalars."""

_Mask = npt.NDArray[np.bool_]
_Faults = dict[str, _Mask]


class Input(NamedTuple):
    """What to make of the features of an example.

    Attributes:
        column: what they are to be.
        what: how to read them.
        names: the feature, or those that are grouped to a vector.
        separator: of multi-valued texts.
    """

    column: Column
    what: What
    names: tuple[str, ...]
    separator: str | None = None


@dataclass
class Decoded:
    """Columns of a number of examples.

    Attributes:
        count: how many.
        columns: by name, in the type of the column, without nulls; what is missing or wrong is as what is missing.
        faults: by reason, bool `[examples]`: which cannot be used for it.
    """

    count: int
    columns: dict[str, pa.Array]
    faults: _Faults = field(default_factory=dict)


def kind_of(lists: pa.Array) -> str:
    """What a feature holds: `int64`, `float`, `bytes`, or `` for nothing at all."""
    if pa.types.is_null(lists.type):
        return ""
    value = lists.type.value_type
    if pa.types.is_integer(value):
        return "int64"
    return "float" if pa.types.is_floating(value) else "bytes"


def decode(examples: Sequence[bytes], inputs: Sequence[Input]) -> Decoded:
    """The columns of serialized tf.Examples, missing where a value is wrong."""
    parts = [_decoded(count, batch, inputs) for count, batch in parts_of(examples)]
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return Decoded(0, {i.column.name: pa.array([], i.column.arrow_type) for i in inputs})
    whole = Decoded(len(examples), {})
    for name in parts[0].columns:
        whole.columns[name] = pa.concat_arrays([part.columns[name] for part in parts])
    for reason in dict.fromkeys(reason for part in parts for reason in part.faults):
        masks = [part.faults.get(reason, np.zeros(part.count, bool)) for part in parts]
        whole.faults[reason] = np.concatenate(masks)
    return whole


def _decoded(count: int, batch: pa.RecordBatch | None, inputs: Sequence[Input]) -> Decoded:
    features = {} if batch is None else dict(zip(batch.schema.names, batch.columns, strict=True))
    found = Decoded(count, {})
    if batch is None:
        found.faults[UNPARSABLE_EXAMPLE] = np.ones(count, bool)
    for wanted in inputs:
        found.columns[wanted.column.name], faults = _column(wanted, features, count)
        for reason, mask in faults.items():
            if mask.any():
                found.faults[reason] = found.faults.get(reason, False) | mask
    return found


# --- one column -------------------------------------------------------------------------------------------------------


def _column(wanted: Input, features: Mapping[str, pa.Array], count: int) -> tuple[pa.Array, _Faults]:
    if wanted.what == "grouped":
        return _grouped(wanted, features, count)
    lists = features.get(wanted.names[0])
    if lists is None or pa.types.is_null(lists.type):
        lists = pa.nulls(count, _NOTHING[wanted.column.dtype])
    return _CONVERT[wanted.what](lists, wanted)


_NOTHING = {
    "float32": pa.large_list(pa.float32()),
    "int64": pa.large_list(pa.int64()),
    "string": pa.large_list(pa.large_binary()),
}


def _single(lists: pa.Array) -> tuple[pa.Array, _Mask]:
    """The value of each, null where there is none; and which have several."""
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy()
    values = lists.flatten()
    if (lengths == 1).all():
        return values, np.zeros(len(lengths), bool)
    one = lengths == 1
    if len(values) != one.sum():
        values = values.filter(pa.array(np.repeat(one, lengths)))
    return values.take(pa.array(np.cumsum(one) - 1, mask=~one)), lengths > 1


def _numbers(lists: pa.Array) -> tuple[npt.NDArray[np.float32], _Mask]:
    """float32 of each, NaN where there is none; and which are not a number, or several."""
    values, wrong = _single(lists)
    if kind_of(lists) == "bytes":
        return np.full(len(lists), np.nan, np.float32), wrong | values.is_valid().to_numpy(zero_copy_only=False)
    return pc.fill_null(values.cast(pa.float32(), safe=False), np.nan).to_numpy(), wrong


def _grouped(wanted: Input, features: Mapping[str, pa.Array], count: int) -> tuple[pa.Array, _Faults]:
    """Scalar features side by side."""
    matrix: npt.NDArray[np.float32] = np.full((count, len(wanted.names)), np.nan, np.float32)
    wrong = np.zeros(count, bool)
    for place, name in enumerate(wanted.names):
        lists = features.get(name)
        if lists is not None and not pa.types.is_null(lists.type):
            matrix[:, place], bad = _numbers(lists)
            wrong |= bad
    matrix[wrong] = np.nan
    return pa.FixedSizeListArray.from_arrays(pa.array(matrix.reshape(-1)), matrix.shape[1]), {WRONG_TYPE: wrong}


def _number(lists: pa.Array, _: Input) -> tuple[pa.Array, _Faults]:
    values, wrong = _numbers(lists)
    return pa.array(values), {WRONG_TYPE: wrong}


def _vector(lists: pa.Array, wanted: Input) -> tuple[pa.Array, _Faults]:
    width = wanted.column.width or 0
    there = pc.fill_null(pc.list_value_length(lists), 0).to_numpy() > 0
    if kind_of(lists) == "bytes":
        empty = pa.array(np.full(len(lists) * width, np.nan, np.float32))
        return pa.FixedSizeListArray.from_arrays(empty, width), {WRONG_TYPE: there}
    vectors, _, sizes = vectors_of(lists, width)
    return pa.FixedSizeListArray.from_arrays(vectors.values, width), {WRONG_LENGTH: there & (sizes != width)}


def _text(lists: pa.Array, _: Input) -> tuple[pa.Array, _Faults]:
    values, wrong = _single(lists)
    texts, faults = _texts(values)
    return pc.fill_null(texts, ""), faults | {WRONG_TYPE: wrong | faults[WRONG_TYPE]}


def _texts(values: pa.Array) -> tuple[pa.StringArray, _Faults]:
    """Bytes and whole numbers as texts."""
    if pa.types.is_floating(values.type):
        return pa.nulls(len(values), pa.string()), {WRONG_TYPE: values.is_valid().to_numpy(zero_copy_only=False)}
    wrong = {WRONG_TYPE: np.zeros(len(values), bool)}
    try:
        return values.cast(pa.string()), wrong
    except pa.ArrowInvalid:  # not UTF-8
        texts = [_utf8(value) for value in values.to_pylist()]
        garbled = np.array([text is None for text in texts]) & values.is_valid().to_numpy(zero_copy_only=False)
        return pa.array(texts, pa.string()), wrong | {UNPARSABLE_EXAMPLE: garbled}


def _utf8(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return None


def _words(lists: pa.Array, wanted: Input) -> tuple[pa.Array, _Faults]:
    texts, faults = _multivalued(lists, wanted)
    return pc.binary_join(texts, " "), faults


def _multivalued(lists: pa.Array, wanted: Input) -> tuple[pa.Array, _Faults]:
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy()
    ends = np.append(0, np.cumsum(lengths))
    texts, faults = _texts(lists.flatten())
    parts = text_lists(pc.fill_null(texts, ""), wanted.separator, json_texts=False)[0]
    offsets = parts.offsets.to_numpy()[ends]
    of_example = np.repeat(np.arange(len(lists)), lengths)
    found = {}
    for reason, mask in faults.items():
        found[reason] = np.zeros(len(lists), bool)
        found[reason][of_example[mask]] = True
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), parts.values), found


def _moment(lists: pa.Array, _: Input) -> tuple[pa.Array, _Faults]:
    values, several = _single(lists)
    if kind_of(lists) == "bytes":
        texts, faults = _texts(values)
        seconds, wrong = seconds_of(texts)
        return pc.fill_null(seconds, MISSING_INT), faults | {WRONG_TYPE: wrong | several}
    seconds, wrong = seconds_of(values)
    return pc.fill_null(seconds, MISSING_INT), {WRONG_TYPE: wrong | several}


def _integer(lists: pa.Array, _: Input) -> tuple[pa.Array, _Faults]:
    values, wrong = _single(lists)
    if kind_of(lists) == "bytes":
        return pa.array(np.full(len(lists), MISSING_INT)), {
            WRONG_TYPE: wrong | values.is_valid().to_numpy(zero_copy_only=False)
        }
    if pa.types.is_floating(values.type):
        numbers = values.to_numpy(zero_copy_only=False).astype(np.float64)
        there = ~np.isnan(numbers)
        sound = there & (np.abs(numbers) < 2.0**63)
        sound[sound] = numbers[sound] == np.floor(numbers[sound])
        integers = np.where(sound, numbers, 0).astype(np.int64)
        return pa.array(np.where(sound, integers, MISSING_INT)), {WRONG_TYPE: wrong | (there & ~sound)}
    return pc.fill_null(values, MISSING_INT), {WRONG_TYPE: wrong}


_CONVERT: dict[What, Callable[[pa.Array, Input], tuple[pa.Array, _Faults]]] = {
    "number": _number,
    "integer": _integer,
    "date": _moment,
    "text": _text,
    "words": _words,
    "texts": _multivalued,
    "vector": _vector,
}
