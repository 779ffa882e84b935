"""Lists as files: Arrow IPC streams of batches of lists, one for each split and partition."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ranker.data.spill import write_options
from ranker.data.split import SPLITS, SplitName
from ranker.data.tables.id_groups import Ints
from ranker.data.tables.partitions import BATCH
from ranker.data.tables.source_table import QUERY, TIMESTAMP, WEIGHT
from ranker.spec import Spec

__all__ = ["SPLIT", "heads_of", "lists_file", "lists_files", "write_lists"]

SPLIT = "#split"  # of a list, as its place in SPLITS


def lists_file(directory: Path, part: int, parts: int, shards: int, split: SplitName) -> Path:
    """The file of the lists of a partition and split; the name begins with the number of its shard."""
    per_shard = parts // shards
    return directory / f"{part // per_shard:05d}-{part % per_shard:05d}-{split}.arrow"


def lists_files(directory: Path, shard: int, split: SplitName) -> list[Path]:
    """The files of a shard and split, in the order of their partitions."""
    return sorted(directory.glob(f"{shard:05d}-*-{split}.arrow"))


def heads_of(spec: Spec, values: pa.RecordBatch, splits: npt.NDArray[np.int8], times: Ints) -> pa.RecordBatch:
    """What lists have once: QUERY, SPLIT, the columns of the query, and as the spec says TIMESTAMP and WEIGHT.

    Args:
        spec: names the columns.
        values: the query of each list, with WEIGHT if queries have one.
        splits: of each list, as places in SPLITS.
        times: of each list.
    """
    arrays = {QUERY: values[QUERY], SPLIT: pa.array(splits)}
    if spec.data.timestamp is not None:
        arrays[TIMESTAMP] = pa.array(times)
    more = [WEIGHT, *(feature.name for feature in spec.features.query)]
    arrays |= {name: values[name] for name in more if name in values.schema.names}
    return pa.RecordBatch.from_pydict(arrays)


def write_lists(
    heads: pa.RecordBatch,
    rows: pa.RecordBatch,
    of_row: Ints,
    order: Ints,
    schema: pa.Schema,
    files: Sequence[Path],
) -> None:
    """Write lists, in the order of their heads.

    Args:
        heads: as `heads_of` gives them.
        rows: the documents of all lists; those of a single table have the query's columns too.
        of_row: int64 `[rows]`, the list of each row.
        order: int64, places of the rows that are wanted, list by list; each list has one at least.
        schema: of the lists.
        files: for each split; none is written if it has no lists.
    """
    codes = heads[SPLIT].to_numpy()
    of_order = of_row[order]
    for code in range(len(SPLITS)):
        lists = np.flatnonzero(codes == code)
        if not len(lists):
            continue
        own = order if len(lists) == len(codes) else order[codes[of_order] == code]
        starts = np.flatnonzero(np.diff(of_row[own], prepend=-1))
        bounds = np.append(starts, len(own))
        lists_per_batch = max(1, BATCH * len(codes) // max(rows.nbytes, 1))
        with pa.ipc.new_stream(str(files[code]), schema, options=write_options()) as writer:
            for first in range(0, len(lists), lists_per_batch):
                cut = bounds[first : first + lists_per_batch + 1]
                inside = rows.take(pa.array(own[cut[0] : cut[-1]]))
                some = heads.take(pa.array(lists[first : first + lists_per_batch]))
                writer.write_batch(_lists(schema, some, inside, cut - cut[0]))


def _lists(schema: pa.Schema, heads: pa.RecordBatch, rows: pa.RecordBatch, bounds: Ints) -> pa.RecordBatch:
    offsets = pa.array(bounds, pa.int32())

    def array(field: pa.Field) -> pa.Array:
        if field.name not in heads.schema.names:
            return pa.ListArray.from_arrays(offsets, rows[field.name])
        values = heads[field.name]
        if values.type == field.type:
            return values
        each = np.repeat(np.arange(heads.num_rows), np.diff(bounds))  # a weight of the query is that of its documents
        return pa.ListArray.from_arrays(offsets, values.take(pa.array(each)))

    return pa.RecordBatch.from_arrays([array(field) for field in schema], schema=schema)
