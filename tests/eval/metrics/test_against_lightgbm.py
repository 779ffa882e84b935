import lightgbm
import numpy as np
import pytest

from eval.metrics import parse_metric
from tests.eval.metrics.reference import as_lists

CUTOFFS = [1, 3, 5, 30]


def figures_of_lightgbm(lists, scores):
    """Its own metrics of given scores: initial scores, and one tree that cannot split."""
    data = lightgbm.Dataset(
        np.zeros((len(scores), 1)), lists.labels, group=lists.sizes, init_score=scores, params={"verbosity": -1}
    )
    found = {}
    parameters = {
        "objective": "lambdarank",
        "metric": ["ndcg", "map"],
        "eval_at": CUTOFFS,
        "label_gain": [2**label - 1 for label in range(5)],
        "num_threads": 1,
        "verbosity": -1,
        "feature_pre_filter": False,
    }
    lightgbm.train(
        parameters,
        data,
        num_boost_round=1,
        valid_sets=[data],
        valid_names=["all"],
        callbacks=[lightgbm.record_evaluation(found)],
    )
    return {name: values[0] for name, values in found["all"].items()}


@pytest.mark.parametrize("levels", [1, 4, 10**6])
def test_agrees_with_lightgbm(levels):
    """Its contract: tied documents in the order of the rows, 1 for empty lists, AP over min(relevant, k)."""
    random = np.random.default_rng(levels)
    sizes = random.integers(1, 20, size=80)
    sparse = [np.column_stack([random.integers(0, 5, n) * random.integers(0, 2, n), random.integers(0, levels, n) / 8])
              for n in sizes]  # fmt: skip
    lists, scores = as_lists([one.tolist() for one in sparse])
    assert 0 < lists.empty.sum() < 40
    theirs = figures_of_lightgbm(lists, scores)
    assert len(theirs) == 2 * len(CUTOFFS)
    for name, expected in theirs.items():
        found = parse_metric(name, "lightgbm").per_list(lists, scores)
        assert np.mean(found) == pytest.approx(expected, abs=1e-9), name
