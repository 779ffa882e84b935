"""The join: every row that is set aside, with its place; partitions change nothing; memory does not grow."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest

from ranker.data import spill
from ranker.data.id_hash import hash_ids
from ranker.data.rejected import Rejected
from ranker.data.split import SPLITS
from ranker.data.tables import join as table_join
from ranker.data.tables import list_files, partitions
from ranker.data.tables import texts as table_texts
from ranker.data.tables.connector import read_document_texts, read_shard, spill_tables
from ranker.spec import Spec

QUERIES = '{"qid": "a", "query": "x", "age": 1}\n{"qid": "b", "query": "y", "age": 2}\n'
DOCUMENTS = 'did,title,price,brand\n1,one,1,A\n2,"two\n""2""",2,B\n'
JUDGMENTS = "qid,did,grade\na,1,1\nb,2,1\n"


def lists_of(spec: Spec, temporary: Path, shards: int = 2) -> tuple[list[dict], list[Rejected], Counter]:
    spilled = spill_tables(spec, temporary, shards)
    rejected = spilled.rejected
    batches = (read_shard(spec, part, split, 3) for part in spilled.shards for split in SPLITS)
    lists = [row for part in batches for batch in part for row in batch.to_pylist()]
    lists.sort(key=lambda row: hash_ids(pa.array([row["query_id"]]))[0])
    assert rejected.total == sum(rejected.by_reason.values()) == len(list(rejected))
    assert rejected.counts == Counter((row.reason, row.file) for row in rejected)
    return lists, sorted(rejected, key=lambda row: (row.file, row.line)), rejected.unused


@pytest.mark.parametrize(
    ("name", "added", "line", "reason", "shown"),
    [
        ("queries.jsonl", '{"qid": "c"\n', 3, "unparsable line", '{"qid": "c"'),
        ("queries.jsonl", '{"qid": null, "query": "z", "age": 1}\n', 3, "missing query id", '{"qid": null, '),
        ("queries.jsonl", '{"query": "z", "age": 1}\n', 3, "missing query id", '{"query": "z"'),
        ("queries.jsonl", '{"qid": "c", "age": 1e39}\n', 3, "infinite feature value", '{"qid": "c", "age": 1e39}'),
        ("queries.jsonl", '{"qid": "a", "query": "z", "age": null}\n', 3, "duplicate query id",
         '{"qid": "a", "query": "z", "age": null}'),
        ("documents.csv", "3,x\n", 5, "unparsable line", "3,x"),
        ("documents.csv", ",x,1,C\n", 5, "missing document id", ",x,1,C"),
        ("documents.csv", '3,"x\ny",-inf,C\n', 5, "infinite feature value", '3,"x\ny",-inf,C'),
        ("documents.csv", "2,ü,,C\n", 5, "duplicate document id",
         '{"did": "2", "title": "ü", "price": null, "brand": "C"}'),
        ("documents.csv", "3,x,much,C\n", 5, "value of the wrong type", "3,x,much,C"),
        ("judgments.csv", ",2,1\n", 4, "missing query id", ",2,1"),
        ("judgments.csv", "a,,1\n", 4, "missing document id", "a,,1"),
        ("judgments.csv", "a,2,\n", 4, "bad label", "a,2,"),
        ("judgments.csv", "a,2,nan\n", 4, "bad label", "a,2,nan"),
        ("judgments.csv", "a,2,inf\n", 4, "bad label", "a,2,inf"),
        ("judgments.csv", "a,2,1e39\n", 4, "bad label", "a,2,1e39"),
        ("judgments.csv", "a,2,-0.5\n", 4, "bad label", "a,2,-0.5"),
        ("judgments.csv", "a,2,good\n", 4, "bad label", "a,2,good"),
        ("judgments.csv", "\nz,2,1\n", 5, "unknown query id", '{"qid": "z", "did": "2", "grade": 1.0}'),
        ("judgments.csv", "a,9,1\n", 4, "unknown document id", '{"qid": "a", "did": "9", "grade": 1.0}'),
        ("judgments.csv", "a,1,3\n", 4, "duplicate (query, document) pair", '{"qid": "a", "did": "1", "grade": 3.0}'),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_used_is_set_aside(tables, tmp_path, name, added, line, reason, shown):
    contents = {"queries.jsonl": QUERIES, "documents.csv": DOCUMENTS, "judgments.csv": JUDGMENTS}
    sound, none, _ = lists_of(tables(contents), tmp_path)
    assert none == []
    lists, [rejected], unused = lists_of(tables(contents | {name: contents[name] + added}), tmp_path)
    assert lists == sound
    assert (rejected.file, rejected.line, rejected.reason) == (name, line, reason)
    assert rejected.row.startswith(shown)
    assert not unused


def test_a_row_of_one_table_is_set_aside_for_the_first_of_its_faults(tables, tmp_path):
    rows = [("a", "1", 1, 5), ("", "", -1, "inf"), ("a", "", 1, 5), ("a", "2", -1, "inf"), ("a", "3", 1, "inf"),
            ("a", "1", 2, 6), ("b", "1", 1, "")]  # fmt: skip
    (tmp_path / "ratings.csv").write_text(
        "qid,did,grade,price,query,age,title,brand\n" + "".join(",".join(map(str, row)) + ",q,,t,b\n" for row in rows)
    )
    spec = tables()
    data = spec.data.model_dump() | {"sources": [{"kind": "table", "file": str(tmp_path / "ratings.csv")}]}
    lists, rejected, _ = lists_of(Spec.model_validate(spec.model_dump() | {"data": data}), tmp_path)
    assert {row["query_id"]: (row["document_id"], row["label"]) for row in lists} == {
        "a": (["1"], [1]),
        "b": (["1"], [1]),
    }
    assert [(row.line, row.reason) for row in rejected] == [
        (3, "missing query id"),
        (4, "missing document id"),
        (5, "bad label"),
        (6, "infinite feature value"),
        (7, "duplicate (query, document) pair"),
    ]


def test_queries_without_judgments_are_counted_and_no_error(tables, tmp_path):
    lists, rejected, unused = lists_of(tables({"judgments.csv": "qid,did,grade\nb,7,1\n"}), tmp_path)
    assert [row["query_id"] for row in lists] == ["b"]
    assert (rejected, unused) == ([], Counter({"query without judgments": 1}))


def test_the_first_of_several_rows_is_kept_across_files_and_blocks(tables, tmp_path):
    spec = tables(overrides=("data.sources.0.judgments=j-*.csv", "data.sources.0.documents=d-*.jsonl"))
    for number in range(2):
        (tmp_path / f"j-{number}.csv").write_text(f"qid,did,grade\na,7,{number}\na,7,{number + 5}\n")
        (tmp_path / f"d-{number}.jsonl").write_text(f'{{"did": "7", "title": "{number}", "price": 1, "brand": ""}}\n')
    [row], rejected, _ = lists_of(spec, tmp_path)
    assert (row["label"], row["title"]) == ([0.0], ["0"])
    assert [(one.file, one.line) for one in rejected] == [
        ("d-1.jsonl", 1),
        ("j-0.csv", 3),
        ("j-1.csv", 2),
        ("j-1.csv", 3),
    ]


def test_partitions_change_neither_lists_nor_rejected_rows(tables, tmp_path, monkeypatch):
    """Many small partitions and buffers against one of each, on rows with every fault of the join."""
    rng = random.Random(1)
    queries = "".join(f'{{"qid": {rng.randrange(300)}, "query": "é{i}", "age": {i}}}\n' for i in range(300))
    documents = "".join(
        f'{{"did": "d{rng.randrange(500)}", "title": "{"x" * rng.randrange(99)}", "price": {i}, "brand": "{i % 9}"}}\n'
        for i in range(500)
    )
    judgments = "qid,did,grade\n" + "".join(
        f"{rng.randrange(350)},d{rng.randrange(600)},{rng.randrange(-1, 5)}\n" for _ in range(6000)
    )
    spec = tables({"queries.jsonl": queries, "documents.jsonl": documents, "judgments.csv": judgments})
    expected = lists_of(spec, tmp_path, 1)
    assert {row.reason for row in expected[1]} == {
        "duplicate query id",
        "duplicate document id",
        "duplicate (query, document) pair",
        "unknown query id",
        "unknown document id",
        "bad label",
    }
    texts = [text for batch in read_document_texts(spec, ["title"]) for text in batch["title"].to_pylist()]
    monkeypatch.setattr(partitions, "_PARTITION", 9000)
    for module in (partitions, table_join, list_files, table_texts):
        monkeypatch.setattr(module, "BATCH", 2000)
    monkeypatch.setattr(spill, "_HELD", 5000)
    for shards in (1, 3, 7):
        assert lists_of(spec, tmp_path, shards) == expected
    again = [text for batch in read_document_texts(spec, ["title"]) for text in batch["title"].to_pylist()]
    assert sorted(again) == sorted(texts)


PROGRAM = """
import resource, sys
from pathlib import Path
from ranker.data.split import SPLITS
from ranker.data.tables.connector import read_shard, spill_tables
from ranker.spec import load_spec
spec = load_spec(Path(sys.argv[1]))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
shards = spill_tables(spec, Path(sys.argv[2])).shards
lists = (read_shard(spec, shard, split, 16) for shard in shards for split in SPLITS)
rows = sum(len(batch["label"].values) for batches in lists for batch in batches)
print(rows, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


def test_memory_is_not_that_of_the_tables(tables, tmp_path):
    """Joined, the documents of all lists are 600 MB."""
    documents = "".join(
        json.dumps({"did": f"d{i}", "title": f"{i} " * 500, "price": i, "brand": f"b{i % 7}"}) + "\n"
        for i in range(4000)
    )
    queries = "".join(f'{{"qid": "q{i}", "query": "q", "age": 1}}\n' for i in range(3000))
    rng = random.Random(1)
    judgments = "qid,did,grade\n" + "".join(f"q{i},d{d},1\n" for i in range(3000) for d in rng.sample(range(4000), 80))
    tables({"documents.jsonl": documents, "queries.jsonl": queries, "judgments.csv": judgments})
    command = [sys.executable, "-c", PROGRAM, tmp_path / "ranker.yaml", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    rows, grown = done.stdout.split()
    assert int(rows) == 240_000
    assert float(grown) < 350
