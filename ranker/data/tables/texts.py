"""Texts of the documents and queries of a source of tables, each distinct one once."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from ranker.data.columns import Column
from ranker.data.id_hash import hash_ids, partition_of
from ranker.data.spill import Spill, read_stream
from ranker.data.tables.id_groups import coded
from ranker.data.tables.partitions import BATCH, size_of, slices, ways_for
from ranker.data.tables.roles import table_files
from ranker.data.tables.source_table import DOCUMENT, QUERY, Count, SourceTable
from ranker.spec import Spec

__all__ = ["read_document_texts", "read_documents", "read_list_texts", "read_queries"]

_PACKED = 4  # rows take about so many times the size of their file in memory


def read_documents(spec: Spec, names: list[str], temporary: Path | None = None) -> Iterator[pa.RecordBatch]:
    """`document_id` and string columns of the table of documents, each distinct document once: its first row.

    Rows that `spill_tables` sets aside for their ids are not in it; nothing is reported anew. Missing is "".

    Args:
        spec: names the files and columns.
        names: the columns.
        temporary: where to spill.

    Raises:
        ValueError: if the source has no table of documents.
    """
    yield from _distinct(spec, "documents", DOCUMENT, names, temporary)


def read_queries(spec: Spec, names: list[str], temporary: Path | None = None) -> Iterator[pa.RecordBatch]:
    """`query_id` and string columns of the table of queries, each distinct query once; otherwise as `read_documents`.

    Raises:
        ValueError: if the source has no table of queries.
    """
    yield from _distinct(spec, "queries", QUERY, names, temporary)


def read_document_texts(spec: Spec, names: list[str], temporary: Path | None = None) -> Iterator[pa.RecordBatch]:
    """As `read_documents`, without the ids."""
    for batch in read_documents(spec, names, temporary):
        yield batch.select(names)


def read_list_texts(files: Iterable[Path], names: list[str], temporary: Path | None = None) -> Iterator[pa.RecordBatch]:
    """String columns of the documents of lists, each distinct document once: as it first comes.

    Args:
        files: of lists, as `ranker.data.tables.list_files` writes them.
        names: the columns.
        temporary: where to spill.
    """
    files = list(files)
    schema = pa.schema([(name, pa.string()) for name in (DOCUMENT, *names)])
    ways = ways_for(_PACKED * sum(file.stat().st_size for file in files))
    with tempfile.TemporaryDirectory(prefix="texts-", dir=temporary) as directory:
        spill = Spill(Path(directory) / "texts", schema, ways)
        for file in files:
            for lists in read_stream(file, schema.names):
                rows = pa.RecordBatch.from_arrays([lists[name].flatten() for name in schema.names], schema=schema)
                _, first, _ = coded(rows[DOCUMENT])
                own = rows.take(pa.array(np.sort(first)))
                spill.write(own, partition_of(hash_ids(own[DOCUMENT]), ways))
        spill.close()
        for batch in _first_of_each(spill, DOCUMENT):
            yield batch.select(names)


def _distinct(spec: Spec, role: str, key: str, names: list[str], temporary: Path | None) -> Iterator[pa.RecordBatch]:
    files = table_files(spec)
    if role not in files:
        raise ValueError(f"a {spec.data.sources[0].kind} source has no table of {role}")
    columns = [Column(name, "document", "string") for name in names]
    table = SourceTable(spec, files[role], (key,), columns, Count(lambda _: None))
    with tempfile.TemporaryDirectory(prefix="texts-", dir=temporary) as directory:
        spill = table.spill(Path(directory) / "texts", key, ways_for(size_of(files[role])), None)
        for batch in _first_of_each(spill, key):
            yield batch.select([key, *names])


def _first_of_each(spill: Spill, key: str) -> Iterator[pa.RecordBatch]:
    """The first row of each id."""
    for part in range(spill.partitions):
        rows = spill.read_whole(part)
        _, first, _ = coded(rows[key])
        yield from slices(rows.take(pa.array(np.sort(first))), BATCH)
