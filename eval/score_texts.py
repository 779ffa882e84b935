"""Values of a score table that come as text: numbers and flags, and errors that say where a text is neither."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["Place", "flags_of", "numbers_of_texts"]

_NUMBER: Final = r"^([-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?|[-+]?(?i:nan|inf|infinity))$"
_FLAGS: Final[Mapping[str, bool]] = {"true": True, "false": False, "1": True, "0": False}


@dataclass(frozen=True, eq=False)
class Place:
    """Where rows stand.

    Args:
        path: of the file.
        first: the number of the first row in the file, from 1, without a header and empty lines.
        query_ids: of the rows.
        document_ids: of the rows.
    """

    path: Path
    first: int
    query_ids: pa.Array
    document_ids: pa.Array

    def told(self, row: int) -> str:
        """A row in words."""
        query, document = self.query_ids[row].as_py(), self.document_ids[row].as_py()
        return f"row {self.first + row}, query {query!r}, document {document!r}"


def numbers_of_texts(
    name: str, texts: pa.Array, place: Place, *, drop: bool = False, mend: str = "mend or drop them"
) -> pa.Array:
    """Texts as float64; an empty one is null, missing.

    Args:
        name: of the column.
        texts: string [rows].
        place: of the rows.
        drop: what is no number becomes NaN, for the rows to be left out later; else it is an error.
        mend: how to, for the error.

    Raises:
        ValueError: naming the first text that is no number.
    """
    trimmed = pc.utf8_trim_whitespace(texts)
    there = pc.if_else(pc.equal(trimmed, ""), None, trimmed)
    numeric = pc.match_substring_regex(there, _NUMBER)
    if drop:
        there = pc.if_else(numeric, there, "nan")  # null where it is null
    else:
        _refuse(name, "a number", texts, pc.invert(numeric), place, mend)
    return pc.cast(there, pa.float64())


def flags_of(name: str, texts: pa.Array, place: Place) -> pa.Array:
    """Texts `true`, `false`, `1` and `0` as bool; an empty one is null.

    Raises:
        ValueError: naming the first other text.
    """
    there = pc.if_else(pc.equal(texts, ""), None, texts)
    places = pc.index_in(pc.utf8_lower(there), pa.array(list(_FLAGS)))
    wrong = pc.and_(there.is_valid(), places.is_null())
    _refuse(name, "true or false", texts, wrong, place, "mend them")
    return pa.array(list(_FLAGS.values())).take(places)


def _refuse(name: str, expected: str, texts: pa.Array, wrong: pa.Array, place: Place, mend: str) -> None:
    """Refuse a text; `wrong` bool [rows], null: it is not."""
    rows = np.flatnonzero(wrong.fill_null(False).to_numpy(zero_copy_only=False))
    if rows.size:
        row = int(rows[0])
        raise ValueError(
            f"{place.path}, column {name!r}: expected {expected}, got {texts[row].as_py()!r:.60} in {place.told(row)}"
            f" ({rows.size} such rows or more); {mend}"
        )
