"""Artefacts on disk: written whole or not at all, with a manifest that says what they are."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ranker.errors import RankerError

__all__ = ["FORMAT_VERSION", "ArtefactError", "new_directory", "read_manifest", "refuse_to_replace", "write_json"]

FORMAT_VERSION = 1


class ArtefactError(RankerError):
    """An artefact is missing, half there, of another kind, or of a newer format."""


@contextmanager
def new_directory(path: Path) -> Iterator[Path]:
    """A folder to build an artefact in, renamed to `path` on success and removed on failure.

    What was at `path` stays until the new one is whole.

    Raises:
        ArtefactError: if there is something at `path` that is no artefact: it would be lost.
    """
    path = path.resolve()
    refuse_to_replace(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    mark = uuid.uuid4().hex  # not the process id: containers give the same one to each run
    building = path.with_name(f".{path.name}.building-{mark}")
    replaced = path.with_name(f".{path.name}.replaced-{mark}")
    building.mkdir()
    try:
        yield building
        for file in building.rglob("*"):
            if file.is_file():
                _sync(file)
        if path.exists():
            path.rename(replaced)
        building.rename(path)
        _sync(path.parent)
    finally:
        if replaced.exists() and not path.exists():
            replaced.rename(path)
        shutil.rmtree(building, ignore_errors=True)
        shutil.rmtree(replaced, ignore_errors=True)


def refuse_to_replace(path: Path) -> None:
    """Raise an ArtefactError if there is something at `path` that is no artefact: it would be lost."""
    if path.exists() and not (path / "manifest.json").is_file() and not (path.is_dir() and not any(path.iterdir())):
        raise ArtefactError(f"{path}: is neither an artefact nor an empty folder, so it is not replaced; name another")


def write_json(path: Path, content: Any) -> None:
    """Write one JSON file, whole or not at all; its folder is made if there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp-{uuid.uuid4().hex}")
    temporary.write_text(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
    _sync(temporary)
    temporary.replace(path)


def read_manifest(path: Path, kind: str) -> dict[str, Any]:
    """The manifest of the artefact at `path`.

    Args:
        path: folder of the artefact.
        kind: what it has to be, "dataset" or "bundle".

    Raises:
        ArtefactError: if there is none, it is of another kind, or newer than this code.
    """
    file = path / "manifest.json"
    made_by = {"dataset": "ranker prepare", "bundle": "ranker train"}[kind]
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ArtefactError(
            f"{path}: no {kind} here ({file.name}: {error.strerror}); make one with `{made_by}`"
        ) from None
    except ValueError as error:
        raise ArtefactError(f"{file}: not valid JSON ({error}); make the {kind} anew with `{made_by}`") from None
    if not isinstance(manifest, dict) or manifest.get("kind") != kind:
        found = manifest.get("kind") if isinstance(manifest, dict) else None
        raise ArtefactError(f"{path}: expected a {kind}, found {found!r}; make one with `{made_by}`")
    if manifest.get("format_version", 0) > FORMAT_VERSION:
        raise ArtefactError(
            f"{file}: format_version {manifest['format_version']} is newer than {FORMAT_VERSION}, the newest that this "
            f"version of ranker reads; use a newer ranker"
        )
    return manifest


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
