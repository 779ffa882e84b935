"""`init` writes a spec that loads and passes `check`."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from ranker.data.store.generator import make_store
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
        "tags": "categorical",
        "released": "date",
    }
    assert spec.data.timestamp == "asked_at"
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
    assert len(check(tmp_path / "ranker.yaml").spec.features.document) == 8


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
        "# released is left out: dates, 2024-01-02 to 2024-01-03; an age needs data.timestamp, a column of the "
        "judgments "
        "or queries that says when a query was asked",
        "# tags is left out: one value only, 'a'",
        "# label is left out: its name is one of the engine's own; rename the column",
        "# list price is left out: its name is not one for a feature (a letter, then letters, digits and _); "
        "rename the column",
        "# query is left out: the queries have a feature of this name; rename the column",
    ]
    assert "# 1 in 2, 2 in 1 rows" in text
    assert "# No judgment has label 0" in text
    wanted = "candidates: {from: bm25, k: 100, query: query, document: [title]}"
    assert f"  # {wanted}\n" in text
    (tmp_path / "ranker.yaml").write_text(text.replace(f"# {wanted}", wanted))
    assert check(tmp_path / "ranker.yaml").spec.data.candidates.k == 100


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
        ({}, {"tags": [["a"], ["b"], ["c"]]}, "documents.jsonl: no column to make a feature of; 'tags': 3"),
        ({}, {"title": ["a hat", "b hats", "c shoes"]}, "no numeric column, and no text on both sides to match"),
    ],
)
def test_tables_without_features_are_refused_and_nothing_is_written(tables, tmp_path, query, document, message):
    with pytest.raises(RankerError, match=message):
        init(tables(query, document), tmp_path / "ranker.yaml")
    assert not (tmp_path / "ranker.yaml").exists()


def test_columns_of_all_kinds_make_features(tables, tmp_path):
    document = {
        "title": ["a hat", "b hats", "c shoes"],
        "added_at": [1.2e9, 1.3e9, None],
        "image": [[0.1, 0.2], [0.3, 0.4], None],
        "colours": [["red", "blue"], ["red"], []],
        "genres": ["wool|felt", "felt | wool", None],
    }
    query = {"query": ["hat", "shoe"], "asked_at": ["2024-01-02", "2024-01-03"]}
    init(tables(query, document), tmp_path / "ranker.yaml")
    text = (tmp_path / "ranker.yaml").read_text()
    assert "  timestamp: asked_at   # 2024-01-02 to 2024-01-03; ages of dates are counted to it" in text
    assert [line.strip() for line in text.splitlines() if "{name: " in line][2:6] == [
        "- {name: added_at, kind: date}   # seconds since 1970, 2008-01-10 to 2011-03-13, missing in 33.3%",
        "- {name: image, kind: vector, width: 2}   # 2 numbers in each row, missing in 33.3%",
        "- {name: colours, kind: categorical, multivalued: true, encode: one_hot, vocabulary: {top_k: 2}}   # 2 "
        "different values, 1.0 in a row on average, e.g. 'red'",
        '- {name: genres, kind: categorical, multivalued: true, separator: "|", encode: one_hot, vocabulary: {top_k: '
        "2}}   # 2 different values, 2.0 in a row on average, e.g. 'wool', missing in 33.3%",
    ]
    assert [feature.kind for feature in check(tmp_path / "ranker.yaml").spec.features.document] == [
        "text",
        "date",
        "vector",
        "categorical",
        "categorical",
    ]


def test_what_is_known_of_judgments_is_named(tables, tmp_path):
    files = tables({"query": ["hat", "shoe"]}, {"title": ["a hat", "b hats", "c shoes"], "position": [4, 2, 2]})
    more = ["position,judged_at,importance,found_by", "1,2024-01-02,1,x", "2,2024-01-02,2,x", ",2024-01-04,,x"]
    lines = files[2].read_text().splitlines()
    files[2].write_text("".join(f"{line},{rest}\n" for line, rest in zip(lines, more, strict=True)))
    init(files, tmp_path / "ranker.yaml")
    data = check(tmp_path / "ranker.yaml").spec.data
    assert (data.position, data.timestamp, data.weight) == ("position", "judged_at", "importance")
    text = (tmp_path / "ranker.yaml").read_text()
    assert "# position is left out: a position is not known before documents are ranked" in text
    assert "# Not used, of the judgments: found_by. What is known of a document" in text


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_one_table_with_everything(tmp_path, ending):
    rows = [
        {
            "search_id": f"q{q}", "query": f"red hat {q % 3}", "asked_at": f"2024-01-{q + 1:02}T10:00:00Z",
            "sku": f"p{p}", "title": f"a hat of colour {p}", "price": 10.5 + p, "released": f"2023-0{p + 1}-01",
            "tags": f"x|y{p % 2}", "rank": p + 1, "grade": (q + p) % 3,
        }
        for q in range(8) for p in range(5)
    ]  # fmt: skip
    path = tmp_path / f"shown.{ending}"
    if ending == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif ending == "csv":
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    else:
        pa.parquet.write_table(pa.Table.from_pylist(rows), path)
    proposal = init([path], tmp_path / "ranker.yaml")
    assert proposal.roles.one_table
    spec = check(tmp_path / "ranker.yaml").spec
    assert (spec.data.sources[0].kind, spec.data.sources[0].file) == ("table", path.name)
    assert (spec.data.query_id, spec.data.document_id, spec.data.label) == ("search_id", "sku", "grade")
    assert (spec.data.timestamp, spec.data.position) == ("asked_at", "rank")
    assert [(f.name, f.kind) for f in spec.features.query] == [("query", "text")]
    kinds = [("title", "text"), ("price", "numeric"), ("released", "date"), ("tags", "categorical")]
    assert [(f.name, f.kind) for f in spec.features.document] == kinds


@pytest.mark.parametrize("name", ["icecat", "cranfield"])
@pytest.mark.skipif("RANKER_DATA" not in os.environ, reason="needs the public data in RANKER_DATA")
def test_public_collections_pass_check(name, tmp_path):
    files = sorted((Path(os.environ["RANKER_DATA"]) / name).iterdir())
    proposal = init(files, tmp_path / "ranker.yaml")
    assert proposal.roles.queries.path.name == "queries.jsonl"
    assert check(tmp_path / "ranker.yaml").spec.evaluation.baseline == "bm25"
