"""`ranker verify` on the small bundle and on a broken one."""

from __future__ import annotations

import shutil


def test_a_good_bundle_is_told_with_the_count(ranker, bundle):
    done = ranker("verify", bundle)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{bundle}: 20 golden requests got the scores they must get\n"


def test_a_truncated_saved_model_is_told(refused, bundle, tmp_path):
    broken = shutil.copytree(bundle, tmp_path / "broken")
    model = broken / "saved_model" / "saved_model.pb"
    model.write_bytes(model.read_bytes()[:1000])
    assert refused("verify", broken).startswith(f"{broken}: the SavedModel does not load: ")
