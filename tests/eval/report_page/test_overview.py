"""The table of metrics and the context of the data."""

import pytest

from eval.report_page.overview import data_context, metric_groups
from eval.report_page.page import report_html
from eval.report_page.reading import Reading
from tests.eval.report_page.reports import make_report


@pytest.fixture
def report():
    return make_report(lists=300)


def test_each_metric_has_each_model(report):
    groups = metric_groups(Reading(report))
    assert [group.metric for group in groups] == ["ndcg@10", "mrr@10", "arp"]
    for group in groups:
        assert [row.model for row in group.rows] == ["bm25", "network", "trees"]
        for row in group.rows:
            own = report["models"][row.model]["overall"][group.metric]
            assert row.mean == f"{own['mean']:.4f}"
            assert row.interval == f"{own['low']:.4f} to {own['high']:.4f}"
            assert row.sizes == (str(own["lists"]), str(own["empty"]), "12")


def test_the_best_is_marked_by_the_direction_of_the_metric(report):
    for group in metric_groups(Reading(report)):
        means = {row.model: report["models"][row.model]["overall"][group.metric]["mean"] for row in group.rows}
        best = (min if group.metric == "arp" else max)(means, key=means.__getitem__)
        assert [row.model for row in group.rows if row.is_best] == [best]
    assert [group.note for group in metric_groups(Reading(report))] == ["", "", "lower is better"]


def test_differences_are_those_of_the_report(report):
    row = metric_groups(Reading(report))[0].rows[2]
    delta = report["comparisons"]["trees"]["overall"]["ndcg@10"]
    assert row.delta["mean"] == f"+{delta['mean']:.4f}"
    assert row.delta["effect"] == f"+{delta['effect']:.2f}"
    assert row.delta["detectable"] == f"{delta['detectable']:.4f}"
    assert row.outcome == "better"
    baseline = metric_groups(Reading(report))[0].rows[0]
    assert (baseline.is_baseline, baseline.delta) == (True, {})


def test_a_figure_without_lists(report):
    nothing = {"mean": None, "low": None, "high": None, "lists": 0, "empty": 300, "tied": 0}
    report["models"]["trees"]["overall"]["ndcg@10"] = nothing
    row = metric_groups(Reading(report))[0].rows[2]
    assert (row.mean, row.interval, row.is_best, row.sizes) == ("–", "–", False, ("0", "300", "0"))


def test_the_data(report):
    context = data_context(Reading(report))
    assert context.facts[0] == ("Queries", "300")
    assert context.facts[1] == ("Documents", "6,900")
    assert context.judged == ("judged@10",)
    assert context.models == (("bm25", "0", ("100.0%",)), ("network", "3", ("93.0%",)), ("trees", "6", ("–",)))
    assert [row["name"] for row in context.labels] == ["0", "1", "2", "3"]
    assert [figure for _, figure in context.five] == ["2", "11", "21", "34.5", "100"]


def test_what_was_left_out(report):
    lost = {"documents": 1200, "relevant": 80, "queries": 7, "without_relevant": 3, "reasons": {"missing": 1200}}
    report["data"]["dropped"] = {
        "documents": 1300,
        "queries": 9,
        "without_relevant": 4,
        "label": {"documents": 100, "reasons": {"no number": 100}},
        "scores": {"bm25": {**lost, "documents": 0}, "trees": lost},
    }
    context = data_context(Reading(report))
    assert context.facts[3:] == (
        ("Documents left out", "1,300"),
        ("Of these without a usable label", "100"),
        ("Whole queries left out", "9"),
        ("Queries that lost all relevant documents", "4"),
    )
    assert context.dropped == (("trees", ("1,200", "80", "7", "3")),)
    page = report_html(report)
    assert "Documents left out for want of a score" in page
    assert "Of these without a usable label" in page
    report["data"]["dropped"]["documents"] = 0
    assert len(data_context(Reading(report)).facts) == 3


def test_data_that_say_little(report):
    report["data"].update(queries=0, documents=0, empty=0, labels=None, lengths=None, missing={})
    del report["data"]["judged@10"]
    context = data_context(Reading(report))
    assert context.facts[2][1] == "0 (–)"
    assert (context.labels, context.lengths, context.five, context.judged) == ((), None, (), ())
    assert context.models[0] == ("bm25", "–", ())
    assert context.dropped == ()
    assert "left out" not in report_html(report)
