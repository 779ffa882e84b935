import json

import pytest

from eval.gate import EXIT_STATUS, BundleSize, EmptyShare, Measurements, MetricRule, decide


def test_the_worst_rule_decides(measured, outcomes):
    base = outcomes(200, 0.5)
    found = measured(base, base)
    passes, fails = MetricRule("p@1", "model", "base", margin=0.01), MetricRule("p@1", "model", floor=0.9)
    unclear = BundleSize(3.0)
    for rules, decision in [
        ([passes], "PASS"),
        ([passes, EmptyShare(0.1)], "PASS"),
        ([passes, unclear], "INCONCLUSIVE"),
        ([unclear, fails, passes], "FAIL"),
    ]:
        gate = decide(found, rules)
        assert gate["decision"] == decision
        assert len(gate["rules"]) == len(rules)
        assert all(rule["rule"] and rule["reason"] for rule in gate["rules"])
        assert json.loads(json.dumps(gate, allow_nan=False)) == gate
    assert decide(found, [passes, unclear], Measurements(bundle_mb=2.0))["decision"] == "PASS"


def test_a_gate_without_rules_is_refused(measured, outcomes):
    base = outcomes(200, 0.5)
    with pytest.raises(ValueError, match="gate: expected at least one rule"):
        decide(measured(base, base), [])


def test_exit_statuses_are_those_of_the_documentation():
    assert EXIT_STATUS == {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 3}
