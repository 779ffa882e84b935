"""`ranker demo`."""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path

import click
from rich.console import Console

from ranker.cli.terminal import TerminalProgress, load_tensorflow, metric_table, ranked_table

__all__ = ["command"]


@click.command("demo")
@click.option("--dir", "directory", default="demo", show_default=True, type=click.Path(path_type=Path))
@click.option("--queries", default=600, show_default=True, type=click.IntRange(20), help="Lists of the store.")
@click.option("--seed", default=7, show_default=True, type=click.IntRange(0), help="Of the store's data.")
@click.option("--serve", "keep_serving", is_flag=True, help="Keep the scorer up at the end, until interrupted.")
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key of the demo's spec: a.b=c."
)
def command(directory: Path, queries: int, seed: int, keep_serving: bool, overrides: tuple[str, ...]) -> None:
    """Do everything once: make a store's data, prepare, train, evaluate, serve, rank one query."""
    started = time.perf_counter()
    console, progress = Console(highlight=False, soft_wrap=True), TerminalProgress()
    from ranker.workflows.demo import Scoring, make_spec, run

    spec = make_spec(directory, queries, seed, overrides, progress)
    with Scoring(directory) as scoring:
        with progress.stage("load TensorFlow, Beam and LightGBM"):
            load_tensorflow()
        result = run(directory, spec, scoring, progress)
        console.print(ranked_table(f"query {result.query!r} for a {result.segment} customer", result.ranked))
        console.print(metric_table(result.report))
        console.print(f"report: {directory / 'report' / 'report.html'}   bundle: {directory / 'bundle'}")
        console.print(f"{time.perf_counter() - started:.0f} s in all\n")
        if not keep_serving:
            bundle = shlex.quote(str(directory / "bundle"))
            console.print(f"Start the scorer:  {_this_command()} serve {bundle}")
            console.print(f"and ask it:        {result.curl(spec.serving.rest_port)}")
            return
        console.print(f"The scorer is up until you press Ctrl-C. Ask it:  {result.curl(scoring.rest_port)}")
        scoring.wait()


def _this_command() -> str:
    """How this program was started, so that the line can be pasted."""
    as_module = sys.argv[0].endswith("__main__.py")
    return f"{shlex.quote(sys.executable)} -m ranker" if as_module else shlex.quote(sys.argv[0])
