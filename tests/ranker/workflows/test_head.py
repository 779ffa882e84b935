"""The first rows of a table file."""

from __future__ import annotations

import gzip
import math
import re

import pyarrow as pa
import pyarrow.parquet
import pytest

from ranker.errors import RankerError
from ranker.workflows.head import read_head

JSONL = b'{"id": "a", "price": 1}\n\n{"id": "b", "colour": "red"}\n{"id": "c", "price": 2.5}\n'
CSV = b'\xef\xbb\xbfid,price,colour\na,1,\nb,,red\nc,2.5,"two\nlines"\n'


@pytest.fixture
def head(tmp_path):
    def read(name: str, content: bytes, rows: int = 1000):
        (tmp_path / name).write_bytes(content)
        return read_head(tmp_path / name, rows)

    return read


@pytest.mark.parametrize("packed", [False, True])
def test_a_jsonl_file_gives_values_as_they_are_and_none_where_a_row_has_none(head, packed):
    name, content = ("t.jsonl.gz", gzip.compress(JSONL)) if packed else ("t.jsonl", JSONL)
    read = head(name, content)
    assert read.columns == {"id": ["a", "b", "c"], "price": [1, None, 2.5], "colour": [None, "red", None]}
    assert (read.rows, read.whole, read.typed) == (3, True, True)


def test_a_csv_file_gives_texts(head):
    read = head("t.csv", CSV)
    assert read.columns == {"id": ["a", "b", "c"], "price": ["1", "", "2.5"], "colour": ["", "red", "two\nlines"]}
    assert (read.rows, read.whole, read.typed) == (3, True, False)


def test_a_zstd_csv_file_is_read(tmp_path):
    with pa.output_stream(str(tmp_path / "t.csv.zst"), compression="zstd") as file:
        file.write(CSV)
    assert read_head(tmp_path / "t.csv.zst").rows == 3


def test_a_parquet_file_gives_python_values(tmp_path):
    path = tmp_path / "t.parquet"
    pa.parquet.write_table(pa.table({"id": ["a", "b"], "price": [1, None], "tags": [["x"], []]}), path)
    assert read_head(path).columns == {"id": ["a", "b"], "price": [1, None], "tags": [["x"], []]}


def test_the_lines_of_rows_are_known(head, tmp_path):
    assert [head("t.jsonl", JSONL).line(row) for row in range(3)] == [1, 3, 4]
    assert [head("t.csv", CSV + b"\n\r\nd,4,x\n").line(row) for row in range(4)] == [2, 3, 4, 8]
    assert [head("t.csv.gz", gzip.compress(b"\n" + CSV)).line(row) for row in range(3)] == [3, 4, 5]
    pa.parquet.write_table(pa.table({"id": ["a", "b"]}), tmp_path / "t.parquet")
    assert read_head(tmp_path / "t.parquet").line(1) == 2


def test_moments_finer_than_those_of_python_are_read(tmp_path):
    moments = pa.array([1, None, 10**18 + 1], pa.timestamp("ns", "UTC"))
    pa.parquet.write_table(pa.table({"at": moments}), tmp_path / "t.parquet")
    found = read_head(tmp_path / "t.parquet").columns["at"]
    assert [moment and moment.timestamp() for moment in found] == [0.0, None, 1e9]


def test_a_number_that_is_none_is_read_as_the_connector_does(head):
    [price] = head("t.jsonl", b'{"price": NaN}\n').columns["price"]
    assert math.isnan(price)


@pytest.mark.parametrize(("name", "content"), [("t.jsonl", JSONL), ("t.csv", CSV)])
@pytest.mark.parametrize(("rows", "whole"), [(2, False), (3, True), (4, True)])
def test_no_more_rows_are_read_than_asked_for(head, name, content, rows, whole):
    read = head(name, content, rows)
    assert read.rows == min(rows, 3)
    assert {len(values) for values in read.columns.values()} == {read.rows}
    assert read.whole == whole


def test_a_csv_row_longer_than_a_block_is_read(head):
    assert head("t.csv", b"id,text\na," + b"x" * 3_000_000 + b"\nb,y\n").columns["id"] == ["a", "b"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.jsonl", b'{"id": 1}\n{"id": \n', r"t.jsonl:2: not valid JSON: .*; expected one object per line"),
        ("t.jsonl", b"[1]\n", r"t.jsonl:1: expected an object, got \[1\]"),
        ("t.jsonl", b"\n", "t.jsonl: no rows"),
        ("t.csv", b"", "t.csv: is empty; expected a line of column names"),
        ("t.csv", b"id,label\n", "t.csv: no rows"),
        ("t.csv", b"id,label\na,1\nb\n", "t.csv: not valid CSV: .*Row #3: Expected 2 columns, got 1"),
        ("t.csv", b"id,id\na,b\n", "2 columns are called 'id'"),
        ("t.csv", b"id\n\xff\xfe\n", "not valid CSV: .*UTF8"),
        ("t.csv.gz", CSV, "cannot read: zlib"),
        ("t.parquet", b"PAR1", "not valid PARQUET"),
        ("t.tsv", b"id\tlabel\n", r"cannot tell the format from '.tsv'; expected .jsonl, .csv, .parquet"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_with_its_place(head, name, content, message):
    with pytest.raises(RankerError, match=message):
        head(name, content)


def test_a_missing_file_names_one_that_is_there(tmp_path):
    (tmp_path / "queries.jsonl").touch()
    with pytest.raises(RankerError, match=re.escape("no such file; did you mean 'queries.jsonl'?")):
        read_head(tmp_path / "querys.jsonl")


def test_a_folder_is_told(tmp_path):
    with pytest.raises(RankerError, match="is a folder; name its files"):
        read_head(tmp_path)


def test_numbers_are_told_by_the_format(head):
    typed, texts = head("t.jsonl", JSONL), head("t.csv", CSV)
    assert typed.number(2) == texts.number("2") == 2
    assert math.isnan(typed.number(None))
    assert math.isnan(texts.number("NA"))
    for read, value in ((typed, "2"), (typed, True), (texts, "1_000"), (texts, "1_0")):
        with pytest.raises(ValueError, match="number"):
            read.number(value)
