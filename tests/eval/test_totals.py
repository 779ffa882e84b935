import numpy as np
import pytest

from eval.calibration import Calibration
from eval.measuring import Plan
from eval.metrics import parse_metric
from eval.score_table import read_score_table
from eval.series import Series
from eval.totals import MeasurePart


def test_totals_of_parts_add_up_and_rows_are_those_of_the_parts(make_scores):
    table = read_score_table(make_scores(), ["a", "b"])
    metrics = {"ndcg@5": parse_metric("ndcg@5").settle(3, qrels=False)}
    plan = Plan(metrics, Series(("ndcg@5",), ("a", "b"), "a"), [], 50, 0)
    edges = {"a": np.array([0.0]), "b": np.array([-1.0, 1.0])}
    measure = MeasurePart(plan, [("ndcg@5", "a")], {"models": ["a"]}, edges)
    half = np.arange(len(table.lists)) < 50
    (whole, rows), (one, first), (two, second) = map(measure, (table, table.select(half), table.select(~half)))
    both = one + two
    np.testing.assert_allclose(both.tally.sums[0].resampled_x, whole.tally.sums[0].resampled_x, rtol=1e-12)
    for model, bins in Calibration.of(table, edges).bins(0.95).items():
        assert [one["documents"] for one in both.calibration.bins(0.95)[model]] == [one["documents"] for one in bins]
    assert first["query_id"].to_pylist() + second["query_id"].to_pylist() == rows["query_id"].to_pylist()
    assert rows["ndcg@5|a"].to_numpy() == pytest.approx(plan.measure(table).values.figures[:, 0], nan_ok=True)
