"""`ranker init`: from files to a spec that `ranker check` takes."""

from __future__ import annotations

from ranker.data.store.generator import make_store


def test_a_spec_is_written_and_passes_check(ranker, refused, tmp_path):
    make_store(tmp_path / "store", queries=20, products=50)
    files = ("store/judgments.csv", "store/products.jsonl", "store/queries.jsonl")
    done = ranker("init", "--from", *files)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "queries: store/queries.jsonl",
        "documents: store/products.jsonl",
        "judgments: store/judgments.csv",
        "joined by 'query_id' and 'document_id', label 'label'",
        "spec: ranker.yaml; look at it, then: ranker check ranker.yaml",
    ]
    assert ranker("check", "ranker.yaml").stdout.endswith("ranker.yaml: no faults\n")
    assert refused("init", "--from", *files).startswith("ranker.yaml: exists, and is not overwritten")


def test_no_files_are_a_wrong_command_line(ranker):
    done = ranker("init")
    assert done.returncode == 2
    assert "name the files of queries, documents and judgments, or one with all: --from FILE..." in done.stderr
