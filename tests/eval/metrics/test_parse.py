import dataclasses
import doctest
import importlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.metrics import (
    AUC,
    CONTRACTS,
    DCG,
    METRICS,
    NDCG,
    RUN_METRICS,
    AveragePrecision,
    AverageRelevancePosition,
    Coverage,
    ExpectedReciprocalRank,
    Gini,
    Judged,
    Metric,
    Novelty,
    PairAccuracy,
    Precision,
    RankBiasedPrecision,
    Recall,
    ReciprocalRank,
    Success,
    parse_measure,
    parse_metric,
    parse_run_metric,
)
from eval.metrics.options import options_of

VALUES = [
    ("ndcg", NDCG()),
    ("ndcg@10", NDCG(10)),
    ("ndcg@10(gain=linear)", NDCG(10, "linear")),
    ("ndcg@10(gain=linear,ties=docid)", NDCG(10, "linear", ties="docid")),
    ("ndcg(gain=0:1:3:7)", NDCG(gain="0:1:3:7")),
    ("ndcg@5(ties=stable,empty=one,ideal=listed,missing=error)",
     NDCG(5, ties="stable", empty="one", ideal="listed", missing="error")),
    ("dcg@3(empty=zero)", DCG(3, empty="zero")),
    ("mrr", ReciprocalRank()),
    ("mrr@10(relevant=2)", ReciprocalRank(10, 2)),
    ("map@100(norm=reachable)", AveragePrecision(100, norm="reachable")),
    ("p@5", Precision(5)),
    ("recall@1000(missing=skip)", Recall(1000, missing="skip")),
    ("success@1", Success(1)),
    ("err@20(top=4)", ExpectedReciprocalRank(20, 4)),
    ("rbp(relevant=0.5,p=0.95)", RankBiasedPrecision(relevant=0.5, p=0.95)),
    ("arp", AverageRelevancePosition()),
    ("pair_accuracy(ties=pessimistic)", PairAccuracy(ties="pessimistic")),
    ("auc(relevant=3,empty=zero)", AUC(relevant=3, empty="zero")),
    ("judged@10", Judged(10)),
]  # fmt: skip
RUN_VALUES = [
    ("coverage@10", Coverage(10)),
    ("gini@10(ties=docid)", Gini(10, ties="docid")),
    ("novelty@5(smoothing=0.5)", Novelty(5, smoothing=0.5)),
]


@pytest.mark.parametrize(("text", "value"), VALUES)
def test_a_metric_parses_and_prints(text, value):
    assert parse_metric(text) == value
    assert str(value) == text
    assert hash(parse_metric(text)) == hash(value)


@pytest.mark.parametrize(("text", "value"), RUN_VALUES)
def test_a_metric_of_a_run_parses_and_prints(text, value):
    assert parse_run_metric(text) == value
    assert str(value) == text
    assert hash(parse_run_metric(text)) == hash(value)


@st.composite
def any_metric(draw):
    """A kind with a cutoff and options of all sorts."""
    kind = draw(st.sampled_from(list(METRICS.values())))
    cutoff = draw(st.integers(1, 10**9) if kind.needs_cutoff else st.none() | st.integers(1, 10**9))
    below_one = st.floats(0, 1, exclude_min=True, exclude_max=True)
    values = {"gain": st.sampled_from([None, "exp2", "linear", "0:0:1.5"])}
    options = {
        name: draw(st.sampled_from(kind.choices[name]) if name in kind.choices else values.get(name, below_one))
        for name in options_of(kind)
    }
    return kind(**{"k": cutoff} if kind.takes_cutoff else {}, **options)


@given(any_metric())
def test_every_metric_is_read_back_from_its_text(metric):
    again = parse_metric(str(metric))
    assert again == metric
    assert str(again) == str(metric)


def test_spaces_and_aliases():
    assert parse_metric(" ndcg@5( gain = linear ) ") == NDCG(5, "linear")
    assert parse_metric("hits@5") == parse_metric("success@5")
    assert parse_metric("precision@5") == Precision(5)


def test_every_kind_is_a_frozen_value():
    for name, kind in {**METRICS, **RUN_METRICS}.items():
        metric = kind(3) if kind.takes_cutoff else kind()
        assert (metric.name, metric.k) == (name, 3 if kind.takes_cutoff else None)
        with pytest.raises(dataclasses.FrozenInstanceError):
            metric.k = 4


def test_a_contract_fills_what_the_text_leaves_open():
    trec = "ties=docid,empty=zero,ideal=judged,missing=skip"
    assert str(parse_metric("ndcg@10", "trec_eval")) == f"ndcg@10(gain=linear,{trec})"
    assert str(parse_metric("map(missing=zero)", "trec_eval")) == "map(ties=docid,empty=zero,ideal=judged)"
    assert str(parse_metric("map@5", "lightgbm")) == "map@5(norm=reachable,ties=stable,empty=one,ideal=listed)"
    for contract in CONTRACTS:
        for name, kind in METRICS.items():
            metric: Metric = parse_metric(f"{name}@5" if kind.takes_cutoff else name, contract)
            assert metric.ties == CONTRACTS[contract]["ties"]
    with pytest.raises(ValueError, match="contract 'trec' is not known; known: trec_eval, lightgbm, scikit-learn"):
        parse_metric("ndcg", "trec")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("ndgc@10", "unknown name 'ndgc'; known: alpha_ndcg, arp, auc, dcg, err, ild, judged, map, mrr, ndcg, p, "),
        ("ndgc@10", "; did you mean ndcg?"),
        ("bleu", "unknown name 'bleu'; known: "),
        ("ndcg@", "expected name, name@k"),
        ("ndcg@-1", "expected name, name@k"),
        ("ndcg@0", "at least 1, got 0"),
        ("ndcg@10(gain)", "expected option=value"),
        ("ndcg@10()", "expected option=value"),
        ("ndcg@10(gain=exp2,gain=linear)", "each option once"),
        ("ndcg@10(gains=exp2)", "no option 'gains'; known: gain, ties, empty, ideal, missing"),
        ("ndcg@10(gain=cubic)", "gain must be one of exp2, linear or a table that rises from 0"),
        ("ndcg@10(ties=random)", "ties must be one of average, stable, docid, optimistic, pessimistic, got 'random'"),
        ("dcg@10(empty=one)", "empty must be one of skip, zero, got 'one'"),
        ("arp@10", "arp: has no cutoff, got 10; write arp"),
        ("arp(empty=zero)", "empty must be one of skip, got 'zero'"),
        ("judged@5(ties=optimistic)", "ties must be one of average, stable, docid, got 'optimistic'"),
        ("auc(ideal=judged)", "auc has no option 'ideal'; known: relevant, ties, empty"),
        ("p", "p: needs a cutoff, such as p@10"),
        ("map(relevant=0)", "relevant must be a number above 0, got 0"),
        ("map(relevant=nan)", "relevant must be a number above 0, got nan"),
        ("map(relevant=much)", "relevant must be a number, got 'much'"),
        ("rbp(p=1)", "p must be a number above 0 and below 1, got 1"),
        ("err(top=-1)", "top must be a number above 0, got -1"),
        ("coverage@10", "coverage is a figure of a whole run, not a mean over lists; metrics of lists are alpha_ndcg"),
        ("", "expected name, name@k"),
    ],
)
def test_a_wrong_text_is_explained(text, says):
    with pytest.raises(ValueError) as error:
        parse_metric(text)
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("gini", "gini: needs a cutoff, such as gini@10"),
        ("gini@5(ties=pessimistic)", "ties must be one of average, stable, docid, got 'pessimistic'"),
        ("novelty@5(smoothing=0)", "smoothing must be a number above 0, got 0"),
        ("coverge@5", "unknown name 'coverge'; known: coverage, gini, novelty; did you mean coverage?"),
        ("ndcg@5", "unknown name 'ndcg'; known: coverage, gini, novelty"),
    ],
)
def test_a_wrong_text_of_a_metric_of_a_run_is_explained(text, says):
    with pytest.raises(ValueError) as error:
        parse_run_metric(text)
    assert says in str(error.value)


@pytest.mark.parametrize("module", ["parse", "ndcg", "dcg"])
def test_docstring_examples(module):
    failed, tried = doctest.testmod(importlib.import_module(f"eval.metrics.{module}"))
    assert (failed, tried > 0) == (0, True)


@pytest.mark.parametrize("text", ["ndcg@10", "hits@3", "ild@5(by=brand)", "coverage@10", "novelty@5(popularity=sold)"])
def test_a_measure_is_of_lists_or_of_whole_runs(text):
    of_runs = text.startswith(("coverage", "novelty"))
    assert parse_measure(text) == (parse_run_metric if of_runs else parse_metric)(text)
    read = {"ild@5(by=brand)": ("brand",), "novelty@5(popularity=sold)": ("sold",)}
    assert parse_measure(text).columns == read.get(text, ())


def test_no_measure():
    with pytest.raises(ValueError, match=r"unknown name 'coverge'; known: .*; did you mean coverage\?"):
        parse_measure("coverge@10")
