"""Splits by time and by given files, end to end; the pass over the times against pandas."""

from __future__ import annotations

import random

import numpy as np
import pandas as pd
import pytest

from ranker.data.columns import MISSING_INT
from ranker.data.data_error import DataError
from ranker.data.split import SPLITS, splits_of
from ranker.data.tables import join as table_join
from ranker.data.tables import list_files, partitions

DOCUMENTS = [{"document_id": f"d{i}", "price": i} for i in range(30)]


def random_judgments(seed: int, moments: int, missing: float = 0.0) -> list[dict]:
    """Of 60 queries, at so many different moments; rows in any order, some of them twice or of unknown documents."""
    rng = random.Random(seed)
    rows = [
        {
            "query_id": f"q{rng.randrange(60)}",
            "document_id": f"d{rng.randrange(33)}",
            "label": rng.randrange(3),
            "when": None if rng.random() < missing else 1000 + rng.randrange(moments),
        }
        for _ in range(400)
    ]
    for query in ("q7", "q8"):
        rows = [row | {"when": None} if row["query_id"] == query and missing else row for row in rows]
    return rows


def queries(count: int = 55) -> list[dict]:
    return [{"query_id": f"q{i}"} for i in range(count)]


def times_by_pandas(judgments: list[dict], known: int = 55) -> pd.Series:
    """The latest moment of each query with documents that are there."""
    rows = pd.DataFrame(judgments)
    rows = rows[rows["query_id"].isin([f"q{i}" for i in range(known)])]
    rows = rows[rows["document_id"].isin([document["document_id"] for document in DOCUMENTS])]
    rows = rows.drop_duplicates(["query_id", "document_id"])
    return rows.groupby("query_id")["when"].max()


def splits_by_loop(times: pd.Series, valid: float, test: float) -> dict[str, str]:
    """Of all cuts between moments, that which comes nearest to the share; the earlier of two."""
    moments = sorted(set(times))

    def cut(share: float, most: float) -> float:
        """The first moment that is behind the cut."""
        best, found = None, None
        for moment in [*moments, np.inf]:
            if moment <= most:
                off = abs((times >= moment).sum() - share * len(times))
                if best is None or off < best - 1e-9:
                    best, found = off, moment
        return found

    of_test = cut(test, np.inf)
    of_valid = cut(valid + test, of_test)
    name = lambda time: "test" if time >= of_test else "valid" if time >= of_valid else "train"  # noqa: E731
    return {query: name(time) for query, time in times.items()}


@pytest.fixture
def small_partitions(monkeypatch):
    monkeypatch.setattr(partitions, "_PARTITION", 3000)
    for module in (partitions, table_join, list_files):
        monkeypatch.setattr(module, "BATCH", 1000)


BY_TIME = {"timestamp": "when", "split": {"by": "time", "valid": 0.2, "test": 0.25}}


@pytest.mark.parametrize("moments", [1000, 20, 4])
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.usefixtures("small_partitions")
def test_the_latest_lists_are_for_test_and_those_of_a_moment_stay_together(source_of, read_lists, moments, seed):
    judgments = random_judgments(seed, moments)
    spec = source_of({"queries.jsonl": queries(), "documents.jsonl": DOCUMENTS, "judgments.jsonl": judgments}, BY_TIME)
    found = read_lists(spec)
    times = times_by_pandas(judgments)
    assert {row["query_id"]: row["timestamp"] for row in found.rows} == times.to_dict()
    expected = splits_by_loop(times, 0.2, 0.25)
    assert {row["query_id"]: row["split"] for row in found.rows} == expected
    bounds = found.source.split_bounds
    assert set(times[times >= bounds.test].index) == {query for query, split in expected.items() if split == "test"}
    assert set(times[times < bounds.valid].index) == {query for query, split in expected.items() if split == "train"}
    if moments == 1000:
        shares = [sum(of == split for of in expected.values()) / len(times) for split in SPLITS]
        np.testing.assert_allclose(shares, [0.55, 0.2, 0.25], atol=2 / len(times))


def test_one_table_is_split_by_time_too(source_of, read_lists):
    rows = [row | {"price": 1} for row in random_judgments(3, 50)]
    source = {"sources": [{"kind": "table", "file": "all.jsonl"}]}
    found = read_lists(source_of({"all.jsonl": rows}, BY_TIME | source))
    times = pd.DataFrame(rows).drop_duplicates(["query_id", "document_id"]).groupby("query_id")["when"].max()
    assert {row["query_id"]: row["split"] for row in found.rows} == splits_by_loop(times, 0.2, 0.25)


@pytest.mark.usefixtures("small_partitions")
def test_a_query_may_have_the_time(source_of, read_lists):
    rng = random.Random(5)
    timed = [row | {"when": rng.randrange(1000)} for row in queries()]
    judgments = [{k: v for k, v in row.items() if k != "when"} for row in random_judgments(5, 1)]
    spec = source_of({"queries.jsonl": timed, "documents.jsonl": DOCUMENTS, "judgments.jsonl": judgments}, BY_TIME)
    found = read_lists(spec)
    asked = {row["query_id"] for row in judgments if row["document_id"] in {d["document_id"] for d in DOCUMENTS}}
    times = pd.Series({row["query_id"]: row["when"] for row in timed if row["query_id"] in asked})
    assert {row["query_id"]: row["split"] for row in found.rows} == splits_by_loop(times, 0.2, 0.25)


def test_rows_of_a_list_without_any_time_are_set_aside(source_of, read_lists):
    judgments = random_judgments(6, 1000, missing=0.3)
    spec = source_of(
        {"queries.jsonl": queries(60), "documents.jsonl": DOCUMENTS, "judgments.jsonl": judgments}, BY_TIME
    )
    found = read_lists(spec)
    times = times_by_pandas(judgments, 60)
    timeless = set(times[times.isna()].index)
    assert {"q7", "q8"} <= timeless
    lines = {
        line
        for line, row in enumerate(judgments, start=1)
        if row["query_id"] in timeless and row["document_id"] in {d["document_id"] for d in DOCUMENTS}
    }
    assert {row.line for row in found.rejected if row.reason == "missing timestamp"} == lines
    assert {row["query_id"] for row in found.rows} == set(times.dropna().index)
    assert {row["query_id"]: row["split"] for row in found.rows} == splits_by_loop(times.dropna(), 0.2, 0.25)
    assert all("missing timestamp" not in reasons for reasons in found.by_split.values())
    again = sum(row.reason == "duplicate (query, document) pair" for row in found.rejected)
    assert sum(of.get("duplicate (query, document) pair", 0) for of in found.by_split.values()) == again > 0


def test_without_split_by_time_a_list_may_have_no_time(source_of, read_lists):
    judgments = random_judgments(6, 1000, missing=0.3)
    spec = source_of(
        {"queries.jsonl": queries(60), "documents.jsonl": DOCUMENTS, "judgments.jsonl": judgments},
        {"timestamp": "when"},
    )
    found = read_lists(spec)
    assert found.source.split_bounds is None
    times = times_by_pandas(judgments, 60).fillna(MISSING_INT)
    assert {row["query_id"]: row["timestamp"] for row in found.rows} == times.to_dict()
    ids = [row["query_id"] for row in found.rows]
    assert [row["split"] for row in found.rows] == splits_of(ids, spec.data.split).tolist()


def test_no_time_at_all_is_an_error(source_of, read_lists):
    judgments = [row | {"when": None} for row in random_judgments(1, 5)]
    spec = source_of({"queries.jsonl": queries(), "documents.jsonl": DOCUMENTS, "judgments.jsonl": judgments}, BY_TIME)
    with pytest.raises(DataError, match=r"no lists; .*'missing timestamp': \d+"):
        read_lists(spec)


# --- given files -----------------------------------------------------------------------------------------------------


def of_files(valid: bool) -> dict:
    files = {"train": "train-*.jsonl", "test": "test.jsonl"} | ({"valid": "valid.jsonl"} if valid else {})
    return {"kind": "tables", "queries": "queries.jsonl", "documents": "documents.jsonl", "judgments": files}


def in_files(rows: list[dict]) -> dict[str, list[dict]]:
    """The rows, each in one of four files."""
    names = ("train-0.jsonl", "train-1.jsonl", "valid.jsonl", "test.jsonl")
    return {name: rows[place::4] for place, name in enumerate(names)}


def documents_by_split(files: dict[str, list[dict]]) -> dict[tuple[str, str], list[str]]:
    """(query, split) -> documents in the order of the rows, without repeated and unknown ones."""
    expected: dict[tuple[str, str], list[str]] = {}
    there = {document["document_id"] for document in DOCUMENTS}
    for name, rows in files.items():
        for row in rows:
            documents = expected.setdefault((row["query_id"], name.partition(".")[0].partition("-")[0]), [])
            if row["document_id"] in there and row["document_id"] not in documents:
                documents.append(row["document_id"])
    return {key: documents for key, documents in expected.items() if documents}


@pytest.mark.usefixtures("small_partitions")
def test_lists_are_of_the_split_of_their_file(source_of, read_lists):
    files = in_files(random_judgments(7, 10))
    spec = source_of(
        files | {"queries.jsonl": queries(60), "documents.jsonl": DOCUMENTS},
        {"sources": [of_files(valid=True)], "timestamp": "when"},
    )
    found = read_lists(spec)
    expected = documents_by_split(files)
    assert {key: row["document_id"] for key, row in found.by_id.items()} == expected
    assert len(found.by_id) == len(found.rows) > len({query for query, _ in expected}), "a query may have several lists"
    times = {
        (query, split): time
        for split in SPLITS
        for query, time in times_by_pandas([row for n in files if n.startswith(split) for row in files[n]], 60).items()
    }
    assert {key: row["timestamp"] for key, row in found.by_id.items()} == times


def test_rows_set_aside_are_of_the_split_of_their_file(source_of, read_lists):
    files = in_files(random_judgments(8, 10))
    files["test.jsonl"].append({"query_id": "", "document_id": "d1", "label": 1, "when": 1})
    text = "".join(f'{{"query_id": "{row["query_id"]}", "document_id": "d1", "label": -1}}\n' for row in queries(3))
    spec = source_of(
        files | {"valid.jsonl": text + "{\n", "queries.jsonl": queries(60), "documents.jsonl": DOCUMENTS},
        {"sources": [of_files(valid=True)]},
    )
    found = read_lists(spec, lists_per_batch=7)
    expected: dict[str, dict[str, int]] = {}
    for row in found.rejected:
        of_split = expected.setdefault(row.file.partition(".")[0].partition("-")[0], {})
        of_split[row.reason] = of_split.get(row.reason, 0) + 1
    assert found.by_split == expected
    assert expected["valid"] == {"bad label": 3, "unparsable line": 1}
    assert expected["test"]["missing query id"] == 1


@pytest.mark.parametrize("kind", ["tables", "table"])
def test_without_a_file_for_validation_a_share_of_the_training_queries_is_taken(source_of, read_lists, kind):
    files = in_files(random_judgments(9, 10))
    del files["valid.jsonl"]
    source = of_files(valid=False)
    if kind == "table":
        source = {"kind": "table", "file": source["judgments"]}
        files = {name: [row | {"price": 1} for row in rows] for name, rows in files.items()}
    spec = source_of(
        files | {"queries.jsonl": queries(60), "documents.jsonl": DOCUMENTS},
        {"sources": [source], "split": {"valid": 0.3}},
    )
    found = read_lists(spec)
    train = {row["query_id"] for row in found.rows if row["split"] != "test"}
    valid = {row["query_id"] for row in found.rows if row["split"] == "valid"}
    by_hash = splits_of(sorted(train), spec.data.split.model_copy(update={"test": 0.0}))
    assert valid == {query for query, split in zip(sorted(train), by_hash, strict=True) if split == "valid"} != set()
    there = {document["document_id"] for document in DOCUMENTS if kind == "tables"}
    of_test = {row["query_id"] for row in files["test.jsonl"] if not there or row["document_id"] in there}
    assert {row["query_id"] for row in found.rows if row["split"] == "test"} == of_test
    assert of_test & valid, "a query may be in both"


def test_texts_of_a_single_table_are_those_of_training_lists_whatever_the_split(source_of, read_lists):
    features = {"document": [{"name": "price", "kind": "numeric"}, {"name": "title", "kind": "text"}]}
    rows = [row | {"price": 1, "title": f"of {row['query_id']}"} for row in random_judgments(10, 30)]
    source = {"sources": [{"kind": "table", "file": "all.jsonl"}]}
    found = read_lists(source_of({"all.jsonl": rows}, BY_TIME | source, features))
    train = [row for row in found.rows if row["split"] == "train"]
    texts = [text for batch in found.source.texts(["title"]) for text in batch["title"].to_pylist()]
    assert len(texts) == len({document for row in train for document in row["document_id"]})
    assert set(texts) <= {f"of {row['query_id']}" for row in train}
