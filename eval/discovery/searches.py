"""All searches of an evaluation, over the columns of its score table."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np

from eval.compare import paired_differences
from eval.discovery.columns import ListColumns
from eval.discovery.features import Feature
from eval.discovery.find import Search, find_slices
from eval.discovery.findings import Finding
from eval.metrics import parse_metric
from eval.passes import Passes
from eval.per_query import PerQuery
from eval.ragged import FloatArray
from eval.report.data import Discovery, FoundSlice, SliceSearch
from eval.score_table import ScoreTable

__all__ = ["Searches", "discover"]

_BEYOND: Final = 20  # draws that are larger than the critical value, at least


@dataclass(frozen=True)
class Searches:
    """What is searched.

    Args:
        columns: of the score table, that slices are made of, beside the number of documents.
        numbers: of these the ones that hold numbers.
        metrics: their texts.
        models: compared with the baseline, each where it loses.
        alone: models without a baseline, each where it is worse than elsewhere.
        baseline: of the comparisons.
        search: how; its alpha is shared by all searches.
        left_out: columns that are not looked at, with the reason.

    Raises:
        ValueError: nothing to search, or a baseline that is missing.
    """

    columns: tuple[str, ...]
    numbers: tuple[str, ...]
    metrics: tuple[str, ...]
    models: tuple[str, ...]
    alone: tuple[str, ...]
    baseline: str | None
    search: Search
    left_out: Mapping[str, str]

    def __post_init__(self) -> None:
        if not self.metrics or not (self.models or self.alone) or (self.models and self.baseline is None):
            raise ValueError("search of slices: expected a metric, and models alone or with a baseline")

    def each(self) -> Iterator[tuple[str, str, str | None]]:
        """Metric, model and baseline of each search."""
        for metric in self.metrics:
            yield from ((metric, model, self.baseline) for model in self.models)
            yield from ((metric, model, None) for model in self.alone)


def discover(asked: Searches, passes: Passes, per_query: PerQuery) -> Discovery:
    """Search.

    The probability that any of the searches reports a slice where there is nothing to find is at most alpha: each
    spends the same part of it (Bonferroni), and the p-values of its slices are multiplied by the number of searches.

    Args:
        asked: what.
        passes: over the lists, with the columns.
        per_query: figures of the same lists.

    Raises:
        ValueError: a column of which slices cannot be made.
    """
    found, _ = passes.survey(partial(ListColumns.of, asked.columns), _no_numbers, {})
    search = asked.search
    features, told = found.features(search.min_lists)
    count = len(list(asked.each()))
    draws = max(search.draws, int(np.ceil(_BEYOND * count / search.alpha)))
    own = replace(search, alpha=search.alpha / count, draws=draws)
    return Discovery(
        alpha=search.alpha,
        features=[feature.name for feature in features],
        left_out={**asked.left_out, **told},
        searches=[_searched(per_query, features, own, count, *one) for one in asked.each()] if features else [],
    )


def _searched(
    per_query: PerQuery,
    features: Sequence[Feature],
    search: Search,
    count: int,
    metric: str,
    model: str,
    baseline: str | None,
) -> SliceSearch:
    """One of `count` searches; lists in the order of their query ids, so that nothing hangs on how they were read."""
    order = np.argsort(per_query.column("query_id").to_numpy(zero_copy_only=False), kind="stable")
    values = per_query.figures(metric, model)
    if baseline is not None:
        values = paired_differences(values, per_query.figures(metric, baseline))
    found = find_slices(
        values[order],
        features,
        per_query.column("unit").to_numpy(zero_copy_only=False)[order],
        "others" if baseline is None else "zero",
        higher_is_better=parse_metric(metric).higher_is_better,
        search=search,
    )
    return SliceSearch(
        metric=metric,
        model=model,
        baseline=baseline,
        slices=found.looked_at,
        depth=found.depth,
        lists=found.lists,
        min_lists=found.min_lists,
        significant=found.significant,
        detectable=found.detectable,
        found=[_told(one, count) for one in found.findings],
    )


def _told(one: Finding, searches: int) -> FoundSlice:
    return FoundSlice(
        name=one.name,
        conditions=dict(one.conditions),
        lists=one.lists,
        mean=one.mean,
        others=one.others,
        effect=one.effect,
        bound=one.bound,
        p_adjusted=min(searches * one.p_adjusted, 1.0),
    )


def _no_numbers(_: ScoreTable) -> dict[str, FloatArray]:
    return {}
