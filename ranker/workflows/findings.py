"""What a look into a spec and its sources finds: files looked into, and faults, each at its place in the spec."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from ranker.data.files import is_remote, matching_files
from ranker.data.split import SPLITS
from ranker.errors import RankerError
from ranker.spec import Features, Spec, SplitFiles
from ranker.spec.load import Written
from ranker.spec.section import Location
from ranker.workflows.column_faults import FaultsOf, no_column
from ranker.workflows.head import Head, read_head

__all__ = ["ROWS", "Findings", "Seen"]

ROWS = 1000  # of each file


@dataclass(frozen=True)
class Seen:
    """A file that was looked into, `whole` if `rows` are all its rows."""

    role: str
    path: Path
    rows: int
    whole: bool


@dataclass
class Findings:
    """What is found on the way.

    Attributes:
        spec: the spec, as far as it is valid.
        written: tells where its parts stand.
        features: its features, if they are valid.
        faults: all that were found.
        files: that were looked into.
    """

    spec: Spec
    written: Written
    features: Features | None
    faults: list[str]
    files: list[Seen] = field(default_factory=list)

    def add(self, location: Location, what: str) -> None:
        """Add a fault, at its place in the spec."""
        self.faults.append(self.written.fault(location, what))

    def read(self, location: Location, role: str, named: str) -> Head | None:
        """The first rows of the (first) file that the spec names there; None, and a fault, if there are none."""
        try:
            paths = _files(self.spec.path(named))
            head = read_head(paths[0], ROWS)
        except RankerError as error:
            self.add(location, str(error))
            return None
        whole = head.whole and len(paths) == 1
        self.files.append(Seen(role, head.path, head.rows, whole))
        return replace(head, whole=whole)

    def read_each(self, location: Location, role: str, named: str | SplitFiles) -> list[Head]:
        """The first rows of a file, or of the files of the splits."""
        if isinstance(named, str):
            heads = [self.read(location, role, named)]
        else:
            files = [(split, getattr(named, split)) for split in SPLITS]
            heads = [self.read((*location, split), f"{role} ({split})", file) for split, file in files if file]
        return [head for head in heads if head]

    def column(self, location: Location, heads: Iterable[Head], name: str, faults_of: FaultsOf) -> None:
        """Add what `faults_of` finds in a column of some files."""
        for head in heads:
            if name not in head.columns:
                self.add(location, f"{head.path}: {no_column(head, name)}")
                continue
            for row, what in faults_of(head, head.columns[name]):
                self.add(location, f"{head.path}:{head.line(row)}: column {name!r}: {what}")

    def column_of(self, what: str, heads: list[Head], others: list[Head], faults_of: FaultsOf) -> None:
        """Add what `faults_of` finds in the column that the spec names as data.`what`; it may be of other files."""
        name = getattr(self.spec.data, what)
        if name is None:
            return
        if heads and others and not any(name in head.columns for head in (*heads, *others)):
            told = "; ".join(f"{head.path}: {no_column(head, name)}" for head in (*heads, *others))
            self.add(("data", what), f"in neither table: {told}")
            return
        if not any(name in head.columns for head in heads):
            heads = [head for head in others if name in head.columns] or heads
        self.column(("data", what), heads, name, faults_of)


def _files(path: Path) -> list[Path]:
    """The file, or those that match a pattern."""
    if is_remote(path) or any(mark in str(path) for mark in "*?["):
        return matching_files(path)
    return [path]  # `read_head` tells more of one that is missing
