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
