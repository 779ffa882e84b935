"""Passes over the partitions as Beam jobs: each worker takes a partition, and sums come together."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import apache_beam as beam
import pyarrow as pa
from apache_beam.options.pipeline_options import PipelineOptions

from eval.order_statistics import DIGITS, Numbers, Search, edges_between, even_ranks
from eval.passes import Buckets, Edges, NumbersOf, Total
from eval.ragged import IntArray
from eval.score_parts import PartsOnDisk
from eval.score_table import ScoreTable
from features.beam_pipeline import new_pipeline
from ranker.data.spill import read_stream, write_options
from ranker.workflows.evaluation_job.folder import SharedFolder
from ranker.workflows.evaluation_job.totals import Put, total

__all__ = ["BeamPasses"]

T = TypeVar("T", bound=Total)
_Searches = Mapping[tuple[str, int], Search]


class BeamPasses:
    """`eval.passes.Passes` on the workers of Beam.

    Args:
        parts: the partitions.
        folder: in which they are.
        options: of the jobs.
    """

    def __init__(self, parts: PartsOnDisk, folder: SharedFolder, options: PipelineOptions) -> None:
        self._parts, self._folder, self._options = parts, folder, options

    def survey(self, of: Callable[[ScoreTable], T], numbers: NumbersOf, buckets: Buckets) -> tuple[T, Edges]:
        """As of `Passes`: numbers stay where they were collected, and each round of a search counts them there."""
        files = _NumberFiles(self._folder, f"numbers-{uuid.uuid4().hex}", tuple(buckets))
        with self._folder.faults_told(), new_pipeline(self._options) as pipeline:
            partitions = pipeline | beam.Create(self._parts.partitions, reshuffle=True)
            known = partitions | "survey" >> beam.ParDo(_Survey(self._parts, of, numbers, files)) | "known" >> total()
            searches = known | "start" >> beam.Map(_started, dict(buckets))
            for number in range(DIGITS if buckets else 0):
                so_far = beam.pvalue.AsSingleton(searches)
                counted = partitions | f"count {number}" >> beam.ParDo(_Count(files), so_far)
                counts = counted | f"sum {number}" >> total()
                searches = counts | f"settle {number}" >> beam.Map(_settled, so_far)
            _ = known | "keep what is known" >> beam.ParDo(Put(self._folder, "known"))
            _ = searches | "keep what was found" >> beam.ParDo(Put(self._folder, "found"))
        shutil.rmtree(files.folder.path / files.of_survey, ignore_errors=True)
        found: _Searches = self._folder.take("found")
        return self._folder.take("known").total, {key: edges_between(search.found()) for key, search in found.items()}

    def measure(self, of: Callable[[ScoreTable], tuple[T, pa.Table]], keep: Callable[[pa.Table], None]) -> T:
        """As of `Passes`."""
        with self._folder.faults_told(), new_pipeline(self._options) as pipeline:
            partitions = pipeline | beam.Create(self._parts.partitions, reshuffle=True)
            measured = partitions | "measure" >> beam.ParDo(_Measure(self._parts, of, self._folder))
            _ = measured | "add up" >> total() | "keep" >> beam.ParDo(Put(self._folder, "totals"))
        for partition in self._parts.partitions:
            file = _rows_file(self._folder, partition)
            keep(pa.Table.from_batches(list(read_stream(file))))
            file.unlink()
        return self._folder.take("totals")


@dataclass(frozen=True)
class _Surveyed:
    """What is known of partitions, and how many numbers each collection has; `a + b` is that of both."""

    total: Any
    counts: dict[str, int]

    def __add__(self, other: _Surveyed) -> _Surveyed:
        counts = {name: count + other.counts[name] for name, count in self.counts.items()}
        return _Surveyed(self.total + other.total, counts)


@dataclass(frozen=True)
class _NumberFiles:
    """Where numbers of partitions are kept, by collection."""

    folder: SharedFolder
    of_survey: str
    names: tuple[str, ...]

    def file(self, partition: int, name: str) -> Path:
        """The file of a collection's numbers in a partition."""
        return self.folder.file(self.of_survey, f"{partition:05d}-{self.names.index(name):05d}")


class _Survey(beam.DoFn):
    """Surveys a partition and writes its numbers."""

    def __init__(
        self, parts: PartsOnDisk, of: Callable[[ScoreTable], Any], numbers: NumbersOf, files: _NumberFiles
    ) -> None:
        self._parts, self._of, self._numbers, self._files = parts, of, numbers, files

    def process(self, partition: int) -> Iterator[_Surveyed]:
        """What is known of it."""
        folder = self._files.folder
        if folder.faulty:
            return
        with folder.faults_kept(partition):
            for _, table in self._parts.read({partition}):
                found = self._numbers(table)
                for name, values in found.items():
                    path = self._files.file(partition, name)
                    folder.write(path, lambda new, values=values: Numbers(new).add(values))  # type: ignore[misc]
                yield _Surveyed(self._of(table), {name: len(values) for name, values in found.items()})


class _Counts:
    """Counts of a round of searches; `a + b` is that of two partitions."""

    def __init__(self, of: Mapping[tuple[str, int], IntArray]) -> None:
        self.of = of

    def __add__(self, other: _Counts) -> _Counts:
        return _Counts({key: counts + other.of[key] for key, counts in self.of.items()})


class _Count(beam.DoFn):
    """Counts the numbers of a partition as the searches ask."""

    def __init__(self, files: _NumberFiles) -> None:
        self._files = files

    def process(self, partition: int, searches: _Searches) -> Iterator[_Counts]:
        """The counts of this round."""
        yield _Counts(
            {
                (name, buckets): Numbers(self._files.file(partition, name)).counts(search)
                for (name, buckets), search in searches.items()
            }
        )


def _started(known: _Surveyed | None, buckets: Buckets) -> _Searches:
    if known is None:  # for a fault
        return {}
    return {(name, n): Search.of(even_ranks(known.counts[name], n)) for name, ways in buckets.items() for n in ways}


def _settled(counts: _Counts, searches: _Searches) -> _Searches:
    return {key: search.next(counts.of[key]) for key, search in searches.items()}


class _Measure(beam.DoFn):
    """Measures a partition and writes its rows of the table of queries."""

    def __init__(
        self, parts: PartsOnDisk, of: Callable[[ScoreTable], tuple[Any, pa.Table]], folder: SharedFolder
    ) -> None:
        self._parts, self._of, self._folder = parts, of, folder

    def process(self, partition: int) -> Iterator[Any]:
        """Its total."""
        if self._folder.faulty:
            return
        with self._folder.faults_kept(partition):
            for _, table in self._parts.read({partition}):
                measured, rows = self._of(table)
                self._folder.write(_rows_file(self._folder, partition), lambda path, rows=rows: _write(path, rows))  # type: ignore[misc]
                yield measured


def _rows_file(folder: SharedFolder, partition: int) -> Path:
    return folder.file("per-query", f"{partition:05d}.arrow")


def _write(path: Path, rows: pa.Table) -> None:
    with pa.ipc.new_stream(str(path), rows.schema, options=write_options()) as writer:
        writer.write_table(rows)
