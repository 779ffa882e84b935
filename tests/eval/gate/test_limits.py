from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from eval.gate import BundleSize, EmptyShare, JudgedShare, Latency, Measurements

NOTHING = Measurements()


@pytest.mark.parametrize(
    ("empty", "most", "decision"), [(3, 0.1, "PASS"), (3, 0.03, "INCONCLUSIVE"), (0, 0.05, "PASS"), (60, 0.1, "FAIL")]
)
def test_the_share_of_empty_lists_is_held_against_wilsons_interval(measured, outcomes, empty, most, decision):
    base = outcomes(200, 0.5)
    rule = EmptyShare(most).decide(measured(base, base, empty=empty), NOTHING)
    expected = stats.binomtest(empty, 200).proportion_ci(0.95, method="wilson")
    assert (rule["figures"]["low"], rule["figures"]["high"]) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert rule["decision"] == decision, rule


def exact_bound(empty, clusters, confidence=0.975):
    """Of a share of clusters (Clopper and Pearson)."""
    return stats.beta.ppf(confidence, empty + 1, clusters - empty)


@pytest.mark.parametrize("empty", [0, 5, 40])
def test_lists_of_a_cluster_may_be_empty_together(measured, outcomes, empty):
    """Four lists in each of 200 clusters, all of them empty or none: what counts are clusters."""
    base = outcomes(800, 0.5)
    users = [f"u{number // 4}" for number in range(800)]
    found = measured(base, base, users, empty=4 * empty, cluster="group")
    rule = EmptyShare(0.5).decide(found, NOTHING)
    low, high = rule["figures"]["low"], rule["figures"]["high"]
    assert (rule["figures"]["share"], rule["figures"]["lists"]) == (empty / 200, 800)
    assert exact_bound(empty, 200) <= high <= 1.15 * exact_bound(empty, 200)
    assert low <= (1 - exact_bound(200 - empty, 200) if empty else 0) + 1e-12
    alone = EmptyShare(0.5).decide(measured(base, base, empty=4 * empty), NOTHING)["figures"]
    assert high > alone["high"]


def test_the_interval_of_clusters_holds():
    """Clusters of 1 to 20 lists, the more of them empty the more others are: a pass is wrong in 2.5%, or less."""
    random, wrong = np.random.default_rng(0), 0
    for _ in range(200):
        lists = random.geometric(0.25, 120)
        empty = random.binomial(lists, random.beta(0.05, 0.95, 120))
        flags = np.concatenate([np.arange(n) < count for n, count in zip(lists, empty, strict=True)])
        found = SimpleNamespace(
            data={"empty": int(flags.sum()), "queries": len(flags)},
            settings={"unit": "user"},
            per_query=pa.table(
                {"relevant": (~flags).astype(int), "unit": np.repeat(np.arange(120), lists).astype(str)}
            ),
        )
        wrong += EmptyShare(0.05).decide(found, NOTHING)["decision"] == "PASS"
    assert wrong / 200 <= 0.06


def test_few_clusters_decide_no_share(measured, outcomes):
    base = outcomes(400, 0.5)
    found = measured(base, base, [f"u{number % 50}" for number in range(400)], cluster="group")
    rule = EmptyShare(0.5).decide(found, NOTHING)
    assert (rule["decision"], rule["reason"]) == ("INCONCLUSIVE", "50 clusters, in 400 lists, 100 are needed")


def test_few_lists_decide_no_share(measured, outcomes):
    base = outcomes(60, 0.5)
    assert EmptyShare(0.5).decide(measured(base, base), NOTHING)["decision"] == "INCONCLUSIVE"
    assert EmptyShare(0.5, min_lists=50).decide(measured(base, base), NOTHING)["decision"] == "PASS"


@pytest.mark.parametrize(("least", "decision"), [(0.7, "PASS"), (0.75, "INCONCLUSIVE"), (0.85, "FAIL")])
def test_the_share_of_judged_documents_is_held_against_its_interval(measured, outcomes, least, decision):
    base = outcomes(300, 0.5)
    judged = np.ones(600, bool)
    judged[1::2] = outcomes(300, 0.5, 3)
    found = measured(base, base, judged=judged, judged_at=(2,))
    rule = JudgedShare("model", least, k=2).decide(found, NOTHING)
    assert rule["figures"]["mean"] == pytest.approx(0.75)
    assert rule["decision"] == decision, rule


def test_unknown_judgements_decide_nothing(measured, outcomes):
    base = outcomes(300, 0.5)
    rule = JudgedShare("model", 0.5).decide(measured(base, base), NOTHING)
    assert (rule["decision"], rule["figures"]) == ("INCONCLUSIVE", {})
    few = JudgedShare("model", 0.5).decide(measured(base[:50], base[:50], judged=np.ones(100, bool)), NOTHING)
    assert few["decision"] == "INCONCLUSIVE"


def test_documents_that_are_all_judged_do_not_pass_any_share(measured, outcomes):
    base = outcomes(200, 0.5)
    found = measured(base, base, judged=np.ones(400, bool), judged_at=(2,))
    rules = [JudgedShare("model", least, k=2).decide(found, NOTHING) for least in (0.98, 0.99)]
    assert [rule["decision"] for rule in rules] == ["PASS", "INCONCLUSIVE"]
    assert rules[0]["figures"]["high"] == 1


def test_shares_are_not_decided_by_leaving_out_what_is_not_judged(measured, outcomes):
    """Documents without a label go; those that are left are all judged."""
    base, judged = outcomes(300, 0.5), np.ones(600, bool)
    judged[1::2] = False
    unlabelled = {"label": np.flatnonzero(~judged)}
    found = measured(base, base, judged=judged, judged_at=(2,), broken=unlabelled, unusable="drop")
    rule = JudgedShare("model", 0.9, k=2).decide(found, NOTHING)
    assert (rule["decision"], rule["figures"]["mean"]) == ("INCONCLUSIVE", 1)
    assert rule["reason"] == "300 documents were left out, whether judged or not"
    assert EmptyShare(0.1).decide(found, NOTHING)["decision"] == "PASS"
    whole = measured(base, base, empty=100, broken={"label": np.arange(200)}, unusable="drop")
    rule = EmptyShare(0.1).decide(whole, NOTHING)
    assert (rule["decision"], rule["figures"]["share"]) == ("INCONCLUSIVE", 0)
    assert rule["reason"] == "left out were all documents, or all relevant ones, of 100 queries"


def test_quantiles_of_times_have_intervals_that_hold():
    """The interval of an order statistic holds the true quantile in 95% of samples, or more."""
    random, held = np.random.default_rng(0), 0
    for _ in range(300):
        times = random.exponential(10, 500)
        figures = Latency({99: 1.0}).decide(None, Measurements(times))["figures"]["p99"]
        held += figures["low"] <= stats.expon.ppf(0.99, scale=10) <= figures["high"]
    assert held / 300 >= 0.93


@pytest.mark.parametrize(
    ("limits", "decision"),
    [
        ({50: 11.0, 99: 60.0}, "PASS"),
        ({50: 9.0}, "FAIL"),
        ({50: 11.0, 99: 19.9}, "INCONCLUSIVE"),
        ({50: 9.0, 99: 60.0}, "FAIL"),
    ],
)
def test_times_are_held_against_intervals_of_quantiles(limits, decision):
    times = np.linspace(0, 20, 1001)
    rule = Latency(limits).decide(None, Measurements(np.random.default_rng(0).permutation(times)))
    assert rule["decision"] == decision, rule
    assert rule["figures"]["p50"]["ms"] == pytest.approx(10)


def test_too_few_calls_do_not_decide_the_99th_percentile():
    rule = Latency({99: 1000.0}).decide(None, Measurements(np.linspace(0, 1, 100)))
    assert (rule["decision"], rule["figures"]["p99"]["high"]) == ("INCONCLUSIVE", None)
    assert Latency({99: 0.5}).decide(None, Measurements(np.linspace(0, 1, 100)))["decision"] == "FAIL"
    assert Latency({50: 5.0}).decide(None, NOTHING)["reason"] == "no call was timed"


@pytest.mark.parametrize(("size", "decision"), [(9.9, "PASS"), (10.0, "PASS"), (10.1, "FAIL"), (None, "INCONCLUSIVE")])
def test_the_size_is_no_estimate(size, decision):
    assert BundleSize(10.0).decide(None, Measurements(bundle_mb=size))["decision"] == decision
