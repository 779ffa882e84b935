"""`ranker evaluate` as a process: of a score table, and of the small bundle."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest


@pytest.fixture
def scores(tmp_path):
    """A file of 300 lists; `good` ranks well, `bad` at random."""
    random = np.random.default_rng(0)
    labels = (random.random(3000) < 0.3).astype(float)
    table = {
        "query_id": np.repeat([f"q{number}" for number in range(300)], 10),
        "document_id": np.tile([f"d{number}" for number in range(10)], 300),
        "label": labels,
        "bad": random.normal(size=3000),
        "good": labels + random.normal(size=3000),
        "shop": np.repeat(np.where(np.arange(300) < 200, "here", "there"), 10),
    }
    pq.write_table(pa.table(table), tmp_path / "scores.parquet")
    return "scores.parquet"


def test_a_score_table_is_measured_and_written(ranker, scores, tmp_path):
    done = ranker(
        "evaluate", scores, "--baseline", "bad", "--slice", "shop", "--slice", "{length: [5]}", "--out", "out"
    )
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert list(report["models"]) == ["bad", "good"]
    assert [one["name"] for one in report["slices"]] == ["shop", "list length"]
    for model in ("bad", "good"):
        assert f"{report['models'][model]['overall']['ndcg@10']['mean']:.4f}" in done.stdout
    assert f"{report['comparisons']['good']['overall']['ndcg@10']['mean']:+.4f}" in done.stdout
    assert "report: out/report.html, out/report.json, out/per_query.parquet" in done.stdout
    assert pq.read_metadata(tmp_path / "out" / "per_query.parquet").num_rows == 300
    assert "<html" in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.parametrize(
    ("rule", "status", "decision"),
    [
        ("{metric: ndcg@10, margin: 0.01}", 0, "PASS"),
        ("{metric: ndcg@10, margin: 0.01, slices: [shop]}", 0, "PASS"),
        ("{metric: ndcg@10, floor: 0.99}", 1, "FAIL"),
        ("{judged: 0.5}", 3, "INCONCLUSIVE"),
    ],
)
def test_the_exit_status_is_the_decision(ranker, scores, rule, status, decision):
    done = ranker("evaluate", scores, "--baseline", "bad", "--slice", "shop", "--gate", rule)
    assert done.returncode == status, done.stderr
    assert f"gate: {decision}" in done.stdout
    assert "report:" not in done.stdout


def test_sections_of_a_spec_are_used_and_changed(ranker, scores, tmp_path):
    (tmp_path / "mine.py").write_text("def first(shop):\n    return [name[0] for name in shop]\n")
    (tmp_path / "ranker.yaml").write_text(
        "version: 1\n"
        "data: {sources: [{kind: table, file: none.csv}]}\n"
        "features: {query: [{name: shop, kind: categorical}], document: [{name: price, kind: numeric}]}\n"
        "models: [{name: good, kind: lambdamart}, {name: bad, kind: single_feature, feature: price}]\n"
        "blend: {members: [good]}\n"
        "evaluation:\n"
        "  {metrics: [ndcg@10, mrr], baseline: bad, slices: [{code: 'mine:first', inputs: [shop], name: letter}]}\n"
        "gate: [{metric: mrr, model: good, slices: [letter]}]\n"
    )
    done = ranker("evaluate", scores, "--spec", "ranker.yaml", "--draws", "300", "--out", "out")
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert [value["value"] for value in report["slices"][0]["values"]] == ["h", "t"]
    assert report["settings"]["draws"] == 300
    assert list(report["contract"]) == ["ndcg@10", "mrr"]
    assert report["gate"]["decision"] == "PASS"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["scores.parquet", "--metric", "ndgc"], "metric 'ndgc': unknown name 'ndgc'"),
        (["scores.parquet", "--slice", "colour"], "expected a column 'colour'"),
        (["scores.parquet", "--slice", "{feature: shop, buckets: 1}"], "slices.0.buckets: expected quartile"),
        (["scores.parquet", "--slice", "{feature: shop, buckets: 4}"], "slices by buckets of 'shop': expected numbers"),
        (["scores.parquet", "--slice", "{shop"], "--slice {shop: not YAML"),
        (["scores.parquet", "--gate", "{metric: mrr}"], "gate.0.metric: 'mrr' is not among"),
        (["scores.parquet", "--gate", "{floor: 1}"], "expected one of metric"),
        (
            ["scores.parquet", "--gate", "{metric: ndcg@10, slice: [shop]}"],
            "--gate {metric: ndcg@10, slice: [shop]}.slice: unknown key; did you mean 'slices'?",
        ),
        (
            ["scores.parquet", "--slice", "{feature: shop, bucket: 2}"],
            "evaluation.slices.0.bucket: unknown key; did you mean 'buckets'?",
        ),
        (["scores.parquet", "--slice", "shopp"], "expected a column 'shopp', got query_id, document_id, label, bad"),
        (["scores.parquet", "--label", "lable"], "expected a column 'lable', got"),
        (["scores.parquet", "--draws", "3"], "evaluation.draws: Input should be greater than or equal to 100, got 3"),
        (["scores.parquet", "--baseline", "best"], "baseline: expected one of the models (bad, good), got 'best'"),
        (["scores.parquet", "--model", "best"], "expected a column 'best'"),
        (["scores.parquet", "--candidate", "best", "--find-slices"], "candidate: no model 'best'; there are bad, good"),
        (["scores.parquet", "--temp", "scores.parquet/temp"], "scores.parquet/temp: cannot make the folder: Not a"),
        (["scores.parquet", "--out", "scores.parquet/out"], "scores.parquet/out: cannot make the folder: Not a"),
        (["none.parquet"], "none.parquet: no file of scores here"),
        (["scores.txt"], "expected a file that ends in .parquet"),
        (["none", "none"], "none: no dataset here"),
    ],
)
def test_a_fault_is_told(refused, scores, arguments, says):
    assert says in refused("evaluate", *arguments)


def test_unusable_documents_are_refused_or_dropped(ranker, refused, tmp_path):
    rows = [f"q{number},d{place},{place % 2},{place}\n" for number in range(20) for place in range(5)]
    (tmp_path / "s.csv").write_text("query,item,grade,m\n" + "".join(rows) + "q3,d9,,1\n")
    renamed = ["--query-id=query", "--document-id=item", "--label=grade", "--model=m"]
    assert "column 'label': expected numbers finite and >= 0, got nan for query 'q3', document 'd9'" in refused(
        "evaluate", "s.csv", *renamed
    )
    done = ranker("evaluate", "s.csv", *renamed, "--drop", "--out", "out")
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["data"]["dropped"]["documents"] == 1
    assert "20 test lists, 100 documents" in done.stdout
    note = "1 document left out of the lists of all models: 1 with no usable label (1 missing)"
    assert report["notes"] == [note]
    assert f"note: {note}\n" in done.stdout
    assert note in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.parametrize("name", ["s.csv", "s.jsonl"])
def test_no_gate_passes_a_model_that_has_no_scores_where_it_is_bad(ranker, refused, tmp_path, name):
    """The model `new` ranks 30 queries of 200 wrong, and gives no scores for them."""
    rows = []
    for number in range(200):
        for place in range(4):
            label, bad = int(place == 0), number < 30
            score = "none" if bad else label + (0.5 if number % 9 else -1.5)
            rows.append((f"q{number}", f"d{place}", label, label + (0.5 if number % 3 else -1.5), score))
    names = ("query_id", "document_id", "label", "old", "new")
    if name == "s.csv":
        text = ",".join(names) + "\n" + "".join(",".join(map(str, row)) + "\n" for row in rows)
    else:
        text = "".join(json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows)
    (tmp_path / name).write_text(text)
    options = ["--model", "old", "--model", "new", "--baseline", "old", "--gate", "{metric: ndcg@10, margin: 0.05}"]
    expected = f"{name}, column 'new': expected a number, got 'none' in row 1, query 'q0', document 'd0' (120 such rows"
    assert expected in refused("evaluate", name, *options)
    done = ranker("evaluate", name, *options, "--drop", "--out", "out")
    assert done.returncode == 3, done.stdout
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    [rule] = report["gate"]["rules"]
    assert rule["figures"]["low"] > -0.05, "what is left would pass"
    assert "30 relevant documents and 30 whole queries of new" in rule["reason"]
    assert "note: left out for want of a score: 30 relevant documents and 30 whole queries of new" in done.stdout
    lost = report["data"]["dropped"]["scores"]["new"]
    assert lost == {
        "documents": 120,
        "relevant": 30,
        "queries": 30,
        "without_relevant": 0,
        "reasons": {"no number": 120},
    }


def test_columns_that_are_taken_for_models_are_told_and_a_gate_asks_for_its_own(ranker, refused, tmp_path):
    random = np.random.default_rng(0)
    rows = {"query_id": np.repeat(np.arange(150), 4), "document_id": np.tile(np.arange(4), 150)}
    rows |= {"label": np.tile([1, 0, 0, 0], 150), "old": random.normal(size=600), "new": random.normal(size=600)}
    rows |= {"price": random.random(600), "clicks": np.arange(600), "shop": ["x"] * 600}
    pq.write_table(pa.table(rows), tmp_path / "s.parquet")
    done = ranker("evaluate", "s.parquet", "--baseline", "old")
    assert done.returncode == 0, done.stderr
    assert (
        "note: taken as models, since none were named: the columns of floating point, old, new, price; not read: clicks"
        " (integers), shop (text)\n"
    ) in done.stdout
    gate = ["--gate", "{metric: ndcg@10, margin: 0.9}"]
    told = refused("evaluate", "s.parquet", "--baseline", "old", *gate)
    assert "got 3 columns that look like scores: old, new, price; name it with --candidate" in told
    for options in (
        ["--candidate", "new"],
        ["--model", "old", "--model", "new"],
        ["--gate", "{metric: ndcg@10, margin: 0.9, model: new}"],
        ["--gate", "{empty_share: 0.5}"],
    ):
        own = options if options[0] == "--gate" else [*gate, *options]
        done = ranker("evaluate", "s.parquet", "--baseline", "old", *own)
        assert done.returncode == 0, done.stderr
        assert ("note: taken" in done.stdout) == ("--model" not in options)
    assert "no model 'nwe'" in refused("evaluate", "s.parquet", "--baseline", "old", *gate, "--candidate", "nwe")


def test_options_without_effect_are_refused(ranker, scores):
    for arguments, says in [
        (["a", "b", "--model", "x"], "--model has no effect on a bundle"),
        ([scores, "--online", "x"], "--online has no effect on SCORES"),
        (["a", "b", "c"], "expected BUNDLE and DATASET, or SCORES; got 3 paths"),
        (["--runner", "FnApiRunner", "--streaming", scores], "got 0 paths (write options of Beam as --name=value"),
    ]:
        done = ranker("evaluate", *arguments)
        assert done.returncode == 2
        assert says in done.stderr


def test_a_score_table_needs_no_tensorflow(ranker, scores):
    done = ranker("evaluate", scores, python=("-X", "importtime"))
    assert done.returncode == 0
    assert "eval.evaluate" in done.stderr
    assert "tensorflow" not in done.stderr
    assert "apache_beam" not in done.stderr


def test_a_bundle_is_measured_as_by_the_workflow(ranker, bundle, dataset, progress, tmp_path):
    from ranker.workflows.evaluate import evaluate

    done = ranker("evaluate", bundle, dataset.path, "--out", "out", "--gate", "{latency_ms: {p50: 10000}}")
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    expected = evaluate(bundle, dataset, progress)
    assert {key: value for key, value in report.items() if key != "gate"} == {
        key: value for key, value in json.loads(json.dumps(expected)).items() if key != "gate"
    }
    assert report["gate"]["decision"] == "PASS"
    assert "out/scores.parquet" in done.stdout.replace("\n", "")
