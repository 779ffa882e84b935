"""`ranker prepare`."""

from __future__ import annotations

from pathlib import Path

import click

from ranker.cli.terminal import TerminalProgress, load_tensorflow
from ranker.spec import load_spec

__all__ = ["command"]


@click.command("prepare", context_settings={"ignore_unknown_options": True})
@click.argument("spec", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of the dataset.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key of the spec: a.b=c.")
@click.argument("beam_options", nargs=-1, type=click.UNPROCESSED)
def command(spec: Path, out: Path, overrides: tuple[str, ...], beam_options: tuple[str, ...]) -> None:
    """Read the sources of SPEC, build features and write a dataset. BEAM_OPTIONS go to Apache Beam."""
    loaded = load_spec(spec, overrides)
    progress = TerminalProgress()
    with progress.stage("load TensorFlow and Beam"):
        load_tensorflow()
        from ranker.workflows.prepare import prepare
    manifest = prepare(loaded, out, progress, beam_options)
    for split, counts in manifest["splits"].items():
        click.echo(
            f"{split:>6}: {counts['lists']:,} lists, {counts['documents']:,} documents, "
            f"{counts['lists_without_relevant']:,} lists without a relevant document"
        )
    click.echo(f"dataset: {out}")
