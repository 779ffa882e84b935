"""Small tables as files, and the spec that reads them."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from ranker.data.columns import Column
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
