"""The demo's folder: its own files are written anew, nobody else's."""

from __future__ import annotations

import pytest

from ranker.errors import RankerError
from ranker.spec import load_spec
from ranker.workflows.demo import make_spec


def test_a_folder_with_something_else_is_left_alone(tmp_path, progress):
    (tmp_path / "ranker.yaml").write_text("mine")
    with pytest.raises(RankerError, match="holds something else than a demo; name another folder with --dir"):
        make_spec(tmp_path, 20, 7, [], progress)
    assert (tmp_path / "ranker.yaml").read_text() == "mine"
    assert [entry.name for entry in tmp_path.iterdir()] == ["ranker.yaml"]


def test_a_demo_can_be_done_again_with_another_spec_which_is_the_one_on_disk(tmp_path, progress):
    first = make_spec(tmp_path / "demo", 20, 7, [], progress)
    second = make_spec(tmp_path / "demo", 20, 7, ["training.epochs=3"], progress)
    assert (first.training.epochs, second.training.epochs) == (None, 3)
    assert load_spec(tmp_path / "demo" / "ranker.yaml").digest == second.digest != first.digest


def test_a_fault_of_an_override_leaves_no_store(tmp_path, progress):
    with pytest.raises(RankerError, match="unknown name 'ndgc'"):
        make_spec(tmp_path / "demo", 20, 7, ["evaluation.metrics=[ndgc]"], progress)
    assert not (tmp_path / "demo" / "store").exists()
