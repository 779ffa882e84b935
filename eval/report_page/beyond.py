"""The section on catalogue and exposure: what models show of all items, and whether groups get what they are due."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from eval.report_page import charts
from eval.report_page.axis import axis_over
from eval.report_page.figures import count, interval, number, share, signed
from eval.report_page.reading import Figures, Reading

__all__ = ["CatalogueGroup", "CataloguePanel", "ExposureGroup", "ExposurePanel", "catalogue_panel", "exposure_panels"]

_ROWS = 150  # of a table of groups and models
_FEWEST = 5

_WORDS = {
    "coverage": "share of the items that at least one list shows",
    "gini": "how unequally items are shown: 0 all alike, 1 one has all",
    "novelty": "how little known the items shown are, in bits",
}


@dataclass(frozen=True)
class Row:
    """A model's figures, as text.

    Args:
        model: its name.
        is_baseline: differences are to this one.
        is_best: has the best figure; of groups never.
        mean: the figure.
        interval: of it.
        picture: of both.
        cells: further texts, and whether each is one that chance does not explain.
    """

    model: str
    is_baseline: bool
    is_best: bool
    mean: str
    interval: str
    picture: Markup
    cells: tuple[tuple[str, bool], ...]


@dataclass(frozen=True)
class CatalogueGroup:
    """A metric of whole runs with a row for each model."""

    metric: str
    note: str
    ticks: Markup
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class CataloguePanel:
    """All metrics of whole runs; how many items there are, and how many of them the lists hold."""

    items: str
    listed: str
    groups: tuple[CatalogueGroup, ...]
    contract: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ExposureGroup:
    """A group of documents with a row for each model, and its own shares of documents and relevance."""

    name: str
    documents: str
    relevance: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class ExposurePanel:
    """The groups by one thing; `more` of them are in report.json only."""

    name: str
    attention: str
    gain: str
    lists: str
    left_out: str
    merged: int
    more: int
    ticks: Markup
    groups: tuple[ExposureGroup, ...]


def catalogue_panel(reading: Reading) -> CataloguePanel | None:
    """Of the report's `catalogue`; None where it has none."""
    found = reading.report.get("catalogue")
    if not found:
        return None
    contract = tuple(
        (metric, ", ".join(f"{key}: {value}" for key, value in choices.items()))
        for metric, choices in found["contract"].items()
    )
    groups = tuple(_catalogue_group(reading, found, metric) for metric in found["contract"])
    return CataloguePanel(count(found["items"]), count(found["listed"]), groups, contract)


def _catalogue_group(reading: Reading, found: Mapping[str, Any], metric: str) -> CatalogueGroup:
    own = {model: found["models"][model][metric] for model in reading.models}
    axis = axis_over(figures.get(name) for figures in own.values() for name in ("low", "mean", "high"))
    higher = found["higher_is_better"][metric]
    means = [figures["mean"] for figures in own.values() if figures["mean"] is not None]
    best = (max if higher else min)(means, default=None)
    rows = []
    for model, figures in own.items():
        change = (found["comparisons"].get(model) or {}).get(metric) or {}
        rows.append(
            Row(
                model=model,
                is_baseline=model == reading.baseline,
                is_best=len(set(means)) > 1 and figures["mean"] == best,
                mean=number(figures["mean"]),
                interval=interval(figures["low"], figures["high"]),
                picture=charts.forest_row(axis, figures, _kind(reading, model), weight=0.4),
                cells=_difference(change),
            )
        )
    words = _WORDS.get(metric.partition("@")[0], "")
    note = words if higher else f"{words}; lower is better"
    return CatalogueGroup(metric, note, charts.ticks(axis, most=3), tuple(rows))


def exposure_panels(reading: Reading) -> list[ExposurePanel]:
    """Of the report's `exposure`, in its order."""
    return [_exposure_panel(reading, found) for found in reading.report.get("exposure") or []]


def _exposure_panel(reading: Reading, found: Mapping[str, Any]) -> ExposurePanel:
    models = [model for model in reading.models if found["groups"] and model in found["groups"][0]["models"]]
    shown = found["groups"][: max(_FEWEST, _ROWS // max(len(models), 1))]
    shares = [group["relevance"].get("mean") for group in shown]
    for group in shown:
        shares += [group["models"][model]["exposure"].get(name) for model in models for name in ("low", "mean", "high")]
    axis = axis_over([0.0, *shares])
    groups = []
    for group in shown:
        due = group["relevance"].get("mean")
        rows = []
        for model in models:
            own = group["models"][model]
            exposure = own["exposure"]
            picture = charts.forest_row(axis, exposure, _kind(reading, model), reference=due, weight=0.4)
            texts = (share(exposure.get("mean")), _shares(exposure))
            is_baseline = model == reading.baseline
            ratio = (number(own["ratio"].get("mean"), 2), False)
            cells = (*_gap(own["difference"]), ratio, *_gap(own["change"] or {}))
            rows.append(Row(model, is_baseline, False, *texts, picture, cells))
        groups.append(ExposureGroup(group["group"], share(group["documents"].get("mean")), share(due), tuple(rows)))
    return ExposurePanel(
        name=found["name"],
        attention=found["attention"],
        gain=found["gain"],
        lists=count(found["lists"]),
        left_out=count(found["left_out"]) if found["left_out"] else "",
        merged=found["merged"],
        more=len(found["groups"]) - len(shown),
        ticks=charts.ticks(axis, most=3),
        groups=tuple(groups),
    )


def _kind(reading: Reading, model: str) -> str:
    return "unclear" if model == reading.baseline else "plain"


def _difference(figures: Figures) -> tuple[tuple[str, bool], ...]:
    """Mean and interval of a difference."""
    if not figures:
        return (("", False), ("", False))
    low, high = figures.get("low"), figures.get("high")
    return ((signed(figures.get("mean")), _sure(figures)), (interval(low, high, sign=True), False))


def _gap(figures: Figures) -> tuple[tuple[str, bool], ...]:
    """Mean and interval of a difference of shares, in points of percent."""
    if not figures:
        return (("", False), ("", False))
    points = {name: None if figures.get(name) is None else 100 * figures[name] for name in ("mean", "low", "high")}
    ends = "" if points["low"] is None else f"{signed(points['low'], 1)} to {signed(points['high'], 1)}"
    return ((signed(points["mean"], 1), _sure(figures)), (ends, False))


def _sure(figures: Figures) -> bool:
    """Whether the interval leaves 0 out."""
    low, high = figures.get("low"), figures.get("high")
    return low is not None and high is not None and not low <= 0 <= high


def _shares(figures: Figures) -> str:
    low, high = figures.get("low"), figures.get("high")
    return "–" if low is None or high is None else f"{share(low)} to {share(high)}"
