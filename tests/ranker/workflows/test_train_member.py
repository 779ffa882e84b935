"""One model by itself: what is in its folder agrees with what was trained."""

from __future__ import annotations

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from ranker.data.artefacts import ArtefactError
from ranker.errors import RankerError
from ranker.workflows.score_report import Sections, evaluate_scores
from ranker.workflows.train_member import WEIGHTS, train_member


@pytest.fixture(scope="module")
def spec(store_spec):
    """The spec with fewer epochs and trees."""
    return store_spec.model_copy(update={"training": store_spec.training.model_copy(update={"epochs": 2})})


@pytest.fixture(scope="module")
def trees(dataset, spec, progress, tmp_path_factory):
    out = tmp_path_factory.mktemp("member") / "trees"
    return out, train_member(dataset, "trees", out, progress, spec, importance=True)


def test_the_score_tables_are_what_evaluation_reads(dataset, trees, progress):
    out, manifest = trees
    for split in ("valid", "test"):
        table = pq.read_table(out / f"{split}.parquet")
        assert table.num_rows == dataset.manifest["splits"][split]["documents"]
        assert len(set(table["query_id"].to_pylist())) == dataset.manifest["splits"][split]["lists"]
        sections = Sections(dataset.spec.evaluation.model_copy(update={"baseline": None}), [])
        report = evaluate_scores(out / f"{split}.parquet", progress, sections, None)
        mean = report["models"]["trees"]["overall"]["ndcg@10"]["mean"]
        assert mean == pytest.approx(manifest["means"]["ndcg@10"][split], abs=1e-9)
        assert {one["name"] for one in report["slices"]} >= {"segment"}


def test_importance_names_every_feature(dataset, trees):
    _, manifest = trees
    names = {*dataset.layout.dense, *(feature.name for feature in dataset.layout.ids)}
    assert {one["feature"] for one in manifest["importance"]} == names
    assert manifest["importance"][0]["fall"] > 0.01
    assert (trees[0] / "lightgbm.txt").read_text().startswith("tree\n")


def test_a_network_leaves_its_weights_and_history(dataset, spec, progress, tmp_path):
    out = tmp_path / "net"
    manifest = train_member(dataset, "net", out, progress, spec)
    with np.load(out / WEIGHTS) as arrays:
        assert sum(array.size for array in arrays.values()) > 1000
    lines = [json.loads(line) for line in (out / "training" / "net" / "metrics.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2]
    kept = lines[manifest["member"]["best_epoch"] - 1]["validation ndcg@10"]
    assert kept == pytest.approx(manifest["means"]["ndcg@10"]["valid"], abs=1e-6)
    assert manifest["member"]["training"]["epochs"] == 2
    assert not list(tmp_path.glob(".*")), "nothing is left beside it"


def test_a_model_that_is_not_there_is_told(dataset, progress, tmp_path):
    with pytest.raises(RankerError, match=r"--only: no model 'tree' in the spec; there are \['net', 'trees', 'bm25'\]"):
        train_member(dataset, "tree", tmp_path / "out", progress)


def test_a_folder_of_something_else_is_not_replaced(dataset, progress, tmp_path):
    (tmp_path / "precious").write_text("thesis")
    with pytest.raises(ArtefactError, match="is not replaced"):
        train_member(dataset, "trees", tmp_path, progress)
