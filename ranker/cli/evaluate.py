"""`ranker evaluate`."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from ranker.cli.terminal import TerminalProgress, load_tensorflow, metric_table
from ranker.data.artefacts import write_json

__all__ = ["command"]


@click.command("evaluate")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("dataset", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Also write the report as JSON here.")
def command(bundle: Path, dataset: Path, out: Path | None) -> None:
    """Measure the members and the blend of BUNDLE on the test lists of DATASET."""
    from ranker.data.dataset import Dataset

    prepared = Dataset(dataset)
    progress = TerminalProgress()
    with progress.stage("load TensorFlow"):
        load_tensorflow()
        from ranker.workflows.evaluate import evaluate
    report = evaluate(bundle, prepared, progress)
    Console(highlight=False).print(metric_table(report))
    if out:
        write_json(out, report.to_dict())
        click.echo(f"report: {out}")
