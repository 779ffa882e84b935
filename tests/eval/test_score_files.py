import gzip
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from eval import score_files
from eval.score_files import ScoreFile
from eval.score_parts import Columns, PartsOnDisk, WholeTable

COLUMNS = Columns(("a", "b"), ("category", "price"), "user")


@pytest.fixture(scope="module")
def scores(make_scores):
    return make_scores(40).drop_columns(["tags"])


def write(table, path):
    """The table as a file of the kind that its name says; text as pandas writes it, of ten digits in JSON."""
    name, frame = path.name.removesuffix(".gz"), table.to_pandas()
    if name.endswith(".parquet"):
        pq.write_table(table, path, row_group_size=50)
    elif name.endswith((".arrow", ".feather")):
        pa.feather.write_feather(table, path, chunksize=50)
    else:
        text = frame.to_csv(index=False) if name.endswith(".csv") else frame.to_json(orient="records", lines=True)
        path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def frame_of(found):
    """All documents by their ids, with what is known of them."""
    frames = []
    for part in found.parts():
        rows = part.lists.ragged.rows
        known = {"query": part.lists.query_ids[rows], "user": part.units[rows], "label": part.lists.labels}
        columns = {column: values.to_pandas() for column, values in part.columns.items()}
        columns["category"] = columns["category"].fillna("")
        frames.append(pd.DataFrame({**known, **part.scores, **columns}, index=part.lists.document_ids))
    return pd.concat(frames).sort_index()


def opened(path, tmp_path, columns=COLUMNS, **options):
    folder = tmp_path / "parts"
    folder.mkdir(exist_ok=True)
    return ScoreFile(path).open(columns, ["price"], folder, **options)


@pytest.mark.parametrize(
    "name", ["s.parquet", "s.csv", "s.csv.gz", "s.jsonl", "s.jsonl.gz", "s.ndjson", "s.arrow", "s.feather"]
)
@pytest.mark.parametrize("most", [2_000_000, 100])
def test_every_kind_of_file_gives_the_same_lists(scores, tmp_path, name, most):
    expected = frame_of(WholeTable(scores, COLUMNS))
    found = opened(write(scores, tmp_path / name), tmp_path, most=most)
    assert isinstance(found, WholeTable if most > 1000 else PartsOnDisk)
    pd.testing.assert_frame_equal(frame_of(found), expected, rtol=1e-9, check_dtype=False)


LINES = [
    ("q", "a", "1", "1.5"),
    ("q", "b", "good", "2.5"),
    ("q", "c", "NA", "2.5"),
    ("q", "d", "", "2.5"),
    ("q", "e", "0", "oops"),
    ("r", "a", "1", "nan"),
]


@pytest.mark.parametrize("name", ["s.csv", "s.jsonl"])
@pytest.mark.parametrize("most", [2_000_000, 2])
def test_texts_that_are_no_numbers_are_left_out_if_that_is_asked(tmp_path, name, most):
    if name == "s.csv":
        text = "query_id,document_id,label,a\n" + "".join(",".join(line) + "\n" for line in LINES)
    else:
        rows = [dict(zip(("query_id", "document_id", "label", "a"), line, strict=True)) for line in LINES]
        rows[0] |= {"label": 1, "a": 1.5}
        rows[3]["label"] = None
        rows[5] |= {"label": 1, "a": float("nan")}
        text = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / name).write_text(text)
    found = opened(tmp_path / name, tmp_path, Columns(("a",), unusable="drop"), most=most)
    [part] = found.parts()
    assert (part.lists.document_ids.tolist(), part.scores["a"].tolist()) == (["a"], [1.5])
    assert found.dropped["label"] == {"documents": 3, "reasons": {"missing": 1, "no number": 2}}
    assert found.dropped["scores"]["a"]["reasons"] == {"no number": 2}
    assert (found.dropped["queries"], found.dropped["scores"]["a"]["relevant"]) == (1, 1)


def test_the_row_of_a_fault_is_counted_over_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(score_files, "_BLOCK", 200)
    rows = [f"q,d{number},{number},1" for number in range(100)]
    rows[77] = "q,d77,best,1"
    (tmp_path / "s.csv").write_text("query_id,document_id,label,a\n" + "\n".join(rows))
    with pytest.raises(ValueError, match="got 'best' in row 78, query 'q', document 'd77'"):
        opened(tmp_path / "s.csv", tmp_path, Columns(("a",)))


def test_columns_that_nothing_reads_are_named(tmp_path):
    (tmp_path / "s.csv").write_text("query_id,document_id,label,a,b,clicks,shop,judged\nq,d,1,1.5,2,3,x,1\n")
    unread = ScoreFile(tmp_path / "s.csv").unread(["a"])
    assert unread == {"b": "integers", "clicks": "integers", "shop": "text"}


def test_columns_of_floating_point_are_those_of_scores(scores, tmp_path):
    for name in ("s.parquet", "s.csv", "s.jsonl"):
        file = ScoreFile(write(scores, tmp_path / name))
        assert file.models(["price"]) == ["a", "b", "c"]
    bare = write(scores.select(["query_id", "document_id", "label"]), tmp_path / "bare.parquet")
    with pytest.raises(
        ValueError, match=r"bare\.parquet: expected columns of scores, got query_id, document_id, label"
    ):
        ScoreFile(bare).models([])


def test_a_name_that_is_not_there_and_one_that_is_taken(scores, tmp_path):
    """The column that is named takes the place of one that has its name in a score table."""
    graded = scores.append_column("grade", pa.array(scores["label"].to_numpy() * 2.0))
    for name in ("s.parquet", "s.csv", "s.jsonl"):
        path = write(graded, tmp_path / name)
        with pytest.raises(ValueError, match=r"expected a column 'grde', got .*; did you mean 'grade'?"):
            ScoreFile(path, {"label": "grde"}).columns()
        file = ScoreFile(path, {"label": "grade"})
        assert file.models(["price"]) == ["a", "b", "c"]
        [part] = file.open(Columns(("a",)), [], tmp_path).parts()
        np.testing.assert_array_equal(part.lists.labels, scores["label"].to_numpy() * 2)


def test_columns_may_have_other_names(scores, tmp_path):
    renamed = scores.rename_columns(
        ["qid" if n == "query_id" else "grade" if n == "label" else n for n in scores.column_names]
    )
    for name in ("s.parquet", "s.csv", "s.jsonl"):
        path = write(renamed, tmp_path / name)
        file = ScoreFile(path, {"query_id": "qid", "label": "grade"})
        [found] = file.open(Columns(("a",)), [], tmp_path).parts()
        assert len(found.lists) == 40
        with pytest.raises(ValueError, match="expected a column 'query_id', got qid"):
            ScoreFile(path).open(Columns(("a",)), [], tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        (
            "s.csv",
            "q,d0,1,1\nq,d1,high,1\n",
            r"s\.csv, column 'label': expected a number, got 'high' in row 2, query 'q', document 'd1' \(1 such",
        ),
        ("s.csv", "q,d1,NA,1\n", "column 'label': expected a number, got 'NA' in row 1, query 'q', document 'd1'"),
        ("s.csv", "q,d1,1,1\nq,d2,0,\n", "column 'a': expected numbers finite, got nan for query 'q', document 'd2'"),
        ("s.csv", "q,d1,1,0x10\n", "column 'a': expected a number, got '0x10'"),
        ("s.csv", "q,d1,1\n", r"s\.csv: cannot read: CSV parse error: Expected 4 columns, got 3"),
        ("s.csv", ",d1,1,1\n", "column 'query_id': expected no nulls, got 1"),
        ("s.csv", "q,d1,-1,1\n", "column 'label': expected numbers finite and >= 0, got -1.0 for query 'q'"),
        ("s.csv", "q,d1,1,1\nq,d1,1,1\n", "expected each document once per query, got query 'q', document 'd1' again"),
        ("s.csv", "", "at least one row, got none"),
        (
            "s.jsonl",
            '{"query_id":"q","document_id":"d","label":"high","a":1}',
            r"s\.jsonl, column 'label': expected a number, got 'high' in row 1, query 'q', document 'd'",
        ),
        (
            "s.jsonl",
            '{"query_id":"q","document_id":"d","label":1,"a":1}\n\n{"query_id":"q","document_id":"e","label":true,"a":1}',
            r"column 'label': expected a number, got 'true' in row 2, query 'q', document 'e'",
        ),
        (
            "s.jsonl",
            '{"query_id":"q","document_id":"d","label":1,"a":null}',
            "column 'a': expected numbers finite, got nan",
        ),
        (
            "s.jsonl",
            '{"query_id":"q","document_id":"d","a":1}',
            "expected a column 'label', got query_id, document_id, a",
        ),
        ("s.jsonl", '{"query_id":', r"s\.jsonl: cannot read: row 1 is not JSON: Expecting value at character 13"),
    ],
)
@pytest.mark.parametrize("most", [2_000_000, 0])
def test_bad_text_is_told_with_its_place(tmp_path, name, text, says, most):
    (tmp_path / name).write_text("query_id,document_id,label,a\n" * (name == "s.csv") + text)
    with pytest.raises(ValueError, match=says):
        list(ScoreFile(tmp_path / name).open(Columns(("a",)), [], tmp_path, most=most).parts())


@pytest.mark.parametrize("name", ["s.parquet", "s.csv", "s.jsonl", "s.arrow"])
def test_empty_and_broken_files_are_told(tmp_path, name):
    for content in (b"", b"\xff\xfe\x00 no table"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=rf"{name}: cannot read|expected a column 'query_id'"):
            list(ScoreFile(tmp_path / name).open(Columns(("a",)), [], tmp_path).parts())


def test_other_files_are_refused(tmp_path):
    with pytest.raises(
        ValueError, match=r"expected a file that ends in .parquet, .csv, .jsonl, .ndjson, .arrow, .feather"
    ):
        ScoreFile(tmp_path / "scores.xlsx")
    with pytest.raises(ValueError, match="no file of scores here"):
        ScoreFile(tmp_path / "scores.csv")


def test_judged_in_text(tmp_path):
    (tmp_path / "s.csv").write_text("query_id,document_id,label,a,judged\nq,d,1,1,true\nq,e,0,1,FALSE\nq,f,0,1,1\n")
    [found] = ScoreFile(tmp_path / "s.csv").open(Columns(("a",)), [], tmp_path).parts()
    assert found.lists.judged.tolist() == [True, False, True]
    (tmp_path / "s.csv").write_text("query_id,document_id,label,a,judged\nq,d,1,1,yes\n")
    with pytest.raises(ValueError, match="column 'judged': expected true or false, got 'yes' in row 1, query 'q'"):
        ScoreFile(tmp_path / "s.csv").open(Columns(("a",)), [], tmp_path)


@pytest.mark.parametrize(("kind", "most"), [("parquet", 2_000_000), ("parquet", 100), ("csv", 2_000_000), ("csv", 100)])
def test_a_folder_of_files_is_one_table(scores, tmp_path, kind, most):
    (tmp_path / "shards").mkdir()
    for number, start in enumerate(range(0, scores.num_rows, 120)):
        write(scores.slice(start, 120), tmp_path / "shards" / f"{number}.{kind}")
    (tmp_path / "shards" / "_SUCCESS").touch()
    found = opened(tmp_path / "shards", tmp_path, most=most)
    pd.testing.assert_frame_equal(frame_of(found), frame_of(WholeTable(scores, COLUMNS)), rtol=1e-9, check_dtype=False)


@pytest.mark.parametrize("most", [2_000_000, 10])
def test_files_of_a_folder_may_have_other_types(scores, tmp_path, most):
    """Numbers without a fraction in one file, dictionaries in another: the types of the first hold."""
    folder, half = tmp_path / "scores", scores.num_rows // 2
    folder.mkdir()
    whole, encoded = scores.slice(0, half), scores.slice(half)
    for name, values in (("label", scores["label"].cast("float64")), ("query_id", scores["query_id"])):
        place = scores.schema.get_field_index(name)
        values = values.slice(half)
        encoded = encoded.set_column(place, name, values.dictionary_encode() if name == "query_id" else values)
    pq.write_table(whole.set_column(2, "label", whole["label"].cast("int64")), folder / "1.parquet")
    pq.write_table(encoded, folder / "2.parquet")
    pd.testing.assert_frame_equal(frame_of(opened(folder, tmp_path, most=most)), frame_of(WholeTable(scores, COLUMNS)))


@pytest.mark.parametrize(("number", "says"), [(1, r"2.parquet: .* 'judged'"), (2, r"2.parquet: .* no column 'judged'")])
def test_all_files_of_a_folder_say_what_is_judged_or_none(scores, tmp_path, number, says):
    folder = tmp_path / "scores"
    folder.mkdir()
    for part in (1, 2):
        rows = scores.slice(0, 10)
        rows = rows.append_column("judged", pa.array([True] * 10)) if part == number else rows
        pq.write_table(rows, folder / f"{part}.parquet")
    with pytest.raises(ValueError, match=says):
        opened(folder, tmp_path)


def test_folders_that_are_no_table_are_refused(scores, tmp_path):
    with pytest.raises(ValueError, match="no file of scores here"):
        ScoreFile(tmp_path)
    write(scores, tmp_path / "a.parquet")
    write(scores.drop_columns(["b"]), tmp_path / "b.parquet")
    with pytest.raises(ValueError, match="expected a column 'b', got query_id"):
        opened(tmp_path, tmp_path)
    write(scores, tmp_path / "c.csv")
    with pytest.raises(ValueError, match=r"expected files of one kind, got .csv, .parquet"):
        ScoreFile(tmp_path)
