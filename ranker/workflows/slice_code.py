"""Functions of the user that say which slice a document is in."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eval.slices import Code
from features.user_module import error_told, import_module, importable
from ranker.errors import RankerError
from ranker.spec import SliceBy

__all__ = ["load_slice_code"]


def load_slice_code(slices: Sequence[SliceBy], folder: Path | None) -> dict[str, Code]:
    """The functions of slices with `code`, by the names of the slices.

    Args:
        slices: of the spec.
        folder: of the spec, where modules are; None: it is not known.

    Raises:
        RankerError: there is no folder, a module or function is not there or cannot be imported, or it does not take
            the inputs.
    """
    return {one.label: _load(one, folder) for one in slices if one.code is not None}


def _load(one: SliceBy, folder: Path | None) -> Code:
    code, inputs = str(one.code), one.inputs or []
    if folder is None:
        raise RankerError(f"slices {one.label!r}: {code} lies in the folder of the spec; name the spec with --spec")
    module, _, name = code.partition(":")
    with importable(folder):
        function = getattr(import_module(module, folder), name, None)
    if not callable(function):
        raise RankerError(f"slices {one.label!r}: module {module} has no function {name!r}")
    try:
        inspect.signature(function).bind(*inputs)
    except TypeError as error:
        raise RankerError(f"slices {one.label!r}: {code} does not take the inputs {inputs}: {error}") from None

    def called(*columns: Any) -> Sequence[str | None]:
        try:
            with importable(folder):  # for modules that it imports when it is called
                return function(*columns)
        except Exception as error:  # noqa: BLE001 - whatever the code of a user raises
            raise RankerError(f"slices {one.label!r}: {code} fails: {error_told(error, folder)}") from None

    return called
