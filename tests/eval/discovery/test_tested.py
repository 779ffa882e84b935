"""Adjusted p-values by enumeration of all that chance can do."""

import math

import numpy as np
import pyarrow as pa
import pytest

from eval.discovery import Feature, tested
from eval.discovery.chance import Rotations
from eval.discovery.lattice import Lattice
from eval.discovery.units import Units

_DRAWS = 4000


@pytest.fixture(params=[0.0, -0.05], ids=["others", "zero"])
def mean(request):
    return request.param


def test_p_values_are_those_of_all_turns(mean):
    """16 lists are two circles of eight, which turn 64 ways: the share whose largest statistic is that of a slice."""
    random = np.random.default_rng(9)
    kinds, places = np.array(list("aaaabbbbccccbbbb")), np.array(list("xxyyxxyyxxyyxyxy"))
    bad = random.normal(size=16) + 2 * (kinds == "b")
    bad += mean - bad.mean()
    features = [Feature.of_texts("kind", pa.array(kinds)), Feature.of_texts("place", pa.array(places))]
    lattice = Lattice.of(features, 2, 2, most=100, most_values=50)
    units = Units.of(np.array([f"q{number}" for number in range(16)], dtype=object))
    chance = Rotations.of(bad, units, _DRAWS, 0)
    found = tested.Tested.of(lattice, chance, bad, units, 0.5, relative=mean == 0)

    flags = np.array([np.isin(np.arange(16), lattice.members(one)) for one in range(1, len(lattice.sizes))], float)
    assert len(flags) == 11
    first = np.isin(bad, chance.values[0])  # lists of the first list's circle
    sums = [flags[:, circle] @ chance.values[circle] for circle in (first, ~first)]  # [slices, turns] each
    scale = np.sqrt(sum((one - one.mean(axis=1, keepdims=True)) ** 2 for one in sums).sum(axis=1) / 7)
    sizes = flags.sum(axis=1)
    every = (sums[0][:, :, None] + sums[1][:, None, :]).reshape(len(flags), 64)
    drawn = (every - sizes[:, None] * bad.mean()) / scale[:, None]
    # All lists are better than 0 by 0.05: no slice gets credit for being worse than these, but better than 0.
    statistic = flags @ bad / (scale * (1 if mean == 0 else np.sqrt(16 / (16 - sizes))))
    exact = (drawn.max(axis=0)[:, None] >= statistic - 1e-9).mean(axis=0)
    assert exact.min() < 0.3
    for p_value, expected in zip(found.p_values[1:], exact, strict=True):
        assert p_value == pytest.approx(expected, abs=3 * math.sqrt(expected * (1 - expected) / _DRAWS) + 1 / _DRAWS)
    reached = np.sort(drawn.max(axis=0))
    assert reached[30] - 1e-4 <= found.critical <= reached[34] + 1e-4
