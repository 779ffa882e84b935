"""`ranker check`: what is wrong with a spec and the first rows of its sources, all at once and before any work."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from glob import glob
from pathlib import Path
from typing import Any

from eval.metrics import parse_metric
from ranker.data.columns import Column, raw_columns
from ranker.data.letor import read_letor, scan_letor
from ranker.errors import RankerError
from ranker.spec import LetorSource, Spec, TableSource, TablesSource
from ranker.spec.load import Written, read_spec
from ranker.workflows.head import Head, read_head

__all__ = ["ROWS", "CheckError", "Checked", "Seen", "check"]

ROWS = 1000  # of each file
_LETOR_BYTES = 1 << 20


class CheckError(RankerError):
    """The spec or the first rows of its sources cannot be used; the message lists every fault."""


@dataclass(frozen=True)
class Seen:
    """A file that was looked into, `whole` if `rows` are all its rows."""

    role: str
    path: Path
    rows: int
    whole: bool


@dataclass(frozen=True)
class Checked:
    """A spec without faults, and the files that were looked into."""

    spec: Spec
    files: list[Seen]


@dataclass
class _Findings:
    """What is found on the way: files, and faults."""

    spec: Spec
    written: Written
    columns: list[Column]
    faults: list[str]
    files: list[Seen] = field(default_factory=list)

    def read(self, source: int, role: str) -> Head | None:
        """The first rows of the (first) file that a source names for a role; None, and a fault, if there are none."""
        named = getattr(self.spec.data.sources[source], role)
        try:
            paths = _files(self.spec.path(named))
            head = read_head(paths[0], ROWS)
        except RankerError as error:
            self.faults.append(self.written.fault(("data", "sources", source, role), str(error)))
            return None
        self.files.append(Seen(role, head.path, head.rows, head.whole and len(paths) == 1))
        return replace(head, whole=head.whole and len(paths) == 1)

    def column(self, head: Head, name: str, faults_of: Callable[[Head, list[Any]], Iterator[str]]) -> None:
        """Add what `faults_of` finds in a column."""
        if name not in head.columns:
            self.faults.append(f"{head.path}: {_no_column(head, name)}")
        else:
            self.faults += [f"{head.path}: column {name!r}: {what}" for what in faults_of(head, head.columns[name])]


def check(path: Path, overrides: Sequence[str] = ()) -> Checked:
    """Validate a spec and the first rows of its sources.

    A section with a fault of its own is passed over in what follows: files are looked into if `data` is valid, and
    their feature columns if `features` is.

    Args:
        path: the YAML file.
        overrides: `a.b=value` each.

    Raises:
        CheckError: with all faults.
    """
    spec, faults, written = read_spec(path, overrides)
    valid = spec.model_fields_set
    columns = raw_columns(spec) if {"data", "features"} <= valid else []
    findings = _Findings(spec, written, columns, list(faults))
    for place, text in enumerate(spec.evaluation.metrics):
        try:
            parse_metric(text)
        except ValueError as error:
            findings.faults.append(written.fault(("evaluation", "metrics", place), str(error)))
    if "data" in valid:
        for place, source in enumerate(spec.data.sources):
            _SOURCES[source.kind](findings, place, source)
    if findings.faults:
        raise CheckError("\n".join(findings.faults))
    return Checked(spec, findings.files)


def _files(path: Path) -> list[Path]:
    """The file, or those that match a pattern."""
    if path.exists() or not any(mark in str(path) for mark in "*?["):
        return [path]
    if not (found := sorted(map(Path, glob(str(path))))):  # noqa: PTH207 - the pattern may start at the root
        raise RankerError(f"{path}: no file matches")
    return found


# --- sources --------------------------------------------------------------------------------------------------------


def _check_tables(findings: _Findings, place: int, _: TablesSource) -> None:
    data = findings.spec.data
    heads = {role: findings.read(place, role) for role in ("queries", "documents", "judgments")}
    for role, scope, key in (("queries", "query", data.query_id), ("documents", "document", data.document_id)):
        if head := heads[role]:
            findings.column(head, key, _id_faults)
            for column in findings.columns:
                if column.scope == scope:
                    findings.column(head, column.name, _value_faults(column))
    if judgments := heads["judgments"]:
        findings.column(judgments, data.query_id, _id_faults)
        findings.column(judgments, data.document_id, _id_faults)
        findings.column(judgments, data.label, _label_faults)
        for role, key in (("queries", data.query_id), ("documents", data.document_id)):
            if head := heads[role]:
                findings.faults += _join_faults(judgments, head, key)


def _check_table(findings: _Findings, place: int, _: TableSource) -> None:
    data = findings.spec.data
    if head := findings.read(place, "file"):
        findings.column(head, data.query_id, _id_faults)
        findings.column(head, data.document_id, _id_faults)
        findings.column(head, data.label, _label_faults)
        for column in findings.columns:
            findings.column(head, column.name, _value_faults(column))


def _check_letor(findings: _Findings, _: int, source: LetorSource) -> None:
    for role in ("train", "valid", "test"):
        named = getattr(source, role)
        if named is None:
            continue
        try:
            path = findings.spec.path(named)
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
            findings.faults.append(str(error))
            continue
        findings.files.append(Seen(role, path, len(block.labels), False))
        findings.faults += [
            f"{path}:{row.line}: {row.reason}: {row.text:.60}"
            for row in rejected
            if row.reason != "feature index out of range"  # larger ones may come after the part that was scanned
        ]


_SOURCES: dict[str, Callable[[_Findings, int, Any], None]] = {
    "letor": _check_letor,
    "table": _check_table,
    "tables": _check_tables,
}


# --- columns --------------------------------------------------------------------------------------------------------


def _no_column(head: Head, name: str) -> str:
    near = difflib.get_close_matches(name, head.columns, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    [only, *more] = head.columns
    split = [mark for mark in (";", "\t", "|") if mark in only]
    if split and not more and not head.typed:
        hint = f"; its values seem to be separated by {split[0]!r}, expected commas"
    seen = "" if head.whole else f" in the first {head.rows:,} rows"
    return f"no column {name!r}{seen}; there are {', '.join(map(repr, head.columns))}{hint}"


def _value_faults(column: Column) -> Callable[[Head, list[Any]], Iterator[str]]:
    """What the values of a feature may be; vectors are left to the connector."""
    checks = {"float32": _number_faults, "string": _text_faults}
    return _no_faults if column.width is not None else checks.get(column.dtype, _no_faults)


def _no_faults(_: Head, __: list[Any]) -> Iterator[str]:
    yield from ()


def _number_faults(head: Head, values: list[Any]) -> Iterator[str]:
    def is_number(value: Any) -> bool:
        try:
            return not math.isinf(head.number(value))
        except ValueError:
            return False

    yield from _faults(values, is_number, "a finite number")


def _text_faults(_: Head, values: list[Any]) -> Iterator[str]:
    yield from _faults(values, lambda value: not isinstance(value, list | dict), "text")


def _id_faults(head: Head, values: list[Any]) -> Iterator[str]:
    yield from _faults(values, lambda value: value is not None and value != "", "an id")
    yield from _text_faults(head, values)


def _label_faults(head: Head, values: list[Any]) -> Iterator[str]:
    def is_label(value: Any) -> bool:
        try:
            return 0 <= head.number(value) < math.inf
        except ValueError:
            return False

    yield from _faults(values, is_label, "a number >= 0")


def _faults(values: list[Any], good: Callable[[Any], bool], expected: str) -> Iterator[str]:
    bad = [row for row, value in enumerate(values, start=1) if not good(value)]
    if bad:
        got = "nothing" if (first := values[bad[0] - 1]) in (None, "") else f"{first!r:.60}"
        yield f"expected {expected}, got {got} in row {bad[0]}; {len(bad):,} of {len(values):,} rows are like this"


def _join_faults(judgments: Head, keyed: Head, key: str) -> Iterator[str]:
    """Judgments may name a few rows that are not there, but if none is there the wrong columns or files are named."""
    if not keyed.whole or key not in keyed.columns or key not in judgments.columns:
        return
    if not {str(value) for value in judgments.columns[key]} & {str(value) for value in keyed.columns[key]}:
        example = judgments.columns[key][0]
        yield f"{judgments.path}: column {key!r}: none of its values is in {keyed.path}; e.g. {example!r}"
