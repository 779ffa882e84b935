"""`ranker prepare`: sources to a dataset."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from apache_beam.options.pipeline_options import PipelineOptions

from features import pipeline
from features.counts import Written
from ranker.data.artefacts import FORMAT_VERSION, new_directory, refuse_to_replace, write_json
from ranker.data.columns import raw_columns
from ranker.data.layout import Layout
from ranker.data.rejected_rows import RejectedRows
from ranker.data.source import open_source, source_files
from ranker.data.tables import DataError
from ranker.data.versions import versions
from ranker.errors import RankerError
from ranker.spec import Spec
from ranker.workflows.leakage import label_leaks
from ranker.workflows.measured import metrics_of
from ranker.workflows.progress import Progress

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
    options = _options(beam_options)
    metrics_of(spec)
    refuse_to_replace(out)
    with progress.stage("fingerprint the sources"):
        sources = {role: [_fingerprint(path) for path in paths] for role, paths in source_files(spec).items()}
    key = _key(spec, sources)
    if not force and (old := _manifest_with(out, key)):
        documents = sum(counts["documents"] for counts in old["splits"].values())
        _refuse_too_many(old["rejected"], documents, most_rejected, out)
        return _with_spec(old, spec, out)
    if temporary:
        temporary.mkdir(parents=True, exist_ok=True)
    scratch = tempfile.TemporaryDirectory(prefix="ranker-", dir=temporary)
    with _plain_errors(), new_directory(out) as building, scratch as directory:
        (building / "rejected").mkdir()
        with (
            progress.stage("read and check the source") as stage,
            RejectedRows(building / "rejected" / "rows.jsonl") as rejected,
        ):
            source = open_source(spec, Path(directory), rejected, stage.count)
        with progress.stage("count words of the document collection"):
            statistics = pipeline.collection_statistics(source, building / "collection", options)
        graph = building / "transform"
        with progress.stage("analyse features on the training lists"):
            layout = pipeline.analyze(source, statistics, graph, Path(directory) / "tft", options)
        with progress.stage("transform and write examples"):
            written = pipeline.transform(source, layout, graph, building, options)
        reasons = Counter(rejected.by_reason) + written.rejected
        documents = sum(count.documents for count in written.splits.values())
        _refuse_too_many(reasons, documents, most_rejected, building)
        for split, count in written.splits.items():
            if not count.lists:
                lists = {split: count.lists for split, count in written.splits.items()}
                aside = f"; rows set aside: {dict(reasons)}" if reasons else ""
                raise DataError(
                    f"no lists in the {split} split ({lists}): more queries, another data.split or another file for it "
                    f"is needed{aside}"
                )
        with progress.stage("look for leaks"):
            warnings = _warnings(written, sorted((building / "examples").glob("train-*")), layout)
        manifest = {
            "kind": "dataset",
            "format_version": FORMAT_VERSION,
            "key": key,
            "spec": source.spec.model_dump(),
            "spec_digest": spec.digest,
            "sources": sources,
            "splits": {split: count.to_json() for split, count in written.splits.items()},
            "rejected": dict(reasons.most_common()),
            "unused": dict(rejected.unused),
            "warnings": warnings,
            "columns": [column.to_json() for column in raw_columns(source.spec)],
            "layout": layout.to_json(),
            "versions": versions(),
        }
        write_json(building / "manifest.json", manifest)
    return manifest


def _warnings(written: Written, train: list[Path], layout: Layout) -> list[str]:
    """What makes figures of this dataset too good to be true."""
    warnings = label_leaks(train, layout)
    if written.in_two_splits:
        warnings.append(
            f"{written.in_two_splits:,} queries are in more than one split: what training learns of them is tested "
            f"again; split by query"
        )
    return warnings


def _key(spec: Spec, sources: Mapping[str, Any]) -> str:
    """Digest of all that the content of a dataset depends on."""
    content = {"data": spec.data.model_dump(), "features": spec.features.model_dump()}
    text = json.dumps([content, sources, versions(), FORMAT_VERSION], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _manifest_with(path: Path, key: str) -> dict[str, Any] | None:
    """The manifest of the dataset at `path`, if there is one with this key."""
    try:
        manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return manifest if isinstance(manifest, dict) and manifest.get("key") == key else None


def _with_spec(manifest: dict[str, Any], spec: Spec, path: Path) -> dict[str, Any]:
    """The manifest with the models and all else that the data does not depend on as the spec now has it."""
    if manifest["spec_digest"] == spec.digest:
        return manifest
    resolved = spec.with_vector_of(Spec.model_validate(manifest["spec"]))
    manifest = manifest | {"spec": resolved.model_dump(), "spec_digest": spec.digest}
    write_json(path / "manifest.json", manifest)
    return manifest


def _refuse_too_many(reasons: Mapping[str, int], documents: int, most: float, building: Path) -> None:
    """Fail if rows were set aside beyond what is tolerated."""
    total = sum(reasons.values())
    if total <= most * (total + documents):
        return
    told = [f"{count:,} x {reason}" for reason, count in Counter(reasons).most_common()]
    rows = [row for file in sorted((building / "rejected").iterdir()) for row in _first_rows(file)]
    examples = [f"  {row['file']}:{row['line']}: {row['reason']}: {row['row']:.120}" for row in rows[:_EXAMPLES]]
    raise DataError(
        f"{total:,} of {total + documents:,} rows cannot be used, more than the {most:.2%} that --max-rejected "
        f"tolerates: {'; '.join(told)}\n" + "\n".join(examples)
    )


def _first_rows(file: Path) -> list[dict[str, Any]]:
    with file.open(encoding="utf-8") as lines:
        return [json.loads(line) for line, _ in zip(lines, range(_EXAMPLES), strict=False)]


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
