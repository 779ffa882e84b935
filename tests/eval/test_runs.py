import numpy as np
import pyarrow as pa
import pytest

from eval.evaluate import Request, evaluate
from eval.report.build import report_of
from eval.runs import Choice, compare_runs
from eval.slice_values import Cut
from eval.slices import Slicing

SLICINGS = (
    Slicing("category", (Cut("category"),)),
    Slicing("tags", (Cut("tags"),)),
    Slicing("price", (Cut("price", 3),), "document"),
)


def run(scores, models=("a",), **options):
    defaults = {"metrics": ("ndcg@5", "mrr"), "slicings": SLICINGS}
    return evaluate(scores, Request(tuple(models), **(defaults | options))).per_query


@pytest.fixture(scope="module")
def scores(make_scores):
    return make_scores()


def test_two_runs_compare_as_two_models_of_one(scores):
    both = report_of(evaluate(scores, Request(("a", "b"), ("ndcg@5", "mrr"), "a", slicings=SLICINGS)))
    shuffled = scores.take(np.random.default_rng(0).permutation(scores.num_rows))
    apart = report_of(compare_runs({"a": run(scores), "b": run(shuffled, ("b",))}))
    assert apart["baseline"] == both["baseline"] == "a"
    assert list(apart["models"]) == ["a", "b"]
    assert apart["comparisons"]["b"]["overall"] == both["comparisons"]["b"]["overall"]
    for name in ("category", "tags"):
        values = both["models"]["b"]["slices"][name]
        assert apart["models"]["b"]["slices"][name].keys() == values.keys()
        for value, of_value in values.items():
            for metric, figure in of_value.items():
                assert apart["models"]["b"]["slices"][name][value][metric] == figure | {"tied": None}
    changes = apart["comparisons"]["b"]["changes"]["mrr"]
    expected = both["comparisons"]["b"]["changes"]["mrr"]
    assert changes["counts"] == expected["counts"]
    assert [query["query_id"] for query in changes["best"]] == [query["query_id"] for query in expected["best"]]
    assert changes["best"][0]["lists"] is None
    for name in ("queries", "documents", "empty", "lengths"):
        assert apart["data"][name] == both["data"][name]
    assert apart["settings"] == both["settings"]
    assert apart["notes"] == ["slices 'price' are of documents, and left out: they need the scores"]


def test_a_comparison_can_be_compared_again(scores):
    first = compare_runs({"a": run(scores), "b": run(scores, ("b",))})
    again = compare_runs({"x": first.per_query}, Choice(baseline="b"))
    assert list(again.series.models) == ["x/a", "x/b"]
    assert again.series.baseline == "x/b"
    one, two = (report_of(found)["models"] for found in (first, again))
    assert two["x/a"]["overall"] == one["a"]["overall"]


def test_runs_of_several_models_are_told_apart(scores):
    runs = {"old": run(scores, ("a", "b")), "new": run(scores, ("b", "c"))}
    found = compare_runs(runs)
    assert list(found.series.models) == ["old/a", "old/b", "new/b", "new/c"]
    assert found.series.baseline == "old/a"
    chosen = compare_runs(
        runs, Choice(models=["b"], metrics=["mrr"], baseline="new", draws=200, seed=3, confidence=0.9)
    )
    assert list(chosen.series.models) == ["old", "new"]
    assert (chosen.series.baseline, list(chosen.contract)) == ("new", ["mrr"])
    assert {name: chosen.settings[name] for name in ("draws", "seed", "confidence")} == {
        "draws": 200,
        "seed": 3,
        "confidence": 0.9,
    }


def test_runs_of_other_queries_are_refused_or_intersected(scores):
    queries = np.array(scores["query_id"].to_pylist())
    one = scores.filter(pa.array(queries != "q3"))
    two = scores.filter(pa.array(~np.isin(queries, ["q5", "q6"])))
    runs = {"one": run(one), "two": run(two, ("b",))}
    with pytest.raises(ValueError) as error:
        compare_runs(runs)
    assert "2 of 119 queries are only in one, such as 'q5'; 1 of 118 queries are only in two, such as 'q3'" in str(
        error.value
    )
    found = compare_runs(runs, Choice(intersect=True))
    common = scores.filter(pa.array(~np.isin(queries, ["q3", "q5", "q6"])))
    expected = report_of(evaluate(common, Request(("a", "b"), ("ndcg@5", "mrr"), "a", slicings=SLICINGS[:2])))
    report = report_of(found)
    assert report["comparisons"]["two"]["overall"] == expected["comparisons"]["b"]["overall"]
    assert "compared are the 117 queries that all runs have" in report["notes"]
    with pytest.raises(ValueError, match="have no query in common"):
        compare_runs({"one": run(scores.slice(0, 30)), "two": run(scores.slice(500, 30))}, Choice(intersect=True))


def test_other_labels_and_units_are_refused(scores):
    labels = scores["label"].to_numpy().copy()
    row = int(np.flatnonzero(labels > 0)[4])
    labels[row] += 1
    query = scores["query_id"][row].as_py()
    changed = scores.set_column(2, "label", pa.array(labels))
    with pytest.raises(ValueError, match=f"x and y have other labels for 1 queries, the first is '{query}'"):
        compare_runs({"x": run(scores), "y": run(changed, ("b",))})
    with pytest.raises(ValueError, match="x and y have other units that are resampled for 120 queries"):
        compare_runs({"x": run(scores), "y": run(scores, ("b",), cluster="user")})


def test_other_contracts_are_refused(scores):
    large = scores.set_column(2, "label", pa.array(scores["label"].to_numpy() * 10))
    with pytest.raises(ValueError, match="other labels"):
        compare_runs({"x": run(scores), "y": run(large, ("b",))})
    plain, tampered = run(scores), run(scores, ("b",))
    tampered.metadata["contract"]["mrr"] = {"ties": "stable"}
    with pytest.raises(
        ValueError, match=r"mrr is not the same in x \(relevant label > 0, ties average.*\) and y \(ties st"
    ):
        compare_runs({"x": plain, "y": tampered})
    assert list(compare_runs({"x": plain, "y": tampered}, Choice(metrics=["ndcg@5"])).contract) == ["ndcg@5"]


def test_lists_of_other_lengths_are_noted(scores):
    keep = (scores["label"].to_numpy() > 0) | (np.arange(scores.num_rows) % 5 > 0)
    found = compare_runs({"x": run(scores, slicings=()), "y": run(scores.filter(pa.array(keep)), ("b",), slicings=())})
    assert found.notes[0].startswith("x and y rank lists of other lengths for ")


def test_slices_that_differ_are_left_out(scores):
    other = scores.set_column(6, "category", pa.array(["garden"] * scores.num_rows))
    found = compare_runs({"x": run(scores), "y": run(other, ("b",))})
    assert [one.name for one in found.slices] == ["tags"]
    assert "slices 'category' are not the same in all runs, and left out" in found.notes


@pytest.mark.parametrize(
    ("choice", "says"),
    [
        (Choice(metrics=["map"]), "metric map is not in all runs; those in all are ndcg@5, mrr"),
        (Choice(models=["z"]), "no run has a model 'z'; there are a, b"),
        (Choice(models=["a"]), "expected at least two models, got x"),
        (Choice(baseline="z"), "baseline 'z' is none of them: x, y/a, y/b; name one"),
        (Choice(baseline="a"), "baseline 'a' is 2 of them"),
    ],
)
def test_wrong_choices_are_told(scores, choice, says):
    runs = {"x": run(scores), "y": run(scores, ("a", "b"))}
    if choice.models == ["a"]:
        runs["y"] = run(scores, ("b",))
    with pytest.raises(ValueError, match=says):
        compare_runs(runs, choice)
