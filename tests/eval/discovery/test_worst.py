"""From score tables through an evaluation to findings."""

import numpy as np
import pyarrow as pa
import pytest

from eval.discovery import Search, features_of, find_worst, list_features
from eval.evaluate import Request, evaluate
from eval.score_table import read_score_table
from eval.slice_values import Cut
from eval.slices import Slicing

QUICK = Search(draws=99, min_lists=20)


def scores(n_queries=400, seed=1):
    """Lists of six documents; `new` is blind for queries of the shop "rio" and sees as well as `old` elsewhere."""
    random = np.random.default_rng(seed)
    query = np.repeat(np.arange(n_queries), 6)
    shop = random.choice(["rio", "oslo", "pune"], size=n_queries)[query]
    label = (random.random(len(query)) < 0.4) * 1.0
    old, new = (label + random.normal(size=len(query)) for _ in range(2))
    new[shop == "rio"] -= label[shop == "rio"]
    return pa.table(
        {
            "query_id": [f"q{number}" for number in query],
            "document_id": [f"d{place}" for place in np.tile(np.arange(6), n_queries)],
            "label": label,
            "old": old,
            "new": new,
            "shop": shop,
            "price": random.normal(size=len(query)),
        }
    )


@pytest.fixture(scope="module")
def evaluation():
    slicings = (Slicing("shop", (Cut("shop"),)), Slicing("price band", (Cut("price", 2),)))
    return evaluate(scores(), Request(("old", "new"), ("ndcg@3", "arp"), "old", slicings=slicings, draws=50))


@pytest.mark.parametrize("metric", ["ndcg@3", "arp"])
@pytest.mark.parametrize("baseline", ["old", None])
def test_an_unlucky_shop_is_found(evaluation, metric, baseline):
    """Whichever way the metric goes: a low ndcg is bad, a high arp."""
    found = find_worst(evaluation.per_query, metric, "new", baseline, search=QUICK)
    assert [finding.name for finding in found.findings] == ["shop: rio"]
    assert np.sign(found.findings[0].effect) == (-1 if metric == "ndcg@3" else 1)
    assert find_worst(evaluation.per_query, metric, "old", "new", search=QUICK).findings == ()
    assert find_worst(evaluation.per_query, metric, "old", search=QUICK).findings == ()


def test_features_of_a_table_of_queries(evaluation):
    found = {feature.name: feature for feature in features_of(evaluation.per_query)}
    assert set(found) == {"shop", "price band", "documents"}
    assert set(found["shop"].values) == {"rio", "oslo", "pune"}
    assert found["price band"].ragged.sizes.max() == 2  # a list has documents of both bands
    assert list(found["documents"].values) == ["any"]
    assert [feature.name for feature in features_of(evaluation.per_query, ["shop"])] == ["shop"]
    given = find_worst(evaluation.per_query, "ndcg@3", "new", "old", features=[found["shop"]], search=QUICK)
    assert given.looked_at == 4


def test_what_is_not_there_is_named(evaluation):
    with pytest.raises(ValueError, match="no figures of ndcg@3 for 'other' in the table of queries"):
        find_worst(evaluation.per_query, "ndcg@3", "new", "other")


def test_columns_of_documents_become_features_of_lists():
    table = read_score_table(
        pa.table(
            {
                "query_id": ["q", "q", "r", "s"],
                "document_id": list("abcd"),
                "label": [0, 1, 0, 0],
                "m": [0.0, 1, 2, 3],
                "kind": ["saw", "hoe", None, "saw"],
                "tags": [["x"], ["y", "x"], [], None],
                "price": [1.0, 2.0, None, np.nan],
                "stock": [1, 2, 3, None],
                "odd": [b"x"] * 4,
            }
        ),
        ["m"],
        ["kind", "tags", "price", "stock", "odd"],
    )
    found = list_features(table, ["kind", "tags", "price", "stock"])
    assert found["kind"].to_pylist() == [["hoe", "saw"], [], ["saw"]]
    assert found["tags"].to_pylist() == [["x", "y"], [], []]
    assert found["price"].to_pylist() == [1.5, None, None]
    assert found["stock"].to_pylist() == [1.5, 3, None]
    with pytest.raises(ValueError, match="column 'odd': sets of values: expected texts or whole numbers"):
        list_features(table, ["odd"])
