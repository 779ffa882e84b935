"""Weights by hand."""

import numpy as np
import pytest

from eval.lists import Lists
from training.blend import average_weights

LISTS = Lists(np.array(["a", "b"]), np.array([0, 2, 5]), np.zeros(5))


def test_weights_by_hand():
    """Squared deviations from the means 2 and 5: 1 1 | 1 0 1, their mean 4 / 5; ten times the scores, a tenth of it."""
    scores = np.array([1.0, 3, 4, 5, 6])
    weights = average_weights(["x", "y"], {"x": scores, "y": 10 * scores, "z": scores}, LISTS)
    assert weights == pytest.approx({"x": 1 / (2 * 0.8**0.5), "y": 1 / (20 * 0.8**0.5)})


def test_a_shift_of_whole_lists_changes_nothing():
    """Only the order inside lists counts."""
    scores = np.array([1.0, 3, 4, 5, 6])
    shifted = scores + np.array([0, 0, 500, 500, 500])
    assert average_weights(["x"], {"x": shifted}, LISTS) == pytest.approx(average_weights(["x"], {"x": scores}, LISTS))


@pytest.mark.parametrize("constant", [0.0, 0.3, 1e6])
def test_a_member_that_orders_nothing_weighs_nothing(constant):
    """Also if its scores differ in the last bits of float32."""
    scores = np.array([1.0, 3, 4, 5, 6])
    flat = np.full(5, constant)
    rounded = np.nextafter(flat.astype(np.float32), np.float32(2e6) * (np.arange(5) == 2)).astype(np.float64)
    weights = average_weights(["x", "flat"], {"x": scores, "flat": flat}, LISTS)
    assert weights == pytest.approx({"x": 1 / (2 * 0.8**0.5), "flat": 0})
    if constant:
        assert average_weights(["rounded"], {"rounded": rounded}, LISTS) == {"rounded": 0}
