"""The section `validation`: how far the data may be from the training lists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ranker.spec.data import Data
from ranker.spec.features import Features
from ranker.spec.section import Location, Name, Section

__all__ = [
    "LIST_LENGTH",
    "Action",
    "ColumnChecks",
    "ConstantCheck",
    "DriftCheck",
    "MissingCheck",
    "UnseenCheck",
    "Validation",
    "faults_of_columns",
]

LIST_LENGTH = "list_length"

Action = Literal["warn", "fail", "ignore"]
Most = Annotated[float, Field(ge=0, le=1)]


class DriftCheck(Section):
    """How far the values of a column may be from those of the training lists.

    `categories`: their Jensen-Shannon divergence in bits (Lin 1991), 0 where each value has the same share, 1 where no
    value is common. `numbers`: their Kolmogorov-Smirnov distance, the largest difference, at any number, of the shares
    that are not above it; also 0 to 1, whatever the unit. Of a text the words are counted, of a date the age is taken,
    of a vector each component; `list_length` is the number of documents.
    """

    categories: Most = 0.1
    numbers: Most = 0.1
    action: Action = "warn"


class MissingCheck(Section):
    """By how much the share of missing values may differ from that of the training lists."""

    most: Most = 0.1
    action: Action = "warn"


class UnseenCheck(Section):
    """The largest share of values that no training list has.

    Numbers outside their range; values of columns that have a few known ones, at most 100, as schema.pbtxt says.
    """

    most: Most = 0.01
    action: Action = "warn"


class ConstantCheck(Section):
    """What to do with a column that has the same value in all training lists, or none at all."""

    action: Action = "warn"


class ColumnChecks(Section):
    """Another limit or action for one column; `action` is for all checks of it."""

    drift: Most | None = None
    missing: Most | None = None
    unseen: Most | None = None
    action: Action | None = None

    @model_validator(mode="after")
    def _has_an_effect(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("expected at least one of drift, missing, unseen, action; or leave the column out")
        return self


class Validation(Section):
    """Checks of validation and test lists, and of new data by `ranker validate`, against the training lists.

    What is beyond its limit becomes a warning, or with `action: fail` an error; 1 is never exceeded. Small splits do
    not cry wolf: nothing is said that could be chance. With `confidence: 0.99` data of one distribution is called
    different in one run of a hundred at the most, whatever the number of columns; documents of one list, which are
    alike, count as one.
    """

    drift: DriftCheck = DriftCheck()
    missing: MissingCheck = MissingCheck()
    unseen: UnseenCheck = UnseenCheck()
    constant: ConstantCheck = ConstantCheck()
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.99
    columns: dict[Name, ColumnChecks] = {}

    def action_for(self, column: str, check: Literal["drift", "missing", "unseen", "constant"]) -> Action:
        """What to do if a column fails a check."""
        own = self.columns.get(column)
        return own.action if own and own.action else getattr(self, check).action


def faults_of_columns(validation: Validation, features: Features, data: Data) -> Iterator[tuple[Location, str]]:
    """Where `validation.columns` names what is not there, or has an option without effect."""
    given = (*features.query, *features.of_documents)
    kinds = {feature.name: feature.type if feature.kind == "raw" else feature.kind for feature in given}
    judged = {"label": True, "weight": data.weight is not None, "position": data.position is not None}
    names = [*kinds, *(name for name, there in judged.items() if there), LIST_LENGTH]
    for name, checks in validation.columns.items():
        where = ("validation", "columns", name)
        if name not in names:
            yield where, f"no column {name!r}; there are {names}"
        elif checks.unseen is not None and (name in (LIST_LENGTH, "position") or kinds.get(name) in ("text", "date")):
            yield (*where, "unseen"), f"{name}: only numbers and categories have unseen values; leave out"
