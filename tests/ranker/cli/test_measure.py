"""`ranker measure` as a process."""

from __future__ import annotations

import gzip
import json

import pytest

QRELS = "q1 0 d1 2\nq1 0 d2 0\nq2 0 d1 1\nq3 0 d4 1\nq4 0 d1 0\n"
ONE = "q1 Q0 d1 1 2 one\nq1 Q0 d2 2 1 one\nq2 Q0 d9 1 1 one\nq2 Q0 d1 2 1 one\nq4 Q0 d1 1 1 one\nq8 Q0 d1 1 1 one\n"
TWO = "q1 Q0 d2 1 2 two\nq1 Q0 d1 2 1 two\nq2 Q0 d1 1 1 two\nq3 Q0 d4 1 1 two\nq4 Q0 d1 1 1 two\n"

HEAVY = ("tensorflow", "apache_beam", "lightgbm", "tf_keras", "tensorflow_transform", "grpc", "scipy", "rich")


@pytest.fixture
def measured(ranker, tmp_path):
    """`measured(*arguments)` is the finished process, for files in its folder."""
    (tmp_path / "qrels").write_text(QRELS)
    (tmp_path / "one.run").write_text(ONE)
    (tmp_path / "two.run.gz").write_bytes(gzip.compress(TWO.encode()))

    def run(*arguments, python=()):
        done = ranker("measure", *arguments, python=python)
        assert done.returncode == 0, done.stderr
        return done

    return run


def split(text):
    """Cells of the table, and the remarks below it."""
    lines = text.splitlines()
    remarks = [line.removeprefix("# ") for line in lines if line.startswith("# ")]
    return [[cell.strip() for cell in line.split("\t")] for line in lines[: len(lines) - len(remarks)]], remarks


def test_a_table_like_that_of_trec_eval_and_how_it_was_made(measured):
    table, remarks = split(measured("qrels", "one.run", "--metrics", "p@1,mrr").stdout)
    assert table == [
        ["runid", "all", "one"],
        ["num_q", "all", "4"],
        ["p@1", "all", "0.5000"],  # 1 of q1, 0.5 of the tie in q2, 0 of the missing q3; q4 has nothing to find
        ["mrr", "all", "0.5833"],
    ]
    assert remarks == [
        "4 judged queries, 1 without a relevant document",
        "one: 1 query missing, 1 not judged and ignored",
        "one: judged 0.8333, 1 list with ties",
        "one: judged@1 0.8333, 1 list with ties in the first 1",
        "contract of p@1, mrr: relevant label > 0, ties average, empty skip, ideal judged, missing zero",
    ]


def test_several_runs_and_each_query_as_trec_eval(measured):
    done = measured(
        "qrels", "one.run", "two.run.gz", "-m", "P_1,recip_rank", "-q", "--contract", "trec_eval", "--baseline", "one"
    )
    table, remarks = split(done.stdout)
    assert table == [
        ["runid", "all", "one", "two"],
        ["num_q", "all", "3", "4"],
        ["P_1", "q1", "1.0000", "0.0000"],
        ["recip_rank", "q1", "1.0000", "0.5000"],
        ["P_1", "q2", "0.0000", "1.0000"],  # tied: d9 before d1
        ["recip_rank", "q2", "0.5000", "1.0000"],
        ["P_1", "q3", "-", "1.0000"],
        ["recip_rank", "q3", "-", "1.0000"],
        ["P_1", "q4", "0.0000", "0.0000"],
        ["recip_rank", "q4", "0.0000", "0.0000"],
        ["P_1", "all", "0.3333", "0.5000"],
        ["recip_rank", "all", "0.5000", "0.6250"],
    ]
    assert "one: 1 query missing and left out, 1 not judged and ignored" in remarks
    assert "P_1: two - one: too few queries to compare" in remarks


def test_differences_are_told(measured, tmp_path):
    runs = {
        name: [f"q{query} Q0 d1 1 {score} {name}\nq{query} Q0 d2 2 1 {name}\n" for query, score in enumerate(scores)]
        for name, scores in {"a": [0, 0, 0, 0, 0, 0, 2], "b": [2, 2, 2, 2, 2, 0, 2], "c": [2, 2, 2, 2, 2, 2, 2]}.items()
    }
    for name, lines in runs.items():
        (tmp_path / name).write_text("".join(lines))
    (tmp_path / "many").write_text("".join(f"q{query} 0 d1 1\n" for query in range(7)))
    _, remarks = split(measured("many", "a", "b", "-m", "p@1", "--baseline", "c").stdout)
    (told,) = [line for line in remarks if line.startswith("p@1: a - c")]
    # six differences of -1 and one of 0: mean -6/7, standard deviation sqrt(1/7)
    assert told.startswith("p@1: a - c = -0.8571 [-1.0000, ")
    assert "MaxT over 2 runs), d_z -2.27, detectable 0.4" in told
    assert told.endswith("7 queries")
    (alone,) = [
        line for line in split(measured("many", "b", "-m", "p@1", "--baseline", "c").stdout)[1] if " - c" in line
    ]
    assert "p 0.36 (t-test), 1 (randomisation), d_z" in alone


def test_json_on_standard_output_is_all_there_is(measured, tmp_path):
    arguments = ["qrels", "one.run", "two.run.gz", "--metrics", "mrr,ndcg@10(gain=linear,ties=docid)"]
    found = json.loads(measured(*arguments, "--json", "-", "--per-query").stdout)
    assert list(found) == ["one", "two"]
    assert list(found["one"]) == ["mrr", "ndcg@10(gain=linear,ties=docid)"]
    assert found["one"]["mrr"]["mean"] == 0.5833333333
    assert found["one"]["mrr"]["lists"] == 3
    assert found["one"]["mrr"]["per_query"] == {"q1": 1.0, "q2": 0.75, "q3": 0.0}
    done = measured(*arguments, "--json", "found.json")
    assert split(done.stdout)[0][2] == ["mrr", "all", "0.5833", "0.8333"]
    for figures in found["one"].values():
        del figures["per_query"]
    assert json.loads((tmp_path / "found.json").read_text())["one"] == found["one"]


def test_complete_counts_missing_queries(measured):
    found = json.loads(measured("qrels", "one.run", "-m", "P_1", "-c", "--contract", "trec_eval", "--json", "-").stdout)
    assert found["one"]["P_1"]["mean"] == 0.25


def test_nothing_heavy_is_loaded(measured):
    done = measured("qrels", "one.run", python=("-X", "importtime"))
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "eval.trec_lists" in loaded, "the modules were listed"
    assert not {name.partition(".")[0] for name in loaded} & set(HEAVY)


def test_mistakes_are_told(refused, tmp_path):
    (tmp_path / "qrels").write_text(QRELS)
    (tmp_path / "run").write_text(ONE + "q1 Q0 d1 9 9 one\n")
    assert refused("measure", "qrels", "run").startswith("run:7: query 'q1', document 'd1' was there in line 1 already")
    assert refused("measure", "qrels", "none").startswith("none: cannot read: No such file")
    assert "'bpref': this measure of trec_eval is not computed here" in refused(
        "measure", "qrels", "run", "--metrics", "bpref", "--contract", "trec_eval"
    )
