"""How likely it is that a user looks at a position, estimated from clicks.

By the position-based model (Richardson et al., WWW 2007; Craswell et al., WSDM 2008), for document d shown at position
k for query q,

    P(click) = propensity(k) attraction(q, d)

A log shows products only, so that propensities are known up to a factor; here propensity(1) = 1. What tells the two
apart are documents that were shown at several positions: here because results were shuffled (`by_randomisation`) or two
positions have changed places by lot (`by_swaps`); in `ranker.data.clicks.propensity_em` because the ranker changed.

Clicks are counted apart for groups of queries. Each estimate is made anew without each group in turn, and the spread of
these estimates gives an interval of 95 %: queries differ, and the clicks on one query hang together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from ranker.data.data_error import DataError

__all__ = ["GROUPS", "LEAST_SHOWN", "Propensities", "Swaps", "by_randomisation", "by_swaps", "interval", "refuse_few"]

GROUPS = 20
LEAST_SHOWN = 100  # impressions without which nothing is said of a position

_CONFIDENCE = 0.95

_Ints = npt.NDArray[np.int64]
_Floats = npt.NDArray[np.float64]
_Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Propensities:
    """What was estimated; arrays are `[positions]`, the first position first.

    Attributes:
        method: by which it was estimated.
        values: propensities, relative to that of the first position.
        low: end of the interval of 95 %; NaN where it cannot be told.
        high: the other end.
        shown: on how many impressions of the position the estimate rests.
        clicks: on them.
        steps: of an iterative estimate; 0 of others.
        converged: whether an iterative estimate had stopped to change.
    """

    method: str
    values: _Floats
    low: _Floats
    high: _Floats
    shown: _Ints
    clicks: _Ints
    steps: int = 0
    converged: bool = True

    def weights(self, clip: float) -> _Floats:
        """Weight of a click at each position, `[positions]`: 1 / propensity, at most `clip`.

        Inverse propensity weighting (Joachims et al., WSDM 2017). Clipping trades bias for variance.
        """
        return np.minimum(1 / self.values, clip)

    def to_json(self) -> dict[str, Any]:
        """As a manifest holds it; an interval that cannot be told is null."""
        rows = zip(self.values, self.low, self.high, self.shown, self.clicks, strict=True)
        positions = [
            {
                "position": position,
                "propensity": float(value),
                "interval": [float(low), float(high)] if np.isfinite(low) and np.isfinite(high) else None,
                "shown": int(shown),
                "clicks": int(clicks),
            }
            for position, (value, low, high, shown, clicks) in enumerate(rows, start=1)
        ]
        told = {"steps": self.steps, "converged": self.converged} if self.steps else {}
        return {"method": self.method, **told, "positions": positions}


@dataclass(frozen=True)
class Swaps:
    """What came of exchanging the documents at two positions.

    Attributes:
        positions: int64 `[pairs, 2]`, which two, from 1, the upper one first.
        shown: int64 `[pairs, 2, groups]`, impressions that have both positions: left as they were, and swapped.
        clicks: int64 `[pairs, 2, 2, groups]`, of these impressions (second axis) on the two positions (third axis).
    """

    positions: _Ints
    shown: _Ints
    clicks: _Ints


def by_randomisation(shown: _Ints, clicks: _Ints) -> Propensities:
    """Click rate of each position over that of the first, on results in random order.

    In random order all positions hold documents of the same attraction on average (Wang et al., SIGIR 2016).

    Args:
        shown: int64 `[positions, groups]`, impressions in random order that have the position.
        clicks: int64 `[positions, groups]`, on the position.

    Raises:
        DataError: if there are too few impressions or no clicks at a position.
    """
    refuse_few("randomisation", "impressions in random order", shown.sum(axis=1), clicks.sum(axis=1))

    def estimate(groups: _Mask) -> _Floats:
        rates: _Floats = clicks[:, groups].sum(axis=1) / shown[:, groups].sum(axis=1)
        return rates / rates[0]

    values = estimate(np.ones(shown.shape[1], bool))
    low, high = interval(values, estimate, shown.sum(axis=0))
    return Propensities("randomisation", values, low, high, shown.sum(axis=1), clicks.sum(axis=1))


def by_swaps(swaps: Swaps, positions: int) -> Propensities:
    """Propensities from the click rates of positions that changed places by lot (Joachims et al., WSDM 2017).

    Both documents of a swap count. With click rates r of impressions left as they were and r' of swapped ones,
    r_i + r'_i and r_j + r'_j come from the same two documents at positions i and j, hence

        propensity(j) / propensity(i) = (r_j + r'_j) / (r_i + r'_i)

    The propensities are those whose logarithms come nearest to the logarithms of these ratios, by least squares with
    the inverse variances as weights. So swaps of neighbours make a chain, swaps with the first position a star, and all
    that is known of a position counts.

    Args:
        swaps: counts.
        positions: how many to estimate.

    Raises:
        DataError: if there are too few impressions or clicks, or no swaps lead from the first to some position.
    """
    for arm, what in enumerate(("impressions that could have been swapped", "swapped impressions")):
        shown, clicks = _by_position(swaps, arm, positions)
        refuse_few("swaps", what, shown, clicks)
    _refuse_apart(swaps, positions)

    def estimate(groups: _Mask) -> _Floats:
        ratio, variance = _log_ratios(swaps, groups)
        known = np.isfinite(ratio) & np.isfinite(variance)
        weight = 1 / np.sqrt(np.maximum(variance[known], 1e-12))
        rows = np.arange(len(weight))
        design = np.zeros((len(weight), positions))
        design[rows, swaps.positions[known, 0] - 1], design[rows, swaps.positions[known, 1] - 1] = -weight, weight
        solved, _, rank, _ = np.linalg.lstsq(design[:, 1:], ratio[known] * weight, rcond=None)
        return np.exp(np.append(0.0, solved)) if rank == positions - 1 else np.full(positions, np.nan)

    with np.errstate(divide="ignore", invalid="ignore"):
        values = estimate(np.ones(swaps.shown.shape[-1], bool))
    low, high = interval(values, estimate, swaps.shown.sum(axis=(0, 1)))
    return Propensities("swaps", values, low, high, shown, clicks)


def interval(values: _Floats, estimate: Callable[[_Mask], _Floats], sizes: _Ints) -> tuple[_Floats, _Floats]:
    """Interval of 95 % around positive estimates, by the delete-a-group jackknife of their logarithms.

    As Kott (Journal of Official Statistics 2001), with as many degrees of freedom of the t distribution as there are
    groups, less one.

    Args:
        values: float64 `[n]`, the estimate from all groups.
        estimate: the same from the groups where a mask `[groups]` is true.
        sizes: int64 `[groups]`, how much there is of each; empty groups do not count.

    Returns:
        low and high ends, float64 `[n]`; NaN with fewer than two groups, or if without some group nothing is known.
    """
    filled = np.flatnonzero(sizes)
    if len(filled) < 2:
        unknown = np.full(len(values), np.nan)
        return unknown, unknown
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log([estimate(np.arange(len(sizes)) != group) for group in filled])
        error = np.sqrt((len(filled) - 1) * np.mean((logs - logs.mean(axis=0)) ** 2, axis=0))
        spread = np.exp(stdtrit(len(filled) - 1, 0.5 + _CONFIDENCE / 2) * error)
        return values / spread, values * spread


def refuse_few(method: str, what: str, shown: _Ints, clicks: _Ints) -> None:
    """Raise a DataError that names the positions `[positions]` of which too little is known.

    Args:
        method: of estimation.
        what: was counted.
        shown: how many there are of it.
        clicks: on them.
    """
    few = [
        f"position {place} has {count:,} {what} with {clicked:,} clicks"
        for place, (count, clicked) in enumerate(zip(shown.tolist(), clicks.tolist(), strict=True), start=1)
        if count < LEAST_SHOWN or not clicked
    ]
    if few:
        raise DataError(
            f"propensities by {method}: {'; '.join(few)}; expected at least {LEAST_SHOWN} and 1; give a longer log, "
            f"choose another way with propensity.by, or leave lower positions out with `positions`"
        )


def _by_position(swaps: Swaps, arm: int, positions: int) -> tuple[_Ints, _Ints]:
    """Impressions with each position, and clicks on it, `[positions]`, of all pairs that it is part of."""
    shown, clicks = np.zeros((2, positions), np.int64)
    for side in (0, 1):
        np.add.at(shown, swaps.positions[:, side] - 1, swaps.shown[:, arm].sum(axis=-1))
        np.add.at(clicks, swaps.positions[:, side] - 1, swaps.clicks[:, arm, side].sum(axis=-1))
    return shown, clicks


def _log_ratios(swaps: Swaps, groups: _Mask) -> tuple[_Floats, _Floats]:
    """Logarithm of propensity(j) / propensity(i) by each pair `[pairs]`, and its variance (delta method)."""
    shown = swaps.shown[..., groups].sum(axis=-1)[..., None]
    rates = swaps.clicks[..., groups].sum(axis=-1) / shown
    both = rates.sum(axis=1)
    variance = (rates * (1 - rates) / shown).sum(axis=1) / both**2
    return np.log(both[:, 1] / both[:, 0]), variance.sum(axis=1)


def _refuse_apart(swaps: Swaps, positions: int) -> None:
    """Raise a DataError if swaps with clicks at both positions do not join all positions."""
    clicked = (swaps.clicks.sum(axis=(1, 3)) > 0).all(axis=1)
    reached = {1}
    for _ in range(positions):
        reached |= {place for pair in swaps.positions[clicked].tolist() if reached & set(pair) for place in pair}
    if apart := sorted(set(range(1, positions + 1)) - reached):
        pairs = ", ".join(f"{first}-{second}" for first, second in swaps.positions.tolist())
        raise DataError(
            f"propensities by swaps: no swaps with clicks lead from position 1 to {', '.join(map(str, apart))}; "
            f"swapped were {pairs}; leave lower positions out with `positions`, or choose another way with "
            f"propensity.by"
        )
