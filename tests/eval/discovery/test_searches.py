"""From score tables through an evaluation to slices."""

import numpy as np
import pyarrow as pa
import pytest

from eval.discovery import Search, Searches
from eval.evaluate import Request, evaluate
from eval.report.build import report_of
from eval.score_parts import Columns, spill_scores

QUICK = Search(draws=99, min_lists=20)


def scores(n_queries=400, seed=1, loss=1.0, users=False):
    """Lists of six documents; `new` is blind for queries of the shop "rio" and sees as well as `old` elsewhere."""
    random = np.random.default_rng(seed)
    query = np.repeat(np.arange(n_queries), 6)
    shop = random.choice(["rio", "oslo", "pune"], size=n_queries)[query]
    label = (random.random(len(query)) < 0.4) * 1.0
    old, new = (label + random.normal(size=len(query)) for _ in range(2))
    new[shop == "rio"] -= loss * label[shop == "rio"]
    return pa.table(
        {
            "query_id": [f"q{number}" for number in query],
            "document_id": [f"d{place}" for place in np.tile(np.arange(6), n_queries)],
            "label": label,
            "old": old,
            "new": new,
            "shop": shop,
            "brand": random.choice(list("abcd"), size=len(query)),
            "price": random.normal(size=len(query)),
            "user": [f"u{number // 4 if users else number}" for number in query],
        }
    )


def request(**options):
    asked = {
        "columns": ("shop", "brand", "price"),
        "numbers": ("price",),
        "metrics": ("ndcg@3",),
        "models": ("new",),
        "alone": ("new",),
        "baseline": "old",
        "search": QUICK,
        "left_out": {"title": "a text"},
    } | options
    metrics, cluster = ("ndcg@3", "arp"), asked.pop("cluster", None)
    return Request(("old", "new"), metrics, "old", cluster=cluster, draws=50, searches=Searches(**asked))


def discovery(table, **options):
    return report_of(evaluate(table, request(**options)))["discovery"]


def found(searches):
    return {(one["metric"], one["model"], one["baseline"]): [each["name"] for each in one["found"]] for one in searches}


@pytest.mark.parametrize("cluster", [None, "user"])
def test_an_unlucky_shop_is_found(cluster):
    """Whichever way the metric goes: a low ndcg is bad, a high arp."""
    told = discovery(scores(users=True), metrics=("ndcg@3", "arp"), alone=("new", "old"), cluster=cluster)
    assert told["alpha"] == 0.05
    assert told["features"] == ["shop", "brand", "price"]
    assert told["left_out"] == {"title": "a text", "list length": "the same in all lists"}
    names = found(told["searches"])
    assert list(names) == [
        (metric, model, baseline)
        for metric in ("ndcg@3", "arp")
        for model, baseline in (("new", "old"), ("new", None), ("old", None))
    ]
    for (_, model, _), slices in names.items():
        assert slices == (["shop: rio"] if model == "new" else [])
    for search in told["searches"]:
        for one in search["found"]:
            assert one["conditions"] == {"shop": "rio"}
            sign = -1 if search["metric"] == "ndcg@3" else 1
            assert np.sign([one["effect"], one["bound"], one["mean"] - one["others"]]).tolist() == [sign] * 3


def test_figures_are_those_of_the_lists():
    table = scores()
    found = evaluate(table, request())
    one = report_of(found)["discovery"]["searches"][0]["found"][0]
    rio = found.per_query.column("query_id").to_pylist()
    shops = dict(zip(table["query_id"].to_pylist(), table["shop"].to_pylist(), strict=True))
    inside = np.array([shops[query] == "rio" for query in rio])
    differences = found.per_query.figures("ndcg@3", "new") - found.per_query.figures("ndcg@3", "old")
    assert one["mean"] == pytest.approx(np.nanmean(differences[inside]))
    assert one["others"] == pytest.approx(np.nanmean(differences[~inside]))
    assert one["lists"] == np.isfinite(differences[inside]).sum()


def test_none_is_found_where_there_is_none():
    for seed in range(5):
        told = discovery(scores(seed=seed, loss=0.0))
        assert [one["found"] for one in told["searches"]] == [[], []]
        assert all(0.05 < one["detectable"] < 0.5 for one in told["searches"])


def test_alpha_is_shared_by_all_searches():
    """A p-value of a search alone is multiplied by the number of searches."""
    table = scores()
    alone = discovery(table, alone=())["searches"][0]["found"][0]["p_adjusted"]
    among = discovery(table, alone=("new", "old"))["searches"][0]["found"][0]["p_adjusted"]
    assert alone == pytest.approx(1 / 401)  # 20 / 0.05 draws
    assert among == pytest.approx(3 / 1201)


def test_parts_on_disk_and_the_order_of_rows_give_the_same(tmp_path):
    table, asked = scores(), request()
    expected = report_of(evaluate(table, asked))["discovery"]
    mixed = table.take(np.random.default_rng(5).permutation(table.num_rows))
    columns = Columns(("old", "new"), ("shop", "brand", "price"))
    parts = spill_scores(iter(mixed.to_batches(max_chunksize=100)), columns, tmp_path, 5)
    spilled = report_of(evaluate(parts, asked, tmp_path / "per_query.parquet"))["discovery"]
    assert all(one["found"] for one in expected["searches"])
    assert_alike(spilled, expected)
    whole = report_of(evaluate(mixed, asked))["discovery"]
    assert_alike(whole, expected)


def assert_alike(one, two):
    """Floats to nine digits, all else equal."""
    if isinstance(one, dict):
        assert list(one) == list(two)
        for key in one:
            assert_alike(one[key], two[key])
    elif isinstance(one, list):
        assert len(one) == len(two)
        for first, second in zip(one, two, strict=True):
            assert_alike(first, second)
    else:
        assert one == (pytest.approx(two, rel=1e-9) if isinstance(two, float) else two)


def test_without_features_nothing_is_looked_for():
    told = discovery(scores(), columns=(), numbers=())
    assert (told["features"], told["searches"]) == ([], [])


def test_what_makes_no_sense_is_refused():
    for options in ({"metrics": ()}, {"models": (), "alone": ()}, {"baseline": None}):
        with pytest.raises(ValueError, match="expected a metric, and models alone or with a baseline"):
            request(**options)
