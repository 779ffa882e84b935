"""Scales of pictures."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.report_page.axis import Axis, axis_over

numbers = st.floats(-1e6, 1e6).map(lambda value: round(value, 6))


@given(st.lists(st.one_of(st.none(), numbers), max_size=6))
def test_it_holds_all_values(values):
    axis = axis_over(values)
    there = [value for value in values if value is not None]
    assert axis.low < axis.high
    assert all(axis.holds(value) for value in there)
    places = [axis.at(value) for value in sorted(there)]
    assert places == sorted(places)
    assert all(0 < place < 100 for place in places)


@given(numbers, st.floats(1e-6, 1e6))
def test_ticks_are_round_evenly_spaced_and_told_apart(low, width):
    axis = Axis(low, low + width)
    ticks = axis.ticks()
    assert 1 <= len(ticks) <= 6
    steps = [other - one for one, other in pairwise(ticks)]
    assert steps == pytest.approx([steps[0]] * len(steps) if steps else [], rel=1e-3)
    if width > 1e-6 * abs(low):
        assert len({axis.label(tick) for tick in ticks}) == len(ticks)


def test_ticks_by_hand():
    axis = Axis(-0.06, 0.13)
    assert axis.ticks() == [-0.05, 0.0, 0.05, 0.1]
    assert [axis.label(tick, sign=True) for tick in axis.ticks()] == ["−0.05", "0", "+0.05", "+0.10"]
    assert Axis(0.0, 5000.0).ticks(2) == [0.0, 5000.0]
    assert Axis(0.0, 5000.0).label(5000.0) == "5,000"


def test_what_lies_beyond_is_drawn_at_the_end():
    axis = Axis(0.0, 1.0)
    assert (axis.at(-5), axis.at(0), axis.at(0.5), axis.at(1), axis.at(9)) == (3.0, 3.0, 50.0, 97.0, 97.0)
    assert not axis.holds(-5)
