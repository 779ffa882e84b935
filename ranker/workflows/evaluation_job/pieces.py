"""Pieces of files of scores that workers read apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from eval.score_files import ScoreFile
from eval.score_parts import Columns
from eval.score_rows import plain_schema

__all__ = ["Piece", "pieces_of", "rows_about", "schema_of"]

_ROWS = 1 << 20  # of a piece, where row groups are smaller
_BYTES = 40  # of a row of text; gzip makes a fifth of them


@dataclass(frozen=True)
class Piece:
    """A part of a file; pieces by their numbers have the rows in their order.

    Attributes:
        number: from 0.
        file: where it is.
        groups: numbers of its row groups; None: the whole file.
    """

    number: int
    file: Path
    groups: tuple[int, ...] | None


def pieces_of(scores: ScoreFile, columns: Columns) -> list[Piece]:
    """All pieces: row groups together up to a million rows, and files that have none.

    Raises:
        ValueError: a file cannot be read, or has not the columns; it is named.
    """
    found: list[Piece] = []
    scores.check(columns)
    for file in scores.files:
        rows = scores.groups(file)
        for groups in _together(rows) if rows else [None]:
            found.append(Piece(len(found), file, groups))
    return found


def schema_of(scores: ScoreFile, columns: Columns, numbers: Sequence[str]) -> pa.Schema:
    """Types of the columns that are kept, by the first rows.

    Raises:
        ValueError: no file has a row.
    """
    for file in scores.files:
        for batch in scores.batches(columns, numbers, file):
            if batch.num_rows:
                return plain_schema(batch.schema, columns.named)
    raise ValueError("score table: expected at least one row, got none; check the split or filter that made it")


def rows_about(scores: ScoreFile) -> int:
    """The number of rows, from the size of files where only reading them would tell."""
    rows = scores.rows()
    if rows is not None:
        return rows
    return sum(file.stat().st_size * (5 if file.suffix == ".gz" else 1) for file in scores.files) // _BYTES


def _together(rows: Sequence[int]) -> list[tuple[int, ...]]:
    """Row groups that make a piece together, by the rows in each."""
    found: list[tuple[int, ...]] = []
    held: list[int] = []
    inside = 0
    for number, count in enumerate(rows):
        if held and inside + count > _ROWS:
            found.append(tuple(held))
            held, inside = [], 0
        held.append(number)
        inside += count
    return [*found, tuple(held)]
