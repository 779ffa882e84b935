from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from eval.score_texts import Place, flags_of, numbers_of_texts

NUMBERS = ["1", " -2.5 ", "+3", ".5", "1.", "1e3", "NaN", "-inf", "Infinity", "", "  ", None]
VALUES = [1, -2.5, 3, 0.5, 1, 1000, np.nan, -np.inf, np.inf, None, None, None]


def place(rows, first=1):
    return Place(Path("s.csv"), first, pa.array(["q"] * rows), pa.array([f"d{number}" for number in range(rows)]))


@pytest.mark.parametrize("drop", [False, True])
def test_numbers(drop):
    found = numbers_of_texts("label", pa.array(NUMBERS), place(len(NUMBERS)), drop=drop)
    assert found.is_null().to_pylist() == [value is None for value in VALUES]
    np.testing.assert_array_equal(found.drop_null(), [value for value in VALUES if value is not None])


@pytest.mark.parametrize("text", ["good", "NA", "n/a", "1,5", "0x10", "1_000", "1 2", "--1", "true"])
def test_what_is_no_number_is_told_or_nan(text):
    texts = pa.array(["1", text, "other"])
    with pytest.raises(ValueError) as error:
        numbers_of_texts("label", texts, place(3, 41))
    assert str(error.value) == (
        f"s.csv, column 'label': expected a number, got {text!r} in row 42, query 'q', document 'd1' (2 such rows or"
        " more); mend or drop them"
    )
    found = numbers_of_texts("label", texts, place(3), drop=True)
    assert found.null_count == 0
    np.testing.assert_array_equal(found, [1, np.nan, np.nan])


def test_flags():
    assert flags_of("judged", pa.array(["true", "FALSE", "1", "0", "", None]), place(6)).to_pylist() == [
        *(True, False, True, False, None, None)
    ]
    with pytest.raises(ValueError, match="expected true or false, got 'yes' in row 2, query 'q', document 'd1'"):
        flags_of("judged", pa.array(["1", "yes"]), place(2))
