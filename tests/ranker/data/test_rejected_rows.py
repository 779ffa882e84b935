"""Rejected rows come back as they went in, and are counted."""

from __future__ import annotations

import pickle

import pytest

from ranker.data.rejected import Rejected
from ranker.data.rejected_rows import RejectedRows


def test_rows_are_written_counted_and_read_again(tmp_path):
    with RejectedRows(tmp_path / "rejected.jsonl") as rejected:
        rejected.add("a.csv", 3, "bad label", 'a,"1\n",x')
        rejected.add("b.csv", 1, "unparsable line", "é" * 5000)
        assert len(list(rejected)) == 2, "they can be read before it is closed"
        rejected.add("a.csv", 4, "bad label", "")
    rows = [
        Rejected("a.csv", 3, "bad label", 'a,"1\n",x'),
        Rejected("b.csv", 1, "unparsable line", "é" * 1000),
        Rejected("a.csv", 4, "bad label", ""),
    ]
    assert list(rejected) == list(pickle.loads(pickle.dumps(rejected))) == rows
    assert rejected.total == 3
    assert rejected.counts == {("bad label", "a.csv"): 2, ("unparsable line", "b.csv"): 1}
    assert list(rejected.by_reason.items()) == [("bad label", 2), ("unparsable line", 1)]
    with pytest.raises(ValueError, match="is closed"):
        rejected.add("a.csv", 5, "bad label", "")


def test_none_is_an_empty_file(tmp_path):
    with RejectedRows(tmp_path / "rejected.jsonl") as rejected:
        pass
    assert (rejected.path.read_bytes(), rejected.total, list(rejected)) == (b"", 0, [])


def test_rows_are_counted_by_split_where_it_is_known(tmp_path):
    with RejectedRows(tmp_path / "rejected.jsonl") as rejected:
        rejected.add("a.csv", 1, "bad label", "", "test")
        rejected.add("a.csv", 2, "bad label", "")
        for line in range(3, 6):
            rejected.add("b.csv", line, "unparsable line", "", "train")
        rejected.add("b.csv", 6, "bad label", "", split="train")
    assert rejected.total == 6
    assert list(rejected.by_split) == ["train", "test"]
    assert list(rejected.by_split["train"].items()) == [("unparsable line", 3), ("bad label", 1)]
    assert pickle.loads(pickle.dumps(rejected)).by_split["test"] == {"bad label": 1}
