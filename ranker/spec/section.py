"""What all sections of the spec share: strictness, names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["RESERVED_NAMES", "Name", "Section", "Share", "refuse_repeats", "refuse_reserved"]

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=64)]
Share = Annotated[float, Field(gt=0, lt=1)]
RESERVED_NAMES = frozenset({"query_id", "document_id", "label", "mask", "dense", "blend"})


class Section(BaseModel):
    """A part of the spec: unknown keys are errors and values do not change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


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
