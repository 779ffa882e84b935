"""Metrics: NDCG@10 of 10,000 lists x 100 documents. `python -m tests.benchmarks.metrics` prints these alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytrec_eval
from sklearn.metrics import ndcg_score

from eval.lists import Lists
from eval.metrics import METRICS, parse_metric
from eval.ranking import rank
from tests.benchmarks.timing import ratio

__all__ = ["metrics_on_one_ranking", "ndcg_against_numpy", "ndcg_against_others"]

_LISTS, _DOCUMENTS = 10_000, 100


def _labels_and_scores(*, tied: bool) -> tuple[np.ndarray, np.ndarray]:
    """Integers and numbers [lists, documents]; tied: half of the documents of a list or so share their score."""
    rng = np.random.default_rng(0)
    labels, scores = rng.integers(0, 5, (_LISTS, _DOCUMENTS)), rng.normal(size=(_LISTS, _DOCUMENTS))
    return labels, np.round(scores, 1) if tied else scores


def _ours(text: str, labels: np.ndarray, scores: np.ndarray) -> Callable[[], float]:
    metric, ids, offsets = parse_metric(text), np.arange(_LISTS), np.arange(0, labels.size + 1, _DOCUMENTS)

    def ours() -> float:
        lists = Lists(ids, offsets, labels.ravel().astype(np.float64))
        return float(np.nanmean(metric.per_list(lists, scores.ravel())))

    return ours


def ndcg_against_numpy(*, tied: bool = False) -> float:
    """Time, ties averaged, against a loop-free numpy version that takes no care of ties or empty lists."""
    labels, scores = _labels_and_scores(tied=tied)
    discounts = 1 / np.log2(np.arange(2, 12))

    def plain() -> float:
        gains = 2.0**labels - 1
        found = np.take_along_axis(gains, np.argsort(-scores, axis=1)[:, :10], axis=1) @ discounts
        return float(np.mean(found / (-np.sort(-gains, axis=1)[:, :10] @ discounts)))

    ours = _ours("ndcg@10", labels, scores)
    assert abs(plain() - ours()) < (1e-2 if tied else 1e-12)
    return ratio(ours, plain)


def ndcg_against_others() -> dict[str, float]:
    """Our time over that of others on the same work: pytrec_eval with and without its set-up, scikit-learn."""
    labels, scores = _labels_and_scores(tied=True)
    linear = _ours("ndcg@10(gain=linear,empty=zero)", labels, scores)
    qrels: dict[str, dict[str, int]] = {}
    run: dict[str, dict[str, float]] = {}

    def set_up() -> pytrec_eval.RelevanceEvaluator:
        for number, (label, score) in enumerate(zip(labels.tolist(), scores.tolist(), strict=True)):
            qrels[str(number)] = {str(document): grade for document, grade in enumerate(label)}
            run[str(number)] = {str(document): value for document, value in enumerate(score)}
        return pytrec_eval.RelevanceEvaluator(qrels, {"ndcg_cut.10"})

    evaluator = set_up()
    ids = np.tile(np.arange(_DOCUMENTS).astype(str), _LISTS)
    offsets = np.arange(0, labels.size + 1, _DOCUMENTS)
    by_id = parse_metric("ndcg@10", "trec_eval")

    def ours_by_id() -> float:
        lists = Lists(np.arange(_LISTS), offsets, labels.ravel().astype(np.float64), document_ids=ids)
        return float(np.mean(by_id.per_list(lists, scores.ravel())))

    def trec_eval() -> float:
        return float(np.mean([found["ndcg_cut_10"] for found in evaluator.evaluate(run).values()]))

    assert abs(ours_by_id() - trec_eval()) < 1e-4  # trec_eval compares scores as float32
    assert abs(linear() - ndcg_score(labels, scores, k=10)) < 1e-9
    return {
        "pytrec_eval, ties by id": ratio(ours_by_id, trec_eval, rounds=5),
        "pytrec_eval with set-up": ratio(ours_by_id, lambda: (set_up(), trec_eval()), rounds=3),
        "scikit-learn, ties averaged": ratio(linear, lambda: ndcg_score(labels, scores, k=10), rounds=5),
    }


def metrics_on_one_ranking() -> float:
    """Time of all metrics on one ranking over the time to make the ranking."""
    labels, scores = _labels_and_scores(tied=False)
    flat, offsets = scores.ravel(), np.arange(0, labels.size + 1, _DOCUMENTS)
    lists = Lists(np.arange(_LISTS), offsets, labels.ravel().astype(np.float64))
    metrics = [parse_metric(f"{name}@10" if kind.takes_cutoff else name) for name, kind in METRICS.items()]
    ranking = rank(lists, flat)
    return ratio(lambda: [metric.values(ranking) for metric in metrics], lambda: rank(lists, flat), rounds=5)


def main() -> None:
    """Measure all of these."""
    print(f"NDCG@10, ties averaged / plain numpy: {ndcg_against_numpy():.2f}, many ties: ", end="")
    print(f"{ndcg_against_numpy(tied=True):.2f} (bar 2.5)")
    for name, figure in ndcg_against_others().items():
        print(f"NDCG@10 / {name}: {figure:.2f} (bar 1)")
    print(f"all {len(METRICS)} metrics on one ranking / the ranking: {metrics_on_one_ranking():.1f}")


if __name__ == "__main__":
    main()
