"""`ranker init`."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["command"]


@click.command("init", options_metavar="--from FILE... [OPTIONS]")
@click.option("--from", "first", multiple=True, type=click.Path(path_type=Path), help="The data: JSONL, CSV, Parquet.")
@click.option("--out", default="ranker.yaml", show_default=True, type=click.Path(path_type=Path), help="The spec.")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="")
def command(first: tuple[Path, ...], files: tuple[Path, ...], out: Path) -> None:
    """Look at files of queries, documents and judgments, or one with all, and write a first, commented spec."""
    if not first and not files:
        raise click.UsageError("name the files of queries, documents and judgments, or one with all: --from FILE...")
    from ranker.workflows.init import init

    proposal = init((*first, *files), out)
    roles = proposal.roles
    heads = {"queries": roles.queries, "documents": roles.documents, "judgments": roles.judgments}
    for path in dict.fromkeys(head.path for head in heads.values()):
        what = [role for role, head in heads.items() if head.path == path]
        click.echo(f"{', '.join(what)}: {path}")
    for path in roles.unused:
        click.echo(f"not used: {path}")
    click.echo(f"joined by {roles.query_id!r} and {roles.document_id!r}, label {roles.label!r}")
    left_out = [guess.name for guess in (*proposal.query, *proposal.document) if not guess.kind]
    if left_out:
        click.echo(f"columns left out, the spec says why: {', '.join(left_out)}")
    click.echo(f"spec: {out}; look at it, then: ranker check {out}")
