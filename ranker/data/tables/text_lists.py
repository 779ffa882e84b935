"""Columns of texts with any number of values each, as tables hold them."""

from __future__ import annotations

import json

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

__all__ = ["is_list", "is_text", "text_lists"]

_Mask = npt.NDArray[np.bool_]
_LISTS = (
    pa.types.is_list,
    pa.types.is_large_list,
    pa.types.is_fixed_size_list,
    pa.types.is_list_view,
    pa.types.is_large_list_view,
)
_KEY = "values"


def is_list(kind: pa.DataType) -> bool:
    """Whether values of this type are lists of any kind."""
    return any(is_kind(kind) for is_kind in _LISTS)


def is_text(kind: pa.DataType) -> bool:
    """Whether values of this type are texts."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def text_lists(array: pa.Array, separator: str | None, *, json_texts: bool) -> tuple[pa.ListArray, _Mask]:
    """Lists of texts, without empty ones; duplicates stay.

    Args:
        array: lists of texts or numbers (as they are written); or texts, which are split at the separator, blanks
            around the parts stripped.
        separator: of a text; None if a text is a list of one.
        json_texts: whether without separator a text that begins with `[` is a JSON array, as in CSV.

    Returns:
        list<string>, null where missing or wrong; and bool `[values]`, which are wrong.
    """
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    sound = np.zeros(len(array), bool)
    if is_list(array.type):
        values = pc.list_flatten(array)
        return _without_empty(values, pc.fill_null(pc.list_value_length(array), 0).to_numpy(), array.is_valid()), sound
    texts = array.cast(pa.string())
    if separator is not None:
        parts = pc.split_pattern(texts, separator)
        stripped = pc.utf8_trim_whitespace(pc.list_flatten(parts))
        lengths = pc.fill_null(pc.list_value_length(parts), 0).to_numpy()
        return _without_empty(stripped, lengths, texts.is_valid()), sound
    ones = _without_empty(texts.drop_null(), texts.is_valid().to_numpy(zero_copy_only=False), texts.is_valid())
    if not json_texts:
        return ones, sound
    return _with_arrays(texts, ones)


def _without_empty(values: pa.Array, lengths: npt.NDArray[np.integer], valid: pa.BooleanArray) -> pa.ListArray:
    """Lists from their values one behind the other."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    texts = values.cast(pa.string())
    ends = np.concatenate([[0], np.cumsum(lengths)])
    kept = pc.fill_null(pc.not_equal(texts, ""), False)
    if pc.sum(kept).as_py() != len(texts):
        ends = np.concatenate([[0], np.cumsum(kept.to_numpy(zero_copy_only=False))])[ends]
        texts = texts.filter(kept)
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), texts, mask=pc.invert(valid))


def _with_arrays(texts: pa.StringArray, ones: pa.ListArray) -> tuple[pa.ListArray, _Mask]:
    """The lists of one, but where the text is a JSON array that array."""
    trimmed = pc.utf8_trim_whitespace(texts)
    opened = pc.fill_null(pc.starts_with(trimmed, "["), False)
    wrong = np.zeros(len(texts), bool)
    places = np.flatnonzero(opened.to_numpy(zero_copy_only=False))
    if not len(places):
        return ones, wrong
    arrays, faults = _json_arrays(trimmed.filter(opened))
    wrong[places[faults]] = True
    index = np.arange(len(texts))
    index[places] = len(texts) + np.arange(len(places))
    return pa.concat_arrays([ones, arrays]).take(pa.array(index)), wrong


def _json_arrays(texts: pa.StringArray) -> tuple[pa.ListArray, npt.NDArray[np.int64]]:
    """JSON arrays of texts, or one by one if some are not; null where wrong, and which are."""
    lines = pc.binary_join_element_wise(f'{{"{_KEY}":', texts, "}\n", "")
    data = b"".join(lines.cast(pa.binary()).to_pylist())
    found = None
    if pc.sum(pc.match_substring(texts, "\n")).as_py() == 0:
        try:
            found = pyarrow.json.read_json(
                pa.BufferReader(data),
                pyarrow.json.ReadOptions(block_size=len(data) + 1, use_threads=False),
                pyarrow.json.ParseOptions(
                    explicit_schema=pa.schema([(_KEY, pa.list_(pa.string()))]), unexpected_field_behavior="error"
                ),
            )
        except pa.ArrowInvalid:
            found = None
    if found is None or found.num_rows != len(texts):
        lists = [_texts_of(text) for text in texts.to_pylist()]
        array = pa.array(lists, pa.list_(pa.string()))
        faults = np.flatnonzero([values is None for values in lists])
    else:
        array, faults = found[_KEY].combine_chunks(), np.array([], np.int64)
    return text_lists(array, None, json_texts=False)[0], faults


def _texts_of(text: str) -> list[str | None] | None:
    """The values of a JSON array, numbers as they are written; None if it is none, or holds lists or objects."""
    try:
        values = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
        "".join(value for value in values if isinstance(value, str)).encode()  # no half of a surrogate pair
    except (ValueError, RecursionError):
        return None
    if any(isinstance(value, list | dict) for value in values):
        return None
    return [str(value).lower() if isinstance(value, bool) else value for value in values]
