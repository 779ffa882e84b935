"""What is shown of work that others do."""

from __future__ import annotations

import time

import pytest

from ranker.data.tally import Tally
from ranker.workflows.progress import watching


class Told:
    def __init__(self) -> None:
        self.counts: list[tuple[int, str, int | None]] = []

    def count(self, done: int, of: str, total: int | None = None, note: str = "") -> None:
        self.counts.append((done, of, total))

    def update(self, done: int, total: int, note: str = "") -> None:
        raise AssertionError


def test_the_tally_is_shown_while_it_grows_and_at_the_end(tmp_path):
    stage, tally = Told(), Tally(tmp_path / "tally")
    with watching(stage, tally, "lists", 9):
        tally.add(4)
        deadline = time.monotonic() + 20
        while (4, "lists", 9) not in stage.counts and time.monotonic() < deadline:
            time.sleep(0.05)
        tally.add(5)
    assert (4, "lists", 9) in stage.counts
    assert stage.counts[-1] == (9, "lists", 9)


def test_a_failure_ends_the_watch(tmp_path):
    stage, tally = Told(), Tally(tmp_path / "tally")
    with pytest.raises(ZeroDivisionError), watching(stage, tally, "lists", None):
        _ = 1 / 0
    seen = len(stage.counts)
    time.sleep(0.7)
    assert len(stage.counts) == seen


def test_work_that_was_done_twice_is_shown_as_all(tmp_path):
    stage, tally = Told(), Tally(tmp_path / "tally")
    with watching(stage, tally, "lists", 9):
        tally.add(18)
    assert stage.counts[-1] == (9, "lists", 9)
