"""Which files and columns play which role, and what is said if one is missing."""

from __future__ import annotations

import pytest

from ranker.data.data_error import DataError
from ranker.data.tables.roles import TableFiles, source_paths, table_files, timestamp_and_weight

TABLES = {
    "queries.jsonl": [{"query_id": "a", "when": 1, "both": 1}],
    "documents.jsonl": [{"document_id": "1", "price": 1}],
    "judgments.jsonl": [{"query_id": "a", "document_id": "1", "label": 1, "w": 1, "both": 1}],
}


def test_files_have_roles_names_and_splits(source_of, tmp_path):
    files = {"train": "a/*.jsonl", "test": "b/part.jsonl"}
    source = {"kind": "tables", "queries": "queries.jsonl", "documents": "documents.jsonl", "judgments": files}
    judgments = dict.fromkeys(("a/part.jsonl", "a/more.jsonl", "b/part.jsonl"), TABLES["judgments.jsonl"])
    candidates = {"from": "table", "file": "found.jsonl"}
    tables = TABLES | judgments | {"found.jsonl": [{"query_id": "a"}]}
    spec = source_of(tables, {"sources": [source], "candidates": candidates})
    found = table_files(spec)
    assert list(found) == ["queries", "documents", "judgments", "candidates"]
    assert found["judgments"] == TableFiles(
        (tmp_path / "a/more.jsonl", tmp_path / "a/part.jsonl", tmp_path / "b/part.jsonl"),
        ("more.jsonl", "a/part.jsonl", "b/part.jsonl"),
        (0, 0, 2),
    )
    assert found["candidates"] == TableFiles((tmp_path / "found.jsonl",), ("found.jsonl",))
    assert source_paths(spec) == {role: list(files.paths) for role, files in found.items()}


def test_a_file_of_two_splits_is_an_error(source_of):
    files = {"train": "*.jsonl", "test": "judgments.jsonl"}
    source = {"kind": "tables", "queries": "queries.jsonl", "documents": "documents.jsonl", "judgments": files}
    with pytest.raises(DataError, match=r"judgments.jsonl: is a file of the train split and of the test split"):
        table_files(source_of(TABLES, {"sources": [source]}))


@pytest.mark.parametrize(
    ("data", "judgments", "queries"),
    [
        ({}, (), ()),
        ({"weight": "w", "timestamp": "when"}, ("weight",), ("timestamp",)),
        ({"weight": "both", "timestamp": "both"}, ("weight", "timestamp"), ()),
    ],
)
def test_weight_and_timestamp_are_looked_for_in_both_tables(source_of, data, judgments, queries):
    spec = source_of(TABLES, data)
    assert timestamp_and_weight(spec, table_files(spec)) == {"judgments": judgments, "queries": queries}


def test_a_column_in_neither_table_is_an_error_that_names_both(source_of):
    spec = source_of(TABLES, {"weight": "importance"})
    message = (
        r"no column 'importance', the data\.weight of the spec, in either table: "
        r"\S+/judgments\.jsonl has query_id, document_id, label, w, both; \S+/queries\.jsonl has query_id, when, both"
    )
    with pytest.raises(DataError, match=message):
        timestamp_and_weight(spec, table_files(spec))


def test_other_sources_are_not_made_of_tables(source_of):
    spec = source_of({}, {"sources": [{"kind": "letor", "train": "a.txt", "test": "b.txt"}]},
                     {"document": [{"name": "features", "kind": "vector"}]})  # fmt: skip
    with pytest.raises(TypeError, match="kind 'letor' is not made of tables"):
        table_files(spec)
