import numpy as np
import pytest

from eval.lists import Lists
from eval.metrics import Catalogue
from eval.metrics.catalogue import shown
from eval.ranking import rank


def test_items_are_numbered_as_in_the_catalogue():
    for kind in (str, object):
        catalogue = Catalogue(np.array(["b", "a", "c"], dtype=kind))
        assert (len(catalogue), catalogue.items_of(np.array(["c", "a", "c"], dtype=kind)).tolist()) == (3, [2, 1, 2])
        assert catalogue.items_of(np.zeros(0, dtype=kind)).tolist() == []


@pytest.mark.parametrize("unknown", ["0", "bb", "z"])
def test_an_item_that_is_not_there_is_named(unknown):
    with pytest.raises(ValueError, match=f"document '{unknown}' is not in the catalogue of 2 items"):
        Catalogue(np.array(["b", "a"])).items_of(np.array(["a", unknown]))


@pytest.mark.parametrize(
    ("ids", "popularity", "says"),
    [
        ([], None, "at least one item"),
        (["a", "b", "a"], None, "each item once, got 'a' again"),
        (["a", "b"], [1.0], "expected 2 popularities, finite and >= 0"),
        (["a", "b"], [1.0, -1.0], "expected 2 popularities, finite and >= 0"),
        (["a", "b"], [1.0, np.nan], "expected 2 popularities, finite and >= 0"),
    ],
)
def test_a_wrong_catalogue_is_refused(ids, popularity, says):
    with pytest.raises(ValueError, match=says):
        Catalogue(np.array(ids), None if popularity is None else np.array(popularity))


def test_what_lists_show_with_ties_at_the_cutoff():
    """List 0 shows a for certain and b or c at position 2; list 1 has one document only; list 2 none."""
    ids = np.array(["a", "b", "c", "d", "a"])
    lists = Lists(np.arange(3), np.array([0, 4, 5, 5]), np.zeros(5), document_ids=ids)
    seen = shown(rank(lists, np.array([9.0, 8.0, 8.0, 7.0, 1.0])), Catalogue(np.array(["d", "c", "b", "a"])), 2)
    found = sorted(zip(seen.lists.tolist(), seen.items.tolist(), seen.chances.tolist(), strict=True))
    assert found == [(0, 1, 0.5), (0, 2, 0.5), (0, 3, 1.0), (1, 3, 1.0)]


def test_ids_are_needed():
    lists = Lists(np.arange(1), np.array([0, 1]), np.zeros(1))
    with pytest.raises(ValueError, match="need document ids, and the lists have none"):
        shown(rank(lists, np.zeros(1)), Catalogue(np.array(["a"])), 2)
