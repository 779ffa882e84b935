"""Serialized messages: the bytes that Protocol Buffers itself writes, for any batch."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tensorflow_serving.apis import input_pb2

from ranker.data.elwc import wire

LISTS = {"float32": "float_list", "int64": "int64_list", "string": "bytes_list"}
INTS = st.one_of(st.integers(-(2**63), 2**63 - 1), st.sampled_from([0, 1, -1, 127, 128, 2**14 - 1, 2**14, 2**56]))
FLOATS = st.floats(width=32)
VALUES = {"float32": FLOATS, "int64": INTS, "string": st.text(max_size=5) | st.just("é" * 70) | st.just("x" * 17_000)}
NAMES = st.text(min_size=1, max_size=4) | st.sampled_from(["a", "A", "ab", "é", "\U0001f600", "\uffff"])


@dataclass(frozen=True)
class Side:
    """Features of queries or documents, by name: dtype, values of each row, which rows have it."""

    rows: int
    features: dict[str, tuple[str, list[list[Any]], list[bool] | None]] = field(default_factory=dict)

    @property
    def pieces(self) -> wire.Pieces:
        return wire.example({name: _feature(*given) for name, given in self.features.items()})

    def fill(self, message: Any, row: int) -> None:
        """The same in a tf.Example."""
        for name, (dtype, values, present) in self.features.items():
            if present is None or present[row]:
                one = [value.encode() if dtype == "string" else value for value in values[row]]
                getattr(message.features.feature[name], LISTS[dtype]).value.extend(one)


def _feature(dtype: str, values: list[list[Any]], present: list[bool] | None) -> wire.Feature:
    chosen = None if present is None else np.array(present, bool)
    lengths = [len(row) for row in values]
    starts, flat = np.append(0, np.cumsum(lengths)).astype(np.int64), [value for row in values for value in row]
    if dtype == "float32":
        return wire.floats(np.array(values, np.float32).reshape(len(values), -1 if values else 1), chosen)
    if dtype == "int64":
        return wire.integers(np.array(flat, np.int64), starts, chosen)
    single = all(length == 1 for length in lengths)
    return wire.texts(pa.array(flat, pa.string()), None if single else starts, chosen)


@st.composite
def sides(draw: st.DrawFn, rows: int) -> Side:
    features = {}
    for name in draw(st.lists(NAMES, min_size=1, max_size=4, unique=True)):
        dtype = draw(st.sampled_from(sorted(LISTS)))
        size = draw(st.integers(1, 3))
        least = size if dtype == "float32" or draw(st.booleans()) else 0
        row = st.lists(VALUES[dtype], min_size=least, max_size=size)
        values = draw(st.lists(row, min_size=rows, max_size=rows))
        present = draw(st.none() | st.lists(st.booleans(), min_size=rows, max_size=rows))
        features[name] = dtype, values, present
    return Side(rows, features)


@st.composite
def batches(draw: st.DrawFn) -> tuple[list[int], Side, Side]:
    lengths = draw(st.lists(st.integers(0, 4), min_size=1, max_size=5))
    return lengths, draw(sides(len(lengths))), draw(sides(sum(lengths)))


def names_within_names(side: Side) -> bool:
    """Whether a name begins another: then the library for Python writes the longer one first."""
    names = sorted(side.features)
    return any(longer.startswith(name) for name, longer in pairwise(names))


LONG = Side(3, {"numbers": ("float32", [[float(n)] * 40 for n in range(3)], None)})
NOTHING = Side(2, {"a": ("int64", [[], []], None), "b": ("string", [["x"], ["y"]], [False, False])})


@settings(max_examples=300, derandomize=True, deadline=None)
@given(batches())
@example(([2, 1], NOTHING, LONG))
@example(([0, 2], NOTHING, NOTHING))
@example(([0], Side(1, {"q": ("string", [["x"]], None)}), Side(0, {"d": ("float32", [], None)})))
def test_records_are_the_bytes_of_protocol_buffers(batch):
    lengths, queries, documents = batch
    starts = np.append(0, np.cumsum(lengths)).astype(np.int64)
    records = list(wire.list_records(documents.pieces, starts, queries.pieces))
    assert len(records) == len(lengths)
    for at, record in enumerate(records):
        elwc = input_pb2.ExampleListWithContext()
        queries.fill(elwc.context, at)
        elwc.context.SetInParent()
        for document in range(starts[at], starts[at + 1]):
            documents.fill(elwc.examples.add(), document)
        for message in (elwc.context, *elwc.examples):
            message.features.SetInParent()
        expected = elwc.SerializeToString(deterministic=True)
        if not any(names_within_names(side) for side in (queries, documents)):
            assert record == expected
        parsed = input_pb2.ExampleListWithContext.FromString(record)
        assert parsed.SerializeToString(deterministic=True) == expected


@pytest.mark.parametrize("size", [0, 1, 2, 31, 32, 4095, 4096, 600_000])
def test_vectors_of_any_size(size):
    """Lengths of one byte and more, and a vector without numbers."""
    numbers = np.arange(2 * size, dtype=np.float32).reshape(2, size)
    query = wire.example({"q": wire.texts(pa.array(["one list"]))})
    [record] = wire.list_records(wire.example({"dense": wire.floats(numbers)}), np.array([0, 2]), query)
    elwc = input_pb2.ExampleListWithContext.FromString(record)
    got = [e.features.feature["dense"].float_list.value for e in elwc.examples]
    assert np.array(got, np.float32).reshape(2, size).tobytes() == numbers.tobytes()


def test_views_into_larger_arrays_are_their_own_part():
    strings = pa.array(["no", "yes", "ja", "no"]).slice(1, 2)
    numbers = np.arange(12, dtype=np.float32).reshape(4, 3)[1:3, 1]
    pieces = wire.example({"t": wire.texts(strings), "n": wire.floats(numbers)})
    [record] = wire.list_records(pieces, np.array([0, 2]), wire.example({"q": wire.texts(pa.array(["q"]))}))
    found = [e.features.feature for e in input_pb2.ExampleListWithContext.FromString(record).examples]
    assert [f["t"].bytes_list.value[0] for f in found] == [b"yes", b"ja"]
    assert [f["n"].float_list.value[0] for f in found] == [4, 7]
