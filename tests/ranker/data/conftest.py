"""Small tables as files, and the spec that reads them."""

from __future__ import annotations

import gzip
import http.server
import json
import pickle
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pytest
import yaml
from upath import UPath

from ranker.data.columns import Column, schema_of
from ranker.data.rejected import Rejected
from ranker.data.rejected_rows import RejectedRows
from ranker.data.source import OpenedSource, open_source
from ranker.spec import Spec, load_spec

SPEC = """\
version: 1
data:
  sources: [{kind: tables, queries: queries.jsonl, documents: documents.jsonl, judgments: judgments.csv}]
  query_id: qid
  document_id: did
  label: grade
features:
  query: [{name: query, kind: text}, {name: age, kind: numeric}]
  document: [{name: title, kind: text}, {name: price, kind: numeric}, {name: brand, kind: categorical}]
models: [{name: trees, kind: lambdamart}]
blend: {members: [trees]}
"""

TABLES = {
    "queries.jsonl": '{"qid": "a", "query": "red shoe", "age": 3}\n{"qid": "b", "query": "hat", "age": null}\n',
    "documents.jsonl": (
        '{"did": "007", "title": "Shoe", "price": 1.5, "brand": "x"}\n'
        '{"did": "7", "title": "Hat", "price": null, "brand": null}\n'
    ),
    "judgments.csv": "qid,did,grade\na,007,1\nb,7,2\na,7,0\n",
}


def packed(name: str, data: bytes) -> bytes:
    if data.startswith(b"raw:"):
        return data.removeprefix(b"raw:")
    if name.endswith(".gz"):
        return gzip.compress(data)
    return pa.compress(data, "zstd", asbytes=True) if name.endswith(".zst") else data


@pytest.fixture
def tables(tmp_path: Path) -> Callable[..., Spec]:
    """`tables({file: content}, overrides)` writes the small tables, some changed, and gives their spec.

    A file that ends in .gz or .zst is compressed unless its content begins with "raw:"; a file with the stem of a
    small table takes its role; None leaves it out.
    """

    def write(changed: dict[str, str | bytes | None] | None = None, overrides: tuple[str, ...] = ()) -> Spec:
        names = {Path(name).name.partition(".")[0]: name for name in TABLES}
        contents: dict[str, str | bytes | None] = dict(TABLES)
        for name, content in (changed or {}).items():
            role = name.partition(".")[0]
            del contents[names[role]]
            names[role], contents[name] = name, content
        for name, content in contents.items():
            if content is not None:
                data = content if isinstance(content, bytes) else content.encode()
                (tmp_path / name).write_bytes(packed(name, data))
        (tmp_path / "ranker.yaml").write_text(SPEC, encoding="utf-8")
        named = [f"data.sources.0.{role}={name}" for role, name in names.items()]
        return load_spec(tmp_path / "ranker.yaml", [*named, *overrides])

    return write


@pytest.fixture(scope="session")
def columns() -> list[Column]:
    """The raw columns of that spec."""
    return [
        Column("query", "query", "string"),
        Column("age", "query", "float32"),
        Column("title", "document", "string"),
        Column("price", "document", "float32"),
        Column("brand", "document", "string"),
    ]


def as_jsonl(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


@pytest.fixture
def source_of(tmp_path: Path) -> Callable[..., Spec]:
    """`source_of({name: rows or text}, data, features)` writes the files and gives the spec of a source of them.

    Without `sources` in `data`, they are the files queries.jsonl, documents.jsonl and judgments.jsonl.
    """
    three = {"kind": "tables"} | {role: f"{role}.jsonl" for role in ("queries", "documents", "judgments")}

    def write(
        files: dict[str, list[dict[str, Any]] | str], data: dict[str, Any], features: dict[str, Any] | None = None
    ) -> Spec:
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else as_jsonl(content))
        spec = {
            "version": 1,
            "data": {"sources": [three]} | data,
            "features": features or {"document": [{"name": "price", "kind": "numeric"}]},
            "models": [{"name": "trees", "kind": "lambdamart"}],
            "blend": {"members": ["trees"]},
        }
        (tmp_path / "ranker.yaml").write_text(yaml.safe_dump(spec), encoding="utf-8")
        return load_spec(tmp_path / "ranker.yaml")

    return write


@dataclass(frozen=True)
class Lists:
    """What was read of a source.

    Attributes:
        rows: the lists as Python values, with their split.
        rejected: the rows that were set aside, by file and line.
        by_split: number of these per split and reason.
        unused: what else makes no list.
        source: that was read.
    """

    rows: list[dict[str, Any]]
    rejected: list[Rejected]
    by_split: dict[Any, dict[str, int]]
    unused: dict[str, int]
    source: OpenedSource

    @property
    def by_id(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Lists by (query, split)."""
        return {(row["query_id"], row["split"]): row for row in self.rows}

    @property
    def reasons(self) -> list[tuple[str, int, str]]:
        """File, line and reason of rows that were set aside."""
        return [(row.file, row.line, row.reason) for row in self.rejected]


@pytest.fixture
def read_lists(tmp_path: Path) -> Callable[..., Lists]:
    """`read_lists(spec)` opens the source and reads all of it, checking each batch."""

    def read(spec: Spec, candidates: Path | None = None, lists_per_batch: int = 3) -> Lists:
        with RejectedRows(tmp_path / "rejected.jsonl") as rejected:
            source = open_source(spec, tmp_path, rejected, lambda _: None, candidates)
            source = pickle.loads(pickle.dumps(source))
            rows = []
            for shard in source.shards:
                for part in source.read(shard, lists_per_batch):
                    part.lists.validate(full=True)
                    assert part.lists.schema.equals(schema_of(spec))
                    assert part.lists.num_rows <= lists_per_batch
                    for column in part.lists.columns:
                        assert (column.null_count, column.offset) == (0, 0)
                    rows += [{"split": part.split, **row} for row in part.lists.to_pylist()]
        aside = sorted(rejected, key=lambda row: (row.file, row.line))
        assert len(aside) == rejected.total
        return Lists(rows, aside, rejected.by_split, dict(rejected.unused), source)

    return read


class FileHandler(http.server.SimpleHTTPRequestHandler):
    """Serves the `files` of its server; parts of them only if its server has `ranges`."""

    def do_GET(self):
        self.respond(body=True)

    def do_HEAD(self):
        self.respond(body=False)

    def respond(self, *, body: bool) -> None:
        name = self.path.lstrip("/").partition("?")[0]
        content = self.server.files.get(name)
        if content is None:
            self.send_error(404)
            return
        status, part = 200, content
        if self.server.ranges and (asked := re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))):
            start, stop = int(asked[1]), int(asked[2]) + 1
            status, part = 206, content[start:stop]
        self.server.sent.append((name, len(part) if body else 0))
        self.send_response(status)
        self.send_header("Content-Length", str(len(part)))
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{start + len(part) - 1}/{len(content)}")
        if self.server.tag:
            self.send_header("ETag", self.server.tag)
        self.end_headers()
        try:
            if body:
                self.wfile.write(part)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the client has enough

    def log_message(self, *_):
        pass


@pytest.fixture
def web():
    """`web(files, ranges=...)` serves files and gives the address."""
    servers = []

    def serve(files: dict[str, bytes], *, ranges: bool = True, tag: str = "") -> tuple[UPath, list]:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), FileHandler)
        server.files, server.ranges, server.tag, server.sent = files, ranges, tag, []
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return UPath(f"http://127.0.0.1:{server.server_port}"), server.sent

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def memory():
    """`memory({name: content})` is a folder in the memory of this process."""
    files = fsspec.filesystem("memory")

    def write(contents: dict[str, bytes]) -> UPath:
        for name, content in contents.items():
            files.pipe(f"/files/{name}", content)
        return UPath("memory:///files")

    yield write
    files.store.clear()
    files.pseudo_dirs[:] = [""]
