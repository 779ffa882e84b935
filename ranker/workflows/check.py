"""`ranker check`: what is wrong with a spec and the first rows of its sources, all at once and before any work."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.metrics import parse_metric
from ranker.data.files import matching_files
from ranker.data.letor.blocks import read_letor, scan_letor
from ranker.data.split import SPLITS
from ranker.errors import RankerError
from ranker.spec import ClicksSource, LetorSource, Spec, TableCandidates, TableSource, TablesSource
from ranker.spec.load import read_spec
from ranker.workflows.check_elwc import check_elwc
from ranker.workflows.column_faults import (
    FaultsOf,
    click_faults,
    date_faults,
    feature_faults,
    id_faults,
    impression_position_faults,
    join_faults,
    label_faults,
    number_faults,
    position_faults,
    text_faults,
    weight_faults,
)
from ranker.workflows.findings import ROWS, Findings, Seen
from ranker.workflows.head import Head
from ranker.workflows.slice_code import load_slice_code

__all__ = ["ROWS", "CheckError", "Checked", "Seen", "check"]

_LETOR_BYTES = 1 << 20


class CheckError(RankerError):
    """The spec or the first rows of its sources cannot be used; the message lists every fault."""


@dataclass(frozen=True)
class Checked:
    """A spec without faults, and the files that were looked into."""

    spec: Spec
    files: list[Seen]


def check(path: Path, overrides: Sequence[str] = (), before_tensorflow: Callable[[], object] = lambda: None) -> Checked:
    """Validate a spec and the first rows of its sources.

    A section with a fault of its own is passed over in what follows: files are looked into if `data` is valid, and
    their feature columns if `features` is. Models and functions of computed features are loaded.

    Args:
        path: the YAML file.
        overrides: `a.b=value` each.
        before_tensorflow: called before TensorFlow is imported, which only computed features need.

    Raises:
        CheckError: with all faults.
    """
    spec, faults, written = read_spec(path, overrides)
    valid = spec.model_fields_set
    findings = Findings(spec, written, spec.features if "features" in valid else None, list(faults))
    for place, text in enumerate(spec.evaluation.metrics):
        try:
            parse_metric(text)
        except ValueError as error:
            findings.faults.append(written.fault(("evaluation", "metrics", place), str(error)))
    if "data" in valid:
        for place, source in enumerate(spec.data.sources):
            _SOURCES[source.kind](findings, place, source)
    if {"data", "features"} <= valid and spec.features.computed:
        before_tensorflow()
        from features.computed import faults_of_computed

        findings.faults += [written.fault(where, what) for where, what in faults_of_computed(spec)]
    if "evaluation" in valid and any(one.code for one in spec.evaluation.groupings):
        try:
            load_slice_code(spec.evaluation.groupings, path.resolve().parent)
        except RankerError as error:
            findings.faults.append(written.fault(("evaluation", "slices"), str(error)))
    if findings.faults:
        raise CheckError("\n".join(findings.faults))
    return Checked(spec, findings.files)


# --- sources --------------------------------------------------------------------------------------------------------


def _check_tables(findings: Findings, place: int, source: TablesSource) -> None:
    data, at = findings.spec.data, ("data", "sources", place)
    queries = findings.read_each((*at, "queries"), "queries", source.queries)
    documents = findings.read_each((*at, "documents"), "documents", source.documents)
    judgments = findings.read_each((*at, "judgments"), "judgments", source.judgments)
    candidates = []
    if isinstance(data.candidates, TableCandidates):
        candidates = findings.read_each(("data", "candidates", "file"), "candidates", data.candidates.file)
    paired = [*judgments, *candidates]
    findings.column(("data", "query_id"), [*queries, *paired], data.query_id, id_faults)
    findings.column(("data", "document_id"), [*documents, *paired], data.document_id, id_faults)
    findings.column(("data", "label"), judgments, data.label, label_faults)
    findings.column_of("weight", judgments, queries, weight_faults)
    findings.column_of("position", judgments, [], position_faults)
    findings.column_of("timestamp", judgments, queries, date_faults)
    of_pairs = candidates if isinstance(data.candidates, TableCandidates) else judgments
    _check_features(findings, {"query": queries, "document": documents, "pair": of_pairs})
    _check_joins(findings, paired, {"query_id": queries, "document_id": documents})


def _check_table(findings: Findings, place: int, source: TableSource) -> None:
    data = findings.spec.data
    heads = findings.read_each(("data", "sources", place, "file"), "file", source.file)
    findings.column(("data", "query_id"), heads, data.query_id, id_faults)
    findings.column(("data", "document_id"), heads, data.document_id, id_faults)
    findings.column(("data", "label"), heads, data.label, label_faults)
    findings.column_of("weight", heads, [], weight_faults)
    findings.column_of("position", heads, [], position_faults)
    findings.column_of("timestamp", heads, [], date_faults)
    _check_features(findings, {"query": heads, "document": heads})


def _check_clicks(findings: Findings, place: int, source: ClicksSource) -> None:
    data, at = findings.spec.data, ("data", "sources", place)
    queries = findings.read_each((*at, "queries"), "queries", source.queries)
    documents = findings.read_each((*at, "documents"), "documents", source.documents)
    shown = findings.read_each((*at, "impressions"), "impressions", source.impressions)
    findings.column(("data", "query_id"), [*queries, *shown], data.query_id, id_faults)
    findings.column(("data", "document_id"), [*documents, *shown], data.document_id, id_faults)
    columns: dict[str, FaultsOf] = {"impression_id": id_faults, "position": impression_position_faults}
    columns |= {"clicked": click_faults, "timestamp": date_faults, "experiment": text_faults}
    for what, faults_of in columns.items():
        if (name := getattr(source, what)) is not None:
            findings.column((*at, what), shown, name, faults_of)
    for number, name in enumerate(source.propensity.features):
        findings.column((*at, "propensity", "features", number), shown, name, number_faults)
    _check_features(findings, {"query": queries, "document": documents, "pair": shown})
    _check_joins(findings, shown, {"query_id": queries, "document_id": documents})


def _check_joins(findings: Findings, pairs: list[Head], keyed: dict[str, list[Head]]) -> None:
    """The ids of pairs have to be those of the queries and documents."""
    for what, heads in keyed.items():
        key = getattr(findings.spec.data, what)
        for head, other in itertools.product(pairs, heads):
            for row, fault in join_faults(head, other, key):
                findings.add(("data", what), f"{head.path}:{head.line(row)}: column {key!r}: {fault}")


def _check_features(findings: Findings, heads: dict[str, list[Head]]) -> None:
    """The columns that features read, by the side that has them."""
    if findings.features is None:
        return
    for side, of_side in heads.items():
        for place, feature in enumerate(getattr(findings.features, side)):
            findings.column(("features", side, place), of_side, feature.name, feature_faults(feature))


def _check_letor(findings: Findings, place: int, source: LetorSource) -> None:
    for role in SPLITS:
        at, named = ("data", "sources", place, role), getattr(source, role)
        if named is None:
            continue
        try:
            path = matching_files(findings.spec.path(named))[0]
            scan = scan_letor(path, _LETOR_BYTES)
            if not scan.features:
                raise RankerError(f"{path}: no valid `label qid:n index:value ...` line with a feature at its start")
            blocks = read_letor(
                path,
                features=scan.features,
                base=scan.base,
                documents_per_block=ROWS,
                missing_nan=source.missing == "nan",
            )
            block, rejected = next(blocks)
        except RankerError as error:
            findings.add(at, str(error))
            continue
        findings.files.append(Seen(role, path, len(block.labels), False))
        for row in rejected:
            if row.reason != "feature index out of range":  # larger ones may come after the part that was scanned
                findings.add(at, f"{path}:{row.line}: {row.reason}: {row.text:.60}")


_SOURCES: dict[str, Callable[[Findings, int, Any], None]] = {
    "clicks": _check_clicks,
    "elwc": check_elwc,
    "letor": _check_letor,
    "table": _check_table,
    "tables": _check_tables,
}
