import math

import numpy as np
import pytest

from eval.lists import Lists
from eval.metrics import Catalogue, Novelty
from eval.ranking import rank

ITEMS = np.array(list("abc"))


def ranking():
    """List 0 shows a, then b or c; list 1 shows b; list 2 nothing."""
    lists = Lists(np.arange(3), np.array([0, 3, 4, 4]), np.zeros(4), document_ids=np.array(["a", "b", "c", "b"]))
    return rank(lists, np.array([2.0, 1.0, 1.0, 0.0]))


def test_by_hand():
    """Popularities 5, 2, 0 and 1 added to each: shares 6/10, 3/10, 1/10."""
    bits = {item: -math.log2(share) for item, share in zip("abc", (0.6, 0.3, 0.1), strict=True)}
    value, contributions = Novelty(2).measure(ranking(), Catalogue(ITEMS, np.array([5.0, 2.0, 0.0])))
    expected = [(bits["a"] + (bits["b"] + bits["c"]) / 2) / 2, bits["b"]]
    assert contributions[:2] == pytest.approx(expected, rel=1e-12)
    assert np.isnan(contributions[2])
    assert value == pytest.approx(np.mean(expected), rel=1e-12)


def test_smoothing():
    value, _ = Novelty(1, smoothing=0.5).measure(ranking(), Catalogue(ITEMS, np.array([5.0, 2.0, 0.0])))
    assert value == pytest.approx(-(math.log2(5.5 / 8.5) + math.log2(2.5 / 8.5)) / 2, rel=1e-12)


def test_popularity_is_needed():
    with pytest.raises(ValueError, match="novelty@2 needs the popularity of items, and the catalogue has none"):
        Novelty(2).measure(ranking(), Catalogue(ITEMS))
