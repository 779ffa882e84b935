import numpy as np
import pytest

from eval.lists import Lists
from eval.metrics import Catalogue, Gini
from eval.metrics.gini import Exposure
from eval.ranking import rank

CATALOGUE = Catalogue(np.array(list("abcd")))


def mean_difference(times):
    """Half the mean absolute difference over the mean: the index by its definition."""
    times = np.asarray(times, dtype=np.float64)
    return np.abs(times[:, None] - times).mean() / 2 / times.mean()


@pytest.mark.parametrize("times", [[1, 1, 1, 1], [0, 0, 0, 7], [0, 1, 1, 5], [2, 2, 3, 3], [0.5, 0.25, 4, 0]])
def test_it_is_the_mean_difference(times):
    found = Gini(1).value(Exposure(3, np.array(times, dtype=np.float64)))
    assert found == pytest.approx(mean_difference(times), abs=1e-15)


def test_by_hand():
    """a twice, b once, c and d never: (-3 x 0 - 1 x 0 + 1 x 1 + 3 x 2) / (4 x 3)."""
    ids = np.array(["a", "b", "c", "a"])
    lists = Lists(np.arange(2), np.array([0, 3, 4]), np.zeros(4), document_ids=ids)
    assert Gini(2).measure(rank(lists, np.array([3.0, 2.0, 1.0, 1.0])), CATALOGUE)[0] == pytest.approx(7 / 12)
    tied = Gini(1).measure(rank(lists, np.array([3.0, 3.0, 1.0, 1.0])), CATALOGUE)[0]
    assert tied == pytest.approx(mean_difference([1.5, 0.5, 0, 0]))
