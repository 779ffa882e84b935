"""Sums from threads and processes."""

from __future__ import annotations

import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from ranker.data.tally import Tally


@pytest.fixture
def tally(tmp_path) -> Tally:
    return Tally(tmp_path / "tally")


def test_nothing_was_added(tally):
    assert tally.total() == 0


def test_threads_and_copies_add_up(tally):
    def add(count: int) -> None:
        tally.add(count)
        pickle.loads(pickle.dumps(tally)).add(1000)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(add, range(100)))
    assert tally.total() == 99 * 100 // 2 + 100 * 1000


def test_another_process_adds(tally, tmp_path):
    (tmp_path / "pickled").write_bytes(pickle.dumps(tally))
    code = f"import pickle; t = pickle.load(open({str(tmp_path / 'pickled')!r}, 'rb')); t.add(2**40); t.add(1)"
    subprocess.run([sys.executable, "-c", code], check=True)
    tally.add(5)
    assert tally.total() == 2**40 + 6
