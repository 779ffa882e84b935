"""How lists changed one by one: the distribution, and the best and worst queries with their lists side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from eval.report_page import charts
from eval.report_page.figures import DASH, count, number, share, signed
from eval.report_page.panels import choices, panel_keys
from eval.report_page.reading import Figures, Outcome, Reading

__all__ = ["ChangePanel", "Query", "Ranked", "change_panels"]

_QUERIES = 10  # best and worst of a panel
_QUERIES_IN_ALL = 240
_FEWEST = 3
_TEXT = 300  # characters
_LEVELS = 4  # shades of a label's mark


@dataclass(frozen=True)
class Ranked:
    """A document at its place in a list.

    Args:
        title: or its id, where there is no title.
        id: of the document.
        label: as text.
        level: 0 (not relevant) to 4 (the best label of the data); None: unjudged.
        score: as text.
        moved: places by which the model ranks it higher (above 0) or lower; None: only one of the two lists has it.
    """

    title: str
    id: str
    label: str
    level: int | None
    score: str
    moved: int | None


@dataclass(frozen=True)
class Query:
    """A query that changed much, with the first documents of both lists."""

    text: str
    id: str
    delta: str
    side: Outcome
    model: str
    baseline: str
    lists: tuple[tuple[str, tuple[Ranked, ...]], ...]


@dataclass(frozen=True)
class ChangePanel:
    """The changes of one model and metric.

    Args:
        model: compared with the baseline.
        metric: of the changes.
        parts: better, same and worse: name, count, share.
        histogram: of the changes.
        ends: what lies to the left and to the right.
        groups: title and queries of the best and the worst.
    """

    model: str
    metric: str
    parts: tuple[tuple[str, str, str], ...]
    histogram: Markup
    ends: tuple[str, str]
    groups: tuple[tuple[str, tuple[Query, ...]], ...]


def change_panels(reading: Reading) -> list[ChangePanel]:
    """A panel per model and metric that the report has changes of."""
    keys = [key for key in panel_keys(choices(reading)) if reading.changes(*key)]
    most = max(_FEWEST, min(_QUERIES, _QUERIES_IN_ALL // (2 * max(len(keys), 1))))
    highest = max((float(label) for label in reading.report["data"]["labels"] or ()), default=1.0)
    return [_panel(reading, model, metric, most, highest) for model, metric in keys]


def _panel(reading: Reading, model: str, metric: str, most: int, highest: float) -> ChangePanel:
    changes = reading.changes(model, metric)
    total = sum(changes[name] for name in ("better", "same", "worse")) or 1
    low, high = ("worse", "better") if reading.direction(metric) > 0 else ("better", "worse")
    groups = {"Most improved queries": changes["best"], "Most harmed queries": changes["worst"]}
    return ChangePanel(
        model=model,
        metric=metric,
        parts=tuple((name, count(changes[name]), share(changes[name] / total)) for name in ("better", "same", "worse")),
        histogram=charts.histogram(changes["edges"], changes["counts"], reading.direction(metric)),
        ends=(f"← {low}", f"{high} →"),
        groups=tuple(
            (title, tuple(_query(reading, model, metric, query, highest) for query in queries[:most]))
            for title, queries in groups.items()
            if queries
        ),
    )


def _query(reading: Reading, model: str, metric: str, query: Figures, highest: float) -> Query:
    lists = query["lists"] or {"model": (), "baseline": ()}
    own, other = lists["model"], lists["baseline"]
    return Query(
        text=_short(query.get("text") or query["query_id"]),
        id=str(query["query_id"]),
        delta=signed(query["delta"]),
        side=reading.side(metric, query["delta"]),
        model=number(query["model"]),
        baseline=number(query["baseline"]),
        lists=((model, _ranked(own, other, highest, 1)), (str(reading.baseline), _ranked(other, own, highest, -1))),
    )


def _ranked(documents: Sequence[Figures], others: Sequence[Figures], highest: float, up: int) -> tuple[Ranked, ...]:
    places = {other["id"]: place for place, other in enumerate(others)}
    return tuple(
        Ranked(
            title=_short(document.get("title") or document["id"]),
            id=str(document["id"]),
            label=_label(document["label"]),
            level=_level(document["label"], highest),
            score=number(document["score"]),
            moved=up * (places[document["id"]] - place) if document["id"] in places else None,
        )
        for place, document in enumerate(documents)
    )


def _label(label: float | None) -> str:
    return DASH if label is None else f"{label:g}"


def _level(label: float | None, highest: float) -> int | None:
    if label is None:
        return None
    return 0 if label <= 0 else max(1, min(_LEVELS, round(_LEVELS * label / max(highest, label))))


def _short(text: object) -> str:
    whole = str(text)
    return whole if len(whole) <= _TEXT else whole[: _TEXT - 1] + "…"
