import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.order_statistics import Numbers

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
