"""Figures of trec_eval itself (pytrec-eval-terrier, its C code) under its contract, query by query."""

from itertools import chain

import numpy as np
import pytest
import pytrec_eval

from eval.lists import Lists, Unlisted
from eval.metrics import parse_metric
from eval.ranking import rank

# Ours, and trec_eval's name in what it takes and in what it gives.
SAME = [
    ("ndcg", "ndcg", "ndcg"),
    *((f"ndcg@{k}", f"ndcg_cut.{k}", f"ndcg_cut_{k}") for k in (1, 3, 10, 1000)),
    ("map", "map", "map"),
    *((f"map@{k}", f"map_cut.{k}", f"map_cut_{k}") for k in (1, 5, 20)),
    ("mrr", "recip_rank", "recip_rank"),
    *((f"p@{k}", f"P.{k}", f"P_{k}") for k in (1, 5, 50)),
    *((f"recall@{k}", f"recall.{k}", f"recall_{k}") for k in (5, 20)),
    ("recall", "set_recall", "set_recall"),
    *((f"success@{k}", f"success.{k}", f"success_{k}") for k in (1, 5)),
]
BINARY = [same for same in SAME if not same[0].startswith("ndcg")]


def collection(seed, levels, queries=60):
    """Judgements and a run: documents in one and not the other, negative labels, ties, queries in one only."""
    random = np.random.default_rng(seed)
    pool = [f"d{number}" for number in range(40)] + ["D1", "é", "z", "日本", "a b".replace(" ", "\u00a0")]
    qrels, run = {}, {}
    for number in range(queries):
        judged = random.choice(pool, size=random.integers(1, 25), replace=False).tolist()
        highest = random.choice([0, 1, 4])  # some queries have no relevant document
        labels = random.integers(-1, highest + 1, size=len(judged)).tolist()
        labels[0] = max(labels[0], 0)  # pytrec_eval may not come back from a query with negative labels alone
        listed = random.choice(pool, size=random.integers(1, 30), replace=False).tolist()
        # a grid that float32 holds exactly: trec_eval compares scores as float32
        scores = (random.integers(0, levels, size=len(listed)) / 8).tolist()
        if number % 10 != 1:
            qrels[f"q{number}"] = dict(zip(judged, labels, strict=True))
        if number % 10 != 2:
            run[f"q{number}"] = dict(zip(listed, scores, strict=True))
    return qrels, run


def as_lists(qrels, run):
    """All judged queries, whether the run has them or not."""
    listed = [list(run.get(query, {})) for query in qrels]
    beside = [[label for document, label in qrels[query].items() if document not in run.get(query, {})]
              for query in qrels]  # fmt: skip
    labels = [qrels[query].get(document, 0) for query, ids in zip(qrels, listed, strict=True) for document in ids]
    scores = [run[query][document] for query, ids in zip(qrels, listed, strict=True) for document in ids]
    lists = Lists(
        np.array(list(qrels)),
        np.cumsum([0, *map(len, listed)]),
        np.maximum(np.array(labels, dtype=np.float64), 0),
        document_ids=np.array([document for ids in listed for document in ids]),
        unlisted=Unlisted(
            np.cumsum([0, *map(len, beside)]), np.maximum(np.array([*chain.from_iterable(beside)], dtype=np.float64), 0)
        ),
    )
    return lists, np.array(scores)


@pytest.mark.parametrize("levels", [2, 9, 10**6])
@pytest.mark.parametrize("relevant", [None, 2])
def test_agrees_with_trec_eval(levels, relevant):
    qrels, run = collection(levels, levels)
    lists, scores = as_lists(qrels, run)
    ranking = rank(lists, scores)
    assert ranking.has_tie_within(None).mean() > (0.6 if levels < 10 else -1)
    same = SAME if relevant is None else BINARY
    evaluator = pytrec_eval.RelevanceEvaluator(qrels, {name for _, name, _ in same}, relevance_level=relevant or 1)
    theirs = evaluator.evaluate(run)
    assert 40 < len(theirs) < len(qrels)
    for text, _, name in same:
        metric = parse_metric(text, "trec_eval")
        if relevant:
            metric = parse_metric(f"{text}(relevant={relevant})", "trec_eval")
        found = metric.values(ranking)
        assert sorted(theirs) == sorted(lists.query_ids[~np.isnan(found)])  # queries of both count, and no others
        expected = [theirs[query][name] if query in theirs else np.nan for query in lists.query_ids]
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9, err_msg=text)


def test_missing_queries_count_as_zero_with_its_option_c():
    """`trec_eval -c` divides by all judged queries."""
    qrels, run = collection(1, 9)
    lists, scores = as_lists(qrels, run)
    theirs = pytrec_eval.RelevanceEvaluator(qrels, {"map"}).evaluate(run)
    found = parse_metric("map(missing=zero)", "trec_eval").per_list(lists, scores)
    assert np.mean(found) == pytest.approx(sum(query["map"] for query in theirs.values()) / len(qrels), abs=1e-9)
