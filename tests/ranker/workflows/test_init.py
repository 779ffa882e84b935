"""`init` writes a spec that loads and passes `check`."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from ranker.data.store import make_store
from ranker.errors import RankerError
from ranker.spec import load_spec
from ranker.workflows.check import check
from ranker.workflows.init import init


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return make_store(tmp_path_factory.mktemp("shop") / "store", queries=40, products=200)


@pytest.fixture
def tables(tmp_path):
    """Writes three small tables with these further columns and gives their paths."""

    def write(query: dict[str, list], document: dict[str, list], labels: str = "012"):
        rows = {
            "queries": {"query_id": ["q1", "q2"], **query},
            "documents": {"document_id": ["d1", "d2", "d3"], **document},
        }
        for name, columns in rows.items():
            lines = (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))
            (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        judged = [("q1", "d1", labels[0]), ("q1", "d2", labels[1]), ("q2", "d3", labels[2])]
        with (tmp_path / "judgments.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("query_id", "document_id", "label"), *judged])
        return [tmp_path / "queries.jsonl", tmp_path / "documents.jsonl", tmp_path / "judgments.csv"]

    return write


def test_the_spec_of_the_store_is_that_of_the_demo_in_kinds_and_passes_check(store, tmp_path):
    out = tmp_path / "specs" / "ranker.yaml"
    proposal = init([store.judgments, store.products, store.truth, store.queries], out)
    assert proposal.roles.unused == [store.truth]
    spec = check(out).spec
    assert {feature.name: feature.kind for feature in spec.features.query} == {
        "query": "text",
        "segment": "categorical",
    }
    assert {feature.name: feature.kind for feature in spec.features.document} == {
        "title": "text",
        "description": "text",
        "brand": "categorical",
        "price": "numeric",
        "stock": "numeric",
        "category": "categorical",
    }
    assert [match.name for match in spec.features.match] == ["bm25_query_title", "bm25_query_description"]
    assert (spec.evaluation.baseline, spec.blend.members) == ("bm25", ["net", "trees"])


def test_paths_below_the_spec_are_relative(store):
    out = store.queries.parent.parent / "ranker.yaml"
    init([store.queries, store.products, store.judgments], out)
    assert load_spec(out).data.sources[0].documents == "store/products.jsonl"


def test_parquet_is_read_too(store, tmp_path):
    rows = [json.loads(line) for line in store.products.read_text().splitlines()]
    pa.parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "products.parquet")
    init([store.queries, tmp_path / "products.parquet", store.judgments], tmp_path / "ranker.yaml")
    assert len(check(tmp_path / "ranker.yaml").spec.features.document) == 6


def test_what_is_left_out_is_commented(tables, tmp_path):
    document = {
        "title": ["a hat", "b hats", "c shoes"],
        "released": ["2024-01-02"] * 2 + ["2024-01-03"],
        "tags": [["a"]] * 3,
        "label": [1, 5, 2],
        "list price": [1, 5, 2],
        "query": ["x y", "y z", "z x"],
    }
    init(tables({"query": ["hat", "shoe"]}, document, "112"), tmp_path / "ranker.yaml")
    text = (tmp_path / "ranker.yaml").read_text()
    assert [line.strip() for line in text.splitlines() if "left out" in line] == [
        "# released is left out: dates, e.g. '2024-01-02'",
        "# tags is left out: lists or objects",
        "# label is left out: its name is one of the engine's own; rename the column",
        "# list price is left out: its name is not one for a feature (a letter, then letters, digits and _); "
        "rename the column",
        "# query is left out: the queries have a feature of this name; rename the column",
    ]
    assert "# 1 in 2, 2 in 1 rows" in text
    assert "# No judgment has label 0" in text


def test_without_texts_there_is_no_match_and_no_reference(tables, tmp_path):
    init(tables({"words": [1, 5]}, {"price": [1, 9, 4]}), tmp_path / "ranker.yaml")
    spec = check(tmp_path / "ranker.yaml").spec
    assert (spec.features.match, spec.evaluation.baseline, len(spec.models)) == ([], None, 2)


def test_names_and_files_that_yaml_takes_for_something_else_are_quoted(tables, tmp_path):
    tables({"no": ["hat one", "shoe two"]}, {"yes": ["a hat", "b hats", "c shoes"], "on": [1, 9, 4]})
    odd = tmp_path / "a, {b}: #c.jsonl"
    (tmp_path / "queries.jsonl").rename(odd)
    init([odd, tmp_path / "documents.jsonl", tmp_path / "judgments.csv"], tmp_path / "ranker.yaml")
    assert [match.name for match in check(tmp_path / "ranker.yaml").spec.features.match] == ["bm25_no_yes"]


def test_a_spec_is_not_overwritten(store, tmp_path):
    out = tmp_path / "ranker.yaml"
    out.write_text("mine")
    with pytest.raises(RankerError, match="exists, and is not overwritten; name another file with --out"):
        init([store.queries, store.products, store.judgments], out)
    assert out.read_text() == "mine"


@pytest.mark.parametrize(
    ("query", "document", "message"),
    [
        ({}, {"tags": [["a"], ["b"], ["c"]]}, "documents.jsonl: no column to make a feature of; 'tags': lists"),
        ({}, {"title": ["a hat", "b hats", "c shoes"]}, "no numeric column, and no text on both sides to match"),
    ],
)
def test_tables_without_features_are_refused_and_nothing_is_written(tables, tmp_path, query, document, message):
    with pytest.raises(RankerError, match=message):
        init(tables(query, document), tmp_path / "ranker.yaml")
    assert not (tmp_path / "ranker.yaml").exists()


@pytest.mark.parametrize("name", ["icecat", "cranfield"])
@pytest.mark.skipif("RANKER_DATA" not in os.environ, reason="needs the public data in RANKER_DATA")
def test_public_collections_pass_check(name, tmp_path):
    files = sorted((Path(os.environ["RANKER_DATA"]) / name).iterdir())
    proposal = init(files, tmp_path / "ranker.yaml")
    assert proposal.roles.queries.path.name == "queries.jsonl"
    assert check(tmp_path / "ranker.yaml").spec.evaluation.baseline == "bm25"
