"""`ranker measure`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ranker.data.artefacts import write_json

if TYPE_CHECKING:
    from ranker.workflows.measure import Measured, MeasuredRun

__all__ = ["command"]

_FILE = click.Path(path_type=Path)


@click.command("measure")
@click.argument("qrels", type=_FILE)
@click.argument("runs", type=_FILE, nargs=-1, required=True, metavar="RUN...")
@click.option("-m", "--metrics", help="Such as ndcg@10,map,mrr@10,p@5(relevant=2); default: a choice of common ones.")
@click.option("-q", "--per-query", is_flag=True, help="Also show each query.")
@click.option(
    "--json",
    "report",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help="Write JSON; - is stdout.",
)
@click.option(
    "--contract",
    type=click.Choice(["default", "trec_eval"]),
    default="default",
    help="trec_eval: its figures, and its names of metrics, such as ndcg_cut_10,recip_rank,P_5.",
)
@click.option("-c", "--complete", is_flag=True, help="With trec_eval's contract: queries that a run lacks count as 0.")
@click.option("--baseline", metavar="RUN", help="Compare the other runs with this one.")
def command(
    qrels: Path,
    runs: Sequence[Path],
    metrics: str | None,
    per_query: bool,
    report: Path | None,
    contract: str,
    complete: bool,
    baseline: str | None,
) -> None:
    """Measure each RUN against the judgements in QRELS, all in the formats of TREC, gzipped or not.

    The table is that of trec_eval, with a column for each run. Lines with # below it say how the figures were made:
    which choices, how many queries have no relevant document or are missing from a run, how many documents are judged
    and how many lists have ties.
    """
    from ranker.workflows.measure import measure

    given = None if contract == "default" else contract
    found = measure(qrels, list(runs), metrics, given, complete=complete, baseline=baseline)
    if report is not None and str(report) == "-":
        click.echo(json.dumps(found.to_json(per_query=per_query), indent=2, ensure_ascii=False))
        return
    if report is not None:
        write_json(report, found.to_json(per_query=per_query))
    lines = [*_table(found, per_query=per_query), *(f"# {line}" for line in _remarks(found))]
    click.echo("\n".join(lines))


def _table(found: Measured, *, per_query: bool) -> Iterator[str]:
    """`name, query or all, figure of each run`, with tabs between."""
    yield _line("runid", "all", [run.name for run in found.runs])
    yield _line("num_q", "all", [str(run.counted) for run in found.runs])
    for number, query in enumerate(found.query_ids) if per_query else ():
        for name in found.metrics:
            values = [float(run.values[name][number]) for run in found.runs]
            if any(value == value for value in values):
                yield _line(name, query, map(_figure, values))
    for name in found.metrics:
        yield _line(name, "all", [_figure(run.figures[name]["mean"]) for run in found.runs])


def _line(name: str, query: str, cells: Any) -> str:
    return "\t".join([f"{name:<22}", query, *cells])


def _figure(value: float | None, form: str = "6.4f") -> str:
    return "-" if value is None or value != value else format(value, form)


def _remarks(found: Measured) -> Iterator[str]:
    judged = len(found.query_ids)
    yield f"{_count(judged, 'judged query', 'judged queries')}, {found.empty} without a relevant document"
    yield from found.notes
    for run in found.runs:
        counted = "" if run.counted == judged else " and left out"
        missing = f"{_count(run.missing, 'query', 'queries')} missing{counted}"
        yield f"{run.name}: {missing}, {run.ignored} not judged and ignored"
        yield from (f"{run.name}: {text}" for text in _by_cutoff(found, run))
    for run in found.runs:
        for name, figures in run.figures.items():
            if "delta" in figures:
                yield f"{name}: {run.name} - {_delta(figures['delta'], len(found.runs) - 1)}"
    contracts: dict[str, list[str]] = {}
    for name, figures in found.runs[0].figures.items():
        choices = ", ".join(f"{option} {value}" for option, value in figures["contract"].items())
        contracts.setdefault(choices, []).append(name)
    yield from (f"contract of {', '.join(names)}: {choices}" for choices, names in contracts.items())


def _by_cutoff(found: Measured, run: MeasuredRun) -> Iterator[str]:
    """Once for each cutoff: what is the same for all metrics that have it."""
    cutoffs = {metric.k: name for name, metric in found.metrics.items()}
    for k, name in sorted(cutoffs.items(), key=lambda item: item[0] or 0):
        figures = run.figures[name]
        share = "-" if figures["judged"] is None else f"{figures['judged']:.4f}"
        tied = _count(figures["tied"], "list", "lists")
        yield f"judged{f'@{k}' if k else ''} {share}, {tied} with ties{f' in the first {k}' if k else ''}"


def _delta(delta: dict[str, Any], others: int) -> str:
    if delta["low"] is None:
        return f"{delta['baseline']}: too few queries to compare"
    tests = {"t-test": "p_t", "randomisation": "p_randomisation"}
    if others > 1:
        tests[f"MaxT over {others} runs"] = "p_adjusted"
    said = [f"{_figure(delta[key], '.2g')} ({name})" for name, key in tests.items()]
    return (
        f"{delta['baseline']} = {delta['mean']:+.4f} [{delta['low']:+.4f}, {delta['high']:+.4f}] (95%),"
        f" p {', '.join(said)},"
        f" d_z {_figure(delta['effect'], '.2f')}, detectable {_figure(delta['detectable'])},"
        f" {_count(delta['lists'], 'query', 'queries')}"
    )


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
