"""Catalogue and exposure in the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from eval.report.data import CatalogueFigures, Estimate, Exposure, Report

__all__ = ["beyond_tables"]

_GROUPS = 10


def beyond_tables(report: Report) -> Iterator[Table]:
    """Metrics of the catalogue and, for each grouping, exposure against relevance; none where none was asked for."""
    if report["catalogue"] is not None:
        yield _catalogue(report["catalogue"], report)
    for found in report["exposure"]:
        yield _exposure(found)


def _catalogue(found: CatalogueFigures, report: Report) -> Table:
    confidence, baseline = f"[{report['settings']['confidence']:.0%} interval]", report["baseline"]
    title = f"catalogue of {found['items']} items, {found['listed']} of them in the lists"
    table = Table(title=title, title_justify="left")
    for column in ("metric", "model"):
        table.add_column(column, overflow="fold")
    table.add_column(Text(f"figure {confidence}"), justify="right")
    if baseline is not None:
        table.add_column(Text(f"minus {baseline} {confidence}"), justify="right")
    for metric in found["contract"]:
        for model, figures in found["models"].items():
            cells = [metric, model, _estimate(figures[metric])]
            if model in found["comparisons"]:
                cells.append(_estimate(found["comparisons"][model][metric], "+"))
            table.add_row(*map(Text, cells))
    return table


def _exposure(found: Exposure) -> Table:
    table = Table(title=Text(f"exposure by {found['name']}, attention {found['attention']}"), title_justify="left")
    for column in ("group", "model"):
        table.add_column(column, overflow="fold")
    for column in ("documents", "relevance", "exposure", "minus relevance"):
        table.add_column(column, justify="right")
    for group in found["groups"][:_GROUPS]:
        name, shares = group["group"], [_share(group["documents"]), _share(group["relevance"])]
        for model, own in group["models"].items():
            table.add_row(*map(Text, [name, model, *shares, _share(own["exposure"]), _gap(own["difference"])]))
            name, shares = "", ["", ""]
    told = [f"shares are means over {found['lists']} lists with a relevant document"]
    if (more := len(found["groups"]) - _GROUPS) > 0:
        told.append(f"{more} more groups are in the report")
    table.caption, table.caption_justify = Text("; ".join(told)), "left"
    return table


def _estimate(figure: Estimate, sign: str = "") -> str:
    if figure["mean"] is None:
        return "none"
    ends = "" if figure["low"] is None else f" [{figure['low']:{sign}.3f}, {figure['high']:{sign}.3f}]"
    return f"{figure['mean']:{sign}.4f}{ends}"


def _share(figure: Estimate) -> str:
    return "none" if figure["mean"] is None else f"{figure['mean']:.1%}"


def _gap(figure: Estimate) -> str:
    """In points of percent."""
    if figure["mean"] is None:
        return "none"
    low, high = figure["low"], figure["high"]
    ends = "" if low is None or high is None else f" [{100 * low:+.1f}, {100 * high:+.1f}]"
    return f"{100 * figure['mean']:+.1f}{ends}"
