"""Files of scores: Parquet, CSV, JSON lines and Arrow, in memory or, where they are large, in parts on disk."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet as pq

from eval.score_parts import Columns, Scores, WholeTable, spill_scores
from eval.score_table import check_columns

__all__ = ["KINDS", "ScoreFile"]

_BLOCK = 8 << 20  # bytes of a text file
_ROWS = 1 << 16  # of a batch
_PART = 400_000  # documents
_MOST_PARTS = 256
_IDS = ("query_id", "document_id")


@dataclass(frozen=True)
class ScoreFile:
    """A file with one row per query and document, or a folder of such files, all of one kind.

    Args:
        path: its ending says what it is, see `KINDS`; text may be gzipped, with `.gz` behind.
        renamed: names of columns in the file by those of a score table: `query_id`, `document_id`, `label`.

    Raises:
        ValueError: the ending is not known, or the file cannot be read.
    """

    path: Path
    renamed: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.path.is_dir() and not _kind_of(self.path):
            raise ValueError(f"{self.path}: expected a file that ends in {', '.join(KINDS)}; got {self.path.name!r}")
        if not self.files or not all(file.is_file() for file in self.files):
            raise ValueError(f"{self.path}: no file of scores here; expected one that ends in {', '.join(KINDS)}")
        if len(kinds := {_kind_of(file) for file in self.files}) > 1:
            raise ValueError(f"{self.path}: expected files of one kind, got {', '.join(sorted(kinds))}")

    @property
    def files(self) -> list[Path]:
        """The files, in the order of their names."""
        if not self.path.is_dir():
            return [self.path]
        return sorted(file for file in self.path.iterdir() if _kind_of(file))

    def columns(self) -> dict[str, pa.DataType]:
        """Names and types of its columns, as a score table has them; those of texts are guessed from the first rows."""
        return dict(self._columns(self.files[0]))

    def _columns(self, file: Path) -> list[tuple[str, pa.DataType]]:
        with _Reading(file):
            return [(self._name(one.name), one.type) for one in self._kind.schema(file)]

    def models(self, taken: Sequence[str]) -> list[str]:
        """Columns of floating point that are not taken for something else: those of scores.

        Raises:
            ValueError: there are none.
        """
        taken = [*taken, *_IDS, "label", "judged"]
        found = [name for name, kind in self.columns().items() if pa.types.is_floating(kind) and name not in taken]
        if not found:
            raise ValueError(
                f"{self.path}: expected columns of scores, got {', '.join(self.columns())} with none of floating point"
                " beside those that are used; name the columns of scores"
            )
        return found

    def open(self, columns: Columns, numbers: Sequence[str], directory: Path, most: int = 2_000_000) -> Scores:
        """The scored lists.

        Args:
            columns: what is read.
            numbers: of these the ones that hold numbers, beside label and scores.
            directory: an empty folder for parts; it has to stay while the lists are read.
            most: documents that are held in memory at once, without parts.

        Raises:
            ValueError: the file cannot be read, has no rows, lacks a column or has a value that is none.
        """
        for file in self.files:
            check_columns([name for name, _ in self._columns(file)], columns.named)
        stream = self._batches(columns, {"label", *columns.models, *numbers})
        if (rows := self._rows()) is not None and rows > most:
            return spill_scores(stream, columns, directory, min(_MOST_PARTS, -(-rows // _PART)))
        batches, held = [], 0
        for batch in stream:
            batches.append(batch)
            held += batch.num_rows
            if held > most:  # the number of rows of a text file is not known before
                partitions = max(1, min(_MOST_PARTS, 16 * most // _PART))
                return spill_scores(_chained(batches, stream), columns, directory, partitions)
        with _Reading(self.path):
            table = pa.Table.from_batches(batches) if batches else pa.table({name: [] for name in columns.named})
        return WholeTable(table, columns)

    def _rows(self) -> int | None:
        """The number of rows; None where only reading them all would tell."""
        rows = 0
        for file in self.files:
            with _Reading(file):
                own = self._kind.rows(file)
            if own is None:
                return None
            rows += own
        return rows

    def _batches(self, columns: Columns, numeric: set[str]) -> Iterator[pa.RecordBatch]:
        """The rows, with numbers where they are wanted."""
        names = [*columns.named, *(["judged"] if "judged" in self.columns() else [])]
        wanted = {self.renamed.get(name, name): name in numeric for name in names}
        for file in self.files:
            with _Reading(file):
                for batch in self._kind.batches(file, wanted):
                    arrays = [batch.column(name) for name in wanted]
                    if self._kind.texts:
                        named = zip(names, arrays, strict=True)
                        arrays = [_parsed(name, array, arrays[:2], numeric) for name, array in named]
                    yield pa.RecordBatch.from_arrays(arrays, names)

    def _name(self, name: str) -> str:
        """The name in a score table of a column of the file."""
        return next((own for own, other in self.renamed.items() if other == name), name)

    @property
    def _kind(self) -> "_Kind":
        return KINDS[_kind_of(self.files[0])]


def _kind_of(file: Path) -> str:
    """The ending that says what a file is, or ""."""
    name = file.name.removesuffix(".gz")
    return next((kind for kind in KINDS if name.endswith(kind)), "")


class _Reading:
    """Errors of libraries, told with the file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, pa.ArrowException | OSError):
            what = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ValueError(f"{self._path}: cannot read: {what}") from None


def _chained(held: list[pa.RecordBatch], rest: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    while held:
        yield held.pop(0)
    yield from rest


def _parsed(name: str, texts: pa.Array, ids: Sequence[pa.Array], numeric: set[str]) -> pa.Array:
    """A column of text as what it has to be; an empty field is missing."""
    there = pc.if_else(pc.equal(texts, ""), None, texts)
    if name == "judged":
        flags = {"true": True, "false": False, "1": True, "0": False}
        known = pa.array(list(flags))
        places = pc.index_in(pc.utf8_lower(there), known)
        _refuse(name, "true or false", there, places, ids)
        return pa.array(list(flags.values())).take(places)
    if name not in numeric:
        return there
    trimmed = pc.utf8_trim_whitespace(there)
    plain = pc.match_substring_regex(trimmed, _NUMBER)
    _refuse(name, "a number", there, pc.if_else(plain, True, None), ids)
    return pc.cast(trimmed, pa.float64())


_NUMBER = r"^([-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?|[-+]?(?i:nan|inf|infinity))$"


def _refuse(name: str, expected: str, given: pa.Array, parsed: pa.Array, ids: Sequence[pa.Array]) -> None:
    """Refuse a text that was not parsed."""
    wrong = np.flatnonzero(
        (given.is_valid().to_numpy(zero_copy_only=False)) & (parsed.is_null().to_numpy(zero_copy_only=False))
    )
    if wrong.size:
        row = int(wrong[0])
        query, document = (one[row].as_py() for one in ids)
        raise ValueError(
            f"score table, column {name!r}: expected {expected}, got {given[row].as_py()!r:.60} for query {query!r},"
            f" document {document!r} ({wrong.size} such rows or more); mend or drop them"
        )


# --- kinds of files -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Kind:
    """How a kind of file is read: its schema, its number of rows where that is known, and batches of some columns.

    Columns are given with whether they hold numbers. `texts`: all values come as texts.
    """

    schema: Callable[[Path], pa.Schema]
    rows: Callable[[Path], int | None]
    batches: Callable[[Path, Mapping[str, bool]], Iterator[pa.RecordBatch]]
    texts: bool = False


def _parquet_batches(path: Path, columns: Mapping[str, bool]) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(path) as file:
        yield from file.iter_batches(_ROWS, columns=list(columns))


def _arrow_schema(path: Path) -> pa.Schema:
    with pa.OSFile(str(path), "rb") as file, pa.ipc.open_file(file) as reader:
        return reader.schema


def _arrow_batches(path: Path, columns: Mapping[str, bool]) -> Iterator[pa.RecordBatch]:
    with pa.memory_map(str(path), "rb") as file, pa.ipc.open_file(file) as reader:
        for number in range(reader.num_record_batches):
            yield reader.get_batch(number).select(list(columns))


def _arrow_rows(path: Path) -> int:
    with pa.memory_map(str(path), "rb") as file, pa.ipc.open_file(file) as reader:
        return sum(reader.get_batch(number).num_rows for number in range(reader.num_record_batches))


def _csv_schema(path: Path) -> pa.Schema:
    with pa.csv.open_csv(path, read_options=pa.csv.ReadOptions(block_size=_BLOCK)) as reader:
        return reader.schema


def _csv_batches(path: Path, columns: Mapping[str, bool]) -> Iterator[pa.RecordBatch]:
    options = pa.csv.ConvertOptions(
        include_columns=list(columns), column_types=dict.fromkeys(columns, pa.string()), strings_can_be_null=False
    )
    read = pa.csv.ReadOptions(block_size=_BLOCK)
    with pa.csv.open_csv(path, read_options=read, convert_options=options) as reader:
        yield from reader


def _json_reader(path: Path, numbers: Sequence[str] = ()) -> Any:
    stream = pa.input_stream(str(path), compression="detect")
    schema = pa.schema([pa.field(name, pa.float64()) for name in numbers])
    return pa.json.open_json(
        stream,
        read_options=pa.json.ReadOptions(block_size=_BLOCK),
        parse_options=pa.json.ParseOptions(explicit_schema=schema),
    )


def _json_schema(path: Path) -> pa.Schema:
    return _json_reader(path).schema


def _json_batches(path: Path, columns: Mapping[str, bool]) -> Iterator[pa.RecordBatch]:
    for batch in _json_reader(path, [name for name, number in columns.items() if number]):
        yield batch.select(list(columns))


_CSV = _Kind(_csv_schema, lambda _: None, _csv_batches, texts=True)
_JSON = _Kind(_json_schema, lambda _: None, _json_batches)
_ARROW = _Kind(_arrow_schema, _arrow_rows, _arrow_batches)

KINDS: Mapping[str, _Kind] = {
    ".parquet": _Kind(pq.read_schema, lambda path: pq.read_metadata(path).num_rows, _parquet_batches),
    ".csv": _CSV,
    ".jsonl": _JSON,
    ".ndjson": _JSON,
    ".arrow": _ARROW,
    ".feather": _ARROW,
}
"""How each kind of file is read, by the ending of its name."""
