"""`ranker prepare`: sources to a dataset."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from apache_beam.options.pipeline_options import PipelineOptions

from features import pipeline
from features.computed import fingerprints
from features.counts import Written
from features.statistics.anomalies import Anomaly, refuse
from features.statistics.dataset_checks import check_dataset, recheck_dataset
from ranker.data.artefacts import FORMAT_VERSION, new_directory, refuse_to_replace, write_json
from ranker.data.columns import raw_columns
from ranker.data.data_error import DataError
from ranker.data.files import open_binary, size_of, version_of
from ranker.data.layout import Layout
from ranker.data.rejected_rows import RejectedRows
from ranker.data.source import OpenedSource, source_files
from ranker.data.tally import Tally
from ranker.data.versions import versions
from ranker.errors import RankerError
from ranker.spec import Spec
from ranker.workflows.beam_options import pipeline_options
from ranker.workflows.leakage import leaks
from ranker.workflows.measured import metrics_of
from ranker.workflows.opening import opened
from ranker.workflows.progress import Progress, Timed, watching

__all__ = ["MOST_REJECTED", "prepare"]

MOST_REJECTED = 0.01  # of the rows; a run that sets more aside fails
_EXAMPLES = 3


def prepare(
    spec: Spec,
    out: Path,
    progress: Progress,
    beam_options: Sequence[str] = (),
    *,
    temporary: Path | None = None,
    most_rejected: float = MOST_REJECTED,
    force: bool = False,
) -> dict[str, Any]:
    """Build the dataset that `train` reads, unless `out` is the one that would come out.

    Args:
        spec: names the sources and features.
        out: folder of the dataset; an old one is replaced once the new one is whole.
        progress: told of each stage.
        beam_options: as Beam's command line takes them, e.g. `--runner=FlinkRunner`.
        temporary: where to keep what is needed on the way, about twice the size of the source; default: the system's.
        most_rejected: share of the rows that may be set aside.
        force: build it even if nothing has changed.

    Returns:
        the manifest.

    Raises:
        DataError: if the data cannot be used, or too many rows cannot.
    """
    options = pipeline_options(beam_options, "ranker prepare", "one spec")
    metrics_of(spec)
    out = out.resolve()
    refuse_to_replace(out)
    timed = Timed(progress)
    with timed.stage("fingerprint the sources"):
        sources = {role: [_fingerprint(path) for path in paths] for role, paths in source_files(spec).items()}
        computed = fingerprints(spec)
    key = _key(spec, sources, computed)
    if not force and (old := _manifest_with(out, key)):
        _refuse_too_many(old["read"], old["rejected"], most_rejected, out / "rejected", out)
        return _with_spec(old, spec, out)
    if temporary:
        temporary.mkdir(parents=True, exist_ok=True)
    scratch = tempfile.TemporaryDirectory(prefix="ranker-", dir=temporary)
    with _plain_errors(), new_directory(out) as building, scratch as directory:
        (building / "rejected").mkdir()
        with RejectedRows(building / "rejected" / "rows.jsonl") as rejected:
            source = opened(spec, Path(directory), rejected, timed)
        read = {table: {"rows": rows, "rejected": aside} for table, (aside, rows) in rejected.of_tables.items()}
        _refuse_too_many(read, rejected.by_reason, most_rejected, building / "rejected", out)
        layout, written = _build(source, building, Path(directory), options, timed)
        reasons = Counter(rejected.by_reason) + written.rejected
        if not read:  # of files that have a row for each document of a list
            documents = sum(count.documents for count in written.splits.values())
            read = {"source": {"rows": reasons.total() + documents, "rejected": reasons.total()}}
            _refuse_too_many(read, reasons, most_rejected, building / "rejected", out)
        _refuse_empty_splits(written, reasons)
        with timed.stage("look for leaks and drift"):
            anomalies = check_dataset(building, source.spec, written.statistics)
            refuse(anomalies)
            leaking = _leaks(written, sorted((building / "examples").glob("train-*")), layout)
        manifest = {
            "kind": "dataset",
            "format_version": FORMAT_VERSION,
            "key": key,
            "spec": source.spec.model_dump(),
            "spec_digest": spec.digest,
            "sources": sources,
            "computed": computed,
            "splits": _splits(written, rejected),
            "split_bounds": source.split_bounds.to_json() if source.split_bounds else None,
            "propensities": source.propensities.to_json() if source.propensities else None,
            "read": read,
            "rejected": dict(reasons.most_common()),
            "unused": dict(rejected.unused),
            "leaks": leaking,
            "warnings": [*leaking, *_messages(anomalies)],
            "columns": [column.to_json() for column in raw_columns(source.spec)],
            "layout": layout.to_json(),
            "versions": versions(),
            "files": _sizes(building),
            "seconds": timed.seconds,
        }
        write_json(building / "manifest.json", manifest)
    return manifest


def _build(
    source: OpenedSource, building: Path, directory: Path, options: PipelineOptions, progress: Progress
) -> tuple[Layout, Written]:
    """The transform graph and the records, in the folder of the dataset."""
    with progress.stage("count words of the document collection"):
        statistics = pipeline.collection_statistics(source, building / "collection", options)
    graph, read, transformed = building / "transform", Tally(directory / "read"), Tally(directory / "transformed")
    with (
        progress.stage("analyse features on the training lists") as stage,
        watching(stage, read, "lists", None),
    ):
        layout = pipeline.analyze(source, statistics, graph, directory / "tft", options, read)
    with (
        progress.stage("transform and write examples") as stage,
        watching(stage, transformed, "lists", source.lists),
    ):
        written = pipeline.transform(source, layout, graph, building, options, transformed)
    return layout, written


def _splits(written: Written, rejected: RejectedRows) -> dict[str, dict[str, Any]]:
    """What the manifest says of each split; rows are `rejected` of a split where theirs is known."""
    opened = rejected.by_split
    return {
        split: count.to_json()
        | {"rejected": dict((Counter(opened.get(split, {})) + written.rejected_of[split]).most_common())}
        for split, count in written.splits.items()
    }


def _refuse_empty_splits(written: Written, reasons: Mapping[str, int]) -> None:
    lists = {split: count.lists for split, count in written.splits.items()}
    for split, count in lists.items():
        if not count:
            aside = f"; rows set aside: {dict(reasons)}" if reasons else ""
            raise DataError(
                f"no lists in the {split} split ({lists}): more queries, another data.split or another file for it "
                f"is needed{aside}"
            )


def _leaks(written: Written, train: list[Path], layout: Layout) -> list[str]:
    """What makes figures of this dataset too good to be true."""
    warnings = leaks(train, layout)
    if written.in_two_splits:
        warnings.append(
            f"{written.in_two_splits:,} queries are in more than one split: what training learns of them is tested "
            f"again; split by query"
        )
    return warnings


def _messages(anomalies: Sequence[Anomaly]) -> list[str]:
    return [anomaly.message for anomaly in anomalies]


def _key(spec: Spec, sources: Mapping[str, Any], computed: Mapping[str, str]) -> str:
    """Digest of all that the content of a dataset depends on."""
    content = {"data": spec.data.model_dump(), "features": spec.features.model_dump()}
    text = json.dumps([content, sources, computed, versions(), FORMAT_VERSION], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _manifest_with(path: Path, key: str) -> dict[str, Any] | None:
    """The manifest of the dataset at `path`, if there is one with this key."""
    try:
        manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(manifest, dict) or manifest.get("key") != key:
        return None
    return manifest if manifest["files"] == _sizes(path) else None


def _sizes(path: Path) -> dict[str, int]:
    """Bytes of each file of records."""
    folders = ("examples", "raw")
    files = sorted(file for folder in folders for file in (path / folder).rglob("*") if file.is_file())
    return {file.relative_to(path).as_posix(): file.stat().st_size for file in files}


def _with_spec(manifest: dict[str, Any], spec: Spec, path: Path) -> dict[str, Any]:
    """The manifest with the models and all else that the data does not depend on as the spec now has it."""
    if manifest["spec_digest"] == spec.digest:
        return manifest
    before = Spec.model_validate(manifest["spec"])
    resolved = spec.model_copy(update={"data": before.data, "features": before.features})
    manifest = manifest | {"spec": resolved.model_dump(), "spec_digest": spec.digest}
    if resolved.validation != before.validation:
        anomalies = recheck_dataset(path, resolved)
        refuse(anomalies)
        manifest["warnings"] = [*manifest["leaks"], *_messages(anomalies)]
    write_json(path / "manifest.json", manifest)
    return manifest


def _refuse_too_many(
    read: Mapping[str, Mapping[str, int]], reasons: Mapping[str, int], most: float, rejected: Path, out: Path
) -> None:
    """Fail if of a table more rows were set aside than is tolerated; they stay beside the place of the dataset.

    Args:
        read: `rows` and how many of them are `rejected`, by table.
        reasons: rejected rows of all tables, by reason.
        most: the share that is tolerated.
        rejected: folder with the rows.
        out: place of the dataset.
    """
    kept = out.with_name(f"{out.name}.rejected.jsonl")
    beyond = {table: counts for table, counts in read.items() if counts["rejected"] > most * counts["rows"]}
    if not beyond:
        kept.unlink(missing_ok=True)  # of a run that failed
        return
    with kept.open("wb") as rows_of_all:
        for file in sorted(rejected.iterdir()):
            with file.open("rb") as rows_of_one:
                shutil.copyfileobj(rows_of_one, rows_of_all)
    told = [f"{count:,} x {reason}" for reason, count in Counter(reasons).most_common()]
    rows = [row for file in sorted(rejected.iterdir()) for row in _first_rows(file)]
    examples = [f"  {row['file']}:{row['line']}: {row['reason']}: {row['row']:.120}" for row in rows[:_EXAMPLES]]
    shares = [f"{counts['rejected']:,} of {counts['rows']:,} rows of {table}" for table, counts in beyond.items()]
    raise DataError(
        f"{' and '.join(shares)} cannot be used, more than the {most:.2%} that --max-rejected tolerates: "
        f"{'; '.join(told)}; all of them with their reasons are in {kept}\n" + "\n".join(examples)
    )


def _first_rows(file: Path) -> list[dict[str, Any]]:
    with file.open(encoding="utf-8") as lines:
        return [json.loads(line) for line, _ in zip(lines, range(_EXAMPLES), strict=False)]


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Takes off what Beam adds to the message of an error that a user can mend."""
    try:
        yield
    except RankerError as error:
        raise type(error)(str(error).partition(" [while running '")[0]) from error


def _fingerprint(path: Path) -> dict[str, Any]:
    """What tells a file's content from another's; of a remote one without reading it, if its place says a version."""
    try:
        told = {"file": path.name, "bytes": size_of(path)}
        if version := version_of(path):
            return told | {"version": version}
        with open_binary(path) as file:
            return told | {"sha256": hashlib.file_digest(file, "sha256").hexdigest()}
    except OSError as error:
        reason = error.strerror or error
        raise DataError(f"{path}: cannot read: {reason}; the spec's data.sources names this file") from None
