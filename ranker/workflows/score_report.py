"""From a file of scores to a report: what `ranker evaluate` does once lists are scored."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from eval.changes import Texts
from eval.evaluate import Request, evaluate
from eval.gate import Measurements, decide
from eval.metrics import parse_measure
from eval.passes import Passes
from eval.report.build import report_of
from eval.report.data import Report, Source
from eval.report.file import write_report
from eval.score_files import ScoreFile
from eval.score_parts import Scores
from ranker.errors import RankerError
from ranker.spec import Evaluation, GateRule
from ranker.workflows.evaluation_job import Job, share_scores_out
from ranker.workflows.evaluation_request import Asked, request_of, rules_of
from ranker.workflows.progress import Progress
from ranker.workflows.slice_code import load_slice_code
from ranker.workflows.slice_search import columns_of_scores

__all__ = [
    "PER_QUERY",
    "SCORES",
    "Running",
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

_TOLD: Final = 20  # columns that are named in a note


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


@dataclass(frozen=True)
class Running:
    """How an evaluation is run.

    Attributes:
        job: as Beam jobs; None: in this process.
        temporary: where to keep what is needed on the way; of a job, a folder that all workers see. None: the system's.
    """

    job: Job | None = None
    temporary: Path | None = None


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
    running: Running | None = None,
) -> Report:
    """Measure the models of a score table.

    Args:
        scores: a file that `eval.score_files.ScoreFile` reads.
        progress: told of each stage.
        sections: what is measured.
        out: folder for report.json, report.html and per_query.parquet; None: nothing is written.
        models: score columns; None: all columns of floating point that are not used otherwise, which a note names.
        candidate: the model that the gate is for; None: the last one that is not the baseline, unless there are more
            than two and they were not named.
        renamed: names of columns in the file by those of a score table.
        texts: columns to show in the report.
        unusable: what becomes of documents without a usable label or score: `error`, or `drop`, counted.
        running: how and where; None: in this process.

    Raises:
        RankerError: for scores, slices or rules that cannot be measured.
    """
    shown, evaluation = texts or Texts(), sections.evaluation
    notes, searched = [], evaluation.find_slices
    kept = [*shown.columns, *([evaluation.cluster] if evaluation.cluster else [])]
    with told():
        file = ScoreFile(scores, dict(renamed or {}))
        if models is None:
            used = [name for one in evaluation.groupings for name in one.features]
            used += [name for text in evaluation.metrics for name in parse_measure(text).columns]
            used += kept
            used += searched.features if searched is not None and searched.features != "all" else []
            models = file.models(used)
            used += columns_of_scores(file, searched, [*kept, *models]).names
            notes = [_guessed(models, file.unread([*used, *models]))]
            _refuse_guessed_candidate(models, candidate, sections.gate)
    if candidate not in (None, *models):
        raise RankerError(f"candidate: no model {candidate!r}; there are {', '.join(models)}")
    others = [model for model in models if model != evaluation.baseline]
    asked = Asked(
        evaluation,
        tuple(models),
        candidate or (others or list(models))[-1],
        sections.gate,
        load_slice_code(evaluation.groupings, sections.folder),
        texts=shown,
        unusable=unusable,
        searched=columns_of_scores(file, searched, [*kept, *models]),
    )
    with report_folder(out) as folder:
        sources = sources_of(file.files, 1)
        return measure_scores(
            folder, scores, dict(renamed or {}), asked, Measurements(), sources, progress, notes, running
        )


def _guessed(models: Sequence[str], unread: Mapping[str, str]) -> str:
    """Which columns were taken for scores, and which were not."""
    told = [f"{name} ({what})" for name, what in unread.items()]
    rest = f" and {len(told) - _TOLD} more" if len(told) > _TOLD else ""
    others = f"; not read: {', '.join(told[:_TOLD])}{rest}" if told else ""
    return f"taken as models, since none were named: the columns of floating point, {', '.join(models)}{others}"


def _refuse_guessed_candidate(models: Sequence[str], candidate: str | None, gate: Sequence[GateRule]) -> None:
    """Refuse to guess which of several guessed models a gate is for."""
    ours = [rule for rule in gate if rule.model is None and (rule.metric is not None or rule.judged is not None)]
    if ours and candidate is None and len(models) > 2:
        raise RankerError(
            f"gate: expected to know which model it is for, got {len(models)} columns that look like scores:"
            f" {', '.join(models)}; name it with --candidate, or all columns of scores with --model"
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
    notes: Sequence[str] = (),
    running: Running | None = None,
) -> Report:
    """Measure a file of scores and write the report into the folder; `notes` come before those of the evaluation."""
    request = request_of(asked)
    with _opened(ScoreFile(scores, renamed), request, running or Running(), progress) as (given, passes):
        found = evaluate(given, request, folder / PER_QUERY, passes)
        found = replace(found, notes=[*notes, *found.notes])
        gate = decide(found, rules_of(asked), measured) if asked.gate else None
    report = report_of(found, sources, gate)
    from eval.report_page import write_page

    with progress.stage("write the report"):
        write_report(report, folder / "report.json")
        write_page(report, folder / "report.html")
    return report


@contextmanager
def _opened(
    file: ScoreFile, request: Request, running: Running, progress: Progress
) -> Iterator[tuple[Scores, Passes | None]]:
    """The scored lists, and how they are gone through, while they are measured."""
    if running.temporary is not None:
        _make(running.temporary)
    with tempfile.TemporaryDirectory(prefix="ranker-", dir=running.temporary) as directory, told():
        if running.job is not None:
            given, passes = share_scores_out(file, request, running.job, Path(directory), progress)
            with progress.stage("measure"):
                yield given, passes
        else:
            with progress.stage("measure"):
                yield file.open(request.columns, request.numbers, Path(directory)), None


@contextmanager
def report_folder(out: Path | None) -> Iterator[Path]:
    """A folder to write to, of which whole files go to `out` at the end."""
    if out is not None and out.exists() and not out.is_dir():
        raise RankerError(f"{out}: expected a folder to write the report to, got a file; name another")
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory)
        if out is not None:
            _make(out)
            for file in Path(directory).iterdir():
                shutil.move(file, out / f".{file.name}.new")
                (out / f".{file.name}.new").replace(out / file.name)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RankerError(f"{folder}: cannot make the folder: {error.strerror}; name another") from None


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
