"""What workers and whoever started them tell each other."""

from __future__ import annotations

import pickle

import pytest

from ranker.errors import RankerError
from ranker.workflows.evaluation_job.folder import SharedFolder


def test_a_value_is_taken_once(tmp_path):
    there, here = SharedFolder(tmp_path), pickle.loads(pickle.dumps(SharedFolder(tmp_path)))
    there.put("sum", {"a": 1})
    assert here.take("sum") == {"a": 1}
    with pytest.raises(FileNotFoundError):
        here.take("sum")


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    folder = SharedFolder(tmp_path)
    file = folder.file("rows", "0")

    def fail(path):
        path.write_text("half")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        folder.write(file, fail)
    assert not file.exists()
    folder.write(file, lambda path: path.write_text("whole"))
    folder.write(file, lambda path: path.write_text("again"))
    assert file.read_text() == "again"
    folder.write(folder.file("rows", "1"), lambda path: None)
    assert not folder.file("rows", "1").exists(), "what writes nothing leaves nothing"


def test_of_several_faults_the_first_is_told(tmp_path):
    folder = SharedFolder(tmp_path)
    assert not folder.faulty
    with pytest.raises(ValueError, match=r"^the second$"), folder.faults_told():
        for order, error in ((3, ValueError("the third")), (2, RankerError("the second"))):
            with folder.faults_kept(order):
                raise error
        assert folder.faulty
    with pytest.raises(ValueError, match="the second"), folder.faults_told():
        raise RuntimeError("what the runner makes of it")


def test_other_errors_are_no_faults_of_the_input(tmp_path):
    folder = SharedFolder(tmp_path)
    with pytest.raises(ZeroDivisionError), folder.faults_told(), folder.faults_kept(0):
        _ = 1 / 0
    assert not folder.faulty
