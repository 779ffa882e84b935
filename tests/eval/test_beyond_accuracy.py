"""Metrics of what documents are, of whole runs, and exposure, as `evaluate` gives them."""

import numpy as np
import pyarrow as pa
import pytest

from eval.content import ContentLists
from eval.evaluate import Request, evaluate
from eval.exposure import Attention, ExposureBy
from eval.metrics import Catalogue, parse_metric, parse_run_metric
from eval.ranking import rank
from eval.report.build import report_of
from eval.score_parts import WholeTable, spill_scores
from eval.score_table import read_score_table
from eval.slice_values import Cut
from eval.slices import Slicing
from tests.eval.beyond import shop_scores
from tests.eval.test_evaluate import assert_alike

MODELS = ("even", "popular")
OF_LISTS = ("ndcg@5", "ild@5(by=topics)", "alpha_ndcg@5(by=topics)", "ild@4(by=place)", "ild@4(by=brand)")
OF_RUNS = ("coverage@3", "gini@3", "novelty@3")
EXPOSURE = (
    ExposureBy(Slicing("brand", (Cut("brand"),))),
    ExposureBy(Slicing("topics", (Cut("topics"),), most=2), Attention("geometric", k=4)),
    ExposureBy(Slicing("popularity", (Cut("popularity", 4),))),
)
SLICINGS = (Slicing("brand", (Cut("brand"),), "document"), Slicing("topics", (Cut("topics"),)))


def request(**options):
    given = {"slicings": SLICINGS, "exposure": EXPOSURE, "draws": 200, **options}
    return Request(MODELS, (*OF_LISTS, *OF_RUNS), "popular", **given)


@pytest.fixture(scope="module")
def scores():
    return shop_scores()


@pytest.fixture(scope="module")
def report(scores):
    return report_of(evaluate(scores, request()))


@pytest.mark.parametrize("cluster", [None, "user"])
@pytest.mark.parametrize("items", [None, 75])
def test_in_memory_and_in_parts_is_the_same(scores, tmp_path, cluster, items):
    asked = request(cluster=cluster, items=items)
    whole = report_of(evaluate(WholeTable(scores, asked.columns), asked))
    rows = scores.take(np.random.default_rng(0).permutation(scores.num_rows)).to_batches(max_chunksize=50)
    apart = report_of(evaluate(spill_scores(rows, asked.columns, tmp_path, 5), asked, tmp_path / "per_query.parquet"))
    assert_alike(whole["catalogue"], apart["catalogue"])
    assert_alike(whole["exposure"], apart["exposure"])
    assert_alike(whole["models"], apart["models"])
    assert_alike(whole["comparisons"], apart["comparisons"])


def test_metrics_of_documents_are_those_of_lists_with_content(scores, report):
    """They have what all metrics have: intervals, slices of documents, differences."""
    table = read_score_table(scores, MODELS, ["topics", "place", "brand"])
    lists = ContentLists.of(table.lists, table.columns)
    garden = np.array([brand == "acme" for brand in table.columns["brand"].to_pylist()])
    for text in OF_LISTS[1:]:
        metric = parse_metric(text)
        for model in MODELS:
            values, own = metric.per_list(lists, table.scores[model]), report["models"][model]
            figure = own["overall"][text]
            assert figure["mean"] == pytest.approx(np.nanmean(values), rel=1e-9)
            assert figure["empty"] == metric.undefined(lists).sum()
            assert figure["low"] < figure["mean"] < figure["high"]
            inside = metric.per_list(lists.keep(garden), table.scores[model][garden])
            assert own["slices"]["brand"]["acme"][text]["mean"] == pytest.approx(np.nanmean(inside), rel=1e-9)
        assert report["comparisons"]["even"]["overall"][text]["lists"] == figure["lists"]
    assert report["contract"]["alpha_ndcg@5(by=topics)"]["by"] == "topics"
    assert not set(OF_RUNS) & set(report["contract"])


def test_metrics_of_runs_are_those_of_the_whole_catalogue(scores, report):
    """The figure, and the percentiles of the bootstrap of pseudo-values that have it as their mean."""
    from eval.intervals import bootstrap_interval

    table = read_score_table(scores, MODELS, ["popularity"])
    known = dict(zip(table.lists.document_ids, table.columns["popularity"].to_pylist(), strict=True))
    catalogue = Catalogue(np.array(list(known), dtype=object), np.array(list(known.values()), np.float64))
    found = report["catalogue"]
    assert (found["items"], found["listed"]) == (len(known), len(known))
    for text, most in zip(OF_RUNS, (1.0, 1.0, np.inf), strict=True):
        both = {}
        for model in MODELS:
            ranking = rank(table.lists, table.scores[model])
            value, both[model] = parse_run_metric(text).measure(ranking, catalogue)
            expected = bootstrap_interval(both[model], table.units, draws=200)
            figure = found["models"][model][text]
            assert figure["mean"] == pytest.approx(value, rel=1e-9)
            assert (figure["low"], figure["high"]) == pytest.approx((expected.low, min(expected.high, most)), rel=1e-6)
        change = bootstrap_interval(both["even"] - both["popular"], table.units, draws=200)
        got = found["comparisons"]["even"][text]
        assert (got["mean"], got["low"], got["high"]) == pytest.approx((change.mean, change.low, change.high), rel=1e-6)
    assert found["higher_is_better"] == {"coverage@3": True, "gini@3": False, "novelty@3": True}
    assert found["comparisons"].keys() == {"even"}


def test_intervals_stay_where_figures_can_be():
    """Nearly all of six items are shown: no end above 1."""
    scores = shop_scores(30).filter(pa.compute.less(shop_scores(30)["document_id"], "i40"))
    found = report_of(evaluate(scores, Request(("even",), ("ndcg@5", "coverage@9"), draws=200)))["catalogue"]
    figure = found["models"]["even"]["coverage@9"]
    assert 0 < figure["low"] <= figure["mean"] <= figure["high"] <= 1


def test_intervals_of_coverage_hold_what_other_lists_show():
    """Of 120 samples of 60 lists, the 95% interval holds the mean coverage of as many lists, mostly more often."""
    covered, asked = 0, Request(("even",), ("ndcg@5", "coverage@2"), draws=200, items=60)
    found = [
        report_of(evaluate(shop_scores(60, seed), asked))["catalogue"]["models"]["even"]["coverage@2"]
        for seed in range(120)
    ]
    truth = np.mean([one["mean"] for one in found])
    covered = np.mean([one["low"] <= truth <= one["high"] for one in found])
    assert covered > 0.9


def test_more_items_lower_coverage(scores, report):
    more = report_of(evaluate(scores, request(items=120)))["catalogue"]
    less = report["catalogue"]
    assert (more["items"], more["listed"]) == (120, less["items"])
    for model in MODELS:
        one, two = (of["models"][model]["coverage@3"]["mean"] for of in (less, more))
        assert two == pytest.approx(one * less["items"] / 120, rel=1e-9)
        assert more["models"][model]["gini@3"]["mean"] > less["models"][model]["gini@3"]["mean"]


def test_exposure_has_all_groups(scores, report):
    brand, topics, popularity = report["exposure"]
    assert {group["group"] for group in brand["groups"]} == {"acme", "globex", "hooli", "(missing)"}
    assert (topics["attention"], topics["merged"]) == ("0.8^(position - 1), none below position 4", 2)
    assert [group["group"] for group in topics["groups"]][2:] == ["(other)", "(missing)"]
    assert len(popularity["groups"]) == 4
    labels = read_score_table(scores, MODELS).lists
    assert brand["lists"] == len(labels) - labels.empty.sum()
    assert brand["left_out"] == labels.empty.sum()
    for found in report["exposure"]:
        for name in ("documents", "relevance"):
            assert sum(group[name]["mean"] for group in found["groups"]) == pytest.approx(1)
        for model in MODELS:
            of_model = [group["models"][model] for group in found["groups"]]
            assert sum(one["exposure"]["mean"] for one in of_model) == pytest.approx(1)
            assert all((one["change"] is None) == (model == "popular") for one in of_model)
    high = popularity["groups"][-1]["models"]
    assert high["even"]["change"]["high"] < 0 < high["popular"]["difference"]["low"]


def test_other_names_of_columns(scores):
    """Metrics keep the name that they were asked for by; the table has another."""
    names = {"kind": "topics", "sold": "popularity"}
    asked = Request(MODELS, ("ild@5(by=kind)", "novelty@3(popularity=sold)"), draws=100, named=names)
    found = report_of(evaluate(scores, asked))
    expected = report_of(evaluate(scores, request()))
    assert (
        found["models"]["even"]["overall"]["ild@5(by=kind)"]["mean"]
        == (expected["models"]["even"]["overall"]["ild@5(by=topics)"]["mean"])
    )
    assert found["catalogue"]["models"]["even"]["novelty@3(popularity=sold)"]["mean"] == pytest.approx(
        expected["catalogue"]["models"]["even"]["novelty@3"]["mean"]
    )


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"metrics": ("coverage@3",)}, "expected one of lists beside coverage@3, which are of whole runs; add one"),
        ({"metrics": ("coverage",)}, "coverage: needs a cutoff, such as coverage@10"),
        ({"metrics": ("ndcg@3", "coverage@3", "coverage@3")}, "metrics: expected at least one, each once"),
        ({"metrics": ("ndcg@3",), "items": 9}, "catalogue: has no effect without a metric of whole runs"),
        ({"exposure": EXPOSURE[:1] * 2}, "exposure: expected at least one, each once; got brand, brand"),
    ],
)
def test_wrong_requests(options, says):
    with pytest.raises(ValueError, match=says):
        Request(**{"models": MODELS, "metrics": OF_LISTS, **options})


@pytest.mark.parametrize(
    ("metric", "says"),
    [
        ("ild@5(by=colour)", "score table: expected a column 'colour', got query_id"),
        ("novelty@5(popularity=sold)", "score table: expected a column 'sold', got query_id"),
        ("novelty@5(popularity=brand)", "novelty: expected numbers in column 'brand', got (large_)?string"),
        ("novelty@5(popularity=label)", "column 'label': expected one popularity of each document, got 0 and 2 for"),
        ("alpha_ndcg@5(by=even)", "column 'even': sets of values: expected texts or whole numbers"),
        ("alpha_ndcg@5(by=place)", "expected subtopics in 'place', a value or a list of values, got vectors"),
        ("coverage@5", "catalogue: expected at least the 60 documents of the lists, got 9 items"),
    ],
)
@pytest.mark.parametrize("on_disk", [False, True])
def test_wrong_columns(scores, metric, says, on_disk, tmp_path):
    asked = Request(MODELS, ("ndcg@5", "gini@5", metric), draws=100, items=9 if metric == "coverage@5" else None)
    with pytest.raises(ValueError, match=says):
        evaluate(spill_scores(scores.to_batches(50), asked.columns, tmp_path, 3) if on_disk else scores, asked)


@pytest.mark.parametrize("wrong", [None, -1.0, np.nan])
def test_a_document_without_a_popularity_is_named(scores, wrong):
    popularity = scores["popularity"].cast(pa.float64()).to_pylist()
    popularity[7] = wrong
    broken = scores.drop_columns("popularity").append_column("popularity", pa.array(popularity, pa.float64()))
    name = scores["document_id"][7].as_py()
    says = rf"column 'popularity': expected numbers, finite and >= 0, got .* for document '{name}' \(1 such rows\)"
    with pytest.raises(ValueError, match=says):
        evaluate(broken, Request(MODELS, ("ndcg@5", "novelty@5"), draws=100))


def test_nothing_is_there_unless_asked_for(scores):
    found = report_of(evaluate(scores, Request(MODELS, ("ndcg@5",), draws=100)))
    assert (found["catalogue"], found["exposure"]) == (None, [])
