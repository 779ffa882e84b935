"""The key `evaluation.find_slices`: the search for slices that nobody named."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from ranker.spec.section import Location, Section

__all__ = ["FindSlices", "Finding", "faults_of_search"]


class FindSlices(Section):
    """Look for the slices in which a model is worst, by the values of up to `depth` features together.

    Each model is compared with the baseline, and the model that the gate is for with itself elsewhere, in these
    `metrics`. Any slice is reported by chance with probability `alpha` at most, over all searches. `all` features are
    those of queries and documents, without texts and vectors.
    """

    features: Literal["all"] | Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1)] = "all"
    metrics: Annotated[list[str], Field(min_length=1)] | None = Field(None, description="default: the first")
    depth: Annotated[int, Field(ge=1, le=3)] = 2
    alpha: Annotated[float, Field(ge=0.001, le=0.5)] = 0.05
    min_lists: Annotated[int, Field(ge=2)] | None = Field(None, description="default: that of evaluation")


def _switched(value: Any) -> Any:
    """True stands for the defaults."""
    return {"features": "all"} if value is True else value


Finding = Annotated[FindSlices, BeforeValidator(_switched, Literal[True] | FindSlices)]
"""How it is written."""


def faults_of_search(asked: FindSlices | None, known: Collection[str]) -> Iterator[tuple[Location, str]]:
    """Where `evaluation.find_slices` names features that are not among the known."""
    for name in asked.features if asked is not None and asked.features != "all" else ():
        if name not in known:
            fault = f"no feature {name!r} under query, document or pair; there are {list(known)}"
            yield ("evaluation", "find_slices", "features"), fault
