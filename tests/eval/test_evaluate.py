import math
from dataclasses import fields

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from eval.changes import Texts
from eval.evaluate import Request, evaluate
from eval.intervals import bootstrap_interval
from eval.metrics import NDCG, parse_metric
from eval.report.build import report_of
from eval.score_parts import WholeTable, spill_scores
from eval.score_table import read_score_table
from eval.slice_values import LENGTH, Cut
from eval.slices import Slicing
from eval.sums import Sums

SLICINGS = (
    Slicing("category", (Cut("category"),)),
    Slicing("price", (Cut("price", 3),), "document"),
    Slicing("brand × length", (Cut("brand"), Cut(LENGTH, (8.0,))), most=4),
    Slicing("tags", (Cut("tags"),)),
)


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


def reported(table, models, metrics, baseline=None, **options):
    return report_of(evaluate(table, Request(tuple(models), tuple(metrics), baseline, **options)))


def assert_alike(one, two, where="report"):
    """The same structure; the last of ten digits may differ by one."""
    if isinstance(one, dict):
        assert one.keys() == two.keys(), where
        for key in one:
            assert_alike(one[key], two[key], f"{where}.{key}")
    elif isinstance(one, list):
        assert len(one) == len(two), where
        for place, (first, second) in enumerate(zip(one, two, strict=True)):
            assert_alike(first, second, f"{where}.{place}")
    else:
        assert one == (pytest.approx(two, rel=2e-9, abs=1e-12) if isinstance(one, float) else two), where


def test_figures_by_hand():
    report = reported(small_table(), ["good", "bad", "tied"], ["ndcg@1", "ndcg"], "good")
    second = 0.6309297536  # 1 / log2(3)
    means = {"good": (1, 1), "bad": (0, second), "tied": (1 / 2, (1 + second) / 2)}
    for model, expected in means.items():
        for metric, mean in zip(("ndcg@1", "ndcg"), expected, strict=True):
            figure = report["models"][model]["overall"][metric]
            assert figure["mean"] == pytest.approx(mean, rel=1e-9)
            assert (figure["lists"], figure["empty"]) == (2, 1)
            assert figure["tied"] == (3 if model == "tied" else 0)
            assert figure["low"] is figure["high"] is None, "two lists are too few"
            if model != "good":
                delta = report["comparisons"][model]["overall"][metric]
                assert delta["mean"] == pytest.approx(mean - 1, rel=1e-9)
    assert set(report["comparisons"]) == {"bad", "tied"}
    data = report["data"]
    assert (data["queries"], data["documents"], data["empty"]) == (3, 6, 1)
    assert data["labels"] == {"0": 4, "1": 2}
    assert data["lengths"] == {"min": 2, "quartile1": 2, "median": 2, "quartile3": 2, "max": 2}
    assert data["judged@10"] == {"good": None, "bad": None, "tied": None}


def test_intervals_and_tests_are_those_of_the_values(make_scores):
    scores = make_scores()
    options = {"confidence": 0.9, "draws": 300, "seed": 4}
    report = reported(scores, ["a", "b"], ["ndcg@5"], "a", **options)
    table = read_score_table(scores, ["a", "b"])
    a, b = (NDCG(5).per_list(table.lists, table.scores[model]) for model in ("a", "b"))
    for found, values in [
        (report["models"]["a"]["overall"]["ndcg@5"], a),
        (report["models"]["b"]["overall"]["ndcg@5"], b),
        (report["comparisons"]["b"]["overall"]["ndcg@5"], b - a),
    ]:
        expected = bootstrap_interval(values, table.lists.query_ids, **options)
        assert (found["mean"], found["low"], found["high"]) == pytest.approx(
            (expected.mean, expected.low, expected.high), rel=1e-9
        )
        assert found["lists"] == expected.n_lists
    there = ~np.isnan(a)
    delta = report["comparisons"]["b"]["overall"]["ndcg@5"]
    differences = (b - a)[there]
    assert delta["p_t"] == pytest.approx(stats.ttest_rel(b[there], a[there]).pvalue, rel=1e-6)
    assert delta["effect"] == pytest.approx(differences.mean() / differences.std(ddof=1), rel=1e-8)
    z = stats.norm.ppf(0.95) + stats.norm.ppf(0.8)
    assert delta["detectable"] == pytest.approx(z * stats.sem(differences), rel=1e-8)


def test_slices_are_evaluations_of_their_lists(make_scores):
    """Each slice by itself, made with pandas, measured as a table of its own."""
    scores = make_scores(200)
    metrics = ("ndcg@5", "mrr")
    report = reported(scores, ["a", "b"], metrics, "a", slicings=SLICINGS, draws=200)
    frame = scores.to_pandas()
    lengths = frame.groupby("query_id")["query_id"].transform("size")
    edges = [float(name.split(" ")[-1]) for name in list(report["models"]["a"]["slices"]["price"])[1:3]]
    chosen = {
        ("category", "garden"): frame["category"] == "garden",
        ("category", "(missing)"): frame["category"].isna(),
        ("tags", "t1"): frame["query_id"].isin(frame[frame["tags"].map(lambda tags: "t1" in tags)]["query_id"]),
        ("price", "(missing)"): frame["price"].isna(),
        ("brand × length", "b1 × >= 8"): frame["query_id"].isin(
            frame[(frame["brand"] == "b1") & (lengths >= 8)]["query_id"]
        ),
    }
    assert len(edges) == 2
    for (slicing, value), rows in chosen.items():
        alone = reported(scores.filter(pa.array(rows)), ["a", "b"], metrics, "a", draws=200)
        for model in ("a", "b"):
            found = report["models"][model]["slices"][slicing][value]
            assert found == alone["models"][model]["overall"], (slicing, value)
        delta = report["comparisons"]["b"]["slices"][slicing][value]
        for metric in metrics:
            own = alone["comparisons"]["b"]["overall"][metric]
            for name in ("mean", "low", "high", "lists", "p_t", "p_randomisation", "effect", "detectable"):
                assert delta[metric][name] == own[name], (slicing, value, name)
        told = next(one for one in report["slices"] if one["name"] == slicing)["values"]
        size = next(one for one in told if one["value"] == value)
        assert (size["lists"], size["documents"]) == (frame[rows]["query_id"].nunique(), int(rows.sum()))
        assert size["small"] == (size["lists"] < 30)


def test_the_family_of_slices_leaves_out_small_ones(make_scores):
    report = reported(make_scores(150), ["a", "b"], ["ndcg"], "a", slicings=SLICINGS[:3], draws=200, min_lists=40)
    rows = [
        (one["small"], report["comparisons"]["b"]["slices"][part["name"]][one["value"]]["ndcg"])
        for part in report["slices"]
        for one in part["values"]
    ]
    assert {small for small, _ in rows} == {True, False}
    for small, delta in rows:
        inside = delta["lists"] >= 40
        assert not (small and inside)
        for name in ("p_adjusted", "p_holm", "q", "bound_low", "bound_high"):
            assert (delta[name] is not None) == inside, name
        if inside:
            assert delta["p_adjusted"] >= delta["p_randomisation"]
            assert delta["p_holm"] >= delta["q"] >= delta["p_t"]
            assert delta["bound_low"] < delta["mean"] < delta["bound_high"]


def test_macro_means_count_each_value_once(make_scores):
    found = reported(make_scores(), ["a"], ["ndcg"], slicings=SLICINGS[:1])["models"]["a"]
    means = [figures["ndcg"]["mean"] for figures in found["slices"]["category"].values()]
    assert found["macro"]["category"]["ndcg"] == pytest.approx(np.mean(means), rel=1e-9)


@pytest.mark.parametrize("cluster", [None, "user"])
def test_parts_on_disk_give_the_figures_of_the_whole(make_scores, tmp_path, cluster):
    scores = make_scores(200)
    request = Request(
        ("a", "b", "c"),
        ("ndcg@5", "mrr@10", "map", "arp"),
        "a",
        slicings=SLICINGS,
        cluster=cluster,
        texts=Texts("category", "brand"),
    )
    whole = evaluate(WholeTable(scores, request.columns), request)
    rows = scores.take(np.random.default_rng(0).permutation(scores.num_rows)).to_batches(max_chunksize=300)
    (tmp_path / "parts").mkdir()
    spilled = spill_scores(rows, request.columns, tmp_path / "parts", 7)
    apart = evaluate(spilled, request, tmp_path / "per_query.parquet")
    for one, two in zip(whole.tally.sums, apart.tally.sums, strict=True):
        for field in fields(Sums):
            first, second = getattr(one, field.name), getattr(two, field.name)
            np.testing.assert_allclose(first, second, rtol=1e-12, atol=1e-12, err_msg=field.name)
    assert [*whole.slices] == [*apart.slices]
    assert_alike(report_of(whole), report_of(apart))
    tables = [found.per_query.table().sort_by("query_id") for found in (whole, apart)]
    for name in tables[0].column_names:
        one, two = (table[name].combine_chunks() for table in tables)
        if pa.types.is_floating(one.type):
            np.testing.assert_allclose(*(a.to_numpy(zero_copy_only=False) for a in (one, two)), rtol=1e-12)
        elif name not in ("tags", "price", "brand × length"):
            assert one.to_pylist() == two.to_pylist()


def test_order_of_rows_is_immaterial(make_scores):
    scores = make_scores()
    shuffled = scores.take(np.random.default_rng(0).permutation(scores.num_rows))
    one, two = (reported(rows, ["a", "b"], ["ndcg@5"], "a", slicings=SLICINGS) for rows in (scores, shuffled))
    assert one == two


def test_lists_of_a_user_are_resampled_together(make_scores):
    one = reported(make_scores(), ["a"], ["ndcg"])
    two = reported(make_scores(), ["a"], ["ndcg"], cluster="user")
    assert (one["settings"]["unit"], two["settings"]["unit"]) == ("query", "user")
    figures = [report["models"]["a"]["overall"]["ndcg"] for report in (one, two)]
    assert figures[0]["mean"] == figures[1]["mean"]
    assert figures[0]["low"] != figures[1]["low"]


def test_a_model_equal_to_the_baseline_differs_by_nothing(make_scores):
    scores = make_scores()
    scores = scores.append_column("scaled", pa.array(scores["a"].to_numpy() * 4 + 1))
    report = reported(scores, ["a", "scaled"], ["ndcg@5"], "a")["comparisons"]["scaled"]
    delta = report["overall"]["ndcg@5"]
    assert [delta[name] for name in ("mean", "low", "high", "p_t", "p_randomisation", "p_adjusted")] == [
        0,
        0,
        0,
        1,
        1,
        1,
    ]
    changes = report["changes"]["ndcg@5"]
    assert (changes["better"], changes["worse"], changes["best"], changes["worst"]) == (0, 0, [], [])
    assert changes["same"] == delta["lists"]


def test_the_share_of_judged_documents_is_measured_where_it_is_known(make_scores):
    scores = make_scores()
    judged = np.random.default_rng(1).random(scores.num_rows) < 0.7
    judged |= scores["label"].to_numpy() > 0
    report = reported(scores.append_column("judged", pa.array(judged)), ["a"], ["ndcg"], judged_at=(10, 3))
    table = read_score_table(scores.append_column("judged", pa.array(judged)), ["a"])
    for k in (3, 10):
        expected = parse_metric(f"judged@{k}").per_list(table.lists, table.scores["a"]).mean()
        assert report["data"][f"judged@{k}"]["a"] == pytest.approx(expected, rel=1e-9)
    assert list(report["contract"]) == ["ndcg"]
    assert list(report["models"]["a"]["overall"]) == ["ndcg"]


def test_the_gain_is_settled_on_the_whole_table():
    table = small_table().set_column(2, "label", pa.array([20, 0, 0, 0, 0, 1]))
    report = reported(table, ["good"], ["ndcg@1", "ndcg@1(gain=exp2)"])
    assert {metric: contract["gain"] for metric, contract in report["contract"].items()} == {
        "ndcg@1": "linear",
        "ndcg@1(gain=exp2)": "exp2",
    }


@pytest.mark.parametrize(
    ("models", "metrics", "options", "says"),
    [
        (["good", "gone"], ["ndcg"], {}, "expected a column 'gone'"),
        (["good"], ["ndcg", "mapp"], {}, "unknown name 'mapp'; known:"),
        (["good"], ["ndcg@5", "ndcg@05"], {}, "metrics: expected at least one, each once; got ndcg@5, ndcg@5"),
        (["good", "good"], ["ndcg"], {}, "models: expected at least one, each once"),
        ([], ["ndcg"], {}, "models: expected at least one, each once; got none"),
        (["good"], [], {}, "metrics: expected at least one"),
        (["good"], ["ndcg"], {"baseline": "bad"}, "one of the models (good), got 'bad'"),
        (["good"], ["ndcg"], {"confidence": 1.0}, "between 0 and 1"),
        (["good"], ["ndcg"], {"draws": 0}, "draws: expected at least 1"),
        (["good"], ["ndcg"], {"slicings": (Slicing("colour", (Cut("colour"),)),)}, "expected a column 'colour'"),
        (["good"], ["ndcg"], {"slicings": (Slicing("unit", (Cut("label"),)),)}, "the name is taken by a column"),
        (["good"], ["ndcg"], {"slicings": (Slicing("a|b", (Cut("label"),)),)}, "the name is taken by a column"),
        (["good"], ["ndcg"], {"slicings": (Slicing("x", (Cut("label"),)),) * 2}, "slices: expected at least one, each"),
        (["good"], ["ndcg"], {"cluster": "user"}, "expected a column 'user'"),
    ],
)
def test_wrong_requests_are_refused(models, metrics, options, says):
    with pytest.raises(ValueError) as error:
        evaluate(small_table(), Request(tuple(models), tuple(metrics), **options))
    assert says in str(error.value)


def test_tables_without_rows_or_relevant_documents_are_refused():
    request = Request(("good",), ("ndcg",))
    with pytest.raises(ValueError, match="at least one row"):
        evaluate(small_table().slice(0, 0), request)
    with pytest.raises(ValueError, match="expected a label above 0, got none in 1 queries"):
        evaluate(small_table().slice(2, 2), request)


def test_figures_of_doubles_are_not_rounded_before_the_report():
    found = evaluate(small_table(), Request(("bad",), ("ndcg",)))
    assert found.tally.sums[0].mean[0] == pytest.approx(1 / math.log2(3), rel=1e-15)
    assert report_of(found)["models"]["bad"]["overall"]["ndcg"]["mean"] == 0.6309297536


@pytest.mark.parametrize("on_disk", [False, True])
def test_documents_without_a_usable_label_or_score_can_be_dropped(make_scores, tmp_path, on_disk):
    scores = make_scores()
    label, a = scores["label"].to_numpy().astype(float), scores["a"].to_numpy().copy()
    label[3], label[10], a[10], a[20] = np.nan, -1, np.inf, np.nan
    broken = scores.set_column(2, "label", pa.array(label)).set_column(3, "a", pa.array(a))
    request = Request(("a", "b"), ("ndcg",), "a", unusable="drop")
    rows = broken.to_batches(max_chunksize=15)
    given = spill_scores(rows, request.columns, tmp_path, 4) if on_disk else WholeTable(broken, request.columns)
    found = report_of(evaluate(given, request))
    usable = scores.filter(pa.array(~np.isin(np.arange(len(label)), [3, 10, 20])))
    expected = report_of(evaluate(usable, Request(("a", "b"), ("ndcg",), "a")))
    dropped = found["data"].pop("dropped")
    assert (dropped["documents"], dropped["label"]["documents"], dropped["scores"]["a"]["documents"]) == (3, 2, 1)
    assert expected["data"].pop("dropped")["documents"] == 0
    assert found.pop("notes")[0].startswith("3 documents left out of the lists of all models: 2 with no usable label")
    assert expected.pop("notes") == []
    assert_alike(found, expected)
    with pytest.raises(ValueError, match="column 'label': expected numbers finite and >= 0, got nan"):
        evaluate(broken, Request(("a", "b"), ("ndcg",), "a"))
