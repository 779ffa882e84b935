import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.order_statistics import DIGITS, Numbers, Search, edges_between, even_ranks

NUMBERS = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=60)


@given(values=NUMBERS, cut=st.integers(0, 60), data=st.data())
def test_numbers_on_disk_are_ordered_as_numpy_sorts_them(tmp_path_factory, values, cut, data):
    ranks = data.draw(st.lists(st.integers(0, len(values) - 1), min_size=1, max_size=5))
    on_disk, held = Numbers(tmp_path_factory.mktemp("numbers") / "file"), Numbers()
    for numbers in (on_disk, held):
        numbers.add(np.array(values[:cut]))
        numbers.add(np.array(values[cut:]))
        assert numbers.count == len(values)
        assert numbers.at(ranks).tolist() == np.sort(values)[ranks].tolist()


def test_many_numbers_with_ties(tmp_path):
    values = np.round(np.random.default_rng(0).normal(size=20_000), 1)
    numbers = Numbers(tmp_path / "file")
    for part in np.array_split(values, 7):
        numbers.add(part)
    ranks = [0, 1, 5_000, 9_999, 10_000, 19_999]
    assert numbers.at(ranks).tolist() == np.sort(values)[ranks].tolist()


@pytest.mark.parametrize("file", [None, "file"])
def test_no_ranks_give_no_numbers(tmp_path, file):
    assert Numbers(None if file is None else tmp_path / file).at([]).tolist() == []


@given(values=NUMBERS, parts=st.integers(1, 5), buckets=st.integers(2, 9))
def test_counts_of_several_files_find_the_edges_of_all(tmp_path_factory, values, parts, buckets):
    folder, every = tmp_path_factory.mktemp("numbers"), np.array(values)
    files = [Numbers(folder / str(place)) for place in range(parts)]
    for numbers, part in zip(files, np.array_split(every, parts), strict=True):
        numbers.add(part)
    search = Search.of(even_ranks(len(every), buckets))
    for _ in range(DIGITS):
        search = search.next(sum((numbers.counts(search) for numbers in files), start=search.none()))
    whole = Numbers()
    whole.add(every)
    assert edges_between(search.found()).tolist() == whole.edges(buckets).tolist()


def test_no_numbers_have_no_edges(tmp_path):
    assert Numbers(tmp_path / "file").edges(4).tolist() == Numbers().edges(4).tolist() == []
    search = Search.of([])
    for _ in range(DIGITS):
        search = search.next(Numbers(tmp_path / "file").counts(search))
    assert search.found().tolist() == []
