import numpy as np
import pyarrow as pa
import pytest

from eval.changes import Texts, changes_of, shown_lists, spread_of
from eval.evaluate import Request, evaluate
from eval.score_table import read_score_table


@pytest.fixture(scope="module")
def scores(make_scores):
    return make_scores()


@pytest.fixture(scope="module")
def found(scores):
    return evaluate(scores, Request(("a", "b"), ("ndcg@5", "arp"), "a"))


@pytest.mark.parametrize(("metric", "higher"), [("ndcg@5", True), ("arp", False)])
def test_the_spread_is_that_of_the_differences(found, metric, higher):
    spread = spread_of(found.per_query, metric, "b", "a", higher_is_better=higher)
    rows = found.per_query.table().to_pandas()
    differences = (rows[f"{metric}|b"] - rows[f"{metric}|a"]).set_axis(rows["query_id"]).dropna()
    differences[differences.abs() < 1e-12] = 0
    gains = differences if higher else -differences
    assert (spread.better, spread.same, spread.worse) == ((gains > 0).sum(), (gains == 0).sum(), (gains < 0).sum())
    assert spread.counts.sum() == len(differences)
    assert spread.counts.tolist() == np.histogram(differences, spread.edges)[0].tolist()
    middle = len(spread.counts) // 2
    assert spread.edges[middle] < 0 < spread.edges[middle + 1]
    assert -spread.edges[0] == spread.edges[-1] == pytest.approx(gains.abs().max())
    for ends, signed in ((spread.best, gains), (spread.worst, -gains)):
        expected = signed.rename("gain").reset_index().sort_values(["gain", "query_id"], ascending=[False, True])[:5]
        assert [query for query, *_ in ends] == expected["query_id"].tolist()
        for query, delta, value, other in ends:
            assert delta == pytest.approx(differences[query])
            assert delta == pytest.approx(value - other)


def test_without_differences_there_is_nothing_to_show(scores):
    found = evaluate(scores.append_column("same", scores["a"]), Request(("a", "same"), ("ndcg",), "a"))
    spread = spread_of(found.per_query, "ndcg", "same", "a", higher_is_better=True)
    assert (spread.better, spread.worse, spread.best, spread.worst) == (0, 0, [], [])
    assert spread.counts[len(spread.counts) // 2] == spread.same > 0


def test_shown_lists_are_the_first_documents_of_each_model():
    table = pa.table(
        {
            "query_id": ["q"] * 12,
            "document_id": [f"d{number:02}" for number in range(12)],
            "label": [0.0] * 11 + [2.0],
            "up": np.arange(12.0),
            "flat": [0.0] * 12,
            "text": ["a question"] * 12,
            "title": [None, *(f"title {number}" for number in range(1, 12))],
        }
    )
    shown = shown_lists(read_score_table(table, ["up", "flat"], ["text", "title"]), Texts("text", "title"))
    text, lists = shown["q"]
    assert text == "a question"
    assert [document["id"] for document in lists["up"]] == [f"d{number:02}" for number in range(11, 1, -1)]
    assert lists["up"][0] == {"id": "d11", "label": 2.0, "score": 11.0, "title": "title 11"}
    assert [document["id"] for document in lists["flat"]] == [f"d{number:02}" for number in range(10)]
    assert lists["flat"][0]["title"] is None
    bare = shown_lists(read_score_table(table, ["up"]), Texts())
    assert bare["q"][0] is bare["q"][1]["up"][0]["title"] is None


def test_changes_have_the_lists_of_both_models(scores, found):
    spread = spread_of(found.per_query, "ndcg@5", "b", "a", higher_is_better=True)
    shown = shown_lists(read_score_table(scores, ["a", "b"]), Texts())
    changes = changes_of(spread, "b", "a", shown)
    query = changes["best"][0]
    assert query["lists"] == {"model": shown[query["query_id"]][1]["b"], "baseline": shown[query["query_id"]][1]["a"]}
    assert changes_of(spread, "b", "a", {})["best"][0]["lists"] is None
