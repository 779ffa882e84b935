"""The section on catalogue and exposure."""

import re

import pytest

from eval.report_page.beyond import catalogue_panel, exposure_panels
from eval.report_page.page import report_html
from eval.report_page.reading import Reading
from tests.eval.report_page.reports import EVIL, beyond, make_report

MODELS = ("bm25", "network", "trees")


def report(groups=3, baseline="bm25"):
    found = make_report(models=MODELS, baseline=baseline, lists=50)
    return found | beyond(MODELS, baseline, [f"brand {at}" for at in range(groups)])


def test_the_catalogue():
    panel = catalogue_panel(Reading(report()))
    assert (panel.items, panel.listed) == ("2,000", "1,234")
    coverage, gini = panel.groups
    assert [row.model for row in coverage.rows if row.is_best] == ["network"]
    assert [row.model for row in gini.rows if row.is_best] == ["bm25"]
    assert gini.note.endswith("lower is better")
    assert [row.cells for row in coverage.rows] == [
        (("", False), ("", False)),
        (("+0.2000", True), ("+0.0500 to +0.3500", False)),
        (("+0.1000", False), ("−0.0500 to +0.2500", False)),
    ]
    assert panel.contract[0] == ("coverage@10", "ties: average")


def test_exposure():
    [panel] = exposure_panels(Reading(report()))
    assert (panel.lists, panel.left_out, panel.merged, panel.more) == ("45", "5", 7, 0)
    first, second, _ = panel.groups
    assert (first.name, first.documents, first.relevance) == ("brand 0", "33.3%", "33.3%")
    row = first.rows[1]
    assert (row.mean, row.interval) == ("16.7%", "16.6% to 16.8%")
    assert row.cells == (
        ("−16.7", True), ("−16.8 to −16.6", False), ("0.50", False), ("+1.2", True), ("+1.1 to +1.3", False),
    )  # fmt: skip
    assert second.rows[0].cells == (("0.0", False), ("−0.1 to +0.1", False), ("0.50", False), ("", False), ("", False))


def test_many_groups_are_cut():
    [panel] = exposure_panels(Reading(report(groups=80)))
    assert (len(panel.groups), panel.more) == (50, 30)
    assert "30 more groups are in report.json." in report_html(report(groups=80))


@pytest.mark.parametrize("baseline", ["bm25", None])
def test_rows_have_a_cell_for_each_column(baseline):
    page = report_html(report(baseline=baseline))
    section = page[page.index('<section id="catalogue"') : page.index('<section id="data"')]
    assert '<a href="#catalogue">' in page
    tables = re.findall(r"<table.*?</table>", section, re.S)
    assert len(tables) == 2
    for table in tables:
        widths = set()
        for row in re.findall(r"<tr.*?</tr>", table, re.S):
            cells = re.findall(r"<t[hd]\b([^>]*)>", row)
            widths.add(sum(int((re.search(r'colspan="(\d+)"', cell) or [0, 1])[1]) for cell in cells))
        assert len(widths) == 1


def test_names_are_escaped():
    found = report()
    found["exposure"][0]["name"] = found["exposure"][0]["groups"][0]["group"] = EVIL
    page = report_html(found)
    assert EVIL not in page
    assert page.count("<script") == 1


def test_figures_that_are_not_defined():
    found, nothing = report(), {"mean": None, "low": None, "high": None}
    found["catalogue"]["models"]["trees"]["gini@10"] = nothing
    found["catalogue"]["comparisons"]["trees"]["gini@10"] = nothing
    for name in ("exposure", "difference", "ratio", "change"):
        found["exposure"][0]["groups"][0]["models"]["trees"][name] = nothing
    panel = catalogue_panel(Reading(found))
    assert (panel.groups[1].rows[2].mean, panel.groups[1].rows[2].is_best) == ("–", False)
    assert exposure_panels(Reading(found))[0].groups[0].rows[2].mean == "–"
    report_html(found)


def test_a_report_without_has_no_section():
    for found in (make_report(lists=30), {**make_report(lists=30), "catalogue": None, "exposure": []}):
        assert catalogue_panel(Reading(found)) is None
        assert exposure_panels(Reading(found)) == []
        assert 'id="catalogue"' not in report_html(found)
