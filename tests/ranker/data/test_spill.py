"""Spilled rows come back, partition by partition and in their order, and their files go."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from ranker.data import spill
from ranker.data.spill import Spill


@pytest.mark.parametrize("held", [1, 300, 1 << 20])
@pytest.mark.parametrize("partitions", [1, 4])
def test_each_partition_keeps_the_order_of_its_rows(tmp_path, monkeypatch, held, partitions):
    monkeypatch.setattr(spill, "_HELD", held)
    schema = pa.schema([("n", pa.int64()), ("text", pa.string())])
    spilled = Spill(tmp_path / "rows", schema, partitions)
    expected: dict[int, list[int]] = {number: [] for number in range(partitions)}
    for start in range(0, 100, 10):
        numbers = np.arange(start, start + 10)
        partition = numbers * 7 % 13 % partitions
        partition[partition == 3] = 0  # one stays empty
        spilled.write(
            pa.RecordBatch.from_arrays([pa.array(numbers), pa.array(map(str, numbers))], schema=schema), partition
        )
        for number, one in zip(numbers.tolist(), partition.tolist(), strict=True):
            expected[one].append(number)
    spilled.close()
    assert spilled.rows == 100
    for number in range(partitions):
        rows = spilled.read_whole(number)
        assert rows.schema == schema
        assert rows["n"].to_pylist() == expected[number]
        assert rows["text"].to_pylist() == [str(one) for one in expected[number]]
    assert list((tmp_path / "rows").iterdir()) == []


def test_some_columns_of_a_partition_can_be_looked_at_before(tmp_path, monkeypatch):
    monkeypatch.setattr(spill, "_HELD", 100)
    schema = pa.schema([("n", pa.int64()), ("text", pa.string()), ("list", pa.list_(pa.string()))])
    spilled = Spill(tmp_path / "rows", schema, 3)
    for start in range(0, 40, 8):
        numbers = np.arange(start, start + 8)
        values = [pa.array(numbers), pa.array(map(str, numbers)), pa.array([["x"] * (n % 3) for n in numbers])]
        spilled.write(pa.RecordBatch.from_arrays(values, schema=schema), numbers % 2)
    spilled.close()
    for part, expected in enumerate((range(0, 40, 2), range(1, 40, 2), ())):
        for _ in range(2):
            rows = spilled.peek(part, ["list", "n"])
            assert rows.schema.names == ["n", "list"]
            assert rows.to_pydict() == {"n": list(expected), "list": [["x"] * (n % 3) for n in expected]}
        assert spilled.read_whole(part)["n"].to_pylist() == list(expected)
