"""The sections `evaluation` and `gate`: their forms, options without effect, and references."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from ranker.spec import Evaluation, GateRule, SliceBy, Spec

LINE = "evaluation: {metrics: [ndcg@10], baseline: bm25}"


def measured(text: str, slices: str = "", gate: str = "", more: str = "") -> str:
    """The spec with slices, further keys of the evaluation and a gate."""
    return text.replace(
        LINE, f"evaluation: {{metrics: [ndcg@10], baseline: bm25, slices: [{slices}]{more}}}\ngate: [{gate}]"
    )


def test_short_forms_of_slices_stand_for_whole_ones(text, load):
    short = "segment, [segment, {feature: price, buckets: quartile}], {length: [10, 50]}"
    long = "{feature: segment}, {cross: [{feature: segment}, {feature: price, buckets: quartile}]}, {length: [10, 50]}"
    spec = load(measured(text, short))
    assert spec.evaluation == load(measured(text, long)).evaluation
    assert [one.label for one in spec.evaluation.slices] == ["segment", "segment × price", "list length"]
    assert [one.features for one in spec.evaluation.slices] == [["segment"], ["segment", "price"], []]


def test_a_spec_with_slices_and_a_gate_is_the_same_after_a_manifest(text, load):
    spec = load(measured(text, "segment, {length: [10]}, [segment, price]", "{metric: ndcg@10, margin: 0.02}"))
    assert Spec.model_validate(spec.model_dump()).model_dump() == spec.model_dump()


def test_all_forms_of_rules(text, load):
    rules = (
        "{metric: ndcg@10}, {metric: ndcg@10, against: bm25, test: superiority, model: net},"
        "{metric: ndcg@10, floor: 0.3, slices: [segment, 'segment=student']}, {empty_share: 0.1, confidence: 0.9},"
        "{judged: 0.8, k: 5}, {latency_ms: {p99: 20}}, {bundle_mb: 50}"
    )
    gate = load(measured(text, "segment", rules)).gate
    assert [rule.compared for rule in gate] == ["online", "bm25", None, None, None, None, None]


@pytest.mark.parametrize(
    ("slices", "says"),
    [
        ("colour", "evaluation.slices.0: no feature 'colour' under query, document or pair; there are"),
        ("segment, [segment, colour]", "evaluation.slices.1: no feature 'colour'"),
        ("{feature: segment, buckets: 4}", "segment: buckets need a number or a date"),
        ("{feature: segment, scope: document}", "scope: document has no effect on features of the query (segment)"),
        ("{feature: segment, length: [3]}", "expected one of feature, length, cross, code; got feature and length"),
        ("{scope: list}", "expected one of feature, length, cross, code; got none"),
        ("{length: [3], most: 3}", "most has no effect with length"),
        ("{feature: price, buckets: 3, most: 3}", "most has no effect with buckets"),
        ("{feature: price, inputs: [price]}", "inputs has no effect with feature"),
        ("{feature: price, buckets: thirds}", "buckets: expected quartile, a number of buckets from 2 to 1000"),
        ("{feature: price, buckets: [3, 2]}", "buckets: expected rising edges, got [3.0, 2.0]"),
        ("{length: [3, 3]}", "length: expected rising edges"),
        ("{code: 'mine:size'}", "code needs inputs"),
        ("{code: size, inputs: [price], name: size}", "slices.0.code: String should match pattern"),
        ("{code: 'mine:size', inputs: [size], name: size}", "no feature 'size'"),
        ("segment, {feature: price, name: segment}", "slices name used more than once: segment"),
        ("{feature: segment, name: unit}", "slices 'unit': the name is taken"),
        ("{feature: segment, nme: unit}", "slices.0.nme: unknown key; did you mean 'name'?"),
    ],
)
def test_wrong_slices_are_told(text, faults, slices, says):
    [fault] = faults(measured(text, slices))
    assert says in fault


@pytest.mark.parametrize(
    ("gate", "says"),
    [
        ("{metric: mrr}", "gate.0.metric: 'mrr' is not among evaluation.metrics ['ndcg@10']; add it there"),
        ("{metric: ndcg@10, against: best}", "gate.0.against: no model 'best'; there are ['blend', 'net',"),
        ("{metric: ndcg@10, model: online}", "gate.0.model: no model 'online'"),
        ("{metric: ndcg@10, model: net, against: net}", "gate.0: 'net' is compared with itself"),
        ("{metric: ndcg@10, slices: [price]}", "gate.0.slices: no slices 'price' under evaluation.slices"),
        ("{metric: ndcg@10, slices: all}", "gate.0.slices: expected overall or names of slices, got 'all'"),
        ("{metric: ndcg@10, floor: 0.3, margin: 0.1}", "margin has no effect with floor"),
        ("{metric: ndcg@10, k: 3}", "k has no effect with metric"),
        ("{empty_share: 0.1, metric: ndcg@10}", "got metric and empty_share"),
        ("{margin: 0.1}", "expected one of metric, empty_share, judged, latency_ms, bundle_mb; got none"),
        ("{bundle_mb: 3, confidence: 0.9}", "confidence has no effect with bundle_mb"),
        ("{latency_ms: {}}", "expected p50 or p99"),
        ("{metric: ndcg@10, marign: 0.1}", "gate.0.marign: unknown key; did you mean 'margin'?"),
    ],
)
def test_wrong_rules_are_told(text, faults, gate, says):
    assert says in faults(measured(text, "segment", gate))[0]


def test_online_needs_a_baseline_that_stands_in(text, faults):
    wrong = text.replace(LINE, "evaluation: {metrics: [ndcg@10]}\ngate: [{metric: ndcg@10}]")
    assert "gate.0: against: online needs evaluation.baseline" in faults(wrong)[0]


@pytest.mark.parametrize("cluster", ["title", "price", "user"])
def test_a_cluster_is_a_text_of_the_query(text, load, faults, cluster):
    assert load(measured(text, more=", cluster: segment")).evaluation.cluster == "segment"
    [fault] = faults(measured(text, more=f", cluster: {cluster}"))
    assert f"evaluation.cluster: no text or category {cluster!r} under features.query" in fault


def test_defaults_say_what_they_are():
    assert Evaluation().model_dump() == {
        "metrics": ["ndcg@10"],
        "baseline": None,
        "slices": [],
        "cluster": None,
        "confidence": 0.95,
        "draws": 1000,
        "seed": 0,
        "min_lists": 30,
        "exposure": [],
        "catalogue": None,
        "find_slices": None,
    }
    assert SliceBy(feature="price").cuts[0].feature == "price"
    assert GateRule(metric="ndcg@10").compared == "online"


def test_forms_of_exposure(text, load, faults):
    more = ", catalogue: 900, exposure: [title, [title, price], {by: title, k: 5, discount: geometric, patience: 0.5}]"
    [fault] = faults(measured(text, more=more))
    assert "exposure name used more than once: title" in fault
    found = load(measured(text, "price", more=more.replace("by: title", "by: {feature: title, name: tint}"))).evaluation
    assert [one.by.label for one in found.exposure] == ["title", "title × price", "tint"]
    assert [one.label for one in found.groupings] == ["price", "title", "title × price", "tint"]
    assert found.catalogue == 900
    assert Evaluation.model_validate(found.model_dump()) == found


@pytest.mark.parametrize(
    ("exposure", "says"),
    [
        ("tint", "evaluation.exposure.0: no feature 'tint' under query, document or pair; there are"),
        ("segment", "evaluation.exposure.0: all documents of a list are of one group by features of the query"),
        ("{by: {feature: title, buckets: 3}}", "title: buckets need a number or a date"),
        ("{by: {feature: price, scope: document}}", "scope has no effect on exposure"),
        ("{by: {length: [5]}}", "length says nothing of the documents of a list"),
        ("{by: price, patience: 0.5}", "patience has no effect without discount: geometric"),
        ("{by: price, discount: linear}", "discount"),
        ("{by: price, k: 0}", "greater than or equal to 1"),
    ],
)
def test_wrong_exposure_is_told(text, faults, exposure, says):
    [fault] = faults(measured(text, more=f", exposure: [{exposure}]"))
    assert says in fault


def test_forms_of_find_slices(text, load):
    for written in ("true", "{}", "{features: all, depth: 2, alpha: 0.05}"):
        found = load(measured(text, more=f", find_slices: {written}")).evaluation
        assert found.find_slices.model_dump() == {
            "features": "all",
            "metrics": None,
            "depth": 2,
            "alpha": 0.05,
            "min_lists": None,
        }
        assert Evaluation.model_validate(found.model_dump()) == found
    more = ", find_slices: {features: [segment, price], metrics: [ndcg@10], depth: 1}"
    assert load(measured(text, more=more)).evaluation.find_slices.features == ["segment", "price"]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("{features: [tint]}", "evaluation.find_slices.features: no feature 'tint' under query, document or pair"),
        ("{metrics: [map]}", "find_slices.metrics: expected some of ['ndcg@10'], got 'map'; add it there"),
        ("{depth: 4}", "less than or equal to 3"),
        ("{alpha: 0}", "greater than or equal to 0.001"),
        ("{deep: 4}", "evaluation.find_slices.deep: unknown key"),
        ("false", "evaluation.find_slices"),
    ],
)
def test_wrong_find_slices_is_told(text, faults, asked, says):
    told = faults(measured(text, more=f", find_slices: {asked}"))
    assert says in told[0]


def test_two_functions_of_one_name():
    one, two = ({"code": f"mine:{name}", "inputs": ["a"], "name": "x"} for name in ("f", "g"))
    Evaluation.model_validate({"slices": [one], "exposure": [{"by": one}]})
    with pytest.raises(ValueError, match="'x' is computed by two functions, for slices and exposure"):
        Evaluation.model_validate({"slices": [one], "exposure": [{"by": two}]})


@pytest.mark.parametrize(("confidence", "draws", "least"), [(0.95, 100, None), (0.99, 199, 200), (0.9999, 1000, 20000)])
def test_draws_reach_the_confidence(confidence, draws, least):
    """At each end of an interval at least one draw has to lie beyond it."""
    if least is None:
        assert Evaluation(confidence=confidence, draws=draws).draws == draws
    else:
        with pytest.raises(ValidationError, match=f"needs at least {least} draws.*got {draws}"):
            Evaluation(confidence=confidence, draws=draws)
        assert Evaluation(confidence=confidence, draws=least).draws == least
