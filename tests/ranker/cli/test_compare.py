"""`ranker compare` as a process, on reports of score tables."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from eval.evaluate import Request, evaluate


@pytest.fixture
def runs(tmp_path):
    """Runs `old` and `new` of the same 200 queries, and `other`, which lacks one of them."""
    random = np.random.default_rng(0)
    labels = (random.random(2000) < 0.3).astype(float)
    rows = {"query_id": np.repeat(np.arange(200), 10), "document_id": np.tile(np.arange(10), 200), "label": labels}
    for name, noise, start in (("old", 2, 0), ("new", 1, 0), ("other", 1, 10)):
        table = pa.table({**rows, "blend": labels + noise * random.normal(size=2000), "net": random.normal(size=2000)})
        (tmp_path / name).mkdir()
        evaluate(
            table.slice(start), Request(("blend", "net"), ("ndcg@10", "mrr")), tmp_path / name / "per_query.parquet"
        )
    return tmp_path


def test_runs_are_compared_and_written(ranker, runs):
    done = ranker("compare", "old", "new/per_query.parquet", "--metric", "ndcg@10", "--out", "both")
    assert done.returncode == 0, done.stderr
    report = json.loads((runs / "both" / "report.json").read_text())
    assert (list(report["models"]), report["baseline"]) == (["old", "new"], "old")
    assert f"{report['comparisons']['new']['overall']['ndcg@10']['mean']:+.4f}" in done.stdout
    assert report["comparisons"]["new"]["overall"]["ndcg@10"]["low"] > 0
    assert "both/report.html, both/report.json, both/per_query.parquet" in done.stdout
    assert pq.read_metadata(runs / "both" / "per_query.parquet").num_rows == 200
    assert {source["file"] for source in report["data"]["sources"]} == {
        "old/per_query.parquet",
        "new/per_query.parquet",
    }


def test_models_of_one_run_are_compared(ranker, runs):
    done = ranker("compare", "old", "--baseline", "net")
    assert done.returncode == 0, done.stderr
    assert "minus old/net" in " ".join(done.stdout.split())


def test_other_queries_are_refused_or_intersected(ranker, refused, runs):
    assert "1 of 200 queries are only in old, such as '0'" in refused("compare", "old", "other")
    done = ranker("compare", "old", "other", "--intersect")
    assert done.returncode == 0, done.stderr
    assert "199 test lists" in done.stdout
    assert "note: compared are the 199 queries that all runs have" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["old", "gone"], "gone: no such file; expected per_query.parquet of a report, or its folder"),
        (["old", "old"], "compare: expected different runs"),
        (["old", "new", "--model", "trees"], "no run has a model 'trees'; there are blend, net"),
        (["old", "new", "--metric", "map"], "metric map is not in all runs"),
    ],
)
def test_a_fault_is_told(refused, runs, arguments, says):
    assert says in refused("compare", *arguments)
