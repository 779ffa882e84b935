"""The text of LETOR files: what a line means, when it is valid, and how many are read at once.

A line is read in one of two ways. Whole blocks of text are split and converted by numpy and Arrow, which takes every
line of the plain form. The lines left over are read one by one by `_parse_line`, which is what decides whether a line
is valid and says why it is not. Both give the same numbers: the float64 nearest to the text, cast to float32.
"""

from __future__ import annotations

import codecs
import math
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ranker.data.files import open_unpacked
from ranker.data.letor.spans import WHOLE, Span
from ranker.errors import RankerError

__all__ = [
    "INDEX_LIMIT",
    "ROWS",
    "Parsed",
    "Reason",
    "Rejected",
    "Rules",
    "has_queries",
    "joined",
    "parse",
    "raw_blocks",
    "text_blocks",
    "valid_text",
]

Reason = Literal[
    "unparsable line",
    "no qid",
    "unexpected qid",
    "NaN label",
    "infinite label",
    "negative label",
    "feature index out of range",
    "repeated feature index",
    "NaN feature",
    "infinite feature",
]

INDEX_LIMIT = 1_000_000  # feature indices are smaller: a larger one is a fault of the file, not a feature

_BLOCK = 2 << 20  # bytes of text converted at once: what fits the processor's cache is fastest
_LONGEST_LINE = 256 << 20  # bytes; Arrow's offsets end at 2 GiB
_LONGEST_REJECTED = 1000  # characters

_INFINITE = 2.0**128 - 2.0**103  # the least float64 that is infinite as float32
_SPACE = bytes(byte in b" \t\n\r\v\f" for byte in range(256))  # what bytes.split() splits on
_DOCUMENT_ID = r"(?i)\bdocid\s*=\s*(?P<id>\S+)"
_NUMBER = re.compile(rb"(?i)[-+]?((\d+\.?\d*|\.\d+)(e[-+]?\d+)?|nan|inf(inity)?)")  # without C's 0x1p3 and nan(1)
_PLAIN_NUMBER = r"^-?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$"  # part of _NUMBER that every version of Arrow converts
_PLAIN_INDEX = r"^\d{1,9}$"

_FEATURES = pa.list_(pa.struct([("column", pa.uint32()), ("value", pa.float32())]))
ROWS = pa.schema(
    [
        ("query_id", pa.string()),
        ("document_id", pa.string()),  # null where the comment has none
        ("label", pa.float32()),
        ("line", pa.int64()),
        ("features", _FEATURES),  # ordered by column, each at most once
    ]
)


@dataclass(frozen=True)
class Rejected:
    """A line that was set aside: its number from 1, why, and the first 1000 characters of it."""

    line: int
    reason: Reason
    text: str


class Rules(NamedTuple):
    """What a valid line is."""

    base: int
    features: int
    missing_nan: bool
    by_query: bool


class Parsed(NamedTuple):
    """A block of text."""

    rows: pa.RecordBatch  # ROWS, valid documents; query_id null if it is not in the line
    rejected: list[Rejected]
    lines: np.ndarray  # int64: the lines that hold a document, valid or not


def text_blocks(path: Path, size: int | None = None, span: Span = WHOLE) -> Iterator[tuple[int, bytes]]:
    """Number of the first line, and whole lines of UTF-8 text, each ended by a line feed, of about `size` bytes.

    Args:
        path: the file.
        size: of a block.
        span: the part of it, which has to be plain.

    Raises:
        RankerError: if the file cannot be read to its end.
    """
    for line, block in raw_blocks(path, size, span):
        yield line, valid_text(block)


def raw_blocks(path: Path, size: int | None = None, span: Span = WHOLE) -> Iterator[tuple[int, bytes]]:
    """As `text_blocks`, with the bytes of the file (and a last line feed); a byte order mark becomes as many blanks."""
    line, done, pieces = span.line, 0, list[bytes]()
    left = math.inf if span.stop is None else span.stop - span.start
    try:
        with open_unpacked(path) as stream:
            if span.start:
                stream.seek(span.start)
            while chunk := stream.read(int(min(size or _BLOCK, left))):
                done += len(chunk)
                left -= len(chunk)
                stop = chunk.rfind(b"\n") + 1
                if stop:
                    block = b"".join([*pieces, chunk[:stop]])
                    yield line, _unmarked(block) if line == 1 else block
                    line, pieces = line + block.count(b"\n"), []
                pieces.append(chunk[stop:])
                if sum(map(len, pieces)) > _LONGEST_LINE:
                    raise RankerError(
                        f"{path}:{line}: expected lines of text, got one longer than {_LONGEST_LINE} bytes"
                    )
    except OSError as error:
        where = f"from line {line} on, after {done} bytes of text" if done else "any of it"
        raise RankerError(f"{path}: cannot read {where}: {error.strerror or error}") from None
    if any(pieces):
        block = b"".join([*pieces, b"\n"])
        yield line, _unmarked(block) if line == 1 else block


def _unmarked(block: bytes) -> bytes:
    """The start of a file, with blanks for a byte order mark, so that all other bytes stay where they are."""
    mark = codecs.BOM_UTF8
    return block.replace(mark, b" " * len(mark), 1) if block.startswith(mark) else block


def valid_text(block: bytes) -> bytes:
    """The same text, with a sign for what is not UTF-8."""
    return block if block.isascii() else block.decode("utf-8", "replace").encode()


def parse(first_line: int, block: bytes, rules: Rules) -> Parsed:
    """Read whole lines, of which the first has the number `first_line`."""
    bare = re.sub(rb"#[^\n]*", b"", block) if b"#" in block else block
    rows, documents = _convert(bare, rules)
    rejected, others = list[Rejected](), list[dict[str, object]]()
    if len(rows) < len(documents):
        texts = block.split(b"\n")
        for at in np.setdiff1d(documents, rows["line"].to_numpy(), assume_unique=True).tolist():
            line = _parse_line(texts[at])
            if reason := _fault(line, rules):
                rejected.append(Rejected(first_line + at, reason, _shown(texts[at])))
            elif line:
                pairs = [(index - rules.base, value) for index, value in sorted(line.features)]
                others.append({"query_id": line.query, "label": line.label, "line": at, "features": pairs})
    if others:
        rows = joined([rows, pa.RecordBatch.from_pylist(others, ROWS)])
        rows = rows.take(pc.sort_indices(rows["line"]))
    at = rows["line"]
    document_ids = _document_ids(block).take(at) if b"#" in block else rows["document_id"]
    arrays = [rows["query_id"], document_ids, rows["label"], pc.add(at, first_line), rows["features"]]
    return Parsed(pa.RecordBatch.from_arrays(arrays, schema=ROWS), rejected, documents + first_line)


def _shown(line: bytes) -> str:
    return line[: 4 * _LONGEST_REJECTED].decode("utf-8", "ignore").removesuffix("\r")[:_LONGEST_REJECTED]


def joined(parts: list[pa.RecordBatch]) -> pa.RecordBatch:
    """One batch of ROWS."""
    whole = pa.Table.from_batches(parts, ROWS).combine_chunks().to_batches()
    return whole[0] if whole else pa.RecordBatch.from_pylist([], ROWS)


def _document_ids(block: bytes) -> pa.StringArray:
    """The document id in the comment of each line, null where there is none."""
    text = np.frombuffer(block, np.uint8)
    stops = np.flatnonzero(text == ord("\n"))
    starts = np.append(0, stops[:-1] + 1)
    marks = np.append(np.flatnonzero(text == ord("#")), len(text))
    comments = np.minimum(marks[np.searchsorted(marks, starts)], stops)
    return pc.struct_field(pc.extract_regex(_texts(block, comments, stops)[::2], _DOCUMENT_ID), "id")


# --- lines of the plain form, all at once ---------------------------------------------------------------------------


class _Split(NamedTuple):
    """Where the tokens of the lines of the plain form are, which have one colon in each token but the first.

    Tokens that start at `begins` and end at `ends`, int64, belong to lines by `counts`: a label, then that many with
    a colon, at `colons` if it is inside at all.
    """

    begins: np.ndarray
    ends: np.ndarray
    colons: np.ndarray
    counts: np.ndarray
    lines: np.ndarray  # int64, from 0
    documents: np.ndarray  # int64: the lines that hold a document, of any form


def _split(text: bytes, least: int) -> _Split:
    """Split the lines; those with less than `least` colons are not of the plain form."""
    data = np.frombuffer(text, np.uint8)
    edges = np.flatnonzero(np.diff(np.frombuffer(text.translate(_SPACE), bool), prepend=True))
    begins, ends = edges[::2], edges[1::2]
    colons = np.flatnonzero(data == ord(":"))
    starts = np.append(0, np.flatnonzero(data == ord("\n")) + 1)
    tokens, counts = (np.diff(np.searchsorted(at, starts)) for at in (begins, colons))
    plain = (tokens == counts + 1) & (counts >= least)
    if not plain.all():
        kept = np.repeat(plain, tokens)
        begins, ends, colons = begins[kept], ends[kept], colons[np.repeat(plain, counts)]
    return _Split(begins, ends, colons, counts[plain], np.flatnonzero(plain), np.flatnonzero(tokens))


def _convert(text: bytes, rules: Rules) -> tuple[pa.RecordBatch, np.ndarray]:
    """Rows of the valid lines of the plain form, and the numbers of all lines that hold a document, both from 0."""
    begins, ends, colons, counts, lines, documents = _split(text, least=rules.by_query)
    first = np.cumsum(counts + 1) - counts - 1
    labels, valid = _floats(text, begins[first], ends[first])
    valid &= np.isfinite(labels) & ~np.signbit(labels)  # -1e-99 is negative, though -0 as float32
    begins, ends = np.delete(begins, first), np.delete(ends, first)
    colons = np.clip(colons, begins, ends - 1)  # a colon outside its token leaves an empty index or value
    query_ids = pa.nulls(len(counts), pa.string())
    if rules.by_query:
        first = np.cumsum(counts) - counts
        query_ids = _texts(text, colons[first] + 1, ends[first])[::2]
        names = _texts(text, begins[first], colons[first])[::2]
        valid &= pc.and_(pc.equal(names, "qid"), pc.not_equal(query_ids, "")).to_numpy(zero_copy_only=False)
        begins, colons, ends = (np.delete(positions, first) for positions in (begins, colons, ends))
        counts = counts - 1

    offsets = np.append(0, np.cumsum(counts))
    columns, bad = _columns(text, begins, colons, offsets, rules)
    values, is_number = _floats(text, colons + 1, ends)
    bad |= ~is_number | (np.isinf(values) if rules.missing_nan else ~np.isfinite(values))
    valid[np.searchsorted(offsets, np.flatnonzero(bad), side="right") - 1] = False
    features = pa.StructArray.from_arrays([columns, values], fields=list(_FEATURES.value_type))
    pairs = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), features)
    arrays = [query_ids, pa.nulls(len(counts), pa.string()), labels, lines, pairs]
    rows = pa.RecordBatch.from_arrays([pa.array(array) for array in arrays], schema=ROWS)
    return rows if valid.all() else rows.filter(pa.array(valid)), documents


def _columns(
    text: bytes, begins: np.ndarray, ends: np.ndarray, offsets: np.ndarray, rules: Rules
) -> tuple[np.ndarray, np.ndarray]:
    """The columns uint32 of the indices, and where they are bad: none, out of range or not above the one before."""
    indices, is_index = _cast(text, begins, ends, pa.uint32(), _PLAIN_INDEX)
    columns = indices - np.uint32(rules.base)  # index 0 of base 1 wraps around, out of range
    bad = ~is_index | (columns >= rules.features)
    falls = columns[1:] <= columns[:-1]
    inner = offsets[(offsets > 0) & (offsets < len(columns))]
    falls[inner - 1] = False
    bad[1:] |= falls
    return columns, bad


def _floats(text: bytes, begins: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """float32 of the texts, and where they are numbers."""
    numbers, valid = _cast(text, begins, ends, pa.float64(), _PLAIN_NUMBER)
    with np.errstate(over="ignore"):
        return numbers.astype(np.float32), valid


def _cast(
    text: bytes, begins: np.ndarray, ends: np.ndarray, dtype: pa.DataType, plain: str
) -> tuple[np.ndarray, np.ndarray]:
    """The texts as numbers, and where that is right; Arrow converts all or none, so after a failure, the plain ones."""
    texts, valid = _texts(text, begins, ends), np.ones(len(begins), bool)
    try:
        if any(mark in text for mark in (b"x", b"X", b"(")):
            raise pa.ArrowInvalid("Arrow would take 0x1F for an index and nan(1) for a number")
        numbers = texts.cast(dtype)
    except pa.ArrowInvalid:
        texts = pc.if_else(pc.match_substring_regex(texts, plain), texts, pa.scalar(None, pa.string()))
        valid = texts.is_valid().to_numpy(zero_copy_only=False)[::2]
        numbers = texts.cast(dtype)
    return np.frombuffer(numbers.buffers()[1], dtype.to_pandas_dtype(), len(numbers))[::2], valid


def _texts(text: bytes, begins: np.ndarray, ends: np.ndarray) -> pa.StringArray:
    """The parts of a text, without copying them; between each two of them a null, for what is between them."""
    offsets = np.stack([begins, ends], axis=1).astype(np.int32).reshape(-1)
    valid = np.full(len(begins) // 4 + 1, 0b01010101, np.uint8)
    length = max(len(offsets) - 1, 0)
    return pa.StringArray.from_buffers(length, pa.py_buffer(offsets), pa.py_buffer(text), pa.py_buffer(valid))


# --- one line -------------------------------------------------------------------------------------------------------


class _Line(NamedTuple):
    label: float
    query: str | None
    features: list[tuple[int, float]]


def _parse_line(text: bytes) -> _Line | None:
    """The parts of a line that holds a document, if it has the form."""
    first, *tokens = text.partition(b"#")[0].split()
    has_query = bool(tokens) and tokens[0].startswith(b"qid:")
    query = tokens.pop(0)[4:] if has_query else b""
    if b":" in query or (has_query and not query):
        return None
    try:
        pairs = [token.split(b":") for token in tokens]
        features = [(_index(index), _number(value)) for index, value in pairs]
        return _Line(_number(first), query.decode() if has_query else None, features)
    except ValueError:
        return None


def _index(text: bytes) -> int:
    if not text.isdigit():
        raise ValueError
    return int(text) if len(text) < 4000 else sys.maxsize  # int() refuses longer ones


def _number(text: bytes) -> float:
    if not _NUMBER.fullmatch(text):
        raise ValueError
    return float(text)


def _fault(line: _Line | None, rules: Rules) -> Reason | None:
    """Why a line is not valid."""
    if line is None:
        return "unparsable line"
    indices, values = [index for index, _ in line.features], [value for _, value in line.features]
    checks: list[tuple[bool, Reason]] = [
        (rules.by_query and line.query is None, "no qid"),
        (not rules.by_query and line.query is not None, "unexpected qid"),
        (math.isnan(line.label), "NaN label"),
        (line.label < 0, "negative label"),
        (line.label >= _INFINITE, "infinite label"),
        (any(not rules.base <= index < rules.base + rules.features for index in indices), "feature index out of range"),
        (len(set(indices)) < len(indices), "repeated feature index"),
        (not rules.missing_nan and any(map(math.isnan, values)), "NaN feature"),
        (any(abs(value) >= _INFINITE for value in values), "infinite feature"),
    ]
    return next((reason for fails, reason in checks if fails), None)


def has_queries(path: Path) -> bool | None:
    """Whether the first line that has the form has a qid; None if there is no such line."""
    for _, block in text_blocks(path, 1 << 16):
        for text in block.split(b"\n"):
            if text.partition(b"#")[0].strip() and (line := _parse_line(text)):
                return line.query is not None
    return None
