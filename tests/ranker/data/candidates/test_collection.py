"""The place of each document id, by its hash."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from ranker.data import id_hash
from ranker.data.candidates import collection
from ranker.data.candidates.collection import Collection
from ranker.data.id_hash import hash_ids, partition_of
from ranker.data.spill import Spill


def spilled(tmp_path, ids: list[str], partitions: int) -> Spill:
    """The ids among other columns, spread by their hash."""
    rows = pa.RecordBatch.from_pydict({"document_id": pa.array(ids, pa.string()), "n": pa.array(range(len(ids)))})
    spill = Spill(tmp_path / "documents", rows.schema, partitions)
    spill.write(rows, partition_of(id_hash.hash_ids(rows["document_id"]), partitions))
    spill.close()
    return spill


@pytest.mark.parametrize("partitions", [1, 4])
def test_places_are_those_of_the_sorted_hashes(tmp_path, partitions):
    ids = [f"d{i}" for i in range(300)] + ["é", "d7", "d7"]
    documents = spilled(tmp_path, ids, partitions)
    found = Collection.of(documents)
    expected = sorted(set(ids), key=lambda one: int(hash_ids(pa.array([one]))[0]))
    assert found.ids.to_pylist() == expected
    assert len(found) == 301
    asked = pa.array(["nowhere", *ids, "", "d299x"])
    places = [expected.index(one) if one in expected else -1 for one in asked.to_pylist()]
    assert found.places(asked).tolist() == places
    assert found.places(pa.array([], pa.string())).tolist() == []
    for part in range(partitions):
        own = set(documents.read_whole(part)["document_id"].to_pylist())
        assert set(expected[found.starts[part] : found.starts[part + 1]]) == own
    assert found.starts[-1] == 301


def test_ids_of_one_hash_are_told_apart(tmp_path, monkeypatch):
    """A hash of three values in place of the real one."""

    def few(ids: pa.StringArray) -> np.ndarray:
        return np.array([int(one[1:]) % 3 << 62 for one in ids.to_pylist()], np.uint64)

    monkeypatch.setattr(collection, "hash_ids", few)
    monkeypatch.setattr(id_hash, "hash_ids", few)
    ids = [f"d{i}" for i in range(30)]
    found = Collection.of(spilled(tmp_path, ids, 2))
    expected = sorted(ids, key=lambda one: (int(one[1:]) % 3, one))
    assert found.ids.to_pylist() == expected
    asked = [*ids, "d30", "d31", "d302"]
    assert found.places(pa.array(asked)).tolist() == [*(expected.index(one) for one in ids), -1, -1, -1]


def test_no_documents(tmp_path):
    found = Collection.of(spilled(tmp_path, [], 3))
    assert len(found) == 0
    assert found.places(pa.array(["a"])).tolist() == [-1]
    assert found.starts.tolist() == [0, 0, 0, 0]
