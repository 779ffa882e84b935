"""`ranker prepare`: what is wrong with a spec is told before anything heavy is loaded."""

from __future__ import annotations


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
