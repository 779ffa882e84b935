"""Names of trec_eval's measures, and what it does to labels and scores."""

import numpy as np
import pytest
import pytrec_eval

from eval.metrics import CONTRACTS, parse_metric
from eval.trec_eval import float32_scores, metric_of, whole_labels


@pytest.mark.parametrize(
    ("text", "name", "ours"),
    [
        ("ndcg", "ndcg", "ndcg"),
        ("ndcg_cut_10", "ndcg_cut_10", "ndcg@10"),
        (" ndcg_cut.10", "ndcg_cut_10", "ndcg@10"),
        ("map", "map", "map"),
        ("map_cut_5", "map_cut_5", "map@5"),
        ("recip_rank", "recip_rank", "mrr"),
        ("P_5", "P_5", "p@5"),
        ("P.20", "P_20", "p@20"),
        ("recall_100", "recall_100", "recall@100"),
        ("set_recall", "set_recall", "recall"),
        ("success_1", "success_1", "success@1"),
        ("ndcg@10", "ndcg@10", "ndcg@10"),
        ("map(relevant=2)", "map(relevant=2)", "map(relevant=2)"),
    ],
)
def test_names(text, name, ours):
    assert metric_of(text, "trec_eval") == (name, parse_metric(ours, "trec_eval"))


def test_our_names_have_our_defaults():
    assert metric_of(" map@5 ") == ("map@5", parse_metric("map@5"))
    for contract in CONTRACTS:
        assert metric_of("ndcg@3", contract)[1] == parse_metric("ndcg@3", contract)


@pytest.mark.parametrize(
    ("text", "contract", "says"),
    [
        ("ndcg_cut_10", None, "is a name of trec_eval; write ndcg@10, or"),
        ("recip_rank", None, "is a name of trec_eval; write mrr, or"),
        ("P", "trec_eval", "'P': needs a cutoff, such as P_10"),
        ("ndcg_cut", None, "needs a cutoff, such as ndcg_cut_10"),
        ("P_0", "trec_eval", "the cutoff must be at least 1"),
        (
            "bpref",
            "trec_eval",
            "'bpref': this measure of trec_eval is not computed here; of its measures there are ndcg",
        ),
        ("iprec_at_recall_0.10", "trec_eval", "not computed here"),
        ("iprec_at_recall.0.10", None, "not computed here"),
        ("11pt_avg", "trec_eval", "not computed here"),
        ("ndgc@10", None, "did you mean ndcg"),
        ("P_5_6", "trec_eval", "'P_5_6': unknown name|expected name"),
        ("coverage@10", None, "figure of a whole run"),
    ],
)
def test_names_that_are_refused(text, contract, says):
    with pytest.raises(ValueError, match=says):
        metric_of(text, contract)


def test_each_measure_of_trec_eval_is_known_or_refused_by_its_name():
    for name in pytrec_eval.supported_measures:
        try:
            found, _ = metric_of(f"{name}_10" if name in ("P", "recall", "success", "ndcg_cut", "map_cut") else name,
                                 "trec_eval")  # fmt: skip
            assert found.startswith(name)
        except ValueError as error:
            assert "not computed here" in str(error)


def test_labels_are_whole_and_not_negative():
    labels = np.array([-2.0, -0.5, 0.0, 0.9, 1.0, 1.5, 3.0])
    assert whole_labels(labels).tolist() == [0, 0, 0, 0, 1, 1, 3]


def test_scores_are_those_that_float32_can_tell_apart():
    scores = np.array([1 + 2.0**-24, 1.0, 1 + 2.0**-23, 1e39, -np.inf, 2.0**-150])
    assert float32_scores(scores).tolist() == [1.0, 1.0, 1 + 2.0**-23, np.inf, -np.inf, 0.0]
