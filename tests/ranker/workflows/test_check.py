"""`check` finds all faults of a spec and of the first rows of its sources at once."""

from __future__ import annotations

import json
import typing

import pytest
from pydantic import BaseModel

from ranker.spec.data import Data
from ranker.workflows.check import _SOURCES, CheckError, check

SPEC = """\
version: 1
data:
  sources:
    - {kind: tables, queries: queries.jsonl, documents: products.jsonl, judgments: judgments.csv}
features:
  query: [{name: query, kind: text}]
  document:
    - {name: title, kind: text}
    - {name: price, kind: numeric}
  match: [{kind: bm25, query: query, document: title}]
models:
  - {name: trees, kind: lambdamart}
  - {name: bm25, kind: single_feature, feature: bm25_query_title}
blend: {members: [trees]}
evaluation: {metrics: [ndcg@10], baseline: bm25}
"""
QUERIES = [{"query_id": "q1", "query": "hat"}, {"query_id": "q2", "query": "red hat"}]
PRODUCTS = [
    {"document_id": "d1", "title": "a hat", "price": 3},
    {"document_id": "d2", "title": "a red hat", "price": None},
]
JUDGMENTS = "query_id,document_id,label\nq1,d1,1\nq1,d2,0\nq2,d2,2.5\n"


@pytest.fixture
def shop(tmp_path):
    """Writes a shop, changed by the arguments, and gives the path of its spec."""

    def write(spec=SPEC, queries=QUERIES, products=PRODUCTS, judgments=JUDGMENTS):
        (tmp_path / "ranker.yaml").write_text(spec)
        (tmp_path / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in queries))
        (tmp_path / "products.jsonl").write_text("".join(json.dumps(row) + "\n" for row in products))
        (tmp_path / "judgments.csv").write_text(judgments)
        return tmp_path / "ranker.yaml"

    return write


@pytest.fixture
def faults(shop, tmp_path):
    def lines(overrides=(), **changed):
        with pytest.raises(CheckError) as caught:
            check(shop(**changed), overrides)
        return str(caught.value).replace(f"{tmp_path}/", "").splitlines()

    return lines


def test_every_kind_of_source_is_looked_into():
    assert set(_SOURCES) == set(_kinds(Data.model_fields["sources"].annotation))


def _kinds(annotation) -> list[str]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return list(typing.get_args(annotation.model_fields["kind"].annotation))
    return [kind for part in typing.get_args(annotation) for kind in _kinds(part)]


def test_a_good_spec_says_what_was_looked_at(shop):
    checked = check(shop())
    assert [(file.role, file.rows, file.whole) for file in checked.files] == [
        ("queries", 2, True),
        ("documents", 2, True),
        ("judgments", 3, True),
    ]
    assert checked.spec.evaluation.metrics == ["ndcg@10"]


def test_all_faults_come_at_once(faults):
    spec = SPEC.replace("models:\n", "models: # two\n  - {name: net, kind: self_attention, width: 0}\n")
    found = faults(
        spec=spec.replace("ndcg@10", "ndgc@10").replace("queries.jsonl", "querys.jsonl"),
        products=[{"document_id": "", "title": ["a"], "price": "dear"}],
        judgments="query_id,document_id,label\n,d1,-1\nq1,d1,x\n",
    )
    assert found == [
        "ranker.yaml:12: models.0.width: Input should be greater than or equal to 1, got 0",
        "ranker.yaml:16: evaluation.metrics.0: metric 'ndgc@10': unknown name 'ndgc'; " + found[1].partition("; ")[2],
        "ranker.yaml:4: data.sources.0.queries: querys.jsonl: no such file; did you mean 'queries.jsonl'?",
        "products.jsonl: column 'document_id': expected an id, got nothing in row 1; 1 of 1 rows are like this",
        "products.jsonl: column 'title': expected text, got ['a'] in row 1; 1 of 1 rows are like this",
        "products.jsonl: column 'price': expected a finite number, got 'dear' in row 1; 1 of 1 rows are like this",
        "judgments.csv: column 'query_id': expected an id, got nothing in row 1; 1 of 2 rows are like this",
        "judgments.csv: column 'label': expected a number >= 0, got '-1' in row 1; 2 of 2 rows are like this",
        "judgments.csv: column 'document_id': none of its values is in products.jsonl; e.g. 'd1'",
    ]


@pytest.mark.parametrize(
    ("overrides", "fault"),
    [
        (["data.label=grade"], "judgments.csv: no column 'grade'; there are 'query_id', 'document_id', 'label'"),
        (
            ["features.document.1.name=prize"],
            "products.jsonl: no column 'prize'; there are 'document_id', 'title', 'price'; did you mean 'price'?",
        ),
        (["data.sources.0.judgments=no-*.csv"], "ranker.yaml (--set data.sources.0.judgments=no-*.csv): "
         "data.sources.0.judgments: no-*.csv: no file matches"),
        (["data.sources.0.judgments=$NO_SUCH_SHOP/j.csv"], "ranker.yaml (--set data.sources.0.judgments="
         "$NO_SUCH_SHOP/j.csv): data.sources.0.judgments: path '$NO_SUCH_SHOP/j.csv': environment variable "
         "NO_SUCH_SHOP is not set; set it, or write the path"),
    ],
)  # fmt: skip
def test_a_wrong_name_is_told(faults, overrides, fault):
    assert faults(overrides) == [fault]


def test_missing_numbers_and_texts_are_no_faults(shop):
    assert check(shop(products=[{"document_id": "d1", "title": None, "price": None}, {"document_id": "d2"}]))


def test_a_missing_label_is_a_fault(faults):
    [fault] = faults(judgments="query_id,document_id,label\nq1,d1,\n")
    assert "column 'label': expected a number >= 0, got nothing in row 1" in fault


def test_files_are_looked_into_although_the_features_are_wrong(faults):
    first, second = faults(spec=SPEC.replace("kind: numeric", "kind: numerik"), judgments="a,b\n1,2\n")[:2]
    assert first.startswith("ranker.yaml:9: features.document.1: ")
    assert second.startswith("judgments.csv: no column 'query_id'; there are 'a', 'b'")


def test_one_table_with_everything_is_looked_into(shop, faults, tmp_path):
    spec = shop(
        spec=SPEC.replace("tables, queries: queries.jsonl, documents: products.jsonl, judgments:", "table, file:")
    )
    table = "query_id,query,document_id,title,price,label\nq1,hat,d1,a hat,3,1\nq1,hat,d2,a red hat,,0\n"
    (tmp_path / "judgments.csv").write_text(table)
    assert [(file.role, file.rows) for file in check(spec).files] == [("file", 2)]
    assert faults(spec=spec.read_text(), judgments=table.replace(",3,1", ",dear,-1").replace("title", "name")) == [
        "judgments.csv: column 'label': expected a number >= 0, got '-1' in row 1; 1 of 2 rows are like this",
        "judgments.csv: no column 'title'; there are 'query_id', 'query', 'document_id', 'name', 'price', 'label'",
        "judgments.csv: column 'price': expected a finite number, got 'dear' in row 1; 1 of 2 rows are like this",
    ]


def test_another_separator_is_guessed(faults):
    found = faults(judgments=JUDGMENTS.replace(",", ";"))
    assert all("its values seem to be separated by ';', expected commas" in fault for fault in found)


def test_only_the_first_rows_are_read(shop):
    rows = "".join(f"q1,d{row},1\n" for row in range(1, 1001))
    checked = check(shop(judgments=f"query_id,document_id,label\n{rows}q1,d1,-1\n"))
    assert (checked.files[2].rows, checked.files[2].whole) == (1000, False)


def test_the_first_file_of_a_pattern_is_looked_into(shop, tmp_path):
    spec = shop()
    (tmp_path / "more-judgments.csv").write_text(JUDGMENTS)
    seen = check(spec, ["data.sources.0.judgments='*judgments.csv'"]).files[2]
    assert (seen.path, seen.whole) == (tmp_path / "judgments.csv", False)
