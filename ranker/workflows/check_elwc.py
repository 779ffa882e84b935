"""`ranker check` of ELWC files: their first records, by the connector's own rules."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ranker.data.data_error import DataError
from ranker.data.elwc.head import ElwcHead
from ranker.data.elwc.inputs import elwc_inputs, feature_faults, with_found_columns
from ranker.data.elwc.lists import ElwcLists, Fault, Records
from ranker.data.elwc.tf_records import read_records
from ranker.data.files import matching_files
from ranker.data.split import SPLITS
from ranker.errors import RankerError
from ranker.spec import ElwcSource
from ranker.spec.section import Location
from ranker.workflows.findings import ROWS, Findings, Seen

__all__ = ["check_elwc"]


def check_elwc(findings: Findings, place: int, source: ElwcSource) -> None:
    """Look into the first records of the first file of each split.

    Args:
        findings: takes the faults.
        place: of the source in the spec.
        source: names the files.
    """
    for split in SPLITS:
        named = getattr(source, split)
        if named is None:
            continue
        at: Location = ("data", "sources", place, split)
        try:
            paths = matching_files(findings.spec.path(named))
            records, whole = _first_records(paths[0])
        except RankerError as error:
            findings.add(at, str(error))
            continue
        findings.files.append(Seen(split, paths[0], sum(records.counts.tolist()), whole and len(paths) == 1))
        _look(findings, at, paths[0], records)


def _first_records(path: Path) -> tuple[Records, bool]:
    """The first records, one at least, with about `ROWS` documents; and whether they are all of the file."""
    taken: list[tuple[int, bytes]] = []
    documents = 0
    stream = read_records(path)
    for numbered in stream:
        taken.append(numbered)
        documents += len(Records.of([numbered]).examples)
        if documents >= ROWS or len(taken) == ROWS:
            break
    records = Records.of(taken)
    return records, not any(True for _ in itertools.islice(stream, 1))


def _look(findings: Findings, at: Location, path: Path, records: Records) -> None:
    if not records.examples:
        findings.add(at, f"{path}: no record with examples; expected ExampleListWithContext records")
        _add_faults(findings, at, path, records.faults)
        return
    if findings.features is None:
        return
    head = ElwcHead()
    head.add(records.contexts, records.examples)
    try:
        spec = with_found_columns(findings.spec, head)
    except DataError as error:
        findings.add(at, f"{path}: {error}")
        return
    faults = list(feature_faults(spec, head))
    for fault in faults:
        findings.add(at, f"{path}: {fault}")
    if not faults:
        timed = spec.data.split.by == "time" and spec.data.split_files is None
        lists = ElwcLists(records, elwc_inputs(spec), path.name, timed=timed)
        _add_faults(findings, at, path, list(lists.faults()))


def _add_faults(findings: Findings, at: Location, path: Path, faults: Sequence[Fault]) -> None:
    """The first of each reason, and how many there are."""
    counts = Counter(fault.reason for fault in faults)
    first = {fault.reason: fault for fault in reversed(faults)}
    for reason, count in counts.items():
        fault = first[reason]
        text = fault.text if fault.text.isprintable() else ascii(fault.text)
        more = f"; {count:,} are like this" if count > 1 else ""
        findings.add(at, f"{path}:{fault.record}: {reason}: {text:.60}{more}")
