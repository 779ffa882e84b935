"""Dates of tables to seconds, against pandas and the standard library."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranker.data.tables.dates import seconds_of

ZONES = ["", "Z", "+02", "-03:30", "+0545", "-12:00", "+14:00"]


def by_pandas(text: str) -> int:
    stamp = pd.to_datetime([text], format="ISO8601", utc=True).as_unit("ns")[0]
    return stamp.value // 10**9


def seconds(values, kind=None, *, numbers=False):
    """The seconds, and the places of the wrong ones."""
    found, wrong = seconds_of(pa.array(values, kind), numbers=numbers)
    assert found.type == pa.int64()
    assert not np.any(wrong & found.is_valid().to_numpy(zero_copy_only=False)), "a wrong one is null"
    return found.to_pylist(), np.flatnonzero(wrong).tolist()


@st.composite
def iso_texts(draw):
    moment = draw(st.datetimes(datetime.datetime(1700, 1, 1), datetime.datetime(2250, 1, 1)))
    form = draw(st.sampled_from(["day", "minutes", "seconds", "ms", "us", "ns"]))
    if form == "day":
        return moment.strftime("%4Y-%m-%d")
    text = moment.strftime(f"%Y-%m-%d{draw(st.sampled_from('T '))}%H:%M")
    fraction = {"ms": 3, "us": 6, "ns": 9}
    if form != "minutes":
        text += f":{moment.second:02}"
    if form in fraction:
        text += "." + f"{moment.microsecond:06}789"[: fraction[form]]
    return text + draw(st.sampled_from(ZONES))


@given(st.lists(iso_texts(), min_size=1, max_size=30))
def test_iso_texts_of_any_mixture_are_as_pandas_reads_them(texts):
    assert seconds(texts) == ([by_pandas(text) for text in texts], [])
    assert seconds([f" {text}\t" for text in texts], numbers=True) == ([by_pandas(text) for text in texts], [])


@pytest.mark.parametrize("zone", ["", "Z", "+05:30"])
@pytest.mark.parametrize("form", ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f"])
def test_a_column_of_one_form_is_as_pandas_reads_it(form, zone):
    moments = pd.to_datetime(np.random.default_rng(7).integers(-(10**18), 4 * 10**18, 1000), utc=True)
    texts = [text + zone for text in moments.strftime(form)]
    expected = pd.to_datetime(texts, format="ISO8601", utc=True).as_unit("ns").asi8 // 10**9
    assert seconds(texts) == (expected.tolist(), [])


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "America/New_York", "+02:00"])
def test_timestamps_are_rounded_down_in_any_unit_and_zone(unit, zone):
    moments = pd.to_datetime(np.random.default_rng(5).integers(-(10**18), 2 * 10**18, 100), utc=True).as_unit(unit)
    array = pa.array(moments).cast(pa.timestamp(unit, zone))
    array = pa.concat_arrays([array, pa.nulls(1, array.type)])
    expected = moments.floor("s").as_unit("s").asi8.tolist()
    assert seconds_of(array)[0].to_pylist() == [*expected, None]


@pytest.mark.parametrize("kind", [pa.date32(), pa.date64()])
def test_days_begin_at_midnight_in_utc(kind):
    days = [datetime.date(1969, 12, 31), datetime.date(2024, 2, 29), None]
    expected = [datetime.datetime(d.year, d.month, d.day, tzinfo=datetime.UTC).timestamp() for d in days if d]
    assert seconds(days, kind) == ([*expected, None], [])


@pytest.mark.parametrize(
    "kind", [pa.int32(), pa.int64(), pa.uint64(), pa.float32(), pa.float64(), pa.decimal128(12, 2)]
)
def test_numbers_are_seconds(kind):
    assert seconds([0, 86400, None], kind) == ([0, 86400, None], [])


def test_fractions_of_numbers_are_rounded_down_and_what_is_no_moment_is_wrong():
    values = [1714557600.9, -0.5, np.nan, None, np.inf, -np.inf, 1e300]
    assert seconds(values, pa.float64()) == ([1714557600, -1, None, None, None, None, None], [4, 5, 6])


@pytest.mark.parametrize(
    "wrong",
    ["soon", "2024-13-01", "2024-02-30", "2023-02-29", "01.05.2024", "2024-05-01T25:00", "2024-05-01T10:00:00+9",
     "2024-5-1", "2024-05-01T10:00:00 CET", "2024-05-01x", "x2024-05-01", "2024-05-01T10:00:00.", "inf", "1e300",
     "2024", "-"],
)  # fmt: skip
def test_what_is_no_date_is_wrong_alone_and_among_others(wrong):
    is_number = wrong == "2024"  # which in CSV is a number of seconds
    assert seconds([wrong]) == ([None], [0])
    assert seconds([wrong], numbers=True) == ([2024 if is_number else None], [] if is_number else [0])
    others = ["2024-05-01", "", None, "1970-01-01T00:00:01.5Z", "1969-12-31T23:59:59.1234567891"]
    found, places = seconds([*others, wrong, *others])
    assert found == [1714521600, None, None, 1, -1, None, 1714521600, None, None, 1, -1]
    assert places == [5]


def test_many_wrong_ones_are_all_found():
    texts = ["2024-01-01T00:00:00" if i % 3 else ("2024-99-01" if i % 2 else "x") for i in range(1000)]
    found, wrong = seconds(texts)
    assert wrong == list(range(0, 1000, 3))
    assert [value is None for value in found] == [i % 3 == 0 for i in range(1000)]


def test_a_cell_of_csv_is_a_date_or_a_number():
    cells = ["1714557600", "2024-05-01", "1714557600.9", " -1.5 ", "NA", "", "nan", "+7", "1e9", "x"]
    expected = [1714557600, 1714521600, 1714557600, -2, None, None, None, 7, 10**9, None]
    assert seconds(cells, numbers=True) == (expected, [9])
    assert seconds(cells[:1] * 3, numbers=True) == ([1714557600] * 3, [])
    assert seconds(["1714557600", "NA"]) == ([None, None], [0, 1]), "elsewhere it is neither"


def test_dictionaries_and_no_values_at_all():
    assert seconds_of(pa.array(["2024-05-01", None, "2024-05-01"]).dictionary_encode())[0].to_pylist() == [
        1714521600,
        None,
        1714521600,
    ]
    assert seconds([None, None], pa.null()) == ([None, None], [])
    assert seconds([], pa.string()) == ([], [])
    assert seconds(["", None], pa.large_string()) == ([None, None], [])
