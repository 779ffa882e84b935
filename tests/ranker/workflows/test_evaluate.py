"""A bundle on the test lists: slices, clusters, the served model, and what is written."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest

from eval.evaluate import Request
from eval.evaluate import evaluate as evaluate_table
from eval.report.build import report_of
from ranker.bundle import BLEND, Scorer
from ranker.data.artefacts import ArtefactError
from ranker.data.columns import Column
from ranker.data.elwc.records import read_raw
from ranker.errors import RankerError
from ranker.spec import Evaluation, GateRule
from ranker.workflows.call_times import bundle_megabytes, time_calls
from ranker.workflows.evaluate import evaluate, score_table
from ranker.workflows.score_report import Sections, evaluate_scores

SLICES = ["segment", {"feature": "price", "buckets": 3, "scope": "document"}, ["segment", "brand"]]


def sections(gate=(), **options) -> Sections:
    evaluation = Evaluation.model_validate({"baseline": "bm25", "slices": SLICES} | options)
    return Sections(evaluation, [GateRule.model_validate(rule) for rule in gate])


@pytest.fixture(scope="module")
def written(tmp_path_factory, bundle, dataset, progress):
    """A folder with a report, and the report; the bundle is what is served, too."""
    out = tmp_path_factory.mktemp("report") / "out"
    rules = [{"metric": "ndcg@10", "min_lists": 30}, {"bundle_mb": 1000.0}, {"latency_ms": {"p99": 0.0001}}]
    return out, evaluate(bundle, dataset, progress, out, sections(rules), bundle)


def test_the_files_hold_the_report(written):
    out, report = written
    assert sorted(file.name for file in out.iterdir()) == [
        "per_query.parquet",
        "report.html",
        "report.json",
        "scores.parquet",
    ]
    assert json.loads((out / "report.json").read_text()) == report
    assert pq.read_metadata(out / "per_query.parquet").num_rows == report["data"]["queries"]
    assert pq.read_metadata(out / "scores.parquet").num_rows == report["data"]["documents"]


def test_figures_are_those_of_the_scores(written, bundle, dataset):
    with Scorer(bundle) as scorer:
        table = score_table(scorer, dataset)
    expected = report_of(evaluate_table(table, Request(tuple(table.column_names[3:]), ("ndcg@10",), "bm25")))
    assert list(written[1]["models"]) == ["net", "trees", "bm25", BLEND, "online"]
    for model in ("net", "trees", "bm25", BLEND):
        assert written[1]["models"][model]["overall"] == expected["models"][model]["overall"]
    found = written[1]["models"]
    assert found["online"]["overall"] == found[BLEND]["overall"]


def test_slices_are_those_of_the_raw_lists(written, dataset):
    lists = list(read_raw(dataset.raw("test"), dataset.columns))
    segments = [judged.request.tensors["segment"][0].decode() or "(missing)" for judged in lists]
    prices = np.concatenate([judged.request.tensors["price"][0] for judged in lists])
    by_segment, by_price, crossed = written[1]["slices"]
    assert {one["value"]: one["lists"] for one in by_segment["values"]} == {
        name: segments.count(name) for name in set(segments)
    }
    assert sum(one["documents"] for one in by_price["values"]) == len(prices)
    assert by_price["scope"] == "document"
    assert crossed["name"] == "segment × brand"


def test_queries_are_shown_with_their_texts(written, dataset):
    texts = {
        judged.request.query_id: judged.request.tensors["query"][0].decode()
        for judged in read_raw(dataset.raw("test"), dataset.columns)
    }
    changes = written[1]["comparisons"][BLEND]["changes"]["ndcg@10"]
    assert changes["best"]
    for query in changes["best"]:
        assert query["text"] == texts[query["query_id"]]
        assert query["lists"]["model"][0]["title"]


def test_rules_are_decided(written):
    gate = written[1]["gate"]
    # The blend is what is online: no difference, so it is not below by the margin.
    assert [rule["decision"] for rule in gate["rules"]] == ["PASS", "PASS", "FAIL"]
    assert "not below online" in gate["rules"][0]["rule"]
    assert gate["decision"] == "FAIL"


def test_lists_of_a_segment_can_be_resampled_together(bundle, dataset, progress):
    found = evaluate(bundle, dataset, progress, sections=sections(slices=[], cluster="segment"))
    assert found["settings"]["unit"] == "segment"


def test_sources_have_their_digests(written, dataset):
    files = [source["file"] for source in written[1]["data"]["sources"]]
    assert [name.rpartition("/")[2] for name in files][-1] == "manifest.json"
    assert len(files) == len(dataset.raw("test")) + 1
    assert all(len(source["sha256"]) == 64 for source in written[1]["data"]["sources"])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"baseline": "best"}, "evaluation.baseline: no model 'best'; there are net, trees, bm25, blend"),
        ({"slices": ["colour"]}, "evaluation: no feature 'colour' of queries or documents"),
        ({"metrics": ["ndgc"]}, "unknown name 'ndgc'"),
    ],
)
def test_what_cannot_be_measured_is_told_before_anything_is_scored(bundle, dataset, progress, options, says):
    stages = len(progress.stages)
    with pytest.raises(RankerError, match=says):
        evaluate(bundle, dataset, progress, sections=sections(**options))
    assert len(progress.stages) == stages


def test_another_dataset_is_refused(bundle, dataset, progress, monkeypatch):
    monkeypatch.setattr(type(dataset), "columns", [Column("other", "query", "string")])
    with pytest.raises(ArtefactError, match="its raw columns are not those of the bundle"):
        evaluate(bundle, dataset, progress)


def test_a_file_in_the_place_of_the_folder_is_kept(bundle, dataset, progress, tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(RankerError, match="expected a folder to write the report to, got a file"):
        evaluate(bundle, dataset, progress, tmp_path / "out", sections(slices=[]))
    assert (tmp_path / "out").read_text() == "mine"


def test_calls_are_timed_and_the_bundle_is_weighed(bundle, tmp_path):
    with Scorer(bundle) as scorer:
        times = time_calls(scorer, bundle)
    assert len(times) == 1000
    assert 0 < np.median(times) < 1000
    copied = shutil.copytree(bundle, tmp_path / "bundle")
    size = bundle_megabytes(copied)
    (copied / "more").write_bytes(b"0" * 1_000_000)
    assert bundle_megabytes(copied) == pytest.approx(size + 1)


def test_diversity_catalogue_and_exposure_of_a_bundle(bundle, dataset, progress, tmp_path):
    """Popularity is counted in the training lists; the scores that are written say it all again."""
    metrics = ["ndcg@10", "ild@10(by=brand)", "alpha_ndcg@10(by=brand)", "coverage@5", "novelty@5"]
    asked = sections(metrics=metrics, slices=[], exposure=["brand", {"by": {"feature": "price", "buckets": 3}, "k": 5}])
    report = evaluate(bundle, dataset, progress, tmp_path / "out", asked)
    counts: dict[str, int] = {}
    for judged in read_raw(dataset.raw("train"), dataset.columns):
        for name, label in zip(judged.request.document_ids, judged.labels, strict=True):
            counts[name] = counts.get(name, 0) + int(label > 0)
    table = pq.read_table(tmp_path / "out" / "scores.parquet")
    assert table["popularity"].to_pylist() == [counts.get(name, 0) for name in table["document_id"].to_pylist()]
    assert sum(table["popularity"].to_pylist()) > 0
    assert report["catalogue"]["listed"] == len(set(table["document_id"].to_pylist()))
    assert [one["name"] for one in report["exposure"]] == ["brand", "price"]
    again = evaluate_scores(
        tmp_path / "out" / "scores.parquet", progress, asked, models=list(report["models"]), candidate=BLEND
    )
    for part in ("models", "catalogue", "exposure"):
        assert again[part] == report[part]


def test_slices_are_found_by_features_of_queries_and_documents(bundle, dataset, progress, tmp_path):
    asked = sections(slices=[], find_slices={"features": "all", "min_lists": 5})
    found = evaluate(bundle, dataset, progress, tmp_path / "out", asked)["discovery"]
    known = {*found["features"], *found["left_out"]}
    assert {column.name for column in dataset.columns} | {"list length"} == known
    assert found["left_out"]["title"] == found["left_out"]["query"] == "a text"
    assert {"segment", "brand", "price"} <= set(found["features"])
    models = [(one["model"], one["baseline"]) for one in found["searches"]]
    assert models == [("net", "bm25"), ("trees", "bm25"), (BLEND, "bm25"), (BLEND, None)]
    named = sections(slices=[], find_slices={"features": ["segment"], "min_lists": 5})
    assert evaluate(bundle, dataset, progress, sections=named)["discovery"]["features"] == ["segment"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"find_slices": {"features": ["colour"]}}, "find_slices.features: no feature 'colour'; there are"),
        ({"metrics": ["ndcg", "ild@5(by=colour)"]}, "no feature 'colour' of queries or documents"),
        ({"metrics": ["ndcg", "ild@5(by=popularity)"]}, "no feature 'popularity' of queries or documents"),
        ({"metrics": ["ndcg", "ild@5(by=segment)"]}, "'segment' is a feature of the query, the same for all documents"),
        ({"metrics": ["ndcg", "novelty@5(popularity=sold)"]}, "no feature 'sold' of queries or documents"),
        ({"metrics": ["ndcg", "ild"]}, "ild: needs the column that it looks at"),
    ],
)
def test_metrics_of_features_that_are_not_there(bundle, dataset, progress, options, says):
    with pytest.raises(RankerError, match=says):
        evaluate(bundle, dataset, progress, None, sections(slices=[], **options))
