"""`ranker check`."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["command"]


@click.command("check")
@click.argument("spec", type=click.Path(path_type=Path))
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key of the spec: a.b=c.")
def command(spec: Path, overrides: tuple[str, ...]) -> None:
    """Validate SPEC and the first rows of its sources; tell all faults at once."""
    from ranker.cli.terminal import load_tensorflow
    from ranker.workflows.check import check

    checked = check(spec, overrides, load_tensorflow)
    for file in checked.files:
        rows = f"all {file.rows:,} rows" if file.whole else f"the first {file.rows:,} rows"
        click.echo(f"{file.role}: looked at {rows} of {file.path}")
    features = [(name, listed) for name, listed in checked.spec.features if isinstance(listed, list) and listed]
    click.echo("features: " + ", ".join(f"{len(listed)} {name}" for name, listed in features))
    click.echo("models: " + ", ".join(f"{model.name} ({model.kind})" for model in checked.spec.models))
    click.echo("metrics: " + ", ".join(checked.spec.evaluation.metrics))
    click.echo(f"{spec}: no faults")
