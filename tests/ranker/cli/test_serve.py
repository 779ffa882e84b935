"""`ranker serve`: a bundle that cannot be served is told before TensorFlow is loaded."""

from __future__ import annotations

import pytest


def test_a_missing_bundle_says_how_to_make_one(refused):
    message = refused("serve", "none")
    assert message == "none: no bundle here (manifest.json: No such file or directory); make one with `ranker train`"


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ('{"kind": "bundle", "format_ver', "not valid JSON (Unterminated string"),
        ('{"kind": "dataset", "format_version": 1}', "expected a bundle, found 'dataset'"),
        ('{"kind": "bundle", "format_version": 99}', "format_version 99 is newer than 1"),
    ],
)
def test_a_manifest_that_cannot_be_used(refused, tmp_path, manifest, message):
    (tmp_path / "manifest.json").write_text(manifest)
    assert message in refused("serve", tmp_path)


def test_ports_are_checked(ranker):
    done = ranker("serve", "bundle", "--rest-port", "70000")
    assert done.returncode == 2
    assert "70000 is not in the range 0<=x<=65535" in done.stderr
