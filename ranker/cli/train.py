"""`ranker train`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ranker.cli.terminal import TerminalProgress, load_tensorflow
from ranker.spec import load_spec

__all__ = ["command"]

_PATH = click.Path(path_type=Path)
_SHOWN = 20


@click.command("train")
@click.argument("spec", type=_PATH)
@click.option("--dataset", required=True, type=_PATH, help="What `ranker prepare` made of the spec.")
@click.option("--out", required=True, type=_PATH, help="Folder of the bundle; with --only, of the member.")
@click.option("--only", metavar="MODEL", help="Train this model of the spec by itself, with its history and scores.")
@click.option("--importance", is_flag=True, help="With --only: how much the metric falls without each feature.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key of the spec: a.b=c.")
def command(
    spec: Path, dataset: Path, out: Path, only: str | None, importance: bool, overrides: tuple[str, ...]
) -> None:
    """Train the models of SPEC on a dataset, blend them and write a bundle.

    With --only no bundle is made: the folder has the model's weights, metrics.jsonl and TensorBoard's files, and
    valid.parquet and test.parquet, which `ranker evaluate` reads. A training that was killed goes on where it was when
    the same command is run again.
    """
    if importance and only is None:
        raise click.UsageError("--importance is of one model; name it by --only")
    loaded = load_spec(spec, overrides)
    from ranker.data.dataset import Dataset

    prepared = Dataset(dataset)
    progress = TerminalProgress()
    with progress.stage("load TensorFlow and LightGBM"):
        load_tensorflow()
        from ranker.workflows.train import train
        from ranker.workflows.train_member import train_member
    if only is not None:
        manifest = train_member(prepared, only, out, progress, loaded, importance=importance)
        if not manifest:
            click.echo("the first worker writes the folder")
            return
        for metric, means in manifest["means"].items():
            click.echo(f"{only}: {metric} validation {means['valid']:.4f}, test {means['test']:.4f}")
        if importance:
            _show_importance(manifest["importance"])
        click.echo(f"scores: {out / 'valid.parquet'}, {out / 'test.parquet'}")
        return
    manifest = train(prepared, out, progress, loaded)
    for metric, values in manifest["validation"].items():
        click.echo(f"validation {metric}: " + ", ".join(f"{name} {value:.4f}" for name, value in values.items()))
    click.echo(f"bundle: {out}")


def _show_importance(found: list[dict[str, Any]]) -> None:
    """The most important features, and how many there are."""
    from rich.console import Console
    from rich.table import Table

    table = Table("feature", "fall of the metric without it [95% interval]")
    for one in found[:_SHOWN]:
        table.add_row(one["feature"], f"{one['fall']:.4f} [{one['low']:.4f}, {one['high']:.4f}]")
    Console(highlight=False).print(table)
    if len(found) > _SHOWN:
        click.echo(f"{_SHOWN} of {len(found)} features; all are in manifest.json")
