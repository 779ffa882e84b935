"""The section `data`: where the lists come from."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ranker.spec.section import Section, Share

__all__ = ["Data", "LetorSource", "Source", "Split", "TableSource", "TablesSource"]


class TablesSource(Section):
    """Queries, documents and judgments as three tables, joined on the ids.

    A table is a file, .jsonl or .csv (also .gz, .zst) or .parquet, or several by a pattern: `queries-*.jsonl.gz`.
    """

    kind: Literal["tables"]
    queries: str = Field(description="file with one row per query")
    documents: str = Field(description="file with one row per document")
    judgments: str = Field(description="file with one row per judged (query, document) pair")


class TableSource(Section):
    """One table, as files like those of `TablesSource`, that has the columns of the query in each row of its documents.

    The values of a query are those of its first row.
    """

    kind: Literal["table"]
    file: str = Field(description="file with one row per judged (query, document) pair, with all columns")


class LetorSource(Section):
    """Files of `label qid:n index:value ... # comment` lines, one for each split, also .gz or .zst.

    Without `qid`, list sizes are in a `.query` or `.group` file beside each. All features are one vector.
    """

    kind: Literal["letor"]
    train: str = Field(description="file of the training lists")
    valid: str | None = Field(None, description="file of the validation lists; default: split.valid of the training")
    test: str = Field(description="file of the test lists")
    missing: Literal["refused", "nan"] = Field("refused", description="whether NaN in a file is a missing value")


Source = Annotated[TablesSource | TableSource | LetorSource, Field(discriminator="kind")]


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

    sources: Annotated[list[Source], Field(min_length=1, max_length=1)]
    query_id: str = "query_id"
    document_id: str = "document_id"
    label: str = "label"
    split: Split = Split()

    @model_validator(mode="after")
    def _options_have_an_effect(self) -> Self:
        """LETOR files have no column names, and say themselves which lists are for test."""
        source = self.sources[0]
        if isinstance(source, LetorSource):
            given = {name: getattr(self, name) for name in ("query_id", "document_id", "label")}
            defaults = {name: type(self).model_fields[name].default for name in given}
            without = [name for name in given if given[name] != defaults[name]]
            without += ["split.test"] * (self.split.test != Split().test)
            without += ["split.valid"] * (source.valid is not None and self.split.valid != Split().valid)
            if without:
                raise ValueError(f"{', '.join(without)}: no effect with a letor source; leave out")
        return self
