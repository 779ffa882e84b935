"""`ranker train`: mistakes are told before anything heavy is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def spec(tmp_path) -> Path:
    """A spec that is whole."""
    path = tmp_path / "letor.yaml"
    path.write_text(
        "version: 1\ndata: {sources: [{kind: letor, train: a.txt, test: b.txt}]}\n"
        "models: [{name: net, kind: linear}]\nblend: {members: [net]}\n"
    )
    return path


def test_a_missing_dataset_says_how_to_make_one(refused, spec):
    message = refused("train", spec, "--dataset", "none", "--out", "bundle")
    assert message == "none: no dataset here (manifest.json: No such file or directory); make one with `ranker prepare`"


def test_a_bundle_is_no_dataset(refused, spec, tmp_path):
    (tmp_path / "manifest.json").write_text('{"kind": "bundle", "format_version": 1}')
    assert "expected a dataset, found 'bundle'" in refused("train", spec, "--dataset", tmp_path, "--out", "bundle")


def test_a_wrong_override_is_told(refused, spec):
    message = refused("train", spec, "--dataset", "d", "--out", "b", "--set", "training.epoch=3")
    assert "training.epoch: unknown key" in message
    assert "epochs" in message


def test_a_wrong_spec_is_told(refused, tmp_path):
    (tmp_path / "ranker.yaml").write_text("[]")
    assert "ranker.yaml: expected a mapping" in refused("train", "ranker.yaml", "--dataset", "d", "--out", "b")
