"""`ranker compare`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from ranker.cli.terminal import TerminalProgress, metric_table

__all__ = ["command"]

_PATH = click.Path(path_type=Path)


@click.command("compare")
@click.argument("runs", nargs=-1, type=_PATH, required=True, metavar="RUN...")
@click.option("--metric", "metrics", multiple=True, help="Such as ndcg@10.  [default: all that all runs have]")
@click.option("--model", "models", multiple=True, help="Of the runs.  [default: blend where all have it, else all]")
@click.option("--baseline", help="Run, model or RUN/MODEL that others are compared with.  [default: the first]")
@click.option("--intersect", is_flag=True, help="Compare the queries that all runs have, if they have different ones.")
@click.option(
    "--confidence",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Of intervals.  [default: as in the first run]",
)
@click.option("--draws", type=click.IntRange(100), help="Of the bootstrap.  [default: as in the first run]")
@click.option("--seed", type=click.IntRange(0), help="Of the bootstrap.  [default: as in the first run]")
@click.option("--out", type=_PATH, help="Folder for report.html, report.json and per_query.parquet.")
def command(runs: Sequence[Path], out: Path | None, **options: Any) -> None:
    """Compare runs on the same queries.

    A RUN is the folder of a report, or its per_query.parquet.
    """
    from eval.runs import Choice
    from ranker.workflows.compare import compare
    from ranker.workflows.score_report import written

    metrics, models = (list(options.pop(name)) or None for name in ("metrics", "models"))
    report = compare(runs, Choice(metrics, models, **options), TerminalProgress(), out)
    console = Console(highlight=False)
    console.print(metric_table(report))
    for note in report["notes"]:
        click.echo(f"note: {note}")
    if out is not None:
        click.echo("report: " + ", ".join(str(out / name) for name in written(out)))
