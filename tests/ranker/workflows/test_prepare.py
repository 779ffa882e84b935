"""`prepare` against the source it read, twice, and on data that cannot be used."""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from pathlib import Path

import pytest
import tensorflow as tf
from tensorflow_serving.apis import input_pb2

from ranker.data.artefacts import ArtefactError
from ranker.data.dataset import Dataset
from ranker.data.elwc.records import read_raw
from ranker.data.source import source_files
from ranker.data.split import SPLITS, splits_of
from ranker.data.tables.connector import DataError
from ranker.errors import RankerError
from ranker.spec import Spec, load_spec
from ranker.workflows.prepare import prepare


@pytest.fixture(scope="module")
def judged(store_spec) -> dict[str, dict[str, float]]:
    """Labels by query and document, as the judgments file says."""
    labels: dict[str, dict[str, float]] = defaultdict(dict)
    with source_files(store_spec)["judgments"][0].open() as file:
        for row in csv.DictReader(file):
            labels[row["query_id"]][row["document_id"]] = float(row["label"])
    return labels


@pytest.fixture(scope="module")
def lists(dataset):
    """The raw lists of each split."""
    return {split: list(read_raw(dataset.raw(split), dataset.columns)) for split in SPLITS}


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


# --- the dataset is the source ---------------------------------------------------------------------------------------


def test_the_counts_are_those_of_the_source(dataset, store_spec, judged):
    split_of = dict(zip(judged, splits_of(judged, store_spec.data.split), strict=True))
    expected = {split: Counter() for split in SPLITS}
    for query, labels in judged.items():
        expected[split_of[query]].update(
            lists=1, documents=len(labels), lists_without_relevant=int(max(labels.values()) == 0)
        )
    counted = {
        split: {what: counts[what] for what in expected[split]} for split, counts in dataset.manifest["splits"].items()
    }
    assert counted == expected
    assert sum(counts["lists_without_relevant"] for counts in expected.values()) > 0, "the data has the hard case"


def test_every_list_is_in_one_split_with_all_its_labels(lists, judged):
    queries = [one.request.query_id for split in SPLITS for one in lists[split]]
    assert len(queries) == len(set(queries))
    found = {
        one.request.query_id: dict(zip(one.request.document_ids, one.labels.tolist(), strict=True))
        for split in SPLITS
        for one in lists[split]
    }
    assert found == judged


def test_raw_lists_hold_the_source_values(lists, store_spec):
    files = {role: paths[0] for role, paths in source_files(store_spec).items()}
    queries, documents = (
        {row[key]: row for row in map(json.loads, files[role].read_text().splitlines())}
        for role, key in (("queries", "query_id"), ("documents", "document_id"))
    )
    for one in lists["valid"]:
        tensors, query = one.request.tensors, queries[one.request.query_id]
        assert [tensors[name][0].decode() for name in ("query", "segment")] == [query["query"], query["segment"]]
        for at, document in enumerate(documents[i] for i in one.request.document_ids):
            assert tensors["title"][0, at].decode() == document["title"]
            price = tensors["price"][0, at]
            assert (document["price"] is None) == (price != price)
            assert document["price"] is None or price == tf.constant(document["price"], tf.float32).numpy()


@pytest.mark.parametrize("split", SPLITS)
def test_packed_lists_are_the_raw_ones_in_their_order(dataset, lists, split):
    packed = [
        input_pb2.ExampleListWithContext.FromString(record)
        for record in tf.data.TFRecordDataset([str(file) for file in dataset.packed(split)]).as_numpy_iterator()
    ]
    for elwc, one in zip(packed, lists[split], strict=True):
        assert elwc.context.features.feature["query_id"].bytes_list.value[0].decode() == one.request.query_id
        features = [example.features.feature for example in elwc.examples]
        assert [feature["label"].float_list.value[0] for feature in features] == one.labels.tolist()
        assert {len(feature["dense"].float_list.value) for feature in features} == {len(dataset.layout.dense)}


def test_the_manifest_names_the_sources_by_their_content(dataset, store_spec):
    sources = dataset.manifest["sources"]
    assert sources.keys() == {"queries", "documents", "judgments"}
    for role, (path,) in source_files(store_spec).items():
        (source,) = sources[role]
        assert source["file"] == path.name
        assert source["bytes"] == len(path.read_bytes())
        assert len(source["sha256"]) == 64
    assert len({source["sha256"] for (source,) in sources.values()}) == 3


def test_a_second_run_gives_the_same_bytes(dataset, store_spec, progress, tmp_path):
    """In place of another dataset, which goes; temporary names and times do not get into the records."""
    out = tmp_path / "dataset"
    out.mkdir()
    (out / "manifest.json").write_text("of an older dataset")
    (out / "old").write_text("of an older dataset")
    manifest = prepare(store_spec, out, progress)
    assert [entry.name for entry in tmp_path.iterdir()] == ["dataset"]
    again, first = Dataset(out).manifest, dict(dataset.manifest)
    assert json.loads(json.dumps(manifest)) == again
    assert again.pop("seconds").keys() == first.pop("seconds").keys()
    assert again == first
    assert (out / "schema.pbtxt").read_bytes() == (dataset.path / "schema.pbtxt").read_bytes()
    for folder in ("examples", "raw", "collection", "statistics"):
        first, second = files_of(dataset.path / folder), files_of(out / folder)
        assert second == first
        assert first
    assert files_of(out).keys() == files_of(dataset.path).keys()


# --- data that cannot be used ----------------------------------------------------------------------------------------


@pytest.fixture
def shop(tmp_path):
    """`shop(judgments=..., documents=...)` is the spec of a tiny shop with some tables changed."""
    tables = {
        "queries.jsonl": "".join(f'{{"query_id": "q{i}", "query": "hat {i % 3}"}}\n' for i in range(40)),
        "documents.jsonl": "".join(f'{{"document_id": "d{i}", "title": "hat {i}", "price": {i}}}\n' for i in range(3)),
        "judgments.csv": "query_id,document_id,label\n" + "".join(f"q{i},d{i % 3},1\n" for i in range(40)),
    }
    text = """\
version: 1
data: {sources: [{kind: tables, queries: queries.jsonl, documents: documents.jsonl, judgments: judgments.csv}]}
features:
  query: [{name: query, kind: text}]
  document: [{name: title, kind: text}, {name: price, kind: numeric}]
  match: [{kind: bm25, query: query, document: title}]
models: [{name: trees, kind: lambdamart}]
blend: {members: [trees]}
"""

    def spec(changed: dict[str, str | None] | None = None, overrides: tuple[str, ...] = ()) -> Spec:
        folder = tmp_path / "shop"
        folder.mkdir()
        (folder / "ranker.yaml").write_text(text)
        for name, content in (tables | (changed or {})).items():
            if content is not None:
                (folder / name).write_text(content)
        return load_spec(folder / "ranker.yaml", overrides)

    return spec


@pytest.fixture
def out(tmp_path):
    """A place with a dataset made before; the test may not change it."""
    place = tmp_path / "artefacts"
    (place / "dataset").mkdir(parents=True)
    (place / "dataset" / "manifest.json").write_text("made before")
    yield place / "dataset"
    assert files_of(place) == {"dataset/manifest.json": b"made before"}
    assert [entry.name for entry in place.iterdir()] == ["dataset"]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"documents.jsonl": '{"document_id": "d1", "price": 1}\n'}, r"documents\.jsonl: no column 'title'"),
        ({"queries.jsonl": None}, r"queries\.jsonl: cannot read: No such file or directory; the spec's data\.sources"),
        ({"judgments.csv": "query_id,document_id,label\n"}, r"judgments\.csv: no rows"),
    ],
    ids=["missing column", "missing file", "no rows"],
)
def test_bad_data_is_told_as_it_is_and_the_old_dataset_stays(shop, out, progress, changed, message):
    """Beam runs the connector and passes on what it raises, of its own class; its note of the step is taken off."""
    with pytest.raises(DataError, match=message) as caught:
        prepare(shop(changed), out, progress)
    assert isinstance(caught.value, RankerError)
    assert "Traceback" not in str(caught.value)
    assert "while running" not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def judgments(*more: str) -> str:
    return "query_id,document_id,label\n" + "".join(f"q{i},d{i % 3},1\n" for i in range(40)) + "".join(more)


def test_rows_that_cannot_be_used_are_set_aside_and_counted(shop, tmp_path, progress):
    spec = shop({"judgments.csv": judgments("q1,d9,1\n", "q2,d2,1\n", "q3,d0,-1\n", "q4,d0,x\n")})
    manifest = prepare(spec, tmp_path / "dataset", progress, most_rejected=0.1)
    assert manifest["rejected"] == {"unknown document id": 1, "duplicate (query, document) pair": 1, "bad label": 2}
    assert sum(counts["documents"] for counts in manifest["splits"].values()) == 40
    rows = [
        json.loads(line) for f in (tmp_path / "dataset" / "rejected").iterdir() for line in f.read_text().splitlines()
    ]
    assert sorted((row["file"], row["line"], row["reason"]) for row in rows) == [
        ("judgments.csv", 42, "unknown document id"),
        ("judgments.csv", 43, "duplicate (query, document) pair"),
        ("judgments.csv", 44, "bad label"),
        ("judgments.csv", 45, "bad label"),
    ]


def test_more_of_them_than_tolerated_fail_the_run_with_the_commonest_reasons(shop, out, progress):
    spec = shop({"judgments.csv": judgments("q1,d9,1\n", "q2,d9,1\n", "q3,d0,-1\n")})
    with pytest.raises(DataError) as caught:
        prepare(spec, out, progress, most_rejected=0.05)
    first, *examples = str(caught.value).splitlines()
    assert first.startswith(
        "3 of 43 rows of judgments.csv cannot be used, more than the 5.00% that --max-rejected tolerates: 2 x unknown"
    )
    assert any("judgments.csv:42: unknown document id: " in example for example in examples)
    kept = out.parent / "dataset.rejected.jsonl"
    assert str(kept) in first
    assert sorted(json.loads(row)["line"] for row in kept.read_text().splitlines()) == [42, 43, 44]
    kept.unlink()


def test_rows_that_are_made_hide_none_that_cannot_be_used(shop, out, progress):
    """Every test list has all documents, sampled ones are added to the others: rows of lists, not of judgments."""
    documents = "".join(f'{{"document_id": "d{i}", "title": "hat {i}", "price": {i}}}\n' for i in range(500))
    bad = "".join(f"q{i},unknown,1\n" for i in range(20))
    changed = {"documents.jsonl": documents, "judgments.csv": judgments(bad)}
    spec = shop(changed, ("data.candidates={from: sample, n: 50}",))
    with pytest.raises(DataError, match=r"20 of 60 rows of judgments\.csv cannot be used"):
        prepare(spec, out, progress)
    (out.parent / "dataset.rejected.jsonl").unlink()


def test_each_table_has_its_share(shop, tmp_path, progress):
    """A bad row of many products is one of them, not of the few judgments."""
    documents = "".join(f'{{"document_id": "d{i}", "title": "hat {i}", "price": {i}}}\n' for i in range(500))
    manifest = prepare(shop({"documents.jsonl": documents + "{\n"}), tmp_path / "dataset", progress)
    assert manifest["read"]["documents.jsonl"] == {"rows": 501, "rejected": 1}
    assert manifest["read"]["judgments.csv"] == {"rows": 40, "rejected": 0}


def test_a_dataset_that_lacks_a_file_is_made_anew(shop, tmp_path, progress):
    spec, place = shop(), tmp_path / "dataset"
    prepare(spec, place, progress)
    next((place / "examples").iterdir()).unlink()
    manifest = prepare(spec, place, progress)
    assert all((place / name).exists() for name in manifest["files"])


def test_the_dataset_may_be_the_current_folder(shop, tmp_path, progress, monkeypatch):
    spec = shop()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    prepare(spec, Path(), progress)
    assert (tmp_path / "here" / "manifest.json").exists()


def test_the_rows_of_a_run_that_failed_go_when_the_next_succeeds(shop, tmp_path, progress):
    spec = shop({"judgments.csv": judgments("q1,d9,1\n", "q2,d9,1\n", "q3,d0,-1\n")})
    with pytest.raises(DataError):
        prepare(spec, tmp_path / "dataset", progress, most_rejected=0.05)
    assert (tmp_path / "dataset.rejected.jsonl").exists()
    prepare(spec, tmp_path / "dataset", progress, most_rejected=0.1)
    assert not (tmp_path / "dataset.rejected.jsonl").exists()


def test_a_run_that_finds_nothing_changed_does_nothing(shop, tmp_path, progress):
    spec, place = shop(), tmp_path / "dataset"
    manifest = prepare(spec, place, progress)
    made, stages = (place / "manifest.json").stat().st_ino, len(progress.stages)
    assert prepare(spec, place, progress) == json.loads(json.dumps(manifest))
    assert progress.stages[stages:] == ["fingerprint the sources"]
    assert (place / "manifest.json").stat().st_ino == made
    with (tmp_path / "shop" / "queries.jsonl").open("a") as queries:
        queries.write('{"query_id": "q99", "query": "cap"}\n')
    assert prepare(spec, place, progress)["unused"] == {"query without judgments": 1}
    made = (place / "manifest.json").stat().st_ino
    prepare(spec, place, progress, force=True)
    assert (place / "manifest.json").stat().st_ino != made


def test_a_dataset_made_before_takes_the_models_of_the_spec_and_the_tolerance_of_the_run(shop, tmp_path, progress):
    spec, place = shop({"judgments.csv": judgments("q1,d9,1\n")}), tmp_path / "dataset"
    prepare(spec, place, progress, most_rejected=0.1)
    changed = load_spec(tmp_path / "shop" / "ranker.yaml", ["models.0.leaves=7"])
    made = (place / "transform").stat().st_ino
    manifest = prepare(changed, place, progress, most_rejected=0.1)
    assert (place / "transform").stat().st_ino == made
    assert manifest == Dataset(place).manifest
    assert Dataset(place).spec.models[0].leaves == 7
    with pytest.raises(DataError, match=r"1 of 41 rows of judgments\.csv cannot be used"):
        prepare(changed, place, progress)


def test_a_feature_that_knows_the_label_is_told(shop, tmp_path, progress):
    documents = "".join(f'{{"document_id": "d{i}", "title": "hat", "price": {i % 2}}}\n' for i in range(4))
    pairs = "".join(f"q{i},d{j},{j % 2}\n" for i in range(40) for j in range(4))
    spec = shop({"documents.jsonl": documents, "judgments.csv": "query_id,document_id,label\n" + pairs})
    manifest = prepare(spec, tmp_path / "dataset", progress)
    (warning,) = manifest["leaks"]
    assert warning in manifest["warnings"]
    assert warning.startswith("feature 'price' alone orders the training lists with NDCG 1.0000")


def test_data_that_the_checks_refuse_makes_no_dataset(shop, tmp_path, progress):
    """No list of the test split has a price, and each training list has."""
    rows = [json.dumps({"document_id": f"d{i}", "title": "hat", "price": i if i < 600 else None}) for i in range(1200)]
    texts = dict.fromkeys(("train", "valid", "test"), "query_id,document_id,label\n")
    for i in range(600):
        texts["train"] += f"q{i},d{i},1\n"
        texts["test" if i % 2 else "valid"] += f"x{i},d{600 + i},1\n"
    queries = "".join(f'{{"query_id": "{kind}{i}", "query": "hat"}}\n' for kind in "qx" for i in range(600))
    changed = {f"{split}.csv": text for split, text in texts.items()}
    changed |= {"documents.jsonl": "\n".join(rows), "queries.jsonl": queries}
    files = "data.sources.0.judgments={train: train.csv, valid: valid.csv, test: test.csv}"
    spec = shop(changed, (files, "validation.missing.action=fail"))
    with pytest.raises(RankerError, match=r"(?s)says that this data must not be used:.*column 'price'.*missing"):
        prepare(spec, tmp_path / "dataset", progress)
    assert not (tmp_path / "dataset").exists()
    tolerant = load_spec(tmp_path / "shop" / "ranker.yaml", [files])
    manifest = prepare(tolerant, tmp_path / "dataset", progress)
    assert any("column 'price'" in warning for warning in manifest["warnings"])
    passing = load_spec(tmp_path / "shop" / "ranker.yaml", [files, "validation.columns={price: {action: ignore}}"])
    again = prepare(passing, tmp_path / "dataset", progress)
    assert not any("column 'price'" in warning for warning in again["warnings"])
    assert again["key"] == manifest["key"]


def test_rejected_rows_are_counted_for_their_split(shop, tmp_path, progress):
    spec = shop({"judgments.csv": judgments("q1,d9,1\n", "q3,d0,-1\n", "q4,d0,x\n", ",d0,1\n")})
    manifest = prepare(spec, tmp_path / "dataset", progress, most_rejected=0.2)
    assert manifest["rejected"] == {"bad label": 2, "missing query id": 1, "unknown document id": 1}
    split_of = dict(zip(("q1", "q3"), splits_of(("q1", "q3"), spec.data.split), strict=True))
    expected = {split: Counter() for split in SPLITS}
    for query, reason in (
        ("q1", "unknown document id"),
        ("q3", "bad label"),
    ):  # x is no label: its row is not looked at
        expected[split_of[query]][reason] += 1
    found = {split: manifest["splits"][split]["rejected"] for split in SPLITS}
    assert {split: Counter(reasons) for split, reasons in found.items()} == expected


def test_an_option_that_beam_does_not_have_is_refused(shop, out, progress):
    with pytest.raises(RankerError, match="unknown option --direct_num_workrs"):
        prepare(shop(), out, progress, ["--direct_num_workrs=2"])


@pytest.mark.parametrize("options", [["other.yaml"], ["--runner=FnApiRunner", "x"], ["x", "--streaming"]])
def test_an_argument_that_nobody_takes_is_refused(shop, out, progress, options):
    with pytest.raises(RankerError, match=r"unexpected argument '(x|other\.yaml)'"):
        prepare(shop(), out, progress, options)


def test_a_mistyped_metric_is_named_before_any_work(shop, out, progress):
    stages = len(progress.stages)
    with pytest.raises(RankerError, match="unknown name 'ndgc'"):
        prepare(shop(overrides=("evaluation.metrics=[ndgc@5]",)), out, progress)
    assert len(progress.stages) == stages


def test_a_split_without_lists_is_refused(shop, out, progress):
    with pytest.raises(DataError, match="no lists in the valid split"):
        prepare(shop(overrides=("data.split.valid=0.0001",)), out, progress)


def test_a_folder_with_something_else_in_it_is_not_replaced(shop, tmp_path, progress):
    spec = shop()
    before = files_of(tmp_path)
    with pytest.raises(ArtefactError, match="neither an artefact nor an empty folder"):
        prepare(spec, tmp_path / "shop", progress)
    assert files_of(tmp_path) == before
