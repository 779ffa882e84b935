"""Lines of fields with blanks between, as columns: a quick way for plain blocks, and one for all that trec_eval reads.

trec_eval's blanks are those of C: other characters, such as a no-break space, belong to a field.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv

__all__ = ["Form", "parse_block"]

_NUMBERS: Final = ("label", "score")
_NUMBER: Final = re.compile(r"[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf(inity)?|nan)", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class Form:
    """What a line holds.

    Args:
        words: the same for an error message.
        fields: the column that each field becomes; None: it means nothing.
        more: whether fields may follow, which mean nothing.
    """

    words: str
    fields: tuple[str | None, ...]
    more: bool = False


def parse_block(path: Path, block: bytes, first: int, form: Form) -> tuple[pa.Table, int]:
    """The columns of some lines of a file.

    Args:
        path: of the file, for messages.
        block: whole lines, in UTF-8.
        first: number of the first of them.
        form: of each line that is not empty and does not begin with `#`.

    Returns:
        string columns, `label` and `score` float64, and `line` int64; and the number of lines.

    Raises:
        ValueError: a line has another form; it is named by file and line.
    """
    plain = _plain(block, form)
    if plain is not None:
        numbers = np.arange(first, first + plain.num_rows)
        return plain.append_column("line", pa.array(numbers)), plain.num_rows
    try:
        lines = block.decode().removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        line = first + block.count(b"\n", 0, error.start)
        raise ValueError(f"{path}:{line}: not UTF-8 text: {error.reason}") from None
    return _any(path, pa.array(lines, pa.string()), first, form), len(lines)


def _plain(block: bytes, form: Form) -> pa.Table | None:
    """The columns of a block with one and the same blank between all fields; None for other blocks, also for faults."""
    blank, other = (b"\t", b" ") if b"\t" in block[: block.find(b"\n")] else (b" ", b"\t")
    marks = (other, b"\r", b"\v", b"\f", blank + blank, blank + b"\n", b"\n" + blank, b"\n\n", b"\n#")
    if block.startswith((blank, b"\n", b"#")) or any(mark in block for mark in marks):
        return None
    names = [name or f"_{place}" for place, name in enumerate(form.fields)]
    columns = [name for name in form.fields if name]
    types = {name: pa.float64() if name in _NUMBERS else pa.string() for name in columns}
    try:
        return csv.read_csv(
            pa.BufferReader(block),
            csv.ReadOptions(column_names=names),
            csv.ParseOptions(delimiter=blank.decode(), quote_char=False),
            csv.ConvertOptions(column_types=types, include_columns=columns, null_values=[], strings_can_be_null=False),
        )
    except pa.ArrowInvalid:
        return None


def _any(path: Path, lines: pa.StringArray, first: int, form: Form) -> pa.Table:
    trimmed = pc.ascii_trim_whitespace(lines)
    ignored = pc.or_(pc.equal(trimmed, ""), pc.starts_with(trimmed, "#"))
    there = np.flatnonzero(~ignored.to_numpy(zero_copy_only=False))
    words = pc.ascii_split_whitespace(trimmed)
    counts, wanted = pc.list_value_length(words).to_numpy(zero_copy_only=False)[there], len(form.fields)
    if (wrong := np.flatnonzero((counts < wanted) if form.more else (counts != wanted))).size:
        at = int(there[wrong[0]])
        raise ValueError(
            f"{path}:{first + at}: expected {wanted} fields {form.words!r}, got {lines[at].as_py().strip()!r:.120}"
        )
    starts, flat, numbers = words.offsets.to_numpy()[there], words.values, first + there
    columns: dict[str, pa.Array] = {}
    for place, name in enumerate(form.fields):
        if name is not None:
            texts = flat.take(pa.array(starts + place))
            columns[name] = _as_numbers(path, texts, numbers, name) if name in _NUMBERS else texts
    return pa.table(columns | {"line": pa.array(numbers)})


def _as_numbers(path: Path, texts: pa.StringArray, lines: NDArray[np.int64], name: str) -> pa.Array:
    try:
        return pc.cast(texts, pa.float64())
    except pa.ArrowInvalid:
        for text, line in zip(texts.to_pylist(), lines.tolist(), strict=True):
            if not _NUMBER.fullmatch(text):
                raise ValueError(f"{path}:{line}: {name}: expected a number, got {text!r:.60}") from None
        raise
