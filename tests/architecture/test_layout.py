"""How the sources lie: names, sizes, packages."""

from __future__ import annotations

import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest
from setuptools import find_packages

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = ["eval", "features", "ranker", "serving", "training"]
MODULES = sorted(path for package in [*PACKAGES, "tests"] for path in (ROOT / package).rglob("*.py"))


def test_no_module_is_named_after_nothing():
    """A function lives with the concept it serves."""
    names = {"utils", "util", "common", "helpers", "helper", "misc"}
    places = [part for path in MODULES for part in path.relative_to(ROOT).with_suffix("").parts]
    assert not names.intersection(places)
    assert "pipeline" in places, "there was something to look at"


def test_no_file_is_longer_than_500_lines():
    lengths = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8").count("\n") for path in MODULES}
    assert {name: length for name, length in lengths.items() if length > 500} == {}


def test_the_five_packages_are_named_everywhere():
    assert sorted(PROJECT["tool"]["mypy"]["packages"]) == PACKAGES
    assert sorted(PROJECT["tool"]["importlinter"]["root_packages"]) == PACKAGES
    include = PROJECT["tool"]["setuptools"]["packages"]["find"]["include"]
    assert sorted(pattern.removesuffix("*") for pattern in include) == PACKAGES


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_is_importable_from_here(package):
    assert Path(find_spec(package).origin) == ROOT / package / "__init__.py"


def test_what_is_installed_is_all_the_code_and_no_test():
    """A folder without `__init__.py` would work here and be missing at a Beam worker."""
    include = PROJECT["tool"]["setuptools"]["packages"]["find"]["include"]
    shipped = find_packages(str(ROOT), include=include)
    code = {path.parent.relative_to(ROOT) for path in MODULES if not path.is_relative_to(ROOT / "tests")}
    assert sorted(shipped) == sorted(".".join(folder.parts) for folder in code)


def test_tests_lie_in_the_folders_of_what_they_test():
    """tests/<package>/test_<module>.py; tests of the whole have folders of their own."""
    folders = {path.parent.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("test_*.py")}
    nowhere = {folder.as_posix() for folder in folders if not (ROOT / folder / "__init__.py").exists()}
    assert nowhere <= {"architecture", "e2e", "benchmarks"}


def test_tests_have_no_packages():
    """pytest imports them by path, so that equal names in different folders do not clash."""
    assert list((ROOT / "tests").rglob("__init__.py")) == []
