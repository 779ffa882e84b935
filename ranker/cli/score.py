"""`ranker score`."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import click

from ranker.cli.terminal import TerminalProgress, load_tensorflow
from ranker.data.artefacts import read_manifest

__all__ = ["command"]


@click.command("score")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--input", "requests", type=click.File("rb"), default="-", help="JSON lines; default: standard input.")
@click.option("--output", "results", type=click.File("wb"), default="-", help="JSON lines; default: standard output.")
def command(bundle: Path, requests: BinaryIO, results: BinaryIO) -> None:
    """Rank requests, each {"id", "query": {...}, "documents": [{"id", "features": {...}}]}, with BUNDLE."""
    read_manifest(bundle, "bundle")
    progress = TerminalProgress()
    with progress.stage("load TensorFlow"):
        load_tensorflow()
    import orjson

    from ranker.workflows.score import score

    with progress.stage("rank") as stage:
        for count, answer in enumerate(score(bundle, requests, requests.name), start=1):
            results.write(orjson.dumps(answer) + b"\n")
            stage.note = f"{count:,} lists"
