"""`ranker prepare`: what is wrong with a spec is told before anything heavy is loaded."""

from __future__ import annotations

import subprocess
import sys
import time


def test_a_wrong_spec_ends_with_all_its_faults(refused, tmp_path):
    (tmp_path / "ranker.yaml").write_text("version: 1\nmodel: []\nmodels: []\n")
    assert refused("prepare", "ranker.yaml", "--out", "dataset").splitlines() == [
        "ranker.yaml:1: data: Field required",
        "ranker.yaml:1: features: Field required",
        "ranker.yaml:3: models: List should have at least 1 item after validation, not 0, got []",
        "ranker.yaml:1: blend: Field required",
        "ranker.yaml:2: model: unknown key; did you mean 'models'?",
    ]
    assert not (tmp_path / "dataset").exists()


def test_a_missing_spec_names_itself(refused):
    assert refused("prepare", "none.yaml", "--out", "dataset").startswith(
        "none.yaml: cannot read the spec: No such file"
    )


def test_an_override_is_applied(refused, tmp_path):
    (tmp_path / "ranker.yaml").write_text("version: 1\n")
    faults = refused("prepare", "ranker.yaml", "--out", "dataset", "--set", "version=2")
    assert "ranker.yaml (--set version=2): version: Input should be 1, got 2" in faults


def test_a_run_that_is_told_to_end_leaves_nothing(tmp_path, store_spec):
    """SIGTERM, as `timeout` and schedulers send it, in the middle of the work."""
    out = tmp_path / "artefacts" / "dataset"
    spec = store_spec.path("ranker.yaml")
    command = [sys.executable, "-m", "ranker", "prepare", spec, "--out", out, "--temp", tmp_path / "temporary"]
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while not list(out.parent.glob(".dataset.building-*/transform")) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert process.poll() is None, "it is still at work"
        process.terminate()
        assert process.wait(60) != 0
    assert list(out.parent.iterdir()) == []
    assert list((tmp_path / "temporary").iterdir()) == []
