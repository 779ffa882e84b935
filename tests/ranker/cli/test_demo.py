"""`ranker demo` as a process: what a newcomer sees, and that the lines it ends with can be pasted."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import urllib.request

import pytest


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """A small demo's folder and what it printed."""
    folder = tmp_path_factory.mktemp("newcomer")
    small = ["--queries=60", "--set=training.epochs=2", "--set=models.1.trees=10"]
    command = [sys.executable, "-m", "ranker", "demo", *small]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout, done.stderr


def test_every_step_is_told_with_its_time(shown):
    steps = re.findall(r"✓ (.+?) +[\d.]+ s$", shown[2], re.MULTILINE)
    for word in ("store", "count words", "analyse", "transform", "net", "trees", "blend", "export", "live scorer"):
        assert any(word in step for step in steps), (word, steps)
    assert "WARNING" not in shown[2]


def test_a_ranked_list_and_the_table_are_shown(shown):
    assert re.search(r"query '.+' for a \w+ customer", shown[1])
    for model in ("net", "trees", "bm25", "blend"):
        assert re.search(rf"ndcg@10 │ {model} +│ +0\.\d{{4}} \[", shown[1]), model
    report = json.loads((shown[0] / "demo" / "report" / "report.json").read_text())
    assert f"{report['data']['queries']} test lists" in shown[1]
    assert [one["name"] for one in report["slices"]] == ["segment", "price"]
    assert (shown[0] / "demo" / "report" / "report.html").stat().st_size > 10_000


def test_the_lines_at_the_end_work_when_pasted(shown):
    serve, curl = (re.search(rf"{what}: +(.+)", shown[1])[1] for what in ("Start the scorer", "and ask it"))
    ports = ["--grpc-port=0", "--rest-port=0"]  # so that the test does not depend on 8500 and 8501 being free
    command = [*shlex.split(serve), *ports]
    with subprocess.Popen(command, cwd=shown[0], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as scorer:
        try:
            scorer.stdout.readline()
            url = scorer.stdout.readline().removeprefix("REST ").strip()
            pasted = shlex.split(curl)
            assert pasted[:2] == ["curl", "-s"]
            assert pasted[2].replace("8501", re.search(r":(\d+)/", url)[1]) == url
            body = (shown[0] / pasted[4].removeprefix("@")).read_bytes()
            with urllib.request.urlopen(urllib.request.Request(url, body), timeout=30) as response:
                assert [result["rank"] for result in json.load(response)["results"]] == list(range(1, 11))
        finally:
            scorer.terminate()
            scorer.communicate(timeout=30)
