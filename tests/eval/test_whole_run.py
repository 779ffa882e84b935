"""Items of parts of the lists, and plans that travel to other processes."""

import pickle

import numpy as np
import pytest

from eval.evaluate import Request, evaluate
from eval.metrics import parse_run_metric
from eval.passes import InTurn
from eval.report.build import report_of
from eval.score_parts import spill_scores
from eval.score_table import read_score_table
from eval.whole_run import Items
from tests.eval.beyond import shop_scores
from tests.eval.test_beyond_accuracy import EXPOSURE, MODELS, OF_RUNS

METRICS = {text: parse_run_metric(text) for text in OF_RUNS}


def items_of(table):
    return Items.of(read_score_table(table, MODELS, ["popularity"]), METRICS, {})


def test_items_of_parts_are_those_of_all_lists():
    scores = shop_scores()
    parts = [scores.filter(np.array([query in which for query in scores["query_id"].to_pylist()]))
             for which in ({"q1", "q2"}, {"q3"}, {f"q{number}" for number in range(4, 40)} | {"q0"})]  # fmt: skip
    added = items_of(parts[0]) + items_of(parts[1]) + items_of(parts[2])
    one, two = (items.catalogues(METRICS, 90) for items in (added, items_of(scores)))
    for text in OF_RUNS:
        assert len(one[text]) == len(two[text]) == 90
        assert (
            one[text].item_ids.tolist() == two[text].item_ids.tolist() == sorted(set(scores["document_id"].to_pylist()))
        )
    known = dict(zip(scores["document_id"].to_pylist(), scores["popularity"].to_pylist(), strict=True))
    novelty = one["novelty@3"]
    assert novelty.popularity.tolist() == [known[name] for name in novelty.item_ids]
    assert one["gini@3"] is one["coverage@3"]
    assert one["gini@3"].popularity is None


def test_popularity_that_differs_between_parts_is_told():
    scores = shop_scores()
    first, others = (scores.filter(np.array(one)) for one in
                     ((np.arange(scores.num_rows) < 6), (np.arange(scores.num_rows) >= 6)))  # fmt: skip
    more = others.set_column(8, "popularity", [np.asarray(others["popularity"]) + 1])
    with pytest.raises(ValueError, match=r"expected one popularity of each document, got \d+ and \d+ for document 'i"):
        (items_of(first) + items_of(more)).catalogues(METRICS, None)


class Elsewhere(InTurn):
    """Passes whose work and whose results are pickled, as for other processes."""

    def survey(self, of, numbers, buckets):
        given = pickle.loads(pickle.dumps((of, numbers)))
        total, edges = super().survey(lambda table: pickle.loads(pickle.dumps(given[0](table))), given[1], buckets)
        return total, edges


def test_work_travels(tmp_path):
    scores = shop_scores()
    request = Request(MODELS, ("ndcg@5", "ild@5(by=brand)", *OF_RUNS), "popular", exposure=EXPOSURE, draws=100)
    expected = report_of(evaluate(scores, request))
    parts = spill_scores(scores.to_batches(40), request.columns, tmp_path, 3)
    found = report_of(evaluate(parts, request, None, Elsewhere(parts)))
    assert found["catalogue"]["listed"] == expected["catalogue"]["listed"]
    for model in MODELS:
        for text in OF_RUNS:
            assert found["catalogue"]["models"][model][text] == pytest.approx(
                expected["catalogue"]["models"][model][text], rel=1e-8
            )
    assert [one["name"] for one in found["exposure"]] == ["brand", "topics", "popularity"]
