"""Computed features: what the user's models and functions give, as columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import tensorflow as tf

from features.categorical import distinct_values
from features.code import code_digest, load_code
from features.lists import Lists
from features.numeric import transform_numeric
from features.saved_model import load_model, model_digest
from ranker.data.columns import raw_columns
from ranker.errors import RankerError
from ranker.spec import Code, Numeric, SavedModel, SingleFeature, Spec, Vector
from ranker.spec.section import Location

__all__ = ["LOADERS", "computed_columns", "faults_of_computed", "fingerprints", "load_computed", "with_computed_widths"]


class Loaded(Protocol):
    """The function of a computed feature."""

    @property
    def width(self) -> int:
        """How many numbers it gives."""

    def __call__(self, values: list[Any]) -> tf.Tensor:
        """float32 `[rows, width]` of the values `[rows, ...]` of the feature's inputs, in their order."""


# How the function of each kind is loaded: (feature, spec, raw columns by name) -> function; the digest of its files.
LOADERS: Mapping[str, Callable[[Any, Spec, Any], Loaded]] = {"saved_model": load_model, "code": load_code}
_DIGESTS: Mapping[str, Callable[[Any, Spec], str]] = {"saved_model": model_digest, "code": code_digest}


def load_computed(spec: Spec) -> dict[str, Loaded]:
    """The function of each computed feature.

    Raises:
        RankerError: for the first that cannot be loaded or does not fit its columns.
    """
    columns = {column.name: column for column in raw_columns(spec)}
    return {feature.name: LOADERS[feature.kind](feature, spec, columns) for feature in spec.features.computed}


def with_computed_widths(spec: Spec) -> Spec:
    """The spec with the width of each computed feature.

    Raises:
        RankerError: with all faults, see `faults_of_computed`.
    """
    resolved, faults = _resolved(spec)
    if faults:
        raise RankerError("\n".join(f"{'.'.join(map(str, where))}: {what}" for where, what in faults))
    return resolved


def faults_of_computed(spec: Spec) -> list[tuple[Location, str]]:
    """What is wrong with computed features: where in the spec, and what. Models and modules are read, modules run."""
    return _resolved(spec)[1]


def fingerprints(spec: Spec) -> dict[str, str]:
    """A digest of the files behind each computed feature: of a SavedModel, or of sources.

    Raises:
        RankerError: if they are not there.
    """
    return {feature.name: _DIGESTS[feature.kind](feature, spec) for feature in spec.features.computed}


def computed_columns(specs: Sequence[SavedModel | Code], lists: Lists) -> tf.Tensor:
    """float32 `[documents, columns]`: the numbers of each feature after its steps, feature by feature.

    Infinite ones count as missing. Listwise features can read single numbers, before the steps.
    """
    raw = [_numbers(spec, lists) for spec in specs]
    lists.numbers.update({spec.name: values[:, 0] for spec, values in zip(specs, raw, strict=True) if spec.width == 1})
    steps = [
        Numeric(name=spec.name, kind="numeric", transform=list(spec.transform))
        for spec in specs
        for _ in range(spec.width or 0)
    ]
    return transform_numeric(steps, tf.concat(raw, axis=1))


def _numbers(spec: SavedModel | Code, lists: Lists) -> tf.Tensor:
    """float32 `[documents, width]`; NaN is missing. What is of the query alone is computed once for it."""
    of_query = all(name in lists.query for name in spec.columns)
    raw = [_values(name, lists) for name in spec.columns]
    values = raw if of_query else [lists.per_document(name, v) for name, v in zip(spec.columns, raw, strict=True)]
    numbers = lists.computed[spec.name](values)
    numbers = tf.where(tf.math.is_finite(numbers), numbers, float("nan"))
    return tf.gather(numbers, lists.row) if of_query else numbers


def _values(name: str, lists: Lists) -> Any:
    """A raw column; of a multi-valued one each value once, as readers of tables give them."""
    values = lists.raw(name)
    if not isinstance(values, tf.RaggedTensor):
        return values
    return lists.once(("distinct values", name), lambda: distinct_values(values))


def _resolved(spec: Spec) -> tuple[Spec, list[tuple[Location, str]]]:
    columns = {column.name: column for column in raw_columns(spec)}
    faults: list[tuple[Location, str]] = []
    widths = {}
    unknown = [
        f.name for f in (*spec.features.query, *spec.features.of_documents) if f.kind == "vector" and not f.width
    ]
    for place, feature in enumerate(spec.features.computed):
        if wide := [name for name in feature.columns if name in unknown]:
            what = f"the width of {wide[0]!r} is not known before its files are read; give the vector a width"
            faults.append((("features", "computed", place), f"{feature.name}: {what}"))
            continue
        try:
            widths[feature.name] = LOADERS[feature.kind](feature, spec, columns).width
        except RankerError as error:
            faults.append((("features", "computed", place), f"{feature.name}: {error}"))
    resolved = spec.with_widths(widths)
    return resolved, [*faults, *_faults_of_references(resolved)]


def _faults_of_references(spec: Spec) -> list[tuple[Location, str]]:
    """Of what refers to a column of a computed feature, now that its width is known."""
    faults: list[tuple[Location, str]] = []
    wide = {feature.name: feature for feature in spec.features.computed if (feature.width or 1) > 1}
    for place, listwise in enumerate(spec.features.listwise):
        if listwise.of in wide:
            what = f"{listwise.of!r} is a vector of {wide[listwise.of].width} numbers; expected a single number"
            faults.append((("features", "listwise", place, "of"), f"{listwise.name}: {what}"))
    known = all(f.width is not None for f in (*spec.features.document, *spec.features.query) if isinstance(f, Vector))
    for place, model in enumerate(spec.models if "models" in spec.model_fields_set else []):
        if isinstance(model, SingleFeature) and not spec.features.may_have(model.feature) and known:
            of = next((f for f in spec.features.computed if model.feature.startswith(f.name)), None)
            there = f"; {of.name} has {of.dense_columns[0]} to {of.dense_columns[-1]}" if of else ""
            faults.append((("models", place, "feature"), f"no column {model.feature!r}{there}"))
    return faults
