"""Slices that were found, in the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from eval.report.data import Report, SliceSearch

__all__ = ["discovery_tables"]


def discovery_tables(report: Report) -> Iterator[Table | Text]:
    """A table or a line for each search, and which features tell no slices apart; none where none was asked for."""
    discovery = report["discovery"]
    if discovery is None:
        return
    for search in discovery["searches"]:
        yield _found(search) if search["found"] else Text(f"{_title(search)}: {_none(search)}")
    if not discovery["searches"]:
        yield Text("slices: none looked for, since no feature tells lists apart")
    if discovery["left_out"]:
        told = "; ".join(f"{name} ({why})" for name, why in discovery["left_out"].items())
        yield Text(f"no slices by: {told}")


def _found(search: SliceSearch) -> Table:
    table = Table(title=Text(_title(search)), title_justify="left")
    table.add_column("slice")
    change = search["baseline"] is not None
    columns = ("lists", "difference" if change else "mean", "elsewhere", "at least" if change else "gap at least")
    for column in (*columns, "p adjusted"):
        table.add_column(column, justify="right")
    sign = "+" if change else ""
    for one in search["found"]:
        figures = (f"{one['mean']:{sign}.4f}", f"{one['others']:{sign}.4f}", f"{one['bound']:+.4f}")
        table.add_row(*map(Text, (one["name"], f"{one['lists']:,}", *figures, f"{one['p_adjusted']:.2g}")))
    table.caption = Text(f"of {search['slices']:,} slices of at least {search['min_lists']:,} lists")
    table.caption_justify = "left"
    return table


def _title(search: SliceSearch) -> str:
    where = "worse than elsewhere" if search["baseline"] is None else f"worse than {search['baseline']}"
    return f"slices where {search['model']} is {where}, {search['metric']}"


def _none(search: SliceSearch) -> str:
    told = f"none found among {search['slices']:,} slices of at least {search['min_lists']:,} lists"
    if search["detectable"] is None:
        return told
    least = f"{search['min_lists']:,} lists that is worse by {search['detectable']:.3f}"
    return f"{told}; one of {least} would be found 4 times out of 5"
