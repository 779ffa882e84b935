"""The command line as its users have it: a process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def ranker(tmp_path: Path) -> Run:
    """`ranker(*arguments, stdin=, python=)` runs the command in an empty folder; `python` are options of Python."""

    def run(*arguments: object, stdin: str = "", python: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *python, "-m", "ranker", *map(str, arguments)]
        users = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}  # not the tests' own
        return subprocess.run(
            command, input=stdin, capture_output=True, text=True, timeout=120, cwd=tmp_path, env=users
        )

    return run


@pytest.fixture
def refused(ranker: Run) -> Callable[..., str]:
    """`refused(*arguments)` is the message of a command that ends with status 2 and prints no traceback."""

    def run(*arguments: object, stdin: str = "") -> str:
        done = ranker(*arguments, stdin=stdin)
        assert done.returncode == 2, done
        assert "Traceback" not in done.stderr
        assert done.stderr.count("error: ") == 1
        return done.stderr.partition("error: ")[2].strip()

    return run
