"""`ranker doctor`: one process with all of it, a healthy machine but for one variable."""

from __future__ import annotations

import os
import subprocess
import sys


def test_a_problem_is_told_with_its_mend_and_status_1(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "ranker", "doctor"],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=tmp_path,
        env=os.environ | {"TF_USE_LEGACY_KERAS": "0"},
    )
    assert done.returncode == 1, done
    problems = [line for line in done.stdout.splitlines() if line.startswith("problem: ")]
    assert problems == [
        "problem: environment variable TF_USE_LEGACY_KERAS is '0': TensorFlow would load Keras 3; expected 1"
    ], "and TensorFlow Ranking imports"
    assert "mend: unset TF_USE_LEGACY_KERAS" in done.stdout
    for told in ("tensorflow-ranking", "python: 3.", "cores: ", "memory: ", f"free in {tmp_path}: ", "devices: CPU:0"):
        assert told in done.stdout
