import json
import math

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from eval.evaluate import evaluate
from eval.intervals import bootstrap_interval
from eval.metrics import NDCG
from eval.score_table import read_score_table


def small_table():
    """Query a: labels 1, 0; query b: none relevant; query c: labels 0, 1. `good` ranks all right, `tied` ties all."""
    return pa.table(
        {
            "query_id": ["a", "a", "b", "b", "c", "c"],
            "document_id": ["1", "2", "1", "2", "1", "2"],
            "label": [1, 0, 0, 0, 0, 1],
            "good": [2.0, 1.0, 2.0, 1.0, 1.0, 2.0],
            "bad": [1.0, 2.0, 1.0, 2.0, 2.0, 1.0],
            "tied": [0.0] * 6,
        }
    )


def random_table(queries=80, size=12):
    random = np.random.default_rng(9)
    labels = random.integers(0, 4, size=queries * size)
    labels[: 2 * size] = 0
    better = labels + random.normal(size=len(labels))
    return pa.table(
        {
            "query_id": np.repeat(np.arange(queries), size),
            "document_id": np.tile(np.arange(size), queries),
            "label": labels,
            "better": better,
            "worse": better + random.normal(size=len(labels)),
        }
    )


def test_figures_by_hand():
    report = evaluate(small_table(), ["good", "bad", "tied"], ["ndcg@1", "ndcg"], baseline="good")
    means = {(result.metric, result.model): result.interval.mean for result in report.results}
    second = 1 / math.log2(3)
    assert means == pytest.approx(
        {
            ("ndcg@1", "good"): 1,
            ("ndcg@1", "bad"): 0,
            ("ndcg@1", "tied"): 1 / 2,
            ("ndcg", "good"): 1,
            ("ndcg", "bad"): second,
            ("ndcg", "tied"): (1 + second) / 2,
        },
        rel=1e-12,
    )
    assert (report.n_queries, report.n_empty, report.n_documents) == (3, 1, 6)
    for result in report.results:
        assert (result.interval.n_lists, result.n_empty) == (2, 1)
        assert result.n_tied == (3 if result.model == "tied" else 0)
        if result.model == "good":
            assert result.delta is None
        else:
            assert result.delta.baseline == "good"
            assert result.delta.interval.mean == pytest.approx(means[result.metric, result.model] - 1, rel=1e-12)
            assert result.delta.p_value == 0.0  # both lists differ by the same amount


def test_intervals_deltas_and_p_values_are_those_of_the_parts():
    table = random_table()
    report = evaluate(table, ["worse", "better"], ["ndcg@5"], "worse", confidence=0.9, draws=300, seed=4)
    lists, scores = read_score_table(table, ["worse", "better"])
    worse, better = (NDCG(5).per_list(lists, scores[model]) for model in ("worse", "better"))
    options = {"confidence": 0.9, "draws": 300, "seed": 4}
    of_worse, of_better = report.results
    for found, values in [
        (of_worse.interval, worse),
        (of_better.interval, better),
        (of_better.delta.interval, better - worse),
    ]:
        expected = bootstrap_interval(values, lists.query_ids, **options)
        assert found.n_lists == expected.n_lists == 78
        assert (found.mean, found.low, found.high) == pytest.approx((expected.mean, expected.low, expected.high))
    assert of_better.delta.p_value == pytest.approx(stats.ttest_rel(better[2:], worse[2:]).pvalue, rel=1e-9)
    assert of_better.delta.interval.low > 0


def test_order_of_rows_is_immaterial():
    table = random_table()
    shuffled = table.take(np.random.default_rng(0).permutation(table.num_rows))
    one, two = (evaluate(rows, ["better", "worse"], ["ndcg@5", "ndcg"], "worse") for rows in (table, shuffled))
    assert json.dumps(one.to_dict()) == json.dumps(two.to_dict())


def test_a_model_equal_to_the_baseline_differs_by_nothing():
    table = random_table()
    table = table.append_column("scaled", pa.array(table["better"].to_numpy() * 4 + 1))
    _, scaled = evaluate(table, ["better", "scaled"], ["ndcg@5"], "better").results
    interval = scaled.delta.interval
    assert (interval.mean, interval.low, interval.high, scaled.delta.p_value) == (0, 0, 0, 1)


def test_to_dict_is_json_with_the_contract():
    report = evaluate(small_table(), ["bad", "tied"], ["ndcg@1"], baseline="bad", draws=50, seed=3)
    as_json = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert as_json == report.to_dict()
    assert as_json["contract"] == {"ndcg@1": {"gain": "exp2", "ties": "average", "empty": "skip", "ideal": "listed"}}
    assert as_json["higher_is_better"] == {"ndcg@1": True}
    told = {name: as_json[name] for name in ("confidence", "draws", "seed", "n_queries", "n_empty", "n_documents")}
    assert told == {"confidence": 0.95, "draws": 50, "seed": 3, "n_queries": 3, "n_empty": 1, "n_documents": 6}
    assert [result["n_tied"] for result in as_json["results"]] == [0, 3]
    assert as_json["results"][0]["delta"] is None


def test_floats_in_json_have_ten_digits():
    (bad,) = evaluate(small_table(), ["bad"], ["ndcg"]).to_dict()["results"]
    assert bad["interval"]["mean"] == round(1 / math.log2(3), 10) != 1 / math.log2(3)


def test_rows_are_flat():
    report = evaluate(small_table(), ["good", "tied"], ["ndcg@1", "ndcg"], baseline="good")
    rows = report.rows()
    assert [(row["metric"], row["model"]) for row in rows] == [
        ("ndcg@1", "good"),
        ("ndcg@1", "tied"),
        ("ndcg", "good"),
        ("ndcg", "tied"),
    ]
    columns = ["metric", "model", "mean", "low", "high", "n_lists", "n_empty", "n_tied"]
    assert list(rows[0]) == [*columns, "delta", "delta_low", "delta_high", "p_value"]
    assert rows[0]["delta"] is rows[0]["p_value"] is None
    assert rows[1]["delta"] == report.results[1].delta.interval.mean == -1 / 2


def test_the_gain_is_settled_on_the_whole_table():
    table = small_table().set_column(2, "label", pa.array([20, 0, 0, 0, 0, 1]))
    report = evaluate(table, ["good"], ["ndcg@1", "ndcg@1(gain=exp2)"])
    assert {metric: contract["gain"] for metric, contract in report.contract.items()} == {
        "ndcg@1": "linear",
        "ndcg@1(gain=exp2)": "exp2",
    }


@pytest.mark.parametrize(
    ("models", "metrics", "options", "says"),
    [
        (["good", "gone"], ["ndcg"], {}, "add gone, or name models that are there"),
        (["good"], ["ndcg", "map"], {}, "unknown name 'map'; known: ndcg"),
        (["good"], ["ndcg@5", "ndcg@05"], {}, "metrics: expected at least one, each once; got ndcg@5, ndcg@5"),
        (["good", "good"], ["ndcg"], {}, "models: expected at least one, each once"),
        ([], ["ndcg"], {}, "models: expected at least one, each once; got none"),
        (["good"], [], {}, "metrics: expected at least one"),
        (["good"], ["ndcg"], {"baseline": "bad"}, "one of the models (good), got 'bad'"),
        (["good"], ["ndcg"], {"confidence": 1.0}, "between 0 and 1"),
    ],
)
def test_wrong_requests_are_refused(models, metrics, options, says):
    with pytest.raises(ValueError) as error:
        evaluate(small_table(), models, metrics, **options)
    assert says in str(error.value)


def test_tables_without_rows_or_relevant_documents_are_refused():
    with pytest.raises(ValueError, match="at least one row"):
        evaluate(small_table().slice(0, 0), ["good"], ["ndcg"])
    with pytest.raises(ValueError, match="expected a label above 0, got none in 1 queries"):
        evaluate(small_table().slice(2, 2), ["good"], ["ndcg"])
