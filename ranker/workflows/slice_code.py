"""Functions of the user that say which slice a document is in."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
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
    loaded = _SliceCode(one.label, code, folder)
    try:
        inspect.signature(loaded.function).bind(*inputs)
    except TypeError as error:
        raise RankerError(f"slices {one.label!r}: {code} does not take the inputs {inputs}: {error}") from None
    return loaded


@dataclass(frozen=True)
class _SliceCode:
    """A function of the user, which another process that sees the folder loads anew.

    Args:
        label: of the slices.
        code: `module:function`.
        folder: of the module.
    """

    label: str
    code: str
    folder: Path

    @cached_property
    def function(self) -> Callable[..., Sequence[str | None]]:
        """The function itself."""
        module, _, name = self.code.partition(":")
        with importable(self.folder):
            function = getattr(import_module(module, self.folder), name, None)
        if not callable(function):
            raise RankerError(f"slices {self.label!r}: module {module} has no function {name!r}")
        return function

    def __call__(self, *columns: Any) -> Sequence[str | None]:
        """The slice of each document, by columns of the score table."""
        function = self.function
        try:
            with importable(self.folder):  # for modules that it imports when it is called
                return function(*columns)
        except Exception as error:  # noqa: BLE001 - whatever the code of a user raises
            raise RankerError(f"slices {self.label!r}: {self.code} fails: {error_told(error, self.folder)}") from None

    def __reduce__(self) -> tuple[type[_SliceCode], tuple[str, str, Path]]:
        return _SliceCode, (self.label, self.code, self.folder)
