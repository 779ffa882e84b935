import doctest
import importlib

import pytest

from eval.metrics import METRICS, NDCG, Metric, parse_metric


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("ndcg", NDCG()),
        ("ndcg@10", NDCG(10)),
        ("ndcg@10(gain=linear)", NDCG(10, "linear")),
        ("ndcg(gain=exp2)", NDCG(None, "exp2")),
    ],
)
def test_a_metric_parses_and_prints(text, value):
    assert parse_metric(text) == value
    assert str(value) == text
    assert hash(parse_metric(text)) == hash(value)


def test_spaces_are_allowed():
    assert parse_metric(" ndcg@5( gain = linear ) ") == NDCG(5, "linear")


def test_every_kind_is_a_metric():
    for name in METRICS:
        metric: Metric = parse_metric(f"{name}@3")
        assert (metric.k, metric.higher_is_better) == (3, True)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("ndgc@10", "unknown name 'ndgc'; known: ndcg; did you mean ndcg?"),
        ("bleu", "unknown name 'bleu'; known: ndcg"),
        ("ndcg@", "expected name, name@k"),
        ("ndcg@-1", "expected name, name@k"),
        ("ndcg@0", "at least 1, got 0"),
        ("ndcg@10(gain)", "expected option=value"),
        ("ndcg@10()", "expected option=value"),
        ("ndcg@10(gain=exp2,gain=linear)", "each option once"),
        ("ndcg@10(gains=exp2)", "no option 'gains'; known: gain"),
        ("ndcg@10(gain=cubic)", "gain must be one of exp2, linear, got 'cubic'"),
        ("", "expected name, name@k"),
    ],
)
def test_a_wrong_text_is_explained(text, says):
    with pytest.raises(ValueError) as error:
        parse_metric(text)
    assert says in str(error.value)


@pytest.mark.parametrize("module", ["eval.metrics", "eval.metrics.ndcg"])
def test_docstring_examples(module):
    failed, tried = doctest.testmod(importlib.import_module(module))
    assert (failed, tried > 0) == (0, True)
