"""Dates, lists of texts and vectors come out of all formats alike."""

from __future__ import annotations

import csv
import datetime
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from ranker.data.columns import MISSING_INT
from ranker.data.data_error import DataError
from ranker.data.tables import text_blocks
from ranker.data.tables.files import column_names, read_table
from ranker.data.tables.rows import TableColumns

COLUMNS = TableColumns(
    ids=("id",), numbers=("price",), dates=("added",), lists=(("genres", "|"), ("tags", None)), vectors=(("image", 2),)
)
NAMES = ("id", "price", "added", "genres", "tags", "image")
Row = dict[str, Any]


def read(path: Path, columns: TableColumns = COLUMNS) -> tuple[list[Row], list[tuple[int, str, str]]]:
    """The rows with their `line`, and line, reason and text of those set aside."""
    aside: list[tuple[int, str, str]] = []
    found: list[Row] = []
    for rows in read_table([path], columns, lambda _, *row: aside.append(row)):
        assert rows.values.schema == columns.schema
        for column in rows.values.columns:
            column.validate(full=True)
            assert column.null_count == 0
        values = rows.values.to_pylist()
        found += [row | {"line": line} for row, line in zip(values, rows.lines.tolist(), strict=True)]
    return found, aside


def write(path: Path, rows: list[Row]) -> Path:
    """Rows as the format has them; a list in CSV as JSON, but genres joined."""
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    elif path.suffix == ".csv":
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, NAMES, lineterminator="\n")
            writer.writeheader()
            for row in rows:
                writer.writerow({name: _cell(name, value) for name, value in row.items()})
    else:
        kinds = {"tags": pa.list_(pa.string()), "image": pa.list_(pa.float64()), "price": pa.float64()}
        arrays = {}
        for name in NAMES:
            values = [row.get(name) for row in rows]
            if name == "genres":
                values = [" | ".join(value) if isinstance(value, list) else value for value in values]
            arrays[name] = pa.array(values, kinds.get(name, pa.string()))
        pa.parquet.write_table(pa.table(arrays), path)
    return path


def _cell(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return " | ".join(value) if name == "genres" else json.dumps(value, ensure_ascii=False)
    return value


def sound_rows(count: int, seed: int = 1) -> list[Row]:
    rng = np.random.default_rng(seed)
    words = ["drama", "sci fi", "größe", "a,b", '"q"']
    rows = []
    for i in range(count):
        moment = pd.Timestamp(int(rng.integers(-(10**9), 2 * 10**9)), unit="s")
        row: Row = {"id": str(i), "price": float(i)}
        row["added"] = None if i % 11 == 0 else moment.isoformat() + ("" if i % 3 else ".25Z")
        row["genres"] = None if i % 7 == 0 else rng.choice(words, rng.integers(0, 3)).tolist()
        row["tags"] = None if i % 5 == 0 else rng.choice(words, rng.integers(0, 4)).tolist()
        row["image"] = None if i % 13 == 0 else rng.random(2).tolist()
        rows.append(row)
    return rows


def expected(rows: list[Row], first: int) -> list[Row]:
    out = []
    for line, row in enumerate(rows, start=first):
        added = row["added"]
        seconds = MISSING_INT if added is None else pd.Timestamp(added).value // 10**9
        image = [np.nan, np.nan] if row["image"] is None else np.array(row["image"], np.float32).tolist()
        lists = {name: row[name] or [] for name in ("genres", "tags")}
        out.append({"id": row["id"], **lists, "added": seconds, "image": image, "price": row["price"], "line": line})
    return out


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
@pytest.mark.parametrize("fault", [False, True])
@pytest.mark.parametrize("size", [3000, 1 << 20])
def test_all_formats_give_the_same_rows(tmp_path, monkeypatch, ending, fault, size):
    """With a fault in each block they are read line by line."""
    monkeypatch.setattr(text_blocks, "_READ", size)
    rows = sound_rows(300)
    path = write(tmp_path / f"a.{ending}", rows)
    first = 2 if ending == "csv" else 1
    lines = 0
    if fault and ending != "parquet":
        text = path.read_text().splitlines(keepends=True)
        lines = len(text[first - 1 :]) // 10
        head, body = text[: first - 1], text[first - 1 :]
        path.write_text("".join(head) + "".join(line + "x\n" * (i % 10 == 9) for i, line in enumerate(body)))
    found, aside = read(path)
    wanted = expected(rows, first)
    for i, row in enumerate(wanted):
        row["line"] += i // 10 if lines else 0
    np.testing.assert_equal(found, wanted)
    assert [reason for _, reason, _ in aside] == ["unparsable line"] * lines
    assert column_names([path]) == list(NAMES)


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("added", "soon", "value of the wrong type"),
        ("added", "2024-02-30", "value of the wrong type"),
        ("added", True, "value of the wrong type"),
        ("image", [1.0], "vector of the wrong length"),
        ("image", [1.0, 2.0, 3.0], "vector of the wrong length"),
        ("image", "red", "value of the wrong type"),
        ("image", [1, "x"], "value of the wrong type"),
        ("tags", [["x"]], "value of the wrong type"),
        ("tags", "[x", "value of the wrong type"),
    ],
)
def test_a_value_of_the_wrong_type_costs_its_row(tmp_path, ending, name, value, reason):
    if ending == "jsonl" and value == "[x":
        value = [{"x": 1}]
    rows = sound_rows(20)
    rows[4] |= {name: value}
    path = write(tmp_path / f"a.{ending}", rows)
    found, aside = read(path)
    first = 2 if ending == "csv" else 1
    rows[4] = sound_rows(20)[4]
    wanted = expected(rows, first)
    np.testing.assert_equal(found, wanted[:4] + wanted[5:])
    assert aside == [(4 + first, reason, path.read_text().splitlines()[3 + first])]


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_vectors_that_all_have_another_length_are_a_fault_of_the_file(tmp_path, ending):
    rows = [row | {"image": [1.0, 2.0, 3.0]} for row in sound_rows(20)]
    path = write(tmp_path / f"a.{ending}", [rows[0] | {"image": None}, *rows])
    message = "column 'image': expected vectors of 2 numbers, got 3 numbers; e.g. .*1.*2.*3.* in line"
    with pytest.raises(DataError, match=message):
        read(path)


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_a_column_without_one_date_is_a_fault_of_the_file(tmp_path, ending):
    path = write(tmp_path / f"a.{ending}", [row | {"added": "01.05.2024"} for row in sound_rows(20)])
    with pytest.raises(
        DataError, match=r"'added': expected dates \(seconds since 1970, or .*, got a string; e.g. .*01.05.2024"
    ):
        read(path)


@pytest.mark.parametrize("first", [1714557600, 1714557600.75])
def test_json_dates_may_be_numbers_and_texts_in_turn(tmp_path, monkeypatch, first):
    columns = TableColumns(ids=("id",), dates=("added",), lists=(("tags", None),))
    values = [first, "2024-05-01T10:00:00.75Z", None, "2024-05-01", 0, -1.5, "1714557600", 1e300]
    tags = ["x", ["x", 1], 1, [1, 2.50, True], True, [], None, "y"]
    rows = [{"id": i, "added": value, "tags": tag} for i, (value, tag) in enumerate(zip(values, tags, strict=True))]
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    for size in (1, 1 << 20):  # a block for each row, then one for all
        monkeypatch.setattr(text_blocks, "_READ", size)
        found, aside = read(path, columns)
        assert [row["added"] for row in found] == [1714557600, 1714557600, MISSING_INT, 1714521600, 0, -2]
        assert [row["tags"] for row in found] == [["x"], ["x", "1"], ["1"], ["1", "2.5", "true"], ["true"], []]
        assert [(line, reason) for line, reason, _ in aside] == [(line, "value of the wrong type") for line in (7, 8)]


def test_a_column_of_lists_of_numbers_changes_to_texts(tmp_path, monkeypatch):
    """What Arrow infers of one block may not hold in the next."""
    monkeypatch.setattr(text_blocks, "_READ", 1)
    tags = [[1, 2], [None], ["x"], [], [1.50], "2024-01-01", ["2024-01-01"], [3]]
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps({"id": "d", "tags": value}) + "\n" for value in tags))
    found, aside = read(path, TableColumns(ids=("id",), lists=(("tags", None),)))
    assert [row["tags"] for row in found] == [["1", "2"], [], ["x"], [], ["1.5"], ["2024-01-01"], ["2024-01-01"], ["3"]]
    assert not aside


def test_parquet_has_dates_and_lists_of_its_own(tmp_path):
    moments = [datetime.datetime(2024, 5, 1, 10, 0, 0, 750_000, datetime.UTC), None]
    columns = TableColumns(ids=("id",), dates=("a", "b"), lists=(("c", ";"), ("d", None)), vectors=(("e", 2),))
    table = pa.table(
        {
            "id": [1, 2],
            "a": pa.array(moments, pa.timestamp("ns", "Asia/Tokyo")),
            "b": pa.array([19_844, None], pa.int32()).cast(pa.date32()),
            "c": pa.array(["x; y", None]).dictionary_encode(),
            "d": pa.array(['["x", "y"]', "z"]),
            "e": pa.array([[1, 2], [3, None]], pa.list_(pa.float32(), 2)),
        }
    )
    pa.parquet.write_table(table, tmp_path / "a.parquet")
    found, _ = read(tmp_path / "a.parquet", columns)
    first = {"id": "1", "c": ["x", "y"], "d": ["x", "y"], "a": 1714557600, "b": 1714521600, "e": [1, 2], "line": 1}
    second = {"id": "2", "c": [], "d": ["z"], "a": MISSING_INT, "b": MISSING_INT, "e": [3, np.nan], "line": 2}
    np.testing.assert_equal(found, [first, second])


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("added", pa.array([True]), r"'added': expected dates \(.*\), got bool"),
        ("added", pa.array([[1]]), r"'added': expected dates \(.*\), got list<"),
        ("tags", pa.array([[["x"]]]), "'tags': expected texts or lists of texts, got list<"),
        ("tags", pa.array([{"a": 1}]), "'tags': expected texts or lists of texts, got struct<"),
        ("image", pa.array([["x"]]), "'image': expected vectors of 2 numbers, got list<"),
        ("image", pa.array([1.0]), "'image': expected vectors of 2 numbers, got double"),
    ],
)
def test_parquet_columns_of_other_types_are_told(tmp_path, name, array, message):
    columns = {"id": pa.array(["1"]), "price": pa.array([1]), "added": pa.array([0]), "genres": pa.array(["x"])}
    columns |= {"tags": pa.array(["x"]), "image": pa.array([[1.0, 2.0]])}
    file = tmp_path / "a.parquet"
    pa.parquet.write_table(pa.table(columns | {name: array}), file)
    with pytest.raises(DataError, match=f"{file}: column {message}"):
        read(file)


def test_a_list_with_text_that_is_no_utf8_is_set_aside(tmp_path):
    garbled = pa.array([b"x", b"\xe9", b"z"]).view(pa.string())
    tags = pa.ListArray.from_arrays(pa.array([0, 1, 3, 3], pa.int32()), garbled)
    table = pa.table({"id": ["1", "2", "3"], "tags": tags})
    file = io.BytesIO()
    pa.parquet.write_table(table, file)
    (tmp_path / "a.parquet").write_bytes(file.getvalue())
    found, aside = read(tmp_path / "a.parquet", TableColumns(ids=("id",), lists=(("tags", None),)))
    assert [(row["id"], row["tags"]) for row in found] == [("1", ["x"]), ("3", [])]
    assert aside == [(2, "unparsable line", '{"id": "2", "tags": ["\ufffd", "z"]}')]


def test_a_row_of_parquet_is_shown_with_its_moments(tmp_path):
    moment = pa.array([1, 1_714_557_600_123_456_789], pa.timestamp("ns", "Asia/Tokyo"))
    pa.parquet.write_table(
        pa.table({"id": ["1", "2"], "added": moment, "image": [[1, 2], [3]]}), tmp_path / "a.parquet"
    )
    _, aside = read(tmp_path / "a.parquet", TableColumns(ids=("id",), dates=("added",), vectors=(("image", 2),)))
    shown = '{"id": "2", "added": "2024-05-01 10:00:00.123456789", "image": [3]}'
    assert [(line, reason) for line, reason, _ in aside] == [(2, "vector of the wrong length")]
    assert json.loads(aside[0][2]) == json.loads(shown)


def test_a_column_is_of_one_kind():
    for more in ({"texts": ("a",)}, {"numbers": ("a",)}, {"vectors": (("a", 2),)}, {"lists": (("a", None),)}):
        with pytest.raises(DataError, match=r"column 'a' is to be read as .* and as .*; expected one of them"):
            TableColumns(ids=("id",), dates=("a",), **more)
    assert TableColumns(ids=("id",), dates=("a", "a"), numbers=("b", "b")).names == ("id", "a", "b")


def test_the_columns_of_a_table_are_those_of_its_first_file_with_any(tmp_path):
    (tmp_path / "a.csv").write_text("")
    (tmp_path / "b.csv").write_text('\nx,"y z"\n')
    (tmp_path / "c.jsonl").write_text('[1]\n{"b": 1}\n{"a": null, "b": 2}\nnonsense\n')
    assert column_names([tmp_path / "a.csv"]) == []
    assert column_names([tmp_path / "a.csv", tmp_path / "b.csv", tmp_path / "c.jsonl"]) == ["x", "y z"]
    assert column_names([tmp_path / "c.jsonl"]) == ["b", "a"]
