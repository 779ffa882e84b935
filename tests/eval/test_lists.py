import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

from eval.lists import Lists


def test_descending_sorts_each_list_by_itself(make_lists):
    lists = make_lists([0, 0, 0], [], [0], [0, 0])
    order = lists.descending(np.array([1.0, 3.0, 2.0, 9.0, -1.0, 5.0]))
    assert order.tolist() == [1, 2, 0, 3, 5, 4]


def test_descending_agrees_with_lexsort_on_ragged_lists(make_lists):
    """Sizes 0 to 299 make blocks of one size, of several sizes, and several blocks per size class."""
    random = np.random.default_rng(5)
    lists = make_lists(*(np.zeros(size) for size in random.integers(0, 300, size=700)))
    values = random.normal(size=len(lists.labels)) * 1e300
    by_list = np.repeat(np.arange(len(lists)), lists.sizes)
    np.testing.assert_array_equal(lists.descending(values), np.lexsort((-values, by_list)))


def test_one_long_list_among_many_short_ones_takes_little_memory(make_lists):
    """10,000 lists padded to the width of the longest would take 480 MB."""
    lists = make_lists(*([0.0] for _ in range(10_000)), np.zeros(6_000))
    values = np.arange(16_000.0)
    tracemalloc.start()
    try:
        order = lists.descending(values)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10 * values.nbytes
    np.testing.assert_array_equal(order, [*range(10_000), *range(15_999, 9_999, -1)])


def test_ideal_labels_fall(make_lists):
    assert make_lists([0, 2, 1], [], [3], [1, 4]).ideal_labels.tolist() == [2, 1, 0, 3, 4, 1]


def test_empty_lists_have_no_relevant_document(make_lists):
    assert make_lists([0, 2], [], [0], [0.5]).empty.tolist() == [False, True, True, False]


def test_discounted_sums(make_lists):
    lists = make_lists([0, 0, 0], [], [0])
    sums = lists.discounted_sums(np.array([5.0, 7.0, 1000.0, 11.0]), np.array([1.0, 0.5]))
    assert sums.tolist() == [5 + 7 / 2, 0, 11]


@pytest.mark.parametrize(
    ("offsets", "labels", "error", "says"),
    [
        ([0, 2, 3], [1.0, -1.0, 0.0], ValueError, r"label -1.0 of document 1 \(from 0\) of query 'a'"),
        ([0, 2, 3], [1.0, 1.0, np.nan], ValueError, r"label nan of document 0 \(from 0\) of query 'b'"),
        ([0, 3], [0.0, 0.0, 0.0], ValueError, "expected 3 offsets for 2 query ids"),
        ([0, 2, 4], [0.0, 0.0, 0.0], ValueError, "rise from 0 to the number of documents, 3"),
        ([0, 4, 3], [0.0, 0.0, 0.0], ValueError, "rise from 0 to the number of documents, 3"),
        ([0.0, 2.0, 3.0], [0.0, 0.0, 0.0], TypeError, "offsets must be int64"),
    ],
)
def test_wrong_lists_are_refused(offsets, labels, error, says):
    with pytest.raises(error, match=says):
        Lists(np.array(["a", "b"]), np.array(offsets), np.array(labels))


def test_imports_stay_light():
    heavy = ["tensorflow", "apache_beam", "lightgbm", "pandas", "scipy", "sklearn"]
    code = f"import sys, eval.evaluate; print([name for name in {heavy} if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
    code = "import sys, eval; print('numpy' in sys.modules, 'pyarrow' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False False"
