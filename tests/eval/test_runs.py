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
    [note] = found.notes
    before, after = (set_of_documents(rows) for rows in (scores, scores.filter(pa.array(keep))))
    other = sum(after[query] != documents for query, documents in before.items())
    assert f"x and y ranked other documents in {other} of 120 queries, the first is " in note
    assert f"another number of them in {other}" in note


def test_other_documents_without_relevance_are_noted(scores):
    """As many documents, and the same relevant ones, so that only their ids tell."""
    ids, labels = scores["document_id"].to_pylist(), scores["label"].to_pylist()
    for row in [row for row, label in enumerate(labels) if label == 0][:3]:
        ids[row] += " of another shop"
    changed = scores.set_column(1, "document_id", pa.array(ids))
    before, after = set_of_documents(scores), set_of_documents(changed)
    other = sum(before[query] != after[query] for query in before)
    [note] = compare_runs({"x": run(scores, slicings=()), "y": run(changed, ("b",), slicings=())}).notes
    assert note.startswith(f"x and y ranked other documents in {other} of 120 queries, the first is 'q")
    assert "another number of them in 0" in note


def set_of_documents(scores):
    frame = scores.to_pandas()
    return {query: set(rows["document_id"]) for query, rows in frame.groupby("query_id")}


METRICS = ("ndcg@5", "auc", "p@5(relevant=3)", "mrr(empty=zero)")


def test_lists_without_a_value_are_counted_by_metric(scores):
    """They differ: AUC needs a document without relevance, a threshold one that reaches it; a policy may give 0."""
    labels = np.where(np.isin(scores["query_id"].to_pylist(), ["q3", "q5"]), 1, scores["label"].to_numpy())
    scores = scores.set_column(2, "label", pa.array(labels))
    both = report_of(evaluate(scores, Request(("a", "b"), METRICS, "a", slicings=SLICINGS[:2])))
    runs = {name: run(scores, (name,), metrics=METRICS, slicings=SLICINGS[:2]) for name in ("a", "b")}
    apart = compare_runs(runs)
    found = report_of(apart)["models"]
    again = report_of(compare_runs({"x": apart.per_query}))["models"]
    counts = {metric: both["models"]["b"]["overall"][metric]["empty"] for metric in METRICS}
    assert len(set(counts.values())) == 3
    assert counts["mrr(empty=zero)"] == counts["ndcg@5"] > 0
    for model in ("a", "b"):
        for metric in METRICS:
            assert found[model]["overall"][metric]["empty"] == counts[metric]
            assert again[f"x/{model}"]["overall"][metric]["empty"] == counts[metric]
        for name, values in both["models"][model]["slices"].items():
            for value, of_value in values.items():
                told = {metric: figure["empty"] for metric, figure in of_value.items()}
                of_runs = found[model]["slices"][name][value]
                assert {metric: figure["empty"] for metric, figure in of_runs.items()} == told


def tagged(queries, tags):
    """Two documents each, one of them relevant; `tags` by query."""
    rows = {
        "query_id": np.repeat(queries, 2),
        "document_id": np.tile(["d", "e"], len(queries)),
        "label": np.tile([1.0, 0.0], len(queries)),
        "m": np.tile([1.0, 2.0], len(queries)),
        "tags": pa.array([tags[query] for query in np.repeat(queries, 2)], pa.list_(pa.string())),
    }
    return evaluate(pa.table(rows), Request(("m",), ("ndcg",), slicings=(Slicing("tags", (Cut("tags"),)),))).per_query


def test_slices_of_several_values_are_the_same_whatever_other_queries_there_are():
    """What is more frequent among all queries of a run stands first in its report."""
    common = {f"q{number}": ["red", "blue"] for number in range(4)}
    runs = {
        "x": tagged([*common, "x1", "x2"], common | {"x1": ["red"], "x2": ["red"]}),
        "y": tagged([*common, "y1", "y2"], common | {"y1": ["blue"], "y2": ["blue"]}),
    }
    found = compare_runs(runs, Choice(intersect=True))
    assert [(one.name, set(one.values)) for one in found.slices] == [("tags", {"red", "blue"})]
    assert not any("left out" in note for note in found.notes)


def test_slices_are_the_same_where_only_other_queries_have_several_values():
    common = {f"q{number}": ["red"] for number in range(4)}
    runs = {"x": tagged([*common, "x1"], common | {"x1": ["red", "blue"]}), "y": tagged(list(common), common)}
    found = compare_runs(runs, Choice(intersect=True))
    assert [(one.name, one.values) for one in found.slices] == [("tags", ("red",))]


def test_runs_with_other_labels_for_what_one_left_out_are_told_so(scores):
    a = scores["a"].to_numpy().copy()
    a[np.flatnonzero(scores["label"].to_numpy() > 0)[:1]] = np.nan
    broken = run(scores.set_column(3, "a", pa.array(a)), unusable="drop", slicings=())
    with pytest.raises(
        ValueError, match=r"other labels for 1 queries, .* \(y: 1 document left out of the lists of all"
    ):
        compare_runs({"x": run(scores, ("b",), slicings=()), "y": broken})


def test_what_a_run_left_out_is_told(scores):
    a = scores["a"].to_numpy().copy()
    a[np.flatnonzero(scores["label"].to_numpy() == 0)[:2]] = np.nan
    broken = run(scores.set_column(3, "a", pa.array(a)), unusable="drop", slicings=())
    found = compare_runs({"x": broken, "y": run(scores, ("b",), slicings=())})
    told = "x: 2 documents left out of the lists of all models: 2 with no usable score of a (2 no number)"
    assert found.notes[0] == told
    assert found.data["dropped"] is None
    assert f"z: {told}" in compare_runs({"z": found.per_query}).notes


def test_slices_that_differ_are_left_out(scores):
    other = scores.set_column(6, "category", pa.array(["garden"] * scores.num_rows))
    found = compare_runs({"x": run(scores), "y": run(other, ("b",))})
    assert [one.name for one in found.slices] == ["tags"]
    assert "slices 'category' are not the same in all runs, and left out" in found.notes


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"confidence": 1.0}, "expected a confidence between 0 and 1, such as 0.95, got 1.0"),
        ({"confidence": float("nan")}, "expected a confidence between 0 and 1"),
        ({"draws": 0}, "expected at least 1 draw, got 0"),
        ({"seed": -1}, "expected a seed from 0 to 2^64 - 1, got -1"),
        ({"metrics": []}, "expected at least one of metrics, each once, got none"),
        ({"models": ["a", "a"]}, "expected at least one of models, each once, got a, a"),
    ],
)
def test_choices_that_cannot_be_are_refused(options, says):
    with pytest.raises(ValueError) as error:
        Choice(**options)
    assert says in str(error.value)


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
