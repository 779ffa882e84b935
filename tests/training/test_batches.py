"""Order, sampling and padding, against definitions written as loops."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranker.data.layout import IdFeature, Layout
from ranker.spec import Linear, Training
from training.batches import Batches, epoch_order, pad_lists, padded_length, prefetched, sampled
from training.examples import Examples, IdValues
from training.settings import settle

LAYOUT = Layout(
    ("a", "b"),
    (
        IdFeature("words", "query", 90, 4, True, "words"),
        IdFeature("colour", "document", 90, 4, False, "colour"),
        IdFeature("tags", "document", 90, 4, True, "tags"),
    ),
    ("weight",),
)
SETTINGS = settle(Linear(name="line", kind="linear"), Training(batch_size=4, list_cap=50, seed=3), 100, 100)


def ids(counts: np.ndarray) -> IdValues:
    offsets = np.concatenate([[0], np.cumsum(counts)])
    return IdValues(np.arange(1, offsets[-1] + 1), offsets)


def made(sizes) -> Examples:
    """Lists of these sizes, every number another one."""
    random = np.random.default_rng(0)
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    documents = int(offsets[-1])
    dense = np.arange(1, 2 * documents + 1, dtype=np.float32).reshape(-1, 2)
    labels = random.integers(0, 3, documents).astype(np.float32)
    of_ids = {
        "words": ids(random.integers(0, 4, len(sizes))),
        "colour": ids(random.integers(0, 2, documents)),
        "tags": ids(random.integers(0, 3, documents)),
    }
    return Examples(LAYOUT, offsets, dense, labels, of_ids, {"weight": labels + 1})


def test_padding_is_what_a_loop_gives():
    examples = made([3, 1, 20, 9])
    lists = np.array([2, 0, 3])
    rows = [np.arange(examples.offsets[q], examples.offsets[q + 1]) for q in lists]
    batch = pad_lists(examples, lists, rows, 5)
    length = batch.mask.shape[1]
    assert batch.mask.shape == (5, 24)
    for at, (number, documents) in enumerate(zip(lists, rows, strict=True)):
        assert batch.mask[at].tolist() == [place < len(documents) for place in range(length)]
        words = examples.ids["words"]
        wanted = words.values[words.offsets[number] : words.offsets[number + 1]].tolist()
        assert batch.features["words"][at].tolist() == wanted + [0] * (batch.features["words"].shape[1] - len(wanted))
        for place, row in enumerate(documents):
            assert batch.features["dense"][at, place].tolist() == examples.dense[row].tolist()
            assert (batch.labels[at, place], batch.judged["weight"][at, place]) == (
                examples.labels[row],
                examples.judged["weight"][row],
            )
            for name in ("colour", "tags"):
                own = examples.ids[name]
                wanted = own.values[own.offsets[row] : own.offsets[row + 1]].tolist()
                width = batch.features[name].shape[2]
                assert batch.features[name][at, place].tolist() == wanted + [0] * (width - len(wanted))
    assert batch.features["colour"].shape[2] == 1
    empty = ~batch.mask
    for values in (batch.labels, batch.judged["weight"], batch.features["dense"], batch.features["tags"]):
        assert not values[empty].any()
    assert not batch.features["words"][3:].any()


@given(st.integers(1, 100_000))
def test_padded_lengths_are_few_and_waste_little(longest):
    length = padded_length(longest)
    assert longest <= length <= max(longest + 7, longest * 1.25)
    assert padded_length(length) == length


def test_there_are_few_lengths():
    assert len({padded_length(longest) for longest in range(1, 1001)}) <= 25


@given(st.lists(st.integers(1, 30), max_size=300), st.integers(1, 17), st.booleans())
def test_each_list_comes_once_in_an_epoch(sizes, batch_size, buckets):
    order = epoch_order(np.array(sizes, np.int64), batch_size, (1, 2), buckets)
    assert sorted(np.concatenate([*order, np.zeros(0, int)]).tolist()) == list(range(len(sizes)))
    assert all(len(batch) <= batch_size for batch in order)
    assert len(order) == -(-len(sizes) // batch_size)


def test_orders_differ_by_epoch_and_seed_and_repeat():
    sizes = np.arange(1, 101)

    def order(*key):
        return [batch.tolist() for batch in epoch_order(sizes, 8, key, True)]

    assert order(1, 0) == order(1, 0)
    assert order(1, 0) != order(1, 1)
    assert order(1, 0) != order(2, 0)


def test_buckets_put_lists_of_like_length_together():
    sizes = np.random.default_rng(0).integers(1, 200, 1000)

    def padded(buckets: bool) -> int:
        return sum(len(b) * sizes[b].max() for b in epoch_order(sizes, 16, (0, 0), buckets))

    assert padded(True) < 1.15 * sizes.sum() < padded(False)


def test_lists_meet_others_in_each_epoch():
    sizes = np.random.default_rng(0).integers(1, 200, 1000)
    together = [
        {frozenset(pair) for batch in epoch_order(sizes, 16, (0, epoch), True) for pair in pairwise(sorted(batch))}
        for epoch in (0, 1)
    ]
    assert len(together[0] & together[1]) < 0.2 * len(together[0])


def test_a_list_above_the_cap_keeps_its_relevant_documents():
    examples = made([30, 100, 5])
    kept = [sampled(examples, 1, 80, 3, epoch) for epoch in range(20)]
    relevant = set((30 + np.flatnonzero(examples.labels[30:130] > 0)).tolist())
    for documents in kept:
        assert len(set(documents.tolist())) == 80
        assert (np.diff(documents) > 0).all()
        assert documents.min() >= 30 > 130 - documents.max() - 1
        assert relevant <= set(documents.tolist())
    assert len({documents.tobytes() for documents in kept}) > 10, "another sample in each epoch"
    assert set(np.concatenate(kept).tolist()) == set(range(30, 130)), "each document gets its turn"
    assert sampled(examples, 1, 80, 3, 5).tolist() == kept[5].tolist()
    assert sampled(examples, 2, 80, 3, 0).tolist() == list(range(130, 135))


def test_more_relevant_documents_than_the_cap_are_sampled():
    examples = made([100])
    full = replace(examples, labels=np.ones(100, np.float32))
    kept = [sampled(full, 0, 10, 3, epoch) for epoch in range(200)]
    counts = np.bincount(np.concatenate(kept), minlength=100)
    assert counts.sum() == 2000
    assert 5 <= counts.min() < counts.max() <= 42, "20 +- 4 times each"


def test_an_epoch_goes_on_where_it_was():
    examples = made(np.random.default_rng(0).integers(1, 90, 30))
    batches = Batches(examples, SETTINGS)
    whole = [batch.features["dense"].tobytes() for batch in batches.epoch(2)]
    assert len(whole) == batches.steps == 8
    assert [batch.features["dense"].tobytes() for batch in batches.epoch(2, first=5)] == whole[5:]
    assert [batch.features["dense"].tobytes() for batch in batches.epoch(3)] != whole


def test_fixed_batches_are_filled_with_empty_lists():
    examples = made([3] * 10)
    batches = list(Batches(examples, SETTINGS, fixed=True).epoch(0))
    assert [len(batch.mask) for batch in batches] == [4, 4, 4]
    assert sum(int(batch.mask.any(axis=1).sum()) for batch in batches) == 10


def test_some_of_the_lists():
    examples = made([3, 4, 5, 6, 7])
    lists = np.array([1, 4])
    [batch] = Batches(examples, SETTINGS, lists).epoch(0)
    assert sorted(batch.mask.sum(axis=1).tolist()) == [4, 7]


def test_an_error_in_the_thread_is_raised_where_the_batch_is_wanted():
    def broken():
        yield from Batches(made([3]), SETTINGS).epoch(0)
        raise OSError("the disk is gone")

    found = prefetched(broken())
    next(found)
    with pytest.raises(OSError, match="the disk is gone"):
        next(found)


def test_stopping_early_ends_the_thread():
    found = prefetched(Batches(made([3] * 100), SETTINGS).epoch(0))
    next(found)
    found.close()  # would wait for ever if the thread did not end
