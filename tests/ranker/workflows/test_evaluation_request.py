"""From sections of the spec to what `eval` is asked."""

from __future__ import annotations

import pytest

from eval.gate import BundleSize, EmptyShare, JudgedShare, Latency, MetricRule
from eval.slice_values import LENGTH, Cut
from ranker.errors import RankerError
from ranker.spec import Evaluation, GateRule
from ranker.workflows.evaluation_request import Asked, request_of, rules_of

MODELS = ("net", "bm25", "blend")


def asked(slices=(), gate=(), models=MODELS, **options) -> Asked:
    evaluation = Evaluation.model_validate({"baseline": "bm25", "slices": list(slices)} | options)
    rules = [GateRule.model_validate(rule) for rule in gate]
    return Asked(evaluation, models, "blend", rules, {"mine": len}, lambda name: f"{name} column")


def test_slices_become_slicings():
    found = request_of(
        asked(
            [
                "category",
                {"feature": "price", "buckets": "quartile", "scope": "document"},
                {"feature": "price", "buckets": [1.0, 2.0], "name": "cost"},
                ["category", {"length": [10]}, {"feature": "price", "buckets": 3}],
                {"code": "m:f", "inputs": ["price"], "name": "mine", "most": 7},
            ]
        )
    ).slicings
    assert [one.name for one in found] == ["category", "price", "cost", "category × list length × price", "mine"]
    assert [one.cuts for one in found] == [
        (Cut("category column"),),
        (Cut("price column", 4),),
        (Cut("price column", (1.0, 2.0)),),
        (Cut("category column"), Cut(LENGTH, (10.0,)), Cut("price column", 3)),
        (),
    ]
    assert [one.scope for one in found] == ["list", "document", "list", "list", "list"]
    assert [one.most for one in found] == [50, 50, 50, 50, 7]
    assert (found[4].code, found[4].inputs) == (len, ("price column",))


def test_settings_are_handed_on():
    options = {"confidence": 0.9, "draws": 300, "seed": 5, "min_lists": 40, "cluster": "user", "metrics": ["mrr"]}
    found = request_of(asked(**options))
    assert (found.confidence, found.draws, found.seed, found.min_lists) == (0.9, 300, 5, 40)
    assert (found.cluster, found.metrics, found.baseline) == ("user column", ("mrr",), "bm25")


def test_rules_have_their_defaults():
    rules = rules_of(
        asked(
            ["category"],
            [
                {"metric": "ndcg@10"},
                {"metric": "ndcg@10", "test": "superiority", "against": "net", "slices": ["category"], "model": "bm25"},
                {"metric": "ndcg@10", "floor": 0.3, "confidence": 0.9, "min_lists": 50, "slices": "overall"},
                {"empty_share": 0.1},
                {"judged": 0.8, "k": 5},
                {"latency_ms": {"p99": 20.0}},
                {"bundle_mb": 3.0},
            ],
        )
    )
    assert rules == [
        MetricRule("ndcg@10", "blend", "online", margin=0.01),
        MetricRule("ndcg@10", "bm25", "net", "superiority", 0.0, slices=("category",)),
        MetricRule("ndcg@10", "blend", floor=0.3, margin=0.01, confidence=0.9, min_lists=50),
        EmptyShare(0.1),
        JudgedShare("blend", 0.8, 5),
        Latency({99: 20.0}),
        BundleSize(3.0),
    ]


@pytest.mark.parametrize(
    ("rule", "models", "also"),
    [
        ({"metric": "ndcg@10"}, MODELS, ()),
        ({"metric": "ndcg@10"}, (*MODELS, "online"), (("blend", "online"),)),
        ({"metric": "ndcg@10", "against": "net"}, MODELS, (("blend", "net"),)),
        ({"metric": "ndcg@10", "against": "net", "model": "bm25"}, MODELS, (("bm25", "net"),)),
        ({"metric": "ndcg@10", "floor": 0.1}, MODELS, ()),
    ],
)
def test_what_a_rule_compares_is_measured(rule, models, also):
    assert request_of(asked(gate=[rule], models=models)).also == also


def test_the_share_of_judged_documents_is_measured_where_a_rule_looks():
    assert request_of(asked(gate=[{"judged": 0.5, "k": 3}])).judged_at == (10, 3)


@pytest.mark.parametrize(
    ("options", "gate", "says"),
    [
        ({"metrics": ["ndgc"]}, [], "evaluation: metric 'ndgc': unknown name"),
        ({"baseline": "best"}, [], "evaluation: baseline: expected one of the models"),
        ({}, [{"metric": "mrr"}], "gate.0.metric: 'mrr' is not among evaluation.metrics"),
        ({}, [{"metric": "ndcg@10", "against": "blend"}], "gate.0: 'blend' is compared with itself"),
    ],
)
def test_what_cannot_be_measured_is_told(options, gate, says):
    with pytest.raises(RankerError) as error:
        request_of(asked(gate=gate, **options))
    assert says in str(error.value)


def test_a_model_is_not_compared_with_itself_where_nothing_is_online():
    """Its difference to itself is 0, which would pass any margin."""
    with pytest.raises(RankerError, match=r"^gate\.1: nothing is online, and 'bm25', the baseline, would be compared"):
        request_of(asked(gate=[{"metric": "ndcg@10"}, {"metric": "ndcg@10", "model": "bm25"}]))
