"""What may import what, and that the light parts are light."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = [
    path for package in ("ranker", "features", "training", "serving", "eval") for path in (ROOT / package).rglob("*.py")
]
HEAVY = ("tensorflow", "tf_keras", "apache_beam", "lightgbm", "tensorflow_transform", "tensorflow_ranking", "grpc")


def imported(path: Path) -> set[str]:
    """Top-level names of all that a file imports, inside functions too."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    return {name.partition(".")[0] for name in names}


def test_the_contracts_hold():
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout
    assert " 0 broken" in done.stdout


def test_one_module_imports_tensorflow_ranking():
    """It needs a stub in place first, which is there only."""
    assert [p.relative_to(ROOT).as_posix() for p in SOURCES if "tensorflow_ranking" in imported(p)] == [
        "ranker/models/tensorflow_ranking.py"
    ]


def test_no_product_code_imports_the_tests_or_their_tools():
    forbidden = {"tests", "pytest", "hypothesis", "sklearn", "httpx"}
    assert {p.relative_to(ROOT).as_posix(): found for p in SOURCES if (found := imported(p) & forbidden)} == {}


@pytest.mark.parametrize(
    "module", ["ranker", "ranker.spec", "ranker.cli.main", "ranker.data.requests", "eval.evaluate"]
)
def test_light_modules_load_nothing_heavy(module):
    """Static contracts see no import that a library makes; a fresh process does."""
    program = f"import sys, {module}; print(*sorted(set(sys.modules) & set({HEAVY!r})))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == []


def test_the_online_scorer_loads_no_training_library():
    """Without the tests' own switch, with which TensorFlow itself would import tf_keras."""
    heavy = {
        "apache_beam",
        "lightgbm",
        "tf_keras",
        "tensorflow_transform",
        "tensorflow_ranking",
        "training",
        "features",
    }
    program = f"import sys, serving.server, serving.scorer; print(*sorted(set(sys.modules) & {heavy!r}))"
    users = {name: value for name, value in os.environ.items() if name != "TF_USE_LEGACY_KERAS"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=users, capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.split() == []
