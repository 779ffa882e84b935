"""Vectors of tables, against numpy."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from ranker.data.tables.vectors import vectors_of

WIDTH = 3
NAN = float("nan")


def vectors(array):
    """The vectors, which are null, which are wrong, and the sizes."""
    found, wrong, sizes = vectors_of(array, WIDTH)
    assert found.type == pa.list_(pa.float32(), WIDTH)
    values = found.values.to_numpy().reshape(-1, WIDTH)
    nulls = found.is_null().to_numpy(zero_copy_only=False)
    assert np.isnan(values[nulls]).all()
    return values, np.flatnonzero(nulls).tolist(), np.flatnonzero(wrong).tolist(), sizes.tolist()


@pytest.fixture
def numbers():
    return (np.random.default_rng(3).normal(size=(50, WIDTH)) * 10.0 ** np.arange(-1, 49)[:, None]).round(12)


@pytest.mark.parametrize("form", ["json", "numpy", "blanks", "commas", "plus"])
def test_cells_of_csv(numbers, form):
    write = {
        "json": lambda row: json.dumps(row.tolist()),
        "numpy": lambda row: "[" + "\n ".join(map(repr, row.tolist())) + " ]",
        "blanks": lambda row: "  ".join(map(repr, row.tolist())),
        "commas": lambda row: ",".join(map(repr, row.tolist())),
        "plus": lambda row: " ".join(f"{number:+.20e}" for number in row),
    }[form]
    with np.errstate(over="ignore"):
        expected = numbers.astype(np.float32)
    assert np.isinf(expected).any(), "what is too large for float32 becomes infinite, and is refused later"
    found, nulls, wrong, sizes = vectors(pa.array([f" {write(row)}" for row in numbers]))
    np.testing.assert_array_equal(found, expected)
    assert (nulls, wrong, sizes) == ([], [], [WIDTH] * len(numbers))


@pytest.mark.parametrize(
    "kind",
    [pa.list_(pa.float64()), pa.large_list(pa.float32()), pa.list_(pa.float16()), pa.list_(pa.int32()),
     pa.list_view(pa.float64()), pa.list_(pa.float32(), 2), pa.list_(pa.float32(), WIDTH),
     pa.list_(pa.decimal128(5, 2))],
)  # fmt: skip
def test_lists_of_any_numbers(kind):
    width = kind.list_size if pa.types.is_fixed_size_list(kind) else WIDTH
    rows = [[9] * width, [1, 2, 3][:width], None, [None] * width]
    found, nulls, wrong, sizes = vectors(pa.array(rows, kind)[1:])
    fits = width == WIDTH
    assert (nulls, wrong, sizes) == ([1] if fits else [0, 1, 2], [], [width, -1, width])
    np.testing.assert_array_equal(found[0], [1, 2, 3] if fits else [NAN] * WIDTH)
    assert np.isnan(found[1:]).all()


def test_missing_ones_wrong_ones_and_such_of_another_length():
    cells = [
        "1 2 3",
        "",
        None,
        "NA",
        "[1, null, 3]",
        "[nan, 2, NaN]",
        "1 2",
        "[1,2,3,4]",
        "[]",
        "1 x 3",
        "1 x",
        "[1, 2, 3",
        "[[1,2,3]]",
    ]
    found, nulls, wrong, sizes = vectors(pa.array(cells))
    np.testing.assert_array_equal(found[:1], [[1, 2, 3]])
    np.testing.assert_array_equal(found[4:6], [[1, NAN, 3], [NAN, 2, NAN]])
    assert nulls == [1, 2, 3, 6, 7, 8, 9, 10, 11, 12]
    assert wrong == [9, 10, 11, 12]
    assert [size for size in sizes if size != WIDTH] == [-1, -1, -1, 2, 4, 1, 2]


def test_no_vector_at_all():
    assert vectors(pa.nulls(2))[1:] == ([0, 1], [], [-1, -1])
    assert vectors(pa.array([], pa.string()))[1:] == ([], [], [])
