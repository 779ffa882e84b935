"""The tables connector against a join written with dictionaries and one by pandas; shards, batches, texts."""

from __future__ import annotations

import csv
import io
import json
import math
import pickle
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from ranker.data.columns import schema_of
from ranker.data.id_hash import hash_ids
from ranker.data.rejected_rows import RejectedRows
from ranker.data.split import SPLITS, splits_of
from ranker.data.tables.connector import (
    DataError,
    TablesShard,
    read_document_texts,
    read_shard,
    read_training_texts,
    source_paths,
    spill_tables,
)
from ranker.spec import Spec

Row = dict[str, Any]
ROLES = ("queries", "documents", "judgments")


@pytest.fixture
def spilled(tmp_path):
    """`spilled(spec, shards)` are the shards and rejected rows that `spill_tables` gives."""

    def spill(spec: Spec, shards: int = 3):
        found = spill_tables(spec, tmp_path, shards)
        return found.shards, found.rejected

    return spill


@pytest.fixture
def lists_of(spilled):
    """The lists as Python values, missing numbers as None so that they compare equal; no row was rejected."""

    def read(spec: Spec, lists_per_batch: int = 100, shards: int = 3, rejected: int = 0) -> list[Row]:
        parts, aside = spilled(spec, shards)
        assert aside.total == rejected, list(aside)
        batches = [batch for part in parts for batch in batches_of(spec, part, lists_per_batch)]
        lists = [{name: plain(value) for name, value in row.items()} for batch in batches for row in batch.to_pylist()]
        return in_order(lists)

    return read


def batches_of(spec: Spec, shard: TablesShard, lists_per_batch: int) -> list[pa.RecordBatch]:
    return [batch for split in SPLITS for batch in read_shard(spec, shard, split, lists_per_batch)]


def plain(value: Any) -> Any:
    if isinstance(value, list):
        return [plain(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def in_order(lists: list[Row]) -> list[Row]:
    """By the hash of the query id."""
    hashes = hash_ids(pa.array([row["query_id"] for row in lists], pa.string()))
    return [lists[place] for place in np.argsort(hashes)]


# --- the join --------------------------------------------------------------------------------------------------------


def random_tables(seed: int, queries: int = 40) -> dict[str, list[Row]]:
    """Queries, documents and judgments: ids that look like numbers, gaps, unused rows, shuffled, not grouped."""
    rng = random.Random(seed)
    word = lambda: rng.choice(["red", "Größe 7", "a,b", 'say "hi"', "NA", "", "2020-01-01", "007", "  x ", "l\n2"])  # noqa: E731
    tables = {
        "queries": [
            {"qid": f"{i:03d}", "query": word(), "age": rng.choice([None, rng.random(), 3])} for i in range(queries)
        ],
        "documents": [
            {"did": f"{'0' * rng.randrange(3)}{i}", "title": word(), "price": rng.choice([None, 4, rng.gauss(0, 1e3)]),
             "brand": rng.choice(["A", "b", None])}
            for i in range(1, 60)
        ],
    }  # fmt: skip
    judged = [query["qid"] for query in tables["queries"][: queries - 5]]
    pairs = [(query, document["did"]) for query in judged for document in rng.sample(tables["documents"], 7)]
    tables["judgments"] = [{"qid": q, "did": d, "grade": rng.choice([0, 1, 2, 0.5])} for q, d in pairs]
    for table in tables.values():
        rng.shuffle(table)
    return tables


def join(queries: list[Row], documents: list[Row], judgments: list[Row]) -> Iterator[Row]:
    """What the connector has to give but for the order of the lists, by dictionaries and loops."""
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


def as_csv(rows: list[Row]) -> bytes:
    file = io.StringIO()
    writer = csv.DictWriter(file, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().encode()


def as_jsonl(rows: list[Row]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def as_parquet(rows: list[Row]) -> bytes:
    file = io.BytesIO()
    names = ("price", "grade", "age")
    columns = {name: [float(row[name]) if row[name] is not None and name in names else row[name] for row in rows]
               for name in rows[0]}  # fmt: skip
    pa.parquet.write_table(pa.table(columns), file, row_group_size=17)
    return file.getvalue()


FORMATS: dict[str, Callable[[list[Row]], bytes]] = {
    "csv": as_csv,
    "jsonl": as_jsonl,
    "parquet": as_parquet,
    "csv.gz": as_csv,
    "jsonl.gz": as_jsonl,
    "csv.zst": as_csv,
    "jsonl.zst": as_jsonl,
}


def files(contents: dict[str, list[Row]], ending: str) -> dict[str, bytes]:
    return {f"{role}.{ending}": FORMATS[ending](rows) for role, rows in contents.items()}


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("seed", [1, 2])
def test_the_join_is_that_of_dictionaries(tables, lists_of, ending, seed):
    contents = random_tables(seed)
    expected = list(join(*contents.values()))
    assert len(expected) == 35
    assert lists_of(tables(files(contents, ending))) == in_order(expected)


def test_the_join_is_that_of_pandas(tables, lists_of):
    contents = random_tables(4, queries=300)
    frames = {role: pd.DataFrame(rows) for role, rows in contents.items()}
    frames["judgments"]["row"] = range(len(frames["judgments"]))
    merged = frames["judgments"].merge(frames["queries"], on="qid").merge(frames["documents"], on="did")
    merged = merged.sort_values("row")
    lists = {row["query_id"]: row for row in lists_of(tables(files(contents, "jsonl")), shards=5)}
    assert lists.keys() == set(merged["qid"])
    for query_id, rows in merged.groupby("qid"):
        row = lists[query_id]
        assert row["document_id"] == rows["did"].tolist()
        assert row["label"] == rows["grade"].tolist()
        assert row["title"] == rows["title"].tolist()
        assert row["query"] == rows["query"].iloc[0]
        found = np.array(row["price"], np.float32)
        np.testing.assert_array_equal(found, rows["price"].to_numpy(np.float32))


@pytest.mark.parametrize("lists_per_batch", [1, 3, 11, 35, 10_000])
@pytest.mark.parametrize("shards", [1, 2, 8])
def test_shards_and_batches_change_nothing_but_the_cuts(tables, spilled, lists_per_batch, shards):
    contents = random_tables(3)
    spec = tables(files(contents, "jsonl"))
    parts, _ = spilled(spec, shards)
    assert [(part.number, part.of) for part in parts] == [(number, shards) for number in range(shards)]
    expected = in_order(list(join(*contents.values())))
    split_of = splits_of([row["query_id"] for row in expected], spec.data.split)
    for split in SPLITS:
        lists = []
        for part in parts:
            batches = list(read_shard(spec, part, split, lists_per_batch))
            rows = [{k: plain(v) for k, v in row.items()} for batch in batches for row in batch.to_pylist()]
            cuts = range(0, len(rows), lists_per_batch)
            assert [batch.num_rows for batch in batches] == [min(lists_per_batch, len(rows) - first) for first in cuts]
            lists += rows
        assert lists == [row for row, of in zip(expected, split_of, strict=True) if of == split] != []


def test_a_shard_is_read_as_often_as_wanted_and_by_other_processes(tables, spilled):
    spec = tables()
    for part in spilled(spec, 2)[0]:
        again = pickle.loads(pickle.dumps(part))
        first, second = ([str(batch.to_pylist()) for batch in batches_of(spec, one, 10)] for one in (part, again))
        assert first == second != []


def test_two_runs_write_the_same_bytes(tables, spilled):
    spec = tables(files(random_tables(5), "csv"))
    runs = []
    for _ in range(2):
        [part, *_], rejected = spilled(spec, 4)
        runs.append({file.name: file.read_bytes() for file in sorted(Path(part.directory).glob("*.*"))})
        assert rejected.path.name in runs[-1]
    assert runs[0] == runs[1]
    lists = [name for name in runs[0] if name != "rejected.jsonl"]
    assert {name.partition("-")[0] for name in lists} == {f"{shard:05d}" for shard in range(4)}
    assert {name.rpartition("-")[2] for name in lists} == {f"{split}.arrow" for split in SPLITS}
    assert [path for path in Path(part.directory).iterdir() if list(path.glob("*"))] == [], "nothing is left behind"


def test_batches_have_the_stated_schema_no_nulls_and_no_offsets(tables, spilled):
    spec = tables(files(random_tables(6), "jsonl"))
    for part in spilled(spec, 2)[0]:
        for batch in batches_of(spec, part, 4):
            batch.validate(full=True)
            assert batch.schema.equals(schema_of(spec))
            for column in batch.columns:
                assert column.null_count == 0
                assert column.offset == 0
                if isinstance(column, pa.ListArray):
                    assert (column.values.null_count, column.values.offset, column.offsets[0].as_py()) == (0, 0, 0)
                    assert len(column.values) == column.offsets[-1].as_py()


def test_shards_of_another_spec_are_refused(tables, spilled):
    shard = next(s for s in spilled(tables(), 2)[0] if batches_of(tables(), s, 1))
    other = tables(overrides=("features.query=[]",))
    with pytest.raises(ValueError, match="is of another spec"):
        batches_of(other, shard, 1)


# --- values ----------------------------------------------------------------------------------------------------------


def test_ids_that_look_like_numbers_stay_apart_in_every_format(tables, lists_of):
    """ "007" is not "7"; a JSON number 7 is the id "7"."""
    rows = [{"did": did, "title": did, "price": 1, "brand": ""} for did in ("007", "7", "7.0", "1e3")]
    for ending in ("csv", "jsonl", "parquet"):
        lists = {row["query_id"]: row for row in lists_of(tables({f"documents.{ending}": FORMATS[ending](rows)}))}
        assert lists["a"]["title"] == ["007", "7"]


@pytest.mark.parametrize(
    ("written", "ids"),
    [
        ((7, 8), ["7", "8"]),
        (("7", 8), ["7", "8"]),
        ((7.0, 8.5), ["7.0", "8.5"]),
        ((18446744073709551615, 8), ["18446744073709551615", "8"]),
        ((10**30, 8), [str(10**30), "8"]),
    ],
)  # fmt: skip
def test_numbers_as_ids_in_json_are_what_is_written(tables, lists_of, written, ids):
    rows = [{"did": did, "title": "t", "price": 1, "brand": 3} for did in written]
    judgments = "qid,did,grade\n" + "".join(f"a,{one},1\n" for one in ids)
    [row] = lists_of(tables({"documents.jsonl": as_jsonl(rows), "judgments.csv": judgments}))
    assert (row["document_id"], row["brand"]) == (ids, ["3", "3"])


def test_whole_numbers_in_parquet_are_ids(tables, lists_of):
    file = io.BytesIO()
    values = {"did": pa.array([7], pa.int32()), "title": pa.array(["t"]).dictionary_encode(), "price": pa.array([None]),
              "brand": pa.array([None], pa.large_string())}  # fmt: skip
    pa.parquet.write_table(pa.table(values), file)
    [row] = lists_of(tables({"documents.parquet": file.getvalue(), "judgments.csv": "qid,did,grade\na,7,1\n"}))
    assert (row["document_id"], row["title"], row["price"], row["brand"]) == (["7"], ["t"], [None], [""])


@pytest.mark.parametrize("date", ["2020-01-01", "2020-01-01T10:00:00", "2020-01-01 10:00:00Z"])
@pytest.mark.parametrize("number", ["1", "null", "NaN"])
def test_texts_that_look_like_times_stay_as_they_are(tables, lists_of, date, number):
    documents = f'{{"did": "{date}", "title": "{date}", "price": {number}, "brand": ""}}\n'
    [row] = lists_of(tables({"documents.jsonl": documents, "judgments.csv": f"qid,did,grade\na,{date},1\n"}))
    assert (row["document_id"], row["title"]) == ([date], [date])


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_numbers_are_the_nearest_float32_however_large(tables, lists_of, ending):
    prices = {"1": 2**53 + 1, "2": 10**22, "3": 0.1, "4": -3.4e38, "5": 2**63 - 1}
    rows = [{"did": did, "title": "", "price": price, "brand": ""} for did, price in prices.items()]
    judgments = "qid,did,grade\n" + "".join(f"a,{did},0\n" for did in prices)
    [row] = lists_of(tables({f"documents.{ending}": FORMATS[ending](rows), "judgments.csv": judgments}))
    assert row["price"] == [float(np.float32(price)) for price in prices.values()]


def test_not_a_number_is_missing_in_a_feature(tables, lists_of):
    documents = "did,title,price,brand\n7,,nan,\n007,,,\n8,NA,NA,null\n"
    [row] = lists_of(tables({"documents.csv": documents, "judgments.csv": "qid,did,grade\na,7,0\na,8,0\na,007,0\n"}))
    assert row["price"] == [None, None, None]
    assert (row["title"], row["brand"]) == (["", "NA", ""], ["", "null", ""])


def test_a_key_that_some_rows_lack_is_missing_there(tables, lists_of):
    documents = '{"did": "7"}\n{"did": "8", "title": "t", "price": null, "brand": "b"}\n'
    [row] = lists_of(tables({"documents.jsonl": documents, "judgments.csv": "qid,did,grade\na,7,0\na,8,1\n"}))
    assert (row["title"], row["price"], row["brand"]) == (["", "t"], [None, None], ["", "b"])


def test_columns_that_no_feature_reads_are_left_alone(tables, lists_of):
    documents = '{"did": "7", "title": "t", "price": 1, "brand": "", "more": {"a": [1]}, "other": "x"}\n'
    [row] = lists_of(tables({"documents.jsonl": documents, "judgments.csv": "qid,did,grade\na,7,0\n"}))
    assert "more" not in row


def test_a_document_that_no_judgment_names_is_no_fault(tables, lists_of):
    assert [row["query_id"] for row in lists_of(tables({"judgments.csv": "qid,did,grade\nb,7,1\n"}))] == ["b"]


def test_a_pattern_names_several_files_of_one_table(tables, lists_of, tmp_path):
    contents = random_tables(7)
    spec = tables(files(contents, "csv"), overrides=("data.sources.0.documents=parts/documents-*.csv.gz",))
    (tmp_path / "parts").mkdir()
    reordered = [dict(reversed(row.items())) for row in contents["documents"][40:]]
    pieces = {"0": contents["documents"][:10], "1": contents["documents"][10:40], "2": reordered}
    for name, rows in pieces.items():
        with pa.output_stream(str(tmp_path / "parts" / f"documents-{name}.csv.gz")) as file:
            file.write(as_csv(rows))
    assert [path.name for path in source_paths(spec)["documents"]] == [f"documents-{i}.csv.gz" for i in range(3)]
    assert lists_of(spec) == in_order(list(join(*contents.values())))


# --- one table -------------------------------------------------------------------------------------------------------


@pytest.fixture
def one_table(tables, tmp_path):
    """`one_table(rows, ending)` is a spec whose source is a single file of rows with all columns."""

    def write(rows: list[Row] | bytes, ending: str = "jsonl") -> Spec:
        name = f"ratings.{ending}"
        (tmp_path / name).write_bytes(rows if isinstance(rows, bytes) else FORMATS[ending](rows))
        return of_file(name)

    def of_file(name: str) -> Spec:
        spec = tables()
        data = spec.data.model_dump() | {"sources": [{"kind": "table", "file": str(tmp_path / name)}]}
        return Spec.model_validate(spec.model_dump() | {"data": data})

    return write


def denormalised(contents: dict[str, list[Row]]) -> list[Row]:
    queries = {row["qid"]: row for row in contents["queries"]}
    documents = {row["did"]: row for row in contents["documents"]}
    return [queries[row["qid"]] | documents[row["did"]] | row for row in contents["judgments"]]


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_one_table_gives_the_lists_of_three(one_table, lists_of, ending):
    contents = random_tables(8)
    assert lists_of(one_table(denormalised(contents), ending)) == in_order(list(join(*contents.values())))


def test_the_values_of_a_query_are_those_of_its_first_row(one_table, lists_of):
    common = {"qid": "a", "title": "t", "price": 1, "brand": "b", "age": 1, "grade": 1}
    rows = [{"did": "1", "query": "first", **common}, {"did": "2", "query": "second", **common}]
    [row] = lists_of(one_table(rows))
    assert (row["query"], row["document_id"]) == ("first", ["1", "2"])


def test_texts_of_one_table_are_those_of_the_training_documents(one_table, spilled, tmp_path):
    contents = random_tables(9, queries=80)
    rows = denormalised(contents)[::11]
    for row in rows:
        row["title"] = f"of {row['did']}"
    spec = one_table(rows)
    split = dict(zip((ids := sorted({row["qid"] for row in rows})), splits_of(ids, spec.data.split), strict=True))
    expected = {row["title"] for row in rows if split[row["qid"]] == "train"}
    texts = pa.Table.from_batches(list(read_training_texts(spilled(spec)[0], ["title"], tmp_path)))
    assert texts.schema == pa.schema([("title", pa.string())])
    assert sorted(texts["title"].to_pylist()) == sorted(expected)
    assert expected < {row["title"] for row in rows}, "there was something to leave out"


# --- texts -----------------------------------------------------------------------------------------------------------


def texts_of(spec: Spec, names: list[str]) -> dict[str, list[str]]:
    table = pa.Table.from_batches(list(read_document_texts(spec, names)))
    assert table.schema == pa.schema([(name, pa.string()) for name in names])
    return table.to_pydict()


def test_texts_come_once_for_each_document_judged_or_not_with_missing_as_empty(tables):
    rows = [("1", "a", None), ("2", None, "b"), ("1", "again", "x"), ("", "no id", ""), ("3", "a", "b")]
    documents = as_jsonl([{"did": did, "title": title, "brand": brand, "price": 1} for did, title, brand in rows])
    found = texts_of(tables({"documents.jsonl": documents}), ["title", "brand"])
    assert found == {"title": ["a", "", "a"], "brand": ["", "b", "b"]}


def test_nothing_is_left_of_reading_texts(tables, tmp_path):
    before = sorted(tmp_path.iterdir())
    spec = tables()
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    assert sum(batch.num_rows for batch in read_document_texts(spec, ["title"], temporary)) == 2
    assert list(temporary.iterdir()) == []
    assert before == []


def test_progress_is_told_the_rows_read(tables, tmp_path):
    told: list[int] = []
    spill_tables(tables(), tmp_path, progress=told.append)
    assert told == [2, 5, 7], "documents, judgments, queries"


def test_no_list_at_all_is_an_error(tables, tmp_path):
    spec = tables({"judgments.csv": "qid,did,grade\nx,7,1\ny,7,1\n"})
    with pytest.raises(DataError, match=r"judgments.csv: no lists; .*'unknown query id': 2.*line=[23]"):
        spill_tables(spec, tmp_path)


def test_rejected_rows_go_where_the_caller_wants_them(tables, tmp_path):
    with RejectedRows(tmp_path / "all.jsonl") as rejected:
        spec = tables({"judgments.csv": "qid,did,grade\na,7,1\nx,7,1\n"})
        assert spill_tables(spec, tmp_path, rejected=rejected).rejected is rejected
        rejected.add("other", 1, "bad label", "")
    assert rejected.by_reason == {"bad label": 1, "unknown query id": 1}
