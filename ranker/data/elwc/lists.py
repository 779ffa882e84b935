"""ExampleListWithContext records to batches of lists; what cannot be used is set aside."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ranker.data.columns import MISSING_INT
from ranker.data.elwc.columns import Decoded, Input, decode
from ranker.data.elwc.inputs import ElwcInputs
from ranker.data.elwc.parts import parts_of, split_record
from ranker.data.tables.id_groups import Ints, Mask, coded, distinct_values, repeated

__all__ = ["UNPARSABLE_RECORD", "ElwcLists", "Fault", "Records", "query_ids"]

UNPARSABLE_RECORD = "unparsable record"
_SHOWN = 1000  # characters of what is set aside
_NOT_SHOWN = 0  # a position


class Fault(NamedTuple):
    """What cannot be used: number of its record, why, what was read, and the place of its list if it has one."""

    record: int
    reason: str
    text: str
    place: int | None


@dataclass(frozen=True)
class Records:
    """Some records in parts.

    Attributes:
        numbers: int64 `[lists]`, of each in its file, from 1.
        contexts: serialized, of each.
        counts: int64 `[lists]`, how many examples each has.
        examples: serialized, list by list.
        faults: of records that cannot be taken apart.
    """

    numbers: Ints
    contexts: list[bytes]
    counts: Ints
    examples: list[bytes]
    faults: list[Fault]

    @classmethod
    def of(cls, records: Sequence[tuple[int, bytes]]) -> Records:
        """Take records, each with its number, apart."""
        numbers, contexts, counts, examples = list[int](), list[bytes](), list[int](), list[bytes]()
        faults = list[Fault]()
        for number, record in records:
            try:
                of_list, context = split_record(record)
            except ValueError:
                faults.append(Fault(number, UNPARSABLE_RECORD, record[:_SHOWN].decode("utf-8", "replace"), None))
                continue
            numbers.append(number)
            contexts.append(context)
            counts.append(len(of_list))
            examples += of_list
        return cls(np.array(numbers, np.int64), contexts, np.array(counts, np.int64), examples, faults)

    @property
    def of_document(self) -> Ints:
        """int64 `[examples]`, the list of each."""
        return np.repeat(np.arange(len(self.counts)), self.counts)

    @property
    def places(self) -> Ints:
        """int64 `[examples]`, the place of each in its list."""
        starts = np.cumsum(self.counts) - self.counts
        return np.arange(len(self.examples)) - np.repeat(starts, self.counts)


def query_ids(context: Decoded, records: Records, file: str) -> pa.StringArray:
    """The query of each list; without one, the file and the number of its record."""
    ids = context.columns["query_id"]
    own = pa.array([f"{file}:{number}" for number in records.numbers.tolist()], pa.string())
    return pc.if_else(pc.equal(ids, ""), own, ids)


class ElwcLists:
    """The lists of some records.

    Attributes:
        query_ids: string `[lists]`.
        times: int64 `[lists]`, the latest timestamp of the list and its documents, or missing.
        kept: bool `[examples]`, which can be used.
        named: bool `[examples]`, which have an id of their own.
    """

    def __init__(self, records: Records, inputs: ElwcInputs, file: str, *, timed: bool) -> None:
        """Decode records; `timed` lists cannot be used without a timestamp."""
        self._records, self._inputs = records, inputs
        self._of_document = records.of_document
        self._context = decode(records.contexts, inputs.context)
        self._document = decode(records.examples, inputs.document)
        self.query_ids = query_ids(self._context, records, file)
        ids = self._document.columns["document_id"]
        self.named: Mask = pc.not_equal(ids, "").to_numpy(zero_copy_only=False)
        if not self.named.all():
            ids = pc.if_else(pa.array(self.named), ids, pa.array(records.places).cast(pa.string()))
        self._columns = self._document.columns | {"document_id": ids} | self._judged()
        self._reasons = np.zeros(len(records.examples), np.int8)
        self._names = [""]
        for reason, mask in self._bad():
            self._mark(reason, mask)
        self.times = self._times()
        if timed:
            self._mark("missing timestamp", (self.times == MISSING_INT)[self._of_document])
        pairs = coded(self._columns["document_id"])[0]
        sound = np.flatnonzero(self._reasons == 0)
        again = repeated(self._of_document[sound], pairs[sound])
        self._mark("duplicate (query, document) pair", np.isin(np.arange(len(pairs)), sound[again]))
        self.kept: Mask = self._reasons == 0

    def faults(self) -> Iterator[Fault]:
        """All that cannot be used."""
        yield from self._records.faults
        numbers = self._records.numbers
        empty = np.flatnonzero(self._records.counts == 0)
        for place, text in zip(empty.tolist(), _shown([self._records.contexts[i] for i in empty]), strict=True):
            yield Fault(int(numbers[place]), "list without documents", text, place)
        bad = np.flatnonzero(~self.kept)
        texts = _shown([self._records.examples[i] for i in bad])
        for row, text in zip(bad.tolist(), texts, strict=True):
            place = int(self._of_document[row])
            yield Fault(int(numbers[place]), self._names[self._reasons[row]], text, place)

    def batch(self, lists: Mask, query_ids: pa.StringArray, schema: pa.Schema) -> pa.RecordBatch:
        """Some lists, without those that have no document left.

        Args:
            lists: bool `[lists]`, which.
            query_ids: what to call all of them.
            schema: of the batch.
        """
        rows = self.kept & lists[self._of_document]
        counts = np.bincount(self._of_document[rows], minlength=len(lists))
        there = pa.array(counts > 0)
        offsets = pa.array(np.append(0, np.cumsum(counts[counts > 0])), pa.int32())
        heads = self._context.columns | {"query_id": query_ids, "timestamp": pa.array(self.times)}
        wanted = pa.array(rows)

        def array(name: str, kind: pa.DataType) -> pa.Array:
            if name in self._columns and pa.types.is_list(kind):
                values = self._columns[name]
                return pa.ListArray.from_arrays(offsets, values if rows.all() else values.filter(wanted))
            return heads[name].filter(there)

        return pa.RecordBatch.from_arrays([array(f.name, f.type) for f in schema], schema=schema)

    def texts(self, lists: Mask, names: Sequence[str], prefix: str) -> pa.RecordBatch:
        """`document_id` and text columns of the documents of some lists.

        A document without an id of its own gets the prefix, the number of its record and its place in the list.
        """
        rows = self.kept & lists[self._of_document]
        records = pa.array(self._records.numbers[self._of_document]).cast(pa.string())
        own = pc.binary_join_element_wise(prefix, records, self._columns["document_id"], "\0")
        ids = pc.if_else(pa.array(self.named), self._columns["document_id"], own)
        batch = pa.RecordBatch.from_pydict({"document_id": ids} | {name: self._columns[name] for name in names})
        return batch.filter(pa.array(rows))

    def _judged(self) -> dict[str, pa.Array]:
        """Weight and position as lists have them, and multi-valued texts without duplicates."""
        found = {}
        if "weight" in self._document.columns:
            of_list = self._context.columns["weight"].to_numpy()[self._of_document]
            own = self._document.columns["weight"].to_numpy()
            weights = np.where(np.isnan(own), of_list, own)
            found["weight"] = pa.array(np.where(np.isnan(weights), np.float32(1), weights))
        if "position" in self._document.columns:
            positions = self._document.columns["position"].to_numpy()
            self._bad_positions = (positions < 1) & (positions != MISSING_INT)
            found["position"] = pa.array(np.where(positions == MISSING_INT, _NOT_SHOWN, positions))
        for wanted in self._inputs.document:
            if wanted.what == "texts":
                found[wanted.column.name] = distinct_values(self._document.columns[wanted.column.name])
        for wanted in self._inputs.context:
            if wanted.what == "texts":
                name = wanted.column.name
                self._context.columns[name] = distinct_values(self._context.columns[name])
        return found

    def _bad(self) -> Iterator[tuple[str, Mask]]:
        """Reasons, and the documents that cannot be used for them; for a fault of the context, all of the list."""
        for reason, mask in self._context.faults.items():
            yield reason, mask[self._of_document]
        yield from self._document.faults.items()
        for name in ("label", "weight"):
            if name in self._columns:
                values = self._columns[name].to_numpy()
                yield f"bad {name}", ~((values >= 0) & np.isfinite(values))
        if "position" in self._columns:
            yield "bad position", self._bad_positions
        infinite = "infinite feature value"
        yield infinite, _infinite(self._context, self._inputs.context)[self._of_document]
        yield infinite, _infinite(self._document, self._inputs.document)

    def _mark(self, reason: str, mask: Mask) -> None:
        new = mask & (self._reasons == 0)
        if new.any():
            if reason not in self._names:
                self._names.append(reason)
            self._reasons[new] = self._names.index(reason)

    def _times(self) -> Ints:
        times = np.full(len(self._records.counts), MISSING_INT)
        if "timestamp" in self._context.columns:
            times = self._context.columns["timestamp"].to_numpy().copy()
            sound = self._reasons == 0
            np.maximum.at(times, self._of_document[sound], self._document.columns["timestamp"].to_numpy()[sound])
        return times


def _infinite(decoded: Decoded, inputs: Sequence[Input]) -> Mask:
    found = np.zeros(decoded.count, bool)
    for wanted in inputs:
        if wanted.column.dtype == "float32" and wanted.column.name not in ("label", "weight"):
            values = decoded.columns[wanted.column.name]
            width = wanted.column.width
            numbers = values.to_numpy() if width is None else values.flatten().to_numpy().reshape(-1, width)
            found |= np.isinf(numbers) if width is None else np.isinf(numbers).any(axis=1)
    return found


def _shown(examples: Sequence[bytes]) -> Iterator[str]:
    """The features of each as JSON, one value as such."""
    at = 0
    for count, batch in parts_of(examples):
        if batch is None:
            yield examples[at][:_SHOWN].decode("utf-8", "replace")
        else:
            for row in batch.to_pylist():
                features = {name: _plain(values) for name, values in row.items() if values}
                yield json.dumps(features, ensure_ascii=False)
        at += count


def _plain(values: list[Any]) -> Any:
    shown = [value.decode("utf-8", "replace") if isinstance(value, bytes) else value for value in values]
    return shown[0] if len(shown) == 1 else shown
