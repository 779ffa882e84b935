"""The tables connector against a join written with dictionaries, and every refusal."""

from __future__ import annotations

import csv
import io
import json
import math
import random
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from ranker.data.columns import list_schema, raw_columns
from ranker.data.tables import DataError, read_documents, read_lists, source_files
from ranker.spec import Spec

Row = dict[str, Any]


def lists_of(spec: Spec, lists_per_batch: int = 100) -> list[Row]:
    """The lists as Python values, missing numbers as None so that they compare equal."""
    rows = [row for batch in read_lists(spec, lists_per_batch) for row in batch.to_pylist()]
    return [{name: plain(value) for name, value in row.items()} for row in rows]


def plain(value: Any) -> Any:
    if isinstance(value, list):
        return [plain(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value


# --- the join --------------------------------------------------------------------------------------------------------


def random_tables(seed: int) -> tuple[list[Row], list[Row], list[Row]]:
    """Queries, documents and judgments: ids that look like numbers, gaps, unused rows, shuffled, not grouped."""
    rng = random.Random(seed)
    word = lambda: rng.choice(["red", "Größe 7", "a,b", 'say "hi"', "NA", "", "2020-01-01", "007", "  x "])  # noqa: E731
    queries = [{"qid": f"{i:03d}", "query": word(), "age": rng.choice([None, rng.random(), 3])} for i in range(40)]
    documents = [
        {"did": f"{'0' * rng.randrange(3)}{i}", "title": word(), "price": rng.choice([None, 4, rng.gauss(0, 1e3)]),
         "brand": rng.choice(["A", "b", None])}
        for i in range(1, 60)
    ]  # fmt: skip
    pairs = [(query["qid"], document["did"]) for query in queries[:35] for document in rng.sample(documents, 7)]
    judgments = [{"qid": q, "did": d, "grade": rng.choice([0, 1, 2, 0.5])} for q, d in pairs]
    for table in (queries, documents, judgments):
        rng.shuffle(table)
    return queries, documents, judgments


def join(queries: list[Row], documents: list[Row], judgments: list[Row]) -> Iterator[Row]:
    """What the connector has to give, by dictionaries and loops."""
    by_id = {document["did"]: document for document in documents}
    as_float32 = lambda value: None if value is None else float(np.float32(value))  # noqa: E731
    for query in queries:
        judged = [judgment for judgment in judgments if judgment["qid"] == query["qid"]]
        if judged:
            members = [by_id[judgment["did"]] for judgment in judged]
            yield {
                "query_id": query["qid"],
                "query": query["query"],
                "age": as_float32(query["age"]),
                "document_id": [member["did"] for member in members],
                "label": [float(judgment["grade"]) for judgment in judged],
                "title": [member["title"] for member in members],
                "price": [as_float32(member["price"]) for member in members],
                "brand": [member["brand"] or "" for member in members],
            }


def as_csv(rows: list[Row]) -> str:
    file = io.StringIO()
    writer = csv.DictWriter(file, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def as_jsonl(rows: list[Row]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


FORMATS: dict[str, Callable[[list[Row]], str]] = {
    "csv": as_csv,
    "jsonl": as_jsonl,
    "csv.gz": as_csv,
    "jsonl.gz": as_jsonl,
}


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("seed", [1, 2])
def test_the_join_is_that_of_dictionaries(tables, ending, seed):
    contents = random_tables(seed)
    names = [f"{role}.{ending}" for role in ("queries", "documents", "judgments")]
    spec = tables({name: FORMATS[ending](rows) for name, rows in zip(names, contents, strict=True)})
    expected = list(join(*contents))
    assert len(expected) == 35
    assert lists_of(spec) == expected


def test_a_list_keeps_the_order_of_its_judgments_and_lists_that_of_the_queries(tables):
    assert [(row["query_id"], row["document_id"]) for row in lists_of(tables())] == [("a", ["007", "7"]), ("b", ["7"])]


@pytest.mark.parametrize("lists_per_batch", [1, 3, 34, 35, 36, 10_000])
def test_the_size_of_batches_changes_nothing_else(tables, lists_per_batch):
    contents = random_tables(3)
    names = ("queries.jsonl", "documents.jsonl", "judgments.jsonl")
    spec = tables({name: as_jsonl(rows) for name, rows in zip(names, contents, strict=True)})
    batches = list(read_lists(spec, lists_per_batch))
    sizes = [min(lists_per_batch, 35 - first) for first in range(0, 35, lists_per_batch)]
    assert [batch.num_rows for batch in batches] == sizes
    assert lists_of(spec, lists_per_batch) == list(join(*contents))


def test_batches_have_the_stated_schema_and_no_nulls(tables):
    spec = tables()
    for batch in read_lists(spec, 1):
        batch.validate(full=True)
        assert batch.schema.equals(list_schema(raw_columns(spec)))
        for column in batch.columns:
            assert column.null_count == 0
            assert not hasattr(column, "values") or column.values.null_count == 0


def test_ids_that_look_like_numbers_stay_apart_in_every_format(tables):
    """ "007" is not "7"; a JSON number 7 is the id "7"."""
    for documents in ("documents.csv", "documents.jsonl"):
        rows = [{"did": did, "title": did, "price": 1, "brand": ""} for did in ("007", "7", "7.0", "1e3")]
        spec = tables({documents: (as_csv if documents.endswith("csv") else as_jsonl)(rows)})
        assert lists_of(spec)[0]["title"] == ["007", "7"]
    spec = tables(
        {
            "documents.jsonl": '{"did": 7, "title": "t", "price": 1, "brand": 3}\n',
            "judgments.csv": "qid,did,grade\na,7,1\n",
        }
    )
    [row] = lists_of(spec)
    assert (row["document_id"], row["brand"]) == (["7"], ["3"])


@pytest.mark.parametrize("date", ["2020-01-01", "2020-01-01T10:00:00", "2020-01-01 10:00:00Z"])
def test_texts_that_look_like_times_stay_as_they_are(tables, date):
    """Arrow's JSON reader would make 2020-01-01 00:00:00 of the first."""
    documents = f'{{"did": "{date}", "title": "{date}", "price": 1, "brand": ""}}\n'
    [row] = lists_of(tables({"documents.jsonl": documents, "judgments.csv": f"qid,did,grade\na,{date},1\n"}))
    assert (row["document_id"], row["title"]) == ([date], [date])


def test_numbers_are_the_nearest_float32_however_large(tables):
    prices = {"1": 2**53 + 1, "2": 10**22, "3": 0.1, "4": -3.4e38, "5": 2**63 - 1}
    documents = as_jsonl([{"did": did, "title": "", "price": price, "brand": ""} for did, price in prices.items()])
    judgments = "qid,did,grade\n" + "".join(f"a,{did},0\n" for did in prices)
    [row] = lists_of(tables({"documents.jsonl": documents, "judgments.csv": judgments}))
    assert row["price"] == [float(np.float32(price)) for price in prices.values()]


def test_whole_numbers_alone_are_numbers(tables):
    """Integers beyond 2**53 have no float64 of their own; that is no reason to refuse them."""
    documents = '{"did": "7", "title": "", "price": 9007199254740993, "brand": ""}\n'
    [row] = lists_of(tables({"documents.jsonl": documents, "judgments.csv": "qid,did,grade\na,7,0\n"}))
    assert row["price"] == [2.0**53]


def test_line_breaks_in_quotes_hold_in_a_file_of_many_blocks(tables):
    """Arrow reads CSV in blocks; a row of its own may be as long as a few megabytes."""
    rows = [
        {"did": str(i), "title": f"line one\nline {i} " + "x" * 400, "price": i, "brand": ""} for i in range(50_000)
    ]
    rows[-1]["title"] = "long\n" * 600_000
    judgments = "qid,did,grade\n" + "".join(f"a,{i},0\n" for i in (0, 20_000, 49_998, 49_999))
    [row] = lists_of(tables({"documents.csv": as_csv(rows), "judgments.csv": judgments}))
    assert row["title"] == [rows[i]["title"] for i in (0, 20_000, 49_998, 49_999)]


def test_a_json_row_may_be_megabytes_long(tables):
    rows = [{"did": str(i), "title": f"{i}" * 3_000_000, "price": i, "brand": ""} for i in range(2)]
    judgments = "qid,did,grade\na,1,0\na,0,0\n"
    [row] = lists_of(tables({"documents.jsonl": as_jsonl(rows), "judgments.csv": judgments}))
    assert row["title"] == ["1" * 3_000_000, "0" * 3_000_000]


def test_columns_that_no_feature_reads_are_left_alone(tables):
    documents = '{"did": "7", "title": "t", "price": 1, "brand": "", "more": {"a": [1]}, "other": "x"}\n'
    [row] = lists_of(tables({"documents.jsonl": documents, "judgments.csv": "qid,did,grade\na,7,0\n"}))
    assert "more" not in row


def test_read_documents_gives_each_text_once_with_missing_as_empty(tables):
    assert read_documents(tables(), ["title", "brand"]).to_pydict() == {"title": ["Shoe", "Hat"], "brand": ["x", ""]}


def test_source_files_are_beside_the_spec(tables, tmp_path):
    assert source_files(tables()) == {
        "queries": tmp_path / "queries.jsonl",
        "documents": tmp_path / "documents.jsonl",
        "judgments": tmp_path / "judgments.csv",
    }


# --- refusals --------------------------------------------------------------------------------------------------------

JUDGMENTS = "qid,did,grade\na,007,1\nb,7,2\n"
DOCUMENT = '{"did": "7", "title": "t", "price": %s, "brand": ""}\n'


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("queries.jsonl", None, "queries.jsonl: cannot read: .*No such file"),
        ("queries.parquet", "x", "cannot tell the format from '.parquet'; expected .jsonl or .csv"),
        ("queries", "x", "cannot tell the format from ''"),
        ("queries.jsonl", '{"qid": "a", "query": "x", "age": 1}\n{"qid": }\n', "not valid JSONL: .* in row 1"),
        ("queries.jsonl", "[1]\n", "not valid JSONL"),
        ("queries.jsonl", "", "not valid JSONL: Empty"),
        ("queries.jsonl", "\n", "queries.jsonl: no rows; expected at least one"),
        ("queries.csv", "qid,query,age\n", "queries.csv: no rows; expected at least one"),
        ("queries.jsonl", '{"qid": "a", "age": 1}\n', "no column 'query'; there are qid, age"),
        ("queries.jsonl", '{"id": "a", "query": "", "age": 1}\n', "no column 'qid'; there are id, query, age"),
        ("queries.jsonl", '{"qid": "a", "query": ["x"], "age": 1}\n', "column 'query': expected text, got list"),
        ("queries.jsonl", '{"qid": "a", "query": "", "age": "1"}\n', "'age': expected numbers, got string; e.g. 1"),
        ("queries.jsonl", '{"qid": "a", "query": "", "age": true}\n', "column 'age': expected numbers, got bool"),
        ("queries.jsonl", '{"qid": null, "query": "", "age": 1}\n', "row without 'qid': 1 of 1 rows, first row 1"),
        ("queries.csv", "qid,query,age\na,,\n,,\n", "row without 'qid': 1 of 2 rows, first row 2"),
        ("queries.csv", "qid,query,age\na,,\nb,,\na,,\na,,\n", "'qid' used before: 2 of 4 rows, first a in row 3"),
        ("queries.csv", "qid,query,age,age\na,,1,2\n", "2 columns 'age'; there are qid, query, age, age"),
        ("queries.csv", "qid,query,age\na,x\n", "not valid CSV: .*Expected 3 columns, got 2"),
        ("queries.csv", "qid,query,age\na,é,1\n".encode("latin-1"), "not valid CSV: .*UTF8"),
        ("queries.jsonl", '{"qid": "a", "query": "é", "age": 1}\n'.encode("latin-1"), "column 'query': not UTF-8 text"),
        ("queries.jsonl.gz", b"raw:not gzip", "queries.jsonl.gz: cannot read: .*incorrect header"),
        ("queries.jsonl.gz", b"raw:\x1f\x8b\x08\x00", "queries.jsonl.gz: cannot read: "),
        ("documents.jsonl", DOCUMENT % "1e39", "infinite 'price': 1 of 1 rows, first row 1"),
        ("documents.csv", "did,title,price,brand\n7,,1,\n8,,inf,\n9,,-inf,\n", "infinite 'price': 2 of 3 rows"),
        ("judgments.csv", JUDGMENTS + "c,7,1\nd,7,1\n", "not in .*queries.jsonl: 2 of 4 rows, first 'c' in row 3"),
        ("judgments.csv", JUDGMENTS + "a,8,1\n", "not in .*documents.jsonl: 1 of 3 rows, first '8' in row 3"),
        ("judgments.csv", JUDGMENTS + "a,,1\n", "not in .*documents.jsonl: 1 of 3 rows, first '' in row 3"),
        ("judgments.csv", JUDGMENTS + "b,7,0\n", "pair judged before: 1 of 3 rows, first b, 7"),
        ("judgments.csv", JUDGMENTS + "a,7,-0.5\n", "label that is not a number >= 0: 1 of 3 rows, first -0.5"),
        ("judgments.csv", JUDGMENTS + "a,7,nan\n", "label that is not a number >= 0: 1 of 3 rows, first nan in row 3"),
        ("judgments.csv", JUDGMENTS + "a,7,\n", "label that is not a number >= 0: 1 of 3 rows, first nan in row 3"),
        ("judgments.csv", JUDGMENTS + "a,7,inf\n", "infinite 'grade': 1 of 3 rows, first row 3"),
        ("judgments.csv", JUDGMENTS + "a,7,good\n", "column 'grade': expected numbers, got string"),
        ("judgments.csv", "qid,did,grade\n", "judgments.csv: no rows; expected at least one"),
        ("judgments.csv", "qid,did\na,7\n", "no column 'grade'; there are qid, did"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused(tables, tmp_path, name, content, message):
    spec = tables({name: content})
    with pytest.raises(DataError, match=message) as caught:
        lists_of(spec)
    assert re.match(f"{re.escape(str(tmp_path))}/{re.escape(name)}: ", str(caught.value)), "names the file"


def test_a_folder_is_no_table(tables, tmp_path):
    spec = tables({"queries.csv": None})
    (tmp_path / "queries.csv").mkdir()
    with pytest.raises(DataError, match=r"queries.csv: cannot read"):
        lists_of(spec)


def test_a_document_that_no_judgment_names_is_no_fault(tables):
    assert [row["query_id"] for row in lists_of(tables({"judgments.csv": "qid,did,grade\nb,7,1\n"}))] == ["b"]


def test_not_a_number_is_missing_in_a_feature(tables):
    documents = "did,title,price,brand\n7,,nan,\n007,,,\n8,,NA,\n"
    [row] = lists_of(tables({"documents.csv": documents, "judgments.csv": "qid,did,grade\na,7,0\na,8,0\na,007,0\n"}))
    assert row["price"] == [None, None, None]
