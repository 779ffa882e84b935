"""Rows on disk in partitions, as Arrow IPC streams."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["Spill", "read_stream", "write_options"]

_HELD = 8 << 20  # bytes of rows that are held before they are written


def write_options() -> pa.ipc.IpcWriteOptions:
    """How spilled rows are written: LZ4 costs less than the disk it saves."""
    return pa.ipc.IpcWriteOptions(compression="lz4")


def read_stream(path: Path, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
    """The batches of a file that holds an Arrow IPC stream; with `columns`, only these are unpacked."""
    options = pa.ipc.IpcReadOptions()
    if columns is not None:
        with pa.OSFile(str(path), "rb") as file, pa.ipc.open_stream(file) as batches:
            options.included_fields = sorted(batches.schema.names.index(name) for name in columns)
    with pa.OSFile(str(path), "rb") as file, pa.ipc.open_stream(file, options=options) as batches:
        yield from batches


class Spill:
    """Rows spread over partitions, each a file; within a partition they keep the order in which they came.

    Write all rows, `close`, then read each partition once, having looked into it with `peek` as often as wanted. At
    most `_HELD` bytes of rows are in memory.
    """

    def __init__(self, directory: Path, schema: pa.Schema, partitions: int) -> None:
        directory.mkdir(parents=True)
        self.partitions = partitions
        self.rows = 0
        self.nbytes = 0
        self.schema = schema
        self._files = [directory / f"{number:05d}.arrow" for number in range(partitions)]
        self._writers: dict[int, pa.ipc.RecordBatchStreamWriter] = {}
        self._held: list[tuple[pa.RecordBatch, npt.NDArray[np.int64]]] = []
        self._held_bytes = 0

    def write(self, batch: pa.RecordBatch, partition: npt.NDArray[np.int64]) -> None:
        """Add rows, each to its partition `[rows]`."""
        if not batch.num_rows:
            return
        self._held.append((batch, partition))
        self.rows += batch.num_rows
        self.nbytes += batch.nbytes
        self._held_bytes += batch.nbytes
        if self._held_bytes >= _HELD:
            self._flush()

    def close(self) -> None:
        """No more rows come."""
        self._flush()
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()

    def file(self, partition: int) -> Path:
        """The file of a partition: an Arrow IPC stream of rows of `schema`, which others than `write` may make."""
        return self._files[partition]

    def read(self, partition: int) -> Iterator[pa.RecordBatch]:
        """The rows of a partition; its file is deleted when they have been read."""
        file = self._files[partition]
        if file.exists():
            yield from read_stream(file)
            file.unlink()

    def read_whole(self, partition: int) -> pa.RecordBatch:
        """The rows of a partition, all at once."""
        batches = list(self.read(partition))
        return pa.concat_batches(batches) if batches else pa.RecordBatch.from_pylist([], self.schema)

    def peek(self, partition: int, columns: Sequence[str]) -> pa.RecordBatch:
        """Some columns of the rows of a partition, in the order of the schema; its file stays."""
        file = self._files[partition]
        batches = list(read_stream(file, columns)) if file.exists() else []
        schema = pa.schema([field for field in self.schema if field.name in columns])
        return pa.concat_batches(batches) if batches else pa.RecordBatch.from_pylist([], schema)

    def _flush(self) -> None:
        if not self._held:
            return
        rows = pa.concat_batches([batch for batch, _ in self._held])
        partition = np.concatenate([numbers for _, numbers in self._held])
        self._held, self._held_bytes = [], 0
        if self.partitions > 1:
            rows = rows.take(pa.array(np.argsort(partition, kind="stable")))
        bounds = np.concatenate([[0], np.cumsum(np.bincount(partition, minlength=self.partitions))]).tolist()
        for number in range(self.partitions):
            if size := bounds[number + 1] - bounds[number]:
                self._writer(number).write_batch(rows.slice(bounds[number], size))

    def _writer(self, number: int) -> pa.ipc.RecordBatchStreamWriter:
        if number not in self._writers:
            file = str(self._files[number])
            self._writers[number] = pa.ipc.new_stream(file, self.schema, options=write_options())
        return self._writers[number]
