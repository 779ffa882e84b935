"""`ranker validate`: what it prints and writes, its status, and that it needs no TensorFlow."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ranker.workflows.demo import make_spec


@pytest.fixture(scope="module")
def place(tmp_path_factory, bare_dataset, progress) -> Path:
    """A folder with a store, its spec, the dataset, and requests without a price."""
    folder = tmp_path_factory.mktemp("validate")
    spec = make_spec(folder, queries=300, seed=3, overrides=[], progress=progress)
    bare_dataset(spec, folder / "dataset")
    line = json.dumps({"query": {"query": "shoe"}, "documents": [{"id": "a", "features": {"stock": 1}}, {"id": "b"}]})
    (folder / "requests.jsonl").write_text(f"{line}\n" * 60)
    return folder


def test_the_same_data_is_in_order_and_nothing_heavy_is_loaded(ranker, place):
    done = ranker("validate", place / "ranker.yaml", "--against", place / "dataset", python=("-X", "importtime"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["ranker.yaml: 300 lists, 9,000 documents", "no anomalies"]
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "ranker.workflows.validate" in loaded
    assert not loaded & {"tensorflow", "apache_beam", "lightgbm", "tensorflow_transform"}


def test_anomalies_are_shown_and_written_and_only_fail_if_that_was_said(ranker, place, tmp_path):
    command = ("validate", place / "requests.jsonl", "--against", place / "dataset")
    done = ranker(*command, "--json", "out/report.json", "--html", "page.html")
    assert done.returncode == 0, done.stderr
    assert "requests.jsonl: 60 lists, 120 documents" in done.stdout
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["data"] == [{"name": "requests.jsonl", "lists": 60, "documents": 120}]
    assert not report["fails"]
    anomalies = {(anomaly["column"], anomaly["check"]): anomaly for anomaly in report["anomalies"]}
    assert anomalies["price", "missing"]["value"] > 0.9
    assert "price" in done.stdout
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")
    assert ranker(*command, "--strict").returncode == 1


def test_an_anomaly_that_says_fail_ends_with_status_1(ranker, place):
    rows = [json.loads(line) for line in (place / "store" / "products.jsonl").read_text().splitlines()]
    cheap = place / "store" / "cheap.jsonl"
    cheap.write_text("".join(json.dumps(row | {"price": 1}) + "\n" for row in rows))
    done = ranker(
        "validate",
        place / "ranker.yaml",
        "--against",
        place / "dataset",
        "--set",
        f"data.sources.0.documents={cheap}",
        "--set",
        "validation.drift.action=fail",
    )
    assert done.returncode == 1, done.stderr
    assert "fail" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.jsonl", "--against", "DATASET"], "none.jsonl: not there; expected a spec (.yaml), a file of requests"),
        (["none.yaml", "--against", "DATASET"], "none.yaml: cannot read the spec"),
        (["REQUESTS", "--against", "none"], "none: no dataset here"),
        (["REQUESTS", "--against", "DATASET", "--set", "a=1"], "--set has no effect: "),
        (["-", "--against", "DATASET"], "-: no list to check"),
    ],
)
def test_what_cannot_be_checked_ends_with_status_2(refused, place, arguments, message):
    names = {"DATASET": place / "dataset", "REQUESTS": place / "requests.jsonl"}
    assert refused("validate", *(names.get(argument, argument) for argument in arguments)).startswith(message)
