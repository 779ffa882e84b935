"""Lists of the whole collection: on disk only what was judged of each, and the collection once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from ranker.data.candidates.candidate_lists import DOCUMENT_PLACE, not_judged
from ranker.data.columns import schema_of
from ranker.data.spill import read_stream
from ranker.data.split import SplitName
from ranker.data.tables.list_files import SPLIT, lists_files, write_lists
from ranker.data.tables.list_rows import ListRows
from ranker.data.tables.source_table import DOCUMENT
from ranker.spec import Spec

__all__ = ["collection_file", "read_whole_lists", "whole_directory", "write_judged"]


def whole_directory(directory: Path) -> Path:
    """The folder, among the files of lists, of those whose lists are of the whole collection."""
    return directory / "whole"


def collection_file(directory: Path) -> Path:
    """The documents of the collection, in the order of their places."""
    return directory / "collection.arrow"


def write_judged(heads: pa.RecordBatch, listed: ListRows, columns: list[str], files: list[Path]) -> None:
    """Write what was judged of lists of the whole collection.

    Args:
        heads: of the lists.
        listed: the lists; their rows have DOCUMENT_PLACE.
        columns: of the rows, that are wanted.
        files: for each split.
    """
    rows = listed.rows.select([DOCUMENT_PLACE, *columns])
    once = [field for field in heads.schema if field.name != SPLIT]
    schema = pa.schema([*once, *(pa.field(field.name, pa.list_(field.type)) for field in rows.schema)])
    write_lists(heads, rows, listed.of_row, listed.order, schema, files)


def read_whole_lists(spec: Spec, directory: Path, shard: int, split: SplitName) -> Iterator[pa.RecordBatch]:
    """Lists of the whole collection, each a batch with `ranker.data.columns.schema_of`.

    Memory is that of one list: columns of documents are the same arrays in each.
    """
    files = lists_files(whole_directory(directory), shard, split)
    if not files:
        return
    schema = schema_of(spec)
    documents = pa.concat_batches(list(read_stream(collection_file(directory))))
    for file in files:
        for batch in read_stream(file):
            for row in range(batch.num_rows):
                yield _whole(batch.take(pa.array([row])), documents, schema)


def _whole(judged: pa.RecordBatch, documents: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """One list: what was judged, and all documents."""
    count = documents.num_rows
    places = judged[DOCUMENT_PLACE].flatten().to_numpy()
    of_document = np.full(count, len(places))
    of_document[places] = np.arange(len(places))
    index, offsets = pa.array(of_document), pa.array([0, count], pa.int32())
    once = set(schema.names[: schema.names.index(DOCUMENT)])

    def array(field: pa.Field) -> pa.Array:
        name = field.name
        if name in once:
            return judged[name]
        if name in documents.schema.names:
            return pa.ListArray.from_arrays(offsets, documents[name])
        if judged[name].type != field.type:  # a weight of the query is that of its documents
            return pa.ListArray.from_arrays(offsets, judged[name].take(pa.array(np.zeros(count, np.int64))))
        values = judged[name].flatten()
        values = pa.concat_arrays([values, not_judged(name, values.type)])
        return pa.ListArray.from_arrays(offsets, values.take(index))

    return pa.RecordBatch.from_arrays([array(field) for field in schema], schema=schema)
