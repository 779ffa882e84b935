"""Readers of table files: every fault of a row is set aside at its line, every fault of a file is told."""

from __future__ import annotations

import gzip
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from upath import UPath

from ranker.data.data_error import DataError
from ranker.data.tables import text_blocks
from ranker.data.tables.files import column_names, read_table, table_paths
from ranker.data.tables.rows import TableColumns

COLUMNS = TableColumns(ids=("did",), texts=("title",), numbers=("price",))
JUDGMENTS = TableColumns(ids=("qid", "did"), label="grade")
Aside = list[tuple[str, int, str, str]]


@pytest.fixture
def read(tmp_path):
    """`read({file: content})` is the rows as dictionaries with their `line`, and the rows set aside."""

    def reading(
        contents: dict[str, bytes | str], columns: TableColumns = COLUMNS
    ) -> tuple[list[dict[str, Any]], Aside]:
        paths = []
        for name, content in contents.items():
            paths.append(tmp_path / name)
            paths[-1].write_bytes(content if isinstance(content, bytes) else content.encode())
        aside: Aside = []
        found = []
        for rows in read_table(paths, columns, lambda *row: aside.append(row)):
            assert rows.values.schema == columns.schema
            assert sum(column.null_count for column in rows.values.columns) == 0
            values = rows.values.to_pylist()
            found += [row | {"line": line} for row, line in zip(values, rows.lines.tolist(), strict=True)]
        return found, aside

    return reading


def jsonl(did: Any, title: Any = "t", price: Any = 1) -> str:
    return json.dumps({"did": did, "title": title, "price": price}) + "\n"


def ids(rows: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return [(row["did"], row["line"]) for row in rows]


# --- rows that cannot be used ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bad",
    ["{", '{"did": }', "[1]", "null", "3", '"x"', '{"did": "x"} {"did": "y"}', '{"did": "x"},', "x" * 2000,
     '{"did": "\\ud800"}', '{"did": "x"', "[" * 5000, '{"did": "x"} null', "{'did': 'x'}"],
)  # fmt: skip
@pytest.mark.parametrize("last", [False, True])
def test_a_line_that_holds_no_object_is_set_aside(read, bad, last):
    lines = [jsonl("1"), jsonl("2"), "" if last else jsonl("4")]
    rows, aside = read({"a.jsonl": lines[0] + lines[1] + bad + "\n" + lines[2]})
    assert ids(rows) == [("1", 1), ("2", 2)] + ([] if last else [("4", 4)])
    assert aside == [("a.jsonl", 3, "unparsable line", bad)]


@pytest.mark.parametrize("first", ["null", "[1]", "", "  ", "x"])
def test_a_first_line_without_an_object_stops_nothing(read, first):
    """Arrow's reader would end the process at a first line `null`."""
    rows, aside = read({"a.jsonl": first + "\n" + jsonl("1")})
    assert ids(rows) == [("1", 2)]
    assert [row[1] for row in aside] == ([1] if first.strip() else [])


def test_an_object_over_several_lines_is_no_row(read):
    rows, aside = read({"a.jsonl": jsonl("1") + '{"did": "2",\n"title": "t"}\n' + jsonl("3")})
    assert ids(rows) == [("1", 1), ("3", 4)]
    assert [row[1] for row in aside] == [2, 3]


def test_lines_are_counted_with_empty_ones_and_both_line_ends(read):
    text = "\n" + jsonl("1") + "\r\n\n" + jsonl("2").replace("\n", "\r\n") + "  \n" + jsonl("3") + jsonl("4").rstrip()
    assert ids(read({"a.jsonl": text})[0]) == [("1", 2), ("2", 5), ("3", 7), ("4", 8)]


def test_bytes_that_are_no_utf8_are_set_aside(read):
    rows, aside = read({"a.jsonl": jsonl("1").encode() + '{"did": "é"}\n'.encode("latin-1") + jsonl("ü").encode()})
    assert ids(rows) == [("1", 1), ("ü", 3)]
    assert aside == [("a.jsonl", 2, "unparsable line", '{"did": "\ufffd"}')]
    rows, aside = read({"a.csv": b"did,title,price\n1,a,1\n2,\xe9,2\n3,c,3\n"})
    assert ids(rows) == [("1", 2), ("3", 4)]
    assert aside == [("a.csv", 3, "unparsable line", "2,\ufffd,2")]


@pytest.mark.parametrize(
    ("bad", "count"),
    [("2,b", 1), ("2,b,2,2", 1), ('2,"b,2', 1), ('2,"b" "c,2', 1), ('2,"b\nb"', 2), ('"', 1), (",", 1)],
)
def test_a_row_of_csv_that_does_not_fit_is_set_aside(read, bad, count):
    rows, aside = read({"a.csv": f'did,title,price\n1,a,1\n{bad}\n3,"c\n""d""",3\n4,5" x,4\n'})
    assert ids(rows) == [("1", 2), ("3", 3 + count), ("4", 5 + count)]
    assert [row["title"] for row in rows] == ["a", 'c\n"d"', '5" x']
    assert aside == [("a.csv", 3, "unparsable line", bad)]


@pytest.mark.parametrize("fault", ["", "x\n"])
def test_text_behind_a_closing_quote_belongs_to_the_field(read, fault):
    """As Arrow has it, with and without a fault elsewhere."""
    rows, aside = read({"a.csv": 'did,title,price\n1,"b" c,1\n' + fault})
    assert [row["title"] for row in rows] == ["b c"]
    assert len(aside) == len(fault) // 2


def test_a_quote_that_nothing_closes_costs_one_row(read, monkeypatch):
    monkeypatch.setattr(text_blocks, "LONGEST_ROW", 5000)
    monkeypatch.setattr(text_blocks, "_READ", 1000)
    lines = [f'{i},"t, {i}",{i}' for i in range(1, 3000)]
    lines[700] = '701,"t 701,701'
    rows, aside = read({"a.csv": "did,title,price\n" + "\n".join(lines) + "\n"})
    assert aside == [("a.csv", 702, "unparsable line", lines[700])]
    assert ids(rows) == [(str(i), i + 1) for i in range(1, 3000) if i != 701]


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_a_value_of_the_wrong_type_costs_its_row(read, ending):
    prices = [1, "cheap", None, 4, "2"] if ending == "jsonl" else [1, "cheap", None, 4, "2 EUR"]
    rows = [{"did": str(i), "title": "t", "price": price} for i, price in enumerate(prices, start=1)]
    text = {"jsonl": "".join(json.dumps(row) + "\n" for row in rows)}
    text["csv"] = "did,title,price\n" + "".join(f"{row['did']},t,{row['price'] or ''}\n" for row in rows)
    first = {"jsonl": 0, "csv": 1}[ending]
    found, aside = read({f"a.{ending}": text[ending]})
    assert ids(found) == [("1", 1 + first), ("3", 3 + first), ("4", 4 + first)]
    np.testing.assert_array_equal([row["price"] for row in found], [1, np.nan, 4])
    assert [row[:3] for row in aside] == [(f"a.{ending}", line + first, "value of the wrong type") for line in (2, 5)]
    assert "cheap" in aside[0][3]


def test_a_label_of_the_wrong_type_is_a_bad_label(read):
    text = 'qid,did,grade\na,1,2\na,"2",good\n'
    rows, aside = read({"a.csv": text}, JUDGMENTS)
    assert ids(rows) == [("1", 2)]
    assert aside == [("a.csv", 3, "bad label", 'a,"2",good')]
    rows, aside = read(
        {"a.jsonl": '{"qid": 1, "did": 1, "grade": 1}\n{"qid": 1, "did": 2, "grade": true}\n'}, JUDGMENTS
    )
    assert aside == [("a.jsonl", 2, "bad label", '{"qid": 1, "did": 2, "grade": true}')]


def test_text_in_parquet_that_is_no_utf8_is_set_aside(read):
    garbled = pa.array([b"1", b"\xe9", b"3"]).view(pa.string())
    file = io.BytesIO()
    pa.parquet.write_table(pa.table({"did": ["1", "2", "3"], "title": garbled, "price": [1, None, 3]}), file)
    rows, aside = read({"a.parquet": file.getvalue()})
    assert ids(rows) == [("1", 1), ("3", 3)]
    assert aside == [("a.parquet", 2, "unparsable line", '{"did": "2", "title": "\ufffd", "price": null}')]


# --- numbers ---------------------------------------------------------------------------------------------------------

NUMBERS = ["1", "-1.5e3", "+2", " 3 ", ".5", "5.", "1e400", "inf", "-inf", "nan", "NA", "", "007", "1E-400"]


def test_a_block_with_a_fault_gives_the_same_numbers(read):
    """Row by row as Arrow does it."""
    text = "did,title,price\n" + "".join(f"{i},t,{number}\n" for i, number in enumerate(NUMBERS))
    sound, _ = read({"a.csv": text})
    with_fault, aside = read({"a.csv": text + "x\n"})
    assert len(aside) == 1
    np.testing.assert_equal(with_fault, sound)
    objects = "".join(jsonl(str(i), None, price) for i, price in enumerate([1, -2.5e300, 2**53 + 1, None, 0.1, 10**40]))
    sound, _ = read({"a.jsonl": objects})
    with_fault, aside = read({"a.jsonl": objects + "x\n"})
    assert len(aside) == 1
    np.testing.assert_equal(with_fault, sound)


def test_json_numbers_too_large_for_a_double_are_infinite(read):
    rows, _ = read({"a.jsonl": '{"did": 1, "title": true, "price": -1e400}\n'})
    assert rows == [{"did": "1", "title": "true", "price": -np.inf, "line": 1}]


# --- blocks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["jsonl", "csv", "csv.gz", "jsonl.zst"])
@pytest.mark.parametrize("size", [200, 1001, 1 << 20])
def test_lines_are_right_whatever_the_blocks(read, monkeypatch, ending, size):
    monkeypatch.setattr(text_blocks, "_READ", size)
    expected, lines, line = [], [], 1
    if ending.startswith("csv"):
        lines.append("did,title,price")
        line += 1
    for i in range(500):
        if i % 50 == 17:
            lines.append("{broken" if ending.startswith("jsonl") else "broken")
            line += 1
            continue
        title = f"t {i}" + "\nline two\n\n" * (i % 7 == 3)
        row = jsonl(str(i), title).rstrip() if ending.startswith("jsonl") else f'{i},"{title}",{i}'
        expected.append((str(i), line, title))
        lines.append(row)
        line += 1 + row.count("\n")
    data = ("\n".join(lines) + "\n").encode()
    if ending.endswith(("gz", "zst")):
        data = gzip.compress(data) if ending.endswith("gz") else pa.compress(data, "zstd", asbytes=True)
    rows, aside = read({f"a.{ending}": data})
    assert [(row["did"], row["line"], row["title"]) for row in rows] == expected
    assert len(aside) == 10
    text = ("\n".join(lines) + "\n").split("\n")
    assert all(text[line - 1] == shown for _, line, _, shown in aside)


def test_rows_may_be_megabytes_long(read):
    long = "long\n" * 600_000
    rows, aside = read(
        {"a.jsonl": jsonl("1") + jsonl("2", long) + jsonl("3"), "b.csv": f'did,title,price\n4,"{long}",\n'}
    )
    assert not aside
    assert ids(rows) == [("1", 1), ("2", 2), ("3", 3), ("4", 2)]
    assert [row["title"] == long for row in rows] == [False, True, False, True]


def test_a_byte_order_mark_is_no_text(read):
    mark = "\ufeff"
    rows, aside = read({"a.jsonl": mark + jsonl("1"), "b.csv": mark + "did,title,price\n2,t,1\n"})
    assert (ids(rows), aside) == ([("1", 1), ("2", 2)], [])


# --- faults of whole files -------------------------------------------------------------------------------------------

DOCUMENT = '{"did": "7", "title": %s, "price": %s}\n'


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", "", "no rows; expected at least one$"),
        ("a.jsonl", "\n", "no rows; expected at least one$"),
        ("a.csv", "", "no rows; expected at least one$"),
        ("a.csv", "did,title,price\n", "no rows; expected at least one$"),
        ("a.jsonl", "[1]\n[2]\n", r"no rows; .*; 2 were set aside, first unparsable line a.jsonl:1: \[1\]"),
        ("a.jsonl", '{"did": "1", "title": ""}\n', "no column 'price'; there are did, title$"),
        ("a.jsonl", '{"id": "1", "title": "", "price": 1}\n', "no column 'did'; there are id, title, price$"),
        ("a.csv", "did,title\n1,t\n", "no column 'price'; there are did, title$"),
        ("a.csv", "did,title,price,price\n1,t,1,2\n", "2 columns 'price'; there are did, title, price, price"),
        ("a.csv", 'did,"title\n', "header is not CSV"),
        ("a.csv", "did,title,price\n1,t,x\n", "column 'price': expected numbers, got a string; e.g. x in line 2"),
        ("a.jsonl", DOCUMENT % ('""', '"1"'), "column 'price': expected numbers, got a string; e.g. \"1\" in line 1"),
        ("a.jsonl", DOCUMENT % ('""', "true"), "'price': expected numbers, got a truth value; e.g. true in line 1"),
        ("a.jsonl", DOCUMENT % ('["x"]', "1"), "'title': expected text, got a list; e.g. \\[\"x\"\\] in line 1"),
        ("a.jsonl.gz", b"not gzip", "cannot read: .*incorrect header"),
        ("a.jsonl.gz", b"\x1f\x8b\x08\x00", "cannot read: "),
        ("a.parquet", b"PAR1 not", "not valid Parquet"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_whole_file_is_told(read, tmp_path, name, content, message):
    with pytest.raises(DataError, match=message) as caught:
        read({name: content})
    assert re.match(f"{re.escape(str(tmp_path / name))}:", str(caught.value)), "names the file"


@pytest.mark.parametrize(
    ("column", "kind", "message"),
    [
        ("price", pa.string(), "column 'price': expected numbers, got string"),
        ("price", pa.bool_(), "column 'price': expected numbers, got bool"),
        ("title", pa.list_(pa.string()), "column 'title': expected text, got list<.*string>"),
        ("id", pa.string(), "no column 'did'; there are title, price, id"),
    ],
)
def test_wrong_columns_of_parquet_are_told(read, column, kind, message):
    fields = {"did": pa.string(), "title": pa.string(), "price": pa.int32()}
    if column == "id":
        del fields["did"]
    file = io.BytesIO()
    schema = pa.schema(list((fields | {column: kind}).items()))
    pa.parquet.write_table(pa.table({name: pa.array([None], schema.field(name).type) for name in schema.names}), file)
    with pytest.raises(DataError, match=message):
        read({"a.parquet": file.getvalue()})


@pytest.mark.parametrize("ending", ["gz", "zst"])
def test_a_file_that_is_cut_off_says_how_far_it_could_be_read(read, monkeypatch, ending):
    monkeypatch.setattr(text_blocks, "_READ", 10_000)
    lines = "".join(jsonl(str(i), str(np.random.default_rng(i).random(8).tolist())) for i in range(1000)).encode()
    packed = gzip.compress(lines) if ending == "gz" else pa.compress(lines, "zstd", asbytes=True)
    with pytest.raises(DataError, match=r"cannot read on from line ([\d,]+), after ([\d,]+) bytes") as caught:
        read({f"a.jsonl.{ending}": packed[: len(packed) * 2 // 3]})
    line, done = (int(text.replace(",", "")) for text in re.findall(r"(?:line|after) ([\d,]+)", str(caught.value)))
    assert lines[:done].count(b"\n") + 1 == line
    assert 300 < line < 1000


def test_a_line_without_an_end_is_refused_before_it_fills_the_memory(read, monkeypatch):
    monkeypatch.setattr(text_blocks, "LONGEST_ROW", 10_000)
    monkeypatch.setattr(text_blocks, "_READ", 1000)
    with pytest.raises(DataError, match=r"a.jsonl:2: line of more than .* expected one row per line"):
        read({"a.jsonl": jsonl("1") + "x" * 20_000})


def test_a_column_that_is_missing_for_long_may_still_come(read, monkeypatch):
    monkeypatch.setattr(text_blocks, "_READ", 100)
    rows, _ = read({"a.jsonl": '{"did": 1, "title": ""}\n' * 50 + '{"did": 1, "title": "", "price": null}\n'})
    assert len(rows) == 51


def test_an_empty_file_among_others_is_no_fault(read):
    rows, _ = read({"a.csv": "", "b.csv": "did,title,price\n", "c.csv": "price,did,title\n1,2,3\n"})
    assert ids(rows) == [("2", 2)]


def test_a_column_cannot_be_text_and_numbers():
    with pytest.raises(DataError, match="column 'did' is to be read as text and as numbers"):
        TableColumns(ids=("did",), numbers=("did",))


# --- paths -----------------------------------------------------------------------------------------------------------


def test_paths_of_a_pattern_are_sorted(tmp_path):
    names = [f"p-{i}.jsonl.gz" for i in (2, 10, 1)]
    for name in [*names, "other.jsonl.gz", "p-3.csv"]:
        (tmp_path / name).touch()
    assert table_paths(tmp_path / "p-*.jsonl.gz") == [tmp_path / name for name in sorted(names)]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tmp_path):
    (tmp_path / "p[1].csv").touch()
    (tmp_path / "p1.csv").touch()
    assert table_paths(tmp_path / "p[1].csv") == [tmp_path / "p[1].csv"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.csv", "none.csv: cannot read: No such file or directory; the spec's data.sources names this file"),
        ("none-*.csv", r"none-\*.csv: no file matches"),
        ("folder.csv", "folder.csv: cannot read: it is a folder; name its files, e.g. .*folder.csv/"),
        ("a.txt", "a.txt: cannot tell the format from '.txt'; expected .jsonl or .csv"),
        ("a.parquet.gz", "cannot tell the format from '.parquet.gz'"),
        ("a", "cannot tell the format from ''"),
    ],
)
def test_paths_that_name_no_table_are_refused(tmp_path: Path, name, message):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(DataError, match=message):
        table_paths(tmp_path / name)


def test_tables_of_a_remote_place_are_read_as_those_of_this_machine():
    folder = UPath("memory://tables-of-a-remote-place")
    parquet = io.BytesIO()
    pa.parquet.write_table(pa.table({"did": ["3"], "title": ["t"], "price": [3]}), parquet)
    contents = {
        "a.jsonl": jsonl("1", "t", 1).encode(),
        "a.csv.gz": gzip.compress(b"did,title,price\n2,t,2\n"),
        "a.parquet": parquet.getvalue(),
    }
    for name, content in contents.items():
        with (folder / name).open("wb") as file:
            file.write(content)
    paths = table_paths(folder / "a.*")
    assert [path.name for path in paths] == ["a.csv.gz", "a.jsonl", "a.parquet"]
    assert column_names(paths) == ["did", "title", "price"]
    rows = list(read_table(paths, COLUMNS, lambda *row: pytest.fail(str(row))))
    assert [(part.values["did"][0].as_py(), part.values["price"][0].as_py()) for part in rows] == [
        ("2", 2),
        ("1", 1),
        ("3", 3),
    ]
    with pytest.raises(DataError, match=r"b\.csv: cannot read: No such file or directory"):
        table_paths(folder / "b.csv")


def test_a_missing_number_of_parquet_is_no_text_nan(tmp_path):
    path = tmp_path / "p.parquet"
    table = pa.table(
        {
            "did": pa.array([2.0, float("nan"), None, 7.5]),
            "title": pa.array([float("nan"), 8.0, 1.5, None], pa.float32()),
            "tags": pa.array([float("nan"), 3.0, 4.0, None]),
        }
    )
    pyarrow.parquet.write_table(table, path)
    columns = TableColumns(ids=("did",), texts=("title",), lists=(("tags", None),))
    [rows] = read_table([path], columns, lambda *_: None)
    assert rows.values.to_pydict() == {
        "did": ["2", "", "", "7.5"],
        "title": ["", "8", "1.5", ""],
        "tags": [[], ["3"], ["4"], []],
    }
