"""The sentences of the head."""

import re

import pytest

from eval.report_page.headline import headline
from eval.report_page.reading import Reading
from tests.eval.report_page.reports import EVIL, make_report


def plain(markup):
    return re.sub(r"<[^>]+>", "", str(markup))


@pytest.fixture
def two():
    return make_report(models=("bm25", "network"), metrics=("ndcg@10",), lists=400)


def with_difference(report, model="network", **figures):
    delta = report["comparisons"][model]["overall"]["ndcg@10"]
    delta.update({"mean": 0.02, "low": 0.01, "high": 0.03, "p_adjusted": 0.001, "detectable": 0.012} | figures)
    return report


def test_a_clear_gain_is_said_with_its_figures(two):
    two["models"]["bm25"]["overall"]["ndcg@10"]["mean"] = 0.40
    two["models"]["network"]["overall"]["ndcg@10"]["mean"] = 0.42
    head = headline(Reading(with_difference(two)))
    assert plain(head.claim) == "network ranks better than bm25"
    assert plain(head.evidence) == (
        "On ndcg@10, network reaches 0.4200 and the baseline bm25 0.4000: a difference of +0.0200 or +5.0%"
        " (95% interval +0.0100 to +0.0300)."
    )


def test_a_clear_loss(two):
    head = headline(Reading(with_difference(two, mean=-0.02, low=-0.03, high=-0.01)))
    assert plain(head.claim) == "network ranks worse than bm25"


def test_within_chance_it_says_what_could_have_been_found(two):
    head = headline(Reading(with_difference(two, low=-0.01, high=0.05, p_adjusted=0.2)))
    assert plain(head.claim) == "No clear difference between network and bm25"
    assert "That is within chance: with these lists, differences of about 0.0120 or more" in plain(head.evidence)


def test_too_few_lists_for_an_interval(two):
    head = headline(Reading(with_difference(two, low=None, high=None, p_adjusted=None, detectable=None)))
    assert "(too few lists for an interval)" in plain(head.evidence)
    assert "within chance" not in plain(head.evidence)


def test_no_list_in_common(two):
    head = headline(Reading(with_difference(two, mean=None, low=None, high=None)))
    assert plain(head.evidence) == "There is no list on which they could be compared."


def test_of_several_models_none_is_said_to_be_better_than_another():
    report = make_report(metrics=("ndcg@10",), lists=400)
    head = headline(Reading(report))
    assert plain(head.claim) == "trees ranks better than bm25"
    assert "it has the best mean; they are not tested against each other" in plain(head.evidence)
    head = headline(Reading(with_difference(report, "trees", low=-0.01)))
    assert plain(head.claim) == "network ranks better than bm25"
    assert "trees has a better mean, but its difference may be chance" in plain(head.evidence)


def test_of_several_models_none_is_better():
    report = with_difference(make_report(metrics=("ndcg@10",), lists=400), "trees", low=-0.01)
    head = headline(Reading(with_difference(report, "network", low=-0.01)))
    assert plain(head.claim) == "No model is clearly better than bm25"


def test_a_model_alone():
    report = make_report(models=("only",), baseline=None, metrics=("ndcg@10",), lists=50, slices={})
    mean = report["models"]["only"]["overall"]["ndcg@10"]
    head = headline(Reading(report))
    assert plain(head.claim) == f"only reaches ndcg@10 {mean['mean']:.4f}"
    assert f"The mean over {mean['lists']} lists" in plain(head.evidence)
    assert [fact.name for fact in head.facts] == ["Queries", "Without a relevant document"]


def test_models_without_a_baseline():
    head = headline(Reading(make_report(baseline=None, lists=50)))
    assert plain(head.claim).startswith("trees has the best ndcg@10: 0.")
    assert "not tested against each other" in plain(head.evidence)


def test_facts_count_queries_and_slices():
    report = make_report(lists=600)
    changes = report["comparisons"]["trees"]["changes"]["ndcg@10"]
    outcomes = [
        ("better" if own["ndcg@10"]["mean"] > 0 else "worse") if own["ndcg@10"]["p_adjusted"] <= 0.05 else ""
        for values in report["comparisons"]["trees"]["slices"].values()
        for own in values.values()
    ]
    facts = {fact.name: fact.figure for fact in headline(Reading(report)).facts}
    assert facts["Queries better"] == str(changes["better"])
    assert facts["Queries worse"] == str(changes["worse"])
    assert facts["Slices better / worse"] == f"{outcomes.count('better')} / {outcomes.count('worse')}"


def test_names_are_escaped():
    head = headline(Reading(make_report(models=("bm25", EVIL), metrics=("ndcg@10",), lists=50)))
    assert "<script" not in head.claim + head.evidence
    assert "&lt;script&gt;" in head.claim
