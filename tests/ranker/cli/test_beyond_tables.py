"""`ranker evaluate` with metrics of documents and of whole runs, and with exposure: in this process."""

from __future__ import annotations

import json

import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from ranker.cli.evaluate import command
from ranker.errors import RankerError
from tests.eval.beyond import shop_scores

METRICS = ["ndcg@5", "ild@5(by=brand)", "coverage@3", "gini@3", "novelty@3"]
OPTIONS = [option for metric in METRICS for option in ("--metric", metric)]
GROUPS = ["--exposure", "brand", "--exposure", "{by: {feature: popularity, buckets: quartile}, k: 10}"]


@pytest.fixture
def run(tmp_path):
    """`run(file, *options)` measures a file of the shop, of the kind that its name says."""

    def measured(name, *options):
        scores = shop_scores().drop_columns(["topics", "place"])
        if name.endswith(".csv"):
            pyarrow.csv.write_csv(scores, tmp_path / name)
        else:
            pq.write_table(scores, tmp_path / name)
        arguments = [str(tmp_path / name), "--draws", "200", "--baseline", "popular", *options]
        return CliRunner().invoke(command, [*arguments, "--out", str(tmp_path / "out")], catch_exceptions=True)

    return measured


def report_in(folder):
    return json.loads((folder / "out" / "report.json").read_text())


def test_all_of_it_from_the_command_line(run, tmp_path):
    done = run("s.parquet", *OPTIONS, *GROUPS, "--catalogue", "70")
    assert done.exit_code == 0, done.output
    report = report_in(tmp_path)
    assert list(report["models"]) == ["even", "popular"], "popularity is a column of integers"
    assert list(report["contract"]) == METRICS[:2]
    assert list(report["catalogue"]["contract"]) == METRICS[2:]
    assert [one["name"] for one in report["exposure"]] == ["brand", "popularity"]
    assert report["exposure"][1]["attention"] == "1 / log2(position + 1), none below position 10"
    told = done.stdout
    assert "catalogue of 70 items, 60 of them in the lists" in told
    for metric in METRICS[2:]:
        for model in ("even", "popular"):
            assert f"{report['catalogue']['models'][model][metric]['mean']:.4f}" in told
        assert f"{report['catalogue']['comparisons']['even'][metric]['mean']:+.4f}" in told
    for group in report["exposure"][0]["groups"]:
        assert f"{group['relevance']['mean']:.1%}" in told
        assert f"{100 * group['models']['even']['difference']['mean']:+.1f} [" in told
    assert "exposure by brand, attention 1 / log2(position + 1)" in told
    names = pq.read_schema(tmp_path / "out" / "per_query.parquet").names
    assert "ild@5(by=brand)|even" in names
    assert not any(name.startswith("coverage") for name in names)
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Catalogue and exposure" in page


def test_csv_gives_the_same(run, tmp_path):
    """Numbers come as texts there; models are named, since popularity may look like one."""
    reports = []
    for name in ("s.parquet", "s.csv"):
        done = run(name, *OPTIONS, *GROUPS, "--model", "even", "--model", "popular")
        assert done.exit_code == 0, done.output
        reports.append(report_in(tmp_path))
    assert reports[0]["catalogue"] == reports[1]["catalogue"]
    assert reports[0]["exposure"] == reports[1]["exposure"]


def test_a_gate_and_comparisons_on_diversity(run, tmp_path):
    done = run("s.parquet", *OPTIONS, "--gate", "{metric: 'ild@5(by=brand)', floor: 0.9, min_lists: 30}")
    assert (done.exit_code, report_in(tmp_path)["gate"]["decision"]) == (1, "FAIL"), done.output


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--metric", "ild@5(by=colour)"], "score table: expected a column 'colour'"),
        (["--metric", "ild@5(topics=brand)"], "ild has no option 'topics'; known: by, missing"),
        (["--metric", "ild@5"], "ild: needs the column that it looks at, such as ild@5(by=category)"),
        (["--metric", "coverage@5"], "metrics: expected one of lists beside coverage@5"),
        (["--metric", "diversity@5"], "unknown name 'diversity'"),
        (["--exposure", "colour"], "expected a column 'colour'"),
        (["--exposure", "{by: brand, patience: 0.5}"], "patience has no effect without discount: geometric"),
        (
            ["--exposure", "{by: brand, cutoff: 5}"],
            "evaluation.exposure.0.cutoff: unknown key; known here: by",
        ),
        (["--exposure", "{by: {length: [5]}}"], "length says nothing of the documents of a list"),
        (["--catalogue", "100"], "catalogue: has no effect without a metric of whole runs"),
        (["--metric", "ndcg@5", "--metric", "gini@5", "--catalogue", "9"], "at least the 60 documents of the lists"),
        (
            ["--metric", "ndcg@5", "--metric", "gini@5", "--gate", "{metric: gini@5}"],
            "gate.0: metric 'gini@5': gini is a figure of a whole run, not a mean over lists",
        ),
    ],
)
def test_mistakes_are_told(run, options, says):
    done = run("s.parquet", *options)
    assert isinstance(done.exception, RankerError), done.output
    assert says in str(done.exception)


def test_without_being_asked_there_are_no_tables(run, tmp_path):
    done = run("s.parquet", "--metric", "ndcg@5")
    assert done.exit_code == 0
    assert "exposure" not in done.stdout
    assert "catalogue" not in done.stdout
    assert "Catalogue and exposure" not in (tmp_path / "out" / "report.html").read_text()
    assert report_in(tmp_path)["catalogue"] is None
