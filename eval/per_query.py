"""The figures of each list as a table, in memory and as Parquet.

Columns: `query_id`; `unit`, what is resampled; a column for each slicing, string or list<string>; `documents` and
`relevant`, how many; `judgements`, a digest of the labels above 0, by which runs are told apart; `ranked`, a digest of
all documents; `<metric>|<model>` float64 for each metric and model, null where there is no value; and `undefined`,
list<string>, the names of those of these columns whose metric is not defined for the list, whatever value its policy
gives. What was measured and how is in the schema's metadata.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from eval.measuring import Measured
from eval.ragged import BoolArray, FloatArray
from eval.score_table import ScoreTable
from ranker.data.id_hash import hash_ids, mix

__all__ = ["METADATA", "OWN_COLUMNS", "SEPARATOR", "PerQuery", "PerQueryWriter", "names_where", "per_query_rows"]

METADATA: Final = b"ranker.evaluation"
OWN_COLUMNS: Final = ("query_id", "unit", "documents", "relevant", "judgements", "ranked", "undefined")
SEPARATOR: Final = "|"


def per_query_rows(part: Measured, columns: Sequence[tuple[str, str]], metadata: Mapping[str, Any]) -> pa.Table:
    """The rows of a part of the lists.

    Args:
        part: the lists with their figures.
        columns: metric and model of each column of figures.
        metadata: for the schema.
    """
    lists = part.table.lists
    figures = {
        f"{metric}{SEPARATOR}{model}": pa.array(part.values.figures[:, place], from_pandas=True)
        for place, (metric, model) in enumerate(columns)
    }
    table = pa.table(
        {
            "query_id": pa.array(lists.query_ids, pa.string()),
            "unit": pa.array(part.table.units, pa.string()),
            **part.named,
            "documents": lists.sizes,
            "relevant": lists.ragged.counts(lists.labels > 0),
            "judgements": _digests(part.table, relevant=True),
            "ranked": _digests(part.table, relevant=False),
            "undefined": names_where(part.values.empty[:, : len(figures)], list(figures)),
            **figures,
        }
    )
    return table.replace_schema_metadata({METADATA: json.dumps(metadata, ensure_ascii=False)})


def names_where(flags: BoolArray, names: Sequence[str]) -> pa.Array:
    """For each list the names of the columns of `flags`, bool [lists, names], that are true: list<string> [lists]."""
    rows, places = np.nonzero(flags)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(flags)))])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(names, pa.string()).take(pa.array(places)))


def _digests(table: ScoreTable, *, relevant: bool) -> pa.Array:
    """For each list a number, uint64, that tells its documents from others, in whatever order they come.

    Args:
        table: the lists.
        relevant: of the documents with a label above 0, and these labels; else of all documents, whatever their labels.
    """
    lists = table.lists
    digests = np.zeros(len(lists.labels), np.uint64)
    chosen = np.flatnonzero(lists.labels > 0) if relevant else np.arange(len(lists.labels))
    if chosen.size and lists.document_ids is not None:
        ids = hash_ids(pa.array(lists.document_ids[chosen], pa.string()))
        digests[chosen] = mix(ids ^ mix(lists.labels[chosen].view(np.uint64))) if relevant else mix(ids)
    running = np.concatenate([np.zeros(1, np.uint64), np.cumsum(digests, dtype=np.uint64)])
    return pa.array(running[lists.offsets[1:]] - running[lists.offsets[:-1]])


class PerQuery:
    """The figures of each list, in memory or in a Parquet file of which a column is read at a time.

    Args:
        source: a table as of `per_query_rows`, or the path of its file.

    Raises:
        ValueError: the file is no table of figures per query.
    """

    def __init__(self, source: pa.Table | Path) -> None:
        self._source = source
        try:
            self.schema: pa.Schema = source.schema if isinstance(source, pa.Table) else pq.read_schema(source)
        except FileNotFoundError:
            raise ValueError(f"{source}: no such file; expected per_query.parquet of a report, or its folder") from None
        except (OSError, pa.ArrowInvalid) as error:
            what = str(error).rstrip(".")
            raise ValueError(f"{source}: cannot read: {what}; expected per_query.parquet of a report") from None
        held = (self.schema.metadata or {}).get(METADATA)
        if held is None:
            raise ValueError(f"{source}: expected per_query.parquet of a report, got a table of another kind")
        if gone := [name for name in OWN_COLUMNS if name not in self.schema.names]:
            raise ValueError(f"{source}: it has no column {gone[0]!r}, so that it is of another version; evaluate anew")
        self.metadata: dict[str, Any] = json.loads(held)

    def column(self, name: str) -> pa.Array:
        """A column in one piece.

        Raises:
            ValueError: the file cannot be read.
        """
        if isinstance(self._source, pa.Table):
            return self._source.column(name).combine_chunks()
        try:
            return pq.read_table(self._source, columns=[name]).column(name).combine_chunks()
        except (OSError, pa.ArrowInvalid) as error:
            what = str(error).splitlines()[0]
            raise ValueError(f"{self._source}: cannot read column {name!r}: {what}; evaluate anew") from None

    def undefined(self, metric: str, model: str) -> BoolArray:
        """Lists for which the metric is not defined, bool [lists]."""
        lists = self.column("undefined")
        found = np.zeros(len(lists), np.bool_)
        rows = lists.value_parent_indices().to_numpy()
        found[rows[pc.equal(lists.flatten(), f"{metric}{SEPARATOR}{model}").to_numpy(zero_copy_only=False)]] = True
        return found

    def figures(self, metric: str, model: str) -> FloatArray:
        """float64 [lists]; NaN: no value."""
        return self.column(f"{metric}{SEPARATOR}{model}").to_numpy(zero_copy_only=False).astype(np.float64)

    def table(self) -> pa.Table:
        """All columns."""
        return self._source if isinstance(self._source, pa.Table) else pq.read_table(self._source)


class PerQueryWriter:
    """Collects the rows of parts, in memory or in a Parquet file.

    Args:
        path: of the file; None: in memory.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._writer: pq.ParquetWriter | None = None
        self._held: list[pa.Table] = []

    def add(self, rows: pa.Table) -> None:
        """Add the rows of a part."""
        if self._path is None:
            self._held.append(rows)
            return
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, rows.schema)
        self._writer.write_table(rows)

    def close(self) -> PerQuery:
        """All rows, once no more come."""
        if self._path is None:
            return PerQuery(pa.concat_tables(self._held))
        if self._writer is not None:
            self._writer.close()
        return PerQuery(self._path)
