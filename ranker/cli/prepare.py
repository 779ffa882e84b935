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
@click.option("--temp", type=click.Path(path_type=Path, file_okay=False), help="Where to spill; default: the system's.")
@click.option(
    "--max-rejected",
    default=0.01,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="Share of the rows that may be set aside; a run with more of them fails.",
)
@click.option("--force", is_flag=True, help="Prepare even if the dataset is there and nothing has changed.")
@click.argument("beam_options", nargs=-1, type=click.UNPROCESSED)
def command(
    spec: Path,
    out: Path,
    overrides: tuple[str, ...],
    temp: Path | None,
    max_rejected: float,
    force: bool,
    beam_options: tuple[str, ...],
) -> None:
    """Read the sources of SPEC, build features and write a dataset. BEAM_OPTIONS go to Apache Beam."""
    loaded = load_spec(spec, overrides)
    progress = TerminalProgress()
    with progress.stage("load TensorFlow and Beam"):
        load_tensorflow()
        from ranker.workflows.prepare import prepare
    before = (out / "manifest.json").stat().st_ino if (out / "manifest.json").exists() else None
    manifest = prepare(loaded, out, progress, beam_options, temporary=temp, most_rejected=max_rejected, force=force)
    if (out / "manifest.json").stat().st_ino == before:
        click.echo("nothing has changed since this dataset was made; --force makes it anew")
    for split, counts in manifest["splits"].items():
        labels = ", ".join(f"{label}: {count:,}" for label, count in counts["labels"].items())
        click.echo(
            f"{split:>6}: {counts['lists']:,} lists, {counts['documents']:,} documents, "
            f"{counts['lists_without_relevant']:,} lists without a relevant document; labels {labels}"
        )
    for reason, count in manifest["rejected"].items():
        click.echo(f"set aside: {count:,} x {reason} (see {out / 'rejected'})")
    for what, count in manifest["unused"].items():
        click.echo(f"unused: {count:,} x {what}")
    for warning in manifest["warnings"]:
        click.secho(f"warning: {warning}", fg="yellow", bold=True, err=True)
    click.echo(f"dataset: {out}")
