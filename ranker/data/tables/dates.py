"""Columns of dates as tables hold them, to seconds since 1970."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ranker.data.tables.text_numbers import MISSING_TEXTS, numbers_of_texts

__all__ = ["is_date", "seconds_of"]

_Mask = npt.NDArray[np.bool_]
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_DAY = 86_400
_BOUND = 2.0**63
_EMPTY = pa.array([""])
_BEGIN = r"^\d{4}-\d{2}-\d{2}([T ][0-9]|$)"
_ZONE = r"[T ].*(Z|[+-]\d{2}(:?\d{2})?)$"
_FRACTION = r"(:\d{2}:\d{2})\.\d+"


def is_date(kind: pa.DataType) -> bool:
    """Whether values of this type are dates or moments by themselves."""
    return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind))


def seconds_of(array: pa.Array, *, numbers: bool = False) -> tuple[pa.Int64Array, _Mask]:
    """Moments as whole seconds since 1970 in UTC, rounded down.

    Args:
        array: timestamps and dates of any unit (those without a zone are in UTC), numbers of seconds, or ISO 8601
            texts: a date, or a date and a time behind `T` or a blank, with or without a fraction of a second, and an
            offset such as `Z`, `+02` or `+02:00` or none (UTC). "" and NaN are missing.
        numbers: whether texts may also be numbers of seconds, and such texts as `NA` are missing: as in CSV.

    Returns:
        int64 seconds, null where missing or wrong; and bool `[values]`, which are wrong.
    """
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    kind = array.type
    if pa.types.is_timestamp(kind):
        return _floored(array.cast(pa.int64()), _PER_SECOND[kind.unit]), np.zeros(len(array), bool)
    if pa.types.is_date64(kind):
        return _floored(array.cast(pa.int64()), 1000), np.zeros(len(array), bool)
    if pa.types.is_date32(kind):
        return pc.multiply(array.cast(pa.int32()).cast(pa.int64()), _DAY), np.zeros(len(array), bool)
    if pa.types.is_signed_integer(kind) or pa.types.is_null(kind):
        return array.cast(pa.int64()), np.zeros(len(array), bool)
    if pa.types.is_primitive(kind) or pa.types.is_decimal(kind):
        return _of_numbers(array.cast(pa.float64(), safe=False))
    return _of_texts(array.cast(pa.string()), numbers)


def _floored(units: pa.Int64Array, per_second: int) -> pa.Int64Array:
    """Rounded down, where integer division of Arrow rounds to 0."""
    seconds = pc.fill_null(units, 0).to_numpy() // per_second
    return pa.array(seconds, mask=units.is_null().to_numpy(zero_copy_only=False))


def _of_numbers(numbers: pa.DoubleArray) -> tuple[pa.Int64Array, _Mask]:
    values = numbers.to_numpy(zero_copy_only=False)  # null is NaN
    there = ~np.isnan(values)
    sound = there & (np.abs(values) < _BOUND)
    seconds = np.floor(np.where(sound, values, 0.0)).astype(np.int64)
    return pa.array(seconds, mask=~sound), there & ~sound


def _of_texts(texts: pa.StringArray, numbers: bool) -> tuple[pa.Int64Array, _Mask]:
    trimmed = pc.utf8_trim_whitespace(texts)
    missing = pc.is_in(trimmed, MISSING_TEXTS if numbers else _EMPTY)
    given = pc.if_else(missing, None, trimmed)
    first = given.drop_null()[:1]
    kinds = [pa.timestamp("us"), pa.timestamp("us", "UTC"), *([pa.float64()] if numbers else [])]
    for kind in kinds:  # most columns have one form in all rows
        if _parsed(first, kind)[1].any():
            continue
        try:
            return seconds_of(given.cast(kind))
        except pa.ArrowInvalid:  # slow: it costs nearly a microsecond for each value that is not of this form
            break
    return _of_mixed_texts(given, numbers)


def _of_mixed_texts(given: pa.StringArray, numbers: bool) -> tuple[pa.Int64Array, _Mask]:
    found = []
    dates = given
    if numbers:
        seconds, no_number = numbers_of_texts(given)
        is_number = ~no_number & given.is_valid().to_numpy(zero_copy_only=False)
        found.append(_of_numbers(seconds))
        dates = pc.if_else(pa.array(is_number), None, given)
    dates = pc.replace_substring_regex(dates, _FRACTION, r"\1")  # rounds down, also before 1970
    no_date = pc.invert(pc.match_substring_regex(dates, _BEGIN)).fill_null(False)
    dates = pc.if_else(no_date, None, dates)
    found.append((pa.nulls(len(dates), pa.int64()), no_date.to_numpy(zero_copy_only=False)))
    zoned = pc.match_substring_regex(dates, _ZONE)
    for texts, zone in ((pc.if_else(zoned, None, dates), None), (pc.if_else(zoned, dates, None), "UTC")):
        moments, wrong = _parsed(texts, pa.timestamp("s", zone))
        found.append((moments.cast(pa.int64()), wrong))
    return pc.coalesce(*(seconds for seconds, _ in found)), np.logical_or.reduce([wrong for _, wrong in found])


def _parsed(texts: pa.StringArray, kind: pa.DataType) -> tuple[pa.Array, _Mask]:
    """Texts as Arrow reads them; the wrong ones, which stop it, are found by halves."""
    try:
        return texts.cast(kind), np.zeros(len(texts), bool)
    except pa.ArrowInvalid:
        if len(texts) == 1:
            return pa.nulls(1, kind), np.ones(1, bool)
    half = len(texts) // 2
    parts = [_parsed(texts[:half], kind), _parsed(texts[half:], kind)]
    return pa.concat_arrays([moments for moments, _ in parts]), np.concatenate([wrong for _, wrong in parts])
