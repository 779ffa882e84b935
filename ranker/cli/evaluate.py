"""`ranker evaluate`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import yaml
from pydantic import BaseModel, ValidationError
from rich.console import Console

from ranker.cli.beam_arguments import paths_and_beam_options
from ranker.cli.beyond_tables import beyond_tables
from ranker.cli.discovery_tables import discovery_tables
from ranker.cli.terminal import TerminalProgress, gate_table, load_tensorflow, metric_table
from ranker.errors import RankerError

__all__ = ["command"]

_OF_SCORES = ("models", "candidate", "query_id", "document_id", "label", "text", "title", "drop", "runner", "temp")
_OF_BUNDLES = ("online",)
_PATH = click.Path(path_type=Path)


@click.command("evaluate", context_settings={"ignore_unknown_options": True})
@click.argument("given", nargs=-1, required=True, metavar="BUNDLE DATASET | SCORES")
@click.option("--out", type=_PATH, help="Folder for report.html, report.json and per_query.parquet.")
@click.option("--spec", type=_PATH, help="Take the sections evaluation and gate of this ranker.yaml.")
@click.option("--metric", "metrics", multiple=True, help="Such as ndcg@10; several times for several.")
@click.option("--baseline", help="The model that others are compared with.")
@click.option(
    "--slice", "slices", multiple=True, metavar="YAML", help="As in the spec: a name, [a, b], {length: [10]}."
)
@click.option(
    "--exposure", "exposures", multiple=True, metavar="YAML", help="Groups of documents: a name, {by: brand, k: 10}."
)
@click.option("--catalogue", type=int, help="Items that could be shown.  [default: documents of the lists]")
@click.option("--find-slices", is_flag=True, help="Look for slices where models are worst, by all columns or features.")
@click.option("--find-by", multiple=True, metavar="NAME", help="Look for slices by this column or feature only.")
@click.option("--cluster", help="What is resampled instead of queries, such as the user.")
@click.option("--confidence", type=float, help="Of intervals.  [default: 0.95]")
@click.option("--draws", type=int, help="Of the bootstrap.  [default: 1000]")
@click.option("--seed", type=int, help="Of the bootstrap.  [default: 0]")
@click.option("--min-lists", type=int, help="Slices with fewer are marked as small.  [default: 30]")
@click.option("--gate", multiple=True, metavar="YAML", help="A rule as in the spec: '{metric: ndcg@10, margin: 0.01}'.")
@click.option("--online", type=_PATH, help="BUNDLE that is served now; the gate compares with it.")
@click.option("--model", "models", multiple=True, help="SCORES: a column of scores.  [default: all of floating point]")
@click.option("--candidate", help="SCORES: the model that the gate is for.  [default: the last but the baseline]")
@click.option("--query-id", help="SCORES: name of the column.  [default: query_id]")
@click.option("--document-id", help="SCORES: name of the column.  [default: document_id]")
@click.option("--label", help="SCORES: name of the column.  [default: label]")
@click.option("--text", help="SCORES: column with the text of the query, for the report.")
@click.option("--title", help="SCORES: column with the title of the document, for the report.")
@click.option("--drop", is_flag=True, help="SCORES: leave out documents without a usable label or score.")
@click.option("--runner", help="SCORES: measure in Beam jobs on this runner, such as FlinkRunner or FnApiRunner.")
@click.option("--temp", type=_PATH, help="SCORES: where to spill; with --runner, a folder that all workers see.")
def command(given: Sequence[str], out: Path | None, spec: Path | None, **options: Any) -> None:
    """Measure rankings: of the members and the blend of BUNDLE on the test lists of DATASET, or of SCORES.

    SCORES is a table with a row for each query and document (Parquet, CSV, JSON lines or Arrow, or a folder of them):
    query_id, document_id, label, and a column of scores for each model. With a gate, in the spec or by --gate, the exit
    status is 0 for PASS, 1 for FAIL and 3 for INCONCLUSIVE. With --runner, options that are not listed here go to
    Apache Beam, as --flink_master=HOST:PORT.
    """
    measured, options["beam"] = paths_and_beam_options(given, options["runner"])
    if not 1 <= len(measured) <= 2:
        told = " (write options of Beam as --name=value: what follows --name is its value)" if options["beam"] else ""
        raise click.UsageError(f"expected BUNDLE and DATASET, or SCORES; got {len(measured)} paths{told}")
    if len(measured) == 2:
        _refuse_without_effect(options, _OF_SCORES)
        report = _bundle(measured[0], measured[1], out, spec, options)
    else:
        _refuse_without_effect(options, _OF_BUNDLES)
        report = _scores(measured[0], out, spec, options)
    console = Console(highlight=False)
    console.print(metric_table(report))
    for table in [*beyond_tables(report), *discovery_tables(report)]:
        console.print(table)
    for note in report["notes"]:
        click.echo(f"note: {note}")
    if report["gate"] is not None:
        console.print(gate_table(report["gate"]))
    if out is not None:
        from ranker.workflows.score_report import written

        click.echo("report: " + ", ".join(str(out / name) for name in written(out)))
    if report["gate"] is not None:
        from eval.gate import EXIT_STATUS

        click.get_current_context().exit(EXIT_STATUS[report["gate"]["decision"]])


def _bundle(bundle: Path, dataset: Path, out: Path | None, spec: Path | None, options: dict[str, Any]) -> Any:
    from ranker.data.artefacts import read_manifest
    from ranker.data.dataset import Dataset
    from ranker.spec import Spec

    prepared = Dataset(dataset)
    sections = _sections(spec, Spec.model_validate(read_manifest(bundle, "bundle")["spec"]), options)
    progress = TerminalProgress()
    with progress.stage("load TensorFlow"):
        load_tensorflow()
        from ranker.workflows.evaluate import evaluate
    return evaluate(bundle, prepared, progress, out, sections, options["online"])


def _scores(scores: Path, out: Path | None, spec: Path | None, options: dict[str, Any]) -> Any:
    from eval.changes import Texts
    from ranker.workflows.evaluation_job import Job
    from ranker.workflows.score_report import Running, evaluate_scores

    job = None if options["runner"] is None else Job((f"--runner={options['runner']}", *options["beam"]))
    return evaluate_scores(
        scores,
        TerminalProgress(),
        _sections(spec, None, options),
        out,
        models=options["models"] or None,
        candidate=options["candidate"],
        renamed={name: options[name] for name in ("query_id", "document_id", "label") if options[name]},
        texts=Texts(options["text"], options["title"]),
        unusable="drop" if options["drop"] else "error",
        running=Running(job, options["temp"]),
    )


def _sections(path: Path | None, of_bundle: Any, options: dict[str, Any]) -> Any:
    """The sections of the spec, changed by options."""
    from ranker.spec import Evaluation, GateRule, load_spec
    from ranker.workflows.score_report import Sections

    spec = of_bundle if path is None else load_spec(path)
    base = (Evaluation() if spec is None else spec.evaluation).model_dump()
    names = ("baseline", "cluster", "confidence", "draws", "seed", "min_lists", "catalogue")
    given = {name: options[name] for name in names if options[name] is not None}
    if options["metrics"]:
        given["metrics"] = list(options["metrics"])
    if options["slices"]:
        given["slices"] = [_yaml("--slice", text) for text in options["slices"]]
    if options["find_slices"] or options["find_by"]:
        given["find_slices"] = _search(base.get("find_slices"), options["find_by"])
    if options["exposures"]:
        given["exposure"] = [_yaml("--exposure", text) for text in options["exposures"]]
    evaluation = _section(Evaluation, base | given, "evaluation")
    gate = list(spec.gate) if spec is not None else []
    if options["gate"]:
        gate = [_section(GateRule, _yaml("--gate", text), f"--gate {text}") for text in options["gate"]]
    return Sections(evaluation, gate, None if path is None else path.resolve().parent)


def _search(of_spec: Any, features: Sequence[str]) -> dict[str, Any]:
    """The search of the spec, by other features where some are named."""
    return {"features": "all"} | (of_spec or {}) | ({"features": list(features)} if features else {})


def _section(kind: type[BaseModel], content: Any, where: str) -> Any:
    from ranker.spec.load import fault_in_words

    try:
        return kind.model_validate(content)
    except ValidationError as error:
        faults = (fault_in_words(kind, fault) for fault in error.errors())
        told = (f"{'.'.join([where, *map(str, location)])}: {what}" for location, what in faults)
        raise RankerError("\n".join(told)) from None


def _yaml(option: str, text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise RankerError(f"{option} {text}: not YAML: {error}") from None


def _refuse_without_effect(options: dict[str, Any], without: Sequence[str]) -> None:
    for name in without:
        if options[name]:
            option = "--" + {"models": "model"}.get(name, name).replace("_", "-")
            raise click.UsageError(f"{option} has no effect on {'SCORES' if name in _OF_BUNDLES else 'a bundle'}")
