"""The first job: rows of score shards, in any order, to partitions that have whole lists of whole units.

Elements are batches of rows, as Arrow streams. In a partition rows stand in the order of the shards and of the rows in
them, however workers shared the work, so that nothing hangs on who read what.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from apache_beam.options.pipeline_options import PipelineOptions

from eval.dropping import Dropping
from eval.score_files import ScoreFile
from eval.score_parts import Columns, PartsOnDisk, no_rows, spilled_parts, usable_rows
from eval.score_rows import hashes_of, partitions_of, plain_rows
from features.beam_pipeline import new_pipeline
from ranker.data.id_hash import partition_of
from ranker.data.spill import Spill, write_options
from ranker.data.tally import Tally
from ranker.workflows.evaluation_job.folder import SharedFolder
from ranker.workflows.evaluation_job.pieces import Piece, pieces_of, rows_about, schema_of
from ranker.workflows.evaluation_job.totals import Put, total

__all__ = ["Shards", "share_out"]

_HELD = 32 << 20  # bytes of rows that are read before they are sent
_MOST_PARTITIONS = 10_000

_Rows = tuple[int, int, bytes]  # number of the piece, number of the batch in it, rows of one partition
_Places = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Shards:
    """Files of scores and what is read of them.

    Attributes:
        scores: the files.
        columns: what is read.
        numbers: of these the ones that hold numbers, beside label and scores.
    """

    scores: ScoreFile
    columns: Columns
    numbers: Sequence[str]


def share_out(
    shards: Shards, folder: SharedFolder, options: PipelineOptions, done: Tally, rows_of_part: int
) -> PartsOnDisk:
    """Write the rows to partitions.

    Args:
        shards: what is read.
        folder: where partitions are written.
        options: of the job.
        done: rows are added to it as they are read.
        rows_of_part: about so many are wanted in a partition.

    Raises:
        ValueError: a shard is missing, broken or of another schema, which names the file; no rows; a null id; a query
            of two clusters.
    """
    columns = shards.columns
    pieces, schema = pieces_of(shards.scores, columns), schema_of(shards.scores, columns, shards.numbers)
    partitions = min(_MOST_PARTITIONS, max(1, -(-rows_about(shards.scores) // rows_of_part)))
    spill = Spill(folder.path / "rows", schema, partitions)
    with folder.faults_told(), new_pipeline(options) as pipeline:
        pieces_there = pipeline | beam.Create(pieces, reshuffle=True)
        read = pieces_there | "read" >> beam.ParDo(_Read(shards, spill, folder, done)).with_outputs(
            "dropping", main="rows"
        )
        partitioned = read["rows"] | "by partition" >> beam.GroupByKey()
        written = partitioned | "write" >> beam.ParDo(_Write(spill, columns, folder)).with_outputs(
            "places", main="counts"
        )
        _ = written["counts"] | "count" >> total() | "keep the count" >> beam.ParDo(Put(folder, "rows-written"))
        _ = read["dropping"] | "left out" >> total() | "keep what" >> beam.ParDo(Put(folder, "dropping"))
        by_query = written["places"] | "by query" >> beam.GroupByKey()
        divided = by_query | beam.Map(_divided) | "all divided" >> total()
        _ = divided | "keep the divided" >> beam.ParDo(Put(folder, "divided"))
    dropping: Dropping | None = folder.take("dropping")
    if not folder.take("rows-written"):
        raise no_rows(dropping)
    found: _Divided | None = folder.take("divided")
    return spilled_parts(folder.path, spill, columns, dropping, None if found is None else found.places)


class _Read(beam.DoFn):
    """The rows of a piece, those of a partition together; and what was left out."""

    def __init__(self, shards: Shards, spill: Spill, folder: SharedFolder, done: Tally) -> None:
        self._shards, self._spill, self._folder, self._done = shards, spill, folder, done

    def process(self, piece: Piece) -> Iterator[Any]:
        """Batches of rows by their partitions."""
        held: list[pa.RecordBatch] = []
        number, size, dropping = 0, 0, self._shards.columns.dropping
        if self._folder.faulty:
            return
        with self._folder.faults_kept(piece.number), _named(piece.file):
            for rows in self._rows(piece, dropping):
                held.append(rows)
                size += rows.nbytes
                if size >= _HELD:
                    yield from self._sent(held, piece, number)
                    held, number, size = [], number + 1, 0
            if held:
                yield from self._sent(held, piece, number)
        if dropping is not None:
            yield beam.pvalue.TaggedOutput("dropping", dropping)

    def _rows(self, piece: Piece, dropping: Dropping | None) -> Iterator[pa.RecordBatch]:
        shards = self._shards
        for batch in shards.scores.batches(shards.columns, shards.numbers, piece.file, piece.groups):
            self._done.add(batch.num_rows)
            yield plain_rows(usable_rows(batch, dropping), self._spill.schema)

    def _sent(self, held: Sequence[pa.RecordBatch], piece: Piece, number: int) -> Iterator[tuple[int, _Rows]]:
        rows, partitions = pa.concat_batches(held), self._spill.partitions
        partition = partitions_of(rows, self._shards.columns.cluster or "query_id", partitions)
        rows = rows.take(pa.array(np.argsort(partition, kind="stable")))
        counts = np.bincount(partition, minlength=partitions)
        starts = np.cumsum(counts) - counts
        for there in np.flatnonzero(counts).tolist():
            chosen = rows.slice(int(starts[there]), int(counts[there]))
            yield there, (piece.number, number, _packed(chosen))


class _Write(beam.DoFn):
    """Writes a partition and gives the number of its rows; and its queries, if these might be in another one, too."""

    def __init__(self, spill: Spill, columns: Columns, folder: SharedFolder) -> None:
        self._spill, self._columns, self._folder = spill, columns, folder

    def process(self, grouped: tuple[int, Iterable[_Rows]]) -> Iterator[Any]:
        """Write it."""
        if self._folder.faulty:
            return
        partition, given = grouped
        batches = [batch for _, _, packed in sorted(given) for batch in pa.ipc.open_stream(packed)]
        self._folder.write(self._spill.file(partition), lambda path: _write(path, batches))
        yield sum(batch.num_rows for batch in batches)
        if self._columns.cluster is not None:
            with self._folder.faults_kept(partition):
                hashes = np.unique(np.concatenate([hashes_of(batch, "query_id") for batch in batches]))
                of_hash = partition_of(hashes, self._spill.partitions)
                for there in np.unique(of_hash).tolist():
                    inside = hashes[of_hash == there]
                    places = np.stack([inside, np.full(len(inside), partition, np.uint64)])
                    yield beam.pvalue.TaggedOutput("places", (there, places.tobytes()))


@dataclass(frozen=True, eq=False)
class _Divided:
    """Hashes of queries that are in several partitions, and these, uint64 [2, n]; `a + b` is all of them."""

    places: _Places

    def __add__(self, other: _Divided) -> _Divided:
        return _Divided(np.concatenate([self.places, other.places], axis=1))


def _divided(grouped: tuple[int, Iterable[bytes]]) -> _Divided:
    """Of the queries with hashes in a range, those that are in several partitions."""
    places = np.concatenate([np.frombuffer(one, np.uint64).reshape(2, -1) for one in grouped[1]], axis=1)
    hashes, counts = np.unique(places[0], return_counts=True)
    return _Divided(places[:, np.isin(places[0], hashes[counts > 1])])


@contextmanager
def _named(file: Path) -> Iterator[None]:
    """Errors name the file."""
    try:
        yield
    except ValueError as error:
        if str(file) in str(error):
            raise
        raise ValueError(f"{file}: {error}") from None


def _packed(rows: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema, options=write_options()) as writer:
        writer.write_batch(rows)
    return sink.getvalue().to_pybytes()


def _write(path: Path, batches: Sequence[pa.RecordBatch]) -> None:
    with pa.ipc.new_stream(str(path), batches[0].schema, options=write_options()) as writer:
        for batch in batches:
            writer.write_batch(batch)
