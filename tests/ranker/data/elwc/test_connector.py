"""Lists of ExampleListWithContext files: against TF-Ranking's own parser, and what becomes of what cannot be used."""

from __future__ import annotations

import gzip
import json
import math
import pickle

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
import yaml
from tensorflow_serving.apis import input_pb2

from ranker.data.columns import MISSING_INT, raw_columns, schema_of
from ranker.data.data_error import DataError
from ranker.data.elwc import connector as elwc_source
from ranker.data.elwc.connector import open_elwc, read_elwc_shard, write_elwc
from ranker.data.elwc.texts import read_elwc_texts
from ranker.data.elwc.tf_records import write_records
from ranker.data.rejected_rows import RejectedRows
from ranker.data.source import open_source, source_files
from ranker.data.split import splits_of
from ranker.models.tensorflow_ranking import tfr
from ranker.spec import Spec, Split, load_spec

NAN = math.nan


def fill(message, features: dict) -> None:
    for name, values in features.items():
        values = values if isinstance(values, list) else [values]
        feature = message.features.feature[name]
        if isinstance(values[0], float):
            feature.float_list.value.extend(values)
        elif isinstance(values[0], int):
            feature.int64_list.value.extend(values)
        else:
            feature.bytes_list.value.extend(v if isinstance(v, bytes) else v.encode() for v in values)


def record(context: dict, *documents: dict) -> bytes:
    elwc = input_pb2.ExampleListWithContext()
    fill(elwc.context, context)
    for document in documents:
        fill(elwc.examples.add(), document)
    return elwc.SerializeToString()


@pytest.fixture
def elwc(tmp_path):
    """`elwc({file: records}, data=..., features=...)` is a spec beside these files; `source` has more of the source."""

    def spec(files: dict[str, list[bytes]], features: dict | None = None, source: dict | None = None, **data) -> Spec:
        for name, records in files.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            write_records(tmp_path / name, records, "gzip" if name.endswith(".gz") else None)
        content = {
            "version": 1,
            "data": {"sources": [{"kind": "elwc", "train": next(iter(files))} | (source or {})]} | data,
            "models": [{"name": "trees", "kind": "lambdamart"}],
            "blend": {"members": ["trees"]},
        } | ({"features": features} if features else {})
        (tmp_path / "ranker.yaml").write_text(yaml.safe_dump(content))
        return load_spec(tmp_path / "ranker.yaml")

    return spec


def read(spec: Spec, folder, lists_per_batch: int = 64):
    """Lists by split, those of each as rows; the spec with what was found; and what was set aside."""
    folder.mkdir(exist_ok=True)
    found: dict[str, list[dict]] = {}
    with RejectedRows(folder / "rejected.jsonl") as rejected:
        source = open_source(spec, folder / "temporary", rejected, lambda rows: None)
        for shard in pickle.loads(pickle.dumps(source.shards)):
            for part in source.read(shard, lists_per_batch, rejected):
                assert part.lists.schema == schema_of(source.spec)
                assert 0 < part.lists.num_rows <= lists_per_batch
                part.lists.validate(full=True)
                found.setdefault(part.split, []).extend(part.lists.to_pylist())
    assert sum(map(len, found.values())) <= source.lists
    return found, source.spec, rejected


def all_lists(found: dict[str, list[dict]]) -> dict[str, dict]:
    return {row["query_id"]: row for rows in found.values() for row in rows}


SIMPLE = [record({"query_id": f"q{q}"}, *({"label": float(d % 3), "f": q + d / 2} for d in range(3))) for q in range(9)]


# --- values -----------------------------------------------------------------------------------------------------------


def scalar_lists(seed: int = 0) -> list[bytes]:
    """Records as TF-Ranking's users have them: scalar features, here and there one is missing."""
    rng = np.random.default_rng(seed)
    records = []
    for query in range(12):
        documents = []
        for _ in range(rng.integers(1, 6)):
            document = {f"f{number}": float(np.float32(rng.normal())) for number in (1, 2, 10) if rng.random() < 0.9}
            documents.append(document | {"relevance": float(rng.integers(0, 4)), "clicks": int(rng.integers(0, 9))})
        records.append(record({"query_id": f"q{query}", "age": float(query)}, *documents))
    return records


@pytest.mark.parametrize(("name", "lists_per_batch"), [("a.tfrecord", 1), ("a.tfrecord", 100), ("a.gz", 5)])
def test_lists_are_those_that_tensorflow_ranking_parses(elwc, tmp_path, name, lists_per_batch):
    records = scalar_lists()
    found, spec, rejected = read(elwc({name: records}, label="relevance"), tmp_path / "run", lists_per_batch)
    vector = spec.features.document[0]
    assert (vector.columns, vector.width) == (["clicks", "f1", "f2", "f10"], 4), "in natural order"
    number, count = tf.io.FixedLenFeature([1], tf.float32, NAN), tf.io.FixedLenFeature([1], tf.int64, -1)
    parsed = tfr.data.parse_from_example_list(
        tf.constant(records),
        context_feature_spec={},
        example_feature_spec={n: count if n == "clicks" else number for n in ("relevance", *vector.columns)},
        size_feature_name="size",
    )
    rows = all_lists(found)
    assert rows.keys() == {f"q{query}" for query in range(12)}
    for query, size in enumerate(parsed["size"].numpy().tolist()):
        row = rows[f"q{query}"]
        assert row["document_id"] == [str(place) for place in range(size)]
        np.testing.assert_array_equal(row["label"], parsed["relevance"].numpy()[query, :size, 0])
        expected = np.stack([parsed[n].numpy()[query, :size, 0].astype(np.float32) for n in vector.columns], axis=1)
        np.testing.assert_array_equal(np.array(row["features"], np.float32), expected)
    assert rejected.total == 0


ALL_KINDS = {
    "query": [{"name": "query", "kind": "text"}, {"name": "age", "kind": "numeric"},
              {"name": "likes", "kind": "categorical", "multivalued": True}],
    "document": [
        {"name": "title", "kind": "text"},
        {"name": "price", "kind": "numeric"},
        {"name": "brand", "kind": "categorical"},
        {"name": "genres", "kind": "categorical", "multivalued": True},
        {"name": "released", "kind": "date"},
        {"name": "embedding", "kind": "vector", "width": 2},
        {"name": "scores", "kind": "vector", "columns": ["s2", "s1"]},
    ],
    "match": [{"kind": "bm25", "query": "query", "document": "title"}],
}  # fmt: skip

FULL = record(
    {"qid": 17, "query": ["red", "shoe"], "age": 3, "likes": ["x", "y", "x"], "asked": 1_000},
    {"did": "007", "grade": 2, "title": "Red Shoe", "price": 1.5, "brand": 12, "genres": ["a", "b"],
     "released": "1970-01-02", "embedding": [0.5, 1.0], "s1": 1.0, "s2": 2.0, "w": 0.5, "rank": 1},
    {"did": 7, "grade": 0.0, "asked": 2_000},
)  # fmt: skip
NAMES = {"query_id": "qid", "document_id": "did", "label": "grade", "weight": "w", "position": "rank",
         "timestamp": "asked"}  # fmt: skip


def test_each_kind_of_feature(elwc, tmp_path):
    found, _, rejected = read(elwc({"a": [FULL, *more_lists()]}, ALL_KINDS, **NAMES), tmp_path / "run")
    row = all_lists(found)["17"]
    assert rejected.total == 0
    assert list(row) == ["query_id", "query", "age", "likes", "timestamp", "document_id", "label", "weight", "position",
                         "title", "price", "brand", "genres", "released", "embedding", "scores"]  # fmt: skip
    expected = {
        "timestamp": 2_000, "query": "red shoe", "age": 3.0, "likes": ["x", "y"],
        "document_id": ["007", "7"], "label": [2.0, 0.0], "weight": [0.5, 1.0], "position": [1, 0],
        "title": ["Red Shoe", ""], "brand": ["12", ""], "genres": [["a", "b"], []], "released": [86_400, MISSING_INT],
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    for name, values in {
        "price": [1.5, NAN],
        "embedding": [[0.5, 1], [NAN] * 2],
        "scores": [[2, 1], [NAN] * 2],
    }.items():
        np.testing.assert_array_equal(row[name], values)


def more_lists() -> list[bytes]:
    return [record({"qid": f"more{q}"}, {"did": 1, "grade": 0.0, "s1": 1.0, "s2": 1.0}) for q in range(30)]


def test_weight_and_timestamp_of_the_context_are_those_of_its_documents(elwc, tmp_path):
    records = [
        record({"query_id": "a", "w": 3.0, "asked": 50}, {"label": 1.0, "f": 1.0}, {"label": 0.0, "f": 1.0, "w": 2.0}),
        record({"query_id": "b"}, {"label": 1.0, "f": 1.0}),
    ]
    found, _, _ = read(elwc({"a": records + SIMPLE}, weight="w", timestamp="asked"), tmp_path / "run")
    rows = all_lists(found)
    assert (rows["a"]["weight"], rows["a"]["timestamp"]) == ([3.0, 2.0], 50)
    assert (rows["b"]["weight"], rows["b"]["timestamp"]) == ([1.0], MISSING_INT)


def test_what_is_written_reads_back(elwc, tmp_path):
    """All kinds of features, by the writer that is for users."""
    found, spec, _ = read(elwc({"a": [FULL, *more_lists()]}, ALL_KINDS, **NAMES), tmp_path / "run")
    rows = list(all_lists(found).values())
    batch = pa.RecordBatch.from_pylist(rows, schema=schema_of(spec))
    for compression in (None, "gzip"):
        write_elwc(tmp_path / "b", [batch.slice(0, 3), batch.slice(3)], raw_columns(spec), compression)
        assert ((tmp_path / "b").read_bytes()[:2] == b"\x1f\x8b") == (compression == "gzip")
        written = ALL_KINDS | {
            "document": [*ALL_KINDS["document"][:-1], {"name": "scores", "kind": "vector", "width": 2}]
        }
        again = elwc(
            {"unused": []}, written, {"train": "b"}, weight="weight", position="position", timestamp="timestamp"
        )
        back, _, rejected = read(again, tmp_path / f"again{compression}")
        assert rejected.total == 0
        by_id = all_lists(back)
        same = pa.RecordBatch.from_pylist([by_id[row["query_id"]] for row in rows], schema=schema_of(again))
        assert same.drop_columns("scores").to_pydict().__repr__() == batch.drop_columns("scores").to_pydict().__repr__()


# --- scalar columns of a vector ---------------------------------------------------------------------------------------


def vector(**more) -> dict:
    return {"document": [{"name": "v", "kind": "vector"} | more]}


WIDE = [
    record(
        {"query_id": f"q{q}", "c1": 1.0},
        {
            "label": 1.0,
            "weight": 1.0,
            "rank": 1,
            "f2": 1.0,
            "f10": 2,
            "f1": 3.0,
            "g": 4.0,
            "many": [1.0, 2.0],
            "t": "x",
        },
    )
    for q in range(20)
]


@pytest.mark.parametrize(
    ("columns", "expected"), [("f*", ["f1", "f2", "f10"]), ("*", ["f1", "f2", "f10", "g"]), (["g", "f1"], ["g", "f1"])]
)
def test_columns_by_a_pattern_or_by_name(elwc, tmp_path, columns, expected):
    spec = elwc({"a": WIDE}, vector(columns=columns), weight="weight", position="rank")
    found, resolved, _ = read(spec, tmp_path / "run")
    assert resolved.features.document[0].columns == expected
    values = {"f1": 3.0, "f2": 1.0, "f10": 2.0, "g": 4.0}
    assert all_lists(found)["q3"]["v"] == [[values[name] for name in expected]]
    assert spec.with_vector_of(resolved) == resolved, "a spec takes over what a dataset has found"


def test_columns_of_the_context(elwc, tmp_path):
    features = {"query": [{"name": "of_query", "kind": "vector", "columns": "c*"}]} | vector(columns="f*")
    found, *_ = read(elwc({"a": WIDE}, features), tmp_path / "run")
    assert all_lists(found)["q3"]["of_query"] == [1.0]


# --- ids --------------------------------------------------------------------------------------------------------------


def test_a_list_without_a_query_is_called_by_its_file_and_record(elwc, tmp_path):
    records = [record({}, {"label": 1.0, "f": 1.0}), record({"query_id": ""}, {"label": 1.0, "f": 1.0}), *SIMPLE]
    files = {"a/x": records, "b/x": records}
    found, _, _ = read(elwc(files, source={"train": "?/x"}), tmp_path / "run")
    assert {"a/x:1", "a/x:2", "b/x:1", "b/x:2"} < all_lists(found).keys()


def test_lists_of_one_query_stay_lists_of_their_own_and_of_one_split(elwc, tmp_path):
    one = [record({"query_id": f"q{q}"}, {"label": 1.0, "f": float(n)}) for n in range(3) for q in range(40)]
    two = [record({"query_id": f"q{q}"}, {"label": 1.0, "f": 9.0}) for q in range(30, 50)]
    found, _, _ = read(elwc({"x1": one, "x2": two}, source={"train": "x?"}), tmp_path / "run", 7)
    rows = all_lists(found)
    assert len(rows) == sum(map(len, found.values())) == 140
    for query in range(50):
        values = [n for n in (0, 1, 2) if query < 40] + [9] * (query >= 30)
        names = [f"q{query}", *(f"q{query}#{number}" for number in range(2, len(values) + 1))]
        assert [rows[name]["features"] for name in names] == [[[float(value)]] for value in values]
        [split] = splits_of([f"q{query}"], Split())
        assert set(names) <= {row["query_id"] for row in found[split]}


# --- splits -----------------------------------------------------------------------------------------------------------


def test_files_of_splits(elwc, tmp_path):
    files = {"train1": SIMPLE[:3], "train2": SIMPLE[3:6], "valid": SIMPLE[6:7], "test": SIMPLE[7:]}
    spec = elwc(files, source={"train": "train?", "valid": "valid", "test": "test"})
    found, _, _ = read(spec, tmp_path / "run")
    assert {split: [row["query_id"] for row in rows] for split, rows in found.items()} == {
        "train": [f"q{q}" for q in range(6)], "valid": ["q6"], "test": ["q7", "q8"]
    }  # fmt: skip
    assert source_files(spec) == {
        "train": [tmp_path / "train1", tmp_path / "train2"],
        "valid": [tmp_path / "valid"],
        "test": [tmp_path / "test"],
    }


def test_without_files_for_validation_a_share_of_the_training_lists_is_taken(elwc, tmp_path):
    many = [record({"query_id": f"q{q}"}, {"label": 1.0, "f": 1.0}) for q in range(300)]
    found, spec, _ = read(elwc({"a": many, "b": SIMPLE}, source={"test": "b"}), tmp_path / "run")
    assert len(found["test"]) == len(SIMPLE)
    expected = splits_of([f"q{q}" for q in range(300)], spec.data.split.model_copy(update={"test": 0.0}))
    assert len(found["valid"]) == (expected == "valid").sum() > 10
    assert len(found["train"]) + len(found["valid"]) == 300


def test_one_set_of_files_is_split_by_query(elwc, tmp_path):
    many = [record({"query_id": f"q{q}"}, {"label": 1.0, "f": 1.0}) for q in range(300)]
    found, spec, _ = read(elwc({"a": many}), tmp_path / "run")
    splits = splits_of([f"q{q}" for q in range(300)], spec.data.split)
    for split, rows in found.items():
        assert [row["query_id"] for row in rows] == [f"q{q}" for q in np.flatnonzero(splits == split)]


def test_the_latest_lists_are_for_test(elwc, tmp_path):
    """The time of a list is the latest of its documents and its context; without one it cannot be placed."""
    documents = [[{"label": 1.0, "f": 1.0}, {"label": 0.0, "f": 1.0, "at": 1000 - q}] for q in range(100)]
    many = [record({"query_id": f"q{q}", "at": 5}, *documents[q]) for q in range(100)]
    without = record({"query_id": "timeless"}, {"label": 1.0, "f": 1.0})
    spec = elwc({"a": [*many, without]}, timestamp="at", split={"by": "time", "valid": 0.1, "test": 0.2})
    found, _, rejected = read(spec, tmp_path / "run")
    assert {split: {row["query_id"] for row in rows} for split, rows in found.items()} == {
        "test": {f"q{q}" for q in range(20)},
        "valid": {f"q{q}" for q in range(20, 30)},
        "train": {f"q{q}" for q in range(30, 100)},
    }
    assert rejected.by_reason == {"missing timestamp": 1}
    assert rejected.by_split == {}


def test_a_file_of_two_splits_is_refused(elwc, tmp_path):
    with pytest.raises(DataError, match=r"a: is a file of the train split and of the test split; expected one"):
        read(elwc({"a": SIMPLE}, source={"test": "?"}), tmp_path / "run")


def test_a_file_that_is_not_wanted_is_not_read(elwc, tmp_path):
    spec = elwc({"train": SIMPLE, "valid": SIMPLE, "test": SIMPLE}, source={"valid": "valid", "test": "test"})
    resolved, shards = open_elwc(spec, tmp_path / "temporary")
    (tmp_path / "test").unlink()
    assert [list(read_elwc_shard(resolved, shards[2], 9, None, splits)) for splits in (["train"], [])] == [[], []]
    [(split, _)] = read_elwc_shard(resolved, shards[0], 9, None, ["train"])
    assert split == "train"


# --- what cannot be used ----------------------------------------------------------------------------------------------

GOOD = {"label": 1.0, "f": 1.0, "v": [1.0, 2.0]}
TWO = {
    "query": [{"name": "age", "kind": "numeric"}],
    "document": [{"name": "f", "kind": "numeric"}, {"name": "v", "kind": "vector", "width": 2}],
}


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"f": 1.0}, "bad label"),
        ({"label": -1.0}, "bad label"),
        ({"label": NAN}, "bad label"),
        ({"label": math.inf}, "bad label"),
        ({"label": [1.0, 2.0]}, "value of the wrong type"),
        ({"label": "1"}, "value of the wrong type"),
        (GOOD | {"f": math.inf}, "infinite feature value"),
        (GOOD | {"f": [1.0, 2.0]}, "value of the wrong type"),
        (GOOD | {"v": [1.0]}, "vector of the wrong length"),
        (GOOD | {"v": [1.0, -math.inf]}, "infinite feature value"),
        (GOOD | {"document_id": b"\xff"}, "unparsable example"),
        (GOOD | {"document_id": "2"}, "duplicate (query, document) pair"),
        (GOOD | {"w": -1.0}, "bad weight"),
        (GOOD | {"rank": 0}, "bad position"),
        (GOOD | {"rank": 1.5}, "value of the wrong type"),
    ],
)
@pytest.mark.parametrize("lists_per_batch", [1, 50])
def test_a_document_that_cannot_be_used_is_set_aside_and_its_list_kept(elwc, tmp_path, bad, reason, lists_per_batch):
    good = [GOOD | {"document_id": name, "w": 1.0, "rank": 1} for name in ("1", "2")]
    records = [record({"query_id": f"q{q}", "age": 1.0}, *good) for q in range(3)]
    records[1] = record({"query_id": "q1", "age": 1.0}, *good, bad, GOOD | {"document_id": "3"})
    spec = elwc({"a": records, "b": records[:1]}, TWO, {"test": "b", "valid": "b2"}, weight="w", position="rank")
    write_records(tmp_path / "b2", records[:1])
    found, _, rejected = read(spec, tmp_path / "run", lists_per_batch)
    assert [row["document_id"] for row in found["train"]] == [["1", "2"], ["1", "2", "3"], ["1", "2"]]
    assert [(row.file, row.line, row.reason) for row in rejected] == [("a", 2, reason)]
    assert rejected.by_split == {"train": {reason: 1}}
    shown = json.loads(next(iter(rejected)).row)
    assert shown.keys() == bad.keys()


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"query_id": "q1", "age": math.inf}, "infinite feature value"),
        ({"query_id": "q1", "age": [1.0, 2.0]}, "value of the wrong type"),
        ({"query_id": b"\xff", "age": 1.0}, "unparsable example"),
    ],
)
def test_a_list_whose_context_cannot_be_used_is_set_aside_with_its_documents(elwc, tmp_path, bad, reason):
    records = [record({"query_id": "q0", "age": 1.0}, GOOD), record(bad, GOOD, GOOD), record({"query_id": "q2"}, GOOD)]
    found, _, rejected = read(elwc({"a": records}, TWO), tmp_path / "run")
    assert all_lists(found).keys() == {"q0", "q2"}
    assert [(row.line, row.reason) for row in rejected] == [(2, reason)] * 2


def test_records_that_are_no_lists_are_set_aside(elwc, tmp_path):
    records = [SIMPLE[0], b"\x0a\x05abc", SIMPLE[1], record({"query_id": "empty"}), record({"query_id": "none"}, {})]
    found, _, rejected = read(elwc({"a": records}), tmp_path / "run")
    assert all_lists(found).keys() == {"q0", "q1"}
    assert sorted((row.line, row.reason, row.row) for row in rejected) == [
        (2, "unparsable record", "\n\x05abc"),
        (4, "list without documents", '{"query_id": "empty"}'),
        (5, "bad label", "{}"),
    ]


def test_features_that_no_record_has_are_told_all_at_once(elwc, tmp_path):
    features = {"document": [{"name": n, "kind": k} for n, k in (("f", "categorical"), ("a", "numeric"))]}
    with pytest.raises(DataError) as error:
        read(elwc({"a": SIMPLE}, features, label="grade"), tmp_path / "run")
    assert str(error.value).splitlines() == [
        f"{tmp_path}/a: no feature 'grade' in the examples; there are 'f', 'label'",
        f"{tmp_path}/a: feature 'f' in the examples: expected a text (bytes or int64), got float",
        f"{tmp_path}/a: no feature 'a' in the examples; there are 'f', 'label'",
    ]


def test_a_feature_may_come_late(elwc, tmp_path, monkeypatch):
    """The first records do not show it; all are looked through before it is said to be missing."""
    monkeypatch.setattr(elwc_source, "_HEAD", 3)
    late = record({"query_id": "late"}, {"label": 1.0, "f": 1.0, "rare": 2.0})
    features = {"document": [{"name": "f", "kind": "numeric"}, {"name": "rare", "kind": "numeric"}]}
    found, _, _ = read(elwc({"a": [*SIMPLE, late]}, features), tmp_path / "run")
    rows = all_lists(found)
    assert rows["late"]["rare"] == [2.0]
    assert np.isnan(rows["q0"]["rare"]).all()


def test_a_damaged_file_ends_the_run(elwc, tmp_path):
    spec = elwc({"a": SIMPLE})
    (tmp_path / "a").write_bytes((tmp_path / "a").read_bytes()[:-3])
    with pytest.raises(DataError, match=r"a: record 9, byte [\d,]+: cut off"):
        read(spec, tmp_path / "run")


@pytest.mark.parametrize("records", [[], [record({"query_id": "a"})], [b"\x0a\x05abc"]])
def test_a_file_without_documents_is_refused(elwc, tmp_path, records):
    with pytest.raises(DataError, match=r"a: no record with examples; expected ExampleListWithContext records"):
        read(elwc({"a": records}), tmp_path / "run")


def test_progress_tells_the_documents_read(elwc, tmp_path):
    told = []
    open_elwc(elwc({"x1": SIMPLE, "x2": SIMPLE[:2]}, source={"train": "x?"}), tmp_path / "temporary", told.append)
    assert told == [27, 33]


# --- texts ------------------------------------------------------------------------------------------------------------


def test_texts_of_the_training_documents_each_once(elwc, tmp_path):
    features = {"document": [{"name": "title", "kind": "text"}, {"name": "f", "kind": "numeric"}]}

    def documents(query: int) -> list[dict]:
        named = [{"label": 1.0, "f": 1.0, "document_id": f"d{d}", "title": f"title {d}"} for d in (query, query + 1)]
        return [*named, {"label": 1.0, "f": 1.0, "title": "unnamed"}, {"document_id": "bad", "title": "bad"}]

    many = [record({"query_id": f"q{q}"}, *documents(q)) for q in range(60)]
    spec, shards = open_elwc(elwc({"x1": many, "x2": many[:9]}, features, {"train": "x?"}), tmp_path / "temporary")
    rows = [row for batch in read_elwc_texts(spec, shards, ["title"], tmp_path) for row in batch.to_pylist()]
    splits = splits_of([f"q{q}" for q in range(60)], spec.data.split)
    of_training = np.flatnonzero(splits == "train").tolist()
    named = sorted({f"d{d}" for q in of_training for d in (q, q + 1)})
    assert sorted(row["document_id"] for row in rows if row["title"] != "unnamed") == named
    assert all(row["title"] == f"title {row['document_id'][1:]}" for row in rows if row["title"] != "unnamed")
    assert sum(row["title"] == "unnamed" for row in rows) == len(of_training) + sum(q < 9 for q in of_training)
    assert len({row["document_id"] for row in rows}) == len(rows)


def test_the_context_needs_no_query_id(elwc, tmp_path):
    """As TF-Ranking's own sample data."""
    records = [record({"query_tokens": ["how", "to"]}, {"relevance": 1, "document_tokens": ["a", "b"]})] * 20
    features = {
        "query": [{"name": "query_tokens", "kind": "text"}],
        "document": [{"name": "document_tokens", "kind": "text"}],
        "match": [{"kind": "bm25", "query": "query_tokens", "document": "document_tokens"}],
    }
    found, _, _ = read(elwc({"a": records}, features, label="relevance"), tmp_path / "run")
    rows = all_lists(found)
    assert rows.keys() == {f"a:{number}" for number in range(1, 21)}
    assert rows["a:1"] | {"query_id": ""} == {
        "query_id": "", "query_tokens": "how to", "document_id": ["0"], "label": [1.0], "document_tokens": ["a b"]
    }  # fmt: skip


def test_gzip_is_told_by_its_bytes_not_its_name(elwc, tmp_path):
    spec = elwc({"a.gz": SIMPLE})
    (tmp_path / "a.gz").write_bytes(gzip.decompress((tmp_path / "a.gz").read_bytes()))
    assert len(all_lists(read(spec, tmp_path / "run")[0])) == len(SIMPLE)
