"""Slices: a forest plot of those with most lists, and a table of all."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from markupsafe import Markup

from eval.report_page import charts
from eval.report_page.axis import Axis, axis_over
from eval.report_page.figures import count, interval, number, p_value, signed
from eval.report_page.panels import choices, panel_keys
from eval.report_page.reading import Figures, Outcome, Reading

__all__ = ["CHART_ROWS", "Cell", "Column", "SlicePanel", "SliceRow", "slice_panels"]

CHART_ROWS = 40
_TABLE_ROWS = 10_000  # in all panels together; a row takes about a kilobyte


@dataclass(frozen=True)
class Column:
    """A column of the table.

    Args:
        key: by which the page's script sorts.
        title: in the head.
        extra: shown on request only.
        text: left-aligned, sorted as text.
    """

    key: str
    title: str
    extra: bool = False
    text: bool = False


@dataclass(frozen=True)
class Cell:
    """A figure as printed, and the number it is sorted by; None: it has none and goes last."""

    text: str
    value: float | None

    @property
    def key(self) -> str:
        """The number with six digits."""
        return "" if self.value is None else f"{self.value:.6g}"


@dataclass(frozen=True)
class SliceRow:
    """One value of a slice.

    Args:
        place: among all rows of the panel; links the plot and the table.
        slice: its name.
        value: of the slice, as text.
        tags: what a reader has to know: few lists, documents cut.
        small: too few lists with a value to judge by.
        outcome: of the comparison with the baseline.
        lists: with a value.
        figures: what is drawn: `mean`, `low`, `high`.
        cells: of the columns, without the first.
    """

    place: int
    slice: str
    value: str
    tags: tuple[str, ...]
    small: bool
    outcome: Outcome
    lists: int
    figures: Figures
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class ForestLine:
    """A line of the plot: a row of the table, or the line over all lists (`row` is None)."""

    row: SliceRow | None
    picture: Markup
    mean: str
    interval: str


@dataclass(frozen=True)
class SlicePanel:
    """All slices for one model and metric.

    Args:
        model: compared, or alone.
        metric: of the figures.
        compared: whether figures are differences to the baseline.
        columns: of the table.
        rows: of the table.
        total: rows there would be without a bound on the page's size.
        lines: of the plot.
        ticks: of its axis.
        ends: what lies to the left and to the right.
        merged: by slice, how many of its values are in the one for all others.
        counts: slices that are better, worse and small.
    """

    model: str
    metric: str
    compared: bool
    columns: tuple[Column, ...]
    rows: tuple[SliceRow, ...]
    total: int
    lines: tuple[ForestLine, ...]
    ticks: Markup
    ends: tuple[str, str]
    merged: dict[str, int]
    counts: dict[str, int]


_COMPARED = (
    Column("slice", "Slice", text=True),
    Column("lists", "Lists"),
    Column("documents", "Documents", extra=True),
    Column("baseline", "Baseline"),
    Column("model", "Model"),
    Column("delta", "Difference"),
    Column("interval", "{level} interval"),
    Column("p_adjusted", "p adjusted"),
    Column("q", "q"),
    Column("effect", "Effect d_z"),
    Column("detectable", "Detectable"),
    Column("p_t", "p of t-test", extra=True),
    Column("p_randomisation", "p of randomisation", extra=True),
    Column("p_holm", "p by Holm", extra=True),
    Column("bounds", "Simultaneous bounds", extra=True),
)
_ALONE = (
    Column("slice", "Slice", text=True),
    Column("lists", "Lists"),
    Column("documents", "Documents", extra=True),
    Column("model", "Mean"),
    Column("interval", "{level} interval"),
    Column("empty", "Empty"),
    Column("tied", "Tied"),
)


def slice_panels(reading: Reading) -> list[SlicePanel]:
    """A panel per model and metric; none where the report has no slices."""
    if not reading.report["slices"]:
        return []
    keys = list(panel_keys(choices(reading)))
    most = max(CHART_ROWS, _TABLE_ROWS // len(keys))
    return [_panel(reading, model, metric, most) for model, metric in keys]


def _panel(reading: Reading, model: str, metric: str, most: int) -> SlicePanel:
    compared = model in reading.challengers
    make_row = _compared_row if compared else _row_alone
    values = list(reading.slice_values())
    kept = _largest([value["lists"] for _, value in values], most)
    rows = [make_row(reading, model, metric, part, value) for part, value in (values[place] for place in kept)]
    rows = [replace(row, place=place) for place, row in enumerate(_ordered(rows))]
    whole = reading.delta(model, metric) if compared else reading.overall(model, metric)
    drawn = [rows[place] for place in _largest([row.lists for row in rows], CHART_ROWS)]
    axis = _axis(drawn, whole, compared)
    low, high = ("worse", "better") if reading.direction(metric) > 0 else ("better", "worse")
    columns = _COMPARED if compared else _ALONE
    return SlicePanel(
        model=model,
        metric=metric,
        compared=compared,
        columns=tuple(replace(column, title=column.title.format(level=reading.level)) for column in columns),
        rows=tuple(rows),
        total=len(values),
        lines=tuple(_lines(drawn, whole, axis, compared, reading.overall_outcome(metric, whole))),
        ticks=charts.ticks(axis, sign=compared),
        ends=(f"← {low}", f"{high} →"),
        merged={part["name"]: part["merged"] for part in reading.report["slices"] if part.get("merged")},
        counts={
            "better": sum(row.outcome == "better" for row in rows),
            "worse": sum(row.outcome == "worse" for row in rows),
            "small": sum(row.small for row in rows),
        },
    )


def _compared_row(reading: Reading, model: str, metric: str, part: Figures, value: Figures) -> SliceRow:
    where = (metric, part["name"], value["value"])
    delta = reading.delta_in_slice(model, *where)
    own, other = (reading.in_slice(name, *where).get("mean") for name in (model, str(reading.baseline)))
    cells = (
        *_sizes(value, delta),
        Cell(number(other), other),
        Cell(number(own), own),
        _cell(delta, "mean", signed),
        Cell(interval(delta.get("low"), delta.get("high"), sign=True), delta.get("low")),
        _cell(delta, "p_adjusted", p_value),
        _cell(delta, "q", p_value),
        _cell(delta, "effect", _effect),
        _cell(delta, "detectable", number),
        _cell(delta, "p_t", p_value),
        _cell(delta, "p_randomisation", p_value),
        _cell(delta, "p_holm", p_value),
        Cell(interval(delta.get("bound_low"), delta.get("bound_high"), sign=True), delta.get("bound_low")),
    )
    return _row(part, value, delta, cells, reading.outcome(metric, delta), reading.least_lists)


def _row_alone(reading: Reading, model: str, metric: str, part: Figures, value: Figures) -> SliceRow:
    own = reading.in_slice(model, metric, part["name"], value["value"])
    cells = (
        *_sizes(value, own),
        _cell(own, "mean", number),
        Cell(interval(own.get("low"), own.get("high")), own.get("low")),
        _cell(own, "empty", count),
        _cell(own, "tied", count),
    )
    return _row(part, value, own, cells, "unclear", reading.least_lists)


def _row(
    part: Figures, value: Figures, figures: Figures, cells: tuple[Cell, ...], outcome: Outcome, least: int
) -> SliceRow:
    lists = int(figures.get("lists") or 0)
    small = bool(value["small"]) or lists < least  # of the lists of a slice, some may have no value
    tags = ("few lists",) * small + ("documents",) * (part["scope"] == "document")
    return SliceRow(0, str(part["name"]), str(value["value"]), tags, small, outcome, lists, figures, cells)


def _sizes(value: Figures, figures: Figures) -> tuple[Cell, Cell]:
    return Cell(count(figures.get("lists")), figures.get("lists")), _cell(value, "documents", count)


def _cell(figures: Figures, name: str, show: Any) -> Cell:
    value = figures.get(name)
    return Cell(show(value), value)


def _effect(value: float | None) -> str:
    return signed(value, 2)


def _ordered(rows: Sequence[SliceRow]) -> list[SliceRow]:
    """Slices in the order of the report, each with its largest mean first, and its small values last."""
    slices = {row.slice: place for place, row in reversed(list(enumerate(rows)))}

    def key(row: SliceRow) -> tuple[int, bool, float]:
        mean = row.figures.get("mean")
        return slices[row.slice], row.small, float("inf") if mean is None else -mean

    return sorted(rows, key=key)


def _largest(sizes: Sequence[int], most: int) -> list[int]:
    """Places of the largest, in rising order."""
    return sorted(sorted(range(len(sizes)), key=lambda place: -sizes[place])[:most])


def _axis(rows: Sequence[SliceRow], whole: Figures, compared: bool) -> Axis:
    """Holds every mean, and the intervals of all but small slices, which would squeeze the others together."""
    sure = [row.figures for row in rows if not row.small] + [whole]
    ends = [figures.get(name) for figures in sure for name in ("low", "high")]
    means = [figures.get("mean") for figures in (*(row.figures for row in rows), whole)]
    return axis_over([*ends, *means, *([0.0] if compared else [])])


def _lines(rows: Sequence[SliceRow], whole: Figures, axis: Axis, compared: bool, outcome: Outcome) -> list[ForestLine]:
    most = max([row.lists for row in rows] + [1])
    lines = [_line(None, whole, axis, compared, outcome if compared else "plain", {"whole": True})]
    for row in rows:
        look = {"reference": whole.get("mean"), "weight": row.lists / most}
        kind = (row.outcome if compared else "plain") + " small" * row.small
        lines.append(_line(row, row.figures, axis, compared, kind, look))
    return lines


def _line(
    row: SliceRow | None, figures: Figures, axis: Axis, compared: bool, kind: str, look: dict[str, Any]
) -> ForestLine:
    show = signed if compared else number
    ends = interval(figures.get("low"), figures.get("high"), sign=compared)
    return ForestLine(row, charts.forest_row(axis, figures, kind, **look), show(figures.get("mean")), ends)
