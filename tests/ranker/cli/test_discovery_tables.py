"""`ranker evaluate --find-slices` on score tables, in this process: what is planted is found, and nothing else."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from ranker.cli.evaluate import command
from ranker.errors import RankerError


def scores(planted=True):
    """500 lists of six documents; `new` does not see what is relevant for the shop "rio", a tenth of the lists."""
    random = np.random.default_rng(3)
    query = np.repeat(np.arange(500), 6)
    shop = random.choice(["rio", "oslo", "pune"], p=[0.1, 0.5, 0.4], size=500)[query]
    label = (random.random(len(query)) < 0.4) * 1.0
    old, new = (label + 0.7 * random.normal(size=len(query)) for _ in range(2))
    if planted:
        new[shop == "rio"] -= label[shop == "rio"]
    return pa.table(
        {
            "query_id": [f"q{number}" for number in query],
            "document_id": [f"d{place}" for place in np.tile(np.arange(6), 500)],
            "label": label,
            "old": old,
            "new": new,
            "shop": shop,
            "brand": random.choice(list("abcd"), size=len(query)),
            "stock": random.integers(0, 50, size=len(query)),
            "price": random.random(len(query)),
            "query": [f"some words {number}" for number in query],
            "user": [f"u{number // 3}" for number in query],
        }
    )


@pytest.fixture
def run(tmp_path):
    """`run(name, *options)` measures a file of these scores, of the kind that its name says."""

    def measured(name, *options, planted=True):
        if name.endswith(".csv"):
            pyarrow.csv.write_csv(scores(planted), tmp_path / name)
        else:
            pq.write_table(scores(planted), tmp_path / name)
        arguments = [str(tmp_path / name), "--model=old", "--model=new", "--draws=100", "--baseline=old", *options]
        return CliRunner().invoke(command, [*arguments, "--out", str(tmp_path / "out")], terminal_width=160)

    return measured


def discovery_in(folder):
    return json.loads((folder / "out" / "report.json").read_text())["discovery"]


@pytest.mark.parametrize("options", [[], ["--cluster", "user"]])
def test_a_planted_slice_is_found_by_its_name(run, tmp_path, options):
    done = run("s.parquet", "--find-slices", "--text", "query", *options)
    assert done.exit_code == 0, done.output
    found = discovery_in(tmp_path)
    assert found["features"] == ["shop", "brand", "stock", "price"]
    assert set(found["left_out"]) == {"list length", *([] if options else ["user"])}
    assert [[one["name"] for one in search["found"]] for search in found["searches"]] == [["shop: rio"]] * 2
    told = " ".join(done.stdout.split())
    one = found["searches"][0]["found"][0]
    assert "slices where new is worse than old, ndcg@10" in told
    assert "slices where new is worse than elsewhere, ndcg@10" in told
    assert f"shop: rio │ {one['lists']} │ {one['mean']:+.4f} │ {one['others']:+.4f} │ {one['bound']:+.4f}" in told
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Slices that stand out" in page


def test_where_nothing_is_planted_it_says_what_could_have_been_found(run, tmp_path):
    done = run("s.parquet", "--find-slices", planted=False)
    assert done.exit_code == 0, done.output
    search = discovery_in(tmp_path)["searches"][0]
    assert search["found"] == []
    told = " ".join(done.stdout.split())
    assert f"none found among {search['slices']} slices of at least 30 lists; one of 30 lists that is worse by" in told
    assert f"worse by {search['detectable']:.3f} would be found 4 times out of 5" in told
    assert "query (no value in 30 lists or more, but not in all)" in told
    page = (tmp_path / "out" / "report.html").read_text()
    assert f"None found among {search['slices']} slices of at least 30 lists." in page


def test_csv_gives_the_same(run, tmp_path):
    found = []
    for name in ("s.parquet", "s.csv"):
        assert run(name, "--find-slices").exit_code == 0
        found.append(discovery_in(tmp_path))
    assert found[0] == found[1]


def test_columns_that_are_named_are_looked_at_alone(run, tmp_path):
    done = run("s.parquet", "--find-by", "brand", "--find-by", "price")
    assert done.exit_code == 0, done.output
    found = discovery_in(tmp_path)
    assert found["features"] == ["brand", "price"]
    assert [search["found"] for search in found["searches"]] == [[], []]


def test_the_section_of_a_spec_is_used(run, tmp_path):
    (tmp_path / "ranker.yaml").write_text(
        "version: 1\n"
        "data: {sources: [{kind: table, file: none.csv}]}\n"
        "features: {query: [{name: shop, kind: categorical}], document: [{name: price, kind: numeric}]}\n"
        "models: [{name: new, kind: lambdamart}, {name: old, kind: single_feature, feature: price}]\n"
        "blend: {members: [new]}\n"
        "evaluation:\n"
        "  metrics: [ndcg@10, mrr]\n"
        "  find_slices: {features: [shop], metrics: [mrr], depth: 1, alpha: 0.01, min_lists: 40}\n"
    )
    done = run("s.parquet", "--spec", str(tmp_path / "ranker.yaml"))
    assert done.exit_code == 0, done.output
    found = discovery_in(tmp_path)
    assert (found["alpha"], found["features"]) == (0.01, ["shop"])
    assert [(one["metric"], one["depth"], one["min_lists"]) for one in found["searches"]] == [("mrr", 1, 40)] * 2


def test_without_being_asked_there_is_nothing(run, tmp_path):
    done = run("s.parquet")
    assert done.exit_code == 0
    assert discovery_in(tmp_path) is None
    assert "elsewhere" not in done.stdout
    assert "Slices that stand out" not in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--find-by", "colour"], "evaluation.find_slices.features: 'colour': no such column; there are query_id"),
        (["--metric", "ndcg@5", "--metric", "coverage@3", "--spec", "ranker.yaml"], "expected metrics of lists"),
    ],
)
def test_mistakes_are_told(run, tmp_path, options, says, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ranker.yaml").write_text(
        "version: 1\n"
        "data: {sources: [{kind: table, file: none.csv}]}\n"
        "features: {query: [{name: shop, kind: categorical}], document: [{name: price, kind: numeric}]}\n"
        "models: [{name: new, kind: lambdamart}]\n"
        "blend: {members: [new]}\n"
        "evaluation: {metrics: [ndcg@5, coverage@3], find_slices: {metrics: [coverage@3]}}\n"
    )
    done = run("s.parquet", *options)
    assert isinstance(done.exception, RankerError), done.output
    assert says in str(done.exception)
