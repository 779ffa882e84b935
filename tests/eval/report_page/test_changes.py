"""Panels of changes, query by query."""

import pytest

from eval.report_page.changes import change_panels
from eval.report_page.reading import Reading
from tests.eval.report_page.reports import make_report


@pytest.fixture
def report():
    return make_report(models=("bm25", "network"), metrics=("ndcg@10", "arp"), lists=300)


def changes_of(report, metric="ndcg@10"):
    return report["comparisons"]["network"]["changes"][metric]


def test_the_panel_has_the_figures_of_the_report(report):
    panel, other = change_panels(Reading(report))
    changes = changes_of(report)
    assert [(name, int(figure)) for name, figure, _ in panel.parts] == [
        (name, changes[name]) for name in ("better", "same", "worse")
    ]
    assert panel.ends == ("← worse", "better →")
    assert other.ends == ("← better", "worse →")
    assert [title for title, _ in panel.groups] == ["Most improved queries", "Most harmed queries"]
    for (_, queries), name in zip(panel.groups, ("best", "worst"), strict=True):
        assert [query.id for query in queries] == [query["query_id"] for query in changes[name]]
        assert [query.text for query in queries] == [query["text"] for query in changes[name]]


def test_places_are_counted_from_baseline_to_model(report):
    documents = {name: {"id": name, "label": 0, "score": 1.0, "title": None} for name in "abcd"}
    query = changes_of(report)["best"][0]
    query["lists"] = {"model": [documents[d] for d in "bca"], "baseline": [documents[d] for d in "abd"]}
    panel = change_panels(Reading(report))[0]
    (own, ours), (other, theirs) = panel.groups[0][1][0].lists
    assert (own, other) == ("network", "bm25")
    assert {d.id: d.moved for d in ours} == {"b": 1, "c": None, "a": -2}
    assert {d.id: d.moved for d in theirs} == {"a": -2, "b": 1, "d": None}
    assert [d.title for d in ours] == ["b", "c", "a"], "the id stands in for a title"


@pytest.mark.parametrize(
    ("label", "text", "level"), [(None, "–", None), (0, "0", 0), (1, "1", 1), (2, "2", 3), (3, "3", 4), (0.5, "0.5", 1)]
)
def test_marks_of_labels(report, label, text, level):
    changes_of(report)["best"][0]["lists"]["model"][0]["label"] = label
    panel = change_panels(Reading(report))[0]
    first = panel.groups[0][1][0].lists[0][1][0]
    assert (first.label, first.level) == (text, level)


def test_a_query_without_text_shows_its_id(report):
    changes_of(report)["best"][0]["text"] = None
    query = change_panels(Reading(report))[0].groups[0][1][0]
    assert query.text == query.id == changes_of(report)["best"][0]["query_id"]


def test_a_query_whose_lists_are_not_known(report):
    changes_of(report)["best"][0]["lists"] = None
    query = change_panels(Reading(report))[0].groups[0][1][0]
    assert query.lists == (("network", ()), ("bm25", ()))


def test_long_texts_are_cut(report):
    changes_of(report)["best"][0]["text"] = "x" * 100_000
    assert change_panels(Reading(report))[0].groups[0][1][0].text == "x" * 299 + "…"


def test_the_number_of_queries_is_bounded(report):
    changes = changes_of(report)
    changes["best"] = changes["best"] * 5
    panel = change_panels(Reading(report))[0]
    assert len(panel.groups[0][1]) == 10


def test_a_metric_without_changes_has_no_panel(report):
    del report["comparisons"]["network"]["changes"]["arp"]
    assert [panel.metric for panel in change_panels(Reading(report))] == ["ndcg@10"]


def test_no_query_got_worse(report):
    changes_of(report)["worst"] = []
    assert [title for title, _ in change_panels(Reading(report))[0].groups] == ["Most improved queries"]


@pytest.mark.parametrize("labels", [{"0": 10}, {}, None])
def test_labels_that_are_all_zero(report, labels):
    report["data"]["labels"] = labels
    assert change_panels(Reading(report))[0].groups[0][1]


def test_nothing_compared_nothing_to_show():
    assert change_panels(Reading(make_report(models=("a",), baseline=None, lists=50))) == []
