"""Lists of which many are of one query: they prove no more than their queries do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from features.statistics.anomalies import anomalies_of
from features.statistics.comparison import compare
from features.statistics.effective_size import effective_size
from features.statistics.measured import measured_columns
from features.statistics.schema import infer_schema
from features.statistics.split import SplitStatistics
from ranker.data.id_hash import hash_ids
from ranker.data.list_names import queries_of
from ranker.data.rejected_rows import RejectedRows
from ranker.data.source import open_source
from ranker.data.split import SPLITS
from ranker.data.store.generator import make_store
from ranker.spec import Spec
from ranker.spec.validation import Validation

LOW = {"drift": {"numbers": 0, "categories": 0}, "missing": {"most": 0}, "unseen": {"most": 0}}


def told(train, others, checks):
    comparisons = [c for other in others for c in compare(train, other, infer_schema(train), checks)]
    return [(a.split, a.column, a.check) for a in anomalies_of(comparisons, checks)]


def as_if_independent(summary):
    return replace(summary, queries=None)


@pytest.fixture(scope="module")
def impressions(summarise, rows):
    """`impressions(seed, queries)` are statistics of two halves of the queries, asked as often as in a click log."""

    def split(seed, queries):
        lists = rows(seed, queries)
        draw = np.random.default_rng(seed)
        asked = 1 + draw.poisson(60 * np.arange(1, queries + 1) ** -0.7)
        halves = np.array_split(draw.permutation(queries), 2)
        return [
            replace(
                summarise(
                    [lists[q] | {"query_id": f"{lists[q]['query_id']}/{at}"} for q in half for at in range(asked[q])],
                    name,
                ),
                queries=effective_size(np.repeat(half, asked[half]).astype(np.uint64)),
            )
            for half, name in zip(halves, ("train", "valid"), strict=True)
        ]

    return split


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("queries", [12, 60])
def test_impressions_of_few_queries_are_not_called_different(impressions, seed, queries):
    """Even with limits so low that nothing but chance is told apart; as if they were independent, most would be."""
    train, valid = impressions(seed, queries)
    checks = Validation.model_validate(LOW)
    assert told(train, [valid], checks) == []
    assert len(told(as_if_independent(train), [as_if_independent(valid)], checks)) > 2


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """Statistics of the splits of a click log by the hash of the query."""
    folder = tmp_path_factory.mktemp("log")
    store = make_store(folder, queries=100, impressions=1500)
    source = {"kind": "clicks", "queries": str(store.queries), "documents": str(store.products)}
    source |= {"impressions": str(store.clicks), "timestamp": "timestamp"}
    features = {
        "query": [{"name": "query", "kind": "text"}, {"name": "segment", "kind": "categorical"}],
        "document": [
            {"name": "title", "kind": "text"},
            {"name": "brand", "kind": "categorical"},
            {"name": "category", "kind": "categorical"},
            {"name": "price", "kind": "numeric"},
            {"name": "stock", "kind": "numeric"},
            {"name": "released", "kind": "date"},
        ],
    }
    models = {"models": [{"name": "trees", "kind": "lambdamart"}], "blend": {"members": ["trees"]}}
    spec = Spec.model_validate({"version": 1, "data": {"sources": [source]}, "features": features} | models)
    statistics = {split: SplitStatistics(measured_columns(spec)) for split in SPLITS}
    queries = {split: [np.empty(0, np.uint64)] for split in SPLITS}
    with RejectedRows(folder / "rejected") as rejected:
        opened = open_source(spec, folder, rejected, lambda _: None)
        for shard in opened.shards:
            for part in opened.read(shard, 256, rejected):
                statistics[part.split].add(part.lists)
                queries[part.split].append(hash_ids(queries_of(spec, part.lists["query_id"])))
    return [statistics[split].summary(split, effective_size(np.concatenate(queries[split]))) for split in SPLITS]


def test_a_click_log_split_by_query_has_not_drifted(log):
    train, *others = log
    assert told(train, others, Validation()) == []
    plain, *others = map(as_if_independent, log)
    assert len(told(plain, others, Validation())) > 3
