"""The command `ranker`: help is quick because it loads nothing heavy, mistakes are told without a traceback."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ranker.cli.main import _COMMANDS

HEAVY = ("tensorflow", "apache_beam", "lightgbm", "tf_keras", "tensorflow_transform", "grpc", "pyarrow.dataset")


@pytest.mark.parametrize("command", [None, *_COMMANDS])
def test_help_loads_nothing_heavy(ranker, command):
    done = ranker(*filter(None, [command]), "--help", python=("-X", "importtime"))
    assert done.returncode == 0
    assert done.stdout.startswith(f"Usage: python -m ranker {command or ''}".rstrip())
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "ranker.cli.main" in loaded, "the modules were listed"
    assert not loaded & set(HEAVY)


def test_every_command_has_its_module_and_a_line_of_help(ranker):
    folder = Path(sys.modules["ranker.cli.main"].__file__).parent
    modules = {path.stem for path in folder.glob("*.py") if "\ndef command(" in path.read_text(encoding="utf-8")}
    assert set(_COMMANDS) == modules
    listed = re.findall(r"^  (\w+) +\S.*$", ranker("--help").stdout.partition("Commands:")[2], re.MULTILINE)
    assert listed == list(_COMMANDS)


def test_the_installed_command_is_the_module():
    command = Path(sys.executable).with_name("ranker")
    done = subprocess.run([command, "--version"], capture_output=True, text=True, timeout=60, check=True)
    assert re.fullmatch(r"ranker, version \d+\.\d+\.\d+\n", done.stdout)


@pytest.mark.parametrize("arguments", [["trian"], ["train"], ["prepare", "spec.yaml"], ["demo", "--queries", "3"]])
def test_a_wrong_command_line_ends_with_status_2_and_its_usage(ranker, arguments):
    done = ranker(*arguments)
    assert done.returncode == 2
    assert "Usage:" in done.stderr
    assert "Traceback" not in done.stderr
