"""The hash of ids against the same arithmetic in plain integers."""

from __future__ import annotations

import random

import numpy as np
import pyarrow as pa
import pytest

from ranker.data import id_hash
from ranker.data.id_hash import hash_ids, hash_order, partition_of

_ALL = 2**64 - 1


def mixed(value: int) -> int:
    value = ((value ^ (value >> 33)) * 0xFF51AFD7ED558CCD) & _ALL
    value = ((value ^ (value >> 33)) * 0xC4CEB9FE1A85EC53) & _ALL
    return value ^ (value >> 33)


def hash_of(text: str) -> int:
    data = text.encode()
    value = mixed((len(data) + 0x9E3779B97F4A7C15) & _ALL)
    for at in range(0, len(data), 8):
        value = mixed(value ^ int.from_bytes(data[at : at + 8], "little"))
    return value


def test_it_is_the_stated_arithmetic_whatever_the_lengths():
    rng = random.Random(1)
    ids = ["", "a", "a\0", "\0", "ä" * 20, *("".join(rng.choices("abc日", k=k)) for k in range(50))]
    assert hash_ids(pa.array(ids)).tolist() == [hash_of(text) for text in ids]
    assert hash_ids(pa.array(ids).slice(7, 9)).tolist() == [hash_of(text) for text in ids[7:16]]
    assert hash_ids(pa.array([], pa.string())).tolist() == []
    assert hash_ids(pa.array(["", ""])).tolist() == [hash_of("")] * 2


@pytest.mark.parametrize("partitions", [1, 3, 8, 256])
def test_partitions_are_even_ranges_of_the_hash(partitions):
    hashes = np.sort(hash_ids(pa.array([f"q{i}" for i in range(50_000)])))
    assert len(np.unique(hashes)) == 50_000
    partition = partition_of(hashes, partitions)
    assert (np.diff(partition) >= 0).all()
    np.testing.assert_allclose(np.bincount(partition, minlength=partitions), 50_000 / partitions, rtol=0.5)
    assert partition_of(np.array([0, _ALL], np.uint64), partitions).tolist() == [0, partitions - 1]


def test_the_order_is_that_of_the_hashes_and_then_of_the_ids(monkeypatch):
    ids = [f"q{i}" for i in range(500)]
    assert hash_order(pa.array(ids)).tolist() == sorted(range(500), key=lambda place: hash_of(ids[place]))
    assert hash_order(pa.array([], pa.string())).tolist() == []
    monkeypatch.setattr(id_hash, "hash_ids", lambda ids: np.array([len(one) for one in ids.to_pylist()], np.uint64))
    assert hash_order(pa.array(ids)).tolist() == sorted(range(500), key=lambda place: (len(ids[place]), ids[place]))
