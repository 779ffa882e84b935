"""TREC files as they come: blanks of all kinds, packed, broken."""

import gzip

import numpy as np
import pytest
import pytrec_eval

from eval import trec
from eval.trec import read_qrels, read_run

QRELS = "q1 0 d1 2\nq1\t0\td2   0\n\n  q2 0 d1 -1 \nq10 0 dé 1"
RUN = "q1 Q0 d2 1 3.5 mine\nq1 Q0 d1 2 -1e-3 mine\r\nq2 Q0 d9 1 7 mine\n"


@pytest.fixture
def write(tmp_path):
    def text(content, name="file", packed=False):
        path = tmp_path / name
        data = content.encode() if isinstance(content, str) else content
        path.write_bytes(gzip.compress(data) if packed else data)
        return path

    return text


@pytest.mark.parametrize("packed", [False, True])
def test_judgements(write, packed):
    assert read_qrels(write(QRELS, packed=packed)).to_pylist() == [
        {"query_id": "q1", "document_id": "d1", "label": 2.0},
        {"query_id": "q1", "document_id": "d2", "label": 0.0},
        {"query_id": "q2", "document_id": "d1", "label": -1.0},
        {"query_id": "q10", "document_id": "dé", "label": 1.0},
    ]


def test_a_run(write):
    table, tag = read_run(write(RUN))
    assert tag == "mine"
    assert table.to_pylist() == [
        {"query_id": "q1", "document_id": "d2", "score": 3.5},
        {"query_id": "q1", "document_id": "d1", "score": -1e-3},
        {"query_id": "q2", "document_id": "d9", "score": 7.0},
    ]


def test_files_are_what_pytrec_eval_reads(write):
    random = np.random.default_rng(0)
    pairs = [(q, d) for q in range(20) for d in range(30)]
    qrels = "".join(f"q{q} 0 d{d} {random.integers(0, 4)}\n" for q, d in pairs)
    run = "".join(f"q{q} Q0 d{d} 0 {random.normal():.17g} t\n" for q, d in pairs)
    with write(qrels, "qrels").open() as file:
        theirs = pytrec_eval.parse_qrel(file)
    ours = read_qrels(write(qrels, "qrels"))
    assert {(r["query_id"], r["document_id"]): r["label"] for r in ours.to_pylist()} == {
        (q, d): label for q, labels in theirs.items() for d, label in labels.items()
    }
    with write(run, "run").open() as file:
        theirs = pytrec_eval.parse_run(file)
    ours, _ = read_run(write(run, "run"))
    assert {(r["query_id"], r["document_id"]): r["score"] for r in ours.to_pylist()} == {
        (q, d): score for q, scores in theirs.items() for d, score in scores.items()
    }


@pytest.mark.parametrize("block", [1, 7, 20, 1 << 20])
def test_blocks_do_not_show(write, monkeypatch, block):
    whole = read_qrels(write(QRELS))
    monkeypatch.setattr(trec, "_BLOCK", block)
    assert read_qrels(write(QRELS)).to_pylist() == whole.to_pylist()
    with pytest.raises(ValueError, match=r"file:6: expected 4 fields .* got 'q11 0'"):
        read_qrels(write(QRELS + "\nq11 0"))


def test_what_trec_eval_takes_as_well(write):
    """Comments, fields behind the tag, tags that differ, a plus sign, infinite scores; and a byte order mark."""
    run = "\ufeff# my run\nq1 Q0 d1 1 +5 a b c\n  # more\nq1 Q0 d#2 1 -inf\tb\n\nq1 Q0 #3 rank 1e400 c"
    table, tag = read_run(write(run))
    assert tag == "c"
    assert table.to_pylist() == [
        {"query_id": "q1", "document_id": document, "score": score}
        for document, score in [("d1", 5), ("d#2", -np.inf), ("#3", np.inf)]
    ]
    assert read_qrels(write("# made by hand\nq 0 d .5")).to_pylist() == [
        {"query_id": "q", "document_id": "d", "label": 0.5}
    ]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("q1 0 d1 2\nq1 0 d2\n", r"file:2: expected 4 fields 'query iteration document label', got 'q1 0 d2'"),
        ("q1 0 d1 2 3\n", r"file:1: expected 4 fields"),
        ("q1 0 d1 2\n\nq1 0 d3 good\n", r"file:3: label: expected a number, got 'good'"),
        ("q1 0 d1 2\nq1 0 d3 1_0\n", r"file:2: label: expected a number, got '1_0'"),
        ("q1 0 d1 2\nq1 0 d3 nan\nq1 0 d4 nan\n", r"file:2: label: expected a finite number, got nan \(2 such"),
        ("q1 0 d1 2\nq1 0\td3 inf\n", r"file:2: label: expected a finite number, got inf"),
        (
            "q1 0 d1 2\nq2 0 d1 1\nq1 7 d1 1\n",
            r"file:3: query 'q1', document 'd1' was there in line 1 already \(1 such",
        ),
        ("", r"file: expected lines of 'query iteration document label', got none"),
        ("\n  \n", r"got none"),
        (b"q1 0 d1 1\nq1 0 d\xff 1\n", r"file:2: not UTF-8 text"),
        (gzip.compress(QRELS.encode(), mtime=0)[:30], r"file: cannot read"),
        (gzip.compress(QRELS.encode(), mtime=0)[:20] + b"garbage" * 9, r"file: cannot read"),
    ],
)
def test_judgements_that_cannot_be_read(write, content, says):
    with pytest.raises(ValueError, match=says):
        read_qrels(write(content))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("q1 Q0 d1 1 1.5\n", r"file:1: expected 6 fields 'query Q0 document rank score tag', got 'q1 Q0 d1 1 1.5'"),
        ("q1 Q0 d1 1 1 a\nq1 Q0 d2 1 nan a\n", r"file:2: score: expected a number, got nan \(1 such lines\)"),
        ("q1 Q0 d1 1 1 a\nq1 Q0  d1 1 2 b\n", r"file:2: query 'q1', document 'd1' was there in line 1 already"),
        ("q1 Q0 d1 1 0x1F a\n", r"file:1: score: expected a number, got '0x1F'"),
    ],
)
def test_runs_that_cannot_be_read(write, content, says):
    with pytest.raises(ValueError, match=says):
        read_run(write(content))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ValueError, match="nowhere: cannot read: No such file or directory"):
        read_run(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="cannot read: Is a directory"):
        read_run(tmp_path)
