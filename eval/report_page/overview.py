"""The table of all metrics and models, and the context of the data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from eval.report_page import charts
from eval.report_page.axis import axis_over
from eval.report_page.figures import count, interval, number, p_value, share, signed
from eval.report_page.reading import Figures, Outcome, Reading

__all__ = ["DataContext", "MetricGroup", "ModelRow", "data_context", "metric_groups"]


@dataclass(frozen=True)
class ModelRow:
    """A model's figures of one metric, as text.

    Args:
        model: its name.
        is_baseline: differences are to this one.
        is_best: has the best mean.
        mean: over the lists with a value.
        interval: of the mean.
        picture: of mean and interval.
        outcome: of the comparison with the baseline.
        delta: texts of the comparison by name; empty where there is none.
        sizes: lists, empty, tied.
    """

    model: str
    is_baseline: bool
    is_best: bool
    mean: str
    interval: str
    picture: Markup
    outcome: Outcome
    delta: Mapping[str, str]
    sizes: tuple[str, str, str]


@dataclass(frozen=True)
class MetricGroup:
    """A metric with a row for each model."""

    metric: str
    note: str
    ticks: Markup
    rows: tuple[ModelRow, ...]


@dataclass(frozen=True)
class DataContext:
    """What the lists are like.

    Args:
        facts: name and figure.
        labels: bars of how many documents have each label.
        lengths: picture of the lengths of lists; None where the report has none.
        five: name and figure of shortest, quartiles, longest.
        models: by model, lists it has no scores for and the shares of judged documents.
        judged: the names of these shares.
        dropped: by model, documents left out for want of its score, relevant ones among them, whole queries and last
            relevant documents of others; empty where none was left out.
    """

    facts: tuple[tuple[str, str], ...]
    labels: tuple[Mapping[str, Any], ...]
    lengths: Markup | None
    five: tuple[tuple[str, str], ...]
    models: tuple[tuple[str, str, tuple[str, ...]], ...]
    judged: tuple[str, ...]
    dropped: tuple[tuple[str, tuple[str, ...]], ...]


def metric_groups(reading: Reading) -> list[MetricGroup]:
    """In the order of the report."""
    return [_group(reading, metric) for metric in reading.metrics]


def _group(reading: Reading, metric: str) -> MetricGroup:
    figures = {model: reading.overall(model, metric) for model in reading.models}
    axis = axis_over(own.get(name) for own in figures.values() for name in ("low", "mean", "high"))
    means = [own["mean"] * reading.direction(metric) for own in figures.values() if own.get("mean") is not None]
    best = max(means, default=None)
    rows = []
    for model, own in figures.items():
        delta, mean = reading.delta(model, metric), own.get("mean")
        outcome = reading.overall_outcome(metric, delta)
        kind = "unclear" if model == reading.baseline else "plain"
        rows.append(
            ModelRow(
                model=model,
                is_baseline=model == reading.baseline,
                is_best=len(means) > 1 and mean is not None and mean * reading.direction(metric) == best,
                mean=number(mean),
                interval=interval(own.get("low"), own.get("high")),
                picture=charts.forest_row(axis, own, kind, weight=0.4),
                outcome=outcome,
                delta=_delta_texts(delta) if delta else {},
                sizes=(count(own.get("lists")), count(own.get("empty")), count(own.get("tied"))),
            )
        )
    note = "" if reading.direction(metric) > 0 else "lower is better"
    return MetricGroup(metric, note, charts.ticks(axis, most=3), tuple(rows))


def _delta_texts(delta: Figures) -> dict[str, str]:
    return {
        "mean": signed(delta.get("mean")),
        "interval": interval(delta.get("low"), delta.get("high"), sign=True),
        "p_t": p_value(delta.get("p_t")),
        "p_randomisation": p_value(delta.get("p_randomisation")),
        "p_adjusted": p_value(delta.get("p_adjusted")),
        "effect": signed(delta.get("effect"), 2),
        "detectable": number(delta.get("detectable")),
    }


def data_context(reading: Reading) -> DataContext:
    """Of the section `data`."""
    data = reading.report["data"]
    empty = data["empty"] / data["queries"] if data["queries"] else None
    facts: tuple[tuple[str, str], ...] = (
        ("Queries", count(data["queries"])),
        ("Documents", count(data["documents"])),
        ("Queries without a relevant document", f"{count(data['empty'])} ({share(empty)})"),
    )
    dropped = data.get("dropped") or {}
    if dropped.get("documents"):
        facts += (
            ("Documents left out", count(dropped["documents"])),
            ("Of these without a usable label", count(dropped["label"]["documents"])),
            ("Whole queries left out", count(dropped["queries"])),
            ("Queries that lost all relevant documents", count(dropped["without_relevant"])),
        )
    judged = tuple(name for name in data if name.startswith("judged@"))
    models = tuple(
        (
            model,
            count((data.get("missing") or {}).get(model)),
            tuple(share((data[name] or {}).get(model)) for name in judged),
        )
        for model in reading.models
    )
    five = data.get("lengths") or {}
    there = five.get("median") is not None
    names = {"min": "shortest", "quartile1": "quartile", "median": "median", "quartile3": "quartile", "max": "longest"}
    return DataContext(
        facts=facts,
        labels=tuple(charts.bars(data["labels"] or {})),
        lengths=charts.lengths(five) if there else None,
        five=tuple((name, f"{five[key]:,g}") for key, name in names.items()) if there else (),
        models=models,
        judged=judged,
        dropped=tuple(
            (model, tuple(count(lost[key]) for key in ("documents", "relevant", "queries", "without_relevant")))
            for model, lost in (dropped.get("scores") or {}).items()
            if lost["documents"]
        ),
    )
