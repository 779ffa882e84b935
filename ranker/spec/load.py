"""Read `ranker.yaml`: all faults at once, each with its line and, for a mistyped key, the nearest right one."""

from __future__ import annotations

import difflib
import re
import typing
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, TypeAdapter, ValidationError

from ranker.errors import RankerError
from ranker.spec.model import Spec
from ranker.spec.section import Location, ReferencesError

__all__ = ["SpecError", "Written", "fault_in_words", "load_spec", "read_spec"]


class SpecError(RankerError):
    """The spec cannot be used; the message lists every fault."""


@dataclass(frozen=True)
class Written:
    """A spec as it was written: the file, its nodes with their lines, and the overrides of the command line."""

    path: Path
    root: yaml.Node | None
    overrides: Sequence[str]

    def fault(self, location: Location, what: str, section: Location | None = None) -> str:
        """One line that says where, in the file or in an override, and what.

        Args:
            location: keys and list numbers, as the user writes them.
            what: is wrong.
            section: the part of the spec in which the fault shows; overrides in it may be its cause.
        """
        where = ".".join(str(part) for part in location) or "spec"
        cause = _cause(self.root, location, self.overrides, location if section is None else section)
        return f"{self.path}{cause}: {where}: {what}"


class _StrictLoader(yaml.SafeLoader):
    """YAML 1.1 as PyYAML reads it, but a repeated key is an error, and 1e-3 a number (to PyYAML only 1.0e-3 is)."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {key.value!r} is there twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_StrictLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
)


def load_spec(path: Path, overrides: Sequence[str] = ()) -> Spec:
    """Load and check a spec.

    Args:
        path: the YAML file.
        overrides: `a.b=value` each (value as YAML; list items by number: `models.0.width=32`).

    Raises:
        SpecError: with all faults, each as `file:line: where: what`.
    """
    spec, faults, _ = read_spec(path, overrides)
    if faults:
        raise SpecError("\n".join(faults))
    return spec


def read_spec(path: Path, overrides: Sequence[str] = ()) -> tuple[Spec, list[str], Written]:
    """As `load_spec`, for those who want to look further although there are faults.

    Returns:
        the spec, which in case of faults has only the sections that are valid (its `model_fields_set`);
        its faults; and where its parts stand.

    Raises:
        SpecError: if nothing can be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SpecError(
            f"{path}: cannot read the spec: {error.strerror}; `ranker init` writes one to start from"
        ) from None
    except UnicodeDecodeError as error:
        raise SpecError(f"{path}: not UTF-8 text: {error.reason} at byte {error.start}") from None
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        raise SpecError(f"{path}: not valid YAML: {error}") from None
    if not isinstance(content, dict):
        raise SpecError(f"{path}: expected a mapping with the keys {', '.join(Spec.model_fields)}, got {content!r:.40}")
    for override in overrides:
        _apply(content, override)
    written, faults = Written(path, root, overrides), []
    try:
        spec = Spec.model_validate(content)
    except ValidationError as error:
        faults = [line for fault in error.errors() for line in _describe(written, fault)]
        spec = _valid_sections(content, {fault["loc"][0] for fault in error.errors() if fault["loc"]})
    spec._base = path.resolve().parent
    return spec, faults, written


def fault_in_words(section: type[BaseModel], fault: Any) -> tuple[Location, str]:
    """Where in a section something is wrong, as the user writes it, and what: for an unknown key the nearest known one.

    Args:
        section: that was validated.
        fault: one of the `errors()` of pydantic.
    """
    location, _ = _resolve(fault["loc"], section)
    message = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        _, sections = _resolve(fault["loc"][:-1], section)
        known = sorted({key for one in sections for key in _fields(one)})
        near = difflib.get_close_matches(str(location[-1]), known, n=1, cutoff=0.5)
        message = f"unknown key; did you mean {near[0]!r}?" if near else f"unknown key; known here: {', '.join(known)}"
    elif fault["type"] not in ("missing", "value_error"):
        message += f", got {fault['input']!r:.60}"
    return location, message


def _valid_sections(content: dict[str, Any], faulty: set[str | int]) -> Spec:
    sections = {
        name: TypeAdapter(typing.cast("Any", field.annotation)).validate_python(content[name])
        for name, field in Spec.model_fields.items()
        if name in content and name not in faulty
    }
    return Spec.model_construct(_fields_set=set(sections), **sections)


def _apply(content: dict[str, Any], override: str) -> None:
    """Set one `a.b=value` in place."""
    keys, equals, value = override.partition("=")
    if not equals or not keys:
        raise SpecError(f"--set {override}: expected path.to.key=value")
    *parents, last = keys.split(".")
    here: Any = content
    for depth, key in enumerate(parents):
        if isinstance(here, dict) and here.get(key) is None:
            here[key] = {}
        here = _child(here, key, override, ".".join(parents[:depth]))
    try:
        parsed = yaml.load(value, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        raise SpecError(f"--set {override}: not a YAML value: {error}") from None
    if isinstance(here, list):
        _child(here, last, override, ".".join(parents))
        here[int(last)] = parsed
    elif isinstance(here, dict):
        here[last] = parsed
    else:
        raise SpecError(f"--set {override}: {'.'.join(parents)} is a single value, it has no {last!r}")


def _child(parent: Any, key: str, override: str, where: str) -> Any:
    if isinstance(parent, dict):
        return parent[key]
    if isinstance(parent, list):
        if key.isdecimal() and int(key) < len(parent):
            return parent[int(key)]
        raise SpecError(
            f"--set {override}: {where} is a list; expected a number from 0 to {len(parent) - 1}, got {key!r}"
        )
    raise SpecError(f"--set {override}: {where} is a single value, it has no {key!r}")


def _describe(written: Written, fault: Any) -> list[str]:
    location, message = fault_in_words(Spec, fault)
    cause = fault.get("ctx", {}).get("error")
    if isinstance(cause, ReferencesError):
        return [written.fault((*location, *place), what, location) for place, what in cause.faults]
    return [written.fault(location, message)]


def _cause(root: yaml.Node | None, location: Location, overrides: Sequence[str], section: Location) -> str:
    """Where the fault was written: in the file, by an override, or in both if an override changed the section."""
    place, around = ([str(part) for part in where] for where in (location, section))
    below = []
    for override in overrides:
        keys = override.partition("=")[0].split(".")
        if place[: len(keys)] == keys:
            return f" (--set {override})"
        if keys[: len(around)] == around:
            below.append(f" (with --set {override})")
    return f":{_line(root, location)}{''.join(below)}"


def _line(node: yaml.Node | None, location: Location) -> int:
    """1-based line of the deepest part of `location` that stands in the file."""
    line = node.start_mark.line if node else 0
    for part in location:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == str(part):
                    line, node = key.start_mark.line, value
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line
    return int(line) + 1


def _resolve(location: Location, section: type[BaseModel]) -> tuple[Location, list[type[BaseModel]]]:
    """The keys of a fault's location in a section as the user writes them, and the sections that may stand there.

    In pydantic's location the `kind` (or `from`) of an item follows its place; it narrows the sections and is left out.
    """
    sections: list[type[BaseModel]] = [section]
    keys: list[str | int] = []
    for part in location:
        if isinstance(part, str) and part.startswith("#"):
            continue
        if len(sections) > 1 and isinstance(part, str):
            narrowed = [s for s in sections if part in _kinds(s)]
            if narrowed:
                sections = narrowed
                continue
        keys.append(part)
        fields = [_fields(section)[str(part)].annotation for section in sections if part in _fields(section)]
        if fields:  # or a number of a list, or a name that the user chose
            sections = [section for field in fields for section in _sections(field)]
    return tuple(keys), sections


def _fields(section: type[BaseModel]) -> dict[str, Any]:
    """The fields of a section by the keys that a user writes."""
    return {field.alias or name: field for name, field in section.model_fields.items()}


def _kinds(section: type[BaseModel]) -> tuple[str, ...]:
    """What the key that tells a section from others in its place may say."""
    fields = _fields(section)
    return next((typing.get_args(fields[key].annotation) for key in ("kind", "from") if key in fields), ())


def _sections(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [section for part in typing.get_args(annotation) for section in _sections(part)]
