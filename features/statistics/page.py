"""The statistics of all splits side by side, as one page that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from typing import Any

import jinja2
import numpy as np
import numpy.typing as npt

from features.statistics.anomalies import Anomaly
from features.statistics.comparison import Comparison
from features.statistics.measured import Measured
from features.statistics.summary import ColumnSummary, Numbers, SplitSummary, Values
from ranker.spec.validation import LIST_LENGTH

__all__ = ["statistics_page"]

_BARS = 24
_WIDTH, _HEIGHT = 192, 44
_VALUES = 6
_LABELS = 12
_COMPONENTS = 256  # of a wider vector only those that differ most are shown
_WORST = 24
_MOSTLY = 0.9
_COMMON = 0.01
_SECONDS_PER_DAY = 86_400

_Floats = npt.NDArray[np.float64]


def statistics_page(
    title: str,
    splits: Sequence[SplitSummary],
    comparisons: Sequence[Comparison],
    anomalies: Sequence[Anomaly],
) -> str:
    """HTML of the statistics of some splits; the first is what the others are compared with.

    Args:
        title: of the page.
        splits: side by side; a column that only some of them have is empty for the others.
        comparisons: of the columns of the splits with those of the first.
        anomalies: marked where they are, and listed at the top.
    """
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.filters["count"] = lambda number: f"{number:,}"
    template = resources.files("features.statistics").joinpath("templates/statistics.html").read_text(encoding="utf-8")
    drifts = {(c.column, c.component, c.split): c for c in comparisons if c.check == "drift"}
    page = _Page(splits, drifts, anomalies)
    return environment.from_string(template).render(
        title=title,
        splits=splits,
        labels=[_labels(split) for split in splits],
        anomalies=anomalies,
        groups=[
            {"name": "Lists", "rows": page.of_lists()},
            {"name": "Queries", "rows": page.of_scope("query")},
            {"name": "Documents", "rows": page.of_scope("document")},
        ],
    )


@dataclass(frozen=True)
class _Page:
    """What the rows of the page are made of."""

    splits: Sequence[SplitSummary]
    drifts: Mapping[tuple[str, int | None, str], Comparison]
    anomalies: Sequence[Anomaly]

    def of_lists(self) -> list[dict[str, Any]]:
        """Rows of what is known of a list as a whole."""
        rows = [self._row(LIST_LENGTH, "documents", [self._numbers([s.length for s in self.splits])])]
        relevant = [split.relevant for split in self.splits]
        if any(numbers is not None for numbers in relevant):
            rows.append(self._row("relevant", "documents with a label above 0", [self._numbers(relevant)], drift=False))
        return rows

    def of_scope(self, scope: str) -> list[dict[str, Any]]:
        """A row for each column of queries, or of documents."""
        columns: dict[str, Measured] = {}
        for split in self.splits:
            for column in split.columns:
                if column.measured.column.scope == scope:
                    columns.setdefault(column.measured.name, column.measured)
        return [self._of_column(measured) for measured in columns.values()]

    def _of_column(self, measured: Measured) -> dict[str, Any]:
        found = [split.column(measured.name) for split in self.splits]
        blocks = []
        if measured.has_values and measured.kind != "label":
            blocks.append(self._values([None if column is None else column.values for column in found], measured))
        if measured.measure or measured.kind == "vector":
            numbers = [None if column is None else column.numbers for column in found]
            note = {"text": "words", "categories": "values each", "vector": "all components"}.get(measured.kind, "")
            blocks.append(self._numbers(numbers, note, dates=measured.kind in ("date", "time")))
        if any(column is not None and column.age is not None for column in found):
            ages = [None if column is None else column.age for column in found]
            blocks.append(self._numbers(ages, "age in days", missing=True))
        row = self._row(measured.name, _kind(measured), blocks)
        row["missing"] = [None if column is None else _share(column.missing_share) for column in found]
        row["components"], row["components_note"] = self._components(measured, found)
        return row

    def _row(self, name: str, kind: str, blocks: list[Any], drift: bool = True) -> dict[str, Any]:
        own = [anomaly for anomaly in self.anomalies if anomaly.column == name and drift]
        return {
            "name": name,
            "kind": kind,
            "blocks": blocks,
            "anomalies": own,
            "failing": any(anomaly.action == "fail" for anomaly in own),
            "drift": [self._drift(name, None, split) if drift else None for split in self.splits],
            "missing": None,
            "components": [],
            "components_note": "",
        }

    def _drift(self, column: str, component: int | None, split: SplitSummary) -> dict[str, Any] | None:
        found = self.drifts.get((column, component, split.name))
        if found is None:
            return None
        told = any(
            anomaly.check == "drift" and anomaly.split == split.name and anomaly.column == column
            for anomaly in self.anomalies
        )
        beyond = told and found.distance.value > found.limit
        return {"measure": found.measure, "value": f"{found.distance.value:.3f}", "beyond": beyond}

    def _components(
        self, measured: Measured, found: Sequence[ColumnSummary | None]
    ) -> tuple[list[dict[str, Any]], str]:
        width = max((len(column.components) for column in found if column is not None), default=0)
        places = list(range(width))
        note = f"{width} components"
        if width > _COMPONENTS:
            places.sort(key=lambda place: -self._worst(measured.name, place + measured.first))
            places, note = places[:_WORST], f"the {_WORST} of {width} components that differ most"
        rows = []
        for place in places:
            numbers = [
                column.components[place] if column is not None and place < len(column.components) else None
                for column in found
            ]
            number = place + measured.first
            drift = [self._drift(measured.name, number, split) for split in self.splits]
            block = self._numbers(numbers, missing=True)
            rows.append({"name": f"{measured.name}_{number}", "block": block, "drift": drift})
        return rows, note

    def _worst(self, column: str, component: int) -> float:
        found = [self.drifts.get((column, component, split.name)) for split in self.splits]
        return max((c.distance.value for c in found if c is not None), default=0.0)

    def _numbers(
        self, numbers: Sequence[Numbers | None], note: str = "", *, dates: bool = False, missing: bool = False
    ) -> dict[str, Any]:
        edges = _edges([n for n in numbers if n is not None and n.count])
        return {"kind": "numbers", "note": note, "cells": [_number_cell(n, edges, dates, missing) for n in numbers]}

    def _values(self, values: Sequence[Values | None], measured: Measured) -> dict[str, Any]:
        shares = [{} if v is None else {value: count / max(v.count, 1) for value, count in v.top} for v in values]
        largest: dict[str, float] = {}
        for own in shares:
            for value, share in own.items():
                largest[value] = max(share, largest.get(value, 0.0))
        shown = sorted(largest, key=lambda value: (-largest[value], value))[:_VALUES]
        if measured.kind == "text" and max(largest.values(), default=0.0) < _COMMON:
            shown = []  # texts that hardly come back
        full = max([largest[value] for value in shown], default=1.0)
        cells = [
            None if v is None else _value_cell(v, [(value, own.get(value, 0.0)) for value in shown], full)
            for v, own in zip(values, shares, strict=True)
        ]
        return {"kind": "values", "note": "", "cells": cells}


def _kind(measured: Measured) -> str:
    words = {"categories": "several categories", "time": "time of the query"}
    if measured.kind == "vector":
        return f"vector of {measured.column.width}"
    return words.get(measured.kind, measured.kind)


def _labels(split: SplitSummary) -> list[dict[str, str]]:
    label = split.column("label")
    if label is None or label.values is None:
        return []
    values = sorted(label.values.top[:_LABELS], key=lambda item: float(item[0]))
    return [{"label": value, "share": _share(count / max(label.values.count, 1))} for value, count in values]


def _value_cell(values: Values, shown: Sequence[tuple[str, float]], full: float) -> dict[str, Any]:
    rest = 1 - sum(share for _, share in shown)
    others = values.distinct - sum(share > 0 for _, share in shown)
    bars = [{"name": name, "share": _share(share), "width": round(100 * share / full, 1)} for name, share in shown]
    more = f"{others:,} others: {_share(max(rest, 0.0))}" if shown and others > 0 else ""
    return {"bars": bars, "more": more, "distinct": f"{'' if values.exact else 'about '}{values.distinct:,} different"}


def _number_cell(numbers: Numbers | None, edges: _Floats, dates: bool, missing: bool) -> dict[str, Any] | None:
    if numbers is None:
        return None
    if not numbers.count:
        return {"path": "", "figures": [], "bars": "none"}
    shares = np.diff(numbers.shares_below(edges[1:-1]), prepend=0.0, append=1.0)
    show = _date if dates else _figure
    median = float(np.interp(0.5, numbers.levels, numbers.quantiles))
    figures = [("median", show(median)), ("range", f"{show(numbers.minimum)} to {show(numbers.maximum)}")]
    if not dates:
        figures.insert(0, ("mean", f"{_figure(numbers.mean)} ± {_figure(numbers.sd)}"))
        figures += [("zero", _share(numbers.zeros / numbers.count))] * (numbers.zeros > 0)
    if missing and numbers.missing:
        figures.append(("missing", _share(numbers.missing_share)))
    title = f"from {show(float(edges[0]))} to {show(float(edges[-1]))}; what lies beyond is in the first and last bar"
    return {"path": _path(shares), "figures": figures, "bars": title}


def _edges(numbers: Sequence[Numbers]) -> _Floats:
    """Edges of bars that all splits share: whole numbers have a bar each, others lie between the outer percents."""
    if not numbers:
        return np.array([0.0, 1.0])
    quantiles = np.concatenate([n.quantiles for n in numbers])
    low, high = float(quantiles.min()), float(quantiles.max())
    whole = float(np.mean(quantiles == np.round(quantiles)))  # some lie between two whole numbers
    if high - low < _BARS and low == round(low) and whole > _MOSTLY:
        return np.arange(low - 0.5, round(high) + 1)
    low = min(float(np.interp(0.01, n.levels, n.quantiles)) for n in numbers)
    high = max(float(np.interp(0.99, n.levels, n.quantiles)) for n in numbers)
    spread = 0.5 if high == low else 0.0
    return np.linspace(low - spread, high + spread, _BARS + 1)


def _path(shares: _Floats) -> str:
    """Bars as a path of SVG, the highest as high as the picture."""
    wide = _WIDTH / max(len(shares), 6)
    left = (_WIDTH - wide * len(shares)) / 2
    heights = shares / max(float(shares.max()), 1e-12) * _HEIGHT
    heights = np.where(shares > 0, np.maximum(heights, 0.75), 0)
    bars = (
        f"M{left + at * wide + 0.5:.1f} {_HEIGHT}v{-height:.1f}h{wide - 1:.1f}v{height:.1f}z"
        for at, height in enumerate(heights.tolist())
        if height > 0
    )
    return "".join(bars)


def _figure(number: float) -> str:
    """Four digits are enough to look at."""
    if number != number:
        return "–"
    if abs(number) >= 10_000 and abs(number) < 1e15:
        return f"{number:,.0f}"
    return f"{number:.4g}"


def _date(seconds: float) -> str:
    """Day and time of day in UTC; what no calendar has, as seconds."""
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return f"{seconds:.4g} s"
    return moment.strftime("%Y-%m-%d" if seconds % _SECONDS_PER_DAY == 0 else "%Y-%m-%d %H:%M")


def _share(share: float) -> str:
    if share == 0:
        return "0%"
    return "< 0.1%" if share < 0.001 else f"{share:.1%}"
