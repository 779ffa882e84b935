"""Sources that are read from other places than a disk give the lists that the same files on a disk give."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
import yaml

from ranker.data.columns import Column
from ranker.data.elwc.connector import write_elwc
from ranker.data.letor import connector as letor_lists
from ranker.data.rejected_rows import RejectedRows
from ranker.data.source import open_source, source_files
from ranker.errors import RankerError
from ranker.spec import Spec, load_spec

QUERIES = range(40)


def spec_of(folder: Path, source: dict, features: dict | None) -> Spec:
    content = {
        "version": 1,
        "data": {"sources": [source]},
        "models": [{"name": "trees", "kind": "lambdamart"}],
        "blend": {"members": ["trees"]},
    } | ({"features": features} if features else {})
    (folder / "ranker.yaml").write_text(yaml.safe_dump(content))
    return load_spec(folder / "ranker.yaml")


def write_letor(folder: Path) -> None:
    lines = "".join(f"{d} qid:{q} 1:{q}.5 2:{d}\n" for q in QUERIES for d in range(3))
    for name in ("train-1.txt", "train-2.txt"):
        (folder / name).write_text(lines.replace("qid:", "qid:" + name[6]))
    (folder / "test.txt.gz").write_bytes(gzip.compress("".join(f"1 1:{q}\n" for q in QUERIES).encode()))
    (folder / "test.txt.query").write_text("2\n" * 20)


def write_tables(folder: Path) -> None:
    queries = "".join(json.dumps({"query_id": f"q{q}", "query": f"word{q}"}) + "\n" for q in QUERIES)
    (folder / "queries-1.jsonl.gz").write_bytes(gzip.compress(queries.encode()))
    (folder / "queries-2.jsonl").write_text('{"query_id": "last", "query": "x"}\n')
    documents = pa.table({"document_id": [f"d{d}" for d in range(9)], "price": np.arange(9) / 4})
    pa.parquet.write_table(documents, folder / "documents.parquet")
    rows = [f"q{q},d{(q + d) % 9},{d}" for q in QUERIES for d in range(3)]
    (folder / "judgments.csv").write_text("\n".join(["query_id,document_id,label", *rows, "last,d1,1"]) + "\n")


def write_records(folder: Path) -> None:
    columns = [Column("f", "document", "float32")]
    rows = [{"query_id": f"q{q}", "document_id": ["a", "b"], "label": [0, 1], "f": [q, q + 0.5]} for q in QUERIES]
    batch = pa.RecordBatch.from_pylist(
        rows,
        pa.schema(
            [("query_id", pa.string()), ("document_id", pa.list_(pa.string()))]
            + [(name, pa.list_(pa.float32())) for name in ("label", "f")]
        ),
    )
    write_elwc(folder / "a-1.tfrecord", [batch.slice(0, 20)], columns)
    write_elwc(folder / "a-2.tfrecord.gz", [batch.slice(20)], columns, "gzip")


SOURCES = {
    "letor": (write_letor, {"kind": "letor", "train": "train-{}.txt", "test": "test.txt.gz"}, None),
    "tables": (
        write_tables,
        {"kind": "tables", "queries": "queries-{}", "documents": "documents.parquet", "judgments": "judgments.csv"},
        {"query": [{"name": "query", "kind": "text"}], "document": [{"name": "price", "kind": "numeric"}]},
    ),
    "elwc": (write_records, {"kind": "elwc", "train": "a-{}"}, None),
}  # fmt: skip


def read(spec: Spec, folder: Path):
    folder.mkdir()
    with RejectedRows(folder / "rejected.jsonl") as rejected:
        source = open_source(spec, folder, rejected, lambda rows: None)
        parts = [part for shard in source.shards for part in source.read(shard, 50, rejected)]
    return [(part.split, part.lists.to_pylist()) for part in parts], list(rejected)


@pytest.mark.parametrize("kind", sorted(SOURCES))
@pytest.mark.parametrize("place", ["memory", "web"])
def test_lists_are_those_of_the_same_files_on_a_disk(tmp_path, monkeypatch, memory, web, kind, place):
    monkeypatch.setattr(letor_lists, "_SPAN_BYTES", 300)
    write, source, features = SOURCES[kind]
    on_disk = tmp_path / "disk"
    on_disk.mkdir()
    write(on_disk)
    files = {path.name: path.read_bytes() for path in on_disk.iterdir()}
    if place == "memory":
        root, pattern = str(memory(files)).rstrip("/"), "*"
    else:  # which cannot say what it has: no patterns
        address, _ = web(files)
        root, pattern = str(address).rstrip("/"), "1"

    def at(folder: str) -> Spec:
        names = {key: name.format(pattern) for key, name in source.items()}
        first = {"tables": "queries-1.jsonl.gz", "elwc": "a-1.tfrecord"}.get(kind, "")
        names = {key: first if name in ("queries-1", "a-1") else name for key, name in names.items()}
        place = {key: name if key == "kind" else f"{folder}/{name}" for key, name in names.items()}
        return spec_of(tmp_path, place, features)

    expected = read(at("disk"), tmp_path / "run")
    assert sum(len(lists) for _, lists in expected[0]) >= 20
    assert read(at(root), tmp_path / "remote-run") == expected
    named = {role: [path.name for path in paths] for role, paths in source_files(at(root)).items()}
    assert named == {role: [path.name for path in paths] for role, paths in source_files(at("disk")).items()}


def test_a_place_without_a_plug_in_is_told_before_anything_is_read(tmp_path):
    spec = spec_of(tmp_path, {"kind": "elwc", "train": "s3://bucket/a-*"}, None)
    with pytest.raises(
        RankerError, match=r"path 's3://bucket/a-\*': Install s3fs .*: fsspec needs|; fsspec needs this"
    ):
        source_files(spec)


@pytest.mark.parametrize(
    ("kind", "role", "name"), [("letor", "train", "x.txt"), ("tables", "judgments", "x.csv"), ("elwc", "train", "x")]
)
def test_a_remote_file_that_is_not_there_is_told(tmp_path, kind, role, name):
    write, source, features = SOURCES[kind]
    write(tmp_path)
    here = {key: value.format("*") for key, value in source.items()}
    spec = spec_of(tmp_path, here | {role: f"memory:///nothing/{name}"}, features)
    with pytest.raises(RankerError, match=rf"memory:.*/nothing/{name}: cannot read: No such file or directory"):
        read(spec, tmp_path / "run")


def test_a_file_is_known_by_its_content_or_by_what_its_place_says_of_it(tmp_path, memory, web):
    """A version saves reading a remote file only to see whether it has changed."""
    from ranker.workflows.prepare import _fingerprint

    (tmp_path / "a.txt").write_bytes(b"one")
    sha = hashlib.sha256(b"one").hexdigest()
    here = {"file": "a.txt", "bytes": 3, "sha256": sha}
    assert _fingerprint(tmp_path / "a.txt") == here
    assert _fingerprint(memory({"a.txt": b"one"}) / "a.txt") == here
    assert _fingerprint(web({"a.txt": b"one"})[0] / "a.txt") == here
    tagged, sent = web({"a.txt": b"one"}, tag='"v1"')
    assert _fingerprint(tagged / "a.txt") == {"file": "a.txt", "bytes": 3, "version": 'ETag "v1"'}
    assert sum(size for _, size in sent) == 0
    for missing in (tmp_path / "z.txt", tagged / "z.txt"):
        with pytest.raises(RankerError, match=r"z.txt: cannot read: No such file or directory"):
            _fingerprint(missing)
