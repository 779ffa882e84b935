"""Slices that were found without being named: a table for each search, or what could have been found."""

from dataclasses import dataclass

from eval.report_page.figures import count, number, p_value, signed
from eval.report_page.reading import Figures, Reading

__all__ = ["DiscoveryPart", "FoundRow", "SearchPanel", "discovery_part"]


@dataclass(frozen=True)
class FoundRow:
    """A slice.

    Args:
        conditions: feature and value.
        cells: lists, the mean, that of all others, the bound, the adjusted p-value.
    """

    conditions: tuple[tuple[str, str], ...]
    cells: tuple[str, ...]


@dataclass(frozen=True)
class SearchPanel:
    """A search.

    Args:
        model: whose slices.
        baseline: what it loses against; None: it is worse there than elsewhere.
        metric: of the figures.
        columns: heads of the cells.
        rows: slices; none: none was found.
        slices: that were looked at.
        least: lists of the smallest.
        explained: other slices that are beyond chance.
        detectable: how much worse the smallest have to be to be found.
    """

    model: str
    baseline: str | None
    metric: str
    columns: tuple[str, ...]
    rows: tuple[FoundRow, ...]
    slices: str
    least: str
    explained: int
    detectable: str | None


@dataclass(frozen=True)
class DiscoveryPart:
    """All searches.

    Args:
        panels: of each search.
        share: how likely any finding is where there is nothing to find.
        features: that slices are made of.
        left_out: others, with the reason.
        depth: features in a slice, at most.
    """

    panels: tuple[SearchPanel, ...]
    share: str
    features: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]
    depth: int


def discovery_part(reading: Reading) -> DiscoveryPart | None:
    """What the report says of slices that were found; None where none were looked for."""
    found = reading.report.get("discovery")
    if not found:
        return None
    return DiscoveryPart(
        tuple(map(_panel, found["searches"])),
        f"{100 * found['alpha']:g}%",
        tuple(found["features"]),
        tuple(found["left_out"].items()),
        max((search["depth"] for search in found["searches"]), default=1),
    )


def _panel(search: Figures) -> SearchPanel:
    compared = search["baseline"] is not None
    heads = ("Difference", "Elsewhere", "At least") if compared else ("Mean", "Elsewhere", "Gap at least")
    detectable = search["detectable"]
    return SearchPanel(
        search["model"],
        search["baseline"],
        search["metric"],
        ("Lists", *heads, "p adjusted"),
        tuple(_row(one, compared=compared) for one in search["found"]),
        count(search["slices"]),
        count(search["min_lists"]),
        max(int(search["significant"]) - len(search["found"]), 0),
        None if detectable is None else number(detectable, 3),
    )


def _row(one: Figures, *, compared: bool) -> FoundRow:
    show = signed if compared else number
    cells = (
        count(one["lists"]),
        show(one["mean"]),
        show(one["others"]),
        signed(one["bound"]),
        p_value(one["p_adjusted"]),
    )
    return FoundRow(tuple(one["conditions"].items()), cells)
