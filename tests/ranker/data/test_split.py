"""Splits by a hash of the query id."""

from __future__ import annotations

import numpy as np
import pytest

from ranker.data.split import SPLITS, splits_of
from ranker.spec import Split

# `printf q1 | b2sum -l 64` and so on, of coreutils: the share of an id is this number over 2**64.
HASHES = {
    "q1": 0xE7837AA50EE28068,
    "q2": 0x6A1D8EE949A4246A,
    "q3": 0x49C2CBD8FECAB421,
    "00042": 0xB88BF4A734A4BDFE,
    "größe": 0xF4F8E155C9329AE9,
}


@pytest.mark.parametrize("query_id", HASHES)
def test_an_id_goes_where_its_hash_says(query_id):
    """From 0: test, then valid, then train. A limit just above or below the id's share moves it."""
    share = HASHES[query_id] / 2**64

    def split(**shares: float) -> str:
        return str(splits_of([query_id], Split(**shares))[0])

    assert split(test=share + 1e-9, valid=1e-9) == "test"
    assert split(test=share - 1e-9, valid=2e-9) == "valid"
    assert split(test=share / 2, valid=share / 2 - 1e-9) == "train"
    assert split(test=share / 2, valid=share / 2 + 1e-9) == "valid"


def test_the_shares_are_about_those_asked_for():
    """Of 20 000 ids, a share p is off by more than four standard deviations once in 16 000 seeds."""
    splits = splits_of([f"query {i}" for i in range(20_000)], Split(valid=0.1, test=0.25))
    for name, share in zip(SPLITS, (0.65, 0.1, 0.25), strict=True):
        assert abs(np.mean(splits == name) - share) < 4 * np.sqrt(share * (1 - share) / 20_000)


def test_an_id_goes_to_the_same_split_in_every_order_and_company():
    ids = [f"q{i}" for i in range(500)] + ["", "Größe", "日本"]
    split = Split(valid=0.3, test=0.3)
    together = dict(zip(ids, splits_of(ids, split), strict=True))
    order = np.random.default_rng(1).permutation(len(ids))
    shuffled = [ids[at] for at in order]
    assert dict(zip(shuffled, splits_of(shuffled, split), strict=True)) == together
    assert {i: splits_of([i], split)[0] for i in ids} == together
    assert set(together.values()) == set(SPLITS)


def test_a_larger_test_share_keeps_the_lists_that_were_there():
    ids = [f"q{i}" for i in range(500)]
    small, large = (splits_of(ids, Split(valid=0.1, test=share)) == "test" for share in (0.2, 0.4))
    assert large[small].all()
    assert large.sum() > small.sum()


def test_no_ids_no_splits():
    assert splits_of([], Split()).tolist() == []
