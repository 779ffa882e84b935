"""The figures of each list as a table, in memory and as Parquet.

Columns: `query_id`; `unit`, what is resampled; a column for each slicing, string or list<string>; `documents` and
`relevant`, how many; `judgements`, a digest of the labels above 0, by which runs are told apart; and `<metric>|<model>`
float64 for each metric and model, null where there is no value. What was measured and how is in the schema's metadata.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from eval.measuring import Measured
from eval.ragged import FloatArray
from eval.score_table import ScoreTable
from ranker.data.id_hash import hash_ids, mix

__all__ = ["METADATA", "OWN_COLUMNS", "SEPARATOR", "PerQuery", "PerQueryWriter", "per_query_rows"]

METADATA: Final = b"ranker.evaluation"
OWN_COLUMNS: Final = ("query_id", "unit", "documents", "relevant", "judgements")
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
            "judgements": _digests(part.table),
            **figures,
        }
    )
    return table.replace_schema_metadata({METADATA: json.dumps(metadata, ensure_ascii=False)})


def _digests(table: ScoreTable) -> pa.Array:
    """For each list a number, uint64, that tells its labels above 0 from others, in whatever order documents come."""
    lists = table.lists
    relevant = np.flatnonzero(lists.labels > 0)
    digests = np.zeros(len(lists.labels), np.uint64)
    if relevant.size and lists.document_ids is not None:
        ids = hash_ids(pa.array(lists.document_ids[relevant], pa.string()))
        digests[relevant] = mix(ids ^ mix(lists.labels[relevant].view(np.uint64)))
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
        except (OSError, pa.ArrowInvalid) as error:
            raise ValueError(f"{source}: cannot read: {error}; expected per_query.parquet of a report") from None
        held = (self.schema.metadata or {}).get(METADATA)
        if held is None:
            raise ValueError(f"{source}: expected per_query.parquet of a report, got a table of another kind")
        self.metadata: dict[str, Any] = json.loads(held)

    def column(self, name: str) -> pa.Array:
        """A column in one piece."""
        table = self._source if isinstance(self._source, pa.Table) else pq.read_table(self._source, columns=[name])
        column = table.column(name)
        return column.combine_chunks()

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
