"""`ranker compare`: runs against each other, from the tables of figures per query that `ranker evaluate` wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq

from eval.per_query import PerQuery
from eval.report.build import report_of
from eval.report.data import Report
from eval.report.file import write_report
from eval.runs import Choice, compare_runs
from ranker.errors import RankerError
from ranker.workflows.progress import Progress
from ranker.workflows.score_report import PER_QUERY, report_folder, sources_of, told

__all__ = ["compare"]

_BLEND = "blend"


def compare(paths: Sequence[Path], choice: Choice, progress: Progress, out: Path | None = None) -> Report:
    """Compare runs on the same queries.

    Args:
        paths: folders of reports, or their per_query.parquet.
        choice: of what is compared; without models, the blends if all runs have one, else all models.
        progress: told of each stage.
        out: folder for report.json, report.html and per_query.parquet; None: nothing is written.

    Returns:
        the report.

    Raises:
        RankerError: a path has no table of figures per query, or the runs cannot be compared.
    """
    files = {name: path / PER_QUERY if path.is_dir() else path for name, path in _named(paths).items()}
    with told(), progress.stage("compare"):
        runs = {name: PerQuery(file) for name, file in files.items()}
        if choice.models is None and len(runs) > 1 and all(_BLEND in run.metadata["models"] for run in runs.values()):
            choice = replace(choice, models=[_BLEND])
        found = compare_runs(runs, choice)
    report = report_of(found, sources_of(list(files.values()), 2))
    if out is not None:
        from eval.report_page import write_page

        with progress.stage("write the report"), report_folder(out) as folder:
            pq.write_table(found.per_query.table(), folder / PER_QUERY)
            write_report(report, folder / "report.json")
            write_page(report, folder / "report.html")
    return report


def _named(paths: Sequence[Path]) -> dict[str, Path]:
    """Runs by the names of their folders; where two have the same, with the folder above."""
    for parts in range(1, max(len(path.resolve().parts) for path in paths)):
        names = ["/".join(_folder(path).parts[-parts:]) for path in paths]
        if len(set(names)) == len(names):
            return dict(zip(names, paths, strict=True))
    raise RankerError(f"compare: expected different runs, got {', '.join(map(str, paths))}")


def _folder(path: Path) -> Path:
    """What a run is named after: its folder, or the file of another name."""
    whole = path.resolve()
    return whole.parent if whole.name == PER_QUERY else whole.with_suffix("") if whole.is_file() else whole
