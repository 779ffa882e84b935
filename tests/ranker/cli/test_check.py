"""`ranker check`: all faults with status 2, or a summary; without TensorFlow and Beam."""

from __future__ import annotations

from ranker.data.store.generator import make_store
from ranker.workflows.demo import _SPEC


def test_a_good_spec_is_summed_up_without_anything_heavy(ranker, tmp_path):
    make_store(tmp_path / "store", queries=20, products=50)
    (tmp_path / "ranker.yaml").write_text(_SPEC)
    done = ranker("check", "ranker.yaml", python=("-X", "importtime"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"queries: looked at all 20 rows of {tmp_path}/store/queries.jsonl",
        f"documents: looked at all 50 rows of {tmp_path}/store/products.jsonl",
        f"judgments: looked at all 600 rows of {tmp_path}/store/judgments.csv",
        "features: 2 query, 5 document, 2 match",
        "models: net (self_attention), trees (lambdamart), bm25 (single_feature)",
        "metrics: ndcg@10",
        "ranker.yaml: no faults",
    ]
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "ranker.workflows.check" in loaded
    assert not loaded & {"tensorflow", "apache_beam", "lightgbm", "tensorflow_transform", "grpc"}


def test_all_faults_end_with_status_2(refused, tmp_path):
    (tmp_path / "ranker.yaml").write_text(_SPEC)
    assert refused("check", "ranker.yaml", "--set", "training.epochs=0").splitlines() == [
        "ranker.yaml (--set training.epochs=0): training.epochs: Input should be greater than or equal to 1, got 0",
        f"ranker.yaml:5: data.sources.0.queries: {tmp_path}/store/queries.jsonl: no such file",
        f"ranker.yaml:5: data.sources.0.documents: {tmp_path}/store/products.jsonl: no such file",
        f"ranker.yaml:5: data.sources.0.judgments: {tmp_path}/store/judgments.csv: no such file",
    ]
