"""`ranker validate`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ranker.cli.terminal import TerminalProgress, load_tensorflow
from ranker.data.artefacts import write_json
from ranker.errors import RankerError
from ranker.spec import Bm25Candidates, Spec, load_spec

if TYPE_CHECKING:
    from ranker.data.dataset import Dataset
    from ranker.workflows.validate import Validated

__all__ = ["command"]

_SPECS = (".yaml", ".yml")


@click.command("validate")
@click.argument("data", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--against", required=True, type=click.Path(path_type=Path), help="Folder of the dataset.")
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key, if DATA is a spec: a.b=c."
)
@click.option("--strict", is_flag=True, help="Anomalies that are only warned of fail, too.")
@click.option("--json", "report", type=click.Path(path_type=Path, dir_okay=False), help="Write the anomalies here.")
@click.option("--html", "page", type=click.Path(path_type=Path, dir_okay=False), help="Write the statistics here.")
@click.option("--temp", type=click.Path(path_type=Path, file_okay=False), help="Where to spill; default: the system's.")
def command(
    data: Path,
    against: Path,
    overrides: tuple[str, ...],
    strict: bool,
    report: Path | None,
    page: Path | None,
    temp: Path | None,
) -> None:
    """Check DATA against the training lists of a dataset: is it what models of that dataset have learnt from?

    DATA is a spec (ranker.yaml: its sources), a file of requests as `ranker score` reads them (- is standard input), or
    the folder of another dataset. Ends with status 1 if an anomaly says that the data must not be used.
    """
    from ranker.data.dataset import Dataset

    dataset = Dataset(against)
    spec = load_spec(data, overrides) if data.suffix in _SPECS else None
    if overrides and spec is None:
        raise RankerError(f"--set has no effect: {data} is no spec; leave it out")
    validated = _validate(data, spec, dataset, temp)
    if report:
        write_json(report, validated.to_json())
    if page:
        page.write_text(validated.page, encoding="utf-8")
    console = Console(highlight=False)
    for split in validated.given:
        console.print(Text(f"{split.name}: {split.lists:,} lists, {split.documents:,} documents"))
    if validated.anomalies:
        console.print(_table(validated))
    else:
        console.print(Text("no anomalies", "green"))
    if validated.fails or (strict and validated.anomalies):
        sys.exit(1)


def _validate(data: Path, spec: Spec | None, dataset: Dataset, temp: Path | None) -> Validated:
    progress = TerminalProgress()
    if spec is not None and (spec.features.computed or isinstance(spec.data.candidates, Bm25Candidates)):
        with progress.stage("load TensorFlow"):
            load_tensorflow()
    from ranker.data.dataset import Dataset
    from ranker.workflows import validate

    if spec is not None:
        return validate.validate_source(spec, data.name, dataset, progress, temp)
    if data.is_dir():
        return validate.validate_dataset(Dataset(data), data.name, dataset)
    if str(data) != "-" and not data.is_file():
        raise RankerError(f"{data}: not there; expected a spec (.yaml), a file of requests or the folder of a dataset")
    with click.open_file(str(data), "rb") as lines:
        return validate.validate_requests(lines, data.name, dataset, progress)


def _table(validated: Validated) -> Table:
    """A row for each anomaly, those that fail first."""
    table = Table(title="anomalies", title_justify="left", show_lines=True)
    for name in ("", "column", "check", "what"):
        table.add_column(name, overflow="fold")
    for anomaly in sorted(validated.anomalies, key=lambda anomaly: anomaly.action):
        style = "bold red" if anomaly.action == "fail" else "yellow"
        table.add_row(Text(anomaly.action, style), *map(Text, (anomaly.column, anomaly.check, anomaly.message)))
    return table
