"""What the page asks of a report."""

import pytest

from eval.report_page.reading import Reading
from tests.eval.report_page.reports import make_report


@pytest.fixture
def report():
    return make_report(metrics=("ndcg@10", "arp"), lists=300)


def test_names_keep_their_order(report):
    reading = Reading(report)
    assert reading.metrics == ("ndcg@10", "arp")
    assert reading.models == ("bm25", "network", "trees")
    assert (reading.baseline, reading.challengers) == ("bm25", ("network", "trees"))
    assert (reading.level, reading.alpha) == ("95%", 0.05)


def test_what_is_not_there_is_empty(report):
    reading = Reading(report)
    assert reading.overall("trees", "map") == reading.delta("bm25", "ndcg@10") == {}
    assert reading.in_slice("trees", "ndcg@10", "category", "none") == reading.changes("bm25", "ndcg@10") == {}
    assert reading.macro("trees", "map", "category") is None
    assert reading.overall("trees", "arp") is report["models"]["trees"]["overall"]["arp"]


@pytest.mark.parametrize(
    ("metric", "mean", "p_adjusted", "outcome"),
    [
        ("ndcg@10", 0.1, 0.01, "better"),
        ("ndcg@10", -0.1, 0.01, "worse"),
        ("arp", 0.1, 0.01, "worse"),
        ("arp", -0.1, 0.01, "better"),
        ("ndcg@10", 0.1, 0.05, "better"),
        ("ndcg@10", 0.1, 0.0501, "unclear"),
        ("ndcg@10", 0.1, None, "unclear"),
        ("ndcg@10", 0.0, 0.01, "unclear"),
    ],
)
def test_the_adjusted_p_value_decides_in_a_slice(report, metric, mean, p_adjusted, outcome):
    delta = {"mean": mean, "p_adjusted": p_adjusted, "p_t": 0.001}
    assert Reading(report).outcome(metric, delta) == outcome


@pytest.mark.parametrize(
    ("low", "high", "p_values", "outcome"),
    [
        (0.01, 0.03, {"p_adjusted": None, "p_randomisation": 0.01, "p_t": 0.5}, "better"),
        (0.01, 0.03, {"p_t": 0.01}, "better"),
        (0.01, 0.03, {"p_adjusted": 0.2, "p_t": 0.01}, "unclear"),
        (-0.01, 0.03, {"p_adjusted": 0.01}, "unclear"),
        (0.0, 0.03, {"p_adjusted": 0.01}, "unclear"),
        (None, None, {"p_adjusted": 0.01}, "unclear"),
    ],
)
def test_over_all_lists_interval_and_p_value_have_to_agree(report, low, high, p_values, outcome):
    assert Reading(report).overall_outcome("ndcg@10", {"mean": 0.02, "low": low, "high": high, **p_values}) == outcome


def test_the_leader_is_the_best_of_those_that_are_better_beyond_chance(report):
    assert Reading(report).leader == "trees"
    report["comparisons"]["trees"]["overall"]["ndcg@10"]["p_adjusted"] = 0.4
    assert Reading(report).leader == "network"
    report["comparisons"]["network"]["overall"]["ndcg@10"]["p_adjusted"] = 0.4
    assert Reading(report).leader == "trees"


def test_less_may_be_better(report):
    reading = Reading(make_report(metrics=("arp",), lists=300))
    means = {model: reading.overall(model, "arp")["mean"] for model in reading.models}
    assert reading.best(reading.models) == min(means, key=means.__getitem__)
