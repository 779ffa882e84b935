"""Files of scores: Parquet, CSV, JSON lines and Arrow, in memory or, where they are large, in parts on disk."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from eval.json_lines import json_batches, json_schema
from eval.score_parts import Columns, Scores, WholeTable, spill_scores
from eval.score_rows import plain_rows, plain_schema
from eval.score_table import check_columns
from eval.score_texts import Place, flags_of, numbers_of_texts

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
        path: of the file or the folder; or files by a pattern, such as `scores/part-*.parquet`. A file's ending says
            what it is, see `KINDS`; text may be gzipped, with `.gz` behind.
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
            pattern = any(sign in self.path.name for sign in "*?[") and not self.path.exists()
            return sorted(self.path.parent.glob(self.path.name)) if pattern else [self.path]
        return sorted(file for file in self.path.iterdir() if _kind_of(file))

    def columns(self) -> dict[str, pa.DataType]:
        """Names and types of its columns, as a score table has them; those of texts are guessed from the first rows."""
        return dict(self._columns(self.files[0]))

    def _columns(self, file: Path) -> list[tuple[str, pa.DataType]]:
        with _Reading(file):
            schema = self._kind.schema(file)
        check_columns(schema.names, list(self.renamed.values()))
        return [(name, one.type) for one in schema if (name := self._name(one.name))]

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

    def unread(self, used: Sequence[str]) -> dict[str, str]:
        """Columns that nothing reads, with what they hold in words.

        Args:
            used: columns that something reads, beside the ids, the label and `judged`.
        """
        used = [*used, *_IDS, "label", "judged"]
        return {name: _in_words(kind) for name, kind in self.columns().items() if name not in used}

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
        self.check(columns)
        stream = self._batches(columns, numbers)
        if (rows := self.rows()) is not None and rows > most:
            return spill_scores(stream, columns, directory, min(_MOST_PARTS, -(-rows // _PART)))
        batches, held = [], 0
        for batch in stream:
            batches.append(batch)
            held += batch.num_rows
            if held > most:  # the number of rows of a text file is not known before
                partitions = max(1, min(_MOST_PARTS, 16 * most // _PART))
                return spill_scores(_chained(batches, stream), columns, directory, partitions)
        with _Reading(self.path):
            table = (
                pa.Table.from_batches(_alike(batches, columns))
                if batches
                else pa.table({name: [] for name in columns.named})
            )
        return WholeTable(table, columns)

    def check(self, columns: Columns) -> None:
        """Refuse files that have not the same columns, of those that are read.

        Raises:
            ValueError: a file lacks a column, or alone has `judged`; it is named.
        """
        judged = ["judged"] if "judged" in self.columns() else []
        for file in self.files:
            names = [name for name, _ in self._columns(file)]
            try:
                check_columns(names, [*columns.named, *judged])
            except ValueError as error:
                raise ValueError(f"{file}: {error}") from None
            if "judged" in names and not judged:
                raise ValueError(
                    f"{file}: score table: expected no column 'judged', as in {self.files[0].name}; add it to all"
                    " files, or leave it out"
                )

    def rows(self) -> int | None:
        """The number of rows; None where only reading them all would tell."""
        rows = 0
        for file in self.files:
            with _Reading(file):
                own = self._kind.rows(file)
            if own is None:
                return None
            rows += own
        return rows

    def _batches(self, columns: Columns, numbers: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """The rows, with numbers where they are wanted."""
        for file in self.files:
            yield from self.batches(columns, numbers, file)

    def batches(
        self, columns: Columns, numbers: Sequence[str], file: Path, groups: Sequence[int] | None = None
    ) -> Iterator[pa.RecordBatch]:
        """The rows of one of the files, with numbers where they are wanted.

        Args:
            columns: what is read.
            numbers: as of `open`.
            file: one of `files`.
            groups: only these row groups of a file that has `groups`; None: all rows.

        Raises:
            ValueError: the file cannot be read or has a value that is none.
        """
        names = [*columns.named, *(["judged"] if "judged" in self.columns() else [])]
        numeric = {"label", *columns.models, *numbers}
        wanted = {self.renamed.get(name, name): name in numeric for name in names}
        with _Reading(file):
            first, kind = 1, self._kind
            for batch in kind.batches(file, wanted) if groups is None else _parquet_batches(file, wanted, groups):
                arrays = [batch.column(name) for name in wanted]
                if kind.texts:
                    place = Place(file, first, *arrays[:2])
                    others = {*numeric} - {"label", *columns.models}
                    arrays = [
                        numbers_of_texts(name, array, place, mend="mend them")
                        if name in others and pa.types.is_string(array.type)
                        else _parsed(name, array, place, number=name in numeric, drop=columns.unusable == "drop")
                        for name, array in zip(names, arrays, strict=True)
                    ]
                first += batch.num_rows
                yield pa.RecordBatch.from_arrays(arrays, names)

    def groups(self, file: Path) -> list[int]:
        """The rows in each row group of one of the files; none, where its kind can only be read as a whole."""
        with _Reading(file):
            return self._kind.groups(file)

    def _name(self, name: str) -> str:
        """The name in a score table of a column of the file; "" of one whose name another column has taken."""
        if name in self.renamed.values():
            return next(own for own, other in self.renamed.items() if other == name)
        return "" if name in self.renamed else name

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


def _parsed(name: str, values: pa.Array, place: Place, *, number: bool, drop: bool) -> pa.Array:
    """A column of text as what it has to be; an empty field is missing. Columns of other types stay as they are."""
    if not pa.types.is_string(values.type):
        return values
    if name == "judged":
        return flags_of(name, values, place)
    if number:
        return numbers_of_texts(name, values, place, drop=drop)
    return pc.if_else(pc.equal(values, ""), None, values)


def _alike(batches: list[pa.RecordBatch], columns: Columns) -> list[pa.RecordBatch]:
    """Batches of several files with the types of the first one."""
    schema = batches[0].schema
    if all(batch.schema == schema for batch in batches):
        return batches
    plain = plain_schema(schema, columns.named)
    return [plain_rows(batch, plain) for batch in batches]


def _in_words(kind: pa.DataType) -> str:
    if pa.types.is_integer(kind):
        return "integers"
    if pa.types.is_floating(kind):
        return "numbers"
    return "text" if pa.types.is_string(kind) or pa.types.is_large_string(kind) else str(kind)


def _chained(held: list[pa.RecordBatch], rest: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    while held:
        yield held.pop(0)
    yield from rest


# --- kinds of files -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Kind:
    """How a kind of file is read: its schema, its number of rows where that is known, and batches of some columns.

    Columns are given with whether they hold numbers. `texts`: numbers, or all values, may come as texts. `groups`: rows
    in each row group, where these can be read apart.
    """

    schema: Callable[[Path], pa.Schema]
    rows: Callable[[Path], int | None]
    batches: Callable[[Path, Mapping[str, bool]], Iterator[pa.RecordBatch]]
    texts: bool = False
    groups: Callable[[Path], list[int]] = lambda _: []


def _parquet_batches(
    path: Path, columns: Mapping[str, bool], groups: Sequence[int] | None = None
) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(path) as file:
        yield from file.iter_batches(_ROWS, columns=list(columns), row_groups=groups)


def _parquet_groups(path: Path) -> list[int]:
    metadata = pq.read_metadata(path)
    return [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]


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


_CSV = _Kind(_csv_schema, lambda _: None, _csv_batches, texts=True)
_JSON = _Kind(json_schema, lambda _: None, json_batches, texts=True)
_ARROW = _Kind(_arrow_schema, _arrow_rows, _arrow_batches)

KINDS: Mapping[str, _Kind] = {
    ".parquet": _Kind(
        pq.read_schema, lambda path: pq.read_metadata(path).num_rows, _parquet_batches, groups=_parquet_groups
    ),
    ".csv": _CSV,
    ".jsonl": _JSON,
    ".ndjson": _JSON,
    ".arrow": _ARROW,
    ".feather": _ARROW,
}
"""How each kind of file is read, by the ending of its name."""
