"""`check` looks into ELWC files by the rules of the connector."""

from __future__ import annotations

import pyarrow as pa
import pytest

from ranker.data.columns import Column, list_schema
from ranker.data.elwc.connector import write_elwc
from ranker.data.elwc.tf_records import read_records, write_records
from ranker.workflows.check import CheckError, check

SPEC = """\
version: 1
data:
  sources: [{kind: elwc, train: train.tfrecord, test: test.tfrecord}]
features:
  query: [{name: query, kind: text}]
  document:
    - {name: price, kind: numeric}
    - {name: title, kind: text}
models: [{name: trees, kind: lambdamart}]
blend: {members: [trees]}
"""
COLUMNS = [
    Column("query", "query", "string"),
    Column("price", "document", "float32"),
    Column("title", "document", "string"),
]


def lists(prices=(1.5, None), labels=(1.0, 0.0)):
    values = [
        ["q1"],
        ["red hat"],
        [["a", "b"]],
        [list(labels)],
        [[float("nan") if p is None else p for p in prices]],
        [["hat", "cap"]],
    ]
    schema = list_schema(COLUMNS)
    return pa.RecordBatch.from_arrays([pa.array(v, f.type) for v, f in zip(values, schema, strict=True)], schema=schema)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "ranker.yaml").write_text(SPEC)
    for split in ("train", "test"):
        write_elwc(tmp_path / f"{split}.tfrecord", [lists()], COLUMNS)
    return tmp_path


@pytest.fixture
def faults(folder):
    def lines(overrides=()):
        with pytest.raises(CheckError) as caught:
            check(folder / "ranker.yaml", overrides)
        return str(caught.value).replace(f"{folder}/", "").splitlines()

    return lines


def test_good_files_say_what_was_looked_at(folder):
    checked = check(folder / "ranker.yaml")
    assert [(file.role, file.path.name, file.rows, file.whole) for file in checked.files] == [
        ("train", "train.tfrecord", 2, True),
        ("test", "test.tfrecord", 2, True),
    ]


def test_features_that_are_not_there_are_told(faults):
    found = faults(["features.document.0.name=prize"])
    place = "ranker.yaml:3: data.sources.0"
    assert [fault.partition("; there are")[0] for fault in found] == [
        f"{place}.train: train.tfrecord: no feature 'prize' in the examples",
        f"{place}.test: test.tfrecord: no feature 'prize' in the examples",
    ]
    assert found[0].endswith("did you mean 'price'?")


def test_documents_that_cannot_be_used_are_told_once_for_each_reason(folder, faults):
    bad = [lists(labels=(-1.0, 0.0)), lists(prices=(1.0, float("inf"))), lists(labels=(-2.0, -3.0))]
    write_elwc(folder / "test.tfrecord", bad, COLUMNS)
    first, second = faults()
    assert first.startswith("ranker.yaml:3: data.sources.0.test: test.tfrecord:1: bad label: {")
    assert first.endswith("; 3 are like this")
    assert second.startswith("ranker.yaml:3: data.sources.0.test: test.tfrecord:2: infinite feature value: {")


def test_records_and_files_that_are_none_are_told(folder, faults):
    records = [record for _, record in read_records(folder / "train.tfrecord")]
    write_records(folder / "train.tfrecord", [*records, b"\xff" * 10])
    (folder / "test.tfrecord").write_bytes(b"no records at all, but some text")
    first, second = faults()
    assert first.startswith("ranker.yaml:3: data.sources.0.train: train.tfrecord:2: unparsable record")
    assert second.startswith("ranker.yaml:3: data.sources.0.test: test.tfrecord: record 1")
    (folder / "test.tfrecord").unlink()
    write_records(folder / "train.tfrecord", [b""])
    first, second = faults()
    assert first.isprintable()
    assert "train.tfrecord: no record with examples" in first
    assert "test.tfrecord: cannot read: No such file or directory" in second
