import numpy as np

from eval.series import Series

SERIES = Series(("m", "n"), ("a", "b", "c"), "b", also=(("c", "a"), ("a", "b")))


def test_differences_follow_the_figures_in_order():
    assert SERIES.columns == [("m", "a"), ("m", "b"), ("m", "c"), ("n", "a"), ("n", "b"), ("n", "c")]
    pairs = [("a", "b"), ("c", "b"), ("c", "a")]
    assert SERIES.pairs == [(metric, *pair) for metric in ("m", "n") for pair in pairs]
    assert [SERIES.figure(*column) for column in SERIES.columns] == list(range(6))
    assert [SERIES.difference(*pair) for pair in SERIES.pairs] == list(range(6, 12))
    assert SERIES.difference("n", "c") == SERIES.difference("n", "c", "b")


def test_the_numbers_of_lists():
    figures = np.random.default_rng(0).random((5, 6))
    figures[2, 1] = np.nan
    found = SERIES.of(figures)
    np.testing.assert_array_equal(found[:, :6], figures)
    np.testing.assert_array_equal(found[:, SERIES.difference("n", "c", "a")], figures[:, 5] - figures[:, 3])
    np.testing.assert_array_equal(found[:, SERIES.difference("m", "a")], figures[:, 0] - figures[:, 1])


def test_without_a_baseline_there_are_figures_alone():
    series = Series(("m",), ("a", "b"))
    assert series.pairs == []
    assert series.of(np.zeros((3, 2))).shape == (3, 2)
