"""The source `clicks`: a log of what was shown and clicked."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ranker.spec.section import Section

__all__ = ["ClicksSource", "Propensity"]

_JUDGED = ("query_id", "document_id", "label", "weight", "position", "timestamp")
_ENOUGH = 3  # features of a regression, whose combinations of values are counted


class Propensity(Section):
    """How likely a document is to be looked at, by its position: how that is estimated, and what it is used for.

    - `randomisation`: from impressions whose `experiment` is `shuffled`: the documents were in random order;
    - `swaps`: from those whose `experiment` is `swap i j`: by lot, the documents at the positions i and j have changed
      places. All with an empty `experiment` are what they are compared with;
    - `em`: from all, where documents were shown at several positions, with an attraction for each (query, document)
      pair, by expectation-maximisation;
    - `regression_em`: likewise, with an attraction that depends on `features`, columns of numbers of the impressions
      (Wang et al., WSDM 2018). They have to say what the ranker knew, such as its score;
    - `none`: not at all.

    A click weighs 1 / propensity, at most `clip` (inverse propensity weighting, Joachims et al., WSDM 2017).
    """

    by: Literal["none", "randomisation", "swaps", "em", "regression_em"] = "none"
    features: Annotated[list[str], Field(max_length=_ENOUGH)] = Field([], description="columns for the regression")
    clip: Annotated[float, Field(ge=1)] = Field(10.0, description="the most that a click weighs")

    @property
    def by_experiment(self) -> bool:
        """Whether impressions have to say which experiment they are part of."""
        return self.by in ("randomisation", "swaps")

    @model_validator(mode="after")
    def _options_have_an_effect(self) -> Self:
        if self.by == "regression_em" and not self.features:
            raise ValueError("regression_em needs features: columns of numbers such as the ranker's score")
        if self.features and self.by != "regression_em":
            raise ValueError(f"features: no effect with by: {self.by}; leave out")
        if self.by == "none" and self.clip != type(self).model_fields["clip"].default:
            raise ValueError("clip: no effect with by: none; leave out")
        return self


class ClicksSource(Section):
    """Queries and documents as two tables, and impressions: a table with a row for each document that was shown.

    The files are those that `tables` takes. With `lists: impression` each impression is a list, called
    query/impression: the label is 1 for clicked documents and 0 for others, and clicks have their weights. With
    `lists: query` each query is a list, and the label of a document is the mean weight of its clicks per impression.
    A split by query_hash goes by the query: its impressions stay together.
    """

    kind: Literal["clicks"]
    queries: str = Field(description="file with one row per query")
    documents: str = Field(description="file with one row per document")
    impressions: str = Field(description="file with one row per document that was shown")
    lists: Literal["impression", "query"] = Field("impression", description="what makes a list")
    impression_id: str = Field("impression_id", description="column that says which rows were shown together")
    position: str = Field("position", description="column with the rank at which a document was shown, from 1")
    clicked: str = Field("clicked", description="column with 1 for clicked documents and 0 for others")
    timestamp: str | None = Field(None, description="column that says when it was shown")
    experiment: str | None = Field(None, description="column with `shuffled`, `swap i j` or nothing, see propensity")
    positions: Annotated[int, Field(ge=1)] | None = Field(None, description="leave lower positions out; default: none")
    propensity: Propensity = Propensity()

    @property
    def made(self) -> dict[str, str]:
        """What `data` says of a source like this one: the columns of judgments that are made of impressions."""
        made = {} if self.timestamp is None else {"timestamp": self.timestamp}
        if self.lists == "impression":
            made |= {"position": self.position} | ({} if self.propensity.by == "none" else {"weight": "weight"})
        return made

    @model_validator(mode="after")
    def _columns_are_there(self) -> Self:
        if self.propensity.by_experiment != (self.experiment is not None):
            raise ValueError(
                f"propensity.by: {self.propensity.by} needs `experiment`, the column that says which impressions were "
                f"changed"
                if self.experiment is None
                else f"experiment: no effect with propensity.by: {self.propensity.by}; leave out"
            )
        named = [self.impression_id, self.position, self.clicked, self.timestamp, self.experiment]
        given = [*(name for name in named if name is not None), *self.propensity.features]
        if repeated := sorted({name for name in given if given.count(name) > 1}):
            raise ValueError(f"column {repeated[0]!r} is named for two purposes; expected one of them")
        for name in (self.impression_id, self.experiment, *self.propensity.features):
            if name in _JUDGED:
                raise ValueError(f"column {name!r} is called as one of the engine's own; rename it")
        return self
