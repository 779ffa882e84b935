"""The section `data`: where the lists come from."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ranker.spec.section import Section, Share

__all__ = ["Data", "Split", "TablesSource"]


class TablesSource(Section):
    """Queries, documents and judgments as three files (JSONL or CSV by their ending), joined on the ids."""

    kind: Literal["tables"]
    queries: str = Field(description="file with one row per query")
    documents: str = Field(description="file with one row per document")
    judgments: str = Field(description="file with one row per judged (query, document) pair")


class Split(Section):
    """Which lists are for validation and which for test; the rest are for training."""

    by: Literal["query_hash"] = "query_hash"
    valid: Share = 0.1
    test: Share = 0.2

    @model_validator(mode="after")
    def _leaves_lists_for_training(self) -> Self:
        if self.valid + self.test >= 1:
            raise ValueError(f"valid + test = {self.valid + self.test:g} leaves no lists for training; expected < 1")
        return self


class Data(Section):
    """Where the lists come from, and what their columns are called."""

    sources: Annotated[list[TablesSource], Field(min_length=1, max_length=1)]
    query_id: str = "query_id"
    document_id: str = "document_id"
    label: str = "label"
    split: Split = Split()
