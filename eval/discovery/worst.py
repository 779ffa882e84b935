"""The worst slices of an evaluation, from its table of figures per query."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from eval.compare import paired_differences
from eval.content import DocumentSets
from eval.discovery.features import Feature
from eval.discovery.find import Search, find_slices
from eval.discovery.findings import Discovery
from eval.discovery.tested import Against
from eval.metrics import parse_metric
from eval.per_query import OWN_COLUMNS, SEPARATOR, PerQuery
from eval.ragged import IntArray
from eval.score_table import ScoreTable

__all__ = ["features_of", "find_worst", "list_features"]

_LENGTH = "documents"


def find_worst(
    per_query: PerQuery,
    metric: str,
    model: str,
    baseline: str | None = None,
    *,
    features: Sequence[Feature] | None = None,
    search: Search | None = None,
) -> Discovery:
    """The slices in which a model is worse than a baseline; or, without one, worse than elsewhere.

    Args:
        per_query: figures of each list.
        metric: its text.
        model: name of the model.
        baseline: name of another model.
        features: what slices are made of; None: `features_of(per_query)`. Give it where several searches share it.
        search: how. Each search has its own alpha: with several metrics or models, give each its part.

    Raises:
        ValueError: a metric or model that is not there, or a table without features.
    """
    for name in (model, *([baseline] if baseline is not None else [])):
        if f"{metric}{SEPARATOR}{name}" not in per_query.schema.names:
            raise ValueError(f"search of slices: no figures of {metric} for {name!r} in the table of queries")
    values = per_query.figures(metric, model)
    if baseline is not None:
        values = paired_differences(values, per_query.figures(metric, baseline))
    units = per_query.column("unit").to_numpy(zero_copy_only=False)
    given = features_of(per_query) if features is None else features
    against: Against = "others" if baseline is None else "zero"
    better = parse_metric(metric).higher_is_better
    return find_slices(values, given, units, against, higher_is_better=better, search=search)


def features_of(per_query: PerQuery, names: Sequence[str] | None = None) -> list[Feature]:
    """What the lists of a table of queries can be told apart by.

    Args:
        per_query: figures of each list. Columns of texts, of lists of texts, and of true and false are categories,
            those of numbers are buckets.
        names: columns; None: all but ids, figures and what is known of judgements: those of slices, of features, and
            the number of documents.
    """
    if names is None:
        others = set(OWN_COLUMNS) - {_LENGTH}
        names = [name for name in per_query.schema.names if name not in others and SEPARATOR not in name]
    return [_feature(name, per_query.column(name)) for name in names]


def _feature(name: str, column: pa.Array) -> Feature:
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return Feature.of_numbers(name, column.cast(pa.float64()).fill_null(np.nan).to_numpy(zero_copy_only=False))
    return Feature.of_texts(name, column)


def list_features(table: ScoreTable, names: Sequence[str]) -> dict[str, pa.Array]:
    """Columns of a score table as features of its lists, for columns of a table of queries.

    Args:
        table: with the columns.
        names: of columns.

    Returns:
        By name, [lists]: of numbers float64, their mean over the documents that have one (null without any); of others
        list<string>, each value that a document of the list has.

    Raises:
        ValueError: a column of another type.
    """
    return {name: _of_lists(name, table.columns[name], table) for name in names}


def _of_lists(name: str, column: pa.Array, table: ScoreTable) -> pa.Array:
    ragged = table.lists.ragged
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        numbers = column.cast(pa.float64()).fill_null(np.nan).to_numpy(zero_copy_only=False)
        there = ~np.isnan(numbers)
        counts = ragged.counts(there)
        means = ragged.sums(np.where(there, numbers, 0.0)) / np.maximum(counts, 1)
        return pa.array(means, mask=counts == 0)
    try:
        sets = DocumentSets.of(column)
    except ValueError as error:
        raise ValueError(f"column {name!r}: {error}") from None
    members, codes = sets.values(sets.sets)
    keys: IntArray = np.unique(ragged.rows[members.rows] * max(len(sets.names), 1) + codes)
    lists, codes = np.divmod(keys, max(len(sets.names), 1))
    offsets = np.concatenate([[0], np.cumsum(np.bincount(lists, minlength=len(ragged)))])
    texts = pa.array(sets.names, pa.string()).take(pa.array(codes))
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), texts)
