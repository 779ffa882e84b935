from itertools import permutations, product

import numpy as np
import pytest

from eval.lists import Lists
from eval.metrics import Catalogue, Coverage
from eval.ranking import rank

CATALOGUE = Catalogue(np.array(list("abcdefgh")))


def run(*lists):
    """A ranking of lists of (id, score) pairs."""
    ids = np.array([document for one in lists for document, _ in one], dtype=str)
    scores = np.array([score for one in lists for _, score in one], dtype=np.float64)
    offsets = np.cumsum([0, *map(len, lists)]).astype(np.int64)
    return rank(Lists(np.arange(len(lists)), offsets, np.zeros(len(ids)), document_ids=ids), scores)


def test_by_hand():
    """a, b and a, c are shown, d is below the cutoff: 3 of 8."""
    ranking = run([("a", 3), ("b", 2), ("d", 1)], [("c", 1), ("a", 2)])
    assert Coverage(2).measure(ranking, CATALOGUE)[0] == pytest.approx(3 / 8)
    assert Coverage(9).measure(ranking, CATALOGUE)[0] == pytest.approx(4 / 8)


def test_ties_are_the_mean_over_all_orders_of_all_lists():
    lists = [[("a", 1), ("b", 1), ("c", 1)], [("b", 2), ("a", 1), ("d", 1)], [("c", 1), ("d", 1)], [("e", 1)]]
    allowed = [[order for order in permutations(one) if sorted(order, key=lambda pair: -pair[1]) == list(order)]
               for one in lists]  # fmt: skip
    seen = [len({document for order in orders for document, _ in order[:2]}) for orders in product(*allowed)]
    assert Coverage(2).measure(run(*lists), CATALOGUE)[0] == pytest.approx(np.mean(seen) / 8, rel=1e-12)
