"""The choice of slices to report, of many that pass and mostly say the same.

A bad slice makes those bad that contain it, and its parts are bad too. So slices are taken best first: that with the
largest statistic, without conditions that tell little; then the largest that is still beyond the critical value once
the effects of those before are taken out; and so on. What the others explain in the end is dropped again.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np

from eval.discovery.lattice import Lattice
from eval.discovery.tested import Tested
from eval.ragged import FloatArray

__all__ = ["Choice"]

_TELLING: Final = 3.0  # standard errors
_EXPLAINING: Final = 3  # times as many slices may explain others as are reported


@dataclass(frozen=True, eq=False)
class Choice:
    """How slices are chosen.

    Args:
        lattice: the slices.
        tested: what is known of them.
        least_effect: of a slice that is reported, in standard deviations, of what the others leave.
        most: slices that are reported.
    """

    lattice: Lattice
    tested: Tested
    least_effect: float
    most: int
    _overlaps: dict[int, FloatArray] = field(default_factory=dict, init=False, repr=False)

    def chosen(self) -> list[int]:
        """Slices that are reported, by their numbers."""
        passing = self.tested.passing.copy()
        chosen: list[int] = []
        for _ in range(_EXPLAINING * self.most):
            statistic = self._statistic(chosen)
            eligible = passing & (statistic >= self.tested.critical)
            if not eligible.any():
                break
            best = int(np.argmax(np.where(eligible, statistic, -np.inf)))
            best = self._widened(best, chosen, np.where(eligible, statistic, -np.inf))
            passing[best] = False
            chosen = self._needed([*chosen, best])
        return [one for one in chosen if self._effect(one, chosen) >= self.least_effect][: self.most]

    @cached_property
    def _base(self) -> list[int]:
        """Slices whose effects are always taken out: against the others, the mean of all lists."""
        return [0] if self.tested.relative else []

    def _widened(self, best: int, chosen: list[int], statistic: FloatArray) -> int:
        """The slice without conditions that tell little: without them it is as bad, as far as can be seen.

        A condition tells something if the slice is worse than the wider one without it, once the effect of that is
        taken out with those of the chosen slices, by more than three standard errors. It is one of many that could be
        added, and the one that happens to look worst: less may be chance.

        Args:
            best: the slice.
            chosen: slices before it.
            statistic: float64 [slices] of those that can be chosen, -inf of others.
        """
        while True:
            wider = []
            for other in self.lattice.wider(best):
                share = self.tested.sizes[best] / self.tested.sizes[other]
                error = self.tested.scale[best] * np.sqrt(1 - share)
                if statistic[other] > 0 and self._left_beside(best, other, chosen) <= _TELLING * error:
                    wider.append(other)
            if not wider:
                return best
            best = max(wider, key=lambda other: float(statistic[other]))

    def _needed(self, chosen: list[int]) -> list[int]:
        """Those of the chosen slices that the others together do not explain."""
        while len(chosen) > 1:
            left = [self._statistic(_without(chosen, one))[one] for one in chosen]
            if min(left) >= self.tested.critical:
                break
            chosen = _without(chosen, chosen[int(np.argmin(left))])
        return chosen

    def _effect(self, one: int, chosen: list[int]) -> float:
        """The effect of a chosen slice that the others leave, in standard deviations."""
        gap = self._left(_without(chosen, one))[one] / self.tested.weight[one]
        spread = self.tested.spread[one]
        return float(gap / spread) if spread > 0 else np.inf

    def _statistic(self, chosen: list[int]) -> FloatArray:
        """The statistic of what is left of the sum of each slice, float64 [slices]."""
        left, scale = self._left(chosen), self.tested.scale
        return np.divide(left, scale, out=np.zeros_like(left), where=scale > 0)

    def _left(self, chosen: list[int]) -> FloatArray:
        """What is left of the sum of each slice once the effects of chosen slices are taken out, float64 [slices].

        The effects are those of least squares: values = sum of the effects of the chosen slices that hold the list.
        """
        fitted = [*self._base, *chosen]
        if not fitted:
            return self.tested.sums
        shared = np.stack([self._overlap(one) for one in fitted])
        return self.tested.sums - _effects(shared[:, fitted], self.tested.sums[fitted]) @ shared

    def _left_beside(self, inner: int, outer: int, chosen: list[int]) -> float:
        """What is left of the sum of a slice once the effects of a wider one and of chosen slices are taken out."""
        fitted, sizes = [*self._base, *chosen], self.tested.sizes
        among = np.array([self._overlap(one)[[*fitted, outer]] for one in fitted]).reshape(len(fitted), len(fitted) + 1)
        shared = np.vstack([among, np.append(among[:, -1], sizes[outer])])
        with_inner = np.array([*(self._overlap(one)[inner] for one in fitted), sizes[inner]])
        return float(self.tested.sums[inner] - _effects(shared, self.tested.sums[[*fitted, outer]]) @ with_inner)

    def _overlap(self, slices: int) -> FloatArray:
        """Lists that each slice shares with one, float64 [slices]."""
        if slices not in self._overlaps:
            found = self.lattice.walk(self.lattice.members(slices))
            counts = [np.bincount(places, minlength=len(cross.keys)) for cross, _, places in found]
            self._overlaps[slices] = np.concatenate(counts).astype(np.float64)
        return self._overlaps[slices]


def _without(chosen: list[int], one: int) -> list[int]:
    return [other for other in chosen if other != one]


def _effects(shared: FloatArray, sums: FloatArray) -> FloatArray:
    """Effects of slices by least squares, float64 [slices], from the lists they share and the sums of their values."""
    return np.linalg.lstsq(shared, sums)[0].astype(np.float64)
