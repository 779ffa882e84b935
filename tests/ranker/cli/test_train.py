"""`ranker train`: mistakes are told before anything heavy is loaded."""

from __future__ import annotations


def test_a_missing_dataset_says_how_to_make_one(refused):
    message = refused("train", "none", "--out", "bundle")
    assert message == "none: no dataset here (manifest.json: No such file or directory); make one with `ranker prepare`"


def test_a_bundle_is_no_dataset(refused, tmp_path):
    (tmp_path / "manifest.json").write_text('{"kind": "bundle", "format_version": 1}')
    assert "expected a dataset, found 'bundle'" in refused("train", tmp_path, "--out", "bundle")


def test_overrides_without_a_spec_are_refused(ranker):
    """They would have no effect."""
    done = ranker("train", "dataset", "--out", "bundle", "--set", "training.epochs=3")
    assert done.returncode == 2
    assert "--set overrides keys of the file given by --spec; give both" in done.stderr


def test_a_wrong_spec_is_told(refused, tmp_path):
    (tmp_path / "ranker.yaml").write_text("[]")
    assert "ranker.yaml: expected a mapping" in refused("train", "dataset", "--out", "b", "--spec", "ranker.yaml")
