"""Columns of vectors, as tables hold them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ranker.data.tables.text_lists import is_list
from ranker.data.tables.text_numbers import MISSING_TEXTS, numbers_of_texts

__all__ = ["vectors_of"]

_Mask = npt.NDArray[np.bool_]


def vectors_of(array: pa.Array, width: int) -> tuple[pa.FixedSizeListArray, _Mask, npt.NDArray[np.int64]]:
    """Vectors of `width` numbers.

    Args:
        array: lists of numbers, or texts of numbers with blanks or commas between them, maybe in brackets. A number
            that is missing in a vector is NaN.
        width: of each.

    Returns:
        fixed_size_list<float32>[width], null and NaN throughout where missing or wrong; bool `[values]`, which hold
        other things than numbers; int64 `[values]`, how many numbers each has, -1 where it is missing.
    """
    wrong = np.zeros(len(array), bool)
    if pa.types.is_null(array.type):
        array = array.cast(pa.list_(pa.float32()))
    if is_list(array.type):
        numbers = pc.list_flatten(array)
    else:
        array = _split(array.cast(pa.string()))
        numbers, no_number = _numbers(pc.list_flatten(array))
        wrong[np.repeat(np.arange(len(array)), _lengths(array, 0))[no_number]] = True
    sizes = _lengths(array, -1)
    good = (sizes == width) & ~wrong
    flat = _float32(numbers)
    if not good.all():
        flat = flat[np.repeat(good, np.maximum(sizes, 0))]
    values = np.full((len(array), width), np.nan, np.float32)
    values[good] = flat.reshape(-1, width)
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), width, mask=pa.array(~good))
    return vectors, wrong, sizes


def _lengths(array: pa.Array, missing: int) -> npt.NDArray[np.int64]:
    return pc.fill_null(pc.list_value_length(array).cast(pa.int64()), missing).to_numpy()


def _float32(numbers: pa.Array) -> npt.NDArray[np.float32]:
    with np.errstate(over="ignore"):  # to infinity, which is refused later
        return numbers.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False).astype(np.float32)


def _split(texts: pa.StringArray) -> pa.ListArray:
    """The parts of each text, null where it is missing."""
    trimmed = pc.utf8_trim_whitespace(texts)
    given = pc.if_else(pc.is_in(trimmed, MISSING_TEXTS), None, trimmed)
    bracketed = pc.and_(pc.starts_with(given, "["), pc.ends_with(given, "]"))
    inner = pc.if_else(bracketed, pc.utf8_slice_codeunits(given, 1, -1), given)
    return pc.ascii_split_whitespace(pc.utf8_trim_whitespace(pc.replace_substring(inner, ",", " ")))


def _numbers(texts: pa.StringArray) -> tuple[pa.DoubleArray, _Mask]:
    try:
        return texts.cast(pa.float64()), np.zeros(len(texts), bool)
    except pa.ArrowInvalid:
        return numbers_of_texts(texts)
