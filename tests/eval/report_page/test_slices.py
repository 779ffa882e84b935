"""Panels of slices."""

import pytest

from eval.report_page.reading import Reading
from eval.report_page.slices import CHART_ROWS, slice_panels
from tests.eval.report_page.reports import make_report

MANY = {"brand": tuple(f"brand {at}" for at in range(70)), "empty": ("",)}


@pytest.fixture(scope="module")
def report():
    return make_report(models=("bm25", "network"), metrics=("ndcg@10", "arp"), lists=900, slices=MANY)


@pytest.fixture(scope="module")
def panels(report):
    return slice_panels(Reading(report))


def test_there_is_a_panel_for_each_model_and_metric():
    panels = slice_panels(Reading(make_report(lists=100)))
    assert [(panel.model, panel.metric) for panel in panels] == [
        (model, metric) for model in ("trees", "network") for metric in ("ndcg@10", "mrr@10", "arp")
    ]


def test_the_table_has_every_slice_with_its_figures(panels, report):
    panel = panels[0]
    keys = [column.key for column in panel.columns[1:]]
    assert panel.total == len(panel.rows) == 71
    for row in panel.rows:
        delta = report["comparisons"]["network"]["slices"][row.slice][row.value]["ndcg@10"]
        cells = dict(zip(keys, row.cells, strict=True))
        for key in ("lists", "p_adjusted", "q", "effect", "detectable", "p_t", "p_randomisation", "p_holm"):
            assert cells[key].value == delta[key], key
        assert cells["delta"].value == delta["mean"]
        assert cells["interval"].value == delta["low"]
        assert cells["bounds"].value == delta["bound_low"]
        for key, model in (("model", "network"), ("baseline", "bm25")):
            figures = report["models"][model]["slices"][row.slice][row.value]["ndcg@10"]
            assert cells[key].value == figures["mean"]


def test_the_chart_has_those_with_most_lists(panels):
    panel = panels[0]
    drawn = [line.row for line in panel.lines if line.row]
    assert len(drawn) == CHART_ROWS
    left = [row for row in panel.rows if row not in drawn]
    assert min(row.lists for row in drawn) >= max(row.lists for row in left)
    assert panel.lines[0].row is None, "the line over all lists comes first"


def test_rows_are_ordered_by_slice_with_small_ones_last_and_the_largest_gain_first(panels):
    brands = [row for row in panels[0].rows if row.slice == "brand"]
    assert panels[0].rows[-1].slice == "empty"
    assert [row.place for row in panels[0].rows] == list(range(71))
    for small in (False, True):
        means = [row.figures["mean"] for row in brands if row.small == small]
        assert means == sorted(means, reverse=True)
    assert [row.small for row in brands] == sorted(row.small for row in brands)
    assert any(row.small for row in brands)


def test_outcomes_know_the_direction_of_the_metric(panels):
    assert panels[0].ends == ("← worse", "better →")
    assert panels[1].ends == ("← better", "worse →")
    for panel in panels:
        sign = 1 if panel.metric == "ndcg@10" else -1
        for row in panel.rows:
            if row.outcome != "unclear":
                assert row.figures["p_adjusted"] <= 0.05
                assert (row.outcome == "better") == (sign * row.figures["mean"] > 0)
        assert panel.counts["better"] == sum(row.outcome == "better" for row in panel.rows) > 0


def test_without_a_baseline_the_means_are_shown(report):
    alone = make_report(models=("a", "b"), baseline=None, metrics=("ndcg@10",), lists=200)
    panels = slice_panels(Reading(alone))
    assert [panel.model for panel in panels] == ["b", "a"]
    row = panels[0].rows[0]
    cells = dict(zip([column.key for column in panels[0].columns[1:]], row.cells, strict=True))
    assert cells["model"].value == alone["models"]["b"]["slices"][row.slice][row.value]["ndcg@10"]["mean"]
    assert not any(panel.compared for panel in panels)


def test_the_page_is_bounded_whatever_the_number_of_slices(monkeypatch):
    monkeypatch.setattr("eval.report_page.slices._TABLE_ROWS", 100)
    report = make_report(models=("a", "b"), baseline="a", metrics=("ndcg@10", "arp"), lists=900, slices=MANY)
    panels = slice_panels(Reading(report))
    sizes = sorted((value["lists"] for part in report["slices"] for value in part["values"]), reverse=True)
    for panel in panels:
        assert (len(panel.rows), panel.total) == (50, 71)
        # What is kept are the slices with most lists; lists without a value count there.
        kept = {(row.slice, row.value) for row in panel.rows}
        own = [v["lists"] for p in report["slices"] for v in p["values"] if (p["name"], v["value"]) in kept]
        assert sorted(own, reverse=True) == sizes[:50]


def test_a_slice_without_figures_has_dashes():
    report = make_report(models=("a", "b"), baseline="a", metrics=("ndcg@10",), lists=100)
    del report["comparisons"]["b"]["slices"]["category"]["garden"]
    (panel,) = slice_panels(Reading(report))
    row = next(row for row in panel.rows if row.value == "garden")
    texts = dict(zip([column.key for column in panel.columns[1:]], [cell.text for cell in row.cells], strict=True))
    assert texts["delta"] == texts["interval"] == texts["p_adjusted"] == "–"
    assert row.outcome == "unclear"


def test_a_slice_by_document_feature_says_so():
    report = make_report(models=("a", "b"), baseline="a", metrics=("ndcg@10",), lists=100)
    report["slices"][0]["scope"] = "document"
    (panel,) = slice_panels(Reading(report))
    assert {row.slice for row in panel.rows if "documents" in row.tags} == {"category"}


def test_small_slices_do_not_widen_the_axis():
    report = make_report(models=("a", "b"), baseline="a", metrics=("ndcg@10",), lists=800, slices=MANY)
    (panel,) = slice_panels(Reading(report))
    rows = [line.row for line in panel.lines if line.row]
    assert any(row.small for row in rows)
    cut = [line for line in panel.lines if "arrow" in line.picture]
    assert cut
    assert all(line.row.small for line in cut)


def test_lists_without_a_value_do_not_make_a_slice_large():
    report = make_report(models=("a", "b"), baseline="a", metrics=("ndcg@10",), lists=800)
    report["slices"][0]["values"][0].update(lists=40, small=False)
    report["comparisons"]["b"]["slices"]["category"]["garden"]["ndcg@10"]["lists"] = 29
    (panel,) = slice_panels(Reading(report))
    assert [row.value for row in panel.rows if row.small] == ["garden"]


def test_values_that_are_taken_together_are_counted():
    report = make_report(lists=50)
    report["slices"][1]["merged"] = 12
    assert slice_panels(Reading(report))[0].merged == {"query length": 12}


def test_no_slices_no_panels():
    assert slice_panels(Reading(make_report(lists=50, slices={}))) == []
