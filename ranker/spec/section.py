"""What all sections of the spec share: strictness, names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "RESERVED_NAMES",
    "Location",
    "Name",
    "ReferencesError",
    "Section",
    "Share",
    "refuse_repeats",
    "refuse_reserved",
]

Location = tuple[str | int, ...]

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=64)]
Share = Annotated[float, Field(gt=0, lt=1)]
RESERVED_NAMES = frozenset(
    {"query_id", "document_id", "label", "weight", "timestamp", "mask", "dense", "blend", "serving_default"}
)


class Section(BaseModel):
    """A part of the spec: unknown keys are errors and values do not change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class ReferencesError(ValueError):
    """What a validator of a section raises to report several faults at once.

    Attributes:
        faults: where each is (keys and list numbers below the section, none for the section itself), and what it is.
    """

    def __init__(self, faults: Sequence[tuple[Location, str]]) -> None:
        super().__init__("; ".join(what for _, what in faults))
        self.faults = tuple(faults)


def refuse_repeats(what: str, names: Iterable[str]) -> None:
    """Raise a ValueError if a name is there twice."""
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise ValueError(f"{what} name used more than once: {', '.join(repeated)}")


def refuse_reserved(what: str, names: Iterable[str]) -> None:
    """Raise a ValueError if a name is one of the engine's own."""
    for name in sorted(RESERVED_NAMES.intersection(names)):
        owned = ", ".join(sorted(RESERVED_NAMES))
        raise ValueError(f"{what} name {name!r} is one of the engine's own ({owned}); rename it")
