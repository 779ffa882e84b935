"""Which features of ExampleListWithContext records a spec reads, and as what."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import NamedTuple

from ranker.data.columns import LABEL, TIMESTAMP, Column, Scope, column_of
from ranker.data.data_error import DataError
from ranker.data.elwc.columns import Input, What
from ranker.data.elwc.head import ElwcHead, Seen
from ranker.spec import Data, Feature, Raw, Spec, Vector

__all__ = ["ElwcInputs", "elwc_inputs", "feature_faults", "has_unseen_features", "with_found_columns"]

QUERY_ID = Column("query_id", "query", "string")
DOCUMENT_ID = Column("document_id", "document", "string")
WEIGHT = Column("weight", "document", "float32")
POSITION = Column("position", "document", "int64")

_NAMED = 20
_WHAT: dict[str, What] = {"numeric": "number", "date": "date", "text": "words", "categorical": "text"}
_KINDS: dict[What, tuple[str, ...]] = {
    **dict.fromkeys(("number", "integer", "vector", "grouped"), ("float", "int64")),
    **dict.fromkeys(("text", "words", "texts"), ("bytes", "int64")),
    "date": ("float", "int64", "bytes"),
}


class ElwcInputs(NamedTuple):
    """What is read of the context and of each example.

    Ids and what is judged have the names of `ranker.data.columns`; `weight` and `timestamp` are in both.
    """

    context: tuple[Input, ...]
    document: tuple[Input, ...]


def elwc_inputs(spec: Spec, names: Collection[str] | None = None) -> ElwcInputs:
    """What a spec, whose vectors name their columns, reads; with `names`, only these of the features."""
    data, features = spec.data, spec.features
    context = [Input(QUERY_ID, "text", (data.query_id,))]
    document = [Input(DOCUMENT_ID, "text", (data.document_id,)), Input(LABEL, "number", (data.label,))]
    if data.weight is not None:
        context.append(Input(WEIGHT, "number", (data.weight,)))
        document.append(Input(WEIGHT, "number", (data.weight,)))
    if data.timestamp is not None:
        context.append(Input(TIMESTAMP, "date", (data.timestamp,)))
        document.append(Input(TIMESTAMP, "date", (data.timestamp,)))
    if data.position is not None:
        document.append(Input(POSITION, "integer", (data.position,)))
    context += [_input(feature, "query") for feature in features.query if names is None or feature.name in names]
    document += [_input(feature, "document") for feature in features.document if names is None or feature.name in names]
    return ElwcInputs(tuple(context), tuple(document))


def _input(feature: Feature, scope: Scope) -> Input:
    column = column_of(feature, scope)
    if isinstance(feature, Vector):
        if feature.columns is None:
            return Input(column, "vector", (feature.name,))
        if isinstance(feature.columns, str):
            raise ValueError(f"{feature.name}: the columns of {feature.columns!r} are not known yet")
        return Input(column, "grouped", tuple(feature.columns))
    if feature.kind == "categorical" and feature.multivalued:
        return Input(column, "texts", (feature.name,), feature.separator)
    if isinstance(feature, Raw):
        number: What = "number" if feature.width is None else "vector"
        return Input(column, "words" if feature.type == "text" else number, (feature.name,))
    return Input(column, _WHAT[feature.kind], (feature.name,))


# --- scalar columns of a vector ---------------------------------------------------------------------------------------


def with_found_columns(spec: Spec, head: ElwcHead) -> Spec:
    """The spec with the columns that the files have for the vectors that group scalars.

    A pattern is for features with one number in each example; ids and what is judged are left out.

    Raises:
        DataError: if none matches a pattern, or a width is not the number of columns.
    """
    found = {}
    for side, seen in (("query", head.context), ("document", head.document)):
        taken = _taken(spec.data)
        for place, vector in enumerate(getattr(spec.features, side)):
            if isinstance(vector, Vector) and vector.columns is not None:
                columns = vector.columns
                if isinstance(columns, str):
                    columns = _matching(columns, seen, taken)
                if not columns:
                    raise DataError(
                        f"features.{side}.{place}.columns: no feature with one number in each example matches "
                        f"{vector.columns!r}; there are {_some(seen)}"
                    )
                if vector.width not in (None, len(columns)):
                    raise DataError(
                        f"features.{side}.{place}.width: expected {len(columns)}, the number of columns, or none at "
                        f"all; got {vector.width}"
                    )
                found[vector.name] = columns
    return spec.with_columns(found)


def _taken(data: Data) -> set[str | None]:
    return {data.query_id, data.document_id, data.label, data.weight, data.position, data.timestamp}


def _matching(pattern: str, seen: Mapping[str, Seen], taken: set[str | None]) -> list[str]:
    names = (name for name, of in seen.items() if of.is_scalar and name not in taken and fnmatchcase(name, pattern))
    return sorted(names, key=_natural)


def _natural(name: str) -> list[tuple[int, int, str]]:
    """f2 before f10."""
    parts = re.split(r"(\d+)", name)
    return [(1, int(part), part) if part.isdecimal() else (0, 0, part) for part in parts]


# --- faults -----------------------------------------------------------------------------------------------------------


def has_unseen_features(spec: Spec, head: ElwcHead) -> bool:
    """Whether there is something that the spec reads and no record has had."""
    return any(name not in seen for wanted, _, seen in _wanted(spec, head) for name in wanted.names)


def feature_faults(spec: Spec, head: ElwcHead) -> Iterator[str]:
    """What the spec reads and no record has, or has as something else throughout.

    Args:
        spec: its vectors name their columns.
        head: what was seen.
    """
    for wanted, where, seen in _wanted(spec, head):
        yield from _faults(wanted, where, seen)


def _wanted(spec: Spec, head: ElwcHead) -> Iterator[tuple[Input, str, Mapping[str, Seen]]]:
    """What has to be there, the name of the place, and what was seen there.

    Ids need not be, unless the spec gives them names of its own; weight and timestamp are in one of two places.
    """
    inputs, data = elwc_inputs(spec), spec.data
    optional = {name for name in ("query_id", "document_id") if getattr(data, name) == name}
    for where, of, seen in (("context", inputs.context, head.context), ("examples", inputs.document, head.document)):
        for wanted in of:
            here = wanted.names[0] in seen
            if wanted.column.name in optional and not here:
                continue
            if wanted.column not in (WEIGHT, TIMESTAMP):
                yield wanted, where, seen
            elif here or (where == "examples" and wanted.names[0] not in head.context):
                yield wanted, where if here else "context or the examples", seen


def _faults(wanted: Input, where: str, seen: Mapping[str, Seen]) -> Iterator[str]:
    for name in wanted.names:
        if name not in seen:
            near = difflib.get_close_matches(name, seen, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            yield f"no feature {name!r} in the {where}; there are {_some(seen)}{hint}"
        elif got := _mismatch(wanted, seen[name]):
            yield f"feature {name!r} in the {where}: expected {_expected(wanted)}, got {got}"


def _mismatch(wanted: Input, seen: Seen) -> str:
    """What the values are, if none can be what is wanted."""
    if not seen.kinds & set(_KINDS[wanted.what]):
        return " and ".join(sorted(seen.kinds))
    if wanted.what == "vector" and seen.least == seen.most != wanted.column.width:
        return f"{seen.most} in each"
    if wanted.what not in ("vector", "texts", "words") and seen.least > 1:
        return f"at least {seen.least} values in each"
    return ""


def _expected(wanted: Input) -> str:
    if wanted.what == "vector":
        return f"{wanted.column.width} numbers (float or int64)"
    values = {"date": "a date", "text": "a text", "words": "texts", "texts": "texts"}
    kinds = " or ".join(_KINDS[wanted.what])
    return f"{values.get(wanted.what, 'a number')} ({kinds})"


def _some(names: Iterable[str]) -> str:
    names = sorted(names, key=_natural)
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(map(repr, names[:_NAMED])) or 'none'}{more}"
