from dataclasses import replace

import numpy as np
import pytest

from eval.gate import Measurements, MetricRule

NOTHING = Measurements()


def shifted(base, up=0, down=0):
    """A model that gains in so many lists of the baseline and loses in so many others."""
    model = base.copy()
    model[np.flatnonzero(base == 0)[:up]] = 1
    model[np.flatnonzero(base == 1)[:down]] = 0
    return model


@pytest.mark.parametrize(
    ("up", "down", "test", "margin", "decision"),
    [
        (40, 10, "non_inferiority", 0.01, "PASS"),
        (2, 60, "non_inferiority", 0.01, "FAIL"),
        (30, 32, "non_inferiority", 0.01, "INCONCLUSIVE"),
        (30, 32, "non_inferiority", 0.1, "PASS"),
        (0, 0, "non_inferiority", 0.01, "PASS"),
        (40, 10, "superiority", 0.0, "PASS"),
        (40, 10, "superiority", 0.2, "FAIL"),
        (40, 10, "superiority", 0.075, "INCONCLUSIVE"),
        (0, 0, "superiority", 0.0, "FAIL"),
        (2, 60, "superiority", 0.0, "FAIL"),
    ],
)
def test_the_interval_decides(measured, outcomes, up, down, test, margin, decision):
    base = outcomes(400, 0.5)
    found = measured(base, shifted(base, up, down))
    for metric in ("p@1", "arp"):  # the same the other way round
        rule = MetricRule(metric, "model", "base", test=test, margin=margin).decide(found, NOTHING)
        assert rule["decision"] == decision, (metric, rule)
        low, high = rule["figures"]["low"], rule["figures"]["high"]
        if metric == "arp":
            low, high = -high, -low
        bound = margin if test == "superiority" else -margin
        assert (low > bound, high <= bound if test == "superiority" else high < bound) == (
            decision == "PASS",
            decision == "FAIL",
        )


def test_an_estimate_above_the_margin_alone_does_not_pass(measured, outcomes):
    base = outcomes(400, 0.5)
    rule = MetricRule("p@1", "model", "base", margin=0.01).decide(measured(base, shifted(base, 31, 30)), NOTHING)
    assert rule["figures"]["mean"] > 0
    assert rule["decision"] == "INCONCLUSIVE"


@pytest.mark.parametrize(("floor", "decision"), [(0.4, "PASS"), (0.5, "INCONCLUSIVE"), (0.6, "FAIL")])
def test_a_floor_is_held_against_the_interval(measured, outcomes, floor, decision):
    base = outcomes(400, 0.5)
    rule = MetricRule("p@1", "model", floor=floor).decide(measured(base, base), NOTHING)
    assert rule["decision"] == decision
    assert rule["rule"] == f"p@1 of model not below {floor:g}"
    ceiling = MetricRule("arp", "model", floor=2 - floor).decide(measured(base, base), NOTHING)
    assert ceiling["decision"] == decision, "of a metric that is better when lower it is a ceiling"
    assert "not above" in ceiling["rule"]


def test_lists_that_all_have_1_do_not_pass_any_floor(measured):
    """None of 200 lists is below 1: with a share of up to 0.018 that were, none might be seen."""
    found = measured(np.ones(200, int), np.ones(200, int))
    decisions = [MetricRule("p@1", "model", floor=floor).decide(found, NOTHING)["decision"] for floor in (0.98, 0.99)]
    assert decisions == ["PASS", "INCONCLUSIVE"]


def test_a_higher_confidence_decides_less(measured, outcomes):
    base = outcomes(400, 0.5)
    found = measured(base, shifted(base, 30, 25))
    decisions = [
        MetricRule("p@1", "model", "base", margin=0.02, confidence=confidence).decide(found, NOTHING)["decision"]
        for confidence in (0.8, 0.99)
    ]
    assert decisions == ["PASS", "INCONCLUSIVE"]


def losing(measured, base, model, column, values):
    """The evaluation of `measured` with some of its rows unusable, and left out."""
    return measured(base, model, broken={column: values}, unusable="drop")


@pytest.mark.parametrize(
    "rule",
    [
        MetricRule("p@1", "model", "base", margin=0.01),
        MetricRule("p@1", "model", "base", test="superiority"),
        MetricRule("p@1", "model", floor=0.3),
        MetricRule("arp", "model", "base", margin=0.9),
        MetricRule("p@1", "model", "base", slices=("group",)),
    ],
)
def test_a_model_gains_nothing_by_leaving_out_scores_where_it_loses(measured, outcomes, rule):
    """Without its scores of the lists that it loses, the model would pass; relevant documents go with them."""
    base = outcomes(400, 0.5)
    model = shifted(base, 40, 60)
    worse = np.flatnonzero(base > model)
    for lost in (np.repeat(worse, 2) * 2 + np.tile([0, 1], len(worse)), worse * 2):  # both documents, the relevant one
        found = losing(measured, base, model, "model", lost)
        decided = rule.decide(found, NOTHING)
        assert decided["decision"] == "INCONCLUSIVE"
        whole = " and 60 whole queries" if len(lost) > 60 else ""
        assert decided["reason"].startswith(f"left out for want of a score: 60 relevant documents{whole} of model; ")
        assert all(one["decision"] == "INCONCLUSIVE" for one in decided["figures"].values() if isinstance(one, dict))
        without = replace(found, data={**found.data, "dropped": None})
        assert rule.decide(without, NOTHING)["decision"] == "PASS", "what the figures alone say"
        other = MetricRule("p@1", "base", floor=0.1).decide(found, NOTHING)
        assert other["decision"] == "INCONCLUSIVE", "the lists of all models are cut"


def test_documents_without_a_label_or_without_relevance_do_not_keep_a_rule_from_deciding(measured, outcomes):
    base = outcomes(400, 0.5)
    rule = MetricRule("p@1", "model", "base", margin=0.1)
    for column, lost in (("label", np.arange(20)), ("model", np.arange(20) * 2 + 1)):
        found = losing(measured, base, shifted(base, 40), column, lost)
        assert found.data["dropped"]["documents"] == 20
        assert rule.decide(found, NOTHING)["decision"] == "PASS"


def test_few_lists_decide_nothing(measured, outcomes):
    base = outcomes(99, 0.5)
    found = measured(base, shifted(base, 40))
    rule = MetricRule("p@1", "model", "base").decide(found, NOTHING)
    assert (rule["decision"], rule["reason"]) == ("INCONCLUSIVE", "99 lists have a value, 100 are needed")
    assert MetricRule("p@1", "model", "base", min_lists=50).decide(found, NOTHING)["decision"] == "PASS"


def test_slices_are_judged_together_and_small_ones_not(measured, outcomes):
    base = outcomes(460, 0.5)
    groups = np.repeat(["one", "two", "few"], [200, 200, 60])
    model = base.copy()
    model[200:400] = shifted(base[200:400], down=60)
    model[400:] = shifted(base[400:], down=20)
    rule = MetricRule("p@1", "model", "base", margin=0.03, slices=("group",))
    rule = rule.decide(measured(base, model, groups), NOTHING)
    assert rule["decision"] == "FAIL"
    assert rule["reason"].startswith("group=two: the interval [")
    assert rule["reason"].endswith("; 1 with too few lists are not judged")
    decisions = {place: figures["decision"] for place, figures in rule["figures"].items()}
    assert decisions == {"group=one": "PASS", "group=two": "FAIL", "group=few": "INCONCLUSIVE"}
    assert rule["figures"]["group=few"]["low"] is None


def test_bounds_of_many_slices_are_wider_than_of_one(measured, outcomes):
    base = outcomes(1000, 0.5)
    groups = np.arange(1000) % 8
    model = outcomes(1000, 0.52, 1)
    found = measured(base, model, [f"g{group}" for group in groups])
    together = MetricRule("p@1", "model", "base", slices=("group",)).decide(found, NOTHING)["figures"]
    alone = MetricRule("p@1", "model", "base", slices=("group=g3",)).decide(found, NOTHING)["figures"]
    assert together["group=g3"]["mean"] == alone["group=g3"]["mean"]
    assert together["group=g3"]["low"] < alone["group=g3"]["low"]


def test_a_slice_that_is_named_has_to_be_there_and_large(measured, outcomes):
    base = outcomes(260, 0.5)
    found = measured(base, base, np.repeat(["one", "few"], [200, 60]))
    decide = {
        names: MetricRule("p@1", "model", "base", margin=0.01, slices=names).decide(found, NOTHING)
        for names in [("group",), ("group", "group=few"), ("group=gone", "group=one"), ("group=one",)]
    }
    assert [rule["decision"] for rule in decide.values()] == ["PASS", "INCONCLUSIVE", "INCONCLUSIVE", "PASS"]
    assert "group=gone: no list is there" in decide["group=gone", "group=one"]["reason"]
    assert "group=few: 60 lists have a value" in decide["group", "group=few"]["reason"]


def test_without_a_large_slice_nothing_is_decided(measured, outcomes):
    base = outcomes(160, 0.5)
    rule = MetricRule("p@1", "model", "base", slices=("group",)).decide(
        measured(base, base, np.repeat(["one", "two"], 80)), NOTHING
    )
    assert (rule["decision"], rule["reason"]) == (
        "INCONCLUSIVE",
        "no slice has enough lists; 2 with too few lists are not judged",
    )


def test_online_is_the_served_model_or_else_the_baseline(measured, outcomes):
    base = outcomes(400, 0.5)
    served = shifted(base, up=100)
    rule = MetricRule("p@1", "model", "online", margin=0.01)
    without, with_it = measured(base, shifted(base, 50)), measured(base, shifted(base, 50), online=served)
    assert rule.decide(without, NOTHING)["decision"] == "PASS"
    assert "not below base by 0.01" in rule.decide(without, NOTHING)["rule"]
    assert rule.decide(with_it, NOTHING)["decision"] == "FAIL"
    assert "not below online by 0.01" in rule.decide(with_it, NOTHING)["rule"]


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        (MetricRule("mrr", "model", "base"), "no metric 'mrr' was measured; there are p@1, arp"),
        (MetricRule("p@1", "best", "base"), "no model 'best' was measured; there are base, model"),
        (MetricRule("p@1", "model", "best"), "no model 'best' was measured"),
        (MetricRule("p@1", "model", "base", slices=("colour",)), "no slices 'colour' were measured"),
    ],
)
def test_what_was_not_measured_is_told(measured, outcomes, rule, says):
    base = outcomes(120, 0.5)
    with pytest.raises(ValueError, match=says):
        rule.decide(measured(base, base), NOTHING)


@pytest.mark.parametrize(
    "options",
    [{}, {"against": "base", "floor": 0.3}, {"floor": 0.3, "confidence": 1}, {"against": "base", "margin": -1}],
)
def test_rules_that_are_none_are_refused(options):
    with pytest.raises(ValueError, match="gate, p@1: expected"):
        MetricRule("p@1", "model", **options)


def test_error_rates_of_non_inferiority(measured, outcomes):
    """At the margin itself a model passes in 2.5% of samples, or less, and as many fail."""
    random, decisions = np.random.default_rng(0), []
    for seed in range(100):
        base = (random.random(300) < 0.5).astype(int)
        flip = random.random(300)
        model = np.where(flip < 0.15, 1 - base, base)  # no true difference
        found = measured(base, model, seed=seed, draws=200)
        decisions.append(MetricRule("p@1", "model", "base", margin=0.0).decide(found, NOTHING)["decision"])
    assert decisions.count("PASS") <= 8
    assert decisions.count("FAIL") <= 8


@pytest.mark.parametrize("slices", [(), ("group",)])
def test_many_lists_of_few_users_decide_nothing(measured, outcomes, slices):
    base = outcomes(400, 0.5)
    users = [f"u{number % 2}" for number in range(400)]
    found = measured(base, shifted(base, 100), users, cluster="group")
    rule = MetricRule("p@1", "model", "base", slices=slices).decide(found, NOTHING)
    assert rule["decision"] == "INCONCLUSIVE"
    if not slices:
        assert rule["reason"] == "2 clusters have a value, in 400 lists, 100 are needed"
