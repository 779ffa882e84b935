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
        return str(caught.value).replace(f"{tmp_path}/", "").replace(" are like this", "").splitlines()

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
        "ranker.yaml:2: data.query_id: judgments.csv:2: column 'query_id': expected an id, got nothing; 1 of 2 rows",
        "ranker.yaml:2: data.document_id: products.jsonl:1: column 'document_id': expected an id, got nothing; 1 of 1 "
        "rows",
        "ranker.yaml:2: data.label: judgments.csv:2: column 'label': expected a number >= 0, got '-1'; 2 of 2 rows",
        "ranker.yaml:8: features.document.0: products.jsonl:1: column 'title': expected text, got ['a']; 1 of 1 rows",
        "ranker.yaml:9: features.document.1: products.jsonl:1: column 'price': expected a finite number, got 'dear'; "
        "1 of 1 rows",
        "ranker.yaml:2: data.document_id: judgments.csv:2: column 'document_id': none of its values is in "
        "products.jsonl; e.g. 'd1'",
    ]


@pytest.mark.parametrize(
    ("overrides", "fault"),
    [
        (["data.label=grade"], "ranker.yaml (--set data.label=grade): data.label: judgments.csv: no column 'grade'; "
         "there are 'query_id', 'document_id', 'label'"),
        (["features.document.1.name=prize"], "ranker.yaml:9 (with --set features.document.1.name=prize): "
         "features.document.1: products.jsonl: no column 'prize'; there are 'document_id', 'title', 'price'; did you "
         "mean 'price'?"),
        (["data.weight=importance"], "ranker.yaml (--set data.weight=importance): data.weight: in neither table: "
         "judgments.csv: no column 'importance'; there are 'query_id', 'document_id', 'label'; queries.jsonl: no "
         "column "
         "'importance'; there are 'query_id', 'query'"),
        (["data.position=shown"], "ranker.yaml (--set data.position=shown): data.position: judgments.csv: no column "
         "'shown'; there are 'query_id', 'document_id', 'label'"),
        (["data.sources.0.judgments=no-*.csv"], "ranker.yaml (--set data.sources.0.judgments=no-*.csv): "
         "data.sources.0.judgments: no-*.csv: no file matches; the spec's data.sources names it"),
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
    assert "judgments.csv:2: column 'label': expected a number >= 0, got nothing" in fault


def test_files_are_looked_into_although_the_features_are_wrong(faults):
    first, second = faults(spec=SPEC.replace("kind: numeric", "kind: numerik"), judgments="a,b\n1,2\n")[:2]
    assert first.startswith("ranker.yaml:9: features.document.1: ")
    assert second.startswith("ranker.yaml:2: data.query_id: judgments.csv: no column 'query_id'; there are 'a', 'b'")


def test_one_table_with_everything_is_looked_into(shop, faults, tmp_path):
    spec = shop(
        spec=SPEC.replace("tables, queries: queries.jsonl, documents: products.jsonl, judgments:", "table, file:")
    )
    table = "query_id,query,document_id,title,price,label\nq1,hat,d1,a hat,3,1\nq1,hat,d2,a red hat,,0\n"
    (tmp_path / "judgments.csv").write_text(table)
    assert [(file.role, file.rows) for file in check(spec).files] == [("file", 2)]
    assert faults(spec=spec.read_text(), judgments=table.replace(",3,1", ",dear,-1").replace("title", "name")) == [
        "ranker.yaml:2: data.label: judgments.csv:2: column 'label': expected a number >= 0, got '-1'; 1 of 2 rows",
        "ranker.yaml:8: features.document.0: judgments.csv: no column 'title'; there are 'query_id', 'query', "
        "'document_id', 'name', 'price', 'label'",
        "ranker.yaml:9: features.document.1: judgments.csv:2: column 'price': expected a finite number, got 'dear'; 1 "
        "of 2 rows",
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


# --- all that tables can hold -----------------------------------------------------------------------------------------

WIDE = """\
version: 1
data:
  sources: [{kind: tables, queries: queries.jsonl, documents: products.jsonl, judgments: judgments.csv}]
  weight: importance
  position: shown
  timestamp: asked
features:
  query:
    - {name: query, kind: text}
    - {name: born, kind: date}
  document:
    - {name: released, kind: date}
    - {name: genres, kind: categorical, multivalued: true}
    - {name: tags, kind: categorical, multivalued: true, separator: "|"}
    - {name: image, kind: vector, width: 2}
  pair: [{name: bids, kind: numeric}]
models: [{name: trees, kind: lambdamart}]
blend: {members: [trees]}
"""
ASKED = [{"query_id": "q1", "query": "hat", "born": None, "importance": 2, "asked": "2024-05-01"}]
FILMS = [{"document_id": "d1", "released": 86400, "genres": ["a", "b"], "tags": "x|y", "image": [1, 2.5]}]
SHOWN = "query_id,document_id,label,shown,bids\nq1,d1,1,1,3\nq1,d1,1,,\n"


@pytest.fixture
def cinema(shop):
    def write(spec=WIDE, queries=ASKED, products=FILMS, judgments=SHOWN):
        return shop(spec, queries, products, judgments)

    return write


def test_columns_of_all_kinds_are_good(cinema):
    assert [file.rows for file in check(cinema()).files] == [1, 1, 2]
    asked = "query_id,document_id,label,shown,bids,asked,importance\nq1,d1,1,1,3,1714557600,0.5\n"
    assert check(cinema(queries=[{"query_id": "q1", "query": "hat", "born": 0}], judgments=asked))


def test_values_of_all_kinds_are_looked_into(faults):
    found = faults(
        spec=WIDE,
        queries=[ASKED[0] | {"born": "soon", "importance": -1, "asked": "yesterday"}],
        products=[FILMS[0], FILMS[0] | {"released": True, "genres": [["a"]], "tags": {"a": 1}, "image": [1, 2, 3]}],
        judgments=SHOWN.replace(",1,1,3", ",1,0,x"),
    )
    date = "expected a date: seconds since 1970, or a text such as 2024-05-01T10:00:00Z"
    texts = "expected a list of texts, or one text"
    assert found == [
        "ranker.yaml:4: data.weight: queries.jsonl:1: column 'importance': expected a number >= 0, got -1; 1 of 1 rows",
        "ranker.yaml:5: data.position: judgments.csv:2: column 'shown': expected a whole number >= 1, or nothing for "
        "a document that was not shown, got '0'; 1 of 2 rows",
        f"ranker.yaml:6: data.timestamp: queries.jsonl:1: column 'asked': {date}, got 'yesterday'; 1 of 1 rows",
        f"ranker.yaml:10: features.query.1: queries.jsonl:1: column 'born': {date}, got 'soon'; 1 of 1 rows",
        f"ranker.yaml:12: features.document.0: products.jsonl:2: column 'released': {date}, got True; 1 of 2 rows",
        f"ranker.yaml:13: features.document.1: products.jsonl:2: column 'genres': {texts}, got [['a']]; 1 of 2 rows",
        f"ranker.yaml:14: features.document.2: products.jsonl:2: column 'tags': {texts}, got {{'a': 1}}; 1 of 2 rows",
        "ranker.yaml:15: features.document.3: products.jsonl:2: column 'image': expected a vector of 2 finite "
        "numbers, got one of 3; 1 of 2 rows",
        "ranker.yaml:16: features.pair.0: judgments.csv:2: column 'bids': expected a finite number, got 'x'; 1 of 2 "
        "rows",
    ]


def test_lines_are_those_of_the_file(faults):
    found = faults(
        judgments='query_id,document_id,label\n\n"q\n1",d1,1\n\nq2,d2,bad\n',
        products=[*PRODUCTS, {"document_id": None, "title": "", "price": 1}],
    )
    assert [line.partition(": column")[0] for line in found] == [
        "ranker.yaml:2: data.document_id: products.jsonl:3",
        "ranker.yaml:2: data.label: judgments.csv:6",
    ]


def test_pair_features_are_columns_of_the_candidates(cinema, faults, tmp_path):
    spec = WIDE.replace("  weight:", "  candidates: {from: table, file: found.jsonl}\n  weight:")
    judgments = SHOWN.replace("bids", "other")
    [missing] = faults(spec=spec, queries=ASKED, products=FILMS, judgments=judgments)
    assert missing == "ranker.yaml:4: data.candidates.file: found.jsonl: no such file; did you mean 'products.jsonl'?"
    rows = [{"query_id": "q1", "document_id": "d9", "bids": 1}]
    (tmp_path / "found.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    [alien] = faults(spec=spec, queries=ASKED, products=FILMS, judgments=judgments)
    assert alien == (
        "ranker.yaml:2: data.document_id: found.jsonl:1: column 'document_id': none of its values is in "
        "products.jsonl; "
        "e.g. 'd9'"
    )
    rows = [{"query_id": "q1", "document_id": "d1", "bids": 1}, {"query_id": None, "document_id": "d1", "bids": "x"}]
    (tmp_path / "found.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert faults(spec=spec, queries=ASKED, products=FILMS, judgments=judgments) == [
        "ranker.yaml:2: data.query_id: found.jsonl:2: column 'query_id': expected an id, got nothing; 1 of 2 rows",
        "ranker.yaml:17: features.pair.0: found.jsonl:2: column 'bids': expected a finite number, got 'x'; 1 of 2 rows",
    ]
    (tmp_path / "found.jsonl").write_text(json.dumps(rows[0]) + "\n")
    seen = check(cinema(spec, judgments=judgments)).files
    assert [(file.role, file.rows) for file in seen][3:] == [("candidates", 1)]


def test_each_file_of_given_splits_is_looked_into(shop, faults, tmp_path):
    spec = SPEC.replace("judgments: judgments.csv", "judgments: {train: judgments.csv, valid: v.csv, test: t.csv}")
    (tmp_path / "v.csv").write_text(JUDGMENTS)
    (tmp_path / "t.csv").write_text(JUDGMENTS)
    assert [(file.role, file.path.name) for file in check(shop(spec)).files][2:] == [
        ("judgments (train)", "judgments.csv"),
        ("judgments (valid)", "v.csv"),
        ("judgments (test)", "t.csv"),
    ]
    (tmp_path / "v.csv").unlink()
    (tmp_path / "t.csv").write_text(JUDGMENTS.replace("q1,d2,0", "q1,d2,-1"))
    assert faults(spec=spec) == [
        "ranker.yaml:4: data.sources.0.judgments.valid: v.csv: no such file; did you mean 't.csv'?",
        "ranker.yaml:2: data.label: t.csv:3: column 'label': expected a number >= 0, got '-1'; 1 of 3 rows",
    ]


def test_each_file_of_one_table_is_looked_into(shop, tmp_path):
    spec = SPEC.replace(
        "tables, queries: queries.jsonl, documents: products.jsonl, judgments: judgments.csv",
        "table, file: {train: judgments.csv, test: t.csv}",
    )
    (tmp_path / "t.csv").write_text("query_id,query,document_id,title,price,label\nq1,hat,d1,a hat,3,1\n")
    with pytest.raises(CheckError) as caught:
        check(shop(spec))
    assert [
        fault.partition(": no column")[0] for fault in str(caught.value).replace(f"{tmp_path}/", "").splitlines()
    ] == [
        "ranker.yaml:6: features.query.0: judgments.csv",
        "ranker.yaml:8: features.document.0: judgments.csv",
        "ranker.yaml:9: features.document.1: judgments.csv",
    ]


CLICKS = """\
version: 1
data:
  sources:
    - kind: clicks
      queries: queries.jsonl
      documents: products.jsonl
      impressions: judgments.csv
      timestamp: at
      propensity: {by: regression_em, features: [score]}
features:
  query: [{name: query, kind: text}]
  document: [{name: title, kind: text}, {name: price, kind: numeric}]
models: [{name: trees, kind: lambdamart}]
blend: {members: [trees]}
"""


def test_impressions_are_looked_into(shop, faults):
    shown = "impression_id,query_id,document_id,position,clicked,at,score\ni1,q1,d1,1,1,2024-05-01,0.5\n"
    assert [file.role for file in check(shop(CLICKS, judgments=shown)).files] == ["queries", "documents", "impressions"]
    assert faults(spec=CLICKS, judgments=shown + ",q1,d2,,yes,soon,x\n") == [
        "ranker.yaml:4: data.sources.0.impression_id: judgments.csv:3: column 'impression_id': expected an id, got "
        "nothing; 1 of 2 rows",
        "ranker.yaml:4: data.sources.0.position: judgments.csv:3: column 'position': expected a whole number >= 1, got "
        "nothing; 1 of 2 rows",
        "ranker.yaml:4: data.sources.0.clicked: judgments.csv:3: column 'clicked': expected 1 for a click, or 0, got "
        "'yes'; 1 of 2 rows",
        "ranker.yaml:8: data.sources.0.timestamp: judgments.csv:3: column 'at': expected a date: seconds since 1970, "
        "or a text such as 2024-05-01T10:00:00Z, got 'soon'; 1 of 2 rows",
        "ranker.yaml:9: data.sources.0.propensity.features.0: judgments.csv:3: column 'score': expected a finite "
        "number, got 'x'; 1 of 2 rows",
    ]


def test_functions_of_computed_features_are_tried(shop, tmp_path):
    (tmp_path / "pricing.py").write_text("def cheap(price):\n    return -price\n")
    computed = "features.computed=[{name: cheapness, kind: code, code: 'pricing:%s', inputs: [price]}]"
    loaded = []
    assert check(shop(), [computed % "cheap"], lambda: loaded.append(True)).spec.features.computed
    assert loaded
    with pytest.raises(CheckError, match=r"features\.computed\.0.*pricing.*chaep"):
        check(shop(), [computed % "chaep"])


def test_functions_of_slices_are_found(shop, tmp_path):
    (tmp_path / "cuts.py").write_text("def cheap(price):\n    return price < 1\n")
    slices = "evaluation.slices=[{code: 'cuts:%s', inputs: [price], name: cheap}]"
    assert check(shop(), [slices % "cheap"])
    with pytest.raises(CheckError, match=r"evaluation\.slices: .*module cuts has no function 'chaep'"):
        check(shop(), [slices % "chaep"])
