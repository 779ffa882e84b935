"""Splits by a hash of the query id, by time and by given files."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranker.data.split import SPLITS, SplitBounds, SplitRule, splits_of
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


# --- by time ---------------------------------------------------------------------------------------------------------


def codes(bounds: SplitBounds, times: list[int]) -> list[str]:
    return [SPLITS[code] for code in bounds.codes(np.array(times))]


@pytest.mark.parametrize(
    ("times", "valid", "test", "expected"),
    [
        (range(10), 0.2, 0.3, "train " * 5 + "valid " * 2 + "test " * 3),
        ([0, 1, 1, 1, 1], 0.1, 0.4, "train " + "test " * 4),  # 0.4 of 5 are 2: four are nearer than none
        ([0, 1, 1, 1, 1, 1], 0.1, 0.2, "train " * 6),  # 0.2 of 6 are 1.2: none is nearer than five
        ([0, 1, 2, 3], 0.2, 0.375, "train train test test"),  # 0.375 of 4 are 1.5: of 1 and 2 the earlier cut
        ([5, 5, 5], 0.2, 0.2, "train " * 3),
        ([-7], 0.2, 0.7, "test"),
    ],
)
def test_bounds_come_nearest_to_the_shares(times, valid, test, expected):
    times = list(times)
    bounds = SplitBounds.of_times(np.array(times), Split(by="time", valid=valid, test=test))
    assert codes(bounds, times) == expected.split()


@settings(deadline=None)
@given(
    times=st.lists(st.integers(-5, 9), min_size=1, max_size=40),
    valid=st.floats(0.05, 0.45),
    test=st.floats(0.05, 0.45),
)
def test_no_other_cut_comes_nearer(times, valid, test):
    split = Split(by="time", valid=valid, test=test)
    bounds = SplitBounds.of_times(np.array(times), split)
    found = codes(bounds, times)
    in_order = [SPLITS.index(one) for _, one in sorted(zip(times, found, strict=True), key=lambda pair: pair[0])]
    assert in_order == sorted(in_order)
    reachable = {sum(time >= cut for time in times) for cut in (*times, 99)}
    of_test = found.count("test")
    assert abs(of_test - test * len(times)) == pytest.approx(min(abs(n - test * len(times)) for n in reachable))
    both = (valid + test) * len(times)
    there = {n for n in reachable if n >= of_test}
    assert abs(of_test + found.count("valid") - both) == pytest.approx(min(abs(n - both) for n in there))


def test_without_lists_there_are_bounds_all_the_same():
    assert SplitBounds.of_times(np.empty(0, np.int64), Split(by="time")).codes(np.empty(0, np.int64)).tolist() == []


def test_bounds_are_told_as_moments():
    assert SplitBounds(3, 5).to_json() == {"valid": 3, "test": 5}
    bounds = SplitBounds.of_times(np.full(3, 7), Split(by="time", valid=0.7, test=0.1))
    assert bounds.to_json() == {"valid": 7, "test": None}


# --- rules -----------------------------------------------------------------------------------------------------------

IDS = [f"q{i}" for i in range(50)]
NO_TIMES, NO_FILES = np.zeros(50, np.int64), np.zeros(50, np.int8)


def test_a_rule_by_hash_is_that_of_the_function():
    split = Split(valid=0.3, test=0.3)
    rule = SplitRule(split)
    expected = splits_of(IDS, split).tolist()
    assert [SPLITS[code] for code in rule.of_lists(IDS, NO_FILES, NO_TIMES)] == expected
    assert [rule.of_row(one, 0) for one in IDS] == expected
    assert rule.of_row("", 0) is None
    assert rule.without_files is rule


def test_a_rule_by_time_needs_bounds_and_cannot_tell_a_row():
    times = np.arange(50)
    rule = SplitRule(Split(by="time"))
    with pytest.raises(ValueError, match="bounds of a split by time are not known"):
        rule.of_lists(IDS, NO_FILES, times)
    bounds = SplitBounds(10, 40)
    assert (
        SplitRule(Split(by="time"), (), bounds).of_lists(IDS, NO_FILES, times).tolist()
        == [0] * 10 + [1] * 30 + [2] * 10
    )
    assert rule.of_row("q1", 0) is None


def test_a_rule_by_files_takes_validation_from_the_training_if_it_has_no_file():
    files = np.arange(50, dtype=np.int8) % 3
    whole = SplitRule(Split(), (0, 1, 2))
    assert whole.of_lists(IDS, files, NO_TIMES).tolist() == files.tolist()
    assert [whole.of_row(one, 1) for one in ("q1", "")] == ["valid", "valid"]
    part = SplitRule(Split(valid=0.4), (0, 2, 2))
    by_hash = splits_of(IDS, Split(valid=0.4, test=1e-12))
    found = part.of_lists(IDS, np.where(files == 1, 0, files).astype(np.int8), NO_TIMES)
    assert [SPLITS[code] for code in found] == ["test" if f == 2 else s for f, s in zip(files, by_hash, strict=True)]
    assert [part.of_row(one, 0) for one in IDS] == by_hash.tolist()
    assert (part.of_row("", 0), part.of_row("q1", 2), part.without_files) == ("train", "test", None)
