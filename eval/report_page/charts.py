"""Pictures as inline SVG.

Widths are percents and heights pixels: a picture fills the place it has, and neither its text nor its marks are
stretched. Colours are classes of the style sheet: `better`, `worse`, `unclear`. What a picture shows is in the text or
the table beside it too, so pictures are hidden from screen readers.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from markupsafe import Markup

from eval.report_page.axis import Axis, axis_over
from eval.report_page.figures import count, number, share

__all__ = ["bars", "calibration", "forest_row", "histogram", "lengths", "ticks"]

_ROW = 26
_MIDDLE = "50%"
_OPEN = Markup('<svg class="{}" width="100%" height="{}" aria-hidden="true" focusable="false">{}</svg>')
_LINE = Markup('<line class="{}" x1="{}%" x2="{}%" y1="{}" y2="{}"/>')
_TEXT = Markup('<text class="{}" x="{}%" y="{}">{}</text>')
_PLACED = Markup('<svg x="{}%" y="{}" overflow="visible"><path class="{}" d="{}"/></svg>')
_RECTANGLE = Markup('<rect class="{}" x="{}%" width="{}%" y="{}" height="{}">{}</rect>')
_TITLE = Markup("<title>{}</title>")
_LEFT, _RIGHT, _DIAMOND = "M5-4 0 0 5 4", "M-5-4 0 0-5 4", "M-6 0 0-6 6 0 0 6z"


def forest_row(
    axis: Axis,
    figures: Mapping[str, Any],
    kind: str,
    *,
    reference: float | None = None,
    weight: float = 1.0,
    whole: bool = False,
) -> Markup:
    """One line of a forest plot: a mark at the mean and its interval, cut with an arrow where the axis ends.

    Args:
        axis: of all lines of the plot.
        figures: `mean`, `low` and `high`; None: nothing is drawn.
        kind: class of the mark.
        reference: where a dashed line goes: the mean over all lists.
        weight: 0 to 1; the area of the mark.
        whole: the line over all lists, whose mark is a diamond.
    """
    parts = [Markup()]
    if axis.holds(0):
        parts.append(_LINE.format("zero", axis.at(0), axis.at(0), 0, "100%"))
    if reference is not None and axis.holds(reference):
        parts.append(_LINE.format("reference", axis.at(reference), axis.at(reference), 0, "100%"))
    mean, low, high = (figures.get(name) for name in ("mean", "low", "high"))
    if low is not None and high is not None:
        parts.append(_LINE.format(f"interval {kind}", axis.at(low), axis.at(high), _MIDDLE, _MIDDLE))
        if low < axis.low:
            parts.append(_PLACED.format(axis.at(low), _MIDDLE, f"arrow {kind}", _LEFT))
        if high > axis.high:
            parts.append(_PLACED.format(axis.at(high), _MIDDLE, f"arrow {kind}", _RIGHT))
    if mean is not None and axis.holds(mean):
        if whole:
            parts.append(_PLACED.format(axis.at(mean), _MIDDLE, f"mark {kind}", _DIAMOND))
        else:
            radius = round(2.5 + 3 * weight**0.5, 1)
            circle = Markup('<circle class="mark {}" cx="{}%" cy="{}" r="{}"/>')
            parts.append(circle.format(kind, axis.at(mean), _MIDDLE, radius))
    return _OPEN.format("plot", _ROW, Markup().join(parts))


def ticks(axis: Axis, *, sign: bool = False, most: int = 5) -> Markup:
    """The numbers under or over the lines of a plot, about `most` of them."""
    named = [
        _LINE.format("tick", axis.at(tick), axis.at(tick), 0, 4) + _text(axis.at(tick), 17, axis.label(tick, sign=sign))
        for tick in axis.ticks(most)
    ]
    return _OPEN.format("ticks", 22, Markup().join(named))


def histogram(edges: Sequence[float], counts: Sequence[int], direction: int = 1) -> Markup:
    """How many lists changed by how much; bars are coloured by the side of 0 they are on.

    Args:
        edges: rising, one more than bars.
        counts: lists in each bar.
        direction: 1 where more is better, else -1.
    """
    height, base = 150, 172
    axis = Axis(edges[0], edges[-1]) if edges[0] < edges[-1] else axis_over(edges)
    highest = max([*counts, 1])
    parts = [Markup()]
    for low, high, lists in zip(edges[:-1], edges[1:], counts, strict=True):
        if not lists:
            continue
        tall = max(round(height * lists / highest, 1), 1.0)
        kind = "unclear" if low < 0 < high else "better" if (low + high) * direction > 0 else "worse"
        left, wide = axis.at(low), axis.at(high) - axis.at(low)
        title = _TITLE.format(f"{number(low)} to {number(high)}: {count(lists)} queries")
        parts.append(_RECTANGLE.format(f"bar {kind}", left, f"{wide * 0.94:.2f}", base - tall, tall, title))
        if lists == highest:
            parts.append(_text(left + wide / 2, base - tall - 6, count(lists)))
    parts.append(_LINE.format("base", 0, 100, base, base))
    if axis.holds(0):
        parts.append(_LINE.format("zero", axis.at(0), axis.at(0), base, base + 5))
    parts += [_text(axis.at(tick), base + 18, axis.label(tick, sign=True)) for tick in axis.ticks()]
    return _OPEN.format("histogram", base + 24, Markup().join(parts))


def bars(values: Mapping[str, int]) -> list[dict[str, Any]]:
    """Rows of a bar chart: `name`, `count`, `share` of all, and `bar`."""
    total, highest = max(sum(values.values()), 1), max([*values.values(), 1])
    rows = []
    for name, value in values.items():
        wide = round(100 * value / highest, 2)
        bar = _OPEN.format("bar-row", 12, _RECTANGLE.format("bar plain", 0, wide, 0, 12, Markup()))
        rows.append({"name": name, "count": count(value), "share": share(value / total), "bar": bar})
    return rows


def lengths(five: Mapping[str, float]) -> Markup:
    """Shortest and longest list as a line, the middle half as a box, the median as a stroke."""
    names = ("min", "quartile1", "median", "quartile3", "max")
    low, first, median, third, high = (five[name] for name in names)
    axis = axis_over((low, high))
    box = (axis.at(first), round(axis.at(third) - axis.at(first), 2))
    parts = [
        *(_text(axis.at(tick), 44, axis.label(tick)) for tick in axis.ticks()),
        _LINE.format("whisker", axis.at(low), axis.at(high), 14, 14),
        _RECTANGLE.format("box", *box, 5, 18, Markup()),
        _LINE.format("median", axis.at(median), axis.at(median), 2, 26),
    ]
    return _OPEN.format("lengths", 50, Markup().join(parts))


def calibration(bins: Sequence[Mapping[str, Any]]) -> Markup:
    """Mean label against mean score of the documents of each bin, with the interval of the mean label."""
    height, top, base = 150, 12, 162
    axis = axis_over(point["score"] for point in bins)
    ends = [point.get(name) for point in bins for name in ("label", "low", "high")]
    scale = axis_over([0.0, *ends])
    scale = Axis(0.0, scale.high)

    def up(value: float) -> float:
        return round(base - height * (value - scale.low) / (scale.high - scale.low), 1)

    parts = [Markup()]
    for tick in scale.ticks(4):
        parts.append(_LINE.format("grid", 0, 100, up(tick), up(tick)))
        parts.append(_TEXT.format("left", 0, up(tick) - 3, scale.label(tick)))
    for one, other in pairwise(bins):
        places = (axis.at(one["score"]), axis.at(other["score"]))
        parts.append(_LINE.format("way", *places, up(one["label"]), up(other["label"])))
    for point in bins:
        place, low, high = axis.at(point["score"]), point.get("low"), point.get("high")
        if low is not None and high is not None:
            parts.append(_LINE.format("interval plain", place, place, up(low), up(high)))
        parts.append(Markup('<circle class="mark plain" cx="{}%" cy="{}" r="3"/>').format(place, up(point["label"])))
    parts += [_text(axis.at(tick), base + 18, axis.label(tick)) for tick in axis.ticks()]
    return _OPEN.format("calibration", base + top + 12, Markup().join(parts))


def _text(place: float, y: float, text: str) -> Markup:
    return _TEXT.format("middle", round(place, 2), round(y, 1), text)
