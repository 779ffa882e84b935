"""What is wrong with an installation or a machine, each with a mend."""

from __future__ import annotations

from pathlib import Path

import pytest

from ranker.workflows import doctor

GIB = 1 << 30


def test_dependencies_are_those_of_the_project():
    names = {package.name for package in doctor.packages()}
    assert {"ranker", "tensorflow", "apache-beam", "lightgbm", "pyarrow", "protobuf", "tf-keras", "grpcio"} <= names
    assert not {"pytest", "mypy"} & names


def test_a_missing_package_and_a_wrong_version_are_problems():
    wanted = ["click>=8", "numpy>=99", "no-such-package-here==1.*", "unneeded; python_version < '3'"]
    click, missing, numpy = doctor.packages(wanted)
    assert (click.name, click.problem) == ("click", None)
    assert missing.problem.what == "package no-such-package-here is missing"
    assert missing.problem.mend == "pip install --no-deps 'no-such-package-here==1.*', or make setup"
    assert numpy.problem.what == f"package numpy: expected >=99, found {numpy.installed}"


@pytest.mark.parametrize(("version", "good"), [((3, 10), False), ((3, 11), True), ((3, 13), True), ((3, 14), False)])
def test_python_is_one_of_three(version, good):
    assert (doctor.python_problems(version) == []) == good


@pytest.mark.parametrize(("value", "good"), [("1", True), ("True", True), ("0", False), ("", False)])
def test_keras_3_is_a_problem(value, good):
    problems = doctor.environment_problems({"TF_USE_LEGACY_KERAS": value})
    assert (problems == []) == good
    assert [problem.mend for problem in problems] == ["unset TF_USE_LEGACY_KERAS"] * (not good)
    assert doctor.environment_problems({}) == []


def test_little_memory_and_disk_are_problems():
    found = doctor.Machine(2, 3 * GIB, {Path("/work"): GIB, Path("/tmp"): 50 * GIB})
    assert [problem.what for problem in doctor.machine_problems(found)] == [
        "3.0 GiB of memory: expected at least 4",
        "/work: 1.0 GiB free: expected at least 2",
    ]
    assert doctor.machine_problems(doctor.Machine(2, 8 * GIB, {Path("/work"): 50 * GIB})) == []


def test_this_machine_has_cores_memory_and_disk():
    found = doctor.machine()
    assert found.cores >= 1
    assert min(found.memory, *found.disk.values()) > 0


def test_a_tensorflow_that_does_not_import_is_told():
    assert "ImportError: no libfoo" in doctor.tensorflow_problem(ImportError("no libfoo")).what
