"""Functions of slices from the folder of the spec."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from ranker.errors import RankerError
from ranker.spec import SliceBy
from ranker.workflows.slice_code import load_slice_code


def by(code, inputs=("price",)):
    return [SliceBy(code=code, inputs=list(inputs), name="mine"), SliceBy(feature="price")]


def test_a_function_is_called_with_the_columns(tmp_path):
    (tmp_path / "limits.py").write_text("LIMIT = 10\n")
    (tmp_path / "mine.py").write_text(
        "def size(price):\n    from limits import LIMIT\n    return ['high' if p > LIMIT else None for p in price]\n"
    )
    functions = load_slice_code(by("mine:size"), tmp_path)
    assert list(functions) == ["mine"]
    assert functions["mine"](np.array([5.0, 20.0])) == [None, "high"]
    assert "mine" not in sys.modules


@pytest.mark.parametrize(
    ("code", "inputs", "says"),
    [
        ("gone:size", ["price"], "no module 'gone'"),
        ("mine:gone", ["price"], "slices 'mine': module mine has no function 'gone'"),
        ("mine:LIMIT", ["price"], "slices 'mine': module mine has no function 'LIMIT'"),
        (
            "mine:size",
            ["price", "brand"],
            "slices 'mine': mine:size does not take the inputs ['price', 'brand']: too many",
        ),
        ("broken:size", ["price"], "cannot import broken: SyntaxError"),
    ],
)
def test_functions_that_are_none_are_told(tmp_path, code, inputs, says):
    (tmp_path / "mine.py").write_text("LIMIT = 3\ndef size(price):\n    return 1 / 0\n")
    (tmp_path / "broken.py").write_text("def size(:\n")
    with pytest.raises(RankerError) as error:
        load_slice_code(by(code, inputs), tmp_path)
    assert says in str(error.value)


def test_what_fails_is_told_with_its_place(tmp_path):
    (tmp_path / "mine.py").write_text("def size(price):\n    return 1 / 0\n")
    function = load_slice_code(by("mine:size"), tmp_path)["mine"]
    with pytest.raises(
        RankerError, match=r"slices 'mine': mine:size fails: ZeroDivisionError: division by zero \(mine.py:2\)"
    ):
        function(np.zeros(3))


def test_without_a_folder_there_is_no_code():
    with pytest.raises(RankerError, match="mine:size lies in the folder of the spec; name the spec with --spec"):
        load_slice_code(by("mine:size"), None)
    assert load_slice_code(by("mine:size")[1:], None) == {}
