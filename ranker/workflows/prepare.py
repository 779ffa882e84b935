"""`ranker prepare`: sources to a dataset."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from apache_beam.options.pipeline_options import PipelineOptions

from features import pipeline
from ranker.data.artefacts import FORMAT_VERSION, new_directory, write_json
from ranker.data.columns import raw_columns
from ranker.data.source import open_source, source_files
from ranker.data.tables import DataError
from ranker.data.versions import versions
from ranker.errors import RankerError
from ranker.spec import Spec
from ranker.workflows.measured import metrics_of
from ranker.workflows.progress import Progress

__all__ = ["prepare"]


def prepare(spec: Spec, out: Path, progress: Progress, beam_options: Sequence[str] = ()) -> dict[str, Any]:
    """Build the dataset that `train` reads.

    Args:
        spec: names the sources and features.
        out: folder of the dataset; an old one is replaced once the new one is whole.
        progress: told of each stage.
        beam_options: as Beam's command line takes them, e.g. `--runner=FlinkRunner`.

    Returns:
        the manifest.

    Raises:
        DataError: if the data cannot be used.
    """
    options = _options(beam_options)
    metrics_of(spec)
    with progress.stage("fingerprint the sources"):
        sources = {role: _fingerprint(path) for role, path in source_files(spec).items()}
    with _plain_errors(), new_directory(out) as building, tempfile.TemporaryDirectory(prefix="ranker-") as temporary:
        with progress.stage("count words of the document collection"):
            source = open_source(spec, Path(temporary))
            statistics = pipeline.collection_statistics(source, building / "collection", options)
        graph = building / "transform"
        with progress.stage("analyse features on the training lists"):
            layout = pipeline.analyze(source, statistics, graph, Path(temporary), options)
        with progress.stage("transform and write examples"):
            counts = pipeline.transform(source, layout, graph, building, options)
        for split, count in counts.items():
            if not count.lists:
                lists = {split: count.lists for split, count in counts.items()}
                raise DataError(
                    f"no lists in the {split} split ({lists}): more queries or another data.split is needed"
                )
        manifest = {
            "kind": "dataset",
            "format_version": FORMAT_VERSION,
            "spec": spec.model_dump(),
            "spec_digest": spec.digest,
            "sources": sources,
            "splits": {split: count.to_json() for split, count in counts.items()},
            "columns": [column.to_json() for column in raw_columns(spec)],
            "layout": layout.to_json(),
            "versions": versions(),
        }
        write_json(building / "manifest.json", manifest)
    return manifest


def _options(beam_options: Sequence[str]) -> PipelineOptions:
    """Beam itself passes over an option it does not know."""
    options = PipelineOptions(list(beam_options))
    for before, here in zip(["", *beam_options], beam_options, strict=False):
        if not here.startswith("-") and (not before.startswith("-") or "=" in before):
            raise RankerError(f"unexpected argument {here!r}: `ranker prepare` takes one spec, and options of Beam")
    unknown = set(options.get_all_options(retain_unknown_options=True)) - set(options.get_all_options())
    if unknown:
        raise RankerError(f"unknown option --{min(unknown)}: neither `ranker prepare` nor Apache Beam has it")
    return options


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Takes off what Beam adds to the message of an error that a user can mend."""
    try:
        yield
    except RankerError as error:
        raise type(error)(str(error).partition(" [while running '")[0]) from error


def _fingerprint(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path}: cannot read: {error.strerror}; the spec's data.sources names this file") from None
    return {"file": path.name, "bytes": path.stat().st_size, "sha256": digest}
