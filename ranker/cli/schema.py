"""`ranker schema`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ranker.errors import RankerError
from ranker.spec.schema import json_schema

__all__ = ["command"]


@click.command("schema")
@click.option("--out", type=click.Path(path_type=Path), help="Write it to this file instead of standard output.")
def command(out: Path | None) -> None:
    """Print the JSON schema of the spec, for completion and checks in editors."""
    if out is None:
        click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
        return
    from ranker.data.artefacts import write_json

    try:
        write_json(out, json_schema())
    except OSError as error:
        raise RankerError(f"{out}: cannot write: {error.strerror}") from None
    click.echo(f"schema: {out}")
    click.echo(f"For editors, as the first line of a spec:  # yaml-language-server: $schema={out}")
