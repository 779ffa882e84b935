"""Modules that a user puts into the folder of the spec: how they are found, imported and told apart."""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.machinery
import importlib.util
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from ranker.errors import RankerError

__all__ = ["error_told", "import_module", "importable", "module_digest"]


@contextmanager
def importable(folder: Path) -> Iterator[None]:
    """Modules of the folder can be imported in the block, and are forgotten after it: other folders may have the same.

    They are run anew in each block, and leave no compiled files.
    """
    before, wrote = set(sys.modules), sys.dont_write_bytecode
    sys.path.insert(0, str(folder))
    sys.dont_write_bytecode = True
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.dont_write_bytecode = wrote
        sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            if folder in Path(getattr(sys.modules[name], "__file__", None) or "/").parents:
                del sys.modules[name]


def import_module(name: str, folder: Path) -> ModuleType:
    """Import a module of the folder, or an installed one, inside `importable`.

    Raises:
        RankerError: if there is none, it cannot be imported, or its name is taken.
    """
    top = name.partition(".")[0]
    found = importlib.machinery.PathFinder.find_spec(top, [str(folder)])
    if found is not None and top in sys.modules and getattr(sys.modules[top], "__file__", None) != found.origin:
        raise RankerError(f"module {top!r} of {folder} has the name of one that is in use already; rename it")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            raise RankerError(f"no module {error.name!r} in {folder}, and none is installed") from None
        raise RankerError(f"cannot import {name}: {error_told(error, folder)}") from None
    except Exception as error:  # noqa: BLE001 - whatever the code of a user raises
        raise RankerError(f"cannot import {name}: {error_told(error, folder)}") from None


def error_told(error: Exception, folder: Path) -> str:
    """The last line of the traceback, and the last place in a file of the folder."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if folder in Path(frame.filename).parents]
    if isinstance(error, SyntaxError) and error.filename:
        place = f" ({Path(error.filename).name}:{error.lineno})"
    else:
        place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    told = str(error.msg if isinstance(error, SyntaxError) else error).strip().splitlines()
    return f"{type(error).__name__}: {told[0] if told else ''}{place}"


def module_digest(name: str, folder: Path) -> str:
    """SHA-256 of the sources of a module and of those in the folder that it imports, and these, and so on.

    An installed module counts by its own file alone. Files that a module reads are not known.
    """
    files: dict[str, bytes] = {}
    waiting = [name]
    while waiting:
        for file in _files(waiting.pop(), folder):
            key = file.relative_to(folder).as_posix()
            if key not in files:
                files[key] = file.read_bytes()
                waiting += _imported(files[key], ".".join(file.relative_to(folder).with_suffix("").parts))
    if not files and (found := importlib.util.find_spec(name)) is not None and found.origin is not None:
        files[name] = Path(found.origin).read_bytes()
    digest = hashlib.sha256()
    for key, content in sorted(files.items()):
        digest.update(f"{key}\0{hashlib.sha256(content).hexdigest()}\n".encode())
    return digest.hexdigest()


def _files(module: str, folder: Path) -> list[Path]:
    """The file of a module, and of the packages around it, as far as they are in the folder."""
    parts = module.split(".")
    around = [folder.joinpath(*parts[:depth]) for depth in range(1, len(parts) + 1)]
    files = [*(path / "__init__.py" for path in around), around[-1].with_suffix(".py")]
    return [file for file in files if file.is_file()]


def _imported(source: bytes, module: str) -> list[str]:
    """The modules that a source may import, by their whole names."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return []
    package = module.split(".")[:-1]  # also of an __init__
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            around = package[: len(package) - node.level + 1] if node.level else []
            start = ".".join([*around, *([node.module] if node.module else [])])
            names += [start, *(f"{start}.{alias.name}".lstrip(".") for alias in node.names)]
    return [name for name in names if name]
