"""The section `data`: where the lists come from."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, TypeAdapter, ValidationError, model_validator

from ranker.spec.candidates import Candidates, JudgedCandidates
from ranker.spec.clicks import ClicksSource
from ranker.spec.section import Section, Share

__all__ = ["Data", "ElwcSource", "LetorSource", "Source", "Split", "SplitFiles", "TableSource", "TablesSource"]


class SplitFiles(Section):
    """A file for each split, where the data is split already."""

    train: str = Field(description="file of the training lists")
    valid: str | None = Field(None, description="file of the validation lists; default: split.valid of the training")
    test: str = Field(description="file of the test lists")


def _how_many(value: Any) -> str:
    return "#one" if isinstance(value, str) else "#each"


# Tags of no field: where a fault is said, they are left out.
Files = Annotated[Annotated[str, Tag("#one")] | Annotated[SplitFiles, Tag("#each")], Discriminator(_how_many)]


class TablesSource(Section):
    """Queries, documents and judgments as three tables, joined on the ids.

    A table is a file, .jsonl or .csv (also .gz, .zst) or .parquet, or several by a pattern: `queries-*.jsonl.gz`; on
    this machine or, as `s3://...` and the like, wherever fsspec and its plug-ins reach.
    """

    kind: Literal["tables"]
    queries: str = Field(description="file with one row per query")
    documents: str = Field(description="file with one row per document")
    judgments: Files = Field(
        description="file with one row per judged (query, document) pair, or one for each of train, valid and test"
    )


class TableSource(Section):
    """One table, as files like those of `TablesSource`, that has the columns of the query in each row of its documents.

    The values of a query are those of its first row.
    """

    kind: Literal["table"]
    file: Files = Field(
        description="file with one row per judged (query, document) pair, with all columns, or one for each split"
    )


class LetorSource(Section):
    """Files of `label qid:n index:value ... # comment` lines, one for each split, also .gz or .zst.

    Each may be several by a pattern: `train-*.txt`; documents of a query come together. Without `qid`, list sizes are
    in a `.query` or `.group` file beside each. All features, at most 100,000, are one vector.
    """

    kind: Literal["letor"]
    train: str = Field(description="file of the training lists")
    valid: str | None = Field(None, description="file of the validation lists; default: split.valid of the training")
    test: str = Field(description="file of the test lists")
    missing: Literal["refused", "nan"] = Field("refused", description="whether NaN in a file is a missing value")


class ElwcSource(Section):
    """TFRecord files of ExampleListWithContext, also .gz, each a file or several by a pattern.

    The context holds the query id and query features, the examples document ids, labels and document features. Further
    lists of a query are called ID#2, ID#3 and so on. Without a section `features` all numbers of documents are one
    vector.
    """

    kind: Literal["elwc"]
    train: str = Field(description="files of the training lists; without `test`, of all lists, see split")
    valid: str | None = Field(None, description="files of the validation lists; default: split.valid of the training")
    test: str | None = Field(None, description="files of the test lists; default: split.test of the training")


Source = Annotated[TablesSource | TableSource | LetorSource | ElwcSource | ClicksSource, Field(discriminator="kind")]


class Split(Section):
    """Which lists are for validation and which for test; the rest are for training.

    `time` takes the latest lists for test and those before them for validation: the time of a list is the latest of its
    `timestamp`s, so that nothing in a training list is younger than a list it is tested on. Lists of one moment stay
    together.
    """

    by: Literal["query_hash", "time"] = "query_hash"
    valid: Share = 0.1
    test: Share = 0.2

    @model_validator(mode="after")
    def _leaves_lists_for_training(self) -> Self:
        if self.valid + self.test >= 1:
            raise ValueError(f"valid + test = {self.valid + self.test:g} leaves no lists for training; expected < 1")
        return self


_OF_TABLES = ("weight", "position", "timestamp", "candidates")


class Data(Section):
    """Where the lists come from, and what their columns are called.

    `weight`, `position` and `timestamp` are columns of the judgments; `weight` and `timestamp` may be columns of the
    queries instead; a `clicks` source names them itself. Timestamps are seconds since 1970, ISO 8601 texts (UTC unless
    they say otherwise) or Parquet dates.
    """

    sources: Annotated[list[Source], Field(min_length=1, max_length=1)]
    query_id: str = "query_id"
    document_id: str = "document_id"
    label: str = "label"
    weight: str | None = Field(None, description="importance of a list or document in the loss")
    position: str | None = Field(None, description="rank at which the document was shown, from 1")
    timestamp: str | None = Field(None, description="when the query was asked")
    candidates: Candidates = JudgedCandidates()
    split: Split = Split()

    @property
    def split_files(self) -> SplitFiles | LetorSource | ElwcSource | None:
        """The files of the splits, if the data is split already."""
        source = self.sources[0]
        if isinstance(source, TablesSource | TableSource):
            files = source.judgments if isinstance(source, TablesSource) else source.file
            return None if isinstance(files, str) else files
        return None if isinstance(source, ClicksSource) or source.test is None else source

    @model_validator(mode="before")
    @classmethod
    def _clicks_make_columns(cls, content: Any) -> Any:
        """What is said of judgments follows from a source of clicks."""
        try:
            [source] = TypeAdapter(list[ClicksSource]).validate_python(content["sources"])
        except (ValidationError, ValueError, KeyError, TypeError):  # another source, or a fault that is told elsewhere
            return content
        return source.made | content

    @model_validator(mode="after")
    def _options_have_an_effect(self) -> Self:
        """LETOR files have no column names, and given files say themselves which lists are for test."""
        source, files = self.sources[0], self.split_files
        given = [name for name in type(self).model_fields if getattr(self, name) != _DEFAULTS.get(name)]
        without = [name for name in given if name in _without_effect(source)]
        if isinstance(source, ClicksSource):
            without = [name for name in without if getattr(self, name) != source.made.get(name)]
        default = Split()
        if files is not None:
            without += [
                f"split.{name}" for name in ("by", "test") if getattr(self.split, name) != getattr(default, name)
            ]
            without += ["split.valid"] * (files.valid is not None and self.split.valid != default.valid)
        elif isinstance(source, ElwcSource) and source.valid is not None:
            raise ValueError(
                "sources.0: files of validation lists without files of test lists; name both, or train alone"
            )
        if without:
            raise ValueError(f"{', '.join(without)}: no effect with a {source.kind} source; leave out")
        if self.split.by == "time" and self.timestamp is None:
            raise ValueError("split.by: time needs data.timestamp, the column that says when a query was asked")
        return self


def _without_effect(source: Source) -> tuple[str, ...]:
    """The keys of `data` that say nothing of a source."""
    if isinstance(source, LetorSource):
        return ("query_id", "document_id", "label", *_OF_TABLES)
    if isinstance(source, ClicksSource):
        return ("label", *_OF_TABLES)
    return () if isinstance(source, TablesSource) else ("candidates",)


_DEFAULTS = {name: field.default for name, field in Data.model_fields.items()}
