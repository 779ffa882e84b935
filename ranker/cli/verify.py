"""`ranker verify`."""

from __future__ import annotations

from pathlib import Path

import click

from ranker.cli.terminal import TerminalProgress, load_tensorflow
from ranker.data.artefacts import read_manifest

__all__ = ["command"]


@click.command("verify")
@click.argument("bundle", type=click.Path(path_type=Path))
def command(bundle: Path) -> None:
    """Score the golden requests of BUNDLE anew and compare."""
    read_manifest(bundle, "bundle")
    progress = TerminalProgress()
    with progress.stage("load TensorFlow"):
        load_tensorflow()
    from ranker.bundle import verify

    with progress.stage("score the golden requests"):
        count = verify(bundle)
    click.echo(f"{bundle}: {count} golden requests got the scores they must get")
