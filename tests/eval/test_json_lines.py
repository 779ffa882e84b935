"""JSON lines against Python's own parser."""

import gzip
import json

import numpy as np
import pyarrow as pa
import pytest

from eval import json_lines
from eval.json_lines import json_batches, json_schema

ROWS = [
    {"id": f"q{number}", "n": number, "x": number / 3, "tags": ["a"] * (number % 3), "day": "2024-01-01 00:00:00"}
    for number in range(300)
]


def write(tmp_path, rows, name="s.jsonl"):
    text = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows).encode()
    (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    return tmp_path / name


def read(path, columns):
    return pa.Table.from_batches(list(json_batches(path, columns))).to_pylist()


@pytest.mark.parametrize("name", ["s.jsonl", "s.jsonl.gz"])
@pytest.mark.parametrize("block", [8 << 20, 300, 40])
def test_rows_are_those_of_pythons_parser(tmp_path, monkeypatch, name, block):
    monkeypatch.setattr(json_lines, "_BLOCK", block)
    path = write(tmp_path, [*ROWS[:100], "", "  ", *ROWS[100:], ""], name)
    columns = {"id": False, "n": True, "x": True, "tags": False}
    expected = [{key: row[key] for key in columns} for row in ROWS]
    assert read(path, columns) == expected
    assert path.exists()


def test_types_are_those_of_the_first_rows_and_times_are_texts(tmp_path):
    assert json_schema(write(tmp_path, ROWS)) == pa.schema(
        {"id": pa.string(), "n": pa.int64(), "x": pa.float64(), "tags": pa.list_(pa.string()), "day": pa.string()}
    )
    assert read(write(tmp_path, ROWS[:1]), {"day": False}) == [{"day": "2024-01-01 00:00:00"}]
    empty = json_schema(write(tmp_path, [{"a": None, "b": []}]))
    assert empty == pa.schema({"a": pa.string(), "b": pa.list_(pa.string())})


@pytest.mark.parametrize("block", [8 << 20, 20])
def test_what_python_writes_for_no_number_is_read(tmp_path, monkeypatch, block):
    monkeypatch.setattr(json_lines, "_BLOCK", block)
    values = [1.5, float("nan"), float("inf"), -float("inf"), None, 10**400, 3]
    path = write(tmp_path, [{"id": "q", "x": value} for value in values])
    [*found] = (row["x"] for row in read(path, {"x": True}))
    assert found[4] is None
    np.testing.assert_array_equal(found[:4] + found[5:], [1.5, np.nan, np.inf, -np.inf, np.inf, 3])


def test_other_values_among_numbers_come_as_text(tmp_path):
    path = write(tmp_path, [*({"id": "q", "x": value} for value in (1, "good", None, True, [1, 2], 2.5)), ""])
    [batch] = json_batches(path, {"x": True})
    assert batch.column("x").to_pylist() == ["1", "good", None, "true", "[1, 2]", "2.5"]
    assert json_schema(path).field("x").type == pa.string()


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([{"id": "q"}, "{"], r"s\.jsonl: cannot read: row 2 is not JSON: Expecting property name .* at character 2"),
        ([{"id": "q"}, "", "[1]"], r"cannot read: row 2: expected a JSON object, got \[1\]"),
        ([{"id": "q"}] * 9 + [{"id": 5}], r"row 10, column 'id': expected string as in the first rows, got 5"),
        ([{"id": 3}] * 9 + [{"id": "q"}], r"row 10, column 'id': expected int64 as in the first rows, got 'q'"),
        ([], "the file is empty"),
        (["", " "], "the file is empty"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_row(tmp_path, monkeypatch, rows, says):
    monkeypatch.setattr(json_lines, "_BLOCK", 30)
    with pytest.raises(ValueError, match=says):
        read(write(tmp_path, rows), {"id": False})
