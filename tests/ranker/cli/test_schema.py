"""`ranker schema`: on standard output, or in a file."""

from __future__ import annotations

import json

from click.testing import CliRunner

from ranker.cli.schema import command
from ranker.spec.schema import json_schema


def test_the_schema_is_printed_as_json():
    assert json.loads(CliRunner().invoke(command).stdout) == json_schema()


def test_the_schema_is_written_with_a_hint_for_editors(tmp_path):
    out = tmp_path / "ranker.schema.json"
    done = CliRunner().invoke(command, ["--out", str(out)])
    assert json.loads(out.read_text()) == json_schema()
    assert done.stdout.splitlines()[-1].endswith(f"# yaml-language-server: $schema={out}")
