import tracemalloc

import numpy as np
import pytest

from eval.ragged import Ragged


def ragged(*sizes):
    return Ragged.of_sizes(np.array(sizes, dtype=np.int64))


def test_rows_and_positions():
    rows = ragged(2, 0, 3)
    assert (len(rows), rows.offsets.tolist(), rows.sizes.tolist()) == (3, [0, 2, 2, 5], [2, 0, 3])
    assert rows.rows.tolist() == [0, 0, 2, 2, 2] == rows.rows_of(np.arange(5)).tolist()
    assert rows.positions.tolist() == [1, 2, 1, 2, 3]


def test_sums_and_counts_of_each_row():
    rows = ragged(2, 0, 3)
    assert rows.sums(np.array([1.0, 2, 4, 8, 16])).tolist() == [3, 0, 28]
    assert rows.counts(np.array([True, False, True, False, True])).tolist() == [1, 0, 2]
    assert rows.running(np.array([1, 2, 4, 8, 16])).tolist() == [1, 3, 4, 12, 28]
    assert ragged().sums(np.zeros(0)).dtype == ragged(0, 0).sums(np.zeros(0)).dtype == np.float64


def test_cut_after_k_items():
    rows, values = ragged(2, 0, 3), np.array([10, 11, 20, 21, 22])
    for k, expected in [(1, [10, 20]), (2, [10, 11, 20, 21]), (3, values.tolist()), (None, values.tolist())]:
        cut, items = rows.first(k)
        assert values[items].tolist() == expected
        assert cut.sizes.tolist() == np.minimum(rows.sizes, k or 9).tolist()
    assert len(ragged().first(2)[0]) == 0


def test_some_rows_and_some_items():
    rows, values = ragged(2, 0, 3, 1), np.array([10, 11, 20, 21, 22, 30])
    chosen, items = rows.select(np.array([True, True, False, True]))
    assert (chosen.sizes.tolist(), values[items].tolist()) == ([2, 0, 1], [10, 11, 30])
    assert rows.keep(values % 2 == 0).sizes.tolist() == [1, 0, 2, 1]


@pytest.mark.parametrize("sizes", [[], [0], [3], [0, 5, 0], [20_000, 1, 2, 17_000, 0], [100] * 500])
def test_chunks_hold_every_row_once(sizes):
    rows = ragged(*sizes)
    chunks = list(rows.chunks())
    assert [size for part, _ in chunks for size in part.sizes.tolist()] == sizes
    assert [item for part, items in chunks for item in range(items.start, items.stop)] == list(range(sum(sizes)))
    assert all(part.offsets[-1] == items.stop - items.start for part, items in chunks)


def test_descending_sorts_each_row_by_itself():
    order = ragged(3, 0, 1, 2).descending(np.array([1.0, 3.0, 2.0, 9.0, -1.0, 5.0]))
    assert order.tolist() == [1, 2, 0, 3, 5, 4]


def test_descending_agrees_with_lexsort():
    """Sizes 0 to 299 make blocks of one size, of several sizes, and several blocks per size class."""
    random = np.random.default_rng(5)
    rows = ragged(*random.integers(0, 300, size=700))
    values = random.normal(size=rows.offsets[-1]) * 1e300
    expected = np.lexsort((-values, rows.rows))
    np.testing.assert_array_equal(rows.descending(values), expected)
    np.testing.assert_array_equal(rows.falling(values), values[expected])


def test_descending_texts_come_in_the_order_of_their_bytes():
    """Rows of one size and of several, with empty texts, repeats and characters beyond ASCII and beyond 16 bits."""
    random = np.random.default_rng(7)
    rows = ragged(*random.integers(0, 9, size=300), 3, 3)
    texts = random.choice(["", "a", "B", "10", "9", "é", "\U0010ffff", "\uffff", "\U0001f600", "ab"], rows.offsets[-1])
    found = texts[rows.descending_texts(texts)].tolist()
    for start, end in zip(rows.offsets[:-1], rows.offsets[1:], strict=True):
        assert found[start:end] == sorted(texts[start:end].tolist(), key=str.encode, reverse=True)


def test_padded_holds_every_item_once():
    random = np.random.default_rng(6)
    rows = ragged(*random.integers(0, 50, size=900))
    values, seen = random.normal(size=rows.offsets[-1]), np.zeros(rows.offsets[-1], dtype=int)
    for numbers, items, real, matrix in rows.padded(values, -7.0):
        seen[items[real]] += 1
        np.testing.assert_array_equal(matrix[real], values[items[real]])
        assert np.sum(matrix == -7.0) == matrix.size - rows.sizes[numbers].sum()
    assert np.all(seen == 1)


def test_one_long_row_among_many_short_ones_takes_little_memory():
    """10,000 rows padded to the width of the longest would take 480 MB."""
    rows, values = ragged(*[1] * 10_000, 6_000), np.arange(16_000.0)
    tracemalloc.start()
    try:
        order = rows.descending(values)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10 * values.nbytes
    np.testing.assert_array_equal(order, [*range(10_000), *range(15_999, 9_999, -1)])
