"""Lists of candidates against dictionaries and loops: from a table, from a file of bm25, from samples."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ranker.data.candidates import choice as candidate_choice
from ranker.data.candidates import join as candidate_join
from ranker.data.columns import MISSING_INT
from ranker.data.data_error import DataError
from ranker.data.id_hash import hash_ids
from ranker.data.split import SPLITS, splits_of
from ranker.data.tables import connector as tables
from ranker.data.tables import list_files, partitions, whole_lists
from ranker.spec import Split

Row = dict[str, Any]

FEATURES = {
    "query": [{"name": "age", "kind": "numeric"}],
    "document": [{"name": "title", "kind": "text"}, {"name": "genres", "kind": "categorical", "multivalued": True}],
    "pair": [{"name": "score", "kind": "numeric"}, {"name": "why", "kind": "categorical"}],
}
DATA = {"weight": "w", "position": "rank", "split": {"valid": 0.3, "test": 0.3}}


def random_tables(rng: random.Random, queries: int = 20, documents: int = 15) -> dict[str, list[Row]]:
    """Queries, documents, judgments and candidates, with rows that are of no use."""
    judged = lambda: {"query_id": f"q{rng.randrange(queries + 2)}", "document_id": f"d{rng.randrange(documents + 2)}"}  # noqa: E731
    pair = lambda: {"score": rng.choice([None, rng.randrange(9)]), "why": rng.choice(["", "a", "b"])}  # noqa: E731
    return {
        "queries": [{"query_id": f"q{i}", "age": i} for i in range(queries)],
        "documents": [
            {"document_id": f"d{i}", "title": f"t{i}", "genres": [f"g{i % 3}", "g"][: i % 3]} for i in range(documents)
        ] + [{"document_id": "d1", "title": "again", "genres": []}],
        "judgments": [
            judged() | pair() | {"label": rng.randrange(-1, 3), "w": rng.choice([None, 0.5, 2]),
                                 "rank": rng.choice([None, 1, 2]), "when": rng.randrange(6)}
            for _ in range(4 * queries)
        ],
        "candidates": [judged() | pair() for _ in range(6 * queries)],
    }  # fmt: skip


def files_of(contents: dict[str, list[Row]]) -> dict[str, list[Row]]:
    return {f"{role}.jsonl": rows for role, rows in contents.items()}


def first_of_each(rows: list[Row], *keys: str) -> list[Row]:
    return list({tuple(row[key] for key in keys): row for row in reversed(rows)}.values())[::-1]


def usable(contents: dict[str, list[Row]], role: str) -> dict[str, dict[str, Row]]:
    """Query -> document -> the first row of judgments or candidates that can be used."""
    queries = {row["query_id"] for row in contents["queries"]}
    documents = {row["document_id"] for row in contents["documents"]}
    found: dict[str, dict[str, Row]] = {}
    for row in contents[role]:
        if row["query_id"] in queries and row["document_id"] in documents and row.get("label", 0) >= 0:
            found.setdefault(row["query_id"], {}).setdefault(row["document_id"], row)
    return found


def by_hash(documents: set[str]) -> list[str]:
    return sorted(documents, key=lambda one: hash_ids(pa.array([one]))[0])


def of_documents(contents: dict[str, list[Row]], ids: list[str]) -> Row:
    rows = {row["document_id"]: row for row in first_of_each(contents["documents"], "document_id")}
    return {"title": [rows[one]["title"] for one in ids], "genres": [rows[one]["genres"] for one in ids]}


def expected_lists(
    contents: dict[str, list[Row]], split: Split, unjudged: object, pair: str | None = "candidates"
) -> tuple[dict[str, Row], Counter[str]]:
    """The lists, and what is left out."""
    judgments, candidates = usable(contents, "judgments"), usable(contents, "candidates")
    lists, unused = {}, Counter()
    for query in contents["queries"]:
        name = query["query_id"]
        if name not in judgments:
            unused["query without judgments"] += 1
            continue
        of_split = str(splits_of([name], split)[0])
        judged, found = judgments[name], set(candidates.get(name, {}))
        documents = set(found)
        for document, row in judged.items():
            if document in found:
                continue
            if of_split == "train" and row["label"] > 0:
                documents.add(document)
            elif row["label"] > 0:
                unused["relevant document that is no candidate"] += 1
            else:
                unused["judged document that is no candidate"] += 1
        if unjudged == "drop":
            unused["candidate without judgment"] += len(documents - set(judged))
            documents &= set(judged)
        if not documents:
            unused["list without documents"] += 1
            continue
        ids = by_hash(documents)
        pairs = candidates.get(name, {}) if pair == "candidates" else judged
        lists[name] = {
            "split": of_split, "query_id": name, "age": query["age"], "document_id": ids,
            "label": [judged.get(one, {"label": 0})["label"] for one in ids],
            "weight": [judged.get(one, {}).get("w") or 1 for one in ids],
            "position": [judged.get(one, {}).get("rank") or 0 for one in ids],
            "score": [pairs.get(one, {}).get("score") for one in ids],
            "why": [pairs.get(one, {}).get("why", "") for one in ids],
            **of_documents(contents, ids),
        }  # fmt: skip
    return lists, +unused


def plain(value: Any) -> Any:
    if isinstance(value, list):
        return [plain(item) for item in value]
    return None if isinstance(value, float) and np.isnan(value) else value


def read_back(rows: list[Row]) -> dict[str, Row]:
    assert len({row["query_id"] for row in rows}) == len(rows)
    return {row["query_id"]: {name: plain(value) for name, value in row.items()} for row in rows}


@pytest.fixture
def small_partitions(monkeypatch):
    """Everything in many pieces."""
    monkeypatch.setattr(partitions, "_PARTITION", 900)
    for module in (partitions, candidate_join, list_files):
        monkeypatch.setattr(module, "BATCH", 500)
    monkeypatch.setattr(candidate_choice, "_SAMPLED", 25)
    monkeypatch.setattr(tables, "_MOST_BYTES", 3000)


# --- a table of candidates -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unjudged", [0, "drop"])
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), small=st.booleans())
def test_lists_are_the_candidates_with_their_judgments(source_of, read_lists, unjudged, seed, small):
    contents = random_tables(random.Random(seed))
    candidates = {"from": "table", "file": "candidates.jsonl", "unjudged": unjudged}
    spec = source_of(files_of(contents), DATA | {"candidates": candidates}, FEATURES)
    with pytest.MonkeyPatch.context() as patch:
        if small:
            patch.setattr(partitions, "_PARTITION", 900)
            patch.setattr(list_files, "BATCH", 300)
        found = read_lists(spec)
    lists, unused = expected_lists(contents, spec.data.split, unjudged)
    assert read_back(found.rows) == lists
    assert found.unused == unused
    for row in found.rejected:
        assert row.file in ("documents.jsonl", "judgments.jsonl", "candidates.jsonl")
    of_candidates = [(row.line, row.reason) for row in found.rejected if row.file == "candidates.jsonl"]
    assert sorted(of_candidates) == faults(contents)


def faults(contents: dict[str, list[Row]]) -> list[tuple[int, str]]:
    """Line and reason of the candidates that cannot be used."""
    known = {name: {row[f"{key}_id"] for row in contents[name]}
             for name, key in (("queries", "query"), ("documents", "document"))}  # fmt: skip
    expected, seen = [], set()
    for line, row in enumerate(contents["candidates"], start=1):
        pair = (row["query_id"], row["document_id"])
        if pair[1] not in known["documents"]:
            expected.append((line, "unknown document id"))
        elif pair[0] not in known["queries"]:
            expected.append((line, "unknown query id"))
        elif pair in seen:
            expected.append((line, "duplicate (query, document) pair"))
        seen.add(pair)
    return expected


def test_the_table_is_a_file_of_the_source_and_pairs_are_of_it_alone(source_of, read_lists):
    """A column of pairs that judgments have too is not read from there."""
    contents = {
        "queries": [{"query_id": f"q{i}"} for i in range(30)],
        "documents": [{"document_id": f"d{i}", "price": i} for i in range(4)],
        "judgments": [{"query_id": f"q{i}", "document_id": "d0", "label": 1, "score": 99} for i in range(30)],
        "candidates": [{"query_id": f"q{i}", "document_id": "d1", "score": i} for i in range(30)],
    }
    features = {"document": [{"name": "price", "kind": "numeric"}], "pair": [{"name": "score", "kind": "numeric"}]}
    spec = source_of(files_of(contents), {"candidates": {"from": "table", "file": "candidates.jsonl"}}, features)
    assert tables.source_paths(spec)["candidates"][0].name == "candidates.jsonl"
    found = read_lists(spec)
    for row in found.rows:
        scores = dict(zip(row["document_id"], row["score"], strict=True))
        assert scores["d1"] == int(row["query_id"][1:])
        if row["split"] == "train":
            assert row["document_id"] == by_hash({"d0", "d1"})
            assert np.isnan(scores["d0"])
            assert dict(zip(row["document_id"], row["label"], strict=True)) == {"d0": 1, "d1": 0}
        else:
            assert row["document_id"] == ["d1"], "nothing is injected"
    of_others = sum(row["split"] != "train" for row in found.rows)
    assert found.unused == {"relevant document that is no candidate": of_others}
    assert of_others > 0


def test_a_weight_of_the_query_is_that_of_its_candidates(source_of, read_lists):
    contents = random_tables(random.Random(3))
    contents["queries"] = [row | {"w": 0.25} for row in contents["queries"]]
    contents["judgments"] = [{k: v for k, v in row.items() if k != "w"} for row in contents["judgments"]]
    for candidates in ({"from": "table", "file": "candidates.jsonl"}, {"from": "sample", "n": 3}):
        features = FEATURES if candidates["from"] == "table" else FEATURES | {"pair": []}
        found = read_lists(source_of(files_of(contents), DATA | {"candidates": candidates}, features))
        assert {weight for row in found.rows for weight in row["weight"]} == {0.25}


@pytest.mark.usefixtures("small_partitions")
def test_candidates_are_those_of_each_list_of_a_query_in_several_files(source_of, read_lists):
    contents = random_tables(random.Random(4))
    judgments = [row for row in contents["judgments"] if row["label"] >= 0]
    halves = {"train.jsonl": judgments[::2], "test.jsonl": judgments[1::2]}
    source = {"kind": "tables", "queries": "queries.jsonl", "documents": "documents.jsonl",
              "judgments": {"train": "train.jsonl", "test": "test.jsonl"}}  # fmt: skip
    data = DATA | {"sources": [source], "candidates": {"from": "table", "file": "candidates.jsonl"},
                   "split": {"valid": 0.2}}  # fmt: skip
    found = read_lists(source_of(files_of(contents) | halves, data, FEATURES))
    candidates = usable(contents, "candidates")
    expected = {}
    for name, rows in halves.items():
        for query, judged in usable(contents | {"judgments": rows}, "judgments").items():
            split = "test" if name == "test.jsonl" else str(splits_of([query], Split(valid=0.2, test=1e-9))[0])
            added = {one for one, row in judged.items() if row["label"] > 0} if split == "train" else set()
            documents = by_hash(set(candidates.get(query, {})) | added)
            if documents:
                labels = [judged.get(one, {"label": 0})["label"] for one in documents]
                expected[query, split] = (documents, labels)
    assert {key: (row["document_id"], row["label"]) for key, row in found.by_id.items()} == expected
    assert {split for _, split in expected} == set(SPLITS)


@pytest.mark.usefixtures("small_partitions")
def test_candidates_and_a_split_by_time(source_of, read_lists):
    """Times are those of the judgments, candidates or not."""
    contents = random_tables(random.Random(5), queries=60)
    by_time = {"timestamp": "when", "split": {"by": "time", "valid": 0.2, "test": 0.3}}
    by_name = {"from": "table", "file": "candidates.jsonl"}
    found = read_lists(source_of(files_of(contents), DATA | by_time | {"candidates": by_name}, FEATURES))
    judged = usable(contents, "judgments")
    times = {query: max(row["when"] for row in rows.values()) for query, rows in judged.items()}
    for row in found.rows:
        assert row["timestamp"] == times[row["query_id"]]
    other = read_lists(source_of(files_of(contents), DATA | by_time, FEATURES))
    assert found.source.split_bounds == other.source.split_bounds
    splits = {row["query_id"]: row["split"] for row in other.rows}
    assert {row["query_id"]: row["split"] for row in found.rows}.items() <= splits.items()


# --- candidates of bm25 ----------------------------------------------------------------------------------------------


def test_a_file_of_bm25_goes_the_same_way(source_of, read_lists, tmp_path):
    """Documents and queries that were set aside are passed over; pair features are those of the judgments."""
    contents = random_tables(random.Random(6))
    pairs = first_of_each(contents["candidates"], "query_id", "document_id")
    file = tmp_path / "bm25.parquet"
    columns = {name: [row[name] for row in pairs] for name in ("query_id", "document_id")}
    pa.parquet.write_table(pa.table(columns | {"rank": range(len(pairs))}), file)
    features = FEATURES | {"query": [{"name": "words", "kind": "text"}, *FEATURES["query"]]}
    contents["queries"] = [row | {"words": "x"} for row in contents["queries"]]
    for role, rows in contents.items():
        contents[role] = [{f"{n[0]}id" if n.endswith("_id") else n: v for n, v in row.items()} for row in rows]
    bm25 = {"from": "bm25", "query": "words", "document": ["title"]}
    data = DATA | {"candidates": bm25, "query_id": "qid", "document_id": "did"}
    spec = source_of(files_of(contents), data, features)
    found = read_lists(spec, file)
    for role, rows in contents.items():
        contents[role] = [{{"qid": "query_id", "did": "document_id"}.get(n, n): v for n, v in r.items()} for r in rows]
    lists, unused = expected_lists(contents, spec.data.split, 0, pair="judgments")
    assert read_back(found.rows) == {query: row | {"words": "x"} for query, row in lists.items()}
    assert found.unused == unused
    assert {row.file for row in found.rejected} == {"documents.jsonl", "judgments.jsonl"}
    with pytest.raises(ValueError, match="candidates from bm25: expected the file"):
        read_lists(spec)


# --- samples ---------------------------------------------------------------------------------------------------------


def sampled(contents: dict[str, list[Row]], **more: object) -> tuple[dict[str, list[Row]], Row, Row]:
    """What `source_of` takes."""
    data = DATA | {"candidates": {"from": "sample", "n": 4, **more}, "weight": "w"}
    return files_of({r: rows for r, rows in contents.items() if r != "candidates"}), data, FEATURES


@pytest.mark.parametrize("test", ["all", "judgments"])
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.usefixtures("small_partitions")
def test_samples_are_for_training_and_other_lists_are_whole_or_as_judged(source_of, read_lists, test, seed):
    contents = random_tables(random.Random(seed), queries=40)
    found = read_lists(source_of(*sampled(contents, test=test)))
    judgments = usable(contents, "judgments")
    everything = {row["document_id"] for row in contents["documents"]}
    assert {row["query_id"] for row in found.rows} == set(judgments)
    drawn = Counter()
    for row in found.rows:
        judged = judgments[row["query_id"]]
        documents = set(row["document_id"])
        others = documents - set(judged)
        assert row["document_id"] == by_hash(documents), "each once, in an order that tells nothing"
        assert set(judged) <= documents <= everything
        if row["split"] == "train":
            assert len(others) == min(4, len(everything) - len(judged))
            drawn.update(others)
        else:
            assert documents == (everything if test == "all" else set(judged))
        for one, label, weight, position, score, why in zip(
            *(row[name] for name in ("document_id", "label", "weight", "position", "score", "why")), strict=True
        ):
            expected = judged.get(one, {"label": 0, "score": None, "why": ""})
            assert label == expected["label"]
            assert weight == (expected.get("w") or 1)
            assert position == (expected.get("rank") or 0)
            assert plain(score) == expected["score"]
            assert why == expected["why"]
        assert {name: row[name] for name in ("title", "genres")} == of_documents(contents, row["document_id"])
        assert row["age"] == int(row["query_id"][1:])
    assert len(drawn) > len(everything) / 2
    assert found.unused.keys() <= {"query without judgments"}
    assert {row["split"] for row in found.rows} == set(SPLITS)


def test_a_sample_depends_on_seed_and_query_alone(source_of, read_lists, monkeypatch):
    """Not on the order of rows, on other queries, or on partitions."""
    contents = random_tables(random.Random(9), queries=40)
    contents["judgments"] = first_of_each(contents["judgments"], "query_id", "document_id")
    train = lambda found: {row["query_id"]: row for row in read_back(found.rows).values() if row["split"] == "train"}  # noqa: E731
    expected = train(read_lists(source_of(*sampled(contents))))
    other_seed = train(read_lists(source_of(*sampled(contents, seed=8))))
    assert sum(other_seed[query]["document_id"] != row["document_id"] for query, row in expected.items()) > 5
    monkeypatch.setattr(partitions, "_PARTITION", 700)
    monkeypatch.setattr(candidate_choice, "_SAMPLED", 9)
    shuffled = {role: random.Random(1).sample(rows, len(rows)) for role, rows in contents.items()}
    shuffled["documents"] = first_of_each(contents["documents"], "document_id")[::-1]
    assert train(read_lists(source_of(*sampled(shuffled)))) == expected
    some = set(list(expected)[::3])
    fewer = contents | {"judgments": [row for row in contents["judgments"] if row["query_id"] in some]}
    assert train(read_lists(source_of(*sampled(fewer)))) == {q: row for q, row in expected.items() if q in some}


def test_only_wanted_splits_are_read(source_of, read_lists, monkeypatch):
    source = read_lists(source_of(*sampled(random_tables(random.Random(9))))).source
    monkeypatch.setattr(whole_lists, "_whole", lambda *_: pytest.fail("lists of the whole collection were made"))
    splits = [part.split for shard in source.shards for part in source.read(shard, 8, splits=["train"])]
    assert set(splits) == {"train"}


@pytest.mark.usefixtures("small_partitions")
def test_whole_lists_come_in_batches_of_few_bytes(source_of, read_lists):
    source = read_lists(source_of(*sampled(random_tables(random.Random(9))))).source
    parts = [part for shard in source.shards for part in source.read(shard, 100, splits=["test"])]
    assert sum(part.lists.num_rows for part in parts) > len(parts) > 0
    assert all(part.lists.num_rows == 1 or part.lists.nbytes <= 3000 for part in parts)


def test_dates_and_vectors_of_the_unjudged_are_missing(source_of, read_lists):
    features = {
        "document": [{"name": "price", "kind": "numeric"}],
        "pair": [
            {"name": "seen", "kind": "date"},
            {"name": "cross", "kind": "vector", "width": 2},
            {"name": "tags", "kind": "categorical", "multivalued": True},
        ],
    }
    contents = {
        "queries": [{"query_id": f"q{i}"} for i in range(9)],
        "documents": [{"document_id": f"d{i}", "price": i} for i in range(3)],
        "judgments": [{"query_id": f"q{i}", "document_id": "d0", "label": 1, "seen": i, "cross": [i, 2],
                       "tags": ["a", "a"], "when": 5} for i in range(9)],
    }  # fmt: skip
    data = {"candidates": {"from": "sample", "n": 1}, "timestamp": "when"}
    for row in read_lists(source_of(files_of(contents), data, features)).rows:
        of = dict(zip(row["document_id"], zip(row["seen"], row["cross"], row["tags"], strict=True), strict=True))
        number = int(row["query_id"][1:])
        assert of.pop("d0") == (number, [number, 2], ["a"])
        assert all(plain(list(values)) == [MISSING_INT, [None, None], []] for values in of.values())
        assert len(of) == (1 if row["split"] == "train" else 2)


def test_no_list_is_an_error_that_says_why(source_of, read_lists):
    contents = random_tables(random.Random(1))
    contents["judgments"] = [row | {"document_id": "nowhere"} for row in contents["judgments"]]
    with pytest.raises(DataError, match=r"judgments.jsonl: no lists; .*'unknown document id'"):
        read_lists(source_of(*sampled(contents)))


@pytest.mark.parametrize("test", ["all", "judgments"])
def test_two_runs_write_the_same_bytes_and_nothing_else(source_of, tmp_path, test):
    spec = source_of(*sampled(random_tables(random.Random(2)), test=test))
    runs = []
    for _ in range(2):
        directory = Path(tables.spill_tables(spec, tmp_path, 3).shards[0].directory)
        runs.append({file.relative_to(directory): file.read_bytes() for file in directory.rglob("*.*")})
    assert runs[0] == runs[1]
    written = {file.name.rpartition("-")[2] for file in runs[0]}
    assert written <= {"rejected.jsonl", "collection.arrow", *(f"{split}.arrow" for split in SPLITS)}
    assert {file.parent.name for file in runs[0]} == ({"", "whole"} if test == "all" else {""})


# --- memory ----------------------------------------------------------------------------------------------------------

PROGRAM = """
import resource, sys
from pathlib import Path
from ranker.data.rejected_rows import RejectedRows
from ranker.data.source import open_source
from ranker.spec import load_spec
spec = load_spec(Path(sys.argv[1]))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with RejectedRows(Path(sys.argv[2]) / "rejected") as rejected:
    source = open_source(spec, Path(sys.argv[2]), rejected, lambda _: None)
lists = (part.lists for shard in source.shards for part in source.read(shard, 256))
rows = sum(len(batch["label"].values) for batch in lists)
print(rows, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


def test_memory_is_not_that_of_the_lists(source_of, tmp_path):
    """Test lists of the whole collection are 3 GB together."""
    contents = {
        "queries": [{"query_id": f"q{i}"} for i in range(800)],
        "documents": [{"document_id": f"d{i}", "price": i, "text": f"{i} " * 70} for i in range(20_000)],
        "judgments": [{"query_id": f"q{i}", "document_id": f"d{i}", "label": 1} for i in range(800)],
    }
    features = {"document": [{"name": "price", "kind": "numeric"}, {"name": "text", "kind": "text"}]}
    source_of(files_of(contents), {"candidates": {"from": "sample"}, "split": {"valid": 0.1, "test": 0.4}}, features)
    command = [sys.executable, "-c", PROGRAM, tmp_path / "ranker.yaml", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    rows, grown = done.stdout.split()
    assert int(rows) > 350 * 20_000
    assert float(grown) < 350


def test_a_table_of_candidates_has_to_be_there(source_of):
    contents = random_tables(random.Random(1))
    del contents["candidates"]
    spec = source_of(files_of(contents), DATA | {"candidates": {"from": "table", "file": "candidates.jsonl"}}, FEATURES)
    with pytest.raises(DataError, match=r"candidates.jsonl: cannot read: No such file"):
        tables.source_paths(spec)
