"""`ranker train`."""

from __future__ import annotations

from pathlib import Path

import click

from ranker.cli.terminal import TerminalProgress, load_tensorflow
from ranker.spec import load_spec

__all__ = ["command"]


@click.command("train")
@click.argument("dataset", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of the bundle.")
@click.option("--spec", type=click.Path(path_type=Path), help="Take models and training from here, not the dataset.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key of --spec: a.b=c.")
def command(dataset: Path, out: Path, spec: Path | None, overrides: tuple[str, ...]) -> None:
    """Train the models of the spec on DATASET, blend them and write a bundle."""
    if overrides and spec is None:
        raise click.UsageError("--set overrides keys of the file given by --spec; give both")
    loaded = load_spec(spec, overrides) if spec else None
    from ranker.data.dataset import Dataset

    prepared = Dataset(dataset)
    progress = TerminalProgress()
    with progress.stage("load TensorFlow and LightGBM"):
        load_tensorflow()
        from ranker.workflows.train import train
    manifest = train(prepared, out, progress, loaded)
    for metric, values in manifest["validation"].items():
        click.echo(f"validation {metric}: " + ", ".join(f"{name} {value:.4f}" for name, value in values.items()))
    click.echo(f"bundle: {out}")
