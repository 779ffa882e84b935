import numpy as np
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
