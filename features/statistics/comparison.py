"""How the columns of some lists differ from those of the training lists, and whether that could be chance.

The sizes of the samples count documents of one list as one, and lists of one query, see
`SplitSummary.independent_documents`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tensorflow_metadata.proto.v0 import schema_pb2

from features.statistics.distances import Distance, difference_of_shares, jensen_shannon, kolmogorov_smirnov
from features.statistics.summary import ColumnSummary, Numbers, SplitSummary, Values
from ranker.spec import JudgedCandidates, SampledCandidates, Spec
from ranker.spec.validation import LIST_LENGTH, Validation

__all__ = ["Check", "Comparison", "compare", "skipped"]

Check = Literal["drift", "missing", "unseen"]

_SHOWN = 3
_SHORT = 30
_KS = "Kolmogorov-Smirnov distance"
_JS = "Jensen-Shannon divergence"
_MISSING = "difference of the shares of missing values"
_UNSEEN = "share of values that no training list has"


@dataclass(frozen=True)
class Comparison:
    """One figure of a column, or of a component of a vector, of a split against the training lists.

    Attributes:
        split: that was compared.
        column: name of the column, or `list_length`.
        component: number of a vector's component.
        check: what was compared.
        measure: name of the distance.
        distance: 0 to 1.
        limit: the largest that the spec allows.
        what: the difference in words.
    """

    split: str
    column: str
    component: int | None
    check: Check
    measure: str
    distance: Distance
    limit: float
    what: str


def compare(
    train: SplitSummary, other: SplitSummary, schema: schema_pb2.Schema, checks: Validation, skip: Iterable[str] = ()
) -> list[Comparison]:
    """All comparisons of the columns that both have.

    Args:
        train: statistics of the training lists.
        other: those of other lists.
        schema: of the training lists; what is unseen is what its domains do not hold, and no more may be missing than
            its `presence.min_fraction` says, unless the column has a limit of its own.
        checks: the limits.
        skip: columns, and `list_length`, that differ by design.
    """
    skip, comparisons = set(skip), []
    domains = {feature.name: feature for feature in schema.feature}
    for column in train.columns:
        found = other.column(column.measured.name)
        if found is None or column.measured.kind == "time" or column.measured.name in skip:
            continue
        pair = _Pair(column, found, train, other, checks)
        feature = domains.get(column.measured.name)
        comparisons += [*pair.missing(feature), *pair.unseen(feature), *pair.drift()]
    if LIST_LENGTH not in skip:
        drift = kolmogorov_smirnov(train.length, other.length, (train.independent_lists, other.independent_lists))
        limit = _limit(checks, LIST_LENGTH, "drift", checks.drift.numbers)
        what = _medians(train.length, other.length)
        comparisons.append(Comparison(other.name, LIST_LENGTH, None, "drift", _KS, drift, limit, what))
    return comparisons


def skipped(spec: Spec) -> set[str]:
    """Columns of which training lists differ from others by the way in which candidates are found.

    Training lists of retrieved candidates have relevant documents added; sampled ones are shorter than all documents.
    """
    candidates = spec.data.candidates
    if isinstance(candidates, JudgedCandidates):
        return set()
    if isinstance(candidates, SampledCandidates):
        return {"label", "weight", "position", LIST_LENGTH, *(f.name for f in spec.features.of_documents)}
    return {"label", "weight", "position", LIST_LENGTH}


# --- one column of two splits ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Pair:
    """A column of the training lists, and of others."""

    train: ColumnSummary
    other: ColumnSummary
    train_lists: SplitSummary
    lists: SplitSummary
    checks: Validation

    @property
    def _sizes(self) -> tuple[float, float]:
        """As how many independent rows those of both count."""
        if self.train.measured.column.scope == "query":
            return self.train_lists.independent_lists, self.lists.independent_lists
        return self.train_lists.independent_documents, self.lists.independent_documents

    def _comparison(
        self, check: Check, measure: str, distance: Distance, default: float, what: str, component: int | None = None
    ) -> Comparison:
        name = self.train.measured.name
        limit = _limit(self.checks, name, check, default)
        return Comparison(self.lists.name, name, component, check, measure, distance, limit, what)

    def missing(self, feature: schema_pb2.Feature | None) -> Iterator[Comparison]:
        """The difference of the shares of missing values, or what the schema does not allow of them."""
        absent = None if feature is None else self._absent(feature)
        if absent is not None:
            yield absent
        pairs: list[tuple[int | None, Any, Any]] = [(None, self.train, self.other)]
        if self.train.components:
            pairs = list(self._components())
        elif absent is not None:
            return
        for component, train, other in pairs:
            shares = train.missing_share, other.missing_share
            distance = difference_of_shares(*shares, self._sizes)
            what = f"{shares[1]:.1%} are missing, {shares[0]:.1%} of the training lists"
            yield self._comparison("missing", _MISSING, distance, self.checks.missing.most, what, component)

    def _absent(self, feature: schema_pb2.Feature) -> Comparison | None:
        """Rows without a value, more than the schema has room for.

        Those that it has room for, or as many as are missing in the training lists if these are fewer, may be chance.
        """
        own = self.checks.columns.get(feature.name)
        if not feature.presence.HasField("min_fraction") or (own is not None and own.missing is not None):
            return None
        room, share = max(1 - feature.presence.min_fraction, 0.0), self.other.missing_share
        if share <= room or self.checks.missing.most == 1:
            return None
        usual = min(self.train.missing_share, room)
        distance = difference_of_shares(usual, share, self._sizes)
        what = f"{share:.2%} are missing; schema.pbtxt says that {1 - room:.2%} are there"
        limit = min(room - usual, self.checks.missing.most)
        return Comparison(self.lists.name, feature.name, None, "missing", _MISSING, distance, limit, what)

    def unseen(self, domain: schema_pb2.Feature | None) -> Iterator[Comparison]:
        """The share of values outside the domain of the schema; of components, outside their range."""
        if domain is not None and domain.HasField("string_domain") and self.other.values is not None:
            yield self._unseen(*_unknown(self.other.values, set(domain.string_domain.value)))
        if domain is None or not domain.HasField("float_domain"):
            return
        for component, train, other in self._components():
            yield self._outside(other, train.minimum, train.maximum, component)
        if not self.train.components and self.other.numbers is not None:
            yield self._outside(self.other.numbers, domain.float_domain.min, domain.float_domain.max)

    def _outside(self, numbers: Numbers, low: float, high: float, component: int | None = None) -> Comparison:
        what = f"numbers from {numbers.minimum:g} to {numbers.maximum:g}, training lists from {low:g} to {high:g}"
        return self._unseen(numbers.share_outside(low, high), what, component)

    def _unseen(self, share: float, what: str, component: int | None = None) -> Comparison:
        distance = difference_of_shares(0.0, share, self._sizes)
        return self._comparison("unseen", _UNSEEN, distance, self.checks.unseen.most, what, component)

    def drift(self) -> Iterator[Comparison]:
        """The distance of the distributions of the values that are there."""
        kind = self.train.measured.kind
        if kind in ("category", "categories"):
            if self.train.values is None or self.other.values is None:
                return
            distance = jensen_shannon(self.train.values, self.other.values, self._present_sizes())
            what = _changed(self.train.values, self.other.values)
            yield self._comparison("drift", _JS, distance, self.checks.drift.categories, what)
            return
        numbers: list[tuple[int | None, Numbers | None, Numbers | None]] = list(self._components())
        if kind == "date":
            numbers = [(None, self.train.age, self.other.age)]
        elif kind != "vector":
            numbers = [(None, self.train.numbers, self.other.numbers)]
        for component, train, other in numbers:
            if train is None or other is None or not train.count or not other.count:
                continue
            distance = kolmogorov_smirnov(train, other, self._sizes)
            what = _medians(train, other)
            yield self._comparison("drift", _KS, distance, self.checks.drift.numbers, what, component)

    def _present_sizes(self) -> tuple[float, float]:
        first, second = self._sizes
        train, other = self.train, self.other
        return min(first, train.rows - train.missing), min(second, other.rows - other.missing)

    def _components(self) -> Iterator[tuple[int, Numbers, Numbers]]:
        for place, pair in enumerate(
            zip(self.train.components, self.other.components, strict=True), start=self.train.measured.first
        ):
            yield place, *pair


def _limit(checks: Validation, column: str, check: Check, default: float) -> float:
    own = getattr(checks.columns.get(column), check, None)
    return default if own is None else own


def _unknown(values: Values, known: set[str]) -> tuple[float, str]:
    """The share of values that are not known, and which they are."""
    share = 1 - sum(count for value, count in values.top if value in known) / max(values.count, 1)
    return max(share, 0.0), f"such as {_named([value for value, _ in values.top if value not in known])}"


# --- in words --------------------------------------------------------------------------------------------------------


def _medians(train: Numbers, other: Numbers) -> str:
    return f"median {_median(other):g}, in training lists {_median(train):g}"


def _median(numbers: Numbers) -> float:
    return float(numbers.quantiles[len(numbers.quantiles) // 2]) if len(numbers.quantiles) else float("nan")


def _changed(train: Values, other: Values) -> str:
    """The values whose shares differ most."""
    shares = [{value: count / max(of.count, 1) for value, count in of.top} for of in (train, other)]
    names = sorted(shares[0].keys() | shares[1].keys())
    names.sort(key=lambda name: -abs(shares[0].get(name, 0) - shares[1].get(name, 0)))
    told = (
        f"{name[:_SHORT]!r} {shares[1].get(name, 0):.1%}, in training lists {shares[0].get(name, 0):.1%}"
        for name in names[:_SHOWN]
    )
    return "; ".join(told)


def _named(values: Sequence[str]) -> str:
    return ", ".join(repr(value[:_SHORT]) for value in values[:_SHOWN])
