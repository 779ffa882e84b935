"""Judgements and runs in the formats of TREC, as tables.

A line of qrels is `query iteration document label`, one of a run `query Q0 document rank score tag`, with blanks or
tabs between (https://github.com/usnistgov/trec_eval, README). As in trec_eval, iteration, Q0 and rank mean nothing: the
score alone orders; what follows the tag is ignored, and so are empty lines and lines that begin with `#`. Files may be
gzipped.
"""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from eval.trec_lines import Form, parse_block

__all__ = ["codes", "read_qrels", "read_run"]

_BLOCK = 32 << 20  # bytes
_GZIP = b"\x1f\x8b"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_QRELS = Form("query iteration document label", ("query_id", None, "document_id", "label"))
_RUN = Form("query Q0 document rank score tag", ("query_id", None, "document_id", None, "score", "tag"), more=True)


def read_qrels(path: Path) -> pa.Table:
    """Judgements: `query_id` and `document_id` string, `label` float64, in the order of the file.

    Raises:
        ValueError: the file cannot be read or is empty, a line has another form, or a label that is no finite number,
            or repeats a query and document; the first is named by file and line.
    """
    table = _read(path, _QRELS)
    labels = table["label"].to_numpy()
    _refuse(path, table, ~np.isfinite(labels), "label: expected a finite number", labels)
    _refuse_repeats(path, table)
    return table.drop_columns(["line"])


def read_run(path: Path) -> tuple[pa.Table, str]:
    """Scores: `query_id` and `document_id` string, `score` float64, in the order of the file; and the tag of the run.

    A score may be infinite. The tag is that of the last line, as in trec_eval.

    Raises:
        ValueError: the file cannot be read or is empty, a line has another form, or a score that is no number, or
            repeats a query and document; the first is named by file and line.
    """
    table = _read(path, _RUN)
    scores = table["score"].to_numpy()
    _refuse(path, table, np.isnan(scores), "score: expected a number", scores)
    _refuse_repeats(path, table)
    return table.drop_columns(["line", "tag"]), table["tag"][-1].as_py()


def codes(column: pa.ChunkedArray) -> tuple[NDArray[np.int64], pa.Array]:
    """Texts as numbers by first appearance, int64 [rows], and the text of each number."""
    encoded = column.dictionary_encode()
    parts = [part.indices.to_numpy() for part in encoded.chunks]
    texts = encoded.chunk(0).dictionary if parts else pa.array([], column.type)
    return np.concatenate([np.zeros(0), *parts]).astype(np.int64), texts


def _read(path: Path, form: Form) -> pa.Table:
    parts, line = [], 1
    for block in _blocks(path):
        part, lines = parse_block(path, block, line, form)
        parts.append(part)
        line += lines
    table = pa.concat_tables(parts) if parts else None
    if table is None or not table.num_rows:
        raise ValueError(f"{path}: expected lines of {form.words!r}, got none")
    return table


def _blocks(path: Path) -> Iterator[bytes]:
    """The bytes of a file in blocks of whole lines."""
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == _GZIP
            raw.seek(0)
            with gzip.open(raw) if packed else raw as file:
                rest = file.read(len(_BYTE_ORDER_MARK)).removeprefix(_BYTE_ORDER_MARK)
                while more := file.read(_BLOCK):
                    block = rest + more
                    cut = block.rfind(b"\n") + 1
                    rest = block[cut:]
                    if cut:
                        yield block[:cut]
                if rest:
                    yield rest
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path}: cannot read: {getattr(error, 'strerror', None) or error}") from None


def _refuse(path: Path, table: pa.Table, wrong: NDArray[np.bool_], expected: str, values: NDArray[np.float64]) -> None:
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(
            f"{path}:{table['line'][row].as_py()}: {expected}, got {values[row]} ({int(wrong.sum())} such lines)"
        )


def _refuse_repeats(path: Path, table: pa.Table) -> None:
    queries, _ = codes(table["query_id"])
    documents, texts = codes(table["document_id"])
    pairs = queries * len(texts) + documents
    in_order = np.sort(pairs)
    if not np.any(in_order[1:] == in_order[:-1]):
        return
    _, first, inverse = np.unique(pairs, return_index=True, return_inverse=True)
    again = np.ones(len(pairs), dtype=bool)
    again[first] = False
    row = int(np.argmax(again))
    query, document, line, earlier = (
        table[name][at].as_py()
        for name, at in (("query_id", row), ("document_id", row), ("line", row), ("line", int(first[inverse[row]])))
    )
    raise ValueError(
        f"{path}:{line}: query {query!r}, document {document!r} was there in line {earlier} already"
        f" ({int(again.sum())} such lines); keep one of each"
    )
