"""Propensities from a log without experiments, by expectation-maximisation: see `ranker.data.clicks.propensities`.

Of users who do not click it is not known whether they did not look or did not like. In a cell with n impressions of
unit i (what was shown) at position k and c clicks, are expected, by propensity p_k and attraction a_i,

    to have looked:  c + (n - c) p_k (1 - a_i) / (1 - p_k a_i)
    to have liked:   c + (n - c) a_i (1 - p_k) / (1 - p_k a_i)

of the n users. The next p_k is the share of those who looked among all users of position k; the next a_i comes from
those who liked, by what is believed of attraction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from ranker.data.clicks.propensities import Propensities, interval, refuse_few

__all__ = ["LEAST_OF_PAIR", "Cells", "by_em", "by_regression_em"]

LEAST_OF_PAIR = 30  # impressions of a pair that has an attraction of its own
_TOLERANCE = 1e-6  # relative change of a propensity in a step
_MOST_STEPS = 5000
_RIDGE = 1.0  # of the regression's coefficients: as much as so many documents say
_LONGEST_STEP = 2.0  # of a coefficient, in logits

_Ints = npt.NDArray[np.int64]
_Floats = npt.NDArray[np.float64]
_Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Cells:
    """Clicks, counted by what was shown where; arrays are int64 `[cells]`.

    Attributes:
        unit: what was shown: a (query, document) pair, or documents that are alike; from 0.
        position: where, from 1.
        group: of the query, from 0.
        shown: how often.
        clicks: how many of these were clicked.
    """

    unit: _Ints
    position: _Ints
    group: _Ints
    shown: _Ints
    clicks: _Ints

    @property
    def columns(self) -> tuple[_Ints, ...]:
        """The arrays, in their order."""
        return (self.unit, self.position, self.group, self.shown, self.clicks)

    def where(self, mask: _Mask) -> Cells:
        """Some of the cells."""
        return Cells(*(values[mask] for values in self.columns))

    @classmethod
    def joined(cls, parts: Sequence[Cells]) -> Cells:
        """The cells of all parts."""
        return cls(*(np.concatenate(values) for values in zip(*(part.columns for part in parts), strict=True)))


def by_em(cells: Cells, positions: int) -> Propensities:
    """The most likely propensities, where each unit, a (query, document) pair, has an attraction of its own.

    Pairs that were shown at one position only tell nothing, and are left out; so are those that were shown less than 30
    times, because attractions that are fitted to a few clicks make propensities too flat.

    Args:
        cells: counts.
        positions: how many to estimate.

    Raises:
        DataError: if there are too few impressions or no clicks at a position.
    """
    places = np.unique(np.stack([cells.unit, cells.position]), axis=1)
    often = np.bincount(cells.unit, cells.shown, minlength=1) >= LEAST_OF_PAIR
    telling = cells.where((often & (np.bincount(places[0], minlength=1) > 1))[cells.unit])
    units, unit = np.unique(telling.unit, return_inverse=True)
    apart = Cells(unit.astype(np.int64), telling.position, telling.group, telling.shown, telling.clicks)
    what = f"impressions of documents that were shown {LEAST_OF_PAIR} times or more, at several positions,"
    return _estimate("em", what, apart, positions, _Apart(len(units)))


def by_regression_em(cells: Cells, codes: _Ints, positions: int) -> Propensities:
    """As Wang et al. (WSDM 2018): the attraction of documents is a regression on their features.

    The regression is logistic and additive, logit a_i = sum over features f of w[f, codes[i, f]], with a small ridge
    penalty; each step of EM takes one of Newton's on the users who liked (Wang et al. use boosted trees). The features
    have to say what the ranker knew, such as the score by which it ordered. Otherwise documents at the top are better
    than their features say, and propensities come out too steep.

    Args:
        cells: counts; a unit is a combination of codes.
        codes: int64 `[units, features]`, the interval of values that each feature is in, from 0.
        positions: how many to estimate.

    Raises:
        DataError: if there are too few impressions or no clicks at a position.
    """
    first = np.cumsum([0, *(codes.max(axis=0) + 1)])
    design = np.zeros((len(codes), first[-1]))
    for feature in range(codes.shape[1]):
        design[np.arange(len(codes)), first[feature] + codes[:, feature]] = 1
    return _estimate("regression_em", "impressions", cells, positions, _Regression(design))


class _Attraction(Protocol):
    """What is believed of attraction: how it depends on parameters, and how these are found."""

    @property
    def start(self) -> _Floats:
        """Parameters to begin with."""

    def of(self, parameters: _Floats) -> _Floats:
        """Attraction of each unit `[units]`."""

    def fit(self, parameters: _Floats, liked: _Floats, users: _Floats) -> _Floats:
        """Better parameters, by how many of the users of each unit liked it, both float64 `[units]`."""


class _Apart:
    """Each unit has an attraction of its own."""

    def __init__(self, units: int) -> None:
        self.start = np.full(units, 0.5)

    def of(self, parameters: _Floats) -> _Floats:
        return parameters

    def fit(self, parameters: _Floats, liked: _Floats, users: _Floats) -> _Floats:
        return np.where(users > 0, liked / np.maximum(users, 1), parameters)


class _Regression:
    """Logistic in a design `[units, coefficients]`."""

    def __init__(self, design: _Floats) -> None:
        self._design = design
        self.start = np.zeros(design.shape[1])

    def of(self, parameters: _Floats) -> _Floats:
        attraction: _Floats = expit(self._design @ parameters)
        return attraction

    def fit(self, parameters: _Floats, liked: _Floats, users: _Floats) -> _Floats:
        attraction, design = self.of(parameters), self._design
        slope = design.T @ (liked - users * attraction) - _RIDGE * parameters
        curvature = design.T @ (design * (users * attraction * (1 - attraction))[:, None])
        step = np.linalg.solve(curvature + _RIDGE * np.eye(len(slope)), slope)
        return parameters + np.clip(step, -_LONGEST_STEP, _LONGEST_STEP)


@dataclass(frozen=True)
class _Found:
    propensity: _Floats
    parameters: _Floats
    steps: int
    converged: bool

    @property
    def relative(self) -> _Floats:
        return self.propensity / self.propensity[0]


def _estimate(method: str, what: str, cells: Cells, positions: int, attraction: _Attraction) -> Propensities:
    """EM for all cells, and from what was found without each group."""
    shown, clicks = (
        np.bincount(cells.position - 1, values, positions).astype(np.int64) for values in (cells.shown, cells.clicks)
    )
    refuse_few(method, what, shown, clicks)
    whole = _maximise(cells, _Found(np.full(positions, 0.5), attraction.start, 0, False), attraction)

    def estimate(groups: _Mask) -> _Floats:
        return _maximise(cells.where(groups[cells.group]), whole, attraction).relative

    sizes = np.bincount(cells.group, cells.shown).astype(np.int64)
    low, high = interval(whole.relative, estimate, sizes)
    return Propensities(method, whole.relative, low, high, shown, clicks, whole.steps, whole.converged)


def _maximise(cells: Cells, start: _Found, attraction: _Attraction) -> _Found:
    """Steps until no propensity changes any more, relative to the first."""
    positions, units = len(start.propensity), len(attraction.of(start.parameters))
    unit, place = cells.unit, cells.position - 1
    users_of_unit = np.bincount(unit, cells.shown, units).astype(np.float64)
    users_of_place = np.maximum(np.bincount(place, cells.shown, positions), 1)
    found = start
    for steps in range(1, _MOST_STEPS + 1):
        looks, likes = found.propensity[place], attraction.of(found.parameters)[unit]
        passed = (cells.shown - cells.clicks) / np.maximum(1 - looks * likes, 1e-12)
        looked = np.bincount(place, cells.clicks + passed * looks * (1 - likes), positions)
        liked = np.bincount(unit, cells.clicks + passed * likes * (1 - looks), units).astype(np.float64)
        parameters = attraction.fit(found.parameters, liked, users_of_unit)
        last, found = found, _Found(looked / users_of_place, parameters, steps, False)
        with np.errstate(divide="ignore", invalid="ignore"):
            changes = np.abs(found.relative / last.relative - 1) > _TOLERANCE
        if not changes.any():
            return _Found(found.propensity, found.parameters, steps, True)
    return found
