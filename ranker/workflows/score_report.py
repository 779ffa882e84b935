"""From a file of scores to a report: what `ranker evaluate` does once lists are scored."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from eval.changes import Texts
from eval.evaluate import evaluate
from eval.gate import Measurements, decide
from eval.report.build import report_of
from eval.report.data import Report, Source
from eval.report.file import write_report
from eval.score_files import ScoreFile
from ranker.errors import RankerError
from ranker.spec import Evaluation, GateRule
from ranker.workflows.evaluation_request import Asked, request_of, rules_of
from ranker.workflows.progress import Progress
from ranker.workflows.slice_code import load_slice_code

__all__ = [
    "PER_QUERY",
    "SCORES",
    "Sections",
    "evaluate_scores",
    "measure_scores",
    "report_folder",
    "sources_of",
    "told",
    "written",
]

SCORES: Final = "scores.parquet"
PER_QUERY: Final = "per_query.parquet"


@dataclass(frozen=True)
class Sections:
    """Sections of a spec that say what is measured.

    Attributes:
        evaluation: what is measured.
        gate: what a model has to keep.
        folder: of the spec, for functions of slices; None: not known.
    """

    evaluation: Evaluation
    gate: Sequence[GateRule] = ()
    folder: Path | None = None


def evaluate_scores(
    scores: Path,
    progress: Progress,
    sections: Sections,
    out: Path | None = None,
    *,
    models: Sequence[str] | None = None,
    candidate: str | None = None,
    renamed: Mapping[str, str] | None = None,
    texts: Texts | None = None,
    unusable: Literal["error", "drop"] = "error",
) -> Report:
    """Measure the models of a score table.

    Args:
        scores: a file that `eval.score_files.ScoreFile` reads.
        progress: told of each stage.
        sections: what is measured.
        out: folder for report.json, report.html and per_query.parquet; None: nothing is written.
        models: score columns; None: all columns of floating point that are not used otherwise.
        candidate: the model that the gate is for; None: the last one that is not the baseline.
        renamed: names of columns in the file by those of a score table.
        texts: columns to show in the report.
        unusable: what becomes of documents without a usable label or score: `error`, or `drop`, counted.

    Raises:
        RankerError: for scores, slices or rules that cannot be measured.
    """
    shown, evaluation = texts or Texts(), sections.evaluation
    with told():
        file = ScoreFile(scores, dict(renamed or {}))
        if models is None:
            used = [name for one in evaluation.slices for name in one.features]
            models = file.models([*used, *shown.columns, *([evaluation.cluster] if evaluation.cluster else [])])
    others = [model for model in models if model != evaluation.baseline]
    asked = Asked(
        evaluation,
        tuple(models),
        candidate or (others or list(models))[-1],
        sections.gate,
        load_slice_code(evaluation.slices, sections.folder),
        texts=shown,
        unusable=unusable,
    )
    with report_folder(out) as folder:
        return measure_scores(
            folder, scores, dict(renamed or {}), asked, Measurements(), sources_of(file.files, 1), progress
        )


def written(out: Path) -> list[str]:
    """The files of a report in a folder, in the order in which people want them."""
    names = ("report.html", "report.json", PER_QUERY, SCORES)
    return [name for name in names if (out / name).exists()]


def measure_scores(
    folder: Path,
    scores: Path,
    renamed: Mapping[str, str],
    asked: Asked,
    measured: Measurements,
    sources: Sequence[Source],
    progress: Progress,
) -> Report:
    """Measure a file of scores and write the report into the folder."""
    request = request_of(asked)
    numbers = [cut.column for slicing in request.slicings for cut in slicing.cuts if cut.buckets is not None]
    with progress.stage("measure"), tempfile.TemporaryDirectory() as parts, told():
        given = ScoreFile(scores, renamed).open(request.columns, numbers, Path(parts))
        found = evaluate(given, request, folder / PER_QUERY)
        gate = decide(found, rules_of(asked), measured) if asked.gate else None
    report = report_of(found, sources, gate)
    from eval.report_page import write_page

    with progress.stage("write the report"):
        write_report(report, folder / "report.json")
        write_page(report, folder / "report.html")
    return report


@contextmanager
def report_folder(out: Path | None) -> Iterator[Path]:
    """A folder to write to, of which whole files go to `out` at the end."""
    if out is not None and out.exists() and not out.is_dir():
        raise RankerError(f"{out}: expected a folder to write the report to, got a file; name another")
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory)
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            for file in Path(directory).iterdir():
                shutil.move(file, out / f".{file.name}.new")
                (out / f".{file.name}.new").replace(out / file.name)


@contextmanager
def told() -> Iterator[None]:
    """Evaluation knows nothing of commands: what it refuses is said as a fault of the user's input."""
    try:
        yield
    except RankerError:
        raise
    except ValueError as error:
        raise RankerError(str(error)) from error


def sources_of(files: Sequence[Path], parts: int) -> list[Source]:
    """Files with their digests, named by the last parts of their paths."""
    found = []
    for file in files:
        with file.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        found.append(Source(file="/".join(file.parts[-parts:]), sha256=digest))
    return found
