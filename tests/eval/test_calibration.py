import numpy as np
import pandas as pd
import pytest

from eval.calibration import BINS, Calibration, ScoreNumbers
from eval.order_statistics import Numbers
from eval.score_table import read_score_table


@pytest.fixture(scope="module")
def table(make_scores):
    return read_score_table(make_scores(), ["a", "c"])


def edges_of(table, directory=None):
    edges = {}
    for model, scores in ScoreNumbers(("a", "c"))(table).items():
        numbers = Numbers(None if directory is None else directory / model)
        numbers.add(scores)
        edges[model] = numbers.edges(BINS)
    return edges


def test_bins_are_deciles_of_scores_with_their_mean_labels(table, tmp_path):
    edges = edges_of(table)
    assert edges["a"].tolist() == edges_of(table, tmp_path)["a"].tolist()
    frame = pd.DataFrame({"label": table.lists.labels, **table.scores, "list": table.lists.ragged.rows})
    found = Calibration.of(table, edges).bins(0.95)
    for model in ("a", "c"):
        groups = frame.groupby(np.searchsorted(edges[model], frame[model], side="right"))
        expected = groups.agg(score=(model, "mean"), label=("label", "mean"), documents=("label", "size"))
        got = pd.DataFrame(found[model])
        pd.testing.assert_frame_equal(
            got[["score", "label", "documents"]], expected, check_index_type=False, rtol=1e-12
        )
        assert (got["low"] <= got["label"]).all()
        assert (got["label"] < got["high"]).all()
    assert len(found["a"]) == 10
    assert max(one["documents"] for one in found["a"]) - min(one["documents"] for one in found["a"]) <= 1


def test_equal_scores_are_in_one_bin(table):
    found = Calibration.of(table, edges_of(table)).bins(0.95)["c"]
    frame = pd.DataFrame({"c": table.scores["c"]})
    assert sum(one["documents"] for one in found) == len(frame)
    assert 1 < len(found) <= frame["c"].nunique()
    assert [one["score"] for one in found] == sorted(one["score"] for one in found)


def test_parts_add_up(table):
    edges = edges_of(table)
    half = np.arange(len(table.lists)) < 50
    parts = [Calibration.of(table.select(lists), edges).bins(0.9) for lists in (half, ~half)]
    whole = Calibration.of(table, edges).bins(0.9)
    together = (Calibration.of(table.select(half), edges) + Calibration.of(table.select(~half), edges)).bins(0.9)
    assert parts[0] != whole
    for model, bins in whole.items():
        for one, two in zip(bins, together[model], strict=True):
            assert one == pytest.approx(two, rel=1e-12)
