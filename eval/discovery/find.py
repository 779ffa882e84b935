"""Finding the slices in which a model is worst, without anyone naming them.

All slices by one value, or values of two or three features together, are looked at (`eval.discovery.lattice`), and each
is tested against what chance makes of the largest statistic of all of them (Westfall and Young 1993, MaxT in one step;
`eval.discovery.chance`): that any slice is reported where there is nothing to find has at most the probability alpha.

Of what passes, most says the same: `eval.discovery.choice` reports what the rest does not explain.

Differences to a baseline could be tested by changing their signs at random, too. But signs are only exact for values
that lie as often as far above their mean as below: where a model gains much on a few lists and loses a little on most,
every small slice without one of the few would be found. So it is values that change places, for differences too, and
the shape of all of them is that of each slice; where its spread is another, its own standard error has to agree.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from eval.discovery.chance import Rotations
from eval.discovery.choice import Choice
from eval.discovery.features import Feature
from eval.discovery.findings import Finding, Findings
from eval.discovery.lattice import Lattice
from eval.discovery.tested import Tested
from eval.discovery.units import Units
from eval.ragged import BoolArray, FloatArray
from eval.sums import Sums

__all__ = ["Against", "Search", "find_slices"]

Against = Literal["zero", "others"]

_POWER: Final = 0.8
_PAIRS: Final = 2e9  # of a list and a slice that holds it


@dataclass(frozen=True)
class Search:
    """How slices are looked for.

    Args:
        alpha: probability of any finding where there is nothing to find, above 0 and below 1.
        depth: features in a slice, at most: 1, 2 or 3. Less are crossed where lists and features are too many.
        min_lists: lists in a slice, at least 2.
        least_effect: of a finding, in standard deviations (as `Finding.effect`, of what the others leave), >= 0. Slices
            with less can explain others, and are not reported.
        most: findings.
        most_values: of a feature that are looked at, those that most lists have.
        most_slices: that are looked at, which bounds the time; of more, the smallest are left out.
        draws: of chance; 1 / (draws + 1) is the least p-value.
        seed: of the draws, 0 <= seed < 2^64.
    """

    alpha: float = 0.05
    depth: int = 2
    min_lists: int = 30
    least_effect: float = 0.1
    most: int = 10
    most_values: int = 50
    most_slices: int = 200_000
    draws: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.alpha < 1:
            raise ValueError(f"search of slices: expected alpha above 0 and below 1, got {self.alpha}")
        if self.alpha * (self.draws + 1) < 1:
            least = int(np.ceil(1 / self.alpha)) - 1
            raise ValueError(f"search of slices: expected at least {least} draws for {self.alpha=}, got {self.draws}")
        if self.depth not in (1, 2, 3):
            raise ValueError(f"search of slices: expected a depth of 1, 2 or 3, got {self.depth}")
        for name, least in (("min_lists", 2), ("least_effect", 0), ("most", 1), ("most_values", 1), ("most_slices", 1)):
            if not getattr(self, name) >= least:
                raise ValueError(f"search of slices: expected {name} >= {least}, got {getattr(self, name)}")


def find_slices(
    values: FloatArray,
    features: Sequence[Feature],
    units: NDArray[Any],
    against: Against = "zero",
    *,
    higher_is_better: bool = True,
    search: Search | None = None,
) -> Findings:
    """Find the slices that are worst.

    Args:
        values: float64 [lists]; NaN: no value, the list is left out. A metric of a model, or its difference to another
            model, list by list.
        features: of the lists, at least one.
        units: str [lists], what is drawn: query ids, or those of users.
        against: `others`: slices in which the values are worse than elsewhere, for metrics; `zero`: in which they are
            both worse than elsewhere and worse than 0, for differences. Under the null hypothesis values are as likely
            those of one unit as of any other with as many lists (for `zero`: less a part of it that depends on the
            slice and is not bad).
        higher_is_better: of the values.
        search: how; None: `Search()`.

    Returns:
        The findings; a search that looks at several series spends alpha on each.

    Raises:
        ValueError: arguments that do not fit each other.
    """
    search = search or Search()
    _check(values, features, units, against)
    kept = np.flatnonzero(~np.isnan(values))
    if not kept.size:
        return Findings((), 0, 0, 0, search.min_lists, search.depth, np.inf, np.nan)
    sign = -1.0 if higher_is_better else 1.0
    bad, units = sign * values[kept], np.asarray(units)[kept]
    of_kept = [feature.take(kept) for feature in features]
    depth = _depth(of_kept, search)
    lattice = Lattice.of(of_kept, depth, search.min_lists, search.most_slices, search.most_values)
    # Where all lists together are bad, a slice has to be worse than these.
    relative = against == "others" or float(bad.mean()) >= 0
    moved, of_lists = bad - bad.mean() if relative else bad, Units.of(units)
    chance = Rotations.of(moved, of_lists, search.draws, search.seed)
    tested = Tested.of(lattice, chance, moved, of_lists, search.alpha, relative=relative)
    chosen = Choice(lattice, tested, search.least_effect, search.most).chosen()
    return Findings(
        tuple(_findings(chosen, lattice, tested, bad, units, sign, against)),
        looked_at=len(lattice.sizes) - 1,
        significant=int(tested.passing.sum()),
        lists=len(kept),
        min_lists=lattice.fewest,
        depth=depth,
        critical=tested.critical,
        detectable=_detectable(tested, lattice.fewest),
    )


def _depth(features: Sequence[Feature], search: Search) -> int:
    """The depth asked for, or less: the largest for which the lists of all slices can be counted in time."""
    of_feature = np.array([len(feature.codes) for feature in features], np.float64) / max(len(features[0]), 1)
    crosses = [1.0, *np.zeros(search.depth)]  # values of lists in crosses of 0, 1, 2, ... features
    for values in of_feature:
        for depth in range(search.depth, 0, -1):
            crosses[depth] += crosses[depth - 1] * values
    fits = [depth for depth in range(1, search.depth + 1) if sum(crosses[: depth + 1]) * len(features[0]) <= _PAIRS]
    return max(fits, default=1)


def _detectable(tested: Tested, lists: int) -> float:
    """How much worse a slice with so many lists has to be to be found with a probability of 0.8; NaN: not known."""
    from scipy.special import ndtri  # slow to import, and only here

    known = tested.scale > 0
    if not known.any():
        return float("nan")
    total = tested.sizes[0]
    shares = tested.sizes[known] * (1 - tested.sizes[known] / total) if tested.relative else tested.sizes[known]
    of_list = float(np.median(tested.scale[known] / np.sqrt(shares)))
    return float((tested.critical + ndtri(_POWER)) * of_list * np.sqrt(1 / lists + 1 / max(total - lists, 1)))


def _check(values: FloatArray, features: Sequence[Feature], units: NDArray[Any], against: str) -> None:
    if not features:
        raise ValueError("search of slices: expected at least one feature of the lists, got none")
    names = [feature.name for feature in features]
    if len(set(names)) < len(names):
        raise ValueError(f"search of slices: expected each feature once, got {', '.join(names)}")
    wrong = [feature.name for feature in features if len(feature) != len(values)]
    if wrong or len(units) != len(values):
        what = f"feature {wrong[0]!r}" if wrong else "units"
        raise ValueError(f"search of slices: expected {what} of {len(values)} lists, as there are values")
    if np.isinf(values).any():
        raise ValueError(f"search of slices: expected finite values, got {values[np.isinf(values)][0]}")
    if against not in ("zero", "others"):
        raise ValueError(f"search of slices: expected zero or others, got {against!r}")


def _findings(
    chosen: list[int],
    lattice: Lattice,
    tested: Tested,
    bad: FloatArray,
    units: NDArray[Any],
    sign: float,
    against: Against,
) -> list[Finding]:
    """The findings, the worst bound first.

    Args:
        chosen: slices by their numbers.
        lattice: all slices.
        tested: what is known of them.
        bad: float64 [lists], values, high is bad.
        units: str [lists].
        sign: gives values back their direction.
        against: what the bounds are of: the mean of a slice, or its gap to the others.
    """
    inside = np.zeros((len(bad), len(chosen)), np.bool_)
    for place, one in enumerate(chosen):
        inside[lattice.members(one), place] = True
    mean, error = _means(bad, inside, units)
    others, others_error = _means(bad, ~inside, units)
    gap = mean
    if against == "others":
        gap, error = mean - others, np.hypot(error, others_error)
    bound = np.maximum(gap - tested.critical * np.nan_to_num(error), 0.0)
    spread = tested.spread[chosen]
    effect = np.divide(gap, spread, out=np.full(len(gap), np.inf), where=spread > 0)
    order = sorted(range(len(chosen)), key=lambda place: (-bound[place], chosen[place]))
    return [
        Finding(
            tuple(lattice.conditions(chosen[place])),
            int(inside[:, place].sum()),
            mean=float(sign * mean[place]),
            others=float(sign * others[place]),
            effect=float(sign * effect[place]),
            p_adjusted=float(tested.p_values[chosen[place]]),
            bound=float(sign * bound[place]) + 0.0,
        )
        for place in order
    ]


def _means(values: FloatArray, inside: BoolArray, units: NDArray[Any]) -> tuple[FloatArray, FloatArray]:
    """Means over the lists of slices and their standard errors; `inside` bool [lists, slices]."""
    if not inside.shape[1]:
        return np.zeros(0), np.zeros(0)
    sums = Sums.of(np.where(inside, values[:, None], np.nan), units, draws=1)
    return sums.mean, sums.standard_error
