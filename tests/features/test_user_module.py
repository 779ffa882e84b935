"""Modules in the folder of a spec: found, run anew, forgotten; faults with their line; digests of what they import."""

import sys

import pytest

from features.user_module import import_module, importable, module_digest
from ranker.errors import RankerError


def write(folder, sources: dict[str, str]) -> None:
    for name, source in sources.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(source)


def value(folder, name: str = "mine") -> int:
    with importable(folder):
        return import_module(name, folder).VALUE


def test_a_module_is_that_of_its_folder_and_time(tmp_path):
    for folder, number in (("a", 1), ("b", 2), ("a", 3)):
        write(tmp_path / folder, {"mine.py": "from other import VALUE", "other.py": f"VALUE = {number}"})
        assert value(tmp_path / folder) == number
    assert not {"mine", "other"} & set(sys.modules)
    assert not list(tmp_path.rglob("__pycache__"))


def test_modules_of_other_places_stay(tmp_path, monkeypatch):
    write(
        tmp_path,
        {"spec/mine.py": "import imported_once as m\nVALUE = m.VALUE", "installed/imported_once.py": "VALUE = 4"},
    )
    monkeypatch.syspath_prepend(str(tmp_path / "installed"))
    assert value(tmp_path / "spec") == 4
    assert "mine" not in sys.modules
    assert sys.modules.pop("imported_once").VALUE == 4


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ({}, r"no module 'mine' in .*, and none is installed"),
        ({"mine.py": "import gone"}, r"cannot import mine: ModuleNotFoundError: No module named 'gone' \(mine.py:1\)"),
        ({"mine.py": "x = 1\nx.y"}, r"cannot import mine: AttributeError: 'int' object has .* 'y' \(mine.py:2\)"),
        ({"mine.py": "import other", "other.py": "\n1 / 0"}, r"ZeroDivisionError: division by zero \(other.py:2\)"),
        ({"mine.py": "x = 1\nx ="}, r"cannot import mine: SyntaxError: invalid syntax \(mine.py:2\)"),
        ({"mine.py": "raise ValueError('one\\ntwo')"}, r"ValueError: one \(mine.py:1\)"),
        ({"mine.py": "raise KeyError"}, r"KeyError:  \(mine.py:1\)"),
    ],
)
def test_faults_have_their_place(tmp_path, sources, message):
    write(tmp_path, sources)
    with pytest.raises(RankerError, match=message), importable(tmp_path):
        import_module("mine", tmp_path)


@pytest.mark.parametrize("name", ["json", "features"])
def test_a_name_that_is_taken_is_said(tmp_path, name):
    write(tmp_path, {f"{name}.py": "VALUE = 1"})
    with (
        pytest.raises(RankerError, match=rf"module '{name}' of .* has the name of one that is in use already; rename"),
        importable(tmp_path),
    ):
        import_module(name, tmp_path)


# --- digests ----------------------------------------------------------------------------------------------------------

SOURCES = {
    "mine.py": "import tensorflow\nfrom other import x\nimport pack.inner",
    "other.py": "y = 1",
    "pack/__init__.py": "from . import near",
    "pack/inner.py": "from .sub.deep import z\nfrom .. import nothing",
    "pack/near.py": "",
    "pack/sub/__init__.py": "",
    "pack/sub/deep.py": "from ..far import y",
    "pack/far.py": "",
    "unused.py": "z = 1",
}


@pytest.mark.parametrize("changed", SOURCES)
def test_the_digest_is_of_all_that_is_imported(tmp_path, changed):
    write(tmp_path, SOURCES)
    before = module_digest("mine", tmp_path)
    write(tmp_path, SOURCES)
    assert module_digest("mine", tmp_path) == before
    write(tmp_path, {changed: SOURCES[changed] + "\n"})
    assert (module_digest("mine", tmp_path) != before) == (changed != "unused.py")


def test_the_digest_does_not_depend_on_the_folder(tmp_path):
    digests = set()
    for name in ("a", "b"):
        write(tmp_path / name, SOURCES)
        digests.add(module_digest("mine", tmp_path / name))
    assert len(digests) == 1


def test_digests_of_modules_that_cannot_be_read_or_are_installed(tmp_path):
    write(tmp_path, {"mine.py": "x ="})
    assert module_digest("mine", tmp_path) != module_digest("json", tmp_path) != module_digest("gone", tmp_path)
